# SPDX-License-Identifier: BSD-2-Clause
"""The host's own credential and a real API server: the first one, those that it asks for itself, and logins with them."""
import base64
import json
import re
import subprocess
import time

import pytest

import host as private_host
import issuer
from apiserver import ApiServer, account_subject
from api_double import REVIEW
from cluster_host import CA, CREDENTIAL, HOST_ACCOUNT, eventually, RealHost, up_for
from host import field
from test_traces import holds, pieces

OWN_TOKEN = "/api/v1/namespaces/ksa-system/serviceaccounts/host-verifier/token"
REQUIRED = "review = require"


@pytest.fixture
def cluster(host, manifests):
    """As after kubectl apply -f host-account.yaml, and before the first token."""
    both = RealHost(host, manifests)
    both.reset()
    both.configure(REQUIRED)
    CREDENTIAL.unlink()
    begin = host.log_size()
    yield both
    outputs, wanted = "\n".join(host.log_since(begin) + host.outputs), pieces(host.tokens)
    assert not holds(outputs.encode(), wanted)


def first_token(cluster, account=HOST_ACCOUNT, seconds=3600):
    """Creates a token as the administrator does with kubectl."""
    return cluster.host.remember(cluster.server.create_token(*account, audience=None, seconds=seconds))


def init(cluster, *args, token=None, status=0):
    return cluster.ksactl("credential", "init", "prod", *args, stdin=(token or first_token(cluster)).encode() + b"\n",
                          status=status)


def kept(cluster):
    """The claims of the host's credential."""
    assert CREDENTIAL.stat().st_mode & 0o777 == 0o600
    payload = cluster.host.remember(CREDENTIAL.read_text().strip()).split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def our_line(result):
    line, = [line for line in result.log if "ksactl" in line and " result=" in line]
    return line


def shown(cluster, status=0):
    one, = json.loads(cluster.ksactl("credential", "show", "prod", "--json", status=status).out)["credentials"]
    return one


def test_the_way_of_the_manifest(cluster):
    """The first token on standard input; then a login that asks."""
    result = cluster.login(cluster.token())
    assert result.reasons == ["file-missing"], result
    first = first_token(cluster)
    size = cluster.server.audit_size()
    line = our_line(init(cluster, token=first))
    assert CREDENTIAL.read_text().strip() != first
    claims = kept(cluster)
    assert claims["exp"] - claims["iat"] == 86400
    assert "result=stored" in line and field(line, "jti") == claims["jti"] and field(line, "expires") == str(claims["exp"])
    event, = cluster.requests(size)
    assert (event["verb"], event["requestURI"], event["responseStatus"]["code"]) == ("create", OWN_TOKEN, 201)
    assert event["annotations"]["authentication.kubernetes.io/issued-credential-id"] == "JTI=" + claims["jti"]
    cluster.let_in(cluster.token())
    event, = cluster.requests(size, REVIEW)
    assert event["user"]["extra"]["authentication.kubernetes.io/credential-id"] == ["JTI=" + claims["jti"]]


def test_show(cluster):
    assert shown(cluster, status=1)["problem"]
    init(cluster)
    claims, one = kept(cluster), shown(cluster)
    assert (one["account"], one["issued"], one["expires"]) == ("ksa-system/host-verifier", claims["iat"], claims["exp"])
    assert one["audiences"] == claims["aud"] == [cluster.server.issuer]
    life = claims["exp"] - claims["iat"]
    assert claims["iat"] + life // 4 <= one["due"] <= claims["iat"] + life // 2 and one["problem"] is None
    assert "ksa-system/host-verifier" in cluster.ksactl("credential", "show", "prod").out


def test_it_renews_itself_again_and_again(cluster):
    """Each asks for the next: the audit log has the chain."""
    init(cluster, "--duration", "10m")
    size, chain = cluster.server.audit_size(), [kept(cluster)]
    for _ in range(5):
        assert "result=renewed" in our_line(cluster.ksactl("credential", "renew", "prod"))
        chain.append(kept(cluster))
    assert len({claims["jti"] for claims in chain}) == 6
    assert {claims["exp"] - claims["iat"] for claims in chain} == {600}
    events = cluster.requests(size, OWN_TOKEN)
    for before, after, event in zip(chain[:-1], chain[1:], events, strict=True):
        assert event["user"]["extra"]["authentication.kubernetes.io/credential-id"] == ["JTI=" + before["jti"]]
        assert event["annotations"]["authentication.kubernetes.io/issued-credential-id"] == "JTI=" + after["jti"]
    cluster.let_in(cluster.token())


