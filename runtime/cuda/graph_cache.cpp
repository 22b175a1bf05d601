// Capturing, instantiating and updating of graphs.
#include "runtime/cuda/graph_cache.hpp"

#include <numeric>
#include <utility>

#include "runtime/cuda/failure.hpp"

namespace tandem::cuda {
namespace {

/// A captured graph that has not been instantiated.
class CapturedGraph {
 public:
  CapturedGraph(cudaStream_t stream, std::size_t operations,
                const std::function<void(std::size_t)>& enqueue) {
    TANDEM_CUDA_CALL(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    try {
      std::size_t before = 0;
      for (std::size_t k = 0; k < operations; ++k) {
        enqueue(k);
        const std::size_t nodes = nodes_so_far(stream);
        nodes_of.push_back(nodes - before);
        before = nodes;
      }
    } catch (...) {
      (void)cudaStreamEndCapture(stream, &graph_);
      if (graph_ != nullptr) (void)cudaGraphDestroy(graph_);
      throw;
    }
    TANDEM_CUDA_CALL(cudaStreamEndCapture(stream, &graph_));
  }
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;
  ~CapturedGraph() { (void)cudaGraphDestroy(graph_); }

  [[nodiscard]] cudaGraph_t get() const { return graph_; }
  std::vector<std::size_t> nodes_of;

 private:
  static std::size_t nodes_so_far(cudaStream_t stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    cudaGraph_t graph = nullptr;
    TANDEM_CUDA_CALL(
        cudaStreamGetCaptureInfo(stream, &status, nullptr, &graph, nullptr, nullptr, nullptr));
    std::size_t count = 0;
    TANDEM_CUDA_CALL(cudaGraphGetNodes(graph, nullptr, &count));
    return count;
  }

  cudaGraph_t graph_ = nullptr;
};

}  // namespace

GraphCache::~GraphCache() { clear(); }

void GraphCache::clear() {
  for (Graph& graph : graphs_) (void)cudaGraphExecDestroy(graph.exec);
  graphs_.clear();
  book_.clear();
}

void GraphCache::launch(cudaStream_t stream, const Graph& graph) {
  TANDEM_CUDA_CALL(cudaGraphLaunch(graph.exec, stream));
  ++counts_.graph_launches;
  counts_.graph_nodes += static_cast<std::int64_t>(
      std::accumulate(graph.nodes_of.begin(), graph.nodes_of.end(), std::size_t{0}));
}

const GraphCache::Graph* GraphCache::find(cudaStream_t stream, const GraphKey& key,
                                          std::size_t operations,
                                          const std::function<void(std::size_t)>& enqueue) {
  const GraphBook::Found found = book_.ask(key);
  if (found.answer == GraphBook::Answer::replay) return &graphs_[found.graph];
  if (found.answer == GraphBook::Answer::alone) return nullptr;
  CapturedGraph captured(stream, operations, enqueue);
  if (found.is_new) {
    cudaGraphExec_t exec = nullptr;
    TANDEM_CUDA_CALL(cudaGraphInstantiate(&exec, captured.get(), 0));
    graphs_.push_back({exec, std::move(captured.nodes_of)});
  } else {
    Graph& oldest = graphs_[found.graph];
    cudaGraphExecUpdateResultInfo info{};
    if (cudaGraphExecUpdate(oldest.exec, captured.get(), &info) != cudaSuccess) {
      (void)cudaGetLastError();  // told by the result; the next call shall not find it
      return nullptr;
    }
    ++counts_.graph_updates;
    oldest.nodes_of = std::move(captured.nodes_of);
  }
  ++counts_.graph_captures;
  book_.made(key, found.graph);
  return &graphs_[found.graph];
}

}  // namespace tandem::cuda
