# SPDX-License-Identifier: BSD-2-Clause
"""Further requirements of a rule: RBAC, and a token that is bound to a Pod; each through a whole login with a valid
cluster."""
import json
import time
from pathlib import Path

import pytest

from api_double import ACCESS, BEARER, REVIEW, body_of, failure
import faults
import issuer
from tls_server import page


@pytest.fixture
def ruled(login_host):
    login_host.write("never", rule="rbac = yes", host="class = build ci-runner")
    login_host.server.access = set()
    return login_host


@pytest.mark.parametrize("granted, reviews", ((("login", "build-7"), 1), (("login", "build"), 2), (("login", "ci-runner"), 3),
                                              (("sudo", "build-7"), 3), (("login", "build-8"), 3), (("login", "*"), 3)))
def test_rbac(ruled, granted, reviews):
    """The host by its name, then each class until one is granted; sudo's grant is another one."""
    ruled.server.access = {granted}
    outcome = ruled.login()
    allowed = granted[0] == "login" and granted[1] in ("build-7", "build", "ci-runner")
    assert (outcome.auth, outcome.reason) == (("SUCCESS", "ok") if allowed else ("PERM_DENIED", "rbac-denied")), outcome
    assert ruled.server.counts == {REVIEW: 1, ACCESS: reviews}  # rbac means a review, and that comes first


def test_rbac_of_sudo(ruled):
    ruled.server.access = {("sudo", "build")}
    assert ruled.login(service="sudo").auth == "SUCCESS"
    assert ruled.login(service="sshd").auth == "PERM_DENIED"


def test_what_is_asked(ruled):
    """The user, uid and groups that the API server itself would have made of the token."""
    ruled.server.access = None
    token = ruled.host.token(pod="job-1")
    ruled.login(token)
    spec = body_of(ruled.server.requests[-1])["spec"]
    assert spec["user"] == "system:serviceaccount:ci:deployer" and spec["uid"] == issuer.ACCOUNT_UID
    assert spec["groups"] == ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"]
    assert spec["resourceAttributes"] == {"group": "ksa.dev", "resource": "hosts", "verb": "login", "name": "build-7", "namespace": "ci"}
    assert spec["extra"]["authentication.kubernetes.io/pod-name"] == ["job-1"]


def test_a_refusal_by_rbac_has_the_reason_of_the_api_server(ruled):
    """A RoleBinding whose Role has a typing error: the API server reports it, and the log did not."""
    found = json.loads((Path(__file__).parents[1] / "data/found/sar-answer-dangling-rolebinding.json").read_text())
    ruled.server.pages[ACCESS] = found
    outcome = ruled.login()
    assert (outcome.auth, outcome.reason) == ("PERM_DENIED", "rbac-denied")
    assert found["status"]["reason"].replace('"', "'") in outcome.why, outcome
    ruled.server.pages[ACCESS] = access(allowed=False, reason="x" * 5000 + '" result=allow')
    outcome = ruled.login()
    assert outcome.reason == "rbac-denied" and "xxx" in outcome.why and outcome.field("remedy"), outcome


@pytest.mark.parametrize("path", (REVIEW, ACCESS))
def test_a_403_has_the_message_of_the_api_server(ruled, path):
    """As it is from a real one: which account may not ask what."""
    message = ('tokenreviews.authentication.k8s.io is forbidden: User "system:serviceaccount:ksa-system:host-verifier" cannot create'
               ' resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope')
    ruled.server.pages[path] = failure(403, message)
    outcome = ruled.login()
    assert (outcome.auth, outcome.reason) == ("AUTHINFO_UNAVAIL", "api-forbidden")
    assert message.replace('"', "'") in outcome.why, outcome


def test_a_message_that_repeats_the_token(ruled):
    """login() looks for every part of the token and of the credential in the log."""
    token = ruled.host.token()
    ruled.server.pages[REVIEW] = failure(403, "cannot review %s with %s" % (token, BEARER))
    assert ruled.login(token).reason == "api-forbidden"
    ruled.server.pages[REVIEW] = failure(403, token[-120:])
    assert ruled.login(token).reason == "api-forbidden"


def access(**members):
    return lambda _, document: dict(document, status=issuer.changed(document["status"], members))


FAULTS = {
    "denied beside allowed": (access(denied=True), "PERM_DENIED", "rbac-denied"),
    "an error beside allowed": (access(evaluationError="role not found"), "PERM_DENIED", "rbac-denied"),
    "allowed as a text": (access(allowed="true"), "AUTHINFO_UNAVAIL", "api-answer-invalid"),
    "allowed missing": (access(allowed=issuer.ABSENT), "AUTHINFO_UNAVAIL", "api-answer-invalid"),
    "no status": (lambda _, document: dict(document, status=None), "AUTHINFO_UNAVAIL", "api-answer-invalid"),
    "a TokenReview": (lambda _, document: dict(document, kind="TokenReview"), "AUTHINFO_UNAVAIL", "api-answer-invalid"),
    "403": (failure(403, "Forbidden"), "AUTHINFO_UNAVAIL", "api-forbidden"),
    "429": (failure(429, "TooManyRequests"), "AUTHINFO_UNAVAIL", "api-busy"),
    "500": (failure(500, "InternalError"), "AUTHINFO_UNAVAIL", "api-error"),
    "HTML": (page(b"<html>"), "AUTHINFO_UNAVAIL", "api-answer-invalid"),
    "silence": (None, "AUTHINFO_UNAVAIL", "api-timeout"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_rbac_fault(ruled, name):
    """review = prefer yields to nothing here: rbac = yes means that the cluster must have been asked."""
    answer, auth, reason = FAULTS[name]
    ruled.server.access = None
    ruled.server.pages[ACCESS] = answer
    ruled.timeout = 1 if reason == "api-timeout" else faults.PATIENCE
    ruled.write("prefer", rule="rbac = yes", host="class = build ci-runner")
    outcome = ruled.login()
    assert (outcome.auth, outcome.reason, outcome.review) == (auth, reason, "require"), outcome


@pytest.mark.parametrize("review", ("never", "prefer", "require"))
def test_bound(login_host, review):
    """A Pod that only the token's claims name does not count: the cluster must confirm it."""
    login_host.write(review, rule="bound = pod")
    outcome = login_host.login(login_host.host.token())
    assert (outcome.auth, outcome.reason) == ("AUTH_ERR", "not-bound") and login_host.server.counts == {}, outcome
    outcome = login_host.login(login_host.host.token(pod="job-1"))
    assert (outcome.auth, outcome.review) == ("SUCCESS", "require") and login_host.server.counts == {REVIEW: 1}, outcome
    login_host.server.pages[REVIEW] = None
    login_host.timeout = 1
    login_host.write(review, rule="bound = pod")
    assert login_host.login(login_host.host.token(pod="job-1")).reason == "api-timeout"


def test_all_questions_share_one_deadline(ruled):
    """Three slow answers are not three times as long."""
    def slow(_, document):
        body = json.dumps(document).encode()
        yield b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body)
        time.sleep(0.7)
        yield body

    ruled.server.pages = {REVIEW: slow, ACCESS: slow}
    ruled.timeout = 2
    ruled.write("require", rule="rbac = yes", host="class = build ci-runner")
    outcome = ruled.login()
    assert outcome.reason == "api-timeout" and ruled.server.counts[ACCESS] < 3, outcome
