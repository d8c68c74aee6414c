# SPDX-License-Identifier: BSD-2-Clause
"""ksactl check --host: the PAM stacks. Wrong ones are also given to the real libpam, which does what the finding says."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
import pam
from host import EXAMPLES, SOURCE
from pam_shapes import SHAPES, page_lines, with_lines

PAM = Path("/etc/pam.d")
RULES = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = %s\n"
HOMES = "[accounts prod]\nsource = file:/etc/ksa/list\nnamespaces = ci\n"
AUTH, ACCOUNT = page_lines()
REST = "auth required pam_unix.so\n", "account required pam_unix.so\n"
SESSION = "session [success=ignore default=1] pam_ksa.so\nsession optional pam_mkhomedir.so umask=0077\n"


class CheckedHost:
    def __init__(self, host):
        self.host = host

    def names(self, *services, more=""):
        self.host.write_config((RULES % " ".join(services or ("sshd",))) + more)

    def service(self, text, name="sshd"):
        self.host.write(PAM / name, text)

    def findings(self):
        """Those of PAM, in the order of the report."""
        answer = self.host.run(["ksactl", "check", "--host", "--json"], user="root").json
        found = [problem for problem in answer["problems"] if (problem["check"] or "").startswith("pam-")]
        assert all(problem["remedy"] for problem in found)
        return found

    def finding(self, check, severity="error"):
        """The only one."""
        found = self.findings()
        assert [(problem["check"], problem["severity"]) for problem in found] == [(check, severity)], found
        return found[0]


@pytest.fixture
def checked(host, tmp_path):
    kept = tmp_path / "pam.d"
    shutil.copytree(PAM, kept, symlinks=True)
    checked = CheckedHost(host)
    checked.names()
    yield checked
    shutil.rmtree(PAM, ignore_errors=True)
    shutil.copytree(kept, PAM, symlinks=True, dirs_exist_ok=True)


# --- Sound hosts ---


@pytest.mark.parametrize("shape", SHAPES)
def test_lines_of_source_build_are_sound_in_every_stack(checked, shape):
    for name, text in SHAPES[shape].items():
        checked.service(with_lines(name, text) if name in ("sshd", "sudo") else text, name)
    checked.names("sshd", "sudo")
    assert checked.findings() == []


def test_examples_are_sound(checked):
    """Also with users that ksa creates; postgresql has no people."""
    shutil.copy(EXAMPLES / "pam.d/postgresql", PAM)
    checked.names("sshd", "sudo", "sudo-i", "postgresql", more=HOMES)
    assert checked.findings() == []


@pytest.fixture
def profile(checked):
    """What pam-auth-update makes of the profile, and of Debian's files of the services."""
    configs = Path("/run/pam-configs")
    shutil.copytree("/usr/share/pam-configs", configs)
    shutil.copy(SOURCE / "packaging/debian/pam-configs/ksa", configs)
    subprocess.run(["mount", "--bind", configs, "/usr/share/pam-configs"], check=True)
    for name in ("sshd", "sudo"):
        checked.service(SHAPES["debian"][name], name)
    enable = ["pam-auth-update", "--force", "--enable", "ksa"]
    subprocess.run(enable, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    yield checked
    subprocess.run(["umount", "/usr/share/pam-configs"], check=True)
    shutil.rmtree(configs)


def test_profile_is_sound(profile):
    """Its homes too. Other services of Debian that rules may name have the common files."""
    profile.service("@include common-account\n@include common-session\n@include common-auth\nauth required pam_shells.so\n", "vsftpd")
    profile.names("sshd", "sudo", "login", "su", "passwd", "vsftpd", more=HOMES)
    assert profile.findings() == []
    session = (PAM / "common-session").read_text()
    assert session.index("pam_ksa.so") < session.index("pam_mkhomedir.so") < session.index("pam_unix.so")


def test_profile_next_to_the_lines_of_source_build(profile):
    profile.service(with_lines("sshd", SHAPES["debian"]["sshd"]))
    assert profile.findings() == []


NOT_MALLORY = "%s [success=ignore default=1] pam_succeed_if.so user = mallory\n%s requisite pam_deny.so\n"


def test_conditions_of_other_modules(checked):
    """What they decide about a user is not known: the token must be enough for some."""
    checked.service(both(NOT_MALLORY % ("auth", "auth") + AUTH + "\n" + REST[0],
                         ACCOUNT + "\n" + NOT_MALLORY % ("account", "account") + REST[1]) +
                    "session [success=2 default=ignore] pam_succeed_if.so service in crond\n" + SESSION)
    assert checked.findings() == []


# --- What is wrong ---


def test_service_without_a_file(checked):
    """Once, at the first rule that names it."""
    checked.names("sshd", "ssh", more=(RULES % "ssh").replace("deploy", "again"))
    finding = checked.finding("pam-file")
    assert "service = ssh: there is no /etc/pam.d/ssh" in finding["text"] and finding["file"] == "/etc/ksa/ksa.conf", finding
    assert "sshd's service is called sshd" in finding["remedy"] and finding["line"] == 8, finding


@pytest.mark.parametrize("line, text", (
    ("auht required pam_unix.so", 'unknown type "auht"'), ("auth", "the control is missing"),
    ("auth must pam_unix.so", 'invalid control "must"'), ("auth [success=0] pam_unix.so", 'invalid control "success=0"'),
    ("auth required", "the module is missing"), ("@include nowhere", 'cannot include "nowhere"'),
    ("auth include", "the name of the file to include is missing"), ("auth include sshd", "more than 16 includes within each other"),
    ("auth optional \\\n#\nauth optional pam_unix.so", "an empty line or a comment follows a backslash"),
    ("password required pam_unix.so \\", "the file ends after a backslash")))
def test_line_that_libpam_refuses(checked, line, text):
    checked.service(AUTH + "\n" + ACCOUNT + "\n" + "".join(REST) + line + "\n")
    finding = next(one for one in checked.findings() if one["check"] == "pam-syntax")
    assert finding["text"] == text and (finding["file"], finding["line"]) == ("/etc/pam.d/sshd", 5), finding


def test_module_that_is_missing(checked):
    checked.service(AUTH.replace("pam_ksa.so", "/opt/pam_ksa.so") + "\n" + ACCOUNT + "\n" + "".join(REST))
    finding = checked.finding("pam-module")
    assert "/opt/pam_ksa.so" in finding["text"] and finding["line"] == 1


def test_module_by_its_path(checked):
    path = next(Path("/").glob("usr/lib*/**/security/pam_ksa.so"), None) or next(Path("/").glob("lib/**/security/pam_ksa.so"))
    checked.service(AUTH.replace("pam_ksa.so", str(path)) + "\n" + ACCOUNT + "\n" + "".join(REST))
    assert checked.findings() == []


@pytest.mark.parametrize("argument, text", (
    ("tokenfile=/x", 'unknown argument "tokenfile=/x"'), ("exempt=alice,", "has an invalid value"),
    ("nodelay debug nodelay=1", 'unknown argument "nodelay=1"')))
def test_arguments(checked, argument, text):
    """sshd and sudo include one file: it is reported once."""
    checked.service("%s %s\n%s" % (AUTH, argument, REST[0]), "bots")
    for name in ("sshd", "sudo"):
        checked.service("auth include bots\n%s\n%s" % (ACCOUNT, REST[1]), name)
    checked.names("sshd", "sudo")
    finding = checked.finding("pam-argument")
    assert text in finding["text"] and (finding["file"], finding["line"]) == ("/etc/pam.d/bots", 1), finding


def test_valid_arguments(checked):
    checked.service("%s config=/etc/ksa/ksa.conf exempt=alice,root nodelay debug token_file=/home/%%u/.ksa/token\n%s%s\n%s"
                    % (AUTH, REST[0], ACCOUNT, REST[1]))
    assert checked.findings() == []


@pytest.mark.parametrize("text, phases", (
    ("".join(REST), ["auth", "account"]), (AUTH + "\n" + "".join(REST), ["account"]),
    (ACCOUNT + "\n" + "".join(REST), ["auth"]), ("", ["auth", "account"])))
def test_stack_without_the_module(checked, text, phases):
    """The last one is that of `other`."""
    checked.service(text)
    found = checked.findings()
    assert [(one["check"], one["text"]) for one in found] == [
        ("pam-missing", "service sshd: no pam_ksa in %s" % phase) for phase in phases], found


def both(auth="", account=""):
    return (auth or AUTH + "\n" + REST[0]) + (account or ACCOUNT + "\n" + REST[1])


PEOPLE = "auth [success=1 default=ignore] pam_unix.so\n%s\naccount sufficient pam_unix.so\n" % AUTH
ANYBODY = "auth sufficient pam_rootok.so\n%s\n%s" % (AUTH, REST[0])
BEFORE = {
    "process of root": (ANYBODY, "", "auth", "pam_rootok.so in /etc/pam.d/sshd line 1"),
    "sufficient": ("auth sufficient pam_unix.so\n%s\n" % AUTH, "", "auth", "pam_unix.so in /etc/pam.d/sshd line 1"),
    "jump": ("auth [success=1 default=ignore] pam_succeed_if.so user ingroup people\n%s\n%s" % (AUTH, REST[0]), "",
             "auth", "pam_succeed_if.so in /etc/pam.d/sshd line 1"),
    "failure jumps": ("auth [success=ignore default=1] pam_usertype.so isregular\n%s\n%s" % (AUTH, REST[0]), "",
                      "auth", "pam_usertype.so in /etc/pam.d/sshd line 1"),
    "substack": ("auth substack people\nauth required pam_permit.so\n", "", "auth", "pam_unix.so in /etc/pam.d/people line 1"),
    "account": ("", "account sufficient pam_localuser.so\n%s\n%s" % (ACCOUNT, REST[1]),
                "account", "pam_localuser.so in /etc/pam.d/sshd line 3"),
    "account jump": ("", "account [success=1 default=ignore] pam_succeed_if.so uid >= 1000\n%s\n%s" % (ACCOUNT, REST[1]),
                     "account", "pam_succeed_if.so in /etc/pam.d/sshd line 3"),
    "account include": ("", "account include people\n%s\n" % ACCOUNT, "account", "pam_unix.so in /etc/pam.d/people line 3"),
}


@pytest.mark.parametrize("case", BEFORE)
def test_module_that_can_succeed_before(checked, case):
    auth, account, phase, where = BEFORE[case]
    checked.service(PEOPLE, "people")
    checked.service(both(auth, account))
    assert checked.finding("pam-order")["text"] == "service sshd: %s can succeed without pam_ksa, by %s" % (phase, where)


def test_module_that_admits_only_root_to_sudo(checked):
    """As in su of every distribution: sudo runs as its caller, sshd as root."""
    checked.service(both(ANYBODY), "sudo")
    checked.names("sudo")
    assert checked.findings() == []


@pytest.mark.parametrize("name, shown", ((b"pam_\xe9\x1b.so", "pam_??.so"), ("pam_\xe9.so".encode(), "pam_\xe9.so")))
def test_name_that_is_no_text(checked, name, shown):
    """JSON has no finding with other encodings, and a terminal obeys control characters."""
    (PAM / "sshd").write_bytes(b"auth sufficient %s\n" % name + both().encode())
    assert "by %s in" % shown in checked.finding("pam-order")["text"]
    assert b"by %s in" % shown.encode() in subprocess.run(["ksactl", "check", "--host"], stdout=subprocess.PIPE).stdout


# pam_shells succeeds.
SHELLS = "auth required pam_shells.so\nauth [success=done default=ignore] pam_ksa.so\n"
ADMITS = {
    "only success": (both(SHELLS), "auth can succeed after pam_ksa returned auth_err"),
    "sufficient": (both("auth sufficient pam_ksa.so\n" + REST[0]), "auth can succeed after pam_ksa returned auth_err"),
    "optional": (both("auth optional pam_ksa.so\n" + REST[0]), "auth can succeed after"),
    "perm_denied": (both(AUTH.replace("default=die", "perm_denied=ignore default=die") + "\n" + REST[0]), "perm_denied"),
    "jump to success": (both(AUTH.replace("user_unknown=ignore", "user_unknown=1") + "\n" + REST[0] + "auth required pam_permit.so\n"),
                        "auth succeeds because pam_ksa returned user_unknown (no rule names the user)"),
    "jump over two": (both(AUTH.replace("user_unknown=ignore", "user_unknown=3") + "\n" + "auth sufficient pam_unix.so\n" * 2 +
                           "auth requisite pam_deny.so\nauth required pam_permit.so\n"), "pam_ksa returned user_unknown"),
    "account": (both(account="account sufficient pam_ksa.so\n" + REST[1]), "account can succeed after pam_ksa returned auth_err"),
    "registry": (both(account=ACCOUNT.replace("user_unknown=ignore", "authinfo_unavail=ignore") + "\n" + REST[1]), "authinfo_unavail"),
}


@pytest.mark.parametrize("case", ADMITS)
def test_control_that_admits(checked, case):
    text, words = ADMITS[case]
    checked.service(text)
    finding = checked.finding("pam-admits")
    assert words in finding["text"] and finding["file"] == "/etc/pam.d/sshd" and finding["line"] in (1, 2, 3), finding


LOCKS_OUT = {
    "required": (both("auth required pam_ksa.so\n" + REST[0]), "user_unknown (no rule names the user)"),
    "requisite": (both("auth requisite pam_ksa.so\n" + REST[0]), "user_unknown"),
    "configuration": (both(AUTH.replace(" authinfo_unavail=ignore", "") + "\n" + REST[0]), "(an error in the configuration)"),
    "module": (both(AUTH.replace(" module_unknown=ignore", "") + "\n" + REST[0]), "(the module is missing)"),
    "account": (both(account="account requisite pam_ksa.so\n" + REST[1]), "account fails because pam_ksa returned module_unknown"),
    "ignore": (both(account=ACCOUNT.replace("ignore=ignore ", "", 1) + "\n" + REST[1]), "ignore (a login without a token)"),
}


@pytest.mark.parametrize("case", LOCKS_OUT)
def test_control_that_locks_out(checked, case):
    text, words = LOCKS_OUT[case]
    checked.service(text)
    finding = checked.finding("pam-locks-out")
    assert words in finding["text"] and finding["line"] in (1, 3), finding


NO_RESULT = {
    "ignored": AUTH.replace("success=done", "success=ignore") + "\n" + REST[0],
    "one skipped": AUTH.replace("success=done", "success=1") + "\n" + REST[0] + REST[0],
    "nothing left": AUTH.replace("success=done", "success=1") + "\n" + REST[0],
    "goes on": AUTH.replace("success=done", "success=ok") + "\n" + REST[0],
    "refused": AUTH.replace("success=done", "success=die") + "\n" + REST[0],
    "in a substack": "auth substack bots\n" + REST[0],
}


@pytest.mark.parametrize("case", NO_RESULT)
def test_control_without_a_result(checked, case):
    checked.service(AUTH + "\n", "bots")
    checked.service(both(NO_RESULT[case]))
    assert checked.finding("pam-no-result")["text"] == "service sshd: auth fails after a valid token"
    token = checked.host.token()
    answers = issuer.answers(token)
    result = pam.attempt(str(PAM), "sshd", "deploy-bot", answers=answers + ["x"], phases=("authenticate",), rhost="10.1.2.3")
    assert result["codes"]["authenticate"] != "SUCCESS", result


@pytest.mark.parametrize("control", ("success=bad ignore=ignore module_unknown=ignore default=die",
                                     "success=die ignore=ignore module_unknown=ignore default=die"))
def test_account_that_refuses_a_valid_token(checked, control):
    checked.service(both(account="account [%s] pam_ksa.so\n%s" % (control, REST[1])))
    assert checked.finding("pam-no-result")["text"] == "service sshd: account fails after a valid token"


# --- The real libpam, which reads the same file ---


def codes(text, user="deploy-bot", answers=("x.y.z",), phases=("authenticate",)):
    """Every other module that is asked for a credential accepts it."""
    (PAM / "sshd").write_text(text.replace("pam_unix.so", "pam_permit.so"))
    return list(pam.attempt(str(PAM), "sshd", user, answers=list(answers), phases=phases, rhost="10.1.2.3")["codes"].values())


def test_sound_lines_deny_and_leave_people_alone(checked):
    assert codes(both()) == ["AUTH_ERR"] and codes(both(), "alice") == ["SUCCESS"]
    assert codes(both(), answers=issuer.answers(checked.host.token()), phases=("authenticate", "acct_mgmt")) == ["SUCCESS"] * 2
    checked.host.write("/etc/ksa/ksa.conf", "broken\n")
    assert codes(both()) == ["SUCCESS"] and codes(both().replace("pam_ksa.so", "pam_gone.so")) == ["SUCCESS"]


@pytest.mark.parametrize("text", (both(BEFORE["sufficient"][0]), both(ANYBODY), both(SHELLS), ADMITS["sufficient"][0],
                                  ADMITS["optional"][0]))
def test_refused_token_is_admitted(checked, text):
    assert codes(text) == ["SUCCESS"]


def test_locked_out(checked):
    assert codes(LOCKS_OUT["required"][0], "alice") == codes(LOCKS_OUT["requisite"][0], "alice") == ["USER_UNKNOWN"]
    assert codes(LOCKS_OUT["module"][0].replace("pam_ksa.so", "pam_gone.so"), "alice") == ["MODULE_UNKNOWN"]
    checked.host.write("/etc/ksa/ksa.conf", "broken\n")
    assert codes(LOCKS_OUT["configuration"][0], "alice") == ["AUTHINFO_UNAVAIL"]


# --- Homes ---

WRONG_SESSIONS = {
    "systemd first": ("session optional pam_systemd.so\n" + SESSION, "session has pam_systemd.so above pam_ksa"),
    "homes first": ("session optional pam_mkhomedir.so\n" + SESSION, "session has pam_mkhomedir.so above pam_ksa"),
    "of all": (SESSION.replace("[success=ignore default=1]", "optional"), "session makes homes of all users after pam_ksa"),
    "of all cron jobs": ("session [success=1 default=ignore] pam_succeed_if.so service in crond\n" + SESSION,
                         "session makes homes of all users after pam_ksa"),
    "of none": (SESSION.replace("[success=ignore default=1]", "[default=1]"), "session makes no homes after pam_ksa"),
    "without homes": ("session optional pam_ksa.so\n", "session makes no homes after pam_ksa"),
    "missing": ("session required pam_unix.so\n", "session makes no homes of users that ksa creates"),
}


@pytest.mark.parametrize("case", WRONG_SESSIONS)
def test_session(checked, case):
    lines, text = WRONG_SESSIONS[case]
    checked.service(both() + lines)
    checked.names(more=HOMES)
    finding = checked.finding("pam-session", "warning")
    assert finding["text"].startswith("service sshd: " + text), finding


@pytest.mark.parametrize("lines", (SESSION + "session optional pam_systemd.so\nsession optional pam_mkhomedir.so\n",
                                   "session optional pam_oddjob_mkhomedir.so\n"))
def test_sound_session(checked, lines):
    """An administrator may make the homes of everyone below, or with another module."""
    checked.service(both() + lines)
    checked.names(more=HOMES)
    assert checked.findings() == []


def test_session_without_users_of_ksa(checked):
    checked.service(both() + "session required pam_unix.so\n")
    assert checked.findings() == []
