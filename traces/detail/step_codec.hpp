// One description of a regular step for both directions: what is stored, in which order, and how it
// is predicted.
//
// StepCodec walks a record; the Coder writes or reads what differs from the prediction. Predictions
// cost or save bytes, they never decide whether a value survives. traces/FORMAT.md, "Predictions",
// states the same formulas; both change together, with the version.
//
// A Coder offers
//   scalar(chunk, value, predicted)            one value a record
//   column(chunk, values, f)                   one value a slot; f(i) predicts
//   selected(chunk, outside, values, mask)     the same without prediction, apart where mask(i)
//   lists()                                    the byte stream of everything else
//   derived(chunk, list, build)                a list that build(scratch) nearly always yields
#pragma once

#include <algorithm>
#include <cstdint>

#include "traces/detail/chunk_ids.hpp"
#include "traces/detail/step_lists.hpp"
#include "traces/detail/step_state.hpp"

namespace tandem::detail {

/// Sums over P1 that several predictions share.
struct LaunchTotals {
  std::int32_t rows = 0;      // T
  std::int32_t running = 0;   // count(q_cpu > 0)
  std::int32_t believed = 0;  // sum of q_cpu
  std::int32_t parked = 0;    // count(b_cpu != 0)
  std::int32_t outputs = 0;   // R by the rule of semantics 2.4.3
};

constexpr std::int32_t output_rows_of(std::int32_t q, std::int32_t e) {
  if (q <= 0) return 0;
  return q == 1 || e != 0 ? 1 : q;
}

/// n of a record, made safe as a bound of loops over slots.
template <class Record>
std::size_t view_of(const Record& r, const StepShape& shape) {
  return r.n <= 0 ? 0 : std::min(static_cast<std::size_t>(r.n), shape.slots);
}

template <class Coder, class Record>
class StepCodec {
 public:
  StepCodec(Coder& coder, Record& record, StepState& state, const StepShape& shape)
      : c_(coder), r_(record), s_(state), shape_(shape) {}

  void run() {
    code_loop();
    code_p1();
    total_up();
    code_host();
    code_believed();
    code_packing();
    if (r_.kind == StepKind::back) {
      code_p2();
      code_substeps();
      code_shadow();
      code_p4();
      code_saved();
    }
    code_messages(c_, r_, s_, shape_);
    c_.derived(Chunk::count_uses, r_.count_uses,
               [this](auto& out) { build_count_uses(out, r_, total_.believed, shape_.lag == 0); });
    if (shape_.level == RecordLevel::timeline) code_timeline();
    if (shape_.level == RecordLevel::full) code_full();
    advance();
  }

 private:
  Coder& c_;
  Record& r_;
  StepState& s_;
  const StepShape& shape_;
  LaunchTotals total_;

  template <class Values>
  void same(Chunk chunk, Values& values, const Column& predicted) {
    const std::int32_t* from = predicted.data();
    c_.column(stream_of(chunk), values, [from](std::size_t i) { return from[i]; });
  }
  template <class Values>
  void zero(Chunk chunk, Values& values) {
    c_.column(stream_of(chunk), values, [](std::size_t) { return 0; });
  }

  void code_loop() {
    c_.scalar(Chunk::t, r_.t, s_.next_t);
    c_.scalar(Chunk::repeat, r_.repeat, std::int64_t{1});
    code_tasks(c_, r_, s_);
    code_small_lists(c_, r_);
    s_.apply_tasks(r_.tasks);
    c_.scalar(Chunk::n, r_.n, s_.view_length());
    auto& last = s_.segments[static_cast<std::size_t>(r_.kind)];
    c_.derived(Chunk::segments, r_.segments, [&last](auto& out) { out = last; });
    last = r_.segments;
  }

