// Layout of step images, and records out of them.
#include "runtime/cuda/step_image.hpp"

#include <algorithm>
#include <cstring>

namespace tandem::cuda {
namespace {

class ImageReader {
 public:
  ImageReader(const ImageLayout& layout, const std::int32_t* image)
      : layout_(layout), image_(image) {}

  void column(ImageColumn name, int offset, Column& out) const {
    copy(layout_.column(name, offset), layout_.slots, out);
  }
  void column(SubstepColumn name, std::size_t substep, Column& out) const {
    copy(layout_.column(name, substep), layout_.slots, out);
  }
  [[nodiscard]] std::int32_t number(ImageNumber name) const { return image_[layout_.number(name)]; }
  [[nodiscard]] std::int32_t number(SubstepNumber name, std::size_t substep) const {
    return image_[layout_.number(name, substep)];
  }
  void copy(std::size_t first, std::size_t count, std::vector<std::int32_t>& out) const {
    out.assign(image_ + first, image_ + first + count);
  }
  void slots(ImageColumn first, bool with_accept, SlotColumns& out) const {
    int offset = 0;
    for (Column* c : {&out.q, &out.e, &out.d, &out.s, &out.b, &out.g}) column(first, offset++, *c);
    if (with_accept) column(first, offset, out.a);
  }
  void draft_rows(ImageColumn first, DraftRowColumns& out) const {
    int offset = 0;
    for (Column* c : {&out.len, &out.hole, &out.digest, &out.first}) column(first, offset++, *c);
  }
  /// The run-length form of `count` batch ids.
  void runs(std::size_t first, std::int32_t count, std::vector<RowRun>& out) const {
    out.clear();
    for (std::int32_t x = 0; x < count; ++x) {
      const std::int32_t slot = image_[first + static_cast<std::size_t>(x)];
      if (out.empty() || out.back().slot != slot) out.push_back({slot, 0});
      ++out.back().rows;
    }
  }
  void tokens(int which, std::vector<std::int64_t>& out) const {
    out.resize(layout_.slots * layout_.width);
    std::memcpy(out.data(), image_ + layout_.token_table(which), out.size() * sizeof(out[0]));
  }

