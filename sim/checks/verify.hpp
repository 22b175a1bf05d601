// Verification of a trace, live or from a file: what every consumer of the judge calls.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "traces/sink.hpp"
#include "traces/tbt.hpp"

namespace tandem::sim {

/// Checks of semantics 9.2, in the order in which reports list them.
enum class CheckId : std::uint8_t {
  V0,
  V1,
  V2,
  V2b,
  V3,
  V4,
  V5,
  V6,
  V7,
  V8,
  V9,
  V10,
  V11,
  V12,
  V13,
  V14,
  V15,
  V16,
  V17,
  V18,
  V19,
  V20,
  V21,
  V22,
  V23,
  V24,
  V25,
  V26,
  V27,
  V28,
  V29,
  V30,
  V31,
  V32,
  V33,
  V34,
  V35,
  V36,
  V37,
  V38,
  V39,
  count
};
constexpr std::size_t kCheckCount = static_cast<std::size_t>(CheckId::count);

[[nodiscard]] const char* to_name(CheckId id);
[[nodiscard]] bool from_name(const std::string& name, CheckId& out);

/// One place where host, device and oracle do not agree. -1 means "not about one".
struct Divergence {
  CheckId check = CheckId::V0;
  std::int64_t step = 0;
  std::int32_t rank = 0;
  std::string point;  ///< P0 to P4, or "-"
  std::int32_t slot = -1;
  std::int32_t request = -1;
  /// Path as in traces/fields.hpp, with the index of the sub-step ("substeps[1].qd"), or that of a
  /// keyframe's member.
  std::string field;
  bool has_host = false;  ///< a value that does not exist is printed "-"
  bool has_device = false;
  bool has_oracle = false;
  std::int64_t host = 0;
  std::int64_t device = 0;
  std::int64_t oracle = 0;
  std::int64_t belongs_to = 0;  ///< the step the host value belongs to
  std::string policy;

  bool operator==(const Divergence&) const = default;
};

/// "divergence check=V1 step=412 rank=0 point=P1 slot=- request=- field=token_num host=12 device=15
/// oracle=15 belongs_to=412 policy=predict-sum", on one line (architecture 6).
[[nodiscard]] std::string to_line(const Divergence& divergence);

/// How often a check ran, could not run for want of inputs, and failed (architecture 4.1
/// "Counting"). run and not_checkable count steps; diverged counts (step, slot, field).
struct CheckCount {
  std::uint64_t run = 0;
  std::uint64_t not_checkable = 0;
  std::uint64_t diverged = 0;

  bool operator==(const CheckCount&) const = default;
};

struct Verdict {
  std::int64_t steps = 0;  ///< loop iterations, `repeat` included
  std::int64_t records = 0;
  std::int64_t requests = 0;  ///< requests whose outcome was seen
  std::int64_t tokens = 0;    ///< tokens in their messages
  std::uint64_t counter_digest = 0;
  std::array<CheckCount, kCheckCount> checks{};
  std::array<bool, kCheckCount>
      excluded{};  ///< by the configuration: not listed, satisfies --require
  std::uint64_t divergence_count = 0;
  std::vector<Divergence> divergences;  ///< the first, or the first `divergences_max`

  bool operator==(const Verdict&) const = default;
};

struct VerifyOptions {
  int jobs = 1;                     ///< worker threads, >= 1; no effect on the verdict
  std::size_t divergences_max = 1;  ///< how many are kept
};

/// Verifies every readable block. The same verdict for every number of jobs. An Error only where a
/// block that open_trace listed cannot be decoded; then `partial` holds the verdict of those before
/// it.
[[nodiscard]] Result<Verdict> verify_trace(const TraceReader& trace, const VerifyOptions& options,
                                           Verdict* partial = nullptr);

/// A RecordSink that verifies what it is handed, on the calling thread. Equal to verify_trace() on
/// the trace of the same calls.
class LiveVerifier : public RecordSink {
 public:
  [[nodiscard]] virtual const Verdict& verdict() const = 0;
  /// The first divergence so far, or null; cheap enough to ask after every step.
  [[nodiscard]] virtual const Divergence* first_divergence() const = 0;
};
[[nodiscard]] std::unique_ptr<LiveVerifier> make_live_verifier(const VerifyOptions& options);

/// A check's sentence, its section in the semantics and the fields it reads.
struct CheckInfo {
  const char* sentence;
  const char* section;
  bool implemented;  ///< false: comes with a later version and is never counted
};
[[nodiscard]] const CheckInfo& check_info(CheckId id);

}  // namespace tandem::sim
