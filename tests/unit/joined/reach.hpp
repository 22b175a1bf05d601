// What a run reached of semantics 4.4 (fallback rules) and 6 (lifecycle), read off its records.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/joined/judged_run.hpp"

namespace tandem::test {

class Reach : public RecordWatcher {
 public:
  void begin(const TraceHeader& header) override;
  void step(const StepRecord& record) override;

  /// Names out of wanted().
  [[nodiscard]] const std::set<std::string>& reached() const { return reached_; }

  /// Everything that the catalogue is to reach, in the order of the semantics.
  [[nodiscard]] static const std::vector<std::string>& wanted();

 private:
  /// What the records said of a slot so far.
  struct Slot {
    RequestId request = kNoRequest;
    RequestRow row;
    std::int64_t admitted = -1;  ///< step
    bool came_back = false;      ///< was admitted with delivered tokens
    std::int32_t text_len = 0;
    std::int32_t prefilled = 0;
    bool parked = false;
    bool revived = false;
    bool ended = false;  ///< its last token is committed, its message not processed
  };

  void reach(const std::string& name) { reached_.insert(name); }
  void reach_if(bool holds, const std::string& name) {
    if (holds) reach(name);
  }
  void note_task(const StepRecord& r, const Task& task);
  void note_end(const StepRecord& r, const Task& task);
  void note_launch(const StepRecord& r);
  void note_quiet(const StepRecord& r);
  void note_parking(const StepRecord& r);
  void note_stops(const StepRecord& r);
  void note_sizes(const StepRecord& r);

  RunConfig config_;
  std::vector<Slot> slots_;
  std::set<std::string> reached_;
  bool worked_ = false;  ///< some step ran
  bool previous_flag_ = false;
  bool previous_sticky_ = false;  ///< the step before had the flag and nothing that ran
};

}  // namespace tandem::test
