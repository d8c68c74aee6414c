# SPDX-License-Identifier: BSD-2-Clause
"""sudo by the session: inside an ssh session that a token opened, sudo needs no other secret (token = session)."""
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import host as private_host
import issuer
import pam
from host import HOME, field, wait_until
from sessions import CONFIG, RECORDS, SUDO, Sessions, Shell, alive, tokens_kept

DOCKER = ("chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,audit_write,setfcap")


@pytest.fixture
def sessions(host):
    found = Sessions(host)
    yield found
    found.end()


# --- The way of a bot ---

def test_sudo_in_the_session_needs_no_other_secret(sessions):
    size = sessions.host.log_size()
    shell = sessions.token_shell()
    (login,) = [line for line in sessions.host.log_since(size) if "result=allow " in line]
    (line,) = shell.allowed()
    assert " how=session session=%d login_ref=%s " % (shell.id, field(login, "ref")) in line, line
    assert field(line, "rule") == "deploy-sudo" and field(line, "rhost") == "127.0.0.1" and field(line, "jti") == field(login, "jti")
    other = sessions.key_shell()  # of the same user, at the same time
    assert other.denied() == ["no-session-record"]
    shell.allowed()


def test_kinds_of_sudo_and_of_processes(sessions):
    shell = sessions.token_shell()
    for command in ("sudo -n -i id -un", "setsid -w " + SUDO, "(nohup %s)" % SUDO, "sh -c '(%s)'" % SUDO,
                    "sudo -n sh -c 'sudo -u deploy-bot sudo -n id -un'", "SUDO_ASKPASS=/bin/false sudo -A id -un"):
        shell.allowed(command)
    # The session of another user in it, and one of its own.
    assert shell.denied("sudo -n -u alice sudo -n id -un") != ["ok", "ok"]


def test_handle_is_in_no_environment_and_no_log(sessions):
    shell = sessions.token_shell()
    assert "KSA_JTI" in shell.run("env") and "HANDLE" not in shell.run("env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")
    assert "HANDLE" not in Path("/var/log/auth.log").read_text()
    assert "\ntoken " in shell.record() and list(RECORDS.glob("pending-*")) == []
    assert shell.run("cat %s/* || ls /run/ksa" % RECORDS).count("Permission denied") == 2


def test_rule_without_the_option(sessions):
    """The record of a login that no rule could use is not written; and one that none can use any more is not read."""
    shell = sessions.token_shell()
    sessions.host.edit(CONFIG, "token = session", "token = fresh")
    assert shell.denied() == ["conversation-failed"]
    other = sessions.token_shell()
    assert not (RECORDS / str(other.id)).exists() and other.denied() == ["conversation-failed"]


# --- Order ---

def test_token_file_comes_after_the_session(sessions):
    shell = sessions.token_shell()
    sessions.host.give_token(sessions.host.token(account="tester"))
    shell.allowed()  # the file is not looked at
    other = sessions.key_shell()
    assert other.denied() == ["no-rule"]
    sessions.host.give_token(sessions.host.token())
    assert "how=session" not in other.allowed()[0]


def test_session_of_an_account_that_no_rule_names(sessions):
    """sudo goes on to a fresh token."""
    sessions.host.edit(CONFIG, "[rule deploy-sudo]", "[rule tester]\naccount = prod:ci/tester\nuser = deploy-bot\nservice = sshd sudo\n"
                       "\n[rule deploy-sudo]")
    text = Path(CONFIG).read_text()
    sessions.host.write(CONFIG, text.replace("account = prod:ci/deployer\nuser = deploy-bot\nservice = sudo",
                                             "account = prod:ci/*\nuser = deploy-bot\nservice = sudo"))
    shell = sessions.token_shell(sessions.host.token(account="tester"))
    shell.allowed()
    sessions.host.write(CONFIG, text)
    assert shell.denied() == ["no-rule"]
    sessions.host.give_token(sessions.host.token())
    assert "how=session" not in shell.allowed()[0]


# --- Who is not in the session ---

def test_process_of_no_session(sessions):
    """As of cron, at, and a service: they have no audit session id here, or one of their own."""
    sessions.token_shell()
    result = sessions.host.on_host(SUDO)
    assert result.status == 1 and result.reasons == ["no-session"], result


