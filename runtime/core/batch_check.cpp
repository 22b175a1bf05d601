// Bounds that every recorded batch must keep before it is executed again.
#include "runtime/core/batch_check.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/core/start_check.hpp"
#include "scenarios/scenario.hpp"
#include "traces/members.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kStepsMax = 1'000'000'000'000;  // as limits.steps: times stay in 64 bits
constexpr const char* kBatchRemedy = "the trace is damaged or was edited: record it again";

Status refuse(const std::string& place, const std::string& found, const std::string& wanted) {
  return Error::make(place, "got " + found, wanted, kBatchRemedy);
}

Status in_range(const std::string& place, const char* member, std::int64_t value, std::int64_t low,
                std::int64_t high) {
  if (value >= low && value <= high) return {};
  return refuse(place + "." + member, std::to_string(value),
                fmt::format("an integer in [{}, {}]", low, high));
}

bool computes(const Task& task) {
  return task.kind == TaskKind::prefill || task.kind == TaskKind::dnode;
}

}  // namespace

BatchCheck::BatchCheck(const RunConfig& config, const FieldSet& present, std::string name)
    : config_(config),
      present_(present),
      name_(std::move(name)),
      slots_(static_cast<std::size_t>(config.max_num_seqs)) {}

std::string BatchCheck::place(std::int64_t t) const { return fmt::format("{}: step {}", name_, t); }

Status BatchCheck::start(const Keyframe& k) {
  const std::string at = fmt::format("{}: first keyframe", name_);
  TANDEM_RETURN_IF_ERROR(in_range(at, "t", k.t, 0, kStepsMax));
  next_ = k.t;
  TANDEM_RETURN_IF_ERROR(check_start(k, config_, at));
  for (std::size_t i = 0, row = 0; i < slots_.size(); ++i) {
    slots_[i].table_len = static_cast<std::int32_t>(k.blocks[i].size());
    if (k.request[i] == kNoRequest) continue;
    TANDEM_RETURN_IF_ERROR(check_row(k.rows[row++], fmt::format("{}: slot {}", at, i)));
    slots_[i].request = k.request[i];
    slots_[i].text_len = k.p[i];
    const bool runs = k.slots.s[i] == 0 || k.slots.b[i] != 0;
    slots_[i].chunk_end = runs ? k.p[i] : k.known_d[i];
    slots_[i].ending = k.preempted[i] != 0 || k.last_preempted[i] != 0;
  }
  return {};
}

Status BatchCheck::check_row(const RequestRow& row, const std::string& at) const {
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.prompt_len", row.prompt_len, 1, config_.max_model_len));
  TANDEM_RETURN_IF_ERROR(
      in_range(at, "row.max_dec_len", row.max_dec_len, 1, config_.max_model_len - row.prompt_len));
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.eos_at", row.eos_at, 0, INT32_MAX));
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.stop_at", row.stop_at, 0, config_.max_model_len));
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.stop_len", row.stop_len, row.stop_at > 0 ? 1 : 0,
                                  std::min(kStopLenMax, row.stop_at)));
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.min_tokens", row.min_tokens, 0, INT32_MAX));
  TANDEM_RETURN_IF_ERROR(in_range(at, "row.abort_after", row.abort_after, -1, INT32_MAX));
  for (const std::int32_t commits : row.accept) {
    TANDEM_RETURN_IF_ERROR(in_range(at, "row.accept", commits, 1, INT32_MAX));
  }
  return {};
}

Status BatchCheck::check_admission(const Task& task, const std::string& at) const {
  TANDEM_RETURN_IF_ERROR(in_range(at, "request", task.request, 0, INT32_MAX));
  TANDEM_RETURN_IF_ERROR(in_range(at, "generation", task.generation, 0, INT32_MAX - 1));
  if (task.row.id != task.request) {
    return refuse(at + ".row.id", std::to_string(task.row.id),
                  fmt::format("{}, the request that the task admits", task.request));
  }
  TANDEM_RETURN_IF_ERROR(check_row(task.row, at));
  return in_range(at, "generated", task.generated, 0, task.row.max_dec_len - 1);
}

Status BatchCheck::check_text(const Task& task, const std::string& at) const {
  const std::int32_t text_len =
      task.admits ? task.row.prompt_len + (task.kind == TaskKind::dnode ? 0 : task.generated)
                  : slot_of(task).text_len;
  TANDEM_RETURN_IF_ERROR(in_range(at, "text_len", task.text_len, text_len, text_len));
  if (task.kind == TaskKind::dnode) {
    TANDEM_RETURN_IF_ERROR(in_range(at, "generated", task.generated, 1, 1));
    TANDEM_RETURN_IF_ERROR(in_range(at, "start", task.start, text_len, text_len));
    return in_range(at, "drafts", task.drafts, 0, config_.num_speculative_tokens);
  }
  TANDEM_RETURN_IF_ERROR(in_range(at, "start", task.start, 0, text_len - 1));
  TANDEM_RETURN_IF_ERROR(in_range(at, "end", task.end, task.start + 1, text_len));
  return in_range(at, "generated", task.generated, 0, text_len);
}

