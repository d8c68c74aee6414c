# SPDX-License-Identifier: BSD-2-Clause
"""Local users from the service accounts of a real API server: made, logged in as, taken away, and never another's."""
import itertools
import json
import os
import pwd
import time
from pathlib import Path

import pytest

from accounts_host import OWN_USER_RULE, AccountsHost, SecondHost, hashed, passwd, uids
from host import field

FLEET = {"ci": 20, "ops": 20, "data": 10}
SPACES = itertools.count()


@pytest.fixture(scope="module")
def fleet(api_server):
    """Three namespaces, fifty accounts."""
    AccountsHost.prepare(api_server)
    for namespace, count in FLEET.items():
        for number in range(count):
            api_server.account(namespace, "deployer" if number == 0 else "bot-%02d" % number)
    return api_server


@pytest.fixture
def cluster(host, fleet):
    both = AccountsHost(host, fleet)
    both.reset()
    both.configure_accounts("namespaces = %s" % " ".join(FLEET))
    return both


@pytest.fixture
def space(fleet):
    """A namespace that no other test uses, so that changes in it do not disturb them."""
    name = "space%d" % next(SPACES)
    fleet.namespace(name)
    return name


def label(server, namespace, account, **labels):
    server.patch("/api/v1/namespaces/%s/serviceaccounts/%s" % (namespace, account), {"metadata": {"labels": labels}})


def next_second():
    """creationTimestamp counts whole seconds: accounts that are created from here on are younger."""
    time.sleep(1.1)


# --- Made --------------------------------------------------------------------

def test_fifty_accounts(cluster):
    result = cluster.sync()
    expected = {"%s_%s" % (namespace, "deployer" if number == 0 else "bot-%02d" % number): hashed(
        "prod", namespace, "deployer" if number == 0 else "bot-%02d" % number)
        for namespace, count in FLEET.items() for number in range(count)}
    assert uids() == expected
    assert len(cluster.changes(result)) == 50 and {change[0] for change in cluster.changes(result)} == {"added"}
    # Again, nothing is left to do.
    assert cluster.changes(cluster.sync()) == []


def test_default_has_no_user(cluster):
    """Every namespace has it, and every Pod that names no account runs as it."""
    cluster.server.account("ci", "default")
    cluster.sync()
    assert passwd("ci_default") is None and passwd("ci_deployer")


def test_getent_and_id(cluster):
    cluster.sync()
    uid = hashed("prod", "ci", "deployer")
    assert passwd("ci_deployer") == ["ci_deployer", "*", str(uid), str(uid), "prod/ci/deployer", "/home/ci_deployer",
                                     "/bin/sh"]
    assert passwd(uid) == passwd("ci_deployer")
    group = hashed("prod", "ci", "")
    identity = cluster.host.run(["id", "ci_deployer"], user="root").out
    assert identity == "uid=%d(ci_deployer) gid=%d(ci_deployer) groups=%d(ci_deployer),%d(k8s-ci)\n" % (uid, uid, uid, group)
    members = cluster.host.run(["getent", "group", "k8s-ci"], user="root").out.rstrip("\n").split(":")
    assert members[:3] == ["k8s-ci", "x", str(group)] or members[:3] == ["k8s-ci", "*", str(group)]
    assert len(members[3].split(",")) == 20


def test_login_home_and_files(cluster):
    cluster.sync()
    result = cluster.own_login("ci", "deployer", "id -un; pwd; umask; touch kept; ls -l kept")
    assert result.allowed, result
    out = result.out.splitlines()
    assert out[:2] == ["ci_deployer", "/home/ci_deployer"] and "ci_deployer ci_deployer" in out[3], result
    home = os.stat("/home/ci_deployer")
    assert home.st_mode & 0o777 == 0o700 and home.st_uid == home.st_gid == hashed("prod", "ci", "deployer")
    assert field(result.line, "user") == "ci_deployer" and field(result.line, "rule") == "r1"


def test_another_accounts_user_is_not_ones_own(cluster):
    cluster.sync()
    result = cluster.login_as("ops_deployer", cluster.token("ci", "deployer"))
    assert result.reasons == ["no-rule"] and "its own is 'ci_deployer'" in result.line, result


