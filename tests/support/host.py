# SPDX-License-Identifier: BSD-2-Clause
"""The private host of packaging/private-host, seen from the tests that run inside it: its
configuration, its log, and ssh and sudo as a client's job uses them."""
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import tty
import uuid
from pathlib import Path

import issuer

SOURCE = Path(__file__).resolve().parents[2]
EXAMPLES = SOURCE / "packaging" / "examples"
LOG = Path("/var/log/auth.log")
OWN_DIRECTORIES = ("/run/ksa", "/var/cache/ksa", "/var/lib/ksa/credentials", "/var/lib/ksa/used")
HOME = Path("/home/job")
ASKPASS = shutil.which("ksa-askpass")
# Ubuntu's ssh (24.04 and later) shows a server's message to a terminal, and logs it below any level in use.
SSH_TELLS_PROGRAMS = b"kbd int inst" not in Path(shutil.which("ssh")).read_bytes()
SHORT_ISSUER = "https://c"


@contextlib.contextmanager
def systemd(enabled=True, masked=False):
    """As on a host where systemd runs, with ksa-keys.timer enabled or not by the real systemctl."""
    running = Path("/run/systemd/system")

    def change(command):
        subprocess.run(["systemctl", "--quiet", "--root=/", command, "ksa-keys.timer"], check=True)

    running.mkdir(parents=True)
    try:
        for command in ["enable"] * enabled + ["mask"] * masked:
            change(command)
        yield
    finally:
        change("unmask")
        change("disable")
        running.rmdir()


class Result:
    """The result of a command, and the log lines of the host meanwhile."""

    def __init__(self, process, log):
        self.status = process.returncode
        self.out = process.stdout.decode(errors="replace")
        self.err = (process.stderr or b"").decode(errors="replace")
        self.log = log

    def __repr__(self):
        return "status %d\nout: %s\nerr: %s\nlog:\n%s" % (self.status, self.out, self.err, "\n".join(self.log))

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        """The lines of our own module."""
        return [line for line in self.log if "pam_ksa(" in line and "): result=" in line]

    @property
    def reasons(self):
        return [re.search(r" reason=([a-z-]+) ", line).group(1) for line in self.lines]

    @property
    def allowed(self):
        return [line for line in self.lines if "result=allow " in line]


class Screen:
    """A terminal to write to, and the written text."""

    def __enter__(self):
        self.reader, self.terminal = pty.openpty()
        tty.setraw(self.terminal)
        self.written = b""
        self.thread = threading.Thread(target=self.read)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.close(self.terminal)
        self.thread.join()
        os.close(self.reader)

    def read(self):
        with contextlib.suppress(OSError):  # the last one that could write has closed it
            while True:
                self.written += os.read(self.reader, 65536)

    def text(self):
        return self.written.decode(errors="replace").replace("\r", "")


