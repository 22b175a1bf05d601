// Planning insert(t): arrivals, triggers, blocks, chunks and admissions (E1 to E3, E5 to E7).
#include "runtime/core/engine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/core/script.hpp"
#include "traces/base/check.hpp"

namespace tandem {

Engine::Engine(const Scenario& scenario, const HostPolicy& policy, Workload& workload)
    : Scheduler(scenario.config),
      policy_(policy),
      workload_(workload),
      blocks_(scenario.config.kv_blocks),
      slots_(slot_count()) {}

Status Engine::plan(std::int64_t t, Nanos now, const Column& q_cpu, const Column& b_cpu,
                    std::vector<Task>& tasks) {
  TANDEM_RETURN_IF_ERROR(take_arrivals(t, now));
  plan_triggers(tasks);
  plan_blocks(t, q_cpu, b_cpu, tasks);
  plan_chunks(tasks);
  plan_admissions(tasks);
  return {};
}

// -- arrivals -------------------------------------------------------------------------------------

Status Engine::refill() {
  if (upcoming_ || exhausted_) return {};
  TANDEM_TRY(std::optional<RequestSpec> next, workload_.next());
  exhausted_ = !next.has_value();
  upcoming_ = std::move(next);
  return {};
}

bool Engine::has_arrived(std::int64_t t, Nanos now) const {
  return upcoming_ && upcoming_->row.arrival <= (config_.arrivals == ArrivalUnit::step ? t : now);
}

Status Engine::take_arrivals(std::int64_t t, Nanos now) {
  TANDEM_RETURN_IF_ERROR(refill());
  while (has_arrived(t, now)) {
    const TokenStream tokens{upcoming_->row.id, upcoming_->row.abort_after, 0, 0};
    queue_.push_back(Waiting{std::move(*upcoming_), tokens, false, false});
    upcoming_.reset();
    TANDEM_RETURN_IF_ERROR(refill());
  }
  return {};
}

bool Engine::is_quiet() const { return queue_.empty() && occupied_end() == 0; }

std::int64_t Engine::idle_repeat(std::int64_t t, Nanos now, Nanos idle_ns, bool silent) const {
  if (!silent || !is_quiet() || !upcoming_) return 1;
  const std::int64_t arrival = upcoming_->row.arrival;
  const std::int64_t repeat = config_.arrivals == ArrivalUnit::step
                                  ? arrival - t
                                  : 1 + (arrival - now + idle_ns - 1) / idle_ns;
  return std::max<std::int64_t>(repeat, 1);
}

// -- aborts and preemptions -----------------------------------------------------------------------

Task Engine::task_for(std::int32_t slot, TaskKind kind) const {
  const auto i = static_cast<std::size_t>(slot);
  Task task;
  task.kind = kind;
  task.slot = slot;
  task.request = request_[i];
  task.generation = given_[i] - 1;
  return task;
}

Task Engine::end_slot(std::int32_t slot, TaskKind kind) {
  at(slot).ending = true;
  at(slot).aborted = kind == TaskKind::abort;
  return task_for(slot, kind);
}

void Engine::plan_triggers(std::vector<Task>& tasks) {
  for (const TaskKind kind : {TaskKind::abort, TaskKind::preempt}) {
    for (std::int32_t slot = 0; slot < config_.max_num_seqs; ++slot) {
      if (!slots_[static_cast<std::size_t>(slot)]) continue;
      Occupant& o = at(slot);
      if (o.ending) continue;
      const std::int32_t delivered = o.what.tokens.generated;
      const bool abort = kind == TaskKind::abort;
      const std::int32_t after = abort ? o.what.spec.row.abort_after : o.what.spec.preempt_after;
      if (after < 0 || delivered < after || (!abort && o.what.preempt_fired)) continue;
      if (!abort) o.what.preempt_fired = true;
      tasks.push_back(end_slot(slot, kind));
    }
  }
}

// -- blocks (E3) ----------------------------------------------------------------------------------

std::int64_t Engine::entries_for(std::int64_t reach) const {
  const std::int64_t last = (reach + 2 * config_.num_speculative_tokens + 2) / config_.block_size;
  return std::min<std::int64_t>(config_.table_width() - 1, last) + 1;
}

std::int64_t Engine::missing_entries(std::int32_t slot, std::int64_t reach) const {
  const auto held = static_cast<std::int64_t>(at(slot).blocks.size());
  return std::max<std::int64_t>(0, entries_for(reach) - held);
}

std::int64_t Engine::running_reach(std::int32_t slot, const PolicyView& view) const {
  const std::int64_t rule = std::int64_t{known_d_[static_cast<std::size_t>(slot)]} +
                            (config_.lag() + 1) * config_.row_width();
  const Belief belief = policy_.believed(view, slot);
  return std::max(rule, std::int64_t{belief.length} + belief.reserve);
}

std::vector<std::int32_t> Engine::slots_by_admission() const {
  std::vector<std::int32_t> order;
  for (std::int32_t slot = 0; slot < config_.max_num_seqs; ++slot) {
    if (slots_[static_cast<std::size_t>(slot)] && !at(slot).ending) order.push_back(slot);
  }
  std::sort(order.begin(), order.end(),
            [this](std::int32_t a, std::int32_t b) { return at(a).admitted < at(b).admitted; });
  return order;
}

bool Engine::preemption_pending() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot && slot->ending && !slot->aborted; });
}

