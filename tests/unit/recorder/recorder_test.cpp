// The C recorder: its names and digests against Tandem's own, its ring, its threads, its errors.
#include <atomic>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/scratch_folder.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"
#include "traces/fields.hpp"
#include "traces/header_json.hpp"
#include "traces/recorder/detail/lines.hpp"
#include "traces/recorder/tandem_recorder.h"
#include "traces/tbt.hpp"

namespace tandem::test {
namespace {

constexpr std::int32_t kSlots = 4;
constexpr std::size_t kWidth = 4;

/// Arrays of an engine with four slots, and a step that points at them.
struct Engine {
  std::vector<std::int32_t> q = std::vector<std::int32_t>(kSlots, 0), d = q, a = q;
  std::vector<std::uint8_t> stopped = std::vector<std::uint8_t>(kSlots, 1);
  std::vector<std::int64_t> g = std::vector<std::int64_t>(kSlots, 0);
  std::vector<std::int64_t> drafts = std::vector<std::int64_t>(kSlots * kWidth, -1);
  std::vector<std::int64_t> accepted = drafts;
  std::vector<std::int32_t> tables;
  tandem_config config;
  tandem_step step;

  Engine() {
    tandem_config_init(&config);
    config.producer = "recorder_test";
    config.max_num_seqs = kSlots;
    config.max_model_len = 256;
    config.digest_key = 99;
    config.has_digest_key = 1;
    static constexpr std::int64_t kEos = 2;
    config.eos_ids = &kEos;
    config.eos_id_count = 1;
    tables.assign(std::size_t{kSlots} * 6, -1);
    tandem_step_init(&step);
    step.token_num = step.real_bsz = 1;
    step.n = 1;
    step.kind = TANDEM_BACK;
    step.seq_lens_this_time_cpu = q.data();
    for (tandem_slots* point : {&step.p1, &step.p2}) {
      point->seq_lens_this_time = q.data();
      point->seq_lens_decoder = d.data();
      point->stop_flags = stopped.data();
      point->step_idx = g.data();
    }
    step.p1.draft_tokens = drafts.data();
    step.p2.accept_num = a.data();
    step.accept_tokens = accepted.data();
    step.block_tables = tables.data();
  }
};

/// Every record of a trace file, decoded by the reader of traces/.
std::vector<StepRecord> read_steps(const std::string& path, TraceHeader* header = nullptr) {
  const std::string text = read_whole(path);
  const auto reader = open_trace(std::as_bytes(std::span(text.data(), text.size())), path);
  EXPECT_TRUE(reader.ok()) << (reader.ok() ? "" : reader.error().text);
  std::vector<StepRecord> records;
  if (!reader.ok()) return records;
  if (header != nullptr) *header = reader.value()->header();
  for (std::size_t i = 0; i < reader.value()->blocks().size(); ++i) {
    auto block = reader.value()->open_block(i);
    EXPECT_TRUE(block.ok());
    StepRecord record;
    for (;;) {
      const auto more = block.value()->next(record);
      EXPECT_TRUE(more.ok()) << (more.ok() ? "" : more.error().text);
      if (!more.ok() || !more.value()) break;
      records.push_back(record);
    }
  }
  return records;
}

tandem_keyframe end_of(std::int64_t t) {
  tandem_keyframe last;
  tandem_keyframe_init(&last);
  last.t = t;
  return last;
}

TEST(Recorder, FieldsThenNamedAndOrderedAsInTheTrace) {
  std::vector<std::string> ours;
  for (const recorder::Field& field : recorder::kFields) {
    ours.emplace_back(field.name);
    if (field.form != recorder::Form::substeps) continue;
    for (const recorder::Field& sub : recorder::kSubstepFields) {
      ours.emplace_back(std::string("substeps.") + sub.name);
    }
  }
  std::vector<std::string> all;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    const bool held = field_info(field).level != RecordLevel::full;
    if (held && field != Field::repeat) all.push_back(field_path(field));  // each step is one
  }
  EXPECT_EQ(ours, all);
}

TEST(Recorder, DigestsThenThoseOfTraces) {
  RandomStream draws(7, "recorder_test");
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> tokens(draws.below(9));
    for (std::int64_t& token : tokens) token = static_cast<std::int64_t>(draws.next());
    const std::uint64_t key = draws.next();
    for (const unsigned bits : {1U, 8U, 16U, 32U}) {
      EXPECT_EQ(recorder::digest(key, tokens.data(), tokens.size(), bits),
                token_row_digest(key, tokens, bits));
    }
    std::vector<std::int32_t> row(draws.below(9));
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<std::int32_t>(draws.below(1000)) - 100;
      sum += block_entry_hash(static_cast<std::int32_t>(i), row[i]);
    }
    EXPECT_EQ(recorder::table_row_hash(row.data(), row.size()), sum);
  }
}

