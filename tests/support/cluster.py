# SPDX-License-Identifier: BSD-2-Clause
"""A cluster that is bytes from a TLS server, and a private host that is configured for it: what ksactl fetches, asks
and keeps. The server answers each path with what a test wrote there, and remembers who asked what with which
credential."""
import json
import os
import re
import time
from pathlib import Path

import issuer
from tls_server import Certificates, TlsServer, page

KEYS = "/openid/v1/jwks"
DOCUMENT = "/.well-known/openid-configuration"
CACHE, RUN, STATE = Path("/var/cache/ksa"), Path("/run/ksa"), Path("/var/lib/ksa")
LOCKS = RUN / "clusters"  # and stamps
CREDENTIAL = STATE / "credentials" / "prod"


def jwks_page(*keys, max_age=3600, status="200 OK"):
    return page(issuer.jwks(*keys).encode(), status, "Content-Type: application/jwk-set+json",
                "Cache-Control: public, max-age=%d" % max_age)


def json_page(value, status="200 OK"):
    return page(json.dumps(value).encode(), status, "Content-Type: application/json",
                time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime()))


# A month: longer than anything is waited for after a start.
UP = 30 * 86400


def up_for(seconds=UP):
    """What runs a command as on a host that started SECONDS ago."""
    return ["/usr/bin/python3", str(Path(__file__).with_name("uptime.py")), str(seconds)]


def read_only(cluster, folder, *words, **more):
    """ksactl where FOLDER is a read-only file system."""
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec ksactl "$@"'
    return cluster.host.run(["unshare", "--mount", "sh", "-c", script, str(folder), *map(str, words)], user="root", **more)


class Cluster:
    """Use with `with`."""

    def __init__(self, host):
        self.host, self.folder = host, Path("/etc/ksa/test")

    def __enter__(self):
        self.folder.mkdir()
        self.certificates = Certificates(self.folder)
        self.pair = self.certificates.issue("good", "IP:127.0.0.1")
        self.server = TlsServer(*self.pair).__enter__()
        self.configure()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    # --- The configuration ---

    def section(self, name="prod", keys="api", more=None, issuer_name=issuer.ISSUER):
        if more is None:  # no two clusters have one credential
            more = "credential_file = %s\n" % CREDENTIAL if name == "prod" else ""
        return "[cluster %s]\nissuer = %s\nkeys = %s\napi_server = %s\napi_ca_file = %s\nkeys_ca_file = %s\n%s\n" % (
            name, issuer_name, keys, self.server.url, self.certificates.ca, self.certificates.ca, more)

    def configure(self, *sections, host=""):
        self.host.write("/etc/ksa/ksa.conf", "[host]\naudience = ssh://build-7\n%s\n%s" % (
            host, "".join(sections or [self.section()])))

    def token(self, age=0, life=86400, **claims):
        """One of the host's own account."""
        token = issuer.token(self.host.key, issuer.claims("ksa-system", "host-verifier", issuer.ISSUER, int(time.time()) - age,
                                                          life, **claims))
        return self.host.remember(token)

    def give_credential(self, **arguments):
        token = self.token(**arguments)
        self.host.write(CREDENTIAL, token + "\n", 0o600)
        return token

    # --- What was asked ---

    def asked(self, path=None, server=None):
        """The requests for PATH, or all."""
        requests = (server or self.server).requests
        return [request for request in requests if path is None or request.split(" ")[1] == path]

    @staticmethod
    def bearer(request):
        lines = [line for line in request.split("\r\n") if line.lower().startswith("authorization: bearer ")]
        return lines[0].split(" ", 2)[2] if lines else None

    # --- The host ---

    def ksactl(self, *words, **more):
        return self.host.run(["ksactl", *map(str, words)], user="root", **more)

    def refresh(self, *words, **more):
        return self.ksactl("keys", "refresh", *words, **more)

    def ksactl_up(self, *words, seconds=UP):
        """The same SECONDS after the host's start, which moves what is due."""
        return self.host.run([*up_for(seconds), "ksactl", *words], user="root")

    def refresh_if_due(self, *words, **more):
        """As the timer does it."""
        return self.ksactl_up("keys", "refresh", "--if-due", *words, **more)

    def cached(self, name="prod"):
        """The kids of the cached set, as it stands in the file; None where there is none."""
        path = CACHE / name / "keys"
        if not path.exists():
            return None
        lines = path.read_text().splitlines()
        kids = [line.split(" ")[2] for line in lines if line.startswith("key ")]
        assert lines[0] == "ksa-keys 1" and lines[-1] == "end %d" % len(kids), "not whole"
        return kids

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

    @staticmethod
    def cool_down(name="prod"):
        """As after half a minute."""
        path = LOCKS / (name + ".stamp")
        path.unlink(missing_ok=True)

    def no_token_told(self, *texts):
        """Neither output nor log holds a piece of a token that only its owner knows."""
        text = "".join(self.host.outputs) + open("/var/log/auth.log", errors="replace").read() + "".join(texts)
        # What is shorter is no such piece; what was said often is looked at once.
        text = " ".join(set(re.findall("[A-Za-z0-9_-]{24,}", text)))
        for token in self.host.tokens:
            signature = token.rpartition(".")[2]
            assert not any(signature[at:at + 24] in text for at in range(0, len(signature) - 23))


def root_only(path):
    status = os.stat(path)
    return status.st_uid == 0 and status.st_mode & 0o077 == 0
