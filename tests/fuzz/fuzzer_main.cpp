// The entry of libFuzzer: one program a target, named by TANDEM_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tandem::fuzz::Target* const target = tandem::fuzz::find_target(TANDEM_FUZZ_TARGET);
  TANDEM_CHECK(target != nullptr);
  const bool taken = target->run({reinterpret_cast<const std::byte*>(data), size}).ok();
  static_cast<void>(taken);  // refusing is as good an answer as taking
  return 0;
}
