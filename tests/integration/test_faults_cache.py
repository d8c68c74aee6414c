# SPDX-License-Identifier: BSD-2-Clause
"""Logins with a cached key set that is damaged, another cluster's or expired, while the cluster gives no other: a
table. A damaged set counts as missing, and is not replaced."""
import os
import shutil
import time
from pathlib import Path

import pytest

import issuer
import pam
from api_double import KEYS, failure
from faults import CACHE

DAY = 24 * 60 * 60
KEY, OTHER = issuer.Key("ES256"), issuer.Key("ES256")


@pytest.fixture
def cached(login_host):
    """A host whose keys come from the API server, which has none now."""
    login_host.write("never", keys="api")
    login_host.server.keys = [KEY]
    login_host.server.pages[KEYS] = failure(500, "InternalError")
    login_host.write_cache(login_host.cached_set(KEY))
    return login_host


def changed(old, new):
    """A whole set, except for one text in it."""
    def make(login_host):
        data = login_host.cached_set(KEY, OTHER)
        assert old in data
        login_host.write_cache(data.replace(old, new, 1))
    return make


def fetched(seconds):
    return lambda login_host: login_host.write_cache(login_host.cached_set(KEY, fetched=seconds))


def bytes_of(make):
    return lambda login_host: login_host.write_cache(make(login_host.cached_set(KEY, OTHER)))


def in_place(make):
    """Something else where the file was."""
    def change(_scene):
        CACHE.rename(CACHE.with_name("real"))
        make()
    return change


def numbers(data):
    """The second number of the first key's is cut by a character."""
    line = next(line for line in data.split(b"\n") if line.startswith(b"key "))
    return data.replace(line, line[:-1])


UNAVAILABLE, DENIED = "AUTHINFO_UNAVAIL", "AUTH_ERR"
UNUSABLE, STALE, UNSAFE = (UNAVAILABLE, "keys-unusable"), (UNAVAILABLE, "keys-stale"), (UNAVAILABLE, "file-unsafe")
ALLOWED, UNKNOWN = ("SUCCESS", "ok"), (DENIED, "unknown-kid")
TABLE = {
    # not there
    "missing": (lambda _: CACHE.unlink(), UNUSABLE),
    "the cluster's folder is missing": (lambda _: shutil.rmtree(CACHE.parent), UNUSABLE),
    "all of /var/cache/ksa is missing": (lambda _: shutil.rmtree(CACHE.parent.parent), UNUSABLE),
    "empty": (bytes_of(lambda _: b""), UNUSABLE),
    # another's
    "of another issuer": (changed(issuer.ISSUER.encode(), b"https://kubernetes.example"), UNUSABLE),
    "of one issuer more": (changed(b"\nkeys api", b"\nissuer https://other\nkeys api"), UNUSABLE),
    "of another API server": (changed(b"api_server https://127.0.0.1", b"api_server https://127.0.0.2"), UNUSABLE),
    "of another CA": (changed(b"prod-ca.crt", b"old-ca.crt"), UNUSABLE),
    "of another source": (changed(b"keys api", b"keys discover"), UNUSABLE),
    "of a later version": (changed(b"ksa-keys 1", b"ksa-keys 2"), UNUSABLE),
    "of a version that begins alike": (changed(b"ksa-keys 1", b"ksa-keys 10"), UNUSABLE),
    "a JWKS": (bytes_of(lambda _: issuer.jwks(KEY).encode()), UNUSABLE),
    # its time
    "fetched half a minute from now: by another login, while this one waited": (fetched(30), ALLOWED),
    "fetched two minutes from now": (fetched(120), STALE),
    "fetched tomorrow: the clock was set back a day": (fetched(DAY), STALE),
    "fetched nearly a day ago": (fetched(-DAY + 120), ALLOWED),
    "fetched a day ago: the clock was set forward a day": (fetched(-DAY - 1), STALE),
    "fetched before 1970": (changed(b"\nfetched ", b"\nfetched -"), UNUSABLE),
    "fetched in a time that no number holds": (changed(b"\nfetched ", b"\nfetched 99999999999999999999"), UNUSABLE),
    "no time": (changed(b"\nfetched ", b"\nfetch "), UNUSABLE),
    "max_age of 0: still good for a login": (changed(b"max_age 3600", b"max_age 0"), ALLOWED),
    # not whole
    "without its end": (bytes_of(lambda data: data.rpartition(b"end ")[0]), UNUSABLE),
    "its end counts one more": (changed(b"end 2", b"end 3"), UNUSABLE),
    "its end counts one less": (changed(b"end 2", b"end 1"), UNUSABLE),
    "no keys, and says so": (bytes_of(lambda data: data[:data.index(b"key E")] + b"end 0\n"), UNUSABLE),
    "more behind its end": (bytes_of(lambda data: data + b"\n"), UNUSABLE),
    "twice": (bytes_of(lambda data: data + data), UNUSABLE),
    "a NUL behind": (bytes_of(lambda data: data + b"\0"), UNUSABLE),
    "a byte order mark before": (bytes_of(lambda data: b"\xef\xbb\xbf" + data), UNUSABLE),
    "lines of DOS": (bytes_of(lambda data: data.replace(b"\n", b"\r\n")), UNUSABLE),
    "zeroes, as after a power failure": (bytes_of(lambda data: bytes(len(data))), UNUSABLE),
    "an algorithm that is none of ours": (changed(b"key ES256", b"key HS256"), UNUSABLE),
    "a word more on a line": (changed(b"\nend", b" x\nend"), UNUSABLE),
    "two keys of one kid": (changed(OTHER.kid.encode(), KEY.kid.encode()), (DENIED, "ambiguous-kid")),
    "more than 1 MiB": (bytes_of(lambda data: data + b" " * 1024 * 1024), (UNAVAILABLE, "file-unreadable")),
    # not the key
    "without the token's key": (lambda login_host: login_host.write_cache(login_host.cached_set(OTHER)), UNKNOWN),
    "the key's number is cut": (bytes_of(numbers), UNKNOWN),
    "the key of another algorithm": (changed(b"key ES256", b"key ES384"), UNKNOWN),
    "another key of that kid": (lambda login_host: login_host.write_cache(
        login_host.cached_set(OTHER).replace(OTHER.kid.encode(), KEY.kid.encode())), (DENIED, "bad-signature")),
    # not root's alone
    "of another owner": (lambda _: shutil.chown(CACHE, "_ksa"), UNSAFE),
    "writable by others": (lambda _: CACHE.chmod(0o666), UNSAFE),
    "its folder is another's": (lambda _: shutil.chown(CACHE.parent, "_ksa"), UNSAFE),
    "its folder is writable by others": (lambda _: CACHE.parent.chmod(0o777), UNSAFE),
    "a link": (in_place(lambda: CACHE.symlink_to("real")), UNSAFE),
    "a folder": (in_place(CACHE.mkdir), UNSAFE),
    "a FIFO": (in_place(lambda: os.mkfifo(CACHE, 0o644)), UNSAFE),
}


