// Random records, keyframes and traces for tests: any values, optionally any list lengths.
//
// Nothing here makes sense as a run. It shows that what is written comes back, whatever it was.
#pragma once

#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/sample_trace.hpp"
#include "traces/base/random.hpp"
#include "traces/fields.hpp"

namespace tandem::test {

/// How far values may stray from what a run makes.
enum class Chaos {
  mild,   ///< mostly zeros and small numbers; columns of B entries
  wild,   ///< extremes everywhere; columns of B entries
  shapes  ///< extremes everywhere, and columns and lists of any length
};

class RandomRecords {
 public:
  RandomRecords(std::uint64_t seed, const TraceHeader& header, Chaos chaos)
      : draws_(seed, "random_records"),
        header_(header),
        chaos_(chaos),
        present_(present_fields(header)) {}

  std::uint64_t below(std::uint64_t bound) { return draws_.below(bound); }

  StepRecord record(std::int64_t t) {
    StepRecord r;
    const RunConfig& config = header_.config;
    r.reset(header_.level, config.max_num_seqs, config.num_model_steps, config.row_width());
    r.t = chaos_ == Chaos::mild ? t : any<std::int64_t>();
    const StepKind kinds[] = {StepKind::back, StepKind::back, StepKind::empty, StepKind::idle};
    r.kind = kinds[below(4)];
    visit_fields(r, *this);
    if (chaos_ == Chaos::mild) {
      r.t = t;
      r.repeat = r.kind == StepKind::idle ? 1 + static_cast<std::int64_t>(below(5)) : 1;
      if (r.kind != StepKind::back) blank_results(r);
    }
    return r;
  }

  Keyframe keyframe(std::int64_t t) {
    Keyframe k = Keyframe::initial(t, header_.config.max_num_seqs);
    for (Column* column : {&k.slots.q, &k.slots.d, &k.slots.g, &k.p, &k.draft.digest, &k.step_d,
                           &k.known_d, &k.known_g, &k.in_flight, &k.q_cpu, &k.request}) {
      fill(*column);
    }
    for (auto& blocks : k.blocks) small_list(blocks);
    for (std::uint64_t i = below(3); i > 0; --i) fill(k.rows.emplace_back());
    fill(k.flag);
    k.has_unsent = below(2) == 0;
    if (k.has_unsent) fill(k.unsent);
    k.cached = {any<std::int32_t>(), any<std::int32_t>()};
    return k;
  }

  RequestRow row() {
    RequestRow r;
    fill(r);
    return r;
  }

  plan::Segment segment() {
    plan::Segment s;
    s.kind = static_cast<plan::SegmentKind>(below(6));
    for (std::uint64_t i = below(4); i > 0; --i) {
      plan::Operation& op = s.ops.emplace_back();
      op.kind = static_cast<plan::OpKind>(below(30));
      op.lane = static_cast<plan::Lane>(below(3));
      op.substep = static_cast<int>(below(4)) - 1;
      op.waits = {static_cast<plan::EventName>(below(6)), -static_cast<int>(below(2))};
      op.reads.push_back({static_cast<plan::Buffer>(below(20)), below(2) == 0, 0});
    }
    return s;
  }

  SampleTrace trace(std::size_t blocks, std::size_t steps_per_block) {
    SampleTrace out;
    out.header = header_;
    std::int64_t t = header_.first_step;
    for (std::size_t b = 0; b < blocks; ++b) {
      SampleBlock& block = out.blocks.emplace_back();
      block.keyframe = keyframe(t);
      if (below(2) == 0) block.segments.push_back(segment());
      for (std::size_t i = 0; i < steps_per_block; ++i) {
        block.steps.push_back(record(t));
        if (chaos_ == Chaos::mild) t += block.steps.back().repeat;
      }
    }
    for (std::uint64_t i = below(4); i > 0; --i) out.unadmitted.push_back(row());
    out.last = keyframe(t);
    return out;
  }

  // Visitor of fields: fills whatever comes.
  template <class T>
  void operator()(Field field, T& value) {
    if (!present_.test(static_cast<std::size_t>(field))) return;
    fill(value);
  }
  void operator()(Field field, Column& value) {
    if (!present_.test(static_cast<std::size_t>(field))) return;
    const bool packing = field == Field::cu_seqlens_q || field == Field::cu_seqlens_q_output;
    if (packing) return small_list(value);
    fill(value);
  }
  void operator()(Field field, std::vector<std::int64_t>& tokens) {
    if (!present_.test(static_cast<std::size_t>(field))) return;
    for (std::int64_t& token : tokens) fill(token);
  }
  template <class Each>
  void list(Field field, std::vector<DraftSubstep>& substeps, Each each) {
    if (!present_.test(static_cast<std::size_t>(field))) return;
    if (chaos_ == Chaos::shapes && below(4) == 0) substeps.resize(below(5));
    for (DraftSubstep& substep : substeps) each(substep, *this);
  }

 private:
  RandomStream draws_;
  TraceHeader header_;
  Chaos chaos_;
  FieldSet present_;

  template <class T>
  T any() {
    switch (below(chaos_ == Chaos::mild ? 12 : 5)) {
      case 0:
        return static_cast<T>(below(7)) - 1;
      case 1:
        return chaos_ == Chaos::mild ? static_cast<T>(below(300)) : static_cast<T>(draws_.next());
      case 2:
        return chaos_ == Chaos::mild ? T{1} : std::numeric_limits<T>::min();
      case 3:
        return chaos_ == Chaos::mild ? T{2} : std::numeric_limits<T>::max();
      default:
        return 0;
    }
  }

