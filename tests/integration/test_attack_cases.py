# SPDX-License-Identifier: BSD-2-Clause
"""Attacks of tests/attacks.tsv at the level of the decision that need their own configuration besides
the token: another rule, attempt, key set or clock (attack_cases.py), and every broken configuration."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import issuer
from attack_cases import CASES, NOW, key, token

KSACTL = Path(os.environ["KSA_BUILD"]) / "ksactl/ksactl"
TABLE = Path(__file__).resolve().parents[1] / "attacks.tsv"
ROOT = Path(__file__).resolve().parents[2]
STEPS = re.findall(r'^X\([A-Z]+, +"([a-z]+)"', (ROOT / "common/login/login.h").read_text(), re.M)
OUTCOMES = {row[0]: row[3] for row in (line.split("\t") for line in TABLE.read_text().splitlines()[1:])}


class AttackSetup:
    """A configuration that lets token() in, and the attempt that is made."""

    def __init__(self, directory):
        self.directory = directory
        self.config = directory / "ksa.conf"
        self.keys = [key()]
        self.clusters = []
        self.host = ""
        self.rule = {"account": "prod:ci/deployer", "user": "deploy-bot", "service": "sshd"}
        self.attempt = {"user": "deploy-bot", "service": "sshd", "rhost": "10.1.2.3"}

    def with_keys(self, *entries):
        self.keys = entries

    def add_cluster(self, name, keys):
        """One more cluster of the same issuer; without KEYS its set is missing."""
        path = self.directory / (name + ".jwks")
        self.clusters.append("[cluster %s]\nissuer = %s\nkeys = file:%s\n" % (name, issuer.ISSUER, path))
        if keys is not None:
            path.write_text(issuer.jwks(*keys))

    def text(self):
        lines = ["[host]\naudience = %s ssh://gate\n%s" % (issuer.AUDIENCE, self.host)]
        lines.append("[cluster prod]\nissuer = %s https://c\nkeys = file:%s/prod.jwks" % (issuer.ISSUER, self.directory))
        lines += self.clusters
        if self.rule:
            lines.append("[rule deploy]\n" + "\n".join("%s = %s" % row for row in self.rule.items()))
        return "\n".join(lines) + "\n"

    def write(self):
        (self.directory / "prod.jwks").write_text(issuer.jwks(*self.keys))
        self.config.write_text(self.text())

    def explain(self, text, *options):
        words = [KSACTL, "explain", "--token-file", "-", "--config", self.config, "--now", str(NOW), *options]
        for name, value in self.attempt.items():
            words += ["--" + name, value]
        return subprocess.run(words, input=text.encode("latin-1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60)


@pytest.fixture
def attack(private, tmp_path):  # the users of the private host
    return AttackSetup(tmp_path)


def assert_no_signature(text, *outputs):
    signature = text.rsplit(".", 1)[-1] if text.count(".") >= 2 else ""
    for output in outputs:
        found = [at for at in range(len(signature) - 23) if signature[at:at + 24].encode("latin-1") in output]
        assert not found, "a piece of the signature is in the output"
        assert len(text) < 24 or text.encode("latin-1") not in output


def assert_steps(answer):
    """OK up to the step that refused, whose reason is the decision's; the later steps were not reached."""
    results = [step["result"] for step in answer["steps"]]
    assert [step["step"] for step in answer["steps"]] == STEPS
    if answer["result"] == "allow":
        assert set(results) == {"ok"}
        return
    stopped = results.index(answer["reason"])
    assert results == ["ok"] * stopped + [answer["reason"]] + ["not-reached"] * (len(STEPS) - stopped - 1), results


def assert_claims(answer):
    """Claims of the token are reported as facts only after its signature was verified."""
    verified = [step["result"] for step in answer["steps"] if step["step"] == "signature"] == ["ok"]
    assert (answer["unverified"] is None) == verified
    if not verified:
        assert {answer[name] for name in ("cluster", "namespace", "account", "account_uid", "jti", "kid", "expires")} == {None}


