# SPDX-License-Identifier: BSD-2-Clause
"""ksa-token and packaging/kubernetes/own-token.yaml with a real API server: a job requests a token for one host."""
import re
import shutil
from pathlib import Path

import pytest

import issuer
from api_double import claims_of
from cluster_host import eventually, RealHost
from host import HOME, SOURCE

MANIFEST = (SOURCE / "packaging/kubernetes/own-token.yaml").read_text()
MOUNTED = Path("/run/secrets/kubernetes.io/serviceaccount")
TOKEN = "/api/v1/namespaces/%s/serviceaccounts/%s/token"
HOST = "ssh://build-7"


@pytest.fixture(scope="module")
def server(prepared):
    """The manifest is applied and in force; ci/deployer has two Pods, and a sibling account one."""
    prepared.apply(MANIFEST)
    prepared.account("ci", "sibling")
    for name, account in (("job-1", "deployer"), ("job-2", "deployer"), ("job-3", "sibling")):
        prepared.pod("ci", name, account)
    own = prepared.create_token("ci", "deployer", audience=None, seconds=3600, pod="job-1")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "job-1", "uid": claims_of(own)["kubernetes.io"]["pod"]["uid"]}
    eventually(lambda: ask(prepared, own, boundObjectRef=bound).status == 201)
    eventually(lambda: ask(prepared, own, boundObjectRef=bound, expirationSeconds=3601).status != 201)
    return prepared


def ask(server, bearer, account="deployer", namespace="ci", query="", **spec):
    spec = {"audiences": [HOST], "expirationSeconds": 600, **spec}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {k: v for k, v in spec.items() if v is not None}}
    return server.request("POST", TOKEN % (namespace, account) + query, body, bearer=bearer)


def pod_of(server, name, namespace="ci"):
    return {"apiVersion": "v1", "kind": "Pod", "name": name,
            "uid": server.get("/api/v1/namespaces/%s/pods/%s" % (namespace, name))["metadata"]["uid"]}


@pytest.fixture
def own(server):
    """The token that a kubelet mounts into job-1."""
    return server.create_token("ci", "deployer", audience=None, seconds=3600, pod="job-1")


@pytest.fixture
def cluster(host, server):
    both = RealHost(host, server)
    both.reset()
    both.configure("review = require")
    return both


@pytest.fixture
def pod(cluster, server, own):
    """Runs a command with what job-1 has: its token and CA where Kubernetes mounts them, and the address of the server."""
    MOUNTED.mkdir(parents=True)
    cluster.host.write(MOUNTED / "token", cluster.host.remember(own), 0o644)
    shutil.copy(server.ca, MOUNTED / "ca.crt")

    def run(*command, **env):
        return cluster.host.run(["env", "KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=%d" % server.port,
                                 *("%s=%s" % pair for pair in env.items()), *command])
    yield run
    shutil.rmtree(MOUNTED)


