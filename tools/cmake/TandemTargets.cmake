# One way to make a library and one way to make a test. Sources are listed by hand, never globbed.
include_guard(GLOBAL)

define_property(GLOBAL PROPERTY TANDEM_TARGETS
  BRIEF_DOCS "JSON objects, one a target, for tests/tidy")

# Appends one target to the list that tests/tidy reads: its folder, its links and its files.
function(_tandem_record_target target kind deps files)
  set(lists "")
  foreach(values IN ITEMS deps files)
    list(REMOVE_ITEM ${values} "")
    list(TRANSFORM ${values} REPLACE "(.+)" "\"\\1\"")
    list(JOIN ${values} ", " joined)
    string(APPEND lists ", \"${values}\": [${joined}]")
  endforeach()
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR
    BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE folder)
  set_property(GLOBAL APPEND PROPERTY TANDEM_TARGETS
    "{\"name\": \"${target}\", \"kind\": \"${kind}\", \"folder\": \"${folder}\"${lists}}")
endfunction()

function(tandem_write_target_list path)
  get_property(targets GLOBAL PROPERTY TANDEM_TARGETS)
  list(JOIN targets ",\n " joined)
  file(CONFIGURE OUTPUT "${path}" CONTENT "[\n @joined@\n]\n" @ONLY)
endfunction()

# tandem_add_library(NAME SOURCES .. HEADERS .. DEPS .. PRIVATE_DEPS ..)
#
# Makes tandem_NAME (alias tandem::NAME). HEADERS lists every header of the folder; each must
# compile alone. DEPS appear in headers, PRIVATE_DEPS in sources only. Without SOURCES it is an
# INTERFACE library and PRIVATE_DEPS wait for the first source.
function(tandem_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;DEPS;PRIVATE_DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tandem_add_library(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(target tandem_${name})
  if(arg_SOURCES)
    set(public PUBLIC)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS} tandem::flags)
  else()
    set(public INTERFACE)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_DEPS})
  endif()
  add_library(tandem::${name} ALIAS ${target})
  target_compile_features(${target} ${public} cxx_std_20)
  target_include_directories(${target} ${public} "${PROJECT_SOURCE_DIR}")
  target_sources(${target} ${public}
    FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS})
  _tandem_record_target(${target} library "${arg_DEPS};${arg_PRIVATE_DEPS}"
    "${arg_SOURCES};${arg_HEADERS}")
endfunction()

# tandem_count_branches(NAME): where TANDEM_COVERAGE is on, tandem_NAME counts its lines and
# branches as written, for tools/coverage.
option(TANDEM_COVERAGE "gcov counts in the libraries that tools/coverage reads" OFF)
mark_as_advanced(TANDEM_COVERAGE)
function(tandem_count_branches name)
  if(TANDEM_COVERAGE)
    target_compile_options(tandem_${name} PRIVATE -O0 --coverage)
    target_link_options(tandem_${name} INTERFACE --coverage)
    set_target_properties(tandem_${name} PROPERTIES UNITY_BUILD OFF)
  endif()
endfunction()

# tandem_add_test(NAME SOURCES .. DEPS .. LABELS .. NO_RACE ..)
#
# Makes the GoogleTest program NAME_test; every TEST in it is a ctest named NAME.Subject.Outcome.
# Without SOURCES nothing is made. NO_RACE: patterns of tests that the thread sanitizer is spared,
# as it could not see a race in them that other tests do not show it: one thread works, or the
# process that would tell is killed.
function(tandem_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LABELS;NO_RACE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "tandem_add_test(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES)
    message(STATUS "tandem_add_test(${name}): no sources listed yet")
    return()
  endif()
  string(REPLACE "." "_" target "${name}_test")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_DEPS} tandem::test_support GTest::gtest_main
    Threads::Threads tandem::flags)
  # A third to a half of a test's compilation is optimising what runs once; what it tests is
  # optimised as the preset says. With a sanitizer the templates of json, of which the linker takes
  # the test's, cost more than is gained.
  if(NOT TANDEM_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O0>)
  endif()
  _tandem_record_target(${target} test "${arg_DEPS}" "${arg_SOURCES}")
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  set(filter)
  if(arg_NO_RACE AND TANDEM_SANITIZE STREQUAL "thread")
    list(JOIN arg_NO_RACE ":" filter)
    set(filter TEST_FILTER "-${filter}")
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST ${filter}
    DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 900 LABELS "${arg_LABELS}")
endfunction()

# tandem_add_tool(NAME SOURCES .. DEPS ..): an executable called NAME.
function(tandem_add_tool name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} tandem::flags)
  _tandem_record_target(${name} tool "${arg_DEPS}" "${arg_SOURCES}")
endfunction()

include(GoogleTest)
