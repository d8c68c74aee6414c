# SPDX-License-Identifier: BSD-2-Clause
"""A double of an API server. It answers TokenReview, SubjectAccessReview, requests for keys and lists of service accounts
as Kubernetes 1.37.2 does, about the tokens of issuer.py, or with the response that a test puts in place of the valid one."""
import base64
import collections
import json
import re
import threading
import time
import urllib.parse
import uuid

import issuer
from tls_server import TlsServer, page

REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
KEYS = "/openid/v1/jwks"
DISCOVERY = "/.well-known/openid-configuration"
BEARER = "this-hosts-own-credential"
EXTRA = "authentication.kubernetes.io/"


def claims_of(token):
    """The claims of TOKEN. Its signature is not checked."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def json_page(document, status="200 OK", *headers):
    date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    return page(json.dumps(document).encode(), status, "Content-Type: application/json", date, *headers)


def jwks_page(*keys, max_age=3600, status="200 OK"):
    return page(issuer.jwks(*keys).encode(), status, "Content-Type: application/jwk-set+json",
                "Cache-Control: public, max-age=%d" % max_age)


def failure(code, reason):
    """The Status of a request that the API server does not serve."""
    return json_page({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason,
                      "reason": reason, "code": code}, "%d %s" % (code, reason))


def body_of(request):
    return json.loads(request.partition("\r\n\r\n")[2])


def bearer_of(request):
    lines = [line for line in request.split("\r\n") if line.lower().startswith("authorization: bearer ")]
    return lines[0].split(" ", 2)[2] if lines else None


def issue_for(host, own, **changes):
    """One of `pages`, for the Pod of the claims OWN: issues a token with the audience and lifetime of the request."""
    def issue(request, _):
        spec = body_of(request)["spec"]
        claims = issuer.claims(audience=spec["audiences"][0], life=spec["expirationSeconds"], kubernetes=own["kubernetes.io"])
        token = host.remember(issuer.token(host.key, {**claims, **changes}))
        return {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": {},
                "status": {"token": token, "expirationTimestamp": "2030-01-01T00:00:00Z"}}
    return issue


class AccountList:
    """
    Service accounts as an API server lists them, page by page (GET /api/v1/.../serviceaccounts).

    accounts  [metadata]; add() makes one
    page_max  accounts of a page, even if limit= allows more
    replace   a function of (number of the request from 1, query, valid response) that returns another response, or None
    queries   [(path, query)] of all requests
    """

    def __init__(self):
        self.accounts, self.page_max, self.replace, self.queries, self.version = [], 10**6, None, [], 100

    def add(self, namespace, name, created=None, labels=None, padding=None):
        self.version += 1
        self.accounts.append({
            "name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "labels": labels or {},
            "resourceVersion": str(self.version),
            "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created or 1700000000)),
            "annotations": {"padding": padding} if padding else {}})
        return self.accounts[-1]

    def remove(self, namespace, name):
        self.version += 1
        self.accounts = [one for one in self.accounts if (one["namespace"], one["name"]) != (namespace, name)]

    def document(self, namespace, query):
        listed = [one for one in self.accounts if namespace in (None, one["namespace"])]
        if "labelSelector" in query:  # only key=value
            key, _, value = query["labelSelector"].partition("=")
            listed = [one for one in listed if one["labels"].get(key) == value]
        first = int(query.get("continue", "0").rpartition("+")[2])
        size = min(int(query["limit"]), self.page_max)
        metadata = {"resourceVersion": str(self.version)}
        if first + size < len(listed):
            metadata["continue"] = "next/page+%d" % (first + size)  # must be percent-encoded
        return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": [{"metadata": one} for one in listed[first:first + size]] or None}

    def respond(self, namespace, path, query):
        query = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
        self.queries.append((path, query))
        valid = json_page(self.document(namespace, query))
        other = self.replace(len(self.queries), query, valid) if self.replace else None
        return valid if other is None else other


class ApiDouble(TlsServer):
    """
    keys        whose tokens it accepts
    credential  the only bearer token that it accepts; None: every request is served
    revoked     jti, or name of an account, of tokens that it no longer accepts
    access      (verb, name) that RBAC grants; None: everything
    pages       path: the response in place of the valid one, as in TlsServer, or a document, or a function of (request,
                valid document or None) that returns one of these
    listing     the AccountList
    """

    def __init__(self, certificate, key, *keys, credential=BEARER, **arguments):
        super().__init__(certificate, key, **arguments)
        self.credential = credential
        self.documents = {REVIEW: self.review, ACCESS: self.access_review, KEYS: self.key_set, DISCOVERY: self.discovery}
        self.open = threading.Event()
        self.reset(*keys)

    def reset(self, *keys):
        self.keys, self.revoked, self.access, self.pages, self.listing = list(keys), set(), None, {}, AccountList()
        self.requests.clear()
        self.held.clear()
        self.open.set()

    @property
    def counts(self):
        """path: the number of requests."""
        return collections.Counter(request.split(" ")[1] for request in self.requests)

    def hold(self):
        """From now on a response waits for go_on(); `held` is set when one does."""
        self.held.clear()
        self.open.clear()

    def go_on(self):
        self.open.set()

    def reply(self, request):
        if not self.open.is_set():
            self.held.set()
            self.open.wait(60)
        head, _, body = request.partition("\r\n\r\n")
        path, _, query = head.split(" ")[1].partition("?")
        accounts = re.fullmatch(r"/api/v1/(?:namespaces/([a-z0-9-]+)/)?serviceaccounts", path)
        if path not in self.documents and path not in self.pages and not accounts:
            return failure(404, "NotFound")
        if self.credential not in (None, bearer_of(request)):
            return failure(401, "Unauthorized")
        if path == KEYS and "application/jwk-set+json" not in head:
            return failure(406, "NotAcceptable")
        if accounts:
            return self.listing.respond(accounts.group(1), path, query)
        document = self.documents[path](json.loads(body or "null")) if path in self.documents else None
        response = self.pages.get(path, document)
        if callable(response):
            response = response(request, document)
        if not isinstance(response, dict):
            return response
        return json_page(response, "201 Created") if body else json_page(response, "200 OK", "Cache-Control: public, max-age=3600")

    def review(self, request):
        token, requested = request["spec"]["token"], request["spec"]["audiences"]
        claims = claims_of(token)
        account = claims["kubernetes.io"]["serviceaccount"]
        audiences = [audience for audience in claims["aud"] if audience in requested]
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
        attributes = request["spec"]["resourceAttributes"]
        allowed = self.access is None or (attributes["verb"], attributes["name"]) in self.access
        return {"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                "spec": request["spec"], "status": {"allowed": allowed, "reason": "RBAC: allowed by a RoleBinding" if allowed else ""}}

    def key_set(self, _):
        return json.loads(issuer.jwks(*self.keys))

    def discovery(self, _):
        return {"issuer": issuer.ISSUER, "jwks_uri": self.url + KEYS, "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