TEST(Recorder, StepOfAnEngineThenReadBackAsARecord) {
  const ScratchFolder folder;
  const std::string path = folder / "a.jsonl";
  Engine e;
  tandem_recorder* r = nullptr;
  ASSERT_EQ(tandem_recorder_open(path.c_str(), &e.config, &e.step, nullptr, &r), TANDEM_OK);
  e.q = {3, 0, 0, 0};
  e.a = {2, 0, 0, 0};
  e.stopped[0] = 0;
  e.drafts = {7, 8, -1, 9, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  e.accepted = {8, 2, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  e.tables[0] = 5;
  e.tables[6] = 1;
  ASSERT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  // A row that did not change keeps its hash, whatever the array says.
  const std::vector<std::uint8_t> changed{0, 1, 0, 0};
  e.tables[0] = 77;
  e.tables[6] = 2;
  e.step.block_rows_changed = changed.data();
  e.step.t = 1;
  ASSERT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  const tandem_keyframe last = end_of(2);
  ASSERT_EQ(tandem_recorder_close(r, &last), TANDEM_OK);
  tandem_recorder_free(r);

  TraceHeader header;
  const std::vector<StepRecord> records = read_steps(path, &header);
  ASSERT_EQ(records.size(), 2U);
  const StepRecord& record = records[0];
  EXPECT_EQ(record.p1.q, (Column{3, 0, 0, 0}));
  EXPECT_EQ(record.p1.s, (Column{0, 1, 1, 1}));
  EXPECT_EQ(record.p1_draft.len, (Column{2, 0, 0, 0}));
  EXPECT_EQ(record.p1_draft.hole, (Column{1, 0, 0, 0}));
  const std::vector<std::int64_t> second{8};
  const std::vector<std::int64_t> both{8, 2};
  EXPECT_EQ(record.p1_draft.digest[0], static_cast<std::int32_t>(token_row_digest(99, second, 8)));
  EXPECT_EQ(record.accept_digest[0], static_cast<std::int32_t>(token_row_digest(99, both, 16)));
  EXPECT_EQ(record.accept_marks, (Column{kMarkLastIsEos, 0, 0, 0}));
  const auto hash = [](std::int32_t block) {
    return static_cast<std::int32_t>(block_entry_hash(0, block));
  };
  EXPECT_EQ(record.p1_table_hash, (Column{hash(5), hash(1), 0, 0}));
  EXPECT_EQ(records[1].p1_table_hash, (Column{hash(5), hash(2), 0, 0}));
  EXPECT_EQ(header.config.digest_key, 0U);
  const FieldSet present = present_fields(header);
  EXPECT_TRUE(present.test(static_cast<std::size_t>(Field::p1_table_hash)));
  EXPECT_FALSE(present.test(static_cast<std::size_t>(Field::p1_e)));
}

TEST(Recorder, WhatMeansNothingThenOneValueAndOfIdsOnlyStrays) {
  const ScratchFolder folder;
  const std::string path = folder / "a.jsonl";
  Engine e;
  std::vector<std::int32_t> encoder{3, 3, 0, 0};
  const std::vector<std::int64_t> prompts{9, 4, 9, 0};
  std::vector<std::int64_t> ids{0, 31999, 7, 8};
  e.config.vocab_size = 32000;
  e.step.p1.seq_lens_encoder = encoder.data();
  e.step.prompt_lens = prompts.data();
  e.step.ids_remove_padding = ids.data();
  e.step.token_num = 4;
  e.a = {1, 1, 0, 0};
  e.d = {6, 4, 0, 0};  // slot 0 goes on with its text, slot 1 finishes it
  e.accepted[0] = e.accepted[kWidth] = 8;
  tandem_recorder* r = nullptr;
  ASSERT_EQ(tandem_recorder_open(path.c_str(), &e.config, &e.step, nullptr, &r), TANDEM_OK);
  ASSERT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  ids = {-3, std::int64_t{1} << 40U, -1, 32000};
  e.step.t = 1;
  ASSERT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  const tandem_keyframe last = end_of(2);
  ASSERT_EQ(tandem_recorder_close(r, &last), TANDEM_OK);
  tandem_recorder_free(r);

  const std::vector<StepRecord> records = read_steps(path);
  ASSERT_EQ(records.size(), 2U);
  const std::vector<std::int64_t> one{8};
  EXPECT_EQ(records[0].accept_digest,
            (Column{0, static_cast<std::int32_t>(token_row_digest(99, one, 16)), 0, 0}));
  EXPECT_EQ(records[0].last_digest[0], static_cast<std::int32_t>(token_row_digest(99, one, 8)));
  EXPECT_EQ(records[0].id_below, 0);
  EXPECT_EQ(records[0].id_above, 0);
  EXPECT_EQ(records[1].id_below, -3);
  EXPECT_EQ(records[1].id_above, std::numeric_limits<std::int32_t>::max());
}

TEST(Recorder, SmallRingThenStallsAreCountedAndEveryStepIsThere) {
  const ScratchFolder folder;
  const std::string path = folder / "a.jsonl";
  Engine e;
  e.config.ring_bytes = 8192;
  tandem_recorder* r = nullptr;
  ASSERT_EQ(tandem_recorder_open(path.c_str(), &e.config, &e.step, nullptr, &r), TANDEM_OK);
  constexpr std::int64_t kSteps = 3000;
  for (e.step.t = 0; e.step.t < kSteps; ++e.step.t) {
    e.q[0] = static_cast<std::int32_t>(e.step.t);
    ASSERT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  }
  const tandem_keyframe last = end_of(kSteps);
  ASSERT_EQ(tandem_recorder_close(r, &last), TANDEM_OK);
  EXPECT_GT(tandem_recorder_stalls(r), 0U);
  tandem_recorder_free(r);
  const std::vector<StepRecord> records = read_steps(path);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kSteps));
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].t, static_cast<std::int64_t>(i));
    ASSERT_EQ(records[i].p1.q[0], static_cast<std::int32_t>(i));
  }
}

