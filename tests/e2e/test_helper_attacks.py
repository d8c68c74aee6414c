# SPDX-License-Identifier: BSD-2-Clause
"""ksa-fetch as a real sshd and a real sudo start it, inspected while the API server keeps it waiting; and
attempts of the caller of sudo on it meanwhile. It is never the caller's, nor sshd's way in."""
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

import pytest

import faults
import host as private_host
import issuer
from api_double import BEARER
from host import wait_until

BOT_HOME = Path("/home/deploy-bot")
AS_BOT = ["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--init-groups", "--inh-caps=-all"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": str(BOT_HOME), "USER": "deploy-bot"}


class Login:
    """A login that runs, and whose ksa-fetch waits for the held answer."""

    def __init__(self, login_host, command, **arguments):
        login_host.server.hold()
        self.login_host, self.size = login_host, login_host.host.log_size()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        **{"env": ENVIRONMENT, **arguments})

    def __enter__(self):
        assert self.login_host.server.held.wait(30), self.process.communicate(timeout=30)
        self.helper, = faults.helpers(b"ksa-fetch")
        return self

    def __exit__(self, *_):
        self.login_host.server.go_on()
        with self.process:
            self.process.kill()

    def end(self):
        """Lets it end; its result, as host.run() has it."""
        self.login_host.server.go_on()
        out, err = self.process.communicate(timeout=60)
        done = subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)
        wait_until(lambda: faults.helpers() == [])
        return private_host.Result(done, self.login_host.host.log_since(self.size))


def sudo(login_host, *options, command=("id", "-un"), **arguments):
    return Login(login_host, [*AS_BOT, "sudo", "-n", *options, *command], cwd=BOT_HOME, **arguments)


def ssh(login_host, **arguments):
    """As the job, whose token is in a file."""
    path = login_host.host.token_file(login_host.host.token())
    env = {"PATH": os.environ["PATH"], "HOME": "/home/job", "USER": "job", "KSA_TOKEN_FILE": str(path)}
    return Login(login_host, ["setpriv", "--reuid=job", "--regid=job", "--init-groups", "ksa-ssh", "-l", "deploy-bot", "build-7", "id -un"],
                 env=env, **arguments)


def status_of(pid):
    lines = Path("/proc/%d/status" % pid).read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def parent_of(pid):
    return int(status_of(pid)["PPid"][0])


def starter_of(pid):
    """The process that started it: the parent of its keeper, which is root wholly and has no descriptor."""
    keeper = parent_of(pid)
    assert status_of(keeper)["Uid"] == ["0"] * 4 and os.listdir("/proc/%d/fd" % keeper) == []
    return parent_of(keeper)


def assert_started_well(pid, name):
    """As a daemon starts a program: nothing of the host program, nor of its caller, is in it."""
    directory, status = Path("/proc/%d" % pid), status_of(pid)
    assert status["Umask"] == ["0077"] and status["Groups"] == []
    for signals in ("SigBlk", "SigIgn", "ShdPnd"):
        assert int(status[signals][0], 16) == 0, signals
    assert sorted((directory / "environ").read_bytes().strip(b"\0").split(b"\0")) == [b"LANG=C", b"PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    assert (directory / "cmdline").read_bytes().split(b"\0")[0] == name and os.readlink(directory / "cwd") == "/"
    assert os.getsid(pid) == pid and int((directory / "stat").read_text().rpartition(")")[2].split()[4]) == 0  # no terminal
    assert_descriptors(pid)


def assert_harmless(pid):
    """ksa-fetch: it is the user _ksa for good, and can do next to nothing."""
    ksa_user, directory, status = pwd.getpwnam("_ksa"), Path("/proc/%d" % pid), status_of(pid)
    assert_started_well(pid, b"ksa-fetch")
    assert status["Uid"] == [str(ksa_user.pw_uid)] * 4 and status["Gid"] == [str(ksa_user.pw_gid)] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name][0], 16) == 0, name
    assert status["NoNewPrivs"] == ["1"] and os.readlink(directory / "exe") == str(faults.FETCH)
    # it is not dumpable: its files in /proc belong to root, so that its own user cannot read them
    assert (directory / "environ").stat().st_uid == 0
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (directory / "limits").read_text().splitlines()[1:]}
    assert limits["Max core file size"] == limits["Max file size"] == ["0", "0"]
    assert limits["Max open files"] == ["64", "64"] and limits["Max cpu time"] == ["120", "120"]


def descriptors(pid):
    kinds = {}
    try:
        for entry in Path("/proc/%d/fd" % pid).iterdir():
            kinds[int(entry.name)] = os.readlink(entry)
    except OSError:  # it has ended, or closed one
        pass
    return kinds


def assert_descriptors(pid):
    """0 and 1 are the socket, 2 is /dev/null. The others are its own, and none of
    another process: sshd's PAM child holds the monitor's socket, and a process that can write to it is admitted."""
    kinds = descriptors(pid)
    assert kinds[0] == kinds[1] and kinds[0].startswith("socket:") and kinds[2] == "/dev/null", kinds
    assert all(kind.startswith(("socket:", "anon_inode:", "/run/ksa/")) for number, kind in kinds.items() if number > 2), kinds
    processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != pid]
    elsewhere = {kind for other in processes for kind in descriptors(other).values() if kind.startswith("socket:")}
    assert elsewhere and not elsewhere & set(kinds.values()), kinds


