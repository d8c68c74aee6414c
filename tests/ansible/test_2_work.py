# SPDX-License-Identifier: BSD-2-Clause
"""A playbook of a job through ksa-ssh on five hosts that test_1_role.py has configured, by the Ansible of Debian 12 and of Debian 13."""
import os

import pytest


@pytest.fixture(scope="module", params=[0, 1], ids=["debian-12", "debian-13"])
def control(fleet, request):
    control = fleet.controls[request.param]
    lines = control.as_job("ksa-askpass", "--ansible", check=True).stdout
    control.write("/home/job/ansible.cfg", "[defaults]\nforks = 5\n" + lines, "job")
    return control


@pytest.fixture(autouse=True)
def without_masters(control):
    control.sh("pkill -u job -x ssh || :")  # in the control's own pid namespace


def logins(fleet):
    """How often deploy-bot was admitted and refused, over all hosts."""
    log = "".join(host.sh("journalctl -q -o cat SYSLOG_FACILITY=10 | grep 'pam_ksa(sshd' || :").stdout for host in fleet.hosts)
    return log.count("result=allow"), log.count("result=deny")


def new_logins(fleet, before):
    return tuple(now - then for now, then in zip(logins(fleet), before))


def test_five_hosts_with_a_token_for_each(fleet, control):
    before = logins(fleet)
    result = control.by_token(KSA_TOKEN_FILE="/home/job/tokens/%h")
    assert result.is_good(), result
    assert new_logins(fleet, before) == (5, 0), result
    for host in fleet.hosts:
        assert host.run("cat", "/root/written").stdout == "by ansible\n"
        text = control.run("cat", "/home/job/fetched/%s/home/deploy-bot/greeting" % host.name).stdout
        assert text == "Hello from %s as deploy-bot.\n" % host.name


def test_second_run_uses_the_kept_masters(fleet, control):
    first = control.by_token(KSA_TOKEN_FILE="/home/job/tokens/%h")
    before = logins(fleet)
    second = control.by_token("-e", "bring_token=false")
    assert first.is_good() and second.is_good() and new_logins(fleet, before) == (0, 0), second
    assert second.all("changed") == {0}, second


def test_five_hosts_with_one_audience(fleet, control):
    """The token on the host is for that host."""
    before = logins(fleet)
    result = control.by_token(KSA_TOKEN_FILE="/home/job/tokens/fleet", KSA_AUDIENCE="ssh://fleet", KSA_HOST=os.environ["KSA_FLEET"] + "-n*")
    assert result.is_good() and new_logins(fleet, before) == (5, 0), result


def test_without_masters_and_pipelining(fleet, control):
    """One task logs in several times. The files go through piped, because sftp and scp would run ssh itself."""
    text = control.as_job("cat", "ansible.cfg").stdout
    text = text.replace("ControlMaster=auto", "ControlMaster=no").replace("pipelining = True", "pipelining = False")
    text += "" if "transfer_method" in text else "transfer_method = piped\n"
    control.write("/home/job/slow.cfg", text, "job")
    before = logins(fleet)
    result = control.as_job("ansible", "all", "-i", "/srv/inventory.json", "-u", "deploy-bot", "-m", "copy",
                            "-a", "dest=~/piped content=%s" % control.name, KSA_TOKEN_FILE="/home/job/tokens/%h",
                            ANSIBLE_CONFIG="/home/job/slow.cfg")
    admitted, refused = new_logins(fleet, before)
    assert result.returncode == 0 and result.stdout.count("CHANGED") == 5 and admitted >= 10 and refused == 0, (admitted, result)


def test_expired_token_shows_its_reason(fleet, control):
    """From a file the client refuses it; from a command the host does, once."""
    fleet.give_tokens(control, issued=1700000000)
    try:
        result = control.by_token(KSA_TOKEN_FILE="/home/job/tokens/%h")
        # Ansible that is still sending data when ksa-ssh ends may show this instead.
        shown = result.out.count("the token expired") + result.out.count("Broken pipe")
        assert result.all("unreachable") == {1} and shown >= 5 and "the token expired" in result.out, result
        before = logins(fleet)
        result = control.by_token(KSA_TOKEN_COMMAND='cat "/home/job/tokens/$KSA_HOST"')
        assert result.all("unreachable") == {1} and new_logins(fleet, before) == (0, 5), result
        assert result.out.count("Service account token refused") >= 5 and "expired" in result.out, result
    finally:
        fleet.give_tokens(control)


def test_expired_token_on_the_host_ends_become(fleet, control):
    """sudo does not show the reason; the host's log has it."""
    host = fleet.hosts[0]
    host.run("cp", "-p", "/home/deploy-bot/.ksa/token", "/root/kept")
    fleet.give_tokens(control, issued=1700000000)
    expired = control.run("cat", "/home/job/tokens/" + host.name).stdout
    fleet.give_tokens(control)
    host.write("/home/deploy-bot/.ksa/token", expired, "deploy-bot", "0600")
    result = control.by_token("-e", "bring_token=false", "-l", host.name, KSA_TOKEN_FILE="/home/job/tokens/%h")
    host.run("cp", "-p", "/root/kept", "/home/deploy-bot/.ksa/token")
    assert result.recap[host.name]["failed"] == 1 and "Become root" in result.out, result
    assert "reason=expired" in host.sh("journalctl -q -o cat SYSLOG_FACILITY=10 | grep 'pam_ksa(sudo' | tail -n 1").stdout
