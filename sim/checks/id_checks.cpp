// V9 and V34 on embedding ids: the least and the greatest of a launch, padding included.
//
// At level `state` tokens are digests, so only what padding, the vocabulary and the number of rows
// force is known. Level `full` knows all ids of decode rows. No level knows the text of a chunk or
// the stale rows from N to the captured size (4.7).
#include <algorithm>
#include <limits>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

/// What is known of the ids that a launch embeds.
class KnownIds {
 public:
  void add(std::int64_t id) {
    least_ = std::min(least_, id);
    greatest_ = std::max(greatest_, id);
    ++count_;
  }
  void add_unknown(std::int64_t rows) { unknown_ += std::max<std::int64_t>(rows, 0); }

  [[nodiscard]] bool any() const { return count_ > 0; }
  [[nodiscard]] bool all() const { return unknown_ == 0; }
  [[nodiscard]] std::int64_t least() const { return least_; }
  [[nodiscard]] std::int64_t greatest() const { return greatest_; }

 private:
  std::int64_t least_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t greatest_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t count_ = 0;
  std::int64_t unknown_ = 0;
};

struct LaunchedIds {
  CheckId check;
  const char* point;
  Field least;
  Field greatest;
  std::int32_t id_min;
  std::int32_t id_max;
  std::int64_t rows;
};

void check_ids(StepContext& c, const LaunchedIds& launch, const KnownIds& known) {
  const auto report = [&](Field field, std::int64_t device, std::int64_t oracle) {
    c.out.add(
        {launch.check, launch.point, -1, -1, field, "", nothing(), just(device), just(oracle)});
  };
  if (launch.rows == 1 && launch.id_min != launch.id_max) {
    report(launch.least, launch.id_min, launch.id_max);
  }
  if (!known.any()) return;
  const bool least = known.all() ? launch.id_min == known.least() : launch.id_min <= known.least();
  const bool greatest =
      known.all() ? launch.id_max == known.greatest() : launch.id_max >= known.greatest();
  if (!least) report(launch.least, launch.id_min, known.least());
  if (!greatest) report(launch.greatest, launch.id_max, known.greatest());
}

const std::int64_t* cells_of(const StepContext& c, Field field,
                             const std::vector<std::int64_t>& tokens, std::size_t slot) {
  const auto width = static_cast<std::size_t>(c.rules.width);
  if (!c.has(field) || tokens.size() != c.slots() * width) return nullptr;
  return tokens.data() + slot * width;
}

/// Sub-step 0 embeds what the step committed, each later one the token drafted before it.
void add_draft_rows(const StepContext& c, std::size_t substep, std::size_t i, KnownIds& known) {
  const std::int32_t rows = c.r.substeps[substep].qd[i];
  if (rows <= 0) return;
  if (substep == 0) {
    const std::int64_t* accepted = cells_of(c, Field::p2_tokens, c.r.p2_tokens, i);
    const bool decodes = c.r.draft_e[i] == 0 && rows <= c.rules.width;
    for (std::int32_t x = 0; x < rows && decodes && accepted != nullptr; ++x)
      known.add(accepted[x]);
    if (!decodes || accepted == nullptr) known.add_unknown(rows);
    return;
  }
  const std::int64_t* drafts = cells_of(c, Field::p4_tokens, c.r.p4_tokens, i);
  const bool drafted = drafts != nullptr && drafts[substep] >= 0 && rows == 1;
  if (drafted) {
    known.add(drafts[substep]);
  } else {
    known.add_unknown(rows);  // frozen: the same token once more (5.12)
  }
}

}  // namespace

/// V34: in the vocabulary. Where nothing is launched both are 0.
void v34_main_ids(StepContext& c) {
  const bool embeds = c.r.kind != StepKind::idle && c.r.token_num > 0;
  const auto bound = [&c](Field field, std::int32_t id, bool holds, std::int32_t limit) {
    if (holds) return;
    c.out.add({CheckId::V34, "P1", -1, -1, field, "", nothing(), just(id), just(limit)});
  };
  const std::int32_t last = embeds ? c.rules.vocab - 1 : 0;
  bound(Field::id_min, c.r.id_min, c.r.id_min >= 0 && c.r.id_min <= c.r.id_max, 0);
  bound(Field::id_max, c.r.id_max, c.r.id_max <= last, last);
}

/// V9: rows from T on hold padding_id, and what else is known stands between the two.
void v9_main_ids(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V9)) return;
  if (c.r.kind == StepKind::idle || c.r.token_num <= 0) return;
  if (!c.has(Field::captured_size) || !c.has(Field::p1_e)) return;
  const std::int64_t rows = sum_below(c.r.p1.q, c.s.n);
  if (c.r.token_num < rows) return;  // V1 speaks; which rows the guard dropped is V9's row_runs
  KnownIds known;
  const bool has_tokens = c.has(Field::p1_tokens);
  if (!has_tokens) known.add_unknown(rows);
  for (std::size_t i = 0; has_tokens && i < c.below(); ++i) {
    const std::int32_t q = c.r.p1.q[i];
    const std::int64_t* row = cells_of(c, Field::p1_tokens, c.r.p1_tokens, i);
    const bool decodes = c.r.p1.e[i] == 0 && q <= c.rules.width;
    for (std::int32_t x = 0; x < q && decodes && row != nullptr; ++x) known.add(row[x]);
    if (!decodes || row == nullptr) known.add_unknown(q);
  }
  if (c.r.token_num > rows) known.add(c.rules.padding_id);
  known.add_unknown(std::int64_t{c.r.captured_size} - c.r.token_num);
  check_ids(c,
            {CheckId::V9, "P1", Field::id_min, Field::id_max, c.r.id_min, c.r.id_max,
             std::max(c.r.token_num, c.r.captured_size)},
            known);
}

void v34_draft_rows(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V34)) return;
  for (const Field field : {Field::draft_e, Field::sub_qd, Field::sub_device_sum,
                            Field::sub_captured_size, Field::p2_a}) {
    if (!c.has(field)) return;
  }
  const bool has_tokens = c.has(Field::p2_tokens) && c.has(Field::p4_tokens);
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    const DraftSubstep& sub = c.r.substeps[j];
    if (!sub.launched || sub.token_num < sub.device_sum) continue;
    c.out.begin_substep(static_cast<std::int32_t>(j));
    KnownIds known;
    if (!has_tokens) known.add_unknown(sub.device_sum);
    for (std::size_t i = 0; has_tokens && i < c.slots(); ++i) add_draft_rows(c, j, i, known);
    if (sub.token_num > sub.device_sum) known.add(c.rules.padding_id);
    known.add_unknown(std::int64_t{sub.captured_size} - sub.token_num);
    check_ids(c,
              {CheckId::V34, "P3", Field::sub_id_min, Field::sub_id_max, sub.id_min, sub.id_max,
               std::max(sub.token_num, sub.captured_size)},
              known);
  }
  c.out.begin_substep(-1);
}

}  // namespace tandem::sim
