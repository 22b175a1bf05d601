// Corrupted twins: one field of the worked example changed, and the check that must name it first.
#include <ostream>

#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

struct Twin {
  const char* name;
  std::int64_t t;
  void (*corrupt)(StepRecord& r);
  const char* line;  ///< behind "divergence "
};

void PrintTo(const Twin& twin, std::ostream* out) { *out << twin.name; }

class CorruptedTwin : public testing::TestWithParam<Twin> {};

TEST_P(CorruptedTwin, IsNamedFirst) {
  const Twin& twin = GetParam();
  TinyTrace trace = worked_example();
  twin.corrupt(record_of(trace, twin.t));
  EXPECT_EQ(first_line(judge(trace)),
            "divergence " + std::string(twin.line) + " policy=predict-rows-hidden");
}

const Twin kLaunchTwins[] = {
    {"V1_rows", 4, [](StepRecord& r) { r.token_num = 5; },
     "check=V1 step=4 rank=0 point=P1 slot=- request=- field=token_num host=5 device=6 oracle=6 "
     "belongs_to=4"},
    {"V1_bsz", 3, [](StepRecord& r) { r.launch_bsz = 1; },
     "check=V1 step=3 rank=0 point=P1 slot=- request=- field=launch_bsz host=1 device=2 oracle=2 "
     "belongs_to=3"},
    {"V2_rows", 4, [](StepRecord& r) { r.token_num = 9; },
     "check=V2 step=4 rank=0 point=- slot=- request=- field=token_num host=9 device=- oracle=6 "
     "belongs_to=4"},
    {"V2_pair", 4, [](StepRecord& r) { r.cached_out.token_num = 5; },
     "check=V2 step=4 rank=0 point=- slot=- request=- field=cached_out.token_num host=5 device=- "
     "oracle=6 belongs_to=4"},
    {"V2_draft", 5, [](StepRecord& r) { r.substeps[1].token_num = 2; },
     "check=V2 step=5 rank=0 point=P3 slot=- request=- field=substeps[1].token_num host=2 device=1 "
     "oracle=1 belongs_to=5"},
    {"V3_flag", 3, [](StepRecord& r) { r.flag_in = true; },
     "check=V3 step=3 rank=0 point=- slot=- request=- field=flag_in host=1 device=- oracle=0 "
     "belongs_to=3"},
    {"V3_mode", 3, [](StepRecord& r) { r.mode = LaunchMode::predicted; },
     "check=V3 step=3 rank=0 point=- slot=- request=- field=mode host=1 device=- oracle=0 "
     "belongs_to=3"},
    {"V4_in", 4, [](StepRecord& r) { r.cached_in.token_num = -1; },
     "check=V4 step=4 rank=0 point=- slot=- request=- field=cached_in.token_num host=-1 device=- "
     "oracle=6 belongs_to=4"},
    {"V4_out", 2,
     [](StepRecord& r) {
       r.cached_out = {6, 2};
     },
     "check=V4 step=2 rank=0 point=- slot=- request=- field=cached_out.token_num host=6 device=- "
     "oracle=-1 belongs_to=2"},
    {"V6_value", 5, [](StepRecord& r) { r.q_cpu[0] = 3; },
     "check=V6 step=5 rank=0 point=P1 slot=0 request=0 field=q_cpu host=3 device=0 oracle=0 "
     "belongs_to=5"},
    {"V6_stamp", 5, [](StepRecord& r) { r.q_cpu_step = 4; },
     "check=V6 step=5 rank=0 point=P1 slot=- request=- field=q_cpu_step host=4 device=- oracle=5 "
     "belongs_to=4"},
    {"V7_kind", 6, [](StepRecord& r) { r.kind = StepKind::empty; },
     "check=V7 step=6 rank=0 point=- slot=- request=- field=kind host=1 device=- oracle=0 "
     "belongs_to=6"},
};

