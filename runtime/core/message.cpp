// Builds messages from pinned copies.
#include "runtime/core/message.hpp"

#include <span>

#include "traces/base/hash.hpp"

namespace tandem {
namespace {

void clear(Message& m, std::int64_t step, std::int32_t slots, std::size_t size) {
  m.control = false;
  m.step = step;
  m.slots = slots;
  for (Column* column : {&m.count, &m.digest, &m.seq_len, &m.generation}) column->assign(size, 0);
  m.request.assign(size, kNoRequest);
}

void name_owner(Message& m, const SenderView& sender, std::size_t i) {
  m.request[i] = sender.request[i];
  m.generation[i] = sender.given[i] - 1;
}

}  // namespace

void build_message(const RunConfig& config, const PinnedEntry& copied, const SenderView& sender,
                   std::int64_t step, std::int32_t slots, Message& out) {
  const auto width = static_cast<std::size_t>(config.row_width());
  clear(out, step, slots, copied.accept_num.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(slots); ++i) {
    out.seq_len[i] = copied.seq_len[i];
    const bool unfinished = copied.seq_len[i] < copied.prompt_len[i];
    std::int32_t count = unfinished ? 0 : copied.accept_num[i];
    if (sender.last_preempted[i] != 0) count = kPreemptMark;
    out.count[i] = count;
    if (count != 0) name_owner(out, sender, i);
    if (count <= 0) continue;
    const std::span tokens(&copied.accept_tokens[i * width], static_cast<std::size_t>(count));
    out.digest[i] = static_cast<std::int32_t>(token_row_digest(config.digest_key, tokens, 16));
  }
}

void build_control(const Column& marks, const SenderView& sender, std::int64_t step, Message& out) {
  clear(out, step, 0, marks.size());
  out.control = true;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] == 0) continue;
    out.count[i] = kPreemptMark;
    name_owner(out, sender, i);
    out.slots = static_cast<std::int32_t>(i) + 1;
  }
}

}  // namespace tandem
