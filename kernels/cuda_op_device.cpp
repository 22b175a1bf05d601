// OpDevice on CUDA: each tensor an allocation of its own, with guard words in front and behind.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <cuda_runtime.h>

#include "kernels/launch.hpp"
#include "kernels/op_device.hpp"

namespace tandem::kernels {
namespace {

constexpr std::size_t kGuardBytes = 256;  // keeps the tensor aligned like an allocation
constexpr std::byte kGuard{0xA5};

Status status_of(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  return Error::make(what, std::string("CUDA says \"") + cudaGetErrorString(error) + "\"",
                     "a call that succeeds");
}

class CudaOpDevice : public OpDevice {
 public:
  ~CudaOpDevice() override { release_all(); }

  Result<std::span<std::byte>> place(std::span<const std::byte> host) override {
    const std::size_t size = host.size() + 2 * kGuardBytes;
    std::vector<std::byte> image(size, kGuard);
    std::copy(host.begin(), host.end(), image.begin() + kGuardBytes);
    void* memory = nullptr;
    TANDEM_RETURN_IF_ERROR(status_of(cudaMalloc(&memory, size), "cudaMalloc"));
    allocations_.push_back(memory);
    TANDEM_RETURN_IF_ERROR(
        status_of(cudaMemcpy(memory, image.data(), size, cudaMemcpyHostToDevice), "cudaMemcpy"));
    return std::span(static_cast<std::byte*>(memory) + kGuardBytes, host.size());
  }

  Status launch(const AnyOp& op) override {
    TANDEM_RETURN_IF_ERROR(kernels::launch(op, nullptr));
    return status_of(cudaDeviceSynchronize(), "the kernel");
  }

  Status fetch(std::span<const std::byte> placed, std::span<std::byte> host) override {
    std::vector<std::byte> image(host.size() + 2 * kGuardBytes);
    TANDEM_RETURN_IF_ERROR(status_of(
        cudaMemcpy(image.data(), placed.data() - kGuardBytes, image.size(), cudaMemcpyDeviceToHost),
        "cudaMemcpy"));
    const std::span<const std::byte> all(image);
    TANDEM_RETURN_IF_ERROR(check_guard(all.first(kGuardBytes), "in front"));
    TANDEM_RETURN_IF_ERROR(check_guard(all.last(kGuardBytes), "behind"));
    std::copy_n(image.begin() + kGuardBytes, host.size(), host.begin());
    return {};
  }

  void release() override { release_all(); }

 private:
  static Status check_guard(std::span<const std::byte> guard, const char* side) {
    const auto changed =
        std::find_if(guard.begin(), guard.end(), [](std::byte byte) { return byte != kGuard; });
    if (changed == guard.end()) return {};
    return Error::make(std::string("guard words ") + side,
                       "byte " + std::to_string(changed - guard.begin()) + " has changed",
                       "no write outside the tensor");
  }

  void release_all() {
    for (void* const memory : allocations_) cudaFree(memory);
    allocations_.clear();
  }

  std::vector<void*> allocations_;
};

}  // namespace

Result<std::unique_ptr<OpDevice>> open_cuda_op_device() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    const char* const why = error == cudaSuccess ? "no device" : cudaGetErrorString(error);
    return Error::make("CUDA device", std::string("got \"") + why + "\"", "a GPU and its driver",
                       "run on the host");
  }
  int major = 0;
  TANDEM_RETURN_IF_ERROR(status_of(
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0), "CUDA device"));
  if (major < 9) {
    return Error::make("CUDA device", "got compute capability " + std::to_string(major) + ".x",
                       "9.0 or newer", "run on the host");
  }
  return std::unique_ptr<OpDevice>(std::make_unique<CudaOpDevice>());
}

}  // namespace tandem::kernels
