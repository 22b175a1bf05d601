// Timelines in the formats of trace viewers: what both formats share, and how to make either.
//
// A step is written when the one behind it is known, since events and launches are drawn as flows
// from their source: a wait names the step before at most.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "sim/checks/verify.hpp"
#include "sim/report/step_timeline.hpp"
#include "traces/run_config.hpp"
#include "traces/tbt.hpp"

namespace tandem::sim {

/// Ends of the arrows of a node.
struct NodeFlows {
  std::vector<std::uint64_t> out;  ///< ids, from 1 on, each with one source and one target
  std::vector<std::uint64_t> in;
};

/// A step and the arrows to and from it.
struct FlowStep {
  StepTimeline step;
  std::vector<NodeFlows> flows;  ///< by node
};

/// A value over time that both sides have.
struct CounterPoint {
  Nanos host_ns = 0;    ///< when the host decided: the end of resolve, else the step's start
  Nanos device_ns = 0;  ///< when the device had it: the end of recover, else the step's start
};
[[nodiscard]] CounterPoint counter_point(const StepTimeline& step);
/// "launch verify_draft_tokens", "wait post_process", "target_forward".
[[nodiscard]] std::string slice_name(const TimelineNode& node);

class TimelineExporter {
 public:
  TimelineExporter(ByteSink& out, const TraceHeader& header, std::vector<Divergence> divergences);
  TimelineExporter(const TimelineExporter&) = delete;
  TimelineExporter& operator=(const TimelineExporter&) = delete;
  virtual ~TimelineExporter() = default;

  virtual Status begin() = 0;
  /// Steps in order. What they say is copied.
  Status add(const StepTimeline& step);
  /// Writes the last steps and the end of the file. Nothing may be added behind it.
  Status finish();

 protected:
  virtual Status write_step(const FlowStep& step) = 0;
  virtual Status write_end() = 0;
  Status put(const std::string& bytes);
  /// The divergences of the steps that a record stands for; each is given out once.
  [[nodiscard]] std::vector<Divergence> take_divergences(const StepFacts& facts);
  [[nodiscard]] const TraceHeader& header() const { return header_; }

 private:
  void join(FlowStep& target);

  ByteSink& out_;
  TraceHeader header_;
  std::vector<Divergence> divergences_;  ///< by step
  std::size_t next_divergence_ = 0;
  std::deque<FlowStep> held_;
  std::uint64_t next_flow_ = 1;
};

/// Perfetto's protobuf: a track for each stream and for the host thread, one of iterations, flows,
/// counters, divergences as instants. Times in ns. `out` outlives it.
[[nodiscard]] std::unique_ptr<TimelineExporter> make_perfetto_exporter(
    ByteSink& out, const TraceHeader& header, std::vector<Divergence> divergences);
/// Chrome's JSON trace events, the same contents. `out` outlives it.
[[nodiscard]] std::unique_ptr<TimelineExporter> make_chrome_exporter(
    ByteSink& out, const TraceHeader& header, std::vector<Divergence> divergences);

}  // namespace tandem::sim
