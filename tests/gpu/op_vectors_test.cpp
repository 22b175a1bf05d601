// Every operation on the GPU against the shared vectors, and byte for byte against the reference.
#include "tests/unit/kernels/op_vectors.hpp"

#include <cstdio>
#include <cstdlib>

#include "tests/gpu/device_case.hpp"
#include "tests/support/shared_data.hpp"

namespace tandem::gpu_test {
namespace {

using kernels::test::OpVector;

constexpr std::string_view kFolder = "data/op-vectors";

class DeviceVectors : public GpuTest, public testing::WithParamInterface<std::string> {
 protected:
  /// "" where the device gives the vector's outputs and every byte of the reference's. Cells that
  /// nothing writes start as `fill`, so that a result of zeros cannot stand for an unwritten one.
  std::string compare(const std::string& op, const OpVector& vector) {
    constexpr std::byte kFill{0xC3};
    const auto found = kernels::run_op(op, vector.attributes, vector.inputs, {&device(), kFill});
    if (!found) return found.error().text;
    if (const auto text = difference(vector, found.value())) return *text;
    const auto wanted = kernels::run_op(op, vector.attributes, vector.inputs, {nullptr, kFill});
    if (!wanted) return wanted.error().text;
    for (const auto& [name, tensor] : wanted.value()) {
      if (found.value().at(name).bytes != tensor.bytes) return name + ": not the reference's bytes";
    }
    return "";
  }
};

TEST_P(DeviceVectors, AllLinesAgree) {
  const auto folder = tandem::test::shared_data(kFolder);
  if (!folder) GTEST_SKIP() << tandem::test::missing_shared_data(kFolder);
  const std::string op = GetParam();
  const auto lines = kernels::test::unpacked_lines(*folder / (op + ".jsonl.gz"));
  const bool few = std::getenv("TANDEM_GPU_CASES") != nullptr;
  int passed = 0;
  for (std::size_t k = 0; k < lines.size(); k += few ? 16 : 1) {
    const OpVector vector = kernels::test::parse_vector(lines[k]);
    const std::string text = compare(op, vector);
    EXPECT_EQ(text, "") << op << " case " << vector.case_id;
    if (text.empty()) ++passed;
  }
  EXPECT_GE(lines.size(), 140U) << "the file of " << op << " is shorter than it was";
  std::printf("%s: %d of %zu vectors agree on the device\n", op.c_str(), passed, lines.size());
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const kernels::OpSpec& op : kernels::all_ops()) names.emplace_back(op.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, DeviceVectors, testing::ValuesIn(op_names()),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace tandem::gpu_test
