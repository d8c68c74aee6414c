# SPDX-License-Identifier: BSD-2-Clause
"""A local user kills, stops or freezes what their own sudo starts. Other logins that need a new key are not delayed."""
import contextlib
import os
import subprocess
from pathlib import Path

import pytest

import faults
import issuer
from api_double import KEYS, REVIEW
from host import wait_until
from test_helper_attacks import AS_BOT, BOT_HOME, ENVIRONMENT

GROUPS = Path("/run/cgroup")
# The user's own strikes at the processes of their sudo; {0} is their control group, {1} sudo's number.
STRIKES = {
    "cgroup.kill": "echo 1 >{0}/cgroup.kill",
    "cgroup.freeze": "echo 1 >{0}/cgroup.freeze",
    "SIGKILL": "kill -KILL {1}",
    "SIGSTOP": "kill -STOP {1}",
}


@pytest.fixture
def rotated(login_host):
    """The cached set lacks the key that signs now. sshd and sudo have rules without a review, for two users."""
    login_host.timeout = 10
    login_host.write("never", keys="api")
    login_host.host.edit(faults.CONFIG, "user = deploy-bot\n", "user = deploy-bot alice\n")
    login_host.write_cache(login_host.cached_set(issuer.Key("ES256")))
    match = Path("/etc/ssh/sshd_config.d/ksa.conf").read_text().replace("Match User deploy-bot", "Match User alice")
    login_host.host.start_sshd(match.partition("Match")[0] + "KbdInteractiveAuthentication yes\nPasswordAuthentication no", 2222)
    return login_host


@pytest.fixture(scope="module")
def groups(private):
    GROUPS.mkdir()
    subprocess.run(["mount", "-t", "cgroup2", "none", GROUPS], check=True)
    yield GROUPS
    subprocess.run(["umount", GROUPS], check=True)


@pytest.fixture
def group(groups):
    """A control group that was delegated to deploy-bot, as systemd does for users."""
    directory = groups / ("ksa-test-%d-%d" % (os.stat("/proc/self/ns/pid").st_ino, os.getpid()))
    directory.mkdir()
    for path in (directory, *directory.iterdir()):
        os.chown(path, 1500, 1500)
    yield directory
    (directory / "cgroup.kill").write_text("1")
    wait_until(lambda: "populated 0" in (directory / "cgroup.events").read_text())
    directory.rmdir()


@contextlib.contextmanager
def sudo(group):
    """deploy-bot's own sudo, in the group that is theirs."""
    process = subprocess.Popen([*AS_BOT, "sudo", "-n", "id", "-un"], env=ENVIRONMENT, cwd=BOT_HOME, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
    with process:
        try:
            yield process
        finally:
            (group / "cgroup.kill").write_text("1")


def strike(group, process, how):
    subprocess.run([*AS_BOT, "sh", "-c", STRIKES[how].format(group, process.pid)], stderr=subprocess.DEVNULL, check=False)


def another_login(login_host):
    """Another user's, by ssh."""
    return login_host.host.ssh(login_host.host.token(), user="alice", options=("-p", "2222"))


@pytest.mark.parametrize("how", STRIKES)
def test_a_forged_token_in_ones_own_sudo_held_up_other_logins(rotated, group, how):
    """Its unknown kid was worth a refresh, which its caller could then freeze with the lock in its hand, or kill, so that the
    next one had to wait for 30 seconds."""
    rotated.host.give_token(rotated.host.token(issuer.Key("ES256")))
    rotated.server.hold()
    with sudo(group) as process:
        wait_until(lambda: rotated.server.held.is_set() or process.poll() is not None)
        strike(group, process, how)
        rotated.server.go_on()
        result = another_login(rotated)
        assert result.out == "alice\n", result
    assert rotated.server.counts == {KEYS: 1}


def test_a_login_that_ended_while_it_refreshed_held_up_other_logins(rotated):
    """A client hands its forged token over just before LoginGraceTime ends. sshd then ended the refresh too, which counted as
    an attempt: the next one was made 30 seconds later."""
    plain = Path("/etc/ssh/sshd_config_2222").read_text().partition("\nPort ")[0]
    rotated.host.start_sshd("LoginGraceTime 3\n" + plain, 2223)
    rotated.server.hold()
    result = rotated.host.ssh(rotated.host.token(issuer.Key("ES256")), user="alice", options=("-p", "2223"))
    assert rotated.server.held.is_set() and result.status != 0 and not result.out, result
    rotated.server.go_on()
    result = another_login(rotated)
    assert result.out == "alice\n", result
    assert rotated.server.counts == {KEYS: 1}


def test_sudo_starts_no_refresh(rotated, group):
    """Its refusal names it, ssh brings the key, and sudo has it then."""
    rotated.host.give_token(rotated.host.token())
    result = rotated.host.on_host("sudo -n id -un")
    assert result.status == 1 and result.reasons == ["unknown-kid"] and " refresh=needs-root " in result.lines[0], result
    assert rotated.server.counts == {} and faults.helpers() == [] and list(Path("/run/ksa").iterdir()) == []
    assert another_login(rotated).out == "alice\n"
    assert rotated.host.on_host("sudo -n id -un").out == "root\n"
    assert rotated.server.counts == {KEYS: 1}


@pytest.mark.parametrize("how", ("cgroup.freeze", "SIGSTOP"))
def test_a_frozen_review_held_up_other_logins(rotated, group, how):
    """The review of sudo holds nothing that a refresh or another review waits for."""
    rotated.write("require", keys="api")
    rotated.host.edit(faults.CONFIG, "user = deploy-bot\n", "user = deploy-bot alice\n")
    rotated.write_cache(rotated.cached_set(rotated.host.key))
    rotated.host.give_token(rotated.host.token())
    rotated.server.hold()
    with sudo(group) as process:
        assert rotated.server.held.wait(30)
        strike(group, process, how)
        rotated.server.go_on()
        new = issuer.Key("ES384")
        rotated.server.keys.append(new)
        result = rotated.host.ssh(rotated.host.token(new), user="alice", options=("-p", "2222"))
        assert result.out == "alice\n" and rotated.server.counts[KEYS] == 1 and rotated.server.counts[REVIEW] >= 1, result
