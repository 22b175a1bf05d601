// Fuzzed: the files that a scenario names: request traces of every format, told by content;
// recorded acceptance and fitted profiles of it.
#include <map>

#include "scenarios/accept_file.hpp"
#include "scenarios/accept_markov.hpp"
#include "scenarios/request_trace.hpp"
#include "tests/fuzz/readers.hpp"
#include "tests/fuzz/workload_drain.hpp"

namespace tandem::fuzz {
namespace {

Scenario scenario_of(std::string_view text) {
  Result<Scenario> scenario = parse_scenario(text, "requests.json");
  TANDEM_CHECK(scenario.ok());
  return std::move(scenario).value();
}

/// Requests of `input` under a scenario that names one file, whatever its name.
Status drain_file(const Scenario& scenario, Input input) {
  return checked(drain(scenario, [input](const std::string& /*path*/) {
    return Result<std::string>(std::string(text_of(input)));
  }));
}

/// A profile can be written, comes back, and can be drawn from.
Status comes_back(const MarkovFit& fit) {
  const Result<MarkovProfile> again = parse_markov(markov_text(fit, "fuzz"), "again.json");
  TANDEM_CHECK(again.ok() && again.value() == fit.profile);
  const std::vector<std::int32_t> drawn = draw_markov(fit.profile, 1, 2, 100);
  TANDEM_CHECK(!drawn.empty() && drawn.size() <= kMarkovListMax);
  return {};
}

constexpr std::string_view kAzureHead = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
constexpr std::string_view kBurstHead =
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
    "Log Type\n";
constexpr std::string_view kVidurHead = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
constexpr std::string_view kLengthsHead = "num_prefill_tokens,num_decode_tokens\n";

Scenario trace_scenario(const TraceKind& kind) {
  std::string keys = R"("until_ns": 1000000000000000)";
  if (kind.kind == WorkloadKind::vidur_csv) keys += R"(, "rate_per_s": 2)";  // lengths alone
  return scenario_of(R"({"arrivals": "time", "workload": {"kind": ")" + std::string(kind.name) +
                     R"(", "path": "f", )" + keys + "}}");
}

}  // namespace

Status run_request_trace(Input input) {
  static std::map<WorkloadKind, Scenario> scenarios;
  const TraceKind* const kind = detect_trace(text_of(input));
  if (kind == nullptr) return Error{"no request trace"};
  const auto [place, is_new] = scenarios.try_emplace(kind->kind);
  if (is_new) place->second = trace_scenario(*kind);
  return drain_file(place->second, input);
}

std::vector<std::string> request_trace_seeds() {
  const auto with = [](std::string_view head, const char* rows) {
    return std::string(head) + rows;
  };
  return {
      with(kAzureHead,
           "2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,0,3\n"
           "2024-02-29 23:59:59.9999999,1,1\n"),
      "\xEF\xBB\xBFGeneratedTokens,other,ContextTokens,TIMESTAMP\r\n"
      "7,x,12,2023-11-16 18:17:03.9799600\r\n",
      with(kBurstHead, "1,7,0.5,\"A, \"\"B\",12,7,19,Chat log\n2.25,8,,A,13,0,13,API log"),
      with(kVidurHead, "0.0,10,2\n0.052,20,3\n5e-1,30,4\n"),
      with(kLengthsHead, "10,2\n0,2\n7,1\n"),
      R"({"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]})"
      "\n\n"
      R"({"hash_ids": [1, 3], "timestamp": 1e3, "output_length": 6, "input_length": 700})",
      R"({"chat_id": 7, "parent_chat_id": -1, "timestamp": 0.5, "input_length": 40, )"
      R"("output_length": 3, "type": "text", "turn": 1, "hash_ids": [11, 12, 13]})",
      R"({"session_id": "a", "arrival_time_ns": 100, "sub_requests": [)"
      R"({"input_toks": 10, "output_toks": 1, "tool_duration_ns": 50}, )"
      R"({"input_toks": 30, "output_toks": 3}]})"
      "\n"
      R"({"input_toks": 40, "output_toks": 4, "arrival_time_ns": 120, "input_tok_ids": [1, 2]})",
      R"({"request_id": "r0", "input_toks": 10, "output_toks": 2, "arrival_time": 17.25})"};
}

