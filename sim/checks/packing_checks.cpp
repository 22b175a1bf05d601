// V9, V10 and V34: the packed token axis of the target forward.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

/// Exclusive prefix sum of the first n entries, n + 1 values.
void prefix_sum(const Column& lengths, std::size_t n, std::vector<std::int32_t>& out) {
  out.resize(n + 1);
  out[0] = 0;
  for (std::size_t i = 0; i < n; ++i) out[i + 1] = wrap_add(out[i], lengths[i]);
}

/// One run a slot that has rows, cut where `room` ends, then the padding.
void runs_of(const Column& lengths, std::size_t n, std::int64_t room, std::vector<RowRun>& out) {
  out.clear();
  for (std::size_t i = 0; i < n && room > 0; ++i) {
    if (lengths[i] <= 0) continue;
    const std::int64_t rows = std::min<std::int64_t>(lengths[i], room);
    out.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(rows)});
    room -= rows;
  }
  if (room > 0) out.push_back({-1, static_cast<std::int32_t>(room)});
}

void check_prefix(StepContext& c, CheckId check, Field field,
                  const std::vector<std::int32_t>& device, const std::vector<std::int32_t>& want) {
  if (device == want) return;
  const auto add = [&](std::size_t entry, std::int64_t got, std::int64_t oracle) {
    const bool is_slot = entry > 0 && entry <= c.below();
    c.out.add({check, "P1", is_slot ? static_cast<std::int32_t>(entry) - 1 : -1,
               is_slot ? c.s.request[entry - 1] : -1, field, "", nothing(), just(got),
               just(oracle)});
  };
  if (device.size() != want.size()) {
    add(0, static_cast<std::int64_t>(device.size()), static_cast<std::int64_t>(want.size()));
    return;
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (device[i] != want[i]) add(i, device[i], want[i]);
  }
}

/// The first run that differs: what follows it is shifted and says nothing new.
void check_runs(StepContext& c, CheckId check, Field field, const std::vector<RowRun>& device,
                const std::vector<RowRun>& want) {
  if (device == want) return;
  std::size_t i = 0;
  while (i < device.size() && i < want.size() && device[i] == want[i]) ++i;
  const RowRun got = i < device.size() ? device[i] : RowRun{-1, 0};
  const RowRun oracle = i < want.size() ? want[i] : RowRun{-1, 0};
  const bool other_slot = got.slot != oracle.slot;
  const bool is_slot = oracle.slot >= 0;
  c.out.add({check, "P1", oracle.slot,
             is_slot ? c.s.request[static_cast<std::size_t>(oracle.slot)] : -1, field,
             other_slot ? ".slot" : ".rows", nothing(), just(other_slot ? got.slot : got.rows),
             just(other_slot ? oracle.slot : oracle.rows)});
}

}  // namespace

void v9_input_rows(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V9)) return;
  const bool launched = c.r.kind != StepKind::idle;
  if (launched) {
    prefix_sum(c.s.dev.q, c.below(), c.tmp.packed);
    runs_of(c.s.dev.q, c.below(), c.r.token_num, c.tmp.runs);
  } else {
    c.tmp.packed.clear();
    c.tmp.runs.clear();
  }
  check_prefix(c, CheckId::V9, Field::cu_seqlens_q, c.r.cu_seqlens_q, c.tmp.packed);
  check_runs(c, CheckId::V9, Field::row_runs, c.r.row_runs, c.tmp.runs);
}

void v10_output_rows(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V10)) return;
  const bool launched = c.r.kind != StepKind::idle;
  std::int64_t rows = 0;
  c.tmp.runs.clear();
  c.tmp.packed.clear();
  if (launched) {
    for (std::size_t i = 0; i < c.below(); ++i) {
      const std::int32_t q = c.s.dev.q[i];
      c.tmp.a[i] = q == 0 ? 0 : q == 1 || c.s.dev.e[i] != 0 ? 1 : q;
    }
    rows = sum_below(c.tmp.a, c.s.n);
    prefix_sum(c.tmp.a, c.below(), c.tmp.packed);
    runs_of(c.tmp.a, c.below(), rows, c.tmp.runs);
  }
  check_prefix(c, CheckId::V10, Field::cu_seqlens_q_output, c.r.cu_seqlens_q_output, c.tmp.packed);
  check_runs(c, CheckId::V10, Field::output_runs, c.r.output_runs, c.tmp.runs);
  const bool is_read = c.r.kind == StepKind::back;
  std::int64_t host = -1;
  if (is_read) host = c.rules.output_mode == RowMode::bound ? c.s.n * c.rules.width : rows;
  const auto add = [&c](Field field, std::int64_t want) {
    c.out.add({CheckId::V10, "P1", -1, -1, field, "", just(c.r.output_rows_host),
               just(c.r.output_rows), just(want)});
  };
  if (c.r.output_rows != rows) add(Field::output_rows, rows);
  if (c.r.output_rows_host != host) add(Field::output_rows_host, host);
}

/// Padding included, so that rows T..N-1 hold vocabulary ids (V9).
void v34_main_ids(StepContext& c) {
  const auto no_stray = [&c](Field field, std::int32_t id) {
    if (id == 0) return;
    c.out.add({CheckId::V34, "P1", -1, -1, field, "", nothing(), just(id), just(0)});
  };
  no_stray(Field::id_below, c.r.id_below);
  no_stray(Field::id_above, c.r.id_above);
}

}  // namespace tandem::sim