def test_if_due(cluster):
    """Between a quarter and half of its life."""
    now, account = int(time.time()), dict(namespace="ksa-system", account="host-verifier", audience=cluster.server.issuer)
    size = cluster.server.audit_size()
    for issued, due in ((now - 140, False), (now - 310, True)):
        cluster.write_credential(cluster.craft(issued=issued, life=600, **account))
        before = kept(cluster)
        cluster.host.run([*up_for(), "ksactl", "credential", "renew", "--all", "--if-due"], user="root")
        assert (kept(cluster) != before) == due
    assert len(cluster.requests(size)) == 1


def test_the_server_is_away(cluster):
    init(cluster)
    before = CREDENTIAL.read_bytes()
    cluster.server.kill_server()
    try:
        line = our_line(cluster.ksactl("credential", "renew", "prod", status=1))
        assert "result=failed reason=api-unreachable" in line and CREDENTIAL.read_bytes() == before
    finally:
        cluster.server.start()
    cluster.ksactl("credential", "renew", "prod")
    assert CREDENTIAL.read_bytes() != before
    cluster.let_in(cluster.token())


def test_without_the_role(cluster):
    """The given one is kept, with a warning; reviews work until it ends."""
    plain = ("ksa-system", "plain")
    cluster.server.account(*plain)
    cluster.server.bind("plain", "system:auth-delegator", account_subject(*plain))
    given = first_token(cluster, plain)
    result = init(cluster, token=given, status=1)
    line = our_line(result)
    assert "result=stored" in line and "warning=not-renewed" in line and "Role" in line and "warning=not-renewed" in result.err
    assert CREDENTIAL.read_text().strip() == given
    eventually(lambda: cluster.login(cluster.token()).allowed)
    line = our_line(cluster.ksactl("credential", "renew", "prod", status=1))
    assert "result=failed reason=api-forbidden" in line and CREDENTIAL.read_text().strip() == given
    cluster.let_in(cluster.token())
    # The administrator sees to it.
    cluster.server.grant("plain", [{"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": ["plain"],
                                    "verbs": ["create"]}], account_subject(*plain), namespace="ksa-system")
    eventually(lambda: cluster.host.run(["ksactl", "credential", "renew", "prod"], user="root").status == 0)
    assert CREDENTIAL.read_text().strip() != given
    cluster.server.unbind("plain")
    cluster.server.unbind("plain", "ksa-system")


@pytest.mark.parametrize("given", ("of a stranger", "for a login", "over", "no token"))
def test_what_is_no_first_token(cluster, given):
    """The credential that is there stays."""
    init(cluster)
    before = CREDENTIAL.read_bytes()
    account = dict(namespace="ksa-system", account="host-verifier", audience=cluster.server.issuer)
    token = {"of a stranger": lambda: cluster.craft(issuer.Key("ES256"), **account),
             "for a login": lambda: cluster.token(*HOST_ACCOUNT),
             "over": lambda: cluster.craft(issued=int(time.time()) - 4000, life=3600, **account),
             "no token": lambda: "hunter2-hunter2-hunter2-hunter2"}[given]()
    result = init(cluster, token=token, status=1)
    assert "result=failed" in our_line(result) and CREDENTIAL.read_bytes() == before
    assert "hunter2" not in repr(result)
    cluster.let_in(cluster.token())


def test_a_deleted_account_of_hosts(cluster):
    """This is how an administrator shuts them out."""
    taken = ("ksa-system", "taken")
    cluster.server.account(*taken)
    cluster.server.bind("taken", "system:auth-delegator", account_subject(*taken))
    init(cluster, token=first_token(cluster, taken), status=1)
    cluster.server.delete_account(*taken)

    def shut_out():
        return cluster.host.run(["ksactl", "credential", "renew", "prod"], user="root").log[-1]
    eventually(lambda: "reason=api-unauthorized" in shut_out())
    cluster.refused(cluster.token(), "api-unauthorized")
    assert CREDENTIAL.exists()
    init(cluster)
    cluster.let_in(cluster.token())


