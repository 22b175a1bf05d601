// Perfetto's TracePackets. Field numbers are those of protos/perfetto/trace of google/perfetto.
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "sim/report/proto_message.hpp"
#include "sim/report/timeline_export.hpp"
#include "traces/members.hpp"

namespace tandem::sim {
namespace {

constexpr std::uint32_t kTracePacket = 1;  // of Trace
namespace packet {
constexpr std::uint32_t kTimestamp = 8;
constexpr std::uint32_t kSequenceId = 10;
constexpr std::uint32_t kTrackEvent = 11;
constexpr std::uint32_t kInternedData = 12;
constexpr std::uint32_t kSequenceFlags = 13;
constexpr std::uint32_t kTrackDescriptor = 60;
}  // namespace packet
namespace descriptor {
constexpr std::uint32_t kUuid = 1;
constexpr std::uint32_t kName = 2;
constexpr std::uint32_t kProcess = 3;
constexpr std::uint32_t kThread = 4;
constexpr std::uint32_t kParent = 5;
constexpr std::uint32_t kCounter = 8;
constexpr std::uint32_t kSiblingMerge = 15;
constexpr std::uint64_t kMergeNone = 2;
}  // namespace descriptor
namespace event {
constexpr std::uint32_t kCategoryIids = 3;
constexpr std::uint32_t kAnnotations = 4;
constexpr std::uint32_t kType = 9;
constexpr std::uint32_t kNameIid = 10;
constexpr std::uint32_t kTrack = 11;
constexpr std::uint32_t kName = 23;
constexpr std::uint32_t kCounterValue = 30;
constexpr std::uint32_t kFlows = 47;
constexpr std::uint32_t kEndingFlows = 48;
constexpr std::uint64_t kSliceBegin = 1;
constexpr std::uint64_t kSliceEnd = 2;
constexpr std::uint64_t kInstant = 3;
constexpr std::uint64_t kCounter = 4;
}  // namespace event

/// Tracks of the file, by uuid.
enum class Track : std::uint64_t {
  host_process = 1,
  host_thread,
  iterations,
  divergences,
  device_process,
  compute,
  copy,
  token_num_host,
  token_num_device,
  real_bsz_host,
  real_bsz_device
};

enum class Category : std::uint64_t { step = 1, operation, copy, launch, wait };
enum class Annotation : std::uint64_t { step = 1, row };

constexpr std::uint64_t kSequence = 1;
constexpr std::uint64_t kNeedsState = 2;
constexpr std::uint64_t kClearsState = 1;

Track track_of(plan::Lane lane) {
  if (lane == plan::Lane::host) return Track::host_thread;
  return lane == plan::Lane::compute ? Track::compute : Track::copy;
}

Category category_of(const TimelineNode& node) {
  if (node.kind == NodeKind::launch) return Category::launch;
  if (node.kind == NodeKind::wait) return Category::wait;
  return is_copy(*node.op) ? Category::copy : Category::operation;
}

ProtoMessage interned(std::uint64_t iid, const std::string& name) {
  ProtoMessage entry;
  entry.varint(1, iid);
  entry.text(2, name);
  return entry;
}

class PerfettoExporter final : public TimelineExporter {
 public:
  using TimelineExporter::TimelineExporter;

  Status begin() override {
    std::string file;
    for (const auto& [track, pid, name] :
         {std::tuple{Track::host_process, 1, std::string("host")},
          std::tuple{Track::device_process, 2, "device " + on_one_line(header().device)}}) {
      ProtoMessage process;
      process.integer(1, pid);
      process.text(6, name);
      describe(file, track, name,
               [&](ProtoMessage& d) { d.message(descriptor::kProcess, process); });
    }
    ProtoMessage thread;
    thread.integer(1, 1);
    thread.integer(2, 1);
    thread.text(5, "host thread");
    describe(file, Track::host_thread, "host thread",
             [&](ProtoMessage& d) { d.message(descriptor::kThread, thread); });
    child(file, Track::iterations, Track::host_process, "iterations");
    child(file, Track::divergences, Track::host_process, "divergences");
    child(file, Track::compute, Track::device_process, "compute stream");
    child(file, Track::copy, Track::device_process, "copy stream");
    counter(file, Track::token_num_host, "token_num host");
    counter(file, Track::token_num_device, "token_num device");
    counter(file, Track::real_bsz_host, "real_bsz host");
    counter(file, Track::real_bsz_device, "real_bsz device");
    ProtoMessage data;
    constexpr const char* kCategories[] = {"step", "operation", "copy", "launch", "wait"};
    for (std::uint64_t i = 0; i < 5; ++i) data.message(1, interned(i + 1, kCategories[i]));
    data.message(3, interned(static_cast<std::uint64_t>(Annotation::step), "step"));
    data.message(3, interned(static_cast<std::uint64_t>(Annotation::row), "row"));
    ProtoMessage p;
    p.varint(packet::kSequenceId, kSequence);
    p.message(packet::kInternedData, data);
    p.varint(packet::kSequenceFlags, kClearsState | kNeedsState);
    append(file, p);
    return put(file);
  }

