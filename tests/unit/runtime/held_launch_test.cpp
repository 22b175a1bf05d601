// Operations that a device launches as one: the recorded launch spans.
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/runtime/hooked_device.hpp"

namespace tandem {
namespace {

using plan::OpKind;

/// Says of verify and the stop sequences that they go out with what comes behind them.
class HoldingDevice : public test::HookedDevice {
 public:
  explicit HoldingDevice(const Scenario& scenario)
      : HookedDevice(scenario,
                     [this](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
                       last_ = op.kind;
                       inner.enqueue(op, args);
                     }) {}
  [[nodiscard]] bool holds_back() const override {
    return last_ == OpKind::verify_draft_tokens || last_ == OpKind::set_stop_value;
  }

 private:
  OpKind last_ = OpKind::resolve;
};

/// Launch spans of a step by kind of operation.
std::map<OpKind, Span> launches_of(const test::KeepingSink& sink, std::size_t step) {
  std::map<std::uint64_t, const plan::Segment*> by_hash;
  for (const plan::Segment& segment : sink.segments) {
    by_hash[plan::segment_hash(segment)] = &segment;
  }
  const StepRecord& r = sink.steps[step];
  std::map<OpKind, Span> out;
  for (const Span& span : r.spans) {
    const plan::Segment& segment =
        *by_hash.at(r.segments.at(static_cast<std::size_t>(span.segment)));
    const plan::Operation& op = segment.ops.at(static_cast<std::size_t>(span.op));
    if (span.lane == static_cast<std::int32_t>(plan::Lane::host) && op.lane != plan::Lane::host) {
      out[op.kind] = span;
    }
  }
  return out;
}

TEST(HeldLaunch, OfThreeOperationsThenOneSpanAtTheFirstAsLongAsTheThree) {
  const Scenario scenario = test::small_scenario(2, 2);
  HoldingDevice holding(scenario);
  test::HookedDevice plain(scenario, [](HostDevice& inner, const plan::Operation& op,
                                        const LaunchArgs& args) { inner.enqueue(op, args); });
  RunOptions options;
  options.level = RecordLevel::timeline;
  const auto record = [&](Device& device, test::KeepingSink& sink) {
    test::ListWorkload workload({test::request(0, 0, 5, 12), test::request(1, 2, 9, 12)});
    test::run_on(device, scenario, workload, &sink, options);
  };
  test::KeepingSink held;
  test::KeepingSink apart;
  record(holding, held);
  record(plain, apart);
  ASSERT_EQ(held.steps.size(), apart.steps.size());
  int compared = 0;
  for (std::size_t t = 0; t < held.steps.size(); ++t) {
    if (held.steps[t].kind != StepKind::back) continue;
    auto one = launches_of(held, t);
    auto three = launches_of(apart, t);
    const Span& group = one.at(OpKind::verify_draft_tokens);
    EXPECT_EQ(group.start_ns, three.at(OpKind::verify_draft_tokens).start_ns);
    EXPECT_EQ(group.end_ns, three.at(OpKind::unified_update_model_status).end_ns);
    EXPECT_EQ(one.count(OpKind::set_stop_value), 0U);
    EXPECT_EQ(one.count(OpKind::unified_update_model_status), 0U);
    EXPECT_EQ(one.size() + 2, three.size());
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

}  // namespace
}  // namespace tandem
