// Draws what a case keeps; a removal that would make it illegal is left out.
#include "tests/fuzz/swarm_case.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "traces/base/random.hpp"

namespace tandem::fuzz {
namespace {

using test::RandomCase;

RunConfig& config_of(RandomCase& drawn) { return drawn.scenario.config; }
const RunConfig& config_of(const RandomCase& drawn) { return drawn.scenario.config; }

template <class Has>
bool any_request(const RandomCase& drawn, Has has) {
  return std::any_of(drawn.requests.begin(), drawn.requests.end(), has);
}

template <class Edit>
void each_request(RandomCase& drawn, Edit edit) {
  std::for_each(drawn.requests.begin(), drawn.requests.end(), edit);
}

/// Features of single requests.
void add_request_features(std::vector<Feature>& out) {
  using Spec = const RequestSpec&;
  out.push_back({"aborts",
                 [](const RandomCase& c) {
                   return any_request(c, [](Spec r) { return r.row.abort_after >= 0; });
                 },
                 [](RandomCase& c) { each_request(c, [](auto& r) { r.row.abort_after = -1; }); }});
  out.push_back({"preemptions",
                 [](const RandomCase& c) {
                   return any_request(c, [](Spec r) { return r.preempt_after >= 0; });
                 },
                 [](RandomCase& c) { each_request(c, [](auto& r) { r.preempt_after = -1; }); }});
  out.push_back({"D-node inserts",
                 [](const RandomCase& c) {
                   return any_request(c, [](Spec r) { return r.dnode_drafts >= 0; });
                 },
                 [](RandomCase& c) { each_request(c, [](auto& r) { r.dnode_drafts = -1; }); }});
  out.push_back(
      {"stop sequences",
       [](const RandomCase& c) { return any_request(c, [](Spec r) { return r.row.stop_at > 0; }); },
       [](RandomCase& c) {
         each_request(c, [](auto& r) { r.row.stop_at = r.row.stop_len = r.row.min_tokens = 0; });
       }});
  out.push_back({"cached prompts",
                 [](const RandomCase& c) {
                   return any_request(c, [](Spec r) { return r.row.cached_prompt > 0; });
                 },
                 [](RandomCase& c) { each_request(c, [](auto& r) { r.row.cached_prompt = 0; }); }});
  out.push_back(
      {"ends by EOS",
       [](const RandomCase& c) { return any_request(c, [](Spec r) { return r.row.eos_at > 0; }); },
       [](RandomCase& c) {
         // On a P node nothing else ends an output behind its first token (5.13).
         if (!config_of(c).splitwise_prefill) {
           each_request(c, [](auto& r) { r.row.eos_at = 0; });
         }
       }});
  out.push_back(
      {"late arrivals",
       [](const RandomCase& c) { return any_request(c, [](Spec r) { return r.row.arrival > 0; }); },
       [](RandomCase& c) { each_request(c, [](auto& r) { r.row.arrival = 0; }); }});
}

/// Features of the run: what it costs, when it ends, what it records.
void add_run_features(std::vector<Feature>& out) {
  out.push_back({"arrivals by time",
                 [](const RandomCase& c) { return config_of(c).arrivals == ArrivalUnit::ns; },
                 [](RandomCase& c) {
                   config_of(c).arrivals = ArrivalUnit::step;
                   each_request(c, [](auto& r) { r.row.arrival /= test::kArrivalUnitNs; });
                 }});
  out.push_back({"odd costs",
                 [](const RandomCase& c) { return c.scenario.timing != TimingModel{}; },
                 [](RandomCase& c) { c.scenario.timing = {}; }});
  out.push_back({"cut", [](const RandomCase& c) { return c.is_cut; },
                 [](RandomCase& c) {
                   c.is_cut = false;
                   c.scenario.steps_max = test::kFarSteps;
                 }});
  out.push_back({"level full or timeline",
                 [](const RandomCase& c) { return c.level != RecordLevel::state; },
                 [](RandomCase& c) { c.level = RecordLevel::state; }});
}

bool has_mixed_rows(const RandomCase& c) {
  const RowSwitches& rows = config_of(c).rows;
  return std::any_of(rows.begin(), rows.end(), [&rows](RowMode row) { return row != rows[0]; });
}

/// Features of the configuration.
void add_config_features(std::vector<Feature>& out) {
  out.push_back({"mixed rows", has_mixed_rows,
                 [](RandomCase& c) { config_of(c).rows.fill(config_of(c).rows[0]); }});
  out.push_back(
      {"policies",
       [](const RandomCase& c) { return config_of(c).policy != PolicyKind::predict_rows_hidden; },
       [](RandomCase& c) { config_of(c).policy = PolicyKind::predict_rows_hidden; }});
  out.push_back({"path self",
                 [](const RandomCase& c) { return config_of(c).draft_path == DraftPath::self; },
                 [](RandomCase& c) { config_of(c).draft_path = DraftPath::gather; }});
  out.push_back({"n-gram drafts",
                 [](const RandomCase& c) { return config_of(c).ngram_millionths > 0; },
                 [](RandomCase& c) { config_of(c).ngram_millionths = 0; }});
  out.push_back({"captured graphs",
                 [](const RandomCase& c) { return !config_of(c).captured_sizes.empty(); },
                 [](RandomCase& c) { config_of(c).captured_sizes.clear(); }});
  out.push_back({"copies of their own",
                 [](const RandomCase& c) { return config_of(c).copies_own_stream; },
                 [](RandomCase& c) { config_of(c).copies_own_stream = false; }});
  out.push_back({"deep rings",
                 [](const RandomCase& c) { return config_of(c).pinned_ring_depth > 1; },
                 [](RandomCase& c) { config_of(c).pinned_ring_depth = 1; }});
  out.push_back({"P node", [](const RandomCase& c) { return config_of(c).splitwise_prefill; },
                 [](RandomCase& c) { config_of(c).splitwise_prefill = false; }});
  out.push_back({"tight pool",
                 [](const RandomCase& c) {
                   return config_of(c).kv_blocks <
                          config_of(c).max_num_seqs * config_of(c).table_width();
                 },
                 [](RandomCase& c) {
                   config_of(c).kv_blocks = config_of(c).max_num_seqs * config_of(c).table_width();
                 }});
}

/// The case as its file says it, or nothing where the file is refused or says something else.
std::optional<RandomCase> as_read(const RandomCase& drawn) {
  const Result<Scenario> read = parse_scenario(as_scenario_text(drawn), "swarm");
  if (!read.ok()) return std::nullopt;
  RandomCase out = drawn;
  // A file's digest key follows from its seed.
  out.scenario.config.digest_key = read.value().config.digest_key;
  const bool same = read.value().config == out.scenario.config &&
                    read.value().workload.requests == out.requests &&
                    read.value().timing == out.scenario.timing &&
                    read.value().steps_max == (out.is_cut ? out.scenario.steps_max : 0);
  if (!same) return std::nullopt;
  return out;
}

}  // namespace

const std::vector<Feature>& all_features() {
  static const std::vector<Feature> features = [] {
    std::vector<Feature> out;
    add_request_features(out);
    add_config_features(out);
    add_run_features(out);
    return out;
  }();
  return features;
}

SwarmCase swarm_case(std::uint64_t seed) {
  RandomStream draws(seed, "swarm");
  std::optional<RandomCase> drawn = as_read(test::random_case(seed));
  TANDEM_CHECK(drawn.has_value());
  for (const Feature& feature : all_features()) {
    const bool keep = draws.below(2) == 0;
    if (keep || !feature.is_in(*drawn)) continue;
    RandomCase without = *drawn;
    feature.remove(without);
    std::optional<RandomCase> legal = as_read(without);
    if (legal) drawn = std::move(legal);
  }
  SwarmCase out;
  out.drawn = std::move(*drawn);
  out.block_steps = test::block_steps_of(seed);
  return out;
}

std::string failure_text(const RandomCase& drawn, const std::string& wrong) {
  constexpr std::size_t kDescriptionMax = 4'000;
  std::string text = as_scenario_text(drawn);
  const nlohmann::json description = wrong.substr(0, kDescriptionMax);
  text.insert(1, "\"description\": " +
                     description.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
                     ",\n ");
  return text;
}

std::string command_of(const std::string& path, RecordLevel level) {
  std::string line = "tandem run " + path;
  if (level != RecordLevel::state) line += std::string(" --record ") + to_name(level);
  return line;
}

}  // namespace tandem::fuzz
