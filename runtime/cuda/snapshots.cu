// Snapshots of the device's state at the record's points, one thread a slot, into the step's image.
#include "runtime/cuda/launching.cuh"
#include "runtime/ops/provenance.hpp"

namespace tandem::cuda {
namespace {

constexpr std::int64_t kSeedMask = 0x7FFFFFFF;  // StepRecord::seed_used

/// One slot's words of an image.
struct SlotWriter {
  const ModelConfig& model;
  const DeviceTensors& m;
  const ImageLayout& layout;
  std::int32_t* image;
  std::size_t slot;

  __device__ void put(ImageColumn name, int offset, std::int64_t value) const {
    image[layout.column(name, offset) + slot] = static_cast<std::int32_t>(value);
  }
  __device__ void put(ImageColumn name, std::int64_t value) const { put(name, 0, value); }

  __device__ void slots(ImageColumn first) const {
    put(first, 0, m.seq_lens_this_time[slot]);
    put(first, 1, m.seq_lens_encoder[slot]);
    put(first, 2, m.seq_lens_decoder[slot]);
    put(first, 3, m.stop_flags[slot]);
    put(first, 4, m.is_block_step[slot]);
    put(first, 5, m.step_idx[slot]);
    put(first, 6, m.accept_num[slot]);
  }
  /// D as counts and digests.
  __device__ void draft_row(ImageColumn first) const {
    const auto width = static_cast<std::size_t>(model.row_width());
    const std::int64_t* row = &m.draft_tokens[slot * width];
    std::size_t length = 0;
    while (length < width && row[length] != -1) ++length;
    bool hole = false;
    for (std::size_t x = length; x < width; ++x) hole = hole || row[x] != -1;
    put(first, 0, static_cast<std::int64_t>(length));
    put(first, 1, hole ? 1 : 0);
    put(first, 2, length > 1 ? digest_of(model, row + 1, length - 1, 8) : 0);
    put(first, 3, digest_of(model, row, 1, 8));
  }
  [[nodiscard]] __device__ std::int32_t get(ImageColumn name, int offset) const {
    return image[layout.column(name, offset) + slot];
  }
  /// Cells from `known` on are leftovers: -1.
  __device__ void token_row(int table, const std::int64_t* row, std::int32_t known) const {
    const auto width = static_cast<std::size_t>(model.row_width());
    auto* out = reinterpret_cast<std::int64_t*>(image + layout.token_table(table));
    for (std::size_t x = 0; x < width; ++x) {
      out[slot * width + x] = x < static_cast<std::size_t>(known) ? row[x] : -1;
    }
  }
  [[nodiscard]] __device__ const std::int64_t* row_of(std::span<std::int64_t> table) const {
    return &table[slot * static_cast<std::size_t>(model.row_width())];
  }
  [[nodiscard]] __device__ bool ran(std::int32_t n) const {
    return slot < static_cast<std::size_t>(n) && m.seq_lens_this_time[slot] > 0;
  }
};

/// Runs `take(writer)` for every slot.
template <class Take>
__global__ void each_slot_kernel(const __grid_constant__ ModelConfig model,
                                 const __grid_constant__ DeviceTensors m,
                                 const __grid_constant__ ImageLayout layout, std::int32_t* image,
                                 Take take) {
  const std::size_t slot = global_index();
  if (slot >= layout.slots) return;
  take(SlotWriter{model, m, layout, image, slot});
}

template <class Take>
void each_slot(const OpContext& c, Take take) {
  if (!c.recording()) return;
  each_slot_kernel<<<blocks_for(c.layout.slots), kBlock, 0, c.stream>>>(c.model, c.tensors,
                                                                        c.layout, c.image, take);
  expect_kernel();
}

struct TakeP0 {
  __device__ void operator()(const SlotWriter& w) const { w.slots(ImageColumn::p0); }
};

struct TakeP1 {
  bool full;

