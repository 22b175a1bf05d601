// The reading Coder: predictions written in place, residuals added where a column has any.
#include "traces/detail/step_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include "traces/detail/plain_codec.hpp"
#include "traces/detail/step_codec.hpp"

namespace tandem::detail {
namespace {

/// Resizes without giving up the memory of elements: what is cut off waits in `spare`.
template <class T>
void resize_keeping(std::vector<T>& list, std::size_t count, std::vector<T>& spare) {
  while (list.size() > count) {
    spare.push_back(std::move(list.back()));
    list.pop_back();
  }
  while (list.size() < count) {
    if (spare.empty()) {
      list.emplace_back();
    } else {
      list.push_back(std::move(spare.back()));
      spare.pop_back();
    }
  }
}

class ListReader {
 public:
  ByteCursor in;

  template <class T>
  void value(T& value, std::int64_t predicted) {
    const std::int64_t raw = wrap_add(in.varint_signed(), predicted);
    if constexpr (std::is_same_v<T, bool>) {
      check(raw == 0 || raw == 1);
      value = raw == 1;
    } else if constexpr (std::is_enum_v<T>) {
      const bool valid = raw >= 0 && raw < static_cast<std::int64_t>(EnumNames<T>::kNames.size());
      check(valid);
      value = valid ? static_cast<T>(raw) : T{};
    } else {
      check(raw >= std::numeric_limits<T>::min() && raw <= std::numeric_limits<T>::max());
      value = static_cast<T>(raw);
    }
  }
  template <class T>
  void operator()(const char* /*name*/, T& member) {
    value(member, 0);
  }
  std::uint64_t varint(std::uint64_t /*value*/) { return in.varint(); }
  template <class T>
  void array(std::vector<T>& values) {
    get_array(in, values);
  }
  template <class T>
  void maybe(bool stored, T& member, T otherwise, T predicted) {
    if (stored) {
      value(member, predicted);
    } else {
      member = otherwise;
    }
  }
  void runs(bool stored, Column& values, std::int32_t& last) {
    values.clear();
    for (bool more = stored; more && in.ok();) {
      const std::uint64_t head = in.varint();
      std::int32_t block = 0;
      value(block, wrap_add(last, 1));
      check(head >> 1U < kRunMax);
      in.spend((head >> 1U) + 1);
      if (!in.ok()) return;
      for (std::uint64_t i = 0; i <= head >> 1U; ++i)
        values.push_back(wrap_add(block, static_cast<std::int32_t>(i)));
      last = values.back();
      more = (head & 1U) == 0;
    }
  }
  void difference(Column& values, const Column& expected) {
    std::int64_t size = 0;
    value(size, static_cast<std::int64_t>(expected.size()));
    const std::uint64_t count = in.varint();
    const auto extra = wrap_sub(size, static_cast<std::int64_t>(expected.size()));
    check(size >= 0 &&
          extra <= static_cast<std::int64_t>(std::min<std::uint64_t>(count, in.left())));
    if (in.ok()) in.spend(static_cast<std::uint64_t>(size));
    if (!in.ok()) return;
    values.assign(expected.begin(), expected.end());
    values.resize(static_cast<std::size_t>(size), 0);
    std::uint64_t next = 0;
    for (std::uint64_t k = 0; k < count && in.ok(); ++k) {
      const std::uint64_t gap = in.varint();
      if (gap >= values.size() - next) return in.fail();
      std::int32_t& entry = values[next + gap];
      value(entry, entry);
      next += gap + 1;
    }
  }
  std::uint64_t task_key(Task& task, const KnownSlot& /*known*/) {
    const std::uint64_t key = in.varint();
    const std::uint64_t kind = key & 7U;
    check(kind < EnumNames<TaskKind>::kNames.size() && key < (1ULL << 15U));
    task.kind = in.ok() ? static_cast<TaskKind>(kind) : TaskKind::decode;
    return in.ok() ? key : 0;
  }
  void known(bool& member, bool value) { member = value; }
  void forget(RequestRow& row) {
    row.id = kNoRequest;
    row.arrival = 0;
    row.prompt_len = row.max_dec_len = row.eos_at = 0;
    row.stop_at = row.stop_len = row.min_tokens = row.cached_prompt = 0;
    row.abort_after = -1;
    row.accept.clear();
  }

