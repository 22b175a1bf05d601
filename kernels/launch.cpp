// launch of any operation, by the type of its contract.
#include "kernels/launch.hpp"

namespace tandem::kernels {

Status launch(const AnyOp& op, Stream stream) {
  return std::visit([stream](const auto& io) { return launch(io, stream); }, op);
}

}  // namespace tandem::kernels
