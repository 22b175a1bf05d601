// Every operation against every line of its shared vector file.
#include "tests/unit/kernels/op_vectors.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/op_registry.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

constexpr std::string_view kLine = R"({"op": "x", "case": 4, "origin": "hand",
  "attrs": {"block_size": 4, "encoder_test": "step_idx"},
  "inputs": {"seed": {"dtype": "int64", "shape": [1], "data": [9223372036854775806]}},
  "outputs": {"a": {"dtype": "int32", "shape": [3], "data": [1, null, 3]},
              "h": {"dtype": "float32", "shape": [1, 2], "data": [0.25, 4]}}})";

NamedTensors agreeing_outputs() {
  return {{"a", shaped(i32({1, 77, 3}), {3, 1})}, {"h", f32_rows({{0, 4}})}};
}

TEST(OpVector, LineIsReadWithoutLoss) {
  const OpVector vector = parse_vector(std::string(kLine));
  EXPECT_EQ(vector.case_id, 4);
  EXPECT_EQ(std::get<std::int64_t>(vector.attributes.at("block_size")), 4);
  EXPECT_EQ(std::get<std::string>(vector.attributes.at("encoder_test")), "step_idx");
  EXPECT_EQ(vector.inputs.at("seed").bytes, i64({9223372036854775806}).bytes);
}

TEST(OpVector, UndefinedCellsAndSmallFloatErrorsAgree) {
  const OpVector vector = parse_vector(std::string(kLine));
  NamedTensors outputs = agreeing_outputs();
  outputs["h"] = shaped(f32({0.2505F, 4.0F}), {1, 2});
  EXPECT_EQ(difference(vector, outputs), std::nullopt);
}

TEST(OpVector, OneChangedCellIsReported) {
  const OpVector vector = parse_vector(std::string(kLine));
  NamedTensors outputs = agreeing_outputs();
  EXPECT_EQ(difference(vector, outputs), "h[0]: got 0.000000, want 0.250000");
  outputs["a"] = i32({1, 77, 4});
  EXPECT_EQ(difference(vector, outputs), "a[2]: got 4.000000, want 3.000000");
  outputs["a"] = i32({1, 77});
  EXPECT_EQ(difference(vector, outputs), "a: another shape");
  outputs["a"] = i64({1, 77, 3});
  EXPECT_EQ(difference(vector, outputs), "a: another dtype");
  outputs.erase("a");
  EXPECT_EQ(difference(vector, outputs), "a: missing");
  outputs = {{"a", i32({1, 2, 3})}, {"b", i32({})}, {"h", shaped(f32({0.25F, 4}), {1, 2})}};
  EXPECT_EQ(difference(vector, outputs), "b: not in the vectors");
}

constexpr std::string_view kFolder = "data/op-vectors";

class OpVectors : public testing::TestWithParam<std::string> {};

TEST_P(OpVectors, AllLinesAgree) {
  const auto folder = tandem::test::shared_data(kFolder);
  if (!folder) GTEST_SKIP() << tandem::test::missing_shared_data(kFolder);
  const std::string op = GetParam();
  const std::vector<std::string> lines = unpacked_lines(*folder / (op + ".jsonl.gz"));
  int passed = 0;
  for (const std::string& line : lines) {
    const OpVector vector = parse_vector(line);
    const auto outputs = run_op(op, vector.attributes, vector.inputs);
    if (!outputs) {
      ADD_FAILURE() << op << " case " << vector.case_id << ": " << outputs.error().text;
      continue;
    }
    const auto text = difference(vector, outputs.value());
    if (text) {
      ADD_FAILURE() << op << " case " << vector.case_id << ": " << *text;
    } else {
      ++passed;
    }
  }
  EXPECT_GE(lines.size(), 140U) << "the file of " << op << " is shorter than it was";
  RecordProperty("passed", passed);
  std::printf("%s: %d of %zu vectors agree\n", op.c_str(), passed, lines.size());
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const OpSpec& op : all_ops()) names.emplace_back(op.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, OpVectors, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace tandem::kernels::test
