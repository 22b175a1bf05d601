// What is written comes back: both forms, every level, any values, any shapes.
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "tests/support/random_records.hpp"
#include "tests/support/sample_trace.hpp"

namespace tandem::test {
namespace {

struct Case {
  RecordLevel level;
  std::int32_t slots;
  std::int32_t drafts;
  Chaos chaos;
  std::size_t blocks;
  std::size_t steps;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << to_name(c.level) << " B=" << c.slots << " K=" << c.drafts << " chaos "
             << static_cast<int>(c.chaos) << ", " << c.blocks << " x " << c.steps;
}

class TraceRoundTrip : public testing::TestWithParam<Case> {
 protected:
  static SampleTrace sample(std::uint64_t seed) {
    const Case& c = GetParam();
    return RandomRecords(seed, small_header(c.level, c.slots, c.drafts), c.chaos)
        .trace(c.blocks, c.steps);
  }
};

TEST_P(TraceRoundTrip, TbtGivesBackEveryField) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const SampleTrace trace = sample(seed);
    const auto bytes = to_tbt(trace);
    ASSERT_TRUE(bytes.ok()) << bytes.error().text;
    const auto back = read_trace(bytes.value());
    ASSERT_TRUE(back.ok()) << back.error().text;
    EXPECT_EQ(first_difference(trace, back.value()), "");
  }
}

TEST_P(TraceRoundTrip, JsonlGivesBackEveryField) {
  const SampleTrace trace = sample(11);
  const auto bytes = to_jsonl(trace);
  ASSERT_TRUE(bytes.ok()) << bytes.error().text;
  const auto back = read_trace(bytes.value());
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(first_difference(trace, back.value()), "");
}

TEST_P(TraceRoundTrip, TbtToJsonlToTbtKeepsTheBytes) {
  const SampleTrace trace = sample(21);
  const auto first = read_trace(to_tbt(trace).value());
  ASSERT_TRUE(first.ok()) << first.error().text;
  const auto jsonl = to_jsonl(first.value());
  ASSERT_TRUE(jsonl.ok());
  const auto second = read_trace(jsonl.value());
  ASSERT_TRUE(second.ok()) << second.error().text;
  EXPECT_EQ(to_tbt(second.value()).value(), to_tbt(first.value()).value());
  EXPECT_EQ(to_jsonl(second.value()).value(), jsonl.value());
}

TEST_P(TraceRoundTrip, SameInputGivesSameBytes) {
  EXPECT_EQ(to_tbt(sample(31)).value(), to_tbt(sample(31)).value());
  EXPECT_EQ(to_jsonl(sample(31)).value(), to_jsonl(sample(31)).value());
}

TEST_P(TraceRoundTrip, CompressedBlocksGiveBackEveryField) {
  if (!zstd_available()) GTEST_SKIP() << "this build has no zstd";
  const SampleTrace trace = sample(41);
  TbtOptions options;
  options.compression = TbtOptions::Compression::zstd;
  const auto bytes = to_tbt(trace, options);
  ASSERT_TRUE(bytes.ok()) << bytes.error().text;
  const auto back = read_trace(bytes.value());
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(first_difference(trace, back.value()), "");
  const auto reader = open_trace(bytes.value(), "t").value();
  for (const BlockInfo& block : reader->blocks()) EXPECT_TRUE(block.compressed);
}

INSTANTIATE_TEST_SUITE_P(Shapes, TraceRoundTrip,
                         testing::Values(Case{RecordLevel::state, 4, 3, Chaos::mild, 3, 20},
                                         Case{RecordLevel::state, 4, 3, Chaos::wild, 3, 20},
                                         Case{RecordLevel::state, 4, 3, Chaos::shapes, 3, 20},
                                         Case{RecordLevel::state, 1, 1, Chaos::mild, 40, 2},
                                         Case{RecordLevel::state, 1, 1, Chaos::wild, 2, 9},
                                         Case{RecordLevel::state, 512, 3, Chaos::mild, 2, 3},
                                         Case{RecordLevel::state, 512, 16, Chaos::wild, 1, 2},
                                         Case{RecordLevel::timeline, 5, 2, Chaos::mild, 2, 12},
                                         Case{RecordLevel::timeline, 5, 2, Chaos::shapes, 2, 12},
                                         Case{RecordLevel::full, 5, 2, Chaos::mild, 2, 12},
                                         Case{RecordLevel::full, 5, 2, Chaos::shapes, 2, 12},
                                         Case{RecordLevel::state, 3, 2, Chaos::mild, 0, 0}));

