// What recording a step costs the thread that runs steps: median and spread of many rounds.
//
// usage: recorder_bench [SLOTS [ROUNDS]]. Steps are those of B slots that all decode, K = 3, once
// with every array known and once with the essential ones. Between rounds the caller sleeps, as an
// engine waits for its forward, so that the recorder's thread keeps up; what is timed is the call
// alone.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "traces/recorder/tandem_recorder.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWidth = 4;
constexpr std::size_t kSubsteps = 3;
constexpr std::size_t kStepsARound = 64;

/// An engine's arrays for B decoding slots, and a step in which all of them are known.
struct Engine {
  std::size_t slots;
  tandem_config config;
  tandem_step step;
  tandem_substep substeps[kSubsteps];
  tandem_message message{};
  std::vector<std::int32_t> column, tables, prefix, batch;
  std::vector<std::int64_t> wide, tokens, ids;
  std::vector<std::uint8_t> flags, changed;

  explicit Engine(std::size_t b)
      : slots(b),
        column(b, 4),
        prefix(b + 1),
        batch(b * kWidth),
        wide(b, 900),
        tokens(b * kWidth, 4711),
        ids(b * kWidth, 4711),
        flags(b, 0),
        changed(b, 0) {
    tandem_config_init(&config);
    config.max_num_seqs = static_cast<std::int32_t>(b);
    const auto table = static_cast<std::size_t>(config.max_model_len / config.block_size) + 2;
    tables.assign(b * table, 7);
    for (std::size_t i = 0; i < b; ++i) {
      prefix[i + 1] = prefix[i] + static_cast<std::int32_t>(kWidth);
      for (std::size_t j = 0; j < kWidth; ++j) {
        batch[i * kWidth + j] = static_cast<std::int32_t>(i);
      }
    }
    fill_host();
    fill_device();
  }

  [[nodiscard]] tandem_slots point() const {
    return {column.data(), column.data(), column.data(), flags.data(),
            flags.data(),  wide.data(),   column.data(), tokens.data()};
  }

  void fill_host() {
    tandem_step_init(&step);
    static const tandem_task kTasks[1]{};
    static const tandem_outcome kOutcomes[1]{};
    static const tandem_free kFrees[1]{};
    static const tandem_count_use kUses[1]{};
    step.kind = TANDEM_BACK;
    step.n = static_cast<std::int32_t>(slots);
    step.tasks = kTasks;
    step.outcomes = kOutcomes;
    step.frees = kFrees;
    step.count_uses = kUses;
    step.flag_in = step.flag_out = step.draft_flag_in = step.draft_flag_out = 0;
    step.predicted = 1;
    step.token_num = step.output_rows = step.output_rows_host = step.cached_in_token_num =
        step.cached_out_token_num = static_cast<std::int32_t>(slots * kWidth);
    step.launch_bsz = step.real_bsz = step.cached_in_real_bsz = step.cached_out_real_bsz = step.n;
    step.captured_size = step.guard_tripped = step.live_tail = 0;
    step.q_cpu_step = step.b_cpu_step = 0;
    step.seq_lens_this_time_cpu = step.believed_len = step.believed_reserve = column.data();
    step.is_block_step_cpu = flags.data();
    message = {
        0, 0, step.n, column.data(), tokens.data(), column.data(), column.data(), column.data()};
    step.messages = &message;
    step.message_count = 1;
  }

  void fill_device() {
    step.p1 = step.p2 = step.p4 = step.shadow = point();
    step.prompt_lens = step.infer_seed = step.stop_step_idx = wide.data();
    step.block_tables = tables.data();
    step.block_rows_changed = changed.data();
    step.request = step.generation = step.enqueue_generation = step.p2_generation = column.data();
    step.cu_seqlens_q = step.cu_seqlens_q_output = prefix.data();
    step.batch_id_per_token = step.batch_id_per_token_output = batch.data();
    step.ids_remove_padding = ids.data();
    step.accept_tokens = step.step_draft_tokens = tokens.data();
    step.draft_e = step.paired = column.data();
    step.step_seq_lens_this_time = step.step_seq_lens_decoder = column.data();
    for (tandem_substep& sub : substeps) {
      const auto rows = static_cast<std::int32_t>(slots);
      sub = {1,
             0,
             rows,
             rows,
             0,
             rows,
             ids.data(),
             column.data(),
             column.data(),
             column.data(),
             column.data(),
             column.data(),
             column.data(),
             0};
    }
    step.substeps = substeps;
  }
};

