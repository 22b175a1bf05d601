// V0: the oracle's state against the keyframe that follows it.
#include <string>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

class KeyframeComparison {
 public:
  KeyframeComparison(const OracleState& state, Reporter& out) : s_(state), out_(out) {}

  void scalar(const char* name, std::int64_t found, std::int64_t oracle) {
    if (found == oracle) return;
    out_.add({CheckId::V0, "-", -1, -1, Field::count, name, nothing(), just(found), just(oracle)});
  }

  void at(const char* name, std::size_t slot, std::int64_t found, std::int64_t oracle) {
    if (found == oracle || oracle == kUnknown) return;
    out_.add({CheckId::V0, "-", static_cast<std::int32_t>(slot), s_.request[slot], Field::count,
              name, nothing(), just(found), just(oracle)});
  }

  /// Every slot. A column that is too short reads as 0.
  void column(const char* name, const Column& found, const Column& oracle) {
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      at(name, i, i < found.size() ? found[i] : 0, oracle[i]);
    }
  }

  /// What the engine knows of a slot. It goes with the request; another engine may leave it there.
  void known(const char* name, const Column& found, const Column& oracle, bool forgets) {
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      const bool is_free = s_.request[i] < 0;
      if (is_free && !forgets) continue;
      at(name, i, i < found.size() ? found[i] : 0, is_free ? 0 : oracle[i]);
    }
  }

 private:
  const OracleState& s_;
  Reporter& out_;
};

void compare_device(KeyframeComparison& v, const OracleState& s, const Keyframe& k) {
  v.column("keyframe.slots.q", k.slots.q, s.dev.q);
  v.column("keyframe.slots.e", k.slots.e, s.dev.e);
  v.column("keyframe.slots.d", k.slots.d, s.dev.d);
  v.column("keyframe.slots.s", k.slots.s, s.dev.s);
  v.column("keyframe.slots.b", k.slots.b, s.dev.b);
  v.column("keyframe.slots.g", k.slots.g, s.dev.g);
  v.column("keyframe.slots.a", k.slots.a, s.dev.a);
  v.column("keyframe.p", k.p, s.p);
  v.column("keyframe.draft.len", k.draft.len, s.draft.len);
  v.column("keyframe.draft.hole", k.draft.hole, s.draft.hole);
  v.column("keyframe.draft.digest", k.draft.digest, s.draft.digest);
  v.column("keyframe.draft.first", k.draft.first, s.draft.first);
  v.column("keyframe.step_q", k.step_q, s.step_q);
  v.column("keyframe.step_d", k.step_d, s.step_d);
  v.column("keyframe.step_digest", k.step_digest, s.step_digest);
  v.column("keyframe.shadow.q", k.shadow.q, s.shadow.q);
  v.column("keyframe.shadow.e", k.shadow.e, s.shadow.e);
  v.column("keyframe.shadow.d", k.shadow.d, s.shadow.d);
  v.column("keyframe.shadow.g", k.shadow.g, s.shadow.g);
  v.column("keyframe.shadow.s", k.shadow.s, s.shadow.s);
  const std::vector<std::int32_t> empty;
  for (std::size_t i = 0; i < s.blocks.size(); ++i) {
    const std::vector<std::int32_t>& found = i < k.blocks.size() ? k.blocks[i] : empty;
    if (found == s.blocks[i]) continue;
    std::size_t entry = 0;  // the first that differs; -1 stands for an entry that is not there
    while (entry < found.size() && entry < s.blocks[i].size() &&
           found[entry] == s.blocks[i][entry]) {
      ++entry;
    }
    v.at("keyframe.blocks", i, entry < found.size() ? found[entry] : -1,
         entry < s.blocks[i].size() ? s.blocks[i][entry] : -1);
  }
}

/// Only where steps tell their seeds: the law of infer_seed is that of this project's runtime.
void compare_seeds(KeyframeComparison& v, const OracleState& s, const Keyframe& k) {
  for (std::size_t i = 0; i < s.infer_seed.size(); ++i) {
    if (s.seed_in_part[i] != 0) continue;
    v.at("keyframe.infer_seed", i, i < k.infer_seed.size() ? k.infer_seed[i] : 0, s.infer_seed[i]);
  }
}

