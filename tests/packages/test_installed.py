# SPDX-License-Identifier: BSD-2-Clause
"""In a host right after `apt install ./*.deb`: enable, log in, change the mind, upgrade. In this order."""
import json
import os
import threading
from pathlib import Path

import life
import issuer

SSHD_FILE = Path("/etc/ssh/sshd_config.d/ksa.conf")
SUDOERS_FILE = Path("/etc/sudoers.d/ksa")
# What an installation adds to /etc, before anything is enabled.
ADDED = {"/etc/nsswitch.conf", "/etc/systemd/system/timers.target.wants/ksa-accounts.timer",
         "/etc/systemd/system/timers.target.wants/ksa-credential.timer", "/etc/systemd/system/timers.target.wants/ksa-keys.timer"}


def changed():
    before, now = json.loads(life.BEFORE.read_text())["etc"], life.snapshot()["etc"]
    return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}


def allow_sudo():
    Path("/etc/sudoers.d/deploy-bot").write_text("deploy-bot ALL = (root) ALL\n")
    os.chmod("/etc/sudoers.d/deploy-bot", 0o440)


def pam_findings():
    """Those of check --host about PAM, of the services sshd and sudo."""
    answer = json.loads(life.run("ksactl", "check", "--host", "--json", check=False).stdout)
    return [problem for problem in answer["problems"] if (problem["check"] or "").startswith("pam-")]


def test_installation_changes_no_login():
    assert changed() == ADDED
    assert life.run("systemctl", "is-system-running", check=False).stdout == "running\n"
    life.people_have_access()


def test_units_do_nothing_without_a_configuration():
    for name in ("ksa-keys", "ksa-credential", "ksa-accounts"):
        life.run("systemctl", "start", name + ".service")
        assert life.run("systemctl", "show", "-P", "ConditionResult", name + ".service").stdout == "no\n"
    assert life.run("systemctl", "is-system-running", check=False).stdout == "running\n"


def test_enable_without_a_configuration_changes_nothing():
    result = life.run("ksactl", "enable", check=False)
    assert result.returncode == 2 and "ksa.conf" in result.stderr and changed() == ADDED, result


def test_enable_names_a_missing_rule():
    life.write_configuration()
    conf = Path("/etc/ksa/ksa.conf")
    conf.write_text(conf.read_text().replace("service = sshd sudo", "service = sshd"))
    result = life.run("ksactl", "enable", "sudo", check=False)
    assert result.returncode == 2 and "no [rule] has service = sudo" in result.stderr, result


def test_dry_run_changes_nothing():
    life.write_configuration()
    before = changed()
    result = life.run("ksactl", "enable", "--dry-run")
    for part in ("pam-auth-update --enable ksa", "Match User deploy-bot", "Defaults:deploy-bot timestamp_timeout=0"):
        assert part in result.stdout, result.stdout
    assert changed() == before and not Path("/run/ksa/sudoers.draft").exists()


def test_a_file_of_the_administrator_stops_enable_and_all_is_reverted():
    SUDOERS_FILE.write_text("# mine\n")
    before = changed()
    result = life.run("ksactl", "enable", check=False)
    assert result.returncode == 2 and str(SUDOERS_FILE) in result.stderr and "reverted" in result.stderr, result
    assert changed() == before and not Path("/var/lib/ksa/enabled").exists()
    SUDOERS_FILE.unlink()


def test_an_sshd_that_does_not_read_the_file_stops_enable():
    config = Path("/etc/ssh/sshd_config")
    text = config.read_text()
    config.write_text(text.replace("Include /etc/ssh/sshd_config.d/*.conf", "# no Include"))
    before = changed()
    result = life.run("ksactl", "enable", check=False)
    config.write_text(text)
    assert result.returncode == 2 and "Include" in result.stderr, result
    assert "pam_ksa" not in Path("/etc/pam.d/common-auth").read_text() and changed() == before - {str(config)}


def test_stacks_that_were_edited_by_hand_stop_enable():
    stack = Path("/etc/pam.d/common-auth")
    text = stack.read_text()
    stack.write_text(text.replace("auth\t[success=1", "auth\trequired\tpam_faildelay.so delay=0\nauth\t[success=1", 1))
    before = changed()
    result = life.run("ksactl", "enable", check=False)
    assert result.returncode == 2 and "edited by hand" in result.stderr and changed() == before, result
    stack.write_text(text)


def test_enable_and_log_in():
    key = life.write_configuration()
    life.run("ksactl", "enable")
    allow_sudo()
    life.give_token(key)
    assert life.ssh_with_token("id -un").stdout == "deploy-bot\n"
    life.people_have_access()
    life.run("ksactl", "check")


def test_check_of_the_host_finds_the_profile_sound():
    """And its absence: common-auth without the profile has no pam_ksa."""
    life.write_configuration()
    assert pam_findings() == []
    stack = Path("/etc/pam.d/common-auth")
    text = stack.read_text()
    stack.write_text("".join(line for line in text.splitlines(True) if "pam_ksa" not in line))
    try:
        found = pam_findings()
    finally:
        stack.write_text(text)
    assert [problem["text"] for problem in found] == ["service sshd: no pam_ksa in auth", "service sudo: no pam_ksa in auth"], found


