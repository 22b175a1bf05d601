# The scenario catalogue: every JSON file is listed by hand and embedded into the library.
include_guard(GLOBAL)

# tandem_embed_catalog(OUT FILE.json ..): sets OUT to a generated source that defines
# catalog_scenario() and catalog_names() of scenarios/scenario.hpp. Configure fails where the list
# and the folder catalog/ differ.
function(tandem_embed_catalog out)
  file(GLOB present CONFIGURE_DEPENDS
    RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}/catalog" "catalog/*.json")
  set(listed ${ARGN})
  list(SORT listed)
  foreach(file IN LISTS present)
    if(NOT file IN_LIST listed)
      message(FATAL_ERROR "scenarios/catalog/${file} is not registered: list it in "
        "scenarios/CMakeLists.txt, or delete it")
    endif()
  endforeach()

  set(entries "")
  foreach(file IN LISTS listed)
    set(path "${CMAKE_CURRENT_SOURCE_DIR}/catalog/${file}")
    if(NOT EXISTS "${path}")
      message(FATAL_ERROR "scenarios/CMakeLists.txt lists catalog/${file}, which does not exist")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" text)
    cmake_path(GET file STEM LAST_ONLY name)
    string(APPEND entries "    {\"${name}\", R\"json(${text})json\"},\n")
  endforeach()
  list(LENGTH listed count)

  set(source "// The embedded scenarios, generated from scenarios/catalog.
#include <array>

#include \"scenarios/scenario.hpp\"

namespace tandem {
namespace {
struct Entry {
  std::string_view name;
  std::string_view text;
};
const std::array<Entry, ${count}> kCatalog{{
${entries}}};
}  // namespace

std::optional<std::string_view> catalog_scenario(std::string_view name) {
  for (const Entry& entry : kCatalog) {
    if (entry.name == name) return entry.text;
  }
  return std::nullopt;
}

std::vector<std::string_view> catalog_names() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kCatalog) names.push_back(entry.name);
  return names;
}
}  // namespace tandem
")
  set(path "${CMAKE_CURRENT_BINARY_DIR}/catalog.cpp")
  set(old "")
  if(EXISTS "${path}")
    file(READ "${path}" old)
  endif()
  if(NOT old STREQUAL source)
    file(WRITE "${path}" "${source}")
  endif()
  set(${out} "${path}" PARENT_SCOPE)
endfunction()
