// `tandem dump`: the steps of a trace as text, or as the JSONL twin.
#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/dump_text.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

struct DumpArguments {
  std::string trace;
  std::string steps;
  bool jsonl = false;
};

bool overlaps(const BlockInfo& block, const StepRange& range) {
  return block.first_step < range.end && block.first_step + block.step_count > range.begin;
}

/// Calls `each` for the records that hold steps of the range, until the output has no reader.
template <class Each>
Status for_each_step(const Io& io, const TraceReader& trace, const StepRange& range, Each each) {
  for (std::size_t i = 0; i < trace.blocks().size() && !io.out.stopped(); ++i) {
    if (!overlaps(trace.blocks()[i], range)) continue;
    TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(i));
    StepRecord record;
    while (!io.out.stopped() && !io.stop.load()) {
      TANDEM_TRY(const bool more, block->next(record));
      if (!more || record.t >= range.end) break;
      if (record.t + record.repeat > range.begin) each(record);
    }
  }
  return {};
}

Status dump_text(Io& io, const TraceReader& trace, const StepRange& range) {
  io.out.write(dump_legend());
  return for_each_step(io, trace, range,
                       [&io](const StepRecord& record) { io.out.write(step_text(record)); });
}

/// One block into `writer`.
Status copy_block(const Io& io, const TraceReader& trace, std::size_t index, RecordSink& writer) {
  TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(index));
  TANDEM_RETURN_IF_ERROR(writer.keyframe(block->keyframe()));
  StepRecord record;
  while (!io.stop.load()) {
    TANDEM_TRY(const bool more, block->next(record));
    if (!more) break;
    TANDEM_RETURN_IF_ERROR(writer.step(record));
  }
  return {};
}

/// Blocks [begin, end) as a trace of their own: what follows them opens the next block, so the
/// state after the last step is known without a tail.
Status copy_blocks(Io& io, const TraceReader& trace, std::size_t begin, std::size_t end) {
  StreamSink out(io.out);
  const std::unique_ptr<RecordSink> writer = make_jsonl_writer(out);
  TraceHeader header = trace.header();
  if (begin < end) header.first_step = trace.blocks()[begin].first_step;
  TANDEM_RETURN_IF_ERROR(writer->begin(header));
  for (const plan::Segment& segment : trace.segments()) {
    TANDEM_RETURN_IF_ERROR(writer->segment(segment));
  }
  for (std::size_t i = begin; i < end; ++i) {
    TANDEM_RETURN_IF_ERROR(copy_block(io, trace, i, *writer));
  }
  if (io.stop.load()) return Error{kInterrupted};
  if (end < trace.blocks().size()) {
    TANDEM_TRY(const std::unique_ptr<BlockReader> next, trace.open_block(end));
    return writer->end(next->keyframe());
  }
  if (trace.last() == nullptr) return {};
  for (const RequestRow& row : trace.unadmitted()) {
    TANDEM_RETURN_IF_ERROR(writer->unadmitted(row));
  }
  return writer->end(*trace.last());
}

/// A twin is lossless and starts with a keyframe, so a range is widened to whole blocks.
Status dump_jsonl(Io& io, const TraceReader& trace, const StepRange& range) {
  const auto& blocks = trace.blocks();
  std::size_t begin = 0;
  while (begin < blocks.size() && !overlaps(blocks[begin], range)) ++begin;
  std::size_t end = begin;
  while (end < blocks.size() && overlaps(blocks[end], range)) ++end;
  return copy_blocks(io, trace, begin, end);
}

Error no_such_steps(const std::string& steps, const TraceReader& trace) {
  if (trace.blocks().empty()) {
    return Error::make("--steps", "got '" + steps + "'", "no --steps: the trace holds none");
  }
  const BlockInfo& last = trace.blocks().back();
  return Error::make("--steps", "got '" + steps + "'",
                     "steps in [" + std::to_string(trace.blocks().front().first_step) + ", " +
                         std::to_string(last.first_step + last.step_count) + ")");
}

int dump_main(Io& io, const DumpArguments& o) {
  StepRange range;
  if (!o.steps.empty()) {
    const Result<StepRange> parsed = parse_steps("--steps", o.steps);
    if (!parsed) return fail(io, parsed.error());
    range = parsed.value();
  }
  std::optional<Progress> progress;
  if (!io.out.is_terminal()) progress.emplace(io.err);  // there the steps themselves go by
  std::size_t block_count = 0;
  ReaderHooks hooks;
  hooks.block_done = [&](std::size_t done) {
    if (progress) progress->show_blocks(done, block_count);
  };
  const Result<OpenTrace> trace = open_trace_file(io, o.trace, std::move(hooks));
  if (!trace) return fail(io, trace.error());
  const TraceReader& reader = *trace.value().reader;
  block_count = static_cast<std::size_t>(
      std::count_if(reader.blocks().begin(), reader.blocks().end(),
                    [&](const BlockInfo& block) { return overlaps(block, range); }));
  if (!o.steps.empty() && block_count == 0) return fail(io, no_such_steps(o.steps, reader));
  const Status status = o.jsonl ? dump_jsonl(io, reader, range) : dump_text(io, reader, range);
  progress.reset();
  if (io.out.stopped()) return kExitClean;  // run_cli reports an output that failed
  if (io.stop.load()) return interrupted(io, o.trace, "what was printed is whole to its last line");
  if (!status) return fail(io, status.error());
  if (reader.damage() != nullptr) return fail(io, Error{reader.damage()->what});
  return kExitClean;
}

}  // namespace

void add_dump_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<DumpArguments>();
  CLI::App* sub = app.add_subcommand("dump", "Print the steps of a trace");
  sub->add_option("TRACE", o->trace, "a trace (.tbt, .part or JSONL)")->required();
  sub->add_option("--steps", o->steps, "steps A to B-1 only; A: and :B are open, A is one step")
      ->option_text("A:B");
  sub->add_flag("--jsonl", o->jsonl,
                "print the JSONL twin, which reads back as a trace; --steps selects whole blocks");
  set_help(*sub, "TRACE [options]",
           {"tandem run decode-small -o run.tbt", "tandem dump run.tbt --steps 100:110",
            "tandem dump run.tbt | head -n 20", "tandem dump run.tbt --jsonl > run.jsonl"});
  sub->callback([o, &io, &exit_code] { exit_code = dump_main(io, *o); });
}

}  // namespace tandem::cli
