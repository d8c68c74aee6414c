# SPDX-License-Identifier: BSD-2-Clause
"""A client without a valid token can write into the log: one line, of limited length, with the whole reason."""
import re

import pytest

import issuer

LONG = "\x7f" * 200  # each takes four bytes in the log
CLAIMS = dict(namespace=LONG, account=LONG, account_uid=LONG, audience=LONG, jti=LONG, sub=LONG,
              kubernetes={"namespace": LONG, "serviceaccount": {"name": LONG, "uid": LONG}, "pod": {"name": LONG, "uid": LONG}})
HOSTILE = {
    "bad-signature": dict(sign=lambda signed: bytes(256)),
    "unknown-kid": dict(header={"kid": '"' + "k" * 1023}),
    "unknown-issuer": dict(iss="https://" + LONG),
    "bad-header": dict(header={LONG: 1}),
    "bad-algorithm": dict(header={"alg": LONG}),
    "legacy-token": dict(iss="kubernetes/serviceaccount"),
}


def checked(line):
    """The line from the module's name on: short enough, no unverified value is long, why and remedy are whole."""
    line = line[line.index("pam_ksa("):]
    assert len(line.encode()) <= 2048
    values = dict(re.findall(r' (\w+)="([^"]*)"', line))
    for name in values:
        assert not name.startswith("unverified_") and name not in ("user", "rhost") or len(values[name]) <= 64, name
    assert re.search(r' why="[^"]+" remedy="[^"]+"$', line) and not values["why"].endswith("..."), line
    return values


def hostile_token(stack, sign=None, header=None, iss=issuer.ISSUER):
    claims = issuer.claims(**CLAIMS, iss=iss)
    return stack.host.remember(issuer.token(stack.host.key, claims, header, sign))


@pytest.mark.parametrize("reason", HOSTILE)
def test_hostile_token_writes_one_short_line(stack, reason):
    stack.host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n")
    result = stack.attempt(issuer.answers(hostile_token(stack, **HOSTILE[reason])), rhost="\x7f" * 255)
    assert result["reasons"] == [reason] and len(result["log"]) == 1, result
    values = checked(result["log"][0])
    assert values["rhost"].endswith("\\...") and len(values["why"]) < 256, values


@pytest.mark.parametrize("reason", HOSTILE)
def test_steps_of_a_hostile_token_are_short_lines(stack, reason):
    result = stack.attempt(issuer.answers(hostile_token(stack, **HOSTILE[reason])), arguments="debug")
    assert len(result["log"]) > 10 and max(len(line.encode()) for line in result["log"]) < 2048, result


def test_long_names_of_a_good_token_leave_the_reason_whole(stack):
    """An account of 253 bytes, for which no rule is: its name does not push out why."""
    account, namespace = "a" * 253, "n" * 63
    result = stack.attempt(issuer.answers(stack.host.token(account=account, namespace=namespace, pod="p" * 253)))
    values = checked(result["log"][0])
    assert result["reasons"] == ["no-rule"] and values["namespace"] == namespace and values["account"].endswith("\\..."), values
    assert namespace in values["why"] and "deploy-bot" in values["why"], values