def test_account_that_has_no_user(cluster, space):
    """Its token is valid, and this host has no user for it."""
    cluster.server.account(space, "deployer")
    cluster.sync()
    result = cluster.login_as("ci_deployer", cluster.token(space, "deployer"))
    assert result.reasons == ["account-unknown"] and "ksactl accounts sync" in result.line, result


def test_sudo_by_the_group_of_the_namespace(cluster):
    cluster.host.write("/etc/sudoers.d/k8s", "%k8s-ci ALL=(root) /usr/bin/id\nDefaults noninteractive_auth\n", 0o440)
    try:
        cluster.sync()
        for namespace in ("ci", "data"):
            cluster.let_in_as(namespace, "deployer")
        other = cluster.sudo_as("ci_deployer", cluster.token("ci", "bot-01"))
        assert other.status != 0 and set(other.reasons) == {"no-rule"}, other
        good = cluster.sudo_as("ci_deployer", cluster.token("ci", "deployer"))
        assert good.out == "root\n" and good.allowed, good
        bad = cluster.sudo_as("data_deployer", cluster.token("data", "deployer"))
        assert bad.status != 0 and bad.out == "", bad
    finally:
        os.unlink("/etc/sudoers.d/k8s")


# --- Taken away --------------------------------------------------------------

def test_deleted_account(cluster, space):
    for name in ("gone", "stays"):
        cluster.server.account(space, name)
    cluster.configure_accounts("namespaces = ci %s" % space)
    cluster.sync()
    user = space + "_gone"
    uid = int(passwd(user)[2])
    token = cluster.token(space, "gone")
    assert cluster.login_as(user, token).allowed
    cluster.server.delete_account(space, "gone")
    assert cluster.changes(cluster.sync()) == [("removed", space, "gone")]
    assert passwd(user) is None and passwd(uid) is None
    result = cluster.login_as(user, token)
    assert result.status == 255 and not result.allowed, result
    # Other callers of the module get the reason; sshd refuses users that NSS does not know before.
    shown = cluster.shown(str(uid), status=1)
    assert shown["state"] == "removed" and shown["user"] == user
    # Its files stay its own: no other account ever gets the uid.
    assert os.stat("/home/" + user).st_uid == uid


def test_uid_of_a_deleted_account_is_not_given_again(cluster, space):
    """On a small range, so that a name can be ground that hashes to the same uid."""
    low, high = 1900000000, 1900000063
    for name in ("victim", "other-1", "other-2"):
        cluster.server.account(space, name)
    cluster.configure_accounts("namespaces = %s" % space, host="uid_range = %d-%d" % (low, high))
    cluster.sync()
    before = uids()
    victim = before[space + "_victim"]
    cluster.server.delete_account(space, "victim")
    cluster.sync()
    ground = next("g%d" % number for number in range(100000)
                  if hashed("prod", space, "g%d" % number, low, high) == victim)
    next_second()
    cluster.server.account(space, ground)
    result = cluster.sync(status=None)
    assert victim not in uids().values() and passwd("%s_%s" % (space, ground)) is None
    line, = [line for line in result.log if "change=refused" in line and ground in line]
    assert "[account" in line, line


def test_recreated_account(cluster, space):
    for name in ("phoenix", "stays"):
        cluster.server.account(space, name)
    cluster.configure_accounts("namespaces = ci %s" % space)
    user = space + "_phoenix"
    cluster.sync()
    uid = int(passwd(user)[2])
    cluster.let_in_as(space, "phoenix")
    cluster.server.delete_account(space, "phoenix")
    cluster.server.account(space, "phoenix")
    # Before the host hears of it, and after.
    for synced in (False, True):
        if synced:
            result = cluster.sync(status=None)
            assert cluster.changes(result) == [("disabled", space, "phoenix")]
            assert "accounts enable " + user in "\n".join(result.log)
            assert passwd(user)[6] == "/usr/sbin/nologin" and int(passwd(user)[2]) == uid
        refused = cluster.own_login(space, "phoenix")
        assert refused.reasons == ["account-disabled" if synced else "account-recreated"], refused
        assert "accounts enable" in refused.line, refused
    cluster.ksactl("accounts", "enable", user)
    assert int(passwd(user)[2]) == uid
    cluster.let_in_as(space, "phoenix")
    assert cluster.changes(cluster.sync()) == []


