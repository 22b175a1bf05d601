// The request table of a trace: who arrived, how each request went, what its steps committed.
//
// Rows stand in the tasks that admit, in keyframes and in the tail (architecture 4.1); how a
// request went is gathered from the records. Committed tokens count as the device holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "traces/fields.hpp"
#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

struct RecordedRequest {
  RequestRow row;                  ///< as recorded
  std::int32_t dnode_drafts = -1;  ///< L where a P node delivered it, else -1
  bool admitted = false;           ///< false: it waited to the end
  bool at_start = false;           ///< it was under way when the trace starts
  std::int32_t known_first = 0;  ///< tokens it had committed before the trace, 0: it is seen whole
  std::int32_t committed = 0;    ///< tokens at the end of the trace, those included
  /// Tokens of each later step, the target's own included: an accept list (architecture 4.1). The
  /// first token of the text is no entry; the token of a recovery's prefill is one of 1.
  std::vector<std::uint8_t> commits;
  bool ended = false;      ///< its own tokens ended it: the last one was EOS
  RequestOutcome outcome;  ///< `open` where the trace does not tell

  [[nodiscard]] bool aborted() const { return outcome.reason == StopReason::abort; }
};

using RequestTable = std::map<RequestId, RecordedRequest>;

/// Which fields of a record tell how many tokens a step committed: p2.a, or a counter before and
/// after it.
[[nodiscard]] bool tells_commits(const FieldSet& present);

/// True where the header says how many drafts are accepted, so that counts need not be recorded:
/// probabilities, or lists in the rows.
[[nodiscard]] bool states_acceptance(const RunConfig& config);

/// The row of a request whose header states no acceptance, as a scripted model must be given it to
/// do what was recorded: the commits become its accept list, behind one entry for what lies before
/// the trace, and the recorded end becomes eos_at where the row tells none.
[[nodiscard]] RequestRow observed_row(const RecordedRequest& request);

/// Gathers the table from records in order.
class RequestTableBuilder {
 public:
  /// `with_commits`: whether commits are kept, a byte a slot-step.
  RequestTableBuilder(const TraceHeader& header, bool with_commits);

  /// The state in front of the first record; its columns have B entries.
  void start(const Keyframe& keyframe);
  /// Tasks name slots below B.
  void take(const StepRecord& record);
  /// Rows of requests that were never admitted.
  void wait(const std::vector<RequestRow>& rows);

  [[nodiscard]] RequestTable finish() { return std::move(table_); }

 private:
  struct Occupant {
    RequestId request = kNoRequest;
    std::int32_t text_len = 0;
    std::int32_t chunk_end = 0;  ///< end of the last inserted chunk
    std::int32_t g = 0;          ///< committed, of all generations
    std::int32_t d = 0;          ///< tokens in the cache
    bool prefills = false;       ///< this step computes a chunk of it
  };

  void apply(const Task& task);
  void commit(Occupant& slot, const StepRecord& record, std::size_t i);
  [[nodiscard]] std::int32_t committed(const Occupant& slot, const StepRecord& record,
                                       std::size_t i) const;
  [[nodiscard]] bool has(Field field) const {
    return present_.test(static_cast<std::size_t>(field));
  }

  FieldSet present_;
  bool with_commits_;
  std::vector<Occupant> slots_;
  RequestTable table_;
};

}  // namespace tandem
