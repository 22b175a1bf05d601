// A CostModel as JSON and back; what is read is checked as strictly as it is written.
#include <cstdint>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/whatif/cost_model.hpp"

namespace tandem::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "tandem-cost-model";
constexpr std::int64_t kVersion = 2;

std::string knot_text(const CostKnot& knot) {
  return fmt::format(R"({{"rows": {}, "count": {}, "sum_ns": {}, "quantiles_ns": [{}]}})",
                     knot.rows, knot.count, knot.sum_ns, fmt::join(knot.quantile_ns, ", "));
}

std::string curve_text(const CostKey& key, const CostCurve& curve) {
  const InterpolationError& e = curve.left_out;
  std::string text = fmt::format(
      "    {{\"operation\": \"{}\", \"lane\": \"{}\", \"part\": \"{}\", \"graph\": {},\n"
      "     \"left_out\": {{\"knots\": {}, \"mean_millionths\": {}, \"greatest_millionths\": "
      "{}}},\n"
      "     \"rows\": [",
      plan::to_name(key.op), plan::to_name(key.lane), to_name(key.part), key.graph, e.knots,
      e.mean_millionths, e.greatest_millionths);
  const char* comma = "";
  for (const CostKnot& knot : curve.knots) {
    text += comma + std::string("\n       ") + knot_text(knot);
    comma = ",";
  }
  return text + "]}";
}

/// Reads members of one document; the first that is wrong is kept as an Error.
class Reader {
 public:
  explicit Reader(std::string place) : place_(std::move(place)) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

  void fail(const std::string& where, const std::string& found, const std::string& wanted) {
    if (ok_) error_ = Error::make(place_ + " " + where, found, wanted);
    ok_ = false;
  }

  /// An object with exactly these members.
  bool object(const Json& json, const std::string& where,
              std::initializer_list<const char*> members) {
    if (!json.is_object()) {
      fail(where, shown(json), "an object");
      return false;
    }
    for (const char* name : members) {
      if (!json.contains(name)) fail(where + "/" + name, "nothing", "this member");
    }
    if (ok_ && json.size() != members.size()) fail(where, "more members", "those of the format");
    return ok_;
  }

  bool array(const Json& json, const std::string& where, std::size_t least, std::size_t most) {
    if (json.is_array() && json.size() >= least && json.size() <= most) return true;
    fail(where, shown(json), least == most ? fmt::format("an array of {}", most) : "an array");
    return false;
  }

  std::int64_t integer(const Json& json, const std::string& where, std::int64_t least,
                       std::int64_t most) {
    const bool fits = json.is_number_integer() &&
                      (!json.is_number_unsigned() ||
                       json.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX));
    const std::int64_t value = fits ? json.get<std::int64_t>() : 0;
    if (fits && value >= least && value <= most) return value;
    fail(where, shown(json), fmt::format("an integer in [{}, {}]", least, most));
    return least;
  }

  template <class Enum>
  void name(const Json& json, const std::string& where, Enum& out) {
    if (!json.is_string() || !plan::from_name(json.get<std::string>(), out)) {
      fail(where, shown(json), "a name as in plans");
    }
  }

 private:
  static std::string shown(const Json& json) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return "got " + (text.size() <= 40 ? text : text.substr(0, 37) + "..");
  }

  std::string place_;
  bool ok_ = true;
  Error error_;
};

CostKnot read_knot(Reader& in, const Json& json, const std::string& where) {
  CostKnot knot;
  if (!in.object(json, where, {"rows", "count", "sum_ns", "quantiles_ns"})) return knot;
  knot.rows = in.integer(json["rows"], where + "/rows", 0, INT32_MAX);
  knot.count = in.integer(json["count"], where + "/count", 1, INT64_MAX);
  knot.sum_ns = in.integer(json["sum_ns"], where + "/sum_ns", 0, INT64_MAX);
  const std::string quantiles = where + "/quantiles_ns";
  if (!in.array(json["quantiles_ns"], quantiles, kCostQuantiles, kCostQuantiles)) return knot;
  Nanos least = 0;
  for (std::size_t i = 0; i < kCostQuantiles; ++i) {
    least = in.integer(json["quantiles_ns"][i], fmt::format("{}/{}", quantiles, i), least, kLastNs);
    knot.quantile_ns[i] = least;
  }
  return knot;
}

