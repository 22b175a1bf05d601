// `tandem op` in-process: single cases, vectors, --check, refusals, and every shared vector file.
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernels/op_device.hpp"
#include "kernels/op_registry.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/scratch_folder.hpp"
#include "tools/cli/gunzip.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

// o_i of semantics 2.4.3: 0 for q = 0, 1 for q = 1 or a prefill, else q.
const std::string kCase =
    R"({"op":"speculate_get_seq_lens_output","case":7,"attrs":{},)"
    R"("inputs":{"seq_lens_this_time":{"dtype":"int32","shape":[3],"data":[0,1,4]},)"
    R"("seq_lens_encoder":{"dtype":"int32","shape":[3],"data":[0,0,0]}},)"
    R"("outputs":{"seq_lens_output":{"dtype":"int32","shape":[3],"data":[0,1,4]}}})";

// `kCase` behind gzip -n, in two members.
std::string packed_case();

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refused(const std::string& text, const std::string& message) {
  FakeMachine m;
  m.files.files["v.jsonl"] = text;
  EXPECT_EQ(m("op --vectors v.jsonl"), kExitBadInput) << text;
  ASSERT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
  EXPECT_NE(m.err.text.find(message), std::string::npos) << m.err.text;
}

TEST(Op, ListThenEveryOperationIn80Columns) {
  FakeMachine m;
  ASSERT_EQ(m("op --list"), kExitClean) << m.err.text;
  for (const kernels::OpSpec& op : kernels::all_ops()) {
    EXPECT_NE(m.out.text.find(std::string(op.name) + "\n"), std::string::npos) << op.name;
  }
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Op, ListWithNameThenItsTensorsIn80Columns) {
  FakeMachine m;
  for (const kernels::OpSpec& op : kernels::all_ops()) {
    ASSERT_EQ(m.run({"op", std::string(op.name), "--list"}), kExitClean) << m.err.text;
    for (const kernels::TensorSpec& tensor : op.tensors) {
      EXPECT_NE(m.out.text.find("  " + std::string(tensor.name) + " "), std::string::npos)
          << op.name << " " << tensor.name;
    }
    for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(Op, SingleCaseThenOutputsInTheFile) {
  FakeMachine m;
  m.files.files["in.json"] = kCase;
  ASSERT_EQ(m("op speculate_get_seq_lens_output --in in.json --out out.json"), kExitClean)
      << m.err.text;
  EXPECT_EQ(m.out.text, "");
  EXPECT_EQ(m.files.files["out.json"],
            "{\"outputs\":{\"seq_lens_output\":{\"dtype\":\"int32\",\"shape\":[3],"
            "\"data\":[0,1,4]}}}\n");
}

TEST(Op, DashesThenStandardStreams) {
  FakeMachine m;
  m.files.files["/dev/stdin"] = kCase;
  ASSERT_EQ(m("op speculate_get_seq_lens_output --in - --out -"), kExitClean) << m.err.text;
  EXPECT_EQ(Json::parse(m.out.text)["outputs"]["seq_lens_output"]["data"], Json({0, 1, 4}));
  m.files.files["/dev/stdin"] = "[]";
  EXPECT_EQ(m("op speculate_get_seq_lens_output --in - --out -"), kExitBadInput);
  EXPECT_EQ(m.err.text.rfind("error: standard input:/: got [], want an object", 0), 0U)
      << m.err.text;
}

TEST(Op, VectorsThenOneLineACaseWithItsIdentifier) {
  FakeMachine m;
  const std::string text_id = with(kCase, "\"case\":7", "\"case\":\"a\\\"b\"");
  const std::string no_id = with(kCase, "\"case\":7,", "");
  m.files.files["v.jsonl"] = kCase + "\r\n\n" + text_id + "\n" + no_id;
  ASSERT_EQ(m("op --vectors v.jsonl"), kExitClean) << m.err.text;
  const auto lines = lines_of(m.out.text);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0],
            "{\"op\":\"speculate_get_seq_lens_output\",\"case\":7,\"outputs\":{\"seq_lens_output\":"
            "{\"dtype\":\"int32\",\"shape\":[3],\"data\":[0,1,4]}}}");
  EXPECT_EQ(Json::parse(lines[1])["case"], "a\"b");
  EXPECT_EQ(Json::parse(lines[2])["case"], 4) << "a case without identifier has its line's number";
}

