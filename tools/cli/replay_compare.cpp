// Walks the recording beside the replay and counts what differs.
#include "tools/cli/replay_compare.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "tools/cli/diff.hpp"
#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

using F = Field;

void drop(FieldSet& fields, std::initializer_list<Field> dropped) {
  for (const Field field : dropped) fields.reset(static_cast<std::size_t>(field));
}

bool is_named(const std::vector<std::string>& keys, const char* key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// What both records hold and the recording determines.
FieldSet compared_fields(const RecordedRun& run, const TraceHeader& replay,
                         const std::vector<std::string>& changed) {
  FieldSet fields = run.present & present_fields(replay);
  drop(fields, {F::spans, F::start_ns, F::end_ns});
  if (run.by_commits) {  // tokens are the script's, not the recorded model's
    drop(fields, {F::accept_digest, F::last_digest, F::p2_first, F::p1_draft_digest,
                  F::p1_draft_first, F::p4_draft_digest, F::p4_draft_first, F::step_digest,
                  F::pinned_copies, F::seed_used, F::id_below, F::id_above, F::sub_id_below,
                  F::sub_id_above, F::p1_tokens, F::p2_tokens, F::p4_tokens});
  }
  if (is_named(changed, "engine.cuda_graphs")) {
    drop(fields, {F::captured_size, F::sub_captured_size, F::live_tail, F::sub_live_tail});
  }
  if (is_named(changed, "copies") || is_named(changed, "engine.pinned_ring_depth")) {
    drop(fields, {F::segments, F::deviations});
  }
  return fields;
}

bool tells_digest(const FieldSet& present) {
  for (const Field field : {F::t, F::n, F::token_num, F::launch_bsz, F::real_bsz, F::output_rows,
                            F::mode, F::cached_out, F::substeps, F::sub_token_num, F::p1_q, F::p1_e,
                            F::p1_d, F::p1_s, F::p1_b, F::p1_g, F::p2_a}) {
    if (!present.test(static_cast<std::size_t>(field))) return false;
  }
  return true;
}

void clear_at(Column& column, std::size_t i) {
  if (i < column.size()) column[i] = 0;
}

}  // namespace

ReplaySink::ReplaySink(const RecordedRun& run, const std::vector<std::string>& changed)
    : run_(run), changed_(changed), cursor_(run) {}

Status ReplaySink::begin(const TraceHeader& header) {
  const std::int32_t width = header.config.row_width();
  const FieldSet fields = compared_fields(run_, header, changed_);
  comparer_.emplace(RecordContext{&run_.reader->segments(), width},
                    RecordContext{&segments_, width}, fields);
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    if (run_.present.test(i) && !fields.test(i)) {
      out_.not_compared.push_back(field_path(static_cast<Field>(i)));
    }
  }
  out_.has_digests = tells_digest(run_.present);
  const auto slots = static_cast<std::size_t>(header.config.max_num_seqs);
  stale_drafts_.assign(slots, false);
  stale_saved_.assign(slots, false);
  if (!run_.starts_idle) {
    const Keyframe& k = run_.first;
    any_stale_ = true;
    for (std::size_t i = 0; i < slots; ++i) {
      stale_drafts_[i] = k.slots.s[i] != 0 && k.slots.b[i] == 0;
      stale_saved_[i] = k.slots.b[i] == 0;
    }
  }
  return advance();
}

Status ReplaySink::segment(const plan::Segment& segment) {
  segments_.push_back(segment);
  return {};
}

Status ReplaySink::unadmitted(const RequestRow& /*row*/) { return {}; }

Status ReplaySink::advance() {
  TANDEM_TRY(live_, cursor_.next());
  if (live_) begin_ = cursor_.record().t;
  return {};
}

Status ReplaySink::keyframe(const Keyframe& keyframe) {
  if (live_ && cursor_.opened() != nullptr && begin_ == keyframe.t) {
    compare_keyframes(*cursor_.opened(), keyframe);
  }
  return {};
}

/// An idle run may be folded differently where the replay went another way.
Status ReplaySink::step(const StepRecord& record) {
  const std::int64_t end = record.t + record.repeat;
  for (std::int64_t t = record.t; t < end && live_;) {
    const std::int64_t until = std::min(end, cursor_.record().t + cursor_.record().repeat);
    compare(record, until - t);
    begin_ = t = until;
    if (until == cursor_.record().t + cursor_.record().repeat) TANDEM_RETURN_IF_ERROR(advance());
  }
  if (any_stale_) forget_stale(record);
  return {};
}

