// OpState: the tensors of one step with random values that every bookkeeping operation accepts.
//
// Tests and benchmarks of kernels take their cases from here. One coherent set serves all
// operations and the groups of fused_ops.hpp: a contract is bound to it in any memory space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/any_op.hpp"
#include "kernels/fused_ops.hpp"
#include "traces/base/result.hpp"

namespace tandem::bench {

/// Which slots a case is made of.
enum class SlotMix : std::uint8_t {
  kMixed,    ///< every kind, with values at the edge of what is legal
  kDecode,   ///< running, some drafts fail
  kFull,     ///< running, W tokens each, every draft matches, no end in sight
  kPrefill,  ///< the longest chunk in every slot
  kStopped,
  kParked,
  kEmpty,  ///< neither stopped nor parked, no token
};

/// How many rows were launched against how many there are.
enum class RowCount : std::uint8_t { kExact, kSpare, kTooFew };

struct OpShape {
  std::int32_t slots = 0;  ///< B
  std::int32_t view = 0;   ///< n <= B
  std::int32_t draft_tokens = 3;
  SlotMix mix = SlotMix::kMixed;
  RowCount rows = RowCount::kExact;
  std::int64_t row_bytes = 32;  ///< of a hidden row
  std::uint64_t seed = 0;
};

using Ints = std::vector<std::int32_t>;
using Longs = std::vector<std::int64_t>;
using Bools = std::vector<std::uint8_t>;

struct OpState {
  OpShape shape;
  std::int32_t w = 0;           ///< K + 1
  std::int32_t token_num = 0;   ///< N
  std::int32_t draft_rows = 0;  ///< rows of the packed sub-step
  std::int32_t hidden_rows = 0;
  std::int32_t chunk = 24;  ///< L
  std::int32_t pre_ids_width = 0;
  std::int32_t max_model_len = 0;
  std::int32_t table_width = 6;
  std::int32_t stop_count = 3;
  std::int32_t stop_width = 4;
  std::int32_t candidates = 4;
  std::int32_t substep = 0;
  kernels::VerifyStrategy strategy = kernels::VerifyStrategy::kGreedy;
  std::int32_t window = 0;
  bool reject_all = false;
  bool accept_all = false;
  bool one_step_stop = false;
  kernels::EncoderTest encoder_test = kernels::EncoderTest::kLastSeqLensEncoder;

  // The target's slots.
  Bools s, b;
  Ints q, e, d, a;
  Longs g, p, accepted, drafts, max_dec_len, input_ids, history, min_tokens, seeds, top_k;
  std::vector<float> top_p;
  Ints step_q, step_d, block_tables, reasoning, stop_lens;
  Longs step_drafts, stop_seqs, end_tokens;
  Bools has_running, not_need_stop;
  // Its packing and what sampling gives.
  Longs ids;
  Ints batch_ids, cu_q, cu_k, cu_out, batch_out, output_rows, seq_lens_output, cum_offsets;
  Ints padding_offset, cum_offsets_out;
  Longs targets, candidate_ids, sampled, top_k_rows, seed_rows;
  Ints candidate_lens;
  std::vector<float> top_p_rows;
  // The MTP head's slots, its packing and hidden rows.
  Bools draft_s, draft_not_need_stop;
  Ints draft_q, draft_e, draft_d, last_q, last_e;
  Longs draft_g, draft_row, pre_ids, draft_input_ids, next_tokens;
  Longs draft_ids;
  Ints draft_batch_ids, draft_cu_q, draft_cu_k, draft_cu_out, draft_batch_out, draft_output_rows;
  std::vector<std::byte> hidden, hidden_out;
  Ints hidden_count, row_map;

  /// Calls f(name, vector) for every tensor.
  template <class F>
  void each(F f);
};

[[nodiscard]] OpState make_state(const OpShape& shape);

/// Where the tensors of a state lie: themselves, or copies that were announced with `add`.
class Space {
 public:
  void add(const void* original, void* copy) { copies_[original] = copy; }

  template <class T>
  [[nodiscard]] std::span<T> operator()(std::vector<T>& tensor) const {
    const auto found = copies_.find(tensor.data());
    T* const first = found == copies_.end() ? tensor.data() : static_cast<T*>(found->second);
    return {first, tensor.size()};
  }

 private:
  std::map<const void*, void*> copies_;
};

/// The contract of the registered operation `name` on the state's tensors.
[[nodiscard]] kernels::AnyOp make_op(std::string_view name, OpState& state, const Space& space);

[[nodiscard]] kernels::FusedCommit make_commit(OpState& state, const Space& space);
[[nodiscard]] kernels::FusedDraftStart make_draft_start(OpState& state, const Space& space);
[[nodiscard]] kernels::FusedDraftNext make_draft_next(OpState& state, const Space& space);
[[nodiscard]] kernels::FusedDraftEnd make_draft_end(OpState& state, const Space& space);

template <class F>
void OpState::each(F f) {
  f("s", s), f("b", b), f("q", q), f("e", e), f("d", d), f("a", a), f("g", g), f("p", p);
  f("accepted", accepted), f("drafts", drafts), f("max_dec_len", max_dec_len);
  f("input_ids", input_ids), f("history", history), f("min_tokens", min_tokens);
  f("seeds", seeds), f("top_k", top_k), f("top_p", top_p), f("step_q", step_q);
  f("step_d", step_d), f("block_tables", block_tables), f("reasoning", reasoning);
  f("stop_lens", stop_lens), f("step_drafts", step_drafts), f("stop_seqs", stop_seqs);
  f("end_tokens", end_tokens), f("has_running", has_running), f("not_need_stop", not_need_stop);
  f("ids", ids), f("batch_ids", batch_ids), f("cu_q", cu_q), f("cu_k", cu_k);
  f("cu_out", cu_out), f("batch_out", batch_out), f("output_rows", output_rows);
  f("seq_lens_output", seq_lens_output), f("cum_offsets", cum_offsets);
  f("padding_offset", padding_offset), f("cum_offsets_out", cum_offsets_out);
  f("targets", targets), f("candidate_ids", candidate_ids), f("sampled", sampled);
  f("top_k_rows", top_k_rows), f("seed_rows", seed_rows), f("candidate_lens", candidate_lens);
  f("top_p_rows", top_p_rows), f("draft_s", draft_s), f("draft_q", draft_q);
  f("draft_not_need_stop", draft_not_need_stop), f("draft_e", draft_e), f("draft_d", draft_d);
  f("last_q", last_q), f("last_e", last_e), f("draft_g", draft_g), f("draft_row", draft_row);
  f("pre_ids", pre_ids), f("draft_input_ids", draft_input_ids), f("next_tokens", next_tokens);
  f("draft_ids", draft_ids), f("draft_batch_ids", draft_batch_ids), f("draft_cu_q", draft_cu_q);
  f("draft_cu_k", draft_cu_k), f("draft_cu_out", draft_cu_out);
  f("draft_batch_out", draft_batch_out), f("draft_output_rows", draft_output_rows);
  f("hidden", hidden), f("hidden_out", hidden_out), f("hidden_count", hidden_count);
  f("row_map", row_map);
}

}  // namespace tandem::bench
