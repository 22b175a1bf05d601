// Every operation on the GPU against its reference, byte for byte, on random cases.
#include <cstdio>

#include "kernels/op_registry.hpp"
#include "tests/gpu/device_case.hpp"

namespace tandem::gpu_test {
namespace {

class RandomOps : public GpuTest, public testing::WithParamInterface<std::string> {};

TEST_P(RandomOps, EqualTheReference) {
  int cases = 0;
  for (const bench::OpShape& shape : all_shapes()) {
    bench::OpState state = bench::make_state(shape);
    DeviceCase on_device(device(), state);
    const kernels::AnyOp on_host = bench::make_op(GetParam(), state, bench::Space());
    const Status legal = kernels::check(on_host);
    ASSERT_TRUE(legal.ok()) << shape_text(shape) << ": " << legal.error().text;
    const Status launched = device().launch(bench::make_op(GetParam(), state, on_device.space()));
    ASSERT_TRUE(launched.ok()) << shape_text(shape) << ": " << launched.error().text;
    kernels::run_reference(on_host);
    ASSERT_EQ(on_device.difference(), "") << shape_text(shape);
    ++cases;
  }
  std::printf("%s: %d cases agree (seeds 1 to %d)\n", GetParam().c_str(), cases, cases);
}

/// A graph replays what was captured: no launch waits, allocates or reads on the host.
TEST_P(RandomOps, RunFromAGraph) {
  bench::OpState state = bench::make_state({.slots = 70, .view = 65, .seed = 11});
  DeviceCase on_device(device(), state);
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
  const Status launched =
      kernels::launch(bench::make_op(GetParam(), state, on_device.space()), stream);
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_TRUE(launched.ok()) << launched.error().text;
  EXPECT_EQ(on_device.difference(), "") << "it ran when it was captured";
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
  ASSERT_EQ(device_error(), "");
  kernels::run_reference(bench::make_op(GetParam(), state, bench::Space()));
  EXPECT_EQ(on_device.difference(), "");
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const kernels::OpSpec& op : kernels::all_ops()) names.emplace_back(op.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, RandomOps, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace tandem::gpu_test
