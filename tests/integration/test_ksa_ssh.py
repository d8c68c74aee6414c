# SPDX-License-Identifier: BSD-2-Clause
"""ksa-ssh with a stand-in for ssh that writes down how it was started."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from askpass import make_token

TOOLS = Path(__file__).resolve().parents[2] / "client"
FIRST_OPTIONS = ["-F", str(TOOLS / "ssh_config"), "-o", "PreferredAuthentications=keyboard-interactive,publickey",
                 "-o", "KbdInteractiveAuthentication=yes", "-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"]
STAND_IN = """#!/bin/sh
if [ "$1" = -V ]; then
        echo "$(cat %(folder)s/version)" >&2
        exit
fi
case " $* " in
*' -G '*)
        cat %(folder)s/settings 2>/dev/null
        exit
        ;;
*' -O check '*)
        printf '%%s\\n' "$@" >%(folder)s/checked
        exit "$(cat %(folder)s/master 2>/dev/null || echo 255)"
        ;;
esac
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

    def answer_g(self, text):
        """What ssh -G prints. Without it, it fails."""
        (self.directory / "settings").write_text(text)

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


def test_script_named_ssh_does_not_start_itself_without_end(ssh):
    """As programs need that always run ssh, such as parallel-ssh. It took all processes that its user may have."""
    starts = ssh.directory / "starts"
    ssh.set_program("ssh", '#!/bin/sh\necho >>%s\n[ "$(wc -l <%s)" -lt 9 ] || exit 1\nexec "%s" "$@"\n'
                    % (starts, starts, TOOLS / "ksa-ssh"))
    result = ssh.run("build-7")
    assert result.returncode == 255 and "set KSA_SSH to the path of OpenSSH's ssh" in result.stderr, result
    assert result.stderr.count("\n") == 1 and starts.read_text() == "\n", result


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


def test_relative_path_becomes_absolute(ssh):
    """Programs run ksa-ssh in other directories, and a jump host's ssh too."""
    ssh.run("build-7", KSA_TOKEN_FILE="token")
    assert ssh.environment["KSA_TOKEN_FILE"] == str(ssh.directory / "token")
    ssh.run("build-7", KSA_TOKEN_FILE="/a/token")
    assert ssh.environment["KSA_TOKEN_FILE"] == "/a/token"


@pytest.mark.parametrize("args", [["-F", "/mine", "build-7"], ["-F/mine", "build-7"]])
def test_file_of_options_is_the_callers(ssh, args):
    ssh.run(*args)
    assert ssh.arguments == FIRST_OPTIONS[2:] + args


def test_without_the_file_of_options(ssh):
    alone = ssh.directory / "alone"
    alone.mkdir()
    for name in ("ksa-ssh", "ksa-askpass"):
        shutil.copy(TOOLS / name, alone)
    ssh.run("build-7", script=alone / "ksa-ssh")
    assert ssh.arguments == FIRST_OPTIONS[2:] + ["build-7"]


SETTINGS = "host b\nuser bot\nhostname build-7\nport 22\npubkeyacceptedalgorithms x\n"


def test_looks_at_the_token_before_it_connects(ssh):
    """ssh would send an empty answer, which the host counts as a failed login."""
    ssh.answer_g(SETTINGS)
    result = ssh.run("b", KSA_TOKEN_FILE="missing")
    assert result.returncode == 255 and result.stderr == 'ksa-ssh: KSA_TOKEN_FILE: "%s" does not exist\n' % (ssh.directory / "missing")
    assert not (ssh.directory / "arguments").exists()


@pytest.mark.parametrize("settings, host", [(SETTINGS, "build-7"), (SETTINGS + "hostkeyalias other\nhostkeyalgorithms x\n", "other")])
def test_host_is_the_one_that_ssh_names(ssh, settings, host):
    ssh.answer_g(settings)
    (ssh.directory / "token").write_text(make_token())
    result = ssh.run("b", KSA_TOKEN_FILE="%h")
    assert result.stderr == 'ksa-ssh: KSA_TOKEN_FILE: "%s" does not exist\n' % (ssh.directory / host)


def test_token_for_another_host_is_not_tried(ssh):
    ssh.answer_g(SETTINGS)
    (ssh.directory / "token").write_text(make_token(aud=["ssh://build-8"]))
    result = ssh.run("b", KSA_TOKEN_FILE="token")
    assert result.returncode == 255 and "not for the audience ssh://build-7" in result.stderr
    assert result.stderr.startswith("ksa-ssh: the token is for")


@pytest.mark.parametrize("options", [[], ["-M"], ["-O", "exit"]])
def test_connection_that_is_there_needs_no_token(ssh, options):
    """Ansible's second run uses the master of the first. ssh -M -O check logs in, and with two -O it fails."""
    ssh.answer_g(SETTINGS + "controlpath /run/user/1/a b\nport 22\n")
    (ssh.directory / "master").write_text("0")
    assert ssh.run(*options, "b", KSA_TOKEN_FILE="missing").returncode == 77
    assert (ssh.directory / "checked").read_text().splitlines() == ["-F", "none", "-S", "/run/user/1/a b", "-O", "check", "build-7"]


def test_connection_is_looked_for_only_with_a_control_path(ssh):
    ssh.answer_g(SETTINGS)
    (ssh.directory / "master").write_text("0")
    assert ssh.run("b", KSA_TOKEN_FILE="missing").returncode == 255 and not (ssh.directory / "checked").exists()


@pytest.mark.parametrize("version", ["OpenSSH_8.4p1", "OpenSSH_7.9p1"])
def test_ssh_that_writes_no_host_is_not_looked_at(ssh, version):
    """Before 8.5, whose -G has the option's new name: KSA_AUDIENCE alone decides there."""
    ssh.set_version(version)
    ssh.answer_g(SETTINGS.replace("acceptedalgorithms", "acceptedkeytypes"))
    assert ssh.run("b", KSA_TOKEN_FILE="missing").returncode == 77
    assert ("DISPLAY" in ssh.environment) == ("7.9" in version)


@pytest.mark.parametrize("args", [["-V"], ["-Q", "key"], []])
def test_without_a_host_nothing_is_looked_at(ssh, args):
    assert ssh.run(*args, KSA_TOKEN_FILE="missing").returncode in (0, 77)


def test_check(ssh):
    (ssh.directory / "token").write_text(make_token(payload='{"aud":["ssh://build-7"],"sub":"system:serviceaccount:ci:deployer"}'))
    result = ssh.run("--check", "build-7", KSA_TOKEN_FILE="token")
    assert (result.returncode, result.stdout) == (0, "sends a token of ci/deployer, for ssh://build-7\n"), result
    result = ssh.run("--check", "build-8", KSA_TOKEN_FILE="token")
    assert result.returncode == 1 and "not for the audience ssh://build-8" in result.stderr
    assert ssh.run("--check").returncode == 255
