// Hands seeds to child processes, keeps the state of the folder, shrinks what fails.
#include "tests/fuzz/swarm.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include "tests/unit/joined/random_shrink.hpp"

namespace tandem::fuzz {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr auto kSavePeriod = std::chrono::seconds(2);

Error cannot_write(const std::string& path) {
  return Error::make(path, "it cannot be written", "a file in a folder that can be written");
}

/// Under another name first: a state is whole or the one before.
Status write_file(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::binary);
    out << text;
    if (!out.flush()) return cannot_write(part);
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) return cannot_write(path);
  return {};
}

Json to_json(const SwarmState& state) {
  return {{"version", kVersion},          {"first_seed", state.first_seed},
          {"next_seed", state.next_seed}, {"ahead", state.ahead},
          {"cases", state.cases},         {"steps", state.steps},
          {"failures", state.failures},   {"features", state.features}};
}

Result<SwarmState> read_state(const std::string& path, std::uint64_t first_seed) {
  SwarmState state;
  state.first_seed = state.next_seed = std::max<std::uint64_t>(first_seed, 1);
  std::ifstream in(path, std::ios::binary);
  if (!in) return state;
  std::stringstream text;
  text << in.rdbuf();
  try {
    const Json json = Json::parse(text.str());
    if (json.at("version").get<int>() != kVersion) {
      return Error::make(path, "got another version", fmt::format("{}", kVersion),
                         "name another folder");
    }
    json.at("first_seed").get_to(state.first_seed);
    json.at("next_seed").get_to(state.next_seed);
    json.at("ahead").get_to(state.ahead);
    json.at("cases").get_to(state.cases);
    json.at("steps").get_to(state.steps);
    json.at("failures").get_to(state.failures);
    json.at("features").get_to(state.features);
  } catch (const Json::exception&) {
    return Error::make(path, "got something else", "the state of a swarm", "name another folder");
  }
  if (first_seed == 0 || state.first_seed == first_seed) return state;
  return Error::make(path, fmt::format("got a swarm from seed {} on", state.first_seed),
                     fmt::format("seed {}", first_seed), "name another folder, or no seed");
}

void insert_sorted(std::vector<std::uint64_t>& list, std::uint64_t value) {
  list.insert(std::lower_bound(list.begin(), list.end(), value), value);
}

/// One call of run_swarm().
class Swarm {
 public:
  Swarm(const SwarmOptions& options, SwarmState state,
        const std::function<void(const std::string&)>& print)
      : options_(options), state_(std::move(state)), print_(print), begin_(Clock::now()) {}

  Result<SwarmState> run() {
    TANDEM_RETURN_IF_ERROR(repeat_failures());
    TANDEM_RETURN_IF_ERROR(save());
    for (;;) {
      while (may_begin()) begin_case();
      if (running_.empty()) break;
      TANDEM_RETURN_IF_ERROR(wait());
      if (Clock::now() - saved_ > kSavePeriod) TANDEM_RETURN_IF_ERROR(save());
    }
    TANDEM_RETURN_IF_ERROR(save());
    return state_;
  }

 private:
  struct Running {
    std::uint64_t seed;
    SwarmCase drawn;
    Clock::time_point begin;
    ChildCall call;
  };

  const SwarmOptions& options_;
  SwarmState state_;
  const std::function<void(const std::string&)>& print_;
  Clock::time_point begin_;
  Clock::time_point saved_;
  std::vector<Running> running_;
  std::uint64_t begun_ = 0;

  [[nodiscard]] std::string failure_path(std::uint64_t seed) const {
    return fmt::format("{}/failure-{}.json", options_.folder, seed);
  }

  [[nodiscard]] std::string wrong_in_child(const SwarmCase& drawn) const {
    return call_in_child([this, &drawn] { return options_.judge(drawn); }, options_.case_s).wrong;
  }

  /// What failed in an earlier call and is clean by now is no failure any more.
  Status repeat_failures() {
    std::vector<std::uint64_t> still;
    for (const std::uint64_t seed : state_.failures) {
      const SwarmCase drawn = swarm_case(seed);
      const std::string wrong = wrong_in_child(drawn);
      if (wrong.empty()) {
        std::error_code ignored;  // whoever took the file away was as sure of it
        std::filesystem::remove(failure_path(seed), ignored);
        continue;
      }
      still.push_back(seed);
      TANDEM_RETURN_IF_ERROR(keep_failure(seed, drawn, wrong));
    }
    state_.failures = std::move(still);
    return {};
  }

  [[nodiscard]] bool may_begin() const {
    return running_.size() < static_cast<std::size_t>(options_.jobs) &&
           (options_.cases_max == 0 || begun_ < options_.cases_max) &&
           Clock::now() - begin_ < std::chrono::seconds(options_.budget_s);
  }

