// The lists of a step, both directions: tasks, outcomes, messages, spans, and what columns imply.
//
// traces/FORMAT.md, "Lists". A list coder offers value(x, predicted), array(v), difference(v, base)
// and the parts of a task; the writer leaves its arguments as they are.
#pragma once

#include <algorithm>
#include <cstdint>

#include "traces/detail/chunk_ids.hpp"
#include "traces/detail/members.hpp"
#include "traces/detail/step_state.hpp"

namespace tandem::detail {

/// Members of a task that are stored only where they differ from what the state says; bit numbers.
enum class TaskBit : unsigned {
  blocks,
  request,
  generation,
  start,
  end,
  text_len,
  generated,
  drafts,
  draft_digest,
  last_digest,
  admits,
  row
};

/// A run of blocks is cut here, so that a length in a file cannot allocate without limit.
constexpr std::uint64_t kRunMax = 1U << 16U;

struct KnownSlot {
  std::int32_t request = kNoRequest;
  std::int32_t generation = 0;
};

inline KnownSlot known_slot(const StepState& s, std::int32_t slot) {
  const auto i = static_cast<std::size_t>(slot);
  if (slot < 0 || i >= s.request.size()) return {};
  return {s.request[i], s.generation[i]};
}

/// Kind in bits 0 to 2, then one bit a member.
inline std::uint64_t task_key(const Task& task, const KnownSlot& known) {
  std::uint64_t bits = 0;
  const auto set = [&bits](TaskBit bit, bool on) {
    bits |= static_cast<std::uint64_t>(on) << static_cast<unsigned>(bit);
  };
  set(TaskBit::blocks, !task.blocks.empty());
  set(TaskBit::request, task.request != known.request);
  set(TaskBit::generation, task.generation != known.generation);
  set(TaskBit::start, task.start != 0);
  set(TaskBit::end, task.end != 0);
  set(TaskBit::text_len, task.text_len != task.end);
  set(TaskBit::generated, task.generated != 0);
  set(TaskBit::drafts, task.drafts != 0);
  set(TaskBit::draft_digest, task.draft_digest != 0);
  set(TaskBit::last_digest, task.last_digest != 0);
  set(TaskBit::admits, task.admits);
  set(TaskBit::row, task.row != RequestRow{});
  return bits << 3U | static_cast<std::uint64_t>(task.kind);
}

template <class Lists, class Row>
void code_row(Lists& l, Row& row, std::int32_t request, std::int32_t text_len, StepState& s) {
  l.value(row.id, request);
  l.value(row.arrival, s.last_arrival);
  l.value(row.prompt_len, text_len);
  l.value(row.max_dec_len, s.last_max_dec_len);
  l.value(row.eos_at, 0);
  l.array(row.accept);
  l.value(row.stop_at, 0);
  l.value(row.stop_len, 0);
  l.value(row.min_tokens, 0);
  l.value(row.cached_prompt, 0);
  l.value(row.abort_after, -1);
  s.last_arrival = row.arrival;
  s.last_max_dec_len = row.max_dec_len;
}

template <class Lists, class TaskRef>
void code_task(Lists& l, TaskRef& task, StepState& s) {
  l.value(task.slot, 0);
  const KnownSlot known = known_slot(s, task.slot);
  const std::uint64_t key = l.task_key(task, known);
  const auto has = [key](TaskBit bit) {
    return (key >> (3U + static_cast<unsigned>(bit)) & 1U) != 0;
  };
  l.maybe(has(TaskBit::request), task.request, known.request, wrap_add(s.last_request, 1));
  l.maybe(has(TaskBit::generation), task.generation, known.generation, known.generation);
  l.maybe(has(TaskBit::start), task.start, 0, 0);
  l.maybe(has(TaskBit::end), task.end, 0, 0);
  l.maybe(has(TaskBit::text_len), task.text_len, task.end, task.end);
  l.maybe(has(TaskBit::generated), task.generated, 0, 0);
  l.maybe(has(TaskBit::drafts), task.drafts, 0, 0);
  l.maybe(has(TaskBit::draft_digest), task.draft_digest, 0, 0);
  l.maybe(has(TaskBit::last_digest), task.last_digest, 0, 0);
  l.known(task.admits, has(TaskBit::admits));
  if (has(TaskBit::row)) {
    code_row(l, task.row, task.request, task.text_len, s);
  } else {
    l.forget(task.row);
  }
  if (has(TaskBit::admits)) s.last_request = task.request;
  l.runs(has(TaskBit::blocks), task.blocks, s.last_block);
}

template <class Coder, class Record>
void code_tasks(Coder& c, Record& r, StepState& s) {
  c.count(Chunk::tasks, r.tasks, 0);
  for (auto& task : r.tasks) code_task(c.lists(), task, s);
}

template <class Coder, class Record>
void code_small_lists(Coder& c, Record& r) {
  c.count(Chunk::outcomes, r.outcomes, 0);
  for (auto& outcome : r.outcomes) visit_members(outcome, c.lists());
  c.count(Chunk::frees, r.frees, 0);
  for (auto& free : r.frees) visit_members(free, c.lists());
  c.count(Chunk::deviations, r.deviations, 0);
  for (auto& deviation : r.deviations) visit_members(deviation, c.lists());
  c.count(Chunk::pinned_copies, r.pinned_copies, r.tasks.empty() ? 0 : 1);
  for (auto& copy : r.pinned_copies) {
    c.lists().value(copy.buffer, static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu));
    c.lists().value(copy.at_enqueue, 0);
    c.lists().value(copy.at_copy, copy.at_enqueue);
  }
}

