// V11, V31 and V39: counts that others use, poisoned rows, and pinned sources between enqueue and
// copy.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"
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
  if (c.r.pinned_copies.size() == due) return;
  add("", static_cast<std::int64_t>(c.r.pinned_copies.size()), nothing(),
      just(static_cast<std::int64_t>(due)));
}

}  // namespace tandem::sim
