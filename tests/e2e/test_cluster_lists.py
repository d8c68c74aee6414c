# SPDX-License-Identifier: BSD-2-Clause
"""ksactl accounts sync against a real API server: the lists, their pages, and the permission."""
import json
from pathlib import Path

import pytest

from cluster_host import HOST_ACCOUNT, eventually
from host import SOURCE

LIST = SOURCE / "packaging/kubernetes/account-list.yaml"
PATH = "/api/v1/namespaces/%s/serviceaccounts"
REGISTRY = Path("/var/lib/ksa/registry")


@pytest.fixture(scope="module")
def listable(prepared):
    """Before the manifest no account may list, and after it the hosts' account may."""
    bearer = prepared.create_token(*HOST_ACCOUNT, audience=None)
    assert prepared.request("GET", PATH % "ci", bearer=bearer).status == 403
    for _ in range(2):
        prepared.apply(LIST.read_text())
    eventually(lambda: prepared.request("GET", PATH % "ci", bearer=bearer).status == 200)
    for method, path in (("GET", PATH % "ci" + "/deployer"), ("GET", PATH % "ci" + "?watch=1"), ("GET", "/api/v1/secrets"),
                         ("GET", "/api/v1/pods"), ("DELETE", PATH % "ci" + "/deployer")):
        assert prepared.request(method, path, bearer=bearer).status == 403, (method, path)
    return prepared


@pytest.fixture
def local(cluster, listable):
    cluster.configure()
    return cluster


def use(cluster, sections):
    cluster.configure()
    with open("/etc/ksa/ksa.conf", "a") as config:
        config.write(sections)


def users(cluster):
    return {one["user"]: one for one in json.loads(cluster.ksactl("accounts", "list", "--json").out)["accounts"]}


def test_accounts_of_a_namespace(local):
    uid = local.server.get(PATH % "ci" + "/deployer")["metadata"]["uid"]
    use(local, "[accounts prod]\nnamespaces = ci nobody-made-it\n")
    local.ksactl("accounts", "sync")
    assert users(local)["ci_deployer"]["account_uid"] == uid
    assert json.loads(local.ksactl("status", "--json", status=1).out)["clusters"][0]["api"]["may_list"] is True


def test_nothing_in_a_namespace(local):
    """An API server gives null for no items."""
    use(local, "[accounts prod]\nnamespaces = nobody-made-it\n")
    answer = json.loads(local.ksactl("accounts", "sync", "--json").out)
    assert answer["clusters"][0]["outcome"] == "read" and answer["changes"] == []


def test_pages_and_a_selector(local):
    local.server.namespace("many")
    for number in range(620):
        local.server.post(PATH % "many", {"metadata": {"name": "a%d" % number, "labels": {"ksa.dev/login": "yes"}}})
    local.server.post(PATH % "many", {"metadata": {"name": "other"}})
    use(local, "[accounts prod]\nnamespaces = *\nselector = ksa.dev/login in (yes),ksa.dev/login!=no\n")
    size = local.server.audit_size()
    local.ksactl("accounts", "sync")
    found = users(local)
    assert len(found) == 620 and "many_other" not in found
    assert len(local.server.requests("/api/v1/serviceaccounts", size)) == 2


def test_an_account_as_large_as_they_come(local):
    """The most annotations that an API server takes, of bytes that JSON makes six of, and labels as well."""
    local.server.namespace("large")
    for number in range(8):
        local.server.post(PATH % "large", {"metadata": {"name": "a%d" % number, "annotations": {
            "k%d" % key: "\x01" * 2500 for key in range(100)}, "labels": {"l%d" % key: "x" * 63 for key in range(2000)}}})
    use(local, "[accounts prod]\nnamespaces = large\n")
    local.ksactl("accounts", "sync")
    assert len(users(local)) == 8


def test_one_that_is_being_deleted_is_gone(local):
    local.server.namespace("going")
    for name in ("stays", "goes"):
        local.server.post(PATH % "going", {"metadata": {"name": name, "finalizers": ["ksa.dev/test"]}})
    use(local, "[accounts prod]\nnamespaces = going\n")
    local.ksactl("accounts", "sync")
    local.server.delete(PATH % "going" + "/goes")
    local.ksactl("accounts", "sync")
    assert set(users(local)) == {"going_stays"}


def test_recreated(local):
    local.server.account("ci", "again")
    use(local, "[accounts prod]\nnamespaces = ci\n")
    local.ksactl("accounts", "sync")
    uid = users(local)["ci_again"]["uid"]
    local.server.delete_account("ci", "again")
    local.server.account("ci", "again")
    local.ksactl("accounts", "sync", status=1)
    assert users(local)["ci_again"]["reasons"] == ["recreated"]
    local.ksactl("accounts", "enable", "ci_again")
    assert users(local)["ci_again"]["state"] == "active" and users(local)["ci_again"]["uid"] == uid
