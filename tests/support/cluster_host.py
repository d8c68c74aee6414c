# SPDX-License-Identifier: BSD-2-Clause
"""The private host with [cluster prod]: a double of an API server (DoubleHost), or a real one (RealHost). Its
configuration, its credential, its cached keys, and logins with tokens that the real server made."""
import os
import re
import shutil
import time
from pathlib import Path

import issuer
import pam
from api_double import ApiDouble
from apiserver import account_subject
from tls_server import Certificates

CACHE, RUN, STATE = Path("/var/cache/ksa"), Path("/run/ksa"), Path("/var/lib/ksa")
LOCKS = RUN / "clusters"  # and stamps
CREDENTIAL = STATE / "credentials" / "prod"
CA = Path("/etc/ksa/prod-ca.crt")
HOST_ACCOUNT = ("ksa-system", "host-verifier")
# An API server keeps a success for 10 seconds.
REVIEW_CACHED = 10
# A month: longer than anything waits after a start.
UP = 30 * 86400


def up_for(seconds=UP):
    """The start of a command line that runs a command as on a host that started SECONDS ago."""
    return ["/usr/bin/python3", str(Path(__file__).with_name("uptime.py")), str(seconds)]


def read_only(cluster, directory, *args, **more):
    """ksactl where DIRECTORY is a read-only file system."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec ksactl "$@"'
    return cluster.host.run(["unshare", "--mount", "sh", "-c", script, str(directory), *map(str, args)], user="root", **more)


def root_only(path):
    status = os.stat(path)
    return status.st_uid == 0 and status.st_mode & 0o077 == 0


def eventually(condition, seconds=30):
    """Waits until another process, which takes seconds, has met CONDITION, and leaves it the processor."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return value


class ClusterHost:
    def __init__(self, host, server=None):
        self.host, self.server = host, server

    @staticmethod
    def section(name, keys, server, ca, more="", issuer_name=issuer.ISSUER):
        return "[cluster %s]\nissuer = %s\nkeys = %s\napi_server = %s\napi_ca_file = %s\n%s\n" % (
            name, issuer_name, keys, server.url, ca, more)

    def write_credential(self, token):
        self.host.write(CREDENTIAL, token + "\n", 0o600)
        return self.host.remember(token)

    def ksactl(self, *args, status=None, **more):
        """As the administrator. STATUS is the expected one, None for any. The result's log has the lines of ksactl."""
        result = self.host.run(["ksactl", *map(str, args)], user="root", **more)
        assert status in (None, result.status), result
        return result

    @staticmethod
    def cached(name="prod"):
        """The kids of the cached set, None if it does not exist."""
        path = CACHE / name / "keys"
        if not path.exists():
            return None
        lines = path.read_text().splitlines()
        kids = [line.split(" ")[2] for line in lines if line.startswith("key ")]
        assert lines[0] == "ksa-keys 1" and lines[-1] == "end %d" % len(kids), "the set is incomplete"
        return kids

    @staticmethod
    def cool_down(name="prod"):
        """As half a minute after a login's last attempt to fetch the keys."""
        (LOCKS / (name + ".stamp")).unlink(missing_ok=True)


class DoubleHost(ClusterHost):
    """HOST with [cluster prod] = a double that serves requests with any credential. Use with `with`."""

    def __enter__(self):
        directory = Path("/etc/ksa/test")
        directory.mkdir()
        self.certificates = Certificates(directory)
        self.pair = self.certificates.issue("good", "IP:127.0.0.1")
        self.server = ApiDouble(*self.pair, self.host.key, credential=None).__enter__()
        self.configure()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    # --- The configuration ---

    def section(self, name="prod", keys="api", more=None, issuer_name=issuer.ISSUER):
        if more is None:  # each cluster has its own credential
            more = "credential_file = %s\n" % CREDENTIAL if name == "prod" else ""
        ca = self.certificates.ca
        return super().section(name, keys, self.server, ca, "keys_ca_file = %s\n%s" % (ca, more), issuer_name)

    def configure(self, *sections, host=""):
        self.host.write("/etc/ksa/ksa.conf", "[host]\naudience = ssh://build-7\n%s\n%s" % (
            host, "".join(sections or [self.section()])))

    def token(self, age=0, life=86400, **claims):
        """A token of the host's own account."""
        return self.host.remember(issuer.token(self.host.key, issuer.claims(
            *HOST_ACCOUNT, issuer.ISSUER, int(time.time()) - age, life, **claims)))

    def give_credential(self, **arguments):
        return self.write_credential(self.token(**arguments))

    def requests(self, path=None):
        """The requests for PATH, or all."""
        return [request for request in self.server.requests if path is None or request.split(" ")[1] == path]

    # --- The host ---

    def refresh(self, *args, **more):
        return self.ksactl("keys", "refresh", *args, **more)

    def ksactl_up(self, *args, seconds=UP):
        """ksactl SECONDS after the host's start, on which depends what is due."""
        return self.host.run([*up_for(seconds), "ksactl", *args], user="root")

    def refresh_if_due(self, *args, **more):
        """As the timer does it."""
        return self.ksactl_up("keys", "refresh", "--if-due", *args, **more)

    def age(self, seconds, name="prod"):
        """Makes the cached set, which is fresh, that much older."""
        path = CACHE / name / "keys"
        lines = path.read_text().splitlines(keepends=True)
        self.host.write(path, "".join(
            "fetched %d\n" % (int(line.split()[1]) - seconds) if line.startswith("fetched ") else line for line in lines))

    @staticmethod
    def uptime():
        return int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)

    @staticmethod
    def stamp(name="prod"):
        path = LOCKS / (name + ".stamp")
        return int(path.read_text()) if path.exists() else None

    def assert_no_token_in_outputs(self, *texts):
        """Neither output nor log holds a piece of a token that only its owner knows."""
        text = "".join(self.host.outputs) + open("/var/log/auth.log", errors="replace").read() + "".join(texts)
        # A shorter text cannot hold such a piece; a text that occurs often is checked once.
        text = " ".join(set(re.findall("[A-Za-z0-9_-]{24,}", text)))
        for token in self.host.tokens:
            signature = token.rpartition(".")[2]
            assert not any(signature[at:at + 24] in text for at in range(0, len(signature) - 23))


