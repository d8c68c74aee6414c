# SPDX-License-Identifier: BSD-2-Clause
"""The two lines of docs/source-build.md, first in auth and account of the stacks that distributions ship."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
from host import EXAMPLES, SOURCE
from pam_shapes import SHAPES, TOKEN_FILE, lines_of, page_lines, with_lines

PAM = Path("/etc/pam.d")
PORT = 2222
PASSWORD = "correct horse"


def set_password(user, hashed=None):
    subprocess.run(["usermod", "-p", hashed or "!", user], check=True)


@pytest.fixture(params=SHAPES)
def shaped(host, request, tmp_path):
    """A host with the stacks of that shape, people's passwords over ssh, and a password that would admit the bot too."""
    kept = tmp_path / "pam.d"
    shutil.copytree(PAM, kept)
    for name, text in SHAPES[request.param].items():
        host.write(PAM / name, with_lines(name, text) if name in ("sshd", "sudo") else text)
    host.write("/etc/sudoers.d/alice", "alice ALL=(root) ALL\nDefaults:alice timestamp_timeout=0\n", 0o440)
    subprocess.run(["chpasswd"], input=b"deploy-bot:correct horse\n", check=True)
    host.start_sshd("KbdInteractiveAuthentication yes\nPasswordAuthentication yes", PORT)
    host.shape = request.param
    yield host
    set_password("deploy-bot")
    Path("/etc/sudoers.d/alice").unlink()
    shutil.rmtree("/run/faillock", ignore_errors=True)
    for path in PAM.iterdir():
        path.unlink()
    shutil.copytree(kept, PAM, dirs_exist_ok=True)


def by_ssh(host, token):
    return host.ssh(token, options=("-p", str(PORT)))


def by_sudo(host, token, command="sudo -n id -un", stdin=b""):
    host.give_token(token)
    return host.run(["sh", "-c", command], user="deploy-bot", stdin=stdin)


def expired(host, key=None):
    return host.token(key, issued=1_000_000_000)


def typed(host, answers, user, method="keyboard-interactive", command="id -un"):
    return host.type(answers, user, command, ("-p", str(PORT)), method)


def assert_person_is_in(host):
    for method in ("keyboard-interactive", "password"):
        result, prompts = typed(host, [PASSWORD], "alice", method)
        assert result.out == "alice\n" and result.lines == [] and len(prompts) == 1, (result, prompts)
        assert "Service account" not in prompts[0]
    result = host.run(["sh", "-c", "sudo -S -p 'Password: ' id -un"], user="alice", stdin=PASSWORD.encode() + b"\n")
    assert result.out == "root\n" and result.lines == [], result


def test_good_token_is_admitted(shaped):
    result = by_ssh(shaped, shaped.token())
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result
    result = by_sudo(shaped, shaped.token())
    assert result.out == "root\n" and len(result.allowed) == 1, result


def test_bad_token_is_denied_without_another_prompt(shaped):
    """The next prompt would be a password's, and that password is right."""
    key = issuer.Key("ES256")
    shaped.write_keys(shaped.key, key)
    result, prompts = typed(shaped, [expired(shaped, key), PASSWORD], "deploy-bot")
    assert result.status == 255 and result.reasons == ["expired"], result
    assert len(prompts) == 1 and "Service account token as password: " in prompts[0], prompts
    result = by_sudo(shaped, expired(shaped), "sudo -S id -un", PASSWORD.encode() + b"\n")
    assert result.status == 1 and result.out == "" and result.reasons == ["expired"], result
    assert "assword" not in result.err.replace("no password was provided", "").replace("incorrect password", ""), result


def test_person_with_a_password_is_admitted(shaped):
    assert_person_is_in(shaped)


def test_person_with_a_wrong_password_is_denied(shaped):
    result, prompts = typed(shaped, ["wrong"], "alice")
    assert result.status == 255 and result.out == "" and len(prompts) == 1, (result, prompts)


def test_person_is_admitted_without_the_module(shaped):
    for name in ("sshd", "sudo"):
        shaped.edit(PAM / name, "pam_ksa.so", "pam_ksa_gone.so")
    assert_person_is_in(shaped)
    result = by_ssh(shaped, shaped.token())
    assert result.status == 255 and result.out == "", result


def test_account_phase_goes_on_after_a_good_token(shaped):
    """success=done ends auth alone."""
    nologin = shaped.write("/etc/nologin", "closed\n")
    try:
        result = by_ssh(shaped, shaped.token())
    finally:
        nologin.unlink()
    assert len(result.allowed) == 1 and result.status == 255 and result.out == "", result


def test_documents_and_examples_have_the_same_lines():
    auth, account = page_lines()
    for name in ("sshd", "sudo", "sudo-i"):
        arguments = "" if name == "sshd" else TOKEN_FILE
        assert lines_of((EXAMPLES / "pam.d" / name).read_text()) == [auth + arguments, account]
    page = re.sub(r" *\\e\n *", " ", (SOURCE / "man/pam_ksa.8").read_text())
    assert [re.sub(" +", " ", line) for line in lines_of(page)] == [auth, account]


@pytest.mark.parametrize("shaped", ["rhel"], indirect=True)
def test_manual_says_whose_credentials_later_modules_set(shaped):
    """pam_env of this stack works by pam_setcred. A line above ours keeps it for everybody."""
    def alice_by_key():
        return shaped.run(["ssh", "-o", "BatchMode=yes", "-l", "alice", "build-7", "printenv FROM_ENV; id -un"]).out

    def alice_by_password():
        return typed(shaped, [PASSWORD], "alice", "password", "printenv FROM_ENV; id -un")[0].out

    def bot():
        return shaped.ssh(shaped.token(), "printenv FROM_ENV; id -un").out

    shaped.write("/etc/environment", "FROM_ENV=set\n")
    assert (alice_by_key(), alice_by_password(), bot()) == ("alice\n", "set\nalice\n", "deploy-bot\n")
    shaped.write(PAM / "sshd", "auth required pam_env.so\n" + (PAM / "sshd").read_text())
    assert (alice_by_key(), alice_by_password(), bot()) == ("set\nalice\n", "set\nalice\n", "set\ndeploy-bot\n")
