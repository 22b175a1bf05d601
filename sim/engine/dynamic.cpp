// Lanes run ahead as far as their times are known; only grants are made in the order of time.
//
// There is no queue of events. A lane runs until its next task waits for an event whose time is not
// known yet (it is then entered with that event) or queues for a resource (it is then one of the
// heads). When no lane can move, the head with the least (ready, step, task) is granted: whatever
// becomes ready later depends on a head, so it cannot come before. There are never more heads than
// lanes.
#include "sim/engine/dynamic.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

/// An event that is not recorded yet holds kUnknown, plus 1 + the lane that waits for it, if any.
constexpr Nanos kUnknown = INT64_MAX - (1 << 20);
static_assert(kUnknown > kWorkMaxNs && kLanesMax < (1 << 20));

struct LiveStep {
  const TaskGraph* graph = nullptr;
  std::vector<Nanos> durations_ns;
  std::vector<Nanos> ends_ns;
  Nanos* events = nullptr;     ///< by event
  std::size_t lanes_left = 0;  ///< that are not through with it
  Nanos start_ns = 0;          ///< nothing starts before
};

struct LaneState {
  const TaskGraph::LaneTask* task = nullptr;  ///< the next
  const TaskGraph::LaneTask* stop = nullptr;
  const Nanos* durations_ns = nullptr;  ///< of the step, like the next
  const Wait* waits = nullptr;
  LiveStep* step = nullptr;    ///< null: between steps
  std::int64_t next_step = 0;  ///< the step behind `step`
  Nanos end_ns = 0;            ///< of its last task
  Nanos ready_ns = 0;          ///< of the next, over the waits seen
  Nanos busy_ns = 0;
  std::uint32_t waits_seen = 0;
  std::uint32_t also_waiting = 0;  ///< 1 + a lane that waits for the same event; 0: none
};

/// The next task of a lane, ready and in need of a unit.
struct Head {
  Nanos ready_ns = 0;
  std::int64_t step = 0;
  TaskId task = 0;
  LaneId lane = 0;

  bool operator>(const Head& other) const {
    if (ready_ns != other.ready_ns) return ready_ns > other.ready_ns;
    return step != other.step ? step > other.step : task > other.task;
  }
};

struct ResourceState {
  std::vector<Nanos> free_ns;  ///< by unit; a heap, the first to be free in front
  ResourceTimes times;
};

class DynamicRun {
 public:
  DynamicRun(const Layout& layout, StepSource& source, const DynamicOptions& options);
  Result<RunTimes> run();

 private:
  void advance(LaneId id);
  bool find_ready(LaneState& lane, LaneId id);
  bool enter_step(LaneState& lane, LaneId id);
  void finish_task(LaneState& lane, Nanos start_ns);
  void grant(LaneState& lane);
  [[nodiscard]] bool is_next(const Head& head) const;
  [[nodiscard]] Status check_window(const Head& head) const;

  bool admit(LaneId id);
  Status take_step(Nanos at_ns);
  void open_step(LiveStep& step, const TaskGraph& graph, std::span<const Nanos> durations_ns,
                 Nanos start_ns);
  void leave_step(LiveStep& step);
  Status check_graph(const TaskGraph& graph) const;
  /// The window, and the steps behind it whose events may still be waited for.
  [[nodiscard]] std::size_t steps_held() const {
    return static_cast<std::size_t>(options_.window_steps) +
           static_cast<std::size_t>(layout_.steps_kept_max());
  }
  void lay_out_events();
  LiveStep& live(std::int64_t step) { return steps_[static_cast<std::size_t>(step) & mask_]; }
  const LiveStep& live(std::int64_t step) const {
    return steps_[static_cast<std::size_t>(step) & mask_];
  }
  [[nodiscard]] RunTimes times() const;

