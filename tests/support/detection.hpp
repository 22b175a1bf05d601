// Which changes of a trace the judge notices: tries them one by one and counts by field and check.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/checks/verify.hpp"
#include "tests/support/record_changer.hpp"
#include "tests/support/sim_tiny.hpp"
#include "traces/base/hash.hpp"

namespace tandem::test {

/// Keeps encoded bytes.
class ByteBuffer : public ByteSink {
 public:
  Status write(std::span<const std::byte> more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
  Status flush() override { return {}; }

  std::vector<std::byte> bytes;
};

/// The trace as a `.tbt` with valid checksums.
inline std::vector<std::byte> encode(const TinyTrace& trace) {
  ByteBuffer out;
  auto writer = make_tbt_writer(out, TbtOptions{});
  EXPECT_TRUE(writer.ok());
  RecordSink& sink = *writer.value();
  EXPECT_TRUE(sink.begin(trace.head).ok());
  for (const plan::Segment& segment : trace.segments) EXPECT_TRUE(sink.segment(segment).ok());
  for (const TinyTrace::Block& block : trace.content) {
    EXPECT_TRUE(sink.keyframe(block.keyframe).ok());
    for (const StepRecord& record : block.records) EXPECT_TRUE(sink.step(record).ok());
  }
  EXPECT_TRUE(sink.end(trace.end_state).ok());
  return std::move(out.bytes);
}

/// The first divergence in words, else empty.
inline std::string first_divergence(const TraceReader& reader) {
  const Result<sim::Verdict> verdict = sim::verify_trace(reader, sim::VerifyOptions{});
  if (!verdict.ok()) return verdict.error().text;
  const std::vector<sim::Divergence>& found = verdict.value().divergences;
  return found.empty() ? std::string() : sim::to_line(found.front());
}

/// Names of the checks that a trace breaks; "codec" where it cannot be decoded.
inline std::set<std::string> broken_checks(const TraceReader& reader) {
  const Result<sim::Verdict> verdict = sim::verify_trace(reader, sim::VerifyOptions{});
  if (!verdict.ok()) return {"codec"};
  std::set<std::string> names;
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    if (verdict.value().checks[i].diverged > 0) {
      names.insert(sim::to_name(static_cast<sim::CheckId>(i)));
    }
  }
  return names;
}

inline std::set<std::string> broken_checks_through_codec(const TinyTrace& trace) {
  const std::vector<std::byte> bytes = encode(trace);
  const auto reader = open_trace(bytes, "changed.tbt");
  if (!reader.ok()) return {"codec"};
  return broken_checks(*reader.value());
}

/// Changes tried and noticed, by path of the number changed.
class DetectionTable {
 public:
  void add(const std::string& path, const std::set<std::string>& checks, const std::string& where) {
    Row& row = rows_[path];
    ++row.tried;
    if (!checks.empty()) ++row.noticed;
    row.checks.insert(checks.begin(), checks.end());
    if (checks.empty() && row.missed.empty()) row.missed = where;
  }

  [[nodiscard]] bool has(const std::string& path) const { return rows_.count(path) > 0; }
  [[nodiscard]] std::size_t tried() const {
    std::size_t sum = 0;
    for (const auto& [path, row] : rows_) sum += row.tried;
    return sum;
  }
  /// How often a field was changed, all its members together.
  [[nodiscard]] std::size_t tried(Field field) const {
    const std::string name = field_path(field);
    std::size_t sum = 0;
    for (const auto& [path, row] : rows_) {
      if (path == name || path.rfind(name + ".", 0) == 0) sum += row.tried;
    }
    return sum;
  }
  /// Every change must have been noticed, but those of `free` paths.
  void expect_all_noticed(bool (*is_free)(const std::string& path)) const {
    for (const auto& [path, row] : rows_) {
      if (is_free(path)) continue;
      EXPECT_EQ(row.noticed, row.tried) << path << ", first missed: " << row.missed;
    }
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    out << std::left << std::setw(34) << "field" << std::right << std::setw(8) << "tried"
        << std::setw(9) << "noticed"
        << "  checks\n";
    for (const auto& [path, row] : rows_) {
      out << std::left << std::setw(34) << path << std::right << std::setw(8) << row.tried
          << std::setw(9) << row.noticed << " ";
      for (const std::string& check : row.checks) out << " " << check;
      out << "\n";
    }
    return out.str();
  }

 private:
  struct Row {
    std::size_t tried = 0;
    std::size_t noticed = 0;
    std::set<std::string> checks;
    std::string missed;
  };
  std::map<std::string, Row> rows_;
};

/// Numbers whose changes a judge need not notice: times and spans of the API log, of which nothing
/// recorded says what they must be.
inline bool is_beyond_judging(const std::string& path) {
  return path == "start_ns" || path == "end_ns" || path.rfind("spans.", 0) == 0;
}

}  // namespace tandem::test
