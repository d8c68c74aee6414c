# SPDX-License-Identifier: BSD-2-Clause
"""ksactl keys refresh, purge and show, with the real ksa-fetch and servers that behave and misbehave."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import host as private_host
import issuer
from api_double import DISCOVERY, KEYS, bearer_of, json_page, jwks_page
from cluster_host import CACHE, CREDENTIAL, LOCKS, RUN, STATE, DoubleHost, read_only, root_only
from tls_server import TlsServer, page


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.server.pages[KEYS] = jwks_page(host.key)
        cluster.give_credential()
        yield cluster
        cluster.assert_no_token_in_outputs()


@pytest.fixture
def elsewhere(cluster):
    """Another server of another origin, which the same authority vouches for."""
    with TlsServer(*cluster.pair) as server:
        server.answer = jwks_page(cluster.host.key)
        yield server


def mode(path):
    return os.stat(path).st_mode & 0o7777


# --- Messages and their place ---


def test_the_journal_has_each_line_once(cluster):
    """A unit's standard error is the journal, which has the lines of syslog too (JOURNAL_STREAM in systemd.exec(5))."""
    cluster.server.pages[KEYS] = page(b"", "500 Internal Server Error")
    for stream, on_stderr in (("$(stat -L -c %d:%i /proc/self/fd/2)", False), ("1:2", True), ("", True)):
        result = cluster.host.run(["sh", "-c", "JOURNAL_STREAM=%s exec ksactl keys refresh prod" % stream], user="root")
        assert result.status == 1 and ("result=failed" in result.err) == on_stderr, result
        assert len([line for line in result.log if "ksactl" in line and "result=failed" in line]) == 1, result


@pytest.mark.parametrize("args, directory", [
    (("refresh", "prod"), "/var/cache/ksa"), (("purge", "prod"), "/var/cache/ksa"),
    (("refresh", "--all", "--if-due"), "/var/lib/ksa")], ids=range(3))
def test_a_read_only_file_system_is_named(cluster, args, directory):
    """With a remedy that ends it."""
    assert cluster.refresh("prod").status == 0
    used = STATE / "used"
    used.mkdir(mode=0o700, exist_ok=True)
    (used / ("1000000000-" + "0" * 64)).touch(mode=0o600)
    result = read_only(cluster, directory, "keys", *args)
    assert result.status == 1, result
    (line,) = result.err.splitlines()
    assert " reason=file-unwritable " in line and "the file system is read-only" in line, result
    assert 'remedy="check free space, mount options and permissions of that file system"' in line, result


# --- Where keys come from ---


def test_api(cluster):
    result = cluster.refresh("prod")
    assert result.status == 0 and result.out == "", result
    assert cluster.cached() == [cluster.host.key.kid]
    (request,) = cluster.requests()
    assert request.startswith("GET %s HTTP/1.1\r\n" % KEYS)
    assert "Accept: application/jwk-set+json, application/json\r\n" in request
    assert bearer_of(request) == CREDENTIAL.read_text().strip()
    assert (mode(CACHE / "prod"), mode(CACHE / "prod/keys")) == (0o755, 0o644)
    assert root_only(LOCKS / "prod.lock") and root_only(LOCKS / "prod.stamp")
    line = 'result=refreshed cluster="prod" keys=1 max_age=3600 next='
    assert line in result.err and [line in logged for logged in result.log] == [True], result


def test_directories_are_made(cluster):
    """With any umask of the caller."""
    CACHE.rmdir()
    RUN.rmdir()
    for umask in ("0077", "0000"):
        assert cluster.host.run(["sh", "-c", "umask %s; exec ksactl keys refresh prod" % umask], user="root").status == 0
        assert [mode(path) for path in (RUN, LOCKS, CACHE, CACHE / "prod", CACHE / "prod/keys", LOCKS / "prod.lock")] == [
            0o700, 0o700, 0o755, 0o755, 0o644, 0o600]
        shutil.rmtree(CACHE / "prod")
        (LOCKS / "prod.lock").unlink()


