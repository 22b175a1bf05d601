// Bytes that stand for more than a reader may make: refused in time, and never written.
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/random_records.hpp"
#include "tests/support/sample_trace.hpp"
#include "traces/detail/crc32c.hpp"
#include "traces/detail/plain_codec.hpp"
#include "traces/detail/step_decoder.hpp"
#include "traces/detail/step_encoder.hpp"
#include "traces/detail/tbt_frame.hpp"

namespace tandem::detail {
namespace {

using test::Chaos;
using test::RandomRecords;
using test::small_header;

/// A record of kind back with one task.
StepRecord record_with_task(const TraceHeader& header) {
  const RunConfig& c = header.config;
  StepRecord record;
  record.reset(header.level, c.max_num_seqs, c.num_model_steps, c.row_width());
  record.kind = StepKind::back;
  record.tasks.emplace_back();
  return record;
}

/// Whether the decoder gives back what the encoder took, which refuses nothing.
bool comes_back(const TraceHeader& header, const StepRecord& record) {
  StepEncoder encoder(header);
  encoder.start(Keyframe::initial(0, header.config.max_num_seqs));
  encoder.add(record);
  Bytes chunks;
  encoder.finish(chunks);
  const auto decoder = StepDecoder::open(header, chunks, 1);
  StepRecord read;
  const Result<bool> more = decoder.value()->next(read);
  if (!more.ok()) return false;
  EXPECT_TRUE(read == record);
  return true;
}

Status written(const TraceHeader& header, const StepRecord& record) {
  test::MemorySink out;
  const auto writer = make_tbt_writer(out, {}).value();
  TANDEM_RETURN_IF_ERROR(writer->begin(header));
  TANDEM_RETURN_IF_ERROR(writer->keyframe(Keyframe::initial(0, header.config.max_num_seqs)));
  return writer->step(record);
}

void expect_bound(const TraceHeader& header, const StepRecord& just, const StepRecord& over) {
  EXPECT_TRUE(comes_back(header, just));
  EXPECT_TRUE(written(header, just).ok());
  EXPECT_FALSE(comes_back(header, over));
  const Status status = written(header, over);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().text.find("words of lists, want at most 16777216"), std::string::npos)
      << status.error().text;
}

constexpr std::uint64_t kOtherLists = 1'000;  ///< more than all but the long list takes

TEST(TraceBounds, RunsOfBlocksStopAtTheLimit) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  StepRecord just = record_with_task(header);
  auto& blocks = just.tasks.back().blocks;
  blocks.resize(kListWordsMax - kOtherLists);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::int32_t>(i);
  StepRecord over = just;
  over.tasks.back().blocks.resize(kListWordsMax + 1, 7);
  expect_bound(header, just, over);
}

TEST(TraceBounds, PackedArraysStopAtTheLimit) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  StepRecord just = record_with_task(header);
  just.tasks.back().admits = true;
  just.tasks.back().row.id = 3;
  just.tasks.back().row.accept.resize(kListWordsMax - kOtherLists, 1);
  just.tasks.back().row.accept.back() = 2;
  StepRecord over = just;
  over.tasks.back().row.accept.resize(kListWordsMax + 1, 1);
  expect_bound(header, just, over);
}

TEST(TraceBounds, MessagesStopAtTheLimit) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  const std::uint64_t most = kListWordsMax / words_of<Message>(1);
  StepRecord just = record_with_task(header);
  just.messages.resize(most - kOtherLists);
  StepRecord over = just;
  over.messages.resize(most + 1);
  expect_bound(header, just, over);
}

TEST(TraceBounds, OddRecordsStopAtTheLimit) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  StepRecord just = record_with_task(header);
  just.p1.d.resize(kListWordsMax - kOtherLists, 5);  // a column of no shape
  just.p1.d.back() = 6;
  StepRecord over = just;
  over.p1.d.resize(kListWordsMax + 1, 5);
  expect_bound(header, just, over);
}

TEST(TraceBounds, KeyframeTakesWhatItsListsSay) {
  const TraceHeader header = small_header(RecordLevel::state, 3, 2);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Keyframe keyframe = RandomRecords(seed, header, Chaos::shapes).keyframe(0);
    Bytes bytes;
    put_plain(bytes, keyframe);
    Keyframe read;
    ByteCursor enough(bytes);
    enough.allow(list_words(keyframe));
    get_plain(enough, read);
    EXPECT_TRUE(enough.ok() && enough.at_end()) << seed;
    EXPECT_EQ(read, keyframe) << seed;
    ByteCursor short_of(bytes);
    short_of.allow(list_words(keyframe) - 1);
    get_plain(short_of, read);
    EXPECT_FALSE(short_of.ok()) << seed;
  }
}

