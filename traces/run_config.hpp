// RunConfig: what a run was configured to be. Written into every trace header; the judge reads it
// there.
//
// Symbols in comments are those of the semantics, section 1: B slots, K drafts, W = K+1, M
// sub-steps, bs KV block size, nblk block-table width.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "traces/base/check.hpp"
#include "traces/base/ids.hpp"

namespace tandem {

/// How much of a step is kept (architecture 4). Each level holds all of the one before, except that
/// `full` has no spans: poison rows change timing.
enum class RecordLevel : std::uint8_t { off, state, timeline, full };

/// Value of one row of the sync table (semantics 3.4). `bound` is legal for R11 only.
enum class RowMode : std::uint8_t { sync, overlap, bound };

constexpr int kRowCount = 14;  ///< R0 to R13
using RowSwitches = std::array<RowMode, kRowCount>;

/// What the host believes before it knows (semantics 4.2b).
enum class PolicyKind : std::uint8_t {
  exact,
  predict_sum,
  predict_rows,
  predict_rows_hidden,
  upper_bound,
  all_accepted
};

/// How hidden rows reach sub-steps >= 1: 5.10, or 5.3 with 5.11.
enum class DraftPath : std::uint8_t { gather, self };

/// What the third argument of eagle_get_self_hidden_states tells the encoder phase by (5.11; path
/// `self` only). `step_idx` is the meaning before #7001, kept by callers that pass the old tensor.
enum class EncoderTest : std::uint8_t { encoder_len, step_idx };

/// Unit of a request's arrival: loop iterations, or virtual nanoseconds.
enum class ArrivalUnit : std::uint8_t { step, ns };

/// Which law decides how many drafts of a step the target accepts.
enum class AcceptKind : std::uint8_t {
  /// draft j is right with probability millionths[j]; the run stops at the first wrong
  per_position,
  list  ///< a recorded list of commits per step, entered by prefix sum (architecture 4.1)
};

/// accept(profile, request, g): tokens that a decode step starting at committed length g commits,
/// the target's own included, before it is clipped to q (and cut at EOS or a limit).
///   per_position: 1 + the number of leading j = 0, 1, .. < K with
///     draw_is_below(keyed_draw(seed, hash_text("accept"), request, g * 32 + j), millionths[j]).
///   list: S_0 = 1, S_{j+1} = S_j + accept[j mod size]; for g in [S_j, S_{j+1}) it is S_{j+1} - g.
/// Written twice from this text, in runtime/core and in sim/checks (architecture 4.1 "Accept
/// list").
struct AcceptProfile {
  AcceptKind kind = AcceptKind::per_position;
  std::vector<std::uint32_t> millionths;  ///< per_position: K entries, each 0..10^6

  bool operator==(const AcceptProfile&) const = default;
};

struct RunConfig {
  std::string scenario;  ///< name, for people
  std::uint64_t seed = 1;
  PolicyKind policy = PolicyKind::predict_rows_hidden;
  RowSwitches rows{};
  DraftPath draft_path = DraftPath::gather;
  EncoderTest encoder_test = EncoderTest::encoder_len;
  ArrivalUnit arrivals = ArrivalUnit::step;

  std::int32_t max_num_seqs = 64;              ///< B, 1..512
  std::int32_t num_speculative_tokens = 3;     ///< K, 1..16
  std::int32_t num_model_steps = 3;            ///< M, 1..K
  std::int32_t block_size = 64;                ///< bs, tokens in a KV block
  std::int32_t kv_blocks = 0;                  ///< blocks in the pool
  std::int32_t enc_dec_block_num = 2;          ///< table entries beyond max_model_len
  std::int32_t max_model_len = 16384;          ///< tokens, prompt and output together
  std::int32_t max_num_batched_tokens = 8192;  ///< token budget of a step
  std::int32_t pinned_ring_depth = 1;          ///< entries of each pinned buffer; 1 is FastDeploy's
  bool splitwise_prefill = false;              ///< this node is a P node (5.8, 5.13)
  bool copies_own_stream = false;            ///< D2H copies on a stream of their own (key `copies`)
  std::vector<std::int32_t> captured_sizes;  ///< CUDA-graph sizes in rows, descending; empty: eager

