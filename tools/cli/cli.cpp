// Parses the command line and turns every failure into one line and an exit code.
#include "tools/cli/cli.hpp"

#include <algorithm>
#include <exception>

#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr const char* kDescription =
    "Runs an overlap MTP runtime and checks every step against a simulator. "
    "Exit codes: 0 clean; 1 a divergence; 2 bad input or usage, a damaged trace, a required check "
    "that could not run; 3 no usable device; 130 interrupted (a trace is closed first).";
constexpr const char* kSubcommands =
    "one of run, verify, info, dump, plan, op, import, diff, explain";

const CLI::App& chosen(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : *subcommands.back();
}

/// What the parser refused, in our form of an error.
Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const bool at_root = app.get_subcommands().empty() || app.remaining_size(false) > 0;
  const CLI::App& sub = at_root ? app : chosen(app);
  const std::string place = at_root ? "tandem" : "tandem " + sub.get_name();
  const std::string remedy = "see " + place + " --help";
  const std::vector<std::string> surplus = app.remaining(true);
  if (at_root && surplus.empty()) {
    return Error::make(place, "got no subcommand", kSubcommands, remedy);
  }
  if (!surplus.empty()) {
    const std::string found = "got '" + surplus.front() + "'";
    if (surplus.front().size() > 1 && surplus.front().front() == '-') {
      return Error::make(place, found, "an option that it has", remedy);
    }
    if (at_root) return Error::make(place, found, kSubcommands, remedy);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
      return Error::make(place, found, "no further argument", remedy);
    }
  }
  const std::string what = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::string name = what.substr(0, what.find(" is required"));
    return Error::make(place, "got no " + name, "one", remedy);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && what.front() == '-') {
    const std::string name = what.substr(0, what.find(':'));
    const bool repeated = what.find("received") != std::string::npos;
    return Error::make(place, "got " + name + (repeated ? " more than once" : " without a value"),
                       repeated ? "it once" : "one", remedy);
  }
  return Error{place + ": " + what + "; " + remedy};
}

int parse_and_run(const std::vector<std::string>& args, Io& io) {
  CLI::App app(kDescription, "tandem");
  int exit_code = kExitClean;
  app.set_version_flag("--version", "tandem " + io.version);
  app.require_subcommand(1);
  add_run_command(app, io, exit_code);
  add_verify_command(app, io, exit_code);
  add_info_command(app, io, exit_code);
  add_dump_command(app, io, exit_code);
  add_plan_command(app, io, exit_code);
  add_op_command(app, io, exit_code);
  add_import_command(app, io, exit_code);
  add_diff_command(app, io, exit_code);
  add_explain_command(app, io, exit_code);
  set_help(app, "SUBCOMMAND [options]",
           {"tandem run azure-conv --steps 2000 -o run.tbt", "tandem verify run.tbt"});
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& sub = chosen(app);
    io.out.write(sub.get_formatter()->make_help(&sub, "", CLI::AppFormatMode::Normal));
  } catch (const CLI::CallForVersion& version) {
    io.out.write(std::string(version.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    return fail(io, usage_error(app, error));
  }
  return exit_code;
}

}  // namespace

int run_cli(const std::vector<std::string>& args, Io& io) {
  int exit_code = kExitClean;
  try {
    exit_code = parse_and_run(args, io);
  } catch (const std::bad_alloc&) {
    exit_code = fail(io, Error{"tandem: out of memory; use fewer --jobs or a smaller scenario"});
  } catch (const std::exception& error) {
    exit_code = fail(io, Error{std::string("tandem: ") + error.what()});
  }
  io.out.flush();
  const Status status = io.out.status();
  if (!status) exit_code = fail(io, status.error());
  io.err.flush();
  return exit_code;
}

}  // namespace tandem::cli
