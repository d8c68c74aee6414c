# SPDX-License-Identifier: BSD-2-Clause
"""Every row of tests/attacks.tsv that is about a token, at the level of the decision: through
ksactl explain, which asks the one function."""
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

import issuer
from issuer import ABSENT, Key, base64url, claims, compact, token

ROOT = Path(__file__).resolve().parents[2]
ROWS = [line.split("\t") for line in (ROOT / "tests/attacks.tsv").read_text().splitlines()[1:]]
TABLE = {row[0]: row for row in ROWS}
RSA, OTHER_RSA, EC, P384 = Key("RS256"), Key("RS256"), Key("ES256"), Key("ES384")
GOOD = token(RSA)
NOW = int(time.time())
ORDER_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def raw(header, payload, signature="c2ln"):
    return ".".join((base64url(compact(header)), base64url(compact(payload)), signature))


def with_claim(**changes):
    return token(RSA, claims(**changes))


def with_header(**changes):
    return token(RSA, header=changes)


def with_payload(text):
    return token(RSA, text)


def nested(depth):
    text = compact(claims()).decode()
    return text[:-1] + ',"x":' + "[" * depth + "]" * depth + "}"


def hmac_with_public_key():
    return token(RSA, header={"alg": "HS256"}, sign=lambda data: hmac.new(RSA.pem().encode(), data, hashlib.sha256).digest())


def ec_raw(r, s, size=32):
    return token(EC, sign=lambda _: r.to_bytes(size, "big") + s.to_bytes(size, "big"))


def member_twice(text, member, value):
    return text[:-1] + ",%s:%s}" % (json.dumps(member), json.dumps(value))


