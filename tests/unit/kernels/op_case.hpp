// One hand-written call of a registered operation: its inputs, and what must come out of it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/op_registry.hpp"

namespace tandem::kernels::test {

using Rows = std::initializer_list<std::vector<std::int64_t>>;

[[nodiscard]] Tensor i32(const std::vector<std::int32_t>& values);
[[nodiscard]] Tensor i64(const std::vector<std::int64_t>& values);
[[nodiscard]] Tensor bools(const std::vector<int>& values);
[[nodiscard]] Tensor f32(const std::vector<float>& values);
/// Matrices: every row has as many values as the first.
[[nodiscard]] Tensor i32_rows(Rows rows);
[[nodiscard]] Tensor i64_rows(Rows rows);
[[nodiscard]] Tensor f32_rows(Rows rows);
/// The same values under another shape.
[[nodiscard]] Tensor shaped(Tensor tensor, std::vector<std::int64_t> shape);

class OpCase {
 public:
  OpCase(std::string op, NamedAttributes attributes, NamedTensors inputs);

  /// Gives or replaces one input.
  OpCase& with(const std::string& name, Tensor tensor);
  OpCase& with_attribute(const std::string& name, Attribute attribute);
  OpCase& without(const std::string& name);

  /// Runs the operation. Outputs in `changed` must be as given there; an in-place tensor that is
  /// not in `changed` must keep its value; other pure outputs are not looked at.
  [[nodiscard]] testing::AssertionResult gives(const NamedTensors& changed) const;

  /// Runs the operation; it must fail, and the message must hold all these words.
  [[nodiscard]] testing::AssertionResult fails_with(
      std::initializer_list<std::string_view> words) const;

 private:
  std::string op_;
  NamedAttributes attributes_;
  NamedTensors inputs_;
};

}  // namespace tandem::kernels::test