void Engine::preempt_for_blocks(std::vector<Task>& tasks, std::int32_t wanting_slot) {
  if (preemption_pending()) return;
  const std::vector<std::int32_t> order = slots_by_admission();
  const std::int32_t victim = order.back();
  if (victim == wanting_slot) return;  // its entry stays -1: the device parks it
  // Blocks that this plan granted the victim come back with its others; its table is emptied
  // anyway.
  std::erase_if(tasks, [victim](const Task& task) { return task.slot == victim; });
  const auto first = std::find_if(tasks.begin(), tasks.end(), [](const Task& task) {
    return task.kind != TaskKind::abort && task.kind != TaskKind::preempt;
  });
  tasks.insert(first, end_slot(victim, TaskKind::preempt));
}

void Engine::plan_blocks(std::int64_t t, const Column& q_cpu, const Column& b_cpu,
                         std::vector<Task>& tasks) {
  const PolicyView view{config_,  t,        false,      q_cpu,       b_cpu,
                        known_d_, known_g_, in_flight_, max_dec_len_};
  for (const std::int32_t slot : slots_by_admission()) {
    Occupant& o = at(slot);
    if (o.ending) continue;                  // became the victim of an earlier slot of this loop
    if (o.prefilled < o.text_len) continue;  // plan_chunks grants with the chunk
    const std::int64_t missing = missing_entries(slot, running_reach(slot, view));
    if (missing == 0) continue;
    const std::int64_t given = std::min(missing, blocks_.free_count());
    if (given < missing) preempt_for_blocks(tasks, slot);
    if (given == 0) continue;
    Task task = task_for(slot, TaskKind::decode);
    blocks_.take(given, task.blocks);
    o.blocks.insert(o.blocks.end(), task.blocks.begin(), task.blocks.end());
    tasks.push_back(std::move(task));
  }
}

// -- prefill chunks -------------------------------------------------------------------------------

void Engine::plan_chunks(std::vector<Task>& tasks) {
  budget_ = config_.max_num_batched_tokens;
  for (std::int32_t slot = 0; slot < config_.max_num_seqs; ++slot) {
    if (!slots_[static_cast<std::size_t>(slot)] || at(slot).ending) continue;
    if (at(slot).prefilled >= at(slot).text_len) budget_ -= config_.row_width();
  }
  for (const std::int32_t slot : slots_by_admission()) {
    Occupant& o = at(slot);
    if (o.ending || o.prefilled >= o.text_len || budget_ <= 0) continue;
    const std::int32_t end = std::min(o.text_len, o.prefilled + budget_);
    const std::int64_t missing = missing_entries(slot, end);
    if (missing > blocks_.free_count()) {
      preempt_for_blocks(tasks, slot);
      continue;  // until its blocks are granted the slot waits, stopped
    }
    Task task = task_for(slot, TaskKind::prefill);
    task.start = o.prefilled;
    task.end = end;
    task.text_len = o.text_len;
    task.generated = o.what.tokens.generated;
    blocks_.take(missing, task.blocks);
    o.blocks.insert(o.blocks.end(), task.blocks.begin(), task.blocks.end());
    budget_ -= end - o.prefilled;
    o.prefilled = end;
    known_d_[static_cast<std::size_t>(slot)] = end;
    tasks.push_back(std::move(task));
  }
}

