// LineReader: pieces of any size give the same lines, and no line fills the memory.
#include "scenarios/line_reader.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace tandem {
namespace {

/// Hands over `piece` bytes at a time, then an error where one is set.
class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string text, std::size_t piece, std::string error = {})
      : text_(std::move(text)), piece_(piece), error_(std::move(error)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = text_.copy(out.data(), std::min(piece_, out.size()), offset_);
    offset_ += size;
    if (size == 0 && !error_.empty()) return Error{error_};
    return size;
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::string error_;
  std::size_t offset_ = 0;
};

/// A file of one line that never ends.
class EndlessSource final : public ByteSource {
 public:
  explicit EndlessSource(std::size_t& handed_out) : handed_out_(handed_out) {}
  Result<std::size_t> read(std::span<char> out) override {
    std::fill(out.begin(), out.end(), 'x');
    handed_out_ += out.size();
    return out.size();
  }

 private:
  std::size_t& handed_out_;
};

struct Lines {
  std::vector<std::string> text;
  std::string error;
};

Lines read_all(LineReader reader) {
  Lines out;
  for (;;) {
    const auto line = reader.next();
    if (!line) {
      out.error = line.error().text;
      return out;
    }
    if (!line.value()) return out;
    out.text.emplace_back(*line.value());
    EXPECT_EQ(reader.line(), static_cast<std::int64_t>(out.text.size()));
  }
}

TEST(LineReader, PiecesOfAnySizeGiveTheSameLines) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a,b\r\n\n  c \xEF\xBB\xBF\nlast";
  const std::vector<std::string> wanted{"a,b", "", "  c \xEF\xBB\xBF", "last"};
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 1000U}) {
    EXPECT_EQ(read_all(LineReader("f", std::make_unique<PieceSource>(text, piece))).text, wanted);
    EXPECT_EQ(read_all(LineReader("f", std::make_unique<PieceSource>(text + "\n", piece))).text,
              wanted);
  }
  EXPECT_TRUE(read_all(LineReader("f", make_text_source(""))).text.empty());
  EXPECT_EQ(read_all(LineReader("f", make_text_source("\n"))).text, std::vector<std::string>{""});
}

TEST(LineReader, EndIsKnownBeforeItIsReached) {
  LineReader reader("f", std::make_unique<PieceSource>("a\nb\n", 2));
  EXPECT_FALSE(reader.at_end().value());
  EXPECT_EQ(reader.next().value(), "a");
  EXPECT_FALSE(reader.at_end().value());
  EXPECT_EQ(reader.next().value(), "b");
  EXPECT_TRUE(reader.at_end().value());
  EXPECT_EQ(reader.next().value(), std::nullopt);
}

TEST(LineReader, LongestLineIsTakenAndOneByteMoreIsRefused) {
  const std::string longest(kLineBytesMax, 'x');
  EXPECT_EQ(read_all(LineReader("f", make_text_source("a\n" + longest + "\nb"))).text.size(), 3U);
  const Lines over = read_all(LineReader("f", make_text_source("a\n" + longest + "x\nb")));
  EXPECT_EQ(over.error,
            "f:2:16777217: got a line that goes on, want lines of at most 16777216 bytes; give a "
            "request trace with one row a line");
}

TEST(LineReader, LineWithoutEndIsRefusedBeforeMemoryFills) {
  std::size_t handed_out = 0;
  const Lines lines = read_all(LineReader("f", std::make_unique<EndlessSource>(handed_out)));
  EXPECT_EQ(lines.error.rfind("f:1:16777217: got a line that goes on", 0), 0U) << lines.error;
  EXPECT_LE(handed_out, kLineBytesMax + (std::size_t{1} << 20U));
}

TEST(LineReader, ErrorOfTheSourceIsHandedOn) {
  const Lines lines = read_all(
      LineReader("f", std::make_unique<PieceSource>("a\nb", 2, "f: cannot be read: no disk")));
  EXPECT_EQ(lines.text, std::vector<std::string>{"a"});
  EXPECT_EQ(lines.error, "f: cannot be read: no disk");
}

}  // namespace
}  // namespace tandem
