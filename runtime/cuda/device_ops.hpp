// Operations of the GPU that are not bookkeeping kernels: inserts, the scripted model, snapshots,
// copies.
#pragma once

#include <cstdint>

#include "runtime/core/device.hpp"
#include "runtime/cuda/memory.hpp"
#include "runtime/cuda/model_config.hpp"
#include "runtime/cuda/step_image.hpp"

struct CUstream_st;

namespace tandem::cuda {

/// What every operation works on. `image` is device memory of layout.words words, null where
/// nothing is recorded. All functions below enqueue on `stream`, never wait and throw CudaFailure.
struct OpContext {
  const ModelConfig& model;
  const DeviceTensors& tensors;
  const ImageLayout& layout;
  std::int32_t* image = nullptr;
  RecordLevel level = RecordLevel::off;
  CUstream_st* stream = nullptr;

  [[nodiscard]] bool recording() const { return image != nullptr; }
  [[nodiscard]] bool full() const { return recording() && level == RecordLevel::full; }
};

// -- insert.cu (6.1 to 6.3, 6.6) -----------------------------------------------------------------
/// `staged`, device memory: the number of tasks, for each the offset of its words and one past the
/// last, then the words of runtime/core/task_arrays.hpp.
void insert_tasks(const OpContext& c, const std::int64_t* staged, std::int32_t task_count);

// -- model.cu: the scripted model; a forward keeps the stream busy for `busy_ns` -----------------
void target_forward(const OpContext& c, const LaunchArgs& args, Nanos busy_ns);
/// Default rows: what no operation behind writes is nobody's.
void clear_rows(const OpContext& c, std::span<ProvenanceRow> rows);
void lm_head(const OpContext& c, const LaunchArgs& args);
void clear_head_packing(const OpContext& c, const LaunchArgs& args);
void draft_forward(const OpContext& c, const LaunchArgs& args, int substep, Nanos busy_ns);
void draft_lm_head(const OpContext& c, int substep);
void ngram_extend(const OpContext& c, const LaunchArgs& args);

// -- snapshots.cu: into the image; nothing where nothing is recorded -----------------------------
void take_p0(const OpContext& c);
void take_p1(const OpContext& c);
/// The same in front of the main launch's packing, and whether recorded or not: rows from N to
/// `reach`, the greatest captured size, and all output rows become nobody's.
void take_p1_and_clear_packing(const OpContext& c, const LaunchArgs& args, std::int32_t reach);
/// Seeds and stop counters, in front of sampling.
void take_used(const OpContext& c, const LaunchArgs& args);
void take_p2(const OpContext& c, const LaunchArgs& args);
/// Level full alone: elsewhere P3 is what ship_image() finds.
void take_p3(const OpContext& c);
/// `words` of the image to `to`, pinned memory of the image's size; with P3 and P4 as they are now
/// if the step `ends` there.
void ship_image(const OpContext& c, std::int32_t* to, std::size_t words, bool ends);
/// A keyframe's columns into the image, and outputs that were not sent yet out of a ring entry.
void take_keyframe(const OpContext& c, const PinnedEntry& to, const PinnedEntry& unsent);
/// Level full (V11): fills rows that nobody may read, and counts what became of them.
void poison(const OpContext& c, const LaunchArgs& args);
void count_damage(const OpContext& c, const LaunchArgs& args);

// -- copies.cu: into pinned host memory ----------------------------------------------------------
void copy_seq_lens(const OpContext& c, const PinnedEntry& to, std::int32_t n, std::int64_t t);
void copy_output_rows(const OpContext& c, const PinnedEntry& to);
void copy_outputs(const OpContext& c, const PinnedEntry& to, std::int64_t t);
/// The value of a blocking read of a sync row.
void read_scratch(const OpContext& c, const plan::Operation& op, std::int32_t n,
                  std::int64_t* scratch);

}  // namespace tandem::cuda
