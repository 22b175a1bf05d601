// Divergences and their neighbourhoods as JSON.
#include "tools/cli/neighbourhood_json.hpp"

#include "tools/cli/explain.hpp"
#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(bool exists, std::int64_t value) { return exists ? Json(value) : Json(); }

Json step_json(const StepView& view, bool is_place) {
  const StepRecord& r = view.record;
  std::int64_t rows = 0;
  for (const std::int32_t q : r.p1.q) rows += q;
  return {{"step", r.t},
          {"is_place", is_place},
          {"repeat", r.repeat},
          {"kind", to_name(r.kind)},
          {"mode", to_name(r.mode)},
          {"token_num", r.token_num},
          {"launch_bsz", r.launch_bsz},
          {"real_bsz", r.real_bsz},
          {"device_rows", rows},
          {"cached_in", {r.cached_in.token_num, r.cached_in.real_bsz}},
          {"cached_out", {r.cached_out.token_num, r.cached_out.real_bsz}},
          {"flag_in", r.flag_in},
          {"draft_flag_in", r.draft_flag_in},
          {"guard_tripped", r.guard_tripped}};
}

/// Null for the accepted tokens at P1, which are not recorded there.
Json point_json(const SlotColumns& c, std::size_t slot, bool has_accepted) {
  const auto cell = [slot](const Column& column) {
    return slot < column.size() ? Json(column[slot]) : Json();
  };
  return {{"q", cell(c.q)},
          {"e", cell(c.e)},
          {"d", cell(c.d)},
          {"s", cell(c.s)},
          {"b", cell(c.b)},
          {"g", cell(c.g)},
          {"a", has_accepted ? cell(c.a) : Json()}};
}

Json slot_step_json(const StepView& view, std::size_t slot) {
  const StepRecord& r = view.record;
  const bool back = r.kind == StepKind::back;
  const std::int32_t holder =
      slot < view.table.holder.size() ? view.table.holder[slot] : kNoRequest;
  return {{"step", r.t},
          {"request", number_or_null(holder != kNoRequest, holder)},
          {"generation", value_at(r.p1_generation, slot)},
          {"activity", slot_activity(view, slot)},
          {"p1", point_json(r.p1, slot, false)},
          {"p2", back ? point_json(r.p2, slot, true) : Json()},
          {"p4", back ? point_json(r.p4, slot, true) : Json()}};
}

Json slot_json(const Neighbourhood& n) {
  const auto slot = static_cast<std::size_t>(n.divergence.slot);
  Json steps = Json::array();
  for (const StepView& view : n.steps) {
    if (slot < view.slot_count()) steps.push_back(slot_step_json(view, slot));
  }
  return {{"slot", n.divergence.slot}, {"steps", std::move(steps)}};
}

Json launch_json(const StepView& view) {
  const LaunchStory launch = explain_launch(view);
  Json rows = Json::array();
  for (const PaddingShare& share : launch.padding) {
    rows.push_back({{"slot", number_or_null(share.slot >= 0, share.slot)},
                    {"rows", share.rows},
                    {"reason", share.reason}});
  }
  return {{"why", launch.why}, {"rows", std::move(rows)}};
}

Json neighbourhood_json(const Neighbourhood& n) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < n.steps.size(); ++i) {
    steps.push_back(step_json(n.steps[i], n.place == i));
  }
  Json out;
  out["steps"] = std::move(steps);
  const StepView* view = n.nearest();
  out["tasks"] = view == nullptr ? std::vector<std::string>{} : task_stories(*view);
  out["messages"] = view == nullptr ? std::vector<std::string>{} : message_stories(*view);
  out["slot"] = n.divergence.slot >= 0 ? slot_json(n) : Json();
  out["launch"] = n.divergence.slot < 0 && view != nullptr ? launch_json(*view) : Json();
  out["not_read"] = n.lost.empty() ? Json() : Json(n.lost);
  return out;
}

}  // namespace

Json divergence_json(const sim::Divergence& d, const std::optional<Neighbourhood>& around) {
  const sim::CheckInfo& info = sim::check_info(d.check);
  Json out;
  out["check"] = sim::to_name(d.check);
  out["sentence"] = info.sentence;
  out["section"] = info.section;
  out["step"] = d.step;
  out["rank"] = d.rank;
  out["point"] = d.point == "-" ? Json() : Json(d.point);
  out["slot"] = number_or_null(d.slot >= 0, d.slot);
  out["request"] = number_or_null(d.request >= 0, d.request);
  out["field"] = d.field;
  out["host"] = number_or_null(d.has_host, d.host);
  out["device"] = number_or_null(d.has_device, d.device);
  out["oracle"] = number_or_null(d.has_oracle, d.oracle);
  out["belongs_to"] = d.belongs_to;
  out["policy"] = d.policy;
  out["neighbourhood"] = around ? neighbourhood_json(*around) : Json();
  return out;
}

}  // namespace tandem::cli