const Twin kPackingTwins[] = {
    {"V9_cu", 3, [](StepRecord& r) { r.cu_seqlens_q[1] = 2; },
     "check=V9 step=3 rank=0 point=P1 slot=0 request=0 field=cu_seqlens_q host=- device=2 oracle=3 "
     "belongs_to=3"},
    {"V9_padding", 5, [](StepRecord& r) { r.row_runs[1].slot = 0; },
     "check=V9 step=5 rank=0 point=P1 slot=- request=- field=batch_id_per_token.slot host=- "
     "device=0 "
     "oracle=-1 belongs_to=5"},
    {"V10_R", 5, [](StepRecord& r) { r.output_rows_host = 6; },
     "check=V10 step=5 rank=0 point=P1 slot=- request=- field=output_rows_host host=6 device=3 "
     "oracle=3 belongs_to=5"},
    {"V12_g", 4, [](StepRecord& r) { r.p1.g[1] = 4; },
     "check=V12 step=4 rank=0 point=P1 slot=1 request=1 field=p1.g host=- device=4 oracle=3 "
     "belongs_to=4"},
    {"V12_task", 7, [](StepRecord& r) { r.tasks[0].generation = 0; },
     "check=V12 step=7 rank=0 point=P0 slot=0 request=2 field=tasks.generation host=0 device=- "
     "oracle=1 belongs_to=7"},
    {"V13_stopped", 5, [](StepRecord& r) { r.p2.a[0] = 1; },
     "check=V13 step=5 rank=0 point=P2 slot=0 request=0 field=p2.a host=- device=1 oracle=0 "
     "belongs_to=5"},
};

const Twin kStateTwins[] = {
    {"V14_d", 5, [](StepRecord& r) { r.p2.d[1] = 7; },
     "check=V14 step=5 rank=0 point=P2 slot=1 request=1 field=p2.d host=- device=7 oracle=6 "
     "belongs_to=5"},
    {"V15_after_eos", 5, [](StepRecord& r) { r.accept_marks[1] = kMarkEarlierEos; },
     "check=V15 step=5 rank=0 point=P2 slot=1 request=1 field=accept_marks host=- device=2 "
     "oracle=0 belongs_to=5"},
    {"V16_qd", 5, [](StepRecord& r) { r.substeps[1].qd[1] = 2; },
     "check=V16 step=5 rank=0 point=P3 slot=1 request=1 field=substeps[1].qd host=- device=2 "
     "oracle=1 "
     "belongs_to=5"},
    {"V17_dd", 5, [](StepRecord& r) { r.substeps[1].dd[1] = 7; },
     "check=V17 step=5 rank=0 point=P3 slot=1 request=1 field=substeps[1].dd host=- device=7 "
     "oracle=6 "
     "belongs_to=5"},
    {"V18_q", 5, [](StepRecord& r) { r.p4.q[1] = 2; },
     "check=V18 step=5 rank=0 point=P4 slot=1 request=1 field=p4.q host=- device=2 oracle=3 "
     "belongs_to=5"},
    {"V19_saved", 6, [](StepRecord& r) { r.step_d[1] = 8; },
     "check=V19 step=6 rank=0 point=P4 slot=1 request=1 field=step_d host=- device=8 oracle=9 "
     "belongs_to=6"},
};

const Twin kEndTwins[] = {
    {"V20_view", 6, [](StepRecord& r) { r.n = 1; },
     "check=V20 step=6 rank=0 point=- slot=- request=- field=n host=1 device=- oracle=2 "
     "belongs_to=6"},
    {"V21_owner", 7, [](StepRecord& r) { r.tasks[0].blocks[0] = 1; },
     "check=V21 step=7 rank=0 point=P0 slot=0 request=2 field=tasks.blocks host=1 device=- "
     "oracle=1 "
     "belongs_to=7"},
    {"V22_count", 5, [](StepRecord& r) { r.messages[0].count[1] = 3; },
     "check=V22 step=5 rank=0 point=- slot=1 request=1 field=messages.count host=3 device=2 "
     "oracle=2 belongs_to=4"},
    {"V22_missing", 5, [](StepRecord& r) { r.messages.clear(); },
     "check=V22 step=5 rank=0 point=- slot=- request=- field=messages host=0 device=- oracle=1 "
     "belongs_to=5"},
    {"V24_request", 5, [](StepRecord& r) { r.messages[0].request[1] = 0; },
     "check=V24 step=5 rank=0 point=- slot=1 request=1 field=messages.request host=0 device=- "
     "oracle=1 belongs_to=4"},
    {"V25_mark", 5, [](StepRecord& r) { r.messages[0].count[1] = kPreemptMark; },
     "check=V25 step=5 rank=0 point=- slot=1 request=1 field=messages.count host=-9 device=2 "
     "oracle=2 belongs_to=4"},
};

