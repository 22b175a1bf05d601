// Copies a RunConfig into the form that kernels take.
#include "runtime/cuda/model_config.hpp"

#include "traces/base/check.hpp"

namespace tandem::cuda {
namespace {

template <class List, class Source>
void copy_list(const Source& source, List& out) {
  TANDEM_CHECK(source.size() <= ModelConfig::kListMax);
  for (const auto& item : source) out.items[out.count++] = item;
}

}  // namespace

ModelConfig make_model_config(const RunConfig& config) {
  ModelConfig out;
  out.seed = config.seed;
  out.digest_key = config.digest_key;
  out.vocab_size = config.vocab_size;
  out.padding_id = config.padding_id;
  out.max_num_seqs = config.max_num_seqs;
  out.num_speculative_tokens = config.num_speculative_tokens;
  out.num_model_steps = config.num_model_steps;
  out.max_model_len = config.max_model_len;
  out.max_num_batched_tokens = config.max_num_batched_tokens;
  out.block_table_width = config.table_width();
  out.ngram_millionths = config.ngram_millionths;
  out.gathers = config.draft_path == DraftPath::gather;
  copy_list(config.eos_ids, out.eos_ids);
  out.acceptance.kind = config.acceptance.kind;
  copy_list(config.acceptance.millionths, out.acceptance.millionths);
  return out;
}

}  // namespace tandem::cuda
