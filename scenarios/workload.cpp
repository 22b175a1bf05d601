// Workloads: requests drawn, read from a file or listed, handed out one at a time.
#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "scenarios/azure_csv.hpp"
#include "scenarios/json_tree.hpp"
#include "scenarios/request_rules.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

constexpr std::int32_t kCommitMax = 1'024;

/// What every workload needs of the scenario, and what it does to every request.
class Maker {
 public:
  explicit Maker(const Scenario& scenario) : config_(scenario.config), spec_(scenario.workload) {
    spec_.requests.clear();  // the list is not held twice
  }

  [[nodiscard]] const RunConfig& config() const { return config_; }
  [[nodiscard]] WorkloadSpec& spec() { return spec_; }
  [[nodiscard]] const WorkloadSpec& spec() const { return spec_; }

  /// The next request. Lengths fit; ids count up from 0.
  RequestSpec make(std::int64_t arrival, std::int32_t prompt, std::int32_t output) {
    RequestSpec out;
    out.row.id = next_id_++;
    out.row.arrival = arrival;
    out.row.prompt_len = prompt;
    set_limits(out.row, config_, spec_, output);
    out.row.cached_prompt = cached_tokens(prompt, spec_.cached_millionths);
    const auto id = static_cast<std::uint64_t>(out.row.id);
    const bool is_dnode =
        draw_is_below(keyed_draw(config_.seed, hash_text("dnode"), id), spec_.dnode_millionths);
    if (is_dnode && !ends_at_once(out.row)) out.dnode_drafts = spec_.dnode_drafts;
    attach_list(out.row);
    return out;
  }

  void attach_list(RequestRow& row) const {
    if (spec_.accept_lists.empty() || !row.accept.empty()) return;
    row.accept = spec_.accept_lists[static_cast<std::size_t>(row.id) % spec_.accept_lists.size()];
  }

  [[nodiscard]] RequestId next_id() const { return next_id_; }

 private:
  RunConfig config_;
  WorkloadSpec spec_;
  RequestId next_id_ = 0;
};

class GeneratedWorkload : public Workload {
 public:
  explicit GeneratedWorkload(Maker maker)
      : maker_(std::move(maker)), gaps_(maker_.config().seed, "arrivals") {}

  Result<std::optional<RequestSpec>> next() override {
    const RequestId id = maker_.next_id();
    if (id >= maker_.spec().requests_max) return std::optional<RequestSpec>{};
    const bool by_time = maker_.config().arrivals == ArrivalUnit::ns;
    const auto mean = static_cast<std::uint64_t>(by_time ? maker_.spec().mean_gap_ns
                                                         : maker_.spec().mean_gap_millisteps);
    if (id > 0) clock_ += draw_gap(mean);  // the first request opens the run
    return std::optional<RequestSpec>{maker_.make(by_time ? clock_ : clock_ / 1'000,
                                                  length("prompt", maker_.spec().prompt, id),
                                                  length("output", maker_.spec().output, id))};
  }
  std::int64_t dropped() const override { return 0; }

 private:
  /// RandomStream::exponential takes means below 2^32; a longer gap is drawn in coarser units.
  std::int64_t draw_gap(std::uint64_t mean) {
    unsigned coarser = 0;
    while (mean >> coarser >= 1ULL << 32U) ++coarser;
    return static_cast<std::int64_t>(gaps_.exponential(mean >> coarser) << coarser);
  }

  [[nodiscard]] std::int32_t length(std::string_view stream, const LengthQuantiles& lengths,
                                    RequestId id) const {
    return quantile_at(lengths, keyed_draw(maker_.config().seed, hash_text(stream),
                                           static_cast<std::uint64_t>(id)));
  }

  Maker maker_;
  RandomStream gaps_;
  std::int64_t clock_ = 0;  // ns, or thousandths of a step
};

class AzureWorkload : public Workload {
 public:
  AzureWorkload(Maker maker, AzureCsv csv) : maker_(std::move(maker)), csv_(std::move(csv)) {}