def test_own_id_of_a_process_without_one(sessions):
    """A process that has no id may choose any loginuid, but gets a new id."""
    sessions.token_shell()
    result = sessions.host.on_host("echo 1500 >/proc/self/loginuid; " + SUDO)
    assert result.status == 1 and result.reasons == ["no-session-record"], result


def test_id_cannot_be_changed(sessions):
    shell, other = sessions.token_shell(), sessions.key_shell()
    assert other.denied("echo %d >/proc/self/sessionid; echo 1500 >/proc/self/loginuid; %s" % (shell.id, SUDO)) == ["no-session-record"]
    assert other.denied("unshare -Ur sh -c 'echo 1500 >/proc/self/loginuid'; " + SUDO) == ["no-session-record"]
    shell.allowed()


def test_other_session_keyring(sessions):
    shell = sessions.token_shell()
    joined = "python3 -c 'import ctypes, os; ctypes.CDLL(\"libkeyutils.so.1\").keyctl_join_session_keyring(None); " \
             "os.execvp(\"sudo\", [\"sudo\", \"-n\", \"id\", \"-un\"])'"
    assert shell.denied(joined) == ["session-left"]
    shell.allowed()


def test_su_is_not_for_sessions(sessions):
    stack = Path("/etc/pam.d/su")
    shipped = stack.read_text()
    try:
        sessions.host.write(stack, "auth [success=done default=die] pam_ksa.so\n" + shipped)
        sessions.host.edit(CONFIG, "[rule deploy-sudo]", "[rule su]\naccount = prod:ci/deployer\nuser = deploy-bot root\nservice = su\n"
                           "\n[rule deploy-sudo]")
        shell = sessions.token_shell()
        assert shell.denied("su deploy-bot -c 'id -un' </dev/null") == ["conversation-failed"]
        assert shell.denied("su root -c 'id -un' </dev/null") == ["conversation-failed"]
        shell.allowed()
    finally:
        sessions.host.write(stack, shipped)


PROGRAM = """import json, sys
sys.path.insert(0, "%s")
import pam
print(json.dumps([pam.run(pam.CONFDIR, service, "deploy-bot", answers=[None], real_uid=int(sys.argv[1]))["codes"]["authenticate"]
                  for service in sys.argv[2:]]))
"""


def test_other_services(sessions):
    """Programs in the session that call the module as sudo does, but are not sudo; and sudo that root calls."""
    services = ("su", "su-l", "polkit-1", "xscreensaver", "i3lock", "cron", "atd", "login", "sshd")
    sessions.host.edit(CONFIG, "[rule deploy-sudo]", "[rule others]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = %s\n\n"
                       "[rule deploy-sudo]" % " ".join(services))
    os.makedirs(pam.CONFDIR, exist_ok=True)
    for name in (*services, "sudo", "sudo-i"):
        Path(pam.CONFDIR, name).write_text("auth required pam_ksa.so nodelay\n")
    program = sessions.host.write("/run/call-pam", PROGRAM % Path(pam.__file__).parent)
    shell = sessions.token_shell()

    def codes(uid, *names):
        return private_host.json.loads(shell.run("sudo -n python3 %s %d %s" % (program, uid, " ".join(names))))

    assert codes(1500, "sudo", "sudo-i") == ["SUCCESS"] * 2
    assert codes(1500, *services) == ["AUTH_ERR"] * len(services)
    assert codes(0, "sudo", "sudo-i") == codes(1501, "sudo", "sudo-i") == ["AUTH_ERR"] * 2
    program.unlink()


