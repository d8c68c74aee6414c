# SPDX-License-Identifier: BSD-2-Clause
"""The role's file of tasks that reverts what it enabled."""


def test_disable_reverts_enable_once(fleet):
    control = fleet.controls[1]
    result = control.playbook("disable.yml", "-u", "alice")
    assert result.is_good() and result.all("changed") == {1}, result
    result = control.playbook("disable.yml", "-u", "alice")
    assert result.is_good() and result.all("changed") == {0}, result
    assert not any(host.sh("ls /etc/ssh/sshd_config.d /etc/sudoers.d | grep ^ksa || :").stdout for host in fleet.hosts)
