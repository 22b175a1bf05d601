// The writing Coder: residuals into column builders, lists into one stream of bytes.
#include "traces/detail/step_encoder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>

#include "traces/detail/plain_codec.hpp"
#include "traces/detail/step_codec.hpp"

namespace tandem::detail {
namespace {

class ListWriter {
 public:
  explicit ListWriter(Bytes& out) : out_(out) {}

  template <class T>
  void value(const T& value, std::int64_t predicted) {
    put_signed(out_, wrap_sub(static_cast<std::int64_t>(value), predicted));
  }
  template <class T>
  void operator()(const char* /*name*/, const T& member) {
    value(member, 0);
  }
  std::uint64_t varint(std::uint64_t value) {
    put_varint(out_, value);
    return value;
  }
  template <class T>
  void array(const std::vector<T>& values) {
    put_array(out_, values.data(), values.size());
  }
  template <class T>
  void maybe(bool stored, const T& member, std::int64_t /*otherwise*/, std::int64_t predicted) {
    if (stored) value(member, predicted);
  }
  void runs(bool stored, const Column& values, std::int32_t& last) {
    if (!stored) return;
    for (std::size_t at = 0; at < values.size();) {
      std::size_t end = at + 1;
      while (end < values.size() && end - at < kRunMax &&
             values[end] == wrap_add(values[end - 1], 1)) {
        ++end;
      }
      varint((end - at - 1) << 1U | (end == values.size() ? 1U : 0U));
      value(values[at], wrap_add(last, 1));
      last = values[end - 1];
      at = end;
    }
  }
  void difference(const Column& values, const Column& expected) {
    value(values.size(), static_cast<std::int64_t>(expected.size()));
    const auto base = [&expected](std::size_t i) { return i < expected.size() ? expected[i] : 0; };
    const auto differs = [&](std::size_t i) {
      return i >= expected.size() || values[i] != expected[i];
    };
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < values.size(); ++i) count += differs(i) ? 1U : 0U;
    varint(count);
    std::size_t next = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!differs(i)) continue;
      varint(i - next);
      value(values[i], base(i));
      next = i + 1;
    }
  }
  std::uint64_t task_key(const Task& task, const KnownSlot& known) {
    return varint(detail::task_key(task, known));
  }
  void known(bool /*member*/, bool /*value*/) {}
  void forget(const RequestRow& /*row*/) {}

 private:
  Bytes& out_;
};

bool all_zero(const Column& column) {
  return std::all_of(column.begin(), column.end(), [](std::int32_t v) { return v == 0; });
}

/// Visits the columns of a record: has each B entries, and is it zero where the kind holds none?
class ShapeProbe {
 public:
  ShapeProbe(const StepShape& shape, const FieldSet& present, bool back)
      : shape_(shape), present_(present), back_(back) {}

  void operator()(Field field, const Column& column) {
    const bool packing = field == Field::cu_seqlens_q || field == Field::cu_seqlens_q_output;
    if (packing || !present_.test(static_cast<std::size_t>(field))) return;
    const bool result = field >= Field::p2_q && field <= Field::step_digest;
    regular_ &= column.size() == shape_.slots && (back_ || !result || all_zero(column));
  }
  template <class T>
  void operator()(Field field, const T& value) {
    const bool member = field >= Field::sub_launched && field <= Field::sub_live_tail;
    if constexpr (std::is_arithmetic_v<T>) regular_ &= back_ || !member || value == T{};
  }
  template <class Each>
  void list(Field field, const std::vector<DraftSubstep>& substeps, Each each) {
    if (!present_.test(static_cast<std::size_t>(field))) return;
    regular_ &= substeps.size() == shape_.substeps;
    for (const DraftSubstep& substep : substeps) each(substep, *this);
  }
  [[nodiscard]] bool regular() const { return regular_; }

 private:
  const StepShape& shape_;
  const FieldSet& present_;
  bool back_;
  bool regular_ = true;
};

/// Gives every field that the trace lacks the value that readers will see.
class Blanker {
 public:
  Blanker(const FieldSet& present, const StepShape& shape) : present_(present), shape_(shape) {}

