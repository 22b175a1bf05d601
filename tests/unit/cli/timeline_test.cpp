// `tandem timeline` in-process: golden text of a small run, sync against overlap, absent spans.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report/html_report.hpp"
#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/pressed_scenario.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

/// A timeline trace of `scenario` as run.tbt; what `more` asks for besides.
void record(FakeMachine& m, const std::string& scenario, const std::string& more = {}) {
  ASSERT_EQ(m("run " + scenario + " --no-verify --record timeline -o run.tbt " + more), kExitClean)
      << m.err.text;
}

Json measured(FakeMachine& m, const std::string& arguments = "run.tbt") {
  EXPECT_EQ(m("timeline " + arguments + " --json -"), kExitClean) << m.err.text;
  return Json::parse(m.out.text, nullptr, false);
}

TEST(Timeline, OfASmallRunThenGoldenText) {
  FakeMachine m;
  record(m, "decode-small", "--steps 12 --set timing.host_step_ns=3000000");
  ASSERT_EQ(m("timeline run.tbt"), kExitClean) << m.err.text;
  const std::string golden = R"(trace           run.tbt: decode-small, schedule overlap, policy
                predict-rows-hidden, device host
steps           10 records counted, 10 of them launched; ramp left out: 2 in
                front, 0 behind
step time       median 9.514 ms, p95 21.950 ms, p99 21.950 ms
bound           device, 9.578 ms a step (host 3.176 ms); the run is 3.18 %
                above: nothing is left to overlap
run-ahead       97.15 % of 316 launches came while the stream had work
starved         3.08 % of the compute stream's time had nothing enqueued
  stream             time   kernels    copies   waiting      idle   no work
  compute       98.832 ms   96.84 %    0.06 %    0.00 %    3.08 %    0.00 %
  thread             time      work  launches   waiting     other   no work
  host         107.888 ms   28.26 %    1.17 %   70.56 %    0.00 %    0.00 %
  a step                             median             p95             p99
  host busy                        3.172 ms        3.204 ms        3.204 ms
  host waiting                     6.340 ms       18.746 ms       18.746 ms
  compute stream kernels           9.508 ms        9.902 ms        9.902 ms
  compute stream copies            6.000 us       12.000 us       12.000 us
  compute stream waiting               0 ns            0 ns            0 ns
  compute stream idle                  0 ns        3.050 ms        3.050 ms
  launch lead of forward           6.356 ms        6.442 ms        6.442 ms
  the compute stream ran dry behind             times          idle  of its time
  host late: prepare_forward                        1      3.006 ms       3.04 %
  host wait R6 read_done                            3     24.000 us       0.02 %
  host wait R0 token_num                            1     12.000 us       0.01 %
  host late: launching                              4      8.000 us       0.00 %
       step          idle  largest bubbles, one of each kind
         11      3.006 ms  before target_forward (1 alike): host late:
                           prepare_forward 3.002 ms, host late: launching 4.000
                           us
         11     12.000 us  before speculate_pre_process (1 alike): host wait R0
                           token_num 4.000 us, host late: resolve 4.000 us
         11      8.000 us  before draft_pre_process (3 alike): host wait R6
                           read_done 4.000 us, host late: launching 4.000 us
         11      2.000 us  before copy_output_rows (1 alike): host late:
                           launching 2.000 us
         11      2.000 us  before draft_forward (3 alike): host late: launching
                           2.000 us
  row           waits     host waited     stream idle       on path    of path
  always           20       11.204 ms            0 ns          0 ns     0.00 %
  R0                1        9.370 ms       12.000 us      8.000 us     0.00 %
  R2               10       46.178 ms            0 ns          0 ns     0.00 %
  R6                3        9.376 ms       24.000 us     18.000 us     0.01 %
  R13               0            0 ns            0 ns      3.004 ms     3.03 %
  critical path                             share            time     mean slack
  compute: target_forward                 84.00 %       83.020 ms           0 ns
  compute: draft_forward                  12.35 %       12.210 ms           0 ns
  host: prepare_forward R13                3.03 %        3.004 ms       5.752 ms
  compute: eagle_gather_hidden_states      0.06 %       60.000 us           0 ns
  compute: draft_lm_head                   0.06 %       60.000 us           0 ns
  compute: draft_model_update              0.06 %       60.000 us           0 ns
  compute: draft_pre_process               0.05 %       54.000 us         200 ns
  compute: recover_decode_task             0.02 %       20.000 us           0 ns
  compute: copy_seq_lens                   0.02 %       20.000 us           0 ns
  compute: rebuild_padding                 0.02 %       20.000 us           0 ns
  and 22 more
T2              holds: 241.066 ms attributed = merged in all lanes
T1              0 deviations from the plan, 0 of 9 predicted steps launched late
)";
  EXPECT_EQ(m.out.text.substr(0, golden.size()), golden);
  for (const std::string& line : lines_of(m.out.text)) {
    if (line.rfind("divergence ", 0) != 0) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(Timeline, OfAnyRunThenEveryLaneAddsUpAndT2Holds) {
  FakeMachine m;
  m.files.files["pressed.json"] = test::pressed_scenario(32);
  for (const char* run :
       {"decode-small", "decode-small --schedule sync", "pressed.json", "idle-gaps",
        "decode-small --set copies=own", "decode-small --set rows.R11=sync --set copies=own"}) {
    record(m, run);
    const Json json = measured(m);
    ASSERT_TRUE(json.is_object()) << run;
    const Json& timeline = json["timeline"];
    EXPECT_TRUE(timeline["T2"]["holds"].get<bool>()) << run << timeline["T2"];
    for (const char* lane : {"compute", "copy"}) {
      const Json& use = timeline["lanes"][lane];
      std::int64_t sum = 0;
      for (const char* part : {"busy_ns", "waiting_ns", "idle_ns", "no_work_ns"}) {
        sum += use[part].get<std::int64_t>();
      }
      EXPECT_EQ(use["window_ns"], sum) << run << lane << use;
    }
    const Json& host = timeline["lanes"]["host"];
    EXPECT_EQ(host["window_ns"].get<std::int64_t>(), host["busy_ns"].get<std::int64_t>() +
                                                         host["waiting_ns"].get<std::int64_t>() +
                                                         host["no_work_ns"].get<std::int64_t>())
        << run;
    EXPECT_EQ(host["other_ns"], 0) << run << ": the host's clock moves in its calls alone";
    std::int64_t charged = 0;
    for (const Json& share : timeline["critical_path"]["shares"]) {
      charged += share["on_path_ns"].get<std::int64_t>();
    }
    EXPECT_EQ(timeline["critical_path"]["total_ns"], charged) << run;
    EXPECT_EQ(json["missing"], Json::array()) << run;
    EXPECT_GE(timeline["bound"]["run_ns"], timeline["bound"]["device_ns"]) << run;
  }
}

std::int64_t idle_ns(const Json& json) {
  return json["timeline"]["lanes"]["compute"]["idle_ns"].get<std::int64_t>();
}

TEST(Timeline, OfSyncAgainstOverlapThenTheRowsThatStarveTheStreamAreNamed) {
  FakeMachine m;
  const std::string costs = " --set timing.host_step_ns=2000000";
  record(m, "decode-small", "--schedule sync" + costs);
  const Json sync = measured(m);
  record(m, "decode-small", costs);
  const Json overlap = measured(m);
  EXPECT_EQ(sync["timeline"]["bound"]["side"], "device");
  EXPECT_GT(idle_ns(sync), 2 * idle_ns(overlap));
  EXPECT_GT(sync["timeline"]["bound"]["above_millionths"], 100'000);
  const auto text = sync["timeline"]["bound"]["text"].get<std::string>();
  EXPECT_NE(text.find("most of it host wait R"), std::string::npos) << text;
  EXPECT_GT(sync["timeline"]["rows"]["R0"]["waits"], overlap["timeline"]["rows"]["R0"]["waits"]);
  EXPECT_GT(overlap["timeline"]["run_ahead"]["millionths"],
            sync["timeline"]["run_ahead"]["millionths"]);
}

TEST(Timeline, OfAHostThatTakesLongerThenOneLineSaysThatOverlapCannotHelp) {
  FakeMachine m;
  record(m, "decode-small", "--set timing.host_step_ns=40000000");
  const Json json = measured(m);
  EXPECT_EQ(json["timeline"]["bound"]["side"], "host");
  ASSERT_EQ(m("timeline run.tbt"), kExitClean);
  EXPECT_NE(m.out.text.find("\nbound           host, "), std::string::npos) << m.out.text;
}

TEST(Timeline, WithoutSpansThenItSaysSoAndTellsWhatIsLeft) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify -o run.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("timeline run.tbt"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("missing         spans: none recorded (level state)"),
            std::string::npos)
      << m.out.text;
  EXPECT_NE(m.out.text.find("\nmodes "), std::string::npos);
  EXPECT_NE(m.out.text.find("host wait R2 post_process"), std::string::npos);
  EXPECT_EQ(m.out.text.find("\nbound "), std::string::npos);
  const Json json = measured(m);
  EXPECT_EQ(json["timeline"], nullptr);
  EXPECT_GT(json["plan"]["rows_launched"], json["plan"]["rows_used"]);
  EXPECT_EQ(m("timeline run.tbt --perfetto run.pftrace"), kExitBadInput);
  EXPECT_NE(m.err.text.find("--perfetto: the trace has no spans"), std::string::npos) << m.err.text;
  EXPECT_EQ(m.files.files.count("run.pftrace") + m.files.files.count("run.pftrace.part"), 0U);
}

TEST(Timeline, WithoutLaunchSpansThenLeadsAreMissingAndTheRestIsTold) {
  FakeMachine m;
  record(m, "decode-small", "--steps 20");
  ASSERT_EQ(m("dump run.tbt --jsonl"), kExitClean);
  std::string text;
  for (const std::string& line : lines_of(m.out.text)) {
    Json object = Json::parse(line);
    if (object["type"] == "step") {
      Json kept = Json::array();
      // A launch stands right behind the span of its operation.
      for (const Json& span : object["spans"]) {
        const bool launch = !kept.empty() && span["lane"] == 0 && kept.back()["lane"] != 0 &&
                            kept.back()["op"] == span["op"] &&
                            kept.back()["segment"] == span["segment"];
        if (!launch) kept.push_back(span);
      }
      object["spans"] = kept;
    }
    text += object.dump() + "\n";
  }
  m.files.files["foreign.jsonl"] = text;
  const Json json = measured(m, "foreign.jsonl");
  ASSERT_EQ(json["missing"].size(), 1U);
  EXPECT_EQ(json["missing"][0].get<std::string>().rfind("spans of launches: none recorded", 0), 0U);
  EXPECT_EQ(json["timeline"]["a_step"]["launch_lead_ns"], nullptr);
  EXPECT_EQ(idle_ns(json), idle_ns(measured(m)));
}

TEST(Timeline, OfStepsAskedForThenThoseAndALineEach) {
  FakeMachine m;
  record(m, "decode-small");
  ASSERT_EQ(m("timeline run.tbt --steps 20:23"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("3 records counted"), std::string::npos) << m.out.text;
  for (const char* line : {"\n         20 back", "\n         22 back"}) {
    EXPECT_NE(m.out.text.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(m.out.text.find("\n         23 back"), std::string::npos);
  EXPECT_EQ(m("timeline run.tbt --steps 5000:"), kExitBadInput);
  EXPECT_NE(m.err.text.find("--steps: got '5000:'"), std::string::npos) << m.err.text;
}

TEST(Timeline, SameTraceThenTheSameBytesInEveryFormat) {
  FakeMachine m;
  record(m, "decode-small");
  const std::string command = "timeline run.tbt --perfetto run.pftrace --chrome run.json";
  ASSERT_EQ(m(command), kExitClean) << m.err.text;
  const auto first = m.files.files;
  const std::string text = m.out.text;
  ASSERT_EQ(m(command), kExitClean);
  EXPECT_EQ(m.out.text, text);
  EXPECT_EQ(m.files.files, first);
  EXPECT_TRUE(Json::accept(first.at("run.json")));
  EXPECT_EQ(first.at("run.pftrace").front(), '\x0a');
}

TEST(Timeline, OfADivergedTraceThenItIsMarkedAndTheExitCodeIsStillClean) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum --record timeline -o bad.tbt"),
            kExitDiverged);
  ASSERT_EQ(m("timeline bad.tbt --chrome bad.json"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("\ndivergence check="), std::string::npos) << m.out.text;
  int marked = 0;
  const Json drawn = Json::parse(m.files.files["bad.json"]);
  for (const Json& event : drawn["traceEvents"]) {
    if (event.empty() || event["ph"] != "i") continue;
    if (event["name"].get<std::string>().rfind("divergence check=V1 ", 0) == 0) ++marked;
  }
  EXPECT_GT(marked, 0);
}

TEST(Timeline, OfSpansThatOverlapThenExitCode1AndNothingIsDrawn) {
  FakeMachine m;
  record(m, "decode-small", "--steps 5");
  ASSERT_EQ(m("dump run.tbt --jsonl"), kExitClean);
  std::string text;
  for (const std::string& line : lines_of(m.out.text)) {
    Json object = Json::parse(line);
    if (object["type"] == "step" && object["t"] == 2) {
      for (Json& span : object["spans"]) {
        if (span["lane"] == 1) {
          span["end_ns"] = span["end_ns"].get<std::int64_t>() + 100;
          break;
        }
      }
    }
    text += object.dump() + "\n";
  }
  m.files.files["bad.jsonl"] = text;
  EXPECT_EQ(m("timeline bad.jsonl"), kExitDiverged) << m.out.text;
  EXPECT_NE(m.out.text.find("\nT2              attributed time is not merged time: step 2: "),
            std::string::npos)
      << m.out.text;
  EXPECT_EQ(m("timeline bad.jsonl --chrome bad.json"), kExitBadInput);
  EXPECT_EQ(m.files.files.count("bad.json"), 0U);
}

TEST(Timeline, BadInputThenExitCode2) {
  FakeMachine m;
  EXPECT_EQ(m("timeline none.tbt"), kExitBadInput);
  record(m, "decode-small", "--steps 5");
  EXPECT_EQ(m("timeline run.tbt --chrome missing/run.json"), kExitBadInput);
  EXPECT_EQ(m.err.text.rfind("error: --chrome: missing/run.json", 0), 0U) << m.err.text;
  EXPECT_EQ(m("timeline run.tbt --steps x"), kExitBadInput);
}

/// The JSON that the page of an HTML report embeds as `id`.
Json embedded(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find('{', page.find("id=\"" + id + "\">"));
  if (begin == std::string::npos) return {};
  return Json::parse(page.substr(begin, page.find("</script", begin) - begin), nullptr, false);
}

class TimelinePage : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!sim::has_html_report()) GTEST_SKIP() << "no d3 in this build: install node-d3";
  }
  FakeMachine m_;
};

