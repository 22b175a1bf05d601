// A random case as the scenario file that repeats it.
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/unit/joined/random_scenario.hpp"

namespace tandem::test {
namespace {

template <class T>
std::string list_text(const std::vector<T>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

template <class T>
std::string number(const char* key, T value) {
  return fmt::format("\"{}\": {}", key, value);
}

std::string word(const std::string& key, const std::string& value) {
  return fmt::format("\"{}\": \"{}\"", key, value);
}

std::string share_text(std::uint32_t millionths) {
  return fmt::format("{}.{:06}", millionths / 1'000'000, millionths % 1'000'000);
}

std::string request_text(const RequestSpec& spec) {
  const RequestRow& row = spec.row;
  std::vector<std::string> keys{number("arrival", row.arrival), number("prompt", row.prompt_len),
                                number("max_dec_len", row.max_dec_len),
                                number("eos_at", row.eos_at)};
  if (!row.accept.empty()) keys.push_back("\"accept\": " + list_text(row.accept));
  if (row.stop_at > 0) {
    keys.push_back(number("stop_at", row.stop_at));
    keys.push_back(number("stop_len", row.stop_len));
    keys.push_back(number("min_tokens", row.min_tokens));
  }
  if (row.cached_prompt > 0) keys.push_back(number("cached_prompt", row.cached_prompt));
  if (spec.dnode_drafts >= 0) keys.push_back(number("dnode_drafts", spec.dnode_drafts));
  if (spec.row.abort_after >= 0) keys.push_back(number("abort_after", spec.row.abort_after));
  if (spec.preempt_after >= 0) keys.push_back(number("preempt_after", spec.preempt_after));
  return fmt::format("{{{}}}", fmt::join(keys, ", "));
}

std::string engine_text(const RunConfig& c) {
  std::vector<std::string> keys{number("max_num_seqs", c.max_num_seqs),
                                number("num_speculative_tokens", c.num_speculative_tokens),
                                number("num_model_steps", c.num_model_steps),
                                number("block_size", c.block_size),
                                number("kv_blocks", c.kv_blocks),
                                number("enc_dec_block_num", c.enc_dec_block_num),
                                number("max_model_len", c.max_model_len),
                                number("max_num_batched_tokens", c.max_num_batched_tokens),
                                number("pinned_ring_depth", c.pinned_ring_depth)};
  if (c.splitwise_prefill) keys.push_back(word("role", "prefill"));
  if (!c.captured_sizes.empty()) keys.push_back("\"cuda_graphs\": " + list_text(c.captured_sizes));
  return fmt::format("{}", fmt::join(keys, ", "));
}

std::string acceptance_text(const RunConfig& c) {
  if (c.acceptance.kind == AcceptKind::list) return R"("kind": "list")";
  std::vector<std::string> shares;
  for (const std::uint32_t share : c.acceptance.millionths) shares.push_back(share_text(share));
  return R"("kind": "per-position", "p": )" + list_text(shares);
}

std::string timing_text(const TimingModel& t) {
  const std::vector<std::string> keys{number("forward_base_ns", t.forward_base_ns),
                                      number("forward_row_ns", t.forward_row_ns),
                                      number("draft_base_ns", t.draft_base_ns),
                                      number("draft_row_ns", t.draft_row_ns),
                                      number("kernel_ns", t.kernel_ns),
                                      number("copy_ns", t.copy_ns),
                                      number("host_op_ns", t.host_op_ns),
                                      number("host_step_ns", t.host_step_ns)};
  return fmt::format("{}", fmt::join(keys, ", "));
}

std::string run_text(const RandomCase& drawn) {
  const RunConfig& c = drawn.scenario.config;
  std::vector<std::string> keys{word("name", c.scenario),
                                number("seed", c.seed),
                                word("policy", to_name(c.policy)),
                                word("draft_path", to_name(c.draft_path)),
                                word("encoder_test", to_name(c.encoder_test)),
                                word("copies", c.copies_own_stream ? "own" : "compute"),
                                word("arrivals", c.arrivals == ArrivalUnit::ns ? "time" : "step")};
  if (c.ngram_millionths > 0) keys.push_back("\"ngram\": " + share_text(c.ngram_millionths));
  if (drawn.is_cut) {
    keys.push_back(fmt::format("\"limits\": {{\"steps\": {}}}", drawn.scenario.steps_max));
  }
  return fmt::format("{}", fmt::join(keys, ", "));
}

}  // namespace

std::string as_scenario_text(const RandomCase& drawn) {
  const RunConfig& c = drawn.scenario.config;
  std::vector<std::string> rows;
  for (std::size_t row = 0; row < c.rows.size(); ++row) {
    rows.push_back(word(fmt::format("R{}", row), to_name(c.rows[row])));
  }
  std::vector<std::string> requests;
  for (const RequestSpec& spec : drawn.requests) requests.push_back(request_text(spec));
  std::string out = "{" + run_text(drawn);
  out += fmt::format(",\n \"rows\": {{{}}}", fmt::join(rows, ", "));
  out += ",\n \"engine\": {" + engine_text(c) + "}";
  out += fmt::format(",\n \"model\": {{{}, {}, \"eos\": {}}}", number("vocab_size", c.vocab_size),
                     number("padding_id", c.padding_id), list_text(c.eos_ids));
  out += ",\n \"acceptance\": {" + acceptance_text(c) + "}";
  out += ",\n \"timing\": {" + timing_text(drawn.scenario.timing) + "}";
  out += fmt::format(",\n \"workload\": {{\"kind\": \"requests\", \"requests\": [\n  {}]}}}}\n",
                     fmt::join(requests, ",\n  "));
  return out;
}

}  // namespace tandem::test
