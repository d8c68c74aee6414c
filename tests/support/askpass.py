# SPDX-License-Identifier: BSD-2-Clause
"""A client of ksa-askpass, on each shell it must run on. The ssh that asks is tests/integration/asking_ssh.c: it is
the parent of all parts, and has the version that a test gives it."""
import base64
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path


SOURCE = Path(__file__).resolve().parents[2]
TOOLS = SOURCE / "client"
PROGRAMS = ["base64", "cat", "cut", "date", "dirname", "grep", "ls", "mktemp", "readlink", "rm", "sed", "sh", "tr", "uname"]
HOST = "(bot@build-7) "
AUDIENCE = "ssh://build-7"
FIRST = "Service account token as password: "


def prompt(part, host=HOST):
    return host + (FIRST if part == 1 else "Service account token part %d as password: " % part)


def old_prompt(part, host=HOST):
    """Of a pam_ksa before the prompt ended in "password: "."""
    return host + "Service account token" + (": " if part == 1 else " (part %d): " % part)


def base64url(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def make_token(length=1205, aud=(AUDIENCE,), payload=None, fill="s"):
    """In the shape of a token; its signature is not checked."""
    if payload is None:
        payload = json.dumps({"aud": list(aud), "exp": 1, "sub": "system:serviceaccount:ci:deployer"},
                             separators=(",", ":"))
    signed = base64url('{"alg":"RS256","kid":"k"}') + "." + base64url(payload) + "."
    assert len(signed) < length
    return signed + fill * (length - len(signed))


class Asker:
    """One run of the ssh that asks."""

    def __init__(self, program, directory):
        self.directory = directory
        self.process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        universal_newlines=True)

    def ask(self, command, env):
        """Starts a child that runs COMMAND with only ENV."""
        script, out, err = (self.directory / ("asked." + name) for name in ("sh", "out", "err"))
        words = ["/usr/bin/env", "-i", *("%s=%s" % pair for pair in env.items()), *command]
        script.write_text("umask 0\nexec %s </dev/null >%s 2>%s\n" % (shlex.join(words), out, err))
        self.process.stdin.write("%s\n" % script)
        self.process.stdin.flush()
        status = os.waitstatus_to_exitcode(int(self.process.stdout.readline()))
        return subprocess.CompletedProcess(command, status, out.read_text(), err.read_text())

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)


class Client:
    """A user with a token in a file and an ssh of VERSION."""

    def __init__(self, shell, directory, ssh):
        self.shell = shell
        self.directory = directory
        self.runtime = directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.programs = directory / "bin"
        self.programs.mkdir()
        for name in PROGRAMS:
            (self.programs / name).symlink_to(shutil.which(name))
        self.ssh = self.programs / "ssh"
        shutil.copy(ssh, self.ssh)
        self.set_ssh_version("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.15")
        self.askers = []
        self.asker = self.another_ssh()
        self.token_file = directory / "token"
        self.env = {"PATH": str(self.programs), "XDG_RUNTIME_DIR": str(self.runtime),
                    "KSA_TOKEN_FILE": str(self.token_file)}
        self.give(make_token())

    def give(self, token):
        self.token = token
        self.token_file.write_text(token + "\n")

    def set_program(self, name, text):
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    def set_ssh_version(self, version):
        self.ssh.with_name("ssh.version").write_text(version + "\n")

    def another_ssh(self, program=None):
        self.askers.append(Asker(program or self.ssh, self.directory))
        return self.askers[-1]

    def sudo(self, name="sudo"):
        """One that asks as sudo -A does."""
        return self.another_ssh(shutil.copy(self.ssh, self.programs / name))

    def end(self):
        for asker in self.askers:
            asker.end()

    def run(self, *words, asker=None, through=None, wrapper=(), **environment):
        """Asked by ASKER, which runs WRAPPER, or by the command THROUGH, which is not ssh (with [], by this process)."""
        env = {**self.env, **environment}
        env = {name: str(value) for name, value in env.items() if value is not None}
        command = [*self.shell, str(TOOLS / "ksa-askpass"), *words]
        if through is None:
            return (asker or self.asker).ask([*wrapper, *command], env)
        return subprocess.run([*through, *command], env=env, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)

    def answer(self, words, **environment):
        """The answer, which must be given."""
        result = self.run(words, **environment)
        assert result.returncode == 0 and result.stderr == "", result
        assert result.stdout.endswith("\n")
        return result.stdout[:-1]

    def log_in(self, host=HOST, **environment):
        """As ssh does with pam_ksa on the other side: asks on while an answer is of 500 bytes."""
        answers = [self.answer(prompt(1, host), **environment)]
        while len(answers[-1]) == 500:
            answers.append(self.answer(prompt(len(answers) + 1, host), **environment))
        return answers

    def refused(self, *words, **environment):
        """The error text of a prompt that must get no answer."""
        result = self.run(*words, **environment)
        assert result.returncode == 1 and result.stdout == "", result
        assert result.stderr.startswith("ksa-askpass: ") and result.stderr.count("\n") == 1
        assert self.token[-40:] not in result.stderr
        return result.stderr

    def kept_name(self, asker=None, start=None):
        """The begin of the name of the directory that keeps a token between parts."""
        pid = (asker or self.asker).process.pid
        return "ksa-askpass-%d-%d-%s-%s." % (os.getuid(), pid, start or start_of(pid), start_of(1))

    def kept(self, place=None):
        return sorted((place or self.runtime).iterdir())


def start_of(pid):
    return Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[19]
