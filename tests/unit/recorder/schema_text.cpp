// Composes the schema: one definition a structure, one line form a type of line.
#include "tests/unit/recorder/schema_text.hpp"

#include <array>
#include <limits>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "traces/detail/members.hpp"
#include "traces/fields.hpp"

namespace tandem::test {
namespace {

using Json = nlohmann::ordered_json;

template <class Enum>
constexpr int kLast = -1;
#define TANDEM_LAST(Enum, last) \
  template <>                   \
  constexpr int kLast<Enum> = static_cast<int>(Enum::last);
TANDEM_LAST_ENUMERATORS(TANDEM_LAST)
#undef TANDEM_LAST

template <class T>
constexpr const char* kName = nullptr;
#define TANDEM_NAME(Type, text) \
  template <>                   \
  constexpr const char* kName<Type> = text;
TANDEM_NAME(CachedPair, "CachedPair")
TANDEM_NAME(RequestRow, "RequestRow")
TANDEM_NAME(RequestOutcome, "RequestOutcome")
TANDEM_NAME(Task, "Task")
TANDEM_NAME(SlotFree, "SlotFree")
TANDEM_NAME(PlanDeviation, "PlanDeviation")
TANDEM_NAME(CountUse, "CountUse")
TANDEM_NAME(PinnedCopy, "PinnedCopy")
TANDEM_NAME(Span, "Span")
TANDEM_NAME(Message, "Message")
TANDEM_NAME(DraftSubstep, "DraftSubstep")
TANDEM_NAME(Keyframe, "Keyframe")
TANDEM_NAME(plan::BufferUse, "BufferUse")
TANDEM_NAME(plan::EventRef, "EventRef")
TANDEM_NAME(plan::Operation, "Operation")
TANDEM_NAME(plan::Segment, "Segment")
TANDEM_NAME(AcceptProfile, "AcceptProfile")
TANDEM_NAME(RunConfig, "RunConfig")
TANDEM_NAME(TraceHeader, "TraceHeader")
#undef TANDEM_NAME

template <class T>
struct ListOf : std::false_type {};
template <class T>
struct ListOf<std::vector<T>> : std::true_type {
  using Item = T;
  static constexpr std::size_t kCount = 0;  // any
};
template <class T, std::size_t kEntries>
struct ListOf<std::array<T, kEntries>> : std::true_type {
  using Item = T;
  static constexpr std::size_t kCount = kEntries;
};

Json integer(std::int64_t least, std::uint64_t most) {
  return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}

Json reference(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

Json list_of(const Json& items, std::size_t count) {
  Json list{{"type", "array"}, {"items", items}};
  if (count > 0) list["minItems"] = list["maxItems"] = count;
  return list;
}

Json object_of(const Json& properties) {
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

/// Definitions as they are first met.
class Definitions {
 public:
  Json all;

  Definitions() {
    all["int32"] =
        integer(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
    all["int64"] =
        integer(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    all["uint32"] = integer(0, std::numeric_limits<std::uint32_t>::max());
    all["uint64"] = {
        {"description", "beyond 2^53 as text, which all readers keep exact"},
        {"anyOf", Json::array({integer(0, std::numeric_limits<std::uint64_t>::max()),
                               {{"type", "string"}, {"pattern", "^0x[0-9a-fA-F]{1,16}$"}}})}};
    all["RowRun"] = list_of(reference("int32"), 2);
    all["RowRun"]["description"] = "[slot, rows]; slot -1 is padding";
  }

  template <class T>
  Json of() {
    if constexpr (std::is_same_v<T, bool>) return {{"type", "boolean"}};
    if constexpr (std::is_same_v<T, std::string>) return {{"type", "string"}};
    if constexpr (std::is_same_v<T, std::int32_t>) return reference("int32");
    if constexpr (std::is_same_v<T, std::int64_t>) return reference("int64");
    if constexpr (std::is_same_v<T, std::uint32_t>) return reference("uint32");
    if constexpr (std::is_same_v<T, std::uint64_t>) return reference("uint64");
    if constexpr (std::is_same_v<T, RowRun>) return reference("RowRun");
    if constexpr (std::is_enum_v<T>) return names<T>();
    if constexpr (ListOf<T>::value) {
      return list_of(of<typename ListOf<T>::Item>(), ListOf<T>::kCount);
    }
    if constexpr (kName<T> != nullptr) return structure<T>();
  }

 private:
  template <class Enum>
  Json names() {
    Json values = Json::array();
    if constexpr (RecordEnum<Enum>) {
      for (const char* name : EnumNames<Enum>::kNames) values.push_back(name);
    } else {
      static_assert(kLast<Enum> >= 0, "list it in TANDEM_LAST_ENUMERATORS");
      for (int i = 0; i <= kLast<Enum>; ++i) values.push_back(to_name(static_cast<Enum>(i)));
    }
    return {{"enum", values}};
  }

  template <class T>
  Json structure();
};

/// Visits the members of a structure, or the fields of a step.
struct Properties {
  Definitions& definitions;
  Json properties = Json::object();

  template <class T>
  void operator()(const char* name, T&) {
    properties[name] = definitions.of<std::remove_const_t<T>>();
  }
  template <class T>
  void operator()(Field field, T& value) {
    const FieldInfo& info = field_info(field);
    (*this)(info.name, value);
    if (info.level != RecordLevel::state) {
      properties[info.name]["$comment"] = std::string("level ") + to_name(info.level);
    }
  }
  template <class T, class Each>
  void list(Field field, std::vector<T>& values, Each) {
    (*this)(field, values);
  }
};

template <class T>
Json Definitions::structure() {
  const char* name = kName<T>;
  if (!all.contains(name)) {
    all[name] = Json();  // its place, in front of those of its members
    Properties inner{*this};
    T value{};
    if constexpr (std::is_same_v<T, DraftSubstep>) {
      visit_substep_fields(value, inner);
    } else {
      detail::visit_members(value, inner);
    }
    all[name] = object_of(inner.properties);
  }
  return reference(name);
}

/// A line of one type: what it must have, and what it may have.
Json line(const char* type, const Json& required, const Json& optional) {
  Json properties{{"type", {{"const", type}}}};
  Json names = Json::array({"type"});
  for (const auto& [name, schema] : required.items()) {
    properties[name] = schema;
    names.push_back(name);
  }
  properties.update(optional);
  Json object = object_of(properties);
  object["required"] = names;
  return object;
}

}  // namespace

std::string schema_text() {
  Definitions definitions;
  StepRecord record;
  Properties step{definitions};
  visit_fields(record, step);
  Json lines;
  lines["HeaderLine"] = line("header",
                             {{"format", {{"const", "tandem-trace"}}},
                              {"version", {{"const", 2}}},
                              {"header", definitions.of<TraceHeader>()}},
                             Json::object());
  lines["SegmentLine"] =
      line("segment", {{"segment", definitions.of<plan::Segment>()}}, Json::object());
  lines["KeyframeLine"] =
      line("keyframe", {{"keyframe", definitions.of<Keyframe>()}}, Json::object());
  lines["StepLine"] = line("step", Json::object(), step.properties);
  lines["UnadmittedLine"] =
      line("unadmitted", {{"row", definitions.of<RequestRow>()}}, Json::object());
  lines["EndLine"] = line("end", {{"last", definitions.of<Keyframe>()}}, Json::object());

  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "One line of a Tandem batch trace in JSONL, version 2"},
              {"description",
               "The neutral step form. Order of lines, defaults of what is left out and the "
               "meaning of absent fields: traces/FORMAT.md; meaning of each member: "
               "traces/record.hpp, keyframe.hpp, run_config.hpp. Made by "
               "tests/unit/recorder/schema_text.cpp."}};
  schema["oneOf"] = Json::array();
  for (const auto& [name, form] : lines.items()) schema["oneOf"].push_back(reference(name));
  for (const auto& [name, form] : lines.items()) schema["$defs"][name] = form;
  for (const auto& [name, form] : definitions.all.items()) schema["$defs"][name] = form;
  return schema.dump(1) + "\n";
}

}  // namespace tandem::test
