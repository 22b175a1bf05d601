// launch: puts one bookkeeping operation on a CUDA stream, one overload a contract.
//
// Spans       are device memory, as the contract shapes them. They must stay valid until the stream
//             has passed the kernel. Equal to the reference in every byte, also in cells that the
//             contract leaves alone.
// Waiting     Nothing waits, allocates or reads on the host, so every launch can be captured in a
//             graph; sizes and addresses are then those of the capture.
// Bad input   is not looked at: what check_<op> refuses is undefined here. What the contract marks
//             guarded or clamped is.
// Errors      name the operation and what CUDA said. The launch of an empty call (no slot, nothing
//             to write) succeeds without a kernel.
// Device      The one that is current, compute capability 9.0 or newer: cross-slot results of the
//             slot kernels meet in a thread-block cluster.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/any_op.hpp"
#include "kernels/fused_ops.hpp"
#include "traces/base/result.hpp"

struct CUstream_st;

namespace tandem::kernels {

using Stream = CUstream_st*;  ///< cudaStream_t, without the CUDA headers

[[nodiscard]] Status launch(const BuildSamplingParams& io, Stream stream);
[[nodiscard]] Status launch(const DraftModelPostprocess& io, Stream stream);
[[nodiscard]] Status launch(const DraftModelPreprocess& io, Stream stream);
[[nodiscard]] Status launch(const DraftModelUpdate& io, Stream stream);
[[nodiscard]] Status launch(const EagleGatherHiddenStates& io, Stream stream);
[[nodiscard]] Status launch(const EagleGetHiddenStates& io, Stream stream);
[[nodiscard]] Status launch(const EagleGetSelfHiddenStates& io, Stream stream);
[[nodiscard]] Status launch(const GetPaddingOffset& io, Stream stream);
[[nodiscard]] Status launch(const NaiveUpdateModelStatus& io, Stream stream);
[[nodiscard]] Status launch(const RebuildPadding& io, Stream stream);
[[nodiscard]] Status launch(const RecoverDecodeTask& io, Stream stream);
[[nodiscard]] Status launch(const SpeculateGetOutputPaddingOffset& io, Stream stream);
[[nodiscard]] Status launch(const SpeculateGetSeqLensOutput& io, Stream stream);
[[nodiscard]] Status launch(const SpeculatePreProcess& io, Stream stream);
[[nodiscard]] Status launch(const SpeculateScheduleCache& io, Stream stream);
[[nodiscard]] Status launch(const SpeculateSetStopValueMultiSeqs& io, Stream stream);
[[nodiscard]] Status launch(const UnifiedUpdateModelStatus& io, Stream stream);
[[nodiscard]] Status launch(const VerifyDraftTokens& io, Stream stream);

/// Several operations of a step in one kernel (fused_ops.hpp).
[[nodiscard]] Status launch(const FusedCommit& io, Stream stream);
[[nodiscard]] Status launch(const FusedDraftStart& io, Stream stream);
[[nodiscard]] Status launch(const FusedDraftNext& io, Stream stream);
[[nodiscard]] Status launch(const FusedDraftEnd& io, Stream stream);

[[nodiscard]] Status launch(const AnyOp& op, Stream stream);

/// The cooperative forms of law 5.2 and 5.9: blocks meet at a grid barrier between scan and copy.
/// The grid is cut to what is co-resident on the device (law 5.2 [REC]). `row_map` is scratch of
/// io.input_rows entries. `launch` takes the form without barrier, which is faster: see
/// kernels/PERFORMANCE.md.
[[nodiscard]] Status launch_cooperative(const SpeculatePreProcess& io, Stream stream);
[[nodiscard]] Status launch_cooperative(const EagleGetHiddenStates& io,
                                        std::span<std::int32_t> row_map, Stream stream);

}  // namespace tandem::kernels
