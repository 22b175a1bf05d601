// Reads a trace through: its request table, and whether its batches can be executed.
#include "runtime/core/recorded_run.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/core/batch_check.hpp"

namespace tandem {
namespace {

bool all_equal(const Column& column, std::int32_t value) {
  return std::all_of(column.begin(), column.end(), [value](auto v) { return v == value; });
}

bool is_idle(const Keyframe& k) {
  return all_equal(k.request, kNoRequest) && all_equal(k.generation, 0) &&
         all_equal(k.slots.s, 1) && all_equal(k.slots.b, 0) && all_equal(k.preempted, 0) &&
         all_equal(k.last_preempted, 0) && !k.has_unsent && !k.flag && !k.draft_flag &&
         k.cached == CachedPair{};
}

/// t + repeat, which wraps: nobody has checked either where no batch is to be executed.
std::int64_t after(std::int64_t t, std::int64_t repeat) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(t) +
                                   static_cast<std::uint64_t>(repeat));
}

class Scan {
 public:
  Scan(const TraceReader& reader, const std::string& name, const RecordedRunNeeds& needs)
      : needs_(needs) {
    out_.reader = &reader;
    out_.name = name;
    out_.present = present_fields(reader.header());
    out_.by_commits = !states_acceptance(reader.header().config);
  }

  Result<RecordedRun> run(const std::atomic<bool>* stop) {
    const TraceHeader& header = out_.reader->header();
    TANDEM_RETURN_IF_ERROR(check_fields());
    RequestTableBuilder builder(header, needs_.commits && out_.by_commits);
    std::optional<BatchCheck> check;
    if (needs_.config != nullptr) check.emplace(*needs_.config, out_.present, out_.name);
    const std::size_t blocks = out_.reader->blocks().size();
    for (std::size_t index = 0; index < blocks; ++index) {
      TANDEM_TRY(const bool whole, take_block(index, builder, check, stop));
      if (!whole) break;
    }
    if (out_.damage.empty() && out_.reader->damage() != nullptr) {
      out_.damage = out_.reader->damage()->what;
    }
    if (out_.record_count == 0) {
      const std::string why = out_.damage.empty() ? "" : " (" + out_.damage + ")";
      return Error::make(out_.name, "got no step that can be read" + why, "at least one",
                         "record it again");
    }
    builder.wait(out_.reader->unadmitted());
    out_.table = builder.finish();
    return std::move(out_);
  }

 private:
  [[nodiscard]] Status check_fields() const {
    if (!out_.present.test(static_cast<std::size_t>(Field::tasks))) {
      return Error::make(out_.name, "got a trace without `tasks` and so without request table",
                         "a recorder that writes `tasks`", "it can be verified, not replayed");
    }
    if (needs_.commits && out_.by_commits && !tells_commits(out_.present)) {
      return Error::make(out_.name,
                         "got no accepted counts: `p2.a` is absent, and `p2.g`, `p4.g`, `p2.d`",
                         "one of them, or an acceptance profile in the header",
                         "reschedule it with --replay-requests and --accept-profile");
    }
    return {};
  }

  /// False where the block ends early: what lies before it is the readable part.
  Result<bool> take_block(std::size_t index, RequestTableBuilder& builder,
                          std::optional<BatchCheck>& check, const std::atomic<bool>* stop) {
    const auto interrupted = [stop] { return stop != nullptr && stop->load(); };
    Result<std::unique_ptr<BlockReader>> opened = out_.reader->open_block(index);
    if (interrupted()) return Error{out_.name + ": interrupted"};
    if (!opened) return lost(opened.error());
    BlockReader& block = *opened.value();
    if (index == 0) {
      out_.first = block.keyframe();
      out_.first_step = out_.end_step = out_.first.t;
      out_.starts_idle = is_idle(out_.first);
      if (check) TANDEM_RETURN_IF_ERROR(check->start(out_.first));
      builder.start(out_.first);
    }
    const bool dated = out_.present.test(static_cast<std::size_t>(Field::t));
    for (;;) {
      const Result<bool> more = block.next(record_);
      if (!more) return lost(more.error());
      if (!more.value()) return true;
      if (interrupted()) return Error{out_.name + ": interrupted"};
      const std::int64_t t = dated ? record_.t : out_.end_step;
      if (check) TANDEM_RETURN_IF_ERROR(check->take(record_, t));
      builder.take(record_);
      ++out_.record_count;
      out_.end_step = after(t, record_.repeat);
    }
  }

  bool lost(const Error& error) {
    out_.damage = error.text;
    return false;
  }

  RecordedRunNeeds needs_;
  RecordedRun out_;
  StepRecord record_;
};

}  // namespace

RequestRow RecordedRun::row_of(const RequestRow& recorded) const {
  if (!by_commits) return recorded;
  const auto found = table.find(recorded.id);
  return found == table.end() ? recorded : observed_row(found->second);
}

Result<RecordedRun> read_recorded_run(const TraceReader& reader, const std::string& name,
                                      const RecordedRunNeeds& needs,
                                      const std::atomic<bool>* stop) {
  return Scan(reader, name, needs).run(stop);
}

Result<bool> RecordCursor::next() {
  opens_block_ = false;
  if (taken_ == run_.record_count) return false;
  for (;;) {
    if (block_ == nullptr) {
      TANDEM_TRY(block_, run_.reader->open_block(index_++));
      opens_block_ = true;
    }
    TANDEM_TRY(const bool more, block_->next(record_));
    if (more) break;
    block_.reset();
  }
  if (!run_.present.test(static_cast<std::size_t>(Field::t))) record_.t = next_t_;
  next_t_ = after(record_.t, record_.repeat);
  ++taken_;
  return true;
}

}  // namespace tandem
