# SPDX-License-Identifier: BSD-2-Clause
"""More attacks of tests/attacks.tsv at the level of the decision: the token of
each row, and its configuration. A case takes the AttackSetup (test_attack_cases.py) and returns the token."""
import base64
import functools
import hashlib
import hmac

import issuer
from issuer import ABSENT

ACCOUNT = "system:serviceaccount:%s:%s"
NOW = 1790000000  # when all of these log in


@functools.lru_cache(maxsize=None)
def key(algorithm="RS256", bits=2048, number=0):
    """Keys are made once; NUMBER distinguishes keys of one kind."""
    return issuer.Key(algorithm, bits)


def token(which=None, header=None, payload=None, sign=None, signature=None, **claims):
    """A valid token of NOW, except for the named parts."""
    claims.setdefault("issued", NOW)
    return issuer.token(which or key(), issuer.claims(**claims) if payload is None else payload, header, sign, signature)


def raw_header(text):
    return lambda attack: token(header=text.replace("KID", key().kid) if isinstance(text, str) else text)


def header(**members):
    return lambda attack: token(header=members)


def raw_payload(payload):
    return lambda attack: token(payload=payload)


def claims(**changes):
    return lambda attack: token(**changes)


def claim_text(old, new):
    """The payload with OLD replaced in its text, as no JSON writer would write it."""
    def case(attack):
        text = issuer.compact(issuer.claims(issued=NOW)).decode()
        assert old in text
        return token(payload=text.replace(old, new, 1).encode("latin-1"))
    return case


def changed(change):
    """A good token, changed as text."""
    return lambda attack: change(token())


def part(number, change):
    def case(attack):
        parts = token().split(".")
        parts[number] = change(parts[number])
        return ".".join(parts)
    return case


def times(**offsets):
    return lambda attack: token(**{name: NOW + offset for name, offset in offsets.items()})


# --- Shape ---

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def other_last_bits(text):
    """The same bytes for a careless decoder: the last character has bits that belong to no byte."""
    assert len(text) % 4 in (2, 3)
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


def payload_with_loose_bits(attack):
    parts = token(jti="j" * next(n for n in (1, 2, 3) if len(token(jti="j" * n).split(".")[1]) % 4)).split(".")
    parts[1] = other_last_bits(parts[1])
    return ".".join(parts)


SHAPE = {
    "shape-two-newlines": changed(lambda text: text + "\n\n"),
    "shape-bearer": changed(lambda text: "Bearer " + text),
    "shape-quoted": changed(lambda text: '"' + text + '"'),
    "shape-word": lambda attack: "hunter2",
    "shape-no-payload": part(1, lambda text: ""),
    "shape-no-signature": part(2, lambda text: ""),
    "shape-padding-header": part(0, lambda text: text + "=" * (-len(text) % 4 or 4)),
    "shape-loose-bits-payload": payload_with_loose_bits,
    "shape-single-character": part(2, lambda text: text + "AAA"),
    "shape-nul-byte": changed(lambda text: text + "\0"),
    "shape-byte-above-127": part(1, lambda text: text[:9] + "\xff" + text[9:]),
    "shape-header-null": raw_header("null"),
    "shape-header-twice": raw_header('{"alg":"RS256","kid":"KID"}{}'),
    "shape-payload-text": raw_payload('"x"'),
    "shape-payload-empty-object": raw_payload("{}"),
    "shape-payload-not-json": raw_payload("{iss:1}"),
    "shape-payload-bom": raw_payload(b"\xef\xbb\xbf" + issuer.compact(issuer.claims(issued=NOW))),
    "shape-duplicate-escaped": claim_text('{"aud"', '{"\\u0061ud":["x"],"aud"'),
    "shape-overlong-utf8": claim_text('"name":"deployer"', '"name":"deployer\xc0\xaf"'),
}

# --- Algorithm and key ---


def hmac_with(secret):
    def case(attack):
        return token(header={"alg": "HS256"}, sign=lambda data: hmac.digest(secret(), data, "sha256"))
    return case