  std::int32_t vocab_size = 32000;
  std::int32_t padding_id = 2;  ///< token id of padding rows (4.7)
  std::vector<std::int64_t> eos_ids{2};
  AcceptProfile acceptance;
  std::uint32_t ngram_millionths = 0;  ///< share of (request, g) with an n-gram match, 0..10^6
  std::uint64_t digest_key = 0;        ///< scripted: derived from the seed (4.1 "Digests")

  [[nodiscard]] std::int32_t row_width() const { return num_speculative_tokens + 1; }  ///< W
  [[nodiscard]] std::int32_t table_width() const {                                     ///< nblk
    return (max_model_len + block_size - 1) / block_size + enc_dec_block_num;
  }
  [[nodiscard]] RowMode row(int r) const { return rows[static_cast<std::size_t>(r)]; }
  /// Steps by which the engine's knowledge lags: 0 where R2 is sync, 1 where it is overlap (3.4).
  [[nodiscard]] std::int32_t lag() const { return row(2) == RowMode::sync ? 0 : 1; }

  bool operator==(const RunConfig&) const = default;
};

/// ngram(request, g): drafts that an n-gram match appends behind the M of the MTP head for a slot
/// with g committed tokens (3.2.1 f), wherever M < K. With u_k = keyed_draw(seed,
/// hash_text("ngram"), request, 2 g + k):
///   0 unless draw_is_below(u_0, ngram_millionths); else 1 + u_1 mod (K - M), but never more than
///   max_dec_len - g - 1 - M: a draft behind the limit would want KV that no block table has.
/// None while the text is unfinished, for a stopped slot, or where g + M >= max_dec_len. An
/// appended draft is right where accept(profile, request, g) says so.
/// infer_seed of a request is keyed_draw(seed, hash_text("infer_seed"), request, 0) mod
/// (2^63 - 2), written by each prefill and D-node insert; a step advances it by 4 W (5.4).
/// Both are written twice from this text, in runtime/core and in sim.

/// Everything a reader must know before the first step.
struct TraceHeader {
  RunConfig config;
  RecordLevel level = RecordLevel::state;
  std::string device = "host";      ///< host, or the name of a GPU
  std::string executor = "det";     ///< det, threads or cuda
  std::string producer;             ///< program and version that wrote the trace
  std::int64_t first_step = 0;      ///< t of the first record
  std::vector<std::string> absent;  ///< names of fields (traces/fields.hpp) that this trace lacks

  bool operator==(const TraceHeader&) const = default;
};

/// Names as they stand in scenarios, headers and on the command line.
[[nodiscard]] const char* to_name(RecordLevel level);
[[nodiscard]] const char* to_name(RowMode mode);
[[nodiscard]] const char* to_name(PolicyKind policy);
[[nodiscard]] const char* to_name(DraftPath path);
[[nodiscard]] const char* to_name(EncoderTest test);
[[nodiscard]] const char* to_name(ArrivalUnit unit);
[[nodiscard]] const char* to_name(AcceptKind kind);
/// The value of a name, or false and `out` untouched.
[[nodiscard]] bool from_name(const std::string& name, RecordLevel& out);
[[nodiscard]] bool from_name(const std::string& name, RowMode& out);
[[nodiscard]] bool from_name(const std::string& name, PolicyKind& out);
[[nodiscard]] bool from_name(const std::string& name, DraftPath& out);
[[nodiscard]] bool from_name(const std::string& name, EncoderTest& out);
[[nodiscard]] bool from_name(const std::string& name, ArrivalUnit& out);
[[nodiscard]] bool from_name(const std::string& name, AcceptKind& out);

/// "sync" or "overlap" where every row has that value, else "mixed".
[[nodiscard]] const char* schedule_name(const RowSwitches& rows);

}  // namespace tandem