def test_api_without_a_credential(cluster):
    """As if the administrator opened the keys to everybody."""
    cluster.configure(cluster.section(more=""))
    assert cluster.refresh("prod").status == 0
    assert bearer_of(cluster.requests()[0]) is None


def test_address(cluster, elsewhere):
    """An address of its own sees no credential, not even the API server's."""
    for url, server in ((elsewhere.url + "/keys", elsewhere), (cluster.server.url + KEYS, cluster.server)):
        cluster.configure(cluster.section(keys=url))
        assert cluster.refresh("prod").status == 0
        assert cluster.cached() == [cluster.host.key.kid]
        assert bearer_of(server.requests[-1]) is None


def discovery(cluster, jwks_uri, issuer_name=None):
    cluster.configure(cluster.section(keys="discover", issuer_name=cluster.server.url))
    cluster.server.pages[DISCOVERY] = json_page({"issuer": issuer_name or cluster.server.url, "jwks_uri": jwks_uri})


def test_discover(cluster):
    discovery(cluster, cluster.server.url + KEYS)
    assert cluster.refresh("prod").status == 0
    assert [request.split(" ")[1] for request in cluster.requests()] == [DISCOVERY, KEYS]
    assert cluster.server.connections == 1
    assert [bearer_of(request) for request in cluster.requests()] == [CREDENTIAL.read_text().strip()] * 2
    assert cluster.cached() == [cluster.host.key.kid]


def test_a_credential_never_goes_to_a_jwks_uri_elsewhere(cluster, elsewhere):
    discovery(cluster, elsewhere.url + "/keys")
    result = cluster.refresh("prod")
    assert result.status == 0, result
    (request,) = elsewhere.requests
    assert bearer_of(request) is None and "uthorization" not in request
    assert bearer_of(cluster.requests()[0])  # the document was the API server's own


def test_a_public_issuer_sees_no_credential(cluster, elsewhere):
    cluster.configure(cluster.section(keys="discover", issuer_name=elsewhere.url + "/id"))
    elsewhere.pages["/id" + DISCOVERY] = json_page({"issuer": elsewhere.url + "/id", "jwks_uri": elsewhere.url + "/keys"})
    assert cluster.refresh("prod").status == 0
    assert len(elsewhere.requests) == 2 and not any("uthorization" in request for request in elsewhere.requests)
    assert cluster.requests() == []


def test_another_issuers_document(cluster):
    discovery(cluster, cluster.server.url + KEYS, "https://other")
    result = cluster.refresh("prod")
    assert result.status == 1 and "reason=api-answer-invalid" in result.err and cluster.requests(KEYS) == []


def test_an_issuer_that_is_no_address(cluster):
    cluster.configure(cluster.section(keys="discover", issuer_name="kubernetes"))
    result = cluster.refresh("prod")
    assert result.status == 2 and "not an https URL" in result.err


# --- What does not replace a set ---