TEST(Op, WideIntegersAndFloatsThenReadAndPrintedExactly) {
  FakeMachine m;
  m.files.files["v.jsonl"] =
      R"({"op":"build_sampling_params","case":1,)"
      R"("attrs":{"token_num_output_cpu":1,"increment_value":4},"inputs":{)"
      R"("top_p":{"dtype":"float32","shape":[1],"data":[0.1]},)"
      R"("top_k":{"dtype":"int64","shape":[1],"data":[-9223372036854775808]},)"
      R"("infer_seed":{"dtype":"int64","shape":[1],"data":[9007199254740993]},)"
      R"("seq_lens_this_time":{"dtype":"int32","shape":[1],"data":[1]},)"
      R"("cu_seqlens_q_output":{"dtype":"int32","shape":[2],"data":[0,1]}}})"
      "\n";
  ASSERT_EQ(m("op --vectors v.jsonl"), kExitClean) << m.err.text;
  EXPECT_NE(
      m.out.text.find("\"top_p_padding\":{\"dtype\":\"float32\",\"shape\":[1,1],\"data\":[0.1]}"),
      std::string::npos)
      << m.out.text;
  EXPECT_NE(m.out.text.find("[-9223372036854775808]"), std::string::npos) << m.out.text;
  EXPECT_NE(m.out.text.find("[9007199254740993]"), std::string::npos) << m.out.text;
}

TEST(Op, CheckOfEqualOutputsThenPassedAndCode0) {
  FakeMachine m;
  m.files.files["v.jsonl"] =
      kCase + "\n" + with(kCase, "\"data\":[0,1,4]}}}", "\"data\":[null,1,4]}}}");
  EXPECT_EQ(m("op --vectors v.jsonl --check"), kExitClean) << m.err.text;
  EXPECT_EQ(m.out.text, "passed          2\nfailed          0\nnot compared    0\n");
  m.files.files["in.json"] = kCase;
  EXPECT_EQ(m("op speculate_get_seq_lens_output --in in.json --check"), kExitClean);
}

TEST(Op, CheckOfAChangedCellThenCode1AndThePlace) {
  FakeMachine m;
  const std::string bad = with(kCase, "\"data\":[0,1,4]}}}", "\"data\":[0,1,5]}}}");
  m.files.files["v.jsonl"] = kCase + "\n" + bad + "\n" + bad + "\n";
  EXPECT_EQ(m("op --vectors v.jsonl --check"), kExitDiverged);
  EXPECT_EQ(m.out.text,
            "passed          1\nfailed          2\nnot compared    0\n"
            "first failure   v.jsonl line 2 speculate_get_seq_lens_output case 7:\n"
            "                seq_lens_output[2]: found 4, want 5\n");
}

TEST(Op, CheckOfAnotherShapeOrNameThenCode1) {
  FakeMachine m;
  m.files.files["v.jsonl"] =
      with(kCase, "\"shape\":[3],\"data\":[0,1,4]}}}", "\"shape\":[2],\"data\":[0,1]}}}");
  EXPECT_EQ(m("op --vectors v.jsonl --check"), kExitDiverged);
  EXPECT_NE(m.out.text.find("found int32 [3], want int32 [2]"), std::string::npos) << m.out.text;
  m.files.files["v.jsonl"] = with(kCase, "\"seq_lens_output\":{", "\"other\":{");
  EXPECT_EQ(m("op --vectors v.jsonl --check"), kExitDiverged);
  EXPECT_NE(m.out.text.find("found no such output, want one"), std::string::npos) << m.out.text;
}

TEST(Op, CheckWithoutExpectedOutputsThenCode2) {
  FakeMachine m;
  m.files.files["v.jsonl"] = with(
      kCase, R"(,"outputs":{"seq_lens_output":{"dtype":"int32","shape":[3],"data":[0,1,4]}})", "");
  EXPECT_EQ(m("op --vectors v.jsonl"), kExitClean) << m.err.text;
  EXPECT_EQ(m("op --vectors v.jsonl --check"), kExitBadInput);
  EXPECT_NE(m.out.text.find("not compared    1\n"), std::string::npos) << m.out.text;
}