void compare_occupants(KeyframeComparison& v, const OracleState& s, const Keyframe& k) {
  v.column("keyframe.request", k.request, s.request);
  v.column("keyframe.generation", k.generation, s.given);
  std::size_t occupied = 0;
  for (std::size_t i = 0; i < s.request.size(); ++i) {
    if (s.request[i] < 0) continue;
    const bool same = occupied < k.rows.size() && k.rows[occupied] == s.occupants[i].row;
    v.at("keyframe.rows", i, same ? 1 : 0, 1);
    ++occupied;
  }
  v.scalar("keyframe.rows", static_cast<std::int64_t>(k.rows.size()),
           static_cast<std::int64_t>(occupied));
}

void compare_unsent(KeyframeComparison& v, const OracleState& s, const Keyframe& k) {
  v.scalar("keyframe.has_unsent", k.has_unsent ? 1 : 0, s.unsent.exists ? 1 : 0);
  if (k.has_unsent != s.unsent.exists) return;
  const Message nothing_to_say;
  const Message& want = s.unsent.exists ? s.unsent.text : nothing_to_say;
  const Message& found = k.unsent;
  v.scalar("keyframe.unsent.control", found.control ? 1 : 0, 0);
  v.scalar("keyframe.unsent.step", found.step, want.step);
  v.scalar("keyframe.unsent.slots", found.slots, want.slots);
  const auto n = static_cast<std::size_t>(want.slots);
  const auto read = [](const Column& column, std::size_t i, std::int32_t fill) {
    return i < column.size() ? column[i] : fill;
  };
  for (std::size_t i = 0; i < want.count.size(); ++i) {
    v.at("keyframe.unsent.count", i, read(found.count, i, 0), want.count[i]);
    v.at("keyframe.unsent.digest", i, read(found.digest, i, 0), want.digest[i]);
    v.at("keyframe.unsent.seq_len", i, read(found.seq_len, i, 0), i < n ? want.seq_len[i] : 0);
    v.at("keyframe.unsent.request", i, read(found.request, i, kNoRequest), want.request[i]);
    v.at("keyframe.unsent.generation", i, read(found.generation, i, 0), want.generation[i]);
  }
}

}  // namespace

void v0_keyframe(const OracleState& s, const Keyframe& k, const FieldSet& present, Reporter& out) {
  if (!out.is_enabled(CheckId::V0)) return;
  out.begin_step(k.t);
  KeyframeComparison v(s, out);
  v.scalar("keyframe.t", k.t, s.t);
  v.scalar("keyframe.n", k.n, s.n);
  compare_device(v, s, k);
  const bool of_this_project = present.test(static_cast<std::size_t>(Field::seed_used));
  if (of_this_project) compare_seeds(v, s, k);
  compare_occupants(v, s, k);
  v.scalar("keyframe.flag", k.flag ? 1 : 0, s.flag ? 1 : 0);
  v.scalar("keyframe.draft_flag", k.draft_flag ? 1 : 0, s.draft_flag ? 1 : 0);
  v.scalar("keyframe.cached.token_num", k.cached.token_num, s.cached.token_num);
  v.scalar("keyframe.cached.real_bsz", k.cached.real_bsz, s.cached.real_bsz);
  v.column("keyframe.q_cpu", k.q_cpu, s.q_cpu);
  v.column("keyframe.b_cpu", k.b_cpu, s.b_cpu);
  v.scalar("keyframe.ghost", k.ghost ? 1 : 0, s.ghost ? 1 : 0);
  compare_unsent(v, s, k);
  v.column("keyframe.preempted", k.preempted, s.preempted);
  v.column("keyframe.last_preempted", k.last_preempted, s.last_preempted);
  v.known("keyframe.known_d", k.known_d, s.known_d, of_this_project);
  v.known("keyframe.known_g", k.known_g, s.known_g, of_this_project);
  v.known("keyframe.in_flight", k.in_flight, s.in_flight, of_this_project);
}

}  // namespace tandem::sim
