// Workloads: requests drawn, read from a file or listed, handed out one at a time.
#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "scenarios/accept_file.hpp"
#include "scenarios/accept_markov.hpp"
#include "scenarios/exact_number.hpp"
#include "scenarios/request_rules.hpp"
#include "scenarios/request_trace.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

/// What every workload needs of the scenario, and what it does to every request.
class Maker {
 public:
  explicit Maker(const Scenario& scenario) : config_(scenario.config), spec_(scenario.workload) {
    spec_.requests.clear();  // the list is not held twice
  }

  [[nodiscard]] const RunConfig& config() const { return config_; }
  [[nodiscard]] WorkloadSpec& spec() { return spec_; }
  [[nodiscard]] const WorkloadSpec& spec() const { return spec_; }

  /// The next request. Lengths fit; ids count up from 0.
  RequestSpec make(std::int64_t arrival, std::int32_t prompt, std::int32_t output) {
    RequestSpec out;
    out.row.id = next_id_++;
    out.row.arrival = arrival;
    out.row.prompt_len = prompt;
    set_limits(out.row, config_, spec_, output);
    out.row.cached_prompt = cached_tokens(prompt, spec_.cached_millionths);
    const auto id = static_cast<std::uint64_t>(out.row.id);
    const bool is_dnode =
        draw_is_below(keyed_draw(config_.seed, hash_text("dnode"), id), spec_.dnode_millionths);
    if (is_dnode && !ends_at_once(out.row)) out.dnode_drafts = spec_.dnode_drafts;
    out.row.abort_after = interrupted_after("abort", spec_.abort_millionths, id, output);
    out.preempt_after = interrupted_after("preempt", spec_.preempt_millionths, id, output);
    attach_list(out.row);
    return out;
  }

  void attach_list(RequestRow& row) const {
    if (!row.accept.empty()) return;
    if (markov_) {
      const std::int32_t end =
          row.eos_at > 0 ? std::min(row.eos_at, row.max_dec_len) : row.max_dec_len;
      // The first token is the prefill's; each further one belongs to a step (AcceptKind::list).
      row.accept = draw_markov(*markov_, config_.seed, static_cast<std::uint64_t>(row.id), end - 1);
    }
    if (spec_.accept_lists.empty()) return;
    row.accept = spec_.accept_lists[static_cast<std::size_t>(row.id) % spec_.accept_lists.size()];
  }

  void set_markov(MarkovProfile profile) { markov_ = std::move(profile); }

  /// An arrival in the run's unit from ns of the workload's own clock, behind the rate; nullopt
  /// where it is beyond 2^63 ns.
  [[nodiscard]] std::optional<std::int64_t> arrival(Nanos time) const {
    const auto scaled = divide_by_millionths(time, spec_.rate_millionths);
    if (!scaled || config_.arrivals == ArrivalUnit::ns) return scaled;
    return *scaled / spec_.step_ns;
  }

  [[nodiscard]] RequestId next_id() const { return next_id_; }

 private:
  /// Tokens behind which a share of the requests is interrupted, 0 to `output`; -1 for the others.
  [[nodiscard]] std::int32_t interrupted_after(std::string_view what, std::uint32_t millionths,
                                               std::uint64_t id, std::int32_t output) const {
    const std::uint64_t stream = hash_text(what);
    if (!draw_is_below(keyed_draw(config_.seed, stream, id), millionths)) return -1;
    const std::uint64_t draw = keyed_draw(config_.seed, stream + 1, id);
    const auto choices = static_cast<std::uint64_t>(std::max(output, 0)) + 1;
    return static_cast<std::int32_t>((draw >> 32U) * choices >> 32U);
  }

  RunConfig config_;
  WorkloadSpec spec_;
  std::optional<MarkovProfile> markov_;
  RequestId next_id_ = 0;
};

/// Poisson arrivals: a clock that goes on by exponential gaps from 0.
class Gaps {
 public:
  explicit Gaps(std::uint64_t seed) : draws_(seed, "arrivals") {}

  /// The next arrival, `mean` behind the one before on average; the first is 0.
  std::int64_t next(std::int64_t mean) {
    if (started_) clock_ += draw(static_cast<std::uint64_t>(mean));
    started_ = true;
    return clock_;
  }

 private:
  /// RandomStream::exponential takes means below 2^32; a longer gap is drawn in coarser units.
  std::int64_t draw(std::uint64_t mean) {
    unsigned coarser = 0;
    while (mean >> coarser >= 1ULL << 32U) ++coarser;
    return static_cast<std::int64_t>(draws_.exponential(mean >> coarser) << coarser);
  }

