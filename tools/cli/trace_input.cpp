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

}  // namespace tandem::cli
