// What the tests of exporters share: a sink in memory, three hand-made steps, a divergence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "sim/report/timeline_export.hpp"
#include "tests/unit/report/hand_made.hpp"

namespace tandem::test {

class StringSink final : public ByteSink {
 public:
  std::string text;
  Status write(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Status flush() override { return {}; }
};

inline sim::Divergence divergence_at(std::int64_t step) {
  sim::Divergence d;
  d.check = sim::CheckId::V1;
  d.step = step;
  d.field = "token_num";
  d.point = "P1";
  d.policy = "exact";
  return d;
}

inline HandMade three_steps() {
  HandMade made;
  made.sync_step(1000);
  made.sync_step(1710);
  made.sync_step(2420);
  for (StepRecord& record : made.records) {
    record.p1.q = {4, 3, 0};
    record.launch_bsz = 2;
  }
  return made;
}

}  // namespace tandem::test
