// Draws the tensors of an OpState.
#include "tools/bench/op_state.hpp"

#include <algorithm>

#include "traces/base/random.hpp"

namespace tandem::bench {
namespace {

constexpr std::int64_t kTokens = 8;  // few, so that tokens meet by chance

std::size_t count(std::int64_t n) { return static_cast<std::size_t>(n); }

/// Fills a new state. Everything that an operation only writes starts as garbage.
class Maker {
 public:
  explicit Maker(const OpShape& shape) : random_(shape.seed, "op-state") {
    st_.shape = shape;
    st_.w = shape.draft_tokens + 1;
  }

  OpState make() {
    choose_options();
    size_slots();
    for (std::int32_t i = 0; i < st_.shape.slots; ++i) make_slot(i, kind_of(i));
    size_history();
    for (std::int32_t i = 0; i < st_.shape.slots; ++i) make_draft_slot(i);
    pack_target();
    make_rows();
    size_draft_rows();
    return std::move(st_);
  }

 private:
  std::int32_t below(std::int64_t bound) {
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }
  std::int32_t between(std::int64_t low, std::int64_t high) {
    return static_cast<std::int32_t>(low) + below(high - low + 1);
  }
  bool chance(int percent) { return below(100) < percent; }
  bool is_wild() const { return st_.shape.mix == SlotMix::kMixed; }

  template <class T>
  void draw(std::vector<T>& tensor, std::int64_t size, std::int64_t bound) {
    tensor.resize(count(size));
    for (T& value : tensor) value = static_cast<T>(below(bound));
  }

  void choose_options() {
    st_.substep = below(std::max(st_.w - 1, 1));
    if (!is_wild()) return;
    st_.strategy = static_cast<kernels::VerifyStrategy>(below(3));
    st_.window = below(3);
    st_.reject_all = chance(10);
    st_.accept_all = chance(10);
    st_.one_step_stop = chance(15);
    st_.encoder_test = static_cast<kernels::EncoderTest>(below(2));
  }

  void size_slots() {
    const std::int64_t slots = st_.shape.slots;
    for (Bools* flags : {&st_.s, &st_.b, &st_.draft_s}) flags->resize(count(slots));
    for (Ints* ints : {&st_.q, &st_.e, &st_.d, &st_.a, &st_.step_q, &st_.step_d, &st_.draft_q,
                       &st_.draft_e, &st_.draft_d, &st_.last_q, &st_.last_e}) {
      ints->resize(count(slots));
    }
    for (Longs* longs : {&st_.g, &st_.p, &st_.max_dec_len, &st_.min_tokens, &st_.draft_g}) {
      longs->resize(count(slots));
    }
    for (Longs* rows : {&st_.accepted, &st_.drafts, &st_.step_drafts, &st_.draft_row}) {
      draw(*rows, slots * st_.w, kTokens);
    }
    draw(st_.input_ids, slots * st_.chunk, 1000);
    draw(st_.draft_input_ids, slots * st_.chunk, 1000);
    draw(st_.block_tables, slots * st_.table_width, 4);
    for (std::int32_t& block : st_.block_tables) block = is_wild() && block == 0 ? -1 : block;
    draw(st_.reasoning, slots, is_wild() ? 3 : 1);
    draw(st_.stop_seqs, slots * st_.stop_count * st_.stop_width, kTokens);
    draw(st_.stop_lens, slots * st_.stop_count, st_.stop_width + 1);
    if (!is_wild()) std::fill(st_.stop_lens.begin(), st_.stop_lens.end(), 0);
    st_.end_tokens = is_wild() ? Longs{3, kTokens + 1} : Longs{kTokens + 5};
    st_.seeds.resize(count(slots));
    for (std::int64_t& seed : st_.seeds) {
      seed = chance(30) ? kernels::kSeedModulus - below(40) : below(1000);
    }
    draw(st_.top_k, slots, 50);
    draw(st_.top_p, slots, 9);
    for (Bools* flag : {&st_.has_running, &st_.not_need_stop, &st_.draft_not_need_stop}) {
      *flag = {7};  // neither true nor false as operations write them
    }
  }

  SlotMix kind_of(std::int32_t i) {
    if (i >= st_.shape.view) return SlotMix::kStopped;
    if (!is_wild()) return st_.shape.mix;
    constexpr SlotMix kKinds[] = {SlotMix::kDecode,  SlotMix::kDecode,  SlotMix::kDecode,
                                  SlotMix::kPrefill, SlotMix::kStopped, SlotMix::kParked,
                                  SlotMix::kFull,    SlotMix::kEmpty};
    return kKinds[below(8)];
  }

