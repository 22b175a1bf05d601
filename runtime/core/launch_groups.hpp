// LaunchGroups: which operations of a step go out together as one CUDA graph (semantics 8.3).
//
// Section 8 captures the forwards; here what follows a captured main launch is captured as well.
// Copies into pinned memory stay outside: each step has its own ring entry and stamp.
#pragma once

#include "runtime/core/device.hpp"

namespace tandem {

/// Consecutive operations of one group are held back until one that ends it, or one of another
/// group, comes.
class LaunchGroups {
 public:
  static constexpr int kAlone = 0;  ///< launched by itself, in front of what comes next

  /// The group of an operation; the operations of a step are asked for in their order.
  [[nodiscard]] int group_of(const plan::Operation& op, const LaunchArgs& args);
  /// True for the operation that every group of its kind ends with.
  [[nodiscard]] static bool ends_group(plan::OpKind kind);
  void end_step() { main_is_captured_ = false; }

 private:
  bool main_is_captured_ = false;
};

}  // namespace tandem
