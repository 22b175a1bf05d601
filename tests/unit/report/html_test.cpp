// The HTML report of hand-made steps: what it embeds is parsed again; nothing in it loads.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report/html_report.hpp"
#include "sim/report/page_files.hpp"
#include "tests/unit/report/export_cases.hpp"

namespace tandem::sim {
namespace {

using Json = nlohmann::json;
using test::divergence_at;
using test::HandMade;
using test::StringSink;
using test::three_steps;

/// What would end an element, open another or end a string.
constexpr const char* kHostile = R"(</script><!--<b>&amp;"'\.tbt)";

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

class Html : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_html_report()) GTEST_SKIP() << "no d3 in this build: install node-d3";
  }

  static std::string page_of(HandMade& made, const std::string& title, const std::string& report,
                             std::vector<Divergence> divergences = {}) {
    StringSink sink;
    TimelineBuilder builder;
    const auto steps = made.timelines(builder);
    EXPECT_TRUE(steps.ok());
    const auto exporter = make_html_exporter(sink, {}, std::move(divergences), title, report);
    EXPECT_TRUE(exporter->begin().ok());
    for (const StepTimeline& step : steps.value()) EXPECT_TRUE(exporter->add(step).ok());
    EXPECT_TRUE(exporter->finish().ok());
    return sink.text;
  }

  /// The JSON of the script element `id`, up to where a browser would see its end.
  static Json embedded(const std::string& page, const std::string& id) {
    const std::string opening = "<script type=\"application/json\" id=\"" + id + "\">";
    const std::size_t begin = page.find(opening);
    EXPECT_NE(begin, std::string::npos) << id;
    if (begin == std::string::npos) return {};
    const std::size_t from = begin + opening.size();
    return Json::parse(page.substr(from, page.find("</script", from) - from), nullptr, false);
  }
};

TEST_F(Html, OfThreeStepsThenTheEmbeddedSpansAreThoseOfTheTimeline) {
  HandMade made = three_steps();
  const Json spans = embedded(page_of(made, "run.tbt", "{}"), "spans");
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  ASSERT_TRUE(steps.ok());
  ASSERT_EQ(spans["steps"].size(), 3U);
  for (std::size_t s = 0; s < 3; ++s) {
    const StepTimeline& want = steps.value()[s];
    const Json& got = spans["steps"][s];
    const Json facts(std::vector<Json>(got.begin(), got.begin() + 12));
    // t, repeat, kind, mode, start, length, N, T, rr, slots, both counters' times.
    EXPECT_EQ(facts, Json({s, 1, 0, 0, want.facts.start_ns, 710, 8, 7, 2, 2, 0, 0}));
    ASSERT_EQ(got[12].size(), 6 * want.nodes.size());
    for (std::size_t i = 0; i < want.nodes.size(); ++i) {
      const TimelineNode& node = want.nodes[i];
      const Json span(std::vector<Json>(got[12].begin() + static_cast<std::ptrdiff_t>(6 * i),
                                        got[12].begin() + static_cast<std::ptrdiff_t>(6 * i + 6)));
      EXPECT_EQ(span[0], static_cast<int>(node.lane));
      EXPECT_EQ(spans["names"][span[1].get<std::size_t>()], slice_name(node));
      EXPECT_EQ(span[3], node.start_ns - want.facts.start_ns);
      EXPECT_EQ(span[4], node.duration());
      EXPECT_EQ(span[5], node.op->row);
    }
  }
}

TEST_F(Html, KindsAreOperationLaunchWaitAndCopy) {
  HandMade made = three_steps();
  const Json spans = embedded(page_of(made, "run.tbt", "{}"), "spans");
  std::vector<std::pair<std::string, int>> got;
  const Json& nodes = spans["steps"][0][12];
  for (std::size_t i = 0; i < nodes.size(); i += 6) {
    got.emplace_back(spans["names"][nodes[i + 1].get<std::size_t>()], nodes[i + 2].get<int>());
  }
  const std::vector<std::pair<std::string, int>> want{
      {"prepare_forward", 0},     {"launch target_forward", 1}, {"target_forward", 0},
      {"launch copy_outputs", 1}, {"copy_outputs", 3},          {"wait post_process", 2},
      {"send_message", 0}};
  EXPECT_EQ(got, want);
}

TEST_F(Html, DivergencesAreMarksOnce) {
  HandMade made = three_steps();
  const Json spans =
      embedded(page_of(made, "run.tbt", "{}", {divergence_at(2), divergence_at(1)}), "spans");
  EXPECT_EQ(spans["marks"], Json({{1, to_line(divergence_at(1))}, {2, to_line(divergence_at(2))}}));
}

TEST_F(Html, HostileNamesEndNoElementAndComeBackWhole) {
  HandMade made = three_steps();
  const std::string plain = page_of(made, "run.tbt", Json{{"trace", "run.tbt"}}.dump());
  Divergence divergence = divergence_at(1);
  divergence.field = kHostile;
  const std::string page = page_of(made, kHostile, Json{{"trace", kHostile}}.dump(), {divergence});
  EXPECT_EQ(embedded(page, "report")["trace"], kHostile);
  EXPECT_EQ(embedded(page, "spans")["marks"][0][1], to_line(divergence));
  for (const char* part : {"</script", "<script", "<!--", "<b>"}) {
    EXPECT_EQ(count_of(page, part), count_of(plain, part)) << part;
  }
  EXPECT_NE(page.find("<title>&lt;/script&gt;&lt;!--&lt;b&gt;&amp;amp;"), std::string::npos);
}

TEST_F(Html, NothingInItLoads) {
  HandMade made = three_steps();
  const std::string page = page_of(made, "run.tbt", "{}");
  // The browser itself refuses whatever d3 or the page could ask for.
  EXPECT_EQ(count_of(page,
                     "content=\"default-src 'none'; style-src 'unsafe-inline'; "
                     "script-src 'unsafe-inline'; img-src data:\""),
            1U);
  EXPECT_EQ(count_of(page, " src="), 0U);
  EXPECT_EQ(count_of(page, "<link "), count_of(page, "<link rel=\"icon\" href=\"data:,\">"));
  EXPECT_EQ(count_of(page, "@import"), 0U);
  for (const PageFile file : {PageFile::html, PageFile::css, PageFile::data_js, PageFile::lanes_js,
                              PageFile::tables_js, PageFile::bench_js, PageFile::main_js}) {
    const std::string text(page_file(file));
    EXPECT_FALSE(text.empty());
    for (const char* part : {"http:", "https:", "fetch(", "XMLHttpRequest", "WebSocket"}) {
      EXPECT_EQ(count_of(text, part), 0U) << part;
    }
  }
}

TEST_F(Html, SameStepsThenTheSameBytes) {
  HandMade made = three_steps();
  EXPECT_EQ(page_of(made, "run.tbt", "{}", {divergence_at(1)}),
            page_of(made, "run.tbt", "{}", {divergence_at(1)}));
}

TEST_F(Html, OfNothingThenAWholePage) {
  HandMade made;
  const std::string page = page_of(made, "run.tbt", "{}");
  EXPECT_EQ(embedded(page, "spans"), Json::parse(R"({"steps":[],"names":[],"marks":[]})"));
  EXPECT_EQ(count_of(page, "</html>"), 1U);
}

}  // namespace
}  // namespace tandem::sim