  void code_p1() {
    same(Chunk::p1_b, r_.p1.b, s_.slots.b);
    s_.apply_recover(r_.p1.b);
    same(Chunk::p1_q, r_.p1.q, s_.slots.q);
    same(Chunk::p1_e, r_.p1.e, s_.slots.e);
    same(Chunk::p1_d, r_.p1.d, s_.slots.d);
    same(Chunk::p1_s, r_.p1.s, s_.slots.s);
    same(Chunk::p1_g, r_.p1.g, s_.slots.g);
    same(Chunk::p1_p, r_.p1_p, s_.prompt);
    same(Chunk::p1_draft_len, r_.p1_draft.len, s_.draft.len);
    same(Chunk::p1_draft_hole, r_.p1_draft.hole, s_.draft.hole);
    same(Chunk::p1_draft_digest, r_.p1_draft.digest, s_.draft.digest);
    same(Chunk::p1_draft_first, r_.p1_draft.first, s_.draft.first);
    same(Chunk::p1_table_hash, r_.p1_table_hash, s_.table_hash);
    const std::int32_t* s = r_.p1.s.data();
    const std::int32_t* b = r_.p1.b.data();
    const std::int32_t* request = s_.request.data();
    const std::int32_t* generation = s_.generation.data();
    c_.column(stream_of(Chunk::p1_request), r_.p1_request, [=](std::size_t i) {
      return pick((s[i] == 0) | (b[i] != 0), request[i], kNoRequest);
    });
    c_.column(stream_of(Chunk::p1_generation), r_.p1_generation,
              [=](std::size_t i) { return pick((s[i] == 0) | (b[i] != 0), generation[i], 0); });
    same(Chunk::q_cpu, r_.q_cpu, r_.p1.q);
    same(Chunk::b_cpu, r_.b_cpu, r_.p1.b);
  }

  void total_up() {
    const std::size_t n = view_of(r_, shape_);
    std::uint32_t rows = 0;
    std::uint32_t running = 0;
    std::uint32_t believed = 0;
    std::uint32_t parked = 0;
    std::uint32_t outputs = 0;
    for (std::size_t i = 0; i < n; ++i) {
      rows += static_cast<std::uint32_t>(r_.p1.q[i]);
      outputs += static_cast<std::uint32_t>(output_rows_of(r_.p1.q[i], r_.p1.e[i]));
    }
    for (std::size_t i = 0; i < shape_.slots; ++i) {
      running += r_.q_cpu[i] > 0 ? 1U : 0U;
      believed += static_cast<std::uint32_t>(r_.q_cpu[i]);
      parked += r_.b_cpu[i] != 0 ? 1U : 0U;
    }
    total_.rows = static_cast<std::int32_t>(rows);
    total_.running = static_cast<std::int32_t>(running);
    total_.believed = static_cast<std::int32_t>(believed);
    total_.parked = static_cast<std::int32_t>(parked);
    total_.outputs = static_cast<std::int32_t>(outputs);
  }

  [[nodiscard]] CachedPair next_pair() const {
    if (!shape_.overlap_resolve || shape_.policy == PolicyKind::exact) return r_.cached_in;
    if (r_.flag_in) return {};
    const std::int32_t slots = wrap_add(total_.running, total_.parked);
    const bool sum = shape_.policy == PolicyKind::predict_sum;
    const std::int32_t rows = sum ? wrap_add(total_.believed, total_.parked * shape_.row_width)
                                  : slots * shape_.row_width;
    return {rows, slots};
  }

  void code_host() {
    const bool back = r_.kind == StepKind::back;
    c_.scalar(Chunk::q_cpu_step, r_.q_cpu_step, r_.t);
    c_.scalar(Chunk::b_cpu_step, r_.b_cpu_step, r_.t);
    c_.scalar(Chunk::flag_in, r_.flag_in, s_.flag || s_.any_prefill);
    c_.scalar(Chunk::flag_out, r_.flag_out, r_.flag_in && !back);
    c_.scalar(Chunk::draft_flag_in, r_.draft_flag_in, s_.draft_flag || s_.any_prefill);
    c_.scalar(Chunk::draft_flag_out, r_.draft_flag_out, r_.draft_flag_in && !back);
    c_.scalar(Chunk::cached_in_rows, r_.cached_in.token_num,
              s_.any_dnode ? -1 : s_.cached.token_num);
    c_.scalar(Chunk::cached_in_bsz, r_.cached_in.real_bsz, s_.cached.real_bsz);
    const CachedPair out = next_pair();
    c_.scalar(Chunk::cached_out_rows, r_.cached_out.token_num, out.token_num);
    c_.scalar(Chunk::cached_out_bsz, r_.cached_out.real_bsz, out.real_bsz);
    const bool usable = shape_.overlap_resolve && shape_.policy != PolicyKind::exact &&
                        !r_.flag_in && r_.cached_in.token_num > 0 && r_.cached_in.real_bsz > 0;
    c_.scalar(Chunk::mode, r_.mode, usable ? LaunchMode::predicted : LaunchMode::exact);
    const bool predicted = r_.mode == LaunchMode::predicted;
    c_.scalar(Chunk::token_num, r_.token_num, predicted ? r_.cached_in.token_num : total_.believed);
    c_.scalar(Chunk::launch_bsz, r_.launch_bsz, predicted ? r_.cached_in.real_bsz : total_.running);
    c_.scalar(Chunk::real_bsz, r_.real_bsz, total_.running);
    c_.scalar(Chunk::captured_size, r_.captured_size, s_.captured_size);
  }

