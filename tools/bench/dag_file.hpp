// A run as a file, for other simulators: what each task does, on which lane, behind which other.
//
// Text, so that any language reads it: a line "tasks lanes", then one a task in issue order, "lane
// awaited duration_ns"; awaited is an earlier task, -1 where there is none.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace tandem::bench {

struct Dag {
  std::int64_t lanes = 0;
  std::vector<std::uint32_t> lane;
  std::vector<std::int32_t> awaited;
  std::vector<std::int64_t> duration_ns;
};

/// False where the file cannot be written whole.
inline bool write_dag(const std::string& path, const Dag& dag) {
  std::ofstream out(path);
  out << dag.lane.size() << ' ' << dag.lanes << '\n';
  for (std::size_t i = 0; i < dag.lane.size(); ++i) {
    out << dag.lane[i] << ' ' << dag.awaited[i] << ' ' << dag.duration_ns[i] << '\n';
  }
  out.close();
  return static_cast<bool>(out);
}

/// False where the file is not as write_dag() writes it.
inline bool read_dag(const std::string& path, Dag& dag) {
  std::ifstream in(path);
  std::size_t tasks = 0;
  in >> tasks >> dag.lanes;
  if (!in || tasks > (std::size_t{1} << 30U) || dag.lanes < 1) return false;
  dag.lane.resize(tasks);
  dag.awaited.resize(tasks);
  dag.duration_ns.resize(tasks);
  for (std::size_t i = 0; i < tasks; ++i) {
    in >> dag.lane[i] >> dag.awaited[i] >> dag.duration_ns[i];
    if (!in || dag.lane[i] >= dag.lanes || dag.awaited[i] >= static_cast<std::int64_t>(i)) {
      return false;
    }
  }
  return true;
}

}  // namespace tandem::bench
