# SPDX-License-Identifier: BSD-2-Clause
"""ksactl explain: the decision of a login, step by step."""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import issuer
import registry
from ksactl_host import RULES, Host

MEMBERS = {"result", "reason", "pam_code", "cluster", "namespace", "account", "account_uid", "jti", "kid", "user",
           "rule", "expires", "steps"}
CLAIMS = ("cluster", "namespace", "account", "account_uid", "jti", "kid", "expires")
FROM = ("--rhost", "10.1.2.3")


@pytest.fixture
def host(build, tmp_path):
    tmp_path.chmod(0o755)
    host = Host(build, tmp_path)
    yield host
    host.assert_no_signature_in_outputs()


def denied(result):
    answer = result.json
    ignored = answer["pam_code"] in ("PAM_AUTHINFO_UNAVAIL", "PAM_USER_UNKNOWN")  # by the shipped stack
    assert result.status == 1 and answer["result"] == ("unavailable" if ignored else "deny") and result.err == "", result
    return answer


def whys(answer):
    return {rule["rule"]: rule["why"] for rule in answer["rules"]}


# --- Allow ---


def test_allow(host):
    claims = issuer.claims()
    token = issuer.token(host.key, claims)
    result = host.explain(token, "--json", "--user", "deploy-bot", *FROM)
    answer = result.json
    assert result.status == 0 and result.err == "", result
    assert MEMBERS <= set(answer)
    assert {name: answer[name] for name in MEMBERS - {"steps"}} == {
        "result": "allow", "reason": "ok", "pam_code": "PAM_SUCCESS", "cluster": "prod", "namespace": "ci",
        "account": "deployer", "account_uid": issuer.ACCOUNT_UID, "jti": claims["jti"], "kid": host.key.kid,
        "user": "deploy-bot", "rule": "deploy", "expires": claims["exp"]}
    assert answer["unverified"] is None and answer["why"] is None and answer["remedy"] is None
    assert [set(step) for step in answer["steps"]] == [{"step", "result", "detail"}] * len(answer["steps"])
    assert {step["result"] for step in answer["steps"]} == {"ok"}
    assert {"token", "cluster", "key", "signature", "audience", "times", "lifetime", "subject", "user", "rule"} <= {
        step["step"] for step in answer["steps"]}
    assert whys(answer) == {"deploy": "matches"}


def test_allow_in_words(host):
    result = host.explain(host.token(), "--user", "deploy-bot", *FROM)
    assert result.status == 0 and result.err == "" and result.out.endswith("\nallow\n")
    for text in ("issuer \"%s\"" % issuer.ISSUER, "cluster prod, ES256 key of 256 bits", "ssh://build-7",
                 "its lifetime is 600 s", '"deploy-bot" has uid 1500',
                 "[rule deploy] matches (%s line %d)" % (host.config, host.line_of("[rule deploy]"))):
        assert text in result.out, result


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "ES512"])
def test_every_algorithm(host, algorithm):
    key = issuer.Key(algorithm)
    host.write_keys(key)
    assert host.explain(host.token(key), "--user", "deploy-bot", *FROM).status == 0


def test_user_is_chosen(host):
    """Without --user, the first that a rule names for this account and service, which the output states."""
    result = host.explain(host.token(), *FROM)
    assert result.status == 0 and "no --user: used deploy-bot" in result.out
    assert host.explain(host.token(), "--json", *FROM).json["user"] == "deploy-bot"


def test_user_of_another_rule_is_chosen(host):
    """If no rule covers the account, or the text is not a token, the result is about the token all the same."""
    assert (denied(host.explain(host.token(account="x"), "--json"))["user"],
            denied(host.explain("junk", "--json"))["reason"]) == ("deploy-bot", "not-a-token")


def test_no_user_to_choose(host):
    """No rule is for this service."""
    answer = denied(host.explain(host.token(), "--json", "--service", "cron"))
    assert (answer["user"], answer["reason"]) == (None, "not-named")


def test_service(host):
    assert host.explain(host.token(), "--json", "--service", "sudo").json["rule"] == "deploy-sudo"
    assert host.explain(host.token(), "--json", "--service", "sudo-i").json["rule"] == "deploy-sudo"


