# SPDX-License-Identifier: BSD-2-Clause
"""Key sets that are fetched from real API servers: the first login, a rotation, a rebuilt cluster, two clusters."""
import re

import pytest

import issuer
from apiserver import ApiServer, group_subject, user_subject
from api_double import KEYS
from cluster_host import CACHE, CREDENTIAL, HOST_ACCOUNT, eventually, RealHost
from host import field

DISCOVERY = "/.well-known/openid-configuration"
PLAIN = "review = never"
DISCOVERER = "system:service-account-issuer-discovery"


@pytest.fixture
def keys(cluster):
    """keys = api, and nothing in the cache."""
    cluster.configure(PLAIN, keys="api", host="timeout = 30s")
    return cluster


@pytest.fixture(scope="module")
def other(prepared, tmp_path_factory):
    """A second cluster, of the same issuer unless a test changes it."""
    with ApiServer(prepared.programs, tmp_path_factory.mktemp("other"), port=7443, keys=[issuer.Key("ES256")]) as server:
        RealHost.prepare(server)
        yield server


def rotate(cluster, *keys):
    """The server starts again with these keys, and the host's credential, which timers renew, is of the first of them."""
    cluster.server.restart(*keys)
    cluster.give_credential()


def looked_again(result):
    return field(result.line, "refresh") == "started"


# --- The first login ---

def test_the_first_login_fetches_and_the_next_do_not(keys):
    size, token = keys.server.audit_size(), keys.token()
    assert keys.cached() is None
    assert looked_again(keys.let_in(token))
    event, = keys.requests(size)
    assert event["requestURI"] == KEYS and event["user"]["username"] == "system:serviceaccount:ksa-system:host-verifier"
    assert re.fullmatch(r"ksa-fetch/\S+ \(build-7\)", event["userAgent"])
    assert keys.cached() == [key.kid for key in keys.server.keys] and (CACHE / "prod/keys").stat().st_mode & 0o777 == 0o644
    for _ in range(2):
        assert not looked_again(keys.let_in(token))
    assert len(keys.requests(size)) == 1


def test_a_login_with_keys_needs_no_server(keys):
    token = keys.token()
    keys.ksactl("keys", "refresh", "prod")
    keys.server.kill_server()
    try:
        keys.let_in(token)
        keys.ksactl("keys", "refresh", "prod", status=1)
        keys.let_in(token)
        age(25 * 3600)
        keys.cool_down()
        result = keys.refused(token, "keys-stale")
        assert keys.pam_code(token)[0] == "AUTHINFO_UNAVAIL" and looked_again(result)
    finally:
        keys.server.start()
    keys.cool_down()
    assert looked_again(keys.let_in(token))


def age(seconds):
    """The set was fetched so much earlier."""
    path = CACHE / "prod/keys"
    path.write_text(re.sub(r"(?m)^fetched (\d+)$", lambda found: "fetched %d" % (int(found.group(1)) - seconds), path.read_text()))


def test_a_token_that_fits_no_rule_fetches_nothing(keys):
    """A token that could not be admitted causes no request."""
    keys.server.account("ci", "tester")
    size = keys.server.audit_size()
    keys.ksactl("keys", "refresh", "prod")
    stranger = issuer.Key("ES256")
    for token in (keys.craft(stranger, account="tester"), keys.craft(stranger, issued=1700000000),
                  keys.craft(stranger, life=86400), keys.craft(stranger, audience="ssh://build-8")):
        keys.cool_down()
        result, _ = keys.host.type(issuer.answers(token))
        assert result.reasons == ["unknown-kid"] and " refresh=" not in result.lines[0], result
    assert len(keys.requests(size)) == 1
    keys.cool_down()
    assert looked_again(keys.refused(keys.craft(stranger), "unknown-kid"))
    assert len(keys.requests(size)) == 2


def test_purge(keys):
    token, size = keys.token(), keys.server.audit_size()
    keys.let_in(token)
    keys.ksactl("keys", "purge", "prod")
    assert keys.cached() is None
    assert looked_again(keys.let_in(token)) and keys.cached()
    assert len(keys.requests(size, KEYS)) == 2


# --- Rotation ---

