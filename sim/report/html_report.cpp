// HTML report: the page's parts around two JSON documents, spans written step by step.
#include "sim/report/html_report.hpp"

#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/page_files.hpp"
#include "sim/report/page_text.hpp"
#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

std::string script_string(const std::string& text) {
  return in_script(
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

class HtmlExporter final : public TimelineExporter {
 public:
  HtmlExporter(ByteSink& out, const TraceHeader& header, std::vector<Divergence> divergences,
               std::string title, std::string report)
      : TimelineExporter(out, header, std::move(divergences)),
        title_(std::move(title)),
        report_(std::move(report)) {}

  Status begin() override {
    TANDEM_RETURN_IF_ERROR(put_to("@title@"));
    TANDEM_RETURN_IF_ERROR(put(in_markup(title_)));
    TANDEM_RETURN_IF_ERROR(put_to("@style@"));
    TANDEM_RETURN_IF_ERROR(put_file(PageFile::css));
    TANDEM_RETURN_IF_ERROR(put_to("@report@"));
    TANDEM_RETURN_IF_ERROR(put(in_script(report_)));
    TANDEM_RETURN_IF_ERROR(put_to("@spans@"));
    return put("{\"steps\":[");
  }

 protected:
  Status write_step(const FlowStep& flow_step) override {
    const StepTimeline& step = flow_step.step;
    const StepFacts& f = step.facts;
    const CounterPoint at = counter_point(step);
    std::string text =
        fmt::format("{}\n[{},{},{},{},{},{},{},{},{},{},{},{},[", first_ ? "" : ",", f.t, f.repeat,
                    static_cast<int>(f.kind), static_cast<int>(f.mode), f.start_ns,
                    f.end_ns - f.start_ns, f.token_num, f.device_rows, f.launch_bsz, f.device_slots,
                    at.host_ns - f.start_ns, at.device_ns - f.start_ns);
    first_ = false;
    const char* comma = "";
    for (const TimelineNode& node : step.nodes) {
      text += fmt::format("{}{},{},{},{},{},{}", comma, static_cast<int>(node.lane), name_of(node),
                          kind_of(node), node.start_ns - f.start_ns, node.duration(), node.op->row);
      comma = ",";
    }
    for (const Divergence& d : take_divergences(f)) {
      marks_ +=
          fmt::format("{}\n[{},{}]", marks_.empty() ? "" : ",", f.t, script_string(to_line(d)));
    }
    return put(text + "]]");
  }

  Status write_end() override {
    std::vector<std::string> by_number(names_.size());
    for (const auto& [name, number] : names_) by_number[number] = script_string(name);
    TANDEM_RETURN_IF_ERROR(
        put(fmt::format("\n],\"names\":[{}],\"marks\":[{}]}}", fmt::join(by_number, ","), marks_)));
    TANDEM_RETURN_IF_ERROR(put_to("@d3@"));
    TANDEM_RETURN_IF_ERROR(put_file(PageFile::d3_js));
    TANDEM_RETURN_IF_ERROR(put_to("@script@"));
    for (const PageFile file : {PageFile::data_js, PageFile::lanes_js, PageFile::tables_js,
                                PageFile::bench_js, PageFile::main_js}) {
      TANDEM_RETURN_IF_ERROR(put_file(file));
    }
    return put(std::string(page_.substr(at_)));
  }

 private:
  std::string title_;
  std::string report_;
  std::string_view page_ = page_file(PageFile::html);
  std::size_t at_ = 0;
  bool first_ = true;
  std::map<std::string, std::size_t> names_;  ///< numbered as they come
  std::string marks_;

  /// The page up to `marker`, which is passed over.
  Status put_to(std::string_view marker) {
    const std::size_t found = page_.find(marker, at_);
    TANDEM_CHECK(found != std::string_view::npos);
    const std::string text(page_.substr(at_, found - at_));
    at_ = found + marker.size();
    return put(text);
  }
  Status put_file(PageFile file) { return put(std::string(page_file(file))); }

  std::size_t name_of(const TimelineNode& node) {
    return names_.try_emplace(slice_name(node), names_.size()).first->second;
  }
  /// As in data.js: operation, launch, wait, copy.
  static int kind_of(const TimelineNode& node) {
    constexpr int kCopy = 3;
    if (node.kind == NodeKind::operation && is_copy(*node.op)) return kCopy;
    return static_cast<int>(node.kind);
  }
};

}  // namespace

bool has_html_report() { return !page_file(PageFile::d3_js).empty(); }

std::unique_ptr<TimelineExporter> make_html_exporter(ByteSink& out, const TraceHeader& header,
                                                     std::vector<Divergence> divergences,
                                                     const std::string& title,
                                                     const std::string& report) {
  return std::make_unique<HtmlExporter>(out, header, std::move(divergences), title, report);
}

}  // namespace tandem::sim
