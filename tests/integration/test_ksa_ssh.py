# SPDX-License-Identifier: BSD-2-Clause
"""ksa-ssh with a stand-in for ssh that writes down how it was started."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "client"
FIRST_OPTIONS = ["-o", "PreferredAuthentications=keyboard-interactive,publickey", "-o", "KbdInteractiveAuthentication=yes",
                 "-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]
STAND_IN = """#!/bin/sh
if [ "$1" = -V ]; then
        echo "$(cat %(folder)s/version)" >&2
        exit
fi
printf '%%s\\n' "$@" >%(folder)s/arguments
env >%(folder)s/environment
cut -d ' ' -f 6 /proc/$$/stat >%(folder)s/session
exit 77
"""


class Ssh:
    def __init__(self, shell, directory):
        self.shell = shell
        self.directory = directory
        self.programs = directory / "bin"
        self.programs.mkdir()
        self.set_program("ssh", STAND_IN % {"folder": directory})
        self.set_version("OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.15")

    def set_program(self, name, text):
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def set_version(self, version):
        (self.directory / "version").write_text(version + "\n")

    def run(self, *args, script=TOOLS / "ksa-ssh", cwd=None, **environment):
        env = {"PATH": "%s:%s" % (self.programs, os.environ["PATH"]), **environment}
        return subprocess.run([*self.shell, str(script), *args], env=env, cwd=cwd or self.directory, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)

    @property
    def arguments(self):
        return (self.directory / "arguments").read_text().splitlines()

    @property
    def environment(self):
        return dict(line.split("=", 1) for line in (self.directory / "environment").read_text().splitlines())

    @property
    def session(self):
        return int((self.directory / "session").read_text())


@pytest.fixture(params=["dash", "bash --posix", "busybox ash"])
def ssh(request, tmp_path):
    args = request.param.split()
    return Ssh([shutil.which(args[0])] + args[1:], tmp_path)


def test_arguments_come_after_ours(ssh):
    """The first value of an option wins in ssh: Ansible puts -o KbdInteractiveAuthentication=no."""
    args = ["-o", "KbdInteractiveAuthentication=no", "-l", "bot", "build-7", "echo  'a b' $HOME *", ""]
    result = ssh.run(*args)
    assert result.returncode == 77 and result.stdout == result.stderr == ""
    assert ssh.arguments == FIRST_OPTIONS + args


def test_askpass_is_the_one_beside_it(ssh):
    ssh.set_program("ksa-askpass", "#!/bin/sh\n")
    ssh.run("build-7", SSH_ASKPASS="/usr/bin/other", SSH_ASKPASS_REQUIRE="never")
    assert ssh.environment["SSH_ASKPASS"] == str(TOOLS / "ksa-askpass")
    assert ssh.environment["SSH_ASKPASS_REQUIRE"] == "force"


def test_called_by_a_relative_path(ssh):
    ssh.run("build-7", script="client/ksa-ssh", cwd=TOOLS.parent)
    assert ssh.environment["SSH_ASKPASS"] == str(TOOLS / "ksa-askpass")


def test_askpass_in_path(ssh):
    alone = ssh.directory / "alone"
    alone.mkdir()
    shutil.copy(TOOLS / "ksa-ssh", alone)
    ssh.set_program("ksa-askpass", "#!/bin/sh\n")
    assert ssh.run("build-7", script=alone / "ksa-ssh").returncode == 77
    assert ssh.environment["SSH_ASKPASS"] == str(ssh.programs / "ksa-askpass")


def test_no_askpass(ssh):
    alone = ssh.directory / "alone"
    alone.mkdir()
    shutil.copy(TOOLS / "ksa-ssh", alone)
    result = ssh.run("build-7", script=alone / "ksa-ssh", PATH="%s:/nonexistent" % ssh.programs)
    assert result.returncode == 255 and "ksa-askpass is neither in the directory of ksa-ssh nor in PATH" in result.stderr


def test_no_ssh(ssh):
    result = ssh.run("build-7", PATH="%s" % ssh.directory)
    assert result.returncode == 255 and "ssh is not installed" in result.stderr


@pytest.mark.parametrize("value", ["/nonexistent/ssh", "ssh -v", "ssh # mine", "{{ ssh }}"])
def test_variable_that_names_no_program(ssh, value):
    result = ssh.run("build-7", KSA_SSH=value)
    assert result.returncode == 255 and result.stderr.startswith("ksa-ssh: KSA_SSH: "), result


def test_another_ssh(ssh):
    ssh.set_program("other-ssh", "#!/bin/sh\n[ \"$1\" = -V ] || exit 78\n")
    assert ssh.run("build-7", KSA_SSH="other-ssh").returncode == 78


@pytest.mark.parametrize("version", ["OpenSSH_8.3p1, OpenSSL 1.1.1", "OpenSSH_8.0p1", "OpenSSH_7.9p1"])
def test_ssh_before_8_4_asks_through_askpass(ssh, version):
    """It knows no SSH_ASKPASS_REQUIRE: it needs a DISPLAY, and no terminal to ask on."""
    ssh.set_version(version)
    assert ssh.run("build-7").returncode == 77
    assert ssh.arguments == FIRST_OPTIONS + ["build-7"]
    assert ssh.environment["DISPLAY"] != "" and ssh.session != os.getsid(0)
    ssh.run("build-7", DISPLAY=":7")
    assert ssh.environment["DISPLAY"] == ":7"


@pytest.mark.parametrize("version", ["OpenSSH_8.4p1 Debian-5", "OpenSSH_9.2p1", "OpenSSH_10.0p2"])
def test_ssh_from_8_4_on_keeps_its_terminal(ssh, version):
    ssh.set_version(version)
    ssh.run("build-7")
    assert "DISPLAY" not in ssh.environment and ssh.session == os.getsid(0)
