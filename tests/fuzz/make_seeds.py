#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds in seeds/: one directory a target. Run it in its directory after a change.

seeds/registry is registry_seeds.c's."""
import base64
import json
import re
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANSWERS = HERE.parent / "data/kubernetes/answers/1.37.2"
DATA = HERE.parent / "data/kubernetes/tokens/1.37.2"
NOW = 1795464267
CLAIMS = {"aud": ["ssh://build-7.example.com"], "exp": NOW + 600, "iat": NOW, "iss": "https://kubernetes.default.svc.cluster.local",
          "jti": "a3d6008b-3634-42c7-8fe9-b4b1fed31d4d", "kubernetes.io": {"namespace": "ci", "serviceaccount": {
              "name": "deployer", "uid": "14e75b93-b974-47ca-a847-ba5d1f4ad2a6"}}, "nbf": NOW,
          "sub": "system:serviceaccount:ci:deployer"}
HEADER = '{"alg":"ES256","kid":"k1"}'


def write(target, name, data):
    directory = HERE / "seeds" / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data.encode() if isinstance(data, str) else data)


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def claims(**changes):
    return compact({**CLAIMS, **changes})


def tokens():
    for algorithm in ("RS256", "ES256"):
        for kind in ("account", "extended-pod", "legacy-secret", "two-audiences"):
            text = (DATA / algorithm / (kind + ".jwt")).read_text().strip()
            write("token", "%s-%s" % (algorithm, kind), text)
            header, payload = (base64.urlsafe_b64decode(part + "==") for part in text.split(".")[:2])
            write("token", "%s-%s-decoded" % (algorithm, kind), header + b"\n" + payload)
    write("token", "typ", '{"alg":"ES256","kid":"k1","typ":"JWT"}\n' + claims())
    write("token", "crit", '{"alg":"none","kid":"k1","crit":["x"]}\n' + claims())
    write("token", "twins", HEADER + '\n{"iss":"a","iss":"b"}')
    write("token", "nesting", HEADER + "\n" + "[" * 3000)
    write("token", "reals", HEADER + "\n" + claims(exp=1.5))
    write("token", "large", HEADER + "\n" + claims(exp=2 ** 63))
    write("token", "escapes", HEADER + '\n{"iss":"\\u0000\\ud800","sub":"\\u003c"}')


def key_sets():
    for algorithm in ("RS256", "ES256", "ES384", "ES512"):
        write("keyset", algorithm, (DATA / algorithm / "jwks.json").read_text())
    key = json.loads((DATA / "ES256/jwks.json").read_text())["keys"][0]
    write("keyset", "twins", compact({"keys": [key, key]}))
    write("keyset", "namesakes", compact({"keys": [key, {**key, "use": "enc"}, {**key, "x": key["y"], "y": key["x"]}, key]}))
    other = json.loads((DATA / "RS256/jwks.json").read_text())["keys"][0]
    write("keyset", "ambiguous", compact({"keys": [key, {**other, "kid": key["kid"], "key_ops": ["verify"]}, {**key, "kid": "x"}]}))
    write("keyset", "replaced",
          '\ufeff{"a":[18446744073709551615,-1e400,1.5E308],"b":"\\u0000\\ud800\\ud83d\\ude00\\udc00",' + compact({"keys": [key]})[1:])
    write("keyset", "utf-16", compact({"keys": [key]}).encode("utf-16"))
    write("keyset", "status", compact({"kind": "Status", "message": "forbidden: \"x\"", "code": 403}))
    write("keyset", "others", compact({"keys": [{"kty": "oct", "k": "AA", "kid": "x"}, {**key, "use": "enc"}]}))
    write("keyset", "zero", compact({"keys": [{**key, "x": "A" * 43, "y": "A" * 43}]}))
    rsa = json.loads((DATA / "RS256/jwks.json").read_text())["keys"][0]
    write("keyset", "e1", compact({"keys": [{**rsa, "e": "AQ"}]}))
    head = ("ksa-keys 1\nissuer https://issuer.example.com\nkeys api\napi_server https://10.0.0.1:6443\n"
            "api_ca_file -\nkeys_ca_file -\nfetched %d\nmax_age 3600\n" % (NOW - 100))
    lines = "key ES256 %s %s %s\nkey RS256 %s %s %s\n" % (key["kid"], key["x"], key["y"], rsa["kid"], rsa["n"], rsa["e"])
    write("keyset", "cached", head + lines + "end 2\n")
    write("keyset", "cached-cut", head + lines)
    write("keyset", "cached-future", head.replace("fetched %d" % (NOW - 100), "fetched %d" % (NOW + 100)) + lines + "end 2\n")


