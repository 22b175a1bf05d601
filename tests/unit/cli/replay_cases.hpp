// What tests of replays share: traces as JSON lines that can be edited, and refusals.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/host/run_host.hpp"
#include "scenarios/scenario.hpp"
#include "tests/support/sample_trace.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "traces/tbt.hpp"

namespace tandem::test {

inline nlohmann::json json_of(FakeMachine& m, const std::string& line,
                              int exit_code = cli::kExitClean) {
  EXPECT_EQ(m(line + " --json -"), exit_code) << line << "\n" << m.err.text;
  return nlohmann::json::parse(m.out.text, nullptr, false);
}

/// Exit code 2, nothing but one line, and `error` in it.
inline void expect_refused(FakeMachine& m, const std::string& line, const std::string& error) {
  EXPECT_EQ(m(line), cli::kExitBadInput) << line;
  EXPECT_EQ(m.out.text, "") << line;
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << line << "\n" << m.err.text;
  EXPECT_NE(m.err.text.find(error), std::string::npos) << line << "\n" << m.err.text;
}

/// Runs `scenario` (and its options) and keeps the trace as JSON lines.
inline void record_as_jsonl(FakeMachine& m, const std::string& scenario, const std::string& name) {
  ASSERT_EQ(m("run " + scenario + " --no-verify -o recorded.tbt"), cli::kExitClean) << m.err.text;
  ASSERT_EQ(m("dump recorded.tbt --jsonl"), cli::kExitClean) << m.err.text;
  m.files.files[name] = m.out.text;
}

/// A `.tbt` of a catalogue scenario with a keyframe in front of every `block_steps` records.
inline void record_in_blocks(FakeMachine& m, const std::string& scenario, std::int64_t block_steps,
                             const std::string& name) {
  const Scenario parsed = parse_scenario(*catalog_scenario(scenario), scenario).value();
  const auto workload = make_workload(parsed, {});
  MemorySink bytes;
  const auto writer = make_tbt_writer(bytes, {});
  RunOptions options;
  options.block_steps = block_steps;
  ASSERT_TRUE(run_on_host(parsed, *workload.value(), options, writer.value().get()).ok());
  m.files.files[name] = bytes.text();
}

/// Hands the lines to `edit` until it says that it changed one.
inline void edit_line(FakeMachine& m, const std::string& name,
                      const std::function<bool(nlohmann::json&)>& edit) {
  std::string text;
  bool done = false;
  for (const std::string& line : lines_of(m.files.files[name])) {
    nlohmann::json json = done ? nlohmann::json() : nlohmann::json::parse(line);
    const bool changes = !done && edit(json);
    text += (changes ? json.dump() : line) + "\n";
    done = done || changes;
  }
  EXPECT_TRUE(done) << "no line was changed";
  m.files.files[name] = text;
}

/// A recorder that lacks these fields, and states no acceptance.
inline void blank(FakeMachine& m, const std::string& name, const nlohmann::json& absent) {
  std::string text;
  for (const std::string& line : lines_of(m.files.files[name])) {
    nlohmann::json json = nlohmann::json::parse(line);
    if (json["type"] == "header") {
      json["header"]["absent"] = absent;
      json["header"]["config"]["acceptance"]["millionths"] = nlohmann::json::array();
    }
    if (json["type"] == "step") {
      for (const std::string field : absent) json.erase(field);
    }
    text += json.dump() + "\n";
  }
  m.files.files[name] = text;
}

}  // namespace tandem::test
