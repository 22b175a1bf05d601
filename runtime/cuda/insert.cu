// insert(t): device writes of the engine's tasks, as runtime/host/insert.cpp makes them.
#include "runtime/core/script.hpp"
#include "runtime/core/task_arrays.hpp"
#include "runtime/cuda/launching.cuh"
#include "scenarios/scenario.hpp"

namespace tandem::cuda {
namespace {

/// The words of one staged task.
struct TaskView {
  const std::int64_t* words;

  __device__ std::int64_t get(TaskWord w) const { return words[static_cast<std::size_t>(w)]; }
  __device__ std::int32_t get32(TaskWord w) const { return static_cast<std::int32_t>(get(w)); }
  __device__ std::int32_t row(RowWord w) const {
    return static_cast<std::int32_t>(words[kTaskHead + static_cast<std::size_t>(w)]);
  }
  __device__ bool admits() const { return get(TaskWord::admits) != 0; }
  __device__ TaskKind kind() const { return static_cast<TaskKind>(get(TaskWord::kind)); }
  __device__ std::size_t slot() const { return static_cast<std::size_t>(get(TaskWord::slot)); }
  __device__ const std::int64_t* accept() const { return words + kTaskHead + kRowHead; }
  __device__ const std::int64_t* blocks() const {
    return admits() ? accept() + 1 + accept()[0] : words + kTaskHead;
  }
};

/// Everything that a block needs to carry out the tasks of one slot. All threads call every method.
struct SlotInsert {
  const ModelConfig& model;
  const DeviceTensors& m;
  std::uint32_t& shared_hash;

  __device__ void append_blocks(const TaskView& task) const {
    const std::size_t slot = task.slot();
    std::int32_t* row = &m.block_tables[slot * static_cast<std::size_t>(model.block_table_width)];
    if (task.admits()) {
      for (int x = static_cast<int>(threadIdx.x); x < model.block_table_width; x += kBlock) {
        row[x] = -1;
      }
    }
    const std::int32_t held = task.admits() ? 0 : m.table_len[slot];
    const std::int64_t* blocks = task.blocks();
    const auto count = static_cast<std::int32_t>(blocks[0]);
    if (threadIdx.x == 0) shared_hash = 0;
    __syncthreads();
    for (int x = static_cast<int>(threadIdx.x); x < count; x += kBlock) {
      row[held + x] = static_cast<std::int32_t>(blocks[1 + x]);
    }
    __syncthreads();
    std::uint32_t hash = 0;
    for (int x = static_cast<int>(threadIdx.x); x < held + count; x += kBlock) {
      hash += block_entry_hash(x, row[x]);
    }
    atomicAdd(&shared_hash, hash);
    __syncthreads();
    if (threadIdx.x == 0) {
      m.table_len[slot] = held + count;
      m.table_hash[slot] = static_cast<std::int32_t>(shared_hash);
    }
    __syncthreads();
  }

  /// The request's stop sequence: its generated tokens (stop_at - stop_len, stop_at] (5.6).
  __device__ void write_stop_sequence(const TaskView& task) const {
    const std::size_t slot = task.slot();
    const std::int32_t stop_at = task.row(RowWord::stop_at);
    const std::int32_t length = stop_at > 0 ? task.row(RowWord::stop_len) : 0;
    if (threadIdx.x == 0) {
      m.stop_seqs_len[slot] = length;
      m.min_tokens[slot] = task.row(RowWord::min_tokens);
    }
    const std::int64_t first = std::int64_t{task.row(RowWord::prompt_len)} + stop_at - length;
    std::int64_t* sequence = &m.stop_seqs[slot * static_cast<std::size_t>(kStopLenMax)];
    const script::Request request = m.script_of(slot);
    for (int x = static_cast<int>(threadIdx.x); x < length; x += kBlock) {
      sequence[x] = script::token(model, request, first + x);
    }
  }

