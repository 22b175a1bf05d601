// Digest of staged task arrays.
#include "runtime/core/task_arrays.hpp"

#include "traces/base/hash.hpp"

namespace tandem {
namespace {

class Folder {
 public:
  void add(std::int64_t value) {
    state_ = mix64(state_ + kGolden64 + static_cast<std::uint64_t>(value));
  }
  void add(const std::vector<std::int32_t>& values) {
    add(static_cast<std::int64_t>(values.size()));
    for (const std::int32_t value : values) add(value);
  }
  [[nodiscard]] std::int32_t low16() const { return static_cast<std::int32_t>(state_ & 0xFFFFU); }

 private:
  std::uint64_t state_ = 0;
};

void add_row(Folder& f, const RequestRow& row) {
  for (const std::int64_t value : {std::int64_t{row.id}, row.arrival, std::int64_t{row.prompt_len},
                                   std::int64_t{row.max_dec_len}, std::int64_t{row.eos_at},
                                   std::int64_t{row.stop_at}, std::int64_t{row.stop_len},
                                   std::int64_t{row.min_tokens}, std::int64_t{row.cached_prompt}}) {
    f.add(value);
  }
  f.add(row.accept);
}

}  // namespace

std::int32_t task_array_digest(const std::vector<Task>& tasks) {
  Folder f;
  for (const Task& task : tasks) {
    f.add(static_cast<std::int64_t>(task.kind));
    for (const std::int32_t value :
         {task.slot, task.request, task.generation, task.start, task.end, task.text_len,
          task.generated, task.drafts, static_cast<std::int32_t>(task.admits)}) {
      f.add(value);
    }
    if (task.admits) add_row(f, task.row);
    f.add(task.blocks);
  }
  return f.low16();
}

}  // namespace tandem
