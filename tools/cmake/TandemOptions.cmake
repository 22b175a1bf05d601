# Build options, the default build type and the one private interface target that carries all flags.
include_guard(GLOBAL)

option(TANDEM_WERROR "Warnings are errors" OFF)
option(TANDEM_OPTIONAL "Use optional packages where they are found" ON)
set(TANDEM_SANITIZE "" CACHE STRING "Sanitizers, as a list: address;undefined or thread")

get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT is_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)  # target all_verify_interface_header_sets

find_program(TANDEM_CCACHE ccache)
mark_as_advanced(TANDEM_CCACHE)
if(TANDEM_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TANDEM_CCACHE}")
endif()

add_library(tandem_flags INTERFACE)
add_library(tandem::flags ALIAS tandem_flags)

set(tandem_warnings -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 and 13 on correct std::string, std::vector and std::variant code at -O2.
  list(APPEND tandem_warnings -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
    -Wno-maybe-uninitialized)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    list(APPEND tandem_warnings -Wno-dangling-reference)
  endif()
endif()
if(CMAKE_UNITY_BUILD)
  # Several sources are one translation unit (presets asan, tsan and clang): names local to two of
  # them seem to shadow each other, and a type local to one looks like a type local to a header.
  list(APPEND tandem_warnings -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(TANDEM_WERROR)
  list(APPEND tandem_warnings -Werror)
endif()
target_compile_options(tandem_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${tandem_warnings}>")

if(TANDEM_SANITIZE)
  string(REPLACE ";" "," tandem_sanitizers "${TANDEM_SANITIZE}")
  set(tandem_sanitize_flags -fsanitize=${tandem_sanitizers} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_options(tandem_flags INTERFACE ${tandem_sanitize_flags})
  target_link_options(tandem_flags INTERFACE ${tandem_sanitize_flags})
endif()

# libFuzzer: programs that mutate their input, beside the sanitizers of TANDEM_SANITIZE.
option(TANDEM_FUZZ "Build the libFuzzer programs of tests/fuzz (preset fuzz)" OFF)
if(TANDEM_FUZZ)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS -fsanitize=fuzzer)
  check_cxx_source_compiles("#include <cstddef>
    extern \"C\" int LLVMFuzzerTestOneInput(const unsigned char*, std::size_t) { return 0; }"
    TANDEM_HAS_LIBFUZZER)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT TANDEM_HAS_LIBFUZZER)
    message(FATAL_ERROR "TANDEM_FUZZ=ON but ${CMAKE_CXX_COMPILER} has no libFuzzer.\n"
      "On Debian or Ubuntu: apt-get install clang libclang-rt-14-dev, and use preset fuzz")
  endif()
  target_compile_options(tandem_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
