// JSON documents to structures: one visitor, strict about types, ranges and names.
#include "traces/detail/json_decode.hpp"

#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tandem::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownMax = 40;  // of a wrong value, in an error

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "..";
  return "got " + text;
}

/// Where the reader stands, and the first thing that was wrong.
struct Context {
  std::string pointer;
  std::optional<Error> error;

  void fail(const std::string& found, const std::string& wanted) {
    if (!error) error = Error::make(pointer.empty() ? "/" : pointer, found, wanted);
  }
};

void get_json(const Json& from, bool& out, Context& ctx) {
  if (!from.is_boolean()) return ctx.fail(shown(from), "true or false");
  out = from.get<bool>();
}

void get_json(const Json& from, std::string& out, Context& ctx) {
  if (!from.is_string()) return ctx.fail(shown(from), "a string");
  out = from.get<std::string>();
}

void get_json(const Json& from, std::uint64_t& out, Context& ctx) {
  if (from.is_number_unsigned()) {
    out = from.get<std::uint64_t>();
    return;
  }
  const auto* text = from.get_ptr<const std::string*>();
  if (text != nullptr && text->size() > 2 && text->compare(0, 2, "0x") == 0) {
    const char* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data() + 2, end, out, 16);
    if (parsed.ec == std::errc{} && parsed.ptr == end) return;
  }
  ctx.fail(shown(from), "an integer in [0, 2^64) or a string \"0x..\"");
}

template <std::signed_integral T>
void get_json(const Json& from, T& out, Context& ctx) {
  constexpr auto kMin = std::numeric_limits<T>::min();
  constexpr auto kMax = std::numeric_limits<T>::max();
  const bool fits = from.is_number_unsigned()
                        ? from.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMax)
                        : from.is_number_integer() && from.get<std::int64_t>() >= kMin;
  if (!fits) return ctx.fail(shown(from), fmt::format("an integer in [{}, {}]", kMin, kMax));
  out = from.get<T>();
}

void get_json(const Json& from, std::uint32_t& out, Context& ctx) {
  const bool fits = from.is_number_unsigned() &&
                    from.get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
  if (!fits) return ctx.fail(shown(from), "an integer in [0, 2^32)");
  out = from.get<std::uint32_t>();
}

template <class T>
requires std::is_enum_v<T>
void get_json(const Json& from, T& out, Context& ctx) {
  const auto* name = from.get_ptr<const std::string*>();
  if (name == nullptr || !from_name(*name, out)) {
    ctx.fail(shown(from), "a name of traces/FORMAT.md");
  }
}

template <class T>
requires std::is_class_v<T>
void get_json(const Json& from, T& out, Context& ctx);

template <class T>
void get_item(const Json& from, std::size_t index, T& out, Context& ctx) {
  const std::size_t length = ctx.pointer.size();
  ctx.pointer += fmt::format("/{}", index);
  get_json(from, out, ctx);
  ctx.pointer.resize(length);
}

void get_json(const Json& from, RowRun& out, Context& ctx) {
  if (!from.is_array() || from.size() != 2) return ctx.fail(shown(from), "[slot, rows]");
  get_item(from[0], 0, out.slot, ctx);
  get_item(from[1], 1, out.rows, ctx);
}

template <class T>
void get_json(const Json& from, std::vector<T>& out, Context& ctx) {
  if (!from.is_array()) return ctx.fail(shown(from), "a list");
  out.clear();
  for (std::size_t i = 0; i < from.size() && !ctx.error; ++i) {
    // Columns are long and seldom wrong: build no pointer for their plain integers.
    if constexpr (std::is_same_v<T, std::int32_t>) {
      const auto* number = from[i].get_ptr<const Json::number_integer_t*>();
      if (number != nullptr && *number >= 0 && *number <= std::numeric_limits<T>::max()) {
        out.push_back(static_cast<T>(*number));
        continue;
      }
    }
    get_item(from[i], i, out.emplace_back(), ctx);
  }
}

template <class T, std::size_t kCount>
void get_json(const Json& from, std::array<T, kCount>& out, Context& ctx) {
  if (!from.is_array() || from.size() != kCount) {
    return ctx.fail(shown(from), fmt::format("a list of {}", kCount));
  }
  for (std::size_t i = 0; i < kCount; ++i) get_item(from[i], i, out[i], ctx);
}

/// Visitor that fills members from the keys of an object and refuses keys that no member has.
class JsonReader {
 public:
  JsonReader(const Json& object, Context& ctx, const FieldSet* present = nullptr)
      : object_(object), ctx_(ctx), present_(present) {
    if (!object.is_object()) ctx.fail(shown(object), "an object");
  }

  template <class T>
  void operator()(const char* name, T& out) {
    if (const Json* value = find(name)) with_key(name, [&] { get_json(*value, out, ctx_); });
  }
  template <class T>
  void operator()(Field field, T& out) {
    if (present_->test(static_cast<std::size_t>(field))) (*this)(field_info(field).name, out);
  }
  template <class Each>
  void list(Field field, std::vector<DraftSubstep>& out, Each each) {
    if (!present_->test(static_cast<std::size_t>(field))) return;
    const char* name = field_info(field).name;
    const Json* value = find(name);
    if (value == nullptr) return;
    with_key(name, [&] {
      if (!value->is_array()) return ctx_.fail(shown(*value), "a list");
      const DraftSubstep initial = out.empty() ? DraftSubstep{} : out.front();
      out.assign(value->size(), initial);
      for (std::size_t i = 0; i < value->size() && !ctx_.error; ++i) {
        with_key(fmt::format("{}", i).c_str(), [&] {
          JsonReader inner((*value)[i], ctx_, present_);
          each(out[i], inner);
          inner.finish();
        });
      }
    });
  }
  /// A key that was read elsewhere.
  void ignore(const char* name) { (void)find(name); }
  void finish() {
    if (ctx_.error || !object_.is_object() || known_.size() == object_.size()) return;
    for (const auto& [key, value] : object_.items()) {
      bool is_known = false;
      for (const char* name : known_) is_known |= key == name;
      if (!is_known) {
        return ctx_.fail(fmt::format("got key \"{}\"", key.substr(0, kShownMax)),
                         "keys of traces/FORMAT.md that the level records");
      }
    }
  }

