// The files of the HTML pages as they were at build time (sim/report/page, and d3 from a package).
#pragma once

#include <string_view>

namespace tandem::sim {

enum class PageFile {
  html,
  css,
  data_js,
  lanes_js,
  tables_js,
  bench_js,
  main_js,
  sweep_html,
  sweep_js,
  d3_js
};

/// Its bytes; empty for d3_js in a build without d3.
[[nodiscard]] std::string_view page_file(PageFile file);

}  // namespace tandem::sim