  __device__ void take_request(const TaskView& task) const {
    const std::size_t slot = task.slot();
    const std::int64_t* accept = task.accept();
    const std::int64_t entries = accept[0];
    if (threadIdx.x == 0) {
      m.slot_request[slot] = task.get32(TaskWord::request);
      m.slot_generation[slot] = task.get32(TaskWord::generation);
      m.slot_prompt_len[slot] = task.row(RowWord::prompt_len);
      m.slot_eos_at[slot] = task.row(RowWord::eos_at);
      m.slot_stop_at[slot] = task.row(RowWord::stop_at);
      m.slot_accept_len[slot] = static_cast<std::int32_t>(entries);
      m.max_dec_len[slot] = task.row(RowWord::max_dec_len);
    }
    std::int32_t* list = m.accept_lists + static_cast<std::int64_t>(slot) * m.accept_capacity;
    for (std::int64_t x = threadIdx.x; x < entries; x += kBlock) {
      list[x] = static_cast<std::int32_t>(accept[1 + x]);
    }
    __syncthreads();
    write_stop_sequence(task);
  }

  __device__ void admit(const TaskView& task) const {
    const std::size_t slot = task.slot();
    if (task.admits()) take_request(task);
    append_blocks(task);
    if (threadIdx.x != 0) return;
    m.infer_seed[slot] = script::infer_seed(model, m.slot_request[slot]);
    m.stop_flags[slot] = 0;
    m.is_block_step[slot] = 0;
    m.prompt_lens[slot] = task.get(TaskWord::text_len);
  }

  __device__ void prefill(const TaskView& task) const {
    admit(task);
    const std::size_t slot = task.slot();
    const std::int64_t text_len = task.get(TaskWord::text_len);
    const std::int64_t start = task.get(TaskWord::start);
    const std::int64_t end = task.get(TaskWord::end);
    const std::int64_t length = end - start;
    std::int64_t* text = &m.token_ids_all[slot * static_cast<std::size_t>(model.max_model_len)];
    const script::Request request = m.script_of(slot);
    for (std::int64_t x = threadIdx.x; x < model.max_model_len; x += kBlock) {
      if (x >= text_len) {
        text[x] = -1;
      } else if (task.admits()) {
        text[x] = script::token(model, request, x);
      }
    }
    __syncthreads();
    const std::size_t chunk = slot * static_cast<std::size_t>(model.max_num_batched_tokens);
    std::int64_t* pre = &m.pre_ids[slot * static_cast<std::size_t>(model.max_model_len)];
    for (std::int64_t x = threadIdx.x; x < length; x += kBlock) {
      m.input_ids[chunk + static_cast<std::size_t>(x)] = text[start + x];
      // Proposer: shifted by one; the last entry is filled by draft_model_preprocess (5.8).
      if (x + 1 < length)
        m.draft_input_ids[chunk + static_cast<std::size_t>(x)] = text[start + x + 1];
    }
    for (std::int64_t x = threadIdx.x; x < model.max_model_len; x += kBlock) pre[x] = -1;
    if (threadIdx.x != 0) return;
    const auto rows = static_cast<std::int32_t>(length);
    const std::int64_t g = end >= text_len ? task.get(TaskWord::generated) : 0;
    m.step_seq_lens_decoder[slot] = 0;  // a D-node insert leaves it as it is (6.1, 6.2)
    m.seq_lens_decoder[slot] = m.draft_d[slot] = static_cast<std::int32_t>(start);
    m.seq_lens_this_time[slot] = m.seq_lens_encoder[slot] = rows;
    m.draft_q[slot] = m.draft_e[slot] = rows;
    m.step_idx[slot] = m.draft_step_idx[slot] = g;
    m.history_base[slot] = text_len - g;
    m.draft_stop[slot] = 0;
  }