def test_service_without_root(host):
    host.write_config("[rule app]\naccount = prod:ci/deployer\nuser = app\nservice = postgresql\n\n"
                      "[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n")
    token = host.token(audience="postgresql://build-7")
    assert host.explain(token, "--user", "app", "--service", "postgresql").status == 0
    answer = denied(host.explain(host.token(), "--user", "app", "--service", "postgresql", "--json"))
    assert answer["reason"] == "wrong-audience"


def test_at_another_time(host):
    token = host.token(issued=1000000)
    assert denied(host.explain(token, "--json", *FROM))["reason"] == "expired"
    assert host.explain(token, "--now", "1000300", *FROM).status == 0
    assert denied(host.explain(token, "--now", "999000", "--json", *FROM))["reason"] == "not-yet-valid"


def test_standard_input(host):
    token = host.token()
    for text in (token, token + "\n"):
        result = host.run("explain", "--token-file", "-", "--config", host.config, *FROM, stdin=text.encode())
        assert result.status == 0, result
    result = host.run("explain", "--token-file", "-", "--config", host.config, *FROM, stdin=(token + "\n\n").encode())
    assert result.status == 1


def test_nothing_is_changed(host):
    before = {path: path.stat().st_mtime_ns for path in host.directory.rglob("*")}
    host.run("explain", "--token-file", "-", "--config", host.config, *FROM, stdin=host.token().encode())
    assert {path: path.stat().st_mtime_ns for path in host.directory.rglob("*")} == before


# --- Deny ---


@pytest.mark.parametrize("reason, token, args", [
    ("expired", dict(issued=1000000), ()),
    ("wrong-audience", dict(audience="ssh://build-8"), ()),
    ("several-audiences", dict(aud=["ssh://build-7", "x"]), ()),
    ("no-audience", dict(aud=issuer.ABSENT), ()),
    ("lifetime-too-long", dict(life=3601), ()),
    ("bad-subject", dict(sub="system:serviceaccount:ci:other"), ()),
    ("unknown-issuer", dict(iss="https://other"), ()),
    ("unknown-user", {}, ("--user", "nobody-here")),
    ("no-rule", {}, ("--rhost", "192.168.0.1")),
    ("no-rule", dict(namespace="dev"), ("--user", "deploy-bot")),
], ids=range(10))
def test_deny(host, reason, token, args):
    rules = RULES + "\n[rule ghost]\naccount = prod:ci/ghost\nuser = nobody-here\nservice = sshd\n"
    host.write_config(rules)
    args = (*FROM, *args) if "--rhost" not in args else args
    answer = denied(host.explain(host.token(**token), "--json", *args))
    assert MEMBERS <= set(answer) and answer["reason"] == reason, answer
    assert answer["pam_code"] == "PAM_AUTH_ERR" and answer["why"]
    failed = [step for step in answer["steps"] if step["result"] == reason]
    assert len(failed) == 1 and failed[0]["detail"] == answer["why"]
    after = answer["steps"][answer["steps"].index(failed[0]) + 1:]
    assert {step["result"] for step in after} <= {"not-reached"} and not any(step["detail"] for step in after)


def test_own_user_that_was_not_made_yet(host):
    """The first mistake with [accounts]: sync did not run yet."""
    host.write_config("[rule own]\naccount = prod:ci/*\nuser = @own\nservice = sshd\n")
    for args in ((), ("--user", "ci_deployer")):
        answer = denied(host.explain(host.token(), "--json", *args))
        assert answer["reason"] == "not-named" and "ksactl accounts sync" in answer["remedy"], answer
        assert "remedy: " in host.explain(host.token(), *args).out


def test_claims_are_null_before_the_signature_held(host):
    other = issuer.Key("ES256")
    claims = issuer.claims()
    token = issuer.token(other, claims, header={"kid": host.key.kid})
    answer = denied(host.explain(token, "--json", *FROM))
    assert answer["reason"] == "bad-signature"
    assert [answer[name] for name in CLAIMS] == [None] * len(CLAIMS)
    assert answer["unverified"] == {
        "cluster": "prod", "namespace": "ci", "account": "deployer", "account_uid": issuer.ACCOUNT_UID,
        "jti": claims["jti"], "kid": host.key.kid, "expires": claims["exp"]}
    assert answer["user"] == "deploy-bot"
    assert "its signature is not valid" in host.explain(token, *FROM).out


