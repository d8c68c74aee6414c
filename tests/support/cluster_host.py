# SPDX-License-Identifier: BSD-2-Clause
"""The private host and a real API server beside it: its configuration, its credential, and logins with tokens that
the server made."""
import contextlib
import os
import re
import shutil
import time
from pathlib import Path

import issuer
import pam
from apiserver import account_subject

CA = "/etc/ksa/prod-ca.crt"
STATE = Path("/var/lib/ksa")
CREDENTIAL = STATE / "credentials" / "prod"
CACHE = Path("/var/cache/ksa")
REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
KEYS = "/openid/v1/jwks"
HOST_ACCOUNT = ("ksa-system", "host-verifier")
CONFDIR = "/run/pam-test"
# An API server keeps a success for 10 seconds.
MEMORY = 10


def eventually(condition, seconds=30):
    """What another process does in seconds, not in moments: this leaves it the processor."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return value


def split(token):
    """As ksa-askpass does it."""
    parts = [token[at:at + 500] for at in range(0, len(token), 500)]
    return parts if len(parts[-1]) < 500 else parts + [""]


def field(line, name):
    """A field of a log line, without its quotes."""
    found = re.search(r' %s=(?:"([^"]*)"|(\S+))' % name, line)
    return found and (found.group(1) or found.group(2))


class ClusterHost:
    """HOST with [cluster prod] = SERVER. Rules are for sshd, unless they say something else."""

    def __init__(self, host, server):
        self.host, self.server = host, server

    # --- What stands on the host ---

    @staticmethod
    def prepare(server):
        """What every test finds in the cluster: the account of hosts, and one to log in with."""
        server.account(*HOST_ACCOUNT)
        server.bind("ksa-host-verifier", "system:auth-delegator", account_subject(*HOST_ACCOUNT))
        server.account("ci", "deployer")

    def reset(self):
        """This host has nothing yet but a token of the account of hosts."""
        for folder, mode in ((STATE, 0o755), (STATE / "credentials", 0o700), (STATE / "used", 0o700),
                             (CACHE, 0o755), (Path("/run/ksa"), 0o700)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=mode)
        shutil.copy(self.server.ca, CA)
        self.give_credential()

    def write_credential(self, text):
        self.host.write(CREDENTIAL, text + "\n", 0o600)

    def give_credential(self, account=HOST_ACCOUNT):
        """A token for the API server itself, as a host's credential."""
        self.write_credential(self.host.remember(self.server.create_token(*account, audience=None, seconds=3600)))

    def configure(self, *rules, cluster="", host="", keys="file:/etc/ksa/prod.jwks", credential=None):
        """RULES are texts of options; account, user and service are sshd's deploy rule where they do not say other."""
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
        return "[cluster %s]\nissuer = %s\nkeys = %s\napi_server = %s\napi_ca_file = %s\n%s\n%s\n" % (
            name, server.issuer, keys, server.url, ca, credential, more)

    def ksactl(self, *words, stdin=b"", status=0):
        """As the administrator; STATUS None for any. The result; its log has the lines of ksactl."""
        result = self.host.run(["ksactl", *words], user="root", stdin=stdin)
        assert status in (None, result.status), result
        return result

    # --- Key sets that are fetched ---

    def cool_down(self, name="prod"):
        """The last attempt of a login to fetch the keys was half a minute ago."""
        Path("/run/ksa/clusters/%s.stamp" % name).unlink(missing_ok=True)

    @staticmethod
    def cached(name="prod"):
        """The kids of the cached set."""
        with contextlib.suppress(FileNotFoundError):
            return re.findall(r"^key \S+ (\S+) ", (CACHE / name / "keys").read_text(), re.M)

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
        """When what the server remembers of it is over. How often it was let in until then."""
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
        os.makedirs(CONFDIR, exist_ok=True)
        Path(CONFDIR, "sshd").write_text("auth required pam_ksa.so nodelay\naccount required pam_ksa.so\n")
        started = [pam.start(CONFDIR, "sshd", "deploy-bot", answers=split(token), rhost="127.0.0.1") for token in tokens]
        results = [wait() for wait in started]
        assert all(result["changed"] == [] for result in results), results
        return [result["codes"]["authenticate"] for result in results]

    # --- What the server heard from us ---

    def asked(self, size, *paths):
        """Requests of ksa-fetch since: events of the audit log; for some paths, or all."""
        return [event for event in self.server.audit_since(size)
                if event.get("userAgent", "").startswith("ksa-fetch") and
                (not paths or event["requestURI"].partition("?")[0] in paths)]

    def craft(self, key=None, namespace="ci", account="deployer", **changes):
        """A token that nobody asked the server for, signed with its key."""
        changes.setdefault("account_uid", self.server.account(namespace, account)["metadata"]["uid"])
        return self.host.remember(issuer.token(key or self.server.keys[0], issuer.claims(
            namespace=namespace, account=account, iss=self.server.issuer, **changes)))
