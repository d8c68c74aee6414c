#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes packaging/completion from the help of ksactl: completion.py KSACTL DIRECTORY

Files complete to files, the arguments of enable to services; names of clusters and users are not completed.
"""
import re
import subprocess
import sys
from pathlib import Path

HEAD = "# SPDX-License-Identifier: BSD-2-Clause\n# Completion of ksactl, from its help: tests/support/completion.py writes this file.\n"


class Command:
    """
    name     "keys refresh"
    summary  its line in the overview
    options  [(name, name of its value or "", text)]
    words    arguments that it takes literally
    files    whether an argument is a file
    """

    def __init__(self, name, summary, text):
        self.name, self.summary = name, summary
        self.options = re.findall(r"^  (--[a-z-]+) ?(\S*)  +(\S.*)$", text, re.M) + [("--help", "", "print the usage and an example")]
        usage = " ".join(text.split("\n\n")[0].split()).removeprefix("usage: ksactl " + name)
        operands = re.sub(r"\[?--[a-z-]+( [A-Z|-]+)?\]?", "", usage)
        self.words, self.files = re.findall(r"\[([a-z]+)\]", operands), "FILE" in operands.split()


def read(ksactl):
    """The commands, in their order."""
    def ask(*words):
        return subprocess.run([ksactl, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  +(\S.*)$", ask(), re.M)
    return [Command(name, summary, ask(*name.split())) for name, summary in rows]


def first_words(commands):
    """{"keys": [its commands], "check": [itself]}"""
    found = {}
    for command in commands:
        found.setdefault(command.name.split()[0], []).append(command)
    return found


def is_file(value):
    return value.startswith("FILE")


def quoted(text):
    return "'%s'" % text.replace("'", "'\\''")


def bash(commands):
    valued = {name: value for command in commands for name, value, _ in command.options if value}
    groups = {name: [command.name.split()[1] for command in found] for name, found in first_words(commands).items()
              if " " in found[0].name}
    files = [command.name for command in commands if command.files]
    lines = [HEAD + "_ksactl()", "{",
             "        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} names=",
             "        COMPREPLY=()",
             "        # --config=FILE is three words.",
             "        if [[ $word == = ]]; then",
             "                word=",
             "        elif [[ $before == = ]]; then",
             "                before=${COMP_WORDS[COMP_CWORD - 2]}",
             "        fi",
             "        case $COMP_CWORD:$command in",
             "        1:*) names=%s ;;" % quoted(" ".join([*first_words(commands), "--help", "--version"]))]
    lines += ["        2:%s) names=%s ;;" % (name, quoted(" ".join([*words, "--help"]))) for name, words in groups.items()]
    lines += ["        *:%s) command+=\" ${COMP_WORDS[2]}\" ;;" % " | *:".join(groups),
              "        esac",
              "        case $before in",
              "        %s) command=FILE ;;" % " | ".join(name for name, value in valued.items() if is_file(value)),
              "        %s) return ;;" % " | ".join(name for name, value in valued.items() if not is_file(value)),
              "        esac",
              "        [[ -n $names ]] || case $command in"]
    for command in commands:
        names = [name for name, _, _ in command.options]
        lines.append("        %s) names=%s ;;" % (quoted(command.name), quoted(" ".join(command.words + names))))
    lines += ["        esac",
              "        if [[ $word == -* || -n $names && $command != FILE ]]; then",
              "                mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$word\")",
              "        fi",
              "        case $command in",
              "        FILE | %s)" % " | ".join(map(quoted, files)),
              "                compopt -o filenames 2>/dev/null",
              "                mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$word\")",
              "                ;;",
              "        esac",
              "}",
              "complete -F _ksactl ksactl"]
    return "\n".join(lines) + "\n"


def zsh(commands):
    def described(pairs):
        return " ".join(quoted("%s:%s" % (name, text.replace(":", "\\:"))) for name, text in pairs)
    groups = {name: found for name, found in first_words(commands).items() if " " in found[0].name}
    starts = [(name, found[0].summary if name not in groups else ", ".join(command.name.split()[1] for command in found))
              for name, found in first_words(commands).items()]
    lines = ["#compdef ksactl", HEAD + "local command=$words[2]",
             "local -a names",
             "case $CURRENT:$command in",
             "(2:*) names=(%s) ;;" % described(starts)]
    lines += ["(3:%s) names=(%s) ;;" % (name, described((command.name.split()[1], command.summary) for command in found))
              for name, found in groups.items()]
    lines += ["(*:%s) command+=\" $words[3]\"; shift words; (( CURRENT-- )) ;;" % "|*:".join(groups),
              "esac",
              "if (( $#names )); then",
              "        _describe command names",
              "        return",
              "fi",
              "shift words",
              "(( CURRENT-- ))",
              "case $command in"]
    for command in commands:
        specs = ["%s=[%s]:%s:%s" % (name, text, value, "_files" if is_file(value) else " ") if value else "%s[%s]" % (name, text)
                 for name, value, text in command.options]
        if command.words:
            specs.append("*:service:(%s)" % " ".join(command.words))
        if command.files:
            specs.append("1:FILE:_files")
        lines.append("(%s)\n        _arguments %s ;;" % (quoted(command.name), " \\\n                ".join(map(quoted, specs))))
    return "\n".join([*lines, "esac"]) + "\n"


def fish(commands):
    def line(condition, *more):
        return "complete -c ksactl -n %s %s" % (quoted(condition), " ".join(more))
    lines = [HEAD + "# Whether the words before the cursor are these, or begin with these.",
             "function __ksactl_is",
             "        set -l words (commandline -opc)",
             "        set -e words[1]",
             "        test \"$words\" = \"$argv\"",
             "end",
             "function __ksactl_begins",
             "        set -l words (commandline -opc)",
             "        set -e words[1]",
             "        string match -q -- \"$argv *\" \"$words \"",
             "end",
             "complete -c ksactl -f"]
    for name, found in first_words(commands).items():
        if found[0].name == name:
            lines.append(line("__ksactl_is", "-a", name, "-d", quoted(found[0].summary)))
            continue
        seconds = [(command.name.split()[1], command.summary) for command in found]
        lines.append(line("__ksactl_is", "-a", name, "-d", quoted(", ".join(second for second, _ in seconds))))
        lines += [line("__ksactl_is " + name, "-a", second, "-d", quoted(summary)) for second, summary in seconds]
    for command in commands:
        condition = "__ksactl_begins " + command.name
        for name, value, text in command.options:
            how = [] if not value else ["-r", "-F"] if is_file(value) else ["-x"]
            lines.append(line(condition, "-l", name[2:], *how, "-d", quoted(text)))
        if command.words:
            lines.append(line(condition, "-a", quoted(" ".join(command.words))))
        if command.files:
            lines.append(line(condition, "-F"))
    return "\n".join(lines) + "\n"


FILES = {"ksactl.bash": bash, "_ksactl": zsh, "ksactl.fish": fish}


if __name__ == "__main__":
    table = read(sys.argv[1])
    for file, write in FILES.items():
        Path(sys.argv[2], file).write_text(write(table))
