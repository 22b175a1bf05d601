// GraphCache: the CUDA graphs of launches that recur; GraphBook says when one is made.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include <cuda_runtime_api.h>

#include "runtime/core/graph_book.hpp"
#include "runtime/cuda/run_cuda.hpp"

namespace tandem::cuda {

/// Owns the graphs; belongs to one host thread. Every method may throw CudaFailure.
class GraphCache {
 public:
  struct Graph {
    cudaGraphExec_t exec = nullptr;
    std::vector<std::size_t> nodes_of;  ///< nodes of each operation; together they are a chain
  };

  GraphCache() = default;
  GraphCache(const GraphCache&) = delete;
  GraphCache& operator=(const GraphCache&) = delete;
  /// The device must be idle.
  ~GraphCache();

  /// The graph of `key`; where there is none yet, `enqueue(0)` to `enqueue(operations - 1)` are
  /// called once while `stream` captures. They may only launch kernels and copy within the device.
  /// Null where `key` is asked for the first time, or its group is full and the oldest graph would
  /// not take the new arguments: then the caller launches one by one. Valid until the next call.
  [[nodiscard]] const Graph* find(cudaStream_t stream, const GraphKey& key, std::size_t operations,
                                  const std::function<void(std::size_t)>& enqueue);
  void launch(cudaStream_t stream, const Graph& graph);
  /// Forgets every graph; for when memory that they use has moved. The device must be idle.
  void clear();

  /// Its graph_ members; the others stay 0.
  [[nodiscard]] const CudaRunCounts& counts() const { return counts_; }

 private:
  GraphBook book_;
  std::deque<Graph> graphs_;  ///< by the book's numbers
  CudaRunCounts counts_;
};

}  // namespace tandem::cuda
