// Settles what a replay runs: the trace's configuration, the user's changes, and their refusals.
#include "tools/cli/replay_input.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "scenarios/config_keys.hpp"
#include "scenarios/json_tree.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kReplayDraftsMax = 16;

/// Keys of a configuration that change no batch and no counter: a batch-exact replay takes them.
constexpr std::array<std::string_view, 5> kFreeKeys = {
    "copies", "engine.kv_blocks", "engine.max_num_batched_tokens", "engine.pinned_ring_depth",
    "engine.cuda_graphs"};
/// Keys that say what the recorded requests are, whoever schedules them.
constexpr std::array<std::string_view, 5> kRequestKeys = {"seed", "arrivals", "model.vocab_size",
                                                          "model.padding_id", "model.eos"};

template <std::size_t N>
bool is_among_keys(const std::array<std::string_view, N>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

const std::string& key_value(const std::vector<ConfigKey>& keys, std::string_view key) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [key](const ConfigKey& entry) { return entry.key == key; });
  TANDEM_CHECK(found != keys.end());
  return found->value;
}

/// A replay has no slices of a request trace and no workload of its own.
Status check_scenario_options(const ScenarioOptions& scenario, const ReplayOptions& o) {
  const std::array<std::pair<const char*, const std::string*>, 3> slices{
      {{"--from", &scenario.from},
       {"--until", &scenario.until},
       {"--rate-scale", &scenario.rate_scale}}};
  for (const auto& [name, value] : slices) {
    if (value->empty()) continue;
    return Error::make(name, "got '" + *value + "' with a replay", "none: it is for request traces",
                       "the requests are those of " + o.trace());
  }
  for (const std::string& set : scenario.sets) {
    const std::string_view key = std::string_view(set).substr(0, set.find_first_of(".="));
    if (key == "workload") {
      return Error::make("--set", "got '" + set + "' with a replay", "no key of `workload`",
                         "the requests are those of " + o.trace());
    }
    if (key == "acceptance") {
      return Error::make("--set", "got '" + set + "' with a replay", "no key of `acceptance`",
                         "counts are those of " + o.trace() +
                             "; --replay-requests with --accept-profile takes others");
    }
  }
  return {};
}

/// Of "P,P,..": each P is a number in [0, 1].
Status check_probabilities(std::string_view rest) {
  for (;;) {
    const std::string_view one = rest.substr(0, rest.find(','));
    double value = -1.0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), value);
    const bool whole = error == std::errc() && end == one.data() + one.size();
    if (!whole || !(value >= 0.0 && value <= 1.0)) {
      return Error::make("--accept-profile", fmt::format("got '{}'", one), "a number in [0, 1]",
                         "as in constant:0.7 or per-position:0.8,0.6");
    }
    if (one.size() == rest.size()) return {};
    rest.remove_prefix(one.size() + 1);
  }
}

/// "constant:P", "per-position:P,P,..", or the name of a JSON file, as a scenario's `acceptance`.
Result<std::string> read_profile(Io& io, const std::string& text) {
  constexpr std::string_view kConstant = "constant:";
  constexpr std::string_view kPerPosition = "per-position:";
  std::string profile;
  std::string place = "--accept-profile";
  if (text.substr(0, kConstant.size()) == kConstant) {
    const std::string p = text.substr(kConstant.size());
    TANDEM_RETURN_IF_ERROR(check_probabilities(p));
    profile = fmt::format(R"({{"kind":"constant","p":{}}})", p);
  } else if (text.substr(0, kPerPosition.size()) == kPerPosition) {
    const std::string p = text.substr(kPerPosition.size());
    TANDEM_RETURN_IF_ERROR(check_probabilities(p));
    profile = fmt::format(R"({{"kind":"per-position","p":[{}]}})", p);
  } else if (io.files.exists(text)) {
    TANDEM_TRY(profile, io.files.read_text(text));
    place = text;
  } else {
    return Error::make(place, "got '" + text + "'",
                       "constant:P, per-position:P,P,.. or a JSON file like a scenario's "
                       "`acceptance`",
                       "probabilities P are in [0, 1]");
  }
  TANDEM_RETURN_IF_ERROR(parse_json(profile, place));
  return profile;
}

