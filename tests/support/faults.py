# SPDX-License-Identifier: BSD-2-Clause
"""A whole login, the real module through libpam and the real ksa-fetch, while the cluster or the
host fails, and the properties of every login. The tables of failures are in the tests."""
import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from api_double import BEARER, REVIEW, ApiDouble
import issuer
import pam
from host import field, wait_until
from tls_server import Certificates

CONFIG = Path("/etc/ksa/ksa.conf")
CREDENTIAL = Path("/var/lib/ksa/credentials/prod")
CACHE = Path("/var/cache/ksa/prod/keys")
USED = Path("/var/lib/ksa/used")
KEPT = ("/etc/ksa", "/var/lib/ksa", "/var/cache/ksa")
FETCH = Path("/usr/libexec/ksa/ksa-fetch")
HELPERS = (b"ksa-fetch", b"ksactl")
# Seconds of a busy machine for the processes of a login, in addition to its timeout.
SLACK = 5
# A host's timeout where the cluster answers: a busy machine is not to reach it.
PATIENCE = 10


def helpers(*names):
    """The numbers of our helpers, or those of these NAMES, that run anywhere on this private host."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_bytes().strip() in (names or HELPERS):
                found.append(int(entry.name))
        except OSError:  # it has ended
            pass
    return found


def kept_files():
    """Every file that ksa reads or writes, with its bytes and its mode, except locks and stamps."""
    return {path: (path.read_bytes() if path.is_file() and not path.is_symlink() else None, path.lstat().st_mode)
            for directory in KEPT for path in Path(directory).rglob("*")}


def nobody_listens():
    """An address where a connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return "https://127.0.0.1:%d" % listener.getsockname()[1]


class LoginOutcome:
    """The result of a login and its log line."""

    def __init__(self, result, log, seconds):
        self.result, self.log, self.seconds = result, log, seconds
        self.line = log[0] if log else ""
        self.auth = result["codes"]["authenticate"]
        self.reason = self.field("reason")
        self.review = self.field("review")
        self.why = self.field("why")

    def field(self, name):
        return field(self.line, name)

    def __repr__(self):
        return "%s after %.1f s\n%s\n%s" % (self.auth, self.seconds, "\n".join(self.log), self.result["messages"])


class LoginHost:
    """The private host with one cluster, an ApiDouble whose responses are valid until a test replaces them."""

    def __init__(self, host, certificates, server):
        self.host, self.certificates, self.server = host, certificates, server
        self.url, self.ca, self.timeout, self.options = server.url, certificates.ca, PATIENCE, {}
        self.connections, self.path = server.connections, REVIEW
        self.cleanups = contextlib.ExitStack()
        self.until_the_end = self.cleanups.enter_context

    def write(self, review="require", keys="file:/etc/ksa/prod.jwks", rule="", host=""):
        """The configuration; REVIEW is the rule's."""
        lines = ["api_server = " + self.url, "credential_file = %s" % CREDENTIAL, *self.options.values()]
        if self.ca:
            self.host.write("/etc/ksa/prod-ca.crt", Path(self.ca).read_text())
            lines.append("api_ca_file = /etc/ksa/prod-ca.crt")
        self.host.write(CONFIG, "[host]\naudience = ssh://build-7\nname = build-7\ntimeout = %ds\n%s\n"
                        "[cluster prod]\nissuer = %s\nkeys = %s\n%s\n"
                        "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd sudo\nreview = %s\n%s\n"
                        % (self.timeout, host, issuer.ISSUER, keys, "\n".join(lines), review, rule))
        self.host.write(CREDENTIAL, BEARER + "\n", 0o600)
        os.makedirs(pam.CONFDIR, exist_ok=True)
        for service in ("sshd", "sudo"):
            Path(pam.CONFDIR, service).write_text("".join("%s required pam_ksa.so nodelay\n" % group for group in ("auth", "account")))

    def cached_set(self, *keys, fetched=0):
        """The file that ksactl keys refresh writes, fetched FETCHED seconds from now."""
        names = {"keys": "api", "api_server": self.url, "api_ca_file": "/etc/ksa/prod-ca.crt" if self.ca else "-", "keys_ca_file": "-"}
        head = ["ksa-keys 1", "issuer " + issuer.ISSUER, *("%s %s" % line for line in names.items()),
                "fetched %d" % (time.time() + fetched), "max_age 3600"]
        entries = [(key.jwk(), ("n", "e") if key.algorithm == "RS256" else ("x", "y")) for key in keys]
        lines = ["key %s %s %s %s" % (jwk["alg"], jwk["kid"], *(jwk[number] for number in numbers)) for jwk, numbers in entries]
        return "\n".join([*head, *lines, "end %d" % len(keys), ""]).encode()

    def write_cache(self, data):
        CACHE.parent.mkdir(exist_ok=True)
        CACHE.write_bytes(data)
        CACHE.chmod(0o644)

    def attempt(self, token, **arguments):
        arguments.setdefault("service", "sshd")
        size, started = self.host.log_size(), time.monotonic()
        if arguments["service"] == "sshd":
            arguments.setdefault("rhost", "10.1.2.3")
        result = pam.attempt(pam.CONFDIR, user="deploy-bot", answers=issuer.answers(token), **arguments)
        seconds = time.monotonic() - started
        return LoginOutcome(result, [line for line in self.host.log_since(size) if "pam_ksa(" in line], seconds)

    def login(self, token=None, unchanged=True, **arguments):
        """One login, and the properties of every login: one log line, in time, no process left, no piece of the token shown."""
        token = self.host.token(pod="job-1") if token is None else token
        before = kept_files()
        outcome = self.attempt(token, **arguments)
        assert len(outcome.log) == 1, outcome
        # descriptors, children, umask, environment, signals, ids and directory of the program that called PAM
        assert outcome.result["changed"] == [], outcome
        wait_until(lambda: helpers() == [])  # ksa-fetch dies with the ksactl that started it
        assert outcome.seconds < self.timeout + SLACK, outcome
        assert not unchanged or kept_files() == before, outcome
        assert (outcome.result["codes"].get("acct_mgmt") == "SUCCESS") == (outcome.auth == "SUCCESS"), outcome
        assert (outcome.field("result") == "allow") == (outcome.auth == "SUCCESS") == (outcome.reason == "ok"), outcome
        said = "\n".join(outcome.log) + repr(outcome.result)
        for secret in (*token.split("."), BEARER):
            assert not any(secret[at:at + 24] in said for at in range(max(1, len(secret) - 23))), outcome
        return outcome

    def in_place_of(self, path, stand_in):
        """STAND_IN, a file, at PATH below /usr until the test has ended."""
        subprocess.run(["mount", "--bind", stand_in, path], check=True)
        self.cleanups.callback(subprocess.run, ["umount", "-l", path], check=True)

    def end(self):
        self.server.go_on()
        self.cleanups.close()
        for directory in (USED, CACHE.parent.parent, "/run/ksa"):
            shutil.rmtree(directory, ignore_errors=True)
        CACHE.parent.parent.mkdir()
        for directory in (USED, Path("/run/ksa")):
            directory.mkdir(mode=0o700)


def start_cluster(directory, host):
    """Its authority and itself, not entered yet."""
    certificates = Certificates(directory)
    return certificates, ApiDouble(*certificates.issue("good", "IP:127.0.0.1,DNS:localhost"), host.key)
