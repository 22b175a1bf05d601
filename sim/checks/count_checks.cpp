// V11, V31 and V39: counts that others use, poisoned rows, and pinned sources between enqueue and
// copy.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"
#include "traces/base/hash.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::sim {

void v11_poison(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V11)) return;
  std::int64_t rows = 0;
  if (c.r.kind == StepKind::back) {
    const std::int64_t hidden = std::int64_t{c.r.token_num} - sum_below(c.r.p1.q, c.s.n);
    const std::int64_t output = std::int64_t{c.s.n} * c.rules.width - c.r.output_rows;
    rows = std::max<std::int64_t>(hidden, 0) + std::max<std::int64_t>(output, 0);
  }
  const auto expect = [&c](Field field, std::int64_t device, std::int64_t oracle) {
    if (device == oracle) return;
    c.out.add({CheckId::V11, "P4", -1, -1, field, "", nothing(), just(device), just(oracle)});
  };
  expect(Field::poison_rows, c.r.poison_rows, rows);
  expect(Field::poison_damaged, c.r.poison_damaged, 0);
}

namespace {

void compare_use(StepContext& c, const CountUse& used, const CountUse& want) {
  const auto member = [&](const char* name, std::int64_t host, std::int64_t oracle) {
    if (host == oracle) return;
    c.out.add({CheckId::V31, "-", -1, -1, Field::count_uses, name, just(host), nothing(),
               just(oracle), wrap_sub(c.r.t, used.step)});
  };
  member(".user", static_cast<int>(used.user), static_cast<int>(want.user));
  member(".step", used.step, want.step);
  member(".count", used.count, want.count);
}

}  // namespace

/// Each message that carries tokens is masked by its own step's count, each back step is routed by
/// its own T. The mask follows the send: behind the back segment with R2 sync, else in front of it.
void v31_count_uses(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V31)) return;
  std::size_t used = 0;
  const auto next = [&c, &used](const CountUse& want) {
    if (used < c.r.count_uses.size()) compare_use(c, c.r.count_uses[used], want);
    ++used;
  };
  const auto route = [&c, &next] {
    if (c.r.kind != StepKind::back) return;
    next({CountUser::routing_replay, c.r.t, sum_below(c.r.p1.q, c.s.n)});
  };
  if (c.rules.sync[2]) route();
  for (const Message& message : c.r.messages) {
    if (message.control) continue;
    std::int64_t tokens = 0;
    for (const std::int32_t count : message.count) tokens += std::max(count, 0);
    next({CountUser::sampling_mask, message.step, tokens});
  }
  if (!c.rules.sync[2]) route();
  if (used == c.r.count_uses.size()) return;
  c.out.add({CheckId::V31, "-", -1, -1, Field::count_uses, "",
             just(static_cast<std::int64_t>(c.r.count_uses.size())), nothing(),
             just(static_cast<std::int64_t>(used))});
}

namespace {

/// The digest of staged task arrays, as traces/FORMAT.md, "Digests", defines it.
class StagedTasks {
 public:
  void add(const Task& task) {
    for (const std::int64_t word :
         {static_cast<std::int64_t>(task.kind), std::int64_t{task.slot}, std::int64_t{task.request},
          std::int64_t{task.generation}, std::int64_t{task.start}, std::int64_t{task.end},
          std::int64_t{task.text_len}, std::int64_t{task.generated}, std::int64_t{task.drafts},
          std::int64_t{task.admits ? 1 : 0}}) {
      add(word);
    }
    if (task.admits) add(task.row);
    add(task.blocks);
  }
  [[nodiscard]] std::int32_t digest() const { return static_cast<std::int32_t>(h_ & 0xFFFFU); }

 private:
  std::uint64_t h_ = 0;

  void add(std::int64_t word) { h_ = mix64(h_ + kGolden64 + static_cast<std::uint64_t>(word)); }
  void add(const std::vector<std::int32_t>& list) {
    add(static_cast<std::int64_t>(list.size()));
    for (const std::int32_t entry : list) add(std::int64_t{entry});
  }
  void add(const RequestRow& row) {
    for (const std::int64_t word :
         {std::int64_t{row.id}, row.arrival, std::int64_t{row.prompt_len},
          std::int64_t{row.max_dec_len}, std::int64_t{row.eos_at}, std::int64_t{row.stop_at},
          std::int64_t{row.stop_len}, std::int64_t{row.min_tokens}, std::int64_t{row.cached_prompt},
          std::int64_t{row.abort_after}}) {
      add(word);
    }
    add(row.accept);
  }
};

}  // namespace

/// What was staged is what the record says was inserted, rows of requests included; it is not
/// touched between enqueue and copy.
void v39_pinned_copies(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V39)) return;
  constexpr auto kTaskArrays = static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu);
  const auto add = [&c](const char* member, std::int64_t host, Value device, Value oracle) {
    c.out.add(
        {CheckId::V39, "P0", -1, -1, Field::pinned_copies, member, just(host), device, oracle});
  };
  for (const PinnedCopy& copy : c.r.pinned_copies) {
    if (copy.buffer != kTaskArrays) add(".buffer", copy.buffer, nothing(), just(kTaskArrays));
    const bool in_range = copy.at_enqueue >= 0 && copy.at_enqueue <= 0xFFFF;
    if (copy.at_enqueue == copy.at_copy && in_range) continue;
    add(".at_copy", copy.at_enqueue, just(copy.at_copy), nothing());
  }
  const std::size_t due = c.r.tasks.empty() ? 0 : 1;
  if (c.r.pinned_copies.size() == due) {
    if (due == 0) return;
    StagedTasks staged;
    for (const Task& task : c.r.tasks) staged.add(task);
    const std::int32_t host = c.r.pinned_copies[0].at_enqueue;
    if (host != staged.digest()) add(".at_enqueue", host, nothing(), just(staged.digest()));
    return;
  }
  add("", static_cast<std::int64_t>(c.r.pinned_copies.size()), nothing(),
      just(static_cast<std::int64_t>(due)));
}

}  // namespace tandem::sim
