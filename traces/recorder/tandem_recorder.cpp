// The recorder behind tandem_recorder.h: a ring of packed copies and a thread that prints them.
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
#include "traces/recorder/detail/pack.hpp"
#include "traces/recorder/detail/ring.hpp"

using tandem::recorder::bad_step;
using tandem::recorder::Contract;
using tandem::recorder::Entry;
using tandem::recorder::Kind;
using tandem::recorder::Lines;
using tandem::recorder::Objection;
using tandem::recorder::Packer;
using tandem::recorder::Ring;
using tandem::recorder::Shape;
using tandem::recorder::Unpacker;

struct tandem_recorder {
  tandem_recorder(const Shape& shape, const tandem_step& known)
      : contract(shape, known), lines(shape, known) {}

  const Contract contract;
  Lines lines;
  Ring ring;
  alignas(64) Packer packer;      // of the thread that records
  alignas(64) Unpacker unpacker;  // of the writer's
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

  /// A structure of an entry, with the arrays behind it.
  template <class T>
  const T& unpack(const Entry& entry) {
    unpacker.begin(reinterpret_cast<const std::byte*>(&entry + 1), entry.unpacked);
    return unpacker.take_one<T>([this](T& value) { take(unpacker, contract.shape, value); });
  }

  void write(const Entry& entry) {
    try {
      if (entry.kind == Kind::step) {
        write(lines.step(unpack<tandem_step>(entry)));
      } else {
        write(lines.keyframe(unpack<tandem_keyframe>(entry), entry.kind == Kind::end));
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
      if (const Entry* entry = ring.front()) {
        write(*entry);
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
    packer.begin(kind == Kind::step);
    packer.take_one(value, [this](const T& one) { take(packer, contract.shape, one); });
    if (!packer.fits()) return TANDEM_TOO_LARGE;
    ring.put(sizeof(Entry) + packer.bytes(), packer.unpacked(), kind, stalls);
    return TANDEM_OK;
  }

  /// put() between the two marks that close() waits for.
  template <class T>
  tandem_result produce(const T& value, Kind kind, const Objection& objection) {
    detail = objection.what;
    if (objection.result != TANDEM_OK) return objection.result;
    busy = true;  // sequentially consistent, as `closing` is: one of the two threads sees the other
    const tandem_result result = closing ? TANDEM_CLOSED : put(value, kind);
    busy.store(false, std::memory_order_release);
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

/// Room for 256 decode steps of B slots even where nothing can be narrowed, for a block table a few
/// times over, and for a launch of the largest prefill.
std::size_t default_ring(const Shape& shape) {
  const std::size_t slot = 320 + 64 * shape.width + 40 * shape.substeps;
  const std::size_t table = shape.slots * shape.table * sizeof(std::int32_t);
  return 256 * (shape.slots * slot + 4096) + 4 * table + 48 * shape.rows_max;
}

tandem_result open_recorder(const char* path, const tandem_config& config, const tandem_step& known,
                            const tandem_keyframe* first, tandem_recorder*& out) {
  if (bad_config(config) != nullptr || bad_known(known) != nullptr) return TANDEM_BAD_ARGUMENT;
  Shape shape = shape_of(config);
  if (first != nullptr && bad_keyframe(*first, shape) != nullptr) return TANDEM_BAD_ARGUMENT;
  if (config.has_digest_key == 0 && !draw_key(shape.key)) return TANDEM_NO_MEMORY;
  const std::size_t bytes = config.ring_bytes != 0 ? config.ring_bytes : default_ring(shape);
  auto r = std::make_unique<tandem_recorder>(shape, known);
  if (!r->ring.allocate(bytes)) return TANDEM_NO_MEMORY;
  r->packer.bind(r->ring.draft() + sizeof(Entry), r->ring.entry_max() - sizeof(Entry));
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
  return r->produce(*step, Kind::step, bad_step(*step, r->contract));
}

tandem_result tandem_recorder_keyframe(tandem_recorder* r, const tandem_keyframe* keyframe) {
  if (r == nullptr || keyframe == nullptr) return TANDEM_BAD_ARGUMENT;
  const char* bad = bad_keyframe(*keyframe, r->contract.shape);
  return r->produce(*keyframe, Kind::keyframe,
                    bad == nullptr ? Objection{} : Objection{TANDEM_BAD_ARGUMENT, bad});
}

tandem_result tandem_recorder_close(tandem_recorder* r, const tandem_keyframe* last) {
  if (r == nullptr) return TANDEM_BAD_ARGUMENT;
  const std::lock_guard<std::mutex> lock(r->close_mutex);
  if (r->closed) return r->close_result;
  if (last != nullptr && bad_keyframe(*last, r->contract.shape) != nullptr) {
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
