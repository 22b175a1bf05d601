// `tandem import jsonl`: a round trip, and lines that it must refuse by number and member.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using test::FakeMachine;
using test::lines_of;

class Import : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(m_("run azure-conv --steps 700 -o run.tbt"), kExitClean) << m_.err.text;
    ASSERT_EQ(m_("dump run.tbt --jsonl"), kExitClean);
    jsonl_ = m_.out.text;
    m_.files.files["run.jsonl"] = jsonl_;
  }

  /// The trace with one piece of text replaced in line `number`, from 1 on.
  [[nodiscard]] std::string altered(std::size_t number, const std::string& from,
                                    const std::string& to) const {
    std::string text;
    std::size_t n = 0;
    for (std::string line : lines_of(jsonl_)) {
      const std::size_t at = ++n == number ? line.find(from) : std::string::npos;
      if (at != std::string::npos) line.replace(at, from.size(), to);
      text += line + "\n";
    }
    return text;
  }
  /// Number of the first line of a type, from 1 on; behind `after`.
  [[nodiscard]] std::size_t line_of(const std::string& type, std::size_t after = 0) const {
    const auto lines = lines_of(jsonl_);
    for (std::size_t i = after; i < lines.size(); ++i) {
      if (lines[i].rfind("{\"type\":\"" + type + "\"", 0) == 0) return i + 1;
    }
    return 0;
  }
  void expect_refused(const std::string& text, const std::string& what) {
    m_.files.files["bad.jsonl"] = text;
    EXPECT_EQ(m_("import jsonl bad.jsonl -o out.tbt"), kExitBadInput) << what;
    EXPECT_NE(m_.err.text.find(what), std::string::npos) << m_.err.text;
    EXPECT_EQ(m_.files.files.count("out.tbt"), 0U);
    EXPECT_EQ(lines_of(m_.err.text).size(), 1U);
  }

  FakeMachine m_;
  std::string jsonl_;
};

TEST_F(Import, WhatDumpPrintedThenTheSameBytes) {
  ASSERT_EQ(m_("import jsonl run.jsonl -o copy.tbt"), kExitClean) << m_.err.text;
  EXPECT_EQ(m_.files.files["copy.tbt"], m_.files.files["run.tbt"]);
  EXPECT_EQ(m_.files.files.count("copy.tbt.part"), 0U);
  EXPECT_NE(m_.out.text.find("steps           700"), std::string::npos) << m_.out.text;
}

TEST_F(Import, BlankLinesAndCarriageReturnsThenTheSameBytes) {
  std::string text;
  for (const std::string& line : lines_of(jsonl_)) text += line + "\r\n\n";
  m_.files.files["crlf.jsonl"] = text;
  ASSERT_EQ(m_("import jsonl crlf.jsonl -o copy.tbt"), kExitClean) << m_.err.text;
  EXPECT_EQ(m_.files.files["copy.tbt"], m_.files.files["run.tbt"]);
}

TEST_F(Import, LineThatIsWrongThenNamedByNumberAndMember) {
  const std::size_t step = line_of("step");
  ASSERT_GT(step, 1U);
  const std::string place = "bad.jsonl, line " + std::to_string(step);
  expect_refused(altered(step, "\"flag_in\":true", "\"flag_in\":1"),
                 place + ":/flag_in: got 1, want true or false");
  expect_refused(altered(step, "\"n\":", "\"m\":"), place + ":/: got key \"m\"");
  expect_refused(altered(step, "\"n\":", "\"m\\n\":"), place + ":/: got key \"m\\u000a\"");
  expect_refused(altered(step, "{", "["), place + ": got a line that is no JSON object");
  expect_refused(altered(step, "\"type\":\"step\"", "\"type\":\"stop\""),
                 place + ":/type: got \"stop\"");
  expect_refused(altered(1, "\"version\":2", "\"version\":1"), "bad.jsonl, line 1: first line");
  expect_refused(altered(line_of("keyframe"), "keyframe\",\"keyframe", "step\",\"keyframe"),
                 "got a step before any keyframe");
  expect_refused(jsonl_ + lines_of(jsonl_).back() + "\n", "behind the one of type \"end\"");
  expect_refused("", "got no line");
}

