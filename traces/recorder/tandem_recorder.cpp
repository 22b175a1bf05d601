// The recorder behind tandem_recorder.h: a ring of deep copies and a thread that prints them.
//
// With its header and detail/ it is self-contained: an engine compiles this one file as C++17,
//   c++ -std=c++17 -O2 -I TANDEM -c TANDEM/traces/recorder/tandem_recorder.cpp
// and links a thread library. Nothing else of Tandem is included.
#include "traces/recorder/tandem_recorder.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "traces/recorder/detail/arguments.hpp"
#include "traces/recorder/detail/copies.hpp"
#include "traces/recorder/detail/heads.hpp"
#include "traces/recorder/detail/ring.hpp"

using tandem::recorder::aligned;
using tandem::recorder::Arena;
using tandem::recorder::bad_step;
using tandem::recorder::Entry;
using tandem::recorder::Kind;
using tandem::recorder::Lines;
using tandem::recorder::Objection;
using tandem::recorder::Ring;
using tandem::recorder::Shape;

struct tandem_recorder {
  tandem_recorder(Shape shape, const tandem_step& known) : lines(std::move(shape), known) {}

  Lines lines;
  Ring ring;
  std::string path, part;
  std::FILE* file = nullptr;
  std::thread writer;
  const char* detail = "";
  std::atomic<std::uint64_t> stalls{0};
  std::atomic<bool> busy{false}, closing{false}, done{false}, failed{false};
  std::mutex close_mutex;
  bool closed = false;
  tandem_result close_result = TANDEM_OK;

  void write(const std::string& line) {
    if (failed.load(std::memory_order_relaxed)) return;  // the ring is emptied all the same
    if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) failed = true;
  }

  void write(Entry* entry) {
    try {
      const void* structure = entry + 1;
      if (entry->kind == Kind::step) {
        write(lines.step(*static_cast<const tandem_step*>(structure)));
      } else {
        const auto* k = static_cast<const tandem_keyframe*>(structure);
        write(lines.keyframe(*k, entry->kind == Kind::end));
      }
    } catch (const std::bad_alloc&) {
      failed = true;
    }
  }

  /// The writer's thread. It looks by itself, so that the caller never pays for a wake-up.
  void drain() {
    bool flushed = true;
    for (;;) {
      const bool last = done.load(std::memory_order_acquire);
      if (Entry* entry = ring.front()) {
        write(entry);
        ring.pop(entry);
        flushed = false;
        continue;
      }
      if (last) return;
      if (!flushed && std::fflush(file) != 0) failed = true;  // what precedes a crash is whole
      flushed = true;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }

  template <class T>
  tandem_result put(const T& value, Kind kind) {
    if (failed.load(std::memory_order_relaxed)) return TANDEM_IO;
    std::size_t room = 0;
    Entry* entry = ring.next(room);
    std::size_t bytes = write(entry, room, value, kind);
    if (bytes > room) {  // the end of the ring, or a full one
      if (bytes > ring.entry_max()) return TANDEM_TOO_LARGE;
      entry = ring.reserve(bytes, stalls);
      bytes = write(entry, bytes, value, kind);
    }
    ring.publish(bytes);
    return TANDEM_OK;
  }

  /// Writes an entry into `room` bytes. Returns what it needs, which may be more: then it is not
  /// whole.
  template <class T>
  std::size_t write(Entry* entry, std::size_t room, const T& value, Kind kind) {
    constexpr std::size_t kHead = sizeof(Entry) + aligned(sizeof(T));
    T copy = value;
    auto* memory = reinterpret_cast<std::byte*>(entry);
    Arena arena(room >= kHead ? memory + kHead : nullptr, room >= kHead ? room - kHead : 0);
    take(arena, lines.shape(), copy);
    const std::size_t bytes = kHead + arena.used();
    if (!arena.fits()) return std::max(bytes, room + 1);
    *entry = Entry{bytes, kind};
    std::memcpy(memory + sizeof(Entry), &copy, sizeof copy);
    return bytes;
  }

  /// put() between the two marks that close() waits for.
  template <class T>
  tandem_result produce(const T& value, Kind kind, const Objection& objection) {
    detail = objection.what;
    if (objection.result != TANDEM_OK) return objection.result;
    busy = true;
    const tandem_result result = closing ? TANDEM_CLOSED : put(value, kind);
    busy = false;
    return result;
  }

  tandem_result finish(const tandem_keyframe* last) {
    closing = true;
    while (busy) std::this_thread::sleep_for(std::chrono::microseconds(20));
    const tandem_result put_result = last != nullptr ? put(*last, Kind::end) : TANDEM_OK;
    done.store(true, std::memory_order_release);
    writer.join();
    if (std::fclose(file) != 0) failed = true;
    file = nullptr;
    if (put_result != TANDEM_OK && put_result != TANDEM_IO) return put_result;
    if (!failed && std::rename(part.c_str(), path.c_str()) != 0) failed = true;
    return failed ? TANDEM_IO : TANDEM_OK;
  }
};

