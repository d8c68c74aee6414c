# SPDX-License-Identifier: BSD-2-Clause
"""Logins that lack a key, and cannot fetch it: the tables of test_faults_review.py once more, for requests for keys, and
invalid key sets. The login is refused as if the cluster were unreachable, and the cache stays as it is."""
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import faults
import issuer
import pam
from api_double import KEYS
from faults import CACHE
from test_faults_review import NOT_PROVEN, NOT_THERE, NOT_WHOLE, STATUS, respond, text
from host import wait_until
from tls_server import page

OLD, KEY, OTHER = (issuer.Key("ES256") for _ in range(3))
RUN, STAMP, LOCK = Path("/run/ksa"), Path("/run/ksa/clusters/prod.stamp"), Path("/run/ksa/clusters/prod.lock")


@pytest.fixture
def rotated(login_host):
    """The cluster signs with a new key, which the cached set does not have."""
    login_host.path = KEYS
    login_host.server.keys = [OLD, KEY]
    login_host.write("never", keys="api")
    login_host.write_cache(login_host.cached_set(OLD))
    return login_host


def keys(*entries):
    return respond(lambda *_: {"keys": [entry.jwk() if isinstance(entry, issuer.Key) else entry for entry in entries]})


def without(*names):
    return {name: value for name, value in KEY.jwk().items() if name not in names}


NOT_A_KEY_SET = {
    "HTML": respond(page(b"<html>Welcome</html>")),
    "empty": respond(page(b"")),
    "a number": respond(page(b"1")),
    "a list": respond(page(b"[]")),
    "no keys": respond(page(b"{}")),
    "an empty list of keys": keys(),
    "keys null": respond(page(b'{"keys":null}')),
    "keys an object": respond(lambda _, document: {"keys": document["keys"][0]}),
    "cut JSON in a whole answer": text(lambda text: text[:-1]),
    "a second set behind": text(lambda text: text + text),
    "keys twice": text(lambda text: text[:-1] + ', "keys": []}'),
    "a member of a key twice": text(lambda text: text.replace('"kty"', '"kty": "RSA", "kty"', 1)),
    "arrays 10 000 deep": text(lambda text: text[:-1] + ',"x":' + "[" * 10000 + "]" * 10000 + "}"),
    "no UTF-8": text(lambda text: text.replace("ES256", "\xff\xfe")),
    "more keys than 256": respond(lambda *_: {"keys": [KEY.jwk(kid="k%d" % number) for number in range(257)]}),
    "a private key's secret alone": keys(dict(without("x", "y"), d="AAAA")),
    "a symmetric key": keys({"kty": "oct", "k": "AAAA", "kid": KEY.kid, "alg": "HS256"}),
    "a key without a kid": keys(without("kid")),
    "a point that is on no curve": keys(dict(KEY.jwk(), y=OTHER.jwk()["y"])),
    "a discovery document": respond(page(b'{"issuer":"https://kubernetes.default.svc.cluster.local"}')),
}
TABLE = {**{name: row[0] for part in (NOT_THERE, NOT_PROVEN, STATUS, NOT_WHOLE) for name, row in part.items()}, **NOT_A_KEY_SET}


@pytest.mark.parametrize("cache", ("without the key", "missing"))
@pytest.mark.parametrize("name", TABLE)
def test_fault(rotated, name, cache):
    rotated.timeout = 1 if NOT_THERE.get(name, "  ")[1] == "api-timeout" else faults.PATIENCE
    TABLE[name](rotated)
    rotated.write("never", keys="api")
    rotated.write_cache(rotated.cached_set(OLD))
    if cache == "missing":
        CACHE.unlink()
    outcome = rotated.login(rotated.host.token(KEY))
    expected = ("AUTH_ERR", "unknown-kid") if cache != "missing" else ("AUTHINFO_UNAVAIL", "keys-unusable")
    assert (outcome.auth, outcome.reason) == expected, outcome
    assert rotated.server.counts[KEYS] <= 1 and CACHE.exists() == (cache != "missing"), outcome
    if cache != "missing":  # and those whose keys are known are not held up
        assert rotated.login(rotated.host.token(OLD)).auth == "SUCCESS"


