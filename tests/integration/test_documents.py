# SPDX-License-Identifier: BSD-2-Clause
"""Documents against the tables that they describe."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = json.loads(subprocess.run([os.environ["KSA_BUILD"] + "/ksactl/ksactl", "options", "--json"], check=True,
                                    stdout=subprocess.PIPE).stdout)["options"]
PAGES = sorted((ROOT / "man").glob("*.[1578]"))


def sections_of_page(page):
    """{section: [option]} of ksa.conf(5)."""
    found, section = {}, None
    for line in (ROOT / "man" / page).read_text().splitlines():
        head = re.match(r"\.Ss \[(\w+)", line)
        option = re.match(r"\.It Cm (\w+) Li = ", line)
        section = head.group(1) if head else section
        if option:
            found.setdefault(section, []).append(option.group(1))
    return found


def table():
    found = {}
    for option in OPTIONS:
        found.setdefault(option["section"], []).append(option["name"])
    return found


def test_manual_has_every_option_in_the_order_of_the_table():
    assert sections_of_page("ksa.conf.5") == table()


def test_example_has_every_option():
    found, section = {}, None
    for line in (ROOT / "packaging/examples/ksa.conf").read_text().splitlines():
        head = re.match(r"#?\[(\w+)", line)
        option = re.match(r"#?(\w+) = ", line)
        section = head.group(1) if head else section
        if option:
            found.setdefault(section, set()).add(option.group(1))
    assert found == {name: set(options) for name, options in table().items()}


def test_example_shows_the_defaults():
    text = (ROOT / "packaging/examples/ksa.conf").read_text()
    for option in OPTIONS:
        if option["default"] is not None:
            assert re.search(r"^#%s = %s$" % (option["name"], re.escape(option["default"])), text, re.M), option["name"]


def entry_of_option(option):
    """The entry of one option in ksa.conf(5): its value, and the text below."""
    text = (ROOT / "man/ksa.conf.5").read_text().split("\n.Ss [%s" % option["section"], 1)[1].split("\n.Ss ", 1)[0]
    return re.search(r"^\.It Cm %s Li = Ar (.*)\n((?:.*\n)*?)\.(?:It Cm|El)" % option["name"], text + "\n", re.M).groups()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: "%s-%s" % (option["section"], option["name"]))
def test_manual_says_of_an_option_what_the_table_says(option):
    value, text = entry_of_option(option)
    syntax = option["syntax"].split(";")[0].replace("…", "...")
    assert value == re.sub(r", (such as|or with) .*", "", syntax)
    assert re.findall(r"^Default:\n\.Cm (\S+) \.$", text, re.M) == [option["default"]] * (option["default"] is not None)
    assert ("\nRequired.\n" in text) == option["required"] and ("\nA list.\n" in text) == option["list"]


def test_manual_shows_the_limits(host):
    """A value out of bounds is refused with its bounds; the message denied that it was a number."""
    shown = [(option, re.search(r"^From (\d+)(?: (s))? to (\d+)(?: ([sd]))?\.$", entry_of_option(option)[1], re.M))
             for option in OPTIONS]
    numbers = [(option, limits) for option, limits in shown if limits]
    assert len(numbers) == len([option for option in OPTIONS if re.match("seconds|number|MIN-MAX", option["syntax"])])
    for option, limits in numbers:
        lowest, highest = int(limits.group(1)), int(limits.group(3)) * (86400 if limits.group(4) == "d" else 1)
        bad = "0-%d" % highest if option["syntax"] == "MIN-MAX" else str(highest + 1)
        host.write("/etc/ksa/limits.conf", "[%s%s]\n%s = %s\n" % (
            option["section"], "" if option["section"] == "host" else " prod", option["name"], bad))
        result = host.run(["ksactl", "check", "--config", "/etc/ksa/limits.conf"], user="root")
        line = result.out.splitlines()[0]
        assert result.status == 2 and "from %d to %d)" % (lowest, highest) in line, line


def test_manual_has_every_reason():
    words = re.findall(r'^X\(\w+, "([a-z-]+)"', (ROOT / "common/base/reason.h").read_text(), re.M)
    page = re.findall(r"^\.It Li ([a-z-]+)$", (ROOT / "man/pam_ksa.8").read_text(), re.M)
    assert words == page and len(words) > 40


def test_manual_of_ksactl_has_the_reasons_that_end_no_login():
    words = re.findall(r'^ +X\(\w+, "([a-z-]+)"', (ROOT / "common/base/reason.h").read_text(), re.M)
    page = (ROOT / "man/ksactl.8").read_text()
    assert words and all("\n.Cm %s :\n" % word in page for word in words)


def test_manual_has_the_pam_code_of_every_reason():
    codes = {"DENY": None, "UNAVAILABLE": "PAM_AUTHINFO_UNAVAIL", "FORBIDDEN": "PAM_PERM_DENIED",
             "NOT_OURS": "PAM_USER_UNKNOWN", "NO_MEMORY": "PAM_BUF_ERR"}
    page = (ROOT / "man/pam_ksa.8").read_text()
    for word, outcome in re.findall(r'^X\(\w+, "([a-z-]+)", (\w+),', (ROOT / "common/base/reason.h").read_text(), re.M):
        entry = re.search(r"^\.It Li %s$(.*?)^\.(It|El)" % word, page, re.M | re.S).group(1)
        code = re.search(r"^\.Pq Dv (\w+)$", entry, re.M)
        assert (code and code.group(1)) == codes[outcome], word


def test_every_reason_of_a_refusal_has_a_remedy():
    """Six of them had none."""
    rows = (ROOT / "common/base/reason.h").read_text().split("#define KSA_REASONS")[1].split("\nX(")[1:]
    assert [row.split('"')[1] for row in rows if '"")' in row] == ["not-reached", "exempt", "not-named"]


def test_manual_has_every_argument():
    names = re.findall(r'^ *\{"(\w+=?)", offsetof', (ROOT / "common/config/arguments.c").read_text(), re.M)
    page = re.findall(r"^\.It Cm (\w+=?)", (ROOT / "man/pam_ksa.8").read_text().split(".Sh OPTIONS")[1], re.M)
    assert names == page and len(names) == 5


def test_manual_of_askpass_has_its_variables():
    usage = (ROOT / "client/ksa-askpass").read_text().split("cat <<'END'\n")[1].split("\nEND\n")[0]
    names = re.findall(r"^(KSA_\w+) ", usage, re.M)
    page = re.findall(r"^\.It Ev (KSA_\w+)$", (ROOT / "man/ksa-askpass.1").read_text(), re.M)
    assert names == page and len(names) == 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_renders_without_a_warning(page):
    lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", page], stdout=subprocess.PIPE, text=True)
    assert lint.stdout == "" and lint.returncode == 0


def test_check_passes_the_example(host):
    assert host.run(["ksactl", "check"], user="root").status == 0


def test_hacking_maps_the_tree():
    """Every file of these directories has its subject in the page."""
    text = (ROOT / "HACKING.md").read_text()
    files = [path for part in ("admin", "common", "ksactl") for path in (ROOT / part).rglob("*.c")]
    files += [path for path in (ROOT / "tests/support").iterdir() if path.is_file()]
    assert len(files) > 100
    assert text.count("\n") <= 300
    names = {path.stem if path.suffix == ".c" else path.name for path in files}
    assert {name for name in names if not re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(name), text)} == set()


def log_keys():
    """Those of pam_ksa's line: each is the third argument of a put_…()."""
    keys = set(re.findall(r'\bput_\w+\(line, (?:prefix|""), "(\w+)"', (ROOT / "common/login/report.c").read_text()))
    assert {"result", "granted_as", "refresh", "pod_uid", "audit_id", "remedy"} <= keys
    return keys


