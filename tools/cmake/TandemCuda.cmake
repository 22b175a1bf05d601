# CUDA: the host-only build needs no nvcc; AUTO adds the GPU targets when one is found.
include_guard(GLOBAL)

set(TANDEM_CUDA AUTO CACHE STRING "GPU targets: AUTO, ON (required) or OFF")
set_property(CACHE TANDEM_CUDA PROPERTY STRINGS AUTO ON OFF)
set(TANDEM_WITH_CUDA OFF)

if(NOT TANDEM_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "TANDEM_CUDA: got ${TANDEM_CUDA}, want AUTO, ON or OFF")
endif()
if(NOT TANDEM_CUDA STREQUAL "OFF")
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES 90)  # before enable_language, or nvcc 13's default (75) is taken
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit 13.0 REQUIRED)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25.1 stops at C++17 for nvcc
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
      set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    endif()
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(TANDEM_WITH_CUDA ON)
  elseif(TANDEM_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TANDEM_CUDA=ON but no CUDA compiler was found.\n"
      "Put nvcc on PATH or set CUDACXX, or configure with -DTANDEM_CUDA=OFF for a host-only build.")
  endif()
endif()

# tandem_cuda_options(NAME): how the CUDA sources of a library compile. Contracts pass std::span to
# kernels, whose constexpr members device code calls.
function(tandem_cuda_options name)
  set(options --expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra)
  if(TANDEM_WERROR)
    list(APPEND options -Werror=all-warnings)
  endif()
  target_compile_options(tandem_${name} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:${options}>")
  set_target_properties(tandem_${name} PROPERTIES CUDA_SEPARABLE_COMPILATION OFF)
endfunction()
