# SPDX-License-Identifier: BSD-2-Clause
"""sudo with a token: asked for through sudo -A, or read from token_file=."""
import os
import pty
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import fuse
import host as private_host
import issuer
from host import wait_until

TOKEN = Path("/home/deploy-bot/.ksa/token")
AS_BOT = ["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--init-groups"]


def sudo_n(host, command="sudo -n id -un"):
    return host.on_host(command)


def test_askpass(host):
    path = host.token_file(host.token(), "/home/deploy-bot/job-token", "deploy-bot")
    result = host.on_host("sudo -A id -un", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=path,
                          KSA_AUDIENCE="ssh://build-7")
    assert result.out == "root\n", result
    assert "service=sudo" in result.allowed[0] and 'rule="deploy-sudo"' in result.allowed[0]


def test_askpass_for_sudo_i(host):
    path = host.token_file(host.token(), "/home/deploy-bot/job-token", "deploy-bot")
    result = host.on_host("sudo -A -i id -un", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=path,
                          KSA_AUDIENCE="ssh://build-7")
    assert result.out == "root\n", result
    assert "service=sudo-i" in result.allowed[0]


def test_askpass_through_ssh(host):
    """The whole way of a deploy bot: over ssh, then sudo."""
    token = host.token()
    host.token_file(token, "/home/deploy-bot/job-token", "deploy-bot")
    result = host.ssh(token, "KSA_TOKEN_FILE=job-token KSA_AUDIENCE=ssh://build-7 SUDO_ASKPASS=%s sudo -A id -un"
                      % private_host.ASKPASS)
    assert result.out == "root\n", result
    assert len(result.allowed) == 2


def test_long_token_through_askpass(host):
    """sudo refuses an answer of 512 bytes or more: parts go through."""
    key = issuer.Key("RS256")
    token, kid = issuer.token_of_length(key, 3515)
    host.write_keys(key.jwk(kid=kid))
    path = host.token_file(host.remember(token), "/home/deploy-bot/job-token", "deploy-bot")
    result = host.on_host("sudo -A id -un", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=path,
                          KSA_AUDIENCE="ssh://build-7")
    assert result.out == "root\n", result


def test_token_file(host):
    host.give_token(host.token())
    result = sudo_n(host)
    assert result.out == "root\n", result
    assert len(result.allowed) == 1


def test_token_file_expired(host):
    host.give_token(host.token(issued=int(time.time()) - 1000))
    result = sudo_n(host)
    assert result.status == 1 and result.reasons == ["expired"], result


def test_token_file_of_no_rule(host):
    host.give_token(host.token(account="tester"))
    assert sudo_n(host).reasons == ["no-rule"]


def test_token_file_missing_asks_instead(host):
    """sudo -n cannot be asked: denied. sudo -A can."""
    result = sudo_n(host)
    assert result.status == 1 and result.reasons == ["conversation-failed"], result


def unsafe(name):
    path = TOKEN
    if name == "fifo":
        os.mkfifo(path)
        shutil.chown(path, "deploy-bot", "deploy-bot")
    elif name == "directory":
        path.mkdir()
        shutil.chown(path, "deploy-bot", "deploy-bot")
    elif name == "symlink to a root file":
        path.symlink_to("/etc/shadow")
    elif name == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(path))


@pytest.mark.parametrize("name", ("fifo", "directory", "symlink to a root file", "socket"))
def test_token_file_is_no_file(host, name):
    host.give_token("")
    TOKEN.unlink()
    unsafe(name)
    result = sudo_n(host)
    assert result.status == 1 and result.reasons == ["token-file-unsafe"], result


@pytest.mark.parametrize("mode", (0o660, 0o604, 0o602, 0o622, 0o644))
def test_token_file_open_to_others(host, mode):
    host.give_token(host.token(), mode)
    assert sudo_n(host).reasons == ["token-file-unsafe"]


def test_token_file_of_another_user(host):
    host.give_token(host.token(), 0o640, "alice")
    shutil.chown(TOKEN, "alice", "deploy-bot")
    assert sudo_n(host).reasons == ["token-file-unsafe"]


def test_token_file_that_the_user_cannot_read(host):
    """Root opens nothing on the user's behalf."""
    host.give_token(host.token(), 0o600, "root")
    assert sudo_n(host).reasons in (["token-file-unsafe"], ["token-file-failed"])


def test_token_file_of_17_kib(host):
    host.give_token("e" * 17 * 1024)
    assert sudo_n(host).reasons == ["token-file-unsafe"]


def test_token_file_of_root_for_the_user(host):
    host.give_token(host.token(), 0o640, "root")
    shutil.chown(TOKEN, "root", "deploy-bot")
    assert sudo_n(host).out == "root\n"


