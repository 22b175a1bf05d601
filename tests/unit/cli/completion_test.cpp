// Completion: the description of a command line, and the scripts in the shells themselves.
#include "tools/cli/completion.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "scenarios/scenario.hpp"
#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "tools/cli/command_tree.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

using test::FakeMachine;
using test::lines_of;
using Words = std::vector<std::string>;

/// A program with one command that has an option of every kind. `values` outlives it.
struct Values {
  std::string level = "low";
  std::string out;
  std::string list = "a";
  std::string number;
  Words sets;
  Words inputs;
  std::string name;
  bool flag = false;
};

CommandTree small_tree(Values& v) {
  CLI::App app("A program", "prog");
  app.option_defaults()->always_capture_default();
  CLI::App* sub = app.add_subcommand("go", "Go there. Then come back");
  sub->add_option("NAME", v.name, "whose")->required()->check(suggest_or_file({"x", "y"}));
  sub->add_option("IN", v.inputs, "files");
  sub->option_defaults()->group("output");
  sub->add_option("-l,--level", v.level, "how high")->check(one_of({"low", "high"}));
  sub->add_option("--out", v.out, "where")->option_text("FILE");
  sub->option_defaults()->group("other");
  sub->add_option("--list", v.list, "which")->option_text("L")->check(suggest_list({"a", "b"}));
  sub->add_option("--number", v.number, "how many")->option_text("N");
  sub->add_option("--set", v.sets, "change")->option_text("K=V")->allow_extra_args(false);
  sub->add_flag("--flag", v.flag, "do it");
  set_help(*sub, "NAME IN... [options]", {"prog go x"});
  set_help(app, "COMMAND", {"prog go x"});
  return read_commands(app);
}

const OptionEntry& option_of(const CommandEntry& command, const std::string& name) {
  const auto found = std::find_if(command.options.begin(), command.options.end(),
                                  [&](const OptionEntry& option) { return option.name == name; });
  EXPECT_NE(found, command.options.end()) << name;
  return *found;
}

TEST(CommandTree, OptionsOfEveryKindThenWhatTheyTake) {
  Values values;
  const CommandTree tree = small_tree(values);
  ASSERT_EQ(tree.commands.size(), 1U);
  const CommandEntry& go = tree.commands[0];
  EXPECT_EQ(go.title, "prog go");
  EXPECT_EQ(first_sentence(go.description), "Go there");
  EXPECT_EQ(go.groups(), (Words{"output", "other", "Options"}));

  const OptionEntry& level = option_of(go, "--level");
  EXPECT_EQ(heading(level), "-l,--level low|high");
  EXPECT_EQ(full_description(level), "how high (default: low)");
  EXPECT_EQ(level.values.kind, ValueWords::Kind::closed);
  EXPECT_EQ(level.group, "output");
  EXPECT_TRUE(option_of(go, "--out").files);
  EXPECT_EQ(option_of(go, "--out").default_value, "");
  EXPECT_EQ(option_of(go, "--list").values, (ValueWords{ValueWords::Kind::list, {"a", "b"}}));
  EXPECT_FALSE(option_of(go, "--number").files);
  EXPECT_TRUE(option_of(go, "--set").repeats);
  EXPECT_EQ(option_of(go, "--flag").label, "");
  EXPECT_EQ(option_of(go, "--flag").default_value, "");

  ASSERT_EQ(go.arguments.size(), 2U);
  EXPECT_EQ(go.arguments[0].values, (ValueWords{ValueWords::Kind::or_file, {"x", "y"}}));
  EXPECT_TRUE(go.arguments[0].files);
  EXPECT_TRUE(go.arguments[0].required);
  EXPECT_TRUE(go.arguments[1].repeats);
  EXPECT_TRUE(go.arguments[1].files);
}

TEST(OneOf, OtherValueThenTheOptionIsNamed) {
  CLI::App app;
  std::string level;
  app.add_option("--level", level)->check(one_of({"low", "high"}));
  try {
    app.parse("--level x");
    FAIL() << "x was taken";
  } catch (const CLI::ValidationError& error) {
    EXPECT_STREQ(error.what(), "--level: got 'x', want one of low, high");
  }
  app.parse("--level high");
  EXPECT_EQ(level, "high");
}

class Completion : public test::Executable {
 protected:
  /// What the bash function offers for the last of `words`, sorted.
  Words offered(const Words& words) {
    std::string line;
    for (const std::string& word : words) line += " '" + word + "'";
    const int code = shell(
        "source <(tandem completion bash)\n"
        "COMP_WORDS=(" +
        line +
        ")\nCOMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))\n"
        "\"$(complete -p tandem | sed 's/.*-F \\([^ ]*\\).*/\\1/')\"\n"
        "(( ${#COMPREPLY[@]} == 0 )) || printf '%s\\n' \"${COMPREPLY[@]}\"");
    EXPECT_EQ(code, 0) << err_;
    EXPECT_EQ(err_, "") << line;
    Words replies = lines_of(out_);
    std::sort(replies.begin(), replies.end());
    return replies;
  }

