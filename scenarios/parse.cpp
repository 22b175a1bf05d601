// parse_scenario: from a checked tree to a Scenario, with the rules that join several keys.
#include <algorithm>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "scenarios/reader.hpp"
#include "scenarios/request_rules.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/schema.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::string name_from_file(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  if (slash != std::string_view::npos) file.remove_prefix(slash + 1);
  constexpr std::string_view kSuffix = ".json";
  if (file.size() > kSuffix.size() && file.substr(file.size() - kSuffix.size()) == kSuffix) {
    file.remove_suffix(kSuffix.size());
  }
  std::string name(file.substr(0, 128));
  for (char& c : name) {
    if (!is_name_character(c)) c = '-';
  }
  return name.empty() ? "scenario" : name;
}

/// A model's shape takes the place of the four keys of the line, so neither is ignored.
Status read_forward_shape(const Document& document, TimingModel& timing) {
  const std::string& model = Reader(document).text("timing.model");
  std::optional<ForwardShape> shape = forward_shape(model);
  if (!shape) return {};
  const TimingModel line;
  const auto refuse = [&](const char* key) {
    return document.fail(key, fmt::format("a value beside timing.model {}", model),
                         "one of the two", "leave the key out, or set timing.model to line");
  };
  if (timing.forward_base_ns != line.forward_base_ns) return refuse("timing.forward_base_ns");
  if (timing.forward_row_ns != line.forward_row_ns) return refuse("timing.forward_row_ns");
  if (timing.draft_base_ns != line.draft_base_ns) return refuse("timing.draft_base_ns");
  if (timing.draft_row_ns != line.draft_row_ns) return refuse("timing.draft_row_ns");
  timing.shape = std::move(*shape);
  return {};
}

Status read_run(const Document& document, Scenario& out) {
  const Reader read(document);
  RunConfig& config = out.config;
  config.scenario = read.has("name") ? read.text("name") : name_from_file(document.name);
  if (!std::all_of(config.scenario.begin(), config.scenario.end(), is_name_character)) {
    return document.fail_value("name", "letters, digits, '.', '_' and '-' only",
                               "it stands in file names and in output that scripts read");
  }
  const std::string& seed = read.text("seed");
  std::from_chars(seed.data(), seed.data() + seed.size(), config.seed);
  config.digest_key = keyed_draw(config.seed, hash_text("digest"), 0);
  config.policy = read.choice<PolicyKind>("policy");
  config.draft_path = read.choice<DraftPath>("draft_path");
  config.encoder_test = read.choice<EncoderTest>("encoder_test");
  config.ngram_millionths = static_cast<std::uint32_t>(read.units("ngram", 6));
  config.copies_own_stream = read.text("copies") == "own";
  config.arrivals = read.text("arrivals") == "time" ? ArrivalUnit::ns : ArrivalUnit::step;
  config.rows.fill(read.choice<RowMode>("schedule"));
  for (int r = 0; r < kRowCount; ++r) {
    const std::string path = fmt::format("rows.R{}", r);
    if (read.has(path)) config.rows[static_cast<std::size_t>(r)] = read.choice<RowMode>(path);
  }
  out.unguarded = read.boolean("unguarded");
  out.steps_max = read.integer("limits.steps");
  TimingModel& timing = out.timing;
  timing.forward_base_ns = read.integer("timing.forward_base_ns");
  timing.forward_row_ns = read.integer("timing.forward_row_ns");
  timing.draft_base_ns = read.integer("timing.draft_base_ns");
  timing.draft_row_ns = read.integer("timing.draft_row_ns");
  timing.kernel_ns = read.integer("timing.kernel_ns");
  timing.copy_ns = read.integer("timing.copy_ns");
  timing.host_op_ns = read.integer("timing.host_op_ns");
  timing.host_step_ns = read.integer("timing.host_step_ns");
  return read_forward_shape(document, timing);
}

/// The pool and the captured sizes, which follow from the other sizes where they are not given.
Status read_derived_sizes(const Document& document, RunConfig& config) {
  const Reader read(document);
  config.kv_blocks = read.int32("engine.kv_blocks");
  if (config.kv_blocks == 0) {
    const std::int64_t blocks = std::int64_t{config.max_num_seqs} * config.table_width();
    if (blocks > INT32_MAX) {
      return document.fail_value("engine.kv_blocks",
                                 fmt::format("a given number: {} blocks would be enough for all "
                                             "slots, 2147483647 can be had",
                                             blocks),
                                 "set it, or raise engine.block_size");
    }
    config.kv_blocks = static_cast<std::int32_t>(blocks);
  }
  const JsonNode& graphs = read.node("engine.cuda_graphs");
  if (graphs.kind == JsonKind::array) {
    config.captured_sizes = read.int32s("engine.cuda_graphs");
    std::sort(config.captured_sizes.rbegin(), config.captured_sizes.rend());
    const auto twice =
        std::adjacent_find(config.captured_sizes.begin(), config.captured_sizes.end());
    if (twice != config.captured_sizes.end()) {
      return document.fail("engine.cuda_graphs", fmt::format("the size {} twice", *twice),
                           "each size once", "delete one of the two");
    }
  } else if (graphs.text == "true") {
    config.captured_sizes = usual_captured_sizes(config.max_num_seqs, config.row_width());
  }
  return {};
}

