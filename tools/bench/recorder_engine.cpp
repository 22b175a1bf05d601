// The arrays of an engine whose slots all decode.
#include "tools/bench/recorder_engine.hpp"

#include <algorithm>

namespace tandem::bench {
namespace {

constexpr std::size_t kWidth = 4;
constexpr std::size_t kSubsteps = 3;
constexpr std::uint64_t kVocab = 152'064;

constexpr tandem_task kTasks[1]{};
constexpr tandem_outcome kOutcomes[1]{};
constexpr tandem_free kFrees[1]{};
constexpr tandem_count_use kUses[1]{};

}  // namespace

Engine::Engine(std::size_t slots)
    : slots_(slots), length_(slots), generated_(slots, 1), accepted_(slots, 1) {
  tandem_config_init(&config);
  config.max_num_seqs = static_cast<std::int32_t>(slots);
  config.vocab_size = static_cast<std::int32_t>(kVocab);
  config.max_model_len = 16384;
  table_ = static_cast<std::size_t>(config.max_model_len / config.block_size) + 2;
  for (std::int64_t& length : length_) length = static_cast<std::int64_t>(200 + draws_.below(4000));
  tandem_step_init(&step);
  make_host();
  make_device();
  essential_ = false;
  make_launch();
  make_proposer();
}

void Engine::count(std::size_t bytes) {
  bytes_ += bytes;
  if (essential_) essential_bytes_ += bytes;
}

std::int32_t* Engine::column(Role role, std::int64_t add, std::size_t entries) {
  entries = entries == 0 ? slots_ : entries;
  count(entries * sizeof(std::int32_t));
  return columns_.push_back({std::vector<std::int32_t>(entries), role, add}),
         columns_.back().values.data();
}

std::int64_t* Engine::wide(Role role, std::int64_t add, std::size_t entries) {
  entries = entries == 0 ? slots_ : entries;
  count(entries * sizeof(std::int64_t));
  return wide_.push_back({std::vector<std::int64_t>(entries), role, add}),
         wide_.back().values.data();
}

std::uint8_t* Engine::flags() {
  count(slots_);
  return flags_.emplace_back(slots_, std::uint8_t{0}).data();
}

tandem_slots Engine::point(std::int64_t tokens_ahead) {
  tandem_slots p{};
  p.seq_lens_this_time = column(Role::fixed, kWidth);
  p.seq_lens_encoder = column(Role::fixed, 0);
  p.seq_lens_decoder = column(Role::length, tokens_ahead);
  p.stop_flags = flags();
  p.is_block_step = flags();
  p.step_idx = wide(Role::generated, tokens_ahead);
  return p;
}

void Engine::make_host() {
  const auto n = static_cast<std::int32_t>(slots_);
  const auto rows = static_cast<std::int32_t>(slots_ * kWidth);
  step.kind = TANDEM_BACK;
  step.n = n;
  step.tasks = kTasks;
  step.outcomes = kOutcomes;
  step.frees = kFrees;
  step.count_uses = kUses;
  step.flag_in = step.flag_out = step.draft_flag_in = step.draft_flag_out = 0;
  step.predicted = 1;
  step.token_num = step.output_rows = step.output_rows_host = rows;
  step.cached_in_token_num = step.cached_out_token_num = rows;
  step.launch_bsz = step.real_bsz = step.cached_in_real_bsz = step.cached_out_real_bsz = n;
  step.captured_size = rows;
  step.guard_tripped = step.live_tail = 0;
  step.q_cpu_step = step.b_cpu_step = 0;
  step.seq_lens_this_time_cpu = column(Role::fixed, kWidth);
  step.is_block_step_cpu = flags();
  message_.slots = n;
  message_.accept_num = column(Role::accepted, 0);
  message_.accept_tokens = wide(Role::token, 0, slots_ * kWidth);
  message_.seq_lens_decoder = column(Role::length, 0);
  message_.request = column(Role::request, 0);
  message_.generation = column(Role::fixed, 2);
  step.messages = &message_;
  step.message_count = 1;
}

void Engine::make_device() {
  const std::size_t tokens = slots_ * kWidth;
  step.p1 = point(0);
  step.p1.draft_tokens = wide(Role::token, 0, tokens);
  step.prompt_lens = wide(Role::fixed, 1000);
  tables_.resize(slots_ * table_);
  changed_.assign(slots_, 0);
  count(slots_);
  step.block_tables = tables_.data();
  step.block_rows_changed = changed_.data();
  step.request = column(Role::request, 0);
  step.generation = column(Role::fixed, 2);
  step.p2 = point(1);
  step.p2.accept_num = column(Role::accepted, 0);
  step.accept_tokens = wide(Role::token, 0, tokens);
  step.p4 = point(1);
  step.p4.accept_num = column(Role::accepted, 0);
  step.p4.draft_tokens = wide(Role::token, 0, tokens);
  step.step_seq_lens_this_time = column(Role::fixed, 0);
  step.step_seq_lens_decoder = column(Role::fixed, 0);
  step.step_draft_tokens = wide(Role::fixed, -1, tokens);
  std::int32_t* prefix = column(Role::fixed, 0, slots_ + 1);
  std::int32_t* output = column(Role::fixed, 0, slots_ + 1);
  for (std::size_t i = 0; i <= slots_; ++i) {
    prefix[i] = output[i] = static_cast<std::int32_t>(i * kWidth);
  }
  columns_[columns_.size() - 1].role = columns_[columns_.size() - 2].role = Role::token;
  step.cu_seqlens_q = prefix;
  step.cu_seqlens_q_output = output;
}

void Engine::make_launch() {
  const std::size_t tokens = slots_ * kWidth;
  step.believed_len = column(Role::length, kWidth);
  step.believed_reserve = column(Role::fixed, 2 * kWidth);
  std::int32_t* batch = column(Role::token, 0, tokens);
  std::int32_t* output = column(Role::token, 0, tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    batch[i] = output[i] = static_cast<std::int32_t>(i / kWidth);
  }
  step.batch_id_per_token = batch;
  step.batch_id_per_token_output = output;
  step.ids_remove_padding = wide(Role::token, 0, tokens);
  step.p2.draft_tokens = wide(Role::token, 0, tokens);
  step.enqueue_generation = column(Role::fixed, 2);
  step.p2_generation = column(Role::fixed, 2);
  step.infer_seed = wide(Role::seed, 0);
  step.stop_step_idx = wide(Role::generated, 0);
}

void Engine::make_proposer() {
  step.draft_e = column(Role::fixed, 0);
  step.paired = column(Role::fixed, 1);
  step.shadow = point(0);
  const auto rows = static_cast<std::int32_t>(slots_);
  for (std::size_t sub = 0; sub < kSubsteps; ++sub) {
    tandem_substep s;
    tandem_substep_init(&s);
    s.launched = 1;
    s.blocking = 0;
    s.token_num = s.hidden_rows = s.captured_size = s.device_sum = rows;
    s.ids_remove_padding = wide(Role::token, 0);
    s.seq_lens_this_time = column(Role::fixed, 1);
    s.seq_lens_decoder = column(Role::length, static_cast<std::int64_t>(sub));
    s.row_request = column(Role::request, 0);
    s.row_position = column(Role::length, static_cast<std::int64_t>(sub));
    s.row_phase = column(Role::fixed, static_cast<std::int64_t>(sub));
    s.row_count = column(Role::fixed, 1);
    s.live_tail = 0;
    substeps_.push_back(s);
  }
  step.substeps = substeps_.data();
}

void Engine::keep_essentials() {
  step.believed_len = step.believed_reserve = nullptr;
  step.batch_id_per_token = step.batch_id_per_token_output = nullptr;
  step.ids_remove_padding = nullptr;
  step.enqueue_generation = step.p2_generation = nullptr;
  step.infer_seed = step.stop_step_idx = nullptr;
  step.draft_e = step.paired = nullptr;
  step.substeps = nullptr;
  step.shadow = tandem_slots{};
  step.p2.draft_tokens = nullptr;
  bytes_ = essential_bytes_;
}

std::int64_t Engine::value(Role role, std::size_t slot) {
  switch (role) {
    case Role::length:
      return length_[slot];
    case Role::generated:
      return generated_[slot];
    case Role::accepted:
      return accepted_[slot];
    case Role::request:
      return 70'000 + static_cast<std::int64_t>(slot) * 3;
    case Role::seed:
      return static_cast<std::int64_t>(slot) * 1'000'003 + step.t * 4;
    default:
      return 0;
  }
}

void Engine::advance(bool rewrites_tables) {
  ++step.t;
  step.q_cpu_step = step.b_cpu_step = step.t;
  message_.step = step.t - 1;
  for (std::size_t i = 0; i < slots_; ++i) {
    length_[i] += accepted_[i];
    if (length_[i] > 16'000) length_[i] = 200;
    generated_[i] += accepted_[i];
    accepted_[i] = static_cast<std::int64_t>(1 + draws_.below(kWidth));
  }
  for (Array<std::int32_t>& array : columns_) {
    if (array.role == Role::token) continue;  // indices of rows: filled once
    for (std::size_t i = 0; i < array.values.size(); ++i) {
      array.values[i] = static_cast<std::int32_t>(value(array.role, i) + array.add);
    }
  }
  for (Array<std::int64_t>& array : wide_) {
    for (std::size_t i = 0; i < array.values.size(); ++i) {
      const bool token = array.role == Role::token;
      array.values[i] = token ? static_cast<std::int64_t>(draws_.below(kVocab))
                              : value(array.role, i) + array.add;
    }
  }
  std::fill(changed_.begin(), changed_.end(), rewrites_tables ? 1 : 0);
  if (!rewrites_tables) return;
  for (std::int32_t& block : tables_) block = static_cast<std::int32_t>(draws_.below(100'000));
}

}  // namespace tandem::bench