TEST(Recorder, ClosedByAnotherThreadThenTheRecordingOneIsToldAndNothingIsTorn) {
  const ScratchFolder folder;
  const std::string path = folder / "a.jsonl";
  Engine e;
  tandem_recorder* r = nullptr;
  ASSERT_EQ(tandem_recorder_open(path.c_str(), &e.config, &e.step, nullptr, &r), TANDEM_OK);
  std::atomic<std::int64_t> recorded{0};
  std::thread engine([&] {
    while (tandem_recorder_step(r, &e.step) == TANDEM_OK) {
      ++e.step.t;
      ++recorded;
    }
  });
  while (recorded < 100) std::this_thread::yield();
  EXPECT_EQ(tandem_recorder_close(r, nullptr), TANDEM_OK);
  engine.join();
  EXPECT_EQ(tandem_recorder_step(r, &e.step), TANDEM_CLOSED);
  EXPECT_EQ(tandem_recorder_close(r, nullptr), TANDEM_OK);
  tandem_recorder_free(r);
  EXPECT_EQ(read_steps(path).size(), static_cast<std::size_t>(recorded));
}

TEST(Recorder, WrongArgumentsThenRefusedByName) {
  const ScratchFolder folder;
  const std::string path = folder / "a.jsonl";
  Engine e;
  tandem_recorder* r = nullptr;
  const auto open = [&] {
    return tandem_recorder_open(path.c_str(), &e.config, &e.step, nullptr, &r);
  };
  e.config.max_num_seqs = 513;
  EXPECT_EQ(open(), TANDEM_BAD_ARGUMENT);
  e.config.max_num_seqs = kSlots;
  e.step.p2.accept_num = nullptr;  // accept_tokens mean nothing without it
  EXPECT_EQ(open(), TANDEM_BAD_ARGUMENT);
  e.step.p2.accept_num = e.a.data();
  EXPECT_EQ(r, nullptr);
  ASSERT_EQ(open(), TANDEM_OK);
  const auto refuses = [&](const tandem_step& step, tandem_result result, const char* detail) {
    EXPECT_EQ(tandem_recorder_step(r, &step), result) << detail;
    EXPECT_STREQ(tandem_recorder_detail(r), detail);
  };
  tandem_step step = e.step;
  step.p1.step_idx = nullptr;
  refuses(step, TANDEM_BAD_FIELD, "p1.g");
  step = e.step;
  step.live_tail = 0;
  refuses(step, TANDEM_BAD_FIELD, "live_tail");
  step = e.step;
  step.n = kSlots + 1;
  refuses(step, TANDEM_BAD_ARGUMENT, "n");
  step = e.step;
  step.kind = 3;
  refuses(step, TANDEM_BAD_ARGUMENT, "kind");
  step = e.step;
  step.kind = TANDEM_IDLE;  // nothing from P2 on is read
  step.p2 = tandem_slots{};
  step.accept_tokens = nullptr;
  refuses(step, TANDEM_OK, "");
  EXPECT_EQ(tandem_recorder_close(r, nullptr), TANDEM_OK);
  tandem_recorder_free(r);
  EXPECT_EQ(read_steps(path).size(), 1U);
}

