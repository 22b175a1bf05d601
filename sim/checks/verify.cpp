// verify_trace() and LiveVerifier: blocks handed to the judge, tallies added up.
#include "sim/checks/verify.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "sim/checks/block_verifier.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

void add(Tally& to, const Tally& from) {
  for (std::size_t i = 0; i < kCheckCount; ++i) to.diverged[i] += from.diverged[i];
  to.divergence_count += from.divergence_count;
  to.chained += from.chained;
  to.steps = wrap_add(to.steps, from.steps);
  to.records += from.records;
  to.requests += from.requests;
  to.tokens += from.tokens;
  to.counter_digest += from.counter_digest;
}

/// A check ran in every step, or in none: what it needs is the same all along a trace. V0 ran once
/// for every keyframe that follows a block.
void fill_verdict(const Judge& judge, const Tally& tally, const std::vector<Divergence>& kept,
                  Verdict& verdict) {
  verdict.steps = tally.steps;
  verdict.records = tally.records;
  verdict.requests = tally.requests;
  verdict.tokens = tally.tokens;
  verdict.counter_digest = tally.counter_digest;
  verdict.divergence_count = tally.divergence_count;
  verdict.divergences = kept;
  const auto steps = static_cast<std::uint64_t>(tally.steps);
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const auto id = static_cast<CheckId>(i);
    CheckCount& count = verdict.checks[i];
    count = CheckCount{};
    verdict.excluded[i] = is_excluded(id, judge.header.config);
    if (!check_info(id).implemented || verdict.excluded[i]) continue;
    const std::uint64_t times = id == CheckId::V0 ? tally.chained : steps;
    (judge.enabled.test(i) ? count.run : count.not_checkable) = times;
    count.diverged = tally.diverged[i];
  }
}

/// The sum over blocks and the first divergences, in block order whatever the order blocks arrive
/// in. A block waits for those before it, so that what was added when the work ends early is the
/// verdict of the first blocks; workers take neighbouring stretches, so few wait.
class Collection {
 public:
  explicit Collection(std::size_t kept_max) : kept_max_(kept_max) {}

  void add_block(std::size_t index, const Reporter& report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.emplace(index, Part{report.tally, report.kept});
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first == next_; ++next_) {
      add(tally_, it->second.tally);
      const std::vector<Divergence>& kept = it->second.kept;
      const std::size_t room = std::min(kept.size(), kept_max_ - kept_.size());
      kept_.insert(kept_.end(), kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(room));
      it = waiting_.erase(it);
    }
  }

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const std::vector<Divergence>& kept() const { return kept_; }

 private:
  struct Part {
    Tally tally;
    std::vector<Divergence> kept;
  };

  std::size_t kept_max_;
  std::mutex mutex_;
  std::size_t next_ = 0;  ///< blocks before this one are in the sum
  Tally tally_;
  std::vector<Divergence> kept_;
  std::map<std::size_t, Part> waiting_;
};

/// Workers take stretches of neighbouring blocks, so that the keyframe behind a block is in most
/// cases the one that the same worker opens next anyway.
class TraceJob {
 public:
  TraceJob(const TraceReader& trace, const Judge& judge, const VerifyOptions& options)
      : trace_(trace),
        judge_(judge),
        kept_max_(options.divergences_max),
        block_count_(trace.blocks().size()),
        jobs_(static_cast<std::size_t>(std::clamp(options.jobs, 1, 256))),
        stretch_(std::clamp<std::size_t>(block_count_ / (jobs_ * 8), 1, 32)),
        collection_(options.divergences_max) {}

