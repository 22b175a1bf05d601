// verify_trace() as an interface: absent fields, damaged blocks, bad headers, garbage values,
// tables.
#include <limits>

#include <gtest/gtest.h>

#include "sim/checks/check_table.hpp"
#include "sim/oracle/script.hpp"
#include "tests/unit/sim/judge_helpers.hpp"
#include "traces/base/random.hpp"
#include "traces/fields.hpp"

namespace tandem::test {
namespace {

TEST(Verify, CheckWithoutItsInputsIsNotCheckable) {
  TinyTrace trace = worked_example();
  trace.head.absent = {"p4.g", "substeps.row_phase"};
  for (StepRecord& r : trace.content[0].records) {
    r.p4.g.assign(2, 0);
    for (DraftSubstep& sub : r.substeps) sub.row_phase.assign(2, 0);
  }
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(first_line(verdict), "clean");
  for (const sim::CheckId id : {sim::CheckId::V19, sim::CheckId::V32}) {
    EXPECT_EQ(count_of(verdict, id).run, 0U);
    EXPECT_EQ(count_of(verdict, id).not_checkable, 10U);
  }
  EXPECT_EQ(count_of(verdict, sim::CheckId::V18).run, 10U);
}

TEST(Verify, TraceWithoutRecordedStateChecksNothing) {
  TinyTrace trace = worked_example();
  trace.head.level = RecordLevel::off;
  const sim::Verdict verdict = judge(trace);
  for (const sim::CheckCount& count : verdict.checks) EXPECT_EQ(count.run, 0U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V1).not_checkable, 10U);
}

TEST(Verify, UndecodableBlockGivesTheVerdictOfThoseBefore) {
  TinyTrace trace = worked_example(2);
  trace.broken_block = 3;
  const TinyReader reader(trace);
  for (const int jobs : {1, 4}) {
    sim::VerifyOptions options;
    options.jobs = jobs;
    sim::Verdict partial;
    const Result<sim::Verdict> verdict = sim::verify_trace(reader, options, &partial);
    ASSERT_FALSE(verdict.ok());
    EXPECT_EQ(verdict.error().text, "tiny: record 1: got noise, want a record");
    EXPECT_EQ(partial.steps, 6);
    EXPECT_EQ(partial.divergence_count, 0U);
  }
}

TEST(Verify, HeaderOutOfRangeIsRefusedWithASentence) {
  TinyTrace trace = worked_example();
  trace.head.config.max_num_seqs = 513;
  const TinyReader reader(trace);
  const Result<sim::Verdict> verdict = sim::verify_trace(reader, {});
  ASSERT_FALSE(verdict.ok());
  EXPECT_EQ(
      verdict.error().text,
      "header:/config/max_num_seqs: got 513, want an integer in [1, 512]; the trace cannot be "
      "judged by these rules");
}

TEST(Verify, TraceThatStartsElsewhereIsV0) {
  TinyTrace trace = worked_example();
  trace.head.first_step = 3;
  EXPECT_EQ(judge(trace).divergences.at(0).field, "keyframe.t");
}

TEST(Verify, WrongSlotDoesNotFloodTheVerdict) {
  TinyTrace trace = worked_example();
  record_of(trace, 3).p2.d[1] += 5;  // the device went on from 3; the record alone is wrong
  EXPECT_LT(judge(trace).divergence_count, 20U);
}

/// Puts random values into every number of a record.
class Scrambler {
 public:
  explicit Scrambler(std::uint64_t seed) : random_(seed, "scramble") {}

  template <class T>
  void operator()(Field, T& value) {
    scramble(value);
  }
  template <class T, class Each>
  void list(Field, T& items, Each each) {
    if (random_.below(4) == 0) items.resize(random_.below(4));
    for (auto& item : items) each(item, *this);
  }

 private:
  template <class T>
  T number() {
    constexpr std::int64_t kEdges[] = {0,
                                       -1,
                                       1,
                                       -9,
                                       std::numeric_limits<std::int32_t>::max(),
                                       std::numeric_limits<std::int32_t>::min(),
                                       std::numeric_limits<std::int64_t>::max(),
                                       std::numeric_limits<std::int64_t>::min(),
                                       511,
                                       513};
    return static_cast<T>(kEdges[random_.below(10)]);
  }
  bool skip() { return random_.below(8) != 0; }