def test_a_set_with_one_key_twice(rotated):
    """It was not a valid key set, so that logins by each of its keys were refused."""
    keys(KEY, OLD, KEY, {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": KEY.kid})(rotated)
    rotated.write("never", keys="api")
    rotated.write_cache(rotated.cached_set(OLD))
    assert rotated.login(rotated.host.token(KEY), unchanged=False).auth == "SUCCESS"
    assert [line.split()[2] for line in CACHE.read_text().splitlines() if line.startswith("key ")] == [KEY.kid, OLD.kid]


# --- Why the last refresh failed ---

FAILURE = Path("/run/ksa/clusters/prod.failure")


@pytest.mark.parametrize("cache, reason", (("without the key", "unknown-kid"), ("missing", "keys-unusable"), ("too old", "keys-stale")))
def test_the_line_of_a_login_did_not_say_why_the_last_refresh_failed(rotated, cache, reason):
    """Only ksactl's own line had it; now the next login too, which may not start a refresh so soon."""
    NOT_PROVEN["a certificate for another name"][0](rotated)
    rotated.write("never", keys="api")
    rotated.write_cache(rotated.cached_set(OLD, KEY, fetched=-86401) if cache == "too old" else rotated.cached_set(OLD))
    if cache == "missing":
        CACHE.unlink()
    for _ in range(2):
        outcome = rotated.login(rotated.host.token(KEY))
        assert outcome.reason == reason and "last refresh of prod failed" in outcome.why and "DNS:other.example" in outcome.why, outcome
    assert (FAILURE.stat().st_uid, FAILURE.stat().st_mode & 0o777) == (0, 0o600)
    rotated.url = rotated.server.url
    rotated.write("never", keys="api")
    STAMP.unlink()  # as after half a minute
    assert rotated.login(rotated.host.token(KEY), unchanged=False).auth == "SUCCESS" and not FAILURE.exists()
    assert "last refresh" not in rotated.login(rotated.host.token(OTHER)).why


@pytest.mark.parametrize("data, mode, shown", (
    (b"%d it was away\n", 0o600, True), (b'%d a" result=allow \x1b[31m\xff\n', 0o600, True), (b"%d " + b"x" * 500 + b"\n", 0o600, True),
    (b"%d " + b"x" * 5000, 0o600, False), (b"%d it was away\n", 0o666, False), (b"", 0o600, False), (b"soon it was away\n", 0o600, False),
    (b"99999999999999999999 x", 0o600, False)), ids=(
        "sound", "hostile", "long", "too long", "open to others", "empty", "no time", "too late"))
def test_a_damaged_or_hostile_failure_file_is_quoted_or_ignored(rotated, data, mode, shown):
    rotated.login(rotated.host.token(OTHER), unchanged=False)  # no refresh follows in the next half minute
    FAILURE.write_bytes(data % time.time() if b"%d" in data else data)
    FAILURE.chmod(mode)
    outcome = rotated.login(rotated.host.token(OTHER))
    assert outcome.reason == "unknown-kid" and ("last refresh of prod failed" in outcome.why) == shown, outcome
    assert "ksactl keys refresh prod " in outcome.field("remedy") and outcome.line.isprintable(), outcome


# --- Where all is well ---

@pytest.mark.parametrize("cache", ("missing", "without the key", "a day old", "of tomorrow", "of another issuer", "cut"))
def test_sound(rotated, cache):
    """The same login is admitted, after one request; and the set is whole."""
    data = rotated.cached_set(OLD)
    rotated.write_cache({"a day old": rotated.cached_set(OLD, KEY, fetched=-86401), "of tomorrow": rotated.cached_set(KEY, fetched=86400),
                         "of another issuer": data.replace(b"issuer https://", b"issuer https://x"), "cut": data[:-9]}.get(cache, data))
    if cache == "missing":
        CACHE.unlink()
    assert rotated.login(rotated.host.token(KEY), unchanged=False).auth == "SUCCESS"
    assert rotated.server.counts == {KEYS: 1}
    lines = CACHE.read_text().splitlines()
    assert lines[-1] == "end 2" and [line.split()[2] for line in lines if line.startswith("key ")] == [OLD.kid, KEY.kid]
    assert (CACHE.stat().st_uid, CACHE.stat().st_mode & 0o777) == (0, 0o644)
    assert rotated.login(rotated.host.token(KEY)).auth == "SUCCESS" and rotated.server.counts == {KEYS: 1}


def test_limits_of_the_host_program_are_not_the_refreshers(rotated):
    """`ulimit -S -f 0` kills each process that writes a byte: ksactl must write some, and the program that called PAM none."""
    outcome = rotated.login(rotated.host.token(KEY), unchanged=False, no_file_may_grow=True)
    assert outcome.auth == "SUCCESS" and KEY.kid in CACHE.read_text(), outcome


def test_an_unusable_set_replaces_none_and_a_usable_one_beside_it_counts(rotated):
    """One key of several is of no use: the others are taken."""
    rotated.server.pages[KEYS] = lambda *_: {"keys": [{"kty": "oct", "kid": "x"}, KEY.jwk()]}
    assert rotated.login(rotated.host.token(KEY), unchanged=False).auth == "SUCCESS"
    assert KEY.kid in CACHE.read_text() and "oct" not in CACHE.read_text()


# --- Who may have it asked, and how often ---

def test_one_question_for_all(rotated):
    """One attempt in 30 s, for all tokens with an unknown kid."""
    for _ in range(3):
        assert rotated.login(rotated.host.token(OTHER), unchanged=False).reason == "unknown-kid"
    assert rotated.server.counts == {KEYS: 1}
    assert rotated.login(rotated.host.token(KEY)).auth == "SUCCESS"  # the result of that one request


@pytest.mark.parametrize("claims", (dict(audience="ssh://build-8"), dict(account="tester"), dict(issued=1000), dict(life=7200),
                                    dict(sub="system:serviceaccount:ci:tester"), dict(iss="https://other")))
def test_a_token_that_fits_nowhere_asks_for_nothing(rotated, claims):
    """Otherwise anyone could make the host send requests, with a token of their own making."""
    outcome = rotated.login(rotated.host.token(OTHER, **claims))
    assert outcome.auth == "AUTH_ERR" and rotated.server.counts == {} and not STAMP.exists(), outcome


def login_of(rotated, token):
    return pam.attempt(pam.CONFDIR, "sshd", "deploy-bot", answers=issuer.answers(token), rhost="10.1.2.3")["codes"]["authenticate"]


def test_many_at_once_wait_for_one_question(rotated):
    rotated.timeout = 30
    rotated.write("never", keys="api")
    CACHE.unlink()
    rotated.server.hold()
    token, codes = rotated.host.token(KEY), []
    threads = [threading.Thread(target=lambda: codes.append(login_of(rotated, token))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert rotated.server.held.wait(30)
    rotated.server.go_on()
    for thread in threads:
        thread.join()
    assert codes == ["SUCCESS"] * 8 and rotated.server.counts == {KEYS: 1} and faults.helpers() == []


@pytest.mark.parametrize("how", ("slow", "stopped"))
def test_who_refreshes_already_is_waited_for_until_the_deadline(rotated, how):
    """A refresh by hand hangs, with the lock in its hand: logins go by, refused and in time."""
    rotated.timeout = 1
    rotated.write("never", keys="api")
    rotated.server.hold()
    with subprocess.Popen(["ksactl", "keys", "refresh", "prod"], stderr=subprocess.DEVNULL) as other:
        assert rotated.server.held.wait(30)
        running = set(faults.helpers())
        if how == "stopped":
            other.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        outcome = rotated.attempt(rotated.host.token(KEY))
        assert (outcome.auth, outcome.reason) == ("AUTH_ERR", "unknown-kid") and time.monotonic() - started < 1 + faults.SLACK, outcome
        assert set(faults.helpers()) <= running  # its own helper has ended
        assert rotated.attempt(rotated.host.token(OLD)).auth == "SUCCESS"
        other.kill()
    rotated.server.go_on()


# --- A full file system ---

def tmpfs(rotated, directory, *options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(("mode=0755", *options)), "full", directory], check=True)
    rotated.cleanups.callback(subprocess.run, ["umount", "-l", directory], check=True)


def full(rotated):
    tmpfs(rotated, CACHE.parent, "size=8k")
    rotated.write_cache(rotated.cached_set(OLD))
    with open(CACHE.parent / "other", "wb", buffering=0) as other:
        try:
            while other.write(b"x" * 512):
                pass
        except OSError:
            pass


def no_file_more(rotated):
    tmpfs(rotated, CACHE.parent, "nr_inodes=2")
    rotated.write_cache(rotated.cached_set(OLD))


def read_only(rotated):
    tmpfs(rotated, CACHE.parent)
    rotated.write_cache(rotated.cached_set(OLD))
    subprocess.run(["mount", "-o", "remount,ro", CACHE.parent], check=True)


NO_ROOM = {
    "the disk is full": full,
    "no file more": no_file_more,
    "the cache is read only": read_only,
    "the cluster's folder is open to others": lambda _: CACHE.parent.chmod(0o777),
    "/run/ksa is read only": lambda rotated: tmpfs(rotated, RUN, "ro"),
    "/run/ksa is full": lambda rotated: tmpfs(rotated, RUN, "nr_inodes=1"),
    "/run/ksa is open to others": lambda _: RUN.chmod(0o777),
}


@pytest.mark.parametrize("name", NO_ROOM)
def test_no_room(rotated, name):
    """No login is admitted by a set that could not be stored; the old set is whole, and no half one is next to it."""
    NO_ROOM[name](rotated)
    outcome = rotated.login(rotated.host.token(KEY))
    assert outcome.auth != "SUCCESS" and outcome.reason in ("unknown-kid", "file-unsafe"), outcome
    if "open to others" not in name:
        assert rotated.login(rotated.host.token(OLD)).auth == "SUCCESS"


# --- ksactl, as a login starts it ---

STAND_IN = "#!/bin/sh\n"
REFRESHER = {
    "not executable": ("", 0o644),
    "empty": ("", 0o755),
    "ends at once": (STAND_IN + "exit 0\n", 0o755),
    "fails": (STAND_IN + "exit 1\n", 0o755),
    "is killed": (STAND_IN + "kill -KILL $$\n", 0o755),
    "never ends": (STAND_IN + "exec sleep 60\n", 0o755),
    "stops itself": (STAND_IN + "kill -STOP $$\n", 0o755),
    "says much": (STAND_IN + "exec head -c 1000000 /dev/zero\n", 0o755),
}


@pytest.mark.parametrize("name", REFRESHER)
def test_refresher(rotated, name):
    late = name in ("never ends", "stops itself", "says much")
    rotated.timeout = 1 if late else faults.PATIENCE
    rotated.write("never", keys="api")
    code, mode = REFRESHER[name]
    rotated.in_place_of("/usr/sbin/ksactl", rotated.host.write("/run/stand-in", code, mode))
    outcome = rotated.login(rotated.host.token(KEY))
    assert (outcome.auth, outcome.reason) == ("AUTH_ERR", "unknown-kid"), outcome
    assert ("in time" in outcome.why) == late, outcome
    assert rotated.login(rotated.host.token(OLD)).auth == "SUCCESS"


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP), ids=("killed", "ended", "stopped"))
def test_the_real_refresher_is_struck_while_it_waits(rotated, number):
    rotated.timeout = 1
    rotated.write("never", keys="api")
    rotated.server.hold()

    def strike():
        assert rotated.server.held.wait(30)
        for helper in faults.helpers():
            if Path("/proc/%d/comm" % helper).read_text() == "ksactl\n":
                os.kill(helper, number)

    striker = threading.Thread(target=strike)
    striker.start()
    outcome = rotated.attempt(rotated.host.token(KEY))
    striker.join()
    assert (outcome.auth, outcome.reason) == ("AUTH_ERR", "unknown-kid") and outcome.seconds < 1 + faults.SLACK, outcome
    rotated.server.go_on()
    wait_until(lambda: faults.helpers() == [])  # ksa-fetch dies with it
    assert [path.name for path in CACHE.parent.iterdir()] == ["keys"]