  Result<std::optional<RequestSpec>> next() override {
    const std::int64_t limit = maker_.spec().requests_max;
    for (;;) {
      if (limit > 0 && maker_.next_id() >= limit) return std::optional<RequestSpec>{};
      TANDEM_TRY(const std::optional<AzureRow> row, csv_.next());
      if (!row) return std::optional<RequestSpec>{};
      if (row->prompt == 0 || row->output == 0) {
        ++dropped_;
        continue;
      }
      const auto misfit =
          find_misfit(maker_.config(), row->prompt,
                      longest_output(maker_.config(), maker_.spec(), row->prompt, row->output));
      if (misfit) return refuse(*row, *misfit);
      const bool by_time = maker_.config().arrivals == ArrivalUnit::ns;
      const std::int64_t arrival = by_time ? row->arrival : row->arrival / maker_.spec().step_ns;
      RequestSpec request = maker_.make(arrival, row->prompt, row->output);
      if (request.dnode_drafts >= 0) {
        const auto wide = find_dnode_misfit(maker_.config(), row->prompt, request.dnode_drafts);
        if (wide) return refuse(*row, *wide);
      }
      return std::optional<RequestSpec>{std::move(request)};
    }
  }
  std::int64_t dropped() const override { return dropped_; }

 private:
  [[nodiscard]] Error refuse(const AzureRow& row, const Misfit& misfit) const {
    constexpr std::string_view kGot = "got ";
    return csv_.fail(row.line, row.prompt_column,
                     std::string_view(misfit.found).substr(kGot.size()), misfit.wanted,
                     misfit.remedy + ", or delete the line");
  }

  Maker maker_;
  AzureCsv csv_;
  std::int64_t dropped_ = 0;
};

class ListedWorkload : public Workload {
 public:
  ListedWorkload(Maker maker, std::vector<RequestSpec> requests)
      : maker_(std::move(maker)), requests_(std::move(requests)) {}

  Result<std::optional<RequestSpec>> next() override {
    if (index_ == requests_.size()) return std::optional<RequestSpec>{};
    RequestSpec request = requests_[index_++];
    maker_.attach_list(request.row);
    return std::optional<RequestSpec>{std::move(request)};
  }
  std::int64_t dropped() const override { return 0; }

 private:
  Maker maker_;
  std::vector<RequestSpec> requests_;
  std::size_t index_ = 0;
};

Result<std::vector<std::int32_t>> accept_list(const JsonNode& line, const std::string& place) {
  const JsonNode* list = line.find("accept_lengths");
  if (list == nullptr || list->kind != JsonKind::array || list->items.empty()) {
    return Error::make(place, list == nullptr ? "got no accept_lengths" : "got " + shown(*list),
                       "an object whose accept_lengths is a list of integers",
                       "record the commits of each step, or delete the line");
  }
  std::vector<std::int32_t> out;
  for (const JsonNode& item : list->items) {
    const FixedPoint value =
        item.kind == JsonKind::integer ? fixed_point(item.text, 0) : FixedPoint{};
    if (value.units < 1 || value.units > kCommitMax) {
      return Error::make(fmt::format("{}:/accept_lengths/{}", place, out.size()),
                         "got " + shown(item), fmt::format("an integer in [1, {}]", kCommitMax),
                         "a step commits at least the target's own token");
    }
    out.push_back(static_cast<std::int32_t>(value.units));
  }
  return out;
}

/// The accept lists of a file of JSON lines; empty lines are passed over.
Result<std::vector<std::vector<std::int32_t>>> read_accept_file(const std::string& path,
                                                                std::string_view text) {
  std::vector<std::vector<std::int32_t>> out;
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const std::string place = fmt::format("{}:{}", path, number);
    TANDEM_TRY(const JsonNode node, parse_json(line, place));
    TANDEM_TRY(std::vector<std::int32_t> list, accept_list(node, place));
    out.push_back(std::move(list));
  }
  if (out.empty()) {
    return Error::make(path, "got no line", "JSON lines with accept_lengths",
                       "give a file that holds recorded acceptance");
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Workload>> make_workload(const Scenario& scenario, const FileLoader& load) {
  Maker maker(scenario);
  WorkloadSpec& spec = maker.spec();
  if (!spec.accept_path.empty()) {
    TANDEM_TRY(const std::string text, load(spec.accept_path));
    TANDEM_TRY(spec.accept_lists, read_accept_file(spec.accept_path, text));
  }
  std::unique_ptr<Workload> out;
  switch (spec.kind) {
    case WorkloadKind::requests:
      out = std::make_unique<ListedWorkload>(std::move(maker), scenario.workload.requests);
      break;
    case WorkloadKind::azure_csv: {
      const std::string path = spec.path;
      TANDEM_TRY(std::string text, load(path));
      TANDEM_TRY(AzureCsv csv, AzureCsv::open(path, std::move(text)));
      out = std::make_unique<AzureWorkload>(std::move(maker), std::move(csv));
      break;
    }
    default:
      out = std::make_unique<GeneratedWorkload>(std::move(maker));
      break;
  }
  return out;
}

}  // namespace tandem
