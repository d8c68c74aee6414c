# SPDX-License-Identifier: BSD-2-Clause
"""ksactl enable and disable on a host whose /etc, state and tools (pam-auth-update, sshd, visudo) are doubles."""
import subprocess

import pytest

from ksactl_host import PASSWD, Host

# Each directory of the host, and the double's name.
MOUNTS = {"/etc/ssh": "ssh", "/etc/sudoers.d": "sudoers.d", "/etc/sudoers": "sudoers", "/etc/pam.d": "pam.d", "/run": "run",
          "/var/lib": "lib", "/usr/sbin": "sbin", "/usr/share/pam-configs": "pam-configs", "/usr/lib/openssh": "openssh"}
TOOLS = {"pam-auth-update": 'case $1 in --enable) echo "auth pam_ksa.so" ;; esac >/etc/pam.d/common-auth',
         "sshd": '[ ! -e /etc/ssh/broken ] || exit 1\n[ "$1" = -t ] || printf "usepam yes\\nkbdinteractiveauthentication yes\\n"',
         "visudo": "true"}
RULE = "[rule one]\naccount = prod:%s\nuser = %s\nservice = sshd sudo\n"


class EnableHost(Host):
    def __init__(self, build, directory):
        super().__init__(build, directory)
        for name in ("ssh/sshd_config.d", "sudoers.d", "pam.d", "run/ksa", "lib/ksa", "sbin", "pam-configs", "openssh"):
            (directory / name).mkdir(parents=True)
        self.write("sudoers", "root ALL=(ALL) ALL\n@includedir /etc/sudoers.d\n")
        self.write("pam.d/common-auth", "")
        self.write("pam-configs/ksa", "")
        for name, text in TOOLS.items():
            self.write("sbin/" + name, "#!/bin/sh\n%s\n" % text).chmod(0o755)
        self.write_config(RULE % ("ci/deployer", "deploy-bot"))

    @property
    def prepare(self):
        return " && ".join('mount --bind "$0/%s" %s' % (source, target) for target, source in MOUNTS.items())

    def enable(self, *args, more="true"):
        return self.run("enable", *args, "--config", self.config, prepare="%s && %s" % (self.prepare, more))

    def disable(self):
        return self.run("disable", prepare=self.prepare)

    def state(self):
        """The files that enable writes, and the record."""
        names = ("ssh/sshd_config.d/ksa.conf", "sudoers.d/ksa", "pam.d/common-auth", "lib/ksa/enabled")
        return {name: (self.directory / name).read_text() for name in names if (self.directory / name).exists()}


@pytest.fixture
def host(build, tmp_path):
    tmp_path.chmod(0o755)
    return EnableHost(build, tmp_path)


def test_there_and_back(host):
    before = host.state()
    result = host.enable()
    assert result.status == 0, result
    assert host.state().keys() - before.keys() == {"ssh/sshd_config.d/ksa.conf", "sudoers.d/ksa", "lib/ksa/enabled"}
    assert host.disable().status == 0 and host.state() == before


def test_penalties_stay_off_when_enable_is_repeated(host):
    """The file's own line must not count as a setting of the administrator."""
    host.write("openssh/sshd-session", "")
    assert host.enable("sshd").status == 0
    first = host.state()
    assert "PerSourcePenalties authfail:0\n" in first["ssh/sshd_config.d/ksa.conf"]
    assert host.enable("sshd").status == 0 and host.state() == first
    host.write("ssh/sshd_config.d/mine.conf", "PerSourcePenalties authfail:1\n")
    assert host.enable("sshd").status == 0
    assert "PerSourcePenalties" not in host.state()["ssh/sshd_config.d/ksa.conf"]
