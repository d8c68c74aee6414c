# SPDX-License-Identifier: BSD-2-Clause
"""sudo by the session: inside an ssh session that a token opened, sudo needs no other secret (token = session)."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import host as private_host
import issuer
from host import HOME, field, wait_until
from sessions import CONFIG, RECORDS, SUDO, Sessions, Shell, alive, tokens_kept

DOCKER = ("chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,audit_write,setfcap")
SUDOERS = "/etc/sudoers.d/ksa"


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


# --- The end of a session ---

def test_left_over_of_a_session_that_has_ended(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    assert left.run() == ("root", ["ok"])
    shell.close()
    wait_until(lambda: tokens_kept() == [])
    text, reasons = left.run()
    assert reasons == ["session-ended"] and "root" not in text, text


def test_sshd_was_killed_and_its_shell_lives(sessions):
    """sshd does not close the session then."""
    shell = sessions.token_shell()
    shell.allowed()
    monitor = shell.monitor()
    os.kill(monitor, signal.SIGKILL)
    wait_until(lambda: not alive(monitor))
    assert shell.denied() == ["session-ended"]
    assert tokens_kept() == [str(shell.id)]
    other = sessions.token_shell()  # each login sweeps
    assert tokens_kept() == [str(other.id)] and (RECORDS / str(shell.id)).exists()


def test_client_was_killed(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    shell.process.kill()
    wait_until(lambda: tokens_kept() == [])
    assert left.run()[1] == ["session-ended"]


def test_mark_goes_with_the_last_process(sessions):
    shell = sessions.token_shell()
    left = shell.background()
    shell.close()
    wait_until(lambda: tokens_kept() == [])
    other = sessions.token_shell()
    assert (RECORDS / str(shell.id)).exists()
    left.end()
    third = sessions.token_shell()
    assert sorted(path.name for path in RECORDS.iterdir()) == sorted([str(other.id), str(third.id)])


def test_tmux_server_of_an_earlier_session(sessions):
    """Its panes belong to the session in which it was started; the reason says so."""
    first = sessions.token_shell()
    left = first.background()
    sessions.left_over.append(left)
    first.close()
    wait_until(lambda: tokens_kept() == [])
    sessions.token_shell().allowed()
    text, reasons = left.run("sudo -n id -un")
    assert reasons == ["session-ended"]


# --- What ends sudo before the session ends ---

def test_expired(sessions):
    """Also where sudo skips the auth phase: within its time stamp, and with NOPASSWD."""
    end = int(time.time()) - 60 + 20  # clocks may differ by 60 s
    shell = sessions.token_shell(sessions.host.token(issued=end - 600, life=600))
    shell.allowed()
    sessions.host.write(SUDOERS, "Defaults:deploy-bot noninteractive_auth, timestamp_type=global, passwd_tries=1\n"
                        "deploy-bot ALL=(root) ALL\n", 0o440)
    shell.allowed()
    text, lines = shell.sudo()  # within the time stamp
    assert (text, lines) == ("root", [])
    time.sleep(max(0, end + 61 - time.time()))
    assert shell.denied() == ["expired"] and "the token of this session expired" in shell.run("sudo id -un")
    shell.run("sudo -K")
    assert shell.denied() == ["expired"]
    sessions.host.write(SUDOERS, "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    assert shell.denied() == ["expired"]
    text, lines = sessions.key_shell().sudo()  # it has no record: NOPASSWD counts
    assert (text, lines) == ("root", [])


def test_ended_and_nopasswd(sessions):
    sessions.host.write(SUDOERS, "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    shell = sessions.token_shell()
    left = shell.background()
    sessions.left_over.append(left)
    assert left.run() == ("root", [])
    monitor = shell.monitor()
    os.kill(monitor, signal.SIGKILL)
    wait_until(lambda: not alive(monitor))
    text, reasons = left.run("sudo id -un")
    assert reasons == ["session-ended"] and "has ended" in text, text
    sessions.token_shell()  # sweeps: from here it is a mark
    assert left.run()[1] == ["session-ended"]


def test_rule_removed(sessions):
    shell = sessions.token_shell()
    shell.allowed()
    text = Path(CONFIG).read_text()
    sessions.host.write(CONFIG, text.replace("token = session", "token = session\naccount_uid = u-2"))
    assert shell.denied() == ["no-rule"]
    sessions.host.write(CONFIG, text.split("[rule deploy-sudo]")[0])
    assert shell.denied() == []  # sudo is none of ksa's business now, and asks for a password


def test_key_removed(sessions):
    shell = sessions.token_shell()
    shell.allowed()
    sessions.host.write_keys(issuer.Key("RS256"))
    assert shell.denied() == ["unknown-kid"]


def test_first_rule_for_sessions_decides(sessions):
    text = Path(CONFIG).read_text()
    rule = "[rule near]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\ntoken = session\nfrom = %s\nonce = yes\n"
    shell = sessions.token_shell()
    sessions.host.write(CONFIG, text.replace("[rule deploy-sudo]", rule % "127.0.0.0/8" + "[rule deploy-sudo]"))
    assert [field(line, "rule") for line in shell.allowed() + shell.allowed()] == ["near", "near"]  # once counts at the login
    sessions.host.write(CONFIG, text.replace("[rule deploy-sudo]", rule % "192.0.2.0/24" + "[rule deploy-sudo]"))
    assert field(shell.allowed()[0], "rule") == "deploy-sudo"
    sessions.host.write(CONFIG, text.replace("token = session", "token = session\nfrom = 192.0.2.0/24"))
    assert shell.denied() == ["no-rule"]


def test_session_ends_while_sudo_runs(reviewed):
    """A user can stop their own sudo; here it waits for the API server."""
    reviewed.write("never", rule="[rule root]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sudo\ntoken = session\n"
                   "review = require")
    Path("/home/deploy-bot/.ksa/token").unlink()
    sessions = Sessions(reviewed.host, config=False)
    try:
        shell = sessions.token_shell()
        shell.allowed()
        left = shell.background()
        sessions.left_over.append(left)
        size = reviewed.host.log_size()
        reviewed.server.hold()
        (left.place / "in").write_text(SUDO + "\n")
        reviewed.server.held.wait(30)
        shell.close()
        wait_until(lambda: tokens_kept() == [])
        reviewed.server.go_on()
        wait_until(lambda: (left.place / "out").exists())
        assert "root" not in (left.place / "out").read_text()
        lines = [line for line in reviewed.host.log_since(size) if "): result=" in line]
        assert [field(line, "reason") for line in lines] == ["ok", "session-ended"] and "sudo:account" in lines[1], lines
    finally:
        sessions.end()


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
    pam = Path("/etc/pam.d/su")
    shipped = pam.read_text()
    try:
        sessions.host.write(pam, "auth [success=done default=die] pam_ksa.so\n" + shipped)
        sessions.host.edit(CONFIG, "[rule deploy-sudo]", "[rule su]\naccount = prod:ci/deployer\nuser = deploy-bot root\nservice = su\n"
                           "\n[rule deploy-sudo]")
        shell = sessions.token_shell()
        assert shell.denied("su deploy-bot -c 'id -un' </dev/null") == ["conversation-failed"]
        assert shell.denied("su root -c 'id -un' </dev/null") == ["conversation-failed"]
        shell.allowed()
    finally:
        sessions.host.write(pam, shipped)


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
