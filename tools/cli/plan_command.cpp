// `tandem plan`: the segments that steps of a scenario are made of.
#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/plan_text.hpp"
#include "tools/cli/run_input.hpp"

namespace tandem::cli {
namespace {

struct PlanArguments {
  ScenarioOptions scenario;
  bool dot = false;
  bool json = false;
};

int plan_main(Io& io, const PlanArguments& o) {
  if (o.dot && o.json) {
    return fail(io, Error::make("tandem plan", "got --dot and --json", "one of them at most"));
  }
  const Result<Scenario> scenario = load_scenario(io, o.scenario);
  if (!scenario) return fail(io, scenario.error());
  const RunConfig& config = scenario.value().config;
  const std::vector<NamedSegment> segments = all_segments(config);
  io.out.write(o.dot    ? plan_dot(config, segments)
               : o.json ? plan_json(config, segments)
                        : plan_text(config, segments));
  return kExitClean;
}

}  // namespace

void add_plan_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<PlanArguments>();
  CLI::App* sub = app.add_subcommand("plan", "Print the plan segments of a scenario");
  add_scenario_options(*sub, o->scenario);
  sub->option_defaults()->group("output");
  sub->add_flag("--dot", o->dot, "as a Graphviz graph");
  sub->add_flag("--json", o->json, "as one JSON document");
  set_help(*sub, "SCENARIO [options]",
           {"tandem plan azure-conv", "tandem plan azure-conv --schedule sync --dot > plan.dot",
            "tandem plan decode-small --json | head -n 20"});
  sub->callback([o, &io, &exit_code] { exit_code = plan_main(io, *o); });
}

}  // namespace tandem::cli