TEST_F(Import, CutOffThenTheStepsBeforeItStayInThePart) {
  const std::size_t cut = jsonl_.rfind("{\"type\":\"end\"");
  expect_refused(jsonl_.substr(0, cut), "got the end of the file");
  EXPECT_NE(m_.err.text.find("out.tbt.part keeps the steps before it"), std::string::npos);
  EXPECT_EQ(m_("dump out.tbt.part --jsonl"), kExitBadInput);  // it says what is lost
  const std::string kept = m_.out.text;
  ASSERT_EQ(m_("dump run.tbt --jsonl"), kExitClean);
  EXPECT_EQ(kept, m_.out.text.substr(0, m_.out.text.rfind("{\"type\":\"end\"")));
}

TEST(ImportAcceptance, AnswersThenAProfileThatARunTakes) {
  FakeMachine m;
  m.files.files["answers.jsonl"] =
      "{\"choices\": [{\"accept_lengths\": [1, 3, 3, 1, 3], \"decoding_steps\": [4, 1]}]}\n"
      "{\"accept_lengths\": [1, 1, 3]}\n";
  ASSERT_EQ(m("import acceptance answers.jsonl -o profile.json"), kExitClean) << m.err.text;
  EXPECT_EQ(m.out.text,
            "lists           3\nsteps           8\ntokens a step   2.000\n"
            "lag-1           -0.200\nprofile         profile.json, 2 states\n");
  EXPECT_NE(m.files.files["profile.json"].find("\"source\": \"answers.jsonl\""), std::string::npos);
  EXPECT_EQ(m("run azure-conv --steps 200 --set acceptance.kind=list --set "
              "acceptance.markov=profile.json"),
            kExitClean)
      << m.err.text;
  const std::string profile = m.files.files["profile.json"];
  ASSERT_EQ(m("import acceptance answers.jsonl -o -"), kExitClean);
  EXPECT_EQ(m.out.text, profile);
}

TEST(ImportAcceptance, LineWithoutCommitsThenItsNumberAndNoProfile) {
  FakeMachine m;
  m.files.files["answers.jsonl"] = "{\"accept_lengths\": [1, 2]}\n{\"new_tokens\": 3}\n";
  EXPECT_EQ(m("import acceptance answers.jsonl -o profile.json"), kExitBadInput);
  EXPECT_NE(m.err.text.find("answers.jsonl:2: got no accept_lengths"), std::string::npos)
      << m.err.text;
  EXPECT_EQ(lines_of(m.err.text).size(), 1U);
  EXPECT_EQ(m.files.files.count("profile.json") + m.files.files.count("profile.json.part"), 0U);
}

TEST_F(Import, UsageThatIsWrongThenExitCode2) {
  for (const char* line :
       {"import", "import jsonl", "import jsonl run.jsonl", "import kineto run.jsonl -o a.tbt",
        "import jsonl run.jsonl -o -", "import jsonl run.jsonl -o run.jsonl",
        "import jsonl none.jsonl -o a.tbt", "import jsonl run.jsonl -o missing/a.tbt",
        "import jsonl run.jsonl -o a.tbt --compress lzma", "import jsonl run.tbt -o a.tbt"}) {
    EXPECT_EQ(m_(line), kExitBadInput) << line;
    EXPECT_EQ(lines_of(m_.err.text).size(), 1U) << m_.err.text;
    EXPECT_EQ(m_.files.files.count("a.tbt"), 0U) << line;
  }
  EXPECT_EQ(m_.files.files["run.jsonl"], jsonl_);
}

TEST_F(Import, InterruptedThenItsExitCodeAndNoFileOfThatName) {
  m_.stop = true;
  EXPECT_EQ(m_("import jsonl run.jsonl -o out.tbt"), kExitInterrupted);
  EXPECT_EQ(m_.files.files.count("out.tbt"), 0U);
}

TEST_F(Import, HelpThenFormatsAndExamples) {
  EXPECT_EQ(m_("import --help"), kExitClean);
  EXPECT_NE(m_.out.text.find("jsonl"), std::string::npos);
  EXPECT_NE(m_.out.text.find("tandem import jsonl run.jsonl -o copy.tbt"), std::string::npos);
}

}  // namespace
}  // namespace tandem::cli
