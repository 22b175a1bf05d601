// Names and hashes of plan segments.
#include "traces/plan/plan.hpp"

#include <array>
#include <cstddef>
#include <string_view>

#include "traces/base/check.hpp"
#include "traces/base/hash.hpp"

namespace tandem::plan {
namespace {

#define TANDEM_TEXT(name) #name,
constexpr std::array kSegments{"front", "save", "settle", "back", "empty", "idle"};
constexpr std::array kLanes{"host", "compute", "copy"};
constexpr std::array kOps{TANDEM_PLAN_OPS(TANDEM_TEXT)};
constexpr std::array kSymbols{"one", "tasks", "N", "R", "n", "draft_rows", "draft_any", "marks"};
constexpr std::array kBuffers{TANDEM_PLAN_BUFFERS(TANDEM_TEXT)};
constexpr std::array kEvents{"none",         "token_num", "output_token_num",
                             "post_process", "read_done", "copies_may_start"};
#undef TANDEM_TEXT

template <class Enum, std::size_t kCount>
const char* name_of(const std::array<const char*, kCount>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  TANDEM_CHECK(index < kCount);
  return names[index];
}

template <class Enum, std::size_t kCount>
bool parse(const std::array<const char*, kCount>& names, const std::string& name, Enum& out) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (name == names[i]) {
      out = static_cast<Enum>(i);
      return true;
    }
  }
  return false;
}

class Hasher {
 public:
  void text(std::string_view value) { hash_ = hash_chain(hash_, hash_text(value)); }
  void number(int value) { hash_ = hash_chain(hash_, static_cast<std::uint64_t>(value)); }
  void uses(const std::vector<BufferUse>& uses) {
    number(static_cast<int>(uses.size()));
    for (const BufferUse& use : uses) {
      text(to_name(use.buffer));
      number(use.ring ? 1 : 0);
      number(use.step_offset);
    }
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0;
};

}  // namespace

const char* to_name(SegmentKind kind) { return name_of(kSegments, kind); }
const char* to_name(Lane lane) { return name_of(kLanes, lane); }
const char* to_name(OpKind kind) { return name_of(kOps, kind); }
const char* to_name(Symbol symbol) { return name_of(kSymbols, symbol); }
const char* to_name(Buffer buffer) { return name_of(kBuffers, buffer); }
const char* to_name(EventName name) { return name_of(kEvents, name); }
bool from_name(const std::string& name, SegmentKind& out) { return parse(kSegments, name, out); }
bool from_name(const std::string& name, Lane& out) { return parse(kLanes, name, out); }
bool from_name(const std::string& name, OpKind& out) { return parse(kOps, name, out); }
bool from_name(const std::string& name, Symbol& out) { return parse(kSymbols, name, out); }
bool from_name(const std::string& name, Buffer& out) { return parse(kBuffers, name, out); }
bool from_name(const std::string& name, EventName& out) { return parse(kEvents, name, out); }

std::uint64_t segment_hash(const Segment& segment) {
  Hasher h;
  h.text(to_name(segment.kind));
  for (const Operation& op : segment.ops) {
    h.text(to_name(op.kind));
    h.text(to_name(op.lane));
    h.text(to_name(op.gate));
    h.number(op.substep);
    h.number(op.row);
    for (const EventRef& event : {op.waits, op.records}) {
      h.text(to_name(event.name));
      h.number(event.step_offset);
    }
    h.uses(op.reads);
    h.uses(op.writes);
  }
  return h.value();
}

}  // namespace tandem::plan