/// The trace's acceptance as a scenario's group. More probabilities than K are allowed: so a larger
/// K is refused by its own name.
std::string recorded_acceptance(const RunConfig& recorded) {
  if (recorded.acceptance.kind == AcceptKind::list || recorded.acceptance.millionths.empty()) {
    return R"({"kind":"list"})";
  }
  RunConfig wide = recorded;
  wide.acceptance.millionths.resize(std::max(kReplayDraftsMax, wide.acceptance.millionths.size()));
  return key_value(config_keys(wide), "acceptance");
}

class Settler {
 public:
  Settler(Io& io, const ScenarioOptions& options, const ReplayOptions& replay, Replay& out)
      : io_(io),
        options_(options),
        trace_(replay.trace()),
        profile_(replay.accept_profile),
        recorded_(out.trace.reader->header().config),
        out_(out) {}

  /// Without the user's changes, with them, and what the kind of replay makes of the difference.
  Status settle() {
    ScenarioOptions nothing;
    TANDEM_TRY(const Scenario base,
               load_scenario(io_, nothing, {config_scenario(recorded_), trace_, {}}));
    base_ = config_keys(base.config);
    TANDEM_TRY(const ScenarioBase changes, scenario_base());
    TANDEM_TRY(out_.scenario, load_scenario(io_, options_, changes));
    asked_ = config_keys(out_.scenario.config);
    return out_.batch_exact ? settle_batches() : settle_requests();
  }

 private:
  /// What is put over SCENARIO, in front of the user's own changes.
  Result<ScenarioBase> scenario_base() {
    // A trace leaves no row open, yet --schedule means its rows.
    ScenarioBase out{config_scenario(recorded_, !options_.schedule.empty()), trace_, {}};
    std::string acceptance = recorded_acceptance(recorded_);
    if (!profile_.empty()) {
      TANDEM_TRY(acceptance, read_profile(io_, profile_));
    }
    for (const std::string_view key : kRequestKeys) {
      out.overrides.push_back(fmt::format("{}={}", key, key_value(base_, key)));
    }
    out.overrides.push_back("acceptance=" + acceptance);
    const bool by_list = profile_.empty() && acceptance == R"({"kind":"list"})";
    out.overrides.push_back("workload=" + small_workload(by_list));
    return out;
  }

  [[nodiscard]] Error refused(std::string_view key, const std::string& remedy) const {
    return Error::make(out_.batch_exact ? "--replay" : "--replay-requests",
                       fmt::format("got {}={}", key, key_value(asked_, key)),
                       fmt::format("{}, as {} was recorded", key_value(base_, key), trace_),
                       remedy);
  }

  Status settle_batches() {
    for (const ConfigKey& asked : asked_) {
      if (asked.value == key_value(base_, asked.key)) continue;
      if (asked.key == "name" || asked.key == "acceptance") continue;  // the trace's, as below
      if (!is_among_keys(kFreeKeys, asked.key)) {
        return refused(asked.key, "to change it, reschedule with --replay-requests");
      }
      out_.changed.push_back(asked.key);
    }
    // What the header holds is kept to the letter; a scenario has no key for some of it.
    const RunConfig asked = out_.scenario.config;
    RunConfig& config = out_.scenario.config;
    config = recorded_;
    for (const std::string& key : out_.changed) {
      if (key == "copies") config.copies_own_stream = asked.copies_own_stream;
      if (key == "engine.kv_blocks") config.kv_blocks = asked.kv_blocks;
      if (key == "engine.max_num_batched_tokens") {
        config.max_num_batched_tokens = asked.max_num_batched_tokens;
      }
      if (key == "engine.pinned_ring_depth") config.pinned_ring_depth = asked.pinned_ring_depth;
      if (key == "engine.cuda_graphs") config.captured_sizes = asked.captured_sizes;
    }
    if (!states_acceptance(recorded_)) config.acceptance.kind = AcceptKind::list;
    return {};
  }

  Status settle_requests() {
    for (const std::string_view key : kRequestKeys) {
      if (key_value(asked_, key) == key_value(base_, key)) continue;
      return refused(key, "it belongs to the recorded requests");
    }
    out_.extrapolated = !profile_.empty();
    if (out_.extrapolated) return {};
    const RunConfig& asked = out_.scenario.config;
    TANDEM_RETURN_IF_ERROR(check_observed("engine.num_speculative_tokens",
                                          asked.num_speculative_tokens,
                                          recorded_.num_speculative_tokens));
    // Counts reach as far as rows did: without n-gram drafts to M + 1, whatever K is.
    const bool by_drafts = states_acceptance(recorded_) || recorded_.ngram_millionths > 0;
    return check_observed("engine.num_model_steps", asked.num_model_steps,
                          by_drafts ? recorded_.num_speculative_tokens : recorded_.num_model_steps);
  }

