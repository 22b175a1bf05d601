// V7, V12, V16 and V22 where a value must be missing: records say nothing that nobody could mean.
#include <algorithm>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"
#include "traces/fields.hpp"
#include "traces/members.hpp"

namespace tandem::sim {
namespace {

void at_substep(StepContext& c, CheckId check, Field field, std::int64_t host,
                std::int64_t oracle) {
  if (host == oracle || !c.has(field)) return;
  c.out.add({check, "P3", -1, -1, field, "", just(host), nothing(), just(oracle)});
}

/// Left out or written as -1: the whole column is one or the other.
std::int32_t nobody(const Column& requests) {
  return requests.empty() || requests.front() != kNoRequest ? 0 : kNoRequest;
}

/// Finds what differs from 0 in a sub-step that did not run; a request may also be -1.
class ZeroVisitor {
 public:
  explicit ZeroVisitor(StepContext& c) : c_(c) {}

  void operator()(Field field, const Column& column) {
    const std::int32_t want = field == Field::sub_row_request ? nobody(column) : 0;
    const auto wrong =
        std::find_if(column.begin(), column.end(), [want](std::int32_t v) { return v != want; });
    if (wrong != column.end()) at_substep(c_, CheckId::V7, field, *wrong, 0);
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void operator()(Field field, T value) { at_substep(c_, CheckId::V7, field, value, 0); }

 private:
  StepContext& c_;
};

/// Members that a task of its kind does not have, by name of the member.
class TaskVisitor {
 public:
  TaskVisitor(StepContext& c, const Task& task) : c_(c), task_(task) {}

  template <class T>
  requires std::is_same_v<T, std::int32_t>
  void operator()(const char* name, const T& value) {
    if (value != 0 && !has_member(name)) report(name, value);
  }
  template <class T>
  requires(!std::is_same_v<T, std::int32_t>) void operator()(const char*, const T&) {}

  void report(const char* name, std::int64_t value) {
    c_.out.add({CheckId::V12, "P0", task_.slot, task_.request, Field::tasks, name, just(value),
                nothing(), just(0)});
  }

 private:
  [[nodiscard]] bool has_member(std::string_view name) const {
    const bool inserts = task_.kind == TaskKind::prefill || task_.kind == TaskKind::dnode;
    if (name == "slot" || name == "request" || name == "generation") return true;
    if (name == "end") {  // a D-node's: left out, or where its KV ends
      return task_.kind == TaskKind::prefill ||
             (task_.kind == TaskKind::dnode && task_.end == task_.start);
    }
    if (name == "drafts" || name == "draft_digest" || name == "last_digest") {
      return task_.kind == TaskKind::dnode;
    }
    return inserts;
  }

