"""ksa-askpass and ksa-ssh, on each shell that a client may have."""
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import issuer

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "ash"]}
KEY = issuer.Key("RS256")
PROMPT = "(deploy-bot@build-7) Service account token: "
PART = "(deploy-bot@build-7) Service account token (part %d): "


@pytest.fixture(params=SHELLS)
def client(request, tmp_path):
    return Client(SHELLS[request.param], tmp_path)


class Client:
    def __init__(self, shell, folder):
        self.shell, self.folder = shell, folder
        self.runtime = folder / "runtime"
        self.runtime.mkdir(mode=0o700)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(self.runtime)}
        self.write(issuer.token(KEY))

    def write(self, token):
        self.token = token
        path = self.folder / "token"
        path.write_text(token + "\n")
        self.environment["KSA_TOKEN_FILE"] = str(path)

    def run(self, script, *arguments, **environment):
        env = {name: value for name, value in {**self.environment, **environment}.items() if value is not None}
        return subprocess.run(self.shell + [TOOLS / script, *arguments], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)

    def ask(self, prompt=PROMPT, **environment):
        return self.run("ksa-askpass", prompt, **environment)

    def parts(self, prompt="(deploy-bot@build-7) Service account token", **environment):
        text, answers = "", 0
        while True:
            answers += 1
            result = self.ask(prompt + (": " if answers == 1 else " (part %d): " % answers), **environment)
            assert result.returncode == 0, result
            text += result.stdout.rstrip("\n")
            if len(result.stdout.rstrip("\n")) != 500:
                return text, answers

    def refused(self, *arguments, **environment):
        result = self.ask(*arguments, **environment)
        assert result.returncode == 1 and result.stdout == "", result
        assert result.stderr.startswith("ksa-askpass: ") and result.stderr.count("\n") == 1, result
        assert self.token[:24] not in result.stderr and self.token.split(".")[2][:24] not in result.stderr
        return result.stderr

    def kept(self):
        return [path for folder in self.runtime.glob("*") for path in folder.iterdir()]


def test_parts_make_the_token(client):
    text, answers = client.parts()
    assert text == client.token and answers == 2
    assert client.kept() == []