// -- messages -------------------------------------------------------------------------------------

/// What save_output will say of this record (semantics 5.14), B entries a column.
template <class Record>
void expect_message(Record& r, StepState& s) {
  const std::size_t slots = s.request.size();
  const std::size_t n = r.n <= 0 ? 0 : std::min(static_cast<std::size_t>(r.n), slots);
  Message& m = s.pending;
  s.has_pending = true;
  m.control = false;
  m.step = r.t;
  m.slots = r.n;
  for (Column* column : {&m.count, &m.digest, &m.seq_len, &m.request, &m.generation}) {
    column->resize(slots);
  }
  const std::int32_t* d = r.p2.d.data();
  const std::int32_t* p = r.p1_p.data();
  const std::int32_t* a = r.p2.a.data();
  const std::int32_t* accepted = r.accept_digest.data();
  const std::int32_t* owner = s.request.data();
  const std::int32_t* owner_generation = s.generation.data();
  std::int32_t* __restrict count = m.count.data();
  std::int32_t* __restrict digest = m.digest.data();
  std::int32_t* __restrict length = m.seq_len.data();
  std::int32_t* __restrict request = m.request.data();
  std::int32_t* __restrict generation = m.generation.data();
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t sent = pick((i < n) & (d[i] >= p[i]), a[i], 0);
    count[i] = sent;
    digest[i] = pick(sent > 0, accepted[i], 0);
    length[i] = pick(i < n, d[i], 0);
    request[i] = pick(sent != 0, owner[i], kNoRequest);
    generation[i] = pick(sent != 0, owner_generation[i], 0);
  }
}

template <class Lists, class Message>
void code_message(Lists& l, Message& m, const tandem::Message& expected, std::int64_t step) {
  l.value(m.control, 0);
  l.value(m.step, step);
  l.value(m.slots, expected.slots);
  l.difference(m.count, expected.count);
  l.difference(m.digest, expected.digest);
  l.difference(m.seq_len, expected.seq_len);
  l.difference(m.request, expected.request);
  l.difference(m.generation, expected.generation);
}

template <class Coder, class Record>
void code_messages(Coder& c, Record& r, StepState& s, const StepShape& shape) {
  const bool back = r.kind == StepKind::back;
  const bool at_once = shape.lag == 0;
  if (back && at_once) expect_message(r, s);
  if (!c.expected_messages(r.messages, s)) {
    const std::int64_t step = wrap_sub(r.t, static_cast<std::int64_t>(shape.lag));
    for (auto& message : r.messages) code_message(c.lists(), message, s.pending, step);
  }
  s.has_pending = false;
  if (back && !at_once) expect_message(r, s);
}

/// What count_uses nearly always holds: the mask of what was sent, the routing of what ran.
template <class Record>
void build_count_uses(std::vector<CountUse>& out, const Record& r, std::int64_t rows,
                      bool at_once) {
  out.clear();
  const auto routing = [&] {
    if (r.kind == StepKind::back) out.push_back({CountUser::routing_replay, r.t, rows});
  };
  if (at_once) routing();
  for (const auto& message : r.messages) {
    if (message.control) continue;
    std::int64_t tokens = 0;
    for (const std::int32_t count : message.count) tokens += count > 0 ? count : 0;
    out.push_back({CountUser::sampling_mask, message.step, tokens});
  }
  if (!at_once) routing();
}

// -- time -----------------------------------------------------------------------------------------

template <class Coder, class Record>
void code_spans(Coder& c, Record& r, StepState& s) {
  c.count(Chunk::spans, r.spans, s.span_count);
  Span before;
  before.start_ns = r.start_ns;
  before.op = -1;
  for (auto& span : r.spans) {
    auto& l = c.lists();
    l.value(span.lane, before.lane);
    l.value(span.segment, before.segment);
    l.value(span.op, wrap_add(before.op, 1));
    l.value(span.start_ns, before.start_ns);
    l.value(span.end_ns, span.start_ns);
    before = span;
  }
  s.span_count = r.spans.size();
  s.end_ns = r.end_ns;
  s.duration_ns = wrap_sub(r.end_ns, r.start_ns);
}

// -- lists that columns imply ---------------------------------------------------------------------

/// 0, f(0), f(0) + f(1), ..: n + 1 entries, or none where nothing was launched.
template <class Each>
void build_prefix(std::vector<std::int32_t>& out, bool launched, std::size_t n, Each each) {
  out.resize(launched ? n + 1 : 0);
  if (!launched) return;
  out[0] = 0;
  for (std::size_t i = 0; i < n; ++i) out[i + 1] = wrap_add(out[i], each(i));
}

/// A run of each(i) rows for every slot that has any, then `padding` rows of no slot.
template <class Each>
void build_runs(std::vector<RowRun>& out, std::size_t n, Each each, std::int32_t padding) {
  out.resize(n + 1);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t rows = each(i);
    out[count].slot = static_cast<std::int32_t>(i);
    out[count].rows = rows;
    count += rows > 0 ? 1 : 0;
  }
  if (padding > 0) {
    out[count].slot = -1;
    out[count].rows = padding;
    ++count;
  }
  out.resize(count);
}

}  // namespace tandem::detail
