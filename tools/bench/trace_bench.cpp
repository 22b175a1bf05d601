// Traces: how fast they are verified, written and read, and how large they are.
//
// usage: trace_bench [--slots 16,64,256] [--slot-steps N] [--rounds N] [--jobs 1,2]
//
// The load keeps all slots decoding (K = 3, acceptance 0.7 a position). Everything happens in
// memory; `floor` is one pass over as many bytes as the columns of a decoded record have. Files are
// written and read in MB of their own size; `copy` is what memory does with those of the trace.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#if TANDEM_WITH_ZSTD
#include <zstd.h>
#endif

#include "runtime/host/run_host.hpp"
#include "sim/checks/verify.hpp"
#include "tools/bench/kept_run.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/rounds.hpp"
#include "traces/fields.hpp"
#include "traces/tbt.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)
using bench::BytesSink;
using bench::fail;
using bench::print;
using bench::take;

/// Hands every call to a sink and keeps the slot-steps that were running.
class CountingSink final : public RecordSink {
 public:
  explicit CountingSink(RecordSink* target) : target_(target) {}
  std::int64_t slot_steps = 0;

  Status begin(const TraceHeader& header) override {
    return target_ ? target_->begin(header) : Status();
  }
  Status segment(const plan::Segment& segment) override {
    return target_ ? target_->segment(segment) : Status();
  }
  Status keyframe(const Keyframe& keyframe) override {
    return target_ ? target_->keyframe(keyframe) : Status();
  }
  Status step(const StepRecord& record) override {
    slot_steps += record.real_bsz;
    return target_ ? target_->step(record) : Status();
  }
  Status unadmitted(const RequestRow& row) override {
    return target_ ? target_->unadmitted(row) : Status();
  }
  Status end(const Keyframe& last) override { return target_ ? target_->end(last) : Status(); }

 private:
  RecordSink* target_;
};

RunSummary run(const Scenario& scenario, RecordSink* sink) {
  const std::unique_ptr<Workload> workload = bench::workload_of(scenario);
  return take(run_on_host(scenario, *workload, RunOptions{}, sink));
}

/// Bytes of all per-slot columns of one slot in a record.
class SlotBytes {
 public:
  void operator()(Field /*field*/, const Column& column) {
    if (column.size() == slots) bytes += sizeof(std::int32_t);
  }
  template <class T>
  void operator()(Field /*field*/, const T& /*value*/) {}
  template <class T, class Each>
  void list(Field /*field*/, const std::vector<T>& items, Each each) {
    for (const T& item : items) each(item, *this);
  }
  std::size_t slots = 0;
  std::size_t bytes = 0;
};

std::size_t slot_bytes(const Scenario& scenario) {
  StepRecord record;
  record.reset(RecordLevel::state, scenario.config.max_num_seqs, scenario.config.num_model_steps,
               scenario.config.row_width());
  SlotBytes visitor;
  visitor.slots = record.p1.q.size();
  visit_fields(record, visitor);
  return visitor.bytes;
}

/// Reads `memory` once; eight sums, so that additions do not wait for one another.
std::uint64_t read_once(const std::vector<std::uint64_t>& memory) {
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t i = 0; i + sums.size() <= memory.size(); i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += memory[i + k];
  }
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

double read_all(const TraceReader& trace) {
  StepRecord record;
  for (std::size_t i = 0; i < trace.blocks().size(); ++i) {
    const std::unique_ptr<BlockReader> block = take(trace.open_block(i));
    while (take(block->next(record))) {
    }
  }
  return 0;
}

struct Options {
  std::vector<int> slots{16, 64, 256};
  std::vector<int> jobs{1, 2};
  std::int64_t slot_steps = 1 << 22;
  int rounds = 7;
};

constexpr std::int64_t kFormSlotSteps = 1 << 18;  ///< as records these take 100 MB

/// The forms a trace has as a file.
struct Form {
  std::string name;
  std::function<std::unique_ptr<RecordSink>(ByteSink&)> writer;
};

std::vector<Form> forms() {
  const auto tbt = [](TbtOptions::Compression compression) {
    return [compression](ByteSink& out) {
      TbtOptions options;
      options.compression = compression;
      return take(make_tbt_writer(out, options));
    };
  };
  std::vector<Form> all{{".tbt", tbt(TbtOptions::Compression::none)}};
  if (zstd_available()) all.push_back({".tbt, zstd", tbt(TbtOptions::Compression::zstd)});
  all.push_back({"JSONL", [](ByteSink& out) { return make_jsonl_writer(out); }});
  return all;
}

std::vector<std::byte> written(const bench::KeptRun& part, const Form& form) {
  BytesSink out;
  part.play(*form.writer(out));
  return std::move(out.bytes);
}

void print_sizes(const std::vector<Form>& all, const std::vector<std::vector<std::byte>>& files,
                 double slot_steps) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    fmt::print("  {:<28} {:>9.2f} bytes a slot-step\n", all[i].name,
               static_cast<double>(files[i].size()) / slot_steps);
  }