def checks():
    """The checks of the host that find something."""
    result = life.run("ksactl", "check", "--host", "--json", check=False)
    return [problem["check"] or problem["text"] for problem in json.loads(result.stdout)["problems"]]


def test_a_host_right_after_enable_has_no_finding():
    assert checks() == []
    os.rename("/etc/sudoers.d/deploy-bot", "/root/deploy-bot")
    assert checks() == ["sudo-command"]
    os.rename("/root/deploy-bot", "/etc/sudoers.d/deploy-bot")
    life.run("systemctl", "stop", "ksa-keys.timer")
    os.chmod("/var/lib/ksa/used", 0o755)
    assert checks() == ["timer-stopped", "mode"]
    life.run("systemctl", "start", "ksa-keys.timer")
    assert life.run("ksactl", "check", "--host", "--fix", check=False).returncode == 1
    assert life.run("ksactl", "check", "--host").stdout == "no problem found\n"


def test_session_line_is_above_those_that_need_it():
    """pam_ksa is asked before pam_systemd and pam_mkhomedir of the host's own profile, and only in sessions of people."""
    life.run("pam-auth-update", "--enable", "mkhomedir")
    text = Path("/etc/pam.d/common-session").read_text()
    life.people_have_access()
    life.run("pam-auth-update", "--disable", "mkhomedir")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    modules = [next(word for word in line.split() if word.endswith(".so")) for line in lines if ".so" in line]
    first = modules.index("pam_ksa.so")
    assert modules.count("pam_ksa.so") == 1 and first < modules.index("pam_systemd.so"), modules
    assert modules[first + 1] == "pam_mkhomedir.so" and modules.count("pam_mkhomedir.so") == 2, modules
    assert "pam_ksa.so" not in Path("/etc/pam.d/common-session-noninteractive").read_text()


def test_session_line_has_no_effect_outside_sshd():
    """It makes homes, and only for users of the registry, who log in over ssh."""
    life.run("useradd", "-M", "homeless")
    try:
        assert life.run("su", "homeless", "-c", "id -un").stdout == "homeless\n"
        assert not Path("/home/homeless").exists()
    finally:
        life.run("userdel", "--force", "homeless")  # systemd --user may still run


def test_sudo_by_a_token_file_and_by_askpass():
    key = life.write_configuration()
    life.give_token(key)
    directory = Path("/home/deploy-bot/.ksa")
    directory.mkdir(mode=0o700, exist_ok=True)
    life.run("chown", "deploy-bot:", str(directory))
    life.give_token(key, "deploy-bot", directory / "token")
    silent = life.ssh_with_token("timeout 60 sudo -n id -un")
    assert silent.stdout == "root\n", silent
    (directory / "token").rename(directory / "other")
    asked = life.ssh_with_token("export KSA_TOKEN_FILE=.ksa/other KSA_AUDIENCE=ssh://%s SUDO_ASKPASS=/usr/bin/ksa-askpass; "
                                "timeout 60 sudo -A id -un" % life.HOST)
    assert asked.stdout == "root\n", asked


def test_an_account_that_becomes_a_user_gets_its_home():
    more = "[account ci_deployer]\naccount = prod:ci/deployer\naccount_uid = %s\n" % issuer.ACCOUNT_UID
    life.give_token(life.write_configuration("@own", more))
    life.run("ksactl", "accounts", "sync")
    life.run("ksactl", "enable")
    result = life.ssh_with_token("id -un; pwd; stat -c %a .", "ci_deployer")
    assert result.stdout == "ci_deployer\n/home/ci_deployer\n700\n" and pam_findings() == [], result
    life.people_have_access()
    assert checks() == ["sudo-command"]


def test_enable_again_follows_the_rules():
    life.give_token(life.write_configuration())
    life.run("ksactl", "enable")
    assert "Match User deploy-bot\n" in SSHD_FILE.read_text()
    SSHD_FILE.write_text(SSHD_FILE.read_text() + "# mine\n")
    result = life.run("ksactl", "enable", check=False)
    assert result.returncode == 2 and str(SSHD_FILE) in result.stderr, result
    SSHD_FILE.write_text(SSHD_FILE.read_text().replace("# mine\n", ""))
    life.run("ksactl", "enable")
    assert life.ssh_with_token("id -un").stdout == "deploy-bot\n"


def test_logins_go_on_during_upgrades():
    life.give_token(life.write_configuration())
    session = life.OpenSession()
    stop, failures, count = threading.Event(), [], [0]

    def log_in():
        while not stop.is_set():
            result = life.ssh_with_token("id -un")
            count[0] += 1
            if result.stdout != "deploy-bot\n":
                failures.append(result)
            try:
                life.people_have_access()
            except AssertionError as error:
                failures.append(error)

    thread = threading.Thread(target=log_in)
    thread.start()
    try:
        for version in ("new", "old", "new"):
            life.run("sh", "-c", "dpkg -i /root/%s/*.deb" % version)
    finally:
        while count[0] < 2 and thread.is_alive():
            thread.join(0.1)
        stop.set()
        thread.join()
    assert failures == [] and "pam_ksa" in Path("/etc/pam.d/common-auth").read_text()
    assert session.end() == "deploy-bot\n"
    assert life.run("systemctl", "is-system-running", check=False).stdout == "running\n"
