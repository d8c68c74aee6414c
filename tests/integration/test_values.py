# SPDX-License-Identifier: BSD-2-Clause
"""Text that is not a valid value is an error, in logins as in check: never a wider rule."""
import shutil
from pathlib import Path
import pam

import pytest

import issuer
from test_pam import CONFIG

FOUND = Path(__file__).resolve().parents[1] / "data/found"
RULE = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"
OTHER = "https://other.example.com"
# A line, text added to it, and the claims and the attempt that only the addition would admit.
WIDER = {
    "audience": ("audience = ssh://build-7", " # was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-semicolon": ("audience = ssh://build-7", "; was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-hash-at-its-end": ("audience = ssh://build-7", "# was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-dashes": ("audience = ssh://build-7", " -- was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-slashes": ("audience = ssh://build-7", " // was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-slashes-joined": ("audience = ssh://build-7", " //was ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-parentheses": ("audience = ssh://build-7", " (was ssh://fleet before)", dict(audience="ssh://fleet"), {}),
    "audience-brackets": ("audience = ssh://build-7", " [was ssh://fleet before]", dict(audience="ssh://fleet"), {}),
    "audience-exclamation-mark": ("audience = ssh://build-7", " !not ssh://fleet", dict(audience="ssh://fleet"), {}),
    "audience-template": ("audience = ssh://build-7", " {{ fleet | default: ssh://fleet }}", dict(audience="ssh://fleet"), {}),
    "issuer": ("issuer = " + issuer.ISSUER, " # old: " + OTHER, dict(iss=OTHER), {}),
    "issuer-parentheses": ("issuer = " + issuer.ISSUER, " (and %s before)" % OTHER, dict(iss=OTHER), {}),
    "issuer-semicolon": ("issuer = " + issuer.ISSUER, " ; old: " + OTHER, dict(iss=OTHER), {}),
    "user": ("user = deploy-bot", " # not root", {}, dict(user="root")),
    "user-semicolon": ("user = deploy-bot", " ; not root", {}, dict(user="root")),
    "user-hash-at-its-end": ("user = deploy-bot", "# not root", {}, dict(user="root")),
    "user-equals": ("user = deploy-bot", " = not root", {}, dict(user="root")),
    "user-template": ("user = deploy-bot", " ${USER:-nobody or root }", {}, dict(user="root")),
    "service": ("service = sshd", " # not sudo", {}, dict(service="sudo")),
    "service-dashes": ("service = sshd", " -- not sudo", {}, dict(service="sudo")),
    "service-pipe": ("service = sshd", " | sudo", {}, dict(service="sudo")),
}


@pytest.fixture
def stack(host):
    host.write(CONFIG, "[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = %s\nkeys = file:/etc/ksa/prod.jwks\n%s"
               % (issuer.ISSUER, RULE))
    return pam.PamStack(host)


def check(host):
    result = host.run(["ksactl", "check", "--config", CONFIG, "--json"], user="root")
    return result.status, result.json["problems"]


@pytest.mark.parametrize("name", WIDER)
def test_text_after_a_value_admits_no_one_else(stack, name):
    value, more, claims, attempt = WIDER[name]
    token = issuer.answers(stack.host.token(**claims))
    assert stack.attempt(token, **attempt)["auth"] in ("AUTH_ERR", "USER_UNKNOWN")
    stack.host.edit(CONFIG, value + "\n", value + more + "\n")
    result = stack.attempt(token, **attempt)
    assert result["auth"] == "AUTHINFO_UNAVAIL" and result["reasons"] == ["config-invalid"], result
    assert result["prompts"] == [], result
    status, (problem,) = check(stack.host)
    lines = Path(CONFIG).read_text().splitlines()
    assert status == 2 and (problem["file"], problem["line"]) == (CONFIG, lines.index(value + more) + 1), problem
    assert problem["severity"] == "error" and problem["remedy"], problem
    if "#" in more or ";" in more or "{" in more:
        assert 'remedy="%s"' % problem["remedy"] in result["log"][0], result


@pytest.mark.parametrize("path", sorted(FOUND.glob("conf-*.conf")), ids=lambda path: path.stem)
def test_configuration_that_was_found(stack, path):
    shutil.copy(path, CONFIG)
    result = stack.attempt(issuer.answers(stack.host.token()))
    assert result["auth"] == "AUTHINFO_UNAVAIL" and result["reasons"] == ["config-invalid"], result
    status, (problem,) = check(stack.host)
    (line,) = [number for number, text in enumerate(path.read_text().splitlines(), 1) if "#" in text]
    assert status == 2 and problem["severity"] == "error" and problem["line"] == line, problem


OPTIONS = {  # a line that is right, by the section that it is added to
    "[host]": ("name = build-7", "class = build", "timeout = 5s", "multiple_audiences = no", "uid_range = 2000-3000"),
    "[cluster prod]": ("keys_max_stale = 24h", "keys_ca_file = /etc/ksa/ca.crt", "api_server = https://10.0.0.1:6443",
                       "api_ca_file = /etc/ksa/ca.crt", "credential_file = /etc/ksa/credential",
                       "proxy = http://proxy:3128", "review = never"),
    "[rule deploy]": ("account = prod:ci/tester", "account_uid = u-1", "from = 10.0.0.0/8", "bound = any", "rbac = no",
                      "once = yes", "audience = ssh://build-7", "token = fresh"),
    "[account bot]": ("account = prod:ci/bot", "account_uid = u-1", "uid = 5000", "groups = builders", "home = /home/bot",
                      "shell = /bin/sh", "allow_powerful_groups = no"),
    "[accounts prod]": ("namespaces = ci", "selector = login=yes", "home = /home", "shell = /bin/sh", "recreated = refuse"),
    "[service db]": ("audience = db://build-7", "local_user = yes"),
}


def test_a_comment_after_any_value_is_told_as_one(stack):
    """Each option has the remedy of a comment; a comma and a template have remedies of their own."""
    text, remedies = Path(CONFIG).read_text(), {}
    for section, lines in OPTIONS.items():
        for line in lines:
            for more in (" # why", " ; why", "; why", ", x", " {{ x }}", " $(x)", " <X>", " @X@", " __X__"):
                if more == ", x" and line.startswith("selector"):
                    continue  # a selector has commas
                head = section + "\n" + line + more + "\n"
                stack.host.write(CONFIG, text.replace(section + "\n", head) if section in text else text + head)
                status, problems = check(stack.host)
                number = Path(CONFIG).read_text().splitlines().index(line + more) + 1
                here = [problem for problem in problems if problem["line"] == number]
                assert status == 2 and len(here) == 1, (section, line + more, problems)
                mistake = "comment" if "why" in more else "comma" if "," in more else "template"
                remedies.setdefault(mistake, set()).add(here[0]["remedy"])
    assert len(remedies["comment"]) == len(remedies["template"]) == 1 and remedies["comment"] != remedies["template"], remedies
    assert not remedies["comma"] & (remedies["comment"] | remedies["template"]), remedies


@pytest.mark.parametrize("old, new", [
    ("ssh://build-7", "ssh://@HOST@"), ("ssh://build-7", "ssh://__HOST__"), (issuer.ISSUER, "https://@ISSUER@"),
    ("user = deploy-bot", "user = __BOT__"), ("service = sshd", "service = @SERVICE_2@"), ("/etc/ksa/prod", "/etc/ksa/@CLUSTER@")])
def test_an_unrendered_template_of_allowed_characters(stack, old, new):
    """They were taken for values, by check too."""
    text = Path(CONFIG).read_text()
    assert old in text
    stack.host.write(CONFIG, text.replace(old, new))
    status, problems = check(stack.host)
    assert status == 2 and any("template" in problem["remedy"] for problem in problems), problems
    assert stack.attempt(["x"])["reasons"] == ["config-invalid"]


def test_a_section_for_sudo_i_that_would_apply_to_no_service(stack):
    """sudo-i has the section of sudo: a section of its own would be ignored, with its audience."""
    stack.host.write(CONFIG, Path(CONFIG).read_text() + "[service sudo-i]\naudience = sudo://build-7\n")
    assert stack.attempt(["x"])["reasons"] == ["config-invalid"]
    assert check(stack.host)[0] == 2


@pytest.mark.parametrize("arguments", (
    "exempt=deploy-bot,", "exempt=,deploy-bot", "exempt=deploy-bot,,alice", "exempt=deploy-bot,@own", "exempt=deploy-bot,*",
    "[exempt=deploy-bot,alice or bob]", "exempt=deploy-bot,$USER", "exempt=deploy-bot,<USER>", "exempt=deploy-bot,-x",
    "exempt=deploy-bot,a/b", "exempt=deploy-bot,%u", "token_file=/home/%h/token exempt=deploy-bot",
    "token_file=/run/{{user}}/token exempt=deploy-bot", "[token_file=/run/%u/a token] exempt=deploy-bot",
    "config=/etc/ksa/$HOST.conf exempt=deploy-bot", "[config=/etc/ksa/ksa.conf ; was /etc/old] exempt=deploy-bot",
    "token_file=/run/%u%/token exempt=deploy-bot", "exempt=deploy-bot,__ADMIN__", "token_file=/run/@USER@/token exempt=deploy-bot",
    "config=/etc/ksa/__HOST__.conf exempt=deploy-bot"))
def test_argument_without_a_valid_value(stack, arguments):
    """The whole line is refused, and no user is exempt."""
    result = stack.attempt(["x"], arguments=arguments)
    assert result["auth"] == "AUTHINFO_UNAVAIL" and result["reasons"] == ["bad-argument"] and result["prompts"] == [], result


def test_arguments_with_all_that_a_value_may_have(stack):
    config = shutil.copy(CONFIG, "/etc/ksa/a.b_c-d+e@f:g=h~i%j.conf")
    result = stack.attempt(issuer.answers(stack.host.token()), arguments="exempt=a.b_c-d+e@f,g$ config=" + config)
    assert result["auth"] == "SUCCESS", result
    assert stack.attempt(["x"], arguments="exempt=a.b,deploy-bot")["auth"] == "USER_UNKNOWN"