VIOLATIONS = {
    "api-audience": {"audiences": [issuer.ISSUER]},
    "second-audience": {"audiences": [HOST, "https://vault"]},
    "no-audience": {"audiences": None},
    "empty-audiences": {"audiences": []},
    "too-long": {"expirationSeconds": 3601},
    "unbound": {"boundObjectRef": None},
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_policy_refuses(server, own, name):
    spec = {"boundObjectRef": pod_of(server, "job-1"), **VIOLATIONS[name]}
    answer = ask(server, own, **spec)
    assert answer.status == 422 and "ksa-own-token" in answer.json["message"], answer


@pytest.mark.parametrize("change", ({"name": "job-2"}, {"uid": None}, {"uid": "0d8b260e-ef0e-45fb-be8e-ff44f97722e8"}, {"kind": "Node"}),
                         ids=str)
def test_policy_refuses_another_object(server, own, change):
    bound = {key: value for key, value in {**pod_of(server, "job-1"), **change}.items() if value is not None}
    assert ask(server, own, boundObjectRef=bound).status >= 400


def test_policy_refuses_the_sibling_pod(server, own):
    answer = ask(server, own, boundObjectRef=pod_of(server, "job-2"))
    assert answer.status == 422 and "boundObjectRef" in answer.json["message"], answer


def test_policy_refuses_a_token_without_a_pod(server):
    """One of kubectl create token for the API server, which an attacker could have made last."""
    loose = server.create_token("ci", "deployer", audience=None, seconds=3600)
    assert ask(server, loose, boundObjectRef=pod_of(server, "job-1")).status == 422
    assert ask(server, loose).status == 422


def test_another_account_is_refused_by_rbac(server, own):
    assert ask(server, own, account="sibling", boundObjectRef=pod_of(server, "job-3")).status == 403


def test_manifest_for_another_namespace_leaves_this_one_bound(server, own):
    """A copy for deploy/releaser must not replace the binding of ci, whose Role stays."""
    server.account("deploy", "releaser")
    server.pod("deploy", "job-5", "releaser")
    server.apply(re.sub(r"\bci\b", "deploy", MANIFEST).replace("deployer", "releaser"))
    other = server.create_token("deploy", "releaser", audience=None, seconds=3600, pod="job-5")

    def status(**spec):
        return ask(server, other, "releaser", "deploy", boundObjectRef=pod_of(server, "job-5", "deploy"), **spec).status
    eventually(lambda: status() == 201)
    eventually(lambda: status(expirationSeconds=3601) == 422)
    for name in VIOLATIONS:
        answer = ask(server, own, **{"boundObjectRef": pod_of(server, "job-1"), **VIOLATIONS[name]})
        assert answer.status == 422, (name, answer)
    assert ask(server, own, boundObjectRef=pod_of(server, "job-1")).status == 201


@pytest.mark.parametrize("query", ["?dryRun=All", "?fieldValidation=Ignore", "?fieldManager=x", "?pretty=true"])
def test_policy_refuses_with_any_query(server, own, query):
    answer = ask(server, own, query=query, expirationSeconds=3601, boundObjectRef=pod_of(server, "job-1"))
    assert answer.status == 422, answer


def test_policy_leaves_kubelets_and_administrators_alone(server):
    assert claims_of(server.create_token("ci", "deployer", audience="vault", seconds=7200))["aud"] == ["vault"]
    kubelet = server.clients.issue("kubelet", "DNS:kubelet", groups=["kubelets"])
    server.grant("kubelet-tokens", [{"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}],
                 {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "kubelets"})
    body = {"spec": {"audiences": [], "expirationSeconds": 3607, "boundObjectRef": pod_of(server, "job-2")}}
    eventually(lambda: server.request("POST", TOKEN % ("ci", "deployer"), body, certificate=kubelet).status == 201)


def test_token_for_one_host(cluster, pod):
    result = pod("ksa-token", "--host", "Build-7")
    assert result.status == 0 and result.err == "", result
    token = cluster.host.remember(result.out.strip())
    claims = claims_of(token)
    assert claims["aud"] == [HOST] and claims["kubernetes.io"]["pod"]["name"] == "job-1"
    assert claims["exp"] - claims["iat"] == 600
    cluster.let_in(token)


def test_audience_and_duration(cluster, pod):
    claims = claims_of(cluster.host.remember(pod("ksa-token", "--audience", "ssh://fleet", "--duration", "1h").out.strip()))
    assert claims["aud"] == ["ssh://fleet"] and claims["exp"] - claims["iat"] == 3600


def test_a_stolen_token_is_worth_nothing_elsewhere(cluster, server, pod):
    """build-7 is hostile, and tries the token that it got on build-8 and on the API server."""
    token = cluster.host.remember(pod("ksa-token", "--host", "build-7").out.strip())
    text = Path("/etc/ksa/ksa.conf").read_text()
    cluster.host.write("/etc/ksa/ksa.conf", text.replace("ssh://build-7", "ssh://build-8"))
    cluster.refused(token, "wrong-audience")
    assert server.request("GET", "/api/v1/namespaces/ci/pods", bearer=token).status == 401
    assert ask(server, token, boundObjectRef=pod_of(server, "job-1")).status == 401


def test_ssh_uses_it_for_the_host_that_it_calls(cluster, pod):
    """Without any token named: ksa-askpass asks for one with the host that ssh put before the prompt."""
    result = pod("ksa-ssh", "deploy-bot@build-7", "id", "-un")
    assert result.status == 0 and result.out == "deploy-bot\n" and len(result.lines) == 1, result


def test_missing_grant_names_the_manifest(cluster, server, pod):
    other = server.create_token("ci", "sibling", audience=None, seconds=3600, pod="job-3")
    cluster.host.write(MOUNTED / "token", cluster.host.remember(other), 0o644)
    result = pod("ksa-token", "--host", "build-7")
    assert result.status == 1 and "own-token.yaml" in result.err and "(403)" in result.err, result


def test_policy_is_named_by_an_unbound_token(cluster, server, pod):
    loose = server.create_token("ci", "deployer", audience=None, seconds=3600)
    cluster.host.write(MOUNTED / "token", cluster.host.remember(loose), 0o644)
    result = pod("ksa-token", "--host", "build-7")
    assert result.status == 1 and "boundObjectRef must be the Pod" in result.err, result


def test_pod_is_gone(cluster, server, pod):
    server.pod("ci", "job-4", "deployer")
    token = server.create_token("ci", "deployer", audience=None, seconds=3600, pod="job-4")
    server.delete_pod("ci", "job-4")
    cluster.host.write(MOUNTED / "token", cluster.host.remember(token), 0o644)
    result = pod("ksa-token", "--host", "build-7")
    assert result.status == 1 and "(401)" in result.err, result


def test_server_and_token_file(cluster, server, own):
    cluster.host.write(HOME / "own-token", cluster.host.remember(own), 0o644)
    result = cluster.host.run(["ksa-token", "--host", "build-7", "--server", server.url, "--ca", "/etc/ksa/prod-ca.crt",
                               "--token-file", str(HOME / "own-token")])
    assert result.status == 0 and claims_of(cluster.host.remember(result.out.strip()))["aud"] == [HOST], result
