// Exit codes and what they mean: help, man page and README say the same.
#pragma once

#include <array>

namespace tandem::cli {

constexpr int kExitClean = 0;
constexpr int kExitDiverged = 1;
constexpr int kExitBadInput = 2;
constexpr int kExitNoDevice = 3;
constexpr int kExitInterrupted = 130;  ///< the shell's 128 + SIGINT, also for SIGTERM

struct ExitCode {
  int code = 0;
  const char* meaning = "";
};

constexpr std::array<ExitCode, 5> kExitCodes{{
    {kExitClean, "clean; also where the reader of standard output went away (`| head`)"},
    {kExitDiverged, "a divergence, or a difference"},
    {kExitBadInput,
     "bad input or usage, a damaged trace, an output that cannot be written, or a check that was "
     "required and could not run"},
    {kExitNoDevice, "no usable device"},
    {kExitInterrupted, "interrupted; a trace that was being written is closed properly"},
}};

}  // namespace tandem::cli