def test_manual_has_every_key_of_the_log_line():
    """granted_as, keys, pod, pod_uid were in no page; iss, kid and others had no text."""
    page = (ROOT / "man/pam_ksa.8").read_text().split(".Ss The log line")[1].split(".Ss Reasons")[0]
    described = [name for line in re.findall(r"^\.It Va (.*)$", page, re.M) for name in line.split(" , ")]
    assert sorted(described) == sorted(log_keys())


def test_manual_says_of_each_reason_what_helps():
    """The reasons of the cluster had no remedy there; the headings are those of the table."""
    page = (ROOT / "man/pam_ksa.8").read_text()
    for word in re.findall(r'^X\(\w+, "([a-z-]+)"', (ROOT / "common/base/reason.h").read_text(), re.M):
        entry = re.search(r"^\.It Li %s$(.*?)^\.(It|El)" % word, page, re.M | re.S).group(1)
        sentences = re.findall(r"[.?:](?=\s|$)", re.sub(r"^\.(Pq|Cm|Ql|Li|Xr|Pa|Ev) .*$", "x.", entry, flags=re.M))
        assert word in ("not-reached", "exempt", "not-named") or len(sentences) > 1, word
    headings = re.findall(r"^\.Ss Reasons: (.*)$", page, re.M)
    groups = re.findall(r"^/\* (.*?) \*/ +\\$", (ROOT / "common/base/reason.h").read_text(), re.M)
    assert len(headings) == len(groups) + 1