def test_sshd_inside_the_session(sessions):
    """It has the session's id, and so have all its logins of the same user."""
    shell = sessions.token_shell()
    sessions.host.write("/etc/ssh/sshd_config_2222", "Port 2222\nUsePAM yes\nPidFile /run/sshd-2222.pid\n"
                        "AuthorizedKeysFile /etc/ssh/keys_%u\nKbdInteractiveAuthentication yes\n")
    shell.run("sudo -n %s -f /etc/ssh/sshd_config_2222" % (private_host.shutil.which("sshd") or "/usr/sbin/sshd"))
    sessions.host.sshds.append(Path("/run/sshd-2222.pid"))
    wait_until(lambda: Path("/run/sshd-2222.pid").exists() and Path("/run/sshd-2222.pid").read_text().endswith("\n"))
    key = sessions.key_shell(port=2222)
    size = sessions.host.log_size()
    token = sessions.token_shell(port=2222)
    assert key.id == token.id == shell.id and [path.name for path in RECORDS.iterdir()] == [str(shell.id)]
    assert any("has no record for sudo: its audit session id is that of sshd itself" in line for line in sessions.host.log_since(size))
    # Their keyrings are their own.
    assert key.denied() == token.denied() == ["session-left"]
    key.close()
    token.close()
    shell.allowed()


WAITING = """#!/bin/sh
case $1 in
*"Service account token"*) cat {0}/token ;;
*) cat {0}/answer ;;
esac
"""


def test_handle_of_another_connection(sessions):
    """~/.pam_environment names a pending record, of a login that waits for its second method."""
    host, place = sessions.host, HOME / "waiting"
    host.start_sshd("KbdInteractiveAuthentication yes\nPasswordAuthentication yes\n"
                    "AuthenticationMethods keyboard-interactive,password", 2201)
    host.edit("/etc/pam.d/sshd", "session [success=ignore default=1] pam_ksa.so", "session required pam_env.so user_readenv=1\n"
              "session [success=ignore default=1] pam_ksa.so")
    place.mkdir()
    private_host.shutil.chown(place, "job", "job")
    host.token_file(host.token(), place / "token")
    os.mkfifo(place / "answer")
    private_host.shutil.chown(place / "answer", "job", "job")
    hand = host.write(place / "hand", WAITING.format(place), 0o755)
    waiting = subprocess.Popen(["setpriv", "--reuid=job", "--regid=job", "--init-groups", "ssh", "-p", "2201", "-l", "deploy-bot", "-o",
                                "PreferredAuthentications=keyboard-interactive,password", "build-7", "true"], cwd=HOME,
                               stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               env={"HOME": str(HOME), "PATH": os.environ["PATH"], "SSH_ASKPASS": str(hand),
                                    "SSH_ASKPASS_REQUIRE": "force"})
    try:
        with open(place / "answer", "w"):  # the client asks for the password
            (pending,) = RECORDS.glob("pending-*")
            sshd = re.search(r"^sshd (\d+) ", pending.read_text(), re.M).group(1)
            host.write("/home/deploy-bot/.pam_environment", "KSA_HANDLE DEFAULT=%s\n" % pending.name.split("-")[1])
            size = host.log_size()
            shell = sessions.key_shell()
            assert "HANDLE" not in shell.run("env") and shell.denied() == ["no-session-record"]
            assert any("its record is of another connection" in line for line in host.log_since(size))
            assert pending.exists()
            os.killpg(waiting.pid, signal.SIGKILL)
        wait_until(lambda: not alive(int(sshd)))
        Path("/home/deploy-bot/.pam_environment").unlink()
        sessions.token_shell()  # sweeps
        assert list(RECORDS.glob("pending-*")) == []
    finally:
        waiting.kill()
        waiting.wait()
        private_host.shutil.rmtree(place)
        Path("/home/deploy-bot/.pam_environment").unlink(missing_ok=True)


# --- Hosts and ways to log in ---

def test_disk(sessions):
    """Nothing is kept on a file system that may be written to a disk; the login goes on."""
    place = Path("/var/lib/ksa-on-disk")
    place.mkdir(mode=0o700)
    subprocess.run(["mount", "--bind", place, "/run/ksa"], check=True)
    try:
        size = sessions.host.log_size()
        shell = sessions.token_shell()
        assert any("not on tmpfs or ramfs" in line for line in sessions.host.log_since(size))
        assert list(Path("/run/ksa/sessions").iterdir()) == [] and shell.denied() == ["no-session-record"]
    finally:
        subprocess.run(["umount", "/run/ksa"], check=True)
        private_host.shutil.rmtree(place)


def test_no_file_is_written_by_sudo(sessions):
    shell = sessions.token_shell()
    shell.allowed("ulimit -f 0; sudo -n id -un | cat")


