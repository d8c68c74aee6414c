# SPDX-License-Identifier: BSD-2-Clause
"""Logins while the cluster cannot be reached for a review, or gives an invalid response: a table.

review = require admits no token that the cluster has not confirmed. review = prefer admits a token, and logs
review=skipped, if the connection failed or no response came in time; for everything else it is as strict."""
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from email.utils import formatdate
from pathlib import Path

import pytest

import faults
import issuer
from api_double import REVIEW, ApiDouble, body_of, claims_of, failure
from faults import CREDENTIAL, nobody_listens
from tls_server import Certificates, TlsServer, page

UNAVAILABLE, DENIED = "AUTHINFO_UNAVAIL", "AUTH_ERR"


# --- Failures: each takes the login_host, before its configuration is written ---

def at(url):
    """api_server is another address."""
    def change(login_host):
        login_host.url = url() if callable(url) else url
    return change


def respond(answer):
    """The server responds as `pages` of ApiDouble has it."""
    def change(login_host):
        login_host.server.pages[login_host.path] = answer
    return change


def status(code, *headers, body=b"{}"):
    return respond(page(body, "%d Status" % code, *headers))


def text(change_text):
    """The valid document, changed as JSON text."""
    return respond(lambda _, document: page(change_text(json.dumps(document)).encode("latin-1"), "201 Created"))


def answer(**members):
    """The valid document, with members of its status replaced; ABSENT removes one."""
    return respond(lambda _, document: dict(document, status=issuer.changed(document["status"], members)))


def user(**members):
    return respond(lambda _, document: dict(document, status=dict(
        document["status"], user=issuer.changed(document["status"]["user"], members))))


def extra(name, value):
    def change(_, document):
        status = document["status"]
        facts = issuer.changed(status["user"]["extra"], {"authentication.kubernetes.io/" + name: value})
        return dict(document, status=dict(status, user=dict(status["user"], extra=facts)))
    return respond(change)


def another_server(make_pair, tune=None):
    """A server whose certificate must be refused, with valid responses."""
    def change(login_host):
        server = ApiDouble(*make_pair(login_host.certificates), login_host.host.key, tune=tune)
        login_host.url = login_host.until_the_end(server).url
    return change


def old_tls(context):
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1


def good(certificates):
    return certificates.issue("old", "IP:127.0.0.1")


def slowly(pieces):
    def send(*_):
        for piece in pieces:
            yield piece
            time.sleep(1)
    return respond(send)


def another_authority(login_host):
    directory = login_host.certificates.directory / "another"
    directory.mkdir(exist_ok=True)
    login_host.ca = Certificates(directory).ca


def no_authority(login_host):
    login_host.ca = None


def broken_authority(login_host):
    login_host.ca = login_host.certificates.directory / "broken.pem"
    login_host.ca.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


CLOSE = b"HTTP/1.1 201 Created\r\nConnection: close\r\n"
BOMB = gzip.compress(b"0" * 50_000_000)