def test_token_file_is_not_for_targetpw(host):
    """PAM_USER is root there, and the token that of the caller."""
    host.give_token(host.token())
    host.write("/etc/sudoers.d/ksa", "Defaults:deploy-bot noninteractive_auth, targetpw, passwd_tries=1\ndeploy-bot ALL=(ALL) ALL\n", 0o440)
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sudo", "user = deploy-bot alice\nservice = sudo")
    result = host.on_host("sudo -n -u alice id -un")
    assert result.status == 1 and result.reasons == ["conversation-failed"], result


def test_token_file_is_not_for_su(host):
    host.give_token(host.token())
    pam = Path("/etc/pam.d/su")
    shipped = pam.read_text()
    try:
        host.write(pam, "auth [success=done default=die] pam_ksa.so token_file=/home/deploy-bot/.ksa/token\n" + shipped)
        host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sudo", "user = deploy-bot alice\nservice = sudo su")
        result = host.on_host("su alice -c 'id -un'")
        assert result.out == "" and result.reasons == ["conversation-failed"], result
    finally:
        host.write(pam, shipped)


def test_token_file_is_not_for_sshd(host):
    """Else anybody would be deploy-bot by deploy-bot's own token."""
    host.give_token(host.token())
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so token_file=/home/%u/.ksa/token\n@include")
    result, prompts = host.type(["x"])
    assert result.status == 255 and set(result.reasons) == {"not-a-token"} and prompts != [], result


def test_limit_of_file_size_does_no_harm(host):
    """ulimit -f 0 killed sudo by SIGXFSZ as soon as an earlier design wrote a byte."""
    host.give_token(host.token())
    plain = sudo_n(host, "sudo -n id -un; echo $?")
    limited = host.on_host("ulimit -f 0; sudo -n id -un | cat")
    assert plain.out == "root\n0\n" and limited.out == "root\n", limited


def state_of(pid):
    try:
        return Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_stopped_in_the_middle_holds_nobody_up(host):
    """A user stops their own sudo while it waits: another login is not affected."""
    master, slave = pty.openpty()
    stopped = subprocess.Popen(AS_BOT + ["sudo", "id"], stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True, preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540E, 0))
    os.close(slave)
    try:
        seen = b""
        while b"Service account token as password: " not in seen:
            seen += os.read(master, 1024)
        os.kill(stopped.pid, signal.SIGSTOP)
        wait_until(lambda: state_of(stopped.pid) == "T")
        assert host.ssh(host.token()).out == "deploy-bot\n"
        host.give_token(host.token())
        assert sudo_n(host).out == "root\n"
    finally:
        os.kill(stopped.pid, signal.SIGKILL)
        os.close(master)
        stopped.wait()


def test_stopped_reader_of_the_token_file_ends_in_time(host):
    """The child that reads the file is the user's, who may stop it. The parent ends it after 2 s."""
    host.give_token(host.token())
    held = Path("/home/deploy-bot/held")
    held.unlink(missing_ok=True)
    stopper = subprocess.Popen(AS_BOT + ["sh", "-c", "echo ready; while [ ! -e %s ]; do pkill -STOP -u deploy-bot -x sudo; done" % held],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        stopper.stdout.readline()
        result = sudo_n(host)
        # The child may have been faster than the hand that stops it.
        assert result.out == "root\n" or result.reasons == ["token-file-failed"], result
    finally:
        held.touch()
        stopper.wait()
        stopper.stdout.close()


def test_token_file_on_a_file_system_that_never_answers(host):
    """sudo waited for its child, which nothing can kill."""
    host.give_token(host.token())
    with fuse.SilentFiles(TOKEN.parent) as files:
        size = host.log_size()
        sudo = subprocess.Popen(AS_BOT + ["sudo", "-n", "id", "-un"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert sudo.wait(50) == 1 and files.requested.is_set()
        finally:
            sudo.kill()
    assert sudo.communicate()[0] == b""
    assert [line for line in host.log_since(size) if " reason=token-file-failed " in line]


def test_timestamp_skips_auth_and_account_lets_it_pass(host):
    """sudo's second run inside its timestamp calls the account phase alone."""
    host.write("/etc/sudoers.d/ksa", "Defaults:deploy-bot noninteractive_auth, timestamp_type=global\n"
               "deploy-bot ALL=(root) ALL\n", 0o440)
    host.give_token(host.token())
    assert sudo_n(host).out == "root\n"
    TOKEN.unlink()
    result = sudo_n(host)
    assert result.out == "root\n" and result.lines == [], result
    host.on_host("sudo -K")


def test_nopasswd_is_untouched(host):
    host.write("/etc/sudoers.d/ksa", "deploy-bot ALL=(root) NOPASSWD: ALL\n", 0o440)
    result = sudo_n(host)
    assert result.out == "root\n" and result.lines == [], result


def test_environment_of_the_caller_changes_nothing(host):
    host.give_token(host.token())
    result = host.on_host("sudo -n id -un", OPENSSL_CONF="/nowhere", LD_PRELOAD="/nowhere.so",
                          KSA_CONFIG="/home/deploy-bot/ksa.conf", https_proxy="http://127.0.0.1:9", TZ="Nowhere/Land")
    assert result.out == "root\n", result