  const Layout& layout_;
  StepSource& source_;
  const DynamicOptions options_;
  Status status_;
  bool over_ = false;          ///< the source has no further step
  std::int64_t admitted_ = 0;  ///< steps asked for
  std::int64_t oldest_ = 0;    ///< the first step that some lane is not through with
  std::int64_t tasks_ = 0;
  Nanos work_ns_ = 0;
  std::size_t mask_ = 0;
  std::size_t events_a_step_ = 0;
  std::vector<LiveStep> steps_;  ///< step t at t & mask_; those behind `oldest_` keep their events
  std::vector<Nanos> events_;
  std::vector<LaneState> lanes_;
  std::vector<ResourceState> resources_;
  std::vector<LaneId> movable_;  ///< lanes that may go on
  std::vector<LaneId> parked_;   ///< lanes that want a step which is not admitted yet
  std::vector<Head> heads_;      ///< a heap, the next to be granted in front
};

DynamicRun::DynamicRun(const Layout& layout, StepSource& source, const DynamicOptions& options)
    : layout_(layout), source_(source), options_(options) {
  steps_.resize(std::bit_ceil(steps_held()));
  mask_ = steps_.size() - 1;
  lay_out_events();
  lanes_.resize(layout.lane_count());
  movable_.reserve(lanes_.size());
  parked_.reserve(lanes_.size());
  heads_.reserve(lanes_.size());
  resources_.resize(layout.resource_count());
  for (std::size_t r = 0; r < resources_.size(); ++r) {
    const std::int32_t units = layout.capacity(static_cast<ResourceId>(r));
    resources_[r].free_ns.assign(static_cast<std::size_t>(units), 0);
  }
}

Result<RunTimes> DynamicRun::run() {
  for (std::size_t id = lanes_.size(); id > 0; --id)
    movable_.push_back(static_cast<LaneId>(id - 1));
  while (true) {
    while (!movable_.empty()) {
      const LaneId id = movable_.back();
      movable_.pop_back();
      advance(id);
    }
    if (!status_.ok()) return status_.error();
    if (heads_.empty()) break;
    std::pop_heap(heads_.begin(), heads_.end(), std::greater<>());
    const Head head = heads_.back();
    heads_.pop_back();
    TANDEM_RETURN_IF_ERROR(check_window(head));
    grant(lanes_[head.lane]);
    advance(head.lane);
  }
  TANDEM_CHECK(over_ && oldest_ == admitted_);
  return times();
}

/// Runs tasks of the lane until one waits, queues or belongs to a step that is not admitted.
void DynamicRun::advance(LaneId id) {
  LaneState& lane = lanes_[id];
  while (true) {
    while (lane.task == lane.stop) {
      if (!enter_step(lane, id)) return;
    }
    if (!find_ready(lane, id)) return;
    if (lane.task->resource == kNoResource) {
      finish_task(lane, lane.ready_ns);
      continue;
    }
    const Head head{lane.ready_ns, lane.next_step - 1, lane.task->task, id};
    if (is_next(head)) {
      grant(lane);
      continue;
    }
    heads_.push_back(head);
    std::push_heap(heads_.begin(), heads_.end(), std::greater<>());
    return;
  }
}

/// Nothing that can still move, and no other head, comes before this one.
bool DynamicRun::is_next(const Head& head) const {
  return movable_.empty() && parked_.empty() && (heads_.empty() || heads_.front() > head);
}

/// A lane that may not go on for want of room could have a task ready before this one. Lanes that
/// wait for the control lane to ask for a step could not: their tasks are ready behind its.
Status DynamicRun::check_window(const Head& head) const {
  if (over_) return {};
  for (const LaneId id : parked_) {
    if (lanes_[id].end_ns >= head.ready_ns) continue;
    if (options_.control_lane && *options_.control_lane != id) continue;
    return Error::make(fmt::format("step {}: {}", head.step,
                                   task_place(layout_, *live(head.step).graph, head.task)),
                       fmt::format("lane {} {} steps ahead", layout_.lane_name(id),
                                   lanes_[id].next_step - oldest_),
                       fmt::format("at most {}", options_.window_steps),
                       "let it wait for an event of a step before, or hold more steps");
  }
  return {};
}

