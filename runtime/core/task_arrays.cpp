// Words of task arrays.
#include "runtime/core/task_arrays.hpp"

namespace tandem {
namespace {

void append(const std::vector<std::int32_t>& values, std::vector<std::int64_t>& out) {
  out.push_back(static_cast<std::int64_t>(values.size()));
  out.insert(out.end(), values.begin(), values.end());
}

}  // namespace

void append_words(const Task& task, std::vector<std::int64_t>& out) {
  out.push_back(static_cast<std::int64_t>(task.kind));
  for (const std::int32_t value :
       {task.slot, task.request, task.generation, task.start, task.end, task.text_len,
        task.generated, task.drafts, static_cast<std::int32_t>(task.admits)}) {
    out.push_back(value);
  }
  if (task.admits) {
    const RequestRow& row = task.row;
    for (const std::int64_t value :
         {std::int64_t{row.id}, row.arrival, std::int64_t{row.prompt_len},
          std::int64_t{row.max_dec_len}, std::int64_t{row.eos_at}, std::int64_t{row.stop_at},
          std::int64_t{row.stop_len}, std::int64_t{row.min_tokens}, std::int64_t{row.cached_prompt},
          std::int64_t{row.abort_after}}) {
      out.push_back(value);
    }
    append(row.accept, out);
  }
  append(task.blocks, out);
}

std::int32_t task_array_digest(const std::vector<Task>& tasks) {
  std::vector<std::int64_t> words;
  for (const Task& task : tasks) append_words(task, words);
  return words_digest(words);
}

}  // namespace tandem
