// What a run reached of semantics 4.4 (fallback rules) and 6 (lifecycle), read off its records.
#include "tests/unit/joined/reach.hpp"

#include <algorithm>

#include "sim/oracle/rules.hpp"
#include "sim/oracle/script.hpp"
#include "traces/base/check.hpp"

namespace tandem::test {
namespace {

bool any(const Column& column) {
  return std::any_of(column.begin(), column.end(), [](std::int32_t v) { return v != 0; });
}

/// Tokens that the script commits from g on, before they are clipped to the row.
std::int32_t scripted_commits(const RunConfig& config, const RequestRow& row, std::int32_t g) {
  const Result<sim::Rules> rules = sim::make_rules(config);
  TANDEM_CHECK(rules.ok());
  sim::AcceptScript script;
  script.assign(rules.value(), row);
  return script.known() ? script.commits(g) : 0;
}

std::vector<std::string> rules_and_events() {
  std::vector<std::string> names = {"4.4 decode-only, predicted",
                                    "4.4 prefill alone",
                                    "4.4 mixed",
                                    "4.4 chunk",
                                    "4.4 first step after prefill",
                                    "4.4 D node received a request",
                                    "4.4 prediction 0, idle",
                                    "4.4 ghost step",
                                    "4.4 only parked slots left",
                                    "4.4 flag set with r = 0",
                                    "4.4 flag set with r = 0, sticky",
                                    "4.5 run-off by a ghost step",
                                    "4.5 run-off by an idle step",
                                    "6.1 first chunk",
                                    "6.1 middle chunk",
                                    "6.1 last chunk",
                                    "6.1 prompt of 1 token",
                                    "6.1 cached prompt",
                                    "6.2 no draft",
                                    "6.2 fewer drafts than K",
                                    "6.2 K drafts",
                                    "6.4 EOS from prefill",
                                    "6.4 EOS inside accepted drafts",
                                    "6.4 EOS is the target's own token",
                                    "6.4 length limit",
                                    "6.4 stop sequence",
                                    "6.4 stop sequence inside accepted drafts",
                                    "6.4 max_dec_len 1",
                                    "3.2.1 drafts extended by n-gram matches",
                                    "6.5 parked",
                                    "6.5 revived",
                                    "6.5 revived and parked again",
                                    "6.5 revived and parked in one step",
                                    "6.5 parked for lack of blocks, refreshed",
                                    "6.6 control output",
                                    "6.8 idle gap"};
  return names;
}

void add_ends(std::vector<std::string>& names) {
  for (const char* kind : {"preempt", "abort"}) {
    for (const char* state : {"half-prefilled", "decoding", "parked", "ended, in flight"}) {
      names.push_back(std::string("6.6 ") + kind + ": " + state);
    }
  }
  names.insert(names.end(), {"6.6 abort: at once", "6.6 abort: trigger reached in the queue",
                             "6.7 recovered", "6.7 recovered in chunks"});
}

void add_configurations(std::vector<std::string>& names) {
  for (std::int32_t k = 1; k <= 16; ++k) names.push_back("K = " + std::to_string(k));
  for (const PolicyKind policy :
       {PolicyKind::exact, PolicyKind::predict_sum, PolicyKind::predict_rows,
        PolicyKind::predict_rows_hidden, PolicyKind::upper_bound, PolicyKind::all_accepted}) {
    names.push_back(std::string("policy ") + to_name(policy));
  }
  names.insert(names.end(), {"M < K",
                             "M = 1 < K",
                             "path gather",
                             "path self",
                             "copies compute",
                             "copies own",
                             "ring depth 1",
                             "ring depth 2",
                             "ring depth 4",
                             "R11 bound, rows to spare",
                             "graphs off",
                             "main graph",
                             "main graph with rows to spare",
                             "draft graph",
                             "eager for want of a size",
                             "B = 1",
                             "B = 512, all running",
                             "P node",
                             "arrivals by step",
                             "arrivals by time",
                             "budget of B W",
                             "tight KV pool",
                             "accept list",
                             "mixed rows",
                             "schedule sync",
                             "schedule overlap"});
}

}  // namespace

const std::vector<std::string>& Reach::wanted() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = rules_and_events();
    add_ends(all);
    add_configurations(all);
    return all;
  }();
  return names;
}