Status read_engine(const Document& document, RunConfig& config) {
  const Reader read(document);
  config.max_num_seqs = read.int32("engine.max_num_seqs");
  config.num_speculative_tokens = read.int32("engine.num_speculative_tokens");
  config.num_model_steps = read.int32("engine.num_model_steps");
  if (config.num_model_steps == 0) config.num_model_steps = config.num_speculative_tokens;
  config.block_size = read.int32("engine.block_size");
  config.enc_dec_block_num = read.int32("engine.enc_dec_block_num");
  config.max_model_len = read.int32("engine.max_model_len");
  config.max_num_batched_tokens = read.int32("engine.max_num_batched_tokens");
  config.pinned_ring_depth = read.int32("engine.pinned_ring_depth");
  config.splitwise_prefill = read.text("engine.role") == "prefill";
  if (config.num_model_steps > config.num_speculative_tokens) {
    return document.fail_value(
        "engine.num_model_steps",
        fmt::format("at most engine.num_speculative_tokens, {}", config.num_speculative_tokens),
        "leave it out to use that many");
  }
  if (config.ngram_millionths > 0 && config.num_model_steps == config.num_speculative_tokens) {
    return document.fail_value(
        "ngram",
        fmt::format("0 where engine.num_model_steps is engine.num_speculative_tokens, {}",
                    config.num_speculative_tokens),
        "lower engine.num_model_steps: a row has no room behind the drafts of the MTP head");
  }
  const std::int32_t rows = config.max_num_seqs * config.row_width();
  if (config.max_num_batched_tokens < rows) {
    return document.fail_value(
        "engine.max_num_batched_tokens",
        fmt::format("at least max_num_seqs * (num_speculative_tokens + 1) = {}", rows),
        fmt::format("set it to {} or more: every slot may run at once", rows));
  }
  return read_derived_sizes(document, config);
}

Status read_model(const Document& document, RunConfig& config) {
  const Reader read(document);
  config.vocab_size = read.int32("model.vocab_size");
  config.padding_id = read.int32("model.padding_id");
  const std::string below = fmt::format("less than model.vocab_size, {}", config.vocab_size);
  if (config.padding_id >= config.vocab_size) {
    return document.fail_value("model.padding_id", below, "raise model.vocab_size");
  }
  config.eos_ids.clear();
  for (const std::int32_t id : read.int32s("model.eos")) {
    const std::string path = fmt::format("model.eos.{}", config.eos_ids.size());
    if (id >= config.vocab_size) {
      return document.fail_value(path, below, "raise model.vocab_size");
    }
    if (std::find(config.eos_ids.begin(), config.eos_ids.end(), id) != config.eos_ids.end()) {
      return document.fail_value(path, "each id once", "delete one of the two");
    }
    config.eos_ids.push_back(id);
  }
  // Beside EOS and padding the script keeps one id for the ends of stop sequences, and a wrong
  // token is another one than the right one.
  const bool padding_is_eos = std::find(config.eos_ids.begin(), config.eos_ids.end(),
                                        config.padding_id) != config.eos_ids.end();
  const std::size_t special = config.eos_ids.size() + (padding_is_eos ? 0 : 1);
  if (static_cast<std::size_t>(config.vocab_size) < special + 3) {
    return document.fail_value(
        "model.vocab_size",
        fmt::format("at least {}: {} special ids and 3 more", special + 3, special),
        "raise it, or list fewer ids in model.eos");
  }
  return {};
}

Status read_acceptance(const Document& document, Scenario& out) {
  const Reader read(document);
  AcceptProfile& profile = out.config.acceptance;
  const auto drafts = static_cast<std::size_t>(out.config.num_speculative_tokens);
  const std::string& kind = read.text("acceptance.kind");
  profile.kind = kind == "list" ? AcceptKind::list : AcceptKind::per_position;
  if (kind == "constant") {
    profile.millionths.assign(drafts, static_cast<std::uint32_t>(read.units("acceptance.p", 6)));
  } else if (kind == "per-position") {
    profile.millionths = read.millionths("acceptance.p");
    if (profile.millionths.size() < drafts) {
      return document.fail_value(
          "acceptance.p",
          fmt::format("at least engine.num_speculative_tokens = {} probabilities", drafts),
          "give one for every draft");
    }
    profile.millionths.resize(drafts);
  }
  if (read.has("acceptance.lists")) {
    for (const JsonNode& list : read.node("acceptance.lists").items) {
      out.workload.accept_lists.push_back(Reader::int32s_of(list));
    }
  }
  const bool by_path = read.has("acceptance.path");
  if (by_path && read.has("acceptance.lists")) {
    return document.fail_value("acceptance.path", "either `lists` or `path`",
                               "delete one of the two");
  }
  if (by_path) out.workload.accept_path = read.text("acceptance.path");
  if (read.has("acceptance.markov")) {
    if (by_path || read.has("acceptance.lists")) {
      return document.fail_value("acceptance.markov", "one of `lists`, `path` and `markov`",
                                 "delete the others");
    }
    out.workload.accept_markov = read.text("acceptance.markov");
  }
  return {};
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, const std::string& name,
                                const std::vector<std::string>& overrides) {
  TANDEM_TRY(JsonNode root, parse_json(text, name));
  Document document{std::move(root), name, overrides};
  if (document.root.kind == JsonKind::object) TANDEM_RETURN_IF_ERROR(apply_overrides(document));
  TANDEM_RETURN_IF_ERROR(check_against_schema(document));
  Scenario scenario;
  TANDEM_RETURN_IF_ERROR(read_run(document, scenario));
  TANDEM_RETURN_IF_ERROR(read_engine(document, scenario.config));
  TANDEM_RETURN_IF_ERROR(read_model(document, scenario.config));
  TANDEM_RETURN_IF_ERROR(read_acceptance(document, scenario));
  TANDEM_RETURN_IF_ERROR(read_workload(document, scenario));
  return scenario;
}

}  // namespace tandem
