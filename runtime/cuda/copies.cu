// Copies into pinned host memory: each is one kernel that stores through the bus, so that all
// buffers of an event and their stamps arrive together.
#include "runtime/cuda/launching.cuh"

namespace tandem::cuda {
namespace {

__global__ void copy_seq_lens_kernel(const __grid_constant__ DeviceTensors m, PinnedEntry to,
                                     std::int32_t n, std::int64_t t) {
  const std::size_t i = global_index();
  if (i == 0) to.numbers->q_step = to.numbers->b_step = t;
  if (i >= to.q.size()) return;
  to.q[i] = i < static_cast<std::size_t>(n) ? m.seq_lens_this_time[i] : 0;
  to.b[i] = m.is_block_step[i];
}

__global__ void copy_output_rows_kernel(const __grid_constant__ DeviceTensors m, PinnedEntry to) {
  to.numbers->output_rows = m.real_output_token_num[0];
}

__global__ void copy_outputs_kernel(const __grid_constant__ DeviceTensors m, PinnedEntry to,
                                    std::int64_t t) {
  const std::size_t i = global_index();
  if (i == 0) to.numbers->output_step = t;
  if (i < to.accept_tokens.size()) to.accept_tokens[i] = m.accept_tokens[i];
  if (i >= to.accept_num.size()) return;
  to.accept_num[i] = m.accept_num[i];
  to.seq_len[i] = m.seq_lens_decoder[i];
  to.prompt_len[i] = m.prompt_lens[i];
}

enum class Reading : std::uint8_t { running, draft_sum, any_prefill };

/// A number over all slots; one block.
__global__ void read_slots_kernel(const __grid_constant__ DeviceTensors m, Reading reading,
                                  std::int32_t n, std::int64_t* scratch) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  for (std::size_t i = threadIdx.x; i < m.draft_q.size(); i += blockDim.x) {
    int term = 0;
    if (reading == Reading::running) {
      term = i < static_cast<std::size_t>(n) && m.seq_lens_this_time[i] > 0 ? 1 : 0;
    } else if (reading == Reading::draft_sum) {
      term = m.draft_q[i];
    } else {
      term = m.draft_e[i] > 0 ? 1 : 0;
    }
    if (term != 0) atomicAdd(&total, term);
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  *scratch = reading == Reading::any_prefill && total > 0 ? 1 : total;
}

template <class T>
__global__ void read_one_kernel(const T* value, std::int64_t* scratch) {
  *scratch = *value;
}

template <class T>
void read_one(const OpContext& c, std::span<T> tensor, std::int64_t* scratch) {
  read_one_kernel<<<1, 1, 0, c.stream>>>(tensor.data(), scratch);
}

}  // namespace

void copy_seq_lens(const OpContext& c, const PinnedEntry& to, std::int32_t n, std::int64_t t) {
  copy_seq_lens_kernel<<<blocks_for(to.q.size()), kBlock, 0, c.stream>>>(c.tensors, to, n, t);
  expect_kernel();
}

void copy_output_rows(const OpContext& c, const PinnedEntry& to) {
  copy_output_rows_kernel<<<1, 1, 0, c.stream>>>(c.tensors, to);
  expect_kernel();
}

void copy_outputs(const OpContext& c, const PinnedEntry& to, std::int64_t t) {
  copy_outputs_kernel<<<blocks_for(to.accept_tokens.size()), kBlock, 0, c.stream>>>(c.tensors, to,
                                                                                    t);
  expect_kernel();
}

void read_scratch(const OpContext& c, const plan::Operation& op, std::int32_t n,
                  std::int64_t* scratch) {
  const DeviceTensors& m = c.tensors;
  const auto slots = [&](Reading reading) {
    read_slots_kernel<<<1, kBlock, 0, c.stream>>>(m, reading, n, scratch);
  };
  switch (op.kind) {
    case plan::OpKind::read_count:
      slots(Reading::running);
      break;
    case plan::OpKind::read_not_need_stop:
      read_one(c, op.row == 3 || op.row == 9 ? m.draft_not_need_stop : m.not_need_stop, scratch);
      break;
    case plan::OpKind::read_hidden_rows:
      read_one(c, m.hidden_row_count, scratch);
      break;
    case plan::OpKind::read_draft_sum:
      slots(Reading::draft_sum);
      break;
    case plan::OpKind::read_draft_output_rows:
      read_one(c, m.draft_rows_out, scratch);
      break;
    case plan::OpKind::read_any_prefill:
      slots(Reading::any_prefill);
      break;
    case plan::OpKind::copy_output_rows:
      read_one(c, m.real_output_token_num, scratch);
      break;
    default:
      TANDEM_CHECK(false);
  }
  expect_kernel();
}

}  // namespace tandem::cuda
