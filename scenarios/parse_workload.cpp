// The group `workload` of a scenario: what arrives, and the rules its requests must keep.
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "scenarios/reader.hpp"
#include "scenarios/request_rules.hpp"
#include "scenarios/request_trace.hpp"

namespace tandem {
namespace {

// Sums of drawn gaps stay far from 2^63: a sum of 1,000 times the mean does not happen.
constexpr std::int64_t kArrivalSpanMax = std::int64_t{1} << 53U;

std::int64_t divide_to_nearest(std::int64_t value, std::int64_t divisor) {
  return (value + divisor / 2) / divisor;
}

/// The mean gap in ns, of rate_per_s or gap_steps.
Result<std::int64_t> gap_in_ns(const Document& document, const WorkloadSpec& workload) {
  const Reader read(document);
  if (read.has("workload.rate_per_s")) {
    return divide_to_nearest(1'000'000'000'000, read.units("workload.rate_per_s", 3));
  }
  const std::int64_t gap = read.units("workload.gap_steps", 3);
  if (gap > kArrivalSpanMax / workload.step_ns) {
    return document.fail_value("workload.gap_steps",
                               fmt::format("at most {} thousandths of a step of {} ns",
                                           kArrivalSpanMax / workload.step_ns, workload.step_ns),
                               "lower it, or lower step_ns");
  }
  return divide_to_nearest(gap * workload.step_ns, 1'000);
}

Error gap_not_once(const Document& document, bool both) {
  return document.fail("workload", both ? "rate_per_s and gap_steps" : "no mean gap",
                       "either rate_per_s or gap_steps",
                       both ? "delete one of the two" : "add one of the two");
}

Status read_gap(const Document& document, Scenario& out) {
  const Reader read(document);
  WorkloadSpec& workload = out.workload;
  const bool by_rate = read.has("workload.rate_per_s");
  if (by_rate == read.has("workload.gap_steps")) return gap_not_once(document, by_rate);
  std::int64_t gap = 0;
  if (out.config.arrivals == ArrivalUnit::ns) {
    TANDEM_TRY(gap, gap_in_ns(document, workload));
    workload.mean_gap_ns = gap;
  } else {
    gap = read.has("workload.gap_steps") ? read.units("workload.gap_steps", 3) : 0;
    if (by_rate) {
      const std::int64_t gap_ns =
          divide_to_nearest(1'000'000'000'000, read.units("workload.rate_per_s", 3));
      gap = divide_to_nearest(gap_ns * 1'000, workload.step_ns);
    }
    workload.mean_gap_millisteps = gap;
  }
  if (gap > 0 && workload.requests_max > kArrivalSpanMax / gap) {
    return document.fail_value("workload.requests",
                               fmt::format("at most {} at this rate", kArrivalSpanMax / gap),
                               "lower it, or let requests arrive faster");
  }
  return {};
}

Status read_lengths(const Document& document, const std::string& path, LengthQuantiles& out) {
  const Reader read(document);
  if (read.node(path).kind == JsonKind::integer) {
    out.share_millionths = {0, 1'000'000};
    out.tokens = {read.int32(path), read.int32(path)};
    return {};
  }
  const std::string shares = path + ".shares";
  const std::string tokens = path + ".tokens";
  out.share_millionths = read.millionths(shares);
  out.tokens = read.int32s(tokens);
  if (out.share_millionths.size() < 2 || out.share_millionths.front() != 0 ||
      out.share_millionths.back() != 1'000'000) {
    return document.fail_value(shares, "two shares or more, the first 0 and the last 1",
                               "give the least and the greatest length too");
  }
  if (out.tokens.size() != out.share_millionths.size()) {
    return document.fail_value(tokens, fmt::format("{} values", out.share_millionths.size()),
                               "give one length for each share");
  }
  for (std::size_t i = 1; i < out.tokens.size(); ++i) {
    if (out.share_millionths[i] <= out.share_millionths[i - 1]) {
      return document.fail_value(fmt::format("{}.{}", shares, i), "more than the share before",
                                 "sort the shares");
    }
    if (out.tokens[i] < out.tokens[i - 1]) {
      return document.fail_value(fmt::format("{}.{}", tokens, i),
                                 fmt::format("at least {}, the length before", out.tokens[i - 1]),
                                 "lengths do not fall as shares rise");
    }
  }
  return {};
}

Status refuse_misfit(const Document& document, std::string_view path, const Misfit& misfit) {
  constexpr std::string_view kGot = "got ";
  return document.fail(path, std::string_view(misfit.found).substr(kGot.size()), misfit.wanted,
                       misfit.remedy);
}

Status read_generated(const Document& document, Scenario& out) {
  WorkloadSpec& workload = out.workload;
  TANDEM_RETURN_IF_ERROR(read_gap(document, out));
  TANDEM_RETURN_IF_ERROR(read_lengths(document, "workload.prompt", workload.prompt));
  TANDEM_RETURN_IF_ERROR(read_lengths(document, "workload.output", workload.output));
  const std::int32_t prompt = workload.prompt.tokens.back();
  std::int64_t longest = 0;
  for (const std::int32_t output :
       {workload.output.tokens.front(), workload.output.tokens.back()}) {
    longest = std::max(longest, longest_output(out.config, workload, prompt, output));
  }
  const auto misfit = find_misfit(out.config, prompt, longest);
  if (misfit) return refuse_misfit(document, "workload", *misfit);
  if (workload.dnode_millionths == 0 || longest == 1) return {};
  const auto wide = find_dnode_misfit(out.config, prompt, workload.dnode_drafts);
  return wide ? refuse_misfit(document, "workload.dnode.drafts", *wide) : Status{};
}

Status read_dnode_share(const Document& document, Scenario& out) {
  const Reader read(document);
  WorkloadSpec& workload = out.workload;
  workload.dnode_millionths = static_cast<std::uint32_t>(read.units("workload.dnode.fraction", 6));
  workload.dnode_drafts = read.int32("workload.dnode.drafts");
  if (workload.dnode_millionths == 0) return {};
  if (workload.dnode_drafts > out.config.num_speculative_tokens) {
    return document.fail_value(
        "workload.dnode.drafts",
        fmt::format("at most engine.num_speculative_tokens, {}", out.config.num_speculative_tokens),
        "a row holds no more");
  }
  if (out.config.splitwise_prefill) {
    return document.fail_value("workload.dnode.fraction", "0 where engine.role is prefill",
                               "a P node hands requests on and gets none");
  }
  return {};
}

/// A request trace: its file, its slice, and the gap where it may hold lengths only.
Status read_trace(const Document& document, Scenario& out) {
  const Reader read(document);
  WorkloadSpec& workload = out.workload;
  workload.path = read.text("workload.path");
  workload.from_ns = read.integer("workload.from_ns");
  workload.until_ns = read.integer("workload.until_ns");
  if (workload.until_ns > 0 && workload.until_ns <= workload.from_ns) {
    return document.fail_value("workload.until_ns",
                               fmt::format("more than workload.from_ns, {}", workload.from_ns),
                               "raise it, or set it to 0 for no end");
  }
  if (workload.kind != WorkloadKind::vidur_csv) return {};
  const bool by_rate = read.has("workload.rate_per_s");
  const bool by_steps = read.has("workload.gap_steps");
  if (by_rate && by_steps) return gap_not_once(document, true);
  workload.mean_gap_ns = -1;
  if (by_rate || by_steps) {
    TANDEM_TRY(workload.mean_gap_ns, gap_in_ns(document, workload));
  }
  return {};
}

/// One entry of workload.requests.
class RequestReader {
 public:
  RequestReader(const Document& document, const Scenario& scenario, std::size_t index)
      : document_(document),
        read_(document),
        config_(scenario.config),
        workload_(scenario.workload),
        base_(fmt::format("workload.requests.{}", index)) {
    request_.row.id = static_cast<RequestId>(index);
  }

  Result<RequestSpec> take(std::int64_t earliest) {
    RequestRow& row = request_.row;
    row.arrival = read_.integer(key("arrival"));
    if (row.arrival < earliest) {
      return document_.fail_value(key("arrival"),
                                  fmt::format("at least {}, the arrival before", earliest),
                                  "sort the requests by arrival");
    }
    row.prompt_len = read_.int32(key("prompt"));
    TANDEM_RETURN_IF_ERROR(read_end());
    TANDEM_RETURN_IF_ERROR(read_stop_sequence());
    TANDEM_RETURN_IF_ERROR(read_cached_prompt());
    TANDEM_RETURN_IF_ERROR(read_dnode());
    TANDEM_RETURN_IF_ERROR(read_accept());
    request_.row.abort_after = read_.int32_or(key("abort_after"), -1);
    request_.preempt_after = read_.int32_or(key("preempt_after"), -1);
    return request_;
  }

 private:
  [[nodiscard]] std::string key(std::string_view name) const {
    return fmt::format("{}.{}", base_, name);
  }

  Status read_end() {
    RequestRow& row = request_.row;
    const std::int32_t left = config_.max_model_len - row.prompt_len;
    if (left < 1) {
      return document_.fail_value(
          key("prompt"), fmt::format("less than engine.max_model_len, {}", config_.max_model_len),
          "shorten it, or raise engine.max_model_len");
    }
    const bool by_output = read_.has(key("output"));
    const bool by_length = workload_.stop == StopRule::length;
    for (const char* other : {"eos_at", "stop_at", "max_dec_len"}) {
      const bool is_set_by_output = by_length || std::string_view(other) != "max_dec_len";
      if (by_output && is_set_by_output && read_.has(key(other))) {
        return document_.fail_value(
            key(other),
            fmt::format("no such key beside output with stop {}", read_.text("workload.stop")),
            "output says when the request ends; delete one of the two");
      }
    }
    const WorkloadSpec limits = own_limits(by_output ? workload_.stop : StopRule::eos);
    const auto misfit = find_misfit(config_, row.prompt_len, longest_end(limits, left));
    if (misfit) return refuse_misfit(document_, base_, *misfit);
    set_limits(row, config_, limits, read_.int32_or(key(by_output ? "output" : "eos_at"), 0));
    return {};
  }

  /// Tokens this entry may generate at most: what is left where nothing else is sure to end it.
  [[nodiscard]] std::int64_t longest_end(const WorkloadSpec& limits, std::int32_t left) const {
    if (read_.has(key("output"))) {
      return longest_output(config_, limits, request_.row.prompt_len, read_.int32(key("output")));
    }
    const std::int32_t stop_at = read_.int32_or(key("stop_at"), 0);
    const std::int32_t eos_at = read_.int32_or(key("eos_at"), 0);
    if (stop_at > 0 && limits.min_tokens <= stop_at + 1) {
      return limited_output(limits, std::int64_t{stop_at} + 1);
    }
    return limited_output(limits, eos_at > 0 ? eos_at : left);
  }

  /// stop_at and what belongs to it, or to the sequence that `output` made.
  Status read_stop_sequence() {
    RequestRow& row = request_.row;
    const std::int32_t stop_at = read_.int32_or(key("stop_at"), 0);
    if (stop_at > 0 && row.eos_at > 0 && row.eos_at <= stop_at + 1) {
      return document_.fail_value(key("eos_at"),
                                  fmt::format("0, or more than stop_at + 1 = {}", stop_at + 1),
                                  "the stop sequence puts EOS there; delete one of the two");
    }
    const WorkloadSpec own = own_limits(workload_.stop);
    if (stop_at > 0) set_stop_sequence(row, stop_at, own.stop_len, own.min_tokens);
    for (const char* other : {"stop_len", "min_tokens"}) {
      if (row.stop_at == 0 && read_.has(key(other))) {
        return document_.fail_value(key(other), "no such key without a stop sequence",
                                    "add stop_at, or set workload.stop to sequence");
      }
    }
    if (read_.int32_or(key("min_tokens"), 0) > row.min_tokens) {
      return document_.fail_value(
          key("min_tokens"), fmt::format("at most {}, where the output ends", row.min_tokens),
          "no step ends with more tokens, so that nothing would ever match");
    }
    return {};
  }

  Status read_cached_prompt() {
    RequestRow& row = request_.row;
    row.cached_prompt = read_.int32_or(key("cached_prompt"),
                                       cached_tokens(row.prompt_len, workload_.cached_millionths));
    if (row.cached_prompt < row.prompt_len) return {};
    return document_.fail_value(key("cached_prompt"),
                                fmt::format("less than prompt, {}", row.prompt_len),
                                "the last token of a text is always computed");
  }

  /// The workload's limits with those of this entry in their place.
  [[nodiscard]] WorkloadSpec own_limits(StopRule stop) const {
    WorkloadSpec limits;
    limits.stop = stop;
    limits.max_dec_len = read_.int32_or(key("max_dec_len"), workload_.max_dec_len);
    limits.stop_len = read_.int32_or(key("stop_len"), workload_.stop_len);
    limits.min_tokens = read_.int32_or(key("min_tokens"), workload_.min_tokens);
    return limits;
  }

  Status read_dnode() {
    request_.dnode_drafts = read_.int32_or(key("dnode_drafts"), -1);
    if (request_.dnode_drafts < 0) return {};
    if (request_.dnode_drafts > config_.num_speculative_tokens) {
      return document_.fail_value(
          key("dnode_drafts"),
          fmt::format("at most engine.num_speculative_tokens, {}", config_.num_speculative_tokens),
          "a row holds no more");
    }
    if (config_.splitwise_prefill) {
      return document_.fail_value(key("dnode_drafts"), "no such key where engine.role is prefill",
                                  "a P node hands requests on and gets none");
    }
    if (ends_at_once(request_.row)) {
      return document_.fail_value(key("dnode_drafts"), "an output of two tokens or more with it",
                                  "a request that ends with its first token stays on its P node");
    }
    const auto wide = find_dnode_misfit(config_, request_.row.prompt_len, request_.dnode_drafts);
    return wide ? refuse_misfit(document_, key("dnode_drafts"), *wide) : Status{};
  }

  Status read_accept() {
    const bool given = read_.has(key("accept"));
    const bool by_list = config_.acceptance.kind == AcceptKind::list;
    if (given && !by_list) {
      return document_.fail_value(key("accept"), "no such key unless acceptance.kind is list",
                                  "set acceptance.kind to list");
    }
    if (given) request_.row.accept = read_.int32s(key("accept"));
    if (by_list && !given && workload_.accept_lists.empty() && workload_.accept_path.empty() &&
        workload_.accept_markov.empty()) {
      return document_.fail(key("accept"), "nothing", "a list of commits a step",
                            "give it here, or acceptance.lists, path or markov for all");
    }
    return {};
  }

  const Document& document_;
  Reader read_;
  const RunConfig& config_;
  const WorkloadSpec& workload_;
  std::string base_;
  RequestSpec request_;
};

Status read_requests(const Document& document, Scenario& out) {
  const Reader read(document);
  const std::size_t count = read.node("workload.requests").items.size();
  std::int64_t earliest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    TANDEM_TRY(RequestSpec request, RequestReader(document, out, i).take(earliest));
    earliest = request.row.arrival;
    out.workload.requests.push_back(std::move(request));
  }
  return {};
}

}  // namespace

Status read_workload(const Document& document, Scenario& out) {
  const Reader read(document);
  WorkloadSpec& workload = out.workload;
  const std::string& kind = read.text("workload.kind");
  workload.step_ns = read.integer("workload.step_ns");
  const std::string& stop = read.text("workload.stop");
  workload.stop = stop == "length"     ? StopRule::length
                  : stop == "sequence" ? StopRule::sequence
                                       : StopRule::eos;
  workload.stop_len = read.int32("workload.stop_len");
  workload.min_tokens = read.int32("workload.min_tokens");
  workload.cached_millionths = static_cast<std::uint32_t>(read.units("workload.cached_share", 6));
  workload.max_dec_len = read.int32("workload.max_dec_len");
  if (workload.min_tokens > 0 && kind != "requests" && workload.stop != StopRule::sequence) {
    return document.fail_value("workload.min_tokens", "0 unless workload.stop is sequence",
                               "only a stop sequence looks at it");
  }
  if (kind == "requests") {
    workload.kind = WorkloadKind::requests;
    return read_requests(document, out);
  }
  if (out.config.acceptance.kind == AcceptKind::list && workload.accept_lists.empty() &&
      workload.accept_path.empty() && workload.accept_markov.empty()) {
    return document.fail("acceptance", "kind list without a list",
                         "one of `lists`, `path` and `markov`", "add one of them");
  }
  workload.requests_max = read.integer("workload.requests");
  workload.rate_millionths = read.units("workload.rate_scale", 6);
  const auto share = [&read](std::string_view key) {
    return static_cast<std::uint32_t>(read.units(key, 6));
  };
  workload.abort_millionths = share("workload.abort_share");
  workload.preempt_millionths = share("workload.preempt_share");
  TANDEM_RETURN_IF_ERROR(read_dnode_share(document, out));
  if (const TraceKind* trace = trace_kind(kind); trace != nullptr) {
    workload.kind = trace->kind;
    return read_trace(document, out);
  }
  workload.kind = kind == "profile" ? WorkloadKind::profile : WorkloadKind::poisson;
  return read_generated(document, out);
}

}  // namespace tandem
