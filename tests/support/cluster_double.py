# SPDX-License-Identifier: BSD-2-Clause
"""A double of an API server: sound answers to TokenReview, SubjectAccessReview and the questions for keys, about
the tokens of issuer.py; and any other answer where a test puts one in its place. The shapes are those that Kubernetes
1.37.2 was seen to give."""
import base64
import collections
import json
import threading

import issuer
from tls_server import TlsServer, page

REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
KEYS = "/openid/v1/jwks"
DISCOVERY = "/.well-known/openid-configuration"
CREDENTIAL = "this-hosts-own-credential"
EXTRA = "authentication.kubernetes.io/"


def claims_of(token):
    """The claims of what has the form of a token; its signature is not looked at."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def document(body, status="201 Created", *headers):
    return page(json.dumps(body).encode(), status, "Content-Type: application/json", *headers)


def failure(code, reason):
    """What an API server says where it does not do what it was asked to."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason, "reason": reason,
            "code": code}
    return document(body, "%d %s" % (code, reason))


class ClusterDouble(TlsServer):
    """
    keys     whose tokens it accepts
    revoked  jti, or name of an account, of tokens that it accepts no more
    access   (verb, name) that RBAC grants; None: everything
    instead  path: what is answered there; bytes, an iterable of them, None (never), or a function of the sound
             document that returns one of these, or a document
    counts   path: how often it was asked
    """

    def __init__(self, certificate, key, *keys, **arguments):
        super().__init__(certificate, key, **arguments)
        self.sound = {REVIEW: self.review, ACCESS: self.access_review, KEYS: self.key_set, DISCOVERY: self.discovery}
        self.open = threading.Event()
        self.reset(*keys)

    def reset(self, *keys):
        self.keys, self.revoked, self.access, self.instead = list(keys), set(), None, {}
        self.counts, self.asked = collections.Counter(), []
        self.held.clear()
        self.open.set()

    def hold(self):
        """From now on an answer waits for go_on(); `held` is set when one does."""
        self.held.clear()
        self.open.clear()

    def go_on(self):
        self.open.set()

    def reply(self, request):
        head, _, body = request.partition("\r\n\r\n")
        path = head.split(" ")[1]
        self.counts[path] += 1
        if not self.open.is_set():
            self.held.set()
            self.open.wait(60)
        if path not in self.sound:
            return failure(404, "NotFound")
        if "authorization: bearer " + CREDENTIAL not in head.lower().split("\r\n"):
            return failure(401, "Unauthorized")
        if path == KEYS and "application/jwk-set+json" not in head:
            return failure(406, "NotAcceptable")
        self.asked.append((path, json.loads(body) if body else None))
        answer = self.sound[path](self.asked[-1][1])
        if path in self.instead:
            instead = self.instead[path]
            answer = instead(answer) if callable(instead) else instead
        if not isinstance(answer, dict):
            return answer
        return document(answer, "201 Created") if body else document(answer, "200 OK", "Cache-Control: public, max-age=3600")

    def review(self, request):
        token, wanted = request["spec"]["token"], request["spec"]["audiences"]
        claims = claims_of(token)
        account = claims["kubernetes.io"]["serviceaccount"]
        audiences = [audience for audience in claims["aud"] if audience in wanted]
        status = {"user": {}, "error": "[invalid bearer token]"}
        if audiences and claims.get("jti") not in self.revoked and account["name"] not in self.revoked:
            status = {"authenticated": True, "user": self.user(claims), "audiences": audiences}
        return {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": request["spec"],
                "status": status}

    @staticmethod
    def user(claims):
        reference = claims["kubernetes.io"]
        groups = ["system:serviceaccounts", "system:serviceaccounts:" + reference["namespace"], "system:authenticated"]
        extra = {EXTRA + "credential-id": ["JTI=" + claims["jti"]]} if "jti" in claims else {}
        if "pod" in reference:
            extra[EXTRA + "pod-name"] = [reference["pod"]["name"]]
            extra[EXTRA + "pod-uid"] = [reference["pod"]["uid"]]
        return {"username": claims["sub"], "uid": reference["serviceaccount"]["uid"], "groups": groups, "extra": extra}

    def access_review(self, request):
        wanted = request["spec"]["resourceAttributes"]
        allowed = self.access is None or (wanted["verb"], wanted["name"]) in self.access
        return {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                "spec": request["spec"], "status": {"allowed": allowed, "reason": "RBAC: so it is" if allowed else ""}}

    def key_set(self, _):
        return json.loads(issuer.jwks(*self.keys))

    def discovery(self, _):
        return {"issuer": issuer.ISSUER, "jwks_uri": self.url + KEYS, "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
