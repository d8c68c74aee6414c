# SPDX-License-Identifier: BSD-2-Clause
"""Properties of a real API server, and of the tests' instance, on which other tests rely."""
import json
import time

import pytest

import issuer
from apiserver import ADMIN, ApiServer, account_subject, group_subject
from host import wait_until

KEYS = "/openid/v1/jwks"
KEYS_TYPE = "application/jwk-set+json"


@pytest.fixture
def deployer(api_server):
    """A service account, and its Pod."""
    account = api_server.account("ci", "deployer")
    api_server.pod("ci", "job", "deployer")
    yield account
    api_server.delete_pod("ci", "job")


def published(server):
    answer = server.request("GET", KEYS, headers={"Accept": KEYS_TYPE}, certificate=ADMIN)
    return [key["kid"] for key in answer.json["keys"]]


def outcome(server, token):
    return server.review(token, issuer.AUDIENCE).get("authenticated", False)


def eventually(condition, seconds):
    """Waits until another process, which takes seconds, has met CONDITION, and leaves it the processor."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.5)


def test_a_good_token(api_server, deployer):
    token = api_server.create_token("ci", "deployer", pod="job")
    status = api_server.review(token, issuer.AUDIENCE)
    assert status["authenticated"] and status["audiences"] == [issuer.AUDIENCE]
    user = status["user"]
    assert (user["username"], user["uid"]) == ("system:serviceaccount:ci:deployer", deployer["metadata"]["uid"])
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["job"]


def test_another_audience(api_server, deployer):
    status = api_server.review(api_server.create_token("ci", "deployer"), "ssh://other")
    assert "authenticated" not in status and status["user"] == {} and status["error"]


def test_a_blank_before_a_token_makes_it_anonymous_and_authenticated(api_server, deployer):
    status = api_server.review(" " + api_server.create_token("ci", "deployer"), issuer.AUDIENCE)
    assert status["authenticated"] and status["audiences"] == [issuer.AUDIENCE]
    assert status["user"]["username"] == "system:anonymous"


@pytest.mark.parametrize("accept, status", [("application/json", 406), (KEYS_TYPE, 200)])
def test_the_key_set_has_a_type_of_its_own(api_server, deployer, accept, status):
    """Every service account may read it, with a token for the API server itself."""
    token = api_server.create_token("ci", "deployer", audience=None)
    answer = api_server.request("GET", KEYS, headers={"Accept": accept}, bearer=token)
    assert answer.status == status
    if status == 200:
        assert answer.json == json.loads(issuer.jwks(*api_server.keys))


def test_the_key_set_is_not_for_everybody(api_server, deployer):
    accept = {"Accept": KEYS_TYPE}
    assert api_server.request("GET", KEYS, headers=accept).status == 403
    token = api_server.create_token("ci", "deployer")
    assert api_server.request("GET", KEYS, headers=accept, bearer=token).status == 401


def test_a_certificate_is_a_user_and_its_groups(api_server):
    ours = api_server.clients.issue("build-7", "DNS:build-7", groups=["hosts"])
    path, body = "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}}
    assert api_server.request("POST", path, body, certificate=ours).status == 403
    api_server.bind("hosts", "system:auth-delegator", group_subject("hosts"))
    wait_until(lambda: api_server.request("POST", path, body, certificate=ours).status == 201)
    api_server.unbind("hosts")


def test_a_role_in_a_namespace(api_server, deployer):
    def allowed(namespace):
        return api_server.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
            "user": "system:serviceaccount:ci:deployer", "resourceAttributes": {
                "group": "ksa.example", "resource": "hosts", "verb": "login", "name": "build-7", "namespace": namespace}}}
        )["status"]["allowed"]
    assert not allowed("ci")
    api_server.grant("login", [{"apiGroups": ["ksa.example"], "resources": ["hosts"], "verbs": ["login"]}],
                     account_subject("ci", "deployer"), namespace="ci")
    wait_until(lambda: allowed("ci"))
    assert not allowed("other")


def test_manifests(api_server, deployer):
    text = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: applied, namespace: ci}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: applied}
rules: [{nonResourceURLs: [/openid/v1/jwks], verbs: [get]}]
"""
    assert [made["kind"] for made in api_server.apply(text) + api_server.apply(text)] == ["ServiceAccount", "ClusterRole"] * 2
    api_server.annotate_account("ci", "applied", {"ksa.example/user": "deploy-bot"})
    assert api_server.account("ci", "applied")["metadata"]["annotations"] == {"ksa.example/user": "deploy-bot"}
    api_server.delete_account("ci", "applied")


def test_requests_are_counted_at_the_server(api_server):
    size = api_server.audit_size()
    for number in range(3):
        api_server.request("GET", KEYS, headers={"Accept": KEYS_TYPE, "Audit-ID": "audit-%d" % number}, certificate=ADMIN)
    api_server.review("eyJzZWNyZXQ", issuer.AUDIENCE)
    assert [event["auditID"] for event in api_server.requests(KEYS, size)] == ["audit-0", "audit-1", "audit-2"]
    assert len(api_server.audit_since(size)) == 4
    assert "eyJzZWNyZXQ" not in api_server.audit_log.read_text()


def test_a_deleted_pod_is_refused_when_the_servers_memory_ends(api_server, deployer):
    """It keeps a success for ten seconds."""
    api_server.pod("ci", "short", "deployer")
    token = api_server.create_token("ci", "deployer", pod="short")
    assert outcome(api_server, token)
    api_server.delete_pod("ci", "short")
    assert outcome(api_server, token)
    eventually(lambda: not outcome(api_server, token), 30)
    assert "invalidated" in api_server.review(token, issuer.AUDIENCE)["error"]


def test_a_rotation_publishes_both_keys(api_server, deployer):
    old, new = api_server.keys[0], issuer.Key("ES256")
    before = api_server.create_token("ci", "deployer")
    api_server.restart(new, old)
    assert set(published(api_server)) == {old.kid, new.kid}
    after = api_server.create_token("ci", "deployer")
    assert outcome(api_server, before) and outcome(api_server, after)
    api_server.restart(new)
    assert published(api_server) == [new.kid]
    eventually(lambda: not outcome(api_server, before), 30)
    assert outcome(api_server, after)


def test_another_cluster_of_the_same_name(api_server, deployer, tmp_path):
    address = "https://api.prod.test:7443" + KEYS
    with ApiServer(api_server.programs, tmp_path / "other", port=7443, jwks_uri=address) as other:
        assert other.get("/.well-known/openid-configuration")["jwks_uri"] == address
        other.account("ci", "deployer")
        token = other.create_token("ci", "deployer")
        assert other.issuer == api_server.issuer and outcome(other, token)
        assert not outcome(api_server, token)