/// Nanoseconds a step, one value a round.
std::vector<double> measure(Engine& engine, tandem_recorder* recorder, std::size_t rounds) {
  std::vector<double> ns;
  for (std::size_t round = 0; round < rounds; ++round) {
    Clock::duration spent{};
    for (std::size_t i = 0; i < kStepsARound; ++i) {
      const auto start = Clock::now();
      const tandem_result result = tandem_recorder_step(recorder, &engine.step);
      spent += Clock::now() - start;
      if (result != TANDEM_OK) {
        std::fprintf(stderr, "recorder_bench: %s (%s)\n", tandem_result_text(result),
                     tandem_recorder_detail(recorder));
        std::exit(2);
      }
      ++engine.step.t;
    }
    ns.push_back(std::chrono::duration<double, std::nano>(spent).count() / kStepsARound);
    std::this_thread::sleep_for(std::chrono::milliseconds(25));  // 64 steps of about 400 us
  }
  std::sort(ns.begin(), ns.end());
  return ns;
}

/// What an engine has at hand without looking for it: the slots at P1, P2 and P4, the tokens, the
/// block tables and the host's numbers.
void keep_essentials(tandem_step& step) {
  step.believed_len = step.believed_reserve = nullptr;
  step.batch_id_per_token = step.batch_id_per_token_output = nullptr;
  step.ids_remove_padding = nullptr;
  step.enqueue_generation = step.p2_generation = nullptr;
  step.infer_seed = step.stop_step_idx = nullptr;
  step.draft_e = step.paired = nullptr;
  step.substeps = nullptr;
  step.shadow = tandem_slots{};
  step.p2.draft_tokens = nullptr;
}

int run(std::size_t slots, std::size_t rounds, bool essentials) {
  Engine engine(slots);
  if (essentials) keep_essentials(engine.step);
  tandem_recorder* recorder = nullptr;
  const tandem_result opened = tandem_recorder_open("recorder_bench.jsonl", &engine.config,
                                                    &engine.step, nullptr, &recorder);
  if (opened != TANDEM_OK) {
    std::fprintf(stderr, "recorder_bench: %s\n", tandem_result_text(opened));
    return 2;
  }
  measure(engine, recorder, rounds / 10 + 1);  // warms caches and pages
  for (const bool changed : {false, true}) {
    std::fill(engine.changed.begin(), engine.changed.end(), changed ? 1 : 0);
    const std::vector<double> ns = measure(engine, recorder, rounds);
    const auto at = [&ns](double share) {
      return ns[static_cast<std::size_t>(share * static_cast<double>(ns.size() - 1))] / 1000.0;
    };
    std::printf("%-11s  block tables %-9s  median %6.2f us a step, p10 %6.2f, p90 %6.2f\n",
                essentials ? "essentials" : "all arrays", changed ? "rewritten" : "unchanged",
                at(0.5), at(0.1), at(0.9));
  }
  const auto stalls = static_cast<unsigned long long>(tandem_recorder_stalls(recorder));
  if (stalls > 0) std::printf("%llu stalls: the times above hold waiting\n", stalls);
  const tandem_result closed = tandem_recorder_close(recorder, nullptr);
  tandem_recorder_free(recorder);
  std::remove("recorder_bench.jsonl");
  return closed == TANDEM_OK ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const long slots = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 64;
  const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 200;
  if (slots < 1 || slots > 512 || rounds < 1) {
    std::fprintf(stderr, "usage: recorder_bench [SLOTS 1..512 [ROUNDS]]\n");
    return 2;
  }
  const auto b = static_cast<std::size_t>(slots);
  const auto n = static_cast<std::size_t>(rounds);
  std::printf("%zu slots that decode, K = 3, M = 3; %zu rounds of %zu steps\n", b, n, kStepsARound);
  const int all = run(b, n, false);
  const int essentials = run(b, n, true);
  return std::max(all, essentials);
}
