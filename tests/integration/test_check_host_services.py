# SPDX-License-Identifier: BSD-2-Clause
"""ksactl check --host of sshd, sudo and the host itself. Each test makes the private host wrong, whose sshd and sudo are real."""
import os
import shutil
import stat
import time
from pathlib import Path

import pytest

import host as private_host
import registry
from api_double import jwks_page
from cluster_host import DoubleHost
from test_ksactl_status import KEYS, PATH, self_review

CONFIG, OURS = Path("/etc/ssh/sshd_config"), Path("/etc/ssh/sshd_config.d/ksa.conf")
SUDOERS = Path("/etc/sudoers.d/ksa")
RULE = "[rule one]\naccount = %s\nuser = %s\nservice = %s\n"
KEPT = ("/etc/ssh", "/etc/sudoers.d", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/nsswitch.conf")


@pytest.fixture
def machine(host, tmp_path):
    """The private host, whose files are as before afterwards."""
    for name in KEPT:
        copy = tmp_path / name.replace("/", "_")
        shutil.copytree(name, copy) if os.path.isdir(name) else shutil.copy(name, copy)
    yield host
    for name in KEPT:
        copy = tmp_path / name.replace("/", "_")
        if copy.is_dir():
            shutil.rmtree(name)
            shutil.copytree(copy, name)
        else:
            shutil.copy(copy, name)
    for path, mode in MODES.items():
        os.chown(path, 0, 0)
        os.chmod(path, mode)


def check(host, *options, prepare="true", double=""):
    """The answer to check --host --json, after the shell's command PREPARE, with $0 in place of a program that runs DOUBLE."""
    program = host.write("/var/log/double", "#!/bin/sh\n%s\n" % double, 0o755)
    command = ["unshare", "--mount", "sh", "-c", '%s && exec "$@"' % prepare, str(program)]
    result = host.run(command + ["ksactl", "check", "--host", *options, "--json"], user="root")
    assert result.err == "", result
    return result


def findings(host, **more):
    """{check: text}. Each check has one finding at most, and each has a remedy."""
    problems = [problem for problem in check(host, **more).json["problems"] if problem["check"] is not None]
    found = {problem["check"]: problem["text"] for problem in problems}
    assert len(found) == len(problems) and all(problem["remedy"] for problem in problems), problems
    return found


def only(host, name, *texts, **more):
    """Asserts that NAME alone is found, and that its text has TEXTS."""
    found = findings(host, **more)
    assert list(found) == [name] and all(text in found[name] for text in texts), found


def replace_sudo(*prints):
    """A double of sudo that prints a version and the rights of a user."""
    return {"prepare": 'mount --bind "$0" /usr/bin/sudo',
            "double": 'case $1 in -V) printf "%%b" "%s" ;; *) printf "%%b" "%s" ;; esac' % prints}


def test_a_sound_host_has_no_finding(machine):
    result = check(machine)
    assert result.status == 0 and result.json["problems"] == [], result


def test_without_root(machine):
    for options in (["--host"], ["--host", "--fix"], ["--fix"]):
        result = machine.run(["ksactl", "check", *options])
        assert result.status == 2 and "requires root" in result.err, result


# --- sshd ---


def test_an_sshd_that_cannot_read_its_configuration(machine):
    machine.write(CONFIG, "NoSuchOption yes\n")
    only(machine, "sshd-settings", "NoSuchOption")


def test_an_sshd_that_is_not_there(machine):
    only(machine, "sshd-settings", "ended with 127", prepare="mount --bind /dev/null /usr/sbin/sshd")


def test_an_sshd_without_pam(machine):
    machine.edit(CONFIG, "UsePAM yes", "UsePAM no")
    only(machine, "sshd-pam", "deploy-bot")


def test_an_sshd_that_does_not_ask(machine):
    OURS.unlink()
    only(machine, "sshd-kbdinteractive", "deploy-bot")


def test_an_sshd_that_does_not_ask_this_user(machine):
    """As after a change of the rules."""
    machine.write_config(RULE % ("prod:ci/deployer", "deploy-bot job", "sshd"))
    only(machine, "sshd-kbdinteractive", "for job:")


@pytest.mark.parametrize("methods, name", [
    ("publickey", "sshd-methods"), ("publickey,password", "sshd-methods"), ("keyboard-interactive:bsdauth", "sshd-methods"),
    ("any", "sshd-other-methods"), ("keyboard-interactive publickey", "sshd-other-methods"),
    ("keyboard-interactive", None), ("keyboard-interactive:pam", None), ("publickey,keyboard-interactive", None)])
def test_methods(machine, methods, name):
    OURS.rename(OURS.with_name("mine.conf"))
    mine = OURS.with_name("mine.conf")
    mine.write_text(mine.read_text().replace("Methods keyboard-interactive", "Methods " + methods))
    if name is None:
        assert findings(machine) == {}
    else:
        only(machine, name, '"%s"' % methods, "deploy-bot")


@pytest.mark.parametrize("line, text", [("KbdInteractiveAuthentication no", "KbdInteractiveAuthentication \"no\""),
                                        ("AuthenticationMethods publickey", "AuthenticationMethods \"publickey\"")])
def test_an_earlier_block_wins(machine, line, text):
    machine.write("/etc/ssh/sshd_config.d/00-first.conf", "Match User deploy*\n    %s\n" % line)
    only(machine, "sshd-match", "deploy-bot", text)


def test_a_block_that_is_not_included(machine):
    machine.edit(CONFIG, "Include /etc/ssh/sshd_config.d/*.conf", "# no Include")
    found = findings(machine)
    assert "deploy-bot" in found.pop("sshd-match") and found.keys() <= {"sshd-penalties"}, found  # of OpenSSH 9.8


@pytest.mark.parametrize("lines, keyword", [
    ("AllowUsers alice bob", "AllowUsers"), ("AllowUsers deploy", "AllowUsers"), ("AllowUsers alice\nAllowUsers dep*y-b?t", None),
    ("AllowUsers deploy-bot@192.0.2.1", None), ("AllowUsers alice@192.0.2.1", "AllowUsers"),
    ("DenyUsers alice deploy-*", "DenyUsers"), ("DenyUsers alice", None), ("DenyUsers deploy-bot@192.0.2.1", None),
    ("AllowUsers deploy-bot\nDenyUsers deploy-bot", "DenyUsers"), ("Match User deploy-bot\nDenyUsers *", "DenyUsers"),
    ("AllowGroups users", "AllowGroups"), ("AllowGroups users runners", None), ("AllowGroups deploy-b?t", None),
    ("DenyGroups run*", "DenyGroups"), ("DenyGroups users", None)])
def test_users_that_sshd_refuses(machine, lines, keyword):
    with open("/etc/group", "a") as groups:
        groups.write("runners:x:59700:alice,deploy-bot\n")
    machine.write("/etc/ssh/sshd_config.d/access.conf", lines + "\n")
    if keyword is None:
        assert findings(machine) == {}
    else:
        only(machine, "sshd-allow", keyword + " refuses deploy-bot:")


def test_groups_of_users_that_do_not_exist(machine):
    """sshd is asked for a name that ksa could give."""
    machine.write_config(RULE % ("prod:ci/*", "@own", "sshd"))
    machine.edit(OURS, "Match User deploy-bot", "Match User ci_*")
    machine.write("/etc/ssh/sshd_config.d/access.conf", "AllowGroups users\n")
    assert findings(machine) == {}
    machine.write("/etc/ssh/sshd_config.d/access.conf", "AllowUsers alice\n")
    only(machine, "sshd-allow", "AllowUsers refuses ci_x:")


@pytest.mark.parametrize("value, found", [("3", True), ("5:50:10", True), ("10:30:60", False), ("100:30:200", False)])
def test_few_connections(machine, value, found):
    machine.write("/etc/ssh/sshd_config.d/a.conf", "MaxStartups %s\n" % value)
    if found:
        only(machine, "sshd-maxstartups", value.split(":")[0])
    else:
        assert findings(machine) == {}


@pytest.mark.parametrize("value, exempt, found", [("authfail:5 max:600", "none", True), ("authfail:5 max:600", "10.0.0.0/8", False),
                                                  ("authfail:0 max:600", "none", False), ("no", "none", False)])
def test_penalties_that_are_not_in_force(machine, value, exempt, found):
    """A double: Debian 12's sshd has no penalties. Its settings without a file are the default ones."""
    machine.write("/etc/ssh/sshd_config.d/penalties.conf", "PerSourcePenalties authfail:0\n")
    double = ('echo "usepam yes"; echo "kbdinteractiveauthentication yes"; echo "authenticationmethods keyboard-interactive"\n'
              'case $* in */dev/null*) echo "persourcepenalties authfail:5 max:600" ;; *) echo "persourcepenalties %s" ;; esac\n'
              'echo "persourcepenaltyexemptlist %s"' % (value, exempt))
    more = {"prepare": 'mount --bind "$0" /usr/sbin/sshd', "double": double}
    if found:
        only(machine, "sshd-penalties", **more)
    else:
        assert findings(machine, **more) == {}


def test_many_users_are_one_finding(machine):
    users = ["user-%d" % number for number in range(7)]
    machine.write_config(RULE % ("prod:ci/deployer", " ".join(users), "sshd"))
    only(machine, "sshd-kbdinteractive", "for user-0, user-1, user-2, user-3, user-4 and 2 more:")


# --- Users that ksa creates ---


@pytest.mark.parametrize("made", [True, False])
def test_users_of_a_namespace(machine, made):
    """sshd is asked for one of them, and before the first one exists for a name that it could have."""
    machine.write_config(RULE % ("prod:ci/*", "@own", "sshd"))
    if made:
        registry.make()
    machine.edit(OURS, "Match User deploy-bot", "Match User ci_deployer" if made else "Match User ci_*")
    assert findings(machine) == {}
    machine.edit(OURS, "Match User ci_", "Match User other_")
    only(machine, "sshd-kbdinteractive", "ci_deployer" if made else "ci_x")


def test_users_of_all_namespaces(machine):
    machine.write_config(RULE % ("prod:*/*", "@own", "sshd sudo") + "[accounts prod]\nnamespaces = *\n")
    found = findings(machine)
    assert found.keys() == {"sshd-users", "sudo-users"} and "all namespaces" in found["sshd-users"], found


# --- sudo ---


def test_no_sudo(machine):
    hidden = "for one in /usr/bin/sudo /usr/bin/sudo-rs; do [ ! -e $one ] || mount --bind /dev/null $one; done"
    only(machine, "sudo-missing", prepare=hidden)
    machine.write_config(RULE % ("prod:ci/deployer", "deploy-bot", "sshd"))
    assert findings(machine, prepare=hidden) == {}


def test_a_sudo_that_fails(machine):
    only(machine, "sudo-settings", "no valid sudoers", prepare='mount --bind "$0" /usr/bin/sudo', double="echo no valid sudoers; exit 1")


def test_a_user_without_a_command(machine):
    machine.edit(SUDOERS, "\ndeploy-bot ALL", "\n#deploy-bot ALL")
    only(machine, "sudo-command", "deploy-bot")


@pytest.mark.parametrize("line, text", [
    ("Defaults !authenticate", "!authenticate"), ("Defaults:deploy-bot authenticate, !authenticate", "!authenticate"),
    ("Defaults !authenticate\nDefaults:deploy-bot authenticate", None), ("Defaults:alice !authenticate", None),
    ("deploy-bot ALL = (root) /usr/bin/id, NOEXEC: NOPASSWD: /usr/bin/whoami", "NOPASSWD"), ("ALL ALL = NOPASSWD: ALL", "NOPASSWD"),
    ("deploy-bot ALL = (root) PASSWD: /usr/bin/id", None), ("deploy-bot ALL = (root) /usr/bin/id NOPASSWD\\:\\ x", None),
    ("alice ALL = NOPASSWD: ALL", None)])
def test_a_sudo_that_asks_for_nothing(machine, line, text):
    machine.write("/etc/sudoers.d/z", line + "\n", 0o440)
    if text is None:
        assert findings(machine) == {}
    else:
        only(machine, "sudo-authenticate", "sudoers has %s for deploy-bot:" % text)


@pytest.mark.parametrize("option", ["rootpw", "targetpw", "runaspw"])
def test_a_sudo_that_asks_for_another_users_password(machine, option):
    machine.write("/etc/sudoers.d/b", "Defaults %s\n" % option, 0o440)
    only(machine, "sudo-target", option, "deploy-bot")


@pytest.mark.parametrize("line, found", [("timestamp_timeout=5", True), ("timestamp_timeout=-1", True), ("timestamp_timeout=0.5", True),
                                         ("timestamp_timeout=0.0", False)])
def test_a_sudo_that_stays_valid(machine, line, found):
    machine.write("/etc/sudoers.d/z", 'Defaults passprompt="a, timestamp_timeout=7 \\"b"\nDefaults:deploy-bot %s\n' % line, 0o440)
    if found:
        only(machine, "sudo-timestamp", "deploy-bot")
    else:
        assert findings(machine) == {}


def test_a_sudo_that_stays_valid_by_default(machine):
    machine.edit(SUDOERS, "Defaults:deploy-bot timestamp_timeout=0\n", "")
    only(machine, "sudo-timestamp", "deploy-bot")


def test_a_prompt_that_is_overridden(machine):
    machine.write("/etc/sudoers.d/b", "Defaults passprompt_override\n", 0o440)
    only(machine, "sudo-prompt", "deploy-bot")
    machine.write("/etc/sudoers.d/z", "Defaults:deploy-bot !passprompt_override\n", 0o440)
    assert findings(machine) == {}


def test_sudo_n_without_its_option(machine):
    Path("/etc/sudoers.d/ksa-noninteractive").unlink()
    only(machine, "sudo-noninteractive", "deploy-bot")
    shared = machine.write("/etc/pam.d/shared", Path("/etc/pam.d/sudo").read_text())
    machine.write("/etc/pam.d/sudo", "@include shared\n")
    only(machine, "sudo-noninteractive", "deploy-bot")
    machine.edit(shared, "token_file=/home/%u/.ksa/token", "")
    assert findings(machine) == {}


RIGHTS = ("Matching Defaults entries for deploy-bot on build-7:\\n    env_reset,\\n    timestamp_timeout=0\\n\\n"
          "User deploy-bot may run the following commands on build-7:\\n    (root) ALL\\n")


@pytest.mark.parametrize("version, found", [("1.8.31", False), ("1.9.5p2", False), ("1.9.9", False), ("1.9.10", True),
                                            ("1.9.17p2", True), ("1.10.0", True), ("2.0", True)])
def test_a_sudo_that_does_not_know_the_option(machine, version, found):
    names = findings(machine, **replace_sudo("Sudo version %s\\n" % version, RIGHTS)).keys()
    assert names == ({"sudo-noninteractive"} if found else set())


def test_sudo_rs_reports_commands_only(machine):
    rights = "User deploy-bot may run the following commands on build-7:\\n    (root) ALL\\n"
    assert findings(machine, **replace_sudo("sudo-rs 0.2.5\\n", rights)) == {}
    more = replace_sudo("sudo-rs 0.2.5\\n", rights.replace("ALL", "NOPASSWD: ALL"))
    only(machine, "sudo-authenticate", "NOPASSWD", "deploy-bot", **more)
    refusal = "sudo-rs: Sorry, user root is not allowed to execute 'list' as deploy-bot on build-7.\\n"
    more = replace_sudo("sudo-rs 0.2.5\\n", refusal)
    only(machine, "sudo-command", "deploy-bot", **dict(more, double=more["double"] + "\n[ $1 = -V ]"))


# --- The host ---


@pytest.mark.parametrize("old, new, text", [("/usr/sbin/nologin", "/bin/sh", '"/bin/sh"'), (":x:%d:", ":x:1501:", "alice"),
                                            (":x:%d:", ":x:0:", "uid 0")])
def test_a_user_of_ksa_fetch_that_others_use(machine, old, new, text):
    passwd = Path("/etc/passwd")
    lines = passwd.read_text().splitlines(keepends=True)
    [own] = [line for line in lines if line.startswith("_ksa:")]
    old = old % int(own.split(":")[2]) if "%d" in old else old
    assert old in own
    lines.remove(own)
    passwd.write_text("".join(lines) + own.replace(old, new))
    only(machine, "fetch-user", text)


@pytest.mark.parametrize("password", ["$y$hash", ""])
def test_a_user_of_ksa_fetch_with_a_password(machine, password):
    """An empty one is a password too: it lets everybody in."""
    shadow = Path("/etc/shadow")
    shadow.write_text("".join("_ksa:%s:19000:0:99999:7:::\n" % password if line.startswith("_ksa:") else line
                              for line in shadow.read_text().splitlines(keepends=True)))
    only(machine, "fetch-user", "password")


def test_lookups_that_do_not_find_a_user(machine):
    registry.needs_name_service()
    registry.make()
    assert findings(machine) == {}
    hidden = "for one in /usr/lib/*/libnss_ksa.so.2 /usr/lib/libnss_ksa.so.2; do [ ! -e $one ] || mount --bind /dev/null $one; done"
    only(machine, "lookup", "ci_deployer", "do not find", prepare=hidden)
    with open("/etc/passwd", "a") as passwd:
        passwd.write("ci_deployer:x:1600:1600::/:/bin/sh\n")
    only(machine, "lookup", "ci_deployer", "1600", str(registry.UID))


def units(timer="active", service="inactive"):
    return {"prepare": 'mount --bind "$0" /usr/bin/systemctl',
            "double": 'case $* in *ksa-keys.timer*ActiveState*|*ActiveState*ksa-keys.timer) echo %s ;;\n'
                      '*ActiveState*ksa-keys.service) echo %s ;;\n*ExecMainExitTimestamp*) echo "Sun 2026-11-29 10:00:00 UTC" ;;\n'
                      '*) echo inactive ;; esac' % (timer, service)}


def test_timers(machine):
    with private_host.systemd():
        assert findings(machine, **units()) == {}
        only(machine, "timer-stopped", "ksa-keys.timer", "inactive", **units(timer="inactive"))
        only(machine, "timer-failed", "ksa-keys.service", "10:00:00", **units(service="failed"))
    assert findings(machine, **units("inactive", "failed")) == {}


def test_timers_that_nothing_enables_are_not_stopped_ones(machine):
    with private_host.systemd(enabled=False):
        assert findings(machine, **units(timer="inactive")) == {}


MODES = {"/run/ksa": 0o700, "/var/cache/ksa": 0o755, "/var/lib/ksa": 0o755, "/var/lib/ksa/credentials": 0o700, "/var/lib/ksa/used": 0o700}


@pytest.mark.parametrize("path", MODES)
@pytest.mark.parametrize("mode, uid", [(0o777, 0), (0o750, 0), (None, 1501)])
def test_modes(machine, path, mode, uid):
    machine.write_config(RULE % ("prod:ci/deployer", "deploy-bot", "sshd"))
    os.chown(path, uid, uid)
    os.chmod(path, mode or MODES[path])
    only(machine, "mode", path, "%04o" % MODES[path], "uid %d" % uid)
    answer = check(machine, "--fix")
    [problem] = answer.json["problems"]
    assert answer.status == 1 and problem["check"] == "mode-fixed" and path in problem["text"], answer
    status = os.stat(path)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (MODES[path], 0, 0)
    assert findings(machine) == {}


def test_a_registry_that_others_could_have_written_is_not_fixed(machine):
    registry.make()
    os.chmod(registry.PATH, 0o600)
    only(machine, "mode", "registry", "0644")
    for uid, mode in ((0, 0o666), (1501, 0o644)):
        os.chown(registry.PATH, uid, uid)
        os.chmod(registry.PATH, mode)
        answer = check(machine, "--fix")
        assert answer.status == 2 and [problem["check"] for problem in answer.json["problems"]] == ["mode-unsafe"], answer
        assert (stat.S_IMODE(registry.PATH.stat().st_mode), registry.PATH.stat().st_uid) == (mode, uid)
    os.chown(registry.PATH, 0, 0)
    os.chmod(registry.PATH, 0o600)
    assert [problem["check"] for problem in check(machine, "--fix").json["problems"]] == ["mode-fixed"]
    assert stat.S_IMODE(registry.PATH.stat().st_mode) == 0o644


def test_fix_follows_no_link(machine):
    """What an attacker who owns the directory would put there."""
    target = Path("/var/log/target")
    target.mkdir(mode=0o711)
    used = Path("/var/lib/ksa/used")
    used.rmdir()
    used.symlink_to(target)
    try:
        check(machine, "--fix")
        assert stat.S_IMODE(target.stat().st_mode) == 0o711
    finally:
        used.unlink()
        used.mkdir(mode=0o700)
        target.rmdir()


def test_fix_leaves_a_second_name_of_a_file_alone(machine):
    """What an attacker who once could write the directory would put there: a file that only root may read."""
    target = Path("/var/lib/target")
    target.touch(mode=0o600)
    os.link(target, registry.PATH)
    try:
        answer = check(machine, "--fix")
        assert [problem["check"] for problem in answer.json["problems"]] == ["mode-unsafe"], answer
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    finally:
        registry.PATH.unlink()
        target.unlink()


def test_labels(machine):
    enforcing = "mount -t tmpfs none /sys/fs && mkdir /sys/fs/selinux && echo %d >/sys/fs/selinux/enforce"
    os.setxattr("/etc/ksa/ksa.conf", "security.selinux", b"unconfined_u:object_r:etc_t:s0\0")
    assert findings(machine, prepare=enforcing % 1) == {}
    os.setxattr("/etc/ksa/ksa.conf", "security.selinux", b"unconfined_u:object_r:user_home_t:s0\0")
    only(machine, "selinux-label", "/etc/ksa/ksa.conf", "user_home_t", prepare=enforcing % 1)
    assert findings(machine, prepare=enforcing % 0) == {} == findings(machine)


@pytest.mark.parametrize("name, audience, found", [
    ("build-7", "ssh://build-6", True), ("build-7.example.com", "ssh://build-12.example.com", True), ("build-7", "ssh://%H", False),
    ("build-7", "ssh://fleet", False), ("build-7", "ssh://build", False), ("build-7", "ssh://build-6 ssh://build-7", False),
    ("build-7", "ssh://build-7.example.com", False), ("build-7.example.com", "ssh://build-7", False), ("BUILD-7", "ssh://build-7", False),
    ("build-7", "ssh://db-7", False), ("build-7", "ssh://build-x", False), ("build", "ssh://fleet", False)])
def test_an_audience_of_another_host(machine, name, audience, found):
    machine.edit("/etc/ksa/ksa.conf", "ssh://%H", audience)
    more = {"prepare": "exec unshare --uts sh -c 'hostname %s && exec \"$@\"' sh \"$@\"" % name}
    if found:
        only(machine, "host-name", audience, name, **more)
    else:
        assert findings(machine, **more) == {}


@pytest.mark.parametrize("ahead, found", [(0, None), (50, None), (120, "behind"), (-120, "ahead of")])
def test_the_clock(machine, ahead, found):
    with DoubleHost(machine) as cluster:
        cluster.server.pages[KEYS] = jwks_page(machine.key)
        cluster.server.pages[PATH] = lambda *_: self_review(ahead=ahead)
        cluster.give_credential()
        cluster.configure(cluster.section())
        assert cluster.refresh("prod").status == 0
        if found is None:
            assert findings(machine) == {}
        else:
            only(machine, "clock", "prod", found)


def test_an_api_server_that_does_not_answer_has_no_clock(machine):
    with DoubleHost(machine) as cluster:
        cluster.configure(cluster.section())
        cluster.server.__exit__()
        begin = time.monotonic()
        assert findings(machine) == {} and time.monotonic() - begin < 30