  void make_slot(std::int32_t i, SlotMix kind) {
    const std::size_t k = count(i);
    const bool running = kind != SlotMix::kStopped && kind != SlotMix::kParked;
    st_.s[k] = running ? 0 : 1;
    st_.b[k] = kind == SlotMix::kParked ? 1 : 0;
    st_.p[k] = between(1, 40);
    st_.g[k] = kind == SlotMix::kPrefill ? 0 : below(20);
    st_.step_d[k] = below(16 * st_.table_width + 8);
    st_.step_q[k] = below(st_.w + 1);
    if (kind == SlotMix::kDecode) st_.q[k] = between(1, st_.w);
    if (kind == SlotMix::kFull) st_.q[k] = st_.w;
    if (kind == SlotMix::kDecode || kind == SlotMix::kFull) {
      st_.d[k] = static_cast<std::int32_t>(st_.p[k] + st_.g[k]);
    }
    if (kind == SlotMix::kPrefill) {
      st_.q[k] = st_.e[k] = is_wild() ? between(1, st_.chunk) : st_.chunk;
      st_.d[k] = is_wild() ? below(30) : 0;
    }
    if (kind == SlotMix::kStopped && is_wild()) st_.d[k] = st_.e[k] = below(9);
    st_.a[k] = static_cast<std::int32_t>(std::min<std::int64_t>(below(st_.w + 1), st_.g[k]));
    if (kind == SlotMix::kFull)
      st_.a[k] = static_cast<std::int32_t>(std::min<std::int64_t>(st_.w, st_.g[k]));
    st_.max_dec_len[k] = is_wild() ? st_.g[k] + between(-1, 3 * st_.w) : 1000;
    st_.min_tokens[k] = is_wild() ? below(12) : 0;
    for (std::int32_t x = 0; is_wild() && x < st_.w; ++x) {
      if (chance(10)) st_.drafts[k * count(st_.w) + count(x)] = kernels::kNoToken;
    }
  }

  void size_history() {
    std::int64_t longest = 0;
    std::int64_t generated = 0;
    for (std::size_t k = 0; k < st_.g.size(); ++k) {
      longest = std::max(longest, st_.p[k] + st_.g[k]);
      generated = std::max(generated, st_.g[k]);
    }
    const std::int64_t room = is_wild() ? 1 : st_.w + 1;  // 1: some rows of tokens do not fit
    st_.max_model_len = static_cast<std::int32_t>(longest + room);
    st_.pre_ids_width = static_cast<std::int32_t>(generated + 2 * st_.w + 2);
    draw(st_.history, std::int64_t{st_.shape.slots} * st_.max_model_len, kTokens);
    draw(st_.pre_ids, std::int64_t{st_.shape.slots} * st_.pre_ids_width, kTokens);
  }

  void make_draft_slot(std::int32_t i) {
    const std::size_t k = count(i);
    const bool running = st_.s[k] == 0;
    const bool prefill = running && st_.e[k] > 0;
    st_.draft_s[k] = !running || (is_wild() && chance(15)) ? 1 : 0;
    st_.draft_e[k] = prefill ? st_.e[k] : 0;
    st_.draft_q[k] = prefill ? st_.e[k] : running ? st_.a[k] : 0;
    if (is_wild() && st_.draft_e[k] == 0 && chance(10)) st_.draft_q[k] = below(st_.w + 1);
    st_.draft_d[k] = is_wild() && chance(10) ? 0 : std::max(st_.d[k] - st_.a[k], 0);
    st_.draft_g[k] = std::max<std::int64_t>(st_.g[k] - st_.a[k], 0);
    st_.last_q[k] = is_wild() ? below(st_.w + 1) : st_.w;
    st_.last_e[k] = is_wild() && chance(30) ? between(1, 9) : 0;
  }

  std::int32_t output_rows_of(std::size_t k) const {
    if (st_.q[k] == 0) return 0;
    return st_.q[k] == 1 || st_.e[k] != 0 ? 1 : st_.q[k];
  }

  std::int32_t launched(std::int32_t rows) {
    if (st_.shape.rows == RowCount::kSpare) return rows + between(1, 40);
    if (st_.shape.rows == RowCount::kTooFew) return rows - between(0, rows);
    return rows;
  }

