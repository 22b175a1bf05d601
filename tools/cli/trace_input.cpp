// Opens trace files for the subcommands that read them.
#include "tools/cli/trace_input.hpp"

#include <utility>

namespace tandem::cli {

Result<OpenTrace> open_trace_file(Io& io, const std::string& path, ReaderHooks hooks) {
  OpenTrace trace;
  TANDEM_TRY(trace.file, io.files.open(path));
  const InputFile& file = *trace.file;
  TANDEM_TRY(trace.decoder, open_trace(file.bytes(), path,
                                       [&file](std::uint64_t offset, std::span<std::byte> out) {
                                         return file.fetch(offset, out);
                                       }));
  file.release(0, file.bytes().size());  // a scan for blocks may have walked through all of it
  hooks.stop = &io.stop;
  trace.reader = watch(*trace.decoder, *trace.file, std::move(hooks));
  return trace;
}

Status read_all_records(const Io& io, const TraceReader& reader,
                        const std::function<Status(const StepRecord&)>& each) {
  StepRecord record;
  for (std::size_t b = 0; b < reader.blocks().size(); ++b) {
    TANDEM_TRY(const std::unique_ptr<BlockReader> block, reader.open_block(b));
    for (;;) {
      if (io.stop.load()) return Error{kInterrupted};
      TANDEM_TRY(const bool more, block->next(record));
      if (!more) break;
      TANDEM_RETURN_IF_ERROR(each(record));
    }
  }
  if (reader.damage() != nullptr) return Error{reader.damage()->what};
  return {};
}

}  // namespace tandem::cli
