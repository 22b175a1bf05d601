// Kernels: time of every operation in a stream and in a graph, beside an empty kernel.
//
// usage: kernel_bench [--slots 64,256,512] [--rounds N] [--row-bytes N] [--only NAME]
//
// A round launches each contestant once on every one of 16 copies of its tensors, behind a kernel
// that keeps the device busy until all launches are queued; then it restores the tensors. Times are
// us a launch: median over rounds, 10th and 90th percentile. Slots decode (K = 3). `GB/s` counts
// the hidden rows that are read and written.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <cuda_runtime.h>
#include <fmt/format.h>

#include "kernels/launch.hpp"
#include "kernels/op_registry.hpp"
#include "tools/bench/floor_kernels.hpp"
#include "tools/bench/op_state.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)

constexpr int kCopies = 16;
constexpr std::size_t kAlign = 256;

void must(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  fmt::print(stderr, "kernel_bench: {}: {}\n", what, cudaGetErrorString(error));
  std::exit(error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? 3 : 1);
}

void must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "kernel_bench: {}\n", status.error().text);
  std::exit(1);
}

/// A state, its image on the device and copies of it to run on.
class Copies {
 public:
  explicit Copies(const bench::OpShape& shape) : state(bench::make_state(shape)) {
    state.each([&](const char*, auto& tensor) { bytes_ += padded(tensor); });
    must(cudaMalloc(&image_, bytes_ * (kCopies + 1)), "cudaMalloc");
    std::size_t offset = 0;
    state.each([&](const char*, auto& tensor) {
      const auto raw = std::as_bytes(std::span(tensor));
      must(cudaMemcpy(image_ + offset, raw.data(), raw.size(), cudaMemcpyHostToDevice), "copy");
      for (int k = 0; k < kCopies; ++k) {
        spaces[k].add(tensor.data(), image_ + offset + bytes_ * static_cast<std::size_t>(k + 1));
      }
      offset += padded(tensor);
    });
  }
  ~Copies() { cudaFree(image_); }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  void restore(cudaStream_t stream) {
    for (std::size_t k = 1; k <= kCopies; ++k) {
      must(cudaMemcpyAsync(image_ + k * bytes_, image_, bytes_, cudaMemcpyDeviceToDevice, stream),
           "restore");
    }
  }

  bench::OpState state;
  bench::Space spaces[kCopies];

 private:
  template <class T>
  static std::size_t padded(const std::vector<T>& tensor) {
    return (tensor.size() * sizeof(T) + kAlign) / kAlign * kAlign;
  }

  std::size_t bytes_ = 0;
  std::byte* image_ = nullptr;
};

struct Contestant {
  std::string name;
  std::function<void(int copy, cudaStream_t)> launch;
  double row_bytes = 0;  ///< moved by one launch, 0: not counted
};

struct Times {
  double median = 0;
  double low = 0;
  double high = 0;
};

Times summary(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() / 10], times[times.size() * 9 / 10]};
}

class Clock {
 public:
  explicit Clock(int rounds) : rounds_(rounds) {
    must(cudaStreamCreate(&stream_), "stream");
    must(cudaEventCreate(&start_), "event");
    must(cudaEventCreate(&end_), "event");
  }

  Times in_stream(Copies& copies, const Contestant& contestant) {
    return timed(copies, [&] {
      for (int k = 0; k < kCopies; ++k) contestant.launch(k, stream_);
    });
  }

