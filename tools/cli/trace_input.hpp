// A trace file, opened: the mapped bytes, the decoder and the wrapper that gives pages back.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tools/cli/io.hpp"
#include "tools/cli/watched_reader.hpp"

namespace tandem::cli {

struct OpenTrace {
  std::unique_ptr<InputFile> file;
  std::unique_ptr<TraceReader> decoder;
  std::unique_ptr<TraceReader> reader;  ///< read through this one

  [[nodiscard]] std::uint64_t size_bytes() const { return file->bytes().size(); }
};

[[nodiscard]] Result<OpenTrace> open_trace_file(Io& io, const std::string& path, ReaderHooks hooks);

/// Hands every record of a trace to `each`, in order. Errors: those of `each`, of a block that
/// cannot be read, damage at the end; kInterrupted where the stop flag was set.
Status read_all_records(const Io& io, const TraceReader& reader,
                        const std::function<Status(const StepRecord&)>& each);

}  // namespace tandem::cli
