// Names and levels of the fields of a StepRecord.
#include "traces/fields.hpp"

#include <array>

namespace tandem {
namespace {

constexpr std::array<FieldInfo, kFieldCount> kFields{{
#define TANDEM_FIELD_INFO(id, level, text) {text, RecordLevel::level},
    TANDEM_FIELDS(TANDEM_FIELD_INFO)
#undef TANDEM_FIELD_INFO
}};

bool belongs_to_substep(Field field) {
  return field >= Field::sub_launched && field <= Field::sub_live_tail;
}

}  // namespace

const FieldInfo& field_info(Field field) { return kFields.at(static_cast<std::size_t>(field)); }

std::string field_path(Field field) {
  const std::string name = field_info(field).name;
  return belongs_to_substep(field) ? "substeps." + name : name;
}

bool field_from_path(const std::string& path, Field& out) {
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    if (field_path(field) == path) {
      out = field;
      return true;
    }
  }
  return false;
}

FieldSet fields_at(RecordLevel level) {
  FieldSet set;
  if (level == RecordLevel::off) return set;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const RecordLevel needed = kFields[i].level;
    const bool held = needed == RecordLevel::state || needed == level;
    set.set(i, held);
  }
  return set;
}

FieldSet present_fields(const TraceHeader& header) {
  FieldSet set = fields_at(header.level);
  for (const std::string& path : header.absent) {
    Field field{};
    if (field_from_path(path, field)) set.reset(static_cast<std::size_t>(field));
  }
  return set;
}

}  // namespace tandem