@pytest.mark.parametrize("page", ("README.md", "CONTRIBUTING.md", "HACKING.md", "SECURITY.md", "STABILITY.md", "RELEASING.md",
                                  *sorted("docs/" + path.name for path in (ROOT / "docs").glob("*.md"))))
def test_documents_name_files_that_exist(page):
    rooms = "common|nss_module|pam_module|tools|man|tests|packaging|docs|client"
    named = re.findall(r"(?<![\w/.-])((?:%s|\.ci)/[\w.*-]+(?:/[\w.*-]+)*)" % rooms, (ROOT / page).read_text())
    assert named
    for path in named:
        assert list(ROOT.glob(path.rstrip("."))), path


def test_readme_links_every_document_and_the_tarball_has_it():
    readme, packed = (ROOT / "README.md").read_text(), (ROOT / "Makefile.am").read_text().split("EXTRA_DIST = ")[1].split("\n")[0].split()
    documents = {path.name for path in ROOT.glob("*.md")} - {"README.md"}
    assert {"CONTRIBUTING.md", "SECURITY.md", "STABILITY.md"} <= documents <= set(packed) and "docs" in packed
    documents |= {"docs/" + path.name for path in (ROOT / "docs").glob("*.md")}
    assert {name for name in documents if "](%s)" % name not in readme} == set()
    links = [(page.parent, link) for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
             for link in re.findall(r"\]\(([^)]+)\)", page.read_text())]
    assert [link for room, link in links if not link.startswith("https://") and not (room / link).exists()] == []


def test_readme_is_short():
    """A page and a half to the first login, in twelve commands at most: a chain by && that one line holds is one."""
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", readme.split("\n## First login\n")[1].split("\nIf a step fails")[0], re.M | re.S)
    commands = re.sub(r"<<'END'\n.*?^END$", "", "".join(blocks), flags=re.M | re.S).splitlines()
    assert readme.count("\n") <= 150 and len(commands) <= 12, commands


def test_picture_is_drawn_from_its_text():
    drawn = subprocess.run([ROOT / "docs/make-login-svg"], input=(ROOT / "docs/login.txt").read_bytes(), stdout=subprocess.PIPE, check=True)
    assert drawn.stdout == (ROOT / "docs/login.svg").read_bytes()
    assert "](docs/login.svg)" in (ROOT / "README.md").read_text()


def test_hacking_names_the_steps():
    steps = re.findall(r'^X\(\w+, +"(\w+)"', (ROOT / "common/login/login.h").read_text(), re.M)
    assert len(steps) > 10 and ", ".join(steps) in " ".join((ROOT / "HACKING.md").read_text().split())


def test_table_of_attacks_is_written():
    rows = [line.split("\t") for line in (ROOT / "tests/attacks.tsv").read_text().splitlines()[1:]]
    table = (ROOT / "tests/ATTACKS.md").read_text().split("<!-- attacks:begin -->")[1].split("<!-- attacks:end -->")[0]
    written = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    assert written == [[row[0], row[1], row[2], row[3]] for row in rows]


def test_programs_say_the_version_of_the_package(host):
    version = re.search(r"AC_INIT\(\[ksa\], \[([\d.]+)\]", (ROOT / "configure.ac").read_text()).group(1)
    for program in ("ksactl", "ksa-askpass"):
        assert host.run([program, "--version"]).out.strip().endswith(version)


def test_journal_is_searched_by_facility():
    """Not by the program: sshd is sshd-session since OpenSSH 9.8, and sudo may be sudo-rs."""
    pages = [ROOT / name for name in ("README.md", "SECURITY.md", "HACKING.md", "NEWS")] + PAGES + sorted((ROOT / "docs").glob("*.md"))
    pages += [path for room in ("packaging", "admin", "client", "common", "ksactl", "pam_module") for path in (ROOT / room).rglob("*")
              if path.is_file()]
    by_program = r"\bjournalctl\b.*(\s\\?-t|\sFl t\b|--identifier|SYSLOG_IDENTIFIER|_COMM=|_EXE=|(-u|--unit)[ =]?(sshd?|sudo)\b)"
    shown = [(path.name, line) for path in pages for line in path.read_text(errors="replace").splitlines()
             if "journalctl" in line]
    assert len(shown) >= 4
    assert [] == [(name, line) for name, line in shown if re.search(by_program, line)]