def configurations():
    write("config", "example", (HERE.parents[1] / "packaging/examples/ksa.conf").read_text())
    base = "[host]\naudience = ssh://%H\n[cluster prod]\nissuer = https://c\nkeys = file:/etc/ksa/prod.jwks\n"
    write("config", "rule", base + "[rule a]\naccount = prod:ci/*\nuser = deploy-bot\nservice = sshd sudo\nfrom = 10.0.0.0/8 fd00::/8\n")
    write("config", "service", base + "[service postgresql]\naudience = postgresql://b\nlocal_user = no\n")
    write("config", "numbers", base.replace("[cluster", "timeout = 10s\nmax_lifetime = 2h\nuid_range = 2000-3000\n[cluster"))
    write("config", "account", base + "[account b]\naccount = prod:ci/b\nuid = 5000\n[accounts prod]\nnamespaces = ci *\n")
    head, alone = base + "[rule a]\naccount = prod:ci/a\n", "user = a$ @own b@c.d+e\nservice = sshd\n"
    write("config", "alphabets", head + alone + "account_uid = u-1\n[account b]\naccount = prod:ci/b\nshell = /a/_.-+@:=~%\n"
          "[accounts prod]\nnamespaces = ci\nselector = a.b/c in (d, e),!f\n")
    for name, line in (("comment", "user = deploy-bot # not root"), ("semicolon", "user = deploy-bot; not root"),
                       ("comma", "user = deploy-bot, root"), ("template", "user = {{ user }} root")):
        write("config", name, head + line + "\nservice = sshd\n")
        write("config", name + "-audience", base.replace("ssh://%H", line.split(" ", 2)[2].replace("deploy-bot", "ssh://%H")))
    write("config", "wrong", "audience = x\n[host\n[host] x\n key = v\nkey\n=\nk = \n\x00\n\xef\xbb\xbf[host]\r\n")
    write("config", "long", "[host]\n# " + "x" * 1100 + "\naudience = " + "x" * 1010 + "\nuser = root\n")


def answers():
    write("answers", "short", "abc\n")
    write("answers", "parts", "+a\n+b\nc\n")
    write("answers", "equal", "+a\n+a\n+a\nb\n")
    write("answers", "many", "+ab\n+b\n" * 20)
    write("answers", "full", "+ab\n" + "+b\n" * 31 + "x" * 384 + "\n")
    write("answers", "junk", "\b\n\r\x7fINCORRECT\b\n")
    write("answers", "empty", "\n")


