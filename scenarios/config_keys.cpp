// Writes a RunConfig as scenario keys.
#include "scenarios/config_keys.hpp"

#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace tandem {
namespace {

constexpr std::size_t kNameMax = 128;

std::string quoted(const char* value) { return fmt::format("\"{}\"", value); }

std::string share_text(std::uint32_t millionths) {
  return fmt::format("{}.{:06}", millionths / 1'000'000, millionths % 1'000'000);
}

std::string shares_text(const std::vector<std::uint32_t>& millionths) {
  std::string list;
  for (const std::uint32_t value : millionths)
    list += (list.empty() ? "" : ",") + share_text(value);
  return "[" + list + "]";
}

std::string acceptance_text(const AcceptProfile& profile) {
  if (profile.kind == AcceptKind::list || profile.millionths.empty()) return R"({"kind":"list"})";
  return R"({"kind":"per-position","p":)" + shares_text(profile.millionths) + "}";
}

bool by_list(const RunConfig& c) {
  return c.acceptance.kind == AcceptKind::list || c.acceptance.millionths.empty();
}

template <class Int>
std::string list_text(const std::vector<Int>& values) {
  return fmt::format("[{}]", fmt::join(values, ","));
}

}  // namespace

std::string as_run_name(std::string name) {
  if (name.size() > kNameMax) name.resize(kNameMax);
  for (char& c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fits) c = '_';
  }
  return name.empty() ? "trace" : name;
}

std::vector<ConfigKey> config_keys(const RunConfig& c) {
  std::vector<ConfigKey> keys = {
      {"name", quoted(as_run_name(c.scenario).c_str())},
      {"seed", std::to_string(c.seed)},
      {"policy", quoted(to_name(c.policy))},
      {"draft_path", quoted(to_name(c.draft_path))},
      {"encoder_test", quoted(to_name(c.encoder_test))},
      {"ngram", share_text(c.ngram_millionths)},
      {"copies", quoted(c.copies_own_stream ? "own" : "compute")},
      {"arrivals", quoted(c.arrivals == ArrivalUnit::ns ? "time" : "step")},
  };
  for (int row = 0; row < kRowCount; ++row) {
    keys.push_back({fmt::format("rows.R{}", row), quoted(to_name(c.row(row)))});
  }
  const auto number = [&keys](const char* key, std::int64_t value) {
    keys.push_back({key, std::to_string(value)});
  };
  number("engine.max_num_seqs", c.max_num_seqs);
  number("engine.num_speculative_tokens", c.num_speculative_tokens);
  number("engine.num_model_steps", c.num_model_steps);
  number("engine.block_size", c.block_size);
  number("engine.kv_blocks", c.kv_blocks);
  number("engine.enc_dec_block_num", c.enc_dec_block_num);
  number("engine.max_model_len", c.max_model_len);
  number("engine.max_num_batched_tokens", c.max_num_batched_tokens);
  number("engine.pinned_ring_depth", c.pinned_ring_depth);
  keys.push_back({"engine.role", quoted(c.splitwise_prefill ? "prefill" : "mixed")});
  keys.push_back(
      {"engine.cuda_graphs", c.captured_sizes.empty() ? "false" : list_text(c.captured_sizes)});
  number("model.vocab_size", c.vocab_size);
  number("model.padding_id", c.padding_id);
  keys.push_back({"model.eos", list_text(c.eos_ids)});
  keys.push_back({"acceptance", acceptance_text(c.acceptance)});
  return keys;
}

std::string small_workload(bool by_list) {
  return fmt::format(
      R"({{"kind":"requests","requests":[{{"prompt":1,"output":1,"max_dec_len":1{}}}]}})",
      by_list ? R"(,"accept":[1])" : "");
}

std::string config_scenario(const RunConfig& config, bool rows_open) {
  using Json = nlohmann::ordered_json;
  Json out = Json::object();
  std::vector<ConfigKey> keys = config_keys(config);
  keys.push_back({"workload", small_workload(by_list(config))});
  const std::string drafts = std::to_string(config.num_speculative_tokens);
  for (const ConfigKey& key : keys) {
    if (rows_open && key.key.rfind("rows.", 0) == 0) continue;
    // Left out it follows a change of num_speculative_tokens.
    if (key.key == "engine.num_model_steps" && key.value == drafts) continue;
    std::string pointer = "/" + key.key;
    for (char& c : pointer) {
      if (c == '.') c = '/';
    }
    out[Json::json_pointer(pointer)] = Json::parse(key.value);
  }
  return out.dump();
}

}  // namespace tandem
