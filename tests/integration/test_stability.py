# SPDX-License-Identifier: BSD-2-Clause
"""Public names: STABILITY.md has those of the code, and what ksactl prints as JSON has the version of its form."""
import re
from pathlib import Path

import pytest

import host as private_host
from cluster_host import DoubleHost
from test_documents import log_keys
from test_ksactl_status import ACCESS, PATH, may, self_review

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "STABILITY.md").read_text()
SECTIONS = """[accounts prod]
namespaces = ci

[rule once]
account = prod:ci/deployer
user = deploy-bot
service = sshd
once = yes

[rule own]
account = prod:ci/*
user = @own
service = sudo
"""


@pytest.fixture
def answers(host):
    """{command: [answer to --json]} of a host with a key set, a credential, an API server, accounts, marks and problems."""
    found = {}

    def ask(*words, command=None, **more):
        command = command or " ".join(word for word in words[:2] if not word.startswith("-"))
        result = cluster.ksactl(*words, "--json", **more)
        found.setdefault(command, []).append(result.json)

    users = Path("/etc/passwd").read_text()
    with DoubleHost(host) as cluster, private_host.systemd():
        cluster.server.pages = {PATH: lambda *_: self_review(), ACCESS: may()}
        cluster.give_credential()
        cluster.configure(cluster.section(), SECTIONS)
        assert cluster.refresh("prod").status == 0
        cluster.server.listing.add("ci", "deployer")
        cluster.server.listing.add("ci", "refused")
        Path("/etc/passwd").write_text(users + "ci_refused:x:1777:1777::/:/bin/sh\n")
        ask("accounts", "sync")
        ask("accounts", "list")
        for name in ("ci_deployer", "ci_refused"):
            ask("accounts", "show", name, command="accounts show")
        ask("accounts", "disable", "ci_deployer", command="accounts disable")
        ask("accounts", "enable", "ci_deployer", command="accounts enable")
        ask("accounts", "export")
        for token in (host.token(), host.token()[:-8] + "AAAAAAAA"):
            ask("explain", "--token-file", "-", "--user", "deploy-bot", "--rhost", "10.1.2.3", command="explain", stdin=token.encode())
        for words in (("keys", "show"), ("credential", "show"), ("check",), ("status",), ("options",)):
            ask(*words)
        cluster.configure(cluster.section("stage"), SECTIONS.replace("prod", "stage"))
        ask("accounts", "rename-cluster", "prod", "stage", command="accounts rename-cluster")
        cluster.assert_no_token_in_outputs()
        yield found
    Path("/etc/passwd").write_text(users)


def test_each_answer_has_its_version_first(answers):
    """An array cannot have one: keys show, credential show, accounts list and options were arrays."""
    assert len(answers) == 13
    heads = {command: [next(iter(answer.items())) if isinstance(answer, dict) else "an array" for answer in found]
             for command, found in answers.items() if command != "accounts export"}
    assert heads == {command: [("version", 1)] * len(answers[command]) for command in heads}


def test_an_export_has_the_version_of_its_own_format(answers):
    """`version` is that of the file, which hosts of other versions read: no other number is next to it."""
    (export,) = answers["accounts export"]
    assert list(export) == ["format", "version", "clusters"] and export["format"] == "ksa-accounts" and export["version"] == 2


def paths(value, before=""):
    """The members of an answer: problems[].text, keys.count."""
    if isinstance(value, list):
        return {path for one in value for path in paths(one, before + "[]")}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, member in value.items():
        path = "%s.%s" % (before, name) if before else name
        found |= paths(member, path) or {path}
    return found


def members(found):
    """Those of all answers of a command; an object may be null in one of them."""
    names = set().union(*map(paths, found))
    return {name for name in names if not any(other.startswith((name + ".", name + "[]")) for other in names)}


# --- STABILITY.md ---


def part(title):
    return PAGE.split("\n## %s\n" % title)[1].split("\n## ")[0]


def names(text):
    return re.findall(r"`([^`]+)`", text)


def listed(title, after=None):
    """The names of the last paragraph of a section, or behind AFTER to the end of its paragraph."""
    text = part(title)
    return names(text.split(after)[1].split("\n\n")[0] if after else text.rstrip().rpartition("\n\n")[2])


def source(path):
    return (ROOT / path).read_text()


def strings(text):
    return re.findall(r'"([^"]+)"', text)


def test_page_has_every_reason():
    """Of each table of reasons, wherever it is."""
    tables = [table for path in sorted(ROOT.glob("*/**/*.h"))
              for table in re.findall(r"#define \w*REASONS\(X\)(?:.*\\\n)+.*", path.read_text())]
    reasons = [word for table in tables for word in re.findall(r'\bX\(\w+, *"([a-z-]+)"', table)]
    assert len(reasons) > 60 and sorted(listed("Reasons")) == sorted(reasons)


