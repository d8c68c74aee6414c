# SPDX-License-Identifier: BSD-2-Clause
"""A cluster's API server: kube-apiserver and etcd as they are released, on loopback of the private host.
It has no controller and no kubelet; tests create the objects that tokens are bound to."""
import contextlib
import http.client
import json
import os
import ssl
import subprocess
import time
import urllib.parse
import uuid

import yaml
from cryptography.hazmat.primitives import serialization

import issuer
from tls_server import Certificates

NAMES = "IP:127.0.0.1,DNS:localhost,DNS:api.prod.test"
SECONDS_TO_START = 120
# One event a request, when it was answered; bodies never. The server's own requests are left out.
AUDIT_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
    {"level": "None", "users": ["system:apiserver"]},
    {"level": "None", "nonResourceURLs": ["/readyz"]},
    {"level": "Metadata"}]}
RBAC = "rbac.authorization.k8s.io"
ADMIN = object()
MARK = "/version?mark="


def account_subject(namespace, name):
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def user_subject(name):
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group_subject(name):
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %s" % (self.status, self.body.decode(errors="replace"))


class ApiServer:
    """PROGRAMS is the directory of kube-apiserver and etcd. The server listens on PORT, etcd on the next two. The
    first of KEYS signs, all of them are published. Another cluster has another directory and port."""

    def __init__(self, programs, directory, port=6443, keys=None, issuer_url=issuer.ISSUER, jwks_uri=None, options=()):
        self.programs, self.directory, self.port = programs, directory, port
        self.keys = list(keys or [issuer.Key("RS256")])
        self.issuer, self.jwks_uri, self.options = issuer_url, jwks_uri, options
        self.url = "https://127.0.0.1:%d" % port
        self.etcd_url = "http://127.0.0.1:%d" % (port + 1)
        self.etcd = self.server = None
        self.audit_log = directory / "audit.log"
        directory.mkdir(exist_ok=True)
        # Whom the server is known by, and whom the server knows: two authorities.
        for name in ("server-ca", "client-ca"):
            (directory / name).mkdir()
        self.certificates, self.clients = Certificates(directory / "server-ca"), Certificates(directory / "client-ca")
        self.ca = self.certificates.ca
        self.serving = self.certificates.issue("api", NAMES)
        self.admin = self.clients.issue("admin", "DNS:admin", groups=["system:masters"])
        (directory / "audit.json").write_text(json.dumps(AUDIT_POLICY))
        self.audit_log.touch()

    # --- Its life ---

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts what does not run, and returns when the server is ready."""
        if not self.etcd:
            self.etcd = self._spawn("etcd", self._etcd_options())
        if not self.server:
            self.server = self._spawn("kube-apiserver", self._server_options())
        end = time.monotonic() + SECONDS_TO_START
        while not self._is_ready():
            for process, name in ((self.etcd, "etcd"), (self.server, "kube-apiserver")):
                assert process.poll() is None, "%s ended:\n%s" % (name, self._log(name))
            assert time.monotonic() < end, "not ready after %d s:\n%s" % (SECONDS_TO_START, self._log("kube-apiserver"))
            time.sleep(0.1)

    def stop(self):
        self.kill_server()
        self._kill(self.etcd)
        self.etcd = None

    def kill_server(self):
        """The server alone, as in an outage: start() has it back, with all its objects."""
        self._kill(self.server)
        self.server = None

    def restart(self, *keys):
        """With other signing keys, or the same: the first signs, all are published. Objects stay."""
        self.kill_server()
        self.keys = list(keys) or self.keys
        self.start()

    def _spawn(self, name, options):
        words = [os.path.join(self.programs, name)] + ["--%s=%s" % option for option in options]
        with open(self.directory / (name + ".log"), "ab") as log:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @staticmethod
    def _kill(process):
        # A graceful end takes it 20 s.
        if process:
            process.kill()
            process.wait(30)

    def _log(self, name):
        return (self.directory / (name + ".log")).read_text(errors="replace")[-4000:]

    def _is_ready(self):
        with contextlib.suppress(OSError):
            return self.request("GET", "/readyz").status == 200
        return False

    def _etcd_options(self):
        peer = "http://127.0.0.1:%d" % (self.port + 2)
        return [("name", "default"), ("data-dir", self.directory / "etcd"), ("unsafe-no-fsync", "true"),
                ("listen-client-urls", self.etcd_url), ("advertise-client-urls", self.etcd_url),
                ("listen-peer-urls", peer), ("initial-advertise-peer-urls", peer), ("initial-cluster", "default=" + peer)]

    def _server_options(self):
        return [
            ("etcd-servers", self.etcd_url), ("secure-port", self.port), ("bind-address", "127.0.0.1"),
            ("advertise-address", "127.0.0.1"), ("service-cluster-ip-range", "10.96.0.0/16"),
            ("endpoint-reconciler-type", "none"), ("authorization-mode", "RBAC"),
            ("disable-admission-plugins", "ServiceAccount"),  # no controller creates a namespace's default account here
            ("tls-cert-file", self.serving[0]), ("tls-private-key-file", self.serving[1]),
            ("client-ca-file", self.clients.ca), ("cert-dir", self.directory),
            ("service-account-issuer", self.issuer), *([("service-account-jwks-uri", self.jwks_uri)] if self.jwks_uri else []),
            *self._key_options(),
            ("audit-policy-file", self.directory / "audit.json"), ("audit-log-path", self.audit_log), *self.options]

    def _key_options(self):
        private = self.directory / "signing.key"
        private.write_bytes(self.keys[0].private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        options = [("service-account-signing-key-file", private)]
        for number, key in enumerate(self.keys):
            public = self.directory / ("signing-%d.pub" % number)
            public.write_text(key.pem())
            options.append(("service-account-key-file", public))
        return options

    # --- Requests ---

    def request(self, method, path, body=None, headers=(), bearer=None, certificate=None):
        """Any request, with a token, a client certificate (its file and its key's), ADMIN, or no credential."""
        context = ssl.create_default_context(cafile=self.ca)
        # Python 3.13 requires extensions that the certificates of these tests lack, such as the key usage of the authority.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if certificate:
            context.load_cert_chain(*(self.admin if certificate is ADMIN else certificate))
        headers = dict(headers)
        if bearer is not None:
            headers["Authorization"] = "Bearer " + bearer
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def ask(self, method, path, body=None, allow=(), **headers):
        """As administrator, and it must succeed, or end with a status of ALLOW. The answer's JSON."""
        answer = self.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()},
                              certificate=ADMIN)
        assert answer.status in (200, 201, 202, *allow), (method, path, answer)
        return answer.json

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body, allow=()):
        return self.ask("POST", path, body, allow)

    def patch(self, path, body):
        return self.ask("PATCH", path, body, Content_Type="application/merge-patch+json")

    def delete(self, path):
        return self.ask("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0})

    def apply(self, manifests):
        """Text of YAML documents (or JSON, which is YAML), as kubectl apply takes them. Returns the objects as created."""
        return [self._apply(one) for one in yaml.safe_load_all(manifests) if one]

    def _apply(self, manifest):
        version, metadata = manifest["apiVersion"], manifest["metadata"]
        group = ("/apis/" if "/" in version else "/api/") + version
        kind = next(resource for resource in self.get(group)["resources"]
                    if resource["kind"] == manifest["kind"] and "/" not in resource["name"])
        space = "/namespaces/" + metadata.get("namespace", "default") if kind["namespaced"] else ""
        path = "%s%s/%s/%s?fieldManager=tests&force=true" % (group, space, kind["name"], urllib.parse.quote(metadata["name"]))
        return self.ask("PATCH", path, manifest, Content_Type="application/apply-patch+yaml")

    # --- Objects: an existing one is kept ---

    def namespace(self, name):
        self.post("/api/v1/namespaces", {"metadata": {"name": name}}, allow=[409])

    def account(self, namespace, name):
        """A service account, and its namespace. Returns the object."""
        self.namespace(namespace)
        self.post("/api/v1/namespaces/%s/serviceaccounts" % namespace, {"metadata": {"name": name}}, allow=[409])
        return self.get(self._account_path(namespace, name))

    def annotate_account(self, namespace, name, annotations):
        """None takes an annotation away."""
        return self.patch(self._account_path(namespace, name), {"metadata": {"annotations": annotations}})

    def delete_account(self, namespace, name):
        self.delete(self._account_path(namespace, name))

    def pod(self, namespace, name, account):
        """A Pod object, of which nothing ever runs."""
        return self.post("/api/v1/namespaces/%s/pods" % namespace, {"metadata": {"name": name}, "spec": {
            "serviceAccountName": account, "automountServiceAccountToken": False,
            "containers": [{"name": "job", "image": "none"}]}})

    def delete_pod(self, namespace, name):
        self.delete("/api/v1/namespaces/%s/pods/%s" % (namespace, name))

    def create_token(self, namespace, account, audience=issuer.AUDIENCE, seconds=600, pod=None):
        """By TokenRequest. AUDIENCE: a text, several, or None for the API server's own; POD: a Pod's name."""
        audiences = [] if audience is None else [audience] if isinstance(audience, str) else list(audience)
        spec = {"audiences": audiences, "expirationSeconds": seconds}
        if pod:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod}
        return self.post(self._account_path(namespace, account) + "/token", {"spec": spec})["status"]["token"]

    def grant(self, name, rules, *subjects, namespace=None):
        """A role and its binding, both called NAME; without NAMESPACE of the cluster. The server obeys them
        within moments, not at once: wait_until."""
        self._write_role(name, {"rules": rules}, namespace)
        self.bind(name, name, *subjects, namespace=namespace)

    def bind(self, name, role, *subjects, namespace=None, cluster_role=False):
        """Binds a role that is there: in NAMESPACE a Role, or with CLUSTER_ROLE one of the cluster; without, a ClusterRole."""
        kind = "Role" if namespace and not cluster_role else "ClusterRole"
        self._write_rbac("rolebindings", name, namespace, {
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}, "subjects": list(subjects)})

    def unbind(self, name, namespace=None):
        self.delete(self._rbac_path("rolebindings", namespace) + "/" + name)

    def _write_role(self, name, body, namespace):
        self._write_rbac("roles", name, namespace, body)

    def _write_rbac(self, resource, name, namespace, body):
        self.post(self._rbac_path(resource, namespace), {"metadata": {"name": name}, **body})

    @staticmethod
    def _rbac_path(resource, namespace):
        return "/apis/%s/v1/%s" % (RBAC, "namespaces/%s/%s" % (namespace, resource) if namespace else "cluster" + resource)

    @staticmethod
    def _account_path(namespace, name):
        return "/api/v1/namespaces/%s/serviceaccounts/%s" % (namespace, name)

    def review(self, token, *audiences):
        """The status of a TokenReview of TOKEN."""
        return self.post("/apis/authentication.k8s.io/v1/tokenreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": token, "audiences": list(audiences)}})["status"]

    # --- What was asked of it ---

    def audit_size(self):
        self._audit_flush()
        return self.audit_log.stat().st_size

    def audit_since(self, size=0):
        """The events since, one for each request that was answered; those of the administrator here are among them."""
        self._audit_flush()
        return [event for event in self._events(size) if not event["requestURI"].startswith(MARK)]

    def requests(self, path, size=0):
        """The events since of requests for PATH, with any query."""
        return [event for event in self.audit_since(size) if event["requestURI"].partition("?")[0] == path]

    def _events(self, size):
        with open(self.audit_log) as lines:
            lines.seek(size)
            return [json.loads(line) for line in lines]

    def _audit_flush(self):
        """Asks something of our own, and waits until it is written: then all that came before is."""
        mark, end = MARK + uuid.uuid4().hex, time.monotonic() + 30
        start = self.audit_log.stat().st_size
        self.get(mark)
        with open(self.audit_log) as log:
            log.seek(start)
            written = ""
            while mark not in written or not written.endswith("\n"):
                assert time.monotonic() < end, "there is no audit log"
                written += log.read()
                os.sched_yield()
