// CUDA graphs of launches that recur: when a group of operations is asked for with the same numbers
// again it is captured, from then on it is one launch.
//
// A graph carries its launches' arguments by value, so its key is every number that they are made
// from. In steady decode these repeat from step to step. Where they do not, capturing would cost
// the host a hundred times what launching does, so what is seen once is not captured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <vector>

#include <cuda_runtime_api.h>

#include "runtime/cuda/run_cuda.hpp"

namespace tandem::cuda {

/// What the launches of a group depend on; the first number names the group.
using GraphKey = std::vector<std::int64_t>;

/// Owns the graphs; belongs to one host thread. Every method may throw CudaFailure.
class GraphCache {
 public:
  struct Graph {
    GraphKey key;
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
  /// Graphs a group may have. A full group gives its least recently launched one new arguments,
  /// since an executable graph must not be destroyed while it may be running.
  static constexpr std::size_t kPerGroup = 64;

  using Graphs = std::list<Graph>;  ///< of one group, most recently asked for first

  static constexpr std::size_t kSeenMax = 4096;  ///< keys remembered that have no graph

  std::map<std::int64_t, Graphs> groups_;
  std::map<GraphKey, Graphs::iterator> by_key_;
  std::set<GraphKey> seen_;
  CudaRunCounts counts_;
};

}  // namespace tandem::cuda
