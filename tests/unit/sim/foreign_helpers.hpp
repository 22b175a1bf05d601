// What must hold of a verdict on a trace that lacks fields.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/checks/check_table.hpp"
#include "tests/support/blank_fields.hpp"
#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {

/// Checks that name one of the fields among their inputs, by the table alone.
inline sim::CheckSet checks_that_read(const std::vector<Field>& fields) {
  sim::CheckSet set;
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const FieldSet& inputs = sim::check_inputs(static_cast<sim::CheckId>(i));
    for (const Field field : fields) {
      if (inputs.test(static_cast<std::size_t>(field))) set.set(i);
    }
  }
  return set;
}

/// What a trace without these fields must not say, and must say that it cannot.
inline void expect_silence(const TinyTrace& clean, const std::vector<Field>& fields) {
  const sim::Verdict verdict = judge(without_fields(clean, fields));
  std::string names;
  for (const Field field : fields) names += field_path(field) + " ";
  EXPECT_EQ(verdict.divergence_count, 0U) << "without " << names << ": " << first_line(verdict);
  const sim::CheckSet readers = checks_that_read(fields);
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    if (!readers.test(i) || verdict.excluded.at(i) || !sim::check_info(id).implemented) continue;
    EXPECT_GT(count_of(verdict, id).not_checkable, 0U) << sim::to_name(id) << " without " << names;
    EXPECT_EQ(count_of(verdict, id).run, 0U) << sim::to_name(id) << " without " << names;
  }
}

}  // namespace tandem::test