class Host:
    def __init__(self):
        self.key = issuer.Key("RS256")
        self.tokens = []
        self.outputs = []
        self.sshds = []

    # --- Files in /etc ---

    def reset(self):
        """As an administrator leaves it after docs/source-build.md: the example files as they are shipped."""
        shutil.rmtree("/etc/ksa")
        os.makedirs("/etc/ksa/conf.d")
        for directory in OWN_DIRECTORIES:
            for entry in Path(directory).iterdir():
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        for name in ("registry", "registry.made"):
            Path("/var/lib/ksa", name).unlink(missing_ok=True)
        self.write_keys(self.key)
        shutil.copy(EXAMPLES / "ksa.conf", "/etc/ksa/ksa.conf")
        for name in ("sshd", "sudo", "sudo-i"):
            shutil.copy(EXAMPLES / "pam.d" / name, "/etc/pam.d/" + name)
        for path in (EXAMPLES / "sudoers.d").iterdir():
            self.write("/etc/sudoers.d/" + path.name, path.read_text(), 0o440)
        shutil.rmtree("/home/deploy-bot/.ksa", ignore_errors=True)

    def write(self, path, text, mode=0o644):
        path = Path(path)
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def write_keys(self, *entries):
        self.write("/etc/ksa/prod.jwks", issuer.jwks(*entries))

    def write_config(self, rules="", host="", cluster=""):
        self.write("/etc/ksa/ksa.conf", "[host]\naudience = ssh://build-7\n%s\n[cluster prod]\nissuer = %s %s\n"
                   "keys = file:/etc/ksa/prod.jwks\n%s\n%s" % (host, issuer.ISSUER, SHORT_ISSUER, cluster, rules))

    def edit(self, path, old, new):
        path = Path(path)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    # --- Tokens ---

    def remember(self, token):
        self.tokens.append(token)
        return token

    def token(self, key=None, **arguments):
        return self.remember(issuer.token(key or self.key, issuer.claims(**arguments)))

    def token_file(self, token, path=HOME / "token", user="job", mode=0o600):
        self.write(path, token + "\n", mode)
        shutil.chown(path, user, user)
        return Path(path)

    def give_token(self, token, mode=0o600, user="deploy-bot"):
        """As the file of deploy-bot that token_file= names."""
        directory = Path("/home/deploy-bot/.ksa")
        directory.mkdir(mode=0o700, exist_ok=True)
        shutil.chown(directory, "deploy-bot", "deploy-bot")
        return self.token_file(token, directory / "token", user, mode)

    # --- The log ---

    def log_size(self):
        self.log_flush()
        return LOG.stat().st_size

    def log_flush(self):
        """Sends a line of our own through /dev/log, and waits until the file has it: then it has
        all lines that were sent before."""
        mark = "mark " + uuid.uuid4().hex
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.connect("/dev/log")
            log.send(mark.encode())
        end, text = time.monotonic() + 30, ""
        with open(LOG, errors="replace") as lines:
            lines.seek(max(0, LOG.stat().st_size - 4096))
            while mark not in text:
                text += lines.read()
                assert time.monotonic() < end, "/dev/log is dead"
                os.sched_yield()

    def log_since(self, size):
        self.log_flush()
        with open(LOG, errors="replace") as lines:
            lines.seek(size)
            return [line.rstrip("\n") for line in lines if "> mark " not in line and not line.startswith("mark ")]

    # --- Commands ---

    def run(self, command, user="job", stdin=b"", timeout=60, cwd=None, screen=False, **environment):
        """Runs COMMAND as USER, with only HOME and PATH in the environment. With SCREEN its standard
        error is a terminal: Ubuntu's ssh shows only there why a login was refused."""
        home = "/root" if user == "root" else "/home/" + user
        size = self.log_size()
        env = {"HOME": home, "PATH": os.environ["PATH"], "USER": user, "LC_ALL": "C.UTF-8"}
        env.update({name: str(value) for name, value in environment.items()})
        command = ["setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--inh-caps=-all"] + command
        with Screen() if screen else contextlib.nullcontext() as stderr:
            process = subprocess.run(command, input=stdin, env=env, timeout=timeout, cwd=cwd or home,
                                     stdout=subprocess.PIPE, stderr=stderr.terminal if screen else subprocess.PIPE)
        result = Result(process, self.log_since(size))
        if screen:
            result.err = stderr.text()
        self.outputs.append(result.out + result.err)
        return result

    def ssh(self, token, command="id -un", user="deploy-bot", options=(), **environment):
        """ksa-ssh with any token: it looks at one in a file before it connects, not at that of a command."""
        path = self.token_file(token)
        return self.run(["ksa-ssh", *options, "-l", user, "build-7", command], screen=True, KSA_TOKEN_COMMAND="cat %s" % path,
                        **environment)

    def type(self, answers, user="deploy-bot", command="id -un", options=(), method="keyboard-interactive"):
        """ssh whose SSH_ASKPASS gives ANSWERS in turn, to any prompt, and the last one again. Returns the
        result and the prompts."""
        directory = HOME / "typed"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for number, answer in enumerate(answers, 1):
            (directory / str(number)).write_text(answer)
        (directory / "hand").write_text(
            '#!/bin/sh\ncd %s\nprintf "%%s\\n" "$1" >>prompts\nn=$(wc -l <prompts)\n'
            'while [ ! -e $n ]; do n=$((n - 1)); done\n'
            'printf "%%s\\n" "$(cat $n)" 2>/dev/null\nexit 0\n' % directory)
        (directory / "hand").chmod(0o755)
        shutil.chown(directory, "job", "job")
        result = self.run(["ssh", "-o", "PreferredAuthentications=" + method,
                           "-o", "KbdInteractiveAuthentication=yes", "-o", "NumberOfPasswordPrompts=1",
                           *options, "-l", user, "build-7", command],
                          SSH_ASKPASS=directory / "hand", SSH_ASKPASS_REQUIRE="force")
        prompts = directory / "prompts"
        return result, prompts.read_text().splitlines() if prompts.exists() else []

    def on_host(self, command, user="deploy-bot", **environment):
        """A command of a user who is logged in to the host."""
        return self.run(["sh", "-c", command], user=user, **environment)

    def start_sshd(self, text, port, before=()):
        """One more sshd, for a configuration that is not the shipped one; BEFORE is the command that starts it."""
        config = self.write("/etc/ssh/sshd_config_%d" % port, text + "\nPort %d\nUsePAM yes\nPidFile /run/sshd-%d.pid\n"
                            % (port, port))
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        subprocess.run([*before, sshd, "-f", config], check=True)
        pid = Path("/run/sshd-%d.pid" % port)
        wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"))  # it listens then
        self.sshds.append(pid)

    def stop_sshds(self):
        for path in self.sshds:
            number = int(path.read_text())
            os.kill(number, signal.SIGTERM)
            wait_until(lambda: not os.path.exists("/proc/%d" % number))
            path.unlink(missing_ok=True)
        self.sshds = []


def wait_until(condition, seconds=30):
    """Waits until another process has met CONDITION; the time is a limit, not a measure."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        os.sched_yield()


def field(line, name):
    """A field of a log line, without its quotes; None if the line has no such field."""
    found = re.search(r' %s=(?:"([^"]*)"|(\S+))' % name, line)
    return found and (found.group(1) if found.group(1) is not None else found.group(2))


class ProcessWatch(threading.Thread):
    """Reads the arguments and environment of every process, over and over, for as long as it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = set()
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    for name in ("cmdline", "environ"):
                        try:
                            with open("/proc/%s/%s" % (entry, name), "rb") as text:
                                self.seen.add(text.read())
                        except OSError:
                            pass

    def stop(self):
        self.over.set()
        self.join()
        return self.seen