Status BatchCheck::check_blocks(const Task& task, const std::string& at) {
  const std::int64_t held = task.admits ? 0 : slot_of(task).table_len;
  const auto length = held + static_cast<std::int64_t>(task.blocks.size());
  if (length > config_.table_width()) {
    return refuse(at + ".blocks", fmt::format("{} entries of the slot's table", length),
                  fmt::format("at most {}", config_.table_width()));
  }
  const std::int32_t most = config_.kv_blocks > 0 ? config_.kv_blocks - 1 : INT32_MAX;
  for (const std::int32_t block : task.blocks) {
    if (block >= 0 && block <= most) continue;
    return Error::make(at + ".blocks", fmt::format("got {}", block),
                       fmt::format("an integer in [0, {}] (engine.kv_blocks)", most),
                       "the pool is smaller than the recorded one, or the trace was edited");
  }
  return {};
}

Status BatchCheck::check_task(const Task& task, const std::string& at) {
  TANDEM_RETURN_IF_ERROR(in_range(at, "slot", task.slot, 0, config_.max_num_seqs - 1));
  if (task.admits && !computes(task)) {
    return refuse(at, fmt::format("{} with admits", to_name(task.kind)),
                  "a prefill or dnode where a request is admitted");
  }
  if (task.kind == TaskKind::dnode && !task.admits) {
    return refuse(at, "dnode without admits", "a D node's insert admits its request");
  }
  if (task.admits) {
    TANDEM_RETURN_IF_ERROR(check_admission(task, at));
  } else if (slot_of(task).request == kNoRequest || slot_of(task).request != task.request) {
    const RequestId held = slot_of(task).request;
    return refuse(
        at,
        fmt::format("{} of request {} in slot {}, which holds {}", to_name(task.kind), task.request,
                    task.slot, held == kNoRequest ? "none" : fmt::format("request {}", held)),
        "a request that was admitted there");
  }
  if (computes(task)) TANDEM_RETURN_IF_ERROR(check_text(task, at));
  return check_blocks(task, at);
}

void BatchCheck::apply(const Task& task) {
  Slot& slot = slot_of(task);
  if (task.admits) slot = Slot{};
  if (computes(task)) {
    slot.request = task.request;
    slot.text_len = task.text_len;
    slot.chunk_end = task.end;
  }
  slot.table_len += static_cast<std::int32_t>(task.blocks.size());
  if (task.kind == TaskKind::preempt || task.kind == TaskKind::abort) {
    slot.ending = true;
    slot.table_len = 0;
  }
}

/// The token budget of E2: device buffers hold no more rows than that.
Status BatchCheck::check_rows_launched(const StepRecord& record, std::int64_t t) const {
  std::int64_t rows = 0;
  std::vector<std::int32_t> own(slots_.size(), 0);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const bool decodes = slots_[i].request != kNoRequest && !slots_[i].ending &&
                         slots_[i].chunk_end >= slots_[i].text_len;
    own[i] = decodes ? config_.row_width() : 0;
  }
  for (const Task& task : record.tasks) {
    if (task.kind == TaskKind::prefill && !slot_of(task).ending) {
      own[static_cast<std::size_t>(task.slot)] = task.end - task.start;
    }
  }
  for (const std::int32_t count : own) rows += count;
  if (rows <= config_.max_num_batched_tokens) return {};
  return Error::make(
      place(t), fmt::format("got chunks and running slots for {} rows", rows),
      fmt::format("at most {} (engine.max_num_batched_tokens)", config_.max_num_batched_tokens),
      fmt::format("--set engine.max_num_batched_tokens={}", rows));
}

Status BatchCheck::check_view(const StepRecord& record, std::int64_t t) const {
  if (!has(Field::n)) return {};
  std::int32_t least = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].request != kNoRequest) least = static_cast<std::int32_t>(i) + 1;
  }
  if (record.n >= least && record.n <= config_.max_num_seqs) return {};
  return refuse(
      place(t) + ": n", std::to_string(record.n),
      fmt::format("{} to {}: slots up to {} are occupied", least, config_.max_num_seqs, least - 1));
}

Status BatchCheck::take(const StepRecord& record, std::int64_t t) {
  if (t != next_) {
    return Error::make(place(t), fmt::format("got the record of step {}", t),
                       fmt::format("that of step {}: a batch-exact replay needs each", next_),
                       "reschedule what is there with --replay-requests");
  }
  TANDEM_RETURN_IF_ERROR(in_range(place(t), "repeat", record.repeat, 1, kStepsMax - t));
  for (std::size_t k = 0; k < record.tasks.size(); ++k) {
    TANDEM_RETURN_IF_ERROR(check_task(record.tasks[k], fmt::format("{}: tasks[{}]", place(t), k)));
    apply(record.tasks[k]);
  }
  TANDEM_RETURN_IF_ERROR(check_rows_launched(record, t));
  TANDEM_RETURN_IF_ERROR(check_view(record, t));
  for (std::size_t k = 0; k < record.frees.size(); ++k) {
    const std::int32_t slot = record.frees[k].slot;
    TANDEM_RETURN_IF_ERROR(in_range(fmt::format("{}: frees[{}]", place(t), k), "slot", slot, 0,
                                    config_.max_num_seqs - 1));
    Slot& freed = slots_[static_cast<std::size_t>(slot)];
    freed = Slot{kNoRequest, 0, 0, freed.table_len, false};
  }
  next_ = t + record.repeat;
  return {};
}

}  // namespace tandem