  template <class T>
  void operator()(Field field, T& value) {
    if (present_.test(static_cast<std::size_t>(field))) return;
    if constexpr (std::is_same_v<T, Column>) {
      const bool packing = field == Field::cu_seqlens_q || field == Field::cu_seqlens_q_output;
      value.assign(packing ? 0 : shape_.slots, 0);
    } else {
      value = T{};
      if constexpr (std::is_same_v<T, std::int64_t>) {
        if (field == Field::repeat) value = 1;
      }
    }
  }
  template <class Each>
  void list(Field field, std::vector<DraftSubstep>& substeps, Each each) {
    if (!present_.test(static_cast<std::size_t>(field))) {
      substeps.assign(shape_.substeps, DraftSubstep{});
      for (DraftSubstep& sub : substeps) {
        for (Column* column : {&sub.qd, &sub.dd, &sub.row_request, &sub.row_position,
                               &sub.row_phase, &sub.row_count}) {
          column->assign(shape_.slots, 0);
        }
      }
    }
    for (DraftSubstep& substep : substeps) each(substep, *this);
  }

 private:
  const FieldSet& present_;
  const StepShape& shape_;
};

}  // namespace

class StepEncoder::Impl {
 public:
  explicit Impl(const TraceHeader& header)
      : shape_(header),
        present_(present_fields(header)),
        blanks_(present_ != fields_at(header.level)),
        has_(stream_count(header.config.num_model_steps), 0),
        rows_(has_.size()),
        values_(has_.size()),
        residual_(shape_.slots, 0),
        list_writer_(lists_) {
    for (std::size_t stream = 0; stream < has_.size(); ++stream) {
      const bool column = stream_kind(stream) != StreamKind::none;
      has_[stream] = column && stream_is_present(stream, present_) ? 1 : 0;
    }
  }

  void start(const Keyframe& keyframe) {
    state_.emplace(shape_, keyframe);
    keyframe_.clear();
    shapes_.clear();
    lists_.clear();
    odd_.clear();
    put_plain(keyframe_, keyframe);
    for (RowColumnBuilder& column : rows_) column.clear();
    for (ValueColumnBuilder& column : values_) column.clear();
  }

  void add(const StepRecord& record) {
    const StepRecord* source = &record;
    if (blanks_) {
      blanked_ = record;
      Blanker blanker(present_, shape_);
      visit_fields(blanked_, blanker);
      source = &blanked_;
    }
    ShapeProbe probe(shape_, present_, source->kind == StepKind::back);
    visit_fields(*source, probe);
    if (!probe.regular()) {
      shapes_.push_back(kOddShape);
      PlainEncoder encoder(odd_, present_);
      visit_fields(*source, encoder);
      state_->forget(*source);
      return;
    }
    shapes_.push_back(static_cast<std::uint8_t>(source->kind));
    StepCodec<Impl, const StepRecord>(*this, *source, *state_, shape_).run();
  }

  [[nodiscard]] std::uint64_t record_count() const { return shapes_.size(); }

  void finish(Bytes& out) {
    const auto put = [&out](Chunk id, const Bytes& payload) {
      if (!payload.empty()) put_chunk(out, static_cast<std::uint16_t>(id), Encoding::raw, payload);
    };
    put(Chunk::keyframe, keyframe_);
    put(Chunk::shapes, shapes_);
    put(Chunk::lists, lists_);
    put(Chunk::odd, odd_);
    for (std::size_t stream = 0; stream < has_.size(); ++stream) {
      const auto id = static_cast<std::uint16_t>(stream);
      rows_[stream].emit(out, id, scratch_);
      values_[stream].emit(out, id, scratch_);
    }
    put_chunk(out, static_cast<std::uint16_t>(Chunk::end), Encoding::raw, Bytes(kReadSlack, 0));
    state_.reset();
  }

  // -- the Coder of step_codec.hpp ----------------------------------------------------------------