TEST(TraceContents, KeyframesWithoutStepsLeaveNoBlock) {
  RandomRecords random(5, small_header(RecordLevel::state, 3, 2), Chaos::mild);
  SampleTrace trace = random.trace(1, 4);
  SampleBlock hollow;
  hollow.keyframe = trace.blocks[0].keyframe;
  trace.blocks.insert(trace.blocks.begin(), hollow);
  for (const auto& bytes : {to_tbt(trace).value(), to_jsonl(trace).value()}) {
    const auto back = read_trace(bytes);
    ASSERT_TRUE(back.ok()) << back.error().text;
    ASSERT_EQ(back.value().blocks.size(), 1U);
    EXPECT_EQ(back.value().blocks[0].steps, trace.blocks[1].steps);
  }
}

TEST(TraceContents, SegmentsWithoutAStepAreKept) {
  RandomRecords random(6, small_header(RecordLevel::state, 3, 2), Chaos::mild);
  const SampleTrace empty = random.trace(0, 0);
  const plan::Segment segment = random.segment();
  MemorySink out;
  const auto writer = make_tbt_writer(out, {}).value();
  ASSERT_TRUE(writer->begin(empty.header));
  ASSERT_TRUE(writer->segment(segment));
  ASSERT_TRUE(writer->end(empty.last));
  const auto reader = open_trace(out.bytes, "t");
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader.value()->segments(), std::vector{segment});
}

TEST(TraceContents, AbsentFieldsReadAsDefaults) {
  TraceHeader header = small_header(RecordLevel::state, 4, 3);
  header.absent = {"p1.d", "p2.a", "messages", "substeps.qd", "believed_len", "repeat", "tasks"};
  SampleTrace trace =
      RandomRecords(7, small_header(RecordLevel::state, 4, 3), Chaos::mild).trace(2, 10);
  trace.header = header;
  for (const auto& bytes : {to_tbt(trace).value(), to_jsonl(trace).value()}) {
    const auto back = read_trace(bytes);
    ASSERT_TRUE(back.ok()) << back.error().text;
    const StepRecord& in = trace.blocks[1].steps[5];
    const StepRecord& out = back.value().blocks[1].steps[5];
    EXPECT_EQ(out.p1.d, Column(4, 0));
    EXPECT_EQ(out.p2.a, Column(4, 0));
    EXPECT_EQ(out.substeps[1].qd, Column(4, 0));
    EXPECT_EQ(out.repeat, 1);
    EXPECT_TRUE(out.messages.empty() && out.tasks.empty());
    EXPECT_EQ(out.p1.q, in.p1.q);
    EXPECT_EQ(out.p4, in.p4);
    EXPECT_EQ(out.substeps[1].dd, in.substeps[1].dd);
  }
}

TEST(TraceContents, BlockInfoCountsIterationsAndRecords) {
  SampleTrace trace =
      RandomRecords(8, small_header(RecordLevel::state, 2, 2), Chaos::mild).trace(3, 5);
  for (const auto& bytes : {to_tbt(trace).value(), to_jsonl(trace).value()}) {
    const auto reader = open_trace(bytes, "t").value();
    ASSERT_EQ(reader->blocks().size(), 3U);
    std::int64_t t = trace.header.first_step;
    for (const BlockInfo& block : reader->blocks()) {
      EXPECT_EQ(block.first_step, t);
      EXPECT_EQ(block.record_count, 5);
      EXPECT_FALSE(block.compressed);
      t += block.step_count;
    }
    EXPECT_EQ(t, trace.last.t);
  }
}

TEST(TraceContents, BytesAreFlushedAtTheEndOfEveryBlock) {
  const SampleTrace trace =
      RandomRecords(9, small_header(RecordLevel::state, 2, 2), Chaos::mild).trace(3, 5);
  MemorySink out;
  ASSERT_TRUE(write_trace(trace, *make_tbt_writer(out, {}).value()));
  const auto reader = open_trace(out.bytes, "t").value();
  for (const BlockInfo& block : reader->blocks()) {
    const std::size_t end = block.offset + block.size_bytes;
    EXPECT_NE(std::find(out.flushed.begin(), out.flushed.end(), end), out.flushed.end());
  }
}

TEST(TraceContents, BlocksReadInAnyOrderAndTwice) {
  const SampleTrace trace =
      RandomRecords(10, small_header(RecordLevel::state, 4, 3), Chaos::mild).trace(3, 7);
  const auto bytes = to_tbt(trace).value();
  const auto reader = open_trace(bytes, "t").value();
  StepRecord record;
  for (const std::size_t index : {2U, 0U, 1U, 1U}) {
    const auto block = reader->open_block(index).value();
    EXPECT_EQ(block->keyframe(), trace.blocks[index].keyframe);
    for (const StepRecord& wanted : trace.blocks[index].steps) {
      ASSERT_TRUE(block->next(record).value());
      EXPECT_EQ(record, wanted);
    }
    EXPECT_FALSE(block->next(record).value());
  }
}

}  // namespace
}  // namespace tandem::test