def assert_no_libcurl(pid):
    maps = Path("/proc/%d/maps" % pid).read_text()
    assert "pam_ksa.so" in maps and "libcurl" not in maps


def test_in_sshd(reviewed):
    with ssh(reviewed) as login:
        number = starter_of(login.helper)
        parent = status_of(number)
        assert_no_libcurl(number)
        assert parent["Name"][0].startswith("sshd") and parent["Uid"][0] == "0"
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "deploy-bot\n" and " review=require " in result.allowed[0], result


def test_in_sudo(reviewed):
    with sudo(reviewed) as login:
        number = starter_of(login.helper)
        parent = status_of(number)
        assert_no_libcurl(number)
        assert parent["Name"] == ["sudo"] and parent["Uid"][:2] == ["1500", "0"]
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n" and " review=require " in result.allowed[0], result


def test_a_refresh(reviewed):
    """ksactl, which keeps the key set, is root wholly, and has as little of its caller; its ksa-fetch is as any."""
    reviewed.write("never", keys="api")
    reviewed.write_cache(reviewed.cached_set(issuer.Key("ES256")))
    with ssh(reviewed) as login:
        refresher = starter_of(login.helper)
        assert set(faults.helpers(b"ksactl")) == {refresher, parent_of(login.helper)}
        status = status_of(refresher)
        assert status["Uid"] == status["Gid"] == ["0"] * 4
        assert_started_well(refresher, b"ksactl")
        assert status_of(starter_of(refresher))["Name"][0].startswith("sshd")
        assert_harmless(login.helper)
        assert reviewed.host.key.kid.encode() not in faults.CACHE.read_bytes()
        result = login.end()
    assert result.out == "deploy-bot\n" and reviewed.host.key.kid.encode() in faults.CACHE.read_bytes(), result


def test_in_sudo_with_askpass(reviewed):
    (BOT_HOME / ".ksa/token").unlink()
    path = reviewed.host.token_file(reviewed.host.token(), BOT_HOME / "job-token", "deploy-bot")
    env = dict(ENVIRONMENT, SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=str(path), KSA_AUDIENCE="ssh://build-7")
    with Login(reviewed, [*AS_BOT, "sudo", "-A", "id", "-un"], env=env, cwd=BOT_HOME) as login:
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n", result


@pytest.mark.parametrize("start", (ssh, sudo))
def test_it_dies_with_the_login(reviewed, start):
    with start(reviewed) as login:
        os.kill(starter_of(login.helper), signal.SIGKILL)
        wait_until(lambda: faults.helpers() == [], 10)  # long before its own time has ended


def test_the_caller_cannot_touch_it(reviewed):
    """In sudo the real uid is the caller's: the caller may not signal, trace or read it."""
    with sudo(reviewed) as login:
        attempts = ("kill -0 %d", "kill -STOP %d", "kill -KILL %d", "cat /proc/%d/environ", "cat /proc/%d/maps", "ls /proc/%d/fd",
                    "cat /proc/%d/mem")
        for attempt in attempts:
            tried = subprocess.run([*AS_BOT, "sh", "-c", attempt % login.helper], capture_output=True)
            assert tried.returncode != 0 and tried.stdout == b"", (attempt, tried)
        assert login.end().out == "root\n"


def test_a_caller_who_stops_his_sudo_holds_nobody_up(reviewed):
    """No lock is held meanwhile; and when the caller continues, so does their login."""
    with sudo(reviewed) as login:
        stop = subprocess.run([*AS_BOT, "kill", "-STOP", str(login.process.pid)], check=False)
        assert stop.returncode == 0
        wait_until(lambda: status_of(login.process.pid)["State"][0] == "T")
        reviewed.server.go_on()
        assert reviewed.host.ssh(reviewed.host.token()).out == "deploy-bot\n"
        assert reviewed.host.on_host("sudo -n id -un").out == "root\n"
        subprocess.run([*AS_BOT, "kill", "-CONT", str(login.process.pid)], check=True)
        result = login.end()
    assert result.out == "root\n", result


def test_a_caller_who_stops_his_sudo_too_long_is_refused(reviewed):
    """The caller's time goes by, and no other user's."""
    reviewed.timeout = 1
    reviewed.write("require")
    with sudo(reviewed) as login:
        login.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: status_of(login.process.pid)["State"][0] == "T")
        time.sleep(1.1)
        login.process.send_signal(signal.SIGCONT)
        login.process.wait(timeout=30)
        result = login.end()
    assert result.status == 1 and result.reasons == ["api-timeout"], result


def test_the_credential_is_in_no_process_that_others_can_read(reviewed):
    """Not in arguments, not in environments: of any process, while the helper holds it."""
    with sudo(reviewed):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                for name in ("cmdline", "environ"):
                    assert BEARER.encode() not in (entry / name).read_bytes(), entry