def public_jwks():
    return issuer.jwks(key()).encode()


def signed_by(signer, named, algorithm=None):
    """Signed by one key, in the name of another."""
    def case(attack):
        attack.keys = [signer(), named()]
        return token(signer(), header={"kid": named().kid, "alg": algorithm or signer().algorithm})
    return case


def only_key(entry):
    """A key set with ENTRY alone, made from the good key's."""
    def case(attack):
        attack.keys = [entry()]
        return token(header={"kid": attack.keys[0]["kid"]})
    return case


def of_kind(algorithm, bits=2048):
    def case(attack):
        attack.keys = [key(algorithm, bits)]
        return token(key(algorithm, bits))
    return case


def padded_hash(data, size):
    """EMSA-PKCS1-v1_5: with e = 1 it is its own signature."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
    return b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info


def exponent_one(attack):
    attack.keys = [key().jwk(e="AQ")]
    return token(sign=lambda data: padded_hash(data, 256))


P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def numbers(change):
    """An ECDSA signature of CHANGE(r, s, order) in place of r and s."""
    def sign(data):
        r, s = change(*key("ES256").sign_numbers(data), P256_ORDER)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def case(attack):
        attack.keys = [key("ES256")]
        return token(key("ES256"), sign=sign)
    return case


def signature_bytes(change, algorithm="RS256"):
    def case(attack):
        attack.keys = [key(algorithm)]
        return token(key(algorithm), sign=lambda data: change(key(algorithm).sign(data)))
    return case


def ec_numbers(x, y):
    def case(attack):
        public = key("ES256").private.public_key().public_numbers()
        attack.keys = [key("ES256").jwk(x=issuer.number(x(public), 32), y=issuer.number(y(public), 32))]
        return token(key("ES256"))
    return case


def rsa_numbers(**members):
    def case(attack):
        public = key().private.public_key().public_numbers()
        attack.keys = [key().jwk(**{name: make(public) for name, make in members.items()})]
        return token()
    return case


def plus_modulus(attack):
    """The signature as a number, with the modulus added: equal modulo n."""
    modulus = key().private.public_key().public_numbers().n

    def sign(data):
        value = int.from_bytes(key().sign(data), "big") + modulus
        return value.to_bytes(256, "big")
    # About half of all sums fit into 256 bytes.
    for number in range(99):
        try:
            return token(jti="j%d" % number, sign=sign)
        except OverflowError:
            pass
    raise AssertionError


def long_kid(length):
    def case(attack):
        attack.keys = [key().jwk(kid="k" * length)]
        return token(header={"kid": "k" * length})
    return case


def swapped_signature(attack):
    return token().rsplit(".", 1)[0] + "." + token(account="tester").rsplit(".", 1)[1]


KEYS = {
    "alg-none-capitals": header(alg="NoNe"),
    "alg-hs256-der": hmac_with(lambda: key().der()),
    "alg-hs256-jwks": hmac_with(public_jwks),
    "alg-rs384": header(alg="RS384"),
    "alg-rs512": header(alg="RS512"),
    "alg-es256k": header(alg="ES256K"),
    "alg-list": header(alg=["RS256"]),
    "alg-empty": header(alg=""),
    "alg-es512-with-p384-key": signed_by(lambda: key("ES512"), lambda: key("ES384")),
    "alg-es256-named-by-p384-key": lambda attack: attack.with_keys(key("ES384")) or token(key("ES384"), {"alg": "ES256"}),
    "header-x5c": lambda attack: token(header={"x5c": [base64.b64encode(key().der()).decode()]}),
    "header-zip": header(zip="DEF"),
    "header-enc": header(enc="A256GCM"),
    "header-unknown": header(x="y"),
    "header-typ-lower-case": header(typ="jwt"),
    "header-typ-number": header(typ=1),
    "kid-null": header(kid=None),
    "kid-1024-known": long_kid(1024),
    "kid-newline": header(kid="a\nresult=allow"),
    "key-rs256-3072": of_kind("RS256", 3072),
    "key-rs256-4096": of_kind("RS256", 4096),
    "key-es384": of_kind("ES384"),
    "key-es512": of_kind("ES512"),
    "key-rsa-e-1": exponent_one,
    "key-rsa-e-even": only_key(lambda: key().jwk(e="Ag")),
    "key-rsa-e-huge": only_key(lambda: key().jwk(e=issuer.number(2 ** 32 + 1))),
    "key-rsa-n-leading-zero": rsa_numbers(n=lambda public: issuer.number(public.n, 257)),
    "key-alg-other": only_key(lambda: key().jwk(alg="RS512")),
    "key-x-above-field": ec_numbers(lambda public: 2 ** 256 - 1, lambda public: public.y),
    "sig-ec-r-zero": numbers(lambda r, s, order: (0, s)),
    "sig-ec-s-zero": numbers(lambda r, s, order: (r, 0)),
    "sig-ec-ones": numbers(lambda r, s, order: (1, 1)),
    "sig-ec-negated": numbers(lambda r, s, order: (r, order - s)),
    "sig-rsa-short-by-three": signature_bytes(lambda data: data[3:]),
    "sig-rsa-long": signature_bytes(lambda data: b"\0" + data),
    "sig-rsa-one": signature_bytes(lambda data: bytes(255) + b"\1"),
    "sig-rsa-unsigned-hash": lambda attack: token(sign=lambda data: padded_hash(data, 256)),
    "sig-rsa-plus-modulus": plus_modulus,
    "sig-bit-changed": signature_bytes(lambda data: data[:9] + bytes((data[9] ^ 1,)) + data[10:]),
    "sig-of-another-token": swapped_signature,
}

# --- Claims ---

LATEST = 253402300799


def other_clusters_key(attack):
    attack.add_cluster("other", [key("ES256")])
    return token(key("ES256"))


def broken_cluster(attack):
    attack.add_cluster("other", None)
    return token()


def several_allowed(attack):
    attack.host = "multiple_audiences = yes"
    return token(audience=ABSENT, aud=["ssh://build-8", issuer.AUDIENCE])


def reference(**changes):
    """kubernetes.io with CHANGES."""
    good = {"namespace": "ci", "serviceaccount": {"name": "deployer", "uid": issuer.ACCOUNT_UID}}
    return claims(kubernetes=issuer.changed(good, changes))


def account(name=ABSENT, uid=ABSENT, sub=None):
    return claims(kubernetes={"namespace": "ci", "serviceaccount": issuer.changed({}, {"name": name, "uid": uid})},
                  sub=sub or ACCOUNT % ("ci", name))


CLAIMS = {
    "iss-capitals": claims(iss=issuer.ISSUER.upper()),
    "iss-list": claims(iss=[issuer.ISSUER]),
    "iss-shared-kid-in-the-other": other_clusters_key,
    "iss-shared-one-unusable": broken_cluster,
    "aud-null": claims(aud=None),
    "aud-two-allowed": several_allowed,
    "aud-same-twice": claims(aud=[issuer.AUDIENCE] * 2),
    "aud-shorter": claims(aud=[issuer.AUDIENCE[:-1]]),
    "aud-issuer": claims(aud=[issuer.ISSUER]),
    "aud-list-of-numbers": claims(aud=[1, issuer.AUDIENCE]),
    "aud-33": claims(aud=[issuer.AUDIENCE] * 33),
    "exp-null": claims(exp=None),
    "exp-1e400": claim_text('"exp":%d' % (NOW + 600), '"exp":1e400'),
    "exp-2-63-less-one": claims(exp=2 ** 63 - 1),
    "exp-2-64": claims(exp=2 ** 64 + NOW + 600),
    "exp-last-second": claims(exp=LATEST),
    "nbf-leeway": times(nbf=60),
    "nbf-text": claims(nbf=str(NOW)),
    "nbf-negative": claims(nbf=-NOW),
    "iat-future-61": times(iat=61),
    "iat-leeway": times(iat=60),
    "iat-real": claim_text('"iat":%d' % NOW, '"iat":%d.5' % NOW),
    "iat-negative": claims(iat=-(2 ** 63)),
    "life-of-a-year": claims(life=31536000),
    "legacy-with-times": claims(iss="kubernetes/serviceaccount"),
    "sub-other-namespace": claims(sub=ACCOUNT % ("prod", "deployer")),
    "sub-node": claims(sub="system:node:worker-1"),
    "sub-longer": claims(sub=ACCOUNT % ("ci", "deployer:x")),
    "sub-number": claims(sub=1),
    "name-kubernetes-list": claims(kubernetes=["ci", "deployer"]),
    "name-account-text": reference(serviceaccount="deployer"),
    "name-account-null": account(None, issuer.ACCOUNT_UID),
    "name-account-empty": account("", issuer.ACCOUNT_UID),
    "name-account-254": account("d" * 254, issuer.ACCOUNT_UID),
    "name-uid-empty": account("deployer", ""),
    "name-namespace-missing": reference(namespace=ABSENT),
    "name-namespace-dot": claims(namespace="ci.x"),
    "name-namespace-64": claims(namespace="n" * 64),
    "name-namespace-slash": claims(namespace="ci/deployer", account="x"),
    "name-namespace-star": claims(namespace="*"),
    "name-pod-capitals": claims(pod="Job_1"),
    "name-jti-empty": claims(jti=""),
    "name-jti-number": claims(jti=1),
}

# --- Who ---


def rule(changes=None, **attempt):
    """Another [rule deploy], or another attempt, with a token whose claims are good."""
    def case(attack):
        attack.rule.update(changes or {})
        attack.attempt.update(attempt)
        return token()
    return case


def default_account(pattern):
    def case(attack):
        attack.rule["account"] = pattern
        return token(account="default")
    return case


def no_rules(attack):
    attack.rule = None
    return token()


WHO = {
    "who-no-rules-at-all": no_rules,
    "other-user": rule(user="alice"),
    "who-another-accounts-user": rule({"service": "sshd\n[rule other]\naccount = prod:ci/tester\nuser = alice\n"
                                       "service = sshd"}, user="alice"),
    "other-service": rule(service="login"),
    "who-sudo-is-no-sshd": rule({"service": "sudo"}),
    "who-sudo-i": rule({"service": "sudo"}, service="sudo-i"),
    "other-address": rule({"from": "10.0.0.0/8"}, rhost="192.0.2.1"),
    "who-address-inside": rule({"from": "10.0.0.0/8"}, rhost="10.255.255.255"),
    "address-name": rule({"from": "0.0.0.0/0 ::/0"}, rhost="job.example.com"),
    "who-no-address": rule({"from": "0.0.0.0/0 ::/0"}, rhost=""),
    "who-address-with-tail": rule({"from": "10.0.0.0/8"}, rhost="10.1.2.3.evil.example"),
    "who-unknown-user": rule({"user": "nobody-here"}, user="nobody-here"),
    "uid-0": rule(user="root"),
    "who-uid-below-1000": rule(user="daemon"),
    "who-root-named": rule({"user": "root"}, user="root"),
    "who-account-uid": rule({"account_uid": "00000000-2b4d-4c5e-9f70-8a1b2c3d4e5f"}),
    "who-narrower-audience": rule({"audience": "ssh://gate"}),
    "who-default-by-half-a-pattern": default_account("prod:*/default"),
    "who-default-by-name": default_account("prod:ci/default"),
    "who-pattern-of-another-namespace": rule({"account": "prod:c/*"}),
    "who-name-with-blanks": rule(user="deploy-bot result=allow"),
    "who-name-of-a-token": rule(user="eyJhbGciOiJSUzI1NiJ9.e30.e30"),
    "who-name-empty": rule(user=""),
}

CASES = {**SHAPE, **KEYS, **CLAIMS, **WHO}
