// Colour of single words, where a stream shows it.
#pragma once

#include <algorithm>
#include <string>

namespace tandem::cli {

/// Each function returns its text, in colour where colour is wanted. Escapes take no column: only
/// text that is not padded or wrapped afterwards goes through here.
class Style {
 public:
  Style() = default;
  explicit Style(bool wanted) : wanted_(wanted) {}

  [[nodiscard]] std::string good(const std::string& text) const { return in("32", text); }
  [[nodiscard]] std::string bad(const std::string& text) const { return in("1;31", text); }
  [[nodiscard]] std::string doubtful(const std::string& text) const { return in("33", text); }
  /// The two sides of a difference.
  [[nodiscard]] std::string side_a(const std::string& text) const { return in("31", text); }
  [[nodiscard]] std::string side_b(const std::string& text) const { return in("32", text); }
  [[nodiscard]] std::string strong(const std::string& text) const { return in("1", text); }

 private:
  /// Every line by itself, so that a pager that shows one of them shows its colour.
  [[nodiscard]] std::string in(const char* code, const std::string& text) const {
    if (!wanted_ || text.empty()) return text;
    std::string out;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) {
        out.append("\x1b[").append(code).append("m");
        out.append(text, begin, end - begin).append("\x1b[0m");
      }
      if (end < text.size()) out += '\n';
      begin = end + 1;
    }
    return out;
  }

  bool wanted_ = false;
};

}  // namespace tandem::cli