def test_recreated_account_where_that_is_accepted(cluster, space):
    cluster.server.account(space, "phoenix")
    cluster.configure_accounts("namespaces = ci %s\nrecreated = accept" % space)
    cluster.sync()
    cluster.server.delete_account(space, "phoenix")
    cluster.server.account(space, "phoenix")
    assert cluster.changes(cluster.sync()) == [("modified", space, "phoenix")]
    cluster.let_in_as(space, "phoenix")


def test_disabled_account(cluster, space):
    cluster.server.account(space, "old")
    cluster.configure_accounts("namespaces = ci %s" % space)
    cluster.sync()
    user = space + "_old"
    cluster.let_in_as(space, "old")
    cluster.ksactl("accounts", "disable", user)
    assert passwd(user)[6] == "/usr/sbin/nologin"
    assert cluster.own_login(space, "old").reasons == ["account-disabled"]
    assert cluster.changes(cluster.sync()) == [] and cluster.own_login(space, "old").reasons == ["account-disabled"]
    cluster.ksactl("accounts", "enable", user)
    cluster.let_in_as(space, "old")


def test_label_takes_an_account_in_and_out(cluster, space):
    for name in ("in", "out"):
        cluster.server.account(space, name)
    label(cluster.server, space, "in", **{"ksa.dev/login": "yes"})
    cluster.configure_accounts("namespaces = %s\nselector = ksa.dev/login=yes" % space)
    cluster.sync()
    assert list(uids()) == [space + "_in"]
    uid = uids()[space + "_in"]
    label(cluster.server, space, "out", **{"ksa.dev/login": "yes"})
    label(cluster.server, space, "in", **{"ksa.dev/login": None})
    assert cluster.changes(cluster.sync()) == [("added", space, "out"), ("removed", space, "in")]
    assert passwd(space + "_in") is None
    label(cluster.server, space, "in", **{"ksa.dev/login": "yes"})
    assert cluster.changes(cluster.sync()) == [("returned", space, "in")]
    assert uids()[space + "_in"] == uid
    cluster.let_in_as(space, "in")


def test_a_label_that_everybody_lost_stops_the_run(cluster, space):
    for name in ("a", "b"):
        cluster.server.account(space, name)
        label(cluster.server, space, name, **{"ksa.dev/login": "yes"})
    cluster.configure_accounts("namespaces = %s\nselector = ksa.dev/login=yes" % space)
    cluster.sync()
    for name in ("a", "b"):
        label(cluster.server, space, name, **{"ksa.dev/login": "no"})
    stopped = cluster.sync(status=2)
    assert "--force" in stopped.err and len(uids()) == 2
    assert cluster.sync("--dry-run", status=2) and len(uids()) == 2
    cluster.sync("--force")
    assert uids() == {}


# --- Two accounts, one uid ---------------------------------------------------

def test_ground_name_never_gets_a_victims_uid(cluster, space):
    low, high = 1900000000, 1900000255
    cluster.server.account(space, "victim")
    target = hashed("prod", space, "victim", low, high)
    ground = next("g%d" % number for number in range(100000)
                  if hashed("prod", space, "g%d" % number, low, high) == target)
    next_second()
    cluster.server.account(space, ground)
    label(cluster.server, space, ground, take="yes")
    cluster.configure_accounts("namespaces = %s" % space, host="uid_range = %d-%d" % (low, high))
    result = cluster.sync(status=1)
    assert uids() == {space + "_victim": target}
    line, = [line for line in result.log if "change=refused" in line]
    assert 'account="%s"' % ground in line and "refusal=uid-taken" in line and "[account" in line
    cluster.let_in_as(space, "victim")
    # On another host the younger one was there first: it keeps the uid, and the older one has no user.
    cluster.reset()
    cluster.configure_accounts("namespaces = %s\nselector = take=yes" % space, host="uid_range = %d-%d" % (low, high))
    cluster.sync()
    cluster.configure_accounts("namespaces = %s" % space, host="uid_range = %d-%d" % (low, high))
    cluster.sync(status=1)
    cluster.let_in_as(space, ground)
    assert passwd(space + "_victim") is None
    assert cluster.login_as("%s_%s" % (space, ground), cluster.token(space, "victim")).reasons == ["account-unknown"]


