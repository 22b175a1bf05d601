// Level full: poison in rows that nobody may read (V11), and that recording changes no state.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/runtime/hooked_device.hpp"
#include "traces/fields.hpp"

namespace tandem {
namespace {

using plan::OpKind;
using test::KeepingSink;
using test::request;
using test::small_scenario;

/// Rows of the step that are poisoned: hidden rows T..N and output batch ids R..n W.
std::int32_t padding_rows(const StepRecord& r, std::int32_t row_width) {
  if (r.kind != StepKind::back) return 0;
  return (r.token_num - r.cu_seqlens_q.back()) + (r.n * row_width - r.output_rows);
}

/// Names the fields of a level that differ between two records. A sub-step counts as a whole.
class StateDifference {
 public:
  StateDifference(const StepRecord& a, const StepRecord& b) {
    visit_fields(a, *this);
    visit_fields(b, *this);
  }
  template <class T>
  void operator()(Field field, const T& value) {
    if (!state_.test(static_cast<std::size_t>(field))) return;
    const void*& known = first_[static_cast<std::size_t>(field)];
    if (known == nullptr) {
      known = &value;
    } else if (!(*static_cast<const T*>(known) == value)) {
      text += field_path(field) + " ";
    }
  }
  template <class T, class Each>
  void list(Field field, const std::vector<T>& value, Each /*each*/) {
    (*this)(field, value);
  }
  std::string text;

 private:
  const FieldSet state_ = fields_at(RecordLevel::state);
  const void* first_[kFieldCount] = {};
};

/// Compares a run at level full with the same run at level state; keeps nothing of it.
class FullSink : public RecordSink {
 public:
  FullSink(const std::vector<StepRecord>& state, std::int32_t row_width)
      : state_(state), row_width_(row_width) {}
  Status begin(const TraceHeader& /*header*/) override { return {}; }
  Status segment(const plan::Segment& /*segment*/) override { return {}; }
  Status keyframe(const Keyframe& /*keyframe*/) override { return {}; }
  Status step(const StepRecord& r) override {
    const std::int32_t wanted = padding_rows(r, row_width_);
    wrong_rows += r.poison_rows == wanted ? 0 : 1;
    damaged += r.poison_damaged;
    poisoned += r.poison_rows;
    const std::size_t k = steps++;
    if (k < state_.size() && difference.empty()) {
      difference = StateDifference(state_[k], r).text;
      if (!difference.empty()) difference += "in step " + std::to_string(r.t);
    }
    return {};
  }
  Status unadmitted(const RequestRow& /*row*/) override { return {}; }
  Status end(const Keyframe& /*last*/) override { return {}; }

  std::size_t steps = 0;
  std::int64_t wrong_rows = 0;
  std::int64_t damaged = 0;
  std::int64_t poisoned = 0;
  std::string difference;

 private:
  const std::vector<StepRecord>& state_;
  std::int32_t row_width_;
};

class CatalogPoison : public testing::TestWithParam<std::string> {};

void run_catalog(const Scenario& scenario, RecordLevel level, RecordSink& sink) {
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  auto workload = make_workload(scenario, no_files);
  ASSERT_TRUE(workload.ok());
  RunOptions options;
  options.level = level;
  ASSERT_TRUE(run_on_host(scenario, *workload.value(), options, &sink).ok());
}

TEST_P(CatalogPoison, CoversThePaddingStaysWholeAndChangesNoState) {
  for (const char* schedule : {"sync", "overlap"}) {
    for (const char* path : {"gather", "self"}) {
      SCOPED_TRACE(std::string(schedule) + ", " + path);
      std::vector<std::string> overrides{std::string("schedule=") + schedule,
                                         std::string("draft_path=") + path};
      // Large ones are cut: every kind of step matters, not many of each.
      const bool large = GetParam().starts_with("azure") || GetParam() == "wide";
      if (large) overrides.emplace_back("limits.steps=300");
      const auto scenario = parse_scenario(*catalog_scenario(GetParam()), GetParam(), overrides);
      ASSERT_TRUE(scenario.ok()) << scenario.error().text;
      KeepingSink state;
      run_catalog(scenario.value(), RecordLevel::state, state);
      FullSink full(state.steps, scenario.value().config.row_width());
      run_catalog(scenario.value(), RecordLevel::full, full);
      EXPECT_EQ(full.steps, state.steps.size());
      EXPECT_EQ(full.difference, "");
      EXPECT_EQ(full.wrong_rows, 0);
      EXPECT_EQ(full.damaged, 0);
      EXPECT_GT(full.poisoned, 0);
      for (const StepRecord& r : state.steps) ASSERT_EQ(r.poison_rows + r.poison_damaged, 0);
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const std::string_view name : catalog_names()) out.emplace_back(name);
  return out;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string out = info.param;
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

INSTANTIATE_TEST_SUITE_P(Catalog, CatalogPoison, testing::ValuesIn(names()), test_name);

// -- damage ---------------------------------------------------------------------------------------

/// Runs a few requests at level full; `again` is enqueued once more behind the poison, while
/// nothing it reads has changed: it writes its padding rows, and the others as they were.
std::vector<StepRecord> run_with_writer(OpKind again) {
  const plan::Operation* op = nullptr;  // one of the plan's, which outlive the run
  LaunchArgs then;
  const auto hook = [&](HostDevice& inner, const plan::Operation& next, const LaunchArgs& args) {
    inner.enqueue(next, args);
    if (next.kind == again) {
      op = &next;
      then = args;
    }
    if (next.kind == OpKind::rebuild_padding) inner.enqueue(*op, then);
  };
  std::vector<RequestSpec> requests;
  for (std::int32_t i = 0; i < 8; ++i) {
    requests.push_back(request(i, i * 4, 5 + i * 7, 10 + (i * 13) % 40));
  }
  RunOptions options;
  options.level = RecordLevel::full;
  KeepingSink sink;
  (void)test::run_hooked(small_scenario(4, 3), std::move(requests), sink, hook, options);
  return std::move(sink.steps);
}

TEST(Poison, CountsHiddenRowsThatALaterForwardWrote) {
  std::int64_t damaged = 0;
  for (const StepRecord& r : run_with_writer(OpKind::target_forward)) {
    if (r.kind != StepKind::back) continue;
    EXPECT_EQ(r.poison_damaged, r.token_num - r.cu_seqlens_q.back()) << r.t;
    EXPECT_EQ(r.poison_rows, padding_rows(r, 4)) << r.t;
    damaged += r.poison_damaged;
  }
  EXPECT_GT(damaged, 0);
}

TEST(Poison, CountsOutputBatchIdsThatALaterPackingWrote) {
  std::int64_t damaged = 0;
  for (const StepRecord& r : run_with_writer(OpKind::speculate_pre_process)) {
    if (r.kind != StepKind::back) continue;
    EXPECT_EQ(r.poison_damaged, r.n * 4 - r.output_rows) << r.t;
    EXPECT_EQ(r.poison_rows, padding_rows(r, 4)) << r.t;
    damaged += r.poison_damaged;
  }
  EXPECT_GT(damaged, 0);
}

}  // namespace
}  // namespace tandem