def last_bits(text):
    """The same bytes, spelled with the unused bits at the end set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text.split(".")[2]) % 4 == 2
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


CLAIMS = compact(claims()).decode()
HEADER = compact({"alg": "RS256", "kid": RSA.kid}).decode()

TOKENS = {
    # Shape
    "empty": lambda: "",
    "blank-before": lambda: " " + GOOD,
    "blank-behind": lambda: GOOD + " ",
    "newline-inside": lambda: GOOD.replace(".", ".\n", 1),
    "no-dot": lambda: GOOD.replace(".", ""),
    "one-dot": lambda: "x" + GOOD.rsplit(".", 1)[0],
    "three-dots": lambda: GOOD + ".",
    "four-dots": lambda: GOOD + ".a.b",
    "five-dots": lambda: ".....",
    "padding": lambda: GOOD + "==",
    "plus-and-slash": lambda: GOOD.split(".")[0] + ".+/+/." + GOOD.split(".")[2],
    "last-bits": lambda: last_bits(GOOD),
    "header-array": lambda: token(RSA, header="[]"),
    "header-text": lambda: token(RSA, header='"RS256"'),
    "header-empty": lambda: "." + GOOD.split(".", 1)[1],
    "payload-array": lambda: with_payload("[]"),
    "payload-number": lambda: with_payload("1"),
    "payload-empty": lambda: with_payload(""),
    "payload-trailing": lambda: with_payload(CLAIMS + "{}"),
    "duplicate-top": lambda: with_payload(member_twice(CLAIMS, "sub", "system:serviceaccount:ci:root")),
    "duplicate-deep": lambda: with_payload(CLAIMS.replace('"namespace":"ci"', '"namespace":"ci","namespace":"kube-system"')),
    "duplicate-unknown-deep": lambda: with_payload(CLAIMS[:-1] + ',"x":{"y":[{"z":1,"z":2}]}}'),
    "duplicate-header": lambda: token(RSA, header=member_twice(HEADER, "alg", "none")),
    "nul-escaped": lambda: with_payload(CLAIMS.replace("deployer", "deployer\\u0000")),
    "nul-raw": lambda: with_payload(CLAIMS.replace("deployer", "deployer\0")),
    "bad-utf8": lambda: with_payload(CLAIMS.encode().replace(b"deployer", b"deploy\xff")),
    "lone-surrogate": lambda: with_payload(CLAIMS.replace("deployer", "\\ud800")),
    "real-exp": lambda: with_payload(re.sub(r'"exp":(\d+)', r'"exp":\1.0', CLAIMS)),
    "exponent-exp": lambda: with_payload(re.sub(r'"exp":\d+', '"exp":2e9', CLAIMS)),
    "nesting": lambda: with_payload(nested(17)),
    "nesting-10000": lambda: with_payload("[" * 10000),
    "16-kib": lambda: issuer.token_of_length(RSA, 16384)[0],
    "16-kib-and-one": lambda: issuer.token_of_length(RSA, 16385)[0],
    # Algorithm and key
    "none": lambda: token(RSA, header={"alg": "none"}, signature=b""),
    "none-signed": lambda: token(RSA, header={"alg": "none"}),
    "hs256": hmac_with_public_key,
    "ps256": lambda: token(RSA, header={"alg": "PS256"}, sign=RSA.sign_pss),
    "ps256-as-rs256": lambda: token(RSA, sign=RSA.sign_pss),
    "eddsa": lambda: token(RSA, header={"alg": "EdDSA"}, sign=ed25519.Ed25519PrivateKey.generate().sign),
    "rs256-with-ec-key": lambda: token(RSA, header={"kid": EC.kid}),
    "es256-with-rsa-key": lambda: token(EC, header={"kid": RSA.kid}),
    "es256-with-p384-key": lambda: token(EC, header={"kid": P384.kid}),
    "alg-missing": lambda: with_header(alg=ABSENT),
    "alg-number": lambda: with_header(alg=256),
    "alg-null": lambda: with_header(alg=None),
    "alg-lower-case": lambda: with_header(alg="rs256"),
    "crit": lambda: with_header(crit=["exp"]),
    "jku": lambda: with_header(jku="https://attacker.example.com/jwks"),
    "jwk": lambda: token(OTHER_RSA, header={"kid": RSA.kid, "jwk": OTHER_RSA.jwk()}),
    "x5u": lambda: with_header(x5u="https://attacker.example.com/cert"),
    "b64": lambda: with_header(b64=False),
    "typ-jwt": lambda: with_header(typ="JWT"),
    "typ-other": lambda: with_header(typ="at+jwt"),
    "kid-unknown": lambda: with_header(kid="x" * 43),
    "kid-missing": lambda: with_header(kid=ABSENT),
    "kid-empty": lambda: with_header(kid=""),
    "kid-number": lambda: with_header(kid=7),
    "kid-path": lambda: with_header(kid="../../../../dev/null"),
    "kid-1024": lambda: with_header(kid="k" * 1024),
    "kid-1025": lambda: with_header(kid="k" * 1025),
    "other-key": lambda: token(OTHER_RSA, header={"kid": RSA.kid}),
    "ecdsa-der": lambda: token(EC, sign=EC.sign_der),
    "ecdsa-short": lambda: token(EC, sign=lambda data: EC.sign(data)[:-1]),
    "ecdsa-long": lambda: token(EC, sign=lambda data: EC.sign(data) + b"\0"),
    "ecdsa-zero": lambda: ec_raw(0, 0),
    "ecdsa-r-is-n": lambda: ec_raw(ORDER_P256, 1),
    "ecdsa-s-is-n": lambda: ec_raw(1, ORDER_P256),
    "rsa-short": lambda: token(RSA, sign=lambda data: RSA.sign(data)[:-1]),
    "rsa-long": lambda: token(RSA, sign=lambda data: RSA.sign(data) + b"\0"),
    "rsa-zero": lambda: token(RSA, signature=b"\0" * 256),
    "payload-changed": lambda: ".".join((GOOD.split(".")[0], base64url(compact(claims(life=601))), GOOD.split(".")[2])),
    # Claims
    "issuer-other": lambda: with_claim(iss="https://attacker.example.com"),
    "issuer-slash": lambda: with_claim(iss=issuer.ISSUER + "/"),
    "issuer-missing": lambda: with_claim(iss=ABSENT),
    "issuer-number": lambda: with_claim(iss=1),
    "aud-missing": lambda: with_claim(aud=ABSENT),
    "aud-string": lambda: with_claim(aud=issuer.AUDIENCE),
    "aud-two": lambda: with_claim(aud=[issuer.AUDIENCE, "vault"]),
    "aud-other": lambda: with_claim(aud=["ssh://build-8"]),
    "aud-prefix": lambda: with_claim(aud=[issuer.AUDIENCE + ".example.com"]),
    "aud-case": lambda: with_claim(aud=[issuer.AUDIENCE.upper()]),
    "aud-empty": lambda: with_claim(aud=[]),
    "aud-empty-text": lambda: with_claim(aud=[""]),
    "aud-numbers": lambda: with_claim(aud=[1]),
    "aud-object": lambda: with_claim(aud={"0": issuer.AUDIENCE}),
    "expired": lambda: with_claim(issued=NOW - 1000),
    "exp-missing": lambda: with_claim(exp=ABSENT),
    "nbf-missing": lambda: with_claim(nbf=ABSENT),
    "iat-missing": lambda: with_claim(iat=ABSENT),
    "not-yet": lambda: with_claim(nbf=NOW + 300),
    "iat-future": lambda: with_claim(iat=NOW + 300, exp=NOW + 900),
    "exp-string": lambda: with_claim(exp=str(NOW + 600)),
    "exp-negative": lambda: with_claim(exp=-1),
    "exp-2-63": lambda: with_claim(exp=2 ** 63),
    "iat-2-64": lambda: with_claim(iat=2 ** 64 + NOW),
    "exp-before-iat": lambda: with_claim(exp=int(time.time()) - 30, iat=int(time.time())),
    "life-limit": lambda: with_claim(life=3600),
    "life-over": lambda: with_claim(life=3601),
    "legacy": lambda: token(RSA, issuer.legacy_claims()),
    "legacy-with-our-issuer": lambda: token(RSA, dict(issuer.legacy_claims(), iss=issuer.ISSUER)),
    "sub-other": lambda: with_claim(sub="system:serviceaccount:ci:root"),
    "sub-user": lambda: with_claim(sub="kubernetes-admin"),
    "sub-missing": lambda: with_claim(sub=ABSENT),
    "kubernetes-missing": lambda: with_claim(**{"kubernetes.io": ABSENT}),
    "kubernetes-text": lambda: with_claim(kubernetes="ci"),
    "account-missing": lambda: with_claim(kubernetes={"namespace": "ci"}),
    "uid-missing": lambda: with_claim(kubernetes={"namespace": "ci", "serviceaccount": {"name": "deployer"}}),
    "namespace-with-colon": lambda: with_claim(namespace="ci:deployer", account="x"),
    "namespace-upper": lambda: with_claim(namespace="CI"),
    "account-with-slash": lambda: with_claim(account="a/b"),
    "account-with-newline": lambda: with_claim(account="a\nresult=allow"),
    "account-star": lambda: with_claim(account="*"),
    # User, service, address, rule
    "no-rule": lambda: with_claim(account="tester"),
    "other-namespace": lambda: with_claim(namespace="ci-2"),
    "default-account": lambda: with_claim(account="default"),
    "good": lambda: GOOD,
}

KEY_SETS = {  # the same good token, and another key set
    "rsa-e-1": lambda: [RSA.jwk(e="AQ")],
    "rsa-n-even": lambda: [RSA.jwk(n=issuer.number(RSA.private.public_key().public_numbers().n - 1))],
    "rsa-n-small-padded": lambda: [RSA.jwk(n=base64url(
        b"\0" * 128 + Key("RS256", 1024).private.public_key().public_numbers().n.to_bytes(128, "big")))],
    "rsa-1024": lambda: [Key("RS256", 1024).jwk(kid=RSA.kid)],
    "use-enc": lambda: [RSA.jwk(use="enc")],
    "kty-oct": lambda: [{"kty": "oct", "k": "AAAA", "kid": RSA.kid}],
    "kid-twice": lambda: [RSA, RSA],
    "kid-two-keys": lambda: [OTHER_RSA.jwk(kid=RSA.kid), RSA],
    "kid-two-keys-other": lambda: [EC.jwk(kid="x"), OTHER_RSA.jwk(kid="x"), RSA],
    "kid-enc": lambda: [OTHER_RSA.jwk(kid=RSA.kid, use="enc"), RSA],
    "key-odd-values": lambda: [RSA.jwk(x5t=2 ** 64), EC.jwk(x="\0", y="\ud800")],
    "key-ops": lambda: [RSA.jwk(use=ABSENT, key_ops=["encrypt", "wrapKey"])],
    "keys-empty": lambda: [],
}
EC_KEY_SETS = {
    "point-off-the-curve": lambda: [EC.jwk(y=EC.jwk()["x"])],
    "point-zero": lambda: [EC.jwk(x=base64url(bytes(32)), y=base64url(bytes(32)))],
    "curve-unknown": lambda: [EC.jwk(crv="secp256k1")],
    "curve-other": lambda: [EC.jwk(crv="P-384")],
}


@pytest.fixture
def host(host):
    host.write_keys(RSA, EC, P384)
    return host


def explain(host, text, *options):
    result = host.run(["ksactl", "explain", "--token-file", "-", "--json", "--user", "deploy-bot", "--service", "sshd",
                       "--rhost", "10.1.2.3", *options], user="root", stdin=text.encode())
    assert result.status in (0, 1), result
    signature = text.rpartition(".")[2]
    assert len(signature) < 24 or not any(signature[at:at + 24] in result.out for at in range(len(signature) - 23))
    return result, json.loads(result.out)


def assert_decision(host, name, text, *options):
    expected = TABLE[name][3]
    result, answer = explain(host, text, *options)
    assert answer["reason"] == ("ok" if expected == "allow" else expected), answer["why"] or answer
    ignored = answer["pam_code"] in ("PAM_AUTHINFO_UNAVAIL", "PAM_USER_UNKNOWN")  # by the stack
    assert answer["result"] == ("allow" if expected == "allow" else "unavailable" if ignored else "deny")
    assert result.status == (0 if expected == "allow" else 1)
    results = [step["result"] for step in answer["steps"]]
    ended = next((i for i, step in enumerate(results) if step != "ok"), len(results))
    assert set(results[ended + 1:]) <= {"not-reached"} and (ended == len(results)) == (expected == "allow")


@pytest.mark.parametrize("name", TOKENS)
def test_token(host, name):
    text = TOKENS[name]()
    if name == "16-kib":
        host.write_keys(RSA.jwk(kid=issuer.token_of_length(RSA, 16384)[1]))
    assert_decision(host, name, text)


@pytest.mark.parametrize("name", KEY_SETS)
def test_key_set(host, name):
    host.write_keys(*KEY_SETS[name]())
    assert_decision(host, name, GOOD)


@pytest.mark.parametrize("name", EC_KEY_SETS)
def test_ec_key_set(host, name):
    host.write_keys(*EC_KEY_SETS[name]())
    assert_decision(host, name, token(EC))


@pytest.mark.parametrize("now, name", (
    (60, "leeway-after"), (61, "leeway-after-over"), (-660, "leeway-before"), (-661, "leeway-before-over")))
def test_leeway_at_its_edges(host, now, name):
    payload = json.loads(CLAIMS)
    assert_decision(host, name, token(RSA, payload), "--now", str(payload["exp"] + now))


def test_two_clusters_of_one_issuer(host):
    """The kid in one, in both, in none."""
    def other_cluster(*keys):
        host.write("/etc/ksa/other.jwks", issuer.jwks(*keys))
        host.write("/etc/ksa/conf.d/other.conf", "[cluster other]\nissuer = %s\nkeys = file:/etc/ksa/other.jwks\n"
                   "[rule other]\naccount = other:ci/deployer\nuser = deploy-bot\nservice = sshd\n" % issuer.ISSUER)
    other_cluster(OTHER_RSA)
    for key, reason, cluster in ((RSA, "ok", "prod"), (OTHER_RSA, "ok", "other"), (Key("ES256"), "unknown-kid", None)):
        _, answer = explain(host, token(key))
        assert (answer["reason"], answer["cluster"]) == (reason, cluster)
    other_cluster(OTHER_RSA, RSA)
    _, answer = explain(host, GOOD)
    assert answer["reason"] == "ambiguous-kid" and answer["cluster"] is None


def test_explain_of_a_token_without_issuer_does_not_crash(host):
    """It looked for a cluster of no issuer, and died."""
    _, answer = explain(host, with_claim(iss=ABSENT))
    assert answer["reason"] == "bad-claims" and answer["result"] == "deny"


def test_explain_without_a_user_is_about_the_token(host):
    """For text that is not a token, and for an account without a rule, it reported that no rule names the user ''."""
    for text, reason in (("eyJx.eyJ4.x", "not-a-token"), (with_claim(account="tester"), "no-rule"), (GOOD, "ok")):
        result = host.run(["ksactl", "explain", "--token-file", "-", "--json"], user="root", stdin=text.encode())
        answer = json.loads(result.out)
        assert (answer["reason"], answer["user"]) == (reason, "deploy-bot"), answer["why"]


def test_key_that_cannot_be_used_is_named(host):
    host.write_keys(Key("RS256", 1024).jwk(kid=RSA.kid), EC)
    _, answer = explain(host, GOOD)
    assert answer["reason"] == "unknown-kid" and "1024 bits" in answer["why"], answer["why"]


def test_table_names_its_tests():
    """Each row has a test for each of its levels, and each test of a token has a row."""
    here = set(TOKENS) | set(KEY_SETS) | set(EC_KEY_SETS) | {"leeway-after", "leeway-after-over", "leeway-before", "leeway-before-over"}
    assert here <= set(TABLE), here - set(TABLE)
    assert len(TABLE) == len(ROWS)
    for name, _what, levels, _expected, tests in ROWS:
        levels, tests = levels.split(), tests.split()
        if name in here:
            assert "decision" in levels, name
            levels.remove("decision")
        assert len(tests) == len(levels), (name, levels, tests)
        for test in tests:
            path, function = test.split("::")
            assert re.search(r"\b%s\b" % function, (ROOT / "tests" / path).read_text()), test


def test_words_of_the_table_are_reasons():
    words = set(re.findall(r'^ *X\(\w+, "([a-z-]+)"', (ROOT / "common/base/reason.h").read_text(), re.M)) | {"allow", "unharmed", "-"}
    for row in ROWS:
        assert set(row[3].split()) <= words, row


def test_every_reason_has_an_attack():
    """Except those that no attack causes: a step that was not reached, and a library that fails."""
    words = set(re.findall(r'^X\(\w+, "([a-z-]+)"', (ROOT / "common/base/reason.h").read_text(), re.M))
    assert words - {word for row in ROWS for word in row[3].split()} == {"not-reached", "internal-error"}