  StepContext& c_;
  const Task& task_;
};

/// A row is a workload that could be: what it says is judged by what becomes of the request.
bool is_sane(const StepContext& c, const RequestRow& row) {
  // A sequence longer than the output before it is legal and never matches (5.6).
  const bool sequence = row.stop_at > 0 ? row.stop_len >= 1 : row.stop_at == 0 && row.stop_len == 0;
  const bool list = c.config.acceptance.kind == AcceptKind::list;
  const bool commits = std::all_of(row.accept.begin(), row.accept.end(),
                                   [](std::int32_t tokens) { return tokens >= 1; });
  const bool arrived = c.config.arrivals != ArrivalUnit::step || row.arrival <= c.r.t;
  return row.id >= 0 && row.arrival >= 0 && arrived && row.prompt_len >= 1 &&
         row.max_dec_len >= 1 && row.eos_at >= 0 && sequence && row.min_tokens >= 0 &&
         row.cached_prompt >= 0 && row.cached_prompt <= row.prompt_len && row.abort_after >= -1 &&
         commits && (list || row.accept.empty());
}

}  // namespace

/// V12: a task holds what its kind has, and nothing else.
void v12_task_members(StepContext& c, const Task& task) {
  TaskVisitor visitor(c, task);
  visit_members(task, visitor);
  const bool ends = task.kind == TaskKind::preempt || task.kind == TaskKind::abort;
  if (ends && !task.blocks.empty()) {
    visitor.report(".blocks", static_cast<std::int64_t>(task.blocks.size()));
  }
  if (task.kind == TaskKind::dnode) {
    const auto is_digest = [](std::int32_t v) { return v >= 0 && v <= 0xFF; };
    if (!is_digest(task.draft_digest)) visitor.report(".draft_digest", task.draft_digest);
    if (!is_digest(task.last_digest)) visitor.report(".last_digest", task.last_digest);
  }
  if (task.admits ? !is_sane(c, task.row) : task.row != RequestRow{}) {
    visitor.report(".row", task.row.id);
  }
}

/// V22: a message of n slots says nothing about those behind.
void v22_beyond_view(StepContext& c) {
  for (const Message& message : c.r.messages) {
    const auto first = static_cast<std::size_t>(std::max(message.slots, 0));
    for (std::size_t i = first; i < message.seq_len.size(); ++i) {
      if (message.seq_len[i] == 0) continue;
      c.out.add({CheckId::V22, "-", static_cast<std::int32_t>(i), -1, Field::messages, ".seq_len",
                 just(message.seq_len[i]), nothing(), just(0), wrap_sub(c.r.t, message.step)});
    }
  }
}

/// V7: behind the main launch a step without postprocess has no sub-steps.
void v7_no_substeps(StepContext& c) {
  ZeroVisitor visitor(c);
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    c.out.begin_substep(static_cast<std::int32_t>(j));
    visit_substep_fields(c.r.substeps[j], visitor);
  }
  c.out.begin_substep(-1);
}

/// V7, "P4 is P1": left out as a whole, or repeated as a whole.
void v7_p4_is_whole(StepContext& c) {
  struct Pair {
    Field field;
    const Column& recorded;
    const Column& oracle;
  };
  const StepRecord& r = c.r;
  const OracleState& s = c.s;
  const Pair pairs[] = {
      {Field::p4_q, r.p4.q, s.dev.q},
      {Field::p4_e, r.p4.e, s.dev.e},
      {Field::p4_d, r.p4.d, s.dev.d},
      {Field::p4_s, r.p4.s, s.dev.s},
      {Field::p4_b, r.p4.b, s.dev.b},
      {Field::p4_g, r.p4.g, s.dev.g},
      {Field::p4_a, r.p4.a, s.dev.a},
      {Field::p4_draft_len, r.p4_draft.len, s.draft.len},
      {Field::p4_draft_hole, r.p4_draft.hole, s.draft.hole},
      {Field::p4_draft_digest, r.p4_draft.digest, s.draft.digest},
      {Field::p4_draft_first, r.p4_draft.first, s.draft.first},
      {Field::step_q, r.step_q, s.step_q},
      {Field::step_d, r.step_d, s.step_d},
      {Field::step_digest, r.step_digest, s.step_digest},
  };
  const auto is_repeated = [&c](const Pair& p) {
    return c.has(p.field) && p.recorded != c.tmp.zeros;
  };
  if (std::none_of(std::begin(pairs), std::end(pairs), is_repeated)) return;
  for (const Pair& pair : pairs) {
    // What is not all zero is compared with P1 by v7_nothing_after_launch().
    if (pair.recorded != c.tmp.zeros) continue;
    compare(c, CheckId::V7, pair.field, "P4", pair.recorded, pair.oracle);
  }
}

/// V16: a sub-step that was skipped knows the hidden rows that it would have found, unless the
/// loop had been left (R3 and R9 sync), and reads no rows then.
void v16_skipped_substeps(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V16) || !c.has(Field::draft_flag_in)) return;
  bool runs = false;
  for (std::size_t i = 0; i < c.below(); ++i) runs = runs || c.s.shadow.s[i] == 0;
  bool left = c.rules.sync[3] && !runs;
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    const DraftSubstep& sub = c.r.substeps[j];
    c.out.begin_substep(static_cast<std::int32_t>(j));
    const DraftSubstep* before = j > 0 ? &c.r.substeps[j - 1] : nullptr;
    left = left || (c.rules.sync[9] && before != nullptr && !runs);
    if (sub.launched) continue;
    // Nothing was launched, so nothing runs: a row count that the device tells is 0.
    std::int64_t hidden = 0;
    if (before == nullptr) {
      hidden = c.rules.sync[4] ? 0 : c.r.token_num;
    } else if (c.rules.path == DraftPath::gather) {
      hidden = c.s.n;
    } else if (!c.rules.sync[5]) {
      hidden = before->token_num;
    } else if (!before->launched) {
      hidden = before->hidden_rows;  // not read anew
    }
    at_substep(c, CheckId::V16, Field::sub_hidden_rows, sub.hidden_rows, left ? 0 : hidden);
    const bool reads = c.rules.sync[6] || c.rules.policy == PolicyKind::exact || c.r.draft_flag_in;
    for (const std::int32_t request : sub.row_request) {
      at_substep(c, CheckId::V16, Field::sub_row_request, request, nobody(sub.row_request));
    }
    at_substep(c, CheckId::V16, Field::sub_blocking, sub.blocking ? 1 : 0, reads && !left ? 1 : 0);
  }
  c.out.begin_substep(-1);
}

}  // namespace tandem::sim
