# SPDX-License-Identifier: BSD-2-Clause
"""The role ksa, from a fresh host on, by the Ansible of Debian 13 and of Debian 12. In this order."""
import json

import pytest

BROKEN = {"ksa_config": "[host]\naudience = ssh://%H\n[cluster prod]\nissuer = https://kubernetes.default.svc.cluster.local\n"
                        "keys = file:/etc/ksa/prod.jwks\n[rule deploy]\naccount = ci/deployer\nuser = deploy-bot\nservice = sshd sudo\n"}


@pytest.fixture(scope="module")
def by13(fleet):
    return fleet.controls[1]


@pytest.fixture(scope="module")
def by12(fleet):
    return fleet.controls[0]


def files(fleet):
    return {host.name: host.files() for host in fleet.hosts}


def test_the_controls_have_the_ansible_of_their_release(by12, by13):
    assert "core 2.14" in by12.version() and "core 2.19" in by13.version()


def test_check_mode_on_fresh_hosts_changes_nothing(fleet, by12, by13):
    before = files(fleet)
    for control in (by12, by13):
        result = control.by_role("--check", "--diff")
        assert result.is_good() and min(result.all("changed")) > 0, result
    assert files(fleet) == before


def test_first_run_installs_enables_and_checks(fleet, by13):
    result = by13.by_role()
    assert result.is_good() and min(result.all("changed")) > 0, result
    for host in fleet.hosts:
        assert host.run("ksactl", "check", "--host", check=False).returncode < 2
        assert host.run("stat", "-c", "%U:%G %a", "/etc/ksa/ksa.conf").stdout == "root:root 644\n"
        assert "Match User deploy-bot" in host.run("cat", "/etc/ssh/sshd_config.d/ksa.conf").stdout


def test_second_run_changes_nothing(fleet, by12, by13):
    before = files(fleet)
    for control in (by13, by12):
        result = control.by_role()
        assert result.is_good() and result.all("changed") == {0}, result
    assert files(fleet) == before


def test_check_mode_shows_a_change_and_makes_none(fleet, by12, by13):
    before = files(fleet)
    config = BROKEN["ksa_config"].replace("account = ci/", "account = prod:ci/").replace("sshd sudo", "sshd")
    for control in (by12, by13):
        result = control.by_role("--check", "--diff", "-e", json.dumps({"ksa_config": config}))
        assert result.is_good() and result.all("changed") == {1}, result
        assert result.out.count("\n+service = sshd\n") == 5, result
    assert files(fleet) == before


def test_broken_configuration_is_refused_and_nothing_changes(fleet, by12, by13):
    before = files(fleet)
    for control in (by12, by13):
        result = control.by_role("-e", json.dumps(BROKEN))
        assert result.all("failed") == {1} and result.all("changed") == {0}, result
        assert result.out.count("failed to validate") >= 5 and "write prod:ci/deployer" in result.out, result
    assert files(fleet) == before


def test_broken_key_set_is_refused_and_nothing_changes(fleet, by12, by13):
    before = files(fleet)
    for control in (by12, by13):
        control.write("/srv/broken/prod.jwks", '{"keys": [{"kty": "RSA"\n', "job")
        result = control.by_role("-e", json.dumps({"ksa_key_sets": ["/srv/broken/prod.jwks"]}))
        assert result.all("failed") == {1} and result.all("changed") == {0}, result
        assert result.out.count("failed to validate") >= 5, result
    assert files(fleet) == before


def test_host_with_a_problem_fails_with_the_text_of_ksactl(fleet, by12, by13):
    host = fleet.hosts[0]
    host.write("/etc/ssh/sshd_config.d/00-mine.conf", "Match User deploy-bot\nKbdInteractiveAuthentication no\nMatch all\n")
    for control in (by12, by13):
        result = control.by_role()
        assert [name for name, counts in result.recap.items() if counts["failed"]] == [host.name], result
        assert "is not in force: sshd read KbdInteractiveAuthentication" in result.out, result
    host.run("rm", "/etc/ssh/sshd_config.d/00-mine.conf")