  void code_believed() {
    const std::int32_t* d = s_.known_d.data();
    const std::int32_t* q = s_.last_q.data();
    const std::int32_t* request = s_.request.data();
    const bool in_flight = shape_.lag != 0;
    const bool adds_q = in_flight && shape_.policy == PolicyKind::all_accepted;
    const bool adds_width = in_flight && shape_.policy == PolicyKind::upper_bound;
    const std::int32_t width = adds_width ? shape_.row_width : 0;
    c_.column(stream_of(Chunk::believed_len), r_.believed_len, [=](std::size_t i) {
      const std::int32_t extra = pick(adds_q, q[i], width);
      return pick(request[i] == kNoRequest, 0, wrap_add(d[i], extra));
    });
    same(Chunk::believed_reserve, r_.believed_reserve, s_.believed_reserve);
  }

  void code_packing() {
    const std::size_t n = r_.token_num == 0 ? 0 : view_of(r_, shape_);
    const bool launched = r_.token_num != 0;
    const std::int32_t* q = r_.p1.q.data();
    const std::int32_t* e = r_.p1.e.data();
    const auto outputs = [q, e](std::size_t i) { return output_rows_of(q[i], e[i]); };
    const auto inputs = [q](std::size_t i) { return q[i]; };
    const std::int32_t padding = wrap_sub(r_.token_num, total_.rows);
    c_.derived(Chunk::cu_seqlens_q, r_.cu_seqlens_q,
               [&](auto& out) { build_prefix(out, launched, n, inputs); });
    c_.derived(Chunk::cu_seqlens_q_output, r_.cu_seqlens_q_output,
               [&](auto& out) { build_prefix(out, launched, n, outputs); });
    c_.derived(Chunk::row_runs, r_.row_runs,
               [&](auto& out) { build_runs(out, n, inputs, launched ? padding : 0); });
    c_.derived(Chunk::output_runs, r_.output_runs,
               [&](auto& out) { build_runs(out, n, outputs, 0); });
    c_.scalar(Chunk::output_rows, r_.output_rows, launched ? total_.outputs : 0);
    const bool read = r_.kind == StepKind::back && !shape_.output_rows_unread;
    c_.scalar(Chunk::output_rows_host, r_.output_rows_host, read ? r_.output_rows : -1);
    c_.scalar(Chunk::id_below, r_.id_below, 0);
    c_.scalar(Chunk::id_above, r_.id_above, 0);
    c_.scalar(Chunk::guard_tripped, r_.guard_tripped, r_.token_num < total_.rows);
    c_.scalar(Chunk::live_tail, r_.live_tail, 0);
  }

  void code_p2() {
    const auto n = view_of(r_, shape_);
    const std::int32_t* q1 = r_.p1.q.data();
    const std::int32_t* e1 = r_.p1.e.data();
    const std::int32_t* d1 = r_.p1.d.data();
    const std::int32_t* s1 = r_.p1.s.data();
    const std::int32_t* g1 = r_.p1.g.data();
    const std::int32_t* first1 = r_.p1_draft.first.data();
    const auto runs = [q1](std::size_t i) { return q1[i] > 0; };
    c_.selected(Chunk::p2_a, Chunk::p2_a_outside, r_.p2.a, runs);
    const std::int32_t* a = r_.p2.a.data();
    const auto emits = [a](std::size_t i) { return a[i] > 0; };
    c_.selected(Chunk::accept_digest, Chunk::accept_digest_outside, r_.accept_digest, emits);
    c_.selected(Chunk::last_digest, Chunk::last_digest_outside, r_.last_digest, emits);
    zero(Chunk::accept_marks, r_.accept_marks);
    const std::int32_t* marks = r_.accept_marks.data();
    c_.column(stream_of(Chunk::p2_s), r_.p2.s,
              [=](std::size_t i) { return s1[i] | (marks[i] & kMarkLastIsEos); });
    same(Chunk::p2_q, r_.p2.q, r_.p1.q);
    zero(Chunk::p2_e, r_.p2.e);
    c_.column(stream_of(Chunk::p2_d), r_.p2.d, [=](std::size_t i) {
      const std::int32_t ran = wrap_add(d1[i], pick(e1[i] > 0, e1[i], a[i]));
      return pick(s1[i] == 0, ran, pick(i < n, 0, d1[i]));
    });
    same(Chunk::p2_b, r_.p2.b, r_.p1.b);
    c_.column(stream_of(Chunk::p2_g), r_.p2.g,
              [=](std::size_t i) { return wrap_add(g1[i], a[i]); });
    const std::int32_t* last = r_.last_digest.data();
    c_.column(stream_of(Chunk::p2_first), r_.p2_first,
              [=](std::size_t i) { return pick(a[i] > 0, last[i], first1[i]); });
    code_used(n);
  }

