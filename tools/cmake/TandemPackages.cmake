# Packages: found, never downloaded. What is optional is named in the summary when it is absent.
#
# An optional package is an imported target that a library links PRIVATE, with the definition
# TANDEM_WITH_<NAME> on that library alone (tandem_use_optional). Its headers stay out of ours.
include_guard(GLOBAL)

find_package(Threads REQUIRED)

macro(tandem_require package minimum apt_package)
  find_package(${package} ${minimum} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} ${minimum} or newer was not found.\n"
      "On Debian or Ubuntu: apt-get install ${apt_package}")
  endif()
endmacro()

tandem_require(Boost 1.74 libboost-dev)
tandem_require(nlohmann_json 3.11 nlohmann-json3-dev)
tandem_require(CLI11 2.1 libcli11-dev)
tandem_require(fmt 9.1 libfmt-dev)

option(BUILD_TESTING "Build the tests" ON)
if(BUILD_TESTING)
  tandem_require(GTest 1.12 libgtest-dev)
endif()

set(TANDEM_OPTIONAL_FOUND "")
set(TANDEM_OPTIONAL_ABSENT "")

# Notes for the summary whether an optional package was FOUND, and where it comes from.
macro(tandem_note_optional name found source)
  if(${found})
    list(APPEND TANDEM_OPTIONAL_FOUND ${name})
  elseif(TANDEM_OPTIONAL)
    list(APPEND TANDEM_OPTIONAL_ABSENT "${name} (${source})")
  else()
    list(APPEND TANDEM_OPTIONAL_ABSENT "${name} (off: TANDEM_OPTIONAL=OFF)")
  endif()
endmacro()

# Finds one optional package by header and library and wraps it as tandem::<name>.
function(tandem_find_optional name header library apt_package)
  string(TOUPPER "${name}" upper)
  set(found OFF)
  if(TANDEM_OPTIONAL)
    find_path(TANDEM_${upper}_INCLUDE_DIR ${header})
    find_library(TANDEM_${upper}_LIBRARY ${library})
    mark_as_advanced(TANDEM_${upper}_INCLUDE_DIR TANDEM_${upper}_LIBRARY)
    if(TANDEM_${upper}_INCLUDE_DIR AND TANDEM_${upper}_LIBRARY)
      set(found ON)
      add_library(tandem_${name} UNKNOWN IMPORTED GLOBAL)
      set_target_properties(tandem_${name} PROPERTIES
        IMPORTED_LOCATION "${TANDEM_${upper}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${TANDEM_${upper}_INCLUDE_DIR}"
        INTERFACE_COMPILE_DEFINITIONS "TANDEM_WITH_${upper}=1")
      add_library(tandem::${name} ALIAS tandem_${name})
    endif()
  endif()
  tandem_note_optional(${name} ${found} ${apt_package})
  set(TANDEM_WITH_${upper} ${found} PARENT_SCOPE)
  set(TANDEM_OPTIONAL_FOUND "${TANDEM_OPTIONAL_FOUND}" PARENT_SCOPE)
  set(TANDEM_OPTIONAL_ABSENT "${TANDEM_OPTIONAL_ABSENT}" PARENT_SCOPE)
endfunction()

tandem_find_optional(zstd zstd.h zstd libzstd-dev)
tandem_find_optional(zlib zlib.h z zlib1g-dev)
# Other simulators, for the benchmark beside them alone.
tandem_find_optional(ns3 ns3/core-module.h ns3-core libns3-dev)
tandem_find_optional(simgrid simgrid/s4u.hpp simgrid libsimgrid-dev)

set(TANDEM_WITH_CUPTI OFF)
if(TANDEM_OPTIONAL AND TARGET CUDA::cupti)
  set(TANDEM_WITH_CUPTI ON)
endif()
tandem_note_optional(cupti ${TANDEM_WITH_CUPTI} "CUDA Toolkit: extras/CUPTI")

# d3 for the HTML report: one file of version 4 or later, embedded as it is.
set(TANDEM_WITH_D3 OFF)
if(TANDEM_OPTIONAL)
  find_file(TANDEM_D3_JS d3.min.js PATHS /usr/share/nodejs/d3/dist /usr/share/javascript/d3
    NO_DEFAULT_PATH)
  mark_as_advanced(TANDEM_D3_JS)
  if(TANDEM_D3_JS)
    file(STRINGS "${TANDEM_D3_JS}" first_line LIMIT_COUNT 1 LIMIT_INPUT 200)
    if(first_line MATCHES "d3js.org v([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL 4)
      set(TANDEM_WITH_D3 ON)
    endif()
  endif()
endif()
tandem_note_optional(d3 ${TANDEM_WITH_D3} node-d3)

# tandem_use_optional(traces zstd): links it PRIVATE where it was found; defines TANDEM_WITH_ZSTD.
function(tandem_use_optional library name)
  if(TARGET tandem::${name})
    get_target_property(type tandem_${library} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      target_link_libraries(tandem_${library} PRIVATE tandem::${name})
    endif()
  endif()
endfunction()

function(tandem_print_summary)
  list(JOIN TANDEM_OPTIONAL_FOUND ", " found)
  list(JOIN TANDEM_OPTIONAL_ABSENT ", " absent)
  if(NOT found)
    set(found none)
  endif()
  if(NOT absent)
    set(absent none)
  endif()
  set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  message(STATUS "Tandem ${PROJECT_VERSION}: ${compiler}, ${CMAKE_BUILD_TYPE}")
  message(STATUS "  CUDA targets       ${TANDEM_WITH_CUDA} (TANDEM_CUDA=${TANDEM_CUDA})")
  message(STATUS "  optional, used     ${found}")
  message(STATUS "  optional, absent   ${absent}")
  list(JOIN TANDEM_SANITIZE ", " sanitizers)
  if(sanitizers)
    message(STATUS "  sanitizers         ${sanitizers}")
  endif()
endfunction()
