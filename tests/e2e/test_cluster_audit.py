# SPDX-License-Identifier: BSD-2-Clause
"""The traces of a login in the API server's audit log, and no token anywhere."""
import base64
import contextlib
import json
import re
from pathlib import Path

import pytest

import host as private_host
from apiserver import account_subject
from api_double import ACCESS, REVIEW
from cluster_host import CREDENTIAL
from host import field
from test_traces import files_in, holds, pieces

HOSTS = {"apiGroups": ["ksa.dev"], "resources": ["hosts"]}


@pytest.fixture(scope="module")
def granted(prepared):
    prepared.grant("audit", [{**HOSTS, "resourceNames": ["build"], "verbs": ["login"]}], account_subject("ci", "deployer"),
                   namespace="ci")


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_one_login_is_one_id_in_both_logs(cluster, granted):
    cluster.configure("rbac = yes", host="name = first\nclass = second build third")
    token, size = cluster.token(), cluster.server.audit_size()
    result = cluster.let_in(token)
    events = cluster.requests(size)
    # Name, then each class until one is allowed.
    assert [event["requestURI"] for event in events] == [REVIEW] + [ACCESS] * 3
    assert [event["responseStatus"]["code"] for event in events] == [201] * 4
    audit_id = field(result.line, "audit_id")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", audit_id)
    assert {event["auditID"] for event in events} == {audit_id}
    assert audit_id.startswith(field(result.line, "ref"))
    assert field(result.line, "granted_as") == "build"
    for event in events:
        assert re.fullmatch(r"ksa-fetch/\S+ \(build-7\)", event["userAgent"]), event["userAgent"]
        assert event["user"]["username"] == "system:serviceaccount:ksa-system:host-verifier"


def test_every_login_has_an_id_of_its_own(cluster):
    cluster.configure("review = require")
    token = cluster.token()
    assert field(cluster.let_in(token).line, "audit_id") != field(cluster.let_in(token).line, "audit_id")


def test_a_refusal_has_an_id_too(cluster):
    cluster.configure("rbac = yes")
    cluster.server.account("ci", "stranger")
    cluster.host.edit("/etc/ksa/ksa.conf", "prod:ci/deployer", "prod:ci/stranger")
    size = cluster.server.audit_size()
    result = cluster.refused(cluster.token(account="stranger"), "rbac-denied")
    assert [event["auditID"] for event in cluster.requests(size)] == [field(result.line, "audit_id")] * 2


def test_jti_is_the_credential_id_of_the_audit_log(cluster):
    cluster.configure("review = require")
    size = cluster.server.audit_size()
    token = cluster.token()
    issued, = cluster.server.requests("/api/v1/namespaces/ci/serviceaccounts/deployer/token", size)
    result = cluster.let_in(token)
    jti = field(result.line, "jti")
    assert jti == claims_of(token)["jti"]
    assert issued["annotations"]["authentication.kubernetes.io/issued-credential-id"] == "JTI=" + jti
    # The host's own credential is in the event of its request.
    event, = cluster.requests(size, REVIEW)
    host_jti = claims_of(CREDENTIAL.read_text().strip())["jti"]
    assert event["user"]["extra"]["authentication.kubernetes.io/credential-id"] == ["JTI=" + host_jti]


def test_no_token_is_left_behind(cluster, granted):
    """A TokenReview holds the token, and its answer holds it again; the credential goes along."""
    host, tokens = cluster.host, cluster.host.tokens
    watch = private_host.ProcessWatch()
    watch.start()
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so debug\n@include")
    cluster.configure("rbac = yes", "service = sudo\nreview = require", host="class = build")
    results, token = [], cluster.token()
    results += [cluster.let_in(token), cluster.sudo(token)]
    assert results[1].allowed
    cluster.server.account("ci", "gone")
    cluster.configure("account = prod:ci/gone\nreview = require")
    revoked = cluster.token(account="gone")
    cluster.server.delete_account("ci", "gone")
    results.append(cluster.refused_in_the_end(revoked)[1])
    cluster.configure("review = prefer")
    cluster.server.kill_server()
    results.append(cluster.let_in(token))
    cluster.server.start()
    for bad in ("expired-by-hand." + token, token[:-20]):
        cluster.write_credential(bad)
        results.append(cluster.login(token))
        assert results[-1].reasons == ["api-unauthorized"]
    results.append(host.run(["ksactl", "explain", "--token-file", "/home/job/token", "--user", "deploy-bot"], user="root"))
    seen, wanted = watch.stop(), pieces(tokens)
    assert any(b"ksa-fetch" in text for text in seen)
    for text in seen:
        assert not holds(text, wanted), text[:80]
    for result in results:
        assert not holds(repr(result).encode(), wanted)
    given = {"/home/job/token", "/home/deploy-bot/.ksa/token", str(CREDENTIAL)}
    searched = set()
    for file in files_in("/run", "/var", "/home", "/etc/ksa", "/dev/shm", "/tmp"):
        if str(file) not in given and written_since_this_host_began(file):
            searched.add(file)
            with contextlib.suppress(FileNotFoundError):
                assert not holds(file.read_bytes(), wanted), file
    assert {cluster.server.audit_log, private_host.LOG} <= searched


def written_since_this_host_began(file):
    """/tmp and parts of /var are not ours alone: others come and go there."""
    with contextlib.suppress(OSError):
        return "etcd" not in file.parts and file.stat().st_mtime >= Path("/run/sshd.pid").stat().st_mtime