def test_claims_are_told_after_the_signature_held(host):
    answer = denied(host.explain(host.token(audience="x"), "--json", *FROM))
    assert answer["unverified"] is None and answer["account"] == "deployer" and answer["rule"] is None


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\0" * 50, "x" * 20000, "ü"],
                         ids=range(7))
def test_no_token(host, text):
    answer = denied(host.explain(text, "--json", *FROM))
    assert MEMBERS <= set(answer) and [answer[name] for name in CLAIMS] == [None] * len(CLAIMS)
    assert all(why.startswith("was not tested") for why in whys(answer).values())


def test_unknown_kid(host):
    token = host.token(issuer.Key("ES256"))
    answer = denied(host.explain(token, "--json", *FROM))
    assert (answer["reason"], answer["would_refresh"]) == ("unknown-kid", False)
    assert "key set file of prod with" in answer["remedy"] and "refresh" not in answer["remedy"]  # keys = file:
    assert "(according to the claims of the token; its signature was not verified)" in host.explain(token, *FROM).out


def test_remedy_names_the_cluster(host):
    host.write("prod.jwks", "{}")
    answer = denied(host.explain(host.token(), "--json", *FROM))
    assert answer["reason"] == "keys-unusable" and answer["remedy"].startswith("run ksactl keys show prod ")


def test_waiting_for_a_terminal_is_told(host):
    """credential init was the remedy of a log line, and sat there."""
    args = [host.ksactl, "explain", "--config", host.config, "--token-file", "-", *FROM]
    quoted = " ".join(shlex.quote(str(word)) for word in args)
    answer = subprocess.run(["script", "-qec", quoted, "/dev/null"], input=b"no token\n\x04\x04",
                            stdout=subprocess.PIPE, timeout=60, check=False)
    assert b"ksactl: reading standard input, a terminal" in answer.stdout, answer


def test_login_would_refresh_the_keys(host):
    """keys purge, and the set of the next login is fetched: explain changes nothing, and reports that."""
    host.write_config(RULES)
    text = host.config.read_text()
    host.write("ksa.conf", text.replace("keys = file:%s" % (host.directory / "prod.jwks"),
                                        "keys = api\napi_server = https://127.0.0.1:1"))
    said = "; a login would refresh the key set first"
    answer = denied(host.explain(host.token(), "--json", *FROM))
    assert (answer["reason"], answer["would_refresh"]) == ("keys-unusable", True)
    assert [step["detail"].endswith(said) for step in answer["steps"] if step["step"] == "key"] == [True]
    assert said in host.explain(host.token(), *FROM).out
    # No login would, for a token that could not be admitted.
    answer = denied(host.explain(host.token(audience="ssh://other"), "--json", *FROM))
    assert (answer["reason"], answer["would_refresh"]) == ("keys-unusable", False)
    assert said not in host.explain(host.token(audience="ssh://other"), *FROM).out


def test_key_set_missing(host):
    token = host.token()
    (host.directory / "prod.jwks").unlink()
    answer = denied(host.explain(token, "--json", *FROM))
    assert (answer["reason"], answer["pam_code"]) == ("file-missing", "PAM_AUTHINFO_UNAVAIL")


def test_nobodys_user(host):
    answer = denied(host.explain(host.token(), "--json", "--user", "root", *FROM))
    assert (answer["reason"], answer["pam_code"]) == ("not-named", "PAM_USER_UNKNOWN")
    assert "[rule]" in answer["remedy"] and "pam.d" in answer["remedy"]  # service = ssh is easily written


def test_remedies_do_not_lead_back(host):
    """That of no-rule was to run the command that printed it, and an invalid configuration had none."""
    answer = denied(host.explain(host.token(account="x"), "--json", "--user", "deploy-bot", *FROM))
    assert answer["reason"] == "no-rule" and "add or correct" in answer["remedy"]
    token = host.token()
    host.config.write_text(host.config.read_text().replace("service = ", "servce = "))
    result = host.explain(token, "--user", "deploy-bot")
    assert result.status == 2 and "servce" in result.err.splitlines()[0]
    assert result.err.splitlines()[1:] == ['    did you mean "service"?',
                                           "    ksactl check reports all errors of the configuration"]


