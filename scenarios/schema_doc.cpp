// What a schema row wants, in words, and the document SCHEMA.md that is made from the table.
#include <cstddef>

#include <fmt/format.h>

#include "scenarios/accept_markov.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/schema.hpp"

namespace tandem {
namespace {

constexpr std::string_view kPreface = R"(# Scenario schema

This file is written from the table in `schema_table.cpp` and checked against it by a test, which
also rewrites it (`TANDEM_REWRITE_SCHEMA=1`). A scenario is one JSON object. Keys are written here
as an override names them: `--set engine.block_size=16`, `--set rows.R11=sync`, `--set
workload.requests.0.prompt=7`.

- Unknown keys, keys given twice, and keys that the group's `kind` does not use are refused.
- An override takes a JSON value; a text needs no quotes. `null` takes a key away. A new `kind`
  drops those of the file's keys beside it that it cannot use.
- Probabilities and rates are read from their digits, rounded to the nearest millionth or
  thousandth.
)";

constexpr std::string_view kRules = R"(
## Rules that join keys

- `engine.num_model_steps` <= `engine.num_speculative_tokens`; `engine.max_num_batched_tokens` >=
  `max_num_seqs` * (`num_speculative_tokens` + 1).
- Every request fits: prompt and output together in `engine.max_model_len`, and its blocks in
  `engine.kv_blocks`. It holds min(nblk - 1, (length + (lag + 1) * W + 2K + 2) / block_size) + 1
  of them, with lag 0 where R2 is sync and 1 where it is overlap. For drawn lengths the longest
  prompt and the longest output are taken together. Where `engine.role` is prefill its output is 1
  token: it leaves with that.
- `model.padding_id` and every id of `model.eos` < `model.vocab_size`, which holds three ids more
  than these.
- `acceptance.p` of kind per-position has at least K entries; the first K count. Kind list takes
  one of `lists`, `path` and `markov`; the entries of `workload.requests` may bring `accept`
  instead. A Markov profile's list is drawn by seed and request until it covers the output, 65,536
  steps at most; then it starts again.
- Drawn workloads take either `rate_per_s` or `gap_steps`; `step_ns` turns one into the other
  where `arrivals` asks for it. The first request arrives at 0. `vidur-csv` takes them for a file
  that holds lengths only, and ignores them for one with times.
- `rate_scale` divides every arrival, rounded down; `from_ns` and `until_ns` cut before that, in the
  time of the file.
- `workload.stop`: with `eos` a recorded output length becomes `eos_at`, with `length` the limit
  of generated tokens, with `sequence` L tokens become `stop_at` = L - 1 (one token: `eos_at` = 1):
  the stop sequence is the `stop_len` tokens up to there, and EOS takes the place behind. An entry
  of `workload.requests` gives `output` or says by `eos_at`, `stop_at` and `max_dec_len` how it
  ends; `eos_at` is 0 or more than `stop_at` + 1.
- `min_tokens` above `stop_at` + 1 may make a request miss its stop sequence; it then ends by
  `eos_at` or its limit, and must fit with that. It is clipped to where the output ends; an entry
  that asks for more is refused.
- `cached_prompt` < `prompt`. A request from a P node uses it when it comes back from a preemption.
- `ngram` is 0 where `engine.num_model_steps` is K.
- Requests from a P node bring at most K drafts, and reach no node whose `engine.role` is prefill.
  The block table holds their first row: prompt + drafts + 1 positions.
- `engine.cuda_graphs: true` captures the sizes 1, 2, 4, 8..128 step 8, 144..256 step 16,
  288..1024 step 32 below B, and B itself, each times W.
- A request trace's times count from its first row; rows must be in order. Rows with a zero length
  are dropped and counted. Lines hold at most 16 MiB.
- `mooncake-jsonl` and `qwen-jsonl` name the blocks of a prompt (512 and 16 tokens each). The
  leading blocks that an earlier request of the file had in the same order are its
  `cached_prompt`, at most all but its last token; rows before `from_ns` count as earlier. 2^20
  prefixes are remembered, in 2^16 sets of 16 that forget the least recently used.
- A session of `llmservingsim-jsonl` becomes one request for each of its `sub_requests`; each
  arrives `tool_duration_ns` after the one before arrived, as no file holds how long that runs.
)";

constexpr std::string_view kCatalogue = R"(
## Catalogue

