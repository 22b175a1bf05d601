// JsonScanner: a state for what may come next and one bit for each open container.
#include "scenarios/json_scanner.hpp"

#include <utility>

#include <fmt/format.h>

#include "scenarios/json_tree.hpp"

namespace tandem {
namespace {

bool is_json_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_json_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

void JsonScanner::skip_blanks() {
  constexpr std::string_view kBlanks = " \t\r\n";
  while (offset_ < text_.size() && kBlanks.find(text_[offset_]) != std::string_view::npos) {
    ++offset_;
  }
}

std::optional<JsonToken> JsonScanner::broken(std::size_t at, std::string wanted) {
  fault_.column = at + 1;
  fault_.found = at < text_.size() ? shown_text(text_.substr(at, 1)) : "the end of the line";
  fault_.wanted = std::move(wanted);
  expect_ = Expect::done;
  offset_ = text_.size();
  return std::nullopt;
}

void JsonScanner::value_done() {
  expect_ = in_object_.empty() ? Expect::done : Expect::comma_or_end;
}

std::optional<JsonToken> JsonScanner::open(JsonTokenKind kind) {
  if (in_object_.size() == kDepthMax) {
    return broken(offset_, fmt::format("at most {} levels", kDepthMax));
  }
  const bool is_object = kind == JsonTokenKind::begin_object;
  in_object_.push_back(is_object);
  expect_ = is_object ? Expect::key_or_end : Expect::value_or_end;
  ++offset_;
  return JsonToken{kind, text_.substr(offset_ - 1, 1), offset_};
}

std::optional<JsonToken> JsonScanner::close() {
  const JsonTokenKind kind =
      in_object_.back() ? JsonTokenKind::end_object : JsonTokenKind::end_array;
  in_object_.pop_back();
  value_done();
  ++offset_;
  return JsonToken{kind, text_.substr(offset_ - 1, 1), offset_};
}

std::optional<std::string_view> JsonScanner::quoted() {
  const std::size_t begin = ++offset_;
  for (; offset_ < text_.size(); ++offset_) {
    const char c = text_[offset_];
    if (c == '"') {
      ++offset_;
      return text_.substr(begin, offset_ - 1 - begin);
    }
    if (static_cast<unsigned char>(c) < 0x20) {
      broken(offset_, "a text without control characters");
      return std::nullopt;
    }
    if (c != '\\') continue;
    const std::size_t escape = ++offset_;
    const char kind = escape < text_.size() ? text_[escape] : '\0';
    if (kind == 'u') {
      for (std::size_t i = 1; i <= 4; ++i) {
        if (escape + i >= text_.size() || !is_hex(text_[escape + i])) {
          broken(escape + i, "four hexadecimal digits");
          return std::nullopt;
        }
      }
      offset_ += 4;
    } else if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string::npos) {
      broken(escape, "an escape of JSON");
      return std::nullopt;
    }
  }
  broken(text_.size(), "the quote that ends a text");
  return std::nullopt;
}

std::optional<JsonToken> JsonScanner::word(std::string_view word, JsonTokenKind kind) {
  if (text_.substr(offset_, word.size()) != word) return broken(offset_, "a value of JSON");
  const std::size_t begin = offset_;
  offset_ += word.size();
  value_done();
  return JsonToken{kind, text_.substr(begin, word.size()), begin + 1};
}

std::optional<JsonToken> JsonScanner::number() {
  const std::size_t begin = offset_;
  const auto at = [this] { return offset_ < text_.size() ? text_[offset_] : '\0'; };
  const auto digits = [this, &at] {
    const std::size_t first = offset_;
    while (is_json_digit(at())) ++offset_;
    return offset_ > first;
  };
  if (at() == '-') ++offset_;
  const bool zero = at() == '0';
  if (zero) {
    ++offset_;
    if (is_json_digit(at())) return broken(offset_, "no digit behind a leading 0");
  } else if (!digits()) {
    return broken(offset_, "a digit");
  }
  if (at() == '.') {
    ++offset_;
    if (!digits()) return broken(offset_, "a digit");
  }
  if (at() == 'e' || at() == 'E') {
    ++offset_;
    if (at() == '+' || at() == '-') ++offset_;
    if (!digits()) return broken(offset_, "a digit");
  }
  value_done();
  return JsonToken{JsonTokenKind::number, text_.substr(begin, offset_ - begin), begin + 1};
}

std::optional<JsonToken> JsonScanner::value() {
  switch (text_[offset_]) {
    case '{':
      return open(JsonTokenKind::begin_object);
    case '[':
      return open(JsonTokenKind::begin_array);
    case 't':
      return word("true", JsonTokenKind::boolean);
    case 'f':
      return word("false", JsonTokenKind::boolean);
    case 'n':
      return word("null", JsonTokenKind::null);
    case '"': {
      const std::size_t begin = offset_;
      const auto text = quoted();
      if (!text) return std::nullopt;
      value_done();
      return JsonToken{JsonTokenKind::text, *text, begin + 1};
    }
    default:
      if (text_[offset_] == '-' || is_json_digit(text_[offset_])) return number();
      return broken(offset_, "a value of JSON");
  }
}

std::optional<JsonToken> JsonScanner::key() {
  if (text_[offset_] != '"') return broken(offset_, "a key in quotes");
  const std::size_t begin = offset_;
  const auto text = quoted();
  if (!text) return std::nullopt;
  skip_blanks();
  if (offset_ == text_.size() || text_[offset_] != ':') return broken(offset_, "':'");
  ++offset_;
  expect_ = Expect::value;
  return JsonToken{JsonTokenKind::key, *text, begin + 1};
}

std::optional<JsonToken> JsonScanner::next() {
  if (fault_.column > 0) return std::nullopt;
  skip_blanks();
  if (expect_ == Expect::done) {
    if (offset_ < text_.size()) return broken(offset_, "nothing behind the value");
    return JsonToken{JsonTokenKind::end, {}, offset_ + 1};
  }
  if (offset_ == text_.size()) {
    return broken(offset_, in_object_.empty()  ? "a value of JSON"
                           : in_object_.back() ? "the rest of the object"
                                               : "the rest of the list");
  }
  const bool may_close = expect_ != Expect::value && expect_ != Expect::key;
  if (may_close && text_[offset_] == (in_object_.back() ? '}' : ']')) return close();
  if (expect_ == Expect::comma_or_end) {
    if (text_[offset_] != ',')
      return broken(offset_, in_object_.back() ? "',' or '}'" : "',' or ']'");
    ++offset_;
    skip_blanks();
    expect_ = in_object_.back() ? Expect::key : Expect::value;
    if (offset_ == text_.size()) return broken(offset_, "what follows the comma");
  }
  const bool wants_key = expect_ == Expect::key || expect_ == Expect::key_or_end;
  return wants_key ? key() : value();
}

bool JsonScanner::skip(const JsonToken& first) {
  if (first.kind != JsonTokenKind::begin_object && first.kind != JsonTokenKind::begin_array) {
    return true;
  }
  const std::size_t outside = in_object_.size() - 1;
  while (in_object_.size() > outside) {
    if (!next()) return false;
  }
  return true;
}

}  // namespace tandem