TEST_F(TimelinePage, EmbedsTheNumbersOfTheJsonDocument) {
  record(m_, "decode-small", "--steps 20");
  ASSERT_EQ(m_("timeline run.tbt --html run.html"), kExitClean) << m_.err.text;
  const std::string page = m_.files.files["run.html"];
  const Json spans = embedded(page, "spans");
  Json report = measured(m_);
  EXPECT_EQ(spans["steps"].size(), report["records"]["all"]);
  const std::size_t ramp_in = report["records"]["ramp_in"].get<std::size_t>();
  for (std::size_t i = 0; i < report["steps"].size(); ++i) {
    const Json& want = report["steps"][i];
    const Json& got = spans["steps"][ramp_in + i];
    EXPECT_EQ(got[0], want["t"]);
    EXPECT_EQ(got[4], want["start_ns"]);
    EXPECT_EQ(got[5], want["end_ns"].get<std::int64_t>() - want["start_ns"].get<std::int64_t>());
  }
  report.erase("steps");
  EXPECT_EQ(embedded(page, "report"), report);
  ASSERT_EQ(m_("timeline run.tbt --html again.html"), kExitClean);
  EXPECT_EQ(m_.files.files["again.html"], page);
}

TEST_F(TimelinePage, WithoutSpansThenStepsAndWhatIsMissing) {
  ASSERT_EQ(m_("run decode-small --steps 20 --no-verify --record state -o run.tbt"), kExitClean);
  ASSERT_EQ(m_("timeline run.tbt --html run.html"), kExitClean) << m_.err.text;
  const std::string page = m_.files.files["run.html"];
  EXPECT_EQ(embedded(page, "spans")["steps"].size(), 20U);
  const Json report = embedded(page, "report");
  EXPECT_EQ(report["timeline"], nullptr);
  EXPECT_EQ(report["missing"].size(), 2U);
}