  void fill(bool& value) { value = below(2) == 0; }
  void fill(std::int32_t& value) { value = any<std::int32_t>(); }
  void fill(std::int64_t& value) { value = any<std::int64_t>(); }
  void fill(std::uint64_t& value) { value = draws_.next() >> below(64); }
  void fill(StepKind& /*value*/) {}  // chosen before
  void fill(LaunchMode& value) { value = static_cast<LaunchMode>(below(2)); }
  void fill(CachedPair& value) { value = {any<std::int32_t>(), any<std::int32_t>()}; }
  void fill(RowRun& value) { value = {any<std::int32_t>(), any<std::int32_t>()}; }
  void fill(SlotFree& value) { value = {any<std::int32_t>(), any<std::int32_t>()}; }
  void fill(RequestOutcome& value) {
    value = {any<std::int32_t>(), any<std::int32_t>(), static_cast<StopReason>(below(5))};
  }
  void fill(PlanDeviation& value) {
    value = {any<std::int32_t>(), any<std::int32_t>(), any<std::int32_t>(), any<std::int32_t>()};
  }
  void fill(Span& value) {
    value = {any<std::int32_t>(), any<std::int32_t>(), any<std::int32_t>(), any<std::int64_t>(),
             any<std::int64_t>()};
  }
  void fill(CountUse& value) {
    value = {static_cast<CountUser>(below(2)), any<std::int64_t>(), any<std::int64_t>()};
  }
  void fill(PinnedCopy& value) {
    value = {any<std::int32_t>(), any<std::int32_t>(), any<std::int32_t>()};
  }
  void fill(RequestRow& value) {
    value.id = any<std::int32_t>();
    value.arrival = any<std::int64_t>();
    value.prompt_len = any<std::int32_t>();
    value.max_dec_len = any<std::int32_t>();
    value.eos_at = any<std::int32_t>();
    small_list(value.accept);
    for (std::int32_t* member : {&value.stop_at, &value.stop_len, &value.min_tokens,
                                 &value.cached_prompt, &value.abort_after}) {
      fill(*member);
    }
  }
  void fill(Task& value) {
    value.kind = static_cast<TaskKind>(below(5));
    value.slot = chaos_ == Chaos::mild
                     ? static_cast<std::int32_t>(
                           below(static_cast<std::uint64_t>(header_.config.max_num_seqs)))
                     : any<std::int32_t>();
    for (std::int32_t* member :
         {&value.request, &value.generation, &value.start, &value.end, &value.text_len,
          &value.generated, &value.drafts, &value.draft_digest, &value.last_digest}) {
      fill(*member);
    }
    value.admits = below(2) == 0;
    if (below(2) == 0) fill(value.row);
    small_list(value.blocks);
  }
  void fill(Message& value) {
    fill(value.control);
    fill(value.step);
    fill(value.slots);
    for (Column* column :
         {&value.count, &value.digest, &value.seq_len, &value.request, &value.generation}) {
      column->resize(below(2) == 0 ? static_cast<std::size_t>(header_.config.max_num_seqs)
                                   : below(9));
      for (std::int32_t& entry : *column) fill(entry);
    }
  }
  void fill(Column& column) {
    if (chaos_ == Chaos::shapes && below(24) == 0) column.resize(below(9));
    const bool all_zero = below(3) == 0;
    for (std::int32_t& entry : column) entry = all_zero ? 0 : any<std::int32_t>();
  }
  template <class T>
  void fill(std::vector<T>& list) {
    small_list(list);
  }
  template <class T>
  void small_list(std::vector<T>& list) {
    list.resize(below(3) == 0 ? below(6) : 0);
    for (T& item : list) fill(item);
  }

  /// Kinds other than back hold nothing from P2 to P4.
  void blank_results(StepRecord& r) {
    StepRecord blank;
    blank.reset(header_.level, header_.config.max_num_seqs, header_.config.num_model_steps,
                header_.config.row_width());
    r.p2 = blank.p2;
    r.p4 = blank.p4;
    r.p4_draft = blank.p4_draft;
    r.substeps = blank.substeps;
    r.shadow = blank.shadow;
    for (Column* column : {&r.accept_digest, &r.last_digest, &r.accept_marks, &r.p2_first,
                           &r.enqueue_generation, &r.p2_generation, &r.seed_used, &r.stop_step_idx,
                           &r.draft_e, &r.paired, &r.step_q, &r.step_d, &r.step_digest}) {
      *column = blank.step_q;
    }
  }
};

/// A header with B slots and K = M drafts.
inline TraceHeader small_header(RecordLevel level, std::int32_t slots, std::int32_t drafts) {
  TraceHeader header;
  header.level = level;
  header.producer = "test";
  header.first_step = 3;
  header.config.max_num_seqs = slots;
  header.config.num_speculative_tokens = header.config.num_model_steps = drafts;
  header.config.rows.fill(RowMode::overlap);
  header.config.acceptance.millionths.assign(static_cast<std::size_t>(drafts), 700'000);
  header.config.digest_key = 0xFEDCBA9876543210ULL;
  return header;
}

}  // namespace tandem::test