Status ReplaySink::end(const Keyframe& last) {
  const Keyframe* recorded = run_.reader->last();
  if (recorded != nullptr && run_.damage.empty() && recorded->t == last.t) {
    compare_keyframes(*recorded, last);
  }
  return {};
}

void ReplaySink::compare(const StepRecord& replayed, std::int64_t steps) {
  const StepRecord* a = &cursor_.record();
  const StepRecord* b = &replayed;
  out_.recorded_digest += counter_digest_of(*a);
  out_.replayed_digest += counter_digest_of(*b);
  if (copies()) {
    recorded_ = *a;
    replayed_ = *b;
    make_alike(recorded_, replayed_);
    a = &recorded_;
    b = &replayed_;
  }
  const std::vector<Field>& fields = comparer_->compare(*a, *b);
  out_.compared += steps;
  if (fields.empty()) return;
  out_.differing += steps;
  for (const Field field : fields) out_.per_field[static_cast<std::size_t>(field)] += steps;
  if (out_.first) return;
  out_.first = ReplayDifference{std::max(a->t, b->t), comparer_->first_difference(), one_line(*a),
                                one_line(*b)};
}

/// Takes out of both what cannot agree: rows as the runtime was given them, and digests of tokens.
void ReplaySink::make_alike(StepRecord& recorded, StepRecord& replayed) const {
  if (run_.by_commits) {
    for (Task& task : recorded.tasks) {
      if (task.admits) task.row = run_.row_of(task.row);
    }
    for (StepRecord* r : {&recorded, &replayed}) {
      for (Task& task : r->tasks) task.draft_digest = task.last_digest = 0;
      for (Message& message : r->messages)
        std::fill(message.digest.begin(), message.digest.end(), 0);
    }
  }
  if (!any_stale_) return;
  for (std::size_t i = 0; i < stale_drafts_.size(); ++i) {
    const bool writes = i < replayed.p2.a.size() && replayed.p2.a[i] > 0;
    for (StepRecord* r : {&recorded, &replayed}) {
      if (stale_drafts_[i]) {
        clear_at(r->p1_draft.digest, i);
        clear_at(r->p1_draft.first, i);
      }
      if (stale_drafts_[i] && !writes) {
        clear_at(r->p2_first, i);
        clear_at(r->p4_draft.digest, i);
        clear_at(r->p4_draft.first, i);
      }
      if (stale_saved_[i] && replayed.p4.b.size() > i && replayed.p4.b[i] == 0) {
        clear_at(r->step_digest, i);
      }
    }
  }
}

/// A D-node insert and every step with a token write the slot's row; parking saves it.
void ReplaySink::forget_stale(const StepRecord& r) {
  for (std::size_t i = 0; i < stale_drafts_.size(); ++i) {
    if (i < r.p2.a.size() && r.p2.a[i] > 0) stale_drafts_[i] = false;
    if (i < r.p4.b.size() && r.p4.b[i] != 0) stale_saved_[i] = false;
  }
  const auto none = [](const std::vector<bool>& flags) {
    return std::none_of(flags.begin(), flags.end(), [](bool flag) { return flag; });
  };
  any_stale_ = !none(stale_drafts_) || !none(stale_saved_);
}

void ReplaySink::make_alike(Keyframe& recorded, Keyframe& replayed) const {
  if (run_.by_commits) {
    for (RequestRow& row : recorded.rows) row = run_.row_of(row);
  }
  for (Keyframe* k : {&recorded, &replayed}) {
    for (std::size_t i = 0; i < stale_drafts_.size(); ++i) {
      if (stale_drafts_[i] || run_.by_commits) {
        clear_at(k->draft.digest, i);
        clear_at(k->draft.first, i);
      }
      if (stale_saved_[i] || run_.by_commits) clear_at(k->step_digest, i);
      if (run_.by_commits) clear_at(k->unsent.digest, i);
    }
    if (run_.by_commits) k->infer_seed.clear();
  }
}

void ReplaySink::compare_keyframes(Keyframe recorded, Keyframe replayed) {
  make_alike(recorded, replayed);
  ++out_.keyframes_compared;
  const std::string member = keyframe_difference(recorded, replayed);
  if (member.empty() || out_.keyframes_differing++ > 0) return;
  out_.first_keyframe = recorded.t;
  out_.first_member = member;
}

}  // namespace tandem::cli