  [[nodiscard]] Status check_observed(const char* key, std::int32_t asked,
                                      std::int32_t observed) const {
    if (asked <= observed) return {};
    return Error::make(
        "--replay-requests", fmt::format("got {}={}", key, asked),
        fmt::format("at most {}: {} holds no counts for more drafts", observed, trace_),
        "give --accept-profile, and the result is marked extrapolated");
  }

  Io& io_;
  const ScenarioOptions& options_;
  const std::string& trace_;
  const std::string& profile_;
  const RunConfig& recorded_;
  Replay& out_;
  std::vector<ConfigKey> base_;
  std::vector<ConfigKey> asked_;
};

/// The virtual clock starts at 0. Of a trace that starts in the middle of a run, the first request
/// that arrives in it opens the new one; those before it are there already.
std::int64_t clock_base(const RecordedRun& run) {
  if (run.starts_idle) return 0;
  std::optional<std::int64_t> least;
  for (const auto& [id, request] : run.table) {
    if (!request.at_start) least = std::min(least.value_or(INT64_MAX), request.row.arrival);
  }
  return least.value_or(INT64_MAX);
}

/// Reads the records, once the scenario is known.
Status read_recording(Io& io, const ReplayOptions& options, Replay& out) {
  const TraceHeader& header = out.trace.reader->header();
  RecordedRunNeeds needs;
  needs.config = out.batch_exact ? &out.scenario.config : nullptr;
  needs.commits = !out.extrapolated;
  TANDEM_TRY(out.run, read_recorded_run(*out.trace.reader, options.trace(), needs, &io.stop));
  out.first_step = out.run.first_step;
  if (out.batch_exact) return {};
  TANDEM_TRY(out.requests,
             recorded_workload(out.run.table, header.config, out.scenario.config, options.trace()));
  const std::int64_t base =
      out.scenario.config.arrivals == ArrivalUnit::ns ? clock_base(out.run) : 0;
  for (RequestSpec& request : out.requests.requests) {
    if (out.extrapolated) request.row.accept.clear();
    request.row.arrival = std::max<std::int64_t>(0, request.row.arrival - base);
  }
  out.first_step = out.scenario.config.arrivals == ArrivalUnit::step ? out.run.first_step : 0;
  out.scenario.workload.requests = std::move(out.requests.requests);
  return {};
}

}  // namespace

Status check_replay_options(const ReplayOptions& o) {
  if (!o.batches.empty() && !o.requests.empty()) {
    return Error::make("--replay-requests", "got it beside --replay", "one of the two",
                       "--replay repeats batches, --replay-requests schedules anew");
  }
  if (!o.accept_profile.empty() && o.requests.empty()) {
    return Error::make("--accept-profile", "got it without --replay-requests", "both",
                       "a scenario says it by --set acceptance.p=0.7");
  }
  return {};
}

void add_replay_options(CLI::App& app, ReplayOptions& options) {
  app.add_option("--replay", options.batches,
                 "run the recorded batches of a trace again, step by step, and compare")
      ->option_text("TRACE");
  app.add_option("--replay-requests", options.requests,
                 "schedule the requests of a trace anew; SCENARIO and --set may change the rest")
      ->option_text("TRACE");
  app.add_option("--accept-profile", options.accept_profile,
                 "with --replay-requests: acceptance that was not observed, as constant:P, "
                 "per-position:P,P,.. or a JSON file")
      ->option_text("PROFILE");
}

Result<std::unique_ptr<Replay>> open_replay(Io& io, const ScenarioOptions& scenario,
                                            const ReplayOptions& options) {
  TANDEM_RETURN_IF_ERROR(check_scenario_options(scenario, options));
  auto out = std::make_unique<Replay>();
  out->batch_exact = !options.batches.empty();
  TANDEM_TRY(out->trace, open_trace_file(io, options.trace(), ReaderHooks{}));
  TANDEM_RETURN_IF_ERROR(Settler(io, scenario, options, *out).settle());
  TANDEM_RETURN_IF_ERROR(read_recording(io, options, *out));
  return out;
}

}  // namespace tandem::cli
