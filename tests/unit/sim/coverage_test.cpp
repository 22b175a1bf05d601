// Every recorded value matters: each single change of each field of each record is noticed by some
// check.
#include <set>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"
#include "traces/fields.hpp"

namespace tandem::test {
namespace {

/// Times, which no check reads, and the fields of level full, which these records do not hold.
bool is_unread(Field field) {
  return field == Field::spans || field == Field::start_ns || field == Field::end_ns ||
         field >= Field::p0_q;
}

/// Adds `delta` to the `target`-th number of a record, in visiting order.
class Changer {
 public:
  Changer(std::size_t target, std::int32_t delta) : target_(target), delta_(delta) {}

  template <class T>
  void operator()(Field field, T& value) {
    if (is_unread(field)) return;
    field_ = field;
    change(value);
  }
  template <class T, class Each>
  void list(Field, T& items, Each each) {
    for (auto& item : items) each(item, *this);
  }

  [[nodiscard]] bool found() const { return seen_ > target_; }
  [[nodiscard]] std::string name() const { return name_; }

 private:
  void number(bool& value) {
    if (hit()) value = !value;
  }
  void number(StepKind& value) {
    if (hit()) value = static_cast<StepKind>((static_cast<int>(value) + 1) % 3);
  }
  void number(LaunchMode& value) {
    if (hit()) value = static_cast<LaunchMode>(1 - static_cast<int>(value));
  }
  template <class T>
  void number(T& value) {
    using Bits = std::make_unsigned_t<T>;  // the sum may wrap: any value will do
    if (hit()) value = static_cast<T>(static_cast<Bits>(value) + static_cast<Bits>(delta_));
  }

  template <class T>
  void change(T& value) {
    number(value);
  }
  void change(CachedPair& pair) {
    number(pair.token_num);
    number(pair.real_bsz);
  }
  template <class T>
  void change(std::vector<T>& values) {
    for (T& value : values) change(value);
  }
  void change(RowRun& run) {
    number(run.slot);
    number(run.rows);
  }
  void change(SlotFree& free) {
    number(free.slot);
    number(free.generation);
  }
  void change(RequestOutcome& outcome) {
    number(outcome.id);
    number(outcome.output_len);
  }
  void change(Task& task) {
    for (std::int32_t* value : {&task.slot, &task.request, &task.generation}) number(*value);
    if (task.kind == TaskKind::prefill) {
      for (std::int32_t* value : {&task.start, &task.end, &task.text_len, &task.generated}) {
        number(*value);
      }
      number(task.row.prompt_len);
    }
    change(task.blocks);
  }
  void change(Message& message) {
    number(message.control);
    number(message.step);
    number(message.slots);
    for (Column* column : {&message.count, &message.digest, &message.seq_len, &message.request,
                           &message.generation}) {
      change(*column);
    }
  }
  void change(CountUse& use) {
    number(use.step);
    number(use.count);
  }
  void change(PinnedCopy& copy) {
    for (std::int32_t* value : {&copy.buffer, &copy.at_enqueue, &copy.at_copy}) number(*value);
  }
  void change(Span&) {}
  void change(PlanDeviation&) {}

  bool hit() {
    const bool now = seen_++ == target_;
    if (now) name_ = field_path(field_);
    return now;
  }

  std::size_t target_;
  std::int32_t delta_;
  std::size_t seen_ = 0;
  Field field_ = Field::count;
  std::string name_;
};

/// Changes that leave a legal record: an extreme id may be any of the vocabulary.
bool is_free(const std::string& field) {
  return field == "id_min" || field == "id_max" || field.rfind("substeps.id_", 0) == 0;
}

void expect_every_change_is_noticed(const TinyTrace& clean, std::int32_t delta) {
  ASSERT_EQ(judge(clean).divergence_count, 0U);
  std::set<std::string> seen;
  TinyTrace trace = clean;
  for (std::size_t k = 0; k < clean.content[0].records.size(); ++k) {
    for (std::size_t target = 0;; ++target) {
      StepRecord& r = trace.content[0].records[k];
      Changer changer(target, delta);
      visit_fields(r, changer);
      if (!changer.found()) break;
      seen.insert(changer.name());
      if (!is_free(changer.name())) {
        EXPECT_GT(judge(trace).divergence_count, 0U)
            << "t=" << clean.content[0].records[k].t << " value " << target << " of field "
            << changer.name();
      }
      r = clean.content[0].records[k];
    }
  }
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    // A clean record deviates nowhere: there is nothing to change, only to add.
    if (is_unread(field) || field == Field::substeps || field == Field::deviations) continue;
    EXPECT_EQ(seen.count(field_path(field)), 1U) << field_path(field) << " was never changed";
  }
}

TEST(Coverage, EverySingleChangeOfARecordIsNoticed) {
  expect_every_change_is_noticed(worked_example(), 1);
}

TEST(Coverage, EverySingleHugeChangeOfARecordIsNoticed) {
  expect_every_change_is_noticed(worked_example(), 1 << 30U);
}

TEST(Coverage, DeviationFromThePlanIsV23) {
  TinyTrace trace = worked_example();
  constexpr auto kSend = static_cast<std::int32_t>(plan::OpKind::send_message);
  trace.content[0].records[2].deviations.push_back({0, 1, kSend, -1});
  const sim::Verdict verdict = judge(trace);
  ASSERT_EQ(verdict.divergence_count, 1U);
  EXPECT_EQ(verdict.divergences[0].check, sim::CheckId::V23);
}

}  // namespace
}  // namespace tandem::test