  void scramble(bool& value) {
    if (!skip()) value = !value;
  }
  void scramble(StepKind& value) {
    if (!skip()) value = static_cast<StepKind>(random_.below(3));
  }
  void scramble(LaunchMode& value) {
    if (!skip()) value = LaunchMode::predicted;
  }
  template <class T>
  void scramble(T& value) {
    if (!skip()) value = number<T>();
  }
  template <class T>
  void scramble(std::vector<T>& values) {
    if (random_.below(16) == 0) values.resize(random_.below(6));
    for (T& value : values) scramble(value);
  }
  void scramble(CachedPair& pair) {
    scramble(pair.token_num);
    scramble(pair.real_bsz);
  }
  void scramble(RowRun& run) {
    scramble(run.slot);
    scramble(run.rows);
  }
  void scramble(SlotFree& free) {
    scramble(free.slot);
    scramble(free.generation);
  }
  void scramble(RequestOutcome& outcome) { scramble(outcome.output_len); }
  void scramble(Task& task) {
    if (!skip()) task.kind = static_cast<TaskKind>(random_.below(5));
    for (std::int32_t* value : {&task.slot, &task.request, &task.generation, &task.start, &task.end,
                                &task.text_len, &task.generated, &task.drafts}) {
      scramble(*value);
    }
    scramble(task.admits);
    scramble(task.row.accept);
    scramble(task.row.max_dec_len);
    scramble(task.blocks);
  }
  void scramble(Message& message) {
    scramble(message.step);
    scramble(message.slots);
    scramble(message.control);
    for (Column* column : {&message.count, &message.digest, &message.seq_len, &message.request,
                           &message.generation}) {
      scramble(*column);
    }
  }
  void scramble(CountUse& use) {
    scramble(use.step);
    scramble(use.count);
  }
  void scramble(PinnedCopy& copy) {
    for (std::int32_t* value : {&copy.buffer, &copy.at_enqueue, &copy.at_copy}) scramble(*value);
  }
  void scramble(Span&) {}
  void scramble(PlanDeviation& deviation) { scramble(deviation.found); }

  RandomStream random_;
};

TEST(Verify, AnyGarbageIsJudgedWithoutACrash) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    TinyTrace trace = worked_example(4);
    Scrambler scrambler(seed);
    for (TinyTrace::Block& block : trace.content) {
      for (StepRecord& r : block.records) visit_fields(r, scrambler);
      block.keyframe.slots.d.assign(1, std::numeric_limits<std::int32_t>::max());
      block.keyframe.slots.b.assign(5, 1);
      block.keyframe.request.assign(2, std::numeric_limits<std::int32_t>::min());
      block.keyframe.rows.clear();
      block.keyframe.n = -3;
    }
    EXPECT_GT(judge(trace).divergence_count, 0U) << "seed " << seed;
  }
}

TEST(Verify, NamesOfChecksAreReadBack) {
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    sim::CheckId back{};
    ASSERT_TRUE(sim::from_name(sim::to_name(id), back));
    EXPECT_EQ(back, id);
    EXPECT_GT(std::string(sim::check_info(id).sentence).size(), 10U);
  }
  sim::CheckId untouched = sim::CheckId::V7;
  EXPECT_FALSE(sim::from_name("V40", untouched));
  EXPECT_EQ(untouched, sim::CheckId::V7);
}

TEST(Verify, TableOfChecksByLevelListsWhatStateTracesCanCheck) {
  const std::string table = sim::checks_by_level();
  EXPECT_NE(table.find("| V1 | 4.2 | - | yes | yes | yes |"), std::string::npos) << table;
  EXPECT_NE(table.find("| V11 | 4.7 | - | - | - | yes |"), std::string::npos) << table;
  EXPECT_EQ(table.find("| V27 |"), std::string::npos) << "not implemented, not promised";
}

TEST(AcceptScript, DrawsAreThoseOfTheHeaderComment) {
  RunConfig config = tiny_config();
  config.seed = 77;
  config.num_speculative_tokens = 3;
  config.acceptance.kind = AcceptKind::per_position;
  config.acceptance.millionths = {900'000, 600'000, 300'000};
  const Result<sim::Rules> rules = sim::make_rules(config);
  ASSERT_TRUE(rules.ok());
  RequestRow row;
  row.id = 5;
  sim::AcceptScript script;
  script.assign(rules.value(), row);
  std::int64_t longest = 0;
  for (std::int32_t g = 1; g < 500; ++g) {
    std::int32_t want = 1;
    for (std::uint64_t j = 0; j < 3; ++j) {
      const std::uint64_t draw =
          keyed_draw(77, hash_text("accept"), 5, static_cast<std::uint64_t>(g) * 32 + j);
      if (!draw_is_below(draw, config.acceptance.millionths[j])) break;
      ++want;
    }
    EXPECT_EQ(script.commits(g), want);
    longest += want == 4 ? 1 : 0;
  }
  EXPECT_GT(longest, 0);
}

TEST(AcceptScript, ListIsEnteredByPrefixSumAndRepeats) {
  const Result<sim::Rules> rules = sim::make_rules(tiny_config());
  ASSERT_TRUE(rules.ok());
  RequestRow row;
  row.accept = {2, 1, 3};  // S = 1, 3, 4, 7, 9, 10, 13
  sim::AcceptScript script;
  script.assign(rules.value(), row);
  const std::vector<std::int32_t> want{2, 1, 1, 3, 2, 1, 2, 1, 1, 3};
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(script.commits(static_cast<std::int32_t>(i) + 1), want[i]) << "g=" << i + 1;
  }
}

}  // namespace
}  // namespace tandem::test
