// Runs a scenario on a device with the judge beside it, and keeps how each request ended.
#include "tests/unit/joined/judged_run.hpp"

#include <algorithm>

#include "traces/base/check.hpp"

namespace tandem::test {
namespace {

/// Hands each call to the judge and to the copy, and records to the watcher as well.
class Audience : public RecordSink {
 public:
  Audience(RecordSink& judge, const HowJudged& how, JudgedRun& run) : how_(how), run_(run) {
    sinks_.push_back(&judge);
    if (how.copy != nullptr) sinks_.push_back(how.copy);
  }

  Status begin(const TraceHeader& header) override {
    if (how_.watcher != nullptr) how_.watcher->begin(header);
    return to_all([&](RecordSink& sink) { return sink.begin(header); });
  }
  Status segment(const plan::Segment& segment) override {
    return to_all([&](RecordSink& sink) { return sink.segment(segment); });
  }
  Status keyframe(const Keyframe& keyframe) override {
    return to_all([&](RecordSink& sink) { return sink.keyframe(keyframe); });
  }
  Status step(const StepRecord& record) override {
    if (how_.watcher != nullptr) how_.watcher->step(record);
    for (const RequestOutcome& outcome : record.outcomes) {
      const auto [place, is_new] =
          run_.outcomes.try_emplace(outcome.id, outcome.output_len, outcome.reason);
      if (!is_new) run_.error = "request " + std::to_string(place->first) + " was closed twice";
    }
    return to_all([&](RecordSink& sink) { return sink.step(record); });
  }
  Status unadmitted(const RequestRow& row) override {
    return to_all([&](RecordSink& sink) { return sink.unadmitted(row); });
  }
  Status end(const Keyframe& last) override {
    return to_all([&](RecordSink& sink) { return sink.end(last); });
  }

 private:
  template <class Call>
  Status to_all(Call call) {
    for (RecordSink* sink : sinks_) TANDEM_RETURN_IF_ERROR(call(*sink));
    return {};
  }

  const HowJudged& how_;
  JudgedRun& run_;
  std::vector<RecordSink*> sinks_;
};

std::string words(const Outcomes& all, RequestId id) {
  static const char* const kReasons[] = {"open", "eos", "length", "stop", "abort"};
  const auto found = all.find(id);
  if (found == all.end()) return "no end";
  return std::to_string(found->second.first) + " tokens, " +
         kReasons[static_cast<std::size_t>(found->second.second)];
}

/// Whether an abort was in time is the schedule's affair; up to its trigger the tokens agree.
bool one_abort_came_first(const Outcomes& a, const Outcomes& b, RequestId id) {
  const auto left = a.find(id);
  const auto right = b.find(id);
  if (left == a.end() || right == b.end()) return false;
  const auto& [left_len, left_reason] = left->second;
  const auto& [right_len, right_reason] = right->second;
  const bool left_aborted = left_reason == StopReason::abort;
  if (left_aborted == (right_reason == StopReason::abort)) return false;
  return left_aborted ? left_len <= right_len : right_len <= left_len;
}

}  // namespace

JudgedRun run_judged(const Scenario& scenario, Workload& workload, const HowJudged& how) {
  JudgedRun run;
  sim::VerifyOptions options;
  options.divergences_max = 4;
  const auto judge = sim::make_live_verifier(options);
  Audience audience(*judge, how, run);
  RunOptions run_options;
  run_options.block_steps = how.block_steps;
  run_options.level = how.level;
  const Result<RunSummary> summary =
      how.runner ? how.runner(scenario, workload, run_options, &audience)
                 : run_on_host(scenario, workload, run_options, &audience, how.executor);
  if (!summary.ok()) {
    run.error = summary.error().text;
    return run;
  }
  run.summary = summary.value();
  run.verdict = judge->verdict();
  const bool cut = scenario.steps_max > 0 && run.summary.steps >= scenario.steps_max;
  if (run.error.empty() && cut && !how.may_be_cut) {
    run.error = "still running after " + std::to_string(run.summary.steps) + " steps";
  }
  return run;
}

std::string difference(const JudgedRun& a, const JudgedRun& b) {
  std::vector<RequestId> ids;
  for (const Outcomes* all : {&a.outcomes, &b.outcomes}) {
    for (const auto& [id, outcome] : *all) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const RequestId id : ids) {
    const std::string left = words(a.outcomes, id);
    const std::string right = words(b.outcomes, id);
    if (left == right || one_abort_came_first(a.outcomes, b.outcomes, id)) continue;
    return "request " + std::to_string(id) + ": " + left + " / " + right;
  }
  return a.summary.token_digest == b.summary.token_digest ? "" : "tokens differ, lengths do not";
}

Scenario catalog_case(const std::string& name, std::vector<std::string> overrides) {
  if (name == "azure-conv" || name == "azure-code") {
    overrides.insert(overrides.begin(), "workload.requests=60");
  }
  const auto text = catalog_scenario(name);
  TANDEM_CHECK(text.has_value());
  Result<Scenario> scenario = parse_scenario(*text, name, overrides);
  TANDEM_CHECK(scenario.ok());
  return std::move(scenario).value();
}

JudgedRun run_catalog(const std::string& name, std::vector<std::string> overrides,
                      const HowJudged& how) {
  const Scenario scenario = catalog_case(name, std::move(overrides));
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  auto workload = make_workload(scenario, no_files);
  TANDEM_CHECK(workload.ok());
  return run_judged(scenario, *workload.value(), how);
}

JudgedRun run_catalog(const std::string& name, std::vector<std::string> overrides,
                      RecordWatcher* watcher) {
  HowJudged how;
  how.watcher = watcher;
  return run_catalog(name, std::move(overrides), how);
}

std::vector<std::string> catalog_list() {
  const std::vector<std::string_view> names = catalog_names();
  return {names.begin(), names.end()};
}

std::string as_test_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace tandem::test
