// Prints plans.
#include "tools/cli/plan_text.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli/options.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using plan::EventName;
using plan::EventRef;
using plan::Operation;

std::string offset_text(int step_offset) { return step_offset == 0 ? "" : "(t-1)"; }

std::string event_text(const char* verb, const EventRef& event) {
  if (event.name == EventName::none) return "";
  return fmt::format(" {} {}{}", verb, plan::to_name(event.name), offset_text(event.step_offset));
}

std::string uses_text(const char* verb, const std::vector<plan::BufferUse>& uses) {
  if (uses.empty()) return "";
  std::string text = verb;
  for (const plan::BufferUse& use : uses) {
    text.append(" ").append(plan::to_name(use.buffer));
    if (use.ring) text += use.step_offset == 0 ? "[t]" : "[t-1]";
  }
  return std::string(8, ' ') + wrap(text, 14, 72) + "\n";
}

std::string operation_text(std::size_t index, const Operation& op) {
  std::string text =
      fmt::format("  {:>3} {:<8}{:<31}", index, plan::to_name(op.lane), plan::to_name(op.kind));
  if (op.gate != plan::Symbol::one) text += fmt::format(" if {}", plan::to_name(op.gate));
  if (op.substep >= 0) text += fmt::format(" sub {}", op.substep);
  if (op.row >= 0) text += fmt::format(" R{}", op.row);
  text += event_text("waits", op.waits) + event_text("records", op.records);
  return wrap(text, 14) + "\n" + uses_text("reads", op.reads) + uses_text("writes", op.writes);
}

std::string head(const RunConfig& config) {
  return fmt::format("{}: schedule {}, policy {}, K={}, M={}", config.scenario,
                     schedule_name(config.rows), to_name(config.policy),
                     config.num_speculative_tokens, config.num_model_steps);
}

Json event_json(const EventRef& event) {
  if (event.name == EventName::none) return {};
  return {{"event", plan::to_name(event.name)}, {"step_offset", event.step_offset}};
}

Json uses_json(const std::vector<plan::BufferUse>& uses) {
  Json list = Json::array();
  for (const plan::BufferUse& use : uses) {
    list.push_back({{"buffer", plan::to_name(use.buffer)},
                    {"ring", use.ring},
                    {"step_offset", use.step_offset}});
  }
  return list;
}

Json operation_json(const Operation& op) {
  Json out;
  out["op"] = plan::to_name(op.kind);
  out["lane"] = plan::to_name(op.lane);
  out["gate"] = plan::to_name(op.gate);
  out["substep"] = op.substep >= 0 ? Json(op.substep) : Json();
  out["row"] = op.row >= 0 ? Json(fmt::format("R{}", op.row)) : Json();
  out["waits"] = event_json(op.waits);
  out["records"] = event_json(op.records);
  out["reads"] = uses_json(op.reads);
  out["writes"] = uses_json(op.writes);
  return out;
}

std::string node(std::size_t segment, std::size_t op) { return fmt::format("s{}_{}", segment, op); }

/// `text` inside double quotes of a DOT file.
std::string dot_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string segment_dot(std::size_t index, const NamedSegment& named) {
  const auto& ops = named.segment.ops;
  std::string text =
      fmt::format("  subgraph cluster_{} {{\n    label={};\n", index,
                  dot_string(std::string(plan::to_name(named.segment.kind)) + ": " + named.when));
  std::array<std::size_t, plan::kLaneCount> last{};
  last.fill(ops.size());
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto lane = static_cast<std::size_t>(ops[i].lane);
    std::string label = plan::to_name(ops[i].kind);
    if (ops[i].substep >= 0) label += fmt::format(" {}", ops[i].substep);
    if (ops[i].row >= 0) label += fmt::format(" (R{})", ops[i].row);
    text += fmt::format("    {} [label={}, shape={}];\n", node(index, i), dot_string(label),
                        ops[i].lane == plan::Lane::host ? "box" : "ellipse");
    if (last[lane] < ops.size()) {
      text += fmt::format("    {} -> {};\n", node(index, last[lane]), node(index, i));
    }
    last[lane] = i;
  }
  return text + "  }\n";
}

/// An edge from every operation that records the event `wait` waits for.
std::string event_edges(const std::vector<NamedSegment>& segments, const EventRef& wait,
                        const std::string& to) {
  std::string text;
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const auto& ops = segments[s].segment.ops;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (ops[i].records.name != wait.name) continue;
      text += fmt::format("  {} -> {} [style=dashed, constraint=false, label={}];\n", node(s, i),
                          to, dot_string(plan::to_name(wait.name) + offset_text(wait.step_offset)));
    }
  }
  return text;
}

}  // namespace

std::string plan_text(const RunConfig& config, const std::vector<NamedSegment>& segments) {
  std::string text = wrap(head(config), 2) + "\n";
  for (const NamedSegment& named : segments) {
    text += "\n" +
            wrap(fmt::format("{} {}: {}; {} operations", plan::to_name(named.segment.kind),
                             digest_text(plan::segment_hash(named.segment)), named.when,
                             named.segment.ops.size()),
                 2) +
            "\n";
    for (std::size_t i = 0; i < named.segment.ops.size(); ++i) {
      text += operation_text(i, named.segment.ops[i]);
    }
  }
  return text;
}

std::string plan_dot(const RunConfig& config, const std::vector<NamedSegment>& segments) {
  std::string text = fmt::format("digraph {} {{\n  rankdir=TB;\n", dot_string(head(config)));
  for (std::size_t i = 0; i < segments.size(); ++i) text += segment_dot(i, segments[i]);
  for (std::size_t s = 0; s < segments.size(); ++s) {
    const auto& ops = segments[s].segment.ops;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (ops[i].waits.name == EventName::none) continue;
      text += event_edges(segments, ops[i].waits, node(s, i));
    }
  }
  return text + "}\n";
}

std::string plan_json(const RunConfig& config, const std::vector<NamedSegment>& segments) {
  Json out;
  out["scenario"] = config.scenario;
  out["schedule"] = schedule_name(config.rows);
  out["policy"] = to_name(config.policy);
  out["segments"] = Json::array();
  for (const NamedSegment& named : segments) {
    Json ops = Json::array();
    for (const Operation& op : named.segment.ops) ops.push_back(operation_json(op));
    out["segments"].push_back({{"kind", plan::to_name(named.segment.kind)},
                               {"hash", digest_text(plan::segment_hash(named.segment))},
                               {"when", named.when},
                               {"operations", std::move(ops)}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::cli
