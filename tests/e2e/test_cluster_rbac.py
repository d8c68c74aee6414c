# SPDX-License-Identifier: BSD-2-Clause
"""A rule with rbac = yes, and a real cluster's RBAC, which supplements the rule and never replaces it."""
import contextlib

import pytest

from apiserver import account_subject, group_subject
from api_double import ACCESS
from cluster_host import eventually
from host import field

DEPLOYER = account_subject("ci", "deployer")
LOGIN, SUDO = "rbac = yes", "rbac = yes\nservice = sudo"


def rule(*names, verbs=("login",)):
    """A rule of a role; without NAMES for every host."""
    return {"apiGroups": ["ksa.dev"], "resources": ["hosts"], "verbs": list(verbs),
            **({"resourceNames": list(names)} if names else {})}


@pytest.fixture
def rbac(cluster):
    """Grants of one test."""
    made = Grants(cluster.server)
    yield made
    made.end()


class Grants:
    def __init__(self, server):
        self.server, self.made = server, []

    def grant(self, *rules, subject=DEPLOYER, namespace="ci", bound_in=None):
        """A role and its binding; with BOUND_IN a ClusterRole that is bound in that namespace alone."""
        name = "grant-%d" % len(self.made)
        if bound_in:
            self.server._write_role(name, {"rules": list(rules)}, None)
            self.server.bind(name, name, subject, namespace=bound_in, cluster_role=True)
        else:
            self.server.grant(name, list(rules), subject, namespace=namespace)
        self.made.append((name, bound_in or namespace, None if bound_in else namespace))
        return name

    def end(self):
        for name, bound_in, namespace in self.made:
            with contextlib.suppress(AssertionError):  # a test may have taken it back
                self.server.unbind(name, bound_in)
            self.server.delete(self.server._rbac_path("roles", namespace) + "/" + name)
        self.made = []


def ask(server, verb, name, namespace="ci", account="deployer"):
    spec = {"user": "system:serviceaccount:%s:%s" % (namespace, account),
            "groups": ["system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"],
            "resourceAttributes": {"group": "ksa.dev", "resource": "hosts", "verb": verb, "name": name, "namespace": namespace}}
    return server.post(ACCESS, {"spec": spec})["status"]["allowed"]


def settled(server, allowed, verb="login", name="build-7"):
    """The server's RBAC follows a change in moments."""
    eventually(lambda: ask(server, verb, name) == allowed)


def test_no_grant(cluster):
    cluster.configure(LOGIN)
    token, size = cluster.token(), cluster.server.audit_size()
    result = cluster.refused(token, "rbac-denied")
    assert len(cluster.requests(size, ACCESS)) == 1
    assert field(result.line, "rule") == "r1" and field(result.line, "granted_as") is None
    assert "Service account token refused (ref " in result.err and "build-7" in field(result.line, "why")
    assert cluster.pam_code(token)[0] == "PERM_DENIED"


def test_a_plain_role_in_the_accounts_namespace(cluster, rbac):
    cluster.configure(LOGIN)
    token = cluster.token()
    name = rbac.grant(rule("build-7"))
    settled(cluster.server, True)
    assert field(cluster.let_in(token).line, "granted_as") == "build-7"
    cluster.server.unbind(name, "ci")
    settled(cluster.server, False)
    cluster.refused(token, "rbac-denied")


def test_a_grant_for_another_host(cluster, rbac):
    cluster.configure(LOGIN)
    rbac.grant(rule("build-8"))
    settled(cluster.server, True, name="build-8")
    cluster.refused(cluster.token(), "rbac-denied")
    cluster.configure(LOGIN, host="name = build-8")
    assert field(cluster.let_in(cluster.token()).line, "granted_as") == "build-8"


def test_a_class(cluster, rbac):
    rbac.grant(rule("build"))
    settled(cluster.server, True, name="build")
    token = cluster.token()
    cluster.configure(LOGIN, host="class = web db")
    cluster.refused(token, "rbac-denied")
    cluster.configure(LOGIN, host="class = web build")
    size = cluster.server.audit_size()
    assert field(cluster.let_in(token).line, "granted_as") == "build"
    assert len(cluster.requests(size, ACCESS)) == 3


def test_a_grant_for_the_whole_cluster(cluster, rbac):
    cluster.configure(LOGIN)
    rbac.grant(rule(), namespace=None)
    settled(cluster.server, True)
    cluster.let_in(cluster.token())


def test_a_cluster_role_that_a_namespace_binds(cluster, rbac):
    """To the accounts of that namespace, by their group."""
    cluster.server.account("other", "deployer")
    cluster.configure(LOGIN + "\naccount = prod:*/deployer")
    rbac.grant(rule("build-7"), subject=group_subject("system:serviceaccounts:ci"), bound_in="ci")
    settled(cluster.server, True)
    cluster.let_in(cluster.token())
    cluster.refused(cluster.token("other", "deployer"), "rbac-denied")