Embedded at build time and run by name. The lengths and rates of `azure-code` and `azure-conv` are
quantiles fitted to the Azure LLM inference trace 2023 (Microsoft Azure, AzurePublicDataset, CC-BY
4.0; P. Patel et al., "Splitwise: Efficient Generative LLM Inference Using Phase Splitting", ISCA
2024). Their acceptance is the share of drafts accepted at each position by EAGLE on Spec-Bench
(Vicuna-7B, temperature 0; Apache-2.0).

)";

std::string bound_text(std::int64_t value) {
  std::int64_t power = 1'000'000;
  for (int exponent = 6; exponent <= 18; ++exponent) {
    if (value == power) return fmt::format("10^{}", exponent);
    if (exponent < 18) power *= 10;
  }
  return fmt::format("{}", value);
}

std::string range_text(const KeySpec& spec) {
  std::int64_t scale = 1;
  for (int i = 0; i < spec.digits; ++i) scale *= 10;
  const auto bound = [&spec, scale](std::int64_t units) {
    std::string text = bound_text(units / scale);
    if (units % scale == 0) return text;
    return fmt::format("{}.{:0{}}", text, units % scale, spec.digits);
  };
  return fmt::format("[{}, {}]", bound(spec.min), bound(spec.max));
}

std::string choices_text(std::string_view choices) {
  std::string out;
  for (const char c : choices) {
    if (c == '|') {
      out += ", ";
    } else {
      out += c;
    }
  }
  return out;
}

/// Cells are delimited by "|", which no text of the table may then hold.
std::string row_text(const KeySpec& spec) {
  std::string fallback = spec.required ? "required" : "";
  if (!spec.fallback.empty()) fallback = fmt::format("`{}`", spec.fallback);
  const std::string kinds =
      spec.kinds.empty() ? "" : fmt::format("(kind {}) ", choices_text(spec.kinds));
  return fmt::format("| `{}` | {} | {} | {}{} |\n", spec.path, wanted_text(spec), fallback, kinds,
                     spec.help);
}

std::string catalogue_text() {
  std::string out;
  for (const std::string_view name : catalog_names()) {
    const auto tree = parse_json(catalog_scenario(name).value_or("{}"), std::string(name));
    const JsonNode* description = tree.ok() ? tree.value().find("description") : nullptr;
    out += fmt::format("- `{}`: {}\n", name, description == nullptr ? "" : description->text);
  }
  return out;
}

std::string profiles_text() {
  std::string out =
      "\n## Markov profiles\n\nEmbedded likewise, for `acceptance.markov`; fitted to:\n\n";
  for (const std::string_view name : embedded_profile_names()) {
    const auto tree = parse_json(embedded_profile(name).value_or("{}"), std::string(name));
    const JsonNode* source = tree.ok() ? tree.value().find("source") : nullptr;
    out += fmt::format("- `{}`: {}\n", name, source == nullptr ? "" : source->text);
  }
  return out;
}

}  // namespace

std::string wanted_text(const KeySpec& spec) {
  const std::string sizes = fmt::format("a list of 1 to {}", spec.size_max);
  switch (spec.type) {
    case KeyType::group:
      return "an object";
    case KeyType::integer:
      return "an integer in " + range_text(spec);
    case KeyType::seed:
      return "an integer in [0, 2^64 - 1]";
    case KeyType::decimal:
      return "a number in " + range_text(spec);
    case KeyType::boolean:
      return "true or false";
    case KeyType::text:
      return fmt::format("a text of {} to {} bytes", spec.min, spec.max);
    case KeyType::choice:
      return spec.choices.find('|') == std::string_view::npos
                 ? std::string(spec.choices)
                 : "one of " + choices_text(spec.choices);
    case KeyType::integers:
      return sizes + " integers in " + range_text(spec);
    case KeyType::decimals:
      return sizes + " numbers in " + range_text(spec);
    case KeyType::lists:
      return sizes + " lists of integers in " + range_text(spec);
    case KeyType::groups:
      return sizes + " objects";
  }
  return {};
}

std::string schema_markdown() {
  std::string out(kPreface);
  std::string section;
  for (const KeySpec& spec : schema()) {
    const std::string_view group = spec.path.substr(0, spec.path.find('.'));
    const bool top = group == spec.path && spec.type != KeyType::group;
    const std::string title = top ? "The run" : fmt::format("`{}`", group);
    if (title != section) {
      section = title;
      out += fmt::format("\n## {}\n\n", section);
      if (!top) out += fmt::format("{}\n\n", spec.help);
      out += "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    }
    if (top || group != spec.path) out += row_text(spec);
  }
  out += kRules;
  out += kCatalogue;
  out += catalogue_text();
  out += profiles_text();
  return out;
}

}  // namespace tandem