 private:
  const Json& object_;
  Context& ctx_;
  const FieldSet* present_;
  std::vector<const char*> known_;  // keys of the object that a member took

  const Json* find(const char* name) {
    if (ctx_.error || !object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    if (found == object_.end()) return nullptr;
    known_.push_back(name);
    return &*found;
  }
  template <class Body>
  void with_key(const char* name, Body body) {
    const std::size_t length = ctx_.pointer.size();
    ctx_.pointer += '/';
    ctx_.pointer += name;
    body();
    ctx_.pointer.resize(length);
  }
};

template <class T>
requires std::is_class_v<T>
void get_json(const Json& from, T& out, Context& ctx) {
  JsonReader reader(from, ctx);
  visit_members(out, reader);
  reader.finish();
}

Result<Json> parse(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return Error{"got text that is no JSON, want JSON"};
  return json;
}

Status status_of(const Context& ctx) { return ctx.error ? Status(*ctx.error) : Status(); }

template <class T>
Status member_line(std::string_view line, const char* name, T& out) {
  TANDEM_TRY(const Json json, parse(line));
  Context ctx;
  JsonReader reader(json, ctx);
  reader.ignore("type");
  reader.ignore("format");
  reader.ignore("version");
  reader(name, out);
  reader.finish();
  if (!ctx.error && !json.contains(name)) {
    ctx.fail("got none", fmt::format("a member \"{}\"", name));
  }
  return status_of(ctx);
}

/// Notes the scalars of the outermost object and refuses what is no object.
class LineProbe : public nlohmann::json_sax<Json> {
 public:
  JsonLine line;
  bool is_object = false;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(Json::number_integer_t v) override { return number(v); }
  bool number_unsigned(Json::number_unsigned_t v) override {
    return number(static_cast<std::int64_t>(v));
  }
  bool number_float(Json::number_float_t, const Json::string_t&) override { return value(); }
  bool string(Json::string_t& v) override {
    if (depth_ == 1 && key_ == "type") line.type = v;
    if (depth_ == 1 && key_ == "format") line.format = v;
    return value();
  }
  bool binary(Json::binary_t&) override { return value(); }
  bool start_object(std::size_t) override {
    is_object |= depth_ == 0;
    ++depth_;
    return is_object;
  }
  bool key(Json::string_t& v) override {
    if (depth_ == 1) key_ = v;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    ++depth_;
    return is_object;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  int depth_ = 0;
  std::string key_;

  [[nodiscard]] bool value() const { return depth_ > 0; }
  bool number(std::int64_t v) {
    if (depth_ == 1 && key_ == "t") line.t = v;
    if (depth_ == 1 && key_ == "repeat") line.repeat = v;
    if (depth_ == 1 && key_ == "version") line.version = v;
    return value();
  }
};

}  // namespace

Status json_to_header(std::string_view text, TraceHeader& out) {
  TANDEM_TRY(const Json json, parse(text));
  Context ctx;
  get_json(json, out, ctx);
  return status_of(ctx);
}

Status json_to_segments(std::string_view text, std::vector<plan::Segment>& out) {
  TANDEM_TRY(const Json json, parse(text));
  Context ctx;
  std::vector<plan::Segment> segments;
  get_json(json, segments, ctx);
  if (!ctx.error) out.insert(out.end(), segments.begin(), segments.end());
  return status_of(ctx);
}

Result<JsonLine> inspect_line(std::string_view line) {
  LineProbe probe;
  if (!Json::sax_parse(line.begin(), line.end(), &probe) || !probe.is_object) {
    return Error{"got a line that is no JSON object, want one"};
  }
  return probe.line;
}

Status header_line(std::string_view line, TraceHeader& out) {
  return member_line(line, "header", out);
}
Status segment_line(std::string_view line, plan::Segment& out) {
  return member_line(line, "segment", out);
}
Status keyframe_line(std::string_view line, std::int32_t slots, Keyframe& out) {
  out = Keyframe::initial(0, slots);
  return member_line(line, "keyframe", out);
}
Status end_line(std::string_view line, std::int32_t slots, Keyframe& out) {
  out = Keyframe::initial(0, slots);
  return member_line(line, "last", out);
}
Status unadmitted_line(std::string_view line, RequestRow& out) {
  out = RequestRow{};
  return member_line(line, "row", out);
}

Status step_line(std::string_view line, const StepDefaults& defaults, StepRecord& out) {
  out.reset(defaults.level, defaults.slots, defaults.substeps, defaults.row_width);
  TANDEM_TRY(const Json json, parse(line));
  Context ctx;
  JsonReader reader(json, ctx, &defaults.present);
  reader.ignore("type");
  visit_fields(out, reader);
  reader.finish();
  return status_of(ctx);
}

}  // namespace tandem::detail
