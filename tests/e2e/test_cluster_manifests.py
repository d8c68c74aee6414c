# SPDX-License-Identifier: BSD-2-Clause
"""packaging/kubernetes, applied to a real API server: the manifests grant the rights in their comments, and no more."""
import pytest
import yaml

from api_double import ACCESS, KEYS, REVIEW
from cluster_host import HOST_ACCOUNT, eventually, RealHost
from host import SOURCE, field

MANIFESTS = SOURCE / "packaging" / "kubernetes"
OWN_TOKEN = "/api/v1/namespaces/ksa-system/serviceaccounts/host-verifier/token"
ACCEPT = {"Accept": "application/jwk-set+json, application/json"}


@pytest.fixture
def cluster(host, manifests):
    both = RealHost(host, manifests)
    both.reset()
    return both


@pytest.fixture
def bearer(cluster):
    return cluster.host.remember(cluster.server.create_token(*HOST_ACCOUNT, audience=None))


def status(cluster, method, path, bearer, body=None):
    return cluster.server.request(method, path, body, ACCEPT if path == KEYS else (), bearer=bearer).status


def test_they_may_be_applied_again(cluster):
    for path in sorted(set(MANIFESTS.glob("*.yaml")) - {MANIFESTS / "account-list.yaml"}):  # test_cluster_lists.py
        documents = [one for one in yaml.safe_load_all(path.read_text()) if one]
        assert [one["kind"] for one in cluster.server.apply(path.read_text())] == [one["kind"] for one in documents]


def test_what_the_hosts_account_may(cluster, bearer):
    review, access = {"spec": {"token": "x", "audiences": ["ssh://build-7"]}}, {"spec": {
        "user": "system:serviceaccount:ci:deployer", "resourceAttributes": {"group": "ksa.dev", "resource": "hosts"}}}
    eventually(lambda: status(cluster, "POST", REVIEW, bearer, review) == 201)
    assert status(cluster, "POST", ACCESS, bearer, access) == 201
    assert status(cluster, "GET", KEYS, bearer) == 200
    assert status(cluster, "GET", "/.well-known/openid-configuration", bearer) == 200
    eventually(lambda: status(cluster, "POST", OWN_TOKEN, bearer, {"spec": {}}) == 201)


def test_what_the_hosts_account_may_not(cluster, bearer):
    cluster.server.account("ksa-system", "other")
    space = "/api/v1/namespaces/ksa-system"
    for method, path, body in (
            ("POST", space + "/serviceaccounts/other/token", {"spec": {}}),
            ("POST", "/api/v1/namespaces/ci/serviceaccounts/deployer/token", {"spec": {}}),
            ("GET", space + "/serviceaccounts/host-verifier", None), ("GET", space + "/secrets", None),
            ("GET", "/api/v1/namespaces/ci/serviceaccounts", None), ("GET", "/api/v1/namespaces", None),
            ("GET", "/api/v1/pods", None), ("POST", space + "/pods", {"metadata": {"name": "x"}}),
            ("DELETE", space + "/serviceaccounts/host-verifier", None),
            ("POST", space + "/serviceaccounts", {"metadata": {"name": "x"}})):
        assert status(cluster, method, path, bearer, body) == 403, (method, path)


def test_it_renews_itself_to_a_token_that_can_do_as_much(cluster, bearer):
    answer = eventually(lambda: (answer := cluster.server.request("POST", OWN_TOKEN, {"spec": {}}, bearer=bearer)).status == 201
                        and answer)
    successor = cluster.host.remember(answer.json["status"]["token"])
    assert successor != bearer
    assert cluster.server.request("POST", OWN_TOKEN, {"spec": {}}, bearer=successor).status == 201


def test_the_grants_let_in(cluster):
    """By name, by class, and by the group of a namespace's accounts; sudo by class alone."""
    cluster.configure("rbac = yes", "rbac = yes\nservice = sudo", "rbac = yes\naccount = prod:*/*")
    token = cluster.token()
    assert field(cluster.let_in(token).line, "granted_as") == "build-7"
    assert cluster.sudo(token).reasons == ["rbac-denied"]
    cluster.server.account("ci", "another")
    cluster.refused(cluster.token(account="another"), "rbac-denied")
    cluster.configure("rbac = yes", "rbac = yes\nservice = sudo", "rbac = yes\naccount = prod:*/*",
                      host="name = build-8\nclass = web build")
    assert field(cluster.let_in(token).line, "granted_as") == "build"
    assert field(cluster.sudo(token).line, "granted_as") == "build"
    assert field(cluster.let_in(cluster.token(account="another")).line, "granted_as") == "build"
    cluster.server.account("elsewhere", "deployer")
    cluster.refused(cluster.token("elsewhere", "deployer"), "rbac-denied")


def test_an_administrator_of_a_namespace_grants_the_class(cluster):
    """The ClusterRole admin in a namespace, with what the manifest adds to it, and nothing else."""
    server = cluster.server
    server.account("team", "lead")
    server.bind("lead", "admin", {"kind": "ServiceAccount", "namespace": "team", "name": "lead"}, namespace="team",
                cluster_role=True)
    lead = server.create_token("team", "lead", audience=None)
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/team/rolebindings"

    def binding(role, kind="ClusterRole"):
        return {"metadata": {"name": role}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
                "subjects": [{"kind": "ServiceAccount", "namespace": "team", "name": "lead"}]}
    # Aggregated roles are a controller's work, which these tests do not run: the rules go to the place in which it would put them.
    rules = server.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/ksa-grant-login-build")["rules"]
    admin = "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin"
    creating = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create"]}]
    server.patch(admin, {"rules": creating})
    eventually(lambda: server.request("POST", path + "?dryRun=All", binding("ksa-login-build"), bearer=lead).status == 403)
    server.patch(admin, {"rules": creating + rules})
    eventually(lambda: server.request("POST", path, binding("ksa-login-build"), bearer=lead).status == 201)
    assert server.request("POST", path, binding("cluster-admin"), bearer=lead).status == 403
    cluster.configure("account = prod:team/*\nrbac = yes", host="class = build")
    cluster.let_in(cluster.token("team", "lead"))
