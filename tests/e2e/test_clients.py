"""What people run over ssh: scp, sftp, rsync, git, Ansible. All through a real sshd with a token."""
import shutil
import subprocess
from pathlib import Path

import pytest

import host as private_host

HOME = private_host.HOME
BOT = Path("/home/deploy-bot")
KSA_SSH = shutil.which("ksa-ssh")


@pytest.fixture
def job(host):
    """A job with a token in a file."""
    path = host.token_file(host.token())

    def run(*command, **others):
        return host.run([str(word) for word in command], KSA_TOKEN_FILE=path, **others)
    for name in ("copied", "repository.git", "synced"):
        subprocess.run(["rm", "-rf", BOT / name, HOME / name], check=True)
    (HOME / "file").write_text("some text\n")
    return run


def test_scp(job):
    result = job("scp", "-S", KSA_SSH, HOME / "file", "deploy-bot@build-7:copied")
    assert result.status == 0 and (BOT / "copied").read_text() == "some text\n", result
    result = job("scp", "-S", KSA_SSH, "deploy-bot@build-7:copied", HOME / "copied")
    assert result.status == 0 and (HOME / "copied").read_text() == "some text\n", result


def test_scp_of_the_old_protocol(job):
    result = job("scp", "-O", "-S", KSA_SSH, HOME / "file", "deploy-bot@build-7:copied")
    assert result.status == 0 and (BOT / "copied").exists(), result


def test_sftp(job):
    result = job("sftp", "-S", KSA_SSH, "deploy-bot@build-7", stdin=b"put file copied\n")
    assert result.status == 0 and (BOT / "copied").read_text() == "some text\n", result


def test_sftp_with_a_batch_file(job):
    """sftp -b turns keyboard-interactive off; what ksa-ssh puts first wins."""
    (HOME / "batch").write_text("put file copied\n")
    result = job("sftp", "-S", KSA_SSH, "-b", HOME / "batch", "deploy-bot@build-7")
    assert result.status == 0 and (BOT / "copied").exists(), result


def test_rsync(job):
    result = job("rsync", "-e", "ksa-ssh", "-a", str(HOME / "file"), "deploy-bot@build-7:synced/")
    assert result.status == 0 and (BOT / "synced" / "file").read_text() == "some text\n", result


def test_git(job, host):
    subprocess.run(["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--clear-groups", "env", "HOME=%s" % BOT,
                    "git", "init", "-q", "--bare", BOT / "repository.git"], check=True)
    result = job("sh", "-c", "rm -rf work && git clone -q deploy-bot@build-7:repository.git work && cd work && "
                 "git -c user.name=j -c user.email=j@example.com commit -q --allow-empty -m first && git push -q origin HEAD",
                 GIT_SSH_COMMAND="ksa-ssh")
    assert result.status == 0 and len(result.allowed) == 2, result
    assert subprocess.run(["git", "-c", "safe.directory=*", "-C", BOT / "repository.git", "rev-list", "--all", "--count"],
                          stdout=subprocess.PIPE, check=True).stdout == b"1\n"


def test_plain_ssh_with_the_lines_of_askpass(job, host):
    """--env and --ssh-config, without ksa-ssh."""
    lines = job("ksa-askpass", "--ssh-config").out.replace("Host HOST", "Host build-7")
    (HOME / "ssh_config").write_text(lines)
    result = job("sh", "-c", 'eval "$(ksa-askpass --env)"; ssh -F ssh_config deploy-bot@build-7 id -un')
    assert result.out == "deploy-bot\n", result


def test_control_master(job):
    """One login, many commands."""
    options = "-o ControlMaster=auto -o ControlPath=%s/control -o ControlPersist=30" % HOME
    result = job("sh", "-c", "for i in 1 2 3; do ksa-ssh %s deploy-bot@build-7 id -un; done; "
                 "ssh -o ControlPath=%s/control -O exit deploy-bot@build-7" % (options, HOME))
    assert result.out.count("deploy-bot\n") == 3 and len(result.allowed) == 1, result


def test_proxy_jump(job):
    """Through another host that lets the job in by key: what ksa-ssh sets is for the last host alone."""
    result = job("ksa-ssh", "-J", "alice@other", "deploy-bot@build-7", "id -un")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result


@pytest.fixture
def ansible(job):
    folder = HOME / "ansible"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ansible.cfg").write_text(job("ksa-askpass", "--ansible").out +
                                        "[defaults]\ninterpreter_python = /usr/bin/python3\nlocalhost_warning = False\n")
    (folder / "inventory").write_text("build-7 ansible_user=deploy-bot\n")
    shutil.chown(folder, "job", "job")

    def run(*arguments):
        result = job("ansible", "-i", "inventory", "build-7", *arguments, cwd=folder, timeout=120)
        job("sh", "-c", "for s in $HOME/.ansible/cp/*; do ssh -o ControlPath=$s -O exit x; done")
        return result
    return run


def test_ansible(ansible):
    result = ansible("-m", "ping")
    assert result.status == 0 and '"ping": "pong"' in result.out, result


def test_ansible_become(ansible, host):
    """become with the token file on the host: sudo never prompts."""
    host.give_token(host.token())
    result = ansible("-m", "command", "-a", "id -un", "--become")
    assert result.status == 0 and "root" in result.out.splitlines()[-1], result


def test_ansible_refused_says_why(ansible, host):
    host.edit("/etc/ksa/ksa.conf", "account = prod:ci/deployer", "account = prod:ci/other")
    result = ansible("-m", "ping")
    assert result.status != 0 and "Service account token refused" in result.out + result.err, result