@pytest.mark.parametrize("name", TABLE)
def test_cache(cached, name):
    change, expected = TABLE[name]
    change(cached)
    outcome = cached.login(cached.host.token(KEY))
    assert (outcome.auth, outcome.reason) == expected, outcome


def test_cut_at_each_byte(cached):
    """As it would be if it were written in place, and the power failed."""
    data, token = cached.cached_set(KEY), cached.host.token(KEY)
    for length in range(len(data)):
        cached.write_cache(data[:length])
        outcome = cached.login(token)
        assert (outcome.auth, outcome.reason) == UNUSABLE, (length, outcome)
    cached.write_cache(data)
    assert cached.login(token).auth == "SUCCESS"


@pytest.mark.parametrize("now, reason", ((0, "ok"), (-DAY, "keys-stale"), (DAY + 1, "keys-stale")), ids=("now", "back", "forward"))
def test_explain_with_another_clock(cached, now, reason):
    """The set's time is checked before the token's."""
    cached.write_cache(cached.cached_set(KEY))
    at = int(time.time()) + now
    result = cached.host.run(["ksactl", "explain", "--token-file", "-", "--user", "deploy-bot", "--json", "--now", str(at)],
                             user="root", stdin=cached.host.token(KEY).encode())
    assert '"reason":"%s"' % reason in result.out.replace(" ", ""), result


def test_without_root_nothing_is_fetched(cached):
    """A spoiled set stays spoiled for a service without root, and it starts nothing."""
    cached.server.pages.clear()
    cached.write("never", keys="api", rule="service = reports\n[service reports]\naudience = reports://build-7")
    Path(pam.CONFDIR, "reports").write_text("auth required pam_ksa.so nodelay\naccount required pam_ksa.so\n")
    token = cached.host.token(KEY, audience="reports://build-7")
    assert pam.attempt_without_root("reports", issuer.answers(token), pam.CONFDIR)["codes"]["authenticate"] == "SUCCESS"
    cached.write_cache(cached.cached_set(OTHER))
    assert pam.attempt_without_root("reports", issuer.answers(token), pam.CONFDIR)["codes"]["authenticate"] == DENIED
    assert cached.server.counts == {} and OTHER.kid.encode() in CACHE.read_bytes()