TEST(Timeline, PageAskedOfABuildWithoutD3ThenTheSentenceNamesThePackage) {
  if (sim::has_html_report()) GTEST_SKIP() << "this build has d3: see preset minimal";
  FakeMachine m;
  record(m, "decode-small", "--steps 5");
  EXPECT_EQ(m("timeline run.tbt --html run.html"), kExitBadInput);
  EXPECT_EQ(m.err.text,
            "error: --html: got 'run.html', want none: this build is without d3; install node-d3 "
            "and build again\n");
  EXPECT_EQ(m.files.files.count("run.html") + m.files.files.count("run.html.part"), 0U);
}

class TimelineFiles : public test::Executable {};

TEST_F(TimelineFiles, PageThenChromiumRendersIt) {
  if (!sim::has_html_report()) GTEST_SKIP() << "no d3 in this build: install node-d3";
  if (!has_program("chromium")) GTEST_SKIP() << "no chromium: install chromium";
  ASSERT_EQ(shell("tandem run decode-small --steps 20 --no-verify --record timeline -o run.tbt && "
                  "tandem timeline run.tbt --html run.html"),
            0)
      << err_;
  const int code = shell(
      "timeout 240 chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage "
      "--no-first-run --enable-logging=stderr --user-data-dir=$PWD/profile --dump-dom "
      "file://$PWD/run.html");
  // That a browser does not start here is no fault of the page.
  if (code != 0 || out_.find("</html>") == std::string::npos) {
    GTEST_SKIP() << "chromium ended with " << code << " and without a document";
  }
  // What only the scripts write: heading, figures, rows of the tables.
  for (const char* part : {">run.tbt</h1>", "decode-small \u00b7 schedule overlap",
                           "Bound: device, ", "<td class=\"text\">compute: target_forward</td>",
                           "<dd>20<small>", "<td>19</td><td class=\"text\">back</td>"}) {
    EXPECT_NE(out_.find(part), std::string::npos) << part << "\n" << err_;
  }
  EXPECT_EQ(err_.find("CONSOLE"), std::string::npos) << err_;
}

TEST_F(TimelineFiles, PerfettoThenProtocDecodesIt) {
  if (!has_program("protoc")) GTEST_SKIP() << "no protoc: install protobuf-compiler";
  ASSERT_EQ(shell("tandem run decode-small --steps 20 --no-verify --record timeline -o run.tbt && "
                  "tandem timeline run.tbt --perfetto run.pftrace"),
            0)
      << err_;
  ASSERT_EQ(shell("protoc --decode_raw < run.pftrace"), 0) << err_;
  EXPECT_NE(out_.find("compute stream"), std::string::npos);
  EXPECT_NE(out_.find("target_forward"), std::string::npos);
}

}  // namespace
}  // namespace tandem::cli
