// Turns recorded requests into ones that can be scheduled again.
#include "scenarios/recorded_requests.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scenarios/request_rules.hpp"

namespace tandem {
namespace {

class RequestMaker {
 public:
  RequestMaker(const RunConfig& recorded, const RunConfig& config, const std::string& name)
      : stated_(states_acceptance(recorded)), config_(config), name_(name) {}

  Status take(RequestId id, const RecordedRequest& request) {
    if (!stated_ && request.committed <= request.known_first) {
      ++out_.left_out;
      return {};
    }
    TANDEM_RETURN_IF_ERROR(check_row(id, request.row));
    RequestSpec spec;
    spec.row = stated_ ? request.row : observed(request);
    const std::int32_t first = stated_ ? 0 : request.known_first;
    spec.dnode_drafts =
        first > 0 ? -1 : std::min(request.dnode_drafts, config_.num_speculative_tokens);
    if (request.aborted()) {
      const bool is_told = spec.row.abort_after >= 0;
      if (!is_told) spec.row.abort_after = std::max(0, request.outcome.output_len - first);
      ++out_.aborted;
    }
    TANDEM_RETURN_IF_ERROR(check_fit(spec));
    out_.requests.push_back(std::move(spec));
    return {};
  }

  RecordedWorkload finish() {
    std::stable_sort(
        out_.requests.begin(), out_.requests.end(),
        [](const RequestSpec& a, const RequestSpec& b) { return a.row.arrival < b.row.arrival; });
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string place(RequestId id) const {
    return fmt::format("{}: request {}", name_, id);
  }

  [[nodiscard]] Status check_row(RequestId id, const RequestRow& row) const {
    const auto refuse = [&](const char* member, std::int64_t value, const char* wanted) -> Status {
      return Error::make(place(id), fmt::format("got {} {} in its row", member, value), wanted,
                         "a request table needs it: record it");
    };
    if (row.id != id) return refuse("id", row.id, "a row for each request that is admitted");
    if (row.prompt_len < 1) return refuse("prompt_len", row.prompt_len, "1 or more");
    if (row.max_dec_len < 1) return refuse("max_dec_len", row.max_dec_len, "1 or more");
    if (row.arrival < 0) return refuse("arrival", row.arrival, "0 or more");
    if (row.eos_at < 0) return refuse("eos_at", row.eos_at, "0 or more");
    const std::int32_t stop_len_max = std::min(kStopLenMax, row.stop_at);
    if (row.stop_at < 0 || (row.stop_at > 0 && (row.stop_len < 1 || row.stop_len > stop_len_max))) {
      return refuse("stop_len", row.stop_len, "1 to stop_at, and 16 at most");
    }
    if (row.cached_prompt < 0 || row.cached_prompt >= row.prompt_len) {
      return refuse("cached_prompt", row.cached_prompt, "0 or more, less than prompt_len");
    }
    if (row.abort_after < -1) return refuse("abort_after", row.abort_after, "-1 or more");
    for (const std::int32_t commits : row.accept) {
      if (commits < 1) return refuse("accept", commits, "1 or more in each entry");
    }
    return {};
  }

  [[nodiscard]] Status check_fit(const RequestSpec& spec) const {
    const RequestRow& row = spec.row;
    std::int64_t output = row.max_dec_len;
    if (row.eos_at > 0) output = std::min<std::int64_t>(output, row.eos_at);
    if (row.stop_at > 0 && row.min_tokens <= row.stop_at + 1) {
      output = std::min<std::int64_t>(output, row.stop_at + 1);
    }
    if (const auto misfit = find_misfit(config_, row.prompt_len, output)) {
      return Error::make(place(row.id), misfit->found, misfit->wanted, misfit->remedy);
    }
    if (spec.dnode_drafts >= 0 && config_.splitwise_prefill) {
      return Error::make(place(row.id), "got a request from a P node",
                         "none where engine.role is prefill", "a P node gets no such request");
    }
    return {};
  }

  /// What the trace shows of a request: its part from the first observed token to the last.
  RequestRow observed(const RecordedRequest& request) {
    RequestRow row = observed_row(request);
    const RequestOutcome& outcome = request.outcome;
    const bool closed = outcome.reason != StopReason::open;
    const bool ends_by_row = request.ended || closed;
    if (outcome.reason == StopReason::length && outcome.output_len >= 1) {
      row.max_dec_len = std::min(row.max_dec_len, outcome.output_len);
    }
    if (!ends_by_row) {
      row.eos_at = row.stop_at = row.stop_len = row.min_tokens = 0;
      row.max_dec_len = std::min(row.max_dec_len, request.committed);
      ++out_.open_cut;
    }
    // The table may allow more than the model's length holds; the runtime ends there.
    row.max_dec_len =
        std::max(1, std::min(row.max_dec_len, config_.max_model_len - row.prompt_len));
    if (request.known_first > 0) resume(row, request);
    return row;
  }

  /// The rest of a request behind its first known_first tokens, which become prompt.
  void resume(RequestRow& row, const RecordedRequest& request) {
    const std::int32_t known = request.known_first;
    const auto behind = [known](std::int32_t count) { return std::max(0, count - known); };
    row.prompt_len += known;
    row.eos_at = behind(row.eos_at);
    row.max_dec_len = std::max(1, behind(row.max_dec_len));
    row.stop_at = behind(row.stop_at);
    row.stop_len = std::min(row.stop_len, row.stop_at);
    row.min_tokens = behind(row.min_tokens);
    if (row.abort_after >= 0) row.abort_after = behind(row.abort_after);
    // Its prefill commits the first token of what was a decode step.
    row.accept.assign(request.commits.begin(), request.commits.end());
    if (!row.accept.empty() && --row.accept.front() == 0) row.accept.erase(row.accept.begin());
    ++out_.resumed;
  }

  bool stated_;
  const RunConfig& config_;
  const std::string& name_;
  RecordedWorkload out_;
};

}  // namespace

Result<RecordedWorkload> recorded_workload(const RequestTable& table, const RunConfig& recorded,
                                           const RunConfig& config, const std::string& name) {
  RequestMaker maker(recorded, config, name);
  for (const auto& [id, request] : table) TANDEM_RETURN_IF_ERROR(maker.take(id, request));
  RecordedWorkload out = maker.finish();
  if (out.requests.empty()) {
    return Error::make(name, "got no request whose tokens were observed", "one or more",
                       "record requests from their admission on");
  }
  return out;
}

}  // namespace tandem