namespace {

using tandem::recorder::bad_config;
using tandem::recorder::bad_keyframe;
using tandem::recorder::bad_known;
using tandem::recorder::shape_of;

/// A key that nobody knows, from the system. A key of 0 means "not known" in a header, no more.
bool draw_key(std::uint64_t& key) {
  std::FILE* source = std::fopen("/dev/urandom", "rb");
  if (source == nullptr) return false;
  const bool drawn = std::fread(&key, sizeof key, 1, source) == 1;
  return std::fclose(source) == 0 && drawn;
}

/// Room for 256 steps of B slots that decode, each at most about 64 arrays of 8 bytes a slot.
std::size_t default_ring(const Shape& shape) {
  const std::size_t step = shape.slots * (512 + 96 * shape.width + 64 * shape.substeps) + 16384;
  const std::size_t first = shape.slots * shape.table * sizeof(std::int32_t);
  return 256 * step + 4 * first + 32 * shape.rows_max;
}

tandem_result open_recorder(const char* path, const tandem_config& config, const tandem_step& known,
                            const tandem_keyframe* first, tandem_recorder*& out) {
  if (bad_config(config) != nullptr || bad_known(known) != nullptr) return TANDEM_BAD_ARGUMENT;
  Shape shape = shape_of(config);
  if (first != nullptr && bad_keyframe(*first, shape) != nullptr) return TANDEM_BAD_ARGUMENT;
  if (config.has_digest_key == 0 && !draw_key(shape.key)) return TANDEM_NO_MEMORY;
  const std::size_t bytes = config.ring_bytes != 0 ? config.ring_bytes : default_ring(shape);
  auto r = std::make_unique<tandem_recorder>(std::move(shape), known);
  if (!r->ring.allocate(bytes)) return TANDEM_NO_MEMORY;
  r->path = path;
  r->part = r->path + ".part";
  tandem_keyframe empty;
  tandem_keyframe_init(&empty);
  empty.t = config.first_step;
  const std::string head = r->lines.header(config);
  const std::string start = r->lines.keyframe(first != nullptr ? *first : empty, false);
  r->file = std::fopen(r->part.c_str(), "wb");
  if (r->file == nullptr) return TANDEM_IO;
  r->write(head);
  r->write(start);
  try {
    r->writer = std::thread([recorder = r.get()] { recorder->drain(); });
  } catch (const std::system_error&) {
    std::fclose(r->file);
    return TANDEM_NO_MEMORY;
  }
  out = r.release();
  return TANDEM_OK;
}

}  // namespace

