// Text as XML may hold it, and the elements of JUnit files.
#pragma once

#include <string>
#include <string_view>

namespace tandem::cli {

/// Text for an element or an attribute; characters that XML has no place for become U+FFFD.
[[nodiscard]] std::string xml(std::string_view text);
/// "<failure message="..">..</failure>": viewers show the message, the text, or both.
[[nodiscard]] std::string outcome(const char* element, const std::string& text);

}  // namespace tandem::cli
