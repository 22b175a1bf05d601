// The batch trace: writing and reading `.tbt` files and their JSONL twin (format:
// traces/FORMAT.md).
//
// Nothing here opens files: bytes come from a ByteSource and go to a ByteSink, which tools/cli maps
// to the file system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/sink.hpp"

namespace tandem {

/// Where encoded bytes go, in order. flush() is called at the end of every block, so that what
/// precedes a crash is whole.
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  virtual Status write(std::span<const std::byte> bytes) = 0;
  virtual Status flush() = 0;
};

struct TbtOptions {
  enum class Compression : std::uint8_t { none, zstd };
  Compression compression = Compression::none;
  int zstd_level = 3;
};

/// False in a build without zstd.
[[nodiscard]] bool zstd_available();

/// A RecordSink that encodes to `.tbt`. `out` outlives it.
[[nodiscard]] Result<std::unique_ptr<RecordSink>> make_tbt_writer(ByteSink& out,
                                                                  const TbtOptions& options);
/// A RecordSink that prints the JSONL twin: one object a line. `out` outlives it.
[[nodiscard]] std::unique_ptr<RecordSink> make_jsonl_writer(ByteSink& out);

/// What a damaged file still holds, and what was lost.
struct TraceDamage {
  std::uint64_t offset = 0;  ///< first byte that could not be used
  std::string what;          ///< one line: place, found, wanted
};

/// One block, decoded on demand. The keyframe and the requests it needs come with it.
struct BlockInfo {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t first_step = 0;  ///< t of its first record
  std::int64_t step_count = 0;  ///< loop iterations, `repeat` included
  std::int64_t record_count = 0;
  bool compressed = false;  ///< zstd; never in a JSONL twin
};

/// Decodes the steps of one block in order. Independent of every other block.
class BlockReader {
 public:
  BlockReader() = default;
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  virtual ~BlockReader() = default;
  [[nodiscard]] virtual const Keyframe& keyframe() const = 0;
  /// True and `record` filled, or false at the end of the block.
  [[nodiscard]] virtual Result<bool> next(StepRecord& record) = 0;
};

/// A whole trace in memory (a mapped file): a `.tbt` or a JSONL twin, told apart by the first
/// bytes. A truncated or damaged file opens as long as its header can be read; damage() says what
/// was lost.
class TraceReader {
 public:
  TraceReader() = default;
  TraceReader(const TraceReader&) = delete;
  TraceReader& operator=(const TraceReader&) = delete;
  virtual ~TraceReader() = default;

  [[nodiscard]] virtual const TraceHeader& header() const = 0;
  [[nodiscard]] virtual const std::vector<BlockInfo>& blocks() const = 0;
  /// Thread-safe; the checksum is verified here. Errors name `name`, the offset, found and wanted.
  [[nodiscard]] virtual Result<std::unique_ptr<BlockReader>> open_block(
      std::size_t index) const = 0;
  /// Segments defined up to and including the last readable block.
  [[nodiscard]] virtual const std::vector<plan::Segment>& segments() const = 0;
  /// Requests never admitted, from the tail; empty where the tail is lost.
  [[nodiscard]] virtual const std::vector<RequestRow>& unadmitted() const = 0;
  /// The state after the last step, or null where the trace was not closed.
  [[nodiscard]] virtual const Keyframe* last() const = 0;
  /// Null when the file is whole.
  [[nodiscard]] virtual const TraceDamage* damage() const = 0;
};

/// Copies the bytes of a block from `offset` on to `out`. Thread-safe.
using BlockFetch = std::function<Status(std::uint64_t offset, std::span<std::byte> out)>;

/// True where a file that begins so is meant to be a trace of this project, in either form.
[[nodiscard]] bool is_trace(std::string_view head);

/// Where `fetch` is given, the blocks of a `.tbt` come through it, one copy a BlockReader, and
/// `bytes` is touched only to open the trace: how much of a mapped file stays in memory is the
/// kernel's choice. `bytes` outlive the reader. `name` stands in errors. Refused with a sentence:
/// empty, foreign, a version this build does not read, a header that is damaged, zstd blocks in a
/// build without zstd.
[[nodiscard]] Result<std::unique_ptr<TraceReader>> open_trace(std::span<const std::byte> bytes,
                                                              const std::string& name,
                                                              BlockFetch fetch = {});

}  // namespace tandem