 protected:
  Status write_step(const FlowStep& flow_step) override {
    const StepTimeline& step = flow_step.step;
    const StepFacts& facts = step.facts;
    std::string file;
    ProtoMessage begin = slice(Track::iterations, Category::step, facts.t);
    begin.text(event::kName, std::string(to_name(facts.kind)) + " " + std::to_string(facts.t));
    emit(file, facts.start_ns, begin);
    emit(file, facts.end_ns, end_of(Track::iterations));
    for (std::size_t i = 0; i < step.nodes.size(); ++i) {
      write_node(file, facts, step.nodes[i], flow_step.flows[i]);
    }
    const CounterPoint at = counter_point(step);
    count(file, Track::token_num_host, at.host_ns, facts.token_num);
    count(file, Track::token_num_device, at.device_ns, facts.device_rows);
    count(file, Track::real_bsz_host, at.host_ns, facts.launch_bsz);
    count(file, Track::real_bsz_device, at.device_ns, facts.device_slots);
    for (const Divergence& d : take_divergences(facts)) {
      ProtoMessage mark;
      mark.varint(event::kType, event::kInstant);
      mark.varint(event::kTrack, static_cast<std::uint64_t>(Track::divergences));
      mark.text(event::kName, to_line(d));
      emit(file, facts.start_ns, mark);
    }
    return put(file);
  }

  Status write_end() override { return {}; }

 private:
  static void append(std::string& file, const ProtoMessage& p) {
    ProtoMessage trace;
    trace.message(kTracePacket, p);
    file += trace.bytes();
  }

  static void emit(std::string& file, Nanos ns, const ProtoMessage& track_event,
                   const ProtoMessage* data = nullptr) {
    ProtoMessage p;
    p.integer(packet::kTimestamp, ns);
    p.varint(packet::kSequenceId, kSequence);
    p.message(packet::kTrackEvent, track_event);
    if (data != nullptr) p.message(packet::kInternedData, *data);
    p.varint(packet::kSequenceFlags, kNeedsState);
    append(file, p);
  }

  template <class Fill>
  static void describe(std::string& file, Track track, const std::string& name, Fill fill) {
    ProtoMessage d;
    d.varint(descriptor::kUuid, static_cast<std::uint64_t>(track));
    d.text(descriptor::kName, name);
    fill(d);
    ProtoMessage p;
    p.varint(packet::kSequenceId, kSequence);
    p.message(packet::kTrackDescriptor, d);
    append(file, p);
  }

  static void child(std::string& file, Track track, Track parent, const std::string& name) {
    describe(file, track, name, [&](ProtoMessage& d) {
      d.varint(descriptor::kParent, static_cast<std::uint64_t>(parent));
      d.varint(descriptor::kSiblingMerge, descriptor::kMergeNone);
    });
  }

  static void counter(std::string& file, Track track, const std::string& name) {
    describe(file, track, name, [&](ProtoMessage& d) {
      d.varint(descriptor::kParent, static_cast<std::uint64_t>(Track::host_process));
      d.message(descriptor::kCounter, ProtoMessage());
    });
  }

  static void count(std::string& file, Track track, Nanos ns, std::int64_t value) {
    ProtoMessage e;
    e.varint(event::kType, event::kCounter);
    e.varint(event::kTrack, static_cast<std::uint64_t>(track));
    e.integer(event::kCounterValue, value);
    emit(file, ns, e);
  }

  static ProtoMessage slice(Track track, Category category, std::int64_t step) {
    ProtoMessage annotation;
    annotation.varint(1, static_cast<std::uint64_t>(Annotation::step));
    annotation.integer(4, step);
    ProtoMessage e;
    e.varint(event::kCategoryIids, static_cast<std::uint64_t>(category));
    e.message(event::kAnnotations, annotation);
    e.varint(event::kType, event::kSliceBegin);
    e.varint(event::kTrack, static_cast<std::uint64_t>(track));
    return e;
  }

  static ProtoMessage end_of(Track track) {
    ProtoMessage e;
    e.varint(event::kType, event::kSliceEnd);
    e.varint(event::kTrack, static_cast<std::uint64_t>(track));
    return e;
  }

  /// A slice; its name is told once in the file.
  void write_node(std::string& file, const StepFacts& facts, const TimelineNode& node,
                  const NodeFlows& flows) {
    const Track track = track_of(node.lane);
    ProtoMessage begin = slice(track, category_of(node), facts.t);
    const auto [name, is_new] = names_.emplace(slice_name(node), names_.size() + 1);
    begin.varint(event::kNameIid, name->second);
    if (node.op->row >= 0) {
      ProtoMessage annotation;
      annotation.varint(1, static_cast<std::uint64_t>(Annotation::row));
      annotation.text(6, row_name(node.op->row));
      begin.message(event::kAnnotations, annotation);
    }
    for (const std::uint64_t id : flows.out) begin.fixed64(event::kFlows, id);
    for (const std::uint64_t id : flows.in) begin.fixed64(event::kEndingFlows, id);
    ProtoMessage data;
    if (is_new) data.message(2, interned(name->second, name->first));
    emit(file, node.start_ns, begin, is_new ? &data : nullptr);
    emit(file, node.end_ns, end_of(track));
  }

  std::map<std::string, std::uint64_t> names_;  ///< by name, its iid
};

}  // namespace

std::unique_ptr<TimelineExporter> make_perfetto_exporter(ByteSink& out, const TraceHeader& header,
                                                         std::vector<Divergence> divergences) {
  return std::make_unique<PerfettoExporter>(out, header, std::move(divergences));
}

}  // namespace tandem::sim
