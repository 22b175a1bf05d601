// Runs one configuration and gathers what its users ask: times of requests, waste, starved time.
#include "sim/whatif/study.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "runtime/core/histogram.hpp"
#include "runtime/core/step_loop.hpp"
#include "sim/oracle/rules.hpp"
#include "sim/whatif/ghost_device.hpp"

namespace tandem::sim {
namespace {

Percentiles three(const Histogram& h) {
  return {h.quantile(500'000), h.quantile(950'000), h.quantile(990'000)};
}

/// Follows requests from arrival to their last token, by slot.
class RequestClock final : public StepWatcher {
 public:
  RequestClock(const RunConfig& config, std::int64_t ramp_steps)
      : by_time_(config.arrivals == ArrivalUnit::ns),
        ramp_steps_(ramp_steps),
        slots_(static_cast<std::size_t>(config.max_num_seqs)) {}

  void step_done(const StepRecord& record, const std::vector<Nanos>& sent_ns,
                 Nanos end_ns) override {
    for (const Task& task : record.tasks) note_task(task);
    for (std::size_t m = 0; m < record.messages.size(); ++m) {
      note_message(record.messages[m], sent_ns[m]);
    }
    for (const SlotFree& given_back : record.frees) close(given_back);
    if (record.t >= ramp_steps_) {
      behind_ramp_ns_ += end_ns - starts_.back().at_ns;
      behind_ramp_steps_ += record.repeat;
    }
    starts_.push_back({record.t + record.repeat, end_ns});
    if (starts_.size() > kStartsMax) starts_.pop_front();
  }

  void fill(StudyResult& out) const {
    out.preemptions = preemptions_;
    out.decode_steps = decode_steps_;
    out.decode_tokens = decode_tokens_;
    out.answered = static_cast<std::int64_t>(first_token_.count());
    out.first_token_ns = three(first_token_);
    out.timed_requests = static_cast<std::int64_t>(token_gap_.count());
    out.token_gap_ns = three(token_gap_);
    out.behind_ramp_ns = behind_ramp_ns_;
    out.behind_ramp_steps = behind_ramp_steps_;
  }

 private:
  struct Request {
    Nanos arrived_ns = 0;
    Nanos first_ns = -1;
    Nanos last_ns = 0;
    std::int64_t tokens = 0;
    bool held = false;
    bool preempted = false;
  };
  /// A request that waits to be admitted again: its times go on where they stopped.
  struct Waiting {
    RequestId id = kNoRequest;
    Request request;
  };

  struct StepBegin {
    std::int64_t t = 0;
    Nanos at_ns = 0;
  };
  static constexpr std::size_t kStartsMax = 65'536;

  void note_task(const Task& task) {
    if (task.kind == TaskKind::preempt) {
      ++preemptions_;
      slot(task.slot).preempted = true;
    }
    if (!task.admits) return;
    Request& request = slot(task.slot);
    const auto back = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const Waiting& w) { return w.id == task.request; });
    if (back != waiting_.end()) {
      request = back->request;
      request.preempted = false;
      waiting_.erase(back);
    } else {
      request = Request{};
      request.arrived_ns = by_time_ ? task.row.arrival : start_of(task.row.arrival);
      if (task.kind == TaskKind::dnode) note_tokens(request, 1, starts_.back().at_ns);
    }
    request.held = true;
    ids_[static_cast<std::size_t>(task.slot)] = task.request;
  }

  /// When a step began; the oldest one kept where it is further back.
  [[nodiscard]] Nanos start_of(std::int64_t step) const {
    const auto behind = std::upper_bound(
        starts_.begin(), starts_.end(), step,
        [](std::int64_t wanted, const StepBegin& begin) { return wanted < begin.t; });
    return behind == starts_.begin() ? starts_.front().at_ns : (behind - 1)->at_ns;
  }

  void note_message(const Message& message, Nanos at_ns) {
    for (std::size_t i = 0; i < message.count.size(); ++i) {
      const std::int32_t count = message.count[i];
      if (count <= 0 || !slots_[i].held || ids_[i] != message.request[i]) continue;
      ++decode_steps_;
      decode_tokens_ += count;
      note_tokens(slots_[i], count, at_ns);
    }
  }

  void note_tokens(Request& request, std::int64_t count, Nanos at_ns) {
    if (request.first_ns < 0) {
      request.first_ns = at_ns;
      first_token_.add(std::max<Nanos>(0, at_ns - request.arrived_ns));
    }
    request.last_ns = at_ns;
    request.tokens += count;
  }

  void close(const SlotFree& given_back) {
    Request& request = slot(given_back.slot);
    if (!request.held) return;
    request.held = false;
    if (request.preempted) {
      waiting_.push_back({ids_[static_cast<std::size_t>(given_back.slot)], request});
    } else if (request.tokens > 1) {
      token_gap_.add((request.last_ns - request.first_ns) / (request.tokens - 1));
    }
  }

  Request& slot(std::int32_t index) { return slots_[static_cast<std::size_t>(index)]; }

  bool by_time_;
  std::int64_t ramp_steps_;
  Nanos behind_ramp_ns_ = 0;
  std::int64_t behind_ramp_steps_ = 0;
  std::vector<Request> slots_;
  std::vector<RequestId> ids_ = std::vector<RequestId>(slots_.size(), kNoRequest);
  std::vector<Waiting> waiting_;
  Histogram first_token_, token_gap_;
  std::deque<StepBegin> starts_{StepBegin{}};
  std::int64_t preemptions_ = 0;
  std::int64_t decode_steps_ = 0;
  std::int64_t decode_tokens_ = 0;
};

}  // namespace

std::int64_t StudyResult::millitokens_per_s() const {
  constexpr std::int64_t kTokensMax = INT64_MAX / 1'000'000'000;
  if (work_ns < 1'000 || run.tokens > kTokensMax) return 0;
  return run.tokens * 1'000'000'000 / (work_ns / 1'000);
}

Nanos StudyResult::mean_step_ns() const {
  return run.launched_steps > 0 ? work_ns / run.launched_steps : 0;
}

Result<StudyResult> run_study(const Scenario& scenario, Workload& workload, const StepCosts& costs,
                              const StudyOptions& wanted) {
  if (scenario.unguarded) {
    return Error::make("unguarded", "got true", "false in a what-if study",
                       "only a real device shows what a launch that is too small does");
  }
  TANDEM_TRY(const Rules rules, make_rules(scenario.config));
  RequestClock clock(scenario.config, wanted.ramp_steps);
  GhostDevice device(scenario, rules, costs, &clock);
  RunOptions options;
  options.level = RecordLevel::off;
  options.stop = wanted.stop;
  StepLoop loop(scenario, workload, options, device, nullptr);
  TraceHeader header;
  header.config = scenario.config;
  StudyResult result;
  TANDEM_TRY(result.run, loop.run(header));
  result.work_ns = result.run.virtual_ns - device.idle_ns();
  result.busy_ns = device.compute().busy_ns;
  result.gap_ns = device.compute().gap_ns;
  result.starved_ns = device.compute().starved_ns;
  const GhostCounts& counts = device.counts();
  result.rows_launched = counts.rows_launched;
  result.rows_used = counts.rows_used;
  result.draft_rows_launched = counts.draft_rows_launched;
  result.draft_rows_used = counts.draft_rows_used;
  result.parked = counts.parked;
  clock.fill(result);
  return result;
}

}  // namespace tandem::sim
