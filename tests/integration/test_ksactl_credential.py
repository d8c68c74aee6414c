# SPDX-License-Identifier: BSD-2-Clause
"""ksactl credential: the first token from standard input, the next ones by TokenRequest, with the real ksa-fetch."""
import json
import os
import re
import subprocess
import time

import pytest

import host as private_host
import issuer
from api_double import bearer_of, json_page
from cluster_host import CREDENTIAL, STATE, DoubleHost, read_only, root_only, up_for
from tls_server import page

PATH = "/api/v1/namespaces/ksa-system/serviceaccounts/host-verifier/token"


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.given = []
        cluster.server.pages[PATH] = lambda request, _: grant(cluster, request)
        yield cluster
        cluster.assert_no_token_in_outputs()


def token_request(token, seconds=3600):
    return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": "host-verifier"},
            "spec": {"audiences": [issuer.ISSUER], "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": "2026-11-24T10:00:00Z"}}


def grant(cluster, request):
    """As an API server does it."""
    body = json.loads(request.partition("\r\n\r\n")[2])
    seconds = body["spec"]["expirationSeconds"]
    cluster.given.append(cluster.token(life=seconds))
    return json_page(token_request(cluster.given[-1], seconds), "201 Created")


def init(cluster, token, *args):
    return cluster.ksactl("credential", "init", "prod", *args, stdin=token.encode() + b"\n")


def renew(cluster, *args):
    return cluster.ksactl("credential", "renew", *(args or ["prod"]))


def kept():
    return CREDENTIAL.read_text() if CREDENTIAL.exists() else None


