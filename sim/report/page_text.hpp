// Text on its way into a page: nothing in it may end the element that it stands in.
#pragma once

#include <string>

namespace tandem::sim {

/// JSON inside a script element: no string of it may end the element or open a comment.
[[nodiscard]] inline std::string in_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

/// Text between tags.
[[nodiscard]] inline std::string in_markup(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace tandem::sim