  template <class T>
  void scalar(std::size_t stream, const T& value, std::type_identity_t<T> predicted) {
    if (has_[stream] == 0) return;
    values_[stream].add(
        wrap_sub(static_cast<std::int64_t>(value), static_cast<std::int64_t>(predicted)));
  }
  template <class T>
  void scalar(Chunk chunk, const T& value, std::type_identity_t<T> predicted) {
    scalar(stream_of(chunk), value, predicted);
  }
  template <class Predict>
  void column(std::size_t stream, const Column& values, Predict predict) {
    if (has_[stream] == 0) return;
    const std::int32_t* from = values.data();
    std::int32_t* __restrict residual = residual_.data();
    for (std::size_t i = 0; i < shape_.slots; ++i) residual[i] = wrap_sub(from[i], predict(i));
    rows_[stream].add(residual, shape_.slots);
  }
  template <class Mask>
  void selected(Chunk chunk, Chunk outside, const Column& values, Mask mask) {
    const std::size_t stream = stream_of(chunk);
    if (has_[stream] == 0) return;
    for (std::size_t i = 0; i < shape_.slots; ++i) {
      const bool inside = mask(i);
      if (inside) values_[stream].add(values[i]);
      residual_[i] = inside ? 0 : values[i];
    }
    rows_[stream_of(outside)].add(residual_.data(), shape_.slots);
  }
  ListWriter& lists() { return list_writer_; }
  template <class T>
  void count(Chunk chunk, const std::vector<T>& list, std::size_t predicted) {
    const auto signed_size = static_cast<std::int64_t>(list.size());
    scalar(chunk, signed_size, static_cast<std::int64_t>(predicted));
  }
  template <class T, class Build>
  void derived(Chunk chunk, const std::vector<T>& list, Build build) {
    if (has_[stream_of(chunk)] == 0) return;
    auto& expected = scratch_list(list);
    build(expected);
    const bool differs = expected != list;
    values_[stream_of(chunk)].add(differs ? 1 : 0);
    if (!differs) return;
    const FieldSet none;
    PlainEncoder encoder(lists_, none);
    encoder("", list);
  }
  bool expected_messages(const std::vector<Message>& messages, const StepState& state) {
    const std::size_t expected = state.has_pending ? 1 : 0;
    const bool same =
        messages.size() == expected && (expected == 0 || messages[0] == state.pending);
    scalar(Chunk::messages, same ? 0 : static_cast<std::int64_t>(messages.size()) + 1, 0);
    return same || has_[stream_of(Chunk::messages)] == 0;
  }
  void tokens(Field field, const std::vector<std::int64_t>& values) {
    if (present_.test(static_cast<std::size_t>(field))) list_writer_.array(values);
  }

 private:
  StepShape shape_;
  FieldSet present_;
  bool blanks_;  // the header names absent fields
  std::vector<std::uint8_t> has_;
  std::vector<RowColumnBuilder> rows_;
  std::vector<ValueColumnBuilder> values_;
  Column residual_;
  Bytes keyframe_, shapes_, lists_, odd_, scratch_;
  ListWriter list_writer_;
  std::optional<StepState> state_;
  StepRecord blanked_;
  std::vector<std::int32_t> scratch_ints_;
  std::vector<std::uint64_t> scratch_hashes_;
  std::vector<RowRun> scratch_runs_;
  std::vector<CountUse> scratch_uses_;

  std::vector<std::int32_t>& scratch_list(const std::vector<std::int32_t>&) {
    return scratch_ints_;
  }
  std::vector<std::uint64_t>& scratch_list(const std::vector<std::uint64_t>&) {
    return scratch_hashes_;
  }
  std::vector<RowRun>& scratch_list(const std::vector<RowRun>&) { return scratch_runs_; }
  std::vector<CountUse>& scratch_list(const std::vector<CountUse>&) { return scratch_uses_; }
};

StepEncoder::StepEncoder(const TraceHeader& header) : impl_(std::make_unique<Impl>(header)) {}
StepEncoder::~StepEncoder() = default;
void StepEncoder::start(const Keyframe& keyframe) { impl_->start(keyframe); }
void StepEncoder::add(const StepRecord& record) { impl_->add(record); }
std::uint64_t StepEncoder::record_count() const { return impl_->record_count(); }
void StepEncoder::finish(Bytes& out) { impl_->finish(out); }

}  // namespace tandem::detail
