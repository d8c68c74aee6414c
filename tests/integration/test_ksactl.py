"""ksactl: what it reports, prints and answers."""
import json
import os
import subprocess

import pytest

import issuer

CONFIG = "/etc/ksa/ksa.conf"
RULE = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"


def ksactl(host, *arguments, stdin=b"", user="root"):
    return host.run(["ksactl", *map(str, arguments)], user=user, stdin=stdin)


def problems(host, status):
    result = ksactl(host, "check", "--json")
    assert result.status == status, result
    answer = json.loads(result.out)
    text = ksactl(host, "check")
    assert text.status == status
    for problem in answer["problems"]:
        assert problem["text"] in text.out
        assert problem["severity"] in ("error", "warning")
    return answer["problems"]


@pytest.fixture
def scene(host):
    host.write_config(RULE)
    return host


def test_clean(scene):
    assert problems(scene, 0) == []
    assert ksactl(scene, "check").out == "no problem found\n"


def append(text):
    return lambda host: host.write(CONFIG, open(CONFIG).read() + text)


ERRORS = {  # name: (what happened, words of the report)
    "syntax": (append("user deploy\n"), "="),
    "unknown option": (append("usr = x\n"), "usr"),
    "bad value": (append("bound = maybe\n"), "maybe"),
    "unsafe mode": (lambda host: os.chmod(CONFIG, 0o666), CONFIG),
    "keys missing": (lambda host: os.unlink("/etc/ksa/prod.jwks"), "prod.jwks"),
    "keys of no use": (lambda host: host.write_keys(issuer.Key("RS256", 1024)), "no usable key"),
    "keys twice": (lambda host: host.write_keys(host.key, host.key), "kid"),
    "from with sudo": (append("[rule s]\naccount = prod:ci/d\nuser = deploy-bot\nservice = sudo\nfrom = 10.0.0.0/8\n"), "from"),
    "audience is an issuer": (lambda host: host.edit(CONFIG, "ssh://build-7", issuer.ISSUER), "issuer"),
    "unknown cluster": (append("[rule s]\naccount = staging:ci/d\nuser = deploy-bot\nservice = sshd\n"), "staging"),
    "not built": (append("once = yes\n"), "once"),
    "audience in two places": (append("[service postgresql]\naudience = ssh://build-7\n"), "audience"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(scene, name):
    change, words = ERRORS[name]
    change(scene)
    found = problems(scene, 2)
    assert any(words in problem["text"] and problem["severity"] == "error" for problem in found), found
    assert all(problem["file"] for problem in found), found


WARNINGS = {
    "skipped key": (lambda host: host.write_keys(host.key, host.key.jwk(kid="e", use="enc")), "skips key 'e'"),
    "kid in two sets": (lambda host: (host.write("/etc/ksa/b.jwks", issuer.jwks(host.key)), append(
        "[cluster b]\nissuer = %s\nkeys = file:/etc/ksa/b.jwks\n" % issuer.ISSUER)(host)), "sets of [cluster prod] and [cluster b]"),
    "unreachable": (append(RULE.replace("deploy]", "again]")), "never reached"),
    "no such user": (append(RULE.replace("deploy]", "x]").replace("deploy-bot", "nobody-here")), "no user nobody-here"),
    "root": (append(RULE.replace("deploy]", "x]").replace("deploy-bot", "root")), "uid 0"),
    "system user": (append(RULE.replace("deploy]", "x]").replace("deploy-bot", "daemon")), "system user"),
    "no rule": (lambda host: host.edit(CONFIG, RULE, ""), "no [rule]"),
    "audience of an API server": (lambda host: host.edit(CONFIG, "ssh://build-7", "https://kubernetes.default.svc"), "API server"),
    "service without root": (append(RULE.replace("deploy]", "x]").replace("sshd", "postgresql")), "without root"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warning(scene, name):
    change, words = WARNINGS[name]
    change(scene)
    found = problems(scene, 2 if name == "kid in two sets" else 1)
    assert any(words in problem["text"] for problem in found), found
    assert all(problem["remedy"] for problem in found), found


@pytest.mark.parametrize("group", ("sudo", "adm", "docker", "disk", "shadow"))
def test_user_in_a_powerful_group(scene, group):
    groups = open("/etc/group").read()
    try:
        subprocess.run(["groupadd", "-f", "-r", group], check=True)
        subprocess.run(["usermod", "-aG", group, "deploy-bot"], check=True)
        found, = problems(scene, 1)
        assert "in group %s" % group in found["text"]
    finally:
        scene.write("/etc/group", groups)


def test_every_problem_is_told(scene):
    append("usr = x\nbound = maybe\n[ruel y]\n")(scene)
    found = problems(scene, 2)
    assert [problem["line"] for problem in found][:3] == [13, 14, 15] or len(found) >= 3, found


# --- explain ---

MEMBERS = {"result", "reason", "pam_code", "cluster", "namespace", "account", "account_uid", "jti", "kid", "user", "rule",
           "expires", "steps"}


def explain(host, token, *options, status=0):
    path = host.token_file(token)
    result = ksactl(host, "explain", "--token-file", path, "--json", *options)
    assert result.status == status, result
    return json.loads(result.out)


def test_explain_allow(scene):
    payload = issuer.claims()
    answer = explain(scene, issuer.token(scene.key, payload), "--user", "deploy-bot")
    assert MEMBERS <= set(answer)
    assert {name: answer[name] for name in MEMBERS - {"steps"}} == {
        "result": "allow", "reason": "ok", "pam_code": "PAM_SUCCESS", "cluster": "prod", "namespace": "ci",
        "account": "deployer", "account_uid": issuer.ACCOUNT_UID, "jti": payload["jti"], "kid": scene.key.kid,
        "user": "deploy-bot", "rule": "deploy", "expires": payload["exp"]}
    assert [step["result"] for step in answer["steps"]] == ["ok"] * 12
    assert all(set(step) == {"step", "result", "detail"} for step in answer["steps"])


def test_explain_deny_before_the_signature(scene):
    stranger = issuer.Key("RS256")
    token = issuer.token(stranger, header={"kid": scene.key.kid})
    answer = explain(scene, token, "--user", "deploy-bot", status=1)
    assert answer["reason"] == "bad-signature" and answer["pam_code"] == "PAM_AUTH_ERR"
    for name in ("namespace", "account", "account_uid", "jti", "rule", "expires"):
        assert answer[name] is None, name
    assert answer["unverified"]["account"] == "deployer"


def test_explain_tells_of_each_rule_why_not(scene):
    append(RULE.replace("deploy]", "other]").replace("ci/deployer", "ci/tester"))(scene)
    append(RULE.replace("deploy]", "address]") + "from = 10.0.0.0/8\n")(scene)
    result = ksactl(scene, "explain", "--token-file", scene.token_file(scene.token(account="tester", namespace="qa")),
                    "--user", "deploy-bot")
    assert result.status == 1
    for name in ("deploy", "other", "address"):
        assert "[rule %s] is for another account" % name in result.out, result


def test_explain_by_standard_input_and_at_another_time(scene):
    token = scene.token(issued=1700000000)
    result = ksactl(scene, "explain", "--token-file", "-", "--now", 1700000300, "--user", "deploy-bot", stdin=token.encode())
    assert result.status == 0 and "\nallow\n" in result.out, result
    assert token.split(".")[2][:24] not in result.out


def test_explain_takes_the_user_of_the_rule(scene):
    assert explain(scene, scene.token())["user"] == "deploy-bot"


def test_explain_as_a_login_would(scene):
    """The same token, the same reason, by the module and by the tool."""
    for arguments in (dict(), dict(account="tester"), dict(audience="ssh://other"), dict(life=4000)):
        token = scene.token(**arguments)
        login, _ = scene.type([token[:500], token[500:]])
        answer = explain(scene, token, "--user", "deploy-bot", "--service", "sshd", "--rhost", "127.0.0.1",
                         status=0 if not arguments else 1)
        assert login.reasons == [answer["reason"]]


@pytest.mark.parametrize("arguments", ((), ("--token-file", "/nowhere"), ("--token-file",), ("--nonsense",),
                                       ("--token-file", "-", "--now", "x"), ("--token-file", "-", "extra")))
def test_explain_that_cannot_be_asked(scene, arguments):
    result = ksactl(scene, "explain", *arguments)
    assert result.status == 2 and result.out == "" and result.err.startswith(("ksactl: ", "usage: ")), result


def test_explain_with_a_broken_configuration(scene):
    scene.write(CONFIG, "broken\n")
    result = ksactl(scene, "explain", "--token-file", scene.token_file(scene.token()), "--user", "deploy-bot")
    assert result.status == 2 and CONFIG in result.err, result


def test_other_configuration(scene):
    os.rename(CONFIG, "/etc/ksa/other.conf")
    assert ksactl(scene, "check").status == 2
    assert ksactl(scene, "check", "--config", "/etc/ksa/other.conf").status == 0


# --- keys ---

def test_keys_show(scene):
    ec = issuer.Key("ES384")
    scene.write_keys(scene.key, ec, scene.key.jwk(kid="for-encryption", use="enc"))
    result = ksactl(scene, "keys", "show", "--json")
    text = ksactl(scene, "keys", "show", "prod").out
    for kid in (scene.key.kid, ec.kid, "for-encryption"):
        assert kid in text and kid in result.out
    assert result.status == 0 and json.loads(result.out)
    assert ksactl(scene, "keys", "show", "nonsense").status == 2


@pytest.mark.parametrize("algorithm", ("RS256", "ES256", "ES384", "ES512"))
def test_keys_convert(scene, algorithm):
    """The same numbers and kid as another implementation has."""
    key = issuer.Key(algorithm)
    result = ksactl(scene, "keys", "convert", scene.write("/run/key.pem", key.pem()))
    entry, = json.loads(result.out)["keys"]
    assert {name: entry[name] for name in key.jwk()} == key.jwk()
    scene.write("/etc/ksa/prod.jwks", result.out)
    assert explain(scene, scene.token(key))["result"] == "allow"


def test_keys_convert_several(scene):
    keys = [issuer.Key("RS256"), issuer.Key("ES256")]
    result = ksactl(scene, "keys", "convert", scene.write("/run/key.pem", "".join(key.pem() for key in keys)))
    assert [entry["kid"] for entry in json.loads(result.out)["keys"]] == [key.kid for key in keys]


@pytest.mark.parametrize("text", ("", "hello\n", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
def test_keys_convert_nonsense(scene, text):
    result = ksactl(scene, "keys", "convert", scene.write("/run/key.pem", text))
    assert result.status == 2 and result.out == "" and result.err, result


def test_keys_convert_refuses_what_no_login_could_use(scene):
    result = ksactl(scene, "keys", "convert", scene.write("/run/key.pem", issuer.Key("RS256", 1024).pem()))
    assert result.status == 2 and result.err, result


# --- the rest ---

def test_options(scene):
    text = ksactl(scene, "options").out
    for option in json.loads(ksactl(scene, "options", "--json").out):
        assert "  %s " % option["name"] in text and option["text"] in text


@pytest.mark.parametrize("arguments", ((), ("nonsense",), ("check", "x"), ("check", "--config"), ("keys",), ("keys", "x"), ("options", "x")))
def test_usage(scene, arguments):
    result = ksactl(scene, *arguments)
    assert result.status == 2 and result.out == "" and result.err, result


def test_help_and_version(scene):
    assert ksactl(scene, "--help").out.startswith("usage: ksactl ")
    assert ksactl(scene, "--version").out.startswith("ksactl ")


def test_without_root(scene):
    """Nothing in /etc/ksa is secret: a user may ask too."""
    assert ksactl(scene, "check", user="alice").status == 0


def test_full_disk_is_told(scene):
    for arguments in ("options", "check", "keys show"):
        result = scene.run(["sh", "-c", "ksactl %s >/dev/full" % arguments], user="root")
        assert result.status == 2, arguments
