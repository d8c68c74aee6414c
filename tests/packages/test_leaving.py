# SPDX-License-Identifier: BSD-2-Clause
"""In the same host after a restart: logins, disable, remove, purge. In this order."""
import json
from pathlib import Path

import life


def test_after_a_restart():
    life.give_token(life.write_configuration())
    assert life.run("systemctl", "is-system-running", "--wait", check=False).stdout == "running\n"
    assert life.ssh_with_token("id -un").stdout == "deploy-bot\n"
    life.people_have_access()


def test_remove_while_enabled_leaves_people_their_access():
    result = life.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg --remove libpam-ksa")
    assert "sshd_config.d/ksa.conf stays" in result.stderr, result
    assert "pam_ksa" not in Path("/etc/pam.d/common-auth").read_text()
    life.people_have_access()
    life.run("sh", "-c", "dpkg -i /root/new/libpam-ksa_*.deb")
    life.run("ksactl", "enable")
    assert life.ssh_with_token("id -un").stdout == "deploy-bot\n"


def test_a_removal_keeps_the_configuration_and_open_sessions():
    configuration, session = Path("/etc/ksa/ksa.conf").read_bytes(), life.OpenSession()
    life.run("dpkg", "--remove", "ksa", "libpam-ksa", "libnss-ksa")
    assert Path("/etc/ksa/ksa.conf").read_bytes() == configuration and session.end() == "deploy-bot\n"
    assert "ksa" not in Path("/etc/nsswitch.conf").read_text()
    life.people_have_access()
    life.run("sh", "-c", "dpkg -i /root/new/ksa_*.deb /root/new/lib*.deb")
    life.run("ksactl", "enable")
    assert life.ssh_with_token("id -un").stdout == "deploy-bot\n"


def test_a_line_that_is_left_is_reported():
    stack = Path("/etc/pam.d/common-auth")
    text = stack.read_text()
    stack.write_text(text.replace("auth\t[success=1", "auth\trequired\tpam_faildelay.so delay=0\nauth\t[success=1", 1))
    result = life.run("dpkg", "--remove", "libpam-ksa")
    assert "/etc/pam.d/common-auth" in result.stderr and "pam_ksa.so is gone" in result.stderr, result
    life.people_have_access()
    stack.write_text(text)
    life.run("sh", "-c", "dpkg -i /root/new/libpam-ksa_*.deb")


def test_disable_reverts_what_enable_did():
    lines = life.run("ksactl", "disable").stdout
    for name in ("/etc/ssh/sshd_config.d/ksa.conf", "/etc/sudoers.d/ksa", "/var/lib/ksa/enabled"):
        assert not Path(name).exists() and (name in lines or "enabled" in name), (name, lines)
    assert life.ssh_with_token("id -un", options="-o NumberOfPasswordPrompts=1").stdout == ""
    life.people_have_access()
    assert "changed nothing" in life.run("ksactl", "disable").stdout


def test_purge_leaves_the_host_as_it_was():
    Path("/etc/sudoers.d/deploy-bot").unlink()
    registry = Path("/var/lib/ksa/registry").read_bytes()
    for name in ("/var/cache/ksa/prod/keys.json", "/run/ksa/stamp", "/var/lib/ksa/credentials/prod", "/var/lib/ksa/used/mark"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    result = life.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get purge -y ksa libpam-ksa libnss-ksa ksa-client")
    before, now = json.loads(life.BEFORE.read_text()), life.snapshot()
    assert {name for name in before["etc"].keys() | now["etc"].keys() if before["etc"].get(name) != now["etc"].get(name)} == set()
    assert now["users"] == before["users"] and now["units"] == before["units"]
    assert "/var/lib/ksa stays" in result.stdout and "rm -r /var/lib/ksa" in result.stdout, result
    assert Path("/var/lib/ksa/registry").read_bytes() == registry
    for name in ("/etc/ksa", "/var/cache/ksa", "/run/ksa", "/var/lib/ksa/credentials", "/var/lib/ksa/used"):
        assert not Path(name).exists(), name
    assert life.run("systemctl", "is-system-running", check=False).stdout == "running\n"
    life.people_have_access()
