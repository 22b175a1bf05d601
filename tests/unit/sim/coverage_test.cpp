// Every recorded value matters: each single change of each number of each record is noticed by some
// check, or it is one of the few that nobody could notice.
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/detection.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

/// A prompt in chunks, a D-node with one draft, a preemption beside a running slot and one with
/// nothing else, a ghost step, a quiet end: what the worked example lacks.
TinyTrace busy_example(RecordLevel level) {
  RunConfig config = tiny_config();
  config.max_num_seqs = 3;
  config.captured_sizes = {9, 6, 3};
  const auto row = [](RequestId id, std::int32_t prompt, std::int32_t eos_at) {
    RequestRow out;
    out.id = id;
    out.prompt_len = prompt;
    out.max_dec_len = 60;
    out.eos_at = eos_at;
    out.accept = {2, 1, 3};
    return out;
  };
  return record_run(
      config, 0, 16, 0,
      [row, level](TinyRun& run, int i) {
        if (i == 1) run.chunk(0, row(0, 9, 0), 0, 4, 3);
        if (i == 2) run.chunk(0, row(0, 9, 0), 4, 9, 3);
        if (i == 2) run.prefill(1, row(1, 3, 6), 4);
        // At level full token rows must hash to their digests: a P node's are not known here.
        if (i == 4 && level == RecordLevel::state) run.dnode(2, row(2, 5, 0), 1, 4);
        if (i == 4 && level == RecordLevel::full) run.prefill(2, row(2, 5, 0), 4);
        if (i == 7) run.preempt(0);
        if (i == 11) run.preempt(2);
      },
      level);
}

/// Changes every number of every record by `delta`; every `codec_every`-th goes through the codec.
void try_all(const TinyTrace& clean, std::int64_t delta, std::size_t codec_every,
             DetectionTable& table) {
  ASSERT_EQ(first_line(judge(clean)), "clean");
  ASSERT_TRUE(broken_checks_through_codec(clean).empty());
  TinyTrace trace = clean;
  std::size_t count = 0;
  for (std::size_t k = 0; k < clean.content[0].records.size(); ++k) {
    StepRecord& r = trace.content[0].records[k];
    const StepRecord& sound = clean.content[0].records[k];
    const std::vector<std::string> paths = numbers_of(sound, clean.head.level);
    for (std::size_t target = 0; target < paths.size(); ++target) {
      const std::string path = change_number(r, clean.head.level, target, delta);
      const bool encoded = ++count % codec_every == 0;
      const auto checks =
          encoded ? broken_checks_through_codec(trace) : broken_checks(TinyReader(trace));
      table.add(path, checks, "t=" + std::to_string(sound.t) + " number " + std::to_string(target));
      r = sound;
    }
  }
}

void expect_coverage(RecordLevel level) {
  DetectionTable table;
  for (const std::int64_t delta : {std::int64_t{1}, std::int64_t{1} << 30U}) {
    if (kSanitized && delta > 1) break;
    try_all(worked_example(0, level), delta, 7, table);
    if (!kSanitized) try_all(busy_example(level), delta, 7, table);
  }
  std::fputs((std::string("level ") + to_name(level) + "\n" + table.text()).c_str(), stdout);
  table.expect_all_noticed(is_beyond_judging);
  const FieldSet present = fields_at(level);
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    const bool never = field == Field::substeps || field == Field::deviations;
    if (never || !present.test(i)) continue;
    EXPECT_GT(table.tried(field), 0U) << field_path(field) << " was never changed";
  }
}

TEST(Coverage, EverySingleChangeOfARecordIsNoticed) { expect_coverage(RecordLevel::state); }

TEST(Coverage, EverySingleChangeOfAFullRecordIsNoticed) { expect_coverage(RecordLevel::full); }

TEST(Coverage, DeviationFromThePlanIsV23) {
  TinyTrace trace = worked_example();
  constexpr auto kSend = static_cast<std::int32_t>(plan::OpKind::send_message);
  trace.content[0].records[2].deviations.push_back({0, 1, kSend, -1});
  const sim::Verdict verdict = judge(trace);
  ASSERT_EQ(verdict.divergence_count, 1U);
  EXPECT_EQ(verdict.divergences[0].check, sim::CheckId::V23);
}

}  // namespace
}  // namespace tandem::test
