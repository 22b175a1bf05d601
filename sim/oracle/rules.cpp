// Reading the rules out of a trace header.
#include "sim/oracle/rules.hpp"

#include <string>

namespace tandem::sim {
namespace {

struct Bound {
  const char* name;
  std::int64_t found;
  std::int64_t least;
  std::int64_t most;
};

constexpr std::int64_t kTokensMax = std::int64_t{1} << 28U;

Status check(const Bound& bound) {
  if (bound.found >= bound.least && bound.found <= bound.most) return {};
  return Error::make(
      std::string("header:/config/") + bound.name, "got " + std::to_string(bound.found),
      "an integer in [" + std::to_string(bound.least) + ", " + std::to_string(bound.most) + "]",
      "the trace cannot be judged by these rules");
}

Status check(const RunConfig& c) {
  for (const Bound& bound : {
           Bound{"max_num_seqs", c.max_num_seqs, 1, 512},
           Bound{"num_speculative_tokens", c.num_speculative_tokens, 1, 16},
           Bound{"block_size", c.block_size, 1, 1 << 16U},
           Bound{"kv_blocks", c.kv_blocks, 0, kTokensMax},
           Bound{"enc_dec_block_num", c.enc_dec_block_num, 0, 1 << 10U},
           Bound{"max_model_len", c.max_model_len, 1, kTokensMax},
           Bound{"max_num_batched_tokens", c.max_num_batched_tokens, 1, kTokensMax},
           Bound{"vocab_size", c.vocab_size, 1, std::int64_t{1} << 30U},
           Bound{"pinned_ring_depth", c.pinned_ring_depth, 1, 1 << 16U},
       }) {
    TANDEM_RETURN_IF_ERROR(check(bound));
  }
  return check(Bound{"num_model_steps", c.num_model_steps, 1, c.num_speculative_tokens});
}

}  // namespace

Result<Rules> make_rules(const RunConfig& config) {
  TANDEM_RETURN_IF_ERROR(check(config));
  Rules r;
  r.slots = config.max_num_seqs;
  r.drafts = config.num_speculative_tokens;
  r.width = r.drafts + 1;
  r.substeps = config.num_model_steps;
  r.block_size = config.block_size;
  r.table_width =
      (config.max_model_len + config.block_size - 1) / config.block_size + config.enc_dec_block_num;
  r.kv_blocks = config.kv_blocks;
  r.rows_max = config.max_num_batched_tokens;
  r.vocab = config.vocab_size;
  r.padding_id = config.padding_id;
  r.seed = config.seed;
  r.ngram_millionths = config.ngram_millionths;
  r.policy = config.policy;
  r.path = config.draft_path;
  r.output_mode = config.row(11);
  for (int row = 0; row < kRowCount; ++row) {
    r.sync[static_cast<std::size_t>(row)] = config.row(row) == RowMode::sync;
  }
  r.acceptance = config.acceptance;
  r.digest_key = config.digest_key;
  r.ring_depth = config.pinned_ring_depth;
  r.captured_sizes = config.captured_sizes;
  r.prefill_node = config.splitwise_prefill;
  r.predicts = !r.sync[0] && config.policy != PolicyKind::exact;
  r.scripted = config.acceptance.kind == AcceptKind::list || !config.acceptance.millionths.empty();
  return r;
}

}  // namespace tandem::sim
