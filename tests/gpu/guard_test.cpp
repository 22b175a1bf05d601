// What the other tests rely on: writes beside a tensor and into inputs are found.
#include "kernels/op_registry.hpp"
#include "tests/gpu/device_case.hpp"

namespace tandem::gpu_test {
namespace {

using Guards = GpuTest;

TEST_F(Guards, OneByteBesideATensorIsFound) {
  const std::vector<std::byte> host(40, std::byte{9});
  for (const std::ptrdiff_t offset : {-256, -1, 40, 295}) {
    const auto placed = device().place(host);
    ASSERT_TRUE(placed.ok()) << placed.error().text;
    std::vector<std::byte> back(host.size());
    EXPECT_TRUE(device().fetch(placed.value(), back).ok());
    EXPECT_EQ(back, host);
    ASSERT_EQ(cudaMemset(placed.value().data() + offset, 0, 1), cudaSuccess);
    const Status fetched = device().fetch(placed.value(), back);
    ASSERT_FALSE(fetched.ok()) << "offset " << offset;
    EXPECT_NE(fetched.error().text.find("guard words"), std::string::npos);
    device().release();
  }
}

TEST_F(Guards, OneChangedCellOfACaseIsNamed) {
  bench::OpState state = bench::make_state({.slots = 5, .view = 5, .seed = 3});
  DeviceCase on_device(device(), state);
  EXPECT_EQ(on_device.difference(), "");
  state.g[3] += 1;
  const std::string wanted = "g[3]: device " + std::to_string(state.g[3] - 1) + ", reference " +
                             std::to_string(state.g[3]);
  EXPECT_EQ(on_device.difference(), wanted);
}

/// Passes everything on, but changes the first tensor that was placed.
class Meddler : public kernels::OpDevice {
 public:
  explicit Meddler(kernels::OpDevice& device) : device_(device) {}

  Result<std::span<std::byte>> place(std::span<const std::byte> host) override {
    auto placed = device_.place(host);
    if (placed && first_.empty()) first_ = placed.value();
    return placed;
  }
  Status launch(const kernels::AnyOp& op) override {
    cudaMemset(first_.data(), 0x5A, first_.size());
    return device_.launch(op);
  }
  Status fetch(std::span<const std::byte> placed, std::span<std::byte> host) override {
    return device_.fetch(placed, host);
  }
  void release() override { device_.release(); }

 private:
  kernels::OpDevice& device_;
  std::span<std::byte> first_;
};

TEST_F(Guards, ChangedInputIsFound) {
  const kernels::Tensor q{kernels::DataType::kInt32, {2}, std::vector<std::byte>(8)};
  const kernels::NamedTensors inputs{{"seq_lens_this_time", q}, {"seq_lens_encoder", q}};
  Meddler meddler(device());
  EXPECT_TRUE(kernels::run_op("speculate_get_seq_lens_output", {}, inputs, {&device()}).ok());
  const auto outputs = kernels::run_op("speculate_get_seq_lens_output", {}, inputs, {&meddler});
  ASSERT_FALSE(outputs.ok());
  EXPECT_NE(outputs.error().text.find("seq_lens_this_time: the device changed it"),
            std::string::npos)
      << outputs.error().text;
}

}  // namespace
}  // namespace tandem::gpu_test