void Reach::begin(const TraceHeader& header) {
  const RunConfig& c = config_ = header.config;
  slots_.assign(static_cast<std::size_t>(c.max_num_seqs), Slot{});
  reach(std::string("policy ") + to_name(c.policy));
  reach(std::string("path ") + to_name(c.draft_path));
  reach("K = " + std::to_string(c.num_speculative_tokens));
  reach("ring depth " + std::to_string(c.pinned_ring_depth));
  reach(c.copies_own_stream ? "copies own" : "copies compute");
  reach(c.arrivals == ArrivalUnit::step ? "arrivals by step" : "arrivals by time");
  const std::string schedule = schedule_name(c.rows);
  reach(schedule == "mixed" ? "mixed rows" : "schedule " + schedule);
  reach_if(c.num_model_steps < c.num_speculative_tokens, "M < K");
  reach_if(c.num_model_steps == 1 && c.num_speculative_tokens > 1, "M = 1 < K");
  reach_if(c.captured_sizes.empty(), "graphs off");
  reach_if(c.max_num_seqs == 1, "B = 1");
  reach_if(c.splitwise_prefill, "P node");
  reach_if(c.max_num_batched_tokens == c.max_num_seqs * c.row_width(), "budget of B W");
  reach_if(c.acceptance.kind == AcceptKind::list, "accept list");
}

void Reach::step(const StepRecord& r) {
  for (const Task& task : r.tasks) note_task(r, task);
  note_launch(r);
  note_quiet(r);
  note_parking(r);
  if (r.kind == StepKind::back) note_stops(r);
  note_sizes(r);
  for (const SlotFree& free : r.frees) slots_[static_cast<std::size_t>(free.slot)] = Slot{};
  worked_ = worked_ || r.kind == StepKind::back;
  previous_flag_ = r.flag_in;
  previous_sticky_ = r.flag_in && r.real_bsz == 0;
}

void Reach::note_task(const StepRecord& r, const Task& task) {
  Slot& slot = slots_[static_cast<std::size_t>(task.slot)];
  if (task.admits) {
    slot = Slot{};
    slot.request = task.request;
    slot.row = task.row;
    slot.admitted = r.t;
    slot.came_back = task.kind == TaskKind::prefill && task.generated > 0;
    slot.text_len = task.text_len;
    reach_if(slot.came_back, "6.7 recovered");
    reach_if(slot.came_back && task.end < task.text_len, "6.7 recovered in chunks");
    reach_if(task.row.prompt_len == 1, "6.1 prompt of 1 token");
    reach_if(task.row.max_dec_len == 1, "6.4 max_dec_len 1");
    reach_if(task.kind == TaskKind::prefill && !slot.came_back && task.start > 0,
             "6.1 cached prompt");
  }
  switch (task.kind) {
    case TaskKind::prefill: {
      const bool last = task.end == task.text_len;
      reach_if(task.admits && !last, "6.1 first chunk");
      reach_if(!task.admits && !last, "6.1 middle chunk");
      reach_if(!task.admits && last, "6.1 last chunk");
      reach_if(!last || !task.admits, "4.4 chunk");
      slot.prefilled = task.end;
      break;
    }
    case TaskKind::dnode: {
      slot.prefilled = slot.text_len;
      const std::int32_t most = config_.num_speculative_tokens;
      reach_if(task.drafts == 0, "6.2 no draft");
      reach_if(task.drafts > 0 && task.drafts < most, "6.2 fewer drafts than K");
      reach_if(task.drafts == most, "6.2 K drafts");
      break;
    }
    case TaskKind::decode:
      reach_if(slot.parked, "6.5 parked for lack of blocks, refreshed");
      break;
    case TaskKind::preempt:
    case TaskKind::abort:
      note_end(r, task);
      break;
  }
}

void Reach::note_end(const StepRecord& r, const Task& task) {
  Slot& slot = slots_[static_cast<std::size_t>(task.slot)];
  const bool abort = task.kind == TaskKind::abort;
  const std::string kind = abort ? "6.6 abort: " : "6.6 preempt: ";
  if (slot.admitted == r.t) {
    reach(kind + "at once");
  } else if (slot.prefilled < slot.text_len) {
    reach(kind + "half-prefilled");
  } else if (slot.parked) {
    reach(kind + "parked");
  } else {
    reach(kind + (slot.ended ? "ended, in flight" : "decoding"));
  }
  // With R2 overlap nothing of the new generation is known yet: the trigger came before it.
  const bool had_waited = slot.came_back && slot.admitted + 1 == r.t && config_.lag() == 1;
  reach_if(abort && had_waited, "6.6 abort: trigger reached in the queue");
  slot.parked = false;
}

void Reach::note_launch(const StepRecord& r) {
  const CachedPair none;
  const bool exact = r.mode == LaunchMode::exact;
  const bool ran = r.kind == StepKind::back;
  bool prefills = false;
  bool decodes = false;
  for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
    if (r.p1.q[i] <= 0) continue;
    prefills = prefills || r.p1.e[i] > 0;
    decodes = decodes || r.p1.e[i] == 0;
  }
  const bool predicts = config_.row(0) == RowMode::overlap && config_.policy != PolicyKind::exact;
  if (!predicts) return;  // 4.4 is about overlap
  reach_if(ran && !exact && !prefills, "4.4 decode-only, predicted");
  const bool falls_back = ran && exact && r.flag_in && r.cached_out == none;
  reach_if(falls_back && prefills && !decodes, "4.4 prefill alone");
  reach_if(falls_back && prefills && decodes, "4.4 mixed");
  reach_if(ran && exact && previous_flag_ && !r.flag_in && r.cached_in == none && !prefills,
           "4.4 first step after prefill");
  const bool dnode = std::any_of(r.tasks.begin(), r.tasks.end(),
                                 [](const Task& task) { return task.kind == TaskKind::dnode; });
  reach_if(dnode && exact && !r.flag_in && r.cached_in.token_num == -1 && ran && !r.draft_flag_in &&
               r.cached_out != none,
           "4.4 D node received a request");
  const bool nothing_runs = r.flag_in && exact && r.real_bsz == 0 && r.cached_out == none;
  reach_if(nothing_runs && r.flag_out, "4.4 flag set with r = 0");
  reach_if(nothing_runs && previous_sticky_, "4.4 flag set with r = 0, sticky");
}

