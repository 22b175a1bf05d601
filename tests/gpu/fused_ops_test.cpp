// Fused kernels against the references of their members, called one after the other.
#include <cstdio>

#include "tests/gpu/device_case.hpp"

namespace tandem::gpu_test {
namespace {

class FusedOps : public GpuTest {
 protected:
  /// `make` binds the group, `members` runs the references on the group in host memory.
  template <class Make, class Members>
  void expect_members(const char* name, Make make, Members members) {
    int cases = 0;
    for (const bench::OpShape& shape : all_shapes()) {
      bench::OpState state = bench::make_state(shape);
      DeviceCase on_device(device(), state);
      const Status launched = kernels::launch(make(state, on_device.space()), nullptr);
      ASSERT_TRUE(launched.ok()) << shape_text(shape) << ": " << launched.error().text;
      ASSERT_EQ(device_error(), "") << shape_text(shape);
      members(make(state, bench::Space()));
      ASSERT_EQ(on_device.difference(), "") << name << " " << shape_text(shape);
      ++cases;
    }
    std::printf("%s: %d cases agree (seeds 1 to %d)\n", name, cases, cases);
  }
};

TEST_F(FusedOps, CommitEqualsItsFourMembers) {
  expect_members("commit", bench::make_commit, [](const kernels::FusedCommit& group) {
    kernels::run_reference(group.verify);
    kernels::run_reference(group.stop_sequences);
    kernels::run_reference(group.update);
    kernels::run_reference(group.draft_preprocess);
  });
}

TEST_F(FusedOps, DraftStartEqualsItsTwoMembers) {
  expect_members("draft start", bench::make_draft_start, [](const kernels::FusedDraftStart& group) {
    kernels::run_reference(group.hidden);
    kernels::run_reference(group.pack);
  });
}

TEST_F(FusedOps, DraftNextEqualsItsTwoMembers) {
  expect_members("draft next", bench::make_draft_next, [](const kernels::FusedDraftNext& group) {
    kernels::run_reference(group.update);
    kernels::run_reference(group.pack);
  });
}

TEST_F(FusedOps, DraftEndEqualsItsThreeMembers) {
  expect_members("draft end", bench::make_draft_end, [](const kernels::FusedDraftEnd& group) {
    kernels::run_reference(group.update);
    kernels::run_reference(group.postprocess);
    kernels::run_reference(group.schedule);
  });
}

}  // namespace
}  // namespace tandem::gpu_test
