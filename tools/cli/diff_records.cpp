// Walks two records in step and finds the element that differs.
#include "tools/cli/diff_records.hpp"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

using Entry = RecordComparer::Entry;
using Value = RecordComparer::Value;

/// Lists every field of a record, members of the first `substeps` sub-steps included.
class Collector {
 public:
  Collector(std::vector<Entry>& entries, std::size_t substeps)
      : entries_(entries), substeps_(substeps) {
    entries_.clear();
  }

  template <class T>
  void operator()(Field field, const T& value) {
    entries_.push_back({field, substep_, Value(&value)});
  }
  template <class T, class Each>
  void list(Field field, const std::vector<T>& elements, Each each) {
    entries_.push_back({field, -1, Value(elements.size())});
    for (std::size_t i = 0; i < substeps_; ++i) {
      substep_ = static_cast<int>(i);
      each(elements[i], *this);
    }
    substep_ = -1;
  }

 private:
  std::vector<Entry>& entries_;
  std::size_t substeps_;
  int substep_ = -1;
};

bool equal(const Value& a, const Value& b) {
  return std::visit(
      [&b](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        const T& right = std::get<T>(b);
        if constexpr (std::is_pointer_v<T>) {
          return *left == *right;
        } else {
          return left == right;
        }
      },
      a);
}

std::string text_of(bool value) { return value ? "true" : "false"; }
template <class T>
requires std::is_integral_v<T> std::string text_of(T value) { return std::to_string(value); }
template <RecordEnum Enum>
std::string text_of(Enum value) {
  return to_name(value);
}
std::string text_of(const Column& column) {
  constexpr std::size_t kShownMax = 8;
  const std::size_t shown = std::min(column.size(), kShownMax);
  return fmt::format("[{}{}]",
                     fmt::join(column.begin(), column.begin() + static_cast<long>(shown), ","),
                     column.size() > shown ? ",.." : "");
}

/// A structure as "name=value .." without what is 0, false or empty.
class MemberText {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    if (value == T{}) return;
    text.append(text.empty() ? "" : " ").append(prefix_).append(name);
    text.append("=").append(text_of(value));
  }
  void operator()(const char* name, const RequestRow& row) {
    prefix_ = std::string(name) + ".";
    visit_members(row, *this);
    prefix_.clear();
  }
  std::string text;

 private:
  std::string prefix_;
};

template <class T>
std::string text_of_members(const T& value) {
  MemberText visitor;
  visit_members(value, visitor);
  return visitor.text.empty() ? "all zero" : visitor.text;
}

constexpr const char* kNothing = "nothing";

/// The first index at which two lists differ; the length of the shorter where one continues.
template <class List>
std::size_t first_index(const List& a, const List& b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < size && a[i] == b[i]) ++i;
  return i;
}

template <class T>
std::string element_text(const std::vector<T>& list, std::size_t index) {
  return index < list.size() ? text_of(list[index]) : std::string(kNothing);
}

/// Finds the member in which two structures differ, and in a column the slot.
template <class T>
class MemberDifference {
 public:
  MemberDifference(const T& left, const T& right) {
    Lister list_a{members_a_};
    Lister list_b{members_b_};
    visit_members(left, list_a);
    visit_members(right, list_b);
    for (std::size_t i = 0; i < members_a_.size() && path.empty(); ++i) {
      if (members_a_[i].text == members_b_[i].text) continue;
      describe(members_a_[i], members_b_[i]);
    }
  }

  std::string path;  ///< "" where no member is known to differ
  std::int64_t slot = -1;
  std::string a;
  std::string b;

 private:
  struct Member {
    std::string name;
    std::vector<std::string> text;  ///< one element, or those of a column
    bool is_column;
  };
  struct Lister {
    std::vector<Member>& members;
    std::string prefix = {};
    void operator()(const char* name, const RequestRow& row) {
      prefix = std::string(name) + ".";
      visit_members(row, *this);
      prefix.clear();
    }
    void operator()(const char* name, const Column& column) {
      Member member{prefix + name, {}, true};
      for (const std::int32_t value : column) member.text.push_back(std::to_string(value));
      members.push_back(std::move(member));
    }
    template <class U>
    void operator()(const char* name, const U& value) {
      members.push_back({prefix + name, {text_of(value)}, false});
    }
  };

  void describe(const Member& left, const Member& right) {
    const std::size_t index = first_index(left.text, right.text);
    path = "." + left.name;
    a = index < left.text.size() ? left.text[index] : kNothing;
    b = index < right.text.size() ? right.text[index] : kNothing;
    if (!left.is_column) return;
    if (std::is_same_v<T, Message>) {
      slot = static_cast<std::int64_t>(index);
    } else {
      path += fmt::format("[{}]", index);
    }
  }

  std::vector<Member> members_a_;
  std::vector<Member> members_b_;
};

class Describer {
 public:
  Describer(Field field, const RecordContext& a, const RecordContext& b, FieldDifference& out)
      : field_(field), a_(a), b_(b), out_(out) {}

