# SPDX-License-Identifier: BSD-2-Clause
"""sshd of OpenSSH 9.8 and later refuses an address for a while after refused logins (PerSourcePenalties). With an
older sshd these tests are skipped; on a Debian 13 host they run by

    tests/support/run-on trixie tests/e2e/test_penalties.py

tests/run does so for all of e2e.
"""
import re
import shutil
import subprocess

import pytest

from host import EXAMPLES, HOME

PORT = 2222
TOKENS = "Include %s\n" % (EXAMPLES / "sshd_config.d" / "ksa.conf")
PENALTIES = "Include %s\n" % (EXAMPLES / "sshd_config.d" / "ksa-penalties.conf")


def sshd_version():
    """9.2 is before 9.8: the option -V is newer than that, and an older sshd prints its version with its usage."""
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    said = subprocess.run([sshd, "-V"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said.stdout)
    return tuple(map(int, found.groups()))


pytestmark = pytest.mark.skipif(
    sshd_version() < (9, 8),
    reason="sshd is older than 9.8: on a Debian 13 host, tests/support/run-on trixie tests/e2e/test_penalties.py")


def retry(host, times=16, together=4):
    """A bot that logs in again and again, with a token that the host refuses. Returns how often it was asked for it."""
    path = host.token_file(host.token())
    size = host.log_size()
    for _ in range(times // together):
        bots = [subprocess.Popen(
            ["setpriv", "--reuid=job", "--regid=job", "--init-groups", "ksa-ssh", "-p", str(PORT), "-l", "deploy-bot",
             "build-7", "true"], env={"HOME": str(HOME), "PATH": "/usr/bin:/bin", "KSA_TOKEN_FILE": str(path)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(together)]
        assert [bot.wait(120) for bot in bots] == [255] * together
    return sum("pam_ksa(sshd:auth)" in line for line in host.log_since(size))


def alice(host):
    """The administrator, with a key, from the same address."""
    return host.run(["ssh", "-p", str(PORT), "-o", "BatchMode=yes", "-l", "alice", "build-7", "id -un"])


def break_configuration(host):
    host.edit("/etc/ksa/ksa.conf", "audience = ", "audience ")


def test_bot_shuts_out_the_administrator_without_the_file(host):
    """The condition of the file's tests: this sshd has the penalties of its defaults."""
    host.start_sshd(TOKENS, PORT)
    assert alice(host).out == "alice\n"
    break_configuration(host)
    assert 0 < retry(host) < 16
    result = alice(host)
    assert result.status == 255 and result.out == "", result
    host.reset()
    assert host.ssh(host.token(), options=("-p", str(PORT))).status == 255


def test_bot_does_not_shut_out_the_administrator_with_the_file(host):
    host.start_sshd(PENALTIES + TOKENS, PORT)
    break_configuration(host)
    assert retry(host) == 16
    assert alice(host).out == "alice\n"
    host.reset()
    assert host.ssh(host.token(), options=("-p", str(PORT))).out == "deploy-bot\n"


def test_exempt_list_with_penalties(host):
    """The other way that the file shows."""
    host.start_sshd("PerSourcePenaltyExemptList 192.0.2.0/24,127.0.0.0/8\n" + TOKENS, PORT)
    break_configuration(host)
    assert retry(host) == 16
    assert alice(host).out == "alice\n"


def test_client_makes_one_attempt(host):
    """ksa-ssh is asked once, and the host logs one refusal, with any ssh_config of the caller."""
    host.start_sshd(PENALTIES + TOKENS, PORT)
    break_configuration(host)
    options = ("-p", str(PORT), "-o", "NumberOfPasswordPrompts=3", "-o", "ConnectionAttempts=3",
               "-o", "ControlMaster=auto", "-o", "ControlPath=%s/control" % HOME)
    result = host.ssh(host.token(), options=options)
    assert result.status == 255 and len(result.lines) == 1, result


def test_check_asks_sshd_for_the_penalties_in_force(host):
    """The file is installed, but this sshd_config does not include it."""
    def checks(prepare):
        script = "%s && exec ksactl check --host --json" % prepare
        answer = host.run(["unshare", "--mount", "sh", "-c", script], user="root").json
        return {problem["check"] for problem in answer["problems"]}

    assert checks("true") == set()
    include = "sed 's,^Include,#Include,' /etc/ssh/sshd_config >/run/sshd_config && mount --bind /run/sshd_config /etc/ssh/sshd_config"
    assert checks(include) == {"sshd-match", "sshd-penalties"}
