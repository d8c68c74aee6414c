# SPDX-License-Identifier: BSD-2-Clause
"""ksa-token: the request that it sends, the answers that it refuses, its errors. A double of an API server; the real one is in
tests/e2e/test_cluster_own_token.py."""
import os
import time

import pytest

import issuer
from api_double import ApiDouble, bearer_of, body_of, failure, issue_for, json_page
from cluster_host import CA
from host import HOME
from tls_server import Certificates

PATH = "/api/v1/namespaces/ci/serviceaccounts/deployer/token"
HOST = "ssh://build-7"
OWN = HOME / "own-token"


@pytest.fixture(scope="module")
def certificates(private, tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("token-server"))


@pytest.fixture
def server(host, certificates):
    with ApiDouble(*certificates.issue("good", "IP:127.0.0.1"), host.key, credential=None) as double:
        host.write(CA, certificates.ca.read_text(), 0o644)
        double.own = issuer.claims(audience=issuer.ISSUER, life=31536000, pod="job-1")
        host.write(OWN, host.remember(issuer.token(host.key, double.own)) + "\n", 0o644)
        double.pages[PATH] = issue_for(host, double.own)
        yield double


def ask(host, server, *options, token=OWN, **env):
    return host.run(["ksa-token", *(options or ("--host", "build-7")), "--server", server.url, "--ca", str(CA),
                     "--token-file", str(token)], **env)


def test_request(host, server):
    result = ask(host, server)
    assert result.status == 0 and result.err == "" and len(result.out.split(".")) == 3, result
    assert len(server.requests) == 1 and bearer_of(server.requests[0]) == OWN.read_text().strip()
    assert "User-Agent: ksa-token/" in server.requests[0]
    assert body_of(server.requests[0]) == {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
            "expirationSeconds": 600, "audiences": [HOST], "boundObjectRef": {
                "apiVersion": "v1", "kind": "Pod", **server.own["kubernetes.io"]["pod"]}}}


AUDIENCES = {("--host", "Build-7.Example.COM"): "ssh://build-7.example.com", ("--host", "fd00::7"): "ssh://[fd00::7]",
             ("--host=build-7",): HOST, ("--audience", "ssh://Fleet"): "ssh://fleet", ("--audience", "postgresql://db"): "postgresql://db"}


@pytest.mark.parametrize("options", AUDIENCES, ids=lambda options: options[-1])
def test_audience(host, server, options):
    assert ask(host, server, *options).status == 0
    assert body_of(server.requests[0])["spec"]["audiences"] == [AUDIENCES[options]]


def test_token_without_a_pod_asks_for_an_unbound_one(host, server):
    server.own["kubernetes.io"].pop("pod")
    host.write(OWN, host.remember(issuer.token(host.key, server.own)), 0o644)
    assert ask(host, server).status == 0
    assert "boundObjectRef" not in body_of(server.requests[0])["spec"]


USAGE = {
    ("--host", "a/b"): "is not a host name", ("--host", ""): "is not a host name", ("--host", "a b"): "is not a host name",
    ("--audience", "ssh://a,ssh://b"): "is not an audience", ("--audience", ""): "is not an audience",
    ("--host", "a", "--audience", "ssh://a"): "one of --host and --audience", ("--duration", "10m"): "one of --host and --audience",
    ("--host", "a", "--duration", "9m"): "is not a time from 10m to 1h", ("--host", "a", "--duration", "61m"): "is not a time",
    ("--host", "a", "b"): 'unexpected argument "b"', ("--host", "a", "--account", "ci/deployer"): "belong together",
    ("--host", "a", "--unknown"): "unknown",
}


@pytest.mark.parametrize("options", USAGE, ids=" ".join)
def test_usage(host, server, options):
    result = ask(host, server, *options)
    assert result.status == 2 and USAGE[options] in result.err and result.out == "", result
    assert server.requests == []


@pytest.mark.parametrize("options", (("--server", "https://127.0.0.1"), ("--token-file", str(OWN)), ("--ca", str(CA))), ids=lambda o: o[0])
def test_server_and_token_file_belong_together(host, options):
    result = host.run(["ksa-token", "--host", "build-7", *options])
    assert result.status == 2 and "belong together" in result.err, result


def test_an_audience_of_the_cluster_is_refused(host, server):
    result = ask(host, server, "--audience", issuer.ISSUER)
    assert result.status == 1 and "an audience of the cluster itself" in result.err and server.requests == [], result


FIRST = {"busy": ("429 Too Many Requests", "Retry-After: 0"), "error": ("500 Internal Server Error",), "gone": ("503 Service Unavailable",)}


@pytest.mark.parametrize("name", FIRST)
def test_one_retry(host, server, name):
    issue = server.pages[PATH]
    server.pages[PATH] = lambda *request: json_page({}, *FIRST[name]) if len(server.requests) == 1 else issue(*request)
    result = ask(host, server)
    assert result.status == 0 and len(server.requests) == 2, result


