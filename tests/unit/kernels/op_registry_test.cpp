// The registry: its list, its refusals, and that no input at all can do more than be refused.
#include "kernels/op_registry.hpp"

#include <cstring>
#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "kernels/speculate_get_seq_lens_output.hpp"
#include "tests/unit/kernels/op_case.hpp"
#include "traces/base/random.hpp"

namespace tandem::kernels::test {
namespace {

OpCase seq_lens_output() {
  return {"speculate_get_seq_lens_output",
          {},
          {{"seq_lens_this_time", i32({1, 2})}, {"seq_lens_encoder", i32({0, 0})}}};
}

TEST(OpRegistry, ListsEighteenOperationsByName) {
  const auto ops = all_ops();
  ASSERT_EQ(ops.size(), 18U);
  for (std::size_t k = 1; k < ops.size(); ++k) EXPECT_LT(ops[k - 1].name, ops[k].name);
  for (const OpSpec& op : ops) {
    EXPECT_EQ(find_op(op.name), &op);
    std::set<std::string_view> names;
    for (const TensorSpec& tensor : op.tensors) {
      EXPECT_TRUE(names.insert(tensor.name).second) << op.name << " names twice " << tensor.name;
    }
  }
  EXPECT_EQ(find_op("no_such_op"), nullptr);
}

TEST(OpRegistry, TypeNamesAreReadBack) {
  for (const DataType type :
       {DataType::kInt32, DataType::kInt64, DataType::kBool, DataType::kFloat32}) {
    const auto parsed = parse_data_type(data_type_name(type));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed.value(), type);
  }
  const auto unknown = parse_data_type("float16");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().text.find("float16"), std::string::npos);
}

TEST(OpRegistry, UnknownOperationIsRefused) {
  EXPECT_TRUE(OpCase("no_such_op", {}, {}).fails_with({"no_such_op", "a registered operation"}));
}

TEST(OpRegistry, MissingAndUnknownNamesAreRefused) {
  EXPECT_TRUE(seq_lens_output().gives({{"seq_lens_output", i32({1, 2})}}));
  EXPECT_TRUE(seq_lens_output()
                  .without("seq_lens_encoder")
                  .fails_with({"speculate_get_seq_lens_output: seq_lens_encoder", "not given"}));
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encodr", i32({0, 0}))
                  .fails_with({"seq_lens_encodr", "an unknown input tensor"}));
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_output", i32({0, 0}))
                  .fails_with({"seq_lens_output", "an unknown input tensor"}));
  EXPECT_TRUE(seq_lens_output()
                  .with_attribute("token_num", 2)
                  .fails_with({"token_num", "an unknown attribute"}));
}

TEST(OpRegistry, WrongTypeIsRefusedWithBothTypes) {
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", i64({0, 0}))
                  .fails_with({"seq_lens_encoder", "got int64 [2]", "want int32 [B>=n]"}));
}

TEST(OpRegistry, WrongShapeIsRefusedWithTheSizeThatIsWanted) {
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", i32({0}))
                  .fails_with({"seq_lens_encoder", "got int32 [1]", "n = 2"}));
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", i32_rows({{0, 0}, {0, 0}}))
                  .fails_with({"seq_lens_encoder", "got int32 [2, 2]"}));
}

TEST(OpRegistry, ShapeThatContradictsItsDataIsRefused) {
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", shaped(i32({0, 0}), {3}))
                  .fails_with({"seq_lens_encoder", "got 8 bytes", "12 for shape [3]"}));
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", shaped(i32({0, 0}), {-2, -1}))
                  .fails_with({"seq_lens_encoder", "[-2, -1]"}));
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_encoder", shaped(i32({}), {1 << 30, 1 << 30, 1 << 30}))
                  .fails_with({"seq_lens_encoder", "at most 1 GiB"}));
}

TEST(OpRegistry, TrailingSizesOfOneMeanNothing) {
  EXPECT_TRUE(seq_lens_output()
                  .with("seq_lens_this_time", shaped(i32({1, 2}), {2, 1}))
                  .with("seq_lens_encoder", shaped(i32({0, 0}), {2, 1, 1}))
                  .gives({{"seq_lens_output", i32({1, 2})}}));
}

TEST(OpRegistry, AttributesAreCheckedForPresenceTypeAndRange) {
  OpCase call("get_padding_offset", {},
              {{"seq_lens_this_time", i32({1})}, {"input_ids", i64_rows({{3}})}});
  EXPECT_TRUE(call.fails_with({"get_padding_offset: token_num", "not given", "an integer"}));
  EXPECT_TRUE(call.with_attribute("token_num", "1").fails_with({"token_num", "got a string"}));
  EXPECT_TRUE(call.with_attribute("token_num", -1).fails_with({"token_num", "got -1"}));
  EXPECT_TRUE(call.with_attribute("token_num", 2147483647).fails_with({"at most 1 GiB"}));
  EXPECT_TRUE(call.with_attribute("token_num", 1).gives({{"x_remove_padding", i64({3})}}));
}