void Reach::note_quiet(const StepRecord& r) {
  const bool ghost = r.kind == StepKind::empty && r.mode == LaunchMode::predicted;
  reach_if(ghost && !any(r.b_cpu), "4.4 ghost step");
  reach_if(ghost && any(r.b_cpu), "4.4 only parked slots left");
  const bool zero = r.cached_in.token_num == 0 && r.cached_in.real_bsz == 0;
  reach_if(r.kind == StepKind::idle && zero && r.token_num == 0, "4.4 prediction 0, idle");
  reach_if(r.kind == StepKind::idle && worked_ && r.repeat > 1, "6.8 idle gap");
  for (const Message& message : r.messages) {
    reach_if(message.control, "6.6 control output");
    reach_if(!message.control && ghost && !any(r.b_cpu), "4.5 run-off by a ghost step");
    reach_if(!message.control && r.kind == StepKind::idle, "4.5 run-off by an idle step");
  }
}

void Reach::note_parking(const StepRecord& r) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const bool revived = slot.parked && r.p1.b[i] == 0 && r.p1.q[i] > 0;
    reach_if(revived, "6.5 revived");
    slot.revived = slot.revived || revived;
    const bool parked = r.kind == StepKind::back ? r.p4.b[i] != 0 : r.p1.b[i] != 0;
    if (parked && (!slot.parked || revived)) {
      reach("6.5 parked");
      reach_if(slot.revived, "6.5 revived and parked again");
      reach_if(revived, "6.5 revived and parked in one step");
      reach_if(config_.kv_blocks < config_.max_num_seqs * config_.table_width(), "tight KV pool");
    }
    slot.parked = parked;
  }
}

void Reach::note_stops(const StepRecord& r) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const bool ran = r.p1.q[i] > 0 && r.p2.a[i] > 0;
    if (!ran || (r.accept_marks[i] & kMarkLastIsEos) == 0 || slot.request < 0) continue;
    if (slot.prefilled < slot.text_len) continue;  // a chunk's token means nothing
    slot.ended = true;
    const std::int32_t a = r.p2.a[i];
    const bool by_eos = r.p2.g[i] == slot.row.eos_at;
    // The output is stop_at tokens and the EOS that the stop operation wrote behind them (5.6).
    const bool by_stop = slot.row.stop_at > 0 && r.p2.g[i] == slot.row.stop_at + 1;
    reach_if(by_stop, "6.4 stop sequence");
    reach_if(by_stop && a > 1 && a < r.p1.q[i], "6.4 stop sequence inside accepted drafts");
    reach_if(!by_eos && !by_stop && r.p2.g[i] == slot.row.max_dec_len, "6.4 length limit");
    reach_if(by_eos && r.p1.e[i] > 0, "6.4 EOS from prefill");
    if (!by_eos || r.p1.e[i] > 0) continue;
    const std::int32_t right = std::min(scripted_commits(config_, slot.row, r.p1.g[i]), r.p1.q[i]);
    reach(a < right ? "6.4 EOS inside accepted drafts" : "6.4 EOS is the target's own token");
  }
}

void Reach::note_sizes(const StepRecord& r) {
  for (std::size_t i = 0; i < r.p4.q.size(); ++i) {  // the head alone leaves M drafts
    reach_if(r.p4.s[i] == 0 && r.p4.q[i] > config_.num_model_steps + 1,
             "3.2.1 drafts extended by n-gram matches");
  }
  const std::int32_t widest = config_.max_num_seqs;
  reach_if(widest == 512 && r.real_bsz == widest, "B = 512, all running");
  reach_if(r.output_rows_host > r.output_rows, "R11 bound, rows to spare");
  reach_if(r.captured_size > 0, "main graph");
  reach_if(r.captured_size > r.token_num, "main graph with rows to spare");
  const bool decode_only = !r.flag_in && r.token_num > 0 && !config_.captured_sizes.empty();
  reach_if(decode_only && r.captured_size == 0, "eager for want of a size");
  for (const DraftSubstep& sub : r.substeps) reach_if(sub.captured_size > 0, "draft graph");
}

}  // namespace tandem::test