# name: the failure, the reason that is logged
NOT_THERE = {
    "connection refused": (at(nobody_listens), "api-unreachable"),
    "no route": (at("https://192.0.2.1:6443"), "api-unreachable"),
    "a name that nobody knows": (at("https://nowhere.invalid:6443"), "api-unreachable"),
    "never an answer": (respond(None), "api-timeout"),
    "one byte a second": (slowly([bytes([byte]) for byte in page(b"x" * 100)]), "api-timeout"),
    "a body that does not come": (respond([b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n", b"", b"", b""]), "api-timeout"),
}
NOT_PROVEN = {
    "a certificate for another name": (another_server(lambda it: it.issue("other", "DNS:other.example")), "api-tls"),
    "a certificate whose time is over": (another_server(lambda it: it.end(it.issue("ended", "IP:127.0.0.1"))), "api-tls"),
    "a certificate that is not valid yet": (another_server(lambda it: it.begin_later(it.issue("early", "IP:127.0.0.1"))), "api-tls"),
    "a certificate of another authority": (another_authority, "api-tls"),
    "no api_ca_file, and none of the system's": (no_authority, "api-tls"),
    "api_ca_file is no certificate": (broken_authority, "api-tls"),
    "TLS 1.1 at most": (another_server(good, old_tls), "api-tls"),
}
STATUS = {
    "redirected to another path": (status(302, "Location: /other"), "api-answer-invalid"),
    "redirected to another host": (status(307, "Location: https://127.0.0.2:6443/"), "api-answer-invalid"),
    "redirected to http": (status(308, "Location: http://127.0.0.1:6443/"), "api-answer-invalid"),
    "204": (status(204), "api-answer-invalid"),
    "400": (status(400), "api-answer-invalid"),
    "401": (respond(failure(401, "Unauthorized")), "api-unauthorized"),
    "403": (respond(failure(403, "Forbidden")), "api-forbidden"),
    "404": (respond(failure(404, "NotFound")), "api-answer-invalid"),
    "406": (respond(failure(406, "NotAcceptable")), "api-answer-invalid"),
    "429": (status(429), "api-busy"),
    "429 with Retry-After": (status(429, "Retry-After: 77"), "api-busy"),
    "500": (respond(failure(500, "InternalError")), "api-error"),
    "503 in HTML": (status(503, body=b"<html>Service Unavailable</html>"), "api-error"),
}
NOT_WHOLE = {
    "nothing at all": (respond(b"\r\nConnection: close"), "api-answer-invalid"),
    "no HTTP": (respond(b"SSH-2.0-OpenSSH_9.2\r\n\r\nConnection: close"), "api-answer-invalid"),
    "cut in the header": (respond(CLOSE + b"Content-Le"), "api-answer-invalid"),
    "cut in the body": (respond(CLOSE + b"Content-Length: 99\r\n\r\n{"), "api-answer-invalid"),
    "a length that is too large": (respond(lambda _, document: CLOSE + b"Content-Length: 99999\r\n\r\n" +
                                           json.dumps(document).encode()), "api-answer-invalid"),
    "a length that no number holds": (respond(CLOSE + b"Content-Length: 99999999999999999999999\r\n\r\n{}"), "api-answer-invalid"),
    "chunks without an end": (respond(CLOSE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), "api-answer-invalid"),
    "a chunk of no length": (respond(CLOSE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), "api-answer-invalid"),
    "3 MiB": (respond(page(b" " * 3 * 1024 * 1024, "201 Created")), "api-answer-invalid"),
    "3 MiB of header lines": (respond(CLOSE + b"X: " + b"x" * 3 * 1024 * 1024 + b"\r\n\r\n"), "api-answer-invalid"),
    "a gzip bomb": (respond(page(BOMB, "201 Created", "Content-Encoding: gzip")), "api-answer-invalid"),
}
NOT_A_REVIEW = {
    "HTML": (respond(page(b"<html>Welcome</html>", "201 Created")), "api-answer-invalid"),
    "empty": (respond(page(b"", "201 Created")), "api-answer-invalid"),
    "a number": (respond(page(b"1", "201 Created")), "api-answer-invalid"),
    "an empty object": (respond(page(b"{}", "201 Created")), "api-answer-invalid"),
    "cut JSON in a whole answer": (text(lambda text: text[:-1]), "api-answer-invalid"),
    "a second object behind": (text(lambda text: text + text), "api-answer-invalid"),
    "a NUL behind": (text(lambda text: text + "\0"), "api-answer-invalid"),
    "no UTF-8": (text(lambda text: text.replace("system:auth", "\xff\xfe")), "api-answer-invalid"),
    "status twice": (text(lambda text: text[:-1] + ',"status":{"authenticated":true}}'), "api-answer-invalid"),
    "authenticated twice": (text(lambda text: text.replace('"authenticated": true', '"authenticated": false, "authenticated": true')),
                            "api-answer-invalid"),
    "arrays 10 000 deep": (text(lambda text: text[:-1] + ',"x":' + "[" * 10000 + "]" * 10000 + "}"), "api-answer-invalid"),
    "another kind": (respond(lambda _, document: dict(document, kind="SubjectAccessReview")), "api-answer-invalid"),
    "another version": (respond(lambda _, document: dict(document, apiVersion="authentication.k8s.io/v1beta1")), "api-answer-invalid"),
    "no kind": (text(lambda text: text.replace('"kind"', '"kinb"')), "api-answer-invalid"),
    "no status": (text(lambda text: text.replace('"status"', '"statuz"')), "api-answer-invalid"),
    "status null": (respond(lambda _, document: dict(document, status=None)), "api-answer-invalid"),
    "status a list": (respond(lambda _, document: dict(document, status=[document["status"]])), "api-answer-invalid"),
    "authenticated as a text": (answer(authenticated="true"), "api-answer-invalid"),
    "authenticated as a number": (answer(authenticated=1), "api-answer-invalid"),
    "user a text": (answer(user="system:serviceaccount:ci:deployer"), "api-answer-invalid"),
    "username a list": (user(username=["system:serviceaccount:ci:deployer"]), "api-answer-invalid"),
    "audiences a text": (answer(audiences="ssh://build-7"), "api-answer-invalid"),
    "extra a text": (extra("pod-name", "job-1"), "api-answer-invalid"),
}
SAYS_NO = {
    "not authenticated": (answer(authenticated=False), "review-refused"),
    "authenticated null": (answer(authenticated=None), "api-answer-invalid"),
    "authenticated missing": (answer(authenticated=issuer.ABSENT), "review-refused"),
    "an error, and authenticated": (answer(error="token has been invalidated"), "review-refused"),
    "its own words, with an attack on the log": (answer(error='x" result=allow\nreason=ok'), "review-refused"),
    "another account": (user(username="system:serviceaccount:ci:tester"), "review-differs"),
    "the same letters in another namespace": (user(username="system:serviceaccount:ci-deployer:"), "review-differs"),
    "a node": (user(username="system:node:deployer"), "review-differs"),
    "no username": (user(username=issuer.ABSENT), "review-differs"),
    "another uid": (user(uid="00000000-0000-0000-0000-000000000000"), "review-differs"),
    "no uid": (user(uid=issuer.ABSENT), "review-differs"),
    "another audience": (answer(audiences=["ssh://build-8"]), "review-differs"),
    "no audiences": (answer(audiences=issuer.ABSENT), "review-differs"),
    "audiences empty": (answer(audiences=[]), "review-differs"),
    "another Pod": (extra("pod-name", ["job-2"]), "review-differs"),
    "a Pod of the same name, made again": (extra("pod-uid", ["00000000-0000-0000-0000-000000000000"]), "review-differs"),
    "no Pod": (extra("pod-name", issuer.ABSENT), "review-differs"),
    "two Pods": (extra("pod-name", ["job-1", "job-2"]), "review-differs"),
    "another token's id": (extra("credential-id", ["JTI=00000000-0000-0000-0000-000000000000"]), "review-differs"),
    "an id that is none": (extra("credential-id", ["CERTIFICATE=1"]), "review-differs"),
}
TABLE = {**NOT_THERE, **NOT_PROVEN, **STATUS, **NOT_WHOLE, **NOT_A_REVIEW, **SAYS_NO}


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("name", TABLE)
def test_fault(login_host, name, review):
    change, reason = TABLE[name]
    login_host.timeout = 1 if reason == "api-timeout" else faults.PATIENCE
    change(login_host)
    login_host.write(review)
    outcome = login_host.login()
    if name in NOT_THERE and review == "prefer":
        assert (outcome.auth, outcome.reason, outcome.review) == ("SUCCESS", "ok", "skipped"), outcome
    else:
        code = DENIED if reason.startswith("review-") else UNAVAILABLE
        assert (outcome.auth, outcome.reason, outcome.review) == (code, reason, review), outcome
    assert login_host.server.counts[REVIEW] <= 1, outcome  # nothing is asked again
    if reason == "api-timeout":
        assert outcome.seconds >= 0.8, outcome  # the rest is for the report
    assert outcome.field("file") is None, outcome
    if name.endswith("Retry-After"):
        assert "77 s" in outcome.why, outcome


def busy(login_host, *answers):
    """The server gives these responses, one after the other, and then the valid one."""
    left = list(answers)
    login_host.server.pages[REVIEW] = lambda _, document: left.pop(0) if left else document


def too_many(*headers):
    return page(b"{}", "429 Too Many Requests", *headers)


def in_a_second():
    now = time.time()
    return too_many("Date: " + formatdate(now, usegmt=True), "Retry-After: " + formatdate(now + 1, usegmt=True))


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("answer, waits", ((too_many("Retry-After: 1"), 1), (too_many("Retry-After: 0"), 0), (in_a_second(), 1)),
                         ids=("a second", "at once", "a date"))
def test_429_with_retry_after_refused_although_there_was_time(login_host, review, answer, waits):
    login_host.write(review)
    busy(login_host, answer)
    outcome = login_host.login()
    assert (outcome.auth, outcome.reason, outcome.review) == ("SUCCESS", "ok", review), outcome
    assert login_host.server.counts == {REVIEW: 2} and outcome.seconds >= waits


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("answers, times", (([too_many()], 1), ([too_many("Retry-After: 10")], 1), ([too_many("Retry-After: x")], 1),
                                            ([too_many("Retry-After: 0")] * 2, 2), ([too_many("Retry-After: 1"), None], 2)),
                         ids=("no header", "longer than the time that is left", "no time", "twice", "then silence"))
def test_429_is_asked_again_once_and_never_yielded_to(login_host, review, answers, times):
    """Silence after a 429 does not count as an unreachable cluster."""
    login_host.timeout = 5
    login_host.write(review)
    busy(login_host, *answers)
    outcome = login_host.login()
    assert (outcome.auth, outcome.reason, outcome.review) == (UNAVAILABLE, "api-busy", review), outcome
    assert login_host.server.counts == {REVIEW: times}, outcome


@pytest.mark.parametrize("name, mentioned", (
    ("a certificate for another name", ("DNS:other.example", "api_server_name")),
    ("a certificate whose time is over", ("expired", "renew")),
    ("a certificate that is not valid yet", ("not valid yet", "clock")),
    ("a certificate of another authority", ("authority", "api_ca_file"))))
def test_errors_of_certificates_told_apart_in_why_and_remedy(login_host, name, mentioned):
    """One text and one remedy were for all of them."""
    TABLE[name][0](login_host)
    login_host.write("require")
    outcome = login_host.login()
    assert outcome.reason == "api-tls"
    assert mentioned[0] in outcome.why and mentioned[1] in outcome.field("remedy"), outcome


def test_explain_has_names_and_remedy_of_a_wrong_certificate(login_host):
    TABLE["a certificate for another name"][0](login_host)
    login_host.write("require")
    args = ["--json", "--service", "sshd", "--user", "deploy-bot", "--rhost", "10.1.2.3", "--token-file", "-"]
    result = login_host.host.run(["ksactl", "explain", *args], user="root", stdin=login_host.host.token().encode())
    shown = json.loads(result.out)
    assert shown["reason"] == "api-tls" and "DNS:other.example" in shown["why"] and "api_server_name" in shown["remedy"]


def test_api_server_name_is_the_name_that_the_certificate_must_have(login_host):
    """For a cluster whose certificate has only another name than its address; another cluster's name still refuses."""
    pair = login_host.certificates.issue("named", "DNS:api.prod.test")
    server = login_host.until_the_end(ApiDouble(*pair, login_host.host.key))
    login_host.url = server.url
    login_host.write("require")
    assert login_host.login().reason == "api-tls"
    login_host.options["name"] = "api_server_name = other.prod.test"
    login_host.write("require")
    outcome = login_host.login()
    assert outcome.reason == "api-tls" and "other.prod.test" in outcome.why and "DNS:api.prod.test" in outcome.why
    login_host.options["name"] = "api_server_name = api.prod.test"
    login_host.write("require")
    assert login_host.login().auth == "SUCCESS" and server.counts == {REVIEW: 1}


def test_sound(login_host):
    """Without any of the failures above the login is admitted, after one request, about this token."""
    for review, times in (("require", 1), ("prefer", 2), ("never", 2)):
        login_host.write(review)
        token = login_host.host.token(pod="job-1")
        outcome = login_host.login(token)
        assert (outcome.auth, outcome.reason, outcome.review) == ("SUCCESS", "ok", review), outcome
        assert login_host.server.counts == {REVIEW: times}
        assert review == "never" or body_of(login_host.server.requests[-1])["spec"] == {"token": token, "audiences": ["ssh://build-7"]}


def test_revoked(login_host):
    """Signed, not expired, and worthless, with review = prefer as well as require."""
    for review, auth in (("require", DENIED), ("prefer", DENIED), ("never", "SUCCESS")):
        login_host.write(review)
        token = login_host.host.token()
        login_host.server.revoked.add(claims_of(token)["jti"])
        assert login_host.login(token).auth == auth


def test_a_blank_before_the_token_is_no_review(login_host):
    """A real API server trims it, and reports system:anonymous for the rest: it must not get that far."""
    login_host.write("require")
    outcome = login_host.login(" " + login_host.host.token())
    assert outcome.reason == "not-a-token" and login_host.server.counts == {}, outcome


def test_an_anonymous_answer_lets_nobody_in(login_host):
    """The response of a real API server to a token after a space: authenticated, as system:anonymous."""
    login_host.server.pages[REVIEW] = lambda _, document: dict(document, status={
        "authenticated": True, "user": {"username": "system:anonymous", "groups": ["system:unauthenticated"]},
        "audiences": ["ssh://build-7"]})
    login_host.write("require")
    assert login_host.login().reason == "review-differs"


def test_no_file_is_named_where_none_is_wrong(login_host):
    """The log line of every refusal by the cluster named the credential's file."""
    login_host.url = nobody_listens()
    login_host.write("require")
    assert login_host.login().field("file") is None
    CREDENTIAL.unlink()
    assert login_host.login().field("file") == str(CREDENTIAL)


@pytest.mark.parametrize("age, doubted", ((0, True), (3600, False)))
def test_a_401_right_after_the_credential_was_issued(login_host, age, doubted):
    """The remedy was credential init, although its result had just been refused."""
    login_host.write("require")
    claims = issuer.claims("ksa-system", "host-verifier", issuer.ISSUER, int(time.time()) - age, 86400)
    login_host.host.write(CREDENTIAL, issuer.token(login_host.host.key, claims) + "\n", 0o600)
    outcome = login_host.login()
    assert outcome.reason == "api-unauthorized"
    assert ("client_cert_file" in outcome.field("remedy")) == doubted
    assert ("credential init" in outcome.field("remedy")) != doubted


def test_a_review_whose_empty_lists_are_null(login_host):
    """Found: "extra": null, as Go writes an empty map, was called a member of a wrong type."""
    found = json.loads((Path(__file__).parents[1] / "data/found/tokenreview-status-extra-null.json").read_text())
    login_host.write("require")
    for extra, reason in ((None, "ok"), ({"x.example/y": None}, "ok"), ("", "api-answer-invalid"), ({"x": {}}, "api-answer-invalid")):
        found["user"]["extra"] = extra
        respond(lambda _, document: dict(document, status=found))(login_host)
        assert login_host.login(login_host.host.token()).reason == reason
    found["user"]["extra"], found["audiences"] = None, None
    assert login_host.login(login_host.host.token()).reason == "review-differs"  # and not a broken answer
    found["audiences"] = ["ssh://build-7"]
    assert login_host.login(login_host.host.token(pod="job-1")).reason == "review-differs"


def test_plain_http_on_the_port(login_host):
    """No TLS at all: a server that responds is not the cluster."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as plain:
                        plain.recv(1024)
                        plain.sendall(page(b"{}"))

        threading.Thread(target=serve, daemon=True).start()
        login_host.url = "https://127.0.0.1:%d" % listener.getsockname()[1]
        for review in ("require", "prefer"):
            login_host.write(review)
            assert login_host.login().reason in ("api-tls", "api-answer-invalid")
        listener.shutdown(socket.SHUT_RDWR)


def test_the_credential_goes_to_nobody_else(login_host):
    """A server without the cluster's certificate hears nothing of it, and a redirect is not followed."""
    pair = login_host.certificates.issue("stranger", "DNS:other.example")
    with TlsServer(*pair) as stranger, TlsServer(*login_host.certificates.issue("elsewhere", "IP:127.0.0.1")) as elsewhere:
        login_host.url = stranger.url
        login_host.write("require")
        assert login_host.login().reason == "api-tls" and stranger.requests == []
        login_host.url = login_host.server.url
        login_host.server.pages[REVIEW] = page(b"", "307 Temporary Redirect", "Location: %s/" % elsewhere.url)
        login_host.write("require")
        assert login_host.login().reason == "api-answer-invalid" and elsewhere.connections == 0