  __device__ void operator()(const SlotWriter& w) const {
    w.slots(ImageColumn::p1);
    w.draft_row(ImageColumn::p1_draft);
    w.put(ImageColumn::p1_p, w.m.prompt_lens[w.slot]);
    w.put(ImageColumn::p1_table_hash, w.m.table_hash[w.slot]);
    const bool held = w.m.stop_flags[w.slot] == 0 || w.m.is_block_step[w.slot] != 0;
    w.put(ImageColumn::p1_request, held ? w.m.slot_request[w.slot] : kNoRequest);
    w.put(ImageColumn::p1_generation, held ? w.m.slot_generation[w.slot] : 0);
    if (full) w.token_row(0, w.row_of(w.m.draft_tokens), w.model.row_width());
  }
};

/// Seed and stop counter as the step uses them; no seed where nothing is sampled.
struct TakeUsed {
  std::int32_t n;
  bool samples;

  __device__ void operator()(const SlotWriter& w) const {
    const bool ran = w.ran(n);
    w.put(ImageColumn::seed_used, ran && samples ? w.m.infer_seed[w.slot] & kSeedMask : 0);
    w.put(ImageColumn::stop_step_idx, ran ? w.m.step_idx[w.slot] : 0);
  }
};

struct TakeP2 {
  std::int32_t n;
  bool full;

  __device__ void operator()(const SlotWriter& w) const {
    w.slots(ImageColumn::p2);
    const std::int64_t* row = w.row_of(w.m.accept_tokens);
    const std::int32_t count = min(max(w.m.accept_num[w.slot], 0), w.model.row_width());
    // A chunk that does not finish its text: its token is sent to nobody.
    const bool is_sent =
        w.get(ImageColumn::p1, 1) <= 0 || w.m.seq_lens_decoder[w.slot] >= w.m.prompt_lens[w.slot];
    w.put(ImageColumn::accept_digest,
          is_sent ? digest_of(w.model, row, static_cast<std::size_t>(count), 16) : 0);
    w.put(ImageColumn::last_digest, count > 0 ? digest_of(w.model, row + count - 1, 1, 8) : 0);
    w.put(ImageColumn::p2_first, digest_of(w.model, w.row_of(w.m.draft_tokens), 1, 8));
    std::int32_t marks = 0;
    for (std::int32_t x = 0; x < count; ++x) {
      if (row[x] < 0) marks |= kMarkNegative;
      if (w.model.is_eos(row[x])) marks |= x + 1 == count ? kMarkLastIsEos : kMarkEarlierEos;
    }
    w.put(ImageColumn::accept_marks, marks);
    w.put(ImageColumn::p2_generation, w.ran(n) ? w.m.slot_generation[w.slot] : 0);
    if (full) w.token_row(1, row, count);
  }
};

struct TakeP3 {
  bool full;

  __device__ void operator()(const SlotWriter& w) const {
    w.put(ImageColumn::shadow, 0, w.m.draft_q[w.slot]);
    w.put(ImageColumn::shadow, 1, w.m.draft_e[w.slot]);
    w.put(ImageColumn::shadow, 2, w.m.draft_d[w.slot]);
    w.put(ImageColumn::shadow, 3, w.m.draft_step_idx[w.slot]);
    w.put(ImageColumn::shadow, 4, w.m.draft_stop[w.slot]);
    if (full) w.slots(ImageColumn::p3);
  }
};

struct TakeP4 {
  bool full;

  __device__ void operator()(const SlotWriter& w) const {
    w.slots(ImageColumn::p4);
    w.draft_row(ImageColumn::p4_draft);
    const std::int32_t q = w.m.step_seq_lens_this_time[w.slot];
    const std::int32_t length = min(max(q, 0), w.model.row_width());
    const std::int64_t* row = w.row_of(w.m.step_draft_tokens);
    w.put(ImageColumn::step_state, 0, q);
    w.put(ImageColumn::step_state, 1, w.m.step_seq_lens_decoder[w.slot]);
    w.put(ImageColumn::step_state, 2,
          length > 1 ? digest_of(w.model, row + 1, static_cast<std::size_t>(length) - 1, 8) : 0);
    if (full) w.token_row(2, w.row_of(w.m.draft_tokens), w.model.row_width());
  }
};

struct TakeKeyframe {
  PinnedEntry to, unsent;

