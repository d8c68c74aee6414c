# SPDX-License-Identifier: BSD-2-Clause
"""Sessions on the private host: shells by ssh that run one command after another, and processes that outlive them."""
import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from host import HOME, wait_until

CONFIG = "/etc/ksa/ksa.conf"
RECORDS = Path("/run/ksa/sessions")
SUDO = "sudo -n id -un"
PORT = 2200  # of an sshd that also accepts keys


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

    def __init__(self, host, config=True):
        self.host = host
        self.shells, self.left_over = [], []
        if config:
            host.edit(CONFIG, "#token = fresh", "token = session")
        host.start_sshd("KbdInteractiveAuthentication yes\nAuthorizedKeysFile /etc/ssh/keys_%u", PORT)
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
        shutil.rmtree(RECORDS, ignore_errors=True)


def tokens_kept():
    return [path.name for path in RECORDS.iterdir() if "\ntoken " in path.read_text()]
