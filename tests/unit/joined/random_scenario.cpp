// A scenario and its requests, drawn from a seed: any legal configuration, any legal requests.
#include "tests/unit/joined/random_scenario.hpp"

#include <algorithm>
#include <initializer_list>

#include "scenarios/request_rules.hpp"
#include "traces/base/random.hpp"

namespace tandem::test {
namespace {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : stream_(seed, "random_case") {}

  /// Uniform over [low, high].
  std::int32_t within(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(
                     stream_.below(static_cast<std::uint64_t>(std::int64_t{high} - low + 1)));
  }
  bool one_in(std::int32_t n) { return within(1, n) == 1; }
  template <class T>
  T any_of(std::initializer_list<T> values) {
    return values.begin()[stream_.below(values.size())];
  }

 private:
  RandomStream stream_;
};

void draw_sizes(Draws& draw, RunConfig& c) {
  c.max_num_seqs =
      draw.one_in(60) ? draw.within(100, 300) : draw.any_of({1, 2, 2, 3, 4, 4, 5, 8, 13, 24});
  c.num_speculative_tokens = draw.one_in(3) ? draw.within(1, 16) : draw.within(1, 4);
  const bool all_substeps = draw.one_in(2);
  c.num_model_steps =
      all_substeps ? c.num_speculative_tokens : draw.within(1, c.num_speculative_tokens);
  c.block_size = draw.any_of({1, 2, 3, 4, 8, 16, 16, 64});
  c.enc_dec_block_num = draw.within(1, 3);
  c.max_model_len = draw.within(8, draw.one_in(4) ? 400 : 120);
  c.pinned_ring_depth = draw.any_of({1, 1, 2, 3, 4});
  const bool has_room = c.num_model_steps < c.num_speculative_tokens;
  if (has_room && draw.one_in(2))
    c.ngram_millionths = draw.any_of({200'000U, 600'000U, 1'000'000U});
  const std::int32_t budget = c.max_num_seqs * c.row_width();
  c.max_num_batched_tokens = std::max(2, budget + (draw.one_in(3) ? 0 : draw.within(0, 150)));
}

void draw_rows(Draws& draw, RunConfig& c) {
  const std::int32_t way = draw.within(0, 5);
  c.rows.fill(way == 0 ? RowMode::sync : RowMode::overlap);
  if (way >= 2) {
    for (RowMode& row : c.rows) {
      // Few rows away from one schedule, or each its own way.
      const bool turn = way == 5 ? draw.one_in(2) : draw.one_in(8);
      if (turn) row = row == RowMode::sync ? RowMode::overlap : RowMode::sync;
    }
  }
  if (draw.one_in(5)) c.rows[11] = RowMode::bound;
}

void draw_config(Draws& draw, RunConfig& c) {
  c.scenario = "random";
  draw_sizes(draw, c);
  draw_rows(draw, c);
  c.policy = draw.any_of({PolicyKind::exact, PolicyKind::predict_rows_hidden,
                          PolicyKind::predict_rows_hidden, PolicyKind::upper_bound,
                          PolicyKind::all_accepted});
  c.draft_path = draw.any_of({DraftPath::gather, DraftPath::self});
  c.copies_own_stream = draw.one_in(3);
  c.splitwise_prefill = draw.one_in(12);
  c.arrivals = draw.any_of({ArrivalUnit::step, ArrivalUnit::step, ArrivalUnit::ns});
  c.vocab_size = draw.any_of({16, 1000, 32000});
  if (draw.one_in(3)) c.eos_ids = {2, 7};
  if (draw.one_in(3)) {
    c.captured_sizes = usual_captured_sizes(c.max_num_seqs, c.row_width());
  } else if (draw.one_in(3)) {
    c.captured_sizes = {c.row_width() * ((c.max_num_seqs + 1) / 2)};
  }
  c.acceptance.kind = draw.one_in(3) ? AcceptKind::list : AcceptKind::per_position;
  if (c.acceptance.kind == AcceptKind::per_position) {
    const std::int32_t level = draw.any_of({0, 300'000, 700'000, 950'000, 1'000'000});
    for (std::int32_t j = 0; j < c.num_speculative_tokens; ++j) {
      const bool own = draw.one_in(4);
      c.acceptance.millionths.push_back(
          static_cast<std::uint32_t>(own ? draw.within(0, 1'000'000) : level));
    }
  }
}

/// Stop sequences, min_tokens and cached prompts, on top of what else ends the request. Higher
/// min_tokens would make the output hang on where steps begin, which a preemption moves (5.6).
void draw_features(Draws& draw, const RunConfig& c, RequestRow& row) {
  if (draw.one_in(3)) row.cached_prompt = draw.within(0, row.prompt_len - 1);
  const bool stops = !c.splitwise_prefill && row.max_dec_len >= 2 && draw.one_in(3);
  if (!stops) return;
  const std::int32_t stop_at = draw.within(1, row.max_dec_len);
  if (row.eos_at > 0 && row.eos_at <= stop_at + 1) row.eos_at = 0;
  set_stop_sequence(row, stop_at, draw.within(1, 16),
                    draw.one_in(3) ? draw.within(1, stop_at + 1) : 0);
}

RequestSpec draw_request(Draws& draw, const RunConfig& c, RequestId id, std::int64_t arrival) {
  RequestSpec spec;
  spec.row.id = id;
  spec.row.arrival = arrival;
  const std::int32_t most = c.max_model_len;
  const std::int32_t short_prompt = std::max(1, std::min(most / 4, 12));
  spec.row.prompt_len =
      draw.one_in(8) ? 1 : draw.within(1, draw.one_in(3) ? most - 1 : short_prompt);
  spec.row.max_dec_len = draw.within(1, most - spec.row.prompt_len);
  if (draw.one_in(3)) spec.row.max_dec_len = std::min(spec.row.max_dec_len, draw.within(1, 12));
  if (!draw.one_in(3)) spec.row.eos_at = draw.within(1, spec.row.max_dec_len);
  if (c.splitwise_prefill) {  // a P node stops a slot behind its first token (5.13)
    spec.row.max_dec_len = draw.one_in(2) ? 1 : spec.row.max_dec_len;
    spec.row.eos_at = spec.row.max_dec_len == 1 ? spec.row.eos_at : 1;
  }
  draw_features(draw, c, spec.row);
  if (c.acceptance.kind == AcceptKind::list) {
    const std::int32_t entries = draw.within(1, 6);
    for (std::int32_t j = 0; j < entries; ++j) {
      spec.row.accept.push_back(draw.within(1, c.row_width() + (draw.one_in(4) ? 4 : 0)));
    }
  }
  if (draw.one_in(6)) spec.abort_after = draw.within(0, spec.row.max_dec_len);
  if (draw.one_in(30)) spec.abort_after = 0;
  if (draw.one_in(6)) spec.preempt_after = draw.within(0, spec.row.max_dec_len);
  if (draw.one_in(4) && !ends_at_once(spec.row) && !c.splitwise_prefill) {
    // Drafts beyond max_model_len would need blocks that no table has.
    const std::int32_t room = most - spec.row.prompt_len - 1;
    spec.dnode_drafts = draw.within(0, std::min(c.num_speculative_tokens, room));
  }
  return spec;
}

}  // namespace

RandomCase random_case(std::uint64_t seed) {
  Draws draw(seed);
  RandomCase drawn;
  RunConfig& c = drawn.scenario.config;
  c.seed = seed;
  c.digest_key = mix64(seed);
  draw_config(draw, c);
  const std::int32_t count = draw.within(1, draw.one_in(4) ? 60 : 12);
  const std::int32_t gap = draw.any_of({0, 1, 4, 12, 40});
  const std::int64_t unit = c.arrivals == ArrivalUnit::step ? 1 : 9'000'000;
  std::int64_t arrival = draw.one_in(4) ? draw.within(0, 20) * unit : 0;
  std::int64_t need = 1;
  for (RequestId id = 0; id < count; ++id) {
    drawn.requests.push_back(draw_request(draw, c, id, arrival));
    const RequestRow& row = drawn.requests.back().row;
    need = std::max(need, blocks_needed(c, std::int64_t{row.prompt_len} + row.max_dec_len));
    arrival += draw.within(0, gap) * unit;
  }
  const std::int32_t plenty = c.max_num_seqs * c.table_width();
  const auto least = static_cast<std::int32_t>(need);
  c.kv_blocks = draw.one_in(2) ? plenty : draw.within(least, std::min(plenty, 2 * least + 4));
  // No request takes more: each of its tokens is committed by a step of its own, after at most as
  // many waits for a slot and re-computations as there are requests. Far above what runs need.
  drawn.scenario.steps_max = 200'000;
  return drawn;
}

namespace {

std::string list_text(const std::vector<std::int32_t>& values) {
  std::string out;
  for (const std::int32_t value : values) {
    out += (out.empty() ? "[" : ", ") + std::to_string(value);
  }
  return out.empty() ? "[]" : out + "]";
}

std::string number(const char* key, std::int64_t value) {
  return std::string("\"") + key + "\": " + std::to_string(value);
}

std::string word(const char* key, const std::string& value) {
  return std::string("\"") + key + "\": \"" + value + "\"";
}

std::string request_text(const RequestSpec& spec) {
  const RequestRow& row = spec.row;
  std::string out = "{" + number("arrival", row.arrival) + ", " + number("prompt", row.prompt_len);
  out += ", " + number("max_dec_len", row.max_dec_len) + ", " + number("eos_at", row.eos_at);
  if (row.stop_at > 0) {
    out += ", " + number("stop_at", row.stop_at) + ", " + number("stop_len", row.stop_len);
    out += ", " + number("min_tokens", row.min_tokens);
  }
  if (row.cached_prompt > 0) out += ", " + number("cached_prompt", row.cached_prompt);
  if (!row.accept.empty()) out += ", \"accept\": " + list_text(row.accept);
  if (spec.dnode_drafts >= 0) out += ", " + number("dnode_drafts", spec.dnode_drafts);
  if (spec.abort_after >= 0) out += ", " + number("abort_after", spec.abort_after);
  if (spec.preempt_after >= 0) out += ", " + number("preempt_after", spec.preempt_after);
  return out + "}";
}

std::string engine_text(const RunConfig& c) {
  std::string out = number("max_num_seqs", c.max_num_seqs);
  out += ", " + number("num_speculative_tokens", c.num_speculative_tokens);
  out += ", " + number("num_model_steps", c.num_model_steps);
  out += ", " + number("block_size", c.block_size) + ", " + number("kv_blocks", c.kv_blocks);
  out += ", " + number("enc_dec_block_num", c.enc_dec_block_num);
  out += ", " + number("max_model_len", c.max_model_len);
  out += ", " + number("max_num_batched_tokens", c.max_num_batched_tokens);
  out += ", " + number("pinned_ring_depth", c.pinned_ring_depth);
  if (c.splitwise_prefill) out += ", " + word("role", "prefill");
  if (!c.captured_sizes.empty()) out += ", \"cuda_graphs\": " + list_text(c.captured_sizes);
  return out;
}

std::string share_text(std::uint32_t millionths) {
  const std::string digits = std::to_string(1'000'000 + millionths);  // seven, so that zeros stay
  return std::to_string(millionths / 1'000'000) + "." + digits.substr(1);
}

std::string acceptance_text(const RunConfig& c) {
  if (c.acceptance.kind == AcceptKind::list) return R"({"kind": "list"})";
  std::string out = R"({"kind": "per-position", "p": [)";
  for (std::size_t j = 0; j < c.acceptance.millionths.size(); ++j) {
    out += (j == 0 ? "" : ", ") + share_text(c.acceptance.millionths[j]);
  }
  return out + "]}";
}

}  // namespace

std::string as_scenario_text(const RandomCase& drawn) {
  const RunConfig& c = drawn.scenario.config;
  std::string out = "{" + word("name", c.scenario) + ", \"seed\": " + std::to_string(c.seed);
  out +=
      ", " + word("policy", to_name(c.policy)) + ", " + word("draft_path", to_name(c.draft_path));
  out += ", " + word("copies", c.copies_own_stream ? "own" : "compute");
  out += ", " + word("arrivals", c.arrivals == ArrivalUnit::ns ? "time" : "step");
  if (c.ngram_millionths > 0) out += ", \"ngram\": " + share_text(c.ngram_millionths);
  out += ",\n \"rows\": {";
  for (std::size_t row = 0; row < c.rows.size(); ++row) {
    const std::string key = "R" + std::to_string(row);
    out += (row == 0 ? "" : ", ") + word(key.c_str(), to_name(c.rows[row]));
  }
  out += "},\n \"engine\": {" + engine_text(c) + "},\n \"model\": {";
  out += number("vocab_size", c.vocab_size);
  const bool two_ends = c.eos_ids.size() == 2;
  out += std::string(", \"eos\": ") + (two_ends ? "[2, 7]" : "[2]");
  out += "},\n \"acceptance\": " + acceptance_text(c);
  out += ",\n \"workload\": {\"kind\": \"requests\", \"requests\": [";
  for (std::size_t i = 0; i < drawn.requests.size(); ++i) {
    out += (i == 0 ? "\n  " : ",\n  ") + request_text(drawn.requests[i]);
  }
  return out + "]}}\n";
}

}  // namespace tandem::test
