// ActivityLog in a build without CUPTI: never constructed, as run_on_cuda() refuses level timeline.
#include "runtime/cuda/activity.hpp"
#include "runtime/cuda/failure.hpp"

namespace tandem::cuda {

bool ActivityLog::is_available() { return false; }
ActivityLog::ActivityLog() { throw CudaFailure("ActivityLog: this build has no CUPTI"); }
ActivityLog::~ActivityLog() = default;
void ActivityLog::flush() {}

}  // namespace tandem::cuda
