// Comparing columns: one memory comparison where all is well, a loop over slots where it is not.
#include <cstring>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

bool equal(const Column& a, const Column& b) {
  return std::memcmp(a.data(), b.data(), b.size() * sizeof(Column::value_type)) == 0;
}

void report_slot(StepContext& c, CheckId check, Field field, const char* point, std::size_t slot,
                 std::int32_t device, std::int32_t oracle) {
  c.out.add({check, point, static_cast<std::int32_t>(slot), c.s.request[slot], field, "", nothing(),
             just(device), just(oracle)});
}

}  // namespace

void follow(StepContext& c, CheckId check, Field field, const char* point, const Column& device,
            Column& oracle) {
  if (!c.has(field) || equal(device, oracle)) return;
  for (std::size_t i = 0; i < oracle.size(); ++i) {
    if (device[i] == oracle[i]) continue;
    if (oracle[i] != kUnknown) report_slot(c, check, field, point, i, device[i], oracle[i]);
    oracle[i] = device[i];
  }
}

void compare(StepContext& c, CheckId check, Field field, const char* point, const Column& device,
             const Column& oracle) {
  if (!c.has(field) || equal(device, oracle)) return;
  for (std::size_t i = 0; i < oracle.size(); ++i) {
    if (device[i] == oracle[i] || oracle[i] == kUnknown) continue;
    report_slot(c, check, field, point, i, device[i], oracle[i]);
  }
}

void expect_host(StepContext& c, CheckId check, Field field, std::int64_t host, std::int64_t oracle,
                 const char* member) {
  if (host == oracle || !c.has(field)) return;
  c.out.add({check, "-", -1, -1, field, member, just(host), nothing(), just(oracle)});
}

}  // namespace tandem::sim
