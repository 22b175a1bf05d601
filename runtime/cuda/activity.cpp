// CUPTI: callbacks say which launch is whose, activity records say when it ran.
#include "runtime/cuda/activity.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include <cupti.h>

#include "runtime/cuda/failure.hpp"
#include "traces/base/check.hpp"

namespace tandem::cuda {
namespace {

/// Small, so that a buffer is full, and handed over, after a few steps.
constexpr std::size_t kBufferBytes = std::size_t{64} << 10U;

ActivityBook* the_book = nullptr;  // CUPTI's buffers carry no data of ours

void expect_cupti(CUptiResult result, const char* call) {
  if (result == CUPTI_SUCCESS) return;
  const char* text = nullptr;
  (void)cuptiGetResultString(result, &text);
  throw CudaFailure(std::string(call) + ": " + (text == nullptr ? "CUPTI error" : text));
}

std::uint64_t steady_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* record_count) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(8, kBufferBytes));
  *size = *buffer == nullptr ? 0 : kBufferBytes;
  *record_count = 0;  // as many as fit
}

void note(const CUpti_Activity* record) {
  const auto add = [](const auto* r) {
    the_book->executed(r->correlationId, static_cast<Nanos>(r->start), static_cast<Nanos>(r->end));
  };
  switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
      add(reinterpret_cast<const CUpti_ActivityKernel10*>(record));
      break;
    case CUPTI_ACTIVITY_KIND_MEMCPY:
      add(reinterpret_cast<const CUpti_ActivityMemcpy6*>(record));
      break;
    default:
      break;
  }
}

void CUPTIAPI take_buffer(CUcontext context, std::uint32_t stream, std::uint8_t* buffer,
                          std::size_t /*size*/, std::size_t valid) {
  CUpti_Activity* record = nullptr;
  while (the_book != nullptr && valid > 0 &&
         cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) {
    note(record);
  }
  std::size_t dropped = 0;
  (void)cuptiActivityGetNumDroppedRecords(context, stream, &dropped);
  if (dropped > 0 && the_book != nullptr) the_book->dropped(dropped);
  std::free(buffer);
}

void CUPTIAPI on_call(void* book, CUpti_CallbackDomain /*domain*/, CUpti_CallbackId /*id*/,
                      const void* data) {
  const auto* call = static_cast<const CUpti_CallbackData*>(data);
  if (call->callbackSite != CUPTI_API_ENTER) return;
  static_cast<ActivityBook*>(book)->launched(call->correlationId);
}

constexpr CUpti_CallbackId kLaunchingCalls[] = {
    CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernel_v7000,
    CUPTI_RUNTIME_TRACE_CBID_cudaLaunchKernelExC_v11060,
    CUPTI_RUNTIME_TRACE_CBID_cudaLaunchCooperativeKernel_v9000,
    CUPTI_RUNTIME_TRACE_CBID_cudaMemcpyAsync_v3020,
    CUPTI_RUNTIME_TRACE_CBID_cudaGraphLaunch_v10000,
};

#define TANDEM_CUPTI_CALL(call) expect_cupti(call, #call)

}  // namespace

bool ActivityLog::is_available() { return true; }

ActivityLog::ActivityLog() {
  TANDEM_CHECK(the_book == nullptr);
  TANDEM_CUPTI_CALL(cuptiActivityRegisterTimestampCallback(steady_ns));
  TANDEM_CUPTI_CALL(cuptiActivityRegisterCallbacks(give_buffer, take_buffer));
  CUpti_SubscriberHandle subscriber = nullptr;
  TANDEM_CUPTI_CALL(cuptiSubscribe(&subscriber, on_call, &book_));
  subscriber_ = subscriber;
  the_book = &book_;
  for (const CUpti_CallbackId id : kLaunchingCalls) {
    TANDEM_CUPTI_CALL(cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_RUNTIME_API, id));
  }
  TANDEM_CUPTI_CALL(cuptiActivityEnable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
  TANDEM_CUPTI_CALL(cuptiActivityEnable(CUPTI_ACTIVITY_KIND_MEMCPY));
}

ActivityLog::~ActivityLog() {
  (void)cuptiActivityDisable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
  (void)cuptiActivityDisable(CUPTI_ACTIVITY_KIND_MEMCPY);
  (void)cuptiUnsubscribe(static_cast<CUpti_SubscriberHandle>(subscriber_));
  (void)cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  the_book = nullptr;
}

void ActivityLog::flush() {
  TANDEM_CUPTI_CALL(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
  book_.give_up();
}

}  // namespace tandem::cuda
