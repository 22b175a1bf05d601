// A scenario in which everything happens: parking, a preemption, an abort, an idle gap.
#pragma once

#include <string>

namespace tandem::test {

/// Five requests on four slots and too few KV blocks; all of them end. A budget of 32 rows a step
/// cuts the longest prompt into chunks, one of 64 does not.
inline std::string pressed_scenario(int max_num_batched_tokens) {
  return R"({"name": "pressed",
  "engine": {"max_num_seqs": 4, "num_speculative_tokens": 3, "block_size": 4,
    "max_model_len": 128, "kv_blocks": 40, "max_num_batched_tokens": )" +
         std::to_string(max_num_batched_tokens) + R"(},
  "acceptance": {"kind": "constant", "p": 0.7},
  "workload": {"kind": "requests", "requests": [
    {"arrival": 0, "prompt": 8, "output": 40},
    {"arrival": 0, "prompt": 8, "output": 40, "preempt_after": 10},
    {"arrival": 0, "prompt": 6, "output": 30, "abort_after": 12},
    {"arrival": 2, "prompt": 50, "output": 30}, {"arrival": 60, "prompt": 20, "output": 9}]}})";
}

}  // namespace tandem::test