  __device__ void operator()(const SlotWriter& w) const {
    TakeP4{false}(w);
    TakeP3{false}(w);
    w.put(ImageColumn::p1_p, w.m.prompt_lens[w.slot]);
    const auto width = static_cast<std::size_t>(w.model.row_width());
    for (std::size_t x = w.slot * width; x < (w.slot + 1) * width; ++x) {
      to.accept_tokens[x] = unsent.accept_tokens[x];
    }
    to.accept_num[w.slot] = unsent.accept_num[w.slot];
    to.seq_len[w.slot] = unsent.seq_len[w.slot];
    to.prompt_len[w.slot] = unsent.prompt_len[w.slot];
  }
};

/// P1, and rows of the static buffers from `from` on cleared for the packing behind it.
__global__ void take_p1_and_clear_kernel(const __grid_constant__ ModelConfig model,
                                         const __grid_constant__ DeviceTensors m,
                                         const __grid_constant__ ImageLayout layout,
                                         std::int32_t* image, bool full, std::int32_t from,
                                         std::int32_t to) {
  const std::size_t x = global_index();
  if (image != nullptr && x < layout.slots) TakeP1{full}(SlotWriter{model, m, layout, image, x});
  if (x < static_cast<std::size_t>(to - from)) m.batch_id_per_token[from + x] = -1;
  if (x < m.batch_id_per_token_output.size()) m.batch_id_per_token_output[x] = -1;
}

/// The step's image to pinned memory: P3 and P4, if the step reaches them, straight from the slots,
/// everything else as it stands. One kernel, so that the next step waits for no copy engine.
__global__ void ship_image_kernel(const __grid_constant__ ModelConfig model,
                                  const __grid_constant__ DeviceTensors m,
                                  const __grid_constant__ ImageLayout layout,
                                  const std::int32_t* image, std::int32_t* to, std::size_t words,
                                  bool ends, bool full) {
  const std::size_t x = global_index();
  if (ends && x < layout.slots) {
    const SlotWriter w{model, m, layout, to, x};
    if (!full) TakeP3{false}(w);
    TakeP4{full}(w);
  }
  const auto within = [x](std::size_t first, std::size_t end) { return x >= first && x < end; };
  const bool taken =
      ends && ((!full && within(layout.column(ImageColumn::shadow),
                                layout.column(ImageColumn::step_state))) ||
               within(layout.column(ImageColumn::p4), layout.column(ImageColumn::p1_draft)) ||
               within(layout.column(ImageColumn::p4_draft), layout.column(ImageColumn::shadow)) ||
               within(layout.column(ImageColumn::step_state), layout.column(ImageColumn::p1_p)) ||
               (full && within(layout.token_table(2), layout.token_table(3))));
  if (x < words && !taken) to[x] = image[x];
}

/// Rows that nobody may read: hidden rows from T to N, output batch ids from R to n W.
struct PoisonRange {
  std::int32_t hidden_from, hidden_to, output_from, output_to;

