# Installs into an empty folder and looks at what is there. Needs BUILD, a folder with a build.
set(prefix "${BUILD}/install_test")
file(REMOVE_RECURSE "${prefix}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}"
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# installed(FILE ARGS ..): FILE holds what the installed `tandem ARGS ..` prints.
function(installed file)
  execute_process(COMMAND "${prefix}/bin/tandem" ${ARGN}
    OUTPUT_VARIABLE want COMMAND_ERROR_IS_FATAL ANY)
  file(READ "${prefix}/${file}" found)
  if(NOT found STREQUAL want OR found STREQUAL "")
    message(FATAL_ERROR "${file} is not what tandem ${ARGN} prints")
  endif()
endfunction()

installed(share/man/man1/tandem.1 man)
installed(share/bash-completion/completions/tandem.bash completion bash)
installed(share/zsh/site-functions/_tandem completion zsh)
installed(share/fish/vendor_completions.d/tandem.fish completion fish)
file(REMOVE_RECURSE "${prefix}")
