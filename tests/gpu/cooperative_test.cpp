// The cooperative forms: equal to the reference, grids larger than the device included.
#include "tests/gpu/device_case.hpp"

namespace tandem::gpu_test {
namespace {

using CooperativeForms = GpuTest;

TEST_F(CooperativeForms, PreProcessEqualsTheReference) {
  for (const bench::OpShape& shape : all_shapes()) {
    bench::OpState state = bench::make_state(shape);
    DeviceCase on_device(device(), state);
    const auto bind = [&](const bench::Space& space) {
      return std::get<kernels::SpeculatePreProcess>(
          bench::make_op("speculate_pre_process", state, space));
    };
    const Status launched = kernels::launch_cooperative(bind(on_device.space()), nullptr);
    ASSERT_TRUE(launched.ok()) << shape_text(shape) << ": " << launched.error().text;
    ASSERT_EQ(device_error(), "") << shape_text(shape);
    kernels::run_reference(bind(bench::Space()));
    ASSERT_EQ(on_device.difference(), "") << shape_text(shape);
  }
}

TEST_F(CooperativeForms, GetHiddenStatesEqualsTheReference) {
  for (const bench::OpShape& shape : all_shapes()) {
    bench::OpState state = bench::make_state(shape);
    DeviceCase on_device(device(), state);
    const auto bind = [&](const bench::Space& space) {
      return std::get<kernels::EagleGetHiddenStates>(
          bench::make_op("eagle_get_hidden_states", state, space));
    };
    const std::span<std::int32_t> row_map = on_device.space()(state.row_map);
    const Status launched = kernels::launch_cooperative(bind(on_device.space()), row_map, nullptr);
    ASSERT_TRUE(launched.ok()) << shape_text(shape) << ": " << launched.error().text;
    ASSERT_EQ(device_error(), "") << shape_text(shape);
    kernels::run_reference(bind(bench::Space()));
    // The row map is scratch: what the device left there is what is expected.
    ASSERT_EQ(cudaMemcpy(state.row_map.data(), row_map.data(), row_map.size_bytes(),
                         cudaMemcpyDeviceToHost),
              cudaSuccess);
    ASSERT_EQ(on_device.difference(), "") << shape_text(shape);
  }
}

/// 528 blocks of rows a multiprocessor would be needed to hold this grid at once.
TEST_F(CooperativeForms, GridBeyondTheDeviceIsCut) {
  bench::OpState state = bench::make_state({.slots = 2, .view = 2, .seed = 5});
  state.token_num = 30'000'000;
  state.ids.assign(30'000'000, 1);
  state.batch_ids.assign(30'000'000, 1);
  DeviceCase on_device(device(), state);
  const auto bind = [&](const bench::Space& space) {
    return std::get<kernels::SpeculatePreProcess>(
        bench::make_op("speculate_pre_process", state, space));
  };
  const Status launched = kernels::launch_cooperative(bind(on_device.space()), nullptr);
  ASSERT_TRUE(launched.ok()) << launched.error().text;
  ASSERT_EQ(device_error(), "");
  kernels::run_reference(bind(bench::Space()));
  EXPECT_EQ(on_device.difference(), "");
}

TEST_F(CooperativeForms, RowMapTooShortIsRefused) {
  bench::OpState state = bench::make_state({.slots = 4, .view = 4, .seed = 5});
  DeviceCase on_device(device(), state);
  const auto io = std::get<kernels::EagleGetHiddenStates>(
      bench::make_op("eagle_get_hidden_states", state, on_device.space()));
  const Status launched = kernels::launch_cooperative(io, {}, nullptr);
  ASSERT_FALSE(launched.ok());
  EXPECT_NE(launched.error().text.find("row_map"), std::string::npos) << launched.error().text;
}

}  // namespace
}  // namespace tandem::gpu_test
