// The last part of the name of a test that runs once a scenario of the catalogue.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/joined/judged_run.hpp"

namespace tandem::test {

inline std::string catalog_test_name(const testing::TestParamInfo<std::string>& scenario) {
  return as_test_name(scenario.param);
}

}  // namespace tandem::test
