// Keys that have been seen, graphs that have been made, the least recent of each group.
#include "runtime/core/graph_book.hpp"

#include <iterator>

namespace tandem {

void append_key(const plan::Operation& op, const LaunchArgs& a, GraphKey& key) {
  for (const std::int32_t number :
       {static_cast<std::int32_t>(op.kind), static_cast<std::int32_t>(op.substep), a.n, a.token_num,
        a.output_rows, a.rows, a.draft_output_rows, a.hidden_rows, a.captured}) {
    key.push_back(number);
  }
}

GraphBook::Found GraphBook::ask(const GraphKey& key) {
  Entries& group = groups_[key.front()];
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    group.splice(group.begin(), group, found->second);
    return {Answer::replay, group.front().graph, false};
  }
  if (seen_.erase(key) == 0) {
    if (seen_.size() >= kSeenMax) seen_.clear();
    seen_.insert(key);
    return {Answer::alone, 0, false};
  }
  const bool is_new = group.size() < kPerGroup;
  return {Answer::make, is_new ? graphs_ : group.back().graph, is_new};
}

void GraphBook::made(const GraphKey& key, std::size_t graph) {
  Entries& group = groups_[key.front()];
  if (graph == graphs_) {
    ++graphs_;
    group.push_front({key, graph});
  } else {
    by_key_.erase(group.back().key);
    group.back().key = key;
    group.splice(group.begin(), group, std::prev(group.end()));
  }
  by_key_[key] = group.begin();
}

void GraphBook::clear() {
  groups_.clear();
  by_key_.clear();
  graphs_ = 0;
}

}  // namespace tandem
