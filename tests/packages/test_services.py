# SPDX-License-Identifier: BSD-2-Clause
"""With the profile enabled: services that no rule names, as before. Each uses the stacks that the profile changed."""
import os
import pty
import select
import shutil
import time
from pathlib import Path

import life
import pam

STACK = Path("/etc/pam.d/gdm-password")
RIGHT, WRONG = "correct horse", "wrong"


class Terminal:
    """A program at a terminal of its own, as getty starts login."""

    def __init__(self, *command):
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {"TERM": "dumb", "PATH": os.environ["PATH"]})

    def wait_for(self, *parts):
        """Reads until one of PARTS is there, and returns it; what came after it is still to be read."""
        end = time.monotonic() + 60
        while not any(part in self.text for part in parts):
            assert time.monotonic() < end and select.select([self.master], [], [], 60)[0], self.text
            try:
                self.text += os.read(self.master, 4096).decode()
            except OSError:  # login hangs the terminal up before it opens it again
                assert os.waitpid(self.pid, os.WNOHANG) == (0, 0), self.text
        part = next(part for part in parts if part in self.text)
        seen, self.text = self.text.split(part, 1)
        assert "token" not in seen, seen
        return part

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def end(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.master)


def test_login_at_a_terminal_asks_for_the_password_alone():
    for password, answer in ((WRONG, "Login incorrect"), (RIGHT, "alice 4242")):
        terminal = Terminal("login")
        terminal.wait_for("login: ")
        terminal.type("alice")
        terminal.wait_for("Password: ")
        terminal.type(password)
        if password == RIGHT:
            terminal.wait_for("$ ")
            terminal.type("echo $(id -un) $((4200 + 42))")
        assert terminal.wait_for("Login incorrect", "alice 4242") == answer
        terminal.end()


def test_su_asks_for_the_password_of_the_user():
    right = life.as_user("job", "timeout 60 su alice -c 'id -un'", RIGHT + "\n")
    assert right.stdout == "alice\n" and "token" not in right.stderr, right
    wrong = life.as_user("job", "timeout 60 su alice -c 'id -un'", WRONG + "\n")
    assert wrong.returncode != 0 and wrong.stdout == "", wrong
    assert life.run("su", "-", "deploy-bot", "-c", "id -un").stdout == "deploy-bot\n"


def test_cron_runs_jobs():
    """Also of a user of the rules: cron's service is none of theirs."""
    for user in ("alice", "deploy-bot"):
        fifo = "/run/cron-of-" + user
        os.mkfifo(fifo)
        shutil.chown(fifo, user)
        life.run("crontab", "-u", user, "-", stdin="@reboot id -un >%s\n" % fifo)
        Path("/run/crond.reboot").unlink(missing_ok=True)
        life.run("systemctl", "restart", "cron")
        assert life.run("timeout", "60", "cat", fifo).stdout == user + "\n"
        life.run("crontab", "-u", user, "-r")
        os.unlink(fifo)


def test_gdm_asks_for_the_password_alone():
    """A stack of Debian's gdm3, which has common-auth in its middle."""
    shutil.copy(Path(__file__).with_name("gdm-password"), STACK)
    phases = ("authenticate", "acct_mgmt", "setcred")
    try:
        right = pam.attempt("/etc/pam.d", "gdm-password", "alice", answers=[RIGHT], phases=phases)
        wrong = pam.attempt("/etc/pam.d", "gdm-password", "alice", answers=[WRONG], phases=phases[:1])
        bot = pam.attempt("/etc/pam.d", "gdm-password", "deploy-bot", answers=[WRONG], phases=phases[:1])
    finally:
        STACK.unlink()
    assert right["codes"] == {phase: "SUCCESS" for phase in phases} and right["prompts"] == ["Password: "], right
    for result in (wrong, bot):
        assert result["codes"] == {"authenticate": "AUTH_ERR"} and result["prompts"] == ["Password: "], result
