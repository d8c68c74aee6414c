# SPDX-License-Identifier: BSD-2-Clause
"""A host that ksa is installed on from packages: its people, a bot, and what must be the same after a purge."""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
BEFORE = Path("/root/before.json")
HOST = socket.gethostname()
# Files that change whenever users or libraries do, or with the machine.
VOLATILE = {"/etc/ld.so.cache", "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-",
            "/etc/.pwd.lock", "/etc/resolv.conf", "/etc/machine-id", "/etc/adjtime"}
# They get the user of ksa-fetch, which stays after a purge (Debian's habit).
WITH_USER = {"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"}


def run(*command, stdin="", check=True):
    result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300)
    assert not check or result.returncode == 0, (command, result.returncode, result.stdout, result.stderr)
    return result


def files_of(top):
    for path in sorted(Path(top).rglob("*")):
        if str(path) in VOLATILE or path.is_dir():
            continue
        status = path.lstat()
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        if str(path) in WITH_USER:
            content = b"".join(line for line in content.splitlines(True) if not line.startswith(b"_ksa:"))
        yield str(path), [hashlib.sha256(content).hexdigest(), oct(status.st_mode), status.st_uid, status.st_gid]


def snapshot():
    """/etc, the users and the units, without the user of ksa-fetch, and scopes of sessions."""
    units = run("systemctl", "list-unit-files", "--no-legend", "--no-pager").stdout
    kept = sorted(" ".join(line.split()[:2]) for line in units.splitlines() if "transient" not in line)
    return {"etc": dict(files_of("/etc")), "units": kept,
            "users": sorted(line for line in run("getent", "passwd").stdout.splitlines() if not line.startswith("_ksa:"))}


def make_people():
    """alice has a key, a password and sudo; job is the client; deploy-bot has none of these."""
    for name in ("deploy-bot", "job", "alice"):
        run("useradd", "-m", "-s", "/bin/bash", name)
    run("chpasswd", stdin="alice:correct horse\n")
    run("usermod", "-aG", "sudo", "alice")
    directory = Path("/home/job/.ssh")
    directory.mkdir(mode=0o700)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / "id"))
    (directory / "known_hosts").write_text("%s %s" % (HOST, Path("/etc/ssh/ssh_host_ed25519_key.pub").read_text()))
    Path("/home/alice/.ssh").mkdir(mode=0o700)
    shutil.copy(directory / "id.pub", "/home/alice/.ssh/authorized_keys")
    run("chown", "-R", "job:", str(directory))
    run("chown", "-R", "alice:", "/home/alice/.ssh")


def command_of(user, command):
    return ("setpriv", "--reuid", user, "--regid", user, "--init-groups", "--inh-caps=-all", "env", "-i", "HOME=/home/" + user,
            "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "sh", "-c", "cd; " + command)


def as_user(user, command, stdin=""):
    return run(*command_of(user, command), stdin=stdin, check=False)


def ssh_with_token(command, user="deploy-bot", options=""):
    return as_user("job", "KSA_TOKEN_FILE=token timeout 60 ksa-ssh %s -o ConnectTimeout=10 %s@%s '%s'" % (options, user, HOST, command))


class OpenSession:
    """A session of the bot over ssh that lasts until end(), which returns the user that a command in it has then."""

    def __init__(self):
        command = "KSA_TOKEN_FILE=token timeout 600 ksa-ssh -o ConnectTimeout=10 deploy-bot@%s 'echo open; read line; id -un'" % HOST
        self.process = subprocess.Popen(command_of("job", command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "open\n"

    def end(self):
        return self.process.communicate("\n", timeout=60)[0]


def people_have_access():
    """By key, by sudo with the right password alone, and by su."""
    key = as_user("job", "timeout 60 ssh -i .ssh/id -o BatchMode=yes alice@%s id -un" % HOST)
    assert key.stdout == "alice\n", key
    right = as_user("alice", "timeout 60 sudo -k -S -p '' id -un", "correct horse\n")
    assert right.stdout == "root\n", right
    wrong = as_user("alice", "timeout 60 sudo -k -S -p '' id -un", "wrong\n")
    assert wrong.returncode != 0 and wrong.stdout == "", wrong
    su = run("su", "alice", "-c", "id -un")
    assert su.stdout == "alice\n", su


def write_configuration(user="deploy-bot", more=""):
    import issuer
    key = issuer.Key("ES256")
    Path("/etc/ksa/prod.jwks").write_text(issuer.jwks(key))
    Path("/etc/ksa/ksa.conf").write_text("[host]\naudience = ssh://%%H\n[cluster prod]\nissuer = %s\n"
                                         "keys = file:/etc/ksa/prod.jwks\n[rule deploy]\naccount = prod:ci/deployer\n"
                                         "user = %s\nservice = sshd sudo\n%s" % (issuer.ISSUER, user, more))
    return key


def give_token(key, user="job", path="/home/job/token", **claims):
    import issuer
    Path(path).write_text(issuer.token(key, issuer.claims(audience="ssh://" + HOST, **claims)) + "\n")
    shutil.chown(path, user, user)
    os.chmod(path, 0o600)


if __name__ == "__main__":
    make_people()
    people_have_access()
    BEFORE.write_text(json.dumps(snapshot()))
