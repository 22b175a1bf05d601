// The checks of the host references: messages name op, tensor, what was found and what is wanted.
#include "kernels/detail/reference.hpp"

#include <cstdio>
#include <cstdlib>

namespace tandem::kernels::detail {

void Checks::fail(std::string_view place, std::string_view found, std::string_view wanted) {
  if (!status_.ok()) return;
  status_ = Error::make(std::string(op_).append(": ").append(place), found, wanted);
}

void Checks::attr(std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  const bool open = high == std::numeric_limits<std::int64_t>::max();
  fail(name, "got " + std::to_string(value),
       open ? "at least " + std::to_string(low)
            : "a value in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
}

void Checks::value(std::string_view tensor, std::int64_t index, std::int64_t value,
                   std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  fail(std::string(tensor) + "[" + std::to_string(index) + "]", "got " + std::to_string(value),
       "a value in [" + std::to_string(low) + ", " + std::to_string(high) + "]");
}

void Checks::entry_count(std::string_view tensor, std::int64_t found, std::int64_t rows,
                         std::int64_t width) {
  if (!status_.ok() || found >= rows * width) return;
  fail(tensor, "got " + std::to_string(found) + " entries",
       "at least " + std::to_string(rows * width) + " (" + std::to_string(rows) + " rows of " +
           std::to_string(width) + ")");
}

void require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "tandem bug: %s\n", status.error().text.c_str());
  std::abort();
}

}  // namespace tandem::kernels::detail
