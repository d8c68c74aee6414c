# SPDX-License-Identifier: BSD-2-Clause
"""Logins whose keys are fetched: through sshd, the real ksactl and the real ksa-fetch, from a server of bytes."""
import re

import pytest

import issuer
from api_double import KEYS, bearer_of, jwks_page
from cluster_host import CACHE, CREDENTIAL, LOCKS, DoubleHost
from tls_server import page

RULE = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.give_credential()
        cluster.configure(cluster.section(), RULE)
        cluster.server.pages[KEYS] = jwks_page(host.key)
        yield cluster
        cluster.assert_no_token_in_outputs()


def login(cluster, key=None, **claims):
    result = cluster.host.ssh(cluster.host.token(key, **claims), KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7")
    assert bool(result.allowed) == (result.out == "deploy-bot\n"), result
    return result


def test_the_first_login_fetches_the_keys(cluster):
    result = login(cluster)
    assert result.allowed, result
    assert cluster.cached() == [cluster.host.key.kid] and len(cluster.requests()) == 1
    assert len([line for line in result.log if 'result=refreshed cluster="prod" keys=1' in line]) == 1
    assert login(cluster).allowed and len(cluster.requests()) == 1


@pytest.mark.parametrize("name", ["--help", "-x"])
def test_a_cluster_whose_name_looks_like_an_option(cluster, name):
    """The login's refresh gives the name to ksactl."""
    cluster.configure(cluster.section(name, more="credential_file = %s\n" % CREDENTIAL), RULE.replace("prod", name))
    assert login(cluster).allowed and len(cluster.requests()) == 1


def test_an_unknown_kid_is_worth_one_refresh(cluster):
    new, third = issuer.Key("ES256"), issuer.Key("ES384")
    assert cluster.refresh("prod").status == 0
    cluster.cool_down()
    cluster.server.pages[KEYS] = jwks_page(cluster.host.key, new)
    assert login(cluster, new).allowed and len(cluster.requests()) == 2
    result = login(cluster, third)
    assert result.reasons == ["unknown-kid"] and len(cluster.requests()) == 2  # within 30 seconds
    assert login(cluster, new).allowed and login(cluster).allowed and len(cluster.requests()) == 2


def test_only_a_token_that_could_be_let_in_is_worth_one(cluster):
    assert cluster.refresh("prod").status == 0
    cluster.cool_down()
    stranger = issuer.Key("ES256")
    for claims in ({"account": "other"}, {"audience": "ssh://other"}, {"life": 90000}, {"issued": 1}):
        assert not login(cluster, stranger, **claims).allowed
    assert len(cluster.requests()) == 1 and cluster.stamp() is None
    assert login(cluster, stranger).reasons == ["unknown-kid"] and len(cluster.requests()) == 2


def test_an_address(cluster):
    cluster.configure(cluster.section(keys=cluster.server.url + "/keys"), RULE)
    cluster.server.pages["/keys"] = jwks_page(cluster.host.key)
    assert login(cluster).allowed
    assert [bearer_of(request) for request in cluster.requests()] == [None]


@pytest.mark.parametrize("answer", [page(b"", "500 Internal Server Error"), page(b'{"keys":[]}'), None], ids=["error", "empty", "silent"])
def test_a_fetch_that_fails(cluster, answer):
    """A token of a new key is refused, and one of the old set is not."""
    assert cluster.refresh("prod").status == 0
    cluster.cool_down()
    before = (CACHE / "prod/keys").read_bytes()
    cluster.configure(cluster.section(), RULE, host="timeout = %ds\n" % (2 if answer is None else 10))
    cluster.server.pages[KEYS] = answer
    assert login(cluster, issuer.Key("ES256")).reasons == ["unknown-kid"] and len(cluster.requests()) == 2
    assert login(cluster).allowed
    assert (CACHE / "prod/keys").read_bytes() == before


def test_a_rebuilt_cluster(cluster):
    """Its first login replaces the set; tokens of the old cluster are good no more."""
    assert cluster.refresh("prod").status == 0
    cluster.cool_down()
    new = issuer.Key("RS256")
    cluster.server.pages[KEYS] = jwks_page(new)
    result = login(cluster, new)
    assert result.allowed and len([line for line in result.log if "warning=keys-replaced" in line]) == 1, result
    assert login(cluster).reasons == ["unknown-kid"]


def test_two_clusters_of_one_issuer(cluster):
    """One that does not answer leaves the other time enough."""
    cluster.server.pages["/silent"] = None
    silent = cluster.section("silent", keys=cluster.server.url + "/silent")
    cluster.configure(silent, cluster.section(), RULE.replace("prod:", "silent:ci/deployer prod:"), host="timeout = 10s\n")
    result = login(cluster)
    assert result.allowed and re.search(r' cluster="prod" ', result.allowed[0]), result
    assert (LOCKS / "silent.stamp").exists()