def test_a_grant_in_another_namespace(cluster, rbac):
    """The owner of that namespace must not admit the accounts of others."""
    cluster.server.namespace("mallory")
    cluster.configure(LOGIN)
    rbac.grant(rule("build-7", verbs=["*"]), namespace="mallory")
    attributes = {"group": "ksa.dev", "resource": "hosts", "verb": "login", "name": "build-7", "namespace": "mallory"}
    eventually(lambda: cluster.server.post(ACCESS, {"spec": {
        "user": "system:serviceaccount:ci:deployer", "resourceAttributes": attributes}})["status"]["allowed"])
    cluster.refused(cluster.token(), "rbac-denied")


def test_a_grant_for_another_account(cluster, rbac):
    cluster.server.account("ci", "tester")
    cluster.configure(LOGIN)
    rbac.grant(rule("build-7"), subject=account_subject("ci", "tester"))
    eventually(lambda: ask(cluster.server, "login", "build-7", account="tester"))
    cluster.refused(cluster.token(), "rbac-denied")


def test_what_is_alike_is_no_grant(cluster, rbac):
    """Another group, another resource, another verb."""
    cluster.configure(LOGIN)
    rbac.grant({**rule("build-7"), "apiGroups": ["ksa.example"]}, {**rule("build-7"), "resources": ["hosts/login"]},
               rule("build-7", verbs=["get", "list", "create", "Login"]), rule("build-7", verbs=["sudo"]))
    settled(cluster.server, True, verb="sudo")
    cluster.refused(cluster.token(), "rbac-denied")


def test_login_and_sudo_are_two_grants(cluster, rbac):
    cluster.configure(LOGIN, SUDO)
    token = cluster.token()
    name = rbac.grant(rule("build-7"))
    settled(cluster.server, True)
    cluster.let_in(token)
    result = cluster.sudo(token)
    assert result.reasons == ["rbac-denied"], result
    cluster.server.unbind(name, "ci")
    rbac.grant(rule("build-7", verbs=["sudo"]))
    settled(cluster.server, False)
    settled(cluster.server, True, verb="sudo")
    assert cluster.sudo(token).allowed
    cluster.refused(token, "rbac-denied")


def test_sudo_i_is_sudo(cluster, rbac):
    cluster.configure(SUDO)
    rbac.grant(rule("build-7", verbs=["sudo"]))
    settled(cluster.server, True, verb="sudo")
    cluster.host.give_token(cluster.token())
    result = cluster.host.on_host("sudo -n -i id -un")
    assert result.out == "root\n" and "service=sudo-i" in result.allowed[0], result


def test_a_grant_is_no_rule(cluster, rbac):
    cluster.configure(LOGIN + "\nuser = alice")
    rbac.grant(rule("build-7", verbs=["*"]))
    settled(cluster.server, True)
    # RBAC may be asked about alice; no rule names deploy-bot, who sees no prompt of ours.
    result = cluster.host.ssh(cluster.token())
    assert result.status == 255 and result.lines == [], result
    cluster.configure(LOGIN + "\naccount = prod:ci/tester")
    cluster.refused(cluster.token(), "no-rule")


def test_denied_by_its_rule_is_not_saved_by_a_later_one(cluster):
    cluster.configure(LOGIN, "review = never")
    result = cluster.refused(cluster.token(), "rbac-denied")
    assert field(result.line, "rule") == "r1"


def test_cluster_admin_is_let_in(cluster):
    """An account that may do anything may do that too (ksa-clusters(7)), if a rule covers it."""
    cluster.server.account("ci", "admin")
    cluster.configure(LOGIN + "\naccount = prod:ci/admin")
    token = cluster.token(account="admin")
    cluster.refused(token, "rbac-denied")
    cluster.server.bind("ci-admin", "cluster-admin", account_subject("ci", "admin"))
    eventually(lambda: ask(cluster.server, "login", "build-7", account="admin"))
    assert field(cluster.let_in(token).line, "granted_as") == "build-7"
    cluster.server.unbind("ci-admin")
    eventually(lambda: not ask(cluster.server, "login", "build-7", account="admin"))
    cluster.refused(token, "rbac-denied")


def test_a_revoked_token_of_a_granted_account(cluster, rbac):
    """rbac = yes means review = require, with any other option."""
    cluster.configure(LOGIN + "\nreview = never")
    rbac.grant(rule("build-7"))
    settled(cluster.server, True)
    cluster.server.pod("ci", "short", "deployer")
    token = cluster.token(pod="short")
    cluster.server.delete_pod("ci", "short")
    before, last = cluster.refused_in_the_end(token, seconds=5)
    assert field(last.line, "review") == "require"
