# SPDX-License-Identifier: BSD-2-Clause
"""A rule with once = yes, and tokens that a real API server made."""
import os
import re

import pytest

import issuer
from cluster_host import STATE
from host import field

USED = STATE / "used"
ONCE = "once = yes"


def marks():
    return sorted(os.listdir(USED))


def test_once(cluster):
    cluster.configure(ONCE)
    token = cluster.token()
    result = cluster.let_in(token)
    assert re.fullmatch("[0-9a-f-]{36}", field(result.line, "jti"))
    mark, = marks()
    assert re.fullmatch(r"%s-[0-9a-f]{64}" % field(result.line, "exp"), mark)
    assert (USED / mark).stat().st_size == 0
    cluster.refused(token, "used-before")
    assert marks() == [mark]
    # The account's next token is another one.
    cluster.let_in(cluster.token())
    assert len(marks()) == 2


def test_once_on_this_host_for_all_such_rules(cluster):
    cluster.configure(ONCE, ONCE + "\nservice = sudo")
    token = cluster.token()
    cluster.let_in(token)
    assert cluster.sudo(token).reasons == ["used-before"]
    # A rule without it does not look, and a login by one leaves no mark.
    cluster.configure("review = never", ONCE + "\nservice = sudo")
    spare = cluster.token()
    for _ in range(2):
        cluster.let_in(spare)
    assert cluster.let_in(token) and cluster.sudo(spare).allowed
    assert cluster.sudo(spare).reasons == ["used-before"]


@pytest.mark.parametrize("demand, reason", (("bound = pod", "not-bound"), ("rbac = yes", "rbac-denied"),
                                            ("review = require", "review-refused")))
def test_what_was_refused_was_not_used(cluster, demand, reason):
    """The mark comes last."""
    cluster.configure(ONCE + "\n" + demand)
    token = cluster.token()
    if reason == "review-refused":
        cluster.server.account("ci", "gone")
        cluster.host.edit("/etc/ksa/ksa.conf", "prod:ci/deployer", "prod:ci/gone")
        token = cluster.token(account="gone")
        cluster.server.delete_account("ci", "gone")
    cluster.refused(token, reason)
    assert marks() == []


def test_once_with_a_review(cluster):
    cluster.configure(ONCE + "\nreview = require")
    token = cluster.token()
    cluster.let_in(token)
    result = cluster.refused(token, "used-before")
    assert field(result.line, "review") == "require"


def test_explain_does_not_use_it_up(cluster):
    cluster.configure(ONCE)
    token = cluster.token()
    path = cluster.host.token_file(token)
    for _ in range(2):
        result = cluster.host.run(["ksactl", "explain", "--token-file", str(path), "--user", "deploy-bot"], user="root")
        assert result.status == 0, result
    assert marks() == []
    cluster.let_in(token)
    result = cluster.host.run(["ksactl", "explain", "--token-file", str(path), "--user", "deploy-bot"], user="root")
    assert result.status != 0 and "used-before" in result.out, result


def test_nowhere_to_keep_it(cluster):
    cluster.configure(ONCE)
    USED.chmod(0o777)
    token = cluster.token()
    cluster.refused(token, "mark-failed")
    assert cluster.pam_code(token)[0] == "AUTHINFO_UNAVAIL"
    USED.chmod(0o700)
    cluster.let_in(token)


def test_many_logins_at_once_are_one(cluster):
    """The module alone, in processes side by side."""
    cluster.configure(ONCE)
    token = cluster.token()
    codes = cluster.pam_codes([token] * 20)
    assert sorted(codes) == ["AUTH_ERR"] * 19 + ["SUCCESS"] and len(marks()) == 1
    assert len(issuer.answers(token)) > 1
