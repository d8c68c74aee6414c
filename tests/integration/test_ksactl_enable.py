# SPDX-License-Identifier: BSD-2-Clause
"""ksactl enable and disable on a host whose /etc, state and tools (pam-auth-update, sshd, visudo) are doubles."""
import pytest

from ksactl_host import PASSWD, Host

# Each directory of the host, and the double's name.
MOUNTS = {"/etc/ssh": "ssh", "/etc/sudoers.d": "sudoers.d", "/etc/sudoers": "sudoers", "/etc/pam.d": "pam.d", "/run": "run",
          "/var/lib": "lib", "/usr/sbin": "sbin", "/usr/share/pam-configs": "pam-configs", "/usr/lib/openssh": "openssh",
          "/etc/systemd/system": "units"}
TOOLS = {"pam-auth-update": 'case $1 in --enable) echo "auth pam_ksa.so" ;; esac >/etc/pam.d/common-auth',
         "sshd": '[ ! -e /etc/ssh/broken ] && [ -d /run/sshd ] || exit 255\n'
                 '[ "$1" = -t ] || printf "usepam yes\\nkbdinteractiveauthentication yes\\n"',
         "visudo": "true"}
RULE = "[rule one]\naccount = prod:%s\nuser = %s\nservice = sshd sudo\n"


class EnableHost(Host):
    def __init__(self, build, directory):
        super().__init__(build, directory)
        for name in ("ssh/sshd_config.d", "sudoers.d", "pam.d", "run/ksa", "lib/ksa", "sbin", "pam-configs", "openssh", "units"):
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

    def late_users(self):
        result = self.run("check", "--host", "--json", "--config", self.config, prepare=self.prepare)
        return [problem for problem in result.json["problems"] if problem.get("check") == "enabled-user"]

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


def test_a_repeated_enable_has_nothing_to_change(host):
    assert "write /etc/sudoers.d/ksa" in host.enable().out
    again = host.enable()
    assert again.status == 0 and again.out.startswith("Nothing to change") and again.out.count("\n") == 1, again
    assert host.enable("--dry-run").out == again.out
    host.write_config(RULE % ("ci/deployer", "alice"))
    changed = host.enable()
    assert "Match User alice" in changed.out and "Nothing to change" not in changed.out and "pam-auth-update" not in changed.out, changed


def test_disable_prints_what_it_reverted(host):
    assert host.enable().status == 0
    result = host.disable()
    assert result.out == ("removed /etc/sudoers.d/ksa\nremoved /etc/ssh/sshd_config.d/ksa.conf, reloaded sshd\n"
                          "pam-auth-update --disable ksa\n"), result


def test_the_end_says_what_check_finds(host):
    """A host without the key set looked complete, and refused every token."""
    host.write_config((RULE % ("ci/deployer", "deploy-bot")))
    told = "the errors that ksactl check%s reports must be corrected"
    assert told % " --host" in host.enable().err  # pam-auth-update is a double
    assert "errors that" not in host.enable("--dry-run").err
    (host.directory / "prod.jwks").unlink()
    assert told % "" in host.enable("--dry-run").err


def test_a_person_with_keys_in_a_rule(host):
    """sshd refused the key and the password of a person whom a rule names, without a word."""
    home = host.directory / "home"
    (home / ".ssh").mkdir(parents=True)
    host.write("passwd", PASSWD + "eve:x:2001:2001::%s:/bin/sh\n" % home)
    host.write_config(RULE % ("ci/deployer", "deploy-bot eve"))
    assert "authorized_keys" not in host.enable("--dry-run").err
    (home / ".ssh/authorized_keys").write_text("ssh-ed25519 AAAA eve\n")
    result = host.enable("--dry-run")
    assert "a rule names eve, who has %s/.ssh/authorized_keys" % home in result.err and "deploy-bot, who" not in result.err, result