def test_each_rule_tells_why_not(host):
    """Sought here: ci/deployer as deploy-bot through sshd from 10.1.2.3 with ssh://build-7."""
    rule = "\n[rule %s]\naccount = %s\nuser = %s\nservice = %s\n%s\n"
    host.write_config(
        rule % ("account", "prod:ci/other", "deploy-bot", "sshd", "") +
        rule % ("cluster", "stage:ci/deployer", "deploy-bot", "sshd", "") +
        rule % ("uid", "prod:ci/deployer", "deploy-bot", "sshd", "account_uid = other") +
        rule % ("user", "prod:ci/deployer", "alice", "sshd", "") +
        rule % ("service", "prod:ci/deployer", "deploy-bot", "sudo", "") +
        rule % ("from", "prod:ci/deployer", "deploy-bot", "sshd", "from = 192.168.0.0/16") +
        rule % ("audience", "prod:ci/deployer", "deploy-bot", "sshd", "audience = ssh://other") +
        host.cluster("stage", keys="prod2.jwks", issuer_name="https://stage"), host="audience = ssh://other")
    host.write_keys(issuer.Key("ES256"), name="prod2.jwks")
    answer = denied(host.explain(host.token(), "--json", "--user", "deploy-bot", *FROM))
    assert answer["reason"] == "no-rule"
    assert whys(answer) == {
        "account": "is for another account", "cluster": "is for another account",
        "uid": "is for another uid of the account (account_uid)", "user": "is for another user",
        "service": "is for another service", "from": "is for other networks", "audience": "is for another audience"}
    text = host.explain(host.token(), "--user", "deploy-bot", "--rhost", "client.example")
    assert "[rule from] has from, but the remote host is not an address: set UseDNS no in sshd_config" in text.out
    assert "\ndeny: no-rule (" in text.out and "remedy: " in text.out


def test_rules_after_the_one_that_matched_are_left_out(host):
    host.write_config(RULES + "\n[rule more]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n")
    answer = host.explain(host.token(), "--json", "--user", "deploy-bot").json
    assert whys(answer) == {"deploy": "has from, but --rhost was not given",
                            "deploy-sudo": "is for another service", "more": "matches"}


def test_hostile_words_stay_in_their_place(host):
    """In text, a value from outside is quoted; in JSON it is a string."""
    token = host.token(audience="\x1b[31m\n", jti="\x1b", iss="https://\x1b[2J")
    text = host.explain(token, "--user", "\x1b[1m\nallow", "--service", "sshd\nallow")
    assert "\x1b" not in text.out and "\nallow" not in text.out
    assert denied(host.explain(token, "--user", "\x1b[1m\nallow", "--json"))["user"] == "\x1b[1m\nallow"


@pytest.mark.parametrize("name", ["aud", "iss", "jti", "sub"])
def test_hostile_claims_of_a_good_signature(host, name):
    value = "ü\x1b[31m\nallow\n"
    token = host.token(**{name: [value] if name == "aud" else value})
    text = host.explain(token, "--user", "deploy-bot", *FROM)
    assert "\x1b" not in text.out and (text.status == 0 or not text.out.endswith("\nallow\n"))
    host.explain(token, "--user", "deploy-bot", "--json", *FROM).json


# --- Each line has the checked value, and nothing else ---


def detail(answer, name):
    return [step["detail"] for step in answer["steps"] if step["step"] == name][0]


def test_steps_that_were_not_reached_claim_nothing(host):
    text = host.explain(host.token(issuer.Key("ES256")), *FROM).out
    assert "not looked at" not in text
    assert re.search(r"^signature +- +not checked: whether the signature is valid$", text, re.M), text


@pytest.mark.parametrize("token, why", [
    (dict(iss="https://other"), "no cluster has the issuer of the token"),
    (dict(iss=issuer.ABSENT), "the token does not name an issuer"),
    ({"kubernetes.io": {}}, "the token does not name an account"),
], ids=range(3))
def test_rules_that_were_not_tested_say_why(host, token, why):
    answer = denied(host.explain(host.token(**token), "--json", "--user", "deploy-bot", *FROM))
    assert set(whys(answer).values()) == {"was not tested: " + why}
    assert set(whys(denied(host.explain("junk", "--json"))).values()) == {"was not tested: the token cannot be read"}


