// Changes one number of a step or keyframe, whichever: walks visit_fields and visit_members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "traces/fields.hpp"
#include "traces/members.hpp"

namespace tandem::test {

/// Adds `delta` to the `target`-th number of a record or keyframe, in visiting order: the sum may
/// wrap, a bool is negated, an enumeration gets its next value. Lists keep their lengths.
class RecordChanger {
 public:
  /// Numbers of other fields than `fields` are neither changed nor counted.
  RecordChanger(const FieldSet& fields, std::size_t target, std::int64_t delta)
      : fields_(fields), target_(target), delta_(delta) {}

  template <class T>
  void operator()(Field field, T& value) {
    if (!fields_.test(static_cast<std::size_t>(field))) return;
    path_ = field_path(field);
    change(value);
  }
  template <class T, class Each>
  void list(Field, T& items, Each each) {
    for (auto& item : items) each(item, *this);
  }
  template <class T>
  void operator()(const char* member, T& value) {
    const std::size_t length = path_.size();
    path_.append(length > 0 ? "." : "").append(member);
    change(value);
    path_.resize(length);
  }

  [[nodiscard]] std::size_t seen() const { return seen_; }
  /// "messages.count": where the change was made, else empty.
  [[nodiscard]] const std::string& changed() const { return changed_; }
  /// The path of every number, in visiting order; filled where `target` is out of reach.
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }

  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

 private:
  template <class T>
  void change(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (hit()) value = !value;
    } else if constexpr (RecordEnum<T>) {
      const auto count = static_cast<int>(EnumNames<T>::kNames.size());
      if (hit()) value = static_cast<T>((static_cast<int>(value) + 1) % count);
    } else if constexpr (std::is_integral_v<T>) {
      using Bits = std::make_unsigned_t<T>;
      if (hit()) value = static_cast<T>(static_cast<Bits>(value) + static_cast<Bits>(delta_));
    } else {
      visit_members(value, *this);
    }
  }
  template <class T>
  void change(std::vector<T>& values) {
    for (T& value : values) change(value);
  }

  bool hit() {
    if (target_ == kNone) paths_.push_back(path_);
    const bool now = seen_++ == target_;
    if (now) changed_ = path_;
    return now;
  }

  FieldSet fields_;
  std::size_t target_;
  std::int64_t delta_;
  std::size_t seen_ = 0;
  std::string path_;
  std::string changed_;
  std::vector<std::string> paths_;
};

/// The paths of all numbers of a record of this level, in the order of targets.
inline std::vector<std::string> numbers_of(StepRecord record, RecordLevel level) {
  RecordChanger changer(fields_at(level), RecordChanger::kNone, 0);
  visit_fields(record, changer);
  return changer.paths();
}

/// The path of the number that was changed.
inline std::string change_number(StepRecord& record, RecordLevel level, std::size_t target,
                                 std::int64_t delta) {
  RecordChanger changer(fields_at(level), target, delta);
  visit_fields(record, changer);
  return changer.changed();
}

/// As numbers_of and change_number; paths begin with "keyframe.".
inline std::vector<std::string> numbers_of(Keyframe keyframe) {
  RecordChanger changer({}, RecordChanger::kNone, 0);
  changer("keyframe", keyframe);
  return changer.paths();
}
inline std::string change_number(Keyframe& keyframe, std::size_t target, std::int64_t delta) {
  RecordChanger changer({}, target, delta);
  changer("keyframe", keyframe);
  return changer.changed();
}

}  // namespace tandem::test
