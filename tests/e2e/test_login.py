# SPDX-License-Identifier: BSD-2-Clause
"""A token opens an SSH session, or is refused with a line that has the reason."""
import json
import re
import time
from pathlib import Path

import pytest

import host as private_host
import issuer

KEYS = {name: issuer.Key(name) for name in ("RS256", "ES256", "ES384", "ES512")}
SIZES = (700, 956, 1000, 1023, 1024, 1205, 1500, 3515)
RULES = "[rule any]\naccount = prod:*/*\nuser = deploy-bot\nservice = sshd\n"


def test_example_lets_in(host):
    token = host.token()
    result = host.ssh(token, "id -un; env")
    assert result.status == 0, result
    lines = result.out.splitlines()
    assert lines[0] == "deploy-bot"
    assert {"KSA_CLUSTER=prod", "KSA_NAMESPACE=ci", "KSA_ACCOUNT=deployer"} <= set(lines)
    assert re.search(r"^KSA_JTI=[0-9a-f-]{36}$", result.out, re.M)
    assert re.search(r"^KSA_EXPIRES=[0-9]{10}$", result.out, re.M)
    assert token.split(".")[2][:24] not in result.out
    assert len(result.allowed) == 1, result


def test_token_in_one_answer(host):
    """ksa-ssh gives it in parts of 500 bytes: see test_size()."""
    result, prompts = host.type([host.token()])
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result
    assert prompts == ["(deploy-bot@build-7) Service account token as password: "]


@pytest.mark.parametrize("algorithm", KEYS)
def test_algorithm(host, algorithm):
    key = KEYS[algorithm]
    host.write_keys(host.key, key)
    result = host.ssh(host.token(key))
    assert result.out == "deploy-bot\n", result


@pytest.mark.parametrize("algorithm", ("RS256", "ES256"))
@pytest.mark.parametrize("size", SIZES)
def test_size(host, algorithm, size):
    """Answers of 500 bytes mean more: 1000 and 1500 end with an empty part."""
    key = KEYS[algorithm]
    token, kid = issuer.token_of_length(key, size, iss=private_host.SHORT_ISSUER, account="d", account_uid="u")
    host.remember(token)
    host.write_keys(key.jwk(kid=kid))
    host.write_config(RULES)
    assert len(token) == size
    result = host.ssh(token)
    assert result.out == "deploy-bot\n", result


REFUSALS = {
    # name: (claims, reason, the client's text after the reference)
    "expired": (dict(issued=int(time.time()) - 1000), "expired", r": expired \d+ s ago"),
    "not-yet": (dict(issued=int(time.time()) + 500), "not-yet-valid", r": not valid for another \d+ s.*"),
    "other-host": (dict(audience="ssh://build-8"), "wrong-audience", ""),
    "api-audience": (dict(audience=issuer.ISSUER), "wrong-audience", ""),
    "two-audiences": (dict(aud=["ssh://build-7", "vault"]), "several-audiences", None),
    "no-rule": (dict(account="tester"), "no-rule", r': no rule allows prod:ci/tester to become "deploy-bot".*'),
    "long-life": (dict(life=86400), "lifetime-too-long", r": .*86400.*"),
    "other-issuer": (dict(iss=issuer.ISSUER + "/"), "unknown-issuer", ""),
    "other-subject": (dict(sub="system:serviceaccount:ci:root"), "bad-subject", None),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(host, name):
    arguments, reason, shown = REFUSALS[name]
    token = host.token(**arguments)
    audience = (arguments.get("aud") or [arguments.get("audience", "ssh://build-7")])[0]
    if name == "two-audiences":  # ksa-askpass keeps such a token to itself
        result, _ = host.type(issuer.answers(token))
    else:
        result = host.ssh(token, KSA_HOST="build-7", KSA_AUDIENCE=audience)
    assert result.status == 255, result
    assert result.reasons == [reason], result
    assert "result=deny reason=%s service=sshd ref=" % reason in result.lines[0]
    reference = re.search(r" ref=([0-9a-f]{8}) ", result.lines[0]).group(1)
    if shown is not None:
        assert re.search(r"^Service account token refused \(ref %s on build-7\)%s\r?$" % (reference, shown),
                         result.err, re.M), result


KINDS = {"account": "ok", "account-1h": "ok", "account-24h": "lifetime-too-long", "pod-on-node": "ok",
         "secret-bound": "ok", "node-bound": "ok", "dotted-name": "ok", "two-audiences": "several-audiences",
         "other-audience": "wrong-audience", "api-audience": "wrong-audience", "extended-pod": "wrong-audience",
         "default-account": "no-rule", "legacy-secret": "legacy-token"}


@pytest.mark.parametrize("kind", KINDS)
def test_real_kind(host, kind):
    """Each kind of token that a real API server signed, freshly signed in the same shape."""
    directory = private_host.SOURCE / "tests/data/kubernetes/tokens/1.37.2/RS256"
    entries = {entry["file"]: entry for entry in json.loads((directory / "index.json").read_text())}
    claims = entries[kind + ".jwt"]["claims"]
    shift = int(time.time()) - claims.get("iat", 0)
    for name in ("exp", "iat", "nbf"):
        if name in claims:
            claims[name] += shift
    host.write_config(RULES)
    host.edit("/etc/ksa/ksa.conf", "ssh://build-7", "ssh://build-7.example.com")
    result, prompts = host.type(issuer.answers(host.remember(issuer.token(host.key, claims))))
    assert len(prompts) >= 2
    if KINDS[kind] == "ok":
        assert result.out == "deploy-bot\n", result
    else:
        assert result.status == 255 and result.reasons == [KINDS[kind]], result


def test_refused_without_the_signature_says_nothing(host):
    """A stranger learns no reason: decision 12 of the design."""
    stranger = issuer.Key("RS256")
    result = host.ssh(host.remember(issuer.token(stranger, issuer.claims(), header={"kid": host.key.kid})))
    assert result.reasons == ["bad-signature"], result
    assert re.search(r"^Service account token refused \(ref [0-9a-f]{8} on build-7\)\r?$", result.err, re.M), result
    assert ' unverified_account="deployer"' in result.lines[0] and ' account="' not in result.lines[0]


def test_rule_by_address(host):
    host.edit("/etc/ksa/ksa.conf", "#from = 10.0.0.0/8 fd00::/8", "from = 10.0.0.0/8")
    assert host.ssh(host.token()).reasons == ["no-rule"]
    host.edit("/etc/ksa/ksa.conf", "from = 10.0.0.0/8", "from = 127.0.0.0/8")
    assert host.ssh(host.token()).out == "deploy-bot\n"


def test_token_of_another_cluster_with_the_same_issuer(host):
    other = issuer.Key("ES256")
    host.write("/etc/ksa/staging.jwks", issuer.jwks(other))
    host.write("/etc/ksa/conf.d/staging.conf", "[cluster staging]\nissuer = %s\nkeys = file:/etc/ksa/staging.jwks\n"
               % issuer.ISSUER)
    result = host.ssh(host.token(other))
    assert result.reasons == ["no-rule"] and ' cluster="staging"' in result.lines[0], result
    assert host.ssh(host.token()).out == "deploy-bot\n"


def test_log_level_and_place(host):
    line = host.ssh(host.token(account="tester")).lines[0]
    assert line.startswith("<85>"), line  # LOG_AUTHPRIV, LOG_NOTICE
    assert Path("/var/log/auth.log").read_text().count(line) == 1
