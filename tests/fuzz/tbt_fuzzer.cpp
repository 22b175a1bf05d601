// Hands libFuzzer the mutator that gets behind the checksums of a `.tbt`.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/tbt_mutator.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  const auto mutate = [](tandem::fuzz::Bytes& bytes, std::size_t size_max) {
    const std::size_t old_size = std::min(bytes.size(), size_max);
    bytes.resize(size_max);
    if (size_max > 0) bytes.resize(LLVMFuzzerMutate(bytes.data(), old_size, size_max));
  };
  const tandem::fuzz::Bytes out =
      tandem::fuzz::mutate_tbt({data, data + size}, max_size, seed, mutate);
  std::copy(out.begin(), out.end(), data);
  return out.size();
}
