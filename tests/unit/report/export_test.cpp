// Perfetto's protobuf and Chrome's JSON of hand-made steps, decoded again.
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report/proto_message.hpp"
#include "sim/report/timeline_export.hpp"
#include "tests/unit/report/export_cases.hpp"
#include "tests/unit/report/proto_reader.hpp"

namespace tandem::sim {
namespace {

using test::divergence_at;
using test::HandMade;
using test::ProtoField;
using test::ProtoReader;
using test::StringSink;
using test::three_steps;

std::string exported(HandMade& made, decltype(&make_chrome_exporter) make,
                     std::vector<Divergence> divergences = {}) {
  StringSink sink;
  TraceHeader header;
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  EXPECT_TRUE(steps.ok());
  const auto exporter = make(sink, header, std::move(divergences));
  EXPECT_TRUE(exporter->begin().ok());
  for (const StepTimeline& step : steps.value()) EXPECT_TRUE(exporter->add(step).ok());
  EXPECT_TRUE(exporter->finish().ok());
  return sink.text;
}

TEST(ProtoMessage, CheckedBytesOfADescriptor) {
  // Packet of a process track: uuid 100, process {pid 1, name "gpu0"}, sequence 1.
  ProtoMessage process;
  process.varint(1, 1);
  process.text(6, "gpu0");
  ProtoMessage descriptor;
  descriptor.varint(1, 100);
  descriptor.message(3, process);
  ProtoMessage packet;
  packet.message(60, descriptor);
  packet.varint(10, 1);
  ProtoMessage trace;
  trace.message(1, packet);
  const unsigned char want[] = {0x0a, 0x11, 0xe2, 0x03, 0x0c, 0x08, 0x64, 0x1a, 0x08, 0x08,
                                0x01, 0x32, 0x04, 'g',  'p',  'u',  '0',  0x50, 0x01};
  EXPECT_EQ(trace.bytes(), std::string(reinterpret_cast<const char*>(want), sizeof want));
}

TEST(ProtoMessage, NegativeIntegerIsTenBytes) {
  ProtoMessage m;
  m.integer(1, -2);
  EXPECT_EQ(m.bytes().size(), 11U);
  EXPECT_EQ(ProtoReader(m.bytes()).value(1), static_cast<std::uint64_t>(-2));
}

/// What a viewer would make of the file.
struct PerfettoFile {
  struct Slice {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::string name;
  };
  std::map<std::uint64_t, std::string> tracks;
  std::map<std::uint64_t, std::vector<Slice>> slices;  ///< by track
  std::map<std::uint64_t, std::vector<std::int64_t>> counters;
  std::vector<std::string> instants;
  std::multiset<std::uint64_t> flows_out;
  std::multiset<std::uint64_t> flows_in;
  std::vector<std::string> faults;

  explicit PerfettoFile(const std::string& bytes) {
    const ProtoReader trace(bytes);
    if (!trace.ok) faults.emplace_back("no message");
    for (const ProtoField& packet : trace.fields) {
      if (packet.number != 1) faults.emplace_back("no packet");
      read_packet(ProtoReader(packet.bytes));
    }
    for (const auto& [track, open] : open_) {
      if (open) faults.push_back("open slice on " + tracks[track]);
    }
  }

 private:
  void read_packet(const ProtoReader& packet) {
    if (!packet.ok || packet.value(10) != 1) faults.emplace_back("bad packet");
    if (const ProtoField* d = packet.find(60)) {
      const ProtoReader descriptor(d->bytes);
      tracks[descriptor.value(1)] = descriptor.text(2);
    }
    if (const ProtoField* data = packet.find(12)) {
      if ((packet.value(13) & 2U) == 0) faults.emplace_back("interned data without its flag");
      for (const ProtoField& name : ProtoReader(data->bytes).all(2)) {
        names_[ProtoReader(name.bytes).value(1)] = ProtoReader(name.bytes).text(2);
      }
    }
    if (const ProtoField* e = packet.find(11)) read_event(ProtoReader(e->bytes), packet.value(8));
  }

  void read_event(const ProtoReader& event, std::uint64_t ns) {
    const std::uint64_t track = event.value(11);
    if (tracks.count(track) == 0) faults.emplace_back("event on no track");
    switch (event.value(9)) {
      case 1: {
        std::string name = event.text(23);
        if (name.empty()) name = names_[event.value(10)];
        if (name.empty()) faults.emplace_back("slice without a name");
        if (open_[track]) faults.push_back("nested slice on " + tracks[track]);
        if (!slices[track].empty() && ns < slices[track].back().end_ns) {
          faults.push_back("overlap on " + tracks[track]);
        }
        open_[track] = true;
        slices[track].push_back({ns, ns, name});
        for (const ProtoField& flow : event.all(47)) flows_out.insert(flow.value);
        for (const ProtoField& flow : event.all(48)) flows_in.insert(flow.value);
        break;
      }
      case 2:
        if (!open_[track]) faults.emplace_back("end of nothing");
        open_[track] = false;
        slices[track].back().end_ns = ns;
        break;
      case 3:
        instants.push_back(event.text(23));
        break;
      case 4:
        counters[track].push_back(static_cast<std::int64_t>(event.value(30)));
        break;
      default:
        faults.emplace_back("unknown type");
    }
  }

