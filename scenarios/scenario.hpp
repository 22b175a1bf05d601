// Scenario: one JSON file that says what runs, on which workload, with which costs and limits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/forward_shapes.hpp"
#include "scenarios/line_reader.hpp"
#include "traces/base/result.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Virtual durations of the deterministic executor, and what the host really spends elsewhere.
/// A forward over `rows` rows takes base + rows * per_row.
struct TimingModel {
  Nanos forward_base_ns = 8'000'000;
  Nanos forward_row_ns = 20'000;
  Nanos draft_base_ns = 400'000;  ///< one sub-step of the MTP head
  Nanos draft_row_ns = 1'000;
  Nanos kernel_ns = 2'000;    ///< any bookkeeping kernel
  Nanos copy_ns = 2'000;      ///< any pinned copy
  Nanos host_op_ns = 4'000;   ///< any host operation or launch
  Nanos host_step_ns = 0;     ///< extra host cost of every step that launches (Python)
  Nanos idle_ns = 1'000'000;  ///< one idle iteration; fixed by architecture 4.1
  ForwardShape shape;         ///< instead of base and row; without points: these

  [[nodiscard]] Nanos forward_ns(std::int32_t rows) const {
    return shape.target.empty() ? forward_base_ns + forward_row_ns * rows
                                : cost_at(shape.target, rows);
  }
  [[nodiscard]] Nanos draft_ns(std::int32_t rows) const {
    return shape.draft.empty() ? draft_base_ns + draft_row_ns * rows : cost_at(shape.draft, rows);
  }

  bool operator==(const TimingModel&) const = default;
};

enum class WorkloadKind : std::uint8_t {
  poisson,
  azure_csv,  ///< this and those below `requests`: a request trace (scenarios/request_trace.hpp)
  profile,
  requests,
  burstgpt_csv,
  vidur_csv,
  mooncake_jsonl,
  qwen_jsonl,
  llmservingsim_jsonl
};
/// What a recorded output length becomes. `sequence`: a stop sequence ends one token before it, and
/// EOS takes the last place; an output of one token ends with EOS as with `eos`.
enum class StopRule : std::uint8_t { eos, length, sequence };

constexpr std::int32_t kStopLenMax = 16;  ///< tokens of a stop sequence, at most

/// Lengths as quantiles: value at each of the given shares (in millionths), linear in between.
struct LengthQuantiles {
  std::vector<std::uint32_t> share_millionths;  ///< rising, first 0, last 10^6
  std::vector<std::int32_t> tokens;             ///< not falling, same size

  bool operator==(const LengthQuantiles&) const = default;
};

/// One request as a workload hands it out.
struct RequestSpec {
  RequestRow row;
  std::int32_t dnode_drafts = -1;   ///< -1: prefilled here; else a D-node insert with that many
  std::int32_t preempt_after = -1;  ///< preempt once this many tokens are committed; -1: never

  bool operator==(const RequestSpec&) const = default;
};

struct WorkloadSpec {
  WorkloadKind kind = WorkloadKind::poisson;
  std::string path;               ///< request traces: the file
  std::int64_t requests_max = 0;  ///< 0: all rows of a file; required for generated workloads
  /// poisson, profile; arrivals by time. vidur_csv: for a file without times; -1: none given.
  std::int64_t mean_gap_ns = 0;
  std::int64_t mean_gap_millisteps = 0;  ///< poisson, profile; by step, thousandths of a step
  std::int64_t step_ns = 10'000'000;     ///< traces; by step: how many ns of the file make a step
  std::int64_t from_ns = 0;              ///< traces: rows before this time of the file are left out
  std::int64_t until_ns = 0;             ///< traces: rows at this time or later likewise; 0: none
  /// All but requests: arrivals come at this many millionths of their rate, 1..10^12.
  std::int64_t rate_millionths = 1'000'000;
  LengthQuantiles prompt;  ///< poisson, profile
  LengthQuantiles output;
  StopRule stop = StopRule::eos;
  std::int32_t stop_len = 2;            ///< tokens of a stop sequence, clipped to stop_at
  std::int32_t min_tokens = 0;          ///< RequestRow::min_tokens where there is a stop sequence
  std::uint32_t cached_millionths = 0;  ///< share of a prompt that a prefix cache holds
  std::int32_t max_dec_len = 0;         ///< limit of generated tokens; 0: what max_model_len leaves
  std::uint32_t dnode_millionths = 0;   ///< share of requests that arrive from a P node (6.2)
  std::int32_t dnode_drafts = 1;        ///< L, drafts such a request brings, 0..K
  std::uint32_t abort_millionths = 0;   ///< share whose client gives up after some of its tokens
  std::uint32_t preempt_millionths = 0;  ///< share preempted once, after some of its tokens
  std::vector<std::vector<std::int32_t>> accept_lists;  ///< request i takes list i mod size
  std::string accept_path;  ///< instead: a file of JSON lines with `accept_lengths`, read at start
  /// Instead: an embedded Markov profile, or a file of one (scenarios/accept_markov.hpp); each
  /// request's list is drawn by seed and id.
  std::string accept_markov;
  std::vector<RequestSpec> requests;  ///< kind requests, in arrival order

  bool operator==(const WorkloadSpec&) const = default;
};

struct Scenario {
  RunConfig config;
  TimingModel timing;
  WorkloadSpec workload;
  std::int64_t steps_max = 0;  ///< stop after this many iterations; 0: when all is done
  bool unguarded = false;      ///< let a launch that is too small go on instead of ending the run

  bool operator==(const Scenario&) const = default;
};

/// Reads a file a scenario names. tools/cli maps it to the file system; tests to strings.
using FileLoader = std::function<Result<std::string>(const std::string& path)>;

/// Text in, Scenario out. Errors name `name`, the JSON pointer, the value found and what is wanted:
/// `x.json:/workload/step_ns: got -4, want an integer in [1, 10^12]`. Unknown keys are refused.
/// `overrides` are `key=value` with a dotted key (`rows.R11=sync`, `engine.block_size=16`), applied
/// to the JSON before it is read; one that names no key of the schema is refused likewise.
/// scenarios/SCHEMA.md lists the keys.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, const std::string& name,
                                              const std::vector<std::string>& overrides = {});

/// The JSON text of an embedded catalogue scenario, or nullopt. `azure-conv` is the default.
[[nodiscard]] std::optional<std::string_view> catalog_scenario(std::string_view name);
[[nodiscard]] std::vector<std::string_view> catalog_names();  ///< sorted

/// Hands out requests in arrival order, ids 0, 1, 2, ...; nothing is held but what comes next, so a
/// workload of any size takes constant memory.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;
  /// The next request; nullopt at the end; an Error for a bad row (file:line:column of it).
  [[nodiscard]] virtual Result<std::optional<RequestSpec>> next() = 0;
  /// Rows of a trace's slice that could not become requests (zero tokens), so far.
  [[nodiscard]] virtual std::int64_t dropped() const = 0;
};

/// `scenario` is copied as far as needed. A request trace is read piece by piece from `open` where
/// that is given, else whole by `load`.
[[nodiscard]] Result<std::unique_ptr<Workload>> make_workload(const Scenario& scenario,
                                                              const FileLoader& load,
                                                              const SourceOpener& open = {});

}  // namespace tandem
