// Verdicts and summaries as text, JSON and JUnit: every output is composed here, so that all agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/run.hpp"
#include "scenarios/scenario.hpp"
#include "sim/checks/verify.hpp"
#include "tools/cli/neighbourhood.hpp"
#include "tools/cli/style.hpp"

namespace tandem::cli {

/// Divergences that --all prints; the rest is counted.
constexpr std::size_t kDivergencesMax = 10'000;

/// One trace file as `verify` found it.
struct TraceReport {
  std::string path;
  bool opened = false;  ///< false: `error` says why, nothing else is filled
  TraceHeader header;
  sim::Verdict verdict;
  std::string damage;  ///< "" when whole
  std::string error;   ///< what ended verification early; "" when nothing did
  bool interrupted = false;
  std::vector<sim::CheckId> missing;    ///< required checks that could not run
  std::optional<Neighbourhood> around;  ///< of the first divergence; none: clean, or another trace
                                        ///< of the same command line has it
  int exit_code = 0;
};

/// One run as `run` made it.
struct RunReport {
  RunConfig config;
  std::string device;
  std::string executor;
  RecordLevel level = RecordLevel::state;
  RunSummary summary;
  std::optional<sim::Verdict> verdict;  ///< none: not verified
  std::optional<Neighbourhood> around;  ///< of the first divergence
  std::string trace_path;               ///< "" when none was written
  std::uint64_t trace_bytes = 0;
  std::int64_t slot_steps = 0;  ///< running slots, summed over steps
};

/// "1234567" as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t value);
[[nodiscard]] std::string grouped(std::int64_t value);
/// "name" padded to the column of values, the value wrapped at 80 columns, and a line end.
[[nodiscard]] std::string row(const std::string& name, const std::string& value);
/// 16 hexadecimal digits after 0x.
[[nodiscard]] std::string digest_text(std::uint64_t digest);
/// Nanoseconds with a unit, three decimals at most: "8.412 ms".
[[nodiscard]] std::string duration_text(Nanos ns);
/// Bytes / running slot-steps (the sum of real_bsz) with two decimals, "-" where none ran.
[[nodiscard]] std::string bytes_per_slot_step(std::uint64_t bytes, std::int64_t slot_steps);

/// The checks that ran, that could not, that failed, and the verdict; then divergence lines as they
/// always are (longer than 80 columns), and what stands around the first.
[[nodiscard]] std::string verdict_text(const sim::Verdict& verdict,
                                       const std::optional<Neighbourhood>& around = {},
                                       const Style& style = {});
[[nodiscard]] std::string trace_text(const TraceReport& report, const Style& style = {});
[[nodiscard]] std::string run_text(const RunReport& report, const Style& style = {});

/// Documents with a line end.
[[nodiscard]] std::string run_json(const RunReport& report);
[[nodiscard]] std::string traces_json(const std::vector<TraceReport>& reports, bool all);
[[nodiscard]] std::string traces_junit(const std::vector<TraceReport>& reports);

}  // namespace tandem::cli
