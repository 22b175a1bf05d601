// Counting divergences, and their one line.
#include "sim/checks/report.hpp"

#include <string_view>

#include <fmt/format.h>

#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

std::string text_of(bool exists, std::int64_t value) {
  return exists ? std::to_string(value) : std::string("-");
}

/// "substeps[1].qd": field_path() of a member of sub-steps with the sub-step that it is of.
std::string path_in(Field field, std::int32_t substep) {
  constexpr std::string_view kSubsteps = "substeps";
  std::string path = field_path(field);
  if (substep >= 0 && path.rfind("substeps.", 0) == 0) {
    path.insert(kSubsteps.size(), fmt::format("[{}]", substep));
  }
  return path;
}

}  // namespace

void Reporter::add(const Finding& f) {
  if (!is_enabled(f.check)) return;
  ++tally.diverged.at(index_of(f.check));
  ++tally.divergence_count;
  if (kept.size() >= kept_max_) return;
  Divergence d;
  d.check = f.check;
  d.step = t_;
  d.point = f.point;
  d.slot = f.slot;
  d.request = f.request;
  d.field = f.field == Field::count ? f.name : path_in(f.field, substep_) + f.name;
  d.has_host = f.host.exists;
  d.has_device = f.device.exists;
  d.has_oracle = f.oracle.exists;
  d.host = f.host.value;
  d.device = f.device.value;
  d.oracle = f.oracle.value;
  d.belongs_to = wrap_sub(t_, f.lag);
  d.policy = policy_;
  kept.push_back(std::move(d));
}

std::string to_line(const Divergence& d) {
  return fmt::format(
      "divergence check={} step={} rank={} point={} slot={} request={} field={} host={} device={} "
      "oracle={} belongs_to={} policy={}",
      to_name(d.check), d.step, d.rank, d.point, text_of(d.slot >= 0, d.slot),
      text_of(d.request >= 0, d.request), d.field, text_of(d.has_host, d.host),
      text_of(d.has_device, d.device), text_of(d.has_oracle, d.oracle), d.belongs_to, d.policy);
}

}  // namespace tandem::sim