  /// What the kernels between P1 and P2 read, of slots that ran.
  void code_used(std::size_t n) {
    const std::int32_t* q1 = r_.p1.q.data();
    const std::int32_t* g1 = r_.p1.g.data();
    const std::int32_t* held = s_.generation.data();
    const std::int32_t* seed = s_.infer_seed.data();
    const auto ran = [=](std::size_t i) { return (i < n) & (q1[i] > 0); };
    c_.column(stream_of(Chunk::enqueue_generation), r_.enqueue_generation,
              [=](std::size_t i) { return pick(ran(i), held[i], 0); });
    same(Chunk::p2_generation, r_.p2_generation, r_.enqueue_generation);
    c_.column(stream_of(Chunk::seed_used), r_.seed_used,
              [=](std::size_t i) { return pick(ran(i), seed[i], 0); });
    c_.column(stream_of(Chunk::stop_step_idx), r_.stop_step_idx,
              [=](std::size_t i) { return pick(ran(i), g1[i], 0); });
    s_.advance_seeds(r_.seed_used, n, shape_.row_width);
  }

  void code_substeps() {
    const std::int32_t* s2 = r_.p2.s.data();
    const std::int32_t* a = r_.p2.a.data();
    const std::int32_t* e1 = r_.p1.e.data();
    c_.column(stream_of(Chunk::draft_e), r_.draft_e,
              [=](std::size_t i) { return pick(s2[i] == 0, e1[i], 0); });
    for (std::size_t j = 0; j < shape_.substeps; ++j) {
      auto& sub = r_.substeps[j];
      c_.scalar(stream_of(j, SubChunk::launched), sub.launched, true);
      const bool launched = sub.launched;
      if (j == 0) {
        c_.column(stream_of(j, SubChunk::qd), sub.qd, [=](std::size_t i) {
          return pick(launched & (s2[i] == 0), pick(e1[i] > 0, e1[i], a[i]), 0);
        });
      } else {
        const std::int32_t* before = r_.substeps[j - 1].qd.data();
        c_.column(stream_of(j, SubChunk::qd), sub.qd,
                  [=](std::size_t i) { return pick(launched & (before[i] > 0), 1, 0); });
      }
      code_substep_columns(j);
      code_substep_scalars(j);
    }
    const Column& rows = shape_.substeps > 0 ? r_.substeps[0].qd : r_.p2.a;
    same(Chunk::paired, r_.paired, rows);
  }

  void code_substep_columns(std::size_t j) {
    auto& sub = r_.substeps[j];
    const std::int32_t* qd = sub.qd.data();
    const std::int32_t* d1 = r_.p1.d.data();
    const std::int32_t* request = r_.p1_request.data();
    if (j == 0) {
      c_.column(stream_of(j, SubChunk::dd), sub.dd,
                [=](std::size_t i) { return pick(qd[i] > 0, d1[i], 0); });
    } else {
      const std::int32_t* q_before = r_.substeps[j - 1].qd.data();
      const std::int32_t* d_before = r_.substeps[j - 1].dd.data();
      c_.column(stream_of(j, SubChunk::dd), sub.dd, [=](std::size_t i) {
        return pick(qd[i] > 0, wrap_add(d_before[i], q_before[i]), 0);
      });
    }
    const std::int32_t* dd = sub.dd.data();
    const auto phase = static_cast<std::int32_t>(j);
    c_.column(stream_of(j, SubChunk::row_request), sub.row_request,
              [=](std::size_t i) { return pick(qd[i] > 0, request[i], kNoRequest); });
    c_.column(stream_of(j, SubChunk::row_position), sub.row_position,
              [=](std::size_t i) { return pick(qd[i] > 0, dd[i], 0); });
    c_.column(stream_of(j, SubChunk::row_phase), sub.row_phase,
              [=](std::size_t i) { return pick(qd[i] > 0, phase, 0); });
    c_.column(stream_of(j, SubChunk::row_count), sub.row_count,
              [=](std::size_t i) { return pick(qd[i] > 0, qd[i], 0); });
  }

