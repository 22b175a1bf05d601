// Request traces of LLMServingSim: single requests, measured ones, and sessions of several.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios/request_trace.hpp"
#include "scenarios/trace_jsonl.hpp"

namespace tandem {
namespace {

/// Sub-requests that were read and lie ahead, at most; 56 MiB of them.
constexpr std::size_t kAheadMax = std::size_t{1} << 20U;

/// A row that lies ahead. Rows of one time keep the order of the file.
struct Ahead {
  TraceRow row;
  std::size_t index = 0;  ///< in its session

  [[nodiscard]] auto order() const { return std::make_tuple(row.arrival, row.line, index); }
};

bool is_later(const Ahead& a, const Ahead& b) { return a.order() > b.order(); }

class SessionTrace final : public RequestTrace {
 public:
  explicit SessionTrace(LineReader lines) : lines_(std::move(lines)) {}

  Result<std::optional<TraceRow>> next() override {
    // Lines are in order of time: what arrives no later than the last one read comes first.
    while (!ended_ && (ahead_.empty() || ahead_.front().row.arrival > read_up_to_)) {
      TANDEM_TRY(const std::optional<std::string_view> line, lines_.next());
      ended_ = !line;
      if (line && !line->empty()) TANDEM_RETURN_IF_ERROR(read(*line));
    }
    if (ahead_.empty()) return std::optional<TraceRow>{};
    std::pop_heap(ahead_.begin(), ahead_.end(), is_later);
    const TraceRow row = ahead_.back().row;
    ahead_.pop_back();
    return std::optional<TraceRow>{row};
  }
  [[nodiscard]] const LineReader& lines() const override { return lines_; }

 private:
  struct SubRequest {
    std::int32_t prompt = 0;
    std::int32_t output = 0;
    std::size_t prompt_column = 0;
    std::int64_t tool_ns = 0;  ///< from its end to the start of the next
  };

  Status read(std::string_view line) {
    std::array<JsonField, 4> fields{
        JsonField{"arrival_time_ns", false, {}}, JsonField{"arrival_time", false, {}},
        JsonField{"input_toks", false, {}}, JsonField{"output_toks", false, {}}};
    std::vector<SubRequest> session;
    bool is_session = false;
    JsonRow row(lines_);
    const auto sub_requests = [this, &session, &is_session](std::string_view key,
                                                            JsonScanner& scanner) -> Result<bool> {
      if (key != "sub_requests") return false;
      if (std::exchange(is_session, true)) {
        return lines_.fail(1, "sub_requests twice", "one list", "delete one of the two");
      }
      TANDEM_RETURN_IF_ERROR(read_session(scanner, session));
      return true;
    };
    TANDEM_RETURN_IF_ERROR(row.read_line(line, fields, sub_requests));
    TANDEM_TRY(const Nanos arrival, arrival_of(row, fields[0], fields[1]));
    if (!is_session) {
      for (const JsonField* field : {&fields[2], &fields[3]}) {
        if (!field->found()) {
          return lines_.fail(1, fmt::format("no {}", field->key),
                             "an object with input_toks and output_toks, or with sub_requests",
                             "correct or delete the line");
        }
      }
      SubRequest only;
      TANDEM_TRY(only.prompt, row.tokens(fields[2]));
      TANDEM_TRY(only.output, row.tokens(fields[3]));
      only.prompt_column = fields[2].token.column;
      session.push_back(only);
    }
    return add(arrival, session);
  }

  Status read_session(JsonScanner& scanner, std::vector<SubRequest>& out) {
    JsonRow row(lines_);
    const auto nothing = [](std::string_view, JsonScanner&) -> Result<bool> { return false; };
    return row.read_list(scanner, "sub_requests", [&](const JsonToken& token) -> Status {
      if (token.kind != JsonTokenKind::begin_object) return row.fail(token, "an object");
      std::array<JsonField, 3> fields{JsonField{"input_toks", true, {}},
                                      JsonField{"output_toks", true, {}},
                                      JsonField{"tool_duration_ns", false, {}}};
      TANDEM_RETURN_IF_ERROR(row.read_members(scanner, token.column, fields, nothing));
      SubRequest next;
      TANDEM_TRY(next.prompt, row.tokens(fields[0]));
      TANDEM_TRY(next.output, row.tokens(fields[1]));
      next.prompt_column = fields[0].token.column;
      if (fields[2].found()) {
        TANDEM_TRY(next.tool_ns, time_of(row, fields[2], 9));
      }
      out.push_back(next);
      return {};
    });
  }

  Result<std::int64_t> time_of(const JsonRow& row, const JsonField& field, int digits) {
    if (field.token.kind != JsonTokenKind::number) {
      return row.fail(field.token, fmt::format("a number as {}", field.key));
    }
    return trace_time(lines_, field.token.text, digits, field.token.column);
  }

  Result<Nanos> arrival_of(const JsonRow& row, const JsonField& in_ns, const JsonField& in_s) {
    const JsonField& field = in_ns.found() ? in_ns : in_s;
    if (!field.found()) {
      return lines_.fail(1, "no arrival_time_ns", "an object with arrival_time_ns or arrival_time",
                         "correct or delete the line");
    }
    if (clock_key_.empty()) clock_key_ = field.key;
    if (clock_key_ != field.key) {
      return lines_.fail(field.token.column, fmt::format("{} alone", field.key),
                         fmt::format("{}, as in the rows above", clock_key_),
                         "use one clock in all rows");
    }
    TANDEM_TRY(const std::int64_t time, time_of(row, field, in_ns.found() ? 9 : 0));
    return clock_.since_first(lines_, time, field.token.column, field.token.text);
  }

  Status add(Nanos arrival, const std::vector<SubRequest>& session) {
    if (session.empty()) {
      return lines_.fail(1, "a session of no sub_requests", "one or more",
                         "correct or delete the line");
    }
    if (ahead_.size() + session.size() > kAheadMax) {
      return lines_.fail(1, "more sub_requests ahead",
                         fmt::format("at most {} that arrive later than this line", kAheadMax),
                         "cut the file into parts");
    }
    read_up_to_ = arrival;
    for (std::size_t i = 0; i < session.size(); ++i) {
      TraceRow row;
      row.arrival = arrival;
      row.prompt = session[i].prompt;
      row.output = session[i].output;
      row.line = lines_.line();
      row.prompt_column = session[i].prompt_column;
      ahead_.push_back({row, i});
      std::push_heap(ahead_.begin(), ahead_.end(), is_later);
      if (session[i].tool_ns > INT64_MAX - arrival) {
        return lines_.fail(1, "tool durations of more than 292 years", "less",
                           "correct or delete the line");
      }
      arrival += session[i].tool_ns;
    }
    return {};
  }

  LineReader lines_;
  TraceClock clock_;
  std::string_view clock_key_;  ///< which of the two keys gives the times
  std::vector<Ahead> ahead_;    ///< a heap, the next row in front
  Nanos read_up_to_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<RequestTrace>> open_llmservingsim_trace(LineReader lines) {
  return std::unique_ptr<RequestTrace>(std::make_unique<SessionTrace>(std::move(lines)));
}

}  // namespace tandem