std::vector<std::string> request_trace_words() {
  std::vector<std::string> out{"\xEF\xBB\xBF",
                               "\r\n",
                               "2147483647",
                               "2147483648",
                               "9223372036854775807",
                               "1e-9",
                               "1e400",
                               "0001-01-01 00:00:00.0000000",
                               "9999-12-31 23:59:59.9999999",
                               "2023-11-16 18:17:03.9799600",
                               ",,",
                               "\"\"",
                               "\\u0000"};
  for (const char* key :
       {"timestamp", "input_length", "output_length", "hash_ids", "chat_id", "arrival_time",
        "arrival_time_ns", "sub_requests", "input_toks", "output_toks", "tool_duration_ns"}) {
    out.push_back("\"" + std::string(key) + "\":");
  }
  for (const char* column :
       {"TIMESTAMP", "ContextTokens", "GeneratedTokens", "Timestamp", "Request tokens",
        "Response tokens", "arrived_at", "num_prefill_tokens", "num_decode_tokens"}) {
    out.emplace_back(column);
  }
  return out;
}

Status run_accept_file(Input input) {
  static const Scenario scenario = scenario_of(R"({"acceptance": {"kind": "list", "path": "f"},
                      "workload": {"kind": "poisson", "requests": 3, "gap_steps": 1,
                                   "prompt": 4, "output": 4}})");
  TANDEM_RETURN_IF_ERROR(drain_file(scenario, input));
  // What a workload takes, `tandem import acceptance` fits.
  const auto lists =
      read_accept_file(LineReader("fuzz.jsonl", make_text_source(std::string(text_of(input)))));
  TANDEM_CHECK(lists.ok());
  const Result<MarkovFit> fit = fit_markov(lists.value());
  if (!fit.ok()) return checked(fit.error());
  return comes_back(fit.value());
}

std::vector<std::string> accept_file_seeds() {
  return {"{\"accept_lengths\": [1, 2, 1024]}\n\n{\"accept_lengths\": [3], \"id\": \"x\"}\r\n",
          R"({"question": {"turns": ["a"]}, "accept_lengths": [4, 4, 1]})",
          R"({"question_id": 81, "choices": [{"index": 0, "turns": ["a", "b"], )"
          R"("decoding_steps": [2, 1], "accept_lengths": [3, 1, 2]}]})"};
}

std::vector<std::string> accept_file_words() {
  return {
      "accept_lengths", "choices", "decoding_steps", "\"accept_lengths\":[", "1024", "1025", "1e3",
      "[[[[[[[[",       "\\u0000"};
}

Status run_markov(Input input) {
  const Result<MarkovProfile> profile = parse_markov(text_of(input), "fuzz.json");
  if (!profile.ok()) return checked(profile.error());
  MarkovFit fit;
  fit.profile = profile.value();
  return comes_back(fit);
}

std::vector<std::string> markov_seeds() {
  std::vector<std::string> out;
  for (const std::string_view name : embedded_profile_names()) {
    out.emplace_back(*embedded_profile(name));
  }
  out.emplace_back(R"({"states": [1, 3], "initial": [400000, 600000],
                       "transitions": [[1000000, 0], [250000, 750000]]})");
  return out;
}

std::vector<std::string> markov_words() {
  return {"states",          "initial", "transitions", "source",
          "lists",           "steps",   "1000000",     "mean_millionths",
          "lag1_millionths", "1000001", "1024",        "1025",
          "2147483648",      "-1",      "0.5",         "null"};
}

}  // namespace tandem::fuzz
