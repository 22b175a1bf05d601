// Writes the seed corpus and the dictionary of every fuzz target: DIR/NAME/* and DIR/NAME.dict.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace {

/// A word as libFuzzer's dictionaries write it.
std::string dictionary_line(std::string_view word) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out + "\"\n";
}

bool write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return out.good();
}

bool write_target(const std::filesystem::path& folder, const tandem::fuzz::Target& target) {
  const std::string name(target.name);
  std::filesystem::create_directories(folder / name);
  bool good = true;
  int number = 0;
  for (const std::string& seed : target.seeds()) {
    good = write_file(folder / name / ("seed-" + std::to_string(number++)), seed) && good;
  }
  std::string words;
  for (const std::string& word : target.words()) words += dictionary_line(word);
  return write_file(folder / (name + ".dict"), words) && good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tandem_fuzz_seeds DIR\n");
    return 2;
  }
  for (const tandem::fuzz::Target& target : tandem::fuzz::all_targets()) {
    if (write_target(argv[1], target)) continue;
    std::fprintf(stderr, "error: %s: cannot write the seeds of %.*s\n", argv[1],
                 static_cast<int>(target.name.size()), target.name.data());
    return 2;
  }
  return 0;
}