def test_rules_are_tested_where_no_rule_names_the_user(host):
    """The decision ended before it read the token, and the question is which condition of which rule failed."""
    answer = denied(host.explain(host.token(), "--json", "--user", "root", *FROM))
    assert answer["reason"] == "not-named"
    assert whys(answer) == {"deploy": "is for another user", "deploy-sudo": "is for another user"}
    assert "its signature was not verified" in host.explain(host.token(), "--user", "root", *FROM).out


def test_the_account_default_is_covered_by_its_name_alone(host):
    answer = denied(host.explain(host.token(account="default"), "--json", "--user", "deploy-bot", "--service", "sudo"))
    assert whys(answer) == {"deploy": "is for another account",
                            "deploy-sudo": "is for another account: * does not cover the account default"}


def test_an_address_that_was_not_given_is_not_one_that_failed(host):
    assert whys(denied(host.explain(host.token(), "--json")))["deploy"] == "has from, but --rhost was not given"
    why = whys(denied(host.explain(host.token(), "--json", "--rhost", "a.example")))["deploy"]
    assert why == "has from, but the remote host is not an address: set UseDNS no in sshd_config"


def test_a_user_that_is_not_looked_up(host):
    """With local_user = no the local user is not looked up, though one exists."""
    host.write_config("[rule app]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = app\n\n"
                      "[service app]\naudience = app://build-7\nlocal_user = no\n")
    answer = host.explain(host.token(audience="app://build-7"), "--json", "--service", "app").json
    assert (answer["result"], detail(answer, "user")) == ("allow", "not checked: this service has no local users")


def test_the_audience_that_counts_is_shown(host):
    host.write_config(RULES, host="multiple_audiences = yes")
    answer = host.explain(host.token(aud=["https://other", "ssh://build-7"]), "--json", *FROM).json
    assert (answer["result"], detail(answer, "audience")) == ("allow", 'the token is for "ssh://build-7"')


def test_a_registry_that_cannot_be_used_answers_nothing(host):
    """ksa does not manage the user, so the login goes on."""
    host.write_config(RULES.replace("user = deploy-bot\n", "user = @own\n"))
    registry.PATH.parent.mkdir(mode=0o755, exist_ok=True)
    registry.PATH.write_bytes(b"x")
    try:
        answer = host.explain(host.token(), "--json", "--user", "deploy-bot", *FROM).json
        other = host.explain(host.token(), "--json", "--user", "deploy-bot", "--service", "sudo").json
    finally:
        registry.PATH.unlink()
    assert (answer["result"], detail(answer, "own")) == (
        "allow", "not checked: the registry cannot be used (too short to be a registry)")
    assert whys(other)["deploy-sudo"] == "was not tested: @own needs the registry, which cannot be used"


def test_no_user_could_be_chosen(host):
    assert "no --user, and the rules for this service do not name a user" in host.explain(host.token(), "--service", "cron").out


# --- A token for the API server ---


API = "https://kubernetes.default.svc.cluster.local"
COMMAND = ("kubectl create token deployer -n ci --audience 'ssh://build-7'; in a Pod, mount a projected serviceAccountToken "
           "with audience: ssh://build-7")


@pytest.mark.parametrize("audience", [[API], [API, "k3s"], [issuer.ISSUER]], ids=range(3))
@pytest.mark.parametrize("pod, text", [("runner", "like the default token of a Pod"),
                                       (None, "like a token from kubectl create token without --audience")])
def test_a_token_for_the_api_server_is_named(host, audience, pod, text):
    """k3s gives two audiences: multiple_audiences = yes would not help."""
    more = {"pod": pod} if pod else {}
    answer = denied(host.explain(host.token(aud=audience, life=31536000, **more), "--json", *FROM))
    assert answer["reason"] == "wrong-audience" and answer["remedy"] == COMMAND, answer
    assert answer["why"] == 'the token is for the API server ("%s"), %s; this host is "ssh://build-7"' % (audience[0], text)


def test_the_command_for_the_right_token(host):
    """For other audiences too, with a life that the host allows; never of names that Kubernetes does not."""
    host.write_config(RULES, host="max_lifetime = 30m")
    answer = denied(host.explain(host.token(audience="ssh://other"), "--json", *FROM))
    assert answer["why"] == 'the token is for "ssh://other", this host is "ssh://build-7"'
    assert answer["remedy"] == COMMAND.replace("';", "' --duration 1800s;")
    token = host.token(audience=API, namespace="ci", account="x;id")
    answer = denied(host.explain(token, "--json", "--user", "deploy-bot", *FROM))
    assert answer["reason"] == "wrong-audience" and "kubectl" not in answer["remedy"]