 private:
  void check(bool valid) {
    if (!valid) in.fail();
  }
};

}  // namespace

class StepDecoder::Impl {
 public:
  explicit Impl(const TraceHeader& header)
      : shape_(header),
        present_(present_fields(header)),
        blanks_(present_ != fields_at(header.level)),
        has_(stream_count(header.config.num_model_steps), 0),
        cursors_(has_.size()),
        selected_(shape_.slots + 1, 0) {
    for (std::size_t stream = 0; stream < has_.size(); ++stream) {
      const bool column = stream_kind(stream) != StreamKind::none;
      has_[stream] = column && stream_is_present(stream, present_) ? 1 : 0;
    }
  }

  Status open(ByteView chunks, std::uint64_t record_count) {
    std::vector<Payload> payloads(cursors_.size());
    TANDEM_RETURN_IF_ERROR(split(chunks, payloads));
    ByteCursor keyframe(payloads[stream_of(Chunk::keyframe)].bytes);
    get_plain(keyframe, keyframe_);
    if (!keyframe.ok() || !keyframe.at_end()) {
      return Error{"got a keyframe that cannot be decoded, want traces/FORMAT.md's"};
    }
    shapes_ = payloads[stream_of(Chunk::shapes)].bytes;
    if (shapes_.size() != record_count) {
      return Error{fmt::format("got {} record shapes, want {}", shapes_.size(), record_count)};
    }
    std::array<std::uint64_t, 4> counts{};
    for (const std::uint8_t shape : shapes_) {
      if (shape > kOddShape) return Error{fmt::format("got record shape {}, want 0..3", shape)};
      ++counts[shape];
    }
    lists_.in = ByteCursor(payloads[stream_of(Chunk::lists)].bytes);
    odd_ = ByteCursor(payloads[stream_of(Chunk::odd)].bytes);
    const std::uint64_t back = counts[0];
    const std::uint64_t regular = back + counts[1] + counts[2];
    for (std::size_t stream = stream_of(Chunk::t); stream < cursors_.size(); ++stream) {
      if (payloads[stream].encoding == 0) continue;
      const std::uint64_t records = only_in_back(stream) ? back : regular;
      const StreamKind kind = stream_kind(stream);
      std::uint64_t count = records;
      if (kind == StreamKind::column) count = records * shape_.slots;
      if (kind == StreamKind::selected) count = ColumnCursor::kAnyCount;
      const unsigned width_max = kind == StreamKind::scalar ? 64 : 32;
      const Payload& payload = payloads[stream];
      if (!cursors_[stream].open(payload.encoding, payload.bytes, count, width_max)) {
        return Error{fmt::format("got a malformed chunk {:#06x}, want {} values", stream, count)};
      }
    }
    state_.emplace(shape_, keyframe_);
    return {};
  }

  [[nodiscard]] const Keyframe& keyframe() const { return keyframe_; }

  Result<bool> next(StepRecord& record) {
    if (position_ == shapes_.size()) {
      const bool done = std::all_of(cursors_.begin(), cursors_.end(),
                                    [](const ColumnCursor& c) { return c.finished(); });
      if (done && lists_.in.at_end() && odd_.at_end()) return false;
      return Error{"got values behind the last record, want none"};
    }
    const std::uint8_t shape = shapes_[position_++];
    lists_.in.allow(kListWordsMax);
    odd_.allow(kListWordsMax);
    if (shape == kOddShape) {
      reset(record);
      PlainDecoder decoder(odd_, present_);
      visit_fields(record, decoder);
      state_->forget(record);
    } else {
      prepare(record, static_cast<StepKind>(shape));
      StepCodec<Impl, StepRecord>(*this, record, *state_, shape_).run();
    }
    if (bad_ || !lists_.in.ok() || !odd_.ok()) {
      // Nothing behind a bad value can be trusted, so the block ends here.
      return Error{fmt::format("got a value out of range in record {}, want traces/FORMAT.md's",
                               position_ - 1)};
    }
    return true;
  }

  // -- the Coder of step_codec.hpp ----------------------------------------------------------------