def test_masked_timers_stay_masked(host):
    """systemctl would refuse to enable them, and enable reverted all."""
    for timer in ("ksa-keys", "ksa-credential", "ksa-accounts"):
        (host.directory / "units" / (timer + ".timer")).symlink_to("/dev/null")
    result = host.enable("sudo", more="mkdir -p /run/systemd/system")
    assert result.status == 0 and result.err.count(" is masked and stays so; ") == 3, result
    assert "timer" not in result.out and "systemctl unmask ksa-keys.timer" in result.err, result


def test_an_sshd_that_is_stopped(host):
    """Its service makes /run/sshd, without which sshd -t fails; socket activation may not have started it yet."""
    host.write_config((RULE % ("ci/deployer", "deploy-bot")).replace("sshd sudo", "sshd"))
    before = host.state()
    assert host.enable().status == 0
    (host.directory / "run/sshd").rmdir()
    assert host.disable().status == 0 and host.state() == before


def test_a_message_names_the_program_that_failed_alone(host):
    host.write("ssh/broken", "")
    result = host.enable("sshd")
    assert result.status == 2 and result.err.startswith("/usr/sbin/sshd -t ended with 255"), result


def test_a_record_that_cannot_be_written_changes_nothing(host):
    """Otherwise disable would find nothing to revert, and enable a file that is not its own."""
    (host.directory / "lib/ksa/.enabled.new").mkdir()
    before = host.state()
    result = host.enable()
    assert result.status == 2 and host.state() == before, result


def test_disable_reverts_an_enable_that_was_killed(host):
    """pam-auth-update kills ksactl after its work, as Ctrl-C might."""
    before = host.state()
    tool = host.directory / "sbin/sshd"
    text = tool.read_text()
    tool.write_text(text.replace("#!/bin/sh\n", "#!/bin/sh\nkill -9 $(cat /run/ksactl.pid)\n"))
    result = host.enable(more="{ echo $$ >/run/ksactl.pid; }")
    assert result.status == -9 and "pam_ksa" in host.state()["pam.d/common-auth"], result
    tool.write_text(text)
    result = host.disable()
    assert result.status == 0 and host.state() == before, result


def test_a_profile_that_a_person_enabled_stays_when_all_is_reverted(host):
    host.write("pam.d/common-auth", "auth pam_ksa.so\n")
    host.write("ssh/broken", "")
    before = host.state()
    result = host.enable()
    assert result.status == 2 and "reverted" in result.err and host.state() == before, result


def test_disable_left_no_profile_that_a_person_had_enabled(host):
    """disable reverts what enable did: the profile was there before."""
    host.write("pam.d/common-auth", "auth pam_ksa.so\n")
    before = host.state()
    for _ in range(2):
        assert host.enable().status == 0
    assert host.disable().status == 0 and host.state() == before


def test_one_process_at_a_time(host):
    tool = host.directory / "sbin/pam-auth-update"
    tool.write_text("#!/bin/sh\n%s\n/usr/bin/flock -n /run/ksa/enable.lock true; echo $? >>/run/log\n" % TOOLS[tool.name])
    assert host.enable().status == 0 and host.disable().status == 0
    assert (host.directory / "run/log").read_text() == "1\n1\n"


def test_disable_without_sshd(host):
    """It was uninstalled since."""
    before = host.state()
    assert host.enable().status == 0
    (host.directory / "sbin/sshd").unlink()
    result = host.disable()
    assert result.status == 0 and host.state() == before, result
    assert host.enable("sshd").status == 2 and host.state() == before


def test_a_person_whose_name_begins_like_a_namespace(host):
    """A block for ci_* alone would take away the SSH keys of ci_anna."""
    host.write("passwd", PASSWD + "ci_anna:x:1600:1600::/:/bin/sh\n")
    host.write_config(RULE % ("ci/*", "@own"))
    assert host.enable().status == 0
    assert "Match User ci_*,!ci_anna\n" in host.state()["ssh/sshd_config.d/ksa.conf"]


