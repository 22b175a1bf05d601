// OneWayQueue: from one thread to another, ordering what is handed over and nothing else.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace tandem {

/// One producer, one consumer, no bound. What the producer did before push(x) comes before what the
/// consumer does behind the pop() that brings x: each entry has a flag of its own, so that not even
/// a later push counts. Nothing flows back, therefore no ring: a producer that reuses an entry has
/// to know that it was taken, and with that all that the consumer did before.
template <class T>
class OneWayQueue {
 public:
  OneWayQueue() : head_(std::make_unique<Node>()), tail_(head_.get()) {}

  /// Producer only.
  void push(T value) {
    tail_->next = std::make_unique<Node>();
    Node* const node = tail_->next.get();
    node->value = std::move(value);
    tail_->has_next.store(true, std::memory_order_release);
    tail_ = node;
  }

  /// Consumer only. False, and `out` as it was, where nothing has been pushed that was not taken.
  [[nodiscard]] bool pop(T& out) {
    if (!head_->has_next.load(std::memory_order_acquire)) return false;
    head_ = std::move(head_->next);
    out = std::move(head_->value);
    return true;
  }

 private:
  struct Node {
    T value{};
    std::unique_ptr<Node> next;
    std::atomic<bool> has_next{false};
  };

  std::unique_ptr<Node> head_;  ///< the consumer's; its value has been taken
  Node* tail_;                  ///< the producer's
};

}  // namespace tandem