// -- admission (E2, E5, E7) -----------------------------------------------------------------------

void Engine::plan_admissions(std::vector<Task>& tasks) {
  while (!queue_.empty()) {
    const auto free_slot = std::find(slots_.begin(), slots_.end(), nullptr);
    if (free_slot == slots_.end()) return;
    const auto slot = static_cast<std::int32_t>(free_slot - slots_.begin());
    Waiting& head = queue_.front();
    const std::int32_t text_len = head.spec.row.prompt_len + head.tokens.generated;
    const bool dnode = head.spec.dnode_drafts >= 0 && !head.admitted_before;
    const std::int32_t cost = dnode ? config_.row_width() : 1;
    if (budget_ < cost) return;
    // The cached part costs blocks but no rows; at least one token is computed (6.1).
    const std::int32_t start = std::min(head.spec.row.cached_prompt, text_len - 1);
    const std::int32_t end = start + std::min(text_len - start, budget_);
    const std::int64_t reach =
        dnode ? text_len + (config_.lag() + 1) * std::int64_t{config_.row_width()} : end;
    if (entries_for(reach) > blocks_.free_count()) return;
    Waiting waiting = std::move(head);
    queue_.pop_front();
    if (dnode) {
      admit_dnode(slot, std::move(waiting), tasks);
      budget_ -= config_.row_width();
    } else {
      admit_prefill(slot, std::move(waiting), {start, end}, tasks);
      budget_ -= end - start;
    }
    // The one abort that needs no message: it stands right behind the admission, so that a step may
    // have the flag and nothing that runs (4.4).
    if (at(slot).what.spec.row.abort_after == 0) tasks.push_back(end_slot(slot, TaskKind::abort));
  }
}

Engine::Occupant& Engine::occupy(std::int32_t slot, Waiting&& waiting) {
  const auto i = static_cast<std::size_t>(slot);
  auto occupant = std::make_unique<Occupant>();
  occupant->what = std::move(waiting);
  occupant->what.admitted_before = true;
  occupant->admitted = admissions_++;
  request_[i] = occupant->what.spec.row.id;
  ++given_[i];
  known_g_[i] = occupant->what.tokens.generated;
  in_flight_[i] = 0;
  max_dec_len_[i] = occupant->what.spec.row.max_dec_len;
  slots_[i] = std::move(occupant);
  return *slots_[i];
}

void Engine::admit_prefill(std::int32_t slot, Waiting&& waiting, Chunk chunk,
                           std::vector<Task>& tasks) {
  Occupant& o = occupy(slot, std::move(waiting));
  o.text_len = o.what.spec.row.prompt_len + o.what.tokens.generated;
  o.prefilled = chunk.end;
  known_d_[static_cast<std::size_t>(slot)] = chunk.end;
  Task task = task_for(slot, TaskKind::prefill);
  task.start = chunk.start;
  task.end = chunk.end;
  task.text_len = o.text_len;
  task.generated = o.what.tokens.generated;
  task.admits = true;
  task.row = o.what.spec.row;
  blocks_.take(entries_for(chunk.end), task.blocks);
  o.blocks = task.blocks;
  tasks.push_back(std::move(task));
}

void Engine::admit_dnode(std::int32_t slot, Waiting&& waiting, std::vector<Task>& tasks) {
  const auto i = static_cast<std::size_t>(slot);
  Occupant& o = occupy(slot, std::move(waiting));
  const RequestRow& row = o.what.spec.row;
  o.text_len = o.prefilled = row.prompt_len;
  // Token 0 came from the P node: counted in the stream, not sent again (6.2).
  const std::int64_t first = script::token(config_, script::of(row), row.prompt_len);
  ledger_.deliver(o.what.tokens, {&first, 1});
  known_d_[i] = row.prompt_len;
  known_g_[i] = 1;
  Task task = task_for(slot, TaskKind::dnode);
  task.start = task.end = task.text_len = row.prompt_len;
  task.generated = 1;
  task.drafts = o.what.spec.dnode_drafts;
  task.admits = true;
  task.row = row;
  const std::int64_t reach =
      row.prompt_len + (config_.lag() + 1) * std::int64_t{config_.row_width()};
  blocks_.take(entries_for(reach), task.blocks);
  o.blocks = task.blocks;
  tasks.push_back(std::move(task));
}

}  // namespace tandem
