// OpDevice: a place other than the host where registered operations run, with guarded tensors.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "kernels/any_op.hpp"
#include "traces/base/result.hpp"

namespace tandem::kernels {

/// Holds copies of tensors in its own memory and runs operations on them. Not for the runtime: it
/// waits after each call and copies everything. One thread at a time.
class OpDevice {
 public:
  OpDevice() = default;
  virtual ~OpDevice() = default;
  OpDevice(const OpDevice&) = delete;
  OpDevice& operator=(const OpDevice&) = delete;

  /// Copies `host` into a tensor of its own with guard words in front and behind. The returned
  /// span is device memory: not to be read on the host; valid until release.
  [[nodiscard]] virtual Result<std::span<std::byte>> place(std::span<const std::byte> host) = 0;

  /// Runs `op`, whose spans came from `place`, and waits for it. check(op) must have passed.
  [[nodiscard]] virtual Status launch(const AnyOp& op) = 0;

  /// Copies a placed tensor back; fails if a guard word around it has changed. Sizes are equal.
  [[nodiscard]] virtual Status fetch(std::span<const std::byte> placed,
                                     std::span<std::byte> host) = 0;

  /// Forgets every placed tensor.
  virtual void release() = 0;
};

/// The CUDA device that is current. Fails with a sentence where the build or the machine has none.
[[nodiscard]] Result<std::unique_ptr<OpDevice>> open_cuda_op_device();

}  // namespace tandem::kernels