TEST(TraceBounds, LongKeyframeAndTailAreNotWritten) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  test::MemorySink out;
  const auto writer = make_tbt_writer(out, {}).value();
  ASSERT_TRUE(writer->begin(header).ok());
  Keyframe keyframe = Keyframe::initial(0, 1);
  keyframe.blocks.at(0).resize(kListWordsMax + 1);
  const Status status = writer->keyframe(keyframe);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().text.rfind("trace, keyframe: got ", 0), 0U) << status.error().text;
  RequestRow row;
  row.accept.resize(kListWordsMax);
  Status rows;
  for (int i = 0; i < 8; ++i) {
    rows = writer->unadmitted(row);
    EXPECT_EQ(rows.ok(), i < 7) << i;
  }
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().text.find("want at most 134217728"), std::string::npos)
      << rows.error().text;
}

// -- frames ---------------------------------------------------------------------------------------

/// The first frame of a trace, its head changed and its checksum right again.
std::string error_of_head(std::size_t at, std::uint64_t value, std::size_t size) {
  const TraceHeader header = small_header(RecordLevel::state, 1, 1);
  const auto file = test::to_tbt(RandomRecords(3, header, Chaos::mild).trace(1, 2)).value();
  const auto reader = open_trace(file, "t").value();
  const std::uint64_t offset = reader->blocks().at(0).offset;
  Bytes bytes(file.size());
  for (std::size_t i = 0; i < file.size(); ++i) bytes[i] = static_cast<std::uint8_t>(file[i]);
  for (std::size_t k = 0; k < size; ++k) {
    bytes[offset + at + k] = static_cast<std::uint8_t>(value >> (8 * k));
  }
  Bytes crc;
  put_fixed(crc, crc32c(ByteView(bytes).subspan(offset, kFrameHeadBytes - 4)));
  std::copy(crc.begin(), crc.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(offset + kFrameHeadBytes - 4));
  const Result<Frame> frame = get_frame(bytes, offset);
  return frame.ok() ? "" : frame.error().text;
}

TEST(TraceBounds, FrameSaysAtMostSoManyBytes) {
  EXPECT_NE(error_of_head(8, kPlanBytesMax + 1, 4).find("want at most 67108864"),
            std::string::npos);
  EXPECT_NE(error_of_head(8, kPlanBytesMax, 4).find("want"), std::string::npos);  // cut off
  EXPECT_EQ(error_of_head(8, kPlanBytesMax, 4).find("67108864 bytes, want at most"),
            std::string::npos);
  EXPECT_NE(error_of_head(24, kRawBytesMax + 1, 8).find("want at most 268435456"),
            std::string::npos);
  EXPECT_EQ(error_of_head(32, 5, 8), "");  // first_step: nothing that a frame alone could tell
}

/// An index of one block of that size in front of a tail.
Result<FileIndex> index_of(std::uint64_t block_bytes) {
  FileIndex index;
  index.blocks.emplace_back();
  index.blocks.back().info.size_bytes = block_bytes;
  index.tail_size = kFrameHeadBytes;
  Bytes payload;
  put_index_payload(payload, index);
  Bytes file(static_cast<std::size_t>(block_bytes + index.tail_size));
  FrameHead head;
  head.magic = kIndexMagic;
  head.raw_size = payload.size();
  const std::uint64_t offset = file.size();
  put_frame(file, head, "", payload);
  put_trailer(file, offset);
  std::uint64_t damage_offset = 0;
  return get_index(file, 0, damage_offset);
}

TEST(TraceBounds, BlockOfAnIndexHasRoomForItsHead) {
  EXPECT_TRUE(index_of(kFrameHeadBytes).ok());
  EXPECT_FALSE(index_of(kFrameHeadBytes - 1).ok());
  EXPECT_FALSE(index_of(0).ok());
}

TEST(TraceBounds, SegmentsOfOneFrameAreNotWrittenWithoutEnd) {
  test::MemorySink out;
  const auto writer = make_tbt_writer(out, {}).value();
  ASSERT_TRUE(writer->begin(small_header(RecordLevel::state, 1, 1)).ok());
  plan::Segment segment;
  segment.ops.resize(4'000);
  Status status;
  int taken = 0;
  for (; taken < 1'000; ++taken) {
    status = writer->segment(segment);
    if (!status.ok()) break;
  }
  EXPECT_GT(taken, 10);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().text.find("want at most 67108864"), std::string::npos)
      << status.error().text;
}

}  // namespace
}  // namespace tandem::detail
