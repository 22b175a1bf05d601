// Takes fields out of a trace as a foreign producer would leave them: defaults, named as absent.
#pragma once

#include <type_traits>
#include <vector>

#include "tests/support/sim_tiny.hpp"
#include "traces/fields.hpp"

namespace tandem::test {

/// Gives every field of `gone` the value that StepRecord::reset() gives it.
class Blanker {
 public:
  explicit Blanker(const FieldSet& gone) : gone_(gone) {}

  template <class T>
  void operator()(Field field, T& value) {
    if (gone_.test(static_cast<std::size_t>(field))) blank(field, value);
  }
  template <class T, class Each>
  void list(Field field, T& items, Each each) {
    if (gone_.test(static_cast<std::size_t>(field))) items.assign(items.size(), {});
    for (auto& item : items) each(item, *this);
  }

 private:
  template <class T>
  static void blank(Field field, T& value) {
    value = T{};
    if constexpr (std::is_integral_v<T>) value = field == Field::repeat ? 1 : 0;
  }
  template <class T>
  static void blank(Field, std::vector<T>& values) {
    values.clear();
  }
  static void blank(Field field, Column& values) {
    const bool by_slot = field != Field::cu_seqlens_q && field != Field::cu_seqlens_q_output;
    values.assign(by_slot ? values.size() : 0, 0);
  }

  FieldSet gone_;
};

/// The trace without these fields; `absent` of its header names them as well.
inline TinyTrace without_fields(TinyTrace trace, const std::vector<Field>& fields) {
  FieldSet gone;
  for (const Field field : fields) {
    gone.set(static_cast<std::size_t>(field));
    trace.head.absent.push_back(field_path(field));
  }
  Blanker blanker(gone);
  for (TinyTrace::Block& block : trace.content) {
    for (StepRecord& r : block.records) visit_fields(r, blanker);
  }
  return trace;
}

}  // namespace tandem::test