  /// The packing as pre_process leaves it (cu_out, batch_out), which later operations read.
  void pack_target() {
    const std::int32_t n = st_.shape.view;
    constexpr std::int32_t kMaxSeqLen = 64;
    std::int32_t rows = 0;
    std::int32_t outputs = 0;
    std::int32_t offset = 0;
    st_.cu_q = {0};
    st_.cu_out = {0};
    for (std::int32_t i = 0; i < n; ++i) {
      const std::int32_t out = output_rows_of(count(i));
      rows += st_.q[count(i)];
      st_.batch_out.insert(st_.batch_out.end(), count(out), i);
      outputs += out;
      offset += kMaxSeqLen - out;
      st_.cu_q.push_back(rows);
      st_.cu_out.push_back(outputs);
      st_.seq_lens_output.push_back(out);
      st_.cum_offsets.push_back(offset);
    }
    st_.token_num = launched(rows);
    st_.output_rows = {outputs};
    st_.batch_out.resize(count(std::int64_t{n} * st_.w), kernels::kPaddingSlot);
    draw(st_.cu_k, n + 1, 100);
    draw(st_.ids, st_.token_num, 100);
    draw(st_.batch_ids, st_.token_num, 100);
    draw(st_.padding_offset, outputs, 100);
    draw(st_.cum_offsets_out, n, 100);
  }

  /// What the target model gives for the output rows: often the draft that stands there.
  void make_rows() {
    const std::int64_t rows = std::int64_t{st_.shape.slots} * st_.w + 1;
    draw(st_.targets, rows, kTokens);
    draw(st_.candidate_ids, rows * st_.candidates, kTokens);
    draw(st_.candidate_lens, rows, st_.candidates + 2);
    draw(st_.sampled, is_wild() && chance(30) ? 0 : rows, kTokens);
    for (Longs* cells : {&st_.top_k_rows, &st_.seed_rows}) draw(*cells, rows, 100);
    draw(st_.top_p_rows, rows, 100);
    for (std::int32_t i = 0; i < st_.shape.view; ++i) {
      for (std::int32_t x = 0; x + 1 < st_.q[count(i)] && x + 1 < st_.w; ++x) {
        if (st_.e[count(i)] > 0) continue;
        if (st_.shape.mix != SlotMix::kFull && chance(25)) continue;
        const std::size_t row = count(st_.cu_out[count(i)] + x);
        const std::int64_t draft = st_.drafts[count(std::int64_t{i} * st_.w + x + 1)];
        st_.targets[row] = draft;
        st_.candidate_ids[row * count(st_.candidates) + count(below(2))] = draft;
      }
    }
  }

  void size_draft_rows() {
    const std::int32_t n = st_.shape.slots;  // the proposer works on all slots
    std::int64_t rows = 0;
    std::int64_t last_rows = 0;
    for (std::int32_t i = 0; i < n; ++i) {
      rows += std::max(st_.draft_q[count(i)], st_.q[count(i)]);
      last_rows += st_.last_q[count(i)];
    }
    st_.draft_rows = launched(static_cast<std::int32_t>(rows));
    st_.hidden_rows = launched(static_cast<std::int32_t>(std::max(rows, last_rows)));
    draw(st_.draft_ids, st_.draft_rows, 100);
    draw(st_.draft_batch_ids, st_.draft_rows, 100);
    for (Ints* sums : {&st_.draft_cu_q, &st_.draft_cu_k, &st_.draft_cu_out}) {
      draw(*sums, std::int64_t{n} + 1, 100);
    }
    draw(st_.draft_batch_out, std::int64_t{n} * st_.w, 100);
    draw(st_.next_tokens, std::int64_t{n} * st_.w + 1, kTokens);
    st_.draft_output_rows = st_.hidden_count = {-5};
    draw(st_.row_map, st_.hidden_rows, 100);
    for (std::vector<std::byte>* rows_of : {&st_.hidden, &st_.hidden_out}) {
      // out of rebuild_padding and of gather has up to n * W rows
      const std::int64_t held = std::max<std::int64_t>(st_.hidden_rows, std::int64_t{n} * st_.w);
      rows_of->resize(count(held * st_.shape.row_bytes));
      const std::uint64_t start = random_.next();
      std::uint64_t word = 0;
      for (std::size_t k = 0; k < rows_of->size(); ++k) {
        if (k % 8 == 0) word = mix64(start + k);
        (*rows_of)[k] = static_cast<std::byte>(word >> 8 * (k % 8));
      }
    }
  }

  RandomStream random_;
  OpState st_;
};

}  // namespace

OpState make_state(const OpShape& shape) { return Maker(shape).make(); }

}  // namespace tandem::bench
