# SPDX-License-Identifier: BSD-2-Clause
"""A throwaway cluster: keys, key sets and service account tokens in the shape that a Kubernetes API
server gives them. It signs with python3-cryptography and shares no code with what it tests; every
part of a token can be replaced, so that a hostile one is one line."""
import base64
import hashlib
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIENCE = "ssh://build-7"
ACCOUNT_UID = "6f8e3c1a-2b4d-4c5e-9f70-8a1b2c3d4e5f"
ABSENT = object()
CURVES = {"ES256": (ec.SECP256R1, hashes.SHA256), "ES384": (ec.SECP384R1, hashes.SHA384),
          "ES512": (ec.SECP521R1, hashes.SHA512)}
CURVE_NAMES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, algorithm="RS256", bits=2048, exponent=65537):
        self.algorithm = algorithm
        if algorithm == "RS256":
            self.private = rsa.generate_private_key(exponent, bits)
        else:
            self.private = ec.generate_private_key(CURVES[algorithm][0]())

    def der(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def kid(self):
        """As the API server computes it."""
        return base64url(hashlib.sha256(self.der()).digest())

    @property
    def size(self):
        """Bytes of a coordinate, or of an RSA signature."""
        return (self.private.key_size + 7) // 8

    def jwk(self, **members):
        numbers = self.private.public_key().public_numbers()
        if self.algorithm == "RS256":
            entry = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        else:
            entry = {"kty": "EC", "crv": CURVE_NAMES[self.algorithm],
                     "x": number(numbers.x, self.size), "y": number(numbers.y, self.size)}
        entry.update({"use": "sig", "kid": self.kid, "alg": self.algorithm})
        entry.update(members)
        return {name: value for name, value in entry.items() if value is not ABSENT}

    def sign(self, data):
        if self.algorithm == "RS256":
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = self.sign_numbers(data)
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")

    def sign_numbers(self, data):
        return utils.decode_dss_signature(self.sign_der(data))

    def sign_der(self, data):
        return self.private.sign(data, ec.ECDSA(CURVES[self.algorithm][1]()))

    def sign_pss(self, data):
        return self.private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def jwks(*entries):
    """A key set of keys, or of entries made by hand."""
    return json.dumps({"keys": [e.jwk() if isinstance(e, Key) else e for e in entries]})


def changed(base, changes):
    result = dict(base)
    result.update(changes)
    return {name: value for name, value in result.items() if value is not ABSENT}


def claims(namespace="ci", account="deployer", audience=AUDIENCE, issued=None, life=600,
           account_uid=ACCOUNT_UID, pod=None, kubernetes=None, **changes):
    """The claims of a bound token. CHANGES replaces claims; ABSENT takes one away."""
    issued = int(time.time()) if issued is None else issued
    reference = {"namespace": namespace, "serviceaccount": {"name": account, "uid": account_uid}}
    if pod:
        reference["pod"] = {"name": pod, "uid": str(uuid.uuid4())}
    return changed({
        "aud": [audience], "exp": issued + life, "iat": issued, "iss": ISSUER,
        "jti": str(uuid.uuid4()), "kubernetes.io": reference if kubernetes is None else kubernetes,
        "nbf": issued, "sub": "system:serviceaccount:%s:%s" % (namespace, account)}, changes)


def legacy_claims(namespace="ci", account="deployer"):
    prefix = "kubernetes.io/serviceaccount/"
    return {"iss": "kubernetes/serviceaccount", prefix + "namespace": namespace,
            prefix + "secret.name": account + "-token-abcde",
            prefix + "service-account.name": account,
            prefix + "service-account.uid": ACCOUNT_UID,
            "sub": "system:serviceaccount:%s:%s" % (namespace, account)}


def compact(value):
    """JSON as Go writes it; bytes and text are taken as they are."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def token(key, payload=None, header=None, sign=None, signature=None):
    """A compact JWS. HEADER is changes to the usual one, or the whole of it as text or bytes;
    PAYLOAD is claims, or the whole of it as text or bytes; SIGN replaces key.sign; SIGNATURE the
    signature's bytes."""
    if not isinstance(header, (str, bytes)):
        header = changed({"alg": key.algorithm, "kid": key.kid}, header or {})
    payload = claims() if payload is None else payload
    signed = base64url(compact(header)) + "." + base64url(compact(payload))
    if signature is None:
        signature = (sign or key.sign)(signed.encode())
    return signed + "." + base64url(signature)


def answers(token):
    """TOKEN as answers to the prompts of pam_ksa, as ksa-askpass gives them."""
    parts = [token[at:at + 500] for at in range(0, len(token), 500)]
    return parts if len(parts[-1]) < 500 else parts + [""]


def token_of_length(key, length, **arguments):
    """A good token of exactly LENGTH bytes, and its kid: an invented claim is as long as it takes, and
    the kid, since base64 leaves every fourth length out. A short one takes a short issuer."""
    payload = claims(**arguments)
    payload["jti"], payload["x"] = "j", ""
    for kid in ("k", "k-", "k--", "k---"):
        other_parts = len(token(key, "", header={"kid": kid}))
        room = length - other_parts
        padding_bytes = room * 3 // 4 - len(compact(payload))
        if room % 4 != 1 and padding_bytes >= 0:
            payload["x"] = "x" * padding_bytes
            return token(key, payload, header={"kid": kid}), kid
    raise ValueError("no token of %d bytes" % length)
