// The arrays of an engine whose slots all decode, as recorder_bench hands them to a recorder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "traces/base/random.hpp"
#include "traces/recorder/tandem_recorder.h"

namespace tandem::bench {

/// K = M = 3. Every array is memory of its own; advance() writes all of them, as copies from a
/// device would.
class Engine {
 public:
  tandem_config config{};
  tandem_step step{};  ///< every member is known; points into this object

  explicit Engine(std::size_t slots);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Leaves what an engine has at hand without looking for it: the slots at P1, P2 and P4, the
  /// tokens, the block tables and the host's numbers.
  void keep_essentials();

  /// The next step: lengths grow by what was accepted, tokens and drafts are new.
  void advance(bool rewrites_tables);

  /// Bytes of the arrays that `step` points to, block tables aside.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  /// What the entries of an array are, slot by slot: `add` more than that.
  enum class Role : std::uint8_t { fixed, length, generated, accepted, request, seed, token };
  template <class T>
  struct Array {
    std::vector<T> values;
    Role role;
    std::int64_t add;
  };

  std::size_t slots_, table_ = 0, bytes_ = 0, essential_bytes_ = 0;
  bool essential_ = true;  // of arrays that are made now
  RandomStream draws_{1, "recorder_bench"};
  std::vector<std::int64_t> length_, generated_, accepted_;  // per slot, in front of the step
  std::deque<Array<std::int32_t>> columns_;
  std::deque<Array<std::int64_t>> wide_;
  std::deque<std::vector<std::uint8_t>> flags_;
  std::vector<std::int32_t> tables_;
  std::vector<std::uint8_t> changed_;
  std::vector<tandem_substep> substeps_;
  tandem_message message_{};

  void count(std::size_t bytes);
  std::int32_t* column(Role role, std::int64_t add, std::size_t entries = 0);
  std::int64_t* wide(Role role, std::int64_t add, std::size_t entries = 0);
  std::uint8_t* flags();
  tandem_slots point(std::int64_t tokens_ahead);
  void make_host();
  void make_device();
  void make_launch();
  void make_proposer();
  std::int64_t value(Role role, std::size_t slot);
};

}  // namespace tandem::bench