def test_container(sessions):
    """sshd with the capabilities that Docker leaves: none to change an audit session id that is set."""
    sessions.host.start_sshd("KbdInteractiveAuthentication yes\nAuthorizedKeysFile /etc/ssh/keys_%u", 2202,
                             ["setpriv", "--bounding-set=-all,+" + DOCKER.replace(",", ",+"), "--inh-caps=-all"])
    shell = sessions.token_shell(port=2202)
    shell.allowed()
    assert sessions.key_shell(port=2202).denied() == ["no-session-record"]


def test_channels_of_one_connection(sessions):
    control = HOME / "control"
    control.unlink(missing_ok=True)
    master = sessions.token_shell(options=["-o", "ControlMaster=yes", "-o", "ControlPath=%s" % control])
    second, third = (Shell(sessions.host, ["ssh", "-o", "ControlPath=%s" % control, "-l", "deploy-bot", "build-7", "sh"]) for _ in range(2))
    assert master.id == second.id == third.id
    for shell in (third, second, master):
        shell.allowed()
        shell.close()
    wait_until(lambda: tokens_kept() == [])


def test_password_method(sessions):
    """The auth phase runs in sshd's process for the connection, whose parent is the listener."""
    sessions.host.start_sshd("PasswordAuthentication yes\nKbdInteractiveAuthentication no", 2203)
    token = sessions.host.remember(issuer.token(sessions.host.key, issuer.claims()))
    hand = sessions.host.write(HOME / "hand", "#!/bin/sh\ncat %s\n" % sessions.host.token_file(token, HOME / "token-password"), 0o755)
    shell = Shell(sessions.host, ["ssh", "-p", "2203", "-o", "PreferredAuthentications=password", "-l", "deploy-bot", "build-7", "sh"],
                  SSH_ASKPASS=str(hand), SSH_ASKPASS_REQUIRE="force")
    sessions.shells.append(shell)
    shell.allowed()


def test_password_of_a_login_that_is_not_completed(sessions):
    """The listener outlives the connection, which is over before a session opens."""
    sessions.host.start_sshd("PasswordAuthentication yes\nKbdInteractiveAuthentication no\nAuthenticationMethods password,publickey", 2205)
    token = sessions.host.remember(issuer.token(sessions.host.key, issuer.claims()))
    hand = sessions.host.write(HOME / "hand", "#!/bin/sh\ncat %s\n" % sessions.host.token_file(token, HOME / "token-password"), 0o755)
    result = subprocess.run(["setpriv", "--reuid=job", "--regid=job", "--init-groups", "ssh", "-p", "2205", "-o",
                             "PreferredAuthentications=password,publickey", "-o", "PubkeyAuthentication=no", "-l", "deploy-bot", "build-7",
                             "true"], cwd=HOME, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                            env={"HOME": str(HOME), "PATH": os.environ["PATH"], "SSH_ASKPASS": str(hand), "SSH_ASKPASS_REQUIRE": "force"})
    assert b"Permission denied (publickey)" in result.stderr, result
    (pending,) = RECORDS.glob("pending-*")
    sshd = int(re.search(r"^sshd (\d+) ", pending.read_text(), re.M).group(1))
    wait_until(lambda: not alive(sshd))
    sessions.token_shell()  # sweeps
    assert list(RECORDS.glob("pending-*")) == []


def test_two_methods(sessions):
    sessions.host.start_sshd("KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n"
                             "AuthorizedKeysFile /etc/ssh/keys_%u", 2204)
    shell = sessions.token_shell(port=2204, options=["-o", "PreferredAuthentications=publickey,keyboard-interactive", "-o",
                                                     "PubkeyAuthentication=yes", "-i", HOME / ".ssh/id_ed25519"])
    shell.allowed()


def test_users_that_ksa_did_not_admit(sessions):
    """Another person's sudo is as before, in its own session and without ksa's log lines."""
    sessions.host.write("/etc/sudoers.d/alice", "alice ALL=(root) NOPASSWD: ALL\n", 0o440)
    try:
        shell = Shell(sessions.host, ["ssh", "-i", HOME / ".ssh/id_ed25519", "-l", "alice", "build-7", "sh"])
        sessions.shells.append(shell)
        assert shell.sudo() == ("root", [])
    finally:
        os.unlink("/etc/sudoers.d/alice")