TEST(Op, BadLinesThenCode2WithLineAndPlace) {
  expect_refused(kCase + "\n{\"op\":", "v.jsonl:2:7: text that is not JSON, want one JSON object");
  expect_refused("7\n", "v.jsonl:1:/: got 7, want an object");
  expect_refused("", "v.jsonl: no case");
  expect_refused(
      with(kCase, "\"op\":\"spec", "\"op\":\"Spec"),
      "v.jsonl:1:/op: got 'Speculate_get_seq_lens_output', want a bookkeeping operation");
  expect_refused(with(kCase, "\"op\":\"speculate_get_seq_lens_output\",", ""),
                 "v.jsonl:1:/op: not given");
  expect_refused(with(kCase, "\"inputs\"", "\"input\""), "v.jsonl:1:/inputs: not given");
  expect_refused(with(kCase, "seq_lens_encoder", "seq_lens_encodr"),
                 "v.jsonl:1: speculate_get_seq_lens_output: seq_lens_encodr");
  expect_refused(with(kCase, "\"int32\"", "\"int64\""), "seq_lens_this_time: got int64 [3]");
  expect_refused(with(kCase, "\"int32\"", "\"int16\""),
                 "v.jsonl:1:/inputs/seq_lens_this_time/dtype: ");
  expect_refused(with(kCase, "\"shape\":[3]", "\"shape\":[4]"), "v.jsonl:1: ");
  expect_refused(with(kCase, "\"shape\":[3]", "\"shape\":[-3]"), "/shape: got -3, want sizes in");
  expect_refused(with(kCase, "[0,1,4]", "[0,1,4.5]"),
                 "/inputs/seq_lens_this_time/data/2: got 4.5, want an integer in");
  expect_refused(with(kCase, "[0,1,4]", "[0,2147483648,4]"), "/data/1: got 2147483648");
  expect_refused(with(kCase, "[0,1,4]", "[null,1,4]"), "/data/0: got null");
  expect_refused(with(kCase, "\"attrs\":{}", "\"attrs\":{\"x\":1.5}"),
                 "/attrs/x: got 1.5, want an integer or a string");
  expect_refused(with(kCase, "\"attrs\":{}", "\"attrs\":{\"x\":1}"), "an unknown attribute");
}

TEST(Op, KeyGivenTwiceThenCode2WithItsPlace) {
  expect_refused(kCase + "\n" + with(kCase, R"("case":7)", R"("case":7,"case":7)"),
                 "v.jsonl:2:/case: the key twice, want each key once");
  expect_refused(with(kCase, R"("shape":[3])", R"("shape":[3],"shape":[4])"),
                 "v.jsonl:1:/inputs/seq_lens_this_time/shape: the key twice");
  expect_refused(with(kCase, R"("attrs":{})", R"("attrs":{"a/b":[0,{"x":1,"x":2}]})"),
                 "v.jsonl:1:/attrs/a~1b/1/x: the key twice");
}

TEST(Op, UsageErrorsThenCode2) {
  FakeMachine m;
  m.files.files["in.json"] = kCase;
  for (const char* line :
       {"op", "op no_such_op --list", "op no_such_op --in in.json --out -",
        "op speculate_get_seq_lens_output", "op speculate_get_seq_lens_output --in in.json",
        "op recover_decode_task --in in.json --out -", "op --vectors none.jsonl",
        "op --vectors in.json --list", "op --list --check", "op --list --device tpu",
        "op speculate_get_seq_lens_output --in none.json --out out.json"}) {
    EXPECT_EQ(m(line), kExitBadInput) << line;
    EXPECT_EQ(m.out.text, "") << line;
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << line << "\n" << m.err.text;
  }
  EXPECT_EQ(m.files.files.size(), 1U) << "a refused command line wrote a file";
}

TEST(Op, CudaGivesTheHostsLinesOrCode3BySentence) {
  FakeMachine m;
  m.files.files["in.json"] = kCase;
  const auto device = kernels::open_cuda_op_device();
  if (!device) {
    EXPECT_EQ(m("op --vectors in.json --device cuda"), kExitNoDevice);
    EXPECT_EQ(m.out.text, "");
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
    EXPECT_NE(m.err.text.find("--device cuda: CUDA device: "), std::string::npos) << m.err.text;
    return;
  }
  ASSERT_EQ(m("op --vectors in.json"), kExitClean) << m.err.text;
  const std::string on_host = m.out.text;
  EXPECT_EQ(m("op --vectors in.json --device cuda"), kExitClean) << m.err.text;
  EXPECT_EQ(m.out.text, on_host);
}