  /// Why the first block that could not be decoded could not be, or nothing. The collection then
  /// holds every block before it.
  std::optional<Error> run() {
    const std::size_t useful = std::max<std::size_t>(1, (block_count_ + stretch_ - 1) / stretch_);
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < std::min(jobs_, useful); ++i)
      threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    if (!failure_.has_value()) return std::nullopt;
    return std::move(failure_->second);
  }

  [[nodiscard]] const Collection& collection() const { return collection_; }

 private:
  void work() {
    BlockVerifier verifier(judge_, kept_max_);
    for (;;) {
      const std::size_t first = next_.fetch_add(stretch_);
      if (first >= limit()) return;
      verify_stretch(verifier, first, std::min(first + stretch_, block_count_));
    }
  }

  void verify_stretch(BlockVerifier& verifier, std::size_t first, std::size_t end) {
    std::unique_ptr<BlockReader> reader = open(first);
    StepRecord record;
    for (std::size_t index = first; index < end && reader != nullptr; ++index) {
      verifier.report.clear();
      if (index == 0) verifier.check_beginning(reader->keyframe());
      verifier.begin(reader->keyframe());
      if (!read_steps(verifier, *reader, record, index)) return;
      reader.reset();  // two decoded blocks at once would double the memory of a worker
      const bool last = index + 1 == block_count_;
      if (last && trace_.last() != nullptr) verifier.end(*trace_.last());
      if (index + 1 < block_count_) {
        reader = open(index + 1);
        if (reader != nullptr) verifier.end(reader->keyframe());
      }
      collection_.add_block(index, verifier.report);
    }
  }

  bool read_steps(BlockVerifier& verifier, BlockReader& reader, StepRecord& record,
                  std::size_t index) {
    for (;;) {
      const Result<bool> more = reader.next(record);
      if (!more.ok()) {
        fail(index, more.error());
        return false;
      }
      if (!more.value()) return true;
      verifier.step(record);
    }
  }

  std::unique_ptr<BlockReader> open(std::size_t index) {
    Result<std::unique_ptr<BlockReader>> reader = trace_.open_block(index);
    if (reader.ok()) return std::move(reader).value();
    fail(index, reader.error());
    return nullptr;
  }

  void fail(std::size_t index, const Error& error) {
    const std::lock_guard<std::mutex> lock(failure_mutex_);
    if (failure_.has_value() && failure_->first <= index) return;
    failure_.emplace(index, error);
  }

  /// Blocks behind a failure are not worth starting.
  std::size_t limit() {
    const std::lock_guard<std::mutex> lock(failure_mutex_);
    return failure_.has_value() ? std::min(block_count_, failure_->first) : block_count_;
  }

  const TraceReader& trace_;
  const Judge& judge_;
  std::size_t kept_max_;
  std::size_t block_count_;
  std::size_t jobs_;
  std::size_t stretch_;
  Collection collection_;
  std::atomic<std::size_t> next_{0};
  std::mutex failure_mutex_;
  std::optional<std::pair<std::size_t, Error>> failure_;
};

class LiveVerifierImpl final : public LiveVerifier {
 public:
  explicit LiveVerifierImpl(const VerifyOptions& options) : kept_max_(options.divergences_max) {}

  Status begin(const TraceHeader& header) override {
    TANDEM_TRY(judge_, Judge::make(header));
    verifier_.emplace(judge_, kept_max_);
    is_first_ = true;
    return {};
  }
  Status segment(const plan::Segment& segment) override {
    judge_.plans.add(segment);
    return {};
  }
  Status keyframe(const Keyframe& keyframe) override {
    TANDEM_CHECK(verifier_.has_value());
    if (is_first_) {
      verifier_->check_beginning(keyframe);
    } else {
      verifier_->end(keyframe);
    }
    is_first_ = false;
    verifier_->begin(keyframe);
    return {};
  }
  Status step(const StepRecord& record) override {
    TANDEM_CHECK(verifier_.has_value() && !is_first_);
    verifier_->step(record);
    return {};
  }
  Status unadmitted(const RequestRow&) override { return {}; }
  Status end(const Keyframe& last) override {
    TANDEM_CHECK(verifier_.has_value());
    if (!is_first_) verifier_->end(last);
    return {};
  }

  [[nodiscard]] const Verdict& verdict() const override {
    if (verifier_.has_value()) {
      fill_verdict(judge_, verifier_->report.tally, verifier_->report.kept, verdict_);
    }
    return verdict_;
  }
  [[nodiscard]] const Divergence* first_divergence() const override {
    const bool any = verifier_.has_value() && !verifier_->report.kept.empty();
    return any ? &verifier_->report.kept.front() : nullptr;
  }

 private:
  std::size_t kept_max_;
  Judge judge_;
  std::optional<BlockVerifier> verifier_;
  bool is_first_ = true;
  mutable Verdict verdict_;  ///< filled from the tally when it is asked for
};

}  // namespace

Result<Verdict> verify_trace(const TraceReader& trace, const VerifyOptions& options,
                             Verdict* partial) {
  TANDEM_TRY(Judge judge, Judge::make(trace.header()));
  for (const plan::Segment& segment : trace.segments()) judge.plans.add(segment);
  TraceJob job(trace, judge, options);
  const std::optional<Error> failure = job.run();
  Verdict verdict;
  fill_verdict(judge, job.collection().tally(), job.collection().kept(), verdict);
  if (!failure.has_value()) return verdict;
  if (partial != nullptr) *partial = std::move(verdict);
  return *failure;
}

std::unique_ptr<LiveVerifier> make_live_verifier(const VerifyOptions& options) {
  return std::make_unique<LiveVerifierImpl>(options);
}

}  // namespace tandem::sim