  template <class T>
  void scalar(std::size_t stream, T& value, std::type_identity_t<T> predicted) {
    if (has_[stream] == 0) return;
    ColumnCursor& cursor = cursors_[stream];
    const std::int64_t raw = wrap_add(cursor.next(), static_cast<std::int64_t>(predicted));
    bad_ |= !cursor.ok();
    if constexpr (std::is_same_v<T, bool>) {
      bad_ |= (raw >> 1) != 0;
      value = (raw & 1) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      const bool valid = raw >= 0 && raw < static_cast<std::int64_t>(EnumNames<T>::kNames.size());
      bad_ |= !valid;
      value = valid ? static_cast<T>(raw) : T{};
    } else {
      value = static_cast<T>(raw);
    }
  }
  template <class T>
  void scalar(Chunk chunk, T& value, std::type_identity_t<T> predicted) {
    scalar(stream_of(chunk), value, predicted);
  }
  template <class Predict>
  void column(std::size_t stream, Column& values, Predict predict) {
    if (values.size() != shape_.slots) values.resize(shape_.slots);
    if (has_[stream] == 0) return;
    std::int32_t* __restrict to = values.data();
    for (std::size_t i = 0; i < shape_.slots; ++i) to[i] = predict(i);
    cursors_[stream].add_to(to, shape_.slots);
    bad_ |= !cursors_[stream].ok();
  }
  template <class Mask>
  void selected(Chunk chunk, Chunk outside, Column& values, Mask mask) {
    const std::size_t slots = shape_.slots;
    if (values.size() != slots) values.resize(slots);
    ColumnCursor& cursor = cursors_[stream_of(chunk)];
    if (has_[stream_of(chunk)] == 0) return;
    std::int32_t* __restrict to = values.data();
    std::int32_t* __restrict from = selected_.data();
    std::size_t count = 0;
    if (!cursor.is_zero()) {
      for (std::size_t i = 0; i < slots; ++i) count += mask(i) ? 1U : 0U;
      std::fill_n(from, count, 0);
      cursor.add_to(from, count);
      bad_ |= !cursor.ok();
    }
    if (count == 0) {
      std::fill_n(to, slots, 0);
    } else if (count == slots) {
      std::copy_n(from, slots, to);
    } else {
      for (std::size_t i = 0, k = 0; i < slots; ++i) {
        const bool inside = mask(i);
        to[i] = inside ? from[k] : 0;
        k += inside ? 1U : 0U;
      }
    }
    cursors_[stream_of(outside)].add_to(to, slots);
    bad_ |= !cursors_[stream_of(outside)].ok();
  }
  ListReader& lists() { return lists_; }
  template <class T>
  void count(Chunk chunk, std::vector<T>& list, std::size_t predicted) {
    std::int64_t size = 0;
    scalar(chunk, size, static_cast<std::int64_t>(predicted));
    resize(list, size);
  }
  template <class T, class Build>
  void derived(Chunk chunk, std::vector<T>& list, Build build) {
    const std::size_t stream = stream_of(chunk);
    if (has_[stream] == 0) return;
    bool differs = false;
    scalar(stream, differs, false);
    if (!differs) return build(list);
    const FieldSet none;
    PlainDecoder decoder(lists_.in, none);
    decoder("", list);
  }
  bool expected_messages(std::vector<Message>& messages, const StepState& state) {
    if (has_[stream_of(Chunk::messages)] == 0) return true;
    std::int64_t code = 0;
    scalar(Chunk::messages, code, 0);
    if (code != 0) {
      resize(messages, wrap_sub(code, std::int64_t{1}));
      return false;
    }
    resize_keeping(messages, state.has_pending ? 1 : 0, spare_messages_);
    if (state.has_pending) messages[0] = state.pending;
    return true;
  }
  void tokens(Field field, std::vector<std::int64_t>& values) {
    if (present_.test(static_cast<std::size_t>(field))) lists_.array(values);
  }

 private:
  struct Payload {
    std::uint8_t encoding = 0;  // 0: the block has no such chunk
    ByteView bytes;
  };

  StepShape shape_;
  FieldSet present_;
  bool blanks_;  // the header names absent fields
  std::vector<std::uint8_t> has_;
  std::vector<ColumnCursor> cursors_;
  Column selected_;
  Keyframe keyframe_;
  ByteView shapes_;
  ListReader lists_;
  ByteCursor odd_;
  std::optional<StepState> state_;
  std::uint64_t position_ = 0;
  bool bad_ = false;
  std::vector<Task> spare_tasks_;
  std::vector<Message> spare_messages_;