def test_two_hosts_agree(cluster, space, tmp_path):
    """They sync at different times, and between them accounts come, go, and come back."""
    for number in range(6):
        cluster.server.account(space, "bot-%d" % number)
    cluster.configure_accounts("namespaces = ci %s" % space)
    with SecondHost(tmp_path, cluster.server.port) as second:
        cluster.sync()
        cluster.server.delete_account(space, "bot-0")
        cluster.server.account(space, "late")
        second.ksactl("accounts", "sync")
        cluster.server.account(space, "later")
        cluster.server.delete_account(space, "bot-1")
        cluster.sync()
        first, other = uids(), uids(second.run)
        assert len(first) == 26 and len(other) == 26 and set(first) != set(other)
        for user in set(first) & set(other):
            assert first[user] == other[user] == pwd.getpwnam(user).pw_uid
        second.ksactl("accounts", "sync")
        assert uids(second.run) == uids()


# --- What a namespace's owner may write --------------------------------------

def test_what_is_written_into_one_account_keeps_no_other_from_being_read(cluster, space):
    server = cluster.server
    deep = {}
    for _ in range(40):
        deep = {"f:x": deep}
    fields = {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    for name, metadata in (("nul", {"annotations": {"x": "a\0b"}}),
                           ("deep", {"managedFields": [dict(fields, fieldsV1=deep)]}),
                           ("key", {"managedFields": [dict(fields, fieldsV1={"f:a\0b": {}})]})):
        server.account(space, name)
        server.patch("/api/v1/namespaces/%s/serviceaccounts/%s" % (space, name), {"metadata": metadata})
    # The largest that etcd takes: the server writes < as six bytes.
    server.account(space, "large")
    references = []
    for _ in range(10):
        references += [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "%d" % len(references) + "<" * 130000}]
        server.patch("/api/v1/namespaces/%s/serviceaccounts/large" % space, {"metadata": {"ownerReferences": references}})
    cluster.configure_accounts("namespaces = ci %s" % space)
    cluster.sync()
    assert passwd("ci_deployer") and passwd(space + "_large")
    assert {passwd("%s_%s" % (space, name))[4] for name in ("nul", "deep", "key")} == {
        "prod/%s/%s" % (space, name) for name in ("nul", "deep", "key")}


# --- A file in place of the cluster ------------------------------------------

def test_a_follower(cluster, tmp_path):
    cluster.sync()
    wanted = uids()
    exported = cluster.ksactl("accounts", "export").out
    assert len(json.loads(exported)["clusters"][0]["accounts"]) == 50
    cluster.reset()
    cluster.configure_accounts("namespaces = %s\nsource = file:/etc/ksa/leader.json" % " ".join(FLEET))
    cluster.host.write("/etc/ksa/leader.json", exported)
    cluster.sync()
    assert uids() == wanted
    assert cluster.changes(cluster.sync()) == [] and uids() == wanted
    cluster.let_in_as("ci", "deployer")


def test_server_that_is_down_changes_nothing(cluster):
    cluster.sync()
    before = Path("/var/lib/ksa/registry").read_bytes()
    cluster.server.kill_server()
    try:
        cluster.sync(status=2)
        assert Path("/var/lib/ksa/registry").read_bytes() == before
        assert passwd("ci_deployer")
    finally:
        cluster.server.start()


# --- With the login ----------------------------------------------------------

def test_review_and_own(cluster):
    """@own goes with what else a rule demands."""
    cluster.configure_accounts("namespaces = ci", OWN_USER_RULE + "\nreview = require")
    cluster.sync()
    result = cluster.let_in_as("ci", "bot-03")
    assert field(result.line, "review") == "require"


def test_damaged_registry_lets_nobody_in_and_nobody_else_out(cluster):
    cluster.sync()
    registry = Path("/var/lib/ksa/registry")
    good = registry.read_bytes()
    token = cluster.token("ci", "deployer")
    registry.rename("/var/lib/ksa/kept")
    registry.write_bytes(good[:len(good) // 2])
    try:
        result = cluster.login_as("ci_deployer", token)
        assert result.status == 255 and not result.allowed, result
        assert cluster.ksactl("status", "--offline", status=2)
        alice = cluster.host.run(["ssh", "-i", "/home/job/.ssh/id_ed25519", "-l", "alice", "build-7", "id -un"])
        assert alice.out == "alice\n", alice
    finally:
        registry.unlink()
        Path("/var/lib/ksa/kept").rename(registry)
    assert cluster.login_as("ci_deployer", token).allowed