  std::map<std::uint64_t, std::string> names_;
  std::map<std::uint64_t, bool> open_;
};

std::uint64_t track_named(const PerfettoFile& file, const std::string& name) {
  for (const auto& [uuid, text] : file.tracks) {
    if (text == name) return uuid;
  }
  return 0;
}

TEST(Perfetto, OfThreeStepsThenTracksSlicesAndCountersDecodeAgain) {
  HandMade made = three_steps();
  const PerfettoFile file(exported(made, &make_perfetto_exporter));
  EXPECT_EQ(file.faults, std::vector<std::string>{});
  const auto& compute = file.slices.at(track_named(file, "compute stream"));
  ASSERT_EQ(compute.size(), 6U);
  EXPECT_EQ(compute[0].name, "target_forward");
  EXPECT_EQ(compute[0].begin_ns, 1110U);
  EXPECT_EQ(compute[0].end_ns, 1610U);
  EXPECT_EQ(compute[1].name, "copy_outputs");
  const auto& host = file.slices.at(track_named(file, "host thread"));
  ASSERT_EQ(host.size(), 15U);
  EXPECT_EQ(host[1].name, "launch target_forward");
  EXPECT_EQ(host[3].name, "wait post_process");
  EXPECT_EQ(file.slices.at(track_named(file, "iterations"))[2].name, "back 2");
  const auto values = [&](const char* name) { return file.counters.at(track_named(file, name)); };
  EXPECT_EQ(values("token_num host"), (std::vector<std::int64_t>{8, 8, 8}));
  EXPECT_EQ(values("token_num device"), (std::vector<std::int64_t>{7, 7, 7}));
  EXPECT_EQ(values("real_bsz host"), (std::vector<std::int64_t>{2, 2, 2}));
  EXPECT_EQ(values("real_bsz device"), (std::vector<std::int64_t>{2, 2, 2}));
}

TEST(Perfetto, FlowsHaveOneSourceAndOneTargetEach) {
  HandMade made = three_steps();
  const PerfettoFile file(exported(made, &make_perfetto_exporter));
  // A step has two launches and one wait for an event.
  EXPECT_EQ(file.flows_out.size(), 9U);
  EXPECT_EQ(file.flows_out, file.flows_in);
  EXPECT_EQ(std::set<std::uint64_t>(file.flows_in.begin(), file.flows_in.end()).size(), 9U);
}

TEST(Perfetto, DivergencesAreInstantsOnce) {
  HandMade made = three_steps();
  const PerfettoFile file(
      exported(made, &make_perfetto_exporter, {divergence_at(2), divergence_at(1)}));
  ASSERT_EQ(file.instants.size(), 2U);
  EXPECT_EQ(file.instants[0], to_line(divergence_at(1)));
  EXPECT_EQ(file.instants[1], to_line(divergence_at(2)));
}

TEST(Chrome, OfThreeStepsThenEventsOfBothSidesAndMicroseconds) {
  HandMade made = three_steps();
  const auto json =
      nlohmann::json::parse(exported(made, &make_chrome_exporter, {divergence_at(1)}));
  std::map<std::string, int> phases;
  std::map<int, int> flow_ends;
  for (const auto& event : json["traceEvents"]) {
    if (event.empty()) continue;
    const auto phase = event["ph"].get<std::string>();
    ++phases[phase];
    if (phase == "s") ++flow_ends[event["id"].get<int>()];
    if (phase == "f") --flow_ends[event["id"].get<int>()];
    if (phase == "X" && event["name"] == "target_forward" && event["args"]["step"] == 0) {
      EXPECT_DOUBLE_EQ(event["ts"].get<double>(), 1.110);
      EXPECT_DOUBLE_EQ(event["dur"].get<double>(), 0.5);
    }
    if (phase == "i") {
      EXPECT_EQ(event["name"], to_line(divergence_at(1)));
    }
  }
  EXPECT_EQ(phases["X"], 3 * (7 + 1));
  EXPECT_EQ(phases["C"], 12);
  EXPECT_EQ(phases["s"], 9);
  EXPECT_EQ(phases["f"], 9);
  EXPECT_EQ(phases["i"], 1);
  for (const auto& [id, balance] : flow_ends) EXPECT_EQ(balance, 0) << id;
}

TEST(Exports, SameStepsThenTheSameBytes) {
  HandMade made = three_steps();
  for (const auto make : {&make_chrome_exporter, &make_perfetto_exporter}) {
    EXPECT_EQ(exported(made, make), exported(made, make));
  }
}

TEST(Exports, OfNothingThenWholeFiles) {
  HandMade made;
  EXPECT_TRUE(nlohmann::json::accept(exported(made, &make_chrome_exporter)));
  EXPECT_EQ(PerfettoFile(exported(made, &make_perfetto_exporter)).faults,
            std::vector<std::string>{});
}

}  // namespace
}  // namespace tandem::sim