  RandomStream draws_;
  std::int64_t clock_ = 0;
  bool started_ = false;
};

class GeneratedWorkload : public Workload {
 public:
  explicit GeneratedWorkload(Maker maker) : maker_(std::move(maker)), gaps_(maker_.config().seed) {}

  Result<std::optional<RequestSpec>> next() override {
    const WorkloadSpec& spec = maker_.spec();
    const RequestId id = maker_.next_id();
    if (id >= spec.requests_max) return std::optional<RequestSpec>{};
    const bool by_time = maker_.config().arrivals == ArrivalUnit::ns;
    // In ns, or thousandths of a step.
    const std::int64_t clock = gaps_.next(by_time ? spec.mean_gap_ns : spec.mean_gap_millisteps);
    const auto scaled = divide_by_millionths(clock, spec.rate_millionths);
    if (!scaled) {
      return Error::make("workload", fmt::format("got an arrival beyond 2^63 of request {}", id),
                         "arrivals within 292 years", "raise workload.rate_scale");
    }
    return std::optional<RequestSpec>{maker_.make(by_time ? *scaled : *scaled / 1'000,
                                                  length("prompt", spec.prompt, id),
                                                  length("output", spec.output, id))};
  }
  std::int64_t dropped() const override { return 0; }

 private:
  [[nodiscard]] std::int32_t length(std::string_view stream, const LengthQuantiles& lengths,
                                    RequestId id) const {
    return quantile_at(lengths, keyed_draw(maker_.config().seed, hash_text(stream),
                                           static_cast<std::uint64_t>(id)));
  }

  Maker maker_;
  Gaps gaps_;
};

/// The slice [from_ns, until_ns) of a request trace; its arrivals count from from_ns.
class TraceWorkload : public Workload {
 public:
  TraceWorkload(Maker maker, std::unique_ptr<RequestTrace> reader)
      : maker_(std::move(maker)), reader_(std::move(reader)), gaps_(maker_.config().seed) {}

  Result<std::optional<RequestSpec>> next() override {
    const WorkloadSpec& spec = maker_.spec();
    for (;;) {
      const bool enough = spec.requests_max > 0 && maker_.next_id() >= spec.requests_max;
      if (ended_ && maker_.next_id() == 0) return nothing_to_run();
      if (ended_ || enough) return std::optional<RequestSpec>{};
      TANDEM_TRY(const std::optional<TraceRow> row, reader_->next());
      ended_ = !row;
      if (!row) continue;
      ++rows_;
      if (!reader_->has_times() && row->is_empty()) {  // takes no place among the arrivals
        ++dropped_;
        continue;
      }
      TANDEM_TRY(const Nanos time, time_of(*row));
      last_ = time;
      ended_ = spec.until_ns > 0 && time >= spec.until_ns;
      if (ended_ || time < spec.from_ns) continue;
      if (row->is_empty()) {
        ++dropped_;
        continue;
      }
      TANDEM_TRY(RequestSpec request, make(*row, time - spec.from_ns));
      return std::optional<RequestSpec>{std::move(request)};
    }
  }
  std::int64_t dropped() const override { return dropped_; }

 private:
  Result<Nanos> time_of(const TraceRow& row) {
    if (reader_->has_times()) return row.arrival;
    constexpr std::int64_t kMax = std::int64_t{1} << 61U;  // one gap more still fits
    const Nanos time = gaps_.next(maker_.spec().mean_gap_ns);
    if (time <= kMax) return time;
    return reader_->lines().fail_at(row.line, 1, "an arrival after more than 73 years", "less",
                                    "let requests arrive faster");
  }

  /// A run without a request would find nothing, and be clean.
  [[nodiscard]] Error nothing_to_run() const {
    const std::string& path = reader_->lines().path();
    if (rows_ == 0) return Error::make(path, "got no row", "one or more", "give a file with rows");
    return Error::make(
        path,
        fmt::format("got no request: {} rows were read, the last at {}.{:03} s, {} "
                    "of the slice without tokens",
                    rows_, last_ / 1'000'000'000, last_ / 1'000'000 % 1'000, dropped_),
        "one or more", "let the slice hold rows with tokens");
  }