TEST(OpRegistryDeathTest, ReferenceCalledWithShortSpansAborts) {
  const SpeculateGetSeqLensOutput io{
      .n = 2, .seq_lens_this_time = {}, .seq_lens_encoder = {}, .seq_lens_output = {}};
  EXPECT_FALSE(check_speculate_get_seq_lens_output(io).ok());
  EXPECT_DEATH(speculate_get_seq_lens_output_reference(io), "seq_lens_this_time: got 0 entries");
}

/// Tensors that fit an operation's shapes, filled with small, odd and extreme values.
class RandomInputs {
 public:
  explicit RandomInputs(std::uint64_t seed) : draws_(seed, "kernels.registry_test") {}

  NamedTensors inputs(const OpSpec& op) {
    sizes_.clear();
    n_ = draws_.below(4);
    slots_ = n_ + draws_.below(2);
    small_ = draws_.below(3) > 0;
    NamedTensors tensors;
    for (const TensorSpec& spec : op.tensors) {
      if (spec.role == TensorRole::kOut || spec.role == TensorRole::kUnused) continue;
      if (spec.is_optional && draws_.below(4) == 0) continue;
      tensors.emplace(spec.name, tensor(spec));
    }
    return tensors;
  }

  NamedAttributes attributes(const OpSpec& op) {
    NamedAttributes named;
    for (const AttributeSpec& spec : op.attributes) {
      if (spec.is_optional && draws_.below(2) == 0) continue;
      if (spec.is_text) {
        named.emplace(spec.name, std::string(draws_.below(2) == 0 ? "step_idx" : "other"));
      } else {
        named.emplace(spec.name, static_cast<std::int64_t>(
                                     size_of(spec.symbol.empty() ? spec.name : spec.symbol)));
      }
    }
    return named;
  }

 private:
  std::uint64_t size_of(std::string_view symbol) {
    if (symbol == "n") return n_;
    if (symbol == "n+1") return n_ + 1;
    if (symbol == "1") return 1;
    if (symbol.substr(0, 1) == "B" || symbol.substr(0, 2) == ">=") return slots_;
    return sizes_.emplace(symbol, draws_.below(7)).first->second;
  }

  std::int64_t value() {
    if (small_ || draws_.below(16) > 0) return static_cast<std::int64_t>(draws_.below(6)) - 1;
    constexpr std::int64_t kExtremes[] = {std::numeric_limits<std::int64_t>::min(),
                                          std::numeric_limits<std::int64_t>::max(),
                                          std::numeric_limits<std::int32_t>::min(),
                                          std::numeric_limits<std::int32_t>::max(),
                                          -7,
                                          100};
    return kExtremes[draws_.below(std::size(kExtremes))];
  }

  Tensor tensor(const TensorSpec& spec) {
    Tensor made{spec.dtype, {}, {}};
    std::uint64_t cells = 1;
    for (std::string_view rest = spec.shape; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(", "), rest.size());
      const std::uint64_t size = size_of(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 2, rest.size()));
      made.shape.push_back(static_cast<std::int64_t>(size));
      cells *= size;
    }
    const std::size_t bytes = data_type_bytes(spec.dtype);
    made.bytes.resize(cells * bytes);
    for (std::uint64_t k = 0; k < cells; ++k) {
      const std::int64_t cell = spec.dtype == DataType::kBool ? value() & 1 : value();
      std::memcpy(&made.bytes[k * bytes], &cell, bytes);  // little endian: the low bytes
    }
    return made;
  }

  RandomStream draws_;
  std::map<std::string, std::uint64_t, std::less<>> sizes_;
  std::uint64_t n_ = 0;
  std::uint64_t slots_ = 0;
  bool small_ = true;
};

TEST(OpRegistry, RandomInputsAreAnsweredOrRefusedWithAName) {
  RandomInputs random(20240229);
  for (const OpSpec& op : all_ops()) {
    int answered = 0;
    for (int round = 0; round < 1500; ++round) {
      const NamedTensors inputs = random.inputs(op);
      const auto outputs = run_op(op.name, random.attributes(op), inputs);
      if (outputs.ok()) {
        ++answered;
      } else {
        ASSERT_EQ(outputs.error().text.rfind(op.name, 0), 0U) << outputs.error().text;
      }
    }
    EXPECT_GT(answered, 0) << op.name << " refused everything";
  }
}

}  // namespace
}  // namespace tandem::kernels::test
