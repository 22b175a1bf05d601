// Fills the page of a sweep: marks in it stand for style, study and scripts.
#include "sim/report/sweep_page.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "sim/report/page_files.hpp"
#include "sim/report/page_text.hpp"
#include "traces/base/check.hpp"

namespace tandem::sim {

std::string sweep_page(const std::string& title, const std::string& study) {
  const std::array<std::pair<std::string_view, std::string>, 5> marks{{
      {"@title@", in_markup(title)},
      {"@style@", std::string(page_file(PageFile::css))},
      {"@study@", in_script(study)},
      {"@d3@", std::string(page_file(PageFile::d3_js))},
      {"@script@", std::string(page_file(PageFile::sweep_js))},
  }};
  std::string_view rest = page_file(PageFile::sweep_html);
  std::string page;
  for (const auto& [mark, text] : marks) {
    const std::size_t at = rest.find(mark);
    TANDEM_CHECK(at != std::string_view::npos);
    page.append(rest.substr(0, at)).append(text);
    rest.remove_prefix(at + mark.size());
  }
  return page.append(rest);
}

}  // namespace tandem::sim