def test_renewals_side_by_side(cluster):
    init(cluster)
    size = cluster.server.audit_size()
    started = [subprocess.Popen(["ksactl", "credential", "renew", "prod"], stderr=subprocess.DEVNULL) for _ in range(10)]
    assert [process.wait(60) for process in started] == [0] * 10
    issued = [event["annotations"]["authentication.kubernetes.io/issued-credential-id"]
              for event in cluster.requests(size, OWN_TOKEN)]
    # One after the other, each from the one before; the last one stays.
    assert len(issued) == 10 and issued[-1] == "JTI=" + kept(cluster)["jti"]
    cluster.let_in(cluster.token())


def test_a_rotation_of_signing_keys(cluster):
    """A host that renewed its credential while both keys were there has nothing to fear."""
    old, new = cluster.server.keys[0], issuer.Key("ES256")
    cluster.configure(REQUIRED, keys="api")
    init(cluster)
    cluster.let_in(cluster.token())
    cluster.server.restart(new, old)
    cluster.ksactl("credential", "renew", "prod")
    cluster.ksactl("keys", "refresh", "prod")
    cluster.server.restart(new)
    cluster.ksactl("keys", "refresh", "prod")
    cluster.let_in(cluster.token())


def test_a_cluster_that_was_rebuilt(cluster, tmp_path):
    """The way of ksa-clusters(7): purge, the new CA, the first credential, refresh."""
    cluster.configure(REQUIRED, "review = never\nservice = sudo", keys="api")
    init(cluster)
    before = cluster.token()
    cluster.let_in(before)
    cluster.server.stop()
    try:
        with ApiServer(cluster.server.programs, tmp_path / "rebuilt") as rebuilt:
            new = RealHost(cluster.host, rebuilt)
            for name in ("host-account.yaml", "login-grants.yaml"):
                rebuilt.apply((private_host.SOURCE / "packaging/kubernetes" / name).read_text())
            after = new.token()
            # Another CA: no request is sent. The cached keys admit the old token, if no review is required.
            result = new.refused(before, "api-tls")
            assert new.sudo(before).allowed
            new.cool_down()
            result = new.refused(after, "unknown-kid")
            assert [line for line in result.log if "ksactl" in line and "reason=api-tls" in line], result
            new.ksactl("keys", "purge", "prod")
            new.host.write(CA, rebuilt.ca.read_text())
            eventually(lambda: new.host.run(["ksactl", "credential", "init", "prod"], user="root",
                                            stdin=first_token(new).encode()).status == 0)
            new.ksactl("keys", "refresh", "prod")
            new.let_in(after)
            assert new.sudo(before).reasons == ["unknown-kid"]
    finally:
        cluster.server.start()


def test_status_without_a_role(cluster):
    """It was green: the server knew the account, and every login that asked was refused."""
    def status():
        result = cluster.host.run(["ksactl", "status", "--json"], user="root")
        return result.status, json.loads(result.out)["clusters"][0]["api"]

    init(cluster)
    code, api = status()
    assert (code, api["may_review"], api["may_ask_rbac"], api["may_renew"]) == (0, True, None, True)
    assert api["user"] == "system:serviceaccount:ksa-system:host-verifier"
    cluster.server.unbind("ksa-host-verifier")
    try:
        code, api = eventually(lambda: (found := status())[0] and found)
        assert code == 2 and api["may_review"] is False and api["may_renew"] is True and "host-account.yaml" in api["remedy"]
        cluster.refused(cluster.token(), "api-forbidden")
    finally:
        cluster.server.apply((private_host.SOURCE / "packaging/kubernetes/host-account.yaml").read_text())
    eventually(lambda: status()[0] == 0)
    eventually(lambda: cluster.login(cluster.token()).allowed)
    cluster.server.delete("/apis/rbac.authorization.k8s.io/v1/namespaces/ksa-system/rolebindings/ksa-host-verifier-token")
    try:
        code, api = eventually(lambda: (found := status())[0] and found)
        assert code == 1 and (api["may_review"], api["may_renew"]) == (True, False)
    finally:
        cluster.server.apply((private_host.SOURCE / "packaging/kubernetes/host-account.yaml").read_text())
    eventually(lambda: status()[0] == 0)


def test_a_credential_that_is_over(cluster):
    """The log line of a login names the command that helps."""
    init(cluster)
    cluster.write_credential(cluster.craft(namespace="ksa-system", account="host-verifier", audience=cluster.server.issuer,
                                           issued=int(time.time()) - 7200))
    assert "expired" in shown(cluster, status=1)["problem"]
    result = cluster.refused(cluster.token(), "api-unauthorized")
    assert re.search(r'remedy="[^"]*ksactl credential init', result.line), result
    init(cluster)
    cluster.let_in(cluster.token())