  static bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

TEST_F(Completion, BashThenCommandsOptionsAndValues) {
  EXPECT_TRUE(has(offered({"tandem", ""}), "verify"));
  EXPECT_EQ(offered({"tandem", "ver"}), (Words{"verify"}));
  EXPECT_EQ(offered({"tandem", "--v"}), (Words{"--version"}));
  EXPECT_EQ(offered({"tandem", "run", "wide", "--rec"}), (Words{"--record"}));
  EXPECT_EQ(offered({"tandem", "run", "wide", "--record", ""}),
            (Words{"full", "off", "state", "timeline"}));
  EXPECT_EQ(offered({"tandem", "run", "wide", "--record", "=", "s"}), (Words{"state"}));
  EXPECT_EQ(offered({"tandem", "run", "wide", "--record", "="}).size(), 4U);
  EXPECT_EQ(offered({"tandem", "run", "wide", "--seed", ""}), (Words{}));
  EXPECT_EQ(offered({"tandem", "verify", "--require", "V0,V1"}).front(), "V0,V1");
  EXPECT_EQ(offered({"tandem", "completion", ""}), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(offered({"tandem", "op", "verify_"}), (Words{"verify_draft_tokens"}));
  EXPECT_EQ(offered({"tandem", "nothing", ""}), (Words{}));
}

TEST_F(Completion, BashThenNamesOfTheCatalogueAndFilesInTheirPlace) {
  test::write_whole(folder_ / "a run.tbt", "");
  Words scenarios;
  for (const std::string_view name : catalog_names()) {
    if (name.rfind("drafts-1", 0) == 0) scenarios.emplace_back(name);
  }
  ASSERT_GE(scenarios.size(), 5U);
  std::sort(scenarios.begin(), scenarios.end());
  EXPECT_EQ(offered({"tandem", "run", "drafts-1"}), scenarios);
  EXPECT_EQ(offered({"tandem", "run", "--seed", "7", "--no-verify", "drafts-1"}), scenarios);
  EXPECT_EQ(offered({"tandem", "run", "--seed", "=", "7", "drafts-1"}), scenarios);
  EXPECT_EQ(offered({"tandem", "run", "wide", "drafts-1"}), (Words{})) << "one scenario a run";
  EXPECT_EQ(offered({"tandem", "run", "a r"}), (Words{"a run.tbt"}));
  EXPECT_EQ(offered({"tandem", "verify", "x", "y", "a"}), (Words{"a run.tbt"}));
  EXPECT_EQ(offered({"tandem", "explain", "a"}), (Words{"a run.tbt"}));
  EXPECT_EQ(offered({"tandem", "explain", "x", "a"}), (Words{})) << "a step is no file";
  EXPECT_EQ(offered({"tandem", "verify", "x", "--junit", "a"}), (Words{"a run.tbt"}));
}

TEST_F(Completion, BashOfEveryCommandThenAllOptionsOfItsHelp) {
  FakeMachine m;
  ASSERT_EQ(m("--help"), kExitClean);
  int option_count = 0;
  bool inside = false;
  for (const std::string& line : lines_of(m.out.text)) {
    inside = line == "commands:" || (inside && !line.empty());
    if (!inside || line[0] != ' ' || line[2] == ' ') continue;
    const std::string command = line.substr(2, line.find(' ', 2) - 2);
    const Words replies = offered({"tandem", command, "-"});
    FakeMachine help;
    ASSERT_EQ(help(command + " --help"), kExitClean);
    for (const std::string& entry : lines_of(help.out.text)) {
      if (entry.rfind("  -", 0) != 0) continue;
      std::string flags = entry.substr(2, entry.find(' ', 2) - 2);
      while (!flags.empty()) {
        const std::string flag = flags.substr(0, flags.find(','));
        EXPECT_TRUE(has(replies, flag)) << command << " " << flag;
        ++option_count;
        flags.erase(0, flag.size() + 1);
      }
    }
  }
  EXPECT_GE(option_count, 60);
}

TEST_F(Completion, ZshThenTheScriptLoadsUnderItsCompletionSystem) {
  if (!has_program("zsh")) GTEST_SKIP() << "zsh is absent";
  EXPECT_EQ(shell("$T completion zsh > _tandem && zsh -n _tandem"), 0) << err_;
  EXPECT_EQ(shell("zsh -fc 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -D -u; "
                  "print $_comps[tandem]; source ./_tandem; print $_comps[tandem]'"),
            0)
      << err_;
  EXPECT_EQ(out_, "_tandem\n_tandem\n");
  EXPECT_EQ(err_, "");
}

TEST_F(Completion, FishThenCommandsOptionsAndValues) {
  if (!has_program("fish")) GTEST_SKIP() << "fish is absent";
  test::write_whole(folder_ / "a.tbt", "");
  const auto of_fish = [this](const std::string& line) {
    EXPECT_EQ(shell("$T completion fish > t.fish; fish -N -c \"source t.fish; complete -C '" +
                    line + "'\" | cut -f 1"),
              0)
        << err_;
    EXPECT_EQ(err_, "");
    Words words = lines_of(out_);
    std::sort(words.begin(), words.end());
    return words;
  };
  EXPECT_EQ(of_fish("tandem ver"), (Words{"verify"}));
  EXPECT_EQ(of_fish("tandem run wide --rec"), (Words{"--record"}));
  EXPECT_EQ(of_fish("tandem run wide --record "), (Words{"full", "off", "state", "timeline"}));
  EXPECT_TRUE(has(of_fish("tandem run dec"), "decode-small"));
  EXPECT_EQ(of_fish("tandem verify a"), (Words{"a.tbt"}));
  EXPECT_EQ(of_fish("tandem run wide --seed "), (Words{}));
}

}  // namespace
}  // namespace tandem::cli
