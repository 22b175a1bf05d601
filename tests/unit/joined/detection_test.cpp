// Runtime traces changed in one number of a step or keyframe, encoded again: the judge notices.
#include "tests/support/detection.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"
#include "tests/support/sanitized.hpp"

namespace tandem::test {
namespace {

/// A run in memory, cut into one-block traces.
struct Recorded {
  std::string name;
  std::vector<TinyTrace> blocks;
};

Recorded record(const std::string& name, const Scenario& scenario,
                const std::vector<RequestSpec>& requests, RecordLevel level) {
  KeepingSink sink;
  RunOptions options;
  options.level = level;
  options.block_steps = 24;
  (void)run_kept(scenario, requests, sink, options);
  Recorded out{name, {}};
  for (std::size_t j = 0; j < sink.keyframes.size(); ++j) {
    const bool is_last = j + 1 == sink.keyframes.size();
    const std::size_t first = sink.keyframe_before[j];
    const std::size_t end = is_last ? sink.steps.size() : sink.keyframe_before[j + 1];
    TinyTrace trace;
    trace.head = sink.header;
    trace.head.first_step = sink.keyframes[j].t;
    trace.segments = sink.segments;
    trace.content.push_back({sink.keyframes[j], {}});
    trace.content[0].records.assign(sink.steps.begin() + static_cast<std::ptrdiff_t>(first),
                                    sink.steps.begin() + static_cast<std::ptrdiff_t>(end));
    trace.end_state = is_last ? sink.last : sink.keyframes[j + 1];
    out.blocks.push_back(std::move(trace));
  }
  return out;
}

std::vector<RequestSpec> mixed_requests(std::int32_t count, bool dnodes) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 2, 5 + (i * 37) % 180, 3 + (i * 13) % 40);
    if (i % 3 == 0) spec.row.eos_at = 2 + (i * 7) % 30;
    if (dnodes && i % 5 == 4) spec.dnode_drafts = i % 4;
    out.push_back(spec);
  }
  return out;
}

std::vector<Recorded> sound_runs() {
  std::vector<Recorded> out;
  const Scenario plain = small_scenario(4, 3);
  out.push_back(record("D-nodes, chunks", plain, mixed_requests(12, true), RecordLevel::state));
  out.push_back(record("full", plain, mixed_requests(8, false), RecordLevel::full));
  Scenario parking = small_scenario(4, 3);
  parking.config.kv_blocks = 20;
  out.push_back(record("parking", parking, mixed_requests(12, false), RecordLevel::state));
  Scenario graphs = small_scenario(3, 3);
  graphs.config.captured_sizes = {12, 8, 4};
  graphs.config.draft_path = DraftPath::self;
  graphs.config.policy = PolicyKind::upper_bound;
  out.push_back(record("self path, graphs", graphs, mixed_requests(10, true), RecordLevel::state));
  std::vector<RequestSpec> removed = mixed_requests(14, false);
  for (std::size_t i = 0; i < removed.size(); ++i) {
    if (i % 4 == 1) removed[i].row.abort_after = static_cast<std::int32_t>(2 + i % 5);
    if (i % 4 == 2) removed[i].preempt_after = static_cast<std::int32_t>(1 + i % 6);
  }
  out.push_back(record("aborts, preemptions", plain, removed, RecordLevel::state));
  Scenario extended = small_scenario(4, 4);
  extended.config.num_model_steps = 2;
  extended.config.ngram_millionths = 400000;
  std::vector<RequestSpec> stopped = mixed_requests(12, false);
  for (std::size_t i = 0; i < stopped.size(); ++i) {
    RequestRow& row = stopped[i].row;
    if (i % 3 == 1) row.stop_at = static_cast<std::int32_t>(1 + i % 5);
    if (i % 3 == 1) row.stop_len = 1;
    if (i % 6 == 1) row.min_tokens = 3;
    if (i % 2 == 0) row.cached_prompt = row.prompt_len / 2;
  }
  out.push_back(record("sequences, caches, n-grams", extended, stopped, RecordLevel::state));
  out.push_back(record("the same, full", extended, stopped, RecordLevel::full));
  Scenario sync = small_scenario(4, 3);
  set_all_rows(sync, RowMode::sync);
  sync.config.captured_sizes = {16, 8, 4};
  out.push_back(record("sync", sync, removed, RecordLevel::state));
  Scenario accepted = small_scenario(4, 4);
  accepted.config.policy = PolicyKind::all_accepted;
  accepted.config.num_model_steps = 2;
  out.push_back(record("timeline", accepted, mixed_requests(8, true), RecordLevel::timeline));
  return out;
}

/// One number of one record.
struct Place {
  std::uint64_t draw = 0;
  std::size_t block = 0;
  std::size_t record = 0;
  std::size_t target = 0;
};

