// Gathers the records around a divergence in a ring that ends where they do.
#include "tools/cli/neighbourhood.hpp"

#include <algorithm>

#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

bool covers(const StepRecord& record, std::int64_t step) {
  return is_among(step, record.t, std::max<std::int64_t>(1, record.repeat));
}

/// The first block to read so that the step and the records in front of it are seen. A step that no
/// block lists is looked for from the start, but for the one behind the last, which a keyframe has.
std::size_t first_block(const std::vector<BlockInfo>& blocks, std::int64_t step,
                        std::size_t records_before) {
  const auto holder = std::find_if(blocks.begin(), blocks.end(), [step](const BlockInfo& block) {
    return is_among(step, block.first_step, block.step_count);
  });
  if (blocks.empty()) return 0;
  const BlockInfo& last = blocks.back();
  const bool is_behind = step_after(last.first_step, last.step_count) == step;
  if (holder == blocks.end() && !is_behind) return 0;
  auto index = static_cast<std::size_t>(holder - blocks.begin());
  std::int64_t records = 0;
  while (index > 0 && records < static_cast<std::int64_t>(records_before)) {
    --index;
    records += std::max<std::int64_t>(0, blocks[index].record_count);
  }
  return index;
}

Status read_around(const TraceReader& trace, std::size_t first, NeighbourhoodCollector& out) {
  StepRecord record;
  for (std::size_t i = first; i < trace.blocks().size() && !out.is_complete(); ++i) {
    TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(i));
    out.keyframe(block->keyframe());
    while (!out.is_complete()) {
      TANDEM_TRY(const bool more, block->next(record));
      if (!more) break;
      out.step(record);
    }
  }
  return {};
}

}  // namespace

const StepView* Neighbourhood::nearest() const {
  if (place) return &steps[*place];
  return steps.empty() ? nullptr : &steps.back();
}

void NeighbourhoodCollector::begin(const TraceHeader& header) { header_ = header; }

void NeighbourhoodCollector::keyframe(const Keyframe& keyframe) {
  if (has_keyframe_) return;
  has_keyframe_ = true;
  keyframe_ = keyframe;
  table_ = SlotTable(keyframe, static_cast<std::size_t>(header_.config.max_num_seqs));
}

void NeighbourhoodCollector::step(const StepRecord& record) {
  if (is_complete()) return;
  if (!place_ && count_ == kBefore + 1) drop_first();
  ring_[(first_ + count_) % kCapacity] = record;
  ++count_;
  look_at_last();
}

void NeighbourhoodCollector::found(const sim::Divergence& divergence) {
  if (divergence_) return;
  divergence_ = divergence;
  look_at_last();
}

bool NeighbourhoodCollector::is_complete() const {
  return place_.has_value() && count_ > *place_ + kStepsAround;
}

void NeighbourhoodCollector::drop_first() {
  table_.admit(at(0));
  table_.release(at(0));
  first_ = (first_ + 1) % kCapacity;
  --count_;
}

void NeighbourhoodCollector::look_at_last() {
  if (!divergence_ || place_ || count_ == 0) return;
  if (covers(at(count_ - 1), divergence_->step)) place_ = count_ - 1;
}

StepView NeighbourhoodCollector::view(std::size_t index, const SlotTable& table) const {
  StepView view;
  view.header = header_;
  view.record = at(index);
  view.step = view.record.t;
  view.has_before = index > 0;
  if (index > 0) view.before = at(index - 1);
  view.keyframe = keyframe_;
  view.table = table;
  return view;
}

std::optional<Neighbourhood> NeighbourhoodCollector::neighbourhood() const {
  if (!divergence_) return std::nullopt;
  Neighbourhood n;
  n.divergence = *divergence_;
  const std::size_t centre = place_.value_or(count_);
  const std::size_t begin = centre - std::min(centre, kStepsAround);
  SlotTable table = table_;
  for (std::size_t i = 0; i < count_; ++i) {
    table.admit(at(i));
    if (place_ == i) n.place = n.steps.size();
    if (i >= begin) n.steps.push_back(view(i, table));
    table.release(at(i));
  }
  return n;
}

Status NeighbourhoodSink::begin(const TraceHeader& header) {
  collector_.begin(header);
  return judge_.begin(header);
}

Status NeighbourhoodSink::segment(const plan::Segment& segment) { return judge_.segment(segment); }

Status NeighbourhoodSink::keyframe(const Keyframe& keyframe) {
  collector_.keyframe(keyframe);
  TANDEM_RETURN_IF_ERROR(judge_.keyframe(keyframe));
  ask();
  return {};
}

Status NeighbourhoodSink::step(const StepRecord& record) {
  collector_.step(record);
  TANDEM_RETURN_IF_ERROR(judge_.step(record));
  ask();
  return {};
}

Status NeighbourhoodSink::unadmitted(const RequestRow& row) { return judge_.unadmitted(row); }

Status NeighbourhoodSink::end(const Keyframe& last) {
  TANDEM_RETURN_IF_ERROR(judge_.end(last));
  ask();
  return {};
}

void NeighbourhoodSink::ask() {
  if (collector_.is_found()) return;
  if (const sim::Divergence* first = judge_.first_divergence()) collector_.found(*first);
}

Neighbourhood read_neighbourhood(const TraceReader& trace, const sim::Divergence& divergence) {
  NeighbourhoodCollector collector;
  collector.begin(trace.header());
  collector.found(divergence);
  const std::size_t first = first_block(trace.blocks(), divergence.step, kStepsAround + 1);
  const Status status = read_around(trace, first, collector);
  Neighbourhood n = *collector.neighbourhood();
  if (collector.is_complete()) return n;
  if (!status) {
    n.lost = status.error().text;
  } else if (trace.damage() != nullptr) {
    n.lost = trace.damage()->what;
  }
  return n;
}

}  // namespace tandem::cli
