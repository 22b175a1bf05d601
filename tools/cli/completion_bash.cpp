// Completion for bash: tables as case statements, and one function that reads them.
#include <fmt/format.h>

#include "tools/cli/completion.hpp"

namespace tandem::cli {
namespace {

// Needs nothing but bash: the package bash-completion is often absent.
constexpr const char* kFunction = R"(
_tandem() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev='' command='' words='' files='' list='' before='' i at=0
  if (( COMP_CWORD > 0 )); then prev=${COMP_WORDS[COMP_CWORD - 1]}; fi
  # Readline breaks words at '=': --device=h comes as three.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && (( COMP_CWORD > 1 )); then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  if (( COMP_CWORD > 1 )); then command=${COMP_WORDS[1]}; fi
  if [[ -n $command ]] && _tandem_value "$command" "$prev"; then
    if [[ -n $list && $cur == *,* ]]; then before=${cur%,*}, cur=${cur##*,}; fi
  elif [[ $cur == -* ]]; then
    _tandem_options "$command"
  elif [[ -z $command ]]; then
    _tandem_options ''
    words=$_tandem_commands
  else
    # Which argument this is: words before it that are neither options nor their values.
    for (( i = 2; i < COMP_CWORD; ++i )); do
      if [[ ${COMP_WORDS[i]} == -?* ]]; then
        if _tandem_value "$command" "${COMP_WORDS[i]}"; then
          if [[ ${COMP_WORDS[i + 1]} == = ]]; then (( ++i )); fi
          (( ++i ))
        fi
      else
        (( ++at ))
      fi
    done
    words='' files='' list=''
    _tandem_argument "$command" "$at"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -P "$before" -- "$cur")
  if [[ -n $files ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2> /dev/null
  fi
  return 0
}

complete -F _tandem tandem
)";

/// " words='a b'", " files=1", " list=1": assignments to what the function declares local.
std::string assignments(const OptionEntry& option) {
  const std::string words = joined(option.values.words, " ");
  std::string text;
  if (!words.empty()) text += " words='" + words + "'";
  if (option.values.kind == ValueWords::Kind::list) text += " list=1";
  if (option.files) text += " files=1";
  return text;
}

std::string values_function(const CommandTree& tree) {
  std::string text =
      "\n# COMMAND OPTION: words, files, list of its value; fails where it takes none.\n"
      "_tandem_value() {\n  case $1:$2 in\n";
  for (const CommandEntry& command : tree.commands) {
    for (const OptionEntry& option : command.options) {
      if (option.label.empty()) continue;
      const std::string flags = joined(option.flags, " | " + command.name + ":");
      text += fmt::format("    {}:{}){} ;;\n", command.name, flags, assignments(option));
    }
  }
  return text + "    *) return 1 ;;\n  esac\n}\n";
}

std::string arguments_function(const CommandTree& tree) {
  std::string text =
      "\n# COMMAND INDEX: the same of its arguments.\n_tandem_argument() {\n  case $1:$2 in\n";
  for (const CommandEntry& command : tree.commands) {
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      const OptionEntry& argument = command.arguments[i];
      const std::string place = argument.repeats ? "*" : std::to_string(i);
      text += fmt::format("    {}:{}){} ;;\n", command.name, place, assignments(argument));
    }
  }
  return text + "  esac\n}\n";
}

std::string flags_of(const CommandEntry& command) {
  std::string text;
  for (const OptionEntry& option : command.options) {
    for (const std::string& flag : option.flags) text.append(text.empty() ? "" : " ").append(flag);
  }
  return text;
}

std::string options_function(const CommandTree& tree) {
  std::string text = "\n# COMMAND: its options.\n_tandem_options() {\n  case $1 in\n";
  for (const CommandEntry& command : tree.commands) {
    text += fmt::format("    {}) words='{}' ;;\n", command.name, flags_of(command));
  }
  return text + fmt::format("    *) words='{}' ;;\n  esac\n}}\n", flags_of(tree.program));
}

}  // namespace

std::string bash_completion(const CommandTree& tree) {
  std::string names;
  for (const CommandEntry& command : tree.commands) {
    names.append(names.empty() ? "" : " ").append(command.name);
  }
  return "# bash completion of tandem, printed by `tandem completion bash`.\n\n_tandem_commands='" +
         names + "'\n" + values_function(tree) + arguments_function(tree) + options_function(tree) +
         kFunction;
}

}  // namespace tandem::cli
