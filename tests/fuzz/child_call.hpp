// Calls a function in a child process, so that a crash or a hang is an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sys/types.h>

namespace tandem::fuzz {

/// What a case said, or what happened to the process that ran it.
struct Answer {
  std::string wrong;       ///< "": clean
  std::int64_t steps = 0;  ///< launched; 0 where the child did not answer
};

/// One call in progress. Ends the child where it is destroyed first.
class ChildCall {
 public:
  explicit ChildCall(const std::function<Answer()>& work);
  ChildCall(ChildCall&& other) noexcept;
  ChildCall& operator=(ChildCall&& other) noexcept;
  ChildCall(const ChildCall&) = delete;
  ChildCall& operator=(const ChildCall&) = delete;
  ~ChildCall();

  /// Readable once the child has answered or ended: for poll().
  [[nodiscard]] int descriptor() const { return fd_; }
  /// Waits for the answer. A signal that ended the child is what is wrong.
  [[nodiscard]] Answer finish();
  /// Ends the child.
  void kill();

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

/// The answer, or that there was none within `seconds`.
[[nodiscard]] Answer call_in_child(const std::function<Answer()>& work, int seconds);

}  // namespace tandem::fuzz
