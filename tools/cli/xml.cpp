// Escapes of XML.
#include "tools/cli/xml.hpp"

#include <cstdint>

#include <fmt/format.h>

namespace tandem::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the UTF-8 character that `text` starts with, 0 where it is none that XML may hold:
/// control characters, surrogates and U+FFFE, U+FFFF do not exist there, not even escaped.
std::size_t character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80U) return lead >= 0x20U && lead != 0x7FU ? 1 : 0;
  const std::size_t size = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
  if (lead < 0xC2U || lead > 0xF4U || text.size() < size) return 0;
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const std::uint32_t least = size == 2 ? 0x80U : size == 3 ? 0x800U : 0x10000U;
  const bool surrogate = code >= 0xD800U && code < 0xE000U;
  return code < least || code > 0x10FFFFU || surrogate || (code & 0xFFFEU) == 0xFFFEU ? 0 : size;
}

}  // namespace

std::string xml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character(text);
    if (size == 0) {
      const bool blank = text[0] == '\n' || text[0] == '\t' || text[0] == '\r';
      out += blank ? std::string_view(" ") : kReplacement;
    } else if (text[0] == '&') {
      out += "&amp;";
    } else if (text[0] == '<') {
      out += "&lt;";
    } else if (text[0] == '>') {
      out += "&gt;";
    } else if (text[0] == '"') {
      out += "&quot;";
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::string outcome(const char* element, const std::string& text) {
  return fmt::format("<{0} message=\"{1}\">{1}</{0}>", element, xml(text));
}

}  // namespace tandem::cli