def test_page_has_every_key_of_the_log_lines():
    assert sorted(listed("Keys of pam_ksa's log line")) == sorted(log_keys())
    literals = [literal for path in (ROOT / "ksactl").glob("*.c")
                if path.name != "enable.c"  # its text has lines of PAM
                for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text())]
    parts = [literal for literal in literals if re.match(r' ?[a-z_]+=(%|\\"|[a-z])', literal)]
    keys = {key for literal in parts for key in re.findall(r"(?:^| )([a-z_]+)=", literal)}
    assert {"result", "reason", "refusal", "warning", "max_age"} <= keys
    assert sorted(listed("Keys of ksactl's log lines")) == sorted(keys)
    manual = source("man/ksactl.8").split(".Sh DIAGNOSTICS")[1]
    assert {key for key in keys if not re.search(r"\b%s\b" % key, manual)} == set()


def test_page_has_arguments_and_variables():
    text = part("PAM arguments")
    arguments = re.findall(r'^ *\{"(\w+=?)", offsetof', source("common/config/arguments.c"), re.M)
    variables = strings(source("pam_module/pam_ksa.c").split("variables[] = {")[1].split("}")[0])
    assert names(text) == arguments + variables and len(arguments) == 5 and len(variables) == 5


def test_page_has_the_states_of_accounts():
    states, changes = source("common/login/account_state.c"), source("admin/accounts/changes.c")
    assert listed("States of local accounts", "States: ") == re.findall(r'\[KSA_ACCOUNT_\w+\] = "(.+?)"', states)
    assert listed("States of local accounts", "Reasons of `disabled`: ") == strings(states.split("disabled_names[] = {")[1].split("}")[0])
    assert listed("States of local accounts", "reports: ") == re.findall(r'\[KSA_CHANGE_\w+\] = "(.+?)"', changes)
    assert listed("States of local accounts", "an account: ") == re.findall(r'\[KSA_REFUSAL_\w+\] = "(.+?)"', changes)


def test_page_has_every_check_of_the_host():
    """So has ksactl(8), and each is found by a test on a host that is wrong."""
    checks = re.findall(r'X\(HOST_\w+, +"([a-z-]+)"', source("ksactl/check_host.h"))
    assert len(checks) >= 10 and listed("Checks of the host") == checks
    manual = source("man/ksactl.8").split(".Sh CHECKS OF THE HOST")[1].split(".Sh ")[0]
    assert re.findall(r"^\.It Cm ([a-z-]+)$", manual, re.M) == checks
    tests = "".join(path.read_text() for name in ("test_check_*.py", "test_ksactl_enable.py")
                    for path in sorted((ROOT / "tests/integration").glob(name)))
    assert [check for check in checks if not re.search(r'"%s"' % check, tests)] == []


def test_page_has_the_results():
    """Those of `result` in JSON, in the order of their exit codes."""
    tables = {"check": source("ksactl/check.c").split("results[] = {")[1].split("}")[0],
              "explain": re.search(r"ksa_report_result\(.*?\n}", source("common/login/report.c"), re.S).group(),
              "accounts sync": source("ksactl/accounts_report.c").split("results[] = {")[1].split("}")[0],
              "status": source("ksactl/status.c").split("level_names[] = {")[1].split("}")[0]}
    rows = [names(line) for line in part("JSON of ksactl").split("Values of `result`:")[1].splitlines() if line.startswith("- ")]
    results = {command: strings(text) for command, text in tables.items()}
    assert {row[0]: set(row[-len(results[row[0]]):]) for row in rows} == {command: set(names) for command, names in results.items()}


def test_page_has_exit_codes_and_formats():
    codes = re.findall(r"^\| (\d) \|", part("Exit codes of ksactl"), re.M)
    assert codes == re.findall(r"EXIT_\w+ = (\d),", source("ksactl/cli.h"))
    version = re.search(r"KSA_REGISTRY_VERSION +(\d+)u", source("common/registry/format.h")).group(1)
    assert "has the format %s." % version in part("The registry")


def test_page_has_every_member_of_the_answers(answers):
    """And ksactl(8) names each."""
    rows = re.findall(r"^- ((?:`[a-z -]+`, )*`[a-z -]+`): ((?:.*\n)+?)(?=- |\n)", part("JSON of ksactl").split("Values of")[0] + "\n", re.M)
    page = {command: set(names(text)) for commands, text in rows for command in names(commands)}
    assert page.keys() == answers.keys()
    for commands, text in rows:  # commands of one row have the same members, though not each answer fills all arrays
        found = [answer for command in names(commands) for answer in answers[command]]
        assert set(names(text)) == members(found) - {"version"}, commands
    manual = source("man/ksactl.8").split(".Ss JSON")[1].split(".Sh FILES")[0]
    single = {name for found in page.values() for path in found for name in re.findall(r"\w+", path)}
    assert {name for name in single if not re.search(r"\b%s\b" % name, manual)} == set()