void read_curve(Reader& in, const Json& json, const std::string& where, CostModel& model) {
  if (!in.object(json, where, {"operation", "lane", "part", "graph", "left_out", "rows"})) return;
  CostKey key;
  in.name(json["operation"], where + "/operation", key.op);
  in.name(json["lane"], where + "/lane", key.lane);
  if (!json["part"].is_string() || !from_name(json["part"].get<std::string>(), key.part)) {
    in.fail(where + "/part", "another text", "a part of a cost, such as duration");
    return;
  }
  if (!json["graph"].is_boolean()) {
    in.fail(where + "/graph", "no boolean", "true or false");
    return;
  }
  key.graph = json["graph"].get<bool>();
  if (model.curves.count(key) > 0) in.fail(where, "a second one of this kind", "each once");
  CostCurve& curve = model.curves[key];
  const Json& error = json["left_out"];
  const std::string left_out = where + "/left_out";
  if (!in.object(error, left_out, {"knots", "mean_millionths", "greatest_millionths"})) return;
  curve.left_out.knots = in.integer(error["knots"], left_out + "/knots", 0, INT64_MAX);
  curve.left_out.mean_millionths =
      in.integer(error["mean_millionths"], left_out + "/mean_millionths", 0, INT64_MAX);
  curve.left_out.greatest_millionths =
      in.integer(error["greatest_millionths"], left_out + "/greatest_millionths", 0, INT64_MAX);
  if (!in.array(json["rows"], where + "/rows", 1, SIZE_MAX)) return;
  curve.knots.reserve(json["rows"].size());
  for (std::size_t i = 0; i < json["rows"].size() && in.ok(); ++i) {
    const std::string at = fmt::format("{}/rows/{}", where, i);
    const CostKnot knot = read_knot(in, json["rows"][i], at);
    if (!curve.knots.empty() && knot.rows <= curve.knots.back().rows) {
      in.fail(at + "/rows", fmt::format("got {}", knot.rows), "more than the entry before");
    }
    curve.knots.push_back(knot);
  }
}

void read_correction(Reader& in, const Json& json, CostCorrection& out) {
  const std::string where = "/correction";
  if (!in.object(json, where, {"gap_millionths", "host_millionths", "wake_ns"})) return;
  constexpr Nanos kSecond = 1'000'000'000;
  out.gap_millionths = in.integer(json["gap_millionths"], where + "/gap_millionths", 0, kSecond);
  out.host_millionths = in.integer(json["host_millionths"], where + "/host_millionths", 1, kSecond);
  out.wake_ns = in.integer(json["wake_ns"], where + "/wake_ns", -kSecond, kSecond);
}

}  // namespace

std::string to_json(const CostModel& model) {
  const CostCorrection& c = model.correction;
  std::string text = fmt::format(
      "{{\n  \"format\": \"{}\",\n  \"version\": {},\n  \"source\": {},\n"
      "  \"error_millionths\": {},\n"
      "  \"correction\": {{\"gap_millionths\": {}, \"host_millionths\": {}, \"wake_ns\": {}}},\n"
      "  \"costs\": [",
      kFormat, kVersion, Json(model.source).dump(-1, ' ', true, Json::error_handler_t::replace),
      model.error_millionths, c.gap_millionths, c.host_millionths, c.wake_ns);
  const char* comma = "";
  for (const auto& [key, curve] : model.curves) {
    text += comma + std::string("\n") + curve_text(key, curve);
    comma = ",";
  }
  return text + "\n  ]\n}\n";
}

Result<CostModel> parse_cost_model(const std::string& place, const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error::make(place, "no JSON", "a cost model");
  Reader in(place);
  CostModel model;
  const std::initializer_list<const char*> members = {"format",           "version",    "source",
                                                      "error_millionths", "correction", "costs"};
  if (!in.object(json, "", members)) return in.error();
  if (json["format"] != kFormat) in.fail("/format", "another", kFormat);
  in.integer(json["version"], "/version", kVersion, kVersion);
  if (json["source"].is_string()) {
    model.source = json["source"].get<std::string>();
  } else {
    in.fail("/source", "no text", "what was measured");
  }
  model.error_millionths =
      in.integer(json["error_millionths"], "/error_millionths", -1, 1'000'000'000);
  read_correction(in, json["correction"], model.correction);
  if (!in.array(json["costs"], "/costs", 0, SIZE_MAX)) return in.error();
  for (std::size_t i = 0; i < json["costs"].size() && in.ok(); ++i) {
    read_curve(in, json["costs"][i], fmt::format("/costs/{}", i), model);
  }
  if (!in.ok()) return in.error();
  return model;
}

}  // namespace tandem::sim