const Twin kContentTwins[] = {
    {"V32_row", 5, [](StepRecord& r) { r.substeps[1].row_position[1] = 5; },
     "check=V32 step=5 rank=0 point=P3 slot=1 request=1 field=substeps[1].row_position host=- "
     "device=5 "
     "oracle=6 belongs_to=5"},
    {"V33_lost", 6, [](StepRecord& r) { r.p2.a[1] = 2; },
     "check=V33 step=6 rank=0 point=P2 slot=1 request=1 field=p2.a host=- device=2 oracle=3 "
     "belongs_to=6"},
    {"V34_id", 6, [](StepRecord& r) { r.id_below = -1; },
     "check=V34 step=6 rank=0 point=P1 slot=- request=- field=id_below host=- device=-1 oracle=0 "
     "belongs_to=6"},
    {"V34_draft_id", 6, [](StepRecord& r) { r.substeps[0].id_above = 32000; },
     "check=V34 step=6 rank=0 point=P3 slot=- request=- field=substeps[0].id_above host=- "
     "device=32000 "
     "oracle=0 belongs_to=6"},
    {"V37_free", 5, [](StepRecord& r) { r.frees.clear(); },
     "check=V37 step=5 rank=0 point=- slot=0 request=0 field=frees host=0 device=- oracle=1 "
     "belongs_to=5"},
    {"V37_length", 5, [](StepRecord& r) { r.outcomes[0].output_len = 3; },
     "check=V37 step=5 rank=0 point=- slot=0 request=0 field=outcomes.output_len host=3 device=- "
     "oracle=4 belongs_to=5"},
};

std::string name_of(const testing::TestParamInfo<Twin>& twin) { return twin.param.name; }

INSTANTIATE_TEST_SUITE_P(Launch, CorruptedTwin, testing::ValuesIn(kLaunchTwins), name_of);
INSTANTIATE_TEST_SUITE_P(Packing, CorruptedTwin, testing::ValuesIn(kPackingTwins), name_of);
INSTANTIATE_TEST_SUITE_P(State, CorruptedTwin, testing::ValuesIn(kStateTwins), name_of);
INSTANTIATE_TEST_SUITE_P(End, CorruptedTwin, testing::ValuesIn(kEndTwins), name_of);
INSTANTIATE_TEST_SUITE_P(Content, CorruptedTwin, testing::ValuesIn(kContentTwins), name_of);

TEST(CorruptedTwins, CorruptedKeyframeIsV0) {
  TinyTrace trace = worked_example(5);
  trace.content[1].keyframe.known_g[1] += 1;
  EXPECT_EQ(
      first_line(judge(trace)),
      "divergence check=V0 step=7 rank=0 point=- slot=1 request=1 field=keyframe.known_g host=- "
      "device=7 oracle=6 belongs_to=7 policy=predict-rows-hidden");
}

TEST(CorruptedTwins, OneWrongDeviceValueIsReportedOnceAndAdopted) {
  TinyTrace trace = worked_example();
  record_of(trace, 4).p4_draft.digest[1] ^= 1;
  // P4's digest is data; P1 of the next step contradicts it once, and is believed from then on.
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(verdict.divergence_count, 1U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V12).diverged, 1U);
}

}  // namespace
}  // namespace tandem::test
