# SPDX-License-Identifier: BSD-2-Clause
"""What ends sudo by the session: the end of the session, of its token, of its rule or key."""
import os
import signal
import time
from pathlib import Path

import pytest

import issuer
from host import field, wait_until
from sessions import CONFIG, RECORDS, SUDO, Sessions, alive, tokens_kept

SUDOERS = "/etc/sudoers.d/ksa"


@pytest.fixture
def sessions(host):
    found = Sessions(host)
    yield found
    found.end()


# --- The end of a session ---

def test_left_over_of_a_session_that_has_ended(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    assert left.run() == ("root", ["ok"])
    shell.close()
    wait_until(lambda: tokens_kept() == [])
    text, reasons = left.run()
    assert reasons == ["session-ended"] and "root" not in text, text


def test_sshd_was_killed_and_its_shell_lives(sessions):
    """sshd does not close the session then."""
    shell = sessions.token_shell()
    shell.allowed()
    monitor = shell.monitor()
    os.kill(monitor, signal.SIGKILL)
    wait_until(lambda: not alive(monitor))
    assert shell.denied() == ["session-ended"]
    assert tokens_kept() == [str(shell.id)]
    other = sessions.token_shell()  # each login sweeps
    assert tokens_kept() == [str(other.id)] and (RECORDS / str(shell.id)).exists()


def test_client_was_killed(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    shell.process.kill()
    wait_until(lambda: tokens_kept() == [])
    assert left.run()[1] == ["session-ended"]


def test_mark_goes_with_the_last_process(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    shell.close()
    wait_until(lambda: tokens_kept() == [])
    other = sessions.token_shell()
    assert (RECORDS / str(shell.id)).exists()
    left.end()
    third = sessions.token_shell()
    assert sorted(path.name for path in RECORDS.iterdir()) == sorted([str(other.id), str(third.id)])


def test_tmux_server_of_an_earlier_session(sessions):
    """Its panes belong to the session in which it was started; the reason says so."""
    first = sessions.token_shell()
    left = first.background()
    sessions.left_over.append(left)
    first.close()
    wait_until(lambda: tokens_kept() == [])
    sessions.token_shell().allowed()
    text, reasons = left.run("sudo -n id -un")
    assert reasons == ["session-ended"]


# --- What ends sudo before the session ends ---

def spend(sessions, seconds):
    """A session whose token has expired, after what sudo does before that; None if SECONDS were too few for it."""
    end = int(time.time()) - 60 + seconds  # clocks may differ by 60 s
    shell = sessions.token_shell(sessions.host.token(issued=end - 600, life=600))
    sessions.host.write(SUDOERS, "Defaults:deploy-bot noninteractive_auth, timestamp_type=global, passwd_tries=1\n"
                        "deploy-bot ALL=(root) ALL\n", 0o440)
    shell.run("sudo -K")
    first, second = shell.sudo(), shell.sudo()
    if time.time() >= end + 60:
        return None
    assert first[0] == second[0] == "root" and len(first[1]) == 1 and second[1] == []  # within the time stamp
    time.sleep(max(0, end + 61 - time.time()))
    return shell


def test_expired(sessions):
    """Also where sudo skips the auth phase: within its time stamp, and with NOPASSWD."""
    shell = spend(sessions, 20) or spend(sessions, 90)  # a busy machine takes longer
    assert shell.denied() == ["expired"] and "the token of this session expired" in shell.run("sudo id -un")
    shell.run("sudo -K")
    assert shell.denied() == ["expired"]
    sessions.host.write(SUDOERS, "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    assert shell.denied() == ["expired"]
    text, lines = sessions.key_shell().sudo()  # it has no record: NOPASSWD counts
    assert (text, lines) == ("root", [])


def test_ended_and_nopasswd(sessions):
    sessions.host.write(SUDOERS, "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    assert left.run() == ("root", [])
    monitor = shell.monitor()
    os.kill(monitor, signal.SIGKILL)
    wait_until(lambda: not alive(monitor))
    text, reasons = left.run("sudo id -un")
    assert reasons == ["session-ended"] and "has ended" in text, text
    sessions.host.write(SUDOERS, "Defaults:deploy-bot targetpw\ndeploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)  # PAM_USER is root
    assert left.run()[1] == ["session-ended"]
    sessions.token_shell()  # sweeps: from here it is a mark
    assert left.run()[1] == ["session-ended"]


def test_rule_removed(sessions):
    shell = sessions.token_shell()
    shell.allowed()
    text = Path(CONFIG).read_text()
    sessions.host.write(CONFIG, text.replace("token = session", "token = session\naccount_uid = u-2"))
    assert shell.denied() == ["no-rule"]
    sessions.host.write(CONFIG, text.split("[rule deploy-sudo]")[0])
    assert shell.denied() == []  # ksa ignores sudo now, which asks for a password


def test_key_removed(sessions):
    shell = sessions.token_shell()
    shell.allowed()
    sessions.host.write_keys(issuer.Key("RS256"))
    assert shell.denied() == ["unknown-kid"]


def test_first_rule_for_sessions_decides(sessions):
    text = Path(CONFIG).read_text()
    rule = "[rule near]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\ntoken = session\nfrom = %s\nonce = yes\n"
    shell = sessions.token_shell()
    sessions.host.write(CONFIG, text.replace("[rule deploy-sudo]", rule % "127.0.0.0/8" + "[rule deploy-sudo]"))
    assert [field(line, "rule") for line in shell.allowed() + shell.allowed()] == ["near", "near"]  # once counts at the login
    sessions.host.write(CONFIG, text.replace("[rule deploy-sudo]", rule % "192.0.2.0/24" + "[rule deploy-sudo]"))
    assert field(shell.allowed()[0], "rule") == "deploy-sudo"
    sessions.host.write(CONFIG, text.replace("token = session", "token = session\nfrom = 192.0.2.0/24"))
    assert shell.denied() == ["no-rule"]


def test_session_ends_while_sudo_runs(reviewed):
    """A user can stop their own sudo; here it waits for the API server."""
    reviewed.write("never", rule="[rule root]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\ntoken = session\n"
                   "review = require")
    Path("/home/deploy-bot/.ksa/token").unlink()
    sessions = Sessions(reviewed.host, config=False)
    try:
        shell = sessions.token_shell()
        shell.allowed()
        left = shell.background()
        sessions.left_over.append(left)
        size = reviewed.host.log_size()
        reviewed.server.hold()
        (left.place / "in").write_text(SUDO + "\n")
        reviewed.server.held.wait(30)
        shell.close()
        wait_until(lambda: tokens_kept() == [])
        reviewed.server.go_on()
        wait_until(lambda: (left.place / "out").exists())
        assert "root" not in (left.place / "out").read_text()
        lines = [line for line in reviewed.host.log_since(size) if "): result=" in line]
        assert [field(line, "reason") for line in lines] == ["ok", "session-ended"] and "sudo:account" in lines[1], lines
    finally:
        sessions.end()