  template <class T>
  void values(const T* a, const T* b) {
    out_.a = text_of(*a);
    out_.b = text_of(*b);
  }
  void values(const CachedPair* a, const CachedPair* b) { members(*a, *b); }
  void values(const Column* a, const Column* b) {
    const std::size_t index = first_index(*a, *b);
    out_.a = element_text(*a, index);
    out_.b = element_text(*b, index);
    if (field_ == Field::cu_seqlens_q || field_ == Field::cu_seqlens_q_output) {
      out_.path += fmt::format("[{}]", index);
    } else {
      out_.slot = static_cast<std::int64_t>(index);
    }
  }
  void values(const std::vector<std::int64_t>* a, const std::vector<std::int64_t>* b) {
    const std::size_t index = first_index(*a, *b);
    const auto width = static_cast<std::size_t>(std::max(a_.row_width, 1));
    out_.slot = static_cast<std::int64_t>(index / width);
    out_.path += fmt::format("[{}]", index % width);
    out_.a = element_text(*a, index);
    out_.b = element_text(*b, index);
  }
  void values(const std::vector<std::uint64_t>* a, const std::vector<std::uint64_t>* b) {
    const std::size_t index = first_index(*a, *b);
    out_.path += fmt::format("[{}]", index);
    out_.a = index < a->size() ? segment_text((*a)[index], a_) : kNothing;
    out_.b = index < b->size() ? segment_text((*b)[index], b_) : kNothing;
  }
  template <class T>
  void values(const std::vector<T>* a, const std::vector<T>* b) {
    const std::size_t index = first_index(*a, *b);
    out_.path += fmt::format("[{}]", index);
    if (index < a->size() && index < b->size()) {
      members((*a)[index], (*b)[index]);
      return;
    }
    out_.a = index < a->size() ? text_of_members((*a)[index]) : kNothing;
    out_.b = index < b->size() ? text_of_members((*b)[index]) : kNothing;
  }

 private:
  template <class T>
  void members(const T& a, const T& b) {
    const MemberDifference<T> difference(a, b);
    out_.path += difference.path;
    out_.slot = difference.slot;
    out_.a = difference.path.empty() ? text_of_members(a) : difference.a;
    out_.b = difference.path.empty() ? text_of_members(b) : difference.b;
  }
  /// Two segments of one kind need their hashes to be told apart.
  static std::string segment_text(std::uint64_t hash, const RecordContext& context) {
    const std::string word =
        context.segments == nullptr ? "" : segment_word(hash, *context.segments) + " ";
    return fmt::format("{}0x{:016x}", word, hash);
  }

  Field field_;
  const RecordContext& a_;
  const RecordContext& b_;
  FieldDifference& out_;
};

/// Steps between a stamp and the record that holds it; unsigned, as both may come from anywhere.
std::uint64_t age(std::int64_t stamp, std::int64_t t) {
  return static_cast<std::uint64_t>(t) - static_cast<std::uint64_t>(stamp);
}

bool is_time(Field field) {
  return field == Field::spans || field == Field::start_ns || field == Field::end_ns;
}

}  // namespace

bool RecordComparer::counts(const Entry& a, const Entry& b, const StepRecord& of_a,
                            const StepRecord& of_b) const {
  if (!compared_.test(static_cast<std::size_t>(a.field))) return false;
  if (equal(a.value, b.value)) return false;
  if (of_a.t == of_b.t && a.field != Field::repeat) return true;
  if (a.field == Field::t || a.field == Field::repeat || is_time(a.field)) return false;
  if (a.field == Field::q_cpu_step) {
    return age(of_a.q_cpu_step, of_a.t) != age(of_b.q_cpu_step, of_b.t);
  }
  if (a.field == Field::b_cpu_step) {
    return age(of_a.b_cpu_step, of_a.t) != age(of_b.b_cpu_step, of_b.t);
  }
  return true;
}

const std::vector<Field>& RecordComparer::compare(const StepRecord& a, const StepRecord& b) {
  const std::size_t substeps = std::min(a.substeps.size(), b.substeps.size());
  Collector collect_a(entries_a_, substeps);
  Collector collect_b(entries_b_, substeps);
  visit_fields(a, collect_a);
  visit_fields(b, collect_b);
  TANDEM_CHECK_EQ(entries_a_.size(), entries_b_.size());
  differing_.clear();
  for (std::size_t i = 0; i < entries_a_.size(); ++i) {
    if (!counts(entries_a_[i], entries_b_[i], a, b)) continue;
    if (differing_.empty()) first_ = i;
    const Field field = entries_a_[i].field;
    if (std::find(differing_.begin(), differing_.end(), field) == differing_.end()) {
      differing_.push_back(field);
    }
  }
  return differing_;
}

FieldDifference RecordComparer::first_difference() const {
  TANDEM_CHECK(!differing_.empty());
  const Entry& a = entries_a_[first_];
  const Entry& b = entries_b_[first_];
  FieldDifference out;
  const char* name = field_info(a.field).name;
  out.path = a.substep < 0 ? name : fmt::format("substeps[{}].{}", a.substep, name);
  Describer describer(a.field, context_a_, context_b_, out);
  std::visit(
      [&](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        const T& right = std::get<T>(b.value);
        if constexpr (std::is_pointer_v<T>) {
          describer.values(left, right);
        } else {
          out.a = fmt::format("{} sub-steps", left);
          out.b = fmt::format("{} sub-steps", right);
        }
      },
      a.value);
  return out;
}

}  // namespace tandem::cli