@pytest.mark.parametrize("answer, reason", [
    (page(b"", "302 Found", "Location: /elsewhere"), "api-answer-invalid"),
    (page(b"", "307 Temporary Redirect", "Location: https://127.0.0.1:1/"), "api-answer-invalid"),
    (jwks_page(status="401 Unauthorized"), "api-unauthorized"),
    (jwks_page(status="403 Forbidden"), "api-forbidden"),
    (jwks_page(status="404 Not Found"), "api-answer-invalid"),
    (page(b"", "429 Too Many Requests", "Retry-After: 7777"), "api-busy"),
    (jwks_page(status="503 Service Unavailable"), "api-error"),
    (page(b"<html>"), "keys-unusable"),
    (page(b'{"keys":[]}'), "keys-unusable"),
    (page(b'{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"}]}'), "keys-unusable"),
    (page(b"x" * (1024 * 1024 + 1)), "api-answer-invalid"),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{", "api-answer-invalid"),
], ids=["302", "307", "401", "403", "404", "429", "503", "html", "empty", "unusable", "large", "cut"])
def test_a_bad_answer_keeps_the_old_set(cluster, answer, reason):
    assert cluster.refresh("prod").status == 0
    before = (CACHE / "prod/keys").read_bytes()
    cluster.server.pages[KEYS] = answer
    result = cluster.refresh("prod")
    assert result.status == 1, result
    (line,) = [line for line in result.log if "result=failed" in line]
    assert "result=failed reason=%s cluster=\"prod\" why=\"" % reason in line and KEYS in line
    assert line.split("result=")[1] in result.err
    assert (CACHE / "prod/keys").read_bytes() == before
    assert len(cluster.requests()) == 2 and os.listdir(CACHE / "prod") == ["keys"]


def test_a_point_off_the_curve_alone_is_no_key(cluster):
    bad = issuer.Key("ES256").jwk(x=issuer.base64url(b"\1" * 32))
    cluster.server.pages[KEYS] = jwks_page(bad)
    result = cluster.refresh("prod")
    assert result.status == 1 and "none of 1 keys is usable" in result.err and cluster.cached() is None


def test_nobody_listens(cluster):
    cluster.server.__exit__()
    result = cluster.refresh("prod")
    assert result.status == 1 and "reason=api-unreachable" in result.err and cluster.cached() is None


def test_a_server_of_another_authority(cluster, tmp_path):
    cluster.configure(cluster.section().replace("api_ca_file = %s" % cluster.certificates.ca, ""))
    result = cluster.refresh("prod")
    assert result.status == 1 and "reason=api-tls" in result.err and cluster.requests() == []


def test_the_remedy_of_a_wrong_name_was_lost_on_the_way_to_the_log(cluster):
    with TlsServer(*cluster.certificates.issue("other", "DNS:other.example")) as other:
        cluster.configure(cluster.section().replace(cluster.server.url, other.url))
        result = cluster.refresh("prod")
        assert "reason=api-tls" in result.err and "DNS:other.example" in result.err
        assert "api_server_name" in result.err.partition("remedy=")[2]
        other.pages[KEYS] = jwks_page(cluster.host.key)
        cluster.configure(cluster.section(more="credential_file = %s\napi_server_name = other.example\n" % CREDENTIAL).replace(
            cluster.server.url, other.url))
        assert cluster.refresh("prod").status == 0 and cluster.cached() == [cluster.host.key.kid]


def test_a_credential_that_others_can_read_is_not_sent(cluster):
    CREDENTIAL.chmod(0o644)
    result = cluster.refresh("prod")
    assert result.status == 1 and "reason=file-unsafe" in result.err and cluster.requests() == []


def test_a_cluster_that_was_rebuilt(cluster):
    """Its new keys are taken, for no login would work; the log records that no old key is left."""
    assert cluster.refresh("prod").status == 0
    new = issuer.Key("ES256")
    cluster.server.pages[KEYS] = jwks_page(cluster.host.key, new)
    assert "keys-replaced" not in cluster.refresh("prod").err
    third = issuer.Key("ES384")
    cluster.server.pages[KEYS] = jwks_page(third)
    result = cluster.refresh("prod")
    assert result.status == 0 and cluster.cached() == [third.kid]
    assert len([line for line in result.log if "warning=keys-replaced" in line]) == 1 and "keys-replaced" in result.err


# --- When it asks ---


def test_cooldown(cluster):
    before = cluster.uptime()
    assert cluster.refresh("--cooldown", "prod").status == 0
    assert before <= cluster.stamp() <= cluster.uptime()
    result = cluster.refresh("--cooldown", "prod")
    assert result.status == 0 and (result.out, result.err) == ("", "") and len(cluster.requests()) == 1
    assert not [line for line in result.log if "result=" in line]
    assert cluster.refresh("prod").status == 0 and len(cluster.requests()) == 2  # an administrator need not wait
    assert cluster.refresh("--cooldown", "prod").status == 0 and len(cluster.requests()) == 2  # and is counted


@pytest.mark.parametrize("ago, asks", [(20000, False), (31000, True), (-20000, False), (-3600_000, True), (None, True)])
def test_stamps(cluster, ago, asks):
    """Stamps of another boot, and malformed ones, delay no refresh."""
    LOCKS.mkdir(mode=0o700)
    cluster.host.write(LOCKS / "prod.stamp", "%d\n" % (cluster.uptime() - ago) if ago is not None else "\0x", 0o600)
    assert cluster.refresh("--cooldown", "prod").status == 0
    assert len(cluster.requests()) == asks


def test_an_attempt_that_failed_counts(cluster):
    cluster.server.pages[KEYS] = page(b"", "500 Internal Server Error")
    assert cluster.refresh("--cooldown", "prod").status == 1
    assert cluster.refresh("--cooldown", "prod").status == 0 and len(cluster.requests()) == 1


def test_twenty_at_once_ask_once(cluster):
    def slowly(request, _):
        time.sleep(0.3)
        return jwks_page(cluster.host.key)

    cluster.server.pages[KEYS] = slowly
    processes = [subprocess.Popen(["ksactl", "keys", "refresh", "--cooldown", "prod"]) for _ in range(20)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 20
    assert len(cluster.requests()) == 1 and cluster.cached() == [cluster.host.key.kid]


def test_if_due(cluster):
    for max_age, fresh in ((0, 300), (3600, 3600), (10**6, 43200)):
        cluster.server.pages[KEYS] = jwks_page(cluster.host.key, max_age=max_age)
        assert cluster.refresh("prod").status == 0
        cluster.age(fresh // 2 - 20)
        count = len(cluster.requests())
        assert cluster.refresh_if_due("prod").status == 0 and len(cluster.requests()) == count
        cluster.age(fresh // 2 + 40)
        assert cluster.refresh_if_due("prod").status == 0 and len(cluster.requests()) == count + 1


def test_due_is_what_is_of_no_use(cluster):
    keys = CACHE / "prod/keys"
    for number, spoil in enumerate((lambda: None, lambda: keys.unlink(), lambda: keys.write_text("x"),
                                    lambda: cluster.age(90000), lambda: cluster.age(-90000))):
        spoil()
        assert cluster.refresh_if_due("prod").status == 0
        assert len(cluster.requests()) == number + 1 and cluster.cached() == [cluster.host.key.kid]


def test_all_hosts_that_started_asked_at_once(cluster):
    """One that has just started waits for its own time, without a set and with one that is overdue."""
    assert cluster.refresh_if_due("prod", seconds=0).status == 0 and cluster.requests() == []
    assert cluster.refresh("prod").status == 0
    cluster.age(3700)
    assert cluster.refresh_if_due("prod", seconds=0).status == 0 and len(cluster.requests()) == 1
    assert cluster.refresh_if_due("prod", seconds=1900).status == 0 and len(cluster.requests()) == 2


def test_if_older(cluster):
    assert cluster.refresh("--if-older", "1h", "prod").status == 0 and len(cluster.requests()) == 1
    assert cluster.refresh("--if-older", "1h", "prod").status == 0 and len(cluster.requests()) == 1
    cluster.age(3700)
    assert cluster.refresh("--if-older", "1h", "prod").status == 0 and len(cluster.requests()) == 2


def test_all(cluster, elsewhere):
    """One that fails does not keep the others; keys in a file are not refreshed."""
    cluster.configure(cluster.section(keys="https://127.0.0.1:1/keys", name="dead"), cluster.section(),
                      cluster.section(keys="file:/etc/ksa/prod.jwks", name="filed"),
                      cluster.section(keys=elsewhere.url + "/keys", name="other"))
    result = cluster.refresh("--all")
    assert result.status == 1, result
    assert [cluster.cached(name) for name in ("dead", "prod", "filed", "other")] == [
        None, [cluster.host.key.kid], None, [cluster.host.key.kid]]
    assert re.findall(r'result=(\w+) .*?cluster="(\w+)"', result.err) == [
        ("failed", "dead"), ("refreshed", "prod"), ("refreshed", "other")]
    result = cluster.refresh("filed", "prod")
    assert result.status == 0 and "the keys of filed are in a file (/etc/ksa/prod.jwks)" in result.err


def test_one_that_hangs_leaves_time_to_the_next(cluster, elsewhere):
    """A login waits for all clusters of its issuer together."""
    elsewhere.answer = None
    cluster.configure(cluster.section(keys=elsewhere.url + "/keys", name="hangs"), cluster.section(), host="timeout = 10s\n")
    start = time.monotonic()
    assert cluster.refresh("--cooldown", "hangs", "prod").status == 1
    assert time.monotonic() - start < 10 and cluster.cached() == [cluster.host.key.kid]


def test_what_a_login_started_ends_with_it(cluster):
    """In any state: otherwise it would stay unnoticed."""
    assert cluster.refresh("prod").status == 0
    cluster.configure(cluster.section(), host="timeout = 1s\n")
    with subprocess.Popen(["flock", LOCKS / "prod.lock", "sleep", "60"], process_group=0) as holder:
        private_host.wait_until(lambda: subprocess.run(["flock", "-n", LOCKS / "prod.lock", "true"]).returncode != 0)
        assert subprocess.run(["ksactl", "keys", "refresh", "--cooldown", "prod"], timeout=30).returncode == -signal.SIGALRM
        os.killpg(holder.pid, signal.SIGKILL)
    assert cluster.refresh("prod").status == 0


# --- A refresh that is ended ---


def test_a_refresher_that_was_killed_holds_no_lock(cluster):
    cluster.server.pages[KEYS] = None
    with subprocess.Popen(["ksactl", "keys", "refresh", "prod"]) as process:
        assert cluster.server.held.wait(30)
        process.kill()
    cluster.server.pages[KEYS] = jwks_page(cluster.host.key)
    assert cluster.refresh("--cooldown", "prod").status == 0 and cluster.cached() is None  # it had begun an attempt
    start = time.monotonic()
    assert cluster.refresh("prod").status == 0 and time.monotonic() - start < 20
    assert cluster.cached() == [cluster.host.key.kid]


WRITES = "openat,unlinkat,write,fchmod,fsync,renameat,renameat2,mkdirat,fchmodat,flock,close"


def strace_works():
    return subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.skipif(not strace_works(), reason="strace cannot be used here")
def test_killed_at_every_step_of_a_write(cluster, tmp_path):
    """The cache is the old set or the new one, whole; and the next refresh does its work."""
    old, new = cluster.host.key, issuer.Key("ES256")
    assert cluster.refresh("prod").status == 0
    cluster.server.pages[KEYS] = jwks_page(old, new)
    command = ["ksactl", "keys", "refresh", "prod"]
    trace = tmp_path / "trace"
    subprocess.run(["strace", "-o", trace, "-e", "trace=" + WRITES, *command], check=True, stderr=subprocess.DEVNULL)
    calls = [line.split("(")[0] for line in trace.read_text().splitlines() if re.match(r"\w+\(", line)]
    first = next(number for number, line in enumerate(trace.read_text().splitlines()) if "prod.lock" in line)
    seen = set()
    for number in range(first, len(calls)):
        cluster.server.pages[KEYS] = jwks_page(old)
        assert cluster.refresh("prod").status == 0 and cluster.cached() == [old.kid]
        cluster.server.pages[KEYS] = jwks_page(old, new)
        when = calls[:number + 1].count(calls[number])
        killed = subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=%s:signal=KILL:when=%d" % (calls[number], when),
                                 *command], stderr=subprocess.DEVNULL).returncode
        assert killed == -signal.SIGKILL
        assert cluster.cached() in ([old.kid], [old.kid, new.kid]), number
        seen.add(len(cluster.cached()))
        assert set(os.listdir(CACHE / "prod")) <= {"keys", ".keys.new"}
    assert seen == {1, 2}
    assert cluster.refresh("prod").status == 0 and os.listdir(CACHE / "prod") == ["keys"]


@pytest.mark.parametrize("full", ["cache", "run"])
def test_a_full_disk(cluster, full):
    """The old set stays, and no half of a new one; without a stamp no request is sent."""
    assert cluster.refresh("prod").status == 0
    before = (CACHE / "prod/keys").read_bytes()
    directory = CACHE if full == "cache" else RUN
    kept = {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,size=16k", "ksa-full", directory], check=True)
    try:
        for name, text in kept.items():
            (directory / name).parent.mkdir(mode=0o700, exist_ok=True)
            (directory / name).write_bytes(text)
        with open(directory / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        cluster.server.pages[KEYS] = jwks_page(*[issuer.Key("RS256") for _ in range(3)])
        count = len(cluster.requests())
        result = cluster.refresh("prod")
        assert result.status == 1 and "reason=file-unwritable" in result.err and "the disk is full" in result.err
        assert (CACHE / "prod/keys").read_bytes() == before and not (CACHE / "prod/.keys.new").exists()
        assert len(cluster.requests()) == count + (full == "cache")
    finally:
        subprocess.run(["umount", directory], check=True)


def test_a_leftover_of_a_killed_writer(cluster):
    assert cluster.refresh("prod").status == 0
    (CACHE / "prod/.keys.new").write_text("half")
    assert cluster.refresh("prod").status == 0
    assert os.listdir(CACHE / "prod") == ["keys"] and cluster.cached() == [cluster.host.key.kid]


@pytest.mark.parametrize("name", ["prod/.keys.new", "prod/keys"])
def test_no_link_is_followed(cluster, name, tmp_path):
    target = cluster.host.write("/etc/ksa/target", "untouched")
    (CACHE / "prod").mkdir(parents=True)
    (CACHE / name).symlink_to(target)
    assert cluster.refresh("prod").status == 0
    assert target.read_text() == "untouched" and not (CACHE / "prod/keys").is_symlink()


def test_a_lock_that_is_a_link(cluster):
    LOCKS.mkdir(mode=0o700)
    (LOCKS / "prod.lock").symlink_to("/etc/ksa/ksa.conf")
    result = cluster.refresh("prod")
    assert result.status == 1 and "reason=file-unsafe" in result.err and cluster.requests() == []


@pytest.mark.parametrize("directory", [CACHE, CACHE / "prod", RUN, LOCKS], ids=str)
def test_directories_that_others_can_write(cluster, directory):
    assert cluster.refresh("prod").status == 0
    before = (CACHE / "prod/keys").read_bytes()
    before_mode = mode(directory)
    directory.chmod(0o777)
    result = cluster.refresh("prod")
    directory.chmod(before_mode)
    assert result.status == 1 and "reason=file-unsafe" in result.err and (CACHE / "prod/keys").read_bytes() == before


# --- Names of clusters ---


def locked(path):
    """A process that holds the lock of PATH."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    holder = subprocess.Popen(["flock", path, "sleep", "60"], process_group=0)
    private_host.wait_until(lambda: path.exists() and subprocess.run(["flock", "-n", path, "true"]).returncode != 0)
    return holder


def test_a_cluster_named_accounts_waits_for_accounts_sync(cluster):
    """accounts sync holds its lock for minutes; the name of a cluster must not lead to that lock."""
    cluster.configure(cluster.section("accounts", more="credential_file = %s\n" % CREDENTIAL), host="timeout = 1s\n")
    holder = locked(RUN / "accounts.lock")
    try:
        assert subprocess.run(["ksactl", "keys", "refresh", "--cooldown", "accounts"], timeout=60).returncode == 0
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
    assert cluster.cached("accounts") == [cluster.host.key.kid]


@pytest.mark.parametrize("name", ["accounts", "clusters", "keys", "used", "credentials", "a.lock", "registry", "sessions"])
def test_a_cluster_named_as_a_file_of_ksa(cluster, name):
    """Its files are its own: the names of others in the same directories stay free."""
    cluster.configure(cluster.section(name, more="credential_file = %s\n" % CREDENTIAL))
    assert cluster.refresh(name).status == 0 and cluster.cached(name) == [cluster.host.key.kid]
    assert sorted(os.listdir(LOCKS)) == [name + ".lock", name + ".stamp"] and os.listdir(RUN) == ["clusters"]
    assert cluster.ksactl("keys", "purge", name).status == 0 and cluster.cached(name) is None


# --- Marks of used tokens ---


def test_marks_go_when_their_time_is_over(cluster):
    used = STATE / "used"
    now = int(time.time())
    over = ["%d-%s" % (now - age, "ab" * 32) for age in (3700, 7200)]
    kept = ["%d-%s" % (now - age, "cd" * 32) for age in (60, 3600, -3600)] + ["readme", "1-ab", "x-" + "ab" * 32, "1-" + "AB" * 32]
    for name in over + kept:
        (used / name).touch()
    assert cluster.refresh("prod").status == 0 and len(os.listdir(used)) == 9
    assert cluster.refresh("--all", "--if-due").status == 0
    assert sorted(os.listdir(used)) == sorted(kept)


def test_many_marks(cluster):
    used = STATE / "used"
    for number in range(20000):
        os.close(os.open(used / ("%d-%064x" % (1000000000 + number, number)), os.O_CREAT, 0o600))
    assert cluster.refresh("--all").status == 0 and os.listdir(used) == []


# --- show, purge, usage ---


def test_show(cluster):
    assert cluster.ksactl("keys", "show").status == 1
    assert cluster.refresh("prod").status == 0
    cluster.age(100)
    (shown,) = cluster.ksactl("keys", "show", "--json").json["clusters"]
    fetched = int(re.search(r"^fetched (\d+)$", (CACHE / "prod/keys").read_text(), re.M).group(1))
    assert (shown["fetched"], shown["denies_after"]) == (fetched, fetched + 86400)
    assert fetched + 1800 <= shown["due"] <= fetched + 3600
    text = cluster.ksactl("keys", "show").out
    assert re.search(r"^  fetched 1 min 4\d s ago, due in \d+ min( \d+ s)?, denies in 23 h 58 min$", text, re.M), text
    cluster.age(7200)
    assert re.search(r", overdue by 1 h( \d+ min( \d+ s)?)?, denies in 21 h 58 min\n", cluster.ksactl_up("keys", "show").out)


def test_purge(cluster):
    assert cluster.refresh("--cooldown", "prod").status == 0
    result = cluster.ksactl("keys", "purge", "prod")
    assert result.status == 0 and [line for line in result.log if 'result=purged cluster="prod"' in line], result
    assert cluster.cached() is None and cluster.stamp() is None
    cluster.server.pages[KEYS] = page(b"", "503 Service Unavailable")
    assert cluster.refresh("prod").status == 1 and root_only(LOCKS / "prod.failure")
    cluster.ksactl("keys", "purge", "prod")
    assert not (LOCKS / "prod.failure").exists()
    cluster.server.pages[KEYS] = jwks_page(cluster.host.key)
    assert cluster.refresh("--cooldown", "prod").status == 0 and cluster.cached() == [cluster.host.key.kid]
    assert cluster.ksactl("keys", "purge", "prod").status == cluster.ksactl("keys", "purge", "prod").status == 0


@pytest.mark.parametrize("args", [("refresh",), ("refresh", "--all", "prod"), ("refresh", "other"), ("refresh", "--if-older", "x", "prod"),
                                  ("refresh", "--all", "--config", "/nowhere"), ("purge",), ("purge", "other"), ("purge", "a", "b")])
def test_usage(cluster, args):
    result = cluster.ksactl("keys", *args)
    assert result.status == 2 and result.out == "" and result.err and cluster.requests() == []


@pytest.mark.parametrize("args", [("refresh", "--all"), ("purge", "prod")])
def test_for_root_alone(cluster, args):
    result = cluster.host.run(["ksactl", "keys", *args], user="alice")
    assert result.status == 2 and "requires root" in result.err and cluster.requests() == []