TEST(Recorder, EntryBeyondTheRingThenTooLargeAndTheRestGoesOn) {
  const ScratchFolder folder;
  Engine e;
  e.config.ring_bytes = 8192;
  tandem_task task{};
  const std::vector<std::int32_t> blocks(4096, 1);
  task.blocks = blocks.data();
  e.step.tasks = &task;
  tandem_recorder* r = nullptr;
  ASSERT_EQ(tandem_recorder_open((folder / "a").c_str(), &e.config, &e.step, nullptr, &r),
            TANDEM_OK);
  e.step.task_count = 1;
  EXPECT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  task.block_count = blocks.size();
  EXPECT_EQ(tandem_recorder_step(r, &e.step), TANDEM_TOO_LARGE);
  task.block_count = 1;
  EXPECT_EQ(tandem_recorder_step(r, &e.step), TANDEM_OK);
  tandem_recorder_free(r);
  EXPECT_EQ(read_steps(folder / "a").size(), 2U);
}

TEST(Recorder, FileThatCannotBeWrittenThenSaidSoAndNobodyWaitsForEver) {
  Engine e;
  tandem_recorder* r = nullptr;
  EXPECT_EQ(tandem_recorder_open("/nowhere/a", &e.config, &e.step, nullptr, &r), TANDEM_IO);
  EXPECT_EQ(r, nullptr);
  if (std::ofstream("/dev/full").fail()) GTEST_SKIP() << "no /dev/full";
  const ScratchFolder folder;
  ASSERT_EQ(::symlink("/dev/full", (folder / "a.part").c_str()), 0);
  e.config.ring_bytes = 8192;
  ASSERT_EQ(tandem_recorder_open((folder / "a").c_str(), &e.config, &e.step, nullptr, &r),
            TANDEM_OK);
  tandem_result result = TANDEM_OK;
  for (int i = 0; i < 1000000 && result == TANDEM_OK; ++i) {
    result = tandem_recorder_step(r, &e.step);
  }
  EXPECT_EQ(result, TANDEM_IO);
  EXPECT_EQ(tandem_recorder_close(r, nullptr), TANDEM_IO);
  EXPECT_FALSE(std::ifstream(folder / "a").good());
  tandem_recorder_free(r);
}

TEST(Recorder, EveryResultThenASentence) {
  for (int result = TANDEM_OK; result <= TANDEM_CLOSED + 1; ++result) {
    EXPECT_GT(std::string(tandem_result_text(static_cast<tandem_result>(result))).size(), 3U);
  }
  EXPECT_EQ(tandem_recorder_step(nullptr, nullptr), TANDEM_BAD_ARGUMENT);
  EXPECT_EQ(tandem_recorder_close(nullptr, nullptr), TANDEM_BAD_ARGUMENT);
  tandem_recorder_free(nullptr);
}

}  // namespace
}  // namespace tandem::test