def life(token):
    claims = json.loads(issuer.base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims["exp"] - claims["iat"]


# --- init ---


@pytest.mark.parametrize("args, seconds", [((), 86400), (("--duration", "2h"), 7200), (("--duration", "10m"), 600)])
def test_init(cluster, args, seconds):
    first = cluster.token(life=3600)
    result = init(cluster, first, *args)
    assert result.status == 0 and result.out == "", result
    (request,) = cluster.requests()
    assert request.startswith("POST %s HTTP/1.1\r\n" % PATH) and bearer_of(request) == first
    assert json.loads(request.partition("\r\n\r\n")[2])["spec"] == {"expirationSeconds": seconds}
    assert kept().strip() == cluster.given[0] and life(kept()) == seconds
    assert root_only(CREDENTIAL) and root_only(CREDENTIAL.parent) and os.listdir(CREDENTIAL.parent) == ["prod"]
    (line,) = [line for line in result.log if "ksactl" in line]
    assert re.search(r'result=stored cluster="prod" account="ksa-system/host-verifier" jti="[0-9a-f-]{36}" expires=\d+ due=\d+$', line)


@pytest.mark.parametrize("command", ["init", "renew"])
def test_a_read_only_file_system_is_named(cluster, command):
    """Its remedy is not credential init, which could not write either."""
    cluster.give_credential()
    before = kept()
    result = read_only(cluster, STATE, "credential", command, "prod", stdin=cluster.token().encode())
    assert result.status == 1 and kept() == before, result
    (line,) = result.err.splitlines()
    assert " reason=file-unwritable " in line and "the file system is read-only" in line, result
    assert 'remedy="check free space, mount options and permissions of that file system"' in line, result


def test_init_makes_the_directory(cluster):
    CREDENTIAL.parent.rmdir()
    assert cluster.host.run(["sh", "-c", "umask 0; exec ksactl credential init prod"], user="root",
                            stdin=cluster.token().encode()).status == 0
    assert root_only(CREDENTIAL) and root_only(CREDENTIAL.parent)


def test_init_where_the_directory_above_is_missing(cluster):
    cluster.configure(cluster.section(more="credential_file = /var/lib/ksa/no/where/prod\n"))
    result = init(cluster, cluster.token())
    assert result.status == 1 and "reason=file-missing" in result.err


def test_init_that_may_not_renew(cluster):
    """The given token is better than none; and an administrator has to return."""
    cluster.server.pages[PATH] = json_page({"kind": "Status", "code": 403}, "403 Forbidden")
    first = cluster.token(life=3600)
    result = init(cluster, first)
    assert result.status == 1 and kept() == first and root_only(CREDENTIAL)
    assert "result=stored" in result.err and "warning=not-renewed" in result.err and "serviceaccounts/token" in result.err


def test_init_whose_refusal_has_a_reason_of_the_server(cluster):
    message = 'serviceaccounts "host-verifier" is forbidden: User cannot create resource "serviceaccounts/token"'
    cluster.server.pages[PATH] = json_page({"kind": "Status", "code": 403, "message": message}, "403 Forbidden")
    result = init(cluster, cluster.token())
    assert "warning=not-renewed" in result.err and message.replace('"', "'") in result.err and "remedy=" in result.err


@pytest.mark.parametrize("age, doubted", [(0, True), (500, True), (3600, False)])
def test_a_401_for_a_token_that_was_just_issued_recommended_another_one_for_ever(cluster, age, doubted):
    """An endpoint that accepts no service account tokens: GKE's by DNS, Rancher before 2.9."""
    cluster.server.pages[PATH] = page(b"", "401 Unauthorized")
    result = init(cluster, cluster.token(age=age))
    assert result.status == 1 and "reason=api-unauthorized" in result.err
    assert ("client_cert_file" in result.err) == doubted, result.err


@pytest.mark.parametrize("answer, reason", [
    (page(b"", "401 Unauthorized"), "api-unauthorized"), (page(b"", "404 Not Found"), "api-answer-invalid"),
    (page(b"", "500 Internal Server Error"), "api-error"), (page(b"{}", "201 Created"), "api-answer-invalid"),
    (page(b"", "302 Found", "Location: /other"), "api-answer-invalid")])
def test_init_without_an_answer_keeps_nothing(cluster, answer, reason):
    cluster.server.pages[PATH] = answer
    result = init(cluster, cluster.token())
    assert result.status == 1 and "reason=" + reason in result.err and kept() is None
    old = cluster.give_credential()
    assert init(cluster, cluster.token()).status == 1 and kept().strip() == old


@pytest.mark.parametrize("kind", ["over", "no account", "legacy", "no token", "two tokens", "empty", "long"])
def test_init_with_what_is_no_credential(cluster, kind):
    claims = issuer.claims("ksa-system", "host-verifier", issuer.ISSUER)
    text = {"over": cluster.token(age=7200, life=3600),
            "no account": issuer.token(cluster.host.key, dict(claims, **{"kubernetes.io": {}})),
            "legacy": issuer.token(cluster.host.key, issuer.legacy_claims()),
            "no token": "hunter2", "two tokens": cluster.token() + "\n" + cluster.token(), "empty": "",
            "long": "x" * 20000}[kind]
    if kind not in ("no token", "empty", "long", "two tokens"):
        cluster.host.remember(text)
    result = init(cluster, text)
    assert result.status == 1 and cluster.requests() == [] and kept() is None, result
    assert "reason=%s " % ("expired" if kind == "over" else "not-a-token") in result.err
    assert ('why="standard input is empty"' in result.err) == (kind == "empty")
    assert "hunter2" not in result.err + "".join(result.log)


def test_init_with_a_token_for_somebody_else(cluster):
    cluster.server.pages[PATH] = page(b"", "401 Unauthorized")
    result = init(cluster, cluster.token())
    assert re.search(r'remedy="give a token of this cluster for the API server itself: kubectl create token without --audience', result.err)


@pytest.mark.parametrize("duration", ["9m", "400d"])
def test_the_limits_of_a_life(cluster, duration):
    result = cluster.ksactl("credential", "init", "prod", "--duration", duration)
    assert result.status == 2 and result.err == "ksactl: --duration takes 10m to 366d\n"


@pytest.mark.parametrize("spoil, reason", [(lambda: CREDENTIAL.unlink(), "file-missing"),
                                           (lambda: CREDENTIAL.write_text("hunter2\n"), "not-a-token"),
                                           (lambda: CREDENTIAL.write_text("two\nlines\n"), "not-a-token")])
def test_a_credential_of_no_use_is_told_with_its_remedy(cluster, spoil, reason):
    cluster.give_credential()
    spoil()
    result = renew(cluster)
    assert result.status == 1 and "reason=" + reason in result.err
    assert ' into ksactl credential init prod"' in result.err and "hunter2" not in result.err
    if reason == "file-missing":
        assert ' into ksactl credential init prod"' in cluster.refresh("prod").err


def test_show_says_that_it_was_issued(cluster):
    """It printed "in 0 s"."""
    cluster.give_credential(age=0)
    assert re.search(r"^  issued .* \(\d s ago\)$", cluster.ksactl("credential", "show").out, re.M)


@pytest.mark.parametrize("args", [("init",), ("init", "other"), ("init", "prod", "--duration", "9m"), ("init", "prod", "--duration", "x"),
                                  ("renew",), ("renew", "prod", "--all"), ("renew", "other"), ("renew", "bare"), ("init", "bare"),
                                  ("show", "other"), ("what",), ()])
def test_usage(cluster, args):
    cluster.configure(cluster.section(), cluster.section("bare", more=""))
    result = cluster.ksactl("credential", *args)
    assert result.status == 2 and result.out == "" and result.err.startswith("ksactl: ") and cluster.requests() == []


@pytest.mark.parametrize("args", [("init", "prod"), ("renew", "--all")])
def test_for_root_alone(cluster, args):
    result = cluster.host.run(["ksactl", "credential", *args], user="alice")
    assert result.status == 2 and "requires root" in result.err and cluster.requests() == []


# --- renew ---


def test_renew(cluster):
    old = cluster.give_credential(life=7200)
    result = renew(cluster)
    assert result.status == 0 and result.out == "", result
    (request,) = cluster.requests()
    assert bearer_of(request) == old and json.loads(request.partition("\r\n\r\n")[2])["spec"] == {"expirationSeconds": 7200}
    assert kept() == cluster.given[0] != old and root_only(CREDENTIAL)
    assert [line for line in result.log if 'result=renewed cluster="prod" account="ksa-system/host-verifier" ' in line]


@pytest.mark.parametrize("age, asks", [(890, False), (1810, True), (3590, True), (3700, True), (-100, False)])
def test_renew_if_due(cluster, age, asks):
    cluster.give_credential(age=age, life=3600)
    result = cluster.ksactl_up("credential", "renew", "--all", "--if-due")
    assert result.status == 0 and len(cluster.requests()) == asks
    assert bool([line for line in result.log if "result=" in line]) == asks  # a run with nothing to do logs nothing


def test_a_short_life_becomes_the_shortest_that_a_server_gives(cluster):
    cluster.give_credential(life=60)
    assert renew(cluster).status == 0 and life(kept()) == 600


@pytest.mark.parametrize("wrong", ["account", "namespace", "uid", "over", "no end", "no issue", "not a token", "empty", "number", "none",
                                   "no status", "other kind", "cut", "two", "newline"])
def test_a_bad_answer_keeps_the_old(cluster, wrong):
    old = cluster.give_credential()
    claims = issuer.claims("ksa-system", "host-verifier", issuer.ISSUER, life=86400)
    other = {"account": issuer.claims("ksa-system", "other", issuer.ISSUER), "namespace": issuer.claims("other", "host-verifier"),
             "uid": issuer.claims("ksa-system", "host-verifier", issuer.ISSUER, account_uid="other"),
             "over": issuer.claims("ksa-system", "host-verifier", issuer.ISSUER, int(time.time()) - 7200, 3600),
             "no end": issuer.changed(claims, {"exp": issuer.ABSENT}), "no issue": issuer.changed(claims, {"iat": issuer.ABSENT})}
    answer = token_request(cluster.host.remember(issuer.token(cluster.host.key, other.get(wrong, claims))))
    if wrong in ("not a token", "empty", "number", "newline"):
        answer["status"]["token"] = {"not a token": "hunter2", "empty": "", "number": 7,
                                     "newline": answer["status"]["token"] + "\nX-Other: 1"}[wrong]
    elif wrong == "none":
        del answer["status"]["token"]
    elif wrong == "no status":
        del answer["status"]
    elif wrong == "other kind":
        answer["kind"] = "TokenReview"
    text = json.dumps(answer)
    text = {"cut": text[:-1], "two": text + text}.get(wrong, text)
    cluster.server.pages[PATH] = page(text.encode(), "201 Created")
    result = renew(cluster)
    assert result.status == 1 and kept().strip() == old, result
    assert "reason=api-answer-invalid" in result.err and "hunter2" not in result.err


@pytest.mark.parametrize("answer", [page(b"", "401 Unauthorized"), page(b"", "403 Forbidden"), page(b"", "429 Too Many Requests"),
                                    page(b"", "503 Service Unavailable"), page(b"", "307 Temporary Redirect", "Location: /x")])
def test_no_answer_keeps_the_old(cluster, answer):
    old = cluster.give_credential()
    cluster.server.pages[PATH] = answer
    result = renew(cluster)
    assert result.status == 1 and kept().strip() == old and len(cluster.requests()) == 1
    assert [line for line in result.log if "result=failed" in line and 'cluster="prod"' in line]


def test_a_full_disk_keeps_the_old(cluster):
    old = cluster.give_credential()
    directory = CREDENTIAL.parent
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700,size=8k", "ksa-full", directory], check=True)
    try:
        cluster.host.write(CREDENTIAL, old, 0o600)
        with open(directory / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        result = renew(cluster)
        assert result.status == 1 and "the disk is full" in result.err and kept() == old
        assert sorted(os.listdir(directory)) == ["filler", "prod"]
    finally:
        subprocess.run(["umount", directory], check=True)


def test_a_credential_named_prod_new_is_lost_when_prod_renews(cluster):
    """The new file of a replacement must not have a name that a cluster's file may have."""
    other = CREDENTIAL.with_name("prod.new")
    cluster.configure(cluster.section(), cluster.section("prod.new", more="credential_file = %s\n" % other))
    cluster.give_credential()
    token = cluster.host.write(other, cluster.token(), 0o600).read_text()
    assert renew(cluster).status == 0 and kept().strip() == cluster.given[0]
    assert other.exists() and other.read_text() == token


def test_all_does_what_it_can(cluster):
    """Those without a token of their own are left alone, one that fails does not keep the others."""
    cluster.give_credential(age=80000)
    cluster.configure(cluster.section("missing", more="credential_file = /var/lib/ksa/credentials/missing\n"),
                      cluster.section("bare", more=""), cluster.section())
    result = cluster.ksactl_up("credential", "renew", "--all", "--if-due")
    assert result.status == 1 and len(cluster.requests()) == 1 and kept() == cluster.given[0]
    assert re.findall(r'result=(\w+) .*?cluster="(\w+)"', result.err) == [("failed", "missing"), ("renewed", "prod")]
    assert "reason=file-missing" in result.err


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o622])
def test_a_credential_that_others_can_see_is_not_used(cluster, mode):
    cluster.give_credential()
    CREDENTIAL.chmod(mode)
    result = renew(cluster)
    assert result.status == 1 and "reason=file-unsafe" in result.err and cluster.requests() == []