 private:
  const ImageLayout& layout_;
  const std::int32_t* image_;
};

void fill_p1(const ImageReader& image, RecordLevel level, StepRecord& r) {
  image.slots(ImageColumn::p1, false, r.p1);
  image.column(ImageColumn::p1_p, 0, r.p1_p);
  image.draft_rows(ImageColumn::p1_draft, r.p1_draft);
  image.column(ImageColumn::p1_table_hash, 0, r.p1_table_hash);
  image.column(ImageColumn::p1_request, 0, r.p1_request);
  image.column(ImageColumn::p1_generation, 0, r.p1_generation);
  if (level != RecordLevel::full) return;
  image.slots(ImageColumn::p0, true, r.p0);
  image.tokens(0, r.p1_tokens);
}

void fill_packing(const ImageLayout& layout, const ImageReader& image, StepRecord& r) {
  const auto entries = static_cast<std::size_t>(r.n) + 1;
  image.copy(layout.cu_q, entries, r.cu_seqlens_q);
  image.copy(layout.cu_output, entries, r.cu_seqlens_q_output);
  r.output_rows = image.number(ImageNumber::output_rows);
  image.runs(layout.batch, r.token_num, r.row_runs);
  image.runs(layout.batch_output, r.output_rows, r.output_runs);
  r.guard_tripped = r.cu_seqlens_q.back() > r.token_num;
  r.id_below = image.number(ImageNumber::id_below);
  r.id_above = image.number(ImageNumber::id_above);
  r.live_tail = image.number(ImageNumber::live_tail);
}

void fill_p2(const ImageReader& image, RecordLevel level, StepRecord& r) {
  image.slots(ImageColumn::p2, true, r.p2);
  image.column(ImageColumn::accept_digest, 0, r.accept_digest);
  image.column(ImageColumn::last_digest, 0, r.last_digest);
  image.column(ImageColumn::accept_marks, 0, r.accept_marks);
  image.column(ImageColumn::p2_first, 0, r.p2_first);
  image.column(ImageColumn::p2_generation, 0, r.p2_generation);
  image.column(ImageColumn::seed_used, 0, r.seed_used);
  image.column(ImageColumn::stop_step_idx, 0, r.stop_step_idx);
  if (level == RecordLevel::full) image.tokens(1, r.p2_tokens);
}

void fill_substep(const ImageReader& image, std::size_t j, DraftSubstep& sub) {
  if (!sub.launched) {
    std::fill(sub.row_request.begin(), sub.row_request.end(), kNoRequest);
    return;
  }
  image.column(SubstepColumn::qd, j, sub.qd);
  image.column(SubstepColumn::dd, j, sub.dd);
  image.column(SubstepColumn::row_request, j, sub.row_request);
  image.column(SubstepColumn::row_position, j, sub.row_position);
  image.column(SubstepColumn::row_phase, j, sub.row_phase);
  image.column(SubstepColumn::row_count, j, sub.row_count);
  sub.device_sum = image.number(SubstepNumber::device_sum, j);
  sub.id_below = image.number(SubstepNumber::id_below, j);
  sub.id_above = image.number(SubstepNumber::id_above, j);
  sub.live_tail = image.number(SubstepNumber::live_tail, j);
}

void fill_p3(const ImageReader& image, RecordLevel level, StepRecord& r) {
  for (std::size_t j = 0; j < r.substeps.size(); ++j) fill_substep(image, j, r.substeps[j]);
  if (!r.substeps.empty() && r.substeps[0].launched) {
    image.column(ImageColumn::draft_e, 0, r.draft_e);
    image.column(ImageColumn::paired, 0, r.paired);
  }
  int offset = 0;
  for (Column* c : {&r.shadow.q, &r.shadow.e, &r.shadow.d, &r.shadow.g, &r.shadow.s}) {
    image.column(ImageColumn::shadow, offset++, *c);
  }
  if (level == RecordLevel::full) image.slots(ImageColumn::p3, true, r.p3);
}

void fill_p4(const ImageReader& image, RecordLevel level, StepRecord& r) {
  image.slots(ImageColumn::p4, true, r.p4);
  image.draft_rows(ImageColumn::p4_draft, r.p4_draft);
  int offset = 0;
  for (Column* c : {&r.step_q, &r.step_d, &r.step_digest}) {
    image.column(ImageColumn::step_state, offset++, *c);
  }
  if (level != RecordLevel::full) return;
  image.tokens(2, r.p4_tokens);
  r.poison_rows = image.number(ImageNumber::poison_rows);
  r.poison_damaged = image.number(ImageNumber::poison_damaged);
}

/// What the device did with the staged tasks.
void fill_tasks(const ImageLayout& layout, const std::int32_t* image, StepRecord& r) {
  if (r.pinned_copies.empty()) return;
  r.pinned_copies.front().at_copy = image[layout.number(ImageNumber::tasks_digest)];
  for (Task& task : r.tasks) {
    if (task.kind != TaskKind::dnode) continue;
    const auto slot = static_cast<std::size_t>(task.slot);
    task.last_digest = image[layout.column(ImageColumn::delivered_last) + slot];
    task.draft_digest = image[layout.column(ImageColumn::delivered_drafts) + slot];
  }
}

}  // namespace

ImageLayout::ImageLayout(const RunConfig& config)
    : slots(static_cast<std::size_t>(config.max_num_seqs)),
      width(static_cast<std::size_t>(config.row_width())),
      substeps(static_cast<std::size_t>(config.num_model_steps)) {
  rows = std::max(static_cast<std::size_t>(config.max_num_batched_tokens), slots * width);
  const auto each = [](auto last) { return static_cast<std::size_t>(last); };
  numbers = each(ImageColumn::kCount) * slots;
  substep_columns = numbers + each(ImageNumber::kCount);
  substep_numbers = substep_columns + substeps * each(SubstepColumn::kCount) * slots;
  cu_q = substep_numbers + substeps * each(SubstepNumber::kCount);
  cu_output = cu_q + slots + 1;
  batch_output = cu_output + slots + 1;
  batch = batch_output + slots * width;
  tokens = batch + rows;
  tokens += tokens % 2;
  words = token_table(3);
}

void fill_record(const ImageLayout& layout, const std::int32_t* image, RecordLevel level,
                 StepRecord& record) {
  fill_tasks(layout, image, record);
  if (level == RecordLevel::off) return;
  const ImageReader reader(layout, image);
  fill_p1(reader, level, record);
  if (record.token_num > 0) fill_packing(layout, reader, record);
  if (record.kind != StepKind::back) return;
  fill_p2(reader, level, record);
  fill_p3(reader, level, record);
  fill_p4(reader, level, record);
}

}  // namespace tandem::cuda