@pytest.mark.parametrize("size", (999, 1000, 1001, 1500, 3515))
def test_sizes(client, size):
    """An answer of exactly 500 bytes means more, so a token of 1000 takes three."""
    token, _ = issuer.token_of_length(KEY, size)
    client.write(token)
    assert client.parts() == (token, size // 500 + 1)
    assert client.kept() == []


def test_what_is_kept_is_private(client):
    assert client.ask().returncode == 0
    kept, = client.kept()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("prompt", (
    "The authenticity of host 'build-7 (127.0.0.1)' can't be established.\nED25519 key fingerprint is SHA256:x.\n"
    "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
    "Enter passphrase for key '/home/job/.ssh/id_ed25519': ",
    "deploy-bot@build-7's password: ",
    "(deploy-bot@build-7) Password: ",
    "Username for 'https://git.example.com': ",
    "Password for 'https://x@git.example.com': ",
    "[sudo] password for deploy-bot: ",
    "Service account token:",
    "service account token: ",
    "Service account token: \n",
    "x Service account token: ",
    "(deploy-bot@build-7)  Service account token: ",
    "Service account token (part 1): ",
    "Service account token (part 02): ",
    "Service account token (part 100): ",
    "Service account token (part x): ",
    "",
))
def test_other_prompts_get_no_answer(client, prompt):
    client.refused(prompt, KSA_AUDIENCE="ssh://build-7")


def test_token_for_another_host(client):
    assert "ssh://other" in client.refused("(deploy-bot@other) Service account token: ")


def test_audience_exported_for_another_host(client):
    """KSA_AUDIENCE counts for KSA_HOST alone."""
    client.refused("(deploy-bot@other) Service account token: ", KSA_AUDIENCE="ssh://build-7")
    client.refused("(deploy-bot@other) Service account token: ", KSA_AUDIENCE="ssh://build-7", KSA_HOST="build-7")
    fleet = issuer.token(KEY, issuer.claims(audience="ssh://fleet"))
    client.write(fleet)
    assert client.parts(KSA_AUDIENCE="ssh://fleet", KSA_HOST="build-7")[0] == fleet
    client.refused(KSA_AUDIENCE="ssh://fleet")


def test_forged_prefix(client):
    """The ssh client's own prefix comes first; what the server puts behind it makes another prompt."""
    client.refused("(deploy-bot@evil) (deploy-bot@build-7) Service account token: ")
    client.refused("(deploy-bot@evil) Service account token: ", KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7")


def old_ssh(client, version):
    folder = client.folder / "old"
    folder.mkdir()
    (folder / "ssh").write_text("#!/bin/sh\necho '%s' >&2\n" % version)
    (folder / "ssh").chmod(0o755)
    client.environment["PATH"] = "%s:%s" % (folder, client.environment["PATH"])


@pytest.mark.parametrize("version", ("OpenSSH_8.4p1, OpenSSL 1.1.1", "OpenSSH_7.9p1", "Sun_SSH_1.1", ""))
def test_old_ssh_needs_the_audience(client, version):
    """Before 8.5 the server could have written the prefix."""
    old_ssh(client, version)
    assert "KSA_AUDIENCE" in client.refused()
    client.refused(KSA_AUDIENCE="ssh://other")
    assert client.parts(KSA_AUDIENCE="ssh://build-7")[0] == client.token


@pytest.mark.parametrize("version", ("OpenSSH_8.5p1", "OpenSSH_10.0p2 Debian-5"))
def test_newer_ssh_names_the_host(client, version):
    old_ssh(client, version)
    assert client.parts()[0] == client.token


def test_sudo_needs_the_audience(client):
    assert "KSA_AUDIENCE" in client.refused("Service account token: ")
    assert client.parts("Service account token", KSA_AUDIENCE="ssh://build-7")[0] == client.token


def test_sudo_p_is_told(client):
    assert "sudo -p" in client.refused("token please: ", KSA_AUDIENCE="ssh://build-7")


def test_without_runtime_dir(client):
    shutil.rmtree("/dev/shm/ksa-askpass-%d" % os.getuid(), ignore_errors=True)
    assert client.parts(XDG_RUNTIME_DIR=None)[0] == client.token
    folder = Path("/dev/shm/ksa-askpass-%d" % os.getuid())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and list(folder.iterdir()) == []


def test_folder_of_another_is_not_used(client):
    folder = Path("/dev/shm/ksa-askpass-%d" % os.getuid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    try:
        assert "private" in client.refused(XDG_RUNTIME_DIR=None)
    finally:
        shutil.rmtree(folder)


def test_leftover_of_a_broken_login(client):
    """Part 1 starts anew, and drops what a process left that is gone."""
    folder = client.runtime / ("ksa-askpass-%d" % os.getuid())
    folder.mkdir(mode=0o700)
    gone = folder / "999999-1"
    gone.write_text("old token")
    assert client.ask().returncode == 0
    other = issuer.token(KEY)
    client.write(other)
    assert client.parts()[0] == other and not gone.exists()


def test_token_rotated_between_parts(client):
    first = client.ask().stdout.rstrip("\n")
    before = client.token
    client.write(issuer.token(KEY))
    assert first + client.ask(PART % 2).stdout.rstrip("\n") == before


def test_later_part_without_a_first(client):
    client.refused(PART % 2)


def test_two_audiences(client):
    client.write(issuer.token(KEY, issuer.claims(aud=["ssh://build-7", "vault"])))
    client.refused()


@pytest.mark.parametrize("payload", (
    issuer.claims(aud=["ssh://build-70"]), issuer.claims(aud="ssh://build-7"), issuer.claims(aud=["vault"]),
    issuer.claims(aud=["vault"], x='"aud":["ssh://build-7"]'), '{"aud":["ssh://build-7"],"aud":["vault"]}'))
def test_audience_must_stand_there_once(client, payload):
    client.write(issuer.token(KEY, payload))
    client.refused()


def test_token_command(client):
    command = 'test "$KSA_AUDIENCE" = ssh://build-7 && test "$KSA_HOST" = build-7 && cat %s/token' % client.folder
    assert client.parts(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command)[0] == client.token
    client.refused(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="false")
    client.refused(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="echo hello")


def test_default_token_of_a_pod_is_never_taken(client):
    assert "KSA_TOKEN_FILE" in client.refused(KSA_TOKEN_FILE=None)
    client.refused(KSA_TOKEN_FILE="/nowhere")


def test_lines_for_ansible_and_others(client):
    ansible = client.run("ksa-askpass", "--ansible").stdout
    assert "ssh_executable = %s/ksa-ssh" % TOOLS in ansible and "sftp_batch_mode = False" in ansible
    assert "KbdInteractiveAuthentication yes" in client.run("ksa-askpass", "--ssh-config").stdout
    exports = client.run("ksa-askpass", "--env").stdout
    value = subprocess.run(["sh", "-c", exports + 'printf %s "$SUDO_ASKPASS"'], stdout=subprocess.PIPE, text=True).stdout
    assert value == str(TOOLS / "ksa-askpass")


def test_usage(client):
    for arguments in ((), ("a", "b")):
        result = client.run("ksa-askpass", *arguments)
        assert result.returncode == 1 and result.stdout == "" and "usage" in result.stderr


def fake_ssh(client):
    folder = client.folder / "fake"
    folder.mkdir()
    (folder / "ssh").write_text('#!/bin/sh\n[ "$1" = -V ] && { echo "$VERSION" >&2; exit; }\nprintf "%s\\n" "$@" >args\n'
                                'env >env\n')
    (folder / "ssh").chmod(0o755)
    client.environment["PATH"] = "%s:%s" % (folder, client.environment["PATH"])


def test_ksa_ssh_puts_its_options_first(client, monkeypatch):
    fake_ssh(client)
    monkeypatch.chdir(client.folder)
    assert client.run("ksa-ssh", "-o", "KbdInteractiveAuthentication=no", "build-7", "a b", VERSION="OpenSSH_9.2").returncode == 0
    arguments = (client.folder / "args").read_text().splitlines()
    assert arguments.index("KbdInteractiveAuthentication=yes") < arguments.index("KbdInteractiveAuthentication=no")
    assert arguments[-2:] == ["build-7", "a b"] and "BatchMode=no" in arguments and "NumberOfPasswordPrompts=1" in arguments
    environment = (client.folder / "env").read_text()
    assert "SSH_ASKPASS=%s/ksa-askpass\n" % TOOLS in environment and "SSH_ASKPASS_REQUIRE=force" in environment


def test_ksa_ssh_before_8_4(client, monkeypatch):
    fake_ssh(client)
    monkeypatch.chdir(client.folder)
    assert client.run("ksa-ssh", "build-7", VERSION="OpenSSH_8.0p1", DISPLAY=None).returncode == 0
    assert "DISPLAY=none" in (client.folder / "env").read_text()


def test_ksa_ssh_without_ssh(client):
    result = client.run("ksa-ssh", "build-7", KSA_SSH="/nowhere/ssh")
    assert result.returncode == 255 and "not installed" in result.stderr


# --- With the real ssh ---

def test_jump_host_gets_nothing(host):
    """The token is for build-7; the jump host asks for it with its own name."""
    result = host.ssh(host.token(), options=["-J", "deploy-bot@other"])
    assert result.status == 255 and "ssh://other" in result.err, result
    assert result.allowed == [] and set(result.reasons) <= {"conversation-failed", "empty-answer"}, result


def test_unknown_host_key_is_not_answered(host):
    """An askpass that answers anything made 20 000 processes in 10 minutes."""
    result = host.ssh(host.token(), options=["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=ask"])
    assert result.status == 255 and result.lines == [], result
    assert result.err.count("ksa-askpass: ") == 1, result


def test_git_asks_for_a_name_in_vain(host):
    result = host.run(["sh", "-c", 'eval "$(ksa-askpass --env)"; GIT_ASKPASS=$SSH_ASKPASS git credential fill'],
                      stdin=b"protocol=http\nhost=127.0.0.1\n\n", KSA_TOKEN_FILE=host.token_file(host.token()))
    assert result.status != 0 and "password=" not in result.out and re.search("ksa-askpass: ", result.err), result
