# SPDX-License-Identifier: BSD-2-Clause
"""The command line of ksactl: its help, its manual and what it accepts are one table."""
import os
import pty
import re
import select
import shutil
import subprocess
from pathlib import Path

import pytest

import completion

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "ksactl/commands.c").read_text()
# {"keys refresh": its row}
ROWS = {" ".join(word for word in re.findall(r'^ *"([a-z]+)", (?:NULL|"([a-z-]+)")', row)[0] if word): row
        for row in re.split(r"^        \{\n", TABLE.split("commands[] = {")[1], flags=re.M)[1:]}
# {"--config": "FILE" or ""}
OPTIONS = {name: value for name, value in re.findall(r'^ *X\(\w+, "(--[a-z-]+)", (?:NULL|"(.*?)")\)',
                                                     (ROOT / "ksactl/command.h").read_text(), re.M)}
each = pytest.mark.parametrize("command", ROWS)


@pytest.fixture
def ksactl(build):
    def run(*args):
        return subprocess.run([build / "ksactl/ksactl", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return run


@pytest.fixture
def helped(ksactl):
    """The help of a command."""
    def ask(command, option="--help"):
        result = ksactl(*command.split(), option)
        assert result.returncode == 0 and result.stderr == ""
        return result.stdout
    return ask


def usage_of(text):
    """Of a help: the usage as one line."""
    return " ".join(text.removeprefix("usage: ").split("\n\n")[0].split())


def options_of(text):
    """Of a help: {"--config": "FILE" or ""}."""
    return dict(re.findall(r"^  (--[a-z-]+) ?(\S*)  ", text, re.M))


# --- Help ---


def test_table_is_read_by_these_tests():
    assert len(ROWS) > 20 and "keys refresh" in ROWS and len(OPTIONS) > 15 and OPTIONS["--config"] == "FILE"


def test_overview_has_each_command_with_a_line(helped, ksactl):
    text = helped("")
    assert helped("", "-h") == text
    assert re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  +\w", text, re.M) == list(ROWS)
    assert re.findall(r"^(\w.*):$", text, re.M) == ["Set up", "Look into", "Keys and credentials", "Local accounts"]
    assert all(len(line) <= 80 for line in text.splitlines())
    bare = ksactl()
    assert bare.returncode == 2 and bare.stdout == "" and text.startswith(bare.stderr)


@pytest.mark.parametrize("name", ["keys", "credential", "accounts"])
def test_help_of_a_name_has_its_commands(helped, name):
    text = helped(name)
    commands = [command for command in ROWS if command.startswith(name + " ")]
    assert len(commands) > 2
    assert usage_of(text) == " ".join(usage_of(helped(command)) for command in commands)
    assert re.findall(r"^  ([a-z]+ [a-z-]+)  +\w", text, re.M) == commands


@each
def test_help_of_a_command(helped, command):
    text = helped(command)
    assert helped(command, "-h") == text
    assert text.startswith("usage: ksactl %s" % command) and all(len(line) <= 80 for line in text.splitlines())
    assert len(re.findall(r"^example: ksactl %s\b" % command, text, re.M)) == 1
    mentioned = dict(re.findall(r"(--[a-z-]+)(?: ([A-Z][A-Z|-]*))?", usage_of(text)))
    assert mentioned == options_of(text)


@each
def test_help_comes_instead_of_the_command(ksactl, command):
    arguments = ["x"] * int((re.search(r"\.min = (\d)", ROWS[command]) or [0, 0])[1])
    result = ksactl(*command.split(), *arguments, "--help")
    assert result.returncode == 0 and result.stdout.startswith("usage: ksactl " + command)


def test_manual_has_the_usage_of_each_command(helped):
    page = subprocess.run(["mandoc", "-Tascii", ROOT / "man/ksactl.8"], stdout=subprocess.PIPE, text=True, check=True).stdout
    synopsis = re.search(r"^SYNOPSIS\n(.*?)^\S", re.sub(r".\x08", "", page), re.M | re.S).group(1)
    written = [" ".join(usage.split()) for usage in re.split(r"^ {5}(?=ksactl)", synopsis, flags=re.M)[1:]]
    assert written[-2:] == ["ksactl [command] --help", "ksactl --version"]
    usages = [re.sub(r"[A-Z]{2,}", lambda word: word.group(0).lower(), usage_of(helped(command))).replace("file|-", "file | -")
              for command in ROWS]
    assert sorted(written[:-2]) == sorted(usages)


# --- What is accepted ---


def refusal(result):
    """The message of a usage error."""
    assert result.returncode in (2, 3) and result.stdout == "" and result.stderr.count("\n") == 1, result
    return result.stderr.removeprefix("ksactl: ").rstrip("\n")


END = "--no-such-option"


def assert_accepted(ksactl, command, *args):
    """All of ARGS: the first error is about the option after them."""
    assert refusal(ksactl(*command.split(), *args, END)).startswith('%s: unknown option "%s"' % (command, END))


@each
def test_it_accepts_the_options_of_its_help_and_no_others(ksactl, helped, command):
    known = options_of(helped(command))
    for name, value in OPTIONS.items():
        if name not in known:
            assert refusal(ksactl(*command.split(), name)).startswith('%s: unknown option "%s"' % (command, name))
        elif value:
            assert known[name] == value
            assert_accepted(ksactl, command, name, "x")
            assert_accepted(ksactl, command, name + "=x")
            assert_accepted(ksactl, command, name + "=--x")
        else:
            assert_accepted(ksactl, command, name)


@each
def test_it_reads_its_options(command):
    """An option that no code reads would be accepted without effect."""
    run = re.search(r"\.run = (\w+)", ROWS[command]).group(1)
    shared = (ROOT / "ksactl/cli.c").read_text()
    (source,) = [text for text in (path.read_text() for path in (ROOT / "ksactl").glob("*.c"))
                 if re.search(r"^int %s\(" % run, text, re.M)]
    row = ROWS[command].replace("CONFIG,", "{OPTION_CONFIG,").replace("CONFIG}", "{OPTION_CONFIG,").replace("JSON}", "{OPTION_JSON,")
    for option in set(re.findall(r"\bOPTION_\w+", row)):
        assert re.search(r"\b%s\b" % option, source + shared), option


@each
def test_its_example_is_accepted(ksactl, helped, command):
    words = re.search(r"^example: ksactl (.*)$", helped(command), re.M).group(1).split()
    arguments = [word for word in words[len(command.split()):] if word[0] not in "<>"]
    assert_accepted(ksactl, command, *arguments)


@pytest.mark.parametrize("args, message", [
    (["check", "--config"], "check: --config requires a value (write --config FILE)"),
    (["check", "--config", "--json"],
     'check: --config requires a value (write --config FILE, or --config=--json for the value "--json")'),
    (["check", "--json=yes"], "check: --json takes no value (write --json)"),
    (["check", "--json", "--json"], "check: --json is given twice"),
    (["check", "--config", "/a", "--config=/a"], "check: --config is given twice"),
    (["check", "word"], 'check: unexpected argument "word" (it takes only options)'),
    (["check", "--", "--json"], 'check: unexpected argument "--json" (it takes only options)'),
    (["disable", "-x"], 'disable: unknown option "-x" (it takes no options)'),
    (["options", "--config"], 'options: unknown option "--config" (expected --json)'),
    (["keys", "purge"], "keys purge: missing argument (expected CLUSTER)"),
    (["keys", "purge", "a", "b"], 'keys purge: unexpected argument "b" (expected CLUSTER)'),
    (["accounts", "rename-cluster", "a"], "accounts rename-cluster: missing argument (expected OLD NEW)"),
    (["keys"], "keys: missing subcommand (show, refresh, purge, convert)"),
    (["keys", "--json"], 'keys: unknown subcommand "--json" (expected show, refresh, purge, convert)'),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_usage_error_names_what_to_type(ksactl, args, message):
    assert refusal(ksactl(*args)) == message


@pytest.mark.parametrize("args, meant", [
    ("checkx", "check"), ("account sync", "accounts"), ("--hlep", "--help"), ("keys refrsh", "refresh"), ("accounts syn", "sync"),
    ("check --jsn", "--json"), ("keys refresh --if-oldr=5m", "--if-older"), ("status --ofline", "--offline"),
])
def test_the_name_that_was_meant(ksactl, args, meant):
    assert refusal(ksactl(*args.split())).endswith(" (did you mean %s?)" % meant)


@pytest.mark.parametrize("args", ["ke", "keys sh", "what", "check --al"])
def test_no_name_is_near(ksactl, args):
    """A text of two letters is near to everything."""
    assert "(expected " in refusal(ksactl(*args.split()))


def test_a_value_after_the_equals_sign_is_used(ksactl, tmp_path):
    for args in (["--config", tmp_path / "none"], ["--config=%s" % (tmp_path / "none")]):
        assert "%s: error: the file does not exist" % (tmp_path / "none") in ksactl("check", *args).stdout


def test_arguments_after_two_hyphens_are_no_options(ksactl, tmp_path):
    assert "--all" in ksactl("keys", "convert", "--", "--all").stderr


# --- Completion ---

COMPLETION = ROOT / "packaging/completion"


@pytest.mark.parametrize("name", completion.FILES)
def test_completion_is_that_of_the_help(build, name):
    """Otherwise: tests/support/completion.py BUILD/ksactl/ksactl packaging/completion"""
    assert (COMPLETION / name).read_text() == completion.FILES[name](completion.read(build / "ksactl/ksactl"))


def completed_by_bash(line, directory):
    words = re.findall(r"=|[^ =]+|(?<=[ =])$", line)  # as COMP_WORDBREAKS divides it
    script = ('source "$0" && complete -p ksactl >&2 && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _ksactl && '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "--norc", "-c", script, COMPLETION / "ksactl.bash", *words], cwd=directory,
                            capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == "complete -F _ksactl ksactl\n", result
    return set(result.stdout.split())


def completed_by_fish(line, directory):
    result = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", COMPLETION / "ksactl.fish", line],
                            cwd=directory, capture_output=True, text=True, env={"HOME": str(directory), "PATH": os.environ["PATH"]})
    assert result.returncode == 0 and result.stderr == "", result
    return {row.split("\t")[0].removeprefix("--config=") for row in result.stdout.splitlines()}


@pytest.mark.parametrize("line, found", [
    ("ksactl ", {"options", "check", "enable", "disable", "status", "explain", "keys", "credential", "accounts"}),
    ("ksactl ch", {"check"}),
    ("ksactl keys ", {"show", "refresh", "purge", "convert"}),
    ("ksactl accounts re", {"rename-cluster", "restore"}),
    ("ksactl keys refresh --", {"--all", "--if-older", "--if-due", "--cooldown", "--config", "--help"}),
    ("ksactl keys refresh --if-older 5m --a", {"--all"}),
    ("ksactl keys refresh --if-older ", set()),
    ("ksactl accounts enable --", {"--config", "--json", "--help"}),
    ("ksactl enable s", {"sshd", "sudo"}),
    ("ksactl check --config my", {"my.conf"}),
    ("ksactl check --config=my", {"my.conf"}),
    ("ksactl keys convert my", {"my.conf"}),
    ("ksactl keys purge my", set()),
])
@pytest.mark.parametrize("complete", [completed_by_bash, completed_by_fish], ids=["bash", "fish"])
def test_completion(tmp_path, complete, line, found):
    (tmp_path / "my.conf").write_text("")
    assert complete(line, tmp_path) - ({"--help", "--version"} - found) == found


@pytest.mark.parametrize("typed, meant", [
    ("ch", "check"), ("keys ref", "keys refresh"), ("keys refresh --coo", "keys refresh --cooldown"), ("enable ssh", "enable sshd"),
    ("check --config my", "check --config my.conf"), ("check --config=my", "check --config=my.conf"),
    ("accounts restore my", "accounts restore my.conf"),
])
def test_completion_by_zsh(tmp_path, typed, meant):
    """A key of a terminal starts it, nothing else does."""
    (tmp_path / "my.conf").write_text("")
    shutil.copy(COMPLETION / "_ksactl", tmp_path)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe("zsh", ["zsh", "-f", "-i"], {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TERM": "dumb"})
    try:
        os.write(terminal, b'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; ksactl() { print -r -- "<$*>" }\r')
        os.write(terminal, b"ksactl %s\t\r" % typed.encode())
        shown = ""
        while not re.search(r"<[^$]*>", shown):
            assert select.select([terminal], [], [], 30)[0], shown
            shown += os.read(terminal, 4096).decode()
        assert re.search(r"<([^$]*)>", shown).group(1) == meant
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
