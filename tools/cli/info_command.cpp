// `tandem info`: what a trace file is and holds.
#include <algorithm>
#include <array>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/cli/commands.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

struct InfoArguments {
  std::string trace;
};

/// What only the blocks say.
struct Contents {
  std::int64_t steps = 0;
  std::int64_t records = 0;
  std::int64_t slot_steps = 0;
  std::int64_t launched = 0;
  std::int64_t requests = 0;  ///< distinct: held by the first keyframe, or admitted
  std::int64_t ended = 0;
};

/// Counts a request once, however often preemptions bring it back: one that was preempted is known
/// until it is admitted again or has ended. Memory is that of the preempted requests that wait.
class RequestCount {
 public:
  void begin(const Keyframe& keyframe) { count_ = static_cast<std::int64_t>(keyframe.rows.size()); }

  void step(const StepRecord& record) {
    for (const Task& task : record.tasks) {
      if (task.admits && waiting_.erase(task.request) == 0) ++count_;
      if (task.kind == TaskKind::preempt) waiting_.insert(task.request);
    }
    for (const RequestOutcome& outcome : record.outcomes) waiting_.erase(outcome.id);
  }

  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  std::int64_t count_ = 0;
  std::set<RequestId> waiting_;
};

Result<Contents> read_contents(const Io& io, const TraceReader& trace) {
  Contents contents;
  RequestCount requests;
  for (std::size_t i = 0; i < trace.blocks().size(); ++i) {
    TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(i));
    if (i == 0) requests.begin(block->keyframe());
    StepRecord record;
    for (;;) {
      if (io.stop.load()) return Error{kInterrupted};
      TANDEM_TRY(const bool more, block->next(record));
      if (!more) break;
      contents.steps = step_after(contents.steps, record.repeat);  // of damaged records too
      ++contents.records;
      contents.slot_steps += record.real_bsz;
      contents.launched += record.kind == StepKind::idle ? 0 : 1;
      requests.step(record);
      contents.ended += static_cast<std::int64_t>(record.outcomes.size());
    }
  }
  contents.requests = requests.count();
  return contents;
}

std::string segments_text(const std::vector<plan::Segment>& segments) {
  std::array<std::size_t, 6> counts{};
  for (const plan::Segment& segment : segments) ++counts[static_cast<std::size_t>(segment.kind)];
  std::string text = grouped(static_cast<std::uint64_t>(segments.size())) + ":";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    text += fmt::format(" {} {}", counts[i], plan::to_name(static_cast<plan::SegmentKind>(i)));
  }
  return segments.empty() ? "0" : text;
}

std::string compression_text(const OpenTrace& trace) {
  const std::span<const std::byte> bytes = trace.file->bytes();
  if (!bytes.empty() && bytes.front() == std::byte{'{'}) return "none: JSON lines";
  const auto& blocks = trace.reader->blocks();
  const auto compressed = std::count_if(blocks.begin(), blocks.end(),
                                        [](const BlockInfo& block) { return block.compressed; });
  if (compressed == 0) return "none";
  return fmt::format("zstd, {} of {} blocks", grouped(static_cast<std::int64_t>(compressed)),
                     grouped(static_cast<std::uint64_t>(blocks.size())));
}

std::string header_text(const TraceHeader& h) {
  const RunConfig& c = h.config;
  std::string text;
  text += row("scenario", c.scenario);
  text += row("schedule", fmt::format("{}, policy {}, seed {}", schedule_name(c.rows),
                                      to_name(c.policy), c.seed));
  text += row("device", fmt::format("{}, executor {}", h.device, h.executor));
  text += row("producer", h.producer);
  text += row("sizes",
              fmt::format("{} slots, {} drafts, {} MTP sub-steps, block size {}", c.max_num_seqs,
                          c.num_speculative_tokens, c.num_model_steps, c.block_size));
  text += row("level", to_name(h.level));
  std::string absent;
  for (const std::string& name : h.absent) absent += (absent.empty() ? "" : " ") + name;
  return text + row("absent fields", absent.empty() ? "none" : absent);
}

std::string contents_text(const OpenTrace& trace, const Contents& c) {
  const TraceReader& reader = *trace.reader;
  std::string text;
  text += row("steps", fmt::format("{} from step {} on, {} of them launched", grouped(c.steps),
                                   reader.header().first_step, grouped(c.launched)));
  text += row("records", grouped(c.records));
  text +=
      row("requests",
          fmt::format("{} seen, {} ended, {} never admitted", grouped(c.requests), grouped(c.ended),
                      grouped(static_cast<std::uint64_t>(reader.unadmitted().size()))));
  text += row("segments", segments_text(reader.segments()));
  text += row("blocks", grouped(static_cast<std::uint64_t>(reader.blocks().size())));
  text += row("compression", compression_text(trace));
  text += row("size", fmt::format("{} bytes, {} a running slot-step", grouped(trace.size_bytes()),
                                  bytes_per_slot_step(trace.size_bytes(), c.slot_steps)));
  text += row("closed", reader.last() != nullptr ? "yes" : "no: the run was interrupted");
  const TraceDamage* damage = reader.damage();
  return text + row("damage", damage == nullptr ? "none" : damage->what);
}

int info_main(Io& io, const InfoArguments& o) {
  Progress progress(io.err);
  std::size_t block_count = 0;
  ReaderHooks hooks;
  hooks.block_done = [&](std::size_t done) { progress.show_blocks(done, block_count); };
  const Result<OpenTrace> opened = open_trace_file(io, o.trace, std::move(hooks));
  if (!opened) return fail(io, opened.error());
  const OpenTrace& trace = opened.value();
  block_count = trace.reader->blocks().size();
  io.out.write(o.trace + "\n" + header_text(trace.reader->header()));
  const Result<Contents> contents = read_contents(io, *trace.reader);
  progress.clear();
  if (!contents && is_interruption(io, contents.error())) {
    return interrupted(io, o.trace, "what was printed is of its header");
  }
  if (!contents) return fail(io, contents.error());
  io.out.write(contents_text(trace, contents.value()));
  const TraceDamage* damage = trace.reader->damage();
  return damage == nullptr ? kExitClean : fail(io, Error{damage->what});
}

}  // namespace

void add_info_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<InfoArguments>();
  CLI::App* sub = app.add_subcommand("info", "Say what a trace is and holds");
  sub->add_option("TRACE", o->trace, "a trace (.tbt, .part or JSONL)")->required();
  set_help(*sub, "TRACE", {"tandem run decode-small -o run.tbt", "tandem info run.tbt"});
  sub->callback([o, &io, &exit_code] { exit_code = info_main(io, *o); });
}

}  // namespace tandem::cli