  Times in_graph(Copies& copies, const Contestant& contestant) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    must(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal), "capture");
    for (int k = 0; k < kCopies; ++k) contestant.launch(k, stream_);
    must(cudaStreamEndCapture(stream_, &graph), "capture");
    must(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
    const Times times = timed(copies, [&] { must(cudaGraphLaunch(executable, stream_), "graph"); });
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
    return times;
  }

 private:
  template <class F>
  Times timed(Copies& copies, F launches) {
    std::vector<double> times;
    for (int round = -2; round < rounds_; ++round) {
      copies.restore(stream_);
      bench::launch_delay(400'000, stream_);
      must(cudaEventRecord(start_, stream_), "event");
      launches();
      must(cudaEventRecord(end_, stream_), "event");
      must(cudaStreamSynchronize(stream_), "run");
      float ms = 0;
      must(cudaEventElapsedTime(&ms, start_, end_), "time");
      if (round >= 0) times.push_back(1000.0 * static_cast<double>(ms) / kCopies);
    }
    return summary(times);
  }

  int rounds_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t start_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

template <class Make>
Contestant fused(const char* name, Copies& copies, Make make) {
  return {name, [&copies, make](int k, cudaStream_t stream) {
            must(kernels::launch(make(copies.state, copies.spaces[k]), stream));
          }};
}

/// The members of a group as separate launches.
template <class Make, class... Members>
Contestant separate(const char* name, Copies& copies, Make make, Members... members) {
  return {name, [&copies, make, members...](int k, cudaStream_t stream) {
            const auto group = make(copies.state, copies.spaces[k]);
            (must(kernels::launch(group.*members, stream)), ...);
          }};
}

void add_groups(std::vector<Contestant>& list, Copies& copies) {
  using kernels::FusedCommit;
  using kernels::FusedDraftEnd;
  using kernels::FusedDraftNext;
  using kernels::FusedDraftStart;
  list.push_back(separate("commit: 4 kernels", copies, bench::make_commit, &FusedCommit::verify,
                          &FusedCommit::stop_sequences, &FusedCommit::update,
                          &FusedCommit::draft_preprocess));
  list.push_back(fused("commit: fused", copies, bench::make_commit));
  list.push_back(separate("draft start: 2 kernels", copies, bench::make_draft_start,
                          &FusedDraftStart::hidden, &FusedDraftStart::pack));
  list.push_back(fused("draft start: fused", copies, bench::make_draft_start));
  list.push_back(separate("draft next: 2 kernels", copies, bench::make_draft_next,
                          &FusedDraftNext::update, &FusedDraftNext::pack));
  list.push_back(fused("draft next: fused", copies, bench::make_draft_next));
  list.push_back(separate("draft end: 3 kernels", copies, bench::make_draft_end,
                          &FusedDraftEnd::update, &FusedDraftEnd::postprocess,
                          &FusedDraftEnd::schedule));
  list.push_back(fused("draft end: fused", copies, bench::make_draft_end));
}

void add_cooperative(std::vector<Contestant>& list, Copies& copies) {
  list.push_back({"speculate_pre_process (cooperative)", [&copies](int k, cudaStream_t stream) {
                    must(kernels::launch_cooperative(
                        std::get<kernels::SpeculatePreProcess>(bench::make_op(
                            "speculate_pre_process", copies.state, copies.spaces[k])),
                        stream));
                  }});
  list.push_back({"eagle_get_hidden_states (cooperative)", [&copies](int k, cudaStream_t stream) {
                    must(kernels::launch_cooperative(
                        std::get<kernels::EagleGetHiddenStates>(bench::make_op(
                            "eagle_get_hidden_states", copies.state, copies.spaces[k])),
                        copies.spaces[k](copies.state.row_map), stream));
                  }});
}

/// Bytes of hidden rows that an operation reads and writes: those that its reference changes.
double moved_bytes(std::string_view name, const bench::OpState& original) {
  if (name.find("hidden") == std::string_view::npos && name != "rebuild_padding") return 0;
  bench::OpState state = original;
  const std::vector<std::byte> before = state.hidden_out;
  kernels::run_reference(bench::make_op(name, state, bench::Space()));
  const auto row = static_cast<std::size_t>(state.shape.row_bytes);
  double rows = 0;
  for (std::size_t k = 0; row > 0 && k < before.size(); k += row) {
    rows += std::equal(&before[k], &before[k] + row, &state.hidden_out[k]) ? 0 : 1;
  }
  return 2 * rows * static_cast<double>(row);
}

std::vector<Contestant> contestants(Copies& copies) {
  std::vector<Contestant> list;
  list.push_back(
      {"(empty kernel)", [](int, cudaStream_t stream) { bench::launch_empty(1, stream); }, 0});
  list.push_back({"(empty cluster of 8)",
                  [](int, cudaStream_t stream) { bench::launch_empty(8, stream); }, 0});
  for (const kernels::OpSpec& op : kernels::all_ops()) {
    list.push_back(
        {std::string(op.name),
         [&copies, name = op.name](int k, cudaStream_t stream) {
           must(kernels::launch(bench::make_op(name, copies.state, copies.spaces[k]), stream));
         },
         moved_bytes(op.name, copies.state)});
  }
  add_cooperative(list, copies);
  add_groups(list, copies);
  return list;
}

void run(std::int32_t slots, int rounds, std::int64_t row_bytes, const std::string& only) {
  Copies copies({.slots = slots,
                 .view = slots,
                 .draft_tokens = 3,
                 .mix = bench::SlotMix::kDecode,
                 .row_bytes = row_bytes,
                 .seed = 1});
  Clock clock(rounds);
  fmt::print("\nB = {}: us a launch\n{:<38} {:>22} {:>22} {:>7}\n", slots, "", "stream", "graph",
             "GB/s");
  for (const Contestant& contestant : contestants(copies)) {
    if (contestant.name.find(only) == std::string::npos) continue;
    const Times stream = clock.in_stream(copies, contestant);
    const Times graph = clock.in_graph(copies, contestant);
    const auto text = [](const Times& t) {
      return fmt::format("{:6.2f} ({:5.2f}..{:6.2f})", t.median, t.low, t.high);
    };
    fmt::print("{:<38} {:>22} {:>22}", contestant.name, text(stream), text(graph));
    if (contestant.row_bytes > 0) {
      fmt::print(" {:7.0f}", contestant.row_bytes / graph.median / 1000.0);
    }
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times of the CUDA kernels");
  std::vector<std::int32_t> slots{64, 256, 512};
  int rounds = 50;
  std::int64_t row_bytes = 14336;
  std::string only;
  app.add_option("--slots", slots, "slots of a case")->delimiter(',');
  app.add_option("--rounds", rounds, "rounds a contestant");
  app.add_option("--row-bytes", row_bytes, "bytes of a hidden row");
  app.add_option("--only", only, "contestants whose name holds this");
  CLI11_PARSE(app, argc, argv);
  int devices = 0;
  must(cudaGetDeviceCount(&devices), "no usable GPU");
  cudaDeviceProp properties{};
  must(cudaGetDeviceProperties(&properties, 0), "device");
  fmt::print("{}, {} multiprocessors, row_bytes {}, {} rounds of {} launches\n", properties.name,
             properties.multiProcessorCount, row_bytes, rounds, kCopies);
  for (const std::int32_t count : slots) run(count, rounds, row_bytes, only);
  return 0;
}