def logins():
    who = "deploy-bot\nsshd\n10.1.2.3\n"
    write("login", "allow", "s\n" + who + "\n" + claims())
    write("login", "guest", "s\nguest\nsudo\n\n\n" + claims())
    # a user of the registry, by a rule that names it and by @own: of another account, and of its own
    bot = claims(sub="system:serviceaccount:ci:bot", **{"kubernetes.io": {"namespace": "ci", "serviceaccount": {
        "name": "bot", "uid": "14e75b93-b974-47ca-a847-ba5d1f4ad2a6"}}})
    for service in ("sshd", "cron"):
        write("login", "other-account-" + service, "s\nbot\n" + service + "\n\n\n" + claims())
        write("login", "own-account-" + service, "s\nbot\n" + service + "\n\n\n" + bot)
    write("login", "forged", "f\n" + who + HEADER + "\n" + claims())
    write("login", "raw", "r\n" + who + (DATA / "ES256/account.jwt").read_text().strip())
    write("login", "expired", "s\n" + who + "\n" + claims(exp=NOW - 61, iat=NOW - 600, nbf=NOW - 600))
    write("login", "edge", "s\n" + who + "\n" + claims(exp=NOW - 60, iat=NOW - 600, nbf=NOW - 600))
    write("login", "name", "s\nx result=allow\nsshd\nhost.example.com\n\n" + claims())
    write("login", "default", "s\nguest\nsshd\n\n\n" + claims(
        sub="system:serviceaccount:ci:default",
        **{"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "default", "uid": "u"}}}))
    for name, rhost in (("mapped", "::ffff:10.1.2.3"), ("mapped-hexadecimal", "::FFFF:a01:203"), ("zone", "10.0.0.1%x.evil.example"),
                        ("zone-of-mapped", "::ffff:10.0.0.1%eth0"), ("link-local", "fe80::1%eth0"), ("name", "10.example.com")):
        write("login", "rhost-" + name, "s\ndeploy-bot\nsshd\n" + rhost + "\n\n" + claims())
    write("login", "no-issuer", "s\n" + who + '\n{"sub":"x"}')
    write("login", "two", "s\n" + who + "\n" + claims(aud=["ssh://build-7.example.com", "b"]))


def frame(*members):
    """The body of a frame: texts, None, and numbers, as http_message.c has them."""
    fields = [b"" if member is None else struct.pack("=q", member) if isinstance(member, int) else member.encode() + b"\0"
              for member in members]
    return b"".join(struct.pack("=II", tag, len(field)) + field for tag, field in enumerate(fields))


def frames():
    request = ["POST", "https://10.0.0.1:6443/x", "application/json", "ksa-fetch", "11111111-2222-4333-8444-555555555555",
               "bearer", None, None, "-----BEGIN CERTIFICATE-----\n", "", "{}", 5000, 65536]
    write("frame", "request", frame(*request))
    write("frame", "request-small", frame("GET", "https://a", *[None] * 9, 1, 1))
    write("frame", "request-line-end", frame("GET", "https://a", "a\r\nb", *[None] * 8, 1, 1))
    write("frame", "request-cut", frame(*request)[:-1])
    write("frame", "request-longer", frame("GET", "https://a", *[None] * 9, 1, 1) + b"x")
    write("frame", "response", frame(1, 201, 3600, -1, NOW, None, '{"kind":"Status"}'))
    write("frame", "response-failed", frame(4, 0, -1, -1, -1, "certificate has expired", None))
    write("frame", "response-without-body", frame(1, 200, -1, 1, -1, "", None))
    write("frame", "head", struct.pack("=II", 0x6b736131, 20) + b"x" * 20)


def body(name):
    return (ANSWERS / (name + ".http")).read_text().split("\n\n", 1)[1]


def reviewed_part(name):
    return re.search('define REVIEWED_%s +"(.*)"' % name, (HERE.parent / "unit/support/review_fixture.h").read_text()).group(1)


def reviews():
    """Answers about the tokens of review_fixture.h in place of those that they were about."""
    token = ".".join(reviewed_part(part) for part in ("HEADER", "PAYLOAD", "SIGNATURE"))
    for name in ("account", "pod", "no-audiences", "other-audience", "leading-space", "admin", "403"):
        text = re.sub(r"eyJ[\w.-]+", token, body("tokenreview-" + name)).replace("df58be55-fd55-4df6-9aae-1e19e7b79402",
                                                                                 CLAIMS["jti"])
        write("review", name, ("p" if name == "pod" else "") + "\n" + text)
    small = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": {
        "authenticated": True, "audiences": CLAIMS["aud"], "user": {
            "username": CLAIMS["sub"], "uid": CLAIMS["kubernetes.io"]["serviceaccount"]["uid"]}}}
    write("review", "small", "\n" + compact(small))
    write("review", "both", "\n" + compact(small).replace('"status":{', '"status":{"error":"x",'))
    write("review", "credential", "\n" + compact(small).replace('"user":{', '"user":{"extra":{"%s":["X5T=%s"]},' % (
        "authentication.kubernetes.io/credential-id", CLAIMS["jti"])))
    write("review", "twice", "\n" + compact(small).replace('"status"', '"status":{},"status"'))
    write("review", "quoted", "\n" + compact({**small, "status": {"error": "bad token %s, %s" % (token, reviewed_part("SIGNATURE"))}}))
    write("review", "damaged", "\n" + compact({**small, "status": {"error": "bad token \u061c" + reviewed_part("SIGNATURE")[1:]}}))


def accesses():
    for name in ("allowed", "none", "422"):
        write("access", name, body("subjectaccessreview-" + name))
    small = '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":%s}}'
    for name, status in (("denied", 'false,"denied":true,"reason":"no\\n"'), ("both", 'true,"denied":true'),
                         ("fault", 'true,"evaluationError":"x"'), ("text", '"true"'), ("twice", 'false,"allowed":true')):
        write("access", name, small % status)


def discoveries():
    write("discovery", "document", "d\n" + body("discovery"))
    write("discovery", "small", 'd\n{"issuer":"%s","jwks_uri":"https://a:443/k?x"}' % CLAIMS["iss"])
    write("discovery", "user", 'd\n{"issuer":"%s","jwks_uri":"https://a@b/k"}' % CLAIMS["iss"])
    write("discovery", "http", 'd\n{"issuer":"%s","jwks_uri":"http://a/k"}' % CLAIMS["iss"])
    write("discovery", "origins", "o\nhttps://[fd00::1]:6443\nhttps://[FD00::1]:6443/openid/v1/jwks")
    write("discovery", "origins-port", "o\nhttps://a.example.com\nHTTPS://A.example.com:443/k")
    write("discovery", "origins-other-port", "o\nhttps://a\nhttps://a:6443/")
    write("discovery", "origins-user", "o\nhttps://a\nhttps://a@b/")
    write("discovery", "origins-slash", "o\nhttps://a\nhttps://a\\@b/")
    write("discovery", "token", "t\n" + body("tokenrequest"))
    write("discovery", "no-token", "t\n" + body("tokenrequest-403"))
    write("discovery", "claims", "c\n" + claims())
    write("discovery", "claims-over", "c\n" + claims(exp=NOW))
    write("discovery", "claims-other", "c\n" + claims(**{"kubernetes.io": {
        "namespace": "ci", "serviceaccount": {"name": "deployer", "uid": "u"}}}))


def accounts():
    account = {"name": "deployer", "namespace": "ci", "uid": "u-1", "creationTimestamp": "2026-11-24T09:30:00Z"}

    def listed(*items, kind="PartialObjectMetadataList", version="meta.k8s.io/v1", **metadata):
        return compact({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "77", **metadata},
                        "items": [{"metadata": item} for item in items]})

    write("accounts", "page", "p\n" + listed(account, {**account, "name": "default"}))
    write("accounts", "plain", "\n" + listed(account, {**account, "namespace": "build"}, kind="ServiceAccountList",
                                             version="v1", **{"continue": "a+/="}))
    write("accounts", "empty", "p\n" + listed().replace("[]", "null"))
    write("accounts", "nul", "p\n" + listed(account, {**account, "annotations": {"x": "a\0"}, "name": "b"}))
    write("accounts", "deleted", "p\n" + listed({**account, "deletionTimestamp": "2026-11-24T09:30:00Z"}))
    write("accounts", "other", "p\n" + listed({**account, "namespace": "build"}))
    write("accounts", "status", "p\n" + compact({"kind": "Status", "apiVersion": "v1", "code": 410}))
    one = {"namespace": "ci", "account": "deployer", "account_uid": "u-1", "created": NOW, "user": "ci_deployer",
           "uid": 1900000001, "state": "active", "reasons": []}
    states = [{**one, "account": "a%d" % number, "state": state, "reasons": reasons} for number, (state, reasons) in enumerate((
        ("disabled", ["administrator", "recreated", "conflict", "leader"]), ("removed", []), ("former", [])))]
    for name, items in (("file", [one]), ("file-states", states), ("file-twice", [one, one]), ("file-more", [{**one, "more": 1}]),
                        ("file-faults", [{**one, "user": "root"}, {**one, "account": "b", "uid": -1}])):
        write("accounts", name, "f\n" + compact({"format": "ksa-accounts", "version": 2, "clusters": [
            {"cluster": "prod", "listed": NOW, "accounts": items,
             "groups": [{"namespace": "ci", "group": "k8s-ci", "gid": 1900000000}]}]}))


def sessions():
    head = ("ksa-session 1\npid_namespace 4026532326\nlogin 125 8271941\nsshd 119 8271933\naudit 7917\nkeyring 548727651\nuid 1500\n"
            "expires %d\nuser deploy-bot\nrhost 10.1.2.3\naccount prod:ci/deployer\nreference 1a2b3c4d\n" % (NOW + 600))
    write("session", "open", head + "token eyJ.eyJ.AAAA\n")
    write("session", "ended", head)
    write("session", "pending", head.replace("audit 7917", "audit 0").replace("keyring 548727651", "keyring 0") + "token a\n")
    write("session", "cut", head + "token eyJ.ey")
    write("session", "without-address", head.replace("10.1.2.3", ""))
    write("session", "twice", head + head)
    write("session", "zero", head.replace("uid 1500", "uid 01500"))


for make in (tokens, key_sets, configurations, answers, logins, frames, reviews, accesses, discoveries,
             accounts, sessions):
    make()
