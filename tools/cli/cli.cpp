// Parses the command line and turns every failure into one line and an exit code.
#include "tools/cli/cli.hpp"

#include <algorithm>
#include <exception>

#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr const char* kDescription =
    "Runs an overlap MTP runtime and checks every step against a simulator";

std::string one_of_the_commands(const CLI::App& app) {
  std::string text;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    text.append(text.empty() ? "one of " : ", ").append(sub->get_name());
  }
  return text;
}

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
    return Error::make(place, "got no command", one_of_the_commands(app), remedy);
  }
  if (!surplus.empty()) {
    const std::string found = "got '" + surplus.front() + "'";
    if (surplus.front().size() > 1 && surplus.front().front() == '-') {
      return Error::make(place, found, "an option that it has", remedy);
    }
    if (at_root) return Error::make(place, found, one_of_the_commands(app), remedy);
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
  // Of one_of(): it has named the option and said what is wanted.
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) return Error{what};
  return Error{place + ": " + what + "; " + remedy};
}

/// --color for every command; the last word on it is spoken before the command runs.
void add_colour_option(CLI::App& app, Io& io) {
  const auto decide = [&io](const std::string& when) {
    for (OutStream* stream : {&io.out, &io.err}) {
      stream->set_colour(when == "always" ||
                         (when == "auto" && stream->is_terminal() && !io.no_colour));
    }
  };
  decide("auto");
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    sub->add_option_function<std::string>(
           "--color", decide,
           "colour verdicts, differences and errors; auto: on a terminal where "
           "NO_COLOR is not set")
        ->check(one_of({"auto", "always", "never"}))
        ->default_str("auto")
        ->group("Options");
  }
}

int parse_and_run(const std::vector<std::string>& args, Io& io) {
  CLI::App app(kDescription, "tandem");
  int exit_code = kExitClean;
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version", "tandem " + io.version, "print the version");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  add_run_command(app, io, exit_code);
  add_verify_command(app, io, exit_code);
  add_info_command(app, io, exit_code);
  add_dump_command(app, io, exit_code);
  add_plan_command(app, io, exit_code);
  add_op_command(app, io, exit_code);
  add_import_command(app, io, exit_code);
  add_diff_command(app, io, exit_code);
  add_explain_command(app, io, exit_code);
  add_timeline_command(app, io, exit_code);
  add_whatif_command(app, io, exit_code);
  add_compare_command(app, io, exit_code);
  add_completion_command(app, io, exit_code);
  add_man_command(app, io, exit_code);
  add_colour_option(app, io);
  set_help(app, "COMMAND [options]",
           {"tandem run azure-conv --steps 2000 -o run.tbt", "tandem verify run.tbt",
            "tandem explain run.tbt 12"});
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
