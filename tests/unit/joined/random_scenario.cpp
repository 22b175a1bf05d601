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
  c.max_num_seqs = draw.any_of({1, 2, 2, 3, 4, 4, 5, 8, 13, 24});
  if (draw.one_in(50)) c.max_num_seqs = draw.within(25, 300);
  c.num_speculative_tokens = draw.one_in(3) ? draw.within(1, 16) : draw.within(1, 4);
  const bool all_substeps = draw.one_in(2);
  c.num_model_steps =
      all_substeps ? c.num_speculative_tokens : draw.within(1, c.num_speculative_tokens);
  c.block_size = draw.any_of({1, 2, 3, 4, 8, 16, 16, 64});
  // The head reaches M positions behind an unfinished chunk, wherever that ends (V21).
  const std::int32_t least = (c.num_model_steps + c.block_size - 1) / c.block_size;
  c.enc_dec_block_num = draw.within(least, least + 2);
  c.max_model_len = draw.within(8, draw.one_in(4) ? 400 : 120);
  c.pinned_ring_depth = draw.one_in(8) ? draw.within(5, 64) : draw.any_of({1, 1, 2, 3, 4});
  const std::int32_t budget = c.max_num_seqs * c.row_width();
  c.max_num_batched_tokens = std::max(2, budget + (draw.one_in(3) ? 0 : draw.within(0, 150)));
  const bool has_room = c.num_model_steps < c.num_speculative_tokens;
  if (has_room && !draw.one_in(3)) {
    c.ngram_millionths =
        static_cast<std::uint32_t>(draw.one_in(3) ? 1'000'000 : draw.within(1, 999'999));
  }
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

void draw_vocabulary(Draws& draw, RunConfig& c) {
  c.vocab_size = draw.any_of({16, 1000, 32000});
  if (draw.one_in(3)) c.padding_id = draw.within(0, c.vocab_size - 1);
  if (!draw.one_in(3)) return;
  // As many as leave three ordinary ids in the least vocabulary, wherever the padding id lies.
  const std::int32_t count = draw.within(1, draw.one_in(4) ? 12 : 3);
  c.eos_ids.clear();
  while (c.eos_ids.size() < static_cast<std::size_t>(count)) {
    const std::int64_t id = draw.within(0, c.vocab_size - 1);
    if (std::find(c.eos_ids.begin(), c.eos_ids.end(), id) == c.eos_ids.end()) {
      c.eos_ids.push_back(id);
    }
  }
}

void draw_captured_sizes(Draws& draw, RunConfig& c) {
  if (draw.one_in(2)) return;
  if (draw.one_in(2)) {
    c.captured_sizes = usual_captured_sizes(c.max_num_seqs, c.row_width());
    return;
  }
  // Sizes that fit no whole number of slots, too few of them, and some that nothing ever fills.
  const std::int32_t count = draw.within(1, 6);
  for (std::int32_t k = 0; k < count; ++k) {
    c.captured_sizes.push_back(draw.within(1, 2 * c.max_num_seqs * c.row_width()));
  }
  std::sort(c.captured_sizes.rbegin(), c.captured_sizes.rend());
  c.captured_sizes.erase(std::unique(c.captured_sizes.begin(), c.captured_sizes.end()),
                         c.captured_sizes.end());
}

void draw_acceptance(Draws& draw, RunConfig& c) {
  c.acceptance.kind = draw.one_in(3) ? AcceptKind::list : AcceptKind::per_position;
  if (c.acceptance.kind == AcceptKind::list) return;  // each request brings its own
  const std::int32_t level = draw.any_of({0, 300'000, 700'000, 950'000, 1'000'000});
  for (std::int32_t j = 0; j < c.num_speculative_tokens; ++j) {
    const bool own = draw.one_in(4);
    c.acceptance.millionths.push_back(
        static_cast<std::uint32_t>(own ? draw.within(0, 1'000'000) : level));
  }
}

void draw_config(Draws& draw, RunConfig& c) {
  c.scenario = "random";
  draw_sizes(draw, c);
  draw_rows(draw, c);
  c.policy = draw.any_of({PolicyKind::exact, PolicyKind::predict_rows_hidden,
                          PolicyKind::upper_bound, PolicyKind::all_accepted});
  c.draft_path = draw.any_of({DraftPath::gather, DraftPath::self});
  if (c.draft_path == DraftPath::gather && draw.one_in(8)) {
    c.encoder_test = EncoderTest::step_idx;  // of no effect on this path
  }
  c.copies_own_stream = draw.one_in(3);
  c.splitwise_prefill = draw.one_in(12);
  c.arrivals = draw.any_of({ArrivalUnit::step, ArrivalUnit::step, ArrivalUnit::ns});
  draw_vocabulary(draw, c);
  draw_captured_sizes(draw, c);
  draw_acceptance(draw, c);
}

/// Half of the time what a usual device costs; else each cost far from the others.
void draw_timing(Draws& draw, TimingModel& timing) {
  if (draw.one_in(2)) return;
  for (Nanos* cost : {&timing.forward_base_ns, &timing.forward_row_ns, &timing.draft_base_ns,
                      &timing.draft_row_ns, &timing.kernel_ns, &timing.copy_ns, &timing.host_op_ns,
                      &timing.host_step_ns}) {
    if (!draw.one_in(3)) *cost = draw.any_of({0, 1, 700, 30'000, 2'000'000, 40'000'000});
  }
}

/// `calm`: no request is preempted. Whether a sequence passes min_tokens hangs on where the step
/// begins that sees it, and a preemption moves that (5.6).
void draw_stop_sequence(Draws& draw, bool calm, RequestRow& row) {
  // EOS stands two places behind the sequence or later: the place behind it is its own.
  const std::int32_t last = row.eos_at > 0 ? row.eos_at - 2 : row.max_dec_len;
  if (last < 1) return;
  const std::int32_t stop_at = draw.within(1, last);
  const std::int32_t length = draw.within(1, draw.one_in(3) ? kStopLenMax : 3);
  const std::int32_t most = stop_at + (calm ? 8 : 1);
  const std::int32_t min_tokens = draw.one_in(2) ? 0 : draw.within(0, most);
  set_stop_sequence(row, stop_at, length, min_tokens);
}

/// Triggers within the output, 0 and the end included.
void draw_triggers(Draws& draw, bool calm, RequestSpec& spec) {
  if (draw.one_in(6)) spec.row.abort_after = draw.within(0, spec.row.max_dec_len);
  if (draw.one_in(30)) spec.row.abort_after = 0;
  if (calm) return;
  if (draw.one_in(6)) spec.preempt_after = draw.within(0, spec.row.max_dec_len);
  if (draw.one_in(30)) spec.preempt_after = 0;
}

RequestSpec draw_request(Draws& draw, const RunConfig& c, bool calm, RequestId id,
                         std::int64_t arrival) {
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
  if (c.acceptance.kind == AcceptKind::list) {
    const std::int32_t entries = draw.within(1, 6);
    for (std::int32_t j = 0; j < entries; ++j) {
      spec.row.accept.push_back(draw.within(1, c.row_width() + (draw.one_in(4) ? 4 : 0)));
    }
  }
  if (draw.one_in(4) && !c.splitwise_prefill) draw_stop_sequence(draw, calm, spec.row);
  if (draw.one_in(4)) spec.row.cached_prompt = draw.within(0, spec.row.prompt_len - 1);
  draw_triggers(draw, calm, spec);
  if (draw.one_in(4) && !ends_at_once(spec.row) && !c.splitwise_prefill) {
    const std::int32_t drafts = draw.within(0, c.num_speculative_tokens);
    const bool fits = !find_dnode_misfit(c, spec.row.prompt_len, drafts);
    spec.dnode_drafts = fits ? drafts : 0;
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
  draw_timing(draw, drawn.scenario.timing);
  drawn.level = draw.any_of({RecordLevel::state, RecordLevel::state, RecordLevel::state,
                             RecordLevel::timeline, RecordLevel::full});
  const bool calm = draw.one_in(4);
  const bool is_wide = c.max_num_seqs > 24;
  const std::int32_t count = is_wide ? draw.within(c.max_num_seqs / 2, 2 * c.max_num_seqs)
                                     : draw.within(1, draw.one_in(4) ? 60 : 12);
  const std::int32_t gap = is_wide ? draw.within(0, 1) : draw.any_of({0, 1, 4, 12, 40});
  const std::int64_t unit = c.arrivals == ArrivalUnit::step ? 1 : kArrivalUnitNs;
  std::int64_t arrival = draw.one_in(4) ? draw.within(0, 20) * unit : 0;
  std::int64_t need = 1;
  for (RequestId id = 0; id < count; ++id) {
    drawn.requests.push_back(draw_request(draw, c, calm, id, arrival));
    const RequestRow& row = drawn.requests.back().row;
    need = std::max(need, blocks_needed(c, std::int64_t{row.prompt_len} + row.max_dec_len));
    arrival += draw.within(0, gap) * unit;
  }
  const std::int32_t plenty = c.max_num_seqs * c.table_width();
  const auto least = static_cast<std::int32_t>(need);
  const bool tight = !calm && draw.one_in(2);
  c.kv_blocks = tight ? draw.within(least, std::min(plenty, 2 * least + 4)) : plenty;
  // By step only: then every device cuts at the same place.
  drawn.is_cut = c.arrivals == ArrivalUnit::step && draw.one_in(12);
  drawn.scenario.steps_max = drawn.is_cut ? draw.within(1, 80) : kFarSteps;
  return drawn;
}

}  // namespace tandem::test
