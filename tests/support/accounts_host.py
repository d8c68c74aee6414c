# SPDX-License-Identifier: BSD-2-Clause
"""The private host with local users made from the service accounts of a real API server: its sync, its NSS, and a
second host that syncs the same accounts at another time."""
import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from apiserver import account_subject
from cluster_host import HOST_ACCOUNT, STATE, eventually, RealHost
from host import SOURCE, wait_until

RANGE = (1879048192, 2147483647)
NSSWITCH = Path("/etc/nsswitch.conf")
LIST = SOURCE / "packaging" / "kubernetes" / "account-list.yaml"
SSHD_BLOCK = """Match User *_*
    KbdInteractiveAuthentication yes
    PasswordAuthentication no
    AuthenticationMethods keyboard-interactive
"""
OWN_USER_RULE = "account = prod:*/*\nuser = @own\nservice = sshd sudo"


def hashed(cluster, namespace, account, low=RANGE[0], high=RANGE[1]):
    """The uid, computed as in ksa.conf(5). It shares no code with the product."""
    text = b"".join(part.encode() + b"\0" for part in (cluster, namespace, account))
    uid = low + int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % (high - low + 1)
    while 2147352576 <= uid <= 2147418111:  # systemd's, of files in images
        text += b"\0"
        uid = low + int.from_bytes(hashlib.sha256(text).digest()[:8], "big") % (high - low + 1)
    return uid


def passwd(name, run=()):
    """The fields of getent passwd, started by the command RUN; None if the user does not exist."""
    process = subprocess.run([*run, "getent", "passwd", str(name)], stdout=subprocess.PIPE, text=True, timeout=60)
    assert process.returncode in (0, 2), process
    return process.stdout.rstrip("\n").split(":") if process.returncode == 0 else None


def uids(run=()):
    """{user: uid} of all that ksa has."""
    process = subprocess.run([*run, "getent", "-s", "ksa", "passwd"], stdout=subprocess.PIPE, text=True, timeout=60)
    return {line.split(":")[0]: int(line.split(":")[2]) for line in process.stdout.splitlines()}


class AccountsHost(RealHost):
    @staticmethod
    def prepare(server):
        RealHost.prepare(server)
        server.apply(LIST.read_text())
        subject = account_subject(*HOST_ACCOUNT)["name"]
        eventually(lambda: server.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
            "user": "system:serviceaccount:%s:%s" % (HOST_ACCOUNT[0], subject), "resourceAttributes": {
                "verb": "list", "resource": "serviceaccounts"}}})["status"]["allowed"])

    def reset(self):
        super().reset()
        lines = NSSWITCH.read_text().splitlines() if NSSWITCH.exists() else []
        kept = [line for line in lines if not re.match("(passwd|group|initgroups):", line)]
        NSSWITCH.write_text("\n".join(["passwd: files ksa", "group: files ksa"] + kept) + "\n")
        self.let_sshd_ask()
        for home in Path("/home").iterdir():
            if home.name not in ("job", "alice", "deploy-bot"):
                shutil.rmtree(home)

    def let_sshd_ask(self):
        """Tokens for the users that ksa made."""
        block, pid = Path("/etc/ssh/sshd_config.d/ksa.conf"), Path("/run/sshd.pid")
        if block.read_text() == SSHD_BLOCK:
            return
        self.host.write(block, SSHD_BLOCK)
        number = int(pid.read_text())
        pid.unlink()
        os.kill(number, signal.SIGHUP)
        wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"))  # it listens then

    def configure_accounts(self, accounts, *rules, host="", more=""):
        self.configure(*(rules or (OWN_USER_RULE,)), host=host)
        path = Path("/etc/ksa/ksa.conf")
        text = path.read_text()
        self.host.write(path, text + "[accounts prod]\n%s\n%s" % (accounts, more))

    # --- ksactl accounts ---

    def sync(self, *args, status=0):
        return self.ksactl("accounts", "sync", *args, status=status)

    def shown(self, name, status=0):
        return self.ksactl("accounts", "show", name, "--json", status=status).json

    @staticmethod
    def changes(result):
        """Those in the log, as (change, account)."""
        lines = [line for line in result.log if "ksactl" in line and " change=" in line]
        return sorted(re.search(r' change=(\w+) .*namespace="([^"]*)" account="([^"]*)"', line).groups() for line in lines)

    # --- Logins ---

    def login_as(self, user, token, command="id -un"):
        result = self.host.ssh(token, command, user=user, KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7")
        result.line = result.lines[0] if result.lines else ""
        return result

    def own_login(self, namespace, account, command="id -un"):
        """Into the account's own user, with a token of it."""
        return self.login_as(shorten(namespace, account), self.token(namespace, account), command)

    def let_in_as(self, namespace, account):
        result = self.own_login(namespace, account)
        assert result.allowed and result.out == shorten(namespace, account) + "\n", result
        return result

    def sudo_as(self, user, token):
        """By token_file= in the user's home, which its first login made."""
        entry = pwd.getpwnam(user)
        directory = Path(entry.pw_dir, ".ksa")
        directory.mkdir(mode=0o700, exist_ok=True)
        self.host.write(directory / "token", token + "\n", 0o600)
        for path in (directory, directory / "token"):
            shutil.chown(path, entry.pw_uid, entry.pw_gid)
        return self.host.run(["setpriv", "--reuid=%d" % entry.pw_uid, "--regid=%d" % entry.pw_gid, "--init-groups",
                              "sudo", "-n", "id", "-un"], user="root", cwd="/")


def shorten(namespace, account):
    name = "%s_%s" % (namespace, account)
    assert len(name) <= 32
    return name


class SecondHost:
    """Another host: /var/lib/ksa, /run/ksa and the network are its own, and so is when it syncs. Its way to the API
    server is a relay, because the server is on the loopback of the first."""

    RELAY = """
import socket, sys, threading
def pump(one, other):
    while data := one.recv(65536):
        other.sendall(data)
    other.shutdown(socket.SHUT_WR)
def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(sys.argv[1])
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)
listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print("ready", flush=True)
while True:
    client = listener.accept()[0]
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"""

    def __init__(self, directory, port):
        self.path, self.port = directory / "relay", port

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        server = socket.create_connection(("127.0.0.1", self.port))

        def pump(one, other):
            with contextlib.suppress(OSError):
                while data := one.recv(65536):
                    other.sendall(data)
                other.shutdown(socket.SHUT_WR)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()
        script = ('mount -t tmpfs -o mode=0700 second /run/ksa && cp -a %s/credentials /run/ksa/ && '
                  'mount -t tmpfs -o mode=0755 second %s && mv /run/ksa/credentials %s/ && mkdir -m 0700 %s/used && '
                  'ip link set lo up && exec "$@"' % (STATE, STATE, STATE, STATE))
        self.process = subprocess.Popen(["unshare", "--mount", "--net", "sh", "-ec", script, "sh", sys.executable, "-c",
                                         self.RELAY, str(self.path), str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.run = ["nsenter", "--target", str(self.process.pid), "--mount", "--net"]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.listener.close()

    def ksactl(self, *args, status=0):
        process = subprocess.run([*self.run, "ksactl", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, timeout=60)
        assert process.returncode == status, process
        return process.stdout
