# SPDX-License-Identifier: BSD-2-Clause
"""People who do not use tokens: in every state of ksa they log in as before, and no one else does."""
import shutil

import pytest

KEY_LOGIN = ["ssh", "-o", "BatchMode=yes", "-l", "alice", "build-7", "id -un"]


def alice_by_key(host):
    return host.run(KEY_LOGIN)


def alice_by_sudo(host):
    """With her password, at the prompt that she knows."""
    return host.on_host("sudo -S -p 'Password: ' id -un", user="alice", stdin=b"correct horse\n")


def broken_config(host):
    host.write("/etc/ksa/ksa.conf", "[host]\naudience ssh://build-7\n")


def missing_config(host):
    shutil.rmtree("/etc/ksa")
    (__import__("os")).mkdir("/etc/ksa")


def unsafe_config(host):
    host.write("/etc/ksa/ksa.conf", open("/etc/ksa/ksa.conf").read(), 0o666)


def unknown_argument(host):
    for name in ("sshd", "sudo"):
        path = "/etc/pam.d/" + name
        host.write(path, open(path).read().replace("pam_ksa.so", "pam_ksa.so nodelya"))


def missing_module(host):
    for name in ("sshd", "sudo"):
        path = "/etc/pam.d/" + name
        host.write(path, open(path).read().replace("pam_ksa.so", "pam_ksa_gone.so"))


def missing_keys(host):
    __import__("os").unlink("/etc/ksa/prod.jwks")


def well(host):
    pass


WAYS = (well, broken_config, missing_config, unsafe_config, unknown_argument, missing_module, missing_keys)


@pytest.fixture
def sudoer(host):
    host.write("/etc/sudoers.d/alice", "alice ALL=(root) ALL\nDefaults:alice timestamp_timeout=0\n", 0o440)
    yield host
    __import__("os").unlink("/etc/sudoers.d/alice")


@pytest.mark.parametrize("happened", WAYS, ids=lambda way: way.__name__)
def test_person_is_unharmed(sudoer, happened):
    host = sudoer
    happened(host)
    result = alice_by_key(host)
    assert result.out == "alice\n" and result.err == "" and result.lines == [], result
    result = alice_by_sudo(host)
    assert result.out == "root\n", result
    assert "Service account token" not in result.err


@pytest.mark.parametrize("happened", (broken_config, missing_config, unsafe_config, unknown_argument, missing_keys),
                         ids=lambda way: way.__name__)
def test_login_that_the_stack_ignores_is_not_logged_as_denied(sudoer, happened):
    """LOG_WARNING: a person's sudo had a line of LOG_ERR with result=deny, and then succeeded by the password."""
    host = sudoer
    host.edit("/etc/ksa/ksa.conf", "[rule deploy-sudo]\n", "[rule alice]\naccount = prod:ci/deployer\nuser = alice\n"
              "service = sudo\n\n[rule deploy-sudo]\n")
    token = host.token()
    happened(host)
    path = host.token_file(token, "/home/alice/token", "alice")
    host.on_host("install -d -m 0700 .ksa && cp %s .ksa/token && chmod 0600 .ksa/token" % path, user="alice")
    result = alice_by_sudo(host)
    assert result.out == "root\n", result
    (line,) = result.lines
    assert line.startswith("<84>") and "result=unavailable reason=" in line, line  # LOG_AUTHPRIV, LOG_WARNING


@pytest.mark.parametrize("happened", WAYS[1:], ids=lambda way: way.__name__)
def test_and_nobody_is_let_in(host, happened):
    token = host.token()
    happened(host)
    result = host.ssh(token)
    assert result.status == 255 and result.out == "" and result.allowed == [], result
    if happened is not missing_module:
        assert result.lines, result


def test_wrong_password_stays_wrong(sudoer):
    result = sudoer.on_host("sudo -S -p '' id -un", user="alice", stdin=b"wrong\n")
    assert result.status == 1 and result.out == ""


def test_person_is_never_asked_for_a_token(host):
    """keyboard-interactive stays off for people: no password login reopens."""
    result, prompts = host.type(["x"], user="alice")
    assert result.status == 255 and prompts == [] and result.lines == [], result


def test_root_by_key_is_unharmed_by_a_broken_configuration(host):
    import os
    import shutil as files
    from pathlib import Path
    os.makedirs("/run/root-ssh", exist_ok=True)
    keys = Path("/run/root-ssh/authorized_keys")
    files.copy("/home/job/.ssh/id_ed25519.pub", keys)
    host.start_sshd("PermitRootLogin prohibit-password\nAuthorizedKeysFile %s\n" % keys, 2222)
    broken_config(host)
    result = host.run(["ssh", "-p", "2222", "-o", "BatchMode=yes", "-l", "root", "build-7", "id -un"])
    assert result.out == "root\n", result


def test_exempt_user_is_not_asked(host):
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so exempt=deploy-bot\n@include")
    result, prompts = host.type(["x"])
    assert all("Service account token" not in prompt for prompt in prompts) and result.lines == [], result
    assert result.status == 255
