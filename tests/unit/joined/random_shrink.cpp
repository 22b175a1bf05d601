// Drops halves of the requests first, then ever shorter runs of them.
#include "tests/unit/joined/random_shrink.hpp"

#include <algorithm>
#include <cstddef>

namespace tandem::test {
namespace {

RandomCase without(RandomCase drawn, std::size_t begin, std::size_t end) {
  const auto first = drawn.requests.begin();
  drawn.requests.erase(first + static_cast<std::ptrdiff_t>(begin),
                       first + static_cast<std::ptrdiff_t>(end));
  for (std::size_t id = 0; id < drawn.requests.size(); ++id) {
    drawn.requests[id].row.id = static_cast<RequestId>(id);
  }
  return drawn;
}

}  // namespace

RandomCase shrunk(RandomCase drawn, const std::function<bool(const RandomCase&)>& is_wrong) {
  for (std::size_t run = std::max<std::size_t>(drawn.requests.size() / 2, 1); run > 0; run /= 2) {
    for (std::size_t end = drawn.requests.size(); end >= run;) {
      RandomCase fewer = without(drawn, end - run, end);
      const bool drop = !fewer.requests.empty() && is_wrong(fewer);
      if (drop) drawn = std::move(fewer);
      end -= run;
    }
  }
  return drawn;
}

}  // namespace tandem::test
