# SPDX-License-Identifier: BSD-2-Clause
"""sudo by the session: inside an ssh session that a token opened, sudo needs no other secret (token = session)."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import issuer
from host import HOME, field, wait_until

CONFIG = "/etc/ksa/ksa.conf"
RECORDS = Path("/run/ksa/sessions")
SUDO = "sudo -n id -un"
PORT = 2200  # of an sshd that also accepts keys
AS_BOT = ["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--init-groups"]


class Shell:
    """A shell on the host, by ssh, that runs one command after another."""

    def __init__(self, host, command, **environment):
        self.host = host
        environment = {"HOME": str(HOME), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment}
        self.process = subprocess.Popen(["setpriv", "--reuid=job", "--regid=job", "--init-groups", *command], cwd=HOME, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.id = int(self.run("cat /proc/self/sessionid"))

    def run(self, command):
        """Its output and errors."""
        self.process.stdin.write(("{ %s; } 2>&1; echo \"| $?\"\n" % command).encode())
        self.process.stdin.flush()
        lines = []
        while not lines or not re.search(r"\| \d+\n$", lines[-1]):
            line = self.process.stdout.readline().decode()
            assert line, "the session has ended: %s" % self.process.stderr.read().decode()
            lines.append(line)
        return re.sub(r"\| \d+\n$", "", "".join(lines)).strip()

    def sudo(self, command=SUDO):
        """What sudo prints, and the reasons in the log."""
        size = self.host.log_size()
        text = self.run(command)
        return text, [line for line in self.host.log_since(size) if "pam_ksa(" in line and "result=" in line]

    def denied(self, command=SUDO):
        text, lines = self.sudo(command)
        assert not text.startswith("root") and "\nroot" not in text, (text, lines)
        return [re.search(r" reason=([a-z-]+) ", line).group(1) for line in lines]

    def allowed(self, command=SUDO):
        text, lines = self.sudo(command)
        assert text.splitlines()[-1:] == ["root"], (text, lines)
        return lines

    def monitor(self):
        """sshd's process for the connection: it opened the session."""
        return int(re.search(r"^sshd (\d+) ", self.record(), re.M).group(1))

    def record(self):
        return (RECORDS / str(self.id)).read_text()

    def background(self):
        """Starts a process that survives the session, and runs what is written to a FIFO, with its result in a file."""
        place = Path("/home/deploy-bot/left-over-%d" % self.id)
        self.run("mkdir {0} && mkfifo {0}/in && (setsid sh -c 'while read line <{0}/in; do sh -c \"$line\" >{0}/new 2>&1 </dev/null; "
                 "mv {0}/new {0}/out; done' >/dev/null 2>&1 </dev/null &)".format(place))
        return LeftOver(self.host, place)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()


class LeftOver:
    def __init__(self, host, place):
        self.host, self.place = host, place

    def run(self, command=SUDO):
        size = self.host.log_size()
        (self.place / "out").unlink(missing_ok=True)
        (self.place / "in").write_text(command + "\n")
        wait_until(lambda: (self.place / "out").exists())
        text = (self.place / "out").read_text()
        lines = [line for line in self.host.log_since(size) if "pam_ksa(" in line and "result=" in line]
        return text.strip(), [re.search(r" reason=([a-z-]+) ", line).group(1) for line in lines]

    def end(self):
        (self.place / "in").write_text("kill $PPID\n")
        wait_until(lambda: not pids_with(str(self.place)))
        shutil.rmtree(self.place)


def pids_with(text):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text in path.read_text(errors="replace") and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
    return found


def alive(pid):
    try:
        return Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Sessions:
    """A host whose rule for sudo has token = session, and an sshd that also accepts keys."""

    def __init__(self, host):
        self.host = host
        self.shells, self.left_over = [], []
        host.edit(CONFIG, "#token = fresh", "token = session")
        host.start_sshd("KbdInteractiveAuthentication yes\nAuthorizedKeysFile /etc/ssh/keys_%u\n"
                        "Subsystem sftp internal-sftp", PORT)
        keys = host.write("/etc/ssh/keys_deploy-bot", (HOME / ".ssh/id_ed25519.pub").read_text())
        keys.chmod(0o644)

    def token_shell(self, token=None, options=(), user="deploy-bot", port=22):
        path = self.host.token_file(token or self.host.token(), HOME / ("token-%d" % len(self.shells)))
        shell = Shell(self.host, ["ksa-ssh", "-p", str(port), *options, "-l", user, "build-7", "sh"], KSA_TOKEN_COMMAND="cat %s" % path)
        self.shells.append(shell)
        return shell

    def key_shell(self, options=(), port=PORT):
        shell = Shell(self.host, ["ssh", "-p", str(port), "-o", "PreferredAuthentications=publickey", "-i", HOME / ".ssh/id_ed25519",
                                  *options, "-l", "deploy-bot", "build-7", "sh"])
        self.shells.append(shell)
        return shell

    def end(self):
        for shell in self.shells:
            if shell.process.poll() is None:
                with contextlib.suppress(OSError):
                    shell.process.stdin.close()
                try:
                    shell.process.wait(10)
                except subprocess.TimeoutExpired:
                    shell.process.kill()
                    shell.process.wait()
        for left in self.left_over:
            left.end()


@pytest.fixture
def sessions(host):
    found = Sessions(host)
    yield found
    found.end()
    shutil.rmtree(RECORDS, ignore_errors=True)


def tokens_kept():
    return [path.name for path in RECORDS.iterdir() if "\ntoken " in path.read_text()]


# --- The way of a bot ---

def test_sudo_in_the_session_needs_no_other_secret(sessions):
    size = sessions.host.log_size()
    shell = sessions.token_shell()
    (login,) = [line for line in sessions.host.log_since(size) if "result=allow " in line]
    (line,) = shell.allowed()
    assert " how=session session=%d login_ref=%s " % (shell.id, field(login, "ref")) in line, line
    assert field(line, "rule") == "deploy-sudo" and field(line, "rhost") == "127.0.0.1" and field(line, "jti") == field(login, "jti")
    other = sessions.key_shell()  # of the same user, at the same time
    assert other.denied() == ["no-session-record"]
    shell.allowed()


def test_kinds_of_sudo_and_of_processes(sessions):
    shell = sessions.token_shell()
    for command in ("sudo -n -i id -un", "setsid -w " + SUDO, "(nohup %s)" % SUDO, "sh -c '(%s)'" % SUDO,
                    "sudo -n sh -c 'sudo -u deploy-bot sudo -n id -un'", "SUDO_ASKPASS=/bin/false sudo -A id -un"):
        shell.allowed(command)
    # The session of another user in it, and one of its own.
    assert shell.denied("sudo -n -u alice sudo -n id -un") != ["ok", "ok"]


def test_handle_is_in_no_environment_and_no_log(sessions):
    shell = sessions.token_shell()
    assert "KSA_JTI" in shell.run("env") and "HANDLE" not in shell.run("env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")
    assert "HANDLE" not in Path("/var/log/auth.log").read_text()
    assert "\ntoken " in shell.record() and list(RECORDS.glob("pending-*")) == []
    assert shell.run("cat %s/* || ls /run/ksa" % RECORDS).count("Permission denied") == 2


def test_rule_without_the_option(sessions):
    """The record of a login that no rule could use is not written; and one that none can use any more is not read."""
    shell = sessions.token_shell()
    sessions.host.edit(CONFIG, "token = session", "token = fresh")
    assert shell.denied() == ["conversation-failed"]
    other = sessions.token_shell()
    assert not (RECORDS / str(other.id)).exists() and other.denied() == ["conversation-failed"]


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
