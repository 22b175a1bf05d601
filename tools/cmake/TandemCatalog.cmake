# JSON files that are listed by hand and embedded into a library: the scenario catalogue, profiles,
# cost models.
include_guard(GLOBAL)

# tandem_embed_catalog(OUT FILE.json ..): sets OUT to a generated source that defines
# catalog_scenario() and catalog_names() of scenarios/scenario.hpp. Configure fails where the list
# and the folder catalog/ differ.
macro(tandem_embed_catalog out)
  tandem_embed_json(${out} catalog scenarios/scenario.hpp catalog_scenario catalog_names ${ARGN})
endmacro()

# tandem_embed_json(OUT FOLDER HEADER TEXT NAMES FILE.json ..): sets OUT to a generated source that
# defines TEXT(name), the content of FOLDER/name.json, and NAMES(), all names sorted, which HEADER
# declares. Configure fails where the list and FOLDER differ.
function(tandem_embed_json out folder header text_function names_function)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}"
    OUTPUT_VARIABLE where)
  file(GLOB present CONFIGURE_DEPENDS
    RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}/${folder}" "${folder}/*.json")
  set(listed ${ARGN})
  list(SORT listed)
  foreach(file IN LISTS present)
    if(NOT file IN_LIST listed)
      message(FATAL_ERROR "${where}/${folder}/${file} is not registered: list it in "
        "${where}/CMakeLists.txt, or delete it")
    endif()
  endforeach()

  set(entries "")
  foreach(file IN LISTS listed)
    set(path "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${file}")
    if(NOT EXISTS "${path}")
      message(FATAL_ERROR "${where}/CMakeLists.txt lists ${folder}/${file}, which does not exist")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" text)
    cmake_path(GET file STEM LAST_ONLY name)
    string(APPEND entries "    {\"${name}\", R\"json(${text})json\"},\n")
  endforeach()
  list(LENGTH listed count)

  set(source "// Embedded files, generated from ${where}/${folder}.
#include <array>
#include <utility>

#include \"${header}\"

namespace tandem {
namespace {
const std::array<std::pair<std::string_view, std::string_view>, ${count}> k_${folder}{{
${entries}}};
}  // namespace

std::optional<std::string_view> ${text_function}(std::string_view name) {
  for (const auto& [file, text] : k_${folder}) {
    if (file == name) return text;
  }
  return std::nullopt;
}

std::vector<std::string_view> ${names_function}() {
  std::vector<std::string_view> names;
  for (const auto& entry : k_${folder}) names.push_back(entry.first);
  return names;
}
}  // namespace tandem
")
  set(path "${CMAKE_CURRENT_BINARY_DIR}/${folder}.cpp")
  set(old "")
  if(EXISTS "${path}")
    file(READ "${path}" old)
  endif()
  if(NOT old STREQUAL source)
    file(WRITE "${path}" "${source}")
  endif()
  set(${out} "${path}" PARENT_SCOPE)
endfunction()