# --- Could not be asked ---


@pytest.mark.parametrize("text", ["", "[host]\n", "junk\n", "[host]\naudience = ssh://b\ncolour = blue\n"],
                         ids=range(4))
def test_broken_configuration(host, text):
    host.write("ksa.conf", text)
    for args in ((), ("--json",)):
        result = host.explain(host.token(), *args)
        assert result.status == 2 and result.out == "" and result.err, result


def test_broken_line_is_named(host):
    host.write_config(RULES, host="colour = blue")
    assert host.explain(host.token()).err.startswith("%s:3: " % host.config)


def test_missing_configuration(host):
    host.config.unlink()
    assert host.explain(host.token()).status == 2


@pytest.mark.parametrize("args", [
    (), ("--token-file",), ("--token-file", "/nonexistent"), ("--token-file", "/"),
    ("--token-file", "TOKEN", "--now", "soon"), ("--token-file", "TOKEN", "--now", "-5"),
    ("--token-file", "TOKEN", "word"), ("--token-file", "TOKEN", "--unknown"),
    ("--token-file", "TOKEN", "--user", "a", "--user", "b"),
], ids=range(9))
def test_usage(host, args):
    path = host.write("token", host.token())
    args = [str(path) if word == "TOKEN" else word for word in args]
    result = host.run("explain", "--config", host.config, *args)
    assert result.status == 2 and result.out == "" and result.err, result


def test_without_root(build):
    """A user asks about their own token: the configuration holds no secret."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        host = Host(build, directory)
        ksactl = shutil.copy(host.ksactl, directory)
        path = host.write("token", host.token())
        os.chown(path, 1501, 1501)
        path.chmod(0o600)
        host.ksactl = shutil.which("setpriv")
        result = host.run("--reuid=1501", "--clear-groups", ksactl, "explain", "--config", host.config,
                          "--token-file", path, *FROM)
        assert result.status == 0, result


# --- Services without root ---


SERVICE = "\n[service app]\naudience = app://build-7\n"
RULE_OF_APP = "[rule app]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = app\n"


@pytest.fixture
def reachable(build):
    """A host whose files every user can read."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        host = Host(build, directory)
        host.write_config(RULE_OF_APP + SERVICE)
        yield host


def as_app(host, *args):
    token = host.token(audience="app://build-7", pod="runner")
    return host.explain(token, "--json", "--service", "app", "--user", "deploy-bot", *args)


@pytest.mark.parametrize("demand", ["review = require", "review = prefer", "bound = pod", "rbac = yes", "once = yes"])
def test_explain_allows_what_a_service_without_root_cannot_do(reachable, demand):
    reachable.write("credential", "token\n").chmod(0o600)
    reachable.write_config(RULE_OF_APP + demand + SERVICE, cluster="api_server = https://127.0.0.1:1\ncredential_file = %s\n" % (
        reachable.directory / "credential"))
    assert denied(as_app(reachable, "--service-user", "alice"))["reason"] == "needs-root"
    assert as_app(reachable, "--offline").json["reason"] == as_app(reachable, "--offline", "--service-user", "root").json["reason"]
    assert as_app(reachable, "--offline").json["reason"] != "needs-root"


def test_explain_allows_a_service_without_root_and_without_an_audience(reachable):
    reachable.write_config(RULE_OF_APP)
    result = reachable.explain(reachable.token(), "--json", "--service", "app", "--user", "deploy-bot", "--service-user", "alice")
    assert denied(result)["reason"] == "service-without-audience"


def test_explain_refuses_a_database_that_the_administrator_says_has_root(reachable):
    reachable.write_config(RULE_OF_APP + SERVICE + "local_user = no\n")
    assert as_app(reachable).status == as_app(reachable, "--service-user", "alice").status == 0
    assert denied(as_app(reachable, "--service-user", "root"))["reason"] == "service-with-root"