/// `quota` places for each path, drawn from all of the run's by a hash of where they are.
std::map<std::string, std::vector<Place>> sample(const Recorded& run, std::size_t quota) {
  std::map<std::string, std::vector<Place>> places;
  const auto before = [](const Place& a, const Place& b) { return a.draw < b.draw; };
  for (std::size_t block = 0; block < run.blocks.size(); ++block) {
    const TinyTrace& trace = run.blocks[block];
    const std::vector<StepRecord>& records = trace.content[0].records;
    for (std::size_t k = 0; k < records.size(); ++k) {
      const std::vector<std::string> paths = numbers_of(records[k], trace.head.level);
      for (std::size_t target = 0; target < paths.size(); ++target) {
        std::vector<Place>& kept = places[paths[target]];
        const Place place{mix64(hash_chain(hash_chain(block, k), target)), block, k, target};
        if (kept.size() == quota && !before(place, kept.back())) continue;
        kept.insert(std::upper_bound(kept.begin(), kept.end(), place, before), place);
        if (kept.size() > quota) kept.pop_back();
      }
    }
  }
  return places;
}

void try_sample(Recorded& run, std::size_t quota, DetectionTable& table) {
  for (const TinyTrace& trace : run.blocks) {
    ASSERT_EQ(first_divergence(TinyReader(trace)), "") << run.name;
    ASSERT_EQ(broken_checks_through_codec(trace), std::set<std::string>{}) << run.name;
  }
  for (const auto& [path, places] : sample(run, quota)) {
    for (const Place& place : places) {
      TinyTrace& trace = run.blocks[place.block];
      StepRecord& r = trace.content[0].records[place.record];
      const StepRecord sound = r;
      const std::int64_t delta = (place.draw & 3U) == 0 ? std::int64_t{1} << 30U : 1;
      (void)change_number(r, trace.head.level, place.target, delta);
      const auto checks = broken_checks_through_codec(trace);
      table.add(path, checks,
                run.name + ", t=" + std::to_string(sound.t) + ", number " +
                    std::to_string(place.target) + ", delta " + std::to_string(delta));
      r = sound;
    }
  }
}

TEST(Detection, ChangedNumbersOfRuntimeTracesAreNoticed) {
  DetectionTable table;
  for (Recorded& run : sound_runs()) {
    ASSERT_FALSE(run.blocks.empty()) << run.name;
    try_sample(run, kSanitized ? 3 : 24, table);
  }
  std::fputs(table.text().c_str(), stdout);
  table.expect_all_noticed(is_beyond_judging);
  EXPECT_GT(table.tried(), kSanitized ? 400U : 3000U);
}

/// Some of a keyframe's numbers of each path, changed one by one. The keyframe is part of `trace`.
void try_keyframe(const std::string& name, TinyTrace& trace, Keyframe& keyframe, std::size_t quota,
                  DetectionTable& table) {
  const std::vector<std::string> paths = numbers_of(keyframe);
  std::map<std::string, std::size_t> taken;
  for (std::size_t k = 0; k < paths.size(); ++k) {
    const std::size_t target =
        mix64(hash_chain(static_cast<std::uint64_t>(keyframe.t), k)) % paths.size();
    if (taken[paths[target]]++ >= quota) continue;
    const Keyframe sound = keyframe;
    (void)change_number(keyframe, target, 1);
    const auto checks = broken_checks_through_codec(trace);
    table.add(paths[target], checks,
              name + ", t=" + std::to_string(sound.t) + ", number " + std::to_string(target));
    keyframe = sound;
  }
}

TEST(Detection, ChangedNumbersOfKeyframesAreNoticed) {
  DetectionTable table;
  for (Recorded& run : sound_runs()) {
    TinyTrace& first = run.blocks.front();
    ASSERT_EQ(first.content[0].keyframe.t, 0);
    try_keyframe(run.name + ", first", first, first.content[0].keyframe, 4, table);
    for (std::size_t block = 0; block < run.blocks.size(); block += kSanitized ? 4 : 1) {
      try_keyframe(run.name, run.blocks[block], run.blocks[block].end_state, 4, table);
    }
  }
  std::fputs(table.text().c_str(), stdout);
  table.expect_all_noticed([](const std::string&) { return false; });
  EXPECT_GT(table.tried(), kSanitized ? 400U : 3000U);
}

TEST(Detection, SeedsLeftByAWarmUpBelongToABeginningOfAnotherEngine) {
  Recorded run =
      record("plain", small_scenario(4, 3), mixed_requests(8, false), RecordLevel::state);
  TinyTrace& first = run.blocks.front();
  ASSERT_EQ(first_divergence(TinyReader(first)), "");
  first.content[0].keyframe.infer_seed[0] += 1;
  EXPECT_NE(first_divergence(TinyReader(first)).find("check=V0 step=0"), std::string::npos);
  first.head.absent.push_back("seed_used");
  EXPECT_EQ(first_divergence(TinyReader(first)), "");
}

}  // namespace
}  // namespace tandem::test