  void code_substep_scalars(std::size_t j) {
    auto& sub = r_.substeps[j];
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < shape_.slots; ++i) sum += static_cast<std::uint32_t>(sub.qd[i]);
    c_.scalar(stream_of(j, SubChunk::device_sum), sub.device_sum, static_cast<std::int32_t>(sum));
    c_.scalar(stream_of(j, SubChunk::blocking), sub.blocking,
              sub.launched && (shape_.blocking_draft || r_.draft_flag_in));
    c_.scalar(stream_of(j, SubChunk::hidden_rows), sub.hidden_rows,
              j == 0 ? r_.token_num : s_.sub_hidden_rows[j]);
    const bool by_slots =
        shape_.policy == PolicyKind::predict_sum || shape_.policy == PolicyKind::predict_rows;
    std::int32_t rows = r_.real_bsz;
    if (j == 0) {
      rows = by_slots ? wrap_mul(rows, shape_.row_width) : std::min(r_.token_num, sub.hidden_rows);
    }
    if (sub.blocking || !sub.launched) rows = sub.device_sum;
    c_.scalar(stream_of(j, SubChunk::token_num), sub.token_num, rows);
    c_.scalar(stream_of(j, SubChunk::captured_size), sub.captured_size, s_.sub_captured_size[j]);
    c_.scalar(stream_of(j, SubChunk::id_below), sub.id_below, 0);
    c_.scalar(stream_of(j, SubChunk::id_above), sub.id_above, 0);
    c_.scalar(stream_of(j, SubChunk::live_tail), sub.live_tail, 0);
    s_.sub_hidden_rows[j] = sub.hidden_rows;
    s_.sub_captured_size[j] = sub.captured_size;
  }

  void code_shadow() {
    const bool any = shape_.substeps > 0;
    const Column& q_first = any ? r_.substeps.front().qd : r_.p2.a;
    const Column& q_last = any ? r_.substeps.back().qd : r_.p2.a;
    const Column& d_last = any ? r_.substeps.back().dd : r_.p2.d;
    const std::int32_t* first = q_first.data();
    const std::int32_t* q = q_last.data();
    const std::int32_t* d = d_last.data();
    const std::int32_t* g2 = r_.p2.g.data();
    const auto steps = static_cast<std::int32_t>(shape_.substeps);
    c_.column(stream_of(Chunk::shadow_q), r_.shadow.q,
              [=](std::size_t i) { return pick(q[i] > 0, 1, 0); });
    zero(Chunk::shadow_e, r_.shadow.e);
    c_.column(stream_of(Chunk::shadow_d), r_.shadow.d,
              [=](std::size_t i) { return pick(q[i] > 0, wrap_add(d[i], q[i]), 0); });
    c_.column(stream_of(Chunk::shadow_g), r_.shadow.g,
              [=](std::size_t i) { return pick(first[i] > 0, wrap_add(g2[i], steps - 1), 0); });
    c_.column(stream_of(Chunk::shadow_s), r_.shadow.s,
              [=](std::size_t i) { return pick(first[i] > 0, 0, 1); });
  }

