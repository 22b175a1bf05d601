// Chrome trace events: one event a line, times in microseconds with three decimals.
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/report/timeline_export.hpp"
#include "traces/members.hpp"

namespace tandem::sim {
namespace {

constexpr int kHostPid = 1;
constexpr int kDevicePid = 2;
constexpr int kHostTid = 1;
constexpr int kIterationsTid = 2;
constexpr int kComputeTid = 1;
constexpr int kCopyTid = 2;

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(Nanos ns) { return fmt::format("{}.{:03}", ns / 1'000, ns % 1'000); }

struct Place {
  int pid = kHostPid;
  int tid = kHostTid;
};

Place place_of(plan::Lane lane) {
  if (lane == plan::Lane::host) return {};
  return {kDevicePid, lane == plan::Lane::compute ? kComputeTid : kCopyTid};
}

class ChromeExporter final : public TimelineExporter {
 public:
  using TimelineExporter::TimelineExporter;

  Status begin() override {
    std::string text = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
    const auto name = [&](const char* what, int pid, int tid, const std::string& value) {
      text += fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{"name":{}}}}},)",
                          pid, tid, what, json_string(value));
      text += "\n";
    };
    name("process_name", kHostPid, 0, "host");
    name("thread_name", kHostPid, kHostTid, "host thread");
    name("thread_name", kHostPid, kIterationsTid, "iterations");
    name("process_name", kDevicePid, 0, "device " + header().device);
    name("thread_name", kDevicePid, kComputeTid, "compute stream");
    name("thread_name", kDevicePid, kCopyTid, "copy stream");
    return put(text);
  }

 protected:
  Status write_step(const FlowStep& flow_step) override {
    const StepTimeline& step = flow_step.step;
    std::string text;
    write_iteration(step.facts, text);
    for (std::size_t i = 0; i < step.nodes.size(); ++i) {
      write_node(step, step.nodes[i], flow_step.flows[i], text);
    }
    write_counters(step, text);
    for (const Divergence& d : take_divergences(step.facts)) {
      text +=
          fmt::format(R"({{"ph":"i","s":"g","pid":{},"tid":{},"ts":{},"name":{}}},)", kHostPid,
                      kIterationsTid, microseconds(step.facts.start_ns), json_string(to_line(d)));
      text += "\n";
    }
    return put(text);
  }

  Status write_end() override { return put("{}]}\n"); }

 private:
  static void write_iteration(const StepFacts& facts, std::string& text) {
    text +=
        fmt::format(R"({{"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"name":"{} {}","cat":"step",)",
                    kHostPid, kIterationsTid, microseconds(facts.start_ns),
                    microseconds(facts.end_ns - facts.start_ns), to_name(facts.kind), facts.t);
    text += fmt::format(R"("args":{{"step":{},"repeat":{},"mode":"{}"}}}},)", facts.t, facts.repeat,
                        to_name(facts.mode));
    text += "\n";
  }

  static void write_node(const StepTimeline& step, const TimelineNode& node, const NodeFlows& flows,
                         std::string& text) {
    const Place place = place_of(node.lane);
    constexpr std::array kCategories{"operation", "launch", "wait"};
    const char* category = node.kind == NodeKind::operation && is_copy(*node.op)
                               ? "copy"
                               : kCategories[static_cast<std::size_t>(node.kind)];
    text += fmt::format(R"({{"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"name":"{}","cat":"{}",)",
                        place.pid, place.tid, microseconds(node.start_ns),
                        microseconds(node.duration()), slice_name(node), category);
    text += fmt::format(R"("args":{{"step":{}{}}}}},)", step.facts.t,
                        node.op->row < 0 ? "" : fmt::format(R"(,"row":"R{}")", node.op->row));
    text += "\n";
    // Arrows leave and arrive inside their slices.
    const auto arrow = [&](const char* phase, std::uint64_t id) {
      text += fmt::format(R"({{"ph":{},"pid":{},"tid":{},"ts":{},"id":{},)", phase, place.pid,
                          place.tid, microseconds(node.start_ns), id);
      text += "\"cat\":\"order\",\"name\":\"after\"},\n";
    };
    for (const std::uint64_t id : flows.in) arrow(R"("f","bp":"e")", id);
    for (const std::uint64_t id : flows.out) arrow(R"("s")", id);
  }

  static void write_counters(const StepTimeline& step, std::string& text) {
    const CounterPoint at = counter_point(step);
    const auto counter = [&](const char* name, Nanos ns, std::int64_t value) {
      text +=
          fmt::format(R"({{"ph":"C","pid":{},"tid":0,"ts":{},"name":"{}","args":{{"value":{}}}}},)",
                      kHostPid, microseconds(ns), name, value);
      text += "\n";
    };
    counter("token_num host", at.host_ns, step.facts.token_num);
    counter("token_num device", at.device_ns, step.facts.device_rows);
    counter("real_bsz host", at.host_ns, step.facts.launch_bsz);
    counter("real_bsz device", at.device_ns, step.facts.device_slots);
  }
};

}  // namespace

std::unique_ptr<TimelineExporter> make_chrome_exporter(ByteSink& out, const TraceHeader& header,
                                                       std::vector<Divergence> divergences) {
  return std::make_unique<ChromeExporter>(out, header, std::move(divergences));
}

}  // namespace tandem::sim
