// A scenario in which everything happens: chunks, parking, a preemption, an abort, an idle gap.
#pragma once

namespace tandem::test {

/// Five requests on four slots and too few KV blocks; all of them end.
constexpr const char* kPressed = R"({"name": "pressed",
  "engine": {"max_num_seqs": 4, "num_speculative_tokens": 3, "block_size": 4,
    "max_model_len": 128, "max_num_batched_tokens": 32, "kv_blocks": 40},
  "acceptance": {"kind": "constant", "p": 0.7},
  "workload": {"kind": "requests", "requests": [
    {"arrival": 0, "prompt": 8, "output": 40},
    {"arrival": 0, "prompt": 8, "output": 40, "preempt_after": 10},
    {"arrival": 0, "prompt": 6, "output": 30, "abort_after": 12},
    {"arrival": 2, "prompt": 50, "output": 30}, {"arrival": 60, "prompt": 20, "output": 9}]}})";

}  // namespace tandem::test
