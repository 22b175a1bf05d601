// The subcommands: one file each.
#pragma once

#include "tools/cli/io.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace tandem::cli {

/// Each adds itself to `app`; when it is chosen it runs and sets `exit_code`.
void add_run_command(CLI::App& app, Io& io, int& exit_code);
void add_verify_command(CLI::App& app, Io& io, int& exit_code);
void add_info_command(CLI::App& app, Io& io, int& exit_code);
void add_dump_command(CLI::App& app, Io& io, int& exit_code);
void add_plan_command(CLI::App& app, Io& io, int& exit_code);
void add_op_command(CLI::App& app, Io& io, int& exit_code);
void add_import_command(CLI::App& app, Io& io, int& exit_code);
void add_diff_command(CLI::App& app, Io& io, int& exit_code);
void add_explain_command(CLI::App& app, Io& io, int& exit_code);
void add_timeline_command(CLI::App& app, Io& io, int& exit_code);
void add_whatif_command(CLI::App& app, Io& io, int& exit_code);
void add_compare_command(CLI::App& app, Io& io, int& exit_code);
/// These two print what all commands of `app` are, whenever they were added.
void add_completion_command(CLI::App& app, Io& io, int& exit_code);
void add_man_command(CLI::App& app, Io& io, int& exit_code);

}  // namespace tandem::cli
