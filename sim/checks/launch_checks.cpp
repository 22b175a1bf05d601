// V1 to V8: what the host launched and believed, against the device and against the declared
// policy.
#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

/// Where the configuration caches no pair, V3 and V4 are excluded; their fields still have one
/// legal value each, and V1 says so. Flags are set by tasks: without them V3 keeps silent, as it
/// must.
CheckId flag_check(const StepContext& c) {
  return c.rules.predicts || !c.has(Field::tasks) ? CheckId::V3 : CheckId::V1;
}
CheckId pair_check(const StepContext& c) { return c.rules.predicts ? CheckId::V4 : CheckId::V1; }

bool is_predicted(const StepContext& c) { return c.r.mode == LaunchMode::predicted; }

void expect_pair(StepContext& c, CheckId check, Field field, const CachedPair& host,
                 const CachedPair& oracle) {
  expect_host(c, check, field, host.token_num, oracle.token_num, ".token_num");
  expect_host(c, check, field, host.real_bsz, oracle.real_bsz, ".real_bsz");
}

}  // namespace

void v1_launch_covers_rows(StepContext& c) {
  const StepRecord& r = c.r;
  const std::int64_t device = sum_below(r.p1.q, c.s.n);
  const std::int64_t oracle = sum_below(c.s.dev.q, c.s.n);
  const std::int64_t rows = r.token_num;
  const auto add = [&c](Field field, std::int64_t host, std::int64_t on_device, std::int64_t want) {
    c.out.add({CheckId::V1, "P1", -1, -1, field, "", just(host), just(on_device), just(want)});
  };
  if (is_predicted(c) ? rows < device : rows != device) add(Field::token_num, rows, device, oracle);
  const std::int32_t running = count_positive(r.p1.q, c.s.n);
  const std::int32_t oracle_running = count_positive(c.s.dev.q, c.s.n);
  if (!is_predicted(c) && r.launch_bsz != running) {
    add(Field::launch_bsz, r.launch_bsz, running, oracle_running);
  }
  if (r.real_bsz != running) add(Field::real_bsz, r.real_bsz, running, oracle_running);
  const bool too_small = rows < device;
  if (r.guard_tripped != too_small) {
    c.out.add({CheckId::V1, "P1", -1, -1, Field::guard_tripped, "", nothing(),
               just(r.guard_tripped ? 1 : 0), just(too_small ? 1 : 0)});
  }
}

/// V2, first half: the pair in force.
void v2_predicted_pair(StepContext& c) {
  if (!c.rules.predicts || !is_predicted(c)) return;
  expect_host(c, CheckId::V2, Field::token_num, c.r.token_num, c.s.policy_pair.token_num);
  expect_host(c, CheckId::V2, Field::launch_bsz, c.r.launch_bsz, c.s.policy_pair.real_bsz);
  if (c.r.launch_bsz < c.r.real_bsz) {
    c.out.add({CheckId::V2, "-", -1, -1, Field::launch_bsz, "", just(c.r.launch_bsz),
               just(c.r.real_bsz), just(c.s.policy_pair.real_bsz)});
  }
}

void v2b_surplus_is_explained(StepContext& c) {
  if (!is_predicted(c)) return;
  std::int64_t held = 0;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t rows = c.s.counted[i];
    held += rows;
    const bool gone = rows > 0 && c.r.p1.q[i] == 0;
    if (!gone || c.s.finished[i] != 0 || c.s.removed[i] != 0 || c.r.p1.b[i] != 0) continue;
    c.out.add({CheckId::V2b, "P1", static_cast<std::int32_t>(i), c.s.request[i], Field::token_num,
               "", c.s.counted_known ? just(rows) : nothing(), just(0), nothing()});
  }
  if (!c.s.counted_known || held == c.r.token_num) return;
  c.out.add({CheckId::V2b, "P1", -1, -1, Field::token_num, "", just(c.r.token_num),
             just(sum_below(c.r.p1.q, c.s.n)), just(held)});
}

void v3_flags_in(StepContext& c) {
  expect_host(c, flag_check(c), Field::flag_in, c.r.flag_in ? 1 : 0, c.s.flag ? 1 : 0);
  expect_host(c, flag_check(c), Field::draft_flag_in, c.r.draft_flag_in ? 1 : 0,
              c.s.draft_flag ? 1 : 0);
  if (c.has(Field::flag_in)) c.s.flag = c.r.flag_in;
  if (c.has(Field::draft_flag_in)) c.s.draft_flag = c.r.draft_flag_in;
}

void v3_mode(StepContext& c) {
  const bool usable = c.s.cached.token_num > 0 && c.s.cached.real_bsz > 0;
  const bool predicted = c.rules.predicts && !c.s.flag && usable;
  expect_host(c, flag_check(c), Field::mode, is_predicted(c) ? 1 : 0, predicted ? 1 : 0);
}