TEST(Op, GzipVectorsThenReadOrRefusedBySentence) {
  FakeMachine m;
  m.files.files["v.jsonl.gz"] = packed_case();
  if (!gzip_available()) {
    EXPECT_EQ(m("op --vectors v.jsonl.gz"), kExitBadInput);
    EXPECT_NE(m.err.text.find("gunzip it"), std::string::npos) << m.err.text;
    return;
  }
  EXPECT_EQ(m("op --vectors v.jsonl.gz --check"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("passed          2\n"), std::string::npos) << m.out.text;
  std::string& packed = m.files.files["v.jsonl.gz"];
  const std::string whole = packed;
  packed.resize(packed.size() - 9);
  EXPECT_EQ(m("op --vectors v.jsonl.gz"), kExitBadInput);
  EXPECT_NE(m.err.text.find("v.jsonl.gz: byte "), std::string::npos) << m.err.text;
  EXPECT_NE(m.err.text.find("a gzip file that is cut"), std::string::npos) << m.err.text;
  packed = whole;
  packed[packed.size() / 4] = static_cast<char>(packed[packed.size() / 4] ^ 0x55);
  EXPECT_EQ(m("op --vectors v.jsonl.gz"), kExitBadInput);
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
}

TEST(Op, SharedVectorsThenEveryCasePasses) {
  constexpr const char* kFolder = "data/op-vectors";
  const auto folder = test::shared_data(kFolder);
  if (!folder) GTEST_SKIP() << test::missing_shared_data(kFolder);
  if (!gzip_available()) GTEST_SKIP() << "this build is without zlib";
  for (const kernels::OpSpec& op : kernels::all_ops()) {
    FakeMachine m;
    const std::string name = std::string(op.name) + ".jsonl.gz";
    m.files.files[name] = test::read_whole((*folder / name).string());
    EXPECT_EQ(m.run({"op", "--vectors", name, "--check"}), kExitClean) << name << "\n"
                                                                       << m.out.text << m.err.text;
    EXPECT_NE(m.out.text.find("failed          0\nnot compared    0\n"), std::string::npos)
        << name << "\n"
        << m.out.text;
  }
}

std::string packed_case() {
  // clang-format off
  constexpr unsigned char kMember[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x95, 0x8e, 0xc1, 0x0a,
      0xc2, 0x30, 0x0c, 0x86, 0xef, 0x3e, 0x46, 0xce, 0x39, 0xa8, 0x13, 0x84, 0xbe, 0x8a,
      0x94, 0x52, 0xda, 0xe0, 0x06, 0xb3, 0xad, 0x4b, 0x7a, 0x90, 0xd1, 0x77, 0x5f, 0x8a,
      0x32, 0xf0, 0xa6, 0x04, 0xc2, 0x9f, 0xe4, 0xcf, 0xcf, 0xb7, 0x42, 0x2e, 0x60, 0x80,
      0x0b, 0x85, 0x3a, 0x7b, 0x21, 0x77, 0x27, 0x71, 0x4c, 0x4f, 0x37, 0x53, 0x62, 0x97,
      0xab, 0x94, 0x2a, 0x80, 0x10, 0x3c, 0x13, 0x98, 0x2b, 0x82, 0x17, 0x59, 0x18, 0xcc,
      0xda, 0x10, 0xa6, 0xa4, 0xb7, 0xae, 0x61, 0xf7, 0xcb, 0x38, 0x69, 0x9b, 0x1e, 0xd4,
      0xb7, 0x51, 0x5e, 0x45, 0x85, 0xfa, 0x64, 0x38, 0x6b, 0x06, 0x8f, 0xbe, 0xcf, 0xb7,
      0xc1, 0x22, 0x44, 0x2f, 0x5e, 0xe5, 0x11, 0x4f, 0x78, 0xb1, 0x9a, 0xb5, 0x27, 0x50,
      0x0a, 0x39, 0xd2, 0xf2, 0xf3, 0xbf, 0x96, 0x6d, 0x1a, 0xf0, 0x26, 0xfd, 0xa6, 0xf9,
      0xd0, 0xff, 0x85, 0xd2, 0xda, 0x61, 0x03, 0x3d, 0x2a, 0x25, 0xc6, 0x13, 0x01, 0x00,
      0x00,
  };
  // clang-format on
  const std::string member(reinterpret_cast<const char*>(kMember), sizeof(kMember));
  return member + member;
}

}  // namespace
}  // namespace tandem::cli
