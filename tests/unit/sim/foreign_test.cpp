// Foreign traces: any field may be missing, alone or with another, and nothing false is said.
#include <gtest/gtest.h>

#include "tests/unit/sim/foreign_helpers.hpp"
#include "traces/base/random.hpp"

namespace tandem::test {
namespace {

/// Chunks, a cached prompt, EOS, a stop sequence, a limit, a D node, parking and revival, a
/// preemption alone and beside others, ghost and idle iterations; a block every `cut` steps.
TinyTrace eventful_run(RowMode rows, std::size_t cut) {
  RunConfig config = tiny_config();
  for (const std::size_t r : {0U, 2U, 6U}) config.rows[r] = rows;
  config.max_num_seqs = 4;
  config.num_speculative_tokens = 4;
  config.num_model_steps = 3;
  config.block_size = 16;
  config.ngram_millionths = 500'000;
  return record_run(config, 3, 46, cut, [](TinyRun& run, int i) {
    RequestRow stops = row(3, 30, 300, 0, {2, 5});
    stops.stop_at = 9;
    stops.stop_len = 3;
    stops.cached_prompt = 17;
    if (i == 0) run.prefill(0, row(0, 5, 300, 17, {4, 1, 3}), 20);
    if (i == 1) run.prefill(1, row(1, 9, 12, 0, {2, 4}), 20);
    if (i == 1) run.chunk(2, row(2, 20, 300, 25, {1, 2}), 0, 8, 3);
    if (i == 2) run.chunk(2, row(2, 20, 300, 25, {1, 2}), 8, 20, 0);
    if (i == 6) run.dnode(3, row(5, 6, 300, 0, {5, 4}), 1, 20);
    if (i == 18) run.refresh(2, 2);
    if (i == 20) run.prefill(0, stops, 20);
    if (i == 24) run.preempt(3);
    if (i == 34) run.prefill(1, row(7, 6, 300, 0, {3}), 20);
    if (i == 38) run.preempt(1);
  });
}

std::vector<TinyTrace> clean_traces() {
  std::vector<TinyTrace> traces{worked_example(4)};
  for (const RowMode rows : {RowMode::overlap, RowMode::sync}) {
    traces.push_back(eventful_run(rows, 5));
  }
  return traces;
}

TEST(Foreign, TracesAreCleanAndEventfulToBeginWith) {
  std::size_t seen[5] = {};
  for (const TinyTrace& trace : clean_traces()) {
    EXPECT_EQ(first_line(judge(trace)), "clean");
    for (const TinyTrace::Block& block : trace.content) {
      for (const StepRecord& r : block.records) {
        seen[0] += r.kind == StepKind::empty ? 1U : 0U;
        seen[1] += r.kind == StepKind::idle ? 1U : 0U;
        for (const std::int32_t b : r.p4.b) seen[2] += b != 0 ? 1U : 0U;
        for (const Message& m : r.messages) seen[3] += m.control ? 1U : 0U;
        for (const RequestOutcome& o : r.outcomes)
          seen[4] += o.reason == StopReason::stop ? 1U : 0U;
      }
    }
  }
  for (const std::size_t count : seen) EXPECT_GT(count, 0U);
}

TEST(Foreign, AnySingleFieldMayBeMissing) {
  for (const TinyTrace& clean : clean_traces()) {
    for (std::size_t i = 0; i < kFieldCount; ++i) expect_silence(clean, {static_cast<Field>(i)});
  }
}

TEST(Foreign, AnyPairOfFieldsMayBeMissing) {
  const std::vector<TinyTrace> traces = clean_traces();
  RandomStream random(1, "absent pairs");
  for (int k = 0; k < 800; ++k) {
    const auto a = static_cast<Field>(random.below(kFieldCount));
    const auto b = static_cast<Field>(random.below(kFieldCount));
    if (a != b) expect_silence(traces[random.below(traces.size())], {a, b});
  }
}

/// Fields that the oracle's state feeds on, or that stand in for one of them.
constexpr Field kSources[] = {Field::t,
                              Field::repeat,
                              Field::kind,
                              Field::n,
                              Field::tasks,
                              Field::frees,
                              Field::messages,
                              Field::flag_in,
                              Field::flag_out,
                              Field::draft_flag_in,
                              Field::mode,
                              Field::cached_in,
                              Field::cached_out,
                              Field::token_num,
                              Field::real_bsz,
                              Field::q_cpu,
                              Field::b_cpu,
                              Field::p1_q,
                              Field::p1_b,
                              Field::p1_g,
                              Field::p1_s,
                              Field::row_runs,
                              Field::p2_a,
                              Field::p2_g,
                              Field::p2_d,
                              Field::p2_s,
                              Field::p4_g,
                              Field::p4_s,
                              Field::p4_d,
                              Field::accept_marks,
                              Field::accept_digest,
                              Field::last_digest,
                              Field::p2_first,
                              Field::p4_draft_first,
                              Field::p4_draft_digest,
                              Field::p1_draft_digest,
                              Field::step_digest,
                              Field::substeps,
                              Field::sub_launched,
                              Field::sub_hidden_rows,
                              Field::sub_qd,
                              Field::seed_used};

TEST(Foreign, EveryPairOfSourcesMayBeMissing) {
  const TinyTrace clean = eventful_run(RowMode::overlap, 5);
  for (const Field a : kSources) {
    for (const Field b : kSources) {
      if (a < b) expect_silence(clean, {a, b});
    }
  }
}

TEST(Foreign, HandfulsOfSourcesMayBeMissing) {
  const std::vector<TinyTrace> traces = clean_traces();
  RandomStream random(2, "absent handfuls");
  for (int k = 0; k < 500; ++k) {
    std::vector<Field> fields;
    for (const Field field : kSources) {
      if (random.below(6) == 0) fields.push_back(field);
    }
    if (!fields.empty()) expect_silence(traces[random.below(traces.size())], fields);
  }
}

TEST(Foreign, WhatFollowsFromTheRestStillDrivesTheOtherChecks) {
  const TinyTrace clean = eventful_run(RowMode::overlap, 5);
  TinyTrace trace = without_fields(clean, {Field::p2_a, Field::accept_digest});
  trace.content[1].records[1].substeps[1].dd[0] += 1;
  const sim::Verdict verdict = judge(trace);
  ASSERT_FALSE(verdict.divergences.empty());
  EXPECT_EQ(verdict.divergences[0].check, sim::CheckId::V17) << first_line(verdict);
  trace = without_fields(clean, {Field::q_cpu, Field::token_num});
  trace.content[1].records[1].cu_seqlens_q_output[1] += 1;
  EXPECT_EQ(judge(trace).divergences.at(0).check, sim::CheckId::V10);
}

TEST(Foreign, UntoldDigestsAreFollowedFromWhereTheyAreTold) {
  const TinyTrace clean = eventful_run(RowMode::overlap, 0);
  TinyTrace trace = without_fields(clean, {Field::p4_draft_digest});
  // A parked row is saved, and comes back as it was saved.
  bool changed = false;
  for (std::size_t k = 1; k < trace.content[0].records.size() && !changed; ++k) {
    StepRecord& r = trace.content[0].records[k];
    const StepRecord& before = trace.content[0].records[k - 1];
    changed = before.p4.b[2] != 0 && r.p1.q[2] > 0;
    if (changed) r.p1_draft.digest[2] ^= 1;
  }
  ASSERT_TRUE(changed);
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(verdict.divergence_count, 1U) << first_line(verdict);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V12).diverged, 1U);
}

TEST(Foreign, OnlyStatelessChecksRunWhereNothingTellsWhatWasAccepted) {
  const std::vector<Field> fields{Field::p2_a, Field::p2_g, Field::p2_d, Field::p4_g};
  const TinyTrace clean = eventful_run(RowMode::overlap, 5);
  expect_silence(clean, fields);
  const sim::Verdict verdict = judge(without_fields(clean, fields));
  EXPECT_GT(count_of(verdict, sim::CheckId::V1).run, 0U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V17).run, 0U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V0).run, 0U);
}

}  // namespace
}  // namespace tandem::test