#if TANDEM_WITH_ZSTD
  const std::vector<std::byte>& jsonl = files.back();
  std::vector<std::byte> small(ZSTD_compressBound(jsonl.size()));
  const std::size_t size = ZSTD_compress(small.data(), small.size(), jsonl.data(), jsonl.size(), 3);
  fmt::print("  {:<28} {:>9.2f} bytes a slot-step\n", "JSONL, zstd",
             static_cast<double>(size) / slot_steps);
#endif
}

/// What a run of fewer steps takes as a file, and how fast such files are written and read.
void bench_forms(const Options& o, int slots) {
  const Scenario scenario = bench::decoding(slots, std::min(o.slot_steps, kFormSlotSteps));
  bench::KeptRun part;
  CountingSink counter(&part);
  run(scenario, &counter);
  const std::vector<Form> all = forms();
  std::vector<std::vector<std::byte>> files;
  std::vector<std::unique_ptr<TraceReader>> readers;
  files.reserve(all.size());
  readers.reserve(all.size());
  for (const Form& form : all) files.push_back(written(part, form));
  for (const auto& file : files) readers.push_back(take(open_trace(file, "memory")));

  std::vector<bench::Contestant> contestants;
  std::vector<std::byte> target(files[0].size());
  contestants.push_back({"copy", "bytes", [&] {
                           std::memcpy(target.data(), files[0].data(), target.size());
                           return static_cast<double>(target.size());
                         }});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto size = static_cast<double>(files[i].size());
    contestants.push_back({all[i].name + " written", "bytes", [&, i, size] {
                             if (written(part, all[i]).size() != files[i].size()) {
                               fail(Error{"written again it has another size"});
                             }
                             return size;
                           }});
    contestants.push_back(
        {all[i].name + " read", "bytes", [&, i, size] { return read_all(*readers[i]) + size; }});
  }
  print_sizes(all, files, static_cast<double>(counter.slot_steps));
  print(bench::measure(contestants, o.rounds), 1e6, "MB/s");
  fmt::print("\n");
}

void bench_slots(const Options& o, int slots) {
  const Scenario scenario = bench::decoding(slots, o.slot_steps);
  BytesSink out;
  const std::unique_ptr<RecordSink> writer = take(make_tbt_writer(out, {}));
  CountingSink counter(writer.get());
  const RunSummary summary = run(scenario, &counter);
  const auto work = static_cast<double>(counter.slot_steps);
  const auto steps = static_cast<double>(summary.steps);
  const std::unique_ptr<TraceReader> trace = take(open_trace(out.bytes, "memory"));
  const std::size_t column_bytes = slot_bytes(scenario);
  // Larger than any cache; as many bytes as a verified slot-step has columns, over and over.
  std::vector<std::uint64_t> memory((256U << 20U) / sizeof(std::uint64_t), 1);
  volatile std::uint64_t kept = 0;

  std::vector<bench::Contestant> verify;
  verify.push_back({"floor: one pass", "slot-steps", [&] {
                      kept = kept + read_once(memory);
                      return static_cast<double>(memory.size() * sizeof(std::uint64_t)) /
                             static_cast<double>(column_bytes);
                    }});
  verify.push_back({"decode", "slot-steps", [&] { return read_all(*trace) + work; }});
  for (const int jobs : o.jobs) {
    verify.push_back({fmt::format("verify, {} jobs", jobs), "slot-steps", [&, jobs] {
                        sim::VerifyOptions options;
                        options.jobs = jobs;
                        const sim::Verdict verdict = take(sim::verify_trace(*trace, options));
                        if (verdict.divergence_count != 0) fail(Error{"the trace diverges"});
                        return work;
                      }});
  }
  fmt::print("B={}: {} steps, {} running slot-steps, {} column bytes a slot-step\n", slots,
             summary.steps, counter.slot_steps, column_bytes);
  print(bench::measure(verify, o.rounds), 1e6, "M slot-steps/s");

  std::vector<bench::Contestant> runs;
  runs.push_back({"run, nothing recorded", "steps", [&] {
                    run(scenario, nullptr);
                    return steps;
                  }});
  runs.push_back({"run, written", "steps", [&] {
                    BytesSink again;
                    const auto sink = take(make_tbt_writer(again, {}));
                    run(scenario, sink.get());
                    return steps;
                  }});
  runs.push_back({"run, judged inline", "steps", [&] {
                    const auto judge = sim::make_live_verifier({});
                    run(scenario, judge.get());
                    return steps;
                  }});
  print(bench::measure(runs, std::max(1, o.rounds / 2)), 1e3, "k steps/s");
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Verification, reading, writing and size of traces, beside memory bandwidth"};
  app.add_option("--slots", o.slots, "batch sizes B")->delimiter(',')->check(CLI::Range(1, 512));
  app.add_option("--jobs", o.jobs, "threads of verify")->delimiter(',')->check(CLI::Range(1, 256));
  app.add_option("--slot-steps", o.slot_steps, "B times the steps of a run")
      ->check(CLI::Range(std::int64_t{4096}, std::int64_t{1} << 32U));
  app.add_option("--rounds", o.rounds, "measurements of each")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  for (const int slots : o.slots) {
    bench_slots(o, slots);
    bench_forms(o, slots);
  }
  return 0;
}