def test_a_rotation(keys):
    old, new = keys.server.keys[0], issuer.Key("ES256")
    before, size = keys.token(), keys.server.audit_size()
    keys.let_in(before)
    rotate(keys, new, old)
    after = keys.token()
    # Within the cooldown no login sends a request; then one does, for all.
    assert looked_again(keys.refused(after, "unknown-kid"))
    assert len(keys.requests(size, KEYS)) == 1
    keys.cool_down()
    assert looked_again(keys.let_in(after))
    assert len(keys.requests(size, KEYS)) == 2
    assert set(keys.cached()) == {old.kid, new.kid}
    keys.let_in(before)
    # Withdrawn: the cached set knows it still, until its next refresh.
    rotate(keys, new)
    assert not looked_again(keys.let_in(before))
    result = keys.ksactl("keys", "refresh", "prod")
    assert "keys-replaced" not in result.err and keys.cached() == [new.kid]
    keys.refused(before, "unknown-kid")
    keys.let_in(after)


def test_a_withdrawn_key_and_a_review(keys):
    """A review knows at once what the cached set does not."""
    old, new = keys.server.keys[0], issuer.Key("RS256")
    keys.configure("review = require", keys="api")
    before = keys.token()
    keys.ksactl("keys", "refresh", "prod")
    rotate(keys, new)
    keys.refused(before, "review-refused")
    assert keys.cached() == [old.kid]


def test_all_keys_replaced(keys):
    """As when a cluster is rebuilt. The host's credential ends with the keys."""
    before, third = keys.token(), issuer.Key("ES384")
    keys.let_in(before)
    keys.server.restart(third)
    after = keys.token()
    keys.cool_down()
    result = keys.refused(after, "unknown-kid")
    failed, = [line for line in result.log if "ksactl" in line and "result=failed" in line]
    assert "reason=api-unauthorized" in failed and 'cluster="prod"' in failed, result
    keys.let_in(before)
    keys.give_credential()
    keys.cool_down()
    result = keys.let_in(after)
    assert len([line for line in result.log if "ksactl" in line and "warning=keys-replaced" in line]) == 1, result
    assert keys.cached() == [third.kid]
    keys.refused(before, "unknown-kid")


# --- Many at once ---

def test_many_logins_at_once_fetch_once(keys):
    """200 side by side: half of them by a new key, half by a key that was not published."""
    old, new, stranger = keys.server.keys[0], issuer.Key("ES256"), issuer.Key("ES256")
    keys.configure(PLAIN, keys="api", host="timeout = 60s")
    keys.ksactl("keys", "refresh", "prod")
    rotate(keys, new, old)
    keys.cool_down()
    good, bad, size = keys.token(), keys.craft(stranger), keys.server.audit_size()
    codes = keys.pam_codes([bad, good] * 100)
    assert codes == ["AUTH_ERR", "SUCCESS"] * 100
    assert len(keys.requests(size)) == 1
    # In the cooldown no login sends a request; after it one does, again for all.
    assert keys.pam_codes([bad, good] * 10) == ["AUTH_ERR", "SUCCESS"] * 10
    assert len(keys.requests(size)) == 1
    keys.cool_down()
    assert keys.pam_codes([bad, good] * 10) == ["AUTH_ERR", "SUCCESS"] * 10
    assert len(keys.requests(size)) == 2


def test_many_first_logins_at_once_fetch_once(keys):
    keys.configure(PLAIN, keys="api", host="timeout = 60s")
    size, token = keys.server.audit_size(), keys.token()
    assert keys.pam_codes([token] * 50) == ["SUCCESS"] * 50
    assert len(keys.requests(size)) == 1


# --- Two clusters ---

def give_other(cluster, other):
    """The second one's CA, and a credential for it."""
    cluster.host.write("/etc/ksa/staging-ca.crt", other.ca.read_text())
    path = CREDENTIAL.with_name("staging")
    cluster.host.write(path, cluster.host.remember(other.create_token(*HOST_ACCOUNT, audience=None)) + "\n", 0o600)
    return path


def add_other(cluster, other, *rules, keys="api", more=""):
    path = give_other(cluster, other)
    text = cluster.cluster("staging", other, "/etc/ksa/staging-ca.crt", keys, "credential_file = %s" % path, more)
    for number, account in enumerate(rules):
        text += "[rule s%d]\naccount = %s\nuser = deploy-bot\nservice = sshd\n" % (number, account)
    cluster.host.write("/etc/ksa/conf.d/staging.conf", text)


