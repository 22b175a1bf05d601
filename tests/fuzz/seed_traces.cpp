// Runs a few requests on the host device and draws random records.
#include "tests/fuzz/seed_traces.hpp"

#include "tests/support/random_records.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem::fuzz {
namespace {

using test::SampleTrace;

/// Plans are most of a short trace's bytes: most seeds go without, one has the short segments.
enum class Plan : std::uint8_t { short_segments, none };
constexpr std::size_t kShortOps = 6;
constexpr std::size_t kRunTraces = 4;

/// A short run.
SampleTrace run_trace_of(Scenario scenario, RecordLevel level, Plan plan) {
  scenario.steps_max = 5;
  test::KeepingSink sink;
  RunOptions options;
  options.level = level;
  options.block_steps = 3;
  std::vector<RequestSpec> requests{test::request(0, 0, 5, 9, 4), test::request(1, 1, 3, 2),
                                    test::request(2, 2, 20, 8)};
  requests[2].dnode_drafts = 1;
  static_cast<void>(test::run_kept(scenario, std::move(requests), sink, options));
  SampleTrace out;
  out.header = sink.header;
  for (std::size_t i = 0; i < sink.keyframes.size(); ++i) {
    test::SampleBlock& block = out.blocks.emplace_back();
    block.keyframe = sink.keyframes[i];
    const std::size_t end =
        i + 1 < sink.keyframes.size() ? sink.keyframe_before[i + 1] : sink.steps.size();
    for (std::size_t k = sink.keyframe_before[i]; k < end; ++k) {
      block.steps.push_back(sink.steps[k]);
    }
  }
  for (const plan::Segment& segment : sink.segments) {
    if (plan == Plan::none || segment.ops.size() > kShortOps) continue;
    out.blocks.front().segments.push_back(segment);
  }
  out.unadmitted = sink.rows;
  out.last = sink.last;
  return out;
}

std::vector<SampleTrace> make_traces() {
  std::vector<SampleTrace> out;
  Scenario scenario = test::small_scenario(2, 2);
  out.push_back(run_trace_of(scenario, RecordLevel::state, Plan::none));
  out.push_back(run_trace_of(scenario, RecordLevel::full, Plan::none));
  test::set_all_rows(scenario, RowMode::sync);
  out.push_back(run_trace_of(scenario, RecordLevel::state, Plan::short_segments));
  scenario.config.draft_path = DraftPath::self;
  out.push_back(run_trace_of(scenario, RecordLevel::timeline, Plan::none));
  TANDEM_CHECK(out.size() == kRunTraces);
  for (const test::Chaos chaos : {test::Chaos::mild, test::Chaos::wild, test::Chaos::shapes}) {
    const TraceHeader header = test::small_header(RecordLevel::state, 3, 2);
    out.push_back(test::RandomRecords(7, header, chaos).trace(2, 2));
  }
  TraceHeader foreign = test::small_header(RecordLevel::full, 1, 1);
  foreign.absent = {"p4.draft_digest", "tasks", "q_cpu"};
  for (std::string& path : foreign.absent) {
    Field field{};
    TANDEM_CHECK(field_from_path(path, field));
  }
  out.push_back(test::RandomRecords(8, foreign, test::Chaos::mild).trace(1, 3));
  return out;
}

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

const std::vector<SampleTrace>& seed_traces() {
  static const std::vector<SampleTrace> traces = make_traces();
  return traces;
}

std::span<const SampleTrace> run_traces() { return std::span(seed_traces()).first(kRunTraces); }

std::string tbt_text(const SampleTrace& trace, TbtOptions::Compression compression) {
  TbtOptions options;
  options.compression = compression;
  const auto bytes = test::to_tbt(trace, options);
  TANDEM_CHECK(bytes.ok());
  return as_text(bytes.value());
}

std::string jsonl_text(const SampleTrace& trace) {
  const auto bytes = test::to_jsonl(trace);
  TANDEM_CHECK(bytes.ok());
  return as_text(bytes.value());
}

}  // namespace tandem::fuzz
