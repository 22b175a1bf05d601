// tandem_swarm: random scenarios against the oracle for a while. tools/swarm starts it.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "tests/fuzz/swarm.hpp"

int main(int argc, char** argv) {
  tandem::fuzz::SwarmOptions options;
  options.judge = tandem::fuzz::judge_case;
  CLI::App app{
      "Random scenarios against the oracle: every run is judged and compared with its synchronous "
      "twin. Resumes from its folder. Exit 0 where all that were ever run there were clean, 1 "
      "where "
      "one failed, 2 for bad usage."};
  app.add_option("--budget-s", options.budget_s, "seconds after which no case is begun")
      ->required()
      ->check(CLI::Range(1, 31'536'000));
  app.add_option("--dir", options.folder, "state.json and failure-SEED.json")->required();
  app.add_option("--seed", options.first_seed, "seed of the first case (default: as begun, else 1)")
      ->check(CLI::Range(std::uint64_t{1}, ~std::uint64_t{0}));
  app.add_option("--jobs", options.jobs, "cases at a time (default 1)")->check(CLI::Range(1, 256));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto print = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  const auto state = tandem::fuzz::run_swarm(options, print);
  if (!state.ok()) {
    std::fprintf(stderr, "error: %s\n", state.error().text.c_str());
    return 2;
  }
  std::fputs(tandem::fuzz::table_of(state.value()).c_str(), stdout);
  return state.value().failures.empty() ? 0 : 1;
}