  __device__ PoisonRange(const DeviceTensors& m, std::int32_t n, std::int32_t token_num,
                         std::int32_t width)
      : hidden_from(min(m.cu_seqlens_q[n], token_num)),
        hidden_to(token_num),
        output_from(m.real_output_token_num[0]),
        output_to(n * width) {}
};

__global__ void poison_kernel(const __grid_constant__ ModelConfig model,
                              const __grid_constant__ DeviceTensors m,
                              const __grid_constant__ ImageLayout layout, std::int32_t* image,
                              std::int32_t n, std::int32_t token_num) {
  const PoisonRange range(m, n, token_num, model.row_width());
  for (std::int32_t x = range.hidden_from + threadIdx.x; x < range.hidden_to; x += blockDim.x) {
    m.hidden_states[x] = {kPoison, kPoison, kPoison, kPoison};
  }
  for (std::int32_t x = range.output_from + threadIdx.x; x < range.output_to; x += blockDim.x) {
    m.batch_id_per_token_output[x] = kPoison;
  }
  if (threadIdx.x != 0) return;
  image[layout.number(ImageNumber::poison_rows)] =
      (range.hidden_to - range.hidden_from) + (range.output_to - range.output_from);
}

__global__ void count_damage_kernel(const __grid_constant__ ModelConfig model,
                                    const __grid_constant__ DeviceTensors m,
                                    const __grid_constant__ ImageLayout layout, std::int32_t* image,
                                    std::int32_t n, std::int32_t token_num) {
  __shared__ int damaged;
  if (threadIdx.x == 0) damaged = 0;
  __syncthreads();
  const PoisonRange range(m, n, token_num, model.row_width());
  for (std::int32_t x = range.hidden_from + threadIdx.x; x < range.hidden_to; x += blockDim.x) {
    const ProvenanceRow row = m.hidden_states[x];
    const bool holds = row.request == kPoison && row.position == kPoison && row.phase == kPoison &&
                       row.sound == kPoison;
    if (!holds) atomicAdd(&damaged, 1);
  }
  for (std::int32_t x = range.output_from + threadIdx.x; x < range.output_to; x += blockDim.x) {
    if (m.batch_id_per_token_output[x] != kPoison) atomicAdd(&damaged, 1);
  }
  __syncthreads();
  if (threadIdx.x == 0) image[layout.number(ImageNumber::poison_damaged)] = damaged;
}

}  // namespace

void take_p0(const OpContext& c) {
  if (c.full()) each_slot(c, TakeP0{});
}

void take_p1(const OpContext& c) { each_slot(c, TakeP1{c.full()}); }

void take_p1_and_clear_packing(const OpContext& c, const LaunchArgs& args, std::int32_t reach) {
  const std::int32_t to = std::max(args.token_num, reach);
  const std::size_t items = std::max({static_cast<std::size_t>(to - args.token_num),
                                      c.tensors.batch_id_per_token_output.size(), c.layout.slots});
  take_p1_and_clear_kernel<<<blocks_for(items), kBlock, 0, c.stream>>>(
      c.model, c.tensors, c.layout, c.image, c.full(), args.token_num, to);
  expect_kernel();
}

void take_used(const OpContext& c, const LaunchArgs& args) {
  each_slot(c, TakeUsed{args.n, args.output_rows > 0});
}

void take_p2(const OpContext& c, const LaunchArgs& args) { each_slot(c, TakeP2{args.n, c.full()}); }

void take_p3(const OpContext& c) {
  if (c.full()) each_slot(c, TakeP3{true});
}

void ship_image(const OpContext& c, std::int32_t* to, std::size_t words, bool ends) {
  ship_image_kernel<<<blocks_for(std::max(words, c.layout.slots)), kBlock, 0, c.stream>>>(
      c.model, c.tensors, c.layout, c.image, to, words, ends, c.full());
  expect_kernel();
}

void take_keyframe(const OpContext& c, const PinnedEntry& to, const PinnedEntry& unsent) {
  each_slot(c, TakeKeyframe{to, unsent});
}

void poison(const OpContext& c, const LaunchArgs& args) {
  if (!c.full()) return;
  poison_kernel<<<1, kWideBlock, 0, c.stream>>>(c.model, c.tensors, c.layout, c.image, args.n,
                                                args.token_num);
  expect_kernel();
}

void count_damage(const OpContext& c, const LaunchArgs& args) {
  if (!c.full()) return;
  count_damage_kernel<<<1, kWideBlock, 0, c.stream>>>(c.model, c.tensors, c.layout, c.image, args.n,
                                                      args.token_num);
  expect_kernel();
}

}  // namespace tandem::cuda
