// TinyRun's snapshots and keyframes, and traces made of its records.
#include <algorithm>

#include "tests/support/sim_tiny.hpp"
#include "traces/base/hash.hpp"

namespace tandem::test {

std::int32_t TinyRun::digest(const std::vector<std::int64_t>& tokens, std::size_t first,
                             std::size_t end, unsigned bits) const {
  if (end <= first) return 0;
  const std::span<const std::int64_t> row(tokens.data() + first, end - first);
  if (row.front() == 31001) return 0x5A;  // a transferred request's drafts
  if (row.front() == 31000) return 0x77;  // and its last token
  return static_cast<std::int32_t>(token_row_digest(config_.digest_key, row, bits));
}

std::size_t TinyRun::row_length(const TinySlot& slot) const {
  const auto end = std::find(slot.row_tokens.begin(), slot.row_tokens.end(), -1);
  return static_cast<std::size_t>(end - slot.row_tokens.begin());
}

void TinyRun::write_p1() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const std::size_t length = row_length(slot);
    r_.p1.q[i] = slot.q;
    r_.p1.e[i] = slot.e;
    r_.p1.d[i] = slot.d;
    r_.p1.s[i] = slot.s ? 1 : 0;
    r_.p1.b[i] = slot.b;
    r_.p1.g[i] = slot.g;
    r_.p1_p[i] = slot.p;
    r_.p1_draft.len[i] = static_cast<std::int32_t>(length);
    r_.p1_draft.digest[i] = digest(slot.row_tokens, 1, length, 8);
    r_.p1_draft.first[i] = digest(slot.row_tokens, 0, 1, 8);
    std::uint32_t hash = 0;
    for (std::size_t k = 0; k < slot.table.size(); ++k) {
      hash += block_entry_hash(static_cast<std::int32_t>(k), slot.table[k]);
    }
    r_.p1_table_hash[i] = static_cast<std::int32_t>(hash);
    const bool held = !slot.s || slot.b != 0;
    r_.p1_request[i] = held ? slot.request : -1;
    r_.p1_generation[i] = held ? slot.given - 1 : 0;
  }
}

void TinyRun::write_p2() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const std::size_t a = slot.accepted.size();
    r_.p2.q[i] = slot.q;
    r_.p2.e[i] = slot.e;
    r_.p2.d[i] = slot.d;
    r_.p2.s[i] = slot.s ? 1 : 0;
    r_.p2.b[i] = slot.b;
    r_.p2.g[i] = slot.g;
    r_.p2.a[i] = slot.a;
    r_.accept_digest[i] = slot.chunk ? 0 : digest(slot.accepted, 0, a, 16);
    r_.last_digest[i] = a > 0 ? digest(slot.accepted, a - 1, a, 8) : 0;
    r_.accept_marks[i] = a > 0 && slot.accepted.back() == config_.eos_ids.front() ? 1 : 0;
    if (a > 0) {
      r_.enqueue_generation[i] = r_.p2_generation[i] = slot.given - 1;
      r_.seed_used[i] = static_cast<std::int32_t>(slot.seed_used & 0x7FFFFFFF);
      r_.stop_step_idx[i] = slot.g_before;
    }
    r_.p2_first[i] = digest(slot.row_tokens, 0, 1, 8);
  }
}

void TinyRun::write_p4() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const std::size_t length = row_length(slot);
    r_.p4.q[i] = slot.q;
    r_.p4.e[i] = slot.e;
    r_.p4.d[i] = slot.d;
    r_.p4.s[i] = slot.s ? 1 : 0;
    r_.p4.b[i] = slot.b;
    r_.p4.g[i] = slot.g;
    r_.p4.a[i] = slot.a;
    r_.p4_draft.len[i] = static_cast<std::int32_t>(length);
    r_.p4_draft.digest[i] = digest(slot.row_tokens, 1, length, 8);
    r_.p4_draft.first[i] = digest(slot.row_tokens, 0, 1, 8);
    r_.step_q[i] = slot.step_q;
    r_.step_d[i] = slot.step_d;
    r_.step_digest[i] = digest(slot.step_tokens, 1, static_cast<std::size_t>(slot.step_q), 8);
  }
}