def test_a_person_who_came_after_enable(host):
    """check --host reports what a second enable corrects."""
    host.write_config(RULE % ("ci/*", "@own"))
    host.write("passwd", PASSWD + "ci_anna:x:1600:1600::/:/bin/sh\n")
    assert host.enable("sshd").status == 0 and host.late_users() == []
    host.write("passwd", PASSWD + "ci_anna:x:1600:1600::/:/bin/sh\nci_ben:x:1601:1601::/:/bin/sh\nciara:x:1602:1602::/:/bin/sh\n")
    found, = host.late_users()
    assert found["severity"] == "warning" and "ksactl enable" in found["remedy"], found
    assert found["text"].startswith("ci_ben of /etc/passwd"), found
    assert host.enable("sshd").status == 0 and host.late_users() == []


@pytest.mark.parametrize("rule, text", [(RULE % ("*/*", "@own"), "name no user"), (RULE % ("ci/deployer", "ALL"), "user = ALL")])
def test_users_that_no_file_can_name(host, rule, text):
    host.write_config(rule)
    before = host.state()
    result = host.enable("sudo")
    assert result.status == 2 and text in result.err and host.state() == before, result
    assert host.enable("sudo", "--dry-run").status == 2


def test_sudoers_without_sudoers_d(host):
    """The options would have no effect: a sudo without a token for 15 minutes."""
    host.write("sudoers", "root ALL=(ALL) ALL\n# @includedir /etc/sudoers.d\n")
    before = host.state()
    result = host.enable("sudo")
    assert result.status == 2 and "@includedir" in result.err and host.state() == before, result
    host.write("sudoers", "#includedir /etc/sudoers.d\n")
    assert host.enable("sudo").status == 0


@pytest.mark.parametrize("record", ["timer ssh.service -\n", "profile unix -\n", "sudoers /etc/sudoers.d/ksa -\n", "timer ksa-keys.timer\n",
                                    "sshd /etc/passwd %s\n" % ("0" * 64), "profile ksa -\n\0profile ksa -\n", "\n garbage"])
def test_damaged_record(host, record):
    """Nothing is changed by it: a unit that it names could be sshd's."""
    host.write("lib/ksa/enabled", record)
    host.write("sbin/pam-auth-update", "#!/bin/sh\necho >/run/called\n").chmod(0o755)
    before = host.state()
    assert host.disable().status == host.enable().status == 2
    assert host.state() == before and not (host.directory / "run/called").exists()


def test_a_service_that_no_rule_names_any_more(host):
    """Its file keeps the users from their other ways in, so enable says that it stays."""
    assert host.enable().status == 0
    host.write_config((RULE % ("ci/deployer", "deploy-bot")).replace("sshd sudo", "sudo"))
    result = host.enable()
    assert result.status == 0 and "sshd_config.d/ksa.conf stays" in result.err and "sudoers" not in result.err, result
    host.write_config("")
    result = host.enable()
    assert result.status == 2 and "sshd_config.d/ksa.conf stays" in result.err and "sudoers.d/ksa stays" in result.err, result
    assert host.disable().status == 0


def test_a_failing_repetition_restores_the_earlier_files(host):
    assert host.enable().status == 0
    before = host.state()
    host.write_config(RULE % ("ci/deployer", "alice"))
    host.write("sbin/visudo", "#!/bin/sh\nexit 1\n").chmod(0o755)
    result = host.enable()
    assert result.status == 2 and "reverted" in result.err and host.state() == before, result
    assert host.disable().status == 0


def test_more_users_than_a_page_holds(host):
    """disable and a second enable must be able to read what the first wrote."""
    before = host.state()
    rules = ["[rule r%d]\naccount = prod:ci/deployer\nuser = %s\nservice = sshd sudo\n"
             % (n, " ".join("robot-of-the-team-%d-%d" % (n, i) for i in range(30))) for n in range(100)]
    host.write_config("".join(rules))
    assert host.enable().status == 0 and host.enable().status == 0
    assert len(host.state()["sudoers.d/ksa"]) > 65536
    assert host.disable().status == 0 and host.state() == before