@pytest.mark.parametrize("name", CASES)
def test_attack(attack, name):
    text = CASES[name](attack)
    attack.write()
    process = attack.explain(text, "--json")
    assert process.returncode in (0, 1) and process.stderr == b"", process
    answer = json.loads(process.stdout)
    outcome = "allow" if answer["result"] == "allow" else answer["reason"]
    assert outcome == OUTCOMES[name], json.dumps(answer, indent=1)
    assert process.returncode == (0 if outcome == "allow" else 1)
    assert (answer["pam_code"] == "PAM_SUCCESS") == (outcome == "allow")
    assert_steps(answer)
    assert_claims(answer)
    in_words = attack.explain(text)
    assert in_words.returncode == process.returncode and in_words.stderr == b""
    assert_no_signature(text, process.stdout, in_words.stdout)


# --- The configuration: explain cannot decide, and admits no login ---

def replaced(old, new):
    return lambda attack: attack.config.write_bytes(attack.config.read_bytes().replace(old, new, 1))


def appended(data):
    return lambda attack: attack.config.write_bytes(attack.config.read_bytes() + data)


def mode(bits, where=""):
    return lambda attack: os.chmod(attack.config.parent if where == "parent" else attack.config, bits)


def moved(make):
    def change(attack):
        attack.config.rename(attack.directory / "real.conf")
        make(attack)
    return change


BROKEN = {
    "config-missing": lambda attack: attack.config.unlink(),
    "config-empty": lambda attack: attack.config.write_text(""),
    "config-open": mode(0o646),
    "config-parent": mode(0o777, "parent"),
    "config-owner": lambda attack: os.chown(attack.config, 1501, 1501),
    "config-symlink": moved(lambda attack: attack.config.symlink_to("real.conf")),
    "config-directory": moved(lambda attack: attack.config.mkdir()),
    "config-fifo": moved(lambda attack: os.mkfifo(attack.config, 0o644)),
    "config-no-equals": appended(b"bound any\n"),
    "config-no-value": appended(b"bound =\n"),
    "config-bad-value": appended(b"bound = maybe\n"),
    "config-no-section": lambda attack: attack.config.write_bytes(b"user = root\n" + attack.config.read_bytes()),
    "config-unknown-section": appended(b"[ruel x]\n"),
    "config-after-bracket": appended(b"[rule y] x\n"),
    "config-long-line": replaced(b"user = deploy-bot", b"user = deploy-bot" + b" " * 1007 + b"user = root"),
    "config-nul": replaced(b"deploy-bot", b"deploy-bot\0root"),
    "config-bom": lambda attack: attack.config.write_bytes(b"\xef\xbb\xbf" + attack.config.read_bytes()),
    "config-crlf": replaced(b"service = sshd\n", b"service = sshd\r\n"),
    "config-indented": replaced(b"user =", b" user ="),
    "config-continued": replaced(b"user = deploy-bot", b"user = \\\ndeploy-bot"),
    "config-key-twice": replaced(b"account =", b"account_uid = x\naccount_uid = y\naccount ="),
    "config-section-twice": appended(b"[rule deploy]\naccount = prod:ci/*\nuser = alice\nservice = sshd\n"),
    "config-unknown-key": appended(b"usr = root\n"),
    "config-long-section": appended(b"[rule " + b"x" * 300 + b"]\n"),
    "config-conf-d": lambda attack: ((attack.directory / "conf.d").mkdir(), (attack.directory / "conf.d/a.conf").write_text("x\n")),
    "config-conf-d-writable": lambda attack: ((attack.directory / "conf.d").mkdir(), (attack.directory / "conf.d").chmod(0o777)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_configuration(attack, name):
    text = token()
    attack.write()
    assert attack.explain(text).returncode == 0
    BROKEN[name](attack)
    process = attack.explain(text, "--json")
    assert process.returncode == 2 and process.stdout == b"", process
    assert str(attack.directory).encode() in process.stderr, process.stderr
    assert_no_signature(text, process.stderr)