  Result<RequestSpec> make(const TraceRow& row, Nanos time) {
    const auto misfit =
        find_misfit(maker_.config(), row.prompt,
                    longest_output(maker_.config(), maker_.spec(), row.prompt, row.output));
    if (misfit) return refuse(row, *misfit);
    const auto arrival = maker_.arrival(time);
    if (!arrival) {
      return reader_->lines().fail_at(row.line, 1, "an arrival beyond 292 years", "less",
                                      "raise workload.rate_scale");
    }
    RequestSpec request = maker_.make(*arrival, row.prompt, row.output);
    if (row.cached >= 0) request.row.cached_prompt = row.cached;
    if (request.dnode_drafts >= 0) {
      const auto wide = find_dnode_misfit(maker_.config(), row.prompt, request.dnode_drafts);
      if (wide) return refuse(row, *wide);
    }
    return request;
  }

  [[nodiscard]] Error refuse(const TraceRow& row, const Misfit& misfit) const {
    constexpr std::string_view kGot = "got ";
    return reader_->lines().fail_at(row.line, row.prompt_column,
                                    std::string_view(misfit.found).substr(kGot.size()),
                                    misfit.wanted, misfit.remedy + ", or delete the line");
  }

  Maker maker_;
  std::unique_ptr<RequestTrace> reader_;
  Gaps gaps_;
  std::int64_t rows_ = 0;  // read so far
  Nanos last_ = 0;         // time of the last of them
  std::int64_t dropped_ = 0;
  bool ended_ = false;
};

class ListedWorkload : public Workload {
 public:
  ListedWorkload(Maker maker, std::vector<RequestSpec> requests)
      : maker_(std::move(maker)), requests_(std::move(requests)) {}

  Result<std::optional<RequestSpec>> next() override {
    if (index_ == requests_.size()) return std::optional<RequestSpec>{};
    RequestSpec request = requests_[index_++];
    maker_.attach_list(request.row);
    return std::optional<RequestSpec>{std::move(request)};
  }
  std::int64_t dropped() const override { return 0; }

 private:
  Maker maker_;
  std::vector<RequestSpec> requests_;
  std::size_t index_ = 0;
};

/// The embedded profile of that name, else the file.
Result<MarkovProfile> load_markov(const std::string& name, const FileLoader& load) {
  if (const auto embedded = embedded_profile(name)) return parse_markov(*embedded, name);
  Result<std::string> text = load(name);
  if (text) return parse_markov(text.value(), name);
  std::string names;
  for (const std::string_view known : embedded_profile_names()) {
    names.append(names.empty() ? "" : ", ").append(known);
  }
  return Error{text.error().text + "; embedded profiles are " + names};
}

Result<std::unique_ptr<Workload>> make_trace(Maker maker, const FileLoader& load,
                                             const SourceOpener& open) {
  const std::string path = maker.spec().path;
  std::unique_ptr<ByteSource> source;
  if (open) {
    TANDEM_TRY(source, open(path));
  } else {
    TANDEM_TRY(std::string text, load(path));
    source = make_text_source(std::move(text));
  }
  TANDEM_TRY(std::unique_ptr<RequestTrace> reader,
             open_trace(maker.spec().kind, LineReader(path, std::move(source))));
  if (!reader->has_times() && maker.spec().mean_gap_ns < 0) {
    return reader->lines().fail_at(1, 1, "lengths without a column of times",
                                   "a mean gap to draw arrivals by",
                                   "set workload.rate_per_s or workload.gap_steps");
  }
  return std::unique_ptr<Workload>(
      std::make_unique<TraceWorkload>(std::move(maker), std::move(reader)));
}

}  // namespace

Result<std::unique_ptr<Workload>> make_workload(const Scenario& scenario, const FileLoader& load,
                                                const SourceOpener& open) {
  Maker maker(scenario);
  WorkloadSpec& spec = maker.spec();
  if (!spec.accept_path.empty()) {
    TANDEM_TRY(std::string text, load(spec.accept_path));
    TANDEM_TRY(spec.accept_lists,
               read_accept_file(LineReader(spec.accept_path, make_text_source(std::move(text)))));
  }
  if (!spec.accept_markov.empty()) {
    TANDEM_TRY(MarkovProfile profile, load_markov(spec.accept_markov, load));
    maker.set_markov(std::move(profile));
  }
  switch (spec.kind) {
    case WorkloadKind::requests:
      return std::unique_ptr<Workload>(
          std::make_unique<ListedWorkload>(std::move(maker), scenario.workload.requests));
    case WorkloadKind::poisson:
    case WorkloadKind::profile:
      return std::unique_ptr<Workload>(std::make_unique<GeneratedWorkload>(std::move(maker)));
    default:
      return make_trace(std::move(maker), load, open);
  }
}

}  // namespace tandem
