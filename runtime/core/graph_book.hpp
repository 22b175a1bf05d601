// GraphBook: which groups of launches have a CUDA graph, and when one is made.
//
// A graph carries its launches' arguments by value, so its key is every number that they are made
// from. In steady decode these repeat from step to step. Where they do not, capturing would cost
// the host a hundred times what launching does, so what is seen once is not captured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <vector>

#include "runtime/core/device.hpp"

namespace tandem {

/// What the launches of a group depend on; the first number names the group.
using GraphKey = std::vector<std::int64_t>;

/// Every number that the launches of an operation are made from.
void append_key(const plan::Operation& op, const LaunchArgs& args, GraphKey& key);

class GraphBook {
 public:
  enum class Answer : std::uint8_t {
    alone,  ///< asked for the first time: launch one by one
    make,   ///< asked again: capture it into `graph`, then say made()
    replay  ///< launch `graph`
  };
  struct Found {
    Answer answer = Answer::alone;
    std::size_t graph = 0;  ///< numbers from 0 on
    bool is_new = false;    ///< make: nothing has been in `graph` yet
  };

  [[nodiscard]] Found ask(const GraphKey& key);
  /// `graph` holds `key` from now on, and not what it held before.
  void made(const GraphKey& key, std::size_t graph);
  /// Forgets every graph; what was seen is remembered.
  void clear();

 private:
  /// Graphs a group may have. A full group gives its least recently launched one new arguments,
  /// since an executable graph must not be destroyed while it may be running.
  static constexpr std::size_t kPerGroup = 64;
  static constexpr std::size_t kSeenMax = 4096;  ///< keys remembered that have no graph

  struct Entry {
    GraphKey key;
    std::size_t graph = 0;
  };
  using Entries = std::list<Entry>;  ///< of one group, most recently launched first

  std::map<std::int64_t, Entries> groups_;
  std::map<GraphKey, Entries::iterator> by_key_;
  std::set<GraphKey> seen_;
  std::size_t graphs_ = 0;
};

}  // namespace tandem
