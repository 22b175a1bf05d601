// Request traces that name the blocks of their prompts: Mooncake and Qwen-Bailian.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios/exact_number.hpp"
#include "scenarios/prefix_blocks.hpp"
#include "scenarios/request_trace.hpp"
#include "scenarios/trace_jsonl.hpp"

namespace tandem {
namespace {

/// Blocks of one prompt at most: max_model_len at its largest in blocks of 16 tokens.
constexpr std::size_t kRowBlocksMax = 65'536;

struct BlockFormat {
  int time_digits = 0;            ///< times are in units of 10^-time_digits s
  std::int32_t block_tokens = 0;  ///< tokens that one id of hash_ids stands for
};

class BlockTrace final : public RequestTrace {
 public:
  BlockTrace(LineReader lines, BlockFormat format) : lines_(std::move(lines)), format_(format) {}

  Result<std::optional<TraceRow>> next() override {
    std::optional<std::string_view> line;
    do {
      TANDEM_TRY(line, lines_.next());
      if (!line) return std::optional<TraceRow>{};
    } while (line->empty());
    std::array<JsonField, 3> fields{JsonField{"timestamp", true, {}},
                                    JsonField{"input_length", true, {}},
                                    JsonField{"output_length", true, {}}};
    const JsonRow reader(lines_);
    TANDEM_RETURN_IF_ERROR(read_fields(*line, fields));
    TraceRow row;
    row.line = lines_.line();
    const JsonToken& stamp = fields[0].token;
    if (stamp.kind != JsonTokenKind::number) return reader.fail(stamp, "a number as timestamp");
    TANDEM_TRY(const std::int64_t time,
               trace_time(lines_, stamp.text, format_.time_digits, stamp.column));
    TANDEM_TRY(row.arrival, clock_.since_first(lines_, time, stamp.column, stamp.text));
    TANDEM_TRY(row.prompt, reader.tokens(fields[1]));
    TANDEM_TRY(row.output, reader.tokens(fields[2]));
    row.prompt_column = fields[1].token.column;
    row.cached = 0;
    if (row.is_empty()) return std::optional<TraceRow>{row};  // no request, fills no cache
    const auto known = static_cast<std::int64_t>(cache_.take(prefixes_));
    // The last token of a prompt is always computed: its logits give the first output token.
    row.cached = static_cast<std::int32_t>(
        std::min<std::int64_t>(known * format_.block_tokens, row.prompt - 1));
    return std::optional<TraceRow>{row};
  }
  [[nodiscard]] const LineReader& lines() const override { return lines_; }

 private:
  Status read_fields(std::string_view line, std::span<JsonField> fields) {
    prefixes_.clear();
    bool seen = false;
    JsonRow row(lines_);
    const auto hash_ids = [this, &seen, &row](std::string_view key,
                                              JsonScanner& scanner) -> Result<bool> {
      if (key != "hash_ids") return false;
      if (std::exchange(seen, true)) {
        return lines_.fail(1, "hash_ids twice", "one list", "delete one of the two");
      }
      TANDEM_RETURN_IF_ERROR(row.read_list(
          scanner, key, [this, &row](const JsonToken& token) { return add_block(row, token); }));
      return true;
    };
    return row.read_line(line, fields, hash_ids);
  }

  Status add_block(const JsonRow& row, const JsonToken& token) {
    const auto id = token.kind == JsonTokenKind::number ? exact_integer(token.text)
                                                        : std::optional<std::int64_t>{};
    if (!id) return row.fail(token, "an integer of 64 bits as the id of a block");
    if (prefixes_.size() == kRowBlocksMax) {
      return lines_.fail(token.column, "one more block",
                         fmt::format("at most {} of them", kRowBlocksMax),
                         "correct or delete the line");
    }
    prefixes_.push_back(PrefixBlocks::extend(prefixes_.empty() ? 0 : prefixes_.back(), *id));
    return {};
  }

  LineReader lines_;
  BlockFormat format_;
  TraceClock clock_;
  PrefixBlocks cache_;
  std::vector<std::uint64_t> prefixes_;  ///< of the row being read
};

}  // namespace

Result<std::unique_ptr<RequestTrace>> open_mooncake_trace(LineReader lines) {
  return std::unique_ptr<RequestTrace>(
      std::make_unique<BlockTrace>(std::move(lines), BlockFormat{3, 512}));
}

Result<std::unique_ptr<RequestTrace>> open_qwen_trace(LineReader lines) {
  return std::unique_ptr<RequestTrace>(
      std::make_unique<BlockTrace>(std::move(lines), BlockFormat{0, 16}));
}

}  // namespace tandem