bool DynamicRun::find_ready(LaneState& lane, LaneId id) {
  const TaskGraph::LaneTask& task = *lane.task;
  while (lane.waits_seen < task.wait_count) {
    const Wait& wait = lane.waits[task.wait_begin + lane.waits_seen];
    Nanos* event = lane.step->events + wait.event;
    if (wait.steps_back > 0) {
      if (lane.next_step - 1 < wait.steps_back) {
        ++lane.waits_seen;
        continue;
      }
      event = live(lane.next_step - 1 - wait.steps_back).events + wait.event;
    }
    if (*event >= kUnknown) {
      lane.also_waiting = static_cast<std::uint32_t>(*event - kUnknown);
      *event = kUnknown + 1 + id;
      return false;
    }
    lane.ready_ns = std::max(lane.ready_ns, *event);
    ++lane.waits_seen;
  }
  return true;
}

void DynamicRun::finish_task(LaneState& lane, Nanos start_ns) {
  const TaskGraph::LaneTask& task = *lane.task;
  const Nanos duration_ns = lane.durations_ns[task.task];
  const Nanos end_ns = start_ns + duration_ns;
  lane.end_ns = lane.ready_ns = end_ns;
  lane.busy_ns += duration_ns;
  lane.waits_seen = 0;
  ++lane.task;
  if (options_.sink != nullptr) lane.step->ends_ns[task.task] = end_ns;
  if (task.record == kNoEvent) return;
  Nanos& event = lane.step->events[task.record];
  auto waiting = static_cast<std::uint32_t>(event - kUnknown);
  event = end_ns;
  while (waiting != 0) {
    movable_.push_back(static_cast<LaneId>(waiting - 1));
    waiting = lanes_[waiting - 1].also_waiting;
  }
}

void DynamicRun::grant(LaneState& lane) {
  ResourceState& resource = resources_[lane.task->resource];
  std::vector<Nanos>& free_ns = resource.free_ns;
  const Nanos start_ns = std::max(lane.ready_ns, free_ns.front());
  ++resource.times.granted;
  resource.times.queued_ns += start_ns - lane.ready_ns;
  resource.times.busy_ns += lane.durations_ns[lane.task->task];
  finish_task(lane, start_ns);
  if (free_ns.size() == 1) {
    free_ns.front() = lane.end_ns;
    return;
  }
  std::pop_heap(free_ns.begin(), free_ns.end(), std::greater<>());
  free_ns.back() = lane.end_ns;
  std::push_heap(free_ns.begin(), free_ns.end(), std::greater<>());
}

/// The lane leaves the step it is in and enters the next. False: that one is not admitted.
bool DynamicRun::enter_step(LaneState& lane, LaneId id) {
  if (lane.step != nullptr) {
    LiveStep& left = *lane.step;
    lane.step = nullptr;
    leave_step(left);
  }
  if (lane.next_step == admitted_ && !admit(id)) return false;
  lane.step = &live(lane.next_step);
  ++lane.next_step;
  lane.ready_ns = std::max(lane.end_ns, lane.step->start_ns);
  const TaskGraph& graph = *lane.step->graph;
  lane.durations_ns = lane.step->durations_ns.data();
  lane.waits = graph.waits.data();
  if (id + std::size_t{1} < graph.lane_begin.size()) {
    lane.task = graph.lane_tasks.data() + graph.lane_begin[id];
    lane.stop = graph.lane_tasks.data() + graph.lane_begin[id + std::size_t{1}];
  } else {
    lane.task = lane.stop = nullptr;  // a lane that the graph does not know
  }
  return true;
}

/// Asks for one more step on behalf of lane `id`, which parks where there is none or no room.
bool DynamicRun::admit(LaneId id) {
  const bool full = admitted_ - oldest_ >= options_.window_steps;
  const bool controls = !options_.control_lane || *options_.control_lane == id;
  if (!over_ && status_.ok() && !full && controls) {
    const std::int64_t before = admitted_;
    status_ = take_step(options_.control_lane ? lanes_[id].end_ns : kNever);
    if (admitted_ > before) return true;
  }
  parked_.push_back(id);
  return false;
}

Status DynamicRun::take_step(Nanos at_ns) {
  StepWork work;
  TANDEM_RETURN_IF_ERROR(source_.next({admitted_, at_ns}, work));
  if (work.graph == nullptr) {
    over_ = true;
    return {};
  }
  TANDEM_RETURN_IF_ERROR(check_graph(*work.graph));
  TANDEM_TRY(const std::span<const Nanos> durations_ns, durations_of(work, admitted_));
  TANDEM_TRY(work_ns_, add_work(layout_, *work.graph, durations_ns, admitted_, work_ns_));
  open_step(live(admitted_), *work.graph, durations_ns, std::max(at_ns, Nanos{0}));
  return {};
}