class RealHost(ClusterHost):
    """HOST with [cluster prod] = SERVER. Rules are for sshd, unless they have another service."""

    # --- State of the host ---

    @staticmethod
    def prepare(server):
        """Creates in the cluster the account of hosts, and an account to log in with."""
        server.account(*HOST_ACCOUNT)
        server.bind("ksa-host-verifier", "system:auth-delegator", account_subject(*HOST_ACCOUNT))
        server.account("ci", "deployer")

    def reset(self):
        """This host has only a token of the account of hosts."""
        for directory, mode in ((STATE, 0o755), (STATE / "credentials", 0o700), (STATE / "used", 0o700),
                                (CACHE, 0o755), (RUN, 0o700)):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=mode)
        shutil.copy(self.server.ca, CA)
        self.give_credential()

    def give_credential(self, account=HOST_ACCOUNT):
        """A token for the API server itself, as a host's credential."""
        return self.write_credential(self.server.create_token(*account, audience=None, seconds=3600))

    def configure(self, *rules, cluster="", host="", keys="file:/etc/ksa/prod.jwks", credential=None):
        """RULES are texts of options; account, user and service default to those of sshd's deploy rule."""
        self.host.write_keys(*self.server.keys)
        text = "[host]\naudience = ssh://build-7\n%s\n" % host
        text += self.cluster("prod", self.server, CA, keys, credential or "credential_file = %s" % CREDENTIAL, cluster)
        for number, rule in enumerate(rules, 1):
            text += "[rule r%d]\n%s\n" % (number, rule)
            for line in ("account = prod:ci/deployer", "user = deploy-bot", "service = sshd"):
                if not re.search("^%s" % line.split("=")[0], rule, re.M):
                    text += line + "\n"
        self.host.write("/etc/ksa/ksa.conf", text)

    @staticmethod
    def cluster(name, server, ca, keys, credential, more=""):
        return ClusterHost.section(name, keys, server, ca, credential + "\n" + more, server.issuer)

    def ksactl(self, *args, status=0, **more):
        return super().ksactl(*args, status=status, **more)

    # --- Logins ---

    def token(self, namespace="ci", account="deployer", **arguments):
        return self.host.remember(self.server.create_token(namespace, account, **arguments))

    def login(self, token, command="id -un"):
        """Through sshd. The result, with the one line of ours as `line`."""
        result = self.host.ssh(token, command, KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7")
        assert len(result.lines) == 1, result
        result.line = result.lines[0]
        assert bool(result.allowed) == (result.out == "deploy-bot\n"), result
        return result

    def let_in(self, token):
        result = self.login(token)
        assert result.allowed, result
        return result

    def refused(self, token, reason):
        result = self.login(token)
        assert result.status == 255 and result.reasons == [reason], result
        return result

    def refused_in_the_end(self, token, reason="review-refused", seconds=30):
        """Logs in until the server's cached success has expired. Returns the number of logins that were admitted before."""
        end, before = time.monotonic() + seconds, 0
        while True:
            result = self.login(token)
            if result.reasons == [reason]:
                return before, result
            assert result.allowed and time.monotonic() < end, result
            before += 1
            time.sleep(0.5)

    def sudo(self, token):
        """By token_file=. The result, with the one line of ours as `line`."""
        self.host.give_token(token)
        result = self.host.on_host("sudo -n id -un")
        assert len(result.lines) == 1, result
        result.line = result.lines[0]
        assert bool(result.allowed) == (result.out == "root\n"), result
        return result

    def pam_code(self, token):
        """The module alone, through the real libpam: its code, and how many seconds that took."""
        begin = time.monotonic()
        return self.pam_codes([token])[0], time.monotonic() - begin

    @staticmethod
    def pam_codes(tokens):
        """The same, of processes side by side."""
        os.makedirs(pam.CONFDIR, exist_ok=True)
        Path(pam.CONFDIR, "sshd").write_text("auth required pam_ksa.so nodelay\naccount required pam_ksa.so\n")
        started = [pam.start(pam.CONFDIR, "sshd", "deploy-bot", answers=issuer.answers(token), rhost="127.0.0.1") for token in tokens]
        results = [wait() for wait in started]
        assert all(result["changed"] == [] for result in results), results
        return [result["codes"]["authenticate"] for result in results]

    # --- Requests to the server ---

    def requests(self, size, *paths):
        """Requests of ksa-fetch since: events of the audit log; for some paths, or all."""
        return [event for event in self.server.audit_since(size)
                if event.get("userAgent", "").startswith("ksa-fetch") and
                (not paths or event["requestURI"].partition("?")[0] in paths)]

    def craft(self, key=None, namespace="ci", account="deployer", **changes):
        """A token that the server did not issue, signed with its key."""
        changes.setdefault("account_uid", self.server.account(namespace, account)["metadata"]["uid"])
        return self.host.remember(issuer.token(key or self.server.keys[0], issuer.claims(
            namespace=namespace, account=account, iss=self.server.issuer, **changes)))