def test_two_clusters_of_one_issuer(keys, other):
    """The kid decides, and each has rules and reviews of its own."""
    assert other.issuer == keys.server.issuer
    add_other(keys, other, "staging:ci/deployer", more="review = require")
    ours, theirs = keys.token(), keys.host.remember(other.create_token("ci", "deployer"))
    size, other_size = keys.server.audit_size(), other.audit_size()
    first = keys.let_in(theirs)
    # The token's cluster was unknown: both got a request for keys, and one a review.
    assert (field(first.line, "cluster"), field(first.line, "rule")) == ("staging", "s0")
    second = keys.let_in(ours)
    assert (field(second.line, "cluster"), field(second.line, "rule")) == ("prod", "r1")
    assert [event["requestURI"] for event in keys.requests(size)] == [KEYS]
    their_requests = [event["requestURI"] for event in other.audit_since(other_size) if "ksa-fetch" in event.get("userAgent", "")]
    assert their_requests == [KEYS, "/apis/authentication.k8s.io/v1/tokenreviews"]


def test_a_token_of_a_cluster_without_a_rule(keys, other):
    """Staging must not sign for prod."""
    add_other(keys, other)
    theirs, size = keys.host.remember(other.create_token("ci", "deployer")), other.audit_size()
    # It could only be of prod, as far as rules go: staging is not asked, and prod does not know its key.
    keys.refused(theirs, "unknown-kid")
    assert keys.cached() and keys.cached("staging") is None and other.requests(KEYS, size) == []
    keys.ksactl("keys", "refresh", "--all")
    result = keys.refused(theirs, "no-rule")
    assert field(result.line, "cluster") == "staging"


def test_one_cluster_that_is_down_does_not_take_the_other_along(keys, other):
    add_other(keys, other, "staging:ci/deployer")
    theirs = keys.host.remember(other.create_token("ci", "deployer"))
    keys.server.kill_server()
    try:
        keys.let_in(theirs)
        assert keys.cached() is None and keys.cached("staging")
    finally:
        keys.server.start()


# --- Discovery ---

@pytest.mark.parametrize("public", (False, True), ids=("by the host's account", "by anybody, elsewhere"))
def test_discover(cluster, other, public):
    """A bearer for the API server's own address alone; keys at another one are there for anybody, or not at all."""
    shared, address = other.issuer, "https://localhost:7443" + KEYS
    try:
        other.issuer, other.jwks_uri = other.url, address if public else None
        other.restart()
        cluster.configure()
        add_other(cluster, other, "staging:ci/deployer", keys="discover", more="keys_ca_file = /etc/ksa/staging-ca.crt")
        token, size = cluster.host.remember(other.create_token("ci", "deployer")), other.audit_size()
        if public:
            assert cluster.login(token).reasons == ["keys-unusable"]
            assert requests_of(other, size)[-1] == (KEYS, "system:anonymous", 403)
            other.bind("anybody", DISCOVERER, group_subject("system:unauthenticated"))
            eventually(lambda: other.request("GET", KEYS, headers={"Accept": "*/*"}).status == 200)
            cluster.cool_down("staging")
            size = other.audit_size()
        assert looked_again(cluster.let_in(token))
        account = "system:serviceaccount:ksa-system:host-verifier"
        assert requests_of(other, size) == [(DISCOVERY, account, 200), (KEYS, "system:anonymous" if public else account, 200)]
        assert cluster.cached("staging") == [key.kid for key in other.keys]
    finally:
        other.issuer, other.jwks_uri = shared, None
        other.restart()


def requests_of(server, size):
    return [(event["requestURI"], event["user"]["username"], event["responseStatus"]["code"])
            for event in server.audit_since(size) if event.get("userAgent", "").startswith("ksa-fetch/")]


def test_an_account_that_may_not_read_the_keys(cluster):
    """Every service account may by default; a certificate's user may not."""
    for end, path in zip(("crt", "key"), cluster.server.clients.issue("reader", "DNS:reader")):
        cluster.host.write("/etc/ksa/client." + end, path.read_text(), 0o600)
    cluster.configure(PLAIN, keys="api",
                      credential="client_cert_file = /etc/ksa/client.crt\nclient_key_file = /etc/ksa/client.key")
    token = cluster.token()
    result = cluster.refused(token, "keys-unusable")
    assert [line for line in result.log if "ksactl" in line and "reason=api-forbidden" in line], result
    cluster.server.bind("reader", DISCOVERER, user_subject("reader"))
    eventually(lambda: cluster.cool_down() or cluster.login(token).allowed)
    cluster.server.unbind("reader")
