// Gathers requests, their ends and their commits from records.
#include "traces/request_table.hpp"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

constexpr std::int32_t kCommitsMax = 255;

/// Columns of a foreign record may be short.
std::int32_t at(const Column& column, std::size_t i) { return i < column.size() ? column[i] : 0; }

/// Tokens that commits count from.
std::int32_t first_sum(const RecordedRequest& request) { return std::max(request.known_first, 1); }

/// A request that comes back goes on from `generated` tokens, whatever it had committed.
void rewind(RecordedRequest& request, std::int32_t generated) {
  std::int64_t sum = first_sum(request);
  for (const std::uint8_t count : request.commits) sum += count;
  while (!request.commits.empty() && sum > generated) {
    sum -= request.commits.back();
    request.commits.pop_back();
  }
  while (sum < generated) {
    const auto step = std::min<std::int64_t>(generated - sum, kCommitsMax);
    request.commits.push_back(static_cast<std::uint8_t>(step));
    sum += step;
  }
  request.committed = generated;
}

}  // namespace

bool tells_commits(const FieldSet& present) {
  for (const Field field : {Field::p2_a, Field::p2_g, Field::p4_g, Field::p2_d}) {
    if (present.test(static_cast<std::size_t>(field))) return true;
  }
  return false;
}

bool states_acceptance(const RunConfig& config) {
  return config.acceptance.kind == AcceptKind::list || !config.acceptance.millionths.empty();
}

RequestRow observed_row(const RecordedRequest& request) {
  RequestRow row = request.row;
  row.accept.clear();
  if (request.known_first > 1) row.accept.push_back(request.known_first - 1);
  row.accept.insert(row.accept.end(), request.commits.begin(), request.commits.end());
  const bool end_is_told = row.eos_at > 0 || row.stop_at > 0;
  const StopReason reason = request.outcome.reason;
  const bool closed = reason == StopReason::eos || reason == StopReason::stop;
  const std::int32_t length = closed ? request.outcome.output_len : request.committed;
  const bool ends = closed || (request.ended && reason != StopReason::length);
  if (!end_is_told && ends && length >= 1 && length < row.max_dec_len) row.eos_at = length;
  return row;
}

RequestTableBuilder::RequestTableBuilder(const TraceHeader& header, bool with_commits)
    : present_(present_fields(header)),
      with_commits_(with_commits),
      slots_(static_cast<std::size_t>(header.config.max_num_seqs)) {}

void RequestTableBuilder::start(const Keyframe& k) {
  std::size_t row = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (at(k.request, i) == kNoRequest || row == k.rows.size()) continue;
    const bool runs = at(k.slots.s, i) == 0 || at(k.slots.b, i) != 0;
    const bool ended = !runs && at(k.slots.d, i) > 0;
    Occupant& slot = slots_[i];
    slot.request = k.request[i];
    slot.text_len = at(k.p, i);
    slot.g = runs || ended ? at(k.slots.g, i) : at(k.known_g, i);
    slot.d = at(k.slots.b, i) != 0 ? at(k.step_d, i) : at(k.slots.d, i);
    slot.chunk_end = runs || ended ? slot.text_len : at(k.known_d, i);
    RecordedRequest& request = table_[slot.request];
    request.row = k.rows[row++];
    request.admitted = request.at_start = true;
    request.known_first = request.committed = slot.g;
    request.ended = ended;
  }
}

void RequestTableBuilder::wait(const std::vector<RequestRow>& rows) {
  for (const RequestRow& row : rows) table_.try_emplace(row.id).first->second.row = row;
}

void RequestTableBuilder::apply(const Task& task) {
  if (task.slot < 0 || static_cast<std::size_t>(task.slot) >= slots_.size()) return;
  Occupant& slot = slots_[static_cast<std::size_t>(task.slot)];
  if (task.admits) {
    slot = Occupant{};
    slot.request = task.request;
    slot.g = task.generated;
    RecordedRequest& request = table_[task.request];
    if (request.admitted) {
      if (request.committed != task.generated) rewind(request, task.generated);
      request.ended = false;
    } else {
      request.row = task.row;
      request.admitted = true;
      const bool dnode = task.kind == TaskKind::dnode;
      request.dnode_drafts = dnode ? task.drafts : -1;
      request.committed = task.generated;
      // A recovery whose first generation lies before the trace; a D node's token 0 came with it.
      request.known_first = dnode ? 0 : task.generated;
      request.at_start = request.known_first > 0;
    }
  }
  if (task.kind == TaskKind::prefill || task.kind == TaskKind::dnode) {
    slot.text_len = task.text_len;
    slot.chunk_end = task.end;
    slot.d = task.start;
    slot.prefills = task.kind == TaskKind::prefill;
  }
}

std::int32_t RequestTableBuilder::committed(const Occupant& slot, const StepRecord& r,
                                            std::size_t i) const {
  if (has(Field::p2_a)) return at(r.p2.a, i);
  if (has(Field::p2_g)) return at(r.p2.g, i) - slot.g;
  if (has(Field::p4_g)) return at(r.p4.g, i) - slot.g;
  const std::int32_t d = at(r.p2.d, i);
  if (slot.prefills) return d > slot.d ? 1 : 0;
  return d - slot.d;
}

void RequestTableBuilder::commit(Occupant& slot, const StepRecord& r, std::size_t i) {
  const bool finished = slot.chunk_end >= slot.text_len;
  const std::int32_t count = finished ? std::min(committed(slot, r, i), kCommitsMax) : 0;
  if (count > 0) {
    RecordedRequest& request = table_[slot.request];
    const bool first_token = slot.prefills && slot.g == 0;
    slot.d = slot.prefills ? slot.text_len : slot.d + count;
    slot.g += count;
    request.committed = slot.g;
    if (with_commits_ && !first_token) request.commits.push_back(static_cast<std::uint8_t>(count));
    const bool stopped = has(Field::accept_marks) ? (at(r.accept_marks, i) & kMarkLastIsEos) != 0
                         : has(Field::p2_s)       ? at(r.p2.s, i) != 0
                                                  : at(r.p4.s, i) != 0 && at(r.p4.d, i) > 0;
    request.ended = request.ended || stopped;
  }
  slot.prefills = false;
}

void RequestTableBuilder::take(const StepRecord& r) {
  for (const Task& task : r.tasks) apply(task);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].request != kNoRequest) commit(slots_[i], r, i);
  }
  for (const RequestOutcome& outcome : r.outcomes) {
    const auto found = table_.find(outcome.id);
    if (found != table_.end()) found->second.outcome = outcome;
  }
  for (const SlotFree& free : r.frees) {
    if (free.slot < 0 || static_cast<std::size_t>(free.slot) >= slots_.size()) continue;
    slots_[static_cast<std::size_t>(free.slot)] = Occupant{};
  }
}

}  // namespace tandem