  void code_p4() {
    const auto n = view_of(r_, shape_);
    const std::int32_t* s2 = r_.p2.s.data();
    const std::int32_t* b2 = r_.p2.b.data();
    const std::int32_t* d2 = r_.p2.d.data();
    const std::int32_t* a2 = r_.p2.a.data();
    const std::int32_t* p = r_.p1_p.data();
    const std::int32_t* len1 = r_.p1_draft.len.data();
    const Column& q_first = shape_.substeps > 0 ? r_.substeps[0].qd : r_.p2.a;
    const std::int32_t* qd = q_first.data();
    const auto drafts = static_cast<std::int32_t>(shape_.substeps);
    c_.column(stream_of(Chunk::p4_draft_len), r_.p4_draft.len, [=](std::size_t i) {
      const std::int32_t stopped = pick(i < n, std::min(len1[i], 1), len1[i]);
      return pick(s2[i] == 0, pick(qd[i] > 0, drafts + 1, 1), stopped);
    });
    zero(Chunk::p4_draft_hole, r_.p4_draft.hole);
    const std::int32_t* len = r_.p4_draft.len.data();
    c_.selected(Chunk::p4_draft_digest, Chunk::p4_draft_digest_outside, r_.p4_draft.digest,
                [len](std::size_t i) { return len[i] > 1; });
    same(Chunk::p4_draft_first, r_.p4_draft.first, r_.p2_first);
    same(Chunk::p4_b, r_.p4.b, r_.p2.b);
    const std::int32_t* b4 = r_.p4.b.data();
    c_.column(stream_of(Chunk::p4_s), r_.p4.s,
              [=](std::size_t i) { return pick((b4[i] != b2[i]) | (d2[i] < p[i]), 1, s2[i]); });
    const std::int32_t* s4 = r_.p4.s.data();
    c_.column(stream_of(Chunk::p4_q), r_.p4.q,
              [=](std::size_t i) { return pick(s4[i] == 0, len[i], 0); });
    same(Chunk::p4_e, r_.p4.e, r_.p2.e);
    // schedule_cache clears d and a of a slot that it stops, not of one that had stopped before.
    c_.column(stream_of(Chunk::p4_d), r_.p4.d,
              [=](std::size_t i) { return pick(s4[i] == s2[i], d2[i], 0); });
    same(Chunk::p4_g, r_.p4.g, r_.p2.g);
    c_.column(stream_of(Chunk::p4_a), r_.p4.a,
              [=](std::size_t i) { return pick(s4[i] == s2[i], a2[i], 0); });
  }

  void code_saved() {
    const std::int32_t* b2 = r_.p2.b.data();
    const std::int32_t* b4 = r_.p4.b.data();
    const auto saved = [this, b2, b4](Chunk chunk, auto& values, const Column& now,
                                      const Column& before) {
      const std::int32_t* x = now.data();
      const std::int32_t* y = before.data();
      c_.column(stream_of(chunk), values,
                [=](std::size_t i) { return pick(b4[i] != b2[i], x[i], y[i]); });
    };
    saved(Chunk::step_q, r_.step_q, r_.p4_draft.len, s_.step_q);
    saved(Chunk::step_d, r_.step_d, r_.p2.d, s_.step_d);
    saved(Chunk::step_digest, r_.step_digest, r_.p4_draft.digest, s_.step_digest);
  }

  void code_timeline() {
    c_.scalar(Chunk::start_ns, r_.start_ns, s_.end_ns);
    c_.scalar(Chunk::end_ns, r_.end_ns, wrap_add(r_.start_ns, s_.duration_ns));
    code_spans(c_, r_, s_);
  }

  void code_full() {
    const auto point = [this](Chunk first, auto& to, const SlotColumns& from) {
      const auto at = [first](int k) { return static_cast<Chunk>(static_cast<int>(first) + k); };
      this->same(at(0), to.q, from.q);
      this->same(at(1), to.e, from.e);
      this->same(at(2), to.d, from.d);
      this->same(at(3), to.s, from.s);
      this->same(at(4), to.b, from.b);
      this->same(at(5), to.g, from.g);
      this->same(at(6), to.a, from.a);
    };
    point(Chunk::p0_q, r_.p0, r_.p1);
    point(Chunk::p3_q, r_.p3, r_.p4);
    c_.tokens(Field::p1_tokens, r_.p1_tokens);
    c_.tokens(Field::p2_tokens, r_.p2_tokens);
    c_.tokens(Field::p4_tokens, r_.p4_tokens);
    c_.scalar(Chunk::poison_rows, r_.poison_rows, 0);
    c_.scalar(Chunk::poison_damaged, r_.poison_damaged, 0);
  }

  void advance() {
    const bool back = r_.kind == StepKind::back;
    s_.slots = back ? r_.p4 : r_.p1;
    s_.draft = back ? r_.p4_draft : r_.p1_draft;
    if (back) {
      s_.step_q = r_.step_q;
      s_.step_d = r_.step_d;
      s_.step_digest = r_.step_digest;
    }
    s_.prompt = r_.p1_p;
    s_.table_hash = r_.p1_table_hash;
    s_.last_q = r_.p1.q;
    s_.believed_reserve = r_.believed_reserve;
    s_.next_t = wrap_add(r_.t, r_.repeat);
    s_.flag = r_.flag_out;
    s_.draft_flag = r_.draft_flag_out;
    s_.cached = r_.cached_out;
    s_.captured_size = r_.captured_size;
    s_.apply_messages(r_.messages);
    s_.apply_frees(r_.frees);
  }
};

}  // namespace tandem::detail
