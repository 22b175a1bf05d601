// DeviceCase: an OpState with a guarded copy of every tensor on the GPU, and the fixture for it.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "kernels/launch.hpp"
#include "kernels/op_device.hpp"
#include "tools/bench/op_state.hpp"

namespace tandem::gpu_test {

/// Opens the GPU, or skips the test by name.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = kernels::open_cuda_op_device();
    if (!opened) GTEST_SKIP() << "no GPU: " << opened.error().text;
    device_ = std::move(opened).value();
  }

  [[nodiscard]] kernels::OpDevice& device() { return *device_; }

 private:
  std::unique_ptr<kernels::OpDevice> device_;
};

class DeviceCase {
 public:
  DeviceCase(kernels::OpDevice& device, bench::OpState& state) : device_(device), state_(state) {
    state.each([&](const char* name, auto& tensor) {
      auto placed = device.place(std::as_bytes(std::span(tensor)));
      if (!placed) {
        error_ = std::string(name) + ": " + placed.error().text;
        return;
      }
      space_.add(tensor.data(), placed.value().data());
      placed_.push_back(placed.value());
    });
  }
  ~DeviceCase() { device_.release(); }
  DeviceCase(const DeviceCase&) = delete;
  DeviceCase& operator=(const DeviceCase&) = delete;

  [[nodiscard]] const bench::Space& space() const { return space_; }

  /// "" if every tensor on the device, also those that are only read, equals the state's byte for
  /// byte and no guard word has changed; else the first difference.
  [[nodiscard]] std::string difference() {
    std::string text = error_;
    std::size_t k = 0;
    state_.each([&](const char* name, auto& tensor) {
      if (!text.empty()) return;
      auto found = tensor;
      const Status fetched = device_.fetch(placed_[k++], std::as_writable_bytes(std::span(found)));
      if (!fetched) {
        text = std::string(name) + ": " + fetched.error().text;
        return;
      }
      for (std::size_t i = 0; i < found.size(); ++i) {
        if (std::memcmp(&found[i], &tensor[i], sizeof(found[i])) == 0) continue;
        text = std::string(name) + "[" + std::to_string(i) + "]: device " + cell(found[i]) +
               ", reference " + cell(tensor[i]);
        return;
      }
    });
    return text;
  }

 private:
  template <class T>
  static std::string cell(const T& value) {
    if constexpr (std::is_same_v<T, std::byte>) {
      return std::to_string(std::to_integer<int>(value));
    } else {
      return std::to_string(value);
    }
  }

  kernels::OpDevice& device_;
  bench::OpState& state_;
  bench::Space space_;
  std::vector<std::span<std::byte>> placed_;
  std::string error_;
};

/// Waits for the device. What went wrong there, else "".
inline std::string device_error() {
  const cudaError_t error = cudaDeviceSynchronize();
  return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

inline std::string shape_text(const bench::OpShape& shape) {
  return "B=" + std::to_string(shape.slots) + " n=" + std::to_string(shape.view) +
         " K=" + std::to_string(shape.draft_tokens) +
         " mix=" + std::to_string(static_cast<int>(shape.mix)) +
         " rows=" + std::to_string(static_cast<int>(shape.rows)) +
         " row_bytes=" + std::to_string(shape.row_bytes) + " seed=" + std::to_string(shape.seed);
}

/// The shapes that every operation is tried with: edge sizes, each mix of slots, three launches.
/// TANDEM_GPU_CASES=few thins them for the sanitizers.
inline std::vector<bench::OpShape> all_shapes() {
  using bench::RowCount;
  using bench::SlotMix;
  const char* const wanted = std::getenv("TANDEM_GPU_CASES");
  const bool few = wanted != nullptr && std::string_view(wanted) == "few";
  constexpr std::int64_t kRowBytes[] = {32, 3, 1028, 4, 48, 0, 8, 14336};
  constexpr std::int32_t kDrafts[] = {19, 2, 3, 4, 1, 7};  // 19: more than the lanes of a slot
  std::vector<bench::OpShape> shapes;
  std::uint64_t seed = 1;
  const auto add = [&](std::int32_t slots, SlotMix mix, RowCount rows) {
    bench::OpShape shape{slots, slots, 3, mix, rows, kRowBytes[seed % 8], seed};
    if (seed % 3 == 0) shape.view = slots - slots / 4;
    if (mix == SlotMix::kMixed) shape.draft_tokens = kDrafts[seed % 6];
    if (shape.row_bytes > 2000 && slots > 40) shape.row_bytes = 16;
    shapes.push_back(shape);
    ++seed;
  };
  const std::vector<std::int32_t> sizes =
      few ? std::vector<std::int32_t>{0, 1, 33, 129, 520}
          : std::vector<std::int32_t>{0, 1, 2, 8, 31, 32, 33, 127, 128, 129, 512, 1025, 4100};
  for (const std::int32_t slots : sizes) {
    const int rounds = few || slots > 2000 ? 1 : 3;
    for (int round = 0; round < rounds; ++round) {
      add(slots, SlotMix::kMixed, RowCount::kExact);
      add(slots, SlotMix::kMixed, RowCount::kSpare);
      add(slots, SlotMix::kMixed, RowCount::kTooFew);
    }
    for (const SlotMix mix : {SlotMix::kDecode, SlotMix::kFull, SlotMix::kPrefill,
                              SlotMix::kStopped, SlotMix::kParked, SlotMix::kEmpty}) {
      if (!few || slots == 33) add(slots, mix, RowCount::kExact);
    }
  }
  return shapes;
}

}  // namespace tandem::gpu_test