extern "C" {

void tandem_config_init(tandem_config* c) {
  *c = tandem_config{};
  c->producer = c->scenario = "";
  c->device = "unknown";
  c->seed = 1;
  c->policy = "predict-rows-hidden";
  for (const char*& row : c->rows) row = "overlap";
  c->draft_path = "gather";
  c->encoder_test = "encoder_len";
  c->arrivals = "step";
  c->max_num_seqs = 64;
  c->num_speculative_tokens = c->num_model_steps = 3;
  c->block_size = 64;
  c->enc_dec_block_num = 2;
  c->max_model_len = 16384;
  c->max_num_batched_tokens = 8192;
  c->pinned_ring_depth = 1;
  c->vocab_size = 32000;
  c->padding_id = 2;
  c->acceptance = "per-position";
}

void tandem_step_init(tandem_step* s) {
  *s = tandem_step{};
  s->flag_in = s->flag_out = s->draft_flag_in = s->draft_flag_out = TANDEM_UNKNOWN;
  s->predicted = s->token_num = s->launch_bsz = s->real_bsz = s->captured_size = TANDEM_UNKNOWN;
  s->cached_in_token_num = s->cached_in_real_bsz = TANDEM_UNKNOWN;
  s->cached_out_token_num = s->cached_out_real_bsz = TANDEM_UNKNOWN;
  s->q_cpu_step = s->b_cpu_step = s->start_ns = s->end_ns = TANDEM_UNKNOWN64;
  s->output_rows = s->output_rows_host = s->guard_tripped = s->live_tail = TANDEM_UNKNOWN;
}

void tandem_substep_init(tandem_substep* s) {
  *s = tandem_substep{};
  s->launched = s->blocking = s->token_num = s->hidden_rows = TANDEM_UNKNOWN;
  s->captured_size = s->device_sum = s->live_tail = TANDEM_UNKNOWN;
}

void tandem_keyframe_init(tandem_keyframe* k) {
  *k = tandem_keyframe{};
  k->cached_token_num = k->cached_real_bsz = -1;
}

tandem_result tandem_recorder_open(const char* path, const tandem_config* config,
                                   const tandem_step* known, const tandem_keyframe* first,
                                   tandem_recorder** out) {
  if (out == nullptr) return TANDEM_BAD_ARGUMENT;
  *out = nullptr;
  if (path == nullptr || config == nullptr || known == nullptr) return TANDEM_BAD_ARGUMENT;
  try {
    return open_recorder(path, *config, *known, first, *out);
  } catch (const std::bad_alloc&) {
    return TANDEM_NO_MEMORY;
  } catch (const std::system_error&) {  // no thread
    return TANDEM_NO_MEMORY;
  }
}

tandem_result tandem_recorder_step(tandem_recorder* r, const tandem_step* step) {
  if (r == nullptr || step == nullptr) return TANDEM_BAD_ARGUMENT;
  return r->produce(*step, Kind::step, bad_step(*step, r->lines));
}

tandem_result tandem_recorder_keyframe(tandem_recorder* r, const tandem_keyframe* keyframe) {
  if (r == nullptr || keyframe == nullptr) return TANDEM_BAD_ARGUMENT;
  const char* bad = bad_keyframe(*keyframe, r->lines.shape());
  return r->produce(*keyframe, Kind::keyframe,
                    bad == nullptr ? Objection{} : Objection{TANDEM_BAD_ARGUMENT, bad});
}

tandem_result tandem_recorder_close(tandem_recorder* r, const tandem_keyframe* last) {
  if (r == nullptr) return TANDEM_BAD_ARGUMENT;
  const std::lock_guard<std::mutex> lock(r->close_mutex);
  if (r->closed) return r->close_result;
  if (last != nullptr && bad_keyframe(*last, r->lines.shape()) != nullptr) {
    return TANDEM_BAD_ARGUMENT;
  }
  r->closed = true;
  return r->close_result = r->finish(last);
}

void tandem_recorder_free(tandem_recorder* r) {
  if (r == nullptr) return;
  static_cast<void>(tandem_recorder_close(r, nullptr));
  delete r;
}

uint64_t tandem_recorder_stalls(const tandem_recorder* r) {
  return r != nullptr ? r->stalls.load() : 0;
}

const char* tandem_recorder_detail(const tandem_recorder* r) {
  return r != nullptr ? r->detail : "";
}

const char* tandem_result_text(tandem_result result) {
  switch (result) {
    case TANDEM_OK:
      return "done";
    case TANDEM_BAD_ARGUMENT:
      return "an argument is missing or out of range";
    case TANDEM_BAD_FIELD:
      return "a field was known when the recorder was opened and is not now, or the reverse";
    case TANDEM_TOO_LARGE:
      return "the entry does not fit the ring; open the recorder with a larger ring_bytes";
    case TANDEM_NO_MEMORY:
      return "memory, a thread or a random key cannot be had";
    case TANDEM_IO:
      return "the file cannot be written";
    case TANDEM_CLOSED:
      return "the recorder is closed";
  }
  return "no result of this recorder";
}

}  // extern "C"