/// Both flags are cleared by a completed postprocess and propose alone.
void v3_flags_out(StepContext& c) {
  const bool done = c.r.kind == StepKind::back;
  c.s.flag = c.s.flag && !done;
  c.s.draft_flag = c.s.draft_flag && !done;
  expect_host(c, flag_check(c), Field::flag_out, c.r.flag_out ? 1 : 0, c.s.flag ? 1 : 0);
  expect_host(c, flag_check(c), Field::draft_flag_out, c.r.draft_flag_out ? 1 : 0,
              c.s.draft_flag ? 1 : 0);
  if (c.has(Field::flag_out)) c.s.flag = c.r.flag_out;
  if (c.has(Field::draft_flag_out)) c.s.draft_flag = c.r.draft_flag_out;
}

void v4_cached_in(StepContext& c) {
  expect_pair(c, pair_check(c), Field::cached_in, c.r.cached_in, c.s.cached);
  if (c.has(Field::cached_in)) c.s.cached = c.r.cached_in;
}

/// V4 where one side says "unusable", V2 where both hold a pair and the policy's is another.
void v2_v4_cached_out(StepContext& c) {
  const CachedPair want = predict(c.s, c.rules, c.s.flag, c.r.q_cpu, c.r.b_cpu);
  const CachedPair none;
  const bool both = c.r.cached_out != none && want != none;
  expect_pair(c, both ? CheckId::V2 : pair_check(c), Field::cached_out, c.r.cached_out, want);
  c.s.policy_pair = want;
  c.s.cached = c.has(Field::cached_out) ? c.r.cached_out : want;
}

void v5_launch_fits(StepContext& c) {
  const std::int64_t predicted_max = std::int64_t{c.rules.slots} * c.rules.width;
  const bool fits = c.r.token_num >= 0 && c.r.token_num <= c.rules.rows_max &&
                    (!is_predicted(c) || c.r.token_num <= predicted_max);
  if (fits) return;
  c.out.add({CheckId::V5, "-", -1, -1, Field::token_num, "", just(c.r.token_num), nothing(),
             just(is_predicted(c) ? predicted_max : c.rules.rows_max)});
}

void v6_host_copies(StepContext& c) {
  const auto column = [&c](Field field, const Column& host, const Column& device,
                           const Column& oracle, std::int64_t stamp) {
    if (host == device) return;
    for (std::size_t i = 0; i < device.size(); ++i) {
      if (host[i] == device[i]) continue;
      c.out.add({CheckId::V6, "P1", static_cast<std::int32_t>(i), c.s.request[i], field, "",
                 just(host[i]), just(device[i]), just(oracle[i]), wrap_sub(c.r.t, stamp)});
    }
  };
  column(Field::q_cpu, c.r.q_cpu, c.r.p1.q, c.s.dev.q, c.r.q_cpu_step);
  column(Field::b_cpu, c.r.b_cpu, c.r.p1.b, c.s.dev.b, c.r.b_cpu_step);
  const auto stamp = [&c](Field field, std::int64_t belongs_to) {
    const std::int64_t last =
        wrap_add(c.r.t, wrap_sub(c.r.repeat, std::int64_t{1}));  // a folded run may show its end
    if (belongs_to == c.r.t || belongs_to == last) return;
    // Without the length of a quiet run its end may lie anywhere behind.
    if (!c.has(Field::repeat) && c.r.kind == StepKind::idle && belongs_to > c.r.t) return;
    c.out.add({CheckId::V6, "P1", -1, -1, field, "", just(belongs_to), nothing(), just(c.r.t),
               wrap_sub(c.r.t, belongs_to)});
  };
  stamp(Field::q_cpu_step, c.r.q_cpu_step);
  stamp(Field::b_cpu_step, c.r.b_cpu_step);
}

void v7_kind(StepContext& c) {
  StepKind want = StepKind::empty;
  if (c.r.real_bsz > 0) want = StepKind::back;
  if (c.r.token_num == 0) want = StepKind::idle;
  expect_host(c, CheckId::V7, Field::kind, static_cast<int>(c.r.kind), static_cast<int>(want));
}

void v8_ghost_steps(StepContext& c) {
  const bool ghost = c.r.kind == StepKind::empty;
  if (ghost && c.s.ghost) {
    bool parked = false;
    for (std::size_t i = 0; i < c.slots(); ++i) {
      parked = parked || c.r.b_cpu[i] != 0 || c.s.b_cpu[i] != 0;
    }
    if (!parked) {
      c.out.add({CheckId::V8, "-", -1, -1, Field::kind, "", just(static_cast<int>(c.r.kind)),
                 nothing(), nothing()});
    }
  }
  c.s.ghost = ghost;
}

}  // namespace tandem::sim