def test_explain_reads_keys_that_the_service_cannot_read(reachable):
    """It reads the files as the service's user, with that user's groups."""
    keys = reachable.directory / "prod.jwks"
    keys.chmod(0o640)
    assert as_app(reachable).status == 0
    assert denied(as_app(reachable, "--service-user", "alice"))["reason"] == "file-unreadable"
    shutil.chown(keys, "root", 100)  # users, of which alice is a member
    assert as_app(reachable, "--service-user", "alice").status == 0
    assert denied(as_app(reachable, "--service-user", "daemon"))["reason"] == "file-unreadable"


def test_explain_reads_a_configuration_that_the_service_cannot_read(reachable):
    reachable.config.chmod(0o600)
    assert as_app(reachable).status == 0
    result = as_app(reachable, "--service-user", "alice")
    assert result.status == 2 and str(reachable.config) in result.err and result.out == ""


def test_the_token_may_be_for_root_alone(reachable):
    """The administrator names its file, and the service never reads it."""
    token = reachable.write("secret", reachable.token(audience="app://build-7"))
    token.chmod(0o600)
    result = reachable.run("explain", "--config", reachable.config, "--token-file", token, "--service", "app", "--user", "deploy-bot",
                           "--service-user", "alice")
    assert result.status == 0, result


def test_unknown_service_user(reachable):
    result = as_app(reachable, "--service-user", "no-such-user")
    assert result.status == 2 and result.out == "" and "no-such-user" in result.err


def test_clock(host):
    """Its own clock where no --now is given."""
    token = host.token(issued=int(time.time()) - 595)
    assert host.explain(token, *FROM).status == 0


# --- The cluster ---


@pytest.mark.parametrize("review,result,reason,said", [
    ("prefer", "allow", "ok", "skipped"), ("require", "unavailable", "api-unreachable", "require"),
    ("never", "allow", "ok", "never")])
def test_offline_asks_nobody(host, review, result, reason, said):
    host.write("credential", "token\n").chmod(0o600)
    host.write_config(RULES, cluster="api_server = https://127.0.0.1:1\ncredential_file = %s\nreview = %s\n" % (
        host.directory / "credential", review))
    answer = host.explain(host.token(), "--offline", "--json", *FROM).json
    assert (answer["result"], answer["reason"], answer["review"]) == (result, reason, said)
    assert answer["audit_id"] is None
    text = host.explain(host.token(), "--offline", *FROM).out
    detail = [step["detail"] for step in answer["steps"] if step["step"] == "review"][0]
    assert detail in text
    if review == "prefer":
        assert detail == "not asked (--offline); review = prefer admits logins if the cluster does not answer"
    if result == "unavailable":
        assert answer["why"] == detail == "--offline: not asked" and answer["remedy"] == ""
        assert text.endswith("\nunavailable: api-unreachable (--offline: not asked)\n")


@pytest.mark.parametrize("review", ["prefer", "require", "never"])
def test_asking_the_cluster_is_for_root(build, review):
    """Another user cannot read the credential: that does not decide about the token."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        host = Host(build, directory)
        ksactl = shutil.copy(host.ksactl, directory)
        host.write("credential", "token\n").chmod(0o600)
        host.write_config(RULES, cluster="api_server = https://127.0.0.1:1\ncredential_file = %s\nreview = %s\n" % (
            directory / "credential", review))
        path = host.write("token", host.token())
        host.ksactl = shutil.which("setpriv")
        args = ["--reuid=1501", "--clear-groups", ksactl, "explain", "--config", host.config, "--token-file", path, *FROM]
        result = host.run(*args)
        if review == "never":
            assert result.status == 0, result
        else:
            assert (result.status, result.out) == (2, ""), result
            assert result.err == "ksactl: only root can ask the cluster: use --offline\n"
        assert host.run(*args, "--offline").status == (1 if review == "require" else 0)


def test_a_question_uses_no_token_up(host):
    """once = yes: explained twice, admitted both times; no mark is created."""
    host.write_config(RULES.replace("service = sshd\n", "service = sshd\nonce = yes\n"))
    token = host.token()
    for _ in range(2):
        answer = host.explain(token, "--json", *FROM).json
        assert answer["result"] == "allow" and {"step": "once", "result": "ok",
                                                "detail": "it was not used before; a login would mark it"} in answer["steps"]
    assert not list(Path("/var/lib/ksa/used").iterdir())