Keyframe TinyRun::keyframe() const {
  Keyframe k = Keyframe::initial(t_, config_.max_num_seqs);
  k.n = n_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const std::size_t length = row_length(slot);
    k.slots.q[i] = slot.q;
    k.slots.e[i] = slot.e;
    k.slots.d[i] = slot.d;
    k.slots.s[i] = slot.s ? 1 : 0;
    k.slots.b[i] = slot.b;
    k.slots.g[i] = slot.g;
    k.slots.a[i] = slot.a;
    k.p[i] = slot.p;
    k.draft.len[i] = static_cast<std::int32_t>(length);
    k.draft.digest[i] = digest(slot.row_tokens, 1, length, 8);
    k.draft.first[i] = digest(slot.row_tokens, 0, 1, 8);
    k.step_q[i] = slot.step_q;
    k.step_d[i] = slot.step_d;
    k.step_digest[i] = digest(slot.step_tokens, 1, static_cast<std::size_t>(slot.step_q), 8);
    k.shadow.q[i] = slot.hq;
    k.shadow.e[i] = slot.he;
    k.shadow.d[i] = slot.hd;
    k.shadow.g[i] = slot.hg;
    k.shadow.s[i] = slot.hs ? 1 : 0;
    k.blocks[i] = slot.table;
    k.request[i] = slot.request;
    k.generation[i] = slot.given;
    if (slot.request >= 0) k.rows.push_back(slot.row);
    k.known_d[i] = slot.known_d;
    k.known_g[i] = slot.known_g;
    k.in_flight[i] = slot.in_flight;
    k.infer_seed[i] = slot.seed;
  }
  k.flag = flag_;
  k.draft_flag = draft_flag_;
  k.cached = cached_;
  k.q_cpu = q_cpu_;
  k.b_cpu = b_cpu_;
  k.ghost = ghost_;
  k.has_unsent = has_unsent_;
  if (has_unsent_) k.unsent = unsent_;
  k.preempted = marked_;
  k.last_preempted = last_marked_;
  return k;
}

namespace {

class TinyBlockReader : public BlockReader {
 public:
  TinyBlockReader(const TinyTrace::Block& block, bool broken) : block_(block), broken_(broken) {}
  [[nodiscard]] const Keyframe& keyframe() const override { return block_.keyframe; }
  [[nodiscard]] Result<bool> next(StepRecord& record) override {
    if (broken_ && next_ == 1) return Error::make("tiny: record 1", "got noise", "a record");
    if (next_ == block_.records.size()) return false;
    record = block_.records[next_++];
    return true;
  }

 private:
  const TinyTrace::Block& block_;
  bool broken_;
  std::size_t next_ = 0;
};

RequestRow request(RequestId id, std::int32_t prompt, std::int32_t eos_at,
                   std::vector<std::int32_t> accept) {
  RequestRow row;
  row.id = id;
  row.prompt_len = prompt;
  row.max_dec_len = 200;
  row.eos_at = eos_at;
  row.accept = std::move(accept);
  return row;
}

}  // namespace

TinyReader::TinyReader(const TinyTrace& trace) : trace_(trace) {
  for (const TinyTrace::Block& block : trace.content) {
    BlockInfo info;
    info.first_step = block.keyframe.t;
    info.record_count = info.step_count = static_cast<std::int64_t>(block.records.size());
    infos_.push_back(info);
  }
}

Result<std::unique_ptr<BlockReader>> TinyReader::open_block(std::size_t index) const {
  return std::unique_ptr<BlockReader>(
      std::make_unique<TinyBlockReader>(trace_.content.at(index), index == trace_.broken_block));
}

RunConfig tiny_config() {
  RunConfig c;
  c.scenario = "tiny";
  c.rows.fill(RowMode::overlap);
  c.max_num_seqs = 2;
  c.num_speculative_tokens = 2;
  c.num_model_steps = 2;
  c.block_size = 13;
  c.kv_blocks = 1 << 20U;
  c.max_model_len = 4096;
  c.acceptance.kind = AcceptKind::list;
  c.digest_key = 0x1234;
  return c;
}

TinyTrace record_run(const RunConfig& config, std::int64_t first_step, int steps,
                     std::size_t cut_every, const std::function<void(TinyRun&, int)>& before,
                     RecordLevel level) {
  TinyTrace trace;
  trace.head.config = config;
  trace.head.first_step = first_step;
  trace.head.level = level;
  trace.segments = TinyPlan(config).all();
  TinyRun run(config, first_step, level);
  for (int i = 0; i < steps; ++i) {
    const bool cut = cut_every > 0 && static_cast<std::size_t>(i) % cut_every == 0;
    if (i == 0 || cut) trace.content.push_back({run.keyframe(), {}});
    before(run, i);
    trace.content.back().records.push_back(run.step());
  }
  trace.end_state = run.keyframe();
  return trace;
}

TinyTrace worked_example(std::size_t cut_every, RecordLevel level) {
  const RequestRow first = request(0, 2, 4, {2, 2});
  const RequestRow second = request(1, 1, 0, {2, 2, 1, 3});
  const RequestRow third = request(2, 7, 0, {3});
  return record_run(
      tiny_config(), 2, 10, cut_every,
      [=](TinyRun& run, int i) {
        if (i == 0) {
          run.prefill(0, first, 1);
          run.prefill(1, second, 1);
        }
        if (i == 5) run.prefill(0, third, 4);
        if (i == 6) run.refresh(1, 3);
      },
      level);
}

}  // namespace tandem::test