  /// KV, one committed token and its drafts arrive from a P node; no flag is set (6.2).
  __device__ void dnode(const TaskView& task, const ImageLayout& layout,
                        std::int32_t* image) const {
    admit(task);
    __syncthreads();
    const std::size_t slot = task.slot();
    const std::int64_t text_len = task.get(TaskWord::text_len);
    const std::int32_t count = task.get32(TaskWord::drafts);
    std::int64_t* text = &m.token_ids_all[slot * static_cast<std::size_t>(model.max_model_len)];
    const script::Request request = m.script_of(slot);
    for (std::int64_t x = threadIdx.x; x < model.max_model_len; x += kBlock) {
      text[x] = x <= text_len ? script::token(model, request, x) : -1;
    }
    if (threadIdx.x != 0) return;
    std::int64_t* drafts = &m.draft_tokens[slot * static_cast<std::size_t>(model.row_width())];
    const std::int32_t right = script::accept_count(model, request, 1) - 1;
    for (std::int32_t x = 0; x < model.row_width(); ++x) {
      const std::int64_t position = text_len + x;
      const bool sound = x <= right;
      drafts[x] = x > count ? -1
                  : sound   ? script::token(model, request, position)
                            : script::wrong_token(model, request, position, 0);
    }
    m.seq_lens_decoder[slot] = static_cast<std::int32_t>(text_len);
    m.seq_lens_encoder[slot] = m.draft_e[slot] = 0;
    m.seq_lens_this_time[slot] = m.draft_q[slot] = count + 1;
    m.step_idx[slot] = 1;
    m.history_base[slot] = text_len;
    if (image == nullptr) return;
    image[layout.column(ImageColumn::delivered_last) + slot] = digest_of(model, drafts, 1, 8);
    image[layout.column(ImageColumn::delivered_drafts) + slot] =
        count > 0 ? digest_of(model, drafts + 1, static_cast<std::size_t>(count), 8) : 0;
  }

  __device__ void end_slot(const TaskView& task) const {
    const std::size_t slot = task.slot();
    std::int32_t* row = &m.block_tables[slot * static_cast<std::size_t>(model.block_table_width)];
    for (int x = static_cast<int>(threadIdx.x); x < model.block_table_width; x += kBlock) {
      row[x] = -1;
    }
    if (threadIdx.x != 0) return;
    m.table_len[slot] = m.table_hash[slot] = 0;
    m.stop_flags[slot] = 1;
    m.is_block_step[slot] = 0;
    m.seq_lens_this_time[slot] = m.seq_lens_encoder[slot] = m.seq_lens_decoder[slot] = 0;
  }
};

/// Block k carries out every task of the slot of task k, in order, if k is the slot's first; the
/// last block digests all words.
__global__ void insert_tasks_kernel(const __grid_constant__ ModelConfig model,
                                    const __grid_constant__ DeviceTensors m,
                                    const __grid_constant__ ImageLayout layout, std::int32_t* image,
                                    const std::int64_t* staged) {
  __shared__ std::uint32_t hash;
  const auto count = static_cast<unsigned>(staged[0]);
  const std::int64_t* offsets = staged + 1;
  const std::int64_t* words = offsets + count + 1;
  const auto view = [&](unsigned k) { return TaskView{words + offsets[k]}; };
  if (blockIdx.x == count) {
    if (threadIdx.x != 0 || image == nullptr) return;
    std::uint64_t state = 0;
    for (std::int64_t x = 0; x < offsets[count]; ++x) state = fold_word(state, words[x]);
    image[layout.number(ImageNumber::tasks_digest)] = static_cast<std::int32_t>(state & 0xFFFFU);
    return;
  }
  const std::size_t slot = view(blockIdx.x).slot();
  for (unsigned k = 0; k < blockIdx.x; ++k) {
    if (view(k).slot() == slot) return;
  }
  const SlotInsert insert{model, m, hash};
  for (unsigned k = blockIdx.x; k < count; ++k) {
    const TaskView task = view(k);
    if (task.slot() != slot) continue;
    switch (task.kind()) {
      case TaskKind::prefill:
        insert.prefill(task);
        break;
      case TaskKind::decode:
        insert.append_blocks(task);
        break;
      case TaskKind::dnode:
        insert.dnode(task, layout, image);
        break;
      case TaskKind::preempt:
      case TaskKind::abort:
        insert.end_slot(task);
        break;
    }
    __syncthreads();
  }
}

}  // namespace

void insert_tasks(const OpContext& c, const std::int64_t* staged, std::int32_t task_count) {
  insert_tasks_kernel<<<static_cast<unsigned>(task_count) + 1, kBlock, 0, c.stream>>>(
      c.model, c.tensors, c.layout, c.image, staged);
  expect_kernel();
}

}  // namespace tandem::cuda
