// Level full: poison in rows that nobody may read, and what became of it (V11).
#include <algorithm>

#include "runtime/host/host_device.hpp"

namespace tandem {
namespace {

constexpr ProvenanceRow kPoisonRow{kPoison, kPoison, kPoison, kPoison};

bool is_poison(const ProvenanceRow& row) {
  return row.request == kPoison && row.position == kPoison && row.phase == kPoison &&
         row.sound == kPoison;
}

}  // namespace

/// Behind the forward, in front of everything that reads its rows.
void HostDevice::poison(const LaunchArgs& args) {
  const auto launched = static_cast<std::ptrdiff_t>(args.token_num);
  const auto valid =
      std::min<std::ptrdiff_t>(m_.cu_seqlens_q[static_cast<std::size_t>(args.n)], launched);
  const auto used = static_cast<std::ptrdiff_t>(m_.real_output_token_num[0]);
  const auto bound = static_cast<std::ptrdiff_t>(args.n) * config_.row_width();
  std::fill(m_.hidden_states.begin() + valid, m_.hidden_states.begin() + launched, kPoisonRow);
  std::fill(m_.batch_id_per_token_output.begin() + used,
            m_.batch_id_per_token_output.begin() + bound, kPoison);
  args.pending->record.poison_rows =
      static_cast<std::int32_t>(launched - valid) + static_cast<std::int32_t>(bound - used);
}

void HostDevice::count_damage(StepRecord& record, const LaunchArgs& args) const {
  const auto launched = static_cast<std::ptrdiff_t>(args.token_num);
  const auto valid =
      std::min<std::ptrdiff_t>(m_.cu_seqlens_q[static_cast<std::size_t>(args.n)], launched);
  const auto used = static_cast<std::ptrdiff_t>(m_.real_output_token_num[0]);
  const auto bound = static_cast<std::ptrdiff_t>(args.n) * config_.row_width();
  const auto rows =
      std::count_if(m_.hidden_states.begin() + valid, m_.hidden_states.begin() + launched,
                    [](const ProvenanceRow& row) { return !is_poison(row); });
  const auto ids = std::count_if(m_.batch_id_per_token_output.begin() + used,
                                 m_.batch_id_per_token_output.begin() + bound,
                                 [](std::int32_t id) { return id != kPoison; });
  record.poison_damaged = static_cast<std::int32_t>(rows + ids);
}

}  // namespace tandem
