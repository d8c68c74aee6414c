# SPDX-License-Identifier: BSD-2-Clause
"""sudo-rs in place of sudo. Debian 12 has no package of it; on a Debian 13 host these tests run by

    tests/support/run-on trixie tests/e2e/test_sudo_rs.py

tests/run does so for all of e2e.
"""
import os
import pty
import re
import shutil
import subprocess
import time

import pytest

import host as private_host
import registry
from sessions import Sessions
from host import EXAMPLES

PROMPT = "[sudo: authenticate] Service account token"
NONINTERACTIVE = "/etc/sudoers.d/ksa-noninteractive"
AS_BOT = ["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--init-groups"]

pytestmark = pytest.mark.skipif(
    not shutil.which("sudo-rs"),
    reason="no sudo-rs here: on a Debian 13 host, tests/support/run-on trixie tests/e2e/test_sudo_rs.py")


def version():
    said = subprocess.run(["sudo-rs", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return tuple(map(int, re.search(r"sudo-rs (\d+)\.(\d+)\.(\d+)", said).groups()))


@pytest.fixture
def sudoers(host):
    """As docs/source-build.md installs it for this version of sudo-rs."""
    if version() < (0, 2, 9):
        os.unlink(NONINTERACTIVE)
    host.write("/etc/sudoers.d/alice", "alice ALL=(root) ALL\nDefaults:alice timestamp_timeout=0\n", 0o440)
    yield host
    os.unlink("/etc/sudoers.d/alice")


class Terminal:
    """The result at the terminal of the user: see ask_at_terminal()."""

    def __init__(self):
        self.prompts, self.shown, self.status = [], "", None


def ask_at_terminal(path):
    """sudo-rs at a terminal, with ksa-askpass answering each of its prompts."""
    env = {"HOME": "/home/deploy-bot", "PATH": os.environ["PATH"], "KSA_TOKEN_FILE": str(path),
           "KSA_AUDIENCE": "ssh://build-7"}
    seen = Terminal()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir("/home/deploy-bot")
        os.execvpe("setpriv", AS_BOT + ["sudo-rs", "id", "-un"], env)
    unread = ""
    while True:
        try:
            unread += os.read(terminal, 4096).decode()
        except OSError:  # the last process at the terminal has ended
            break
        if unread.endswith("password: ") or unread.endswith("Password: "):
            prompt = unread.replace("\r", "").split("\n")[-1]
            seen.prompts.append(prompt)
            seen.shown, unread = seen.shown + unread, ""
            answer = subprocess.run(AS_BOT + ["ksa-askpass", prompt], env=env, stdout=subprocess.PIPE, check=True).stdout
            os.write(terminal, answer)
    seen.shown += unread.replace("\r", "")
    seen.status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return seen


def test_sudoers_of_every_host(sudoers):
    """A syntax error was printed by every user's sudo."""
    for path in (EXAMPLES / "sudoers.d").iterdir():
        result = sudoers.run(["visudo-rs", "-c", "-f", path], user="root")
        if path.name == "ksa" or version() >= (0, 2, 9):
            assert result.status == 0 and result.err == "", result
        else:
            assert result.status == 1 and "noninteractive_auth" in result.err, result
    result = sudoers.on_host("sudo-rs -S id -un", user="alice", stdin=b"correct horse\n")
    assert result.out == "root\n" and result.err.split() == ["[sudo:", "authenticate]", "Password:"], result


def test_prompt_and_askpass(sudoers):
    """The prompt that sudo-rs shows is answered in parts by ksa-askpass."""
    size = sudoers.log_size()
    seen = ask_at_terminal(sudoers.token_file(sudoers.token(), "/home/deploy-bot/job-token", "deploy-bot"))
    assert seen.status == 0 and seen.shown.endswith("root\n"), seen.shown
    assert seen.prompts == [PROMPT + "%s as password: " % part for part in ("", " part 2")]
    line, = [line for line in sudoers.log_since(size) if "pam_ksa(sudo:auth): " in line]
    assert "result=allow reason=ok service=sudo " in line


def test_refused_at_the_prompt(sudoers):
    token = sudoers.token(issued=int(time.time()) - 1000)
    size = sudoers.log_size()
    seen = ask_at_terminal(sudoers.token_file(token, "/home/deploy-bot/job-token", "deploy-bot"))
    assert seen.status == 1 and "root" not in seen.shown, seen.shown
    line, = [line for line in sudoers.log_since(size) if "pam_ksa(sudo:auth): " in line]
    assert "result=deny reason=expired service=sudo " in line


def test_askpass(sudoers):
    """sudo-rs before 0.2.11 has no -A, and reports that."""
    path = sudoers.token_file(sudoers.token(), "/home/deploy-bot/job-token", "deploy-bot")
    result = sudoers.on_host("sudo-rs -A id -un", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=path,
                             KSA_AUDIENCE="ssh://build-7")
    if version() < (0, 2, 11):
        assert result.status == 1 and "invalid option" in result.err and result.lines == [], result
    else:
        assert result.out == "root\n" and len(result.allowed) == 1, result


def test_token_in_parts_from_standard_input(sudoers):
    sudoers.token_file(sudoers.token(), "/home/deploy-bot/job-token", "deploy-bot")
    result = sudoers.on_host("fold -w 500 job-token | sudo-rs -S id -un")
    assert result.out == "root\n" and len(result.allowed) == 1, result


def test_token_file(sudoers):
    sudoers.give_token(sudoers.token())
    result = sudoers.on_host("sudo-rs -n id -un")
    assert (result.out, result.err) == ("root\n", "") and len(result.allowed) == 1, result


def test_token_file_for_a_login_shell(sudoers):
    """Early versions have no PAM service of its own for -i."""
    sudoers.give_token(sudoers.token())
    result = sudoers.on_host("sudo-rs -n -i id -un")
    assert (result.out, result.err) == ("root\n", "") and len(result.allowed) == 1, result


def test_token_file_refused(sudoers):
    """Once: a token that was refused is refused again."""
    sudoers.give_token(sudoers.token(issued=int(time.time()) - 1000))
    result = sudoers.on_host("sudo-rs -n id -un")
    assert (result.status, result.out) == (1, "") and result.reasons == ["expired"], result


def test_token_for_one_sudo_alone(sudoers):
    """Every sudo shows a token that is valid now, though sudo-rs keeps time stamps."""
    sudoers.give_token(sudoers.token())
    result = sudoers.on_host("sudo-rs -n id -un && rm .ksa/token && sudo-rs -n id -un")
    assert (result.status, result.out) == (1, "root\n") and result.reasons[0] == "ok", result


@pytest.mark.parametrize("password, out", (("correct horse", "root\n"), ("wrong", "")))
def test_person(sudoers, password, out):
    result = sudoers.on_host("sudo-rs -S id -un", user="alice", stdin=password.encode() + b"\n")
    assert result.out == out and result.lines == [] and "Service account token" not in result.err, result


def test_nopasswd_and_the_account_phase(sudoers):
    """Without a password the auth phase does not run. The account phase still refuses a disabled user."""
    sudoers.write("/etc/sudoers.d/own", "ci_retired ALL=(root) NOPASSWD: ALL\nci_deployer ALL=(root) NOPASSWD: ALL\n"
                  "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    registry.make()
    try:
        for name, reasons, out in (("deploy-bot", [], "root\n"), ("ci_deployer", [], "root\n"),
                                   ("ci_retired", ["account-disabled"], "")):
            result = sudoers.run(["setpriv", "--reuid=" + name, "--regid=" + name, "--init-groups", "sudo-rs", "-n", "id",
                                  "-un"], user="root")
            assert (result.out, result.reasons) == (out, reasons), result
    finally:
        os.unlink("/etc/sudoers.d/own")
        registry.PATH.unlink()


def test_check_asks_sudo_rs(sudoers):
    """It reports commands, and no options: the user's have no finding. /usr/bin/sudo is hidden."""
    def checks():
        script = "{ [ ! -e /usr/bin/sudo ] || mount --bind /dev/null /usr/bin/sudo; } && exec ksactl check --host --json"
        answer = sudoers.run(["unshare", "--mount", "sh", "-c", script], user="root").json
        return [problem["check"] for problem in answer["problems"]]

    assert checks() == []
    sudoers.edit("/etc/sudoers.d/ksa", "\ndeploy-bot ALL", "\n#deploy-bot ALL")
    assert checks() == ["sudo-command"]


def test_session(sudoers):
    """Inside a session that a token opened, sudo-rs needs no other secret, and notices its end within its time stamp."""
    sessions = Sessions(sudoers)
    try:
        shell = sessions.token_shell()
        (line,) = shell.allowed("sudo-rs -n id -un")
        assert " how=session session=%d " % shell.id in line
        left = shell.background()
        sessions.left_over.append(left)
        assert left.run("sudo-rs -n id -un")[0] == "root"
        shell.close()
        private_host.wait_until(lambda: "\ntoken " not in shell.record())
        text, reasons = left.run("sudo-rs -n id -un")
        assert text != "root" and set(reasons) == {"session-ended"}, text
        assert "no-session-record" in sessions.key_shell().denied("sudo-rs -n id -un")
    finally:
        sessions.end()
