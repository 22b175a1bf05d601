// The byte budget: what a decode-heavy trace takes on disk at level state.
#include <gtest/gtest.h>

#include "tests/support/decode_trace.hpp"

namespace tandem::test {
namespace {

double bytes_per_slot_step(const SampleTrace& trace, const TbtOptions& options) {
  std::size_t steps = 0;
  for (const SampleBlock& block : trace.blocks) steps += block.steps.size();
  const auto bytes = to_tbt(trace, options).value();
  const auto slots = static_cast<std::size_t>(trace.header.config.max_num_seqs);
  return static_cast<double>(bytes.size()) / static_cast<double>(steps * slots);
}

TEST(TraceSize, DecodingSlotsStayWithinTheBudget) {
  const SampleTrace trace = DecodeTrace(64, 3, 400, 1).trace(1, 512);
  const double plain = bytes_per_slot_step(trace, {});
  RecordProperty("bytes_per_slot_step", std::to_string(plain));
  EXPECT_LE(plain, 5.5);
  EXPECT_GE(plain, 4.0) << "digests alone are 4 bytes: something was not written";
  if (!zstd_available()) return;
  TbtOptions zstd;
  zstd.compression = TbtOptions::Compression::zstd;
  EXPECT_LE(bytes_per_slot_step(trace, zstd), plain);
}

TEST(TraceSize, DecodeTraceComesBack) {
  const SampleTrace trace = DecodeTrace(16, 3, 60, 2).trace(3, 50);
  const auto tbt = read_trace(to_tbt(trace).value());
  ASSERT_TRUE(tbt.ok()) << tbt.error().text;
  EXPECT_EQ(first_difference(trace, tbt.value()), "");
  const auto jsonl = read_trace(to_jsonl(trace).value());
  ASSERT_TRUE(jsonl.ok()) << jsonl.error().text;
  EXPECT_EQ(first_difference(trace, jsonl.value()), "");
}

TEST(TraceSize, PredictableStepsCostNextToNothing) {
  // Steps in which nothing runs: all that is left is the shape of the record.
  SampleTrace trace;
  trace.header = small_header(RecordLevel::state, 64, 3);
  SampleBlock& block = trace.blocks.emplace_back();
  block.keyframe = trace.last = Keyframe::initial(3, 64);
  for (std::int64_t t = 3; t < 1003; ++t) {
    StepRecord r;
    r.reset(RecordLevel::state, 64, 3, 4);
    r.kind = StepKind::idle;
    r.t = r.q_cpu_step = r.b_cpu_step = t;
    r.p1.s.assign(64, 1);
    r.p1_request.assign(64, kNoRequest);
    r.output_rows_host = -1;
    block.steps.push_back(r);
  }
  EXPECT_LE(to_tbt(trace).value().size(), 1000U + 4096U);
}

}  // namespace
}  // namespace tandem::test