Status DynamicRun::check_graph(const TaskGraph& graph) const {
  if (graph.lane_begin.size() > lanes_.size() + 1 || layout_.resource_count() > resources_.size() ||
      steps_held() > steps_.size()) {
    return Error::make(fmt::format("step {}", admitted_),
                       "lanes, resources or steps kept that the layout did not have before",
                       "those with which the run began");
  }
  for (const TaskGraph::BackWait& back : graph.required_back) {
    const std::int64_t recorded_in = admitted_ - back.wait.steps_back;
    if (recorded_in < 0 || live(recorded_in).graph->records(back.wait.event)) continue;
    return unrecorded_error(layout_, graph, back, admitted_);
  }
  return {};
}

/// `step` becomes the step behind those admitted; whoever waited for it may go on.
void DynamicRun::open_step(LiveStep& step, const TaskGraph& graph,
                           std::span<const Nanos> durations_ns, Nanos start_ns) {
  step.graph = &graph;
  step.durations_ns.assign(durations_ns.begin(), durations_ns.end());
  if (options_.sink != nullptr) step.ends_ns.resize(graph.size());
  step.lanes_left = lanes_.size();
  step.start_ns = start_ns;
  if (layout_.event_count() > events_a_step_) lay_out_events();
  for (const EventId event : layout_.kept_events()) step.events[event] = kNever;
  for (const EventId event : graph.recorded) step.events[event] = kUnknown;
  tasks_ += static_cast<std::int64_t>(graph.size());
  ++admitted_;
  movable_.insert(movable_.end(), parked_.begin(), parked_.end());
  parked_.clear();
}

/// One lane less is in the step; a step that all have left makes room for another.
void DynamicRun::leave_step(LiveStep& step) {
  if (--step.lanes_left > 0) return;
  const std::int64_t before = oldest_;
  while (oldest_ < admitted_ && live(oldest_).lanes_left == 0) {
    const LiveStep& done = live(oldest_);
    if (options_.sink != nullptr) options_.sink->step_done(oldest_, *done.graph, done.ends_ns);
    ++oldest_;
  }
  if (oldest_ == before || over_) return;
  movable_.insert(movable_.end(), parked_.begin(), parked_.end());
  parked_.clear();
}

/// Room for the events of every step held; what is known stays.
void DynamicRun::lay_out_events() {
  const std::size_t old_events = events_a_step_;
  const std::vector<Nanos> old = std::move(events_);
  events_a_step_ = layout_.event_count();
  events_.assign(steps_.size() * events_a_step_, kNever);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i].events = events_.data() + i * events_a_step_;
    std::copy_n(old.data() + i * old_events, old_events, steps_[i].events);
  }
}

RunTimes DynamicRun::times() const {
  RunTimes times;
  times.steps = admitted_;
  times.tasks = tasks_;
  times.lanes.reserve(lanes_.size());
  for (const LaneState& lane : lanes_) {
    times.lanes.push_back({lane.busy_ns, lane.end_ns});
    times.makespan_ns = std::max(times.makespan_ns, lane.end_ns);
  }
  times.resources.reserve(resources_.size());
  for (const ResourceState& resource : resources_) times.resources.push_back(resource.times);
  return times;
}

}  // namespace

Result<RunTimes> run_dynamic(const Layout& layout, StepSource& source,
                             const DynamicOptions& options) {
  if (options.window_steps < 1 || options.window_steps > kWindowStepsMax) {
    return Error::make("window_steps", fmt::format("{}", options.window_steps),
                       fmt::format("1 to {}", kWindowStepsMax));
  }
  if (options.control_lane && *options.control_lane >= layout.lane_count()) {
    return Error::make("control_lane", fmt::format("lane {}", *options.control_lane),
                       fmt::format("one of the layout's {}", layout.lane_count()));
  }
  if (layout.lane_count() == 0) return Error::make("layout", "no lane", "at least one");
  DynamicRun run(layout, source, options);
  return run.run();
}

}  // namespace tandem::sim