  Status split(ByteView chunks, std::vector<Payload>& payloads) const {
    ByteCursor in(chunks);
    while (true) {
      const auto id = in.fixed<std::uint16_t>();
      const auto encoding = in.fixed<std::uint8_t>();
      const ByteView bytes = in.take(in.varint());
      if (!in.ok()) return Error{"got a chunk that ends behind its block, want it inside"};
      if (id == static_cast<std::uint16_t>(Chunk::end)) {
        const bool last = in.at_end() && bytes.size() == kReadSlack;
        if (last && encoding == static_cast<std::uint8_t>(Encoding::raw)) return {};
        return Error{"got bytes behind the last chunk, want none"};
      }
      if (id >= kOptionalChunk) continue;
      const bool bytes_chunk = id < static_cast<std::uint16_t>(Chunk::t);
      const bool known = bytes_chunk ? id <= static_cast<std::uint16_t>(Chunk::odd)
                                     : id < has_.size() && has_[id] != 0;
      if (!known) {
        return Error{
            fmt::format("got chunk {:#06x}, want those of this version and level; written "
                        "by a newer build: update, or record again",
                        id)};
      }
      const bool raw = encoding == static_cast<std::uint8_t>(Encoding::raw);
      if (payloads[id].encoding != 0 || encoding == 0 || raw != bytes_chunk) {
        return Error{fmt::format("got chunk {:#06x} twice or in encoding {}, want it once, in 1..3",
                                 id, encoding)};
      }
      payloads[id] = {encoding, bytes};
    }
  }

  template <class T>
  void resize(std::vector<T>& list, std::int64_t size) {
    // Every element takes a byte at least, so that a count alone never allocates.
    bool valid = size >= 0 && static_cast<std::uint64_t>(size) <= lists_.in.left();
    if (valid) lists_.in.spend(words_of<T>(static_cast<std::uint64_t>(size)));
    valid = valid && lists_.in.ok();
    bad_ |= !valid;
    const std::size_t count = valid ? static_cast<std::size_t>(size) : 0;
    if constexpr (std::is_same_v<T, Task>) {
      resize_keeping(list, count, spare_tasks_);
    } else if constexpr (std::is_same_v<T, Message>) {
      resize_keeping(list, count, spare_messages_);
    } else {
      list.resize(count);
    }
  }

  void reset(StepRecord& record) const {
    record.reset(shape_.level, static_cast<std::int32_t>(shape_.slots),
                 static_cast<std::int32_t>(shape_.substeps), shape_.row_width);
  }

  /// Gives the record the shape of its kind; what the codec sets anyway is left as it is.
  void prepare(StepRecord& record, StepKind kind) const {
    const bool reusable = kind == StepKind::back && record.kind == StepKind::back && !blanks_ &&
                          record.substeps.size() == shape_.substeps &&
                          record.p1.a.size() == shape_.slots && record_level_fits(record);
    if (!reusable) reset(record);
    record.kind = kind;
  }

  [[nodiscard]] bool record_level_fits(const StepRecord& record) const {
    const bool full = shape_.level == RecordLevel::full;
    const bool timeline = shape_.level == RecordLevel::timeline;
    const bool no_full = record.p0.q.empty() && record.p3.q.empty() && record.p1_tokens.empty();
    const bool no_time = record.spans.empty() && record.start_ns == 0 && record.end_ns == 0;
    const auto zero = [](std::int32_t v) { return v == 0; };
    return (full || no_full) && (timeline || no_time) &&
           std::all_of(record.p1.a.begin(), record.p1.a.end(), zero);
  }
};

StepDecoder::StepDecoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StepDecoder::~StepDecoder() = default;

Result<std::unique_ptr<StepDecoder>> StepDecoder::open(const TraceHeader& header, ByteView chunks,
                                                       std::uint64_t record_count) {
  auto impl = std::make_unique<Impl>(header);
  TANDEM_RETURN_IF_ERROR(impl->open(chunks, record_count));
  return std::unique_ptr<StepDecoder>(new StepDecoder(std::move(impl)));
}

const Keyframe& StepDecoder::keyframe() const { return impl_->keyframe(); }
Result<bool> StepDecoder::next(StepRecord& record) { return impl_->next(record); }

}  // namespace tandem::detail