def test_many_at_once_renew_once(cluster):
    def slowly(request, _):
        time.sleep(0.2)
        return grant(cluster, request)

    cluster.server.pages[PATH] = slowly
    cluster.give_credential(age=80000)
    processes = [subprocess.Popen([*up_for(), "ksactl", "credential", "renew", "prod", "--if-due"]) for _ in range(10)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 10
    assert len(cluster.requests()) == 1 and kept() == cluster.given[0]


def test_nowhere_but_in_its_file(cluster):
    """Not in an argument, not in an environment, and no other user can read a byte of it meanwhile."""
    watch = private_host.ProcessWatch()
    watch.start()
    first = cluster.token()
    try:
        assert init(cluster, first).status == 0 and renew(cluster).status == 0
    finally:
        seen = b"".join(watch.stop())
    for token in [first, *cluster.given]:
        assert token.rpartition(".")[2][:24].encode() not in seen
    assert len(cluster.given) == 2 and kept() == cluster.given[1]


# --- show ---


def test_show(cluster):
    token = cluster.give_credential(age=100, life=3600)
    result = cluster.ksactl_up("credential", "show", "--json")
    claims = json.loads(issuer.base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    due = result.json["credentials"][0]["due"]
    assert claims["iat"] + 900 <= due <= claims["iat"] + 1800
    assert result.status == 0 and result.json["credentials"] == [{
        "cluster": "prod", "file": str(CREDENTIAL), "account": "ksa-system/host-verifier", "audiences": [issuer.ISSUER],
        "issued": claims["iat"], "expires": claims["exp"], "due": due, "problem": None}]
    text = cluster.ksactl_up("credential", "show", "prod")
    assert text.status == 0 and re.search(r"^  account +ksa-system/host-verifier$", text.out, re.M)
    assert re.search(r"^  issued +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(1 min 4\d s ago\)$", text.out, re.M), text.out
    assert re.search(r"^  expires +.* UTC \(in 58 min (1\d|20) s\)$", text.out, re.M), text.out
    assert re.search(r"^  due +.* UTC \(in \d+ min( \d+ s)?\)$", text.out, re.M), text.out


@pytest.mark.parametrize("spoil, problem", [
    (lambda cluster: CREDENTIAL.unlink(), "does not exist"), (lambda cluster: CREDENTIAL.chmod(0o644), "is readable by others"),
    (lambda cluster: cluster.give_credential(age=7200, life=3600), "expired: pipe"),
    (lambda cluster: cluster.host.write(CREDENTIAL, "hunter2\n", 0o600), "is not a service account token")])
def test_show_what_is_wrong(cluster, spoil, problem):
    cluster.give_credential()
    spoil(cluster)
    for args in ((), ("--json",)):
        result = cluster.ksactl("credential", "show", *args)
        assert result.status == 1 and problem in result.out and "hunter2" not in result.out, result


def test_show_without_root(cluster):
    cluster.give_credential()
    result = cluster.host.run(["ksactl", "credential", "show"], user="alice")
    assert result.status == 1 and "permission denied" in result.out


def test_show_a_certificate(cluster):
    certificate, key = cluster.certificates.issue("host-7", "DNS:host-7", days=2)
    key.chmod(0o600)
    cluster.configure(cluster.section(more="client_cert_file = %s\nclient_key_file = %s\n" % (certificate, key)))
    (shown,) = cluster.ksactl("credential", "show", "--json").json["credentials"]
    assert (shown["account"], shown["file"], shown["due"], shown["problem"]) == ("CN=host-7", str(certificate), None, None)
    assert abs(shown["expires"] - shown["issued"] - 2 * 86400) < 100 and abs(shown["issued"] - time.time()) < 100
    assert renew(cluster, "--all").status == 0 and cluster.requests() == []
    cluster.host.write(certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    result = cluster.ksactl("credential", "show")
    assert result.status == 1 and "does not contain a certificate" in result.out


def test_show_nothing(cluster):
    cluster.configure(cluster.section(more=""))
    assert cluster.ksactl("credential", "show", "--json").json["credentials"] == []
    assert cluster.ksactl("credential", "show").status == 0
