// Names of the enumerations of RunConfig.
#include "traces/run_config.hpp"

#include <algorithm>
#include <cstddef>

namespace tandem {
namespace {

template <class Enum, std::size_t kCount>
struct Names {
  const char* text[kCount];
  [[nodiscard]] const char* of(Enum value) const {
    const auto index = static_cast<std::size_t>(value);
    TANDEM_CHECK(index < kCount);
    return text[index];
  }
  bool parse(const std::string& name, Enum& out) const {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (name == text[i]) {
        out = static_cast<Enum>(i);
        return true;
      }
    }
    return false;
  }
};

constexpr Names<RecordLevel, 4> kLevels{{"off", "state", "timeline", "full"}};
constexpr Names<RowMode, 3> kModes{{"sync", "overlap", "bound"}};
constexpr Names<PolicyKind, 6> kPolicies{
    {"exact", "predict-sum", "predict-rows", "predict-rows-hidden", "upper-bound", "all-accepted"}};
constexpr Names<DraftPath, 2> kPaths{{"gather", "self"}};
constexpr Names<EncoderTest, 2> kEncoderTests{{"encoder_len", "step_idx"}};
constexpr Names<ArrivalUnit, 2> kUnits{{"step", "ns"}};
constexpr Names<AcceptKind, 2> kAccepts{{"per-position", "list"}};

}  // namespace

const char* to_name(RecordLevel level) { return kLevels.of(level); }
const char* to_name(RowMode mode) { return kModes.of(mode); }
const char* to_name(PolicyKind policy) { return kPolicies.of(policy); }
const char* to_name(DraftPath path) { return kPaths.of(path); }
const char* to_name(EncoderTest test) { return kEncoderTests.of(test); }
const char* to_name(ArrivalUnit unit) { return kUnits.of(unit); }
const char* to_name(AcceptKind kind) { return kAccepts.of(kind); }
bool from_name(const std::string& name, RecordLevel& out) { return kLevels.parse(name, out); }
bool from_name(const std::string& name, RowMode& out) { return kModes.parse(name, out); }
bool from_name(const std::string& name, PolicyKind& out) { return kPolicies.parse(name, out); }
bool from_name(const std::string& name, DraftPath& out) { return kPaths.parse(name, out); }
bool from_name(const std::string& name, EncoderTest& out) { return kEncoderTests.parse(name, out); }
bool from_name(const std::string& name, ArrivalUnit& out) { return kUnits.parse(name, out); }
bool from_name(const std::string& name, AcceptKind& out) { return kAccepts.parse(name, out); }

const char* schedule_name(const RowSwitches& rows) {
  const auto all = [&rows](RowMode mode) {
    return std::all_of(rows.begin(), rows.end(), [mode](RowMode m) { return m == mode; });
  };
  if (all(RowMode::sync)) return "sync";
  return all(RowMode::overlap) ? "overlap" : "mixed";
}

}  // namespace tandem