  [[nodiscard]] std::uint64_t free_seed() const {
    std::uint64_t seed = state_.next_seed;
    const auto is_taken = [this](std::uint64_t s) {
      return std::binary_search(state_.ahead.begin(), state_.ahead.end(), s) ||
             std::any_of(running_.begin(), running_.end(),
                         [s](const Running& one) { return one.seed == s; });
    };
    while (is_taken(seed)) ++seed;
    return seed;
  }

  void begin_case() {
    const std::uint64_t seed = free_seed();
    SwarmCase drawn = swarm_case(seed);
    ChildCall call([this, &drawn] { return options_.judge(drawn); });
    running_.push_back({seed, std::move(drawn), Clock::now(), std::move(call)});
    ++begun_;
  }

  /// Waits until a case answers or has had its time.
  Status wait() {
    std::vector<pollfd> waits;
    for (const Running& one : running_) waits.push_back({one.call.descriptor(), POLLIN, 0});
    const int ready = ::poll(waits.data(), waits.size(), 200);
    for (std::size_t i = running_.size(); i-- > 0;) {
      const bool answered = ready > 0 && waits[i].revents != 0;
      const bool late = Clock::now() - running_[i].begin > std::chrono::seconds(options_.case_s);
      if (!answered && !late) continue;
      Running one = std::move(running_[i]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      Answer answer{fmt::format("no answer within {} s", options_.case_s), 0};
      if (answered) answer = one.call.finish();
      TANDEM_RETURN_IF_ERROR(note(one.seed, one.drawn, answer));
    }
    return {};
  }

  Status note(std::uint64_t seed, const SwarmCase& drawn, const Answer& answer) {
    if (!answer.wrong.empty()) {
      TANDEM_RETURN_IF_ERROR(keep_failure(seed, drawn, answer.wrong));
      insert_sorted(state_.failures, seed);
    }
    ++state_.cases;
    state_.steps += answer.steps;
    for (const Feature& feature : all_features()) {
      if (feature.is_in(drawn.drawn)) ++state_.features[feature.name];
    }
    insert_sorted(state_.ahead, seed);
    while (!state_.ahead.empty() && state_.ahead.front() == state_.next_seed) {
      state_.ahead.erase(state_.ahead.begin());
      ++state_.next_seed;
    }
    return {};
  }

  /// Shrinks a failure and writes it. Where it fails with the blocks of `tandem run` as well, it is
  /// shrunk under those, so that the command line shows it.
  Status keep_failure(std::uint64_t seed, const SwarmCase& failed, const std::string& wrong) {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(options_.shrink_s);
    SwarmCase least = failed;
    least.block_steps = 0;
    if (wrong_in_child(least).empty()) least.block_steps = failed.block_steps;
    std::string last = wrong;
    least.drawn = test::shrunk(least.drawn, [&](const test::RandomCase& fewer) {
      if (Clock::now() > end) return false;
      const std::string now = wrong_in_child({fewer, least.block_steps});
      if (!now.empty()) last = now;
      return !now.empty();
    });
    const std::string path = failure_path(seed);
    TANDEM_RETURN_IF_ERROR(write_file(path, failure_text(least.drawn, last)));
    print_(fmt::format("failure seed={} requests={} blocks={} run='{}': {}", seed,
                       least.drawn.requests.size(), least.block_steps,
                       command_of(path, least.drawn.level), last));
    return {};
  }

  Status save() {
    saved_ = Clock::now();
    return write_file(options_.folder + "/state.json", to_json(state_).dump(1) + "\n");
  }
};

}  // namespace

Answer judge_case(const SwarmCase& drawn) {
  Answer answer;
  answer.wrong = test::wrong_with(drawn.drawn, drawn.block_steps, &answer.steps);
  return answer;
}

Result<SwarmState> run_swarm(const SwarmOptions& options,
                             const std::function<void(const std::string&)>& print) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return cannot_write(options.folder);
  TANDEM_TRY(SwarmState state, read_state(options.folder + "/state.json", options.first_seed));
  return Swarm(options, std::move(state), print).run();
}

std::string table_of(const SwarmState& state) {
  std::string out;
  for (const auto& [name, cases] : state.features) {
    out += fmt::format("with {:<22} {:>15}\n", name, cases);
  }
  const auto row = [&out](const char* name, auto value) {
    out += fmt::format("{:<27} {:>15}\n", name, value);
  };
  row("first seed", state.first_seed);
  row("cases", state.cases);
  row("launched steps", state.steps);
  row("failures", state.failures.size());
  return out;
}

}  // namespace tandem::fuzz