@pytest.mark.parametrize("name", FIRST)
def test_no_second_retry(host, server, name):
    server.pages[PATH] = json_page({}, *FIRST[name])
    result = ask(host, server)
    assert result.status == 1 and FIRST[name][0][:3] in result.err and len(server.requests) == 2, result


def test_a_long_wait_is_not_waited_for(host, server):
    server.pages[PATH] = json_page({}, "429 Too Many Requests", "Retry-After: 60")
    begin = time.monotonic()
    result = ask(host, server)
    assert result.status == 1 and "60 s" in result.err and len(server.requests) == 1 and time.monotonic() - begin < 30, result


STATUS = {401: "does not accept the token that the request was made with (401)", 403: "own-token.yaml", 404: "404", 422: "422"}


@pytest.mark.parametrize("code", STATUS)
def test_status(host, server, code):
    server.pages[PATH] = failure(code, "Because")
    result = ask(host, server)
    assert result.status == 1 and STATUS[code] in result.err and len(server.requests) == 1, result


ANSWERS = {
    "another-audience": {"aud": ["ssh://build-8"]}, "two-audiences": {"aud": [HOST, "ssh://build-8"]},
    "expired": {"exp": 1700000000},
    "another-account": {"sub": "system:serviceaccount:ci:other", "kubernetes.io": {
        "namespace": "ci", "serviceaccount": {"name": "other", "uid": issuer.ACCOUNT_UID}}},
    "another-pod": {"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "deployer", "uid": issuer.ACCOUNT_UID},
                                      "pod": {"name": "job-1", "uid": "0d8b260e-ef0e-45fb-be8e-ff44f97722e8"}}},
    "no-pod": {"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "deployer", "uid": issuer.ACCOUNT_UID}}},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_another_token_than_asked_for_is_refused(host, server, name):
    server.pages[PATH] = issue_for(host, server.own, **ANSWERS[name])
    result = ask(host, server)
    assert result.status == 1 and result.out == "" and ("the API server issued" in result.err or "TokenRequest" in result.err), result


BROKEN = {"empty": b"", "html": b"<html>", "no-status": b"{}",
          "no-token": b'{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","status":{}}'}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answer(host, server, name):
    server.pages[PATH] = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(BROKEN[name]), BROKEN[name])
    result = ask(host, server)
    assert result.status == 1 and result.out == "" and result.err.startswith("ksa-token: "), result


def test_server_of_another_authority(host, server, tmp_path_factory):
    other = Certificates(tmp_path_factory.mktemp("other"))
    host.write(CA, other.ca.read_text(), 0o644)
    result = ask(host, server)
    assert result.status == 1 and "TLS: no authority" in result.err and server.requests == [], result


def test_no_server(host, server):
    server.url = "https://127.0.0.1:1"
    result = ask(host, server)
    assert result.status == 1 and "no connection" in result.err, result


TOKENS = {"missing": (None, "No such file"), "empty": ("", "does not contain a token"), "text": ("hello\n", "does not contain a token"),
          "long": ("a" * 20000, "is larger than"), "unreadable": ("a.b.c", "Permission denied")}


@pytest.mark.parametrize("name", TOKENS)
def test_token_file(host, server, name):
    text, why = TOKENS[name]
    path = HOME / "other-token"
    path.unlink(missing_ok=True)
    if text is not None:
        host.write(path, text, 0o600 if name == "unreadable" else 0o644)
    result = ask(host, server, token=path)
    assert result.status == 1 and why in result.err and server.requests == [], result


def test_outside_of_a_pod(host):
    result = host.run(["ksa-token", "--host", "build-7"])
    assert result.status == 2 and "--account NAMESPACE/NAME" in result.err, result


def test_kubectl(host, tmp_path):
    directory = HOME / "bin"
    directory.mkdir(exist_ok=True)
    host.write(directory / "kubectl", '#!/bin/sh\nprintf "%s\\n" "$@" "$KUBECONFIG"\n', 0o755)
    path = "%s:%s" % (directory, os.environ["PATH"])
    result = host.run(["ksa-token", "--host", "build-7", "--account", "ci/deployer"], PATH=path, KUBECONFIG="/mine")
    assert result.out.split() == ["create", "token", "deployer", "--namespace", "ci", "--audience", HOST, "--duration", "600s", "/mine"]


@pytest.mark.parametrize("account", ("deployer", "ci/", "/deployer", "ci/a/b", "CI/deployer", "--x/y"))
def test_account(host, account):
    result = host.run(["ksa-token", "--host", "build-7", "--account=" + account])
    assert result.status == 2 and "is not NAMESPACE/NAME" in result.err, result


def test_without_kubectl(host):
    result = host.run(["env", "PATH=/nonexistent", "/usr/bin/ksa-token", "--host", "build-7", "--account", "ci/deployer"])
    assert result.status == 1 and "kubectl cannot be run" in result.err, result


def test_no_token_in_errors_or_arguments(host, server):
    server.pages[PATH] = lambda request, _: failure(403, OWN.read_text().strip())
    result = ask(host, server)
    signature = OWN.read_text().strip().rpartition(".")[2]
    assert result.status == 1 and signature[:24] not in result.err + result.out
