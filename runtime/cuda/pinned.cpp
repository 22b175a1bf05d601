// Places in page-locked memory.
#include "runtime/cuda/pinned.hpp"

#include <algorithm>

#include <cuda_runtime_api.h>

#include "runtime/core/message.hpp"
#include "runtime/core/task_arrays.hpp"
#include "runtime/cuda/failure.hpp"

namespace tandem::cuda {
namespace {

constexpr std::size_t kAlignment = 64;

/// Cuts spans out of a block of bytes; without one it only adds up.
class Cutter {
 public:
  explicit Cutter(std::byte* base) : base_(base) {}

  template <class T>
  std::span<T> take(std::size_t count) {
    std::byte* at = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return {reinterpret_cast<T*>(at), at == nullptr ? 0 : count};
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

PinnedEntry cut_outputs(const RunConfig& config, Cutter& cutter) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  PinnedEntry out;
  out.accept_tokens =
      cutter.take<std::int64_t>(slots * static_cast<std::size_t>(config.row_width()));
  out.accept_num = cutter.take<std::int32_t>(slots);
  out.seq_len = cutter.take<std::int32_t>(slots);
  out.prompt_len = cutter.take<std::int64_t>(slots);
  return out;
}

PinnedEntry cut_entry(const RunConfig& config, Cutter& cutter) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  PinnedEntry out = cut_outputs(config, cutter);
  out.q = cutter.take<std::int32_t>(slots);
  out.b = cutter.take<std::int32_t>(slots);
  out.numbers = cutter.take<PinnedNumbers>(1).data();
  return out;
}

std::size_t entry_bytes(const RunConfig& config) {
  Cutter cutter(nullptr);
  (void)cut_entry(config, cutter);
  return cutter.used();
}

void cut_keyframe(const RunConfig& config, const ImageLayout& layout, Cutter& cutter,
                  KeyframeBuffer* out) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  const auto image = cutter.take<std::int32_t>(layout.words);
  const auto seeds = cutter.take<std::int64_t>(slots);
  const auto tables =
      cutter.take<std::int32_t>(slots * static_cast<std::size_t>(config.table_width()));
  const auto lengths = cutter.take<std::int32_t>(slots);
  const PinnedEntry outputs = cut_outputs(config, cutter);
  if (out == nullptr) return;
  out->image = image;
  out->infer_seed = seeds;
  out->block_tables = tables;
  out->table_len = lengths;
  out->outputs = outputs;
}

std::size_t keyframe_bytes(const RunConfig& config, const ImageLayout& layout) {
  Cutter cutter(nullptr);
  cut_keyframe(config, layout, cutter, nullptr);
  return cutter.used();
}

}  // namespace

PinnedBytes::PinnedBytes(std::size_t bytes) {
  void* data = nullptr;
  TANDEM_CUDA_CALL(cudaHostAlloc(&data, bytes, cudaHostAllocDefault));
  data_ = static_cast<std::byte*>(data);
  std::fill_n(data_, bytes, std::byte{0});
}

PinnedBytes::~PinnedBytes() { (void)cudaFreeHost(data_); }

PinnedRingEntry::PinnedRingEntry(const RunConfig& config) : memory_(entry_bytes(config)) {
  Cutter cutter(memory_.data());
  view_ = cut_entry(config, cutter);
  std::fill(view_.accept_tokens.begin(), view_.accept_tokens.end(), -1);
  *view_.numbers = PinnedNumbers{};
}

std::span<const std::int64_t> PinnedRingEntry::stage(const std::vector<Task>& tasks) {
  words_.clear();
  words_.push_back(static_cast<std::int64_t>(tasks.size()));
  words_.resize(tasks.size() + 2, 0);  // the first offset is 0
  const std::size_t head = words_.size();
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    append_words(tasks[k], words_);
    words_[k + 2] = static_cast<std::int64_t>(words_.size() - head);
  }
  if (words_.size() > staging_words_) {
    staging_words_ = std::max<std::size_t>(4096, 2 * words_.size());
    staging_ = std::make_unique<PinnedBytes>(staging_words_ * sizeof(std::int64_t));
  }
  auto* out = reinterpret_cast<std::int64_t*>(staging_->data());
  std::copy(words_.begin(), words_.end(), out);
  staged_ = {out, words_.size()};
  return staged_;
}

std::int32_t PinnedRingEntry::staged_digest() const {
  return words_digest(staged_.subspan(static_cast<std::size_t>(staged_[0]) + 2));
}

KeyframeBuffer::KeyframeBuffer(const RunConfig& config, const ImageLayout& layout)
    : memory_(keyframe_bytes(config, layout)) {
  Cutter cutter(memory_.data());
  cut_keyframe(config, layout, cutter, this);
}

void fill_keyframe(const RunConfig& config, const ImageLayout& layout, const KeyframeBuffer& buffer,
                   std::int64_t step, Keyframe& keyframe) {
  const auto column = [&](ImageColumn name, int offset, Column& out) {
    const auto words = buffer.image.subspan(layout.column(name, offset), layout.slots);
    out.assign(words.begin(), words.end());
  };
  SlotColumns& s = keyframe.slots;
  int offset = 0;
  for (Column* c : {&s.q, &s.e, &s.d, &s.s, &s.b, &s.g, &s.a}) {
    column(ImageColumn::p4, offset++, *c);
  }
  column(ImageColumn::p1_p, 0, keyframe.p);
  DraftRowColumns& d = keyframe.draft;
  offset = 0;
  for (Column* c : {&d.len, &d.hole, &d.digest, &d.first}) {
    column(ImageColumn::p4_draft, offset++, *c);
  }
  offset = 0;
  for (Column* c : {&keyframe.step_q, &keyframe.step_d, &keyframe.step_digest}) {
    column(ImageColumn::step_state, offset++, *c);
  }
  DraftShadowColumns& shadow = keyframe.shadow;
  offset = 0;
  for (Column* c : {&shadow.q, &shadow.e, &shadow.d, &shadow.g, &shadow.s}) {
    column(ImageColumn::shadow, offset++, *c);
  }
  const auto nblk = static_cast<std::size_t>(config.table_width());
  for (std::size_t i = 0; i < layout.slots; ++i) {
    const auto row =
        buffer.block_tables.subspan(i * nblk, static_cast<std::size_t>(buffer.table_len[i]));
    keyframe.blocks[i].assign(row.begin(), row.end());
  }
  keyframe.infer_seed.assign(buffer.infer_seed.begin(), buffer.infer_seed.end());
  if (!keyframe.has_unsent) return;
  const std::int32_t slots_sent = keyframe.unsent.slots;
  build_message(config, buffer.outputs,
                {keyframe.last_preempted, keyframe.request, keyframe.generation}, step, slots_sent,
                keyframe.unsent);
}

}  // namespace tandem::cuda
