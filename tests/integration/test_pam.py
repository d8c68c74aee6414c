# SPDX-License-Identifier: BSD-2-Clause
"""The real module through the real libpam: codes, prompts, texts, log lines, and its traces in the process."""
import os
import re
import shutil
import time
from pathlib import Path

import pytest

import issuer
import pam
import registry

CONFIG = "/etc/ksa/ksa.conf"


def test_allow(stack):
    token = stack.host.token(pod="job-1")
    result = stack.attempt(issuer.answers(token), phases=("authenticate", "acct_mgmt", "setcred", "open_session", "close_session"))
    # PAM_IGNORE alone in a stack is a refusal: the session group has other modules in real life.
    assert [result["codes"][phase] for phase in ("authenticate", "acct_mgmt", "setcred")] == ["SUCCESS"] * 3, result
    assert result["prompts"] == ["Service account token as password: "] + ["Service account token part %d as password: " % n
                                                                           for n in range(2, len(issuer.answers(token)) + 1)]
    assert result["messages"] == [] and max(result["delays"] or [0]) == 0, result
    names = [variable.split("=")[0] for variable in result["environment"]]
    assert sorted(names) == ["KSA_ACCOUNT", "KSA_CLUSTER", "KSA_EXPIRES", "KSA_JTI", "KSA_NAMESPACE"]
    assert len(result["log"]) == 1 and "result=allow reason=ok service=sshd ref=" in result["log"][0], result
    for name in ('rhost="10.1.2.3"', 'user="deploy-bot"', 'cluster="prod"', 'namespace="ci"', 'account="deployer"',
                 'bound=pod pod="job-1"', 'aud="ssh://build-7"', 'rule="deploy"', 'real_uid=0 effective_uid=0 user_uid=1500 ',
                 'iss="%s"' % issuer.ISSUER):
        assert name in result["log"][0], name


@pytest.mark.parametrize("kind, objects, logged", [
    ("none", {}, ""), ("secret", {"secret": {"name": "s", "uid": "u"}}, ' secret="s" secret_uid="u"'),
    ("node", {"node": {"name": "n", "uid": "v"}}, ' node="n" node_uid="v"'),
    ("pod", {"node": {"name": "n"}, "pod": {"name": "p", "uid": "u"}}, ' pod="p" pod_uid="u" node="n"')])
def test_line_names_the_object_and_all_audiences(stack, kind, objects, logged):
    """A line that is replayed by another configuration must have what a rule may ask for, refused or not."""
    kubernetes = {"namespace": "ci", "serviceaccount": {"name": "deployer", "uid": issuer.ACCOUNT_UID}, **objects}
    token = stack.host.token(kubernetes=kubernetes, aud=["https://other", "a b", "ssh://build-7"])
    result = stack.attempt(issuer.answers(token))
    assert result["reasons"] == ["several-audiences"], result
    assert ' bound=%s%s aud="https://other a\\x20b ssh://build-7" iat=' % (kind, logged) in result["log"][0], result


def test_line_of_a_caller_who_is_not_root(stack):
    result = stack.attempt(issuer.answers(stack.host.token()), real_uid=1501)
    assert " real_uid=1501 effective_uid=0 user_uid=1500 cluster=" in result["log"][0], result


def test_whole_token_in_one_answer(stack):
    token = stack.host.token()
    assert len(token) > 500
    result = stack.attempt([token])
    assert result["auth"] == "SUCCESS" and len(result["prompts"]) == 1, result


NOW = int(time.time())
REFUSED = {
    "expired": dict(issued=NOW - 1000),
    "not-yet-valid": dict(issued=NOW + 900),
    "wrong-audience": dict(audience="ssh://build-8"),
    "no-rule": dict(account="tester"),
    "bad-subject": dict(sub="system:serviceaccount:ci:tester"),
    "lifetime-too-long": dict(life=3601),
    "unknown-issuer": dict(iss=issuer.ISSUER + "/"),
    "bad-claims": dict(exp="never"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(stack, reason):
    result = stack.attempt(issuer.answers(stack.host.token(**REFUSED[reason])))
    # The account phase ignores a refused login; alone in a stack it does not succeed either.
    assert result["auth"] == "AUTH_ERR" and result["codes"]["acct_mgmt"] != "SUCCESS", result
    assert result["reasons"] == [reason] and result["environment"] == [], result
    assert 1000000 <= max(result["delays"]) <= 3000000  # libpam varies the 2 s
    reference = re.search(r" ref=([0-9a-f]{8}) ", result["log"][0]).group(1)
    (style, text), = result["messages"]
    assert style == pam.ERROR_MSG and text.startswith("Service account token refused (ref %s on build-7)" % reference)
    detailed = reason not in ("wrong-audience", "unknown-issuer", "bad-claims")
    assert (": " in text) == detailed, text


def test_legacy_token(stack):
    token = issuer.token(stack.host.key, issuer.legacy_claims())
    assert stack.attempt(issuer.answers(stack.host.remember(token)))["reasons"] == ["legacy-token"]


def test_nodelay(stack):
    assert max(stack.attempt(["x"], arguments="nodelay")["delays"] or [0]) == 0


def shared_issuer(host, *keys):
    host.write("/etc/ksa/other.jwks", issuer.jwks(*keys))
    host.write("/etc/ksa/conf.d/other.conf", "[cluster other]\nissuer = %s\nkeys = file:/etc/ksa/other.jwks\n" % issuer.ISSUER)


def test_two_clusters_of_one_issuer(stack):
    host, other = stack.host, issuer.Key("ES256")
    shared_issuer(host, other)
    assert stack.attempt(issuer.answers(host.token()))["auth"] == "SUCCESS"  # the key is in one
    assert stack.attempt(issuer.answers(host.token(other)))["reasons"] == ["no-rule"]  # and the other is not in prod
    stranger = issuer.Key("ES256")
    assert stack.attempt(issuer.answers(host.token(stranger)))["reasons"] == ["unknown-kid"]  # in none
    shared_issuer(host, other, host.key)
    assert stack.attempt(issuer.answers(host.token()))["reasons"] == ["ambiguous-kid"]  # in both


def test_key_sets_with_one_kid_twice(stack):
    """A set was refused whole, although a kube-apiserver publishes one if two of its key files hold one key."""
    host, other = stack.host, issuer.Key("RS256")
    for entries, result in (((host.key, other, host.key), "SUCCESS"), ((other.jwk(kid="x"), host.key.jwk(kid="x"), host.key), "SUCCESS"),
                            ((host.key, other.jwk(kid=host.key.kid)), "ambiguous-kid")):
        host.write_keys(*entries)
        attempt = stack.attempt(issuer.answers(host.token()))
        assert result in (attempt["auth"], *attempt["reasons"]), attempt


# --- Who ---

def test_rule_for_another_user_or_service_does_not_ask(stack):
    for others in (dict(user="alice"), dict(service="login")):
        result = stack.attempt(issuer.answers(stack.host.token()), **others)
        assert result["auth"] == "USER_UNKNOWN", result
        assert result["prompts"] == result["log"] == result["messages"] == [] and max(result["delays"] or [0]) == 0


def test_rule_for_another_address(stack):
    stack.host.edit(CONFIG, "service = sshd sudo", "service = sshd\nfrom = 10.0.0.0/8")
    assert stack.attempt(issuer.answers(stack.host.token()), rhost="10.9.9.9")["auth"] == "SUCCESS"
    assert stack.attempt(issuer.answers(stack.host.token()), rhost="192.0.2.1")["reasons"] == ["no-rule"]


def test_remote_host_as_a_name_never_matches(stack):
    stack.host.edit(CONFIG, "service = sshd sudo", "service = sshd\nfrom = 0.0.0.0/0 ::/0")
    result = stack.attempt(issuer.answers(stack.host.token()), rhost="job.example.com")
    assert result["reasons"] == ["no-rule"] and "name" in result["log"][0], result


@pytest.mark.parametrize("rhost, admitted", (
    ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.0.0.1%x.evil.example", False), ("10.0.0.1%", False),
    ("10.0.0.1%eth0", False), ("::ffff:10.1.2.3%eth0", False), ("fd00::1", True), ("fd00::1%eth0", False),
    ("fe80::1", True), ("fe80::1%eth0", True), ("fe80::1%", False), ("fe80::1%a.name.that.is.no.interface", False),
    ("fe80::1%eth0/x", False), ("10.1.2.3:22", False), ("[fd00::1]", False)))
def test_zone_of_an_address(stack, rhost, admitted):
    """PAM_RHOST may be a name, which the client may choose in its own DNS."""
    stack.host.edit(CONFIG, "service = sshd sudo", "service = sshd\nfrom = 10.0.0.0/8 fd00::/8 fe80::/10")
    result = stack.attempt(issuer.answers(stack.host.token()), rhost=rhost)
    assert (result["auth"], result["reasons"]) == (("SUCCESS", ["ok"]) if admitted else ("AUTH_ERR", ["no-rule"])), result


@pytest.mark.parametrize("user", ("root", "daemon"))
def test_system_users_must_be_named(stack, user):
    """uid 0, and one below 1000: the refusal of a rule that names the user reports it; @own would not match."""
    stack.host.edit(CONFIG, "user = deploy-bot", "user = deploy-bot %s" % user)
    assert stack.attempt(issuer.answers(stack.host.token()), user=user)["auth"] == "SUCCESS"
    stack.host.edit(CONFIG, "user = deploy-bot %s" % user, "user = deploy-bot")
    assert stack.attempt(issuer.answers(stack.host.token()), user=user)["auth"] == "USER_UNKNOWN"


def test_user_that_does_not_exist(stack):
    stack.host.edit(CONFIG, "user = deploy-bot", "user = deploy-bot nobody-here")
    assert stack.attempt(issuer.answers(stack.host.token()), user="nobody-here")["reasons"] == ["unknown-user"]


def test_default_account_is_covered_by_its_name_alone(stack):
    stack.host.edit(CONFIG, "prod:ci/deployer", "prod:ci/*")
    token = stack.host.token(account="default")
    assert stack.attempt(issuer.answers(token))["reasons"] == ["no-rule"]
    stack.host.edit(CONFIG, "prod:ci/*", "prod:ci/default")
    assert stack.attempt(issuer.answers(token))["auth"] == "SUCCESS"


# --- The conversation ---

def test_more_than_33_parts(stack):
    result = stack.attempt(["a" * 500, "b" * 500])
    assert len(result["prompts"]) == 33 and result["reasons"] == ["token-too-long"], result


def test_token_of_16_kib_and_one_byte_more(stack):
    token, kid = issuer.token_of_length(stack.host.key, 16384)
    stack.host.write_keys(stack.host.key.jwk(kid=kid))
    assert stack.attempt(issuer.answers(token))["auth"] == "SUCCESS"
    longer, kid = issuer.token_of_length(stack.host.key, 16385)
    stack.host.write_keys(stack.host.key.jwk(kid=kid))
    assert stack.attempt(issuer.answers(longer))["reasons"] == ["token-too-long"]
    assert stack.attempt([longer])["reasons"] == ["token-too-long"]


@pytest.mark.parametrize("answers, reason", (
    ([""], "empty-answer"),
    ([None], "conversation-failed"),
    ([pam.CONVERSATION_FAILS], "conversation-failed"),
    (["a" * 500, pam.CONVERSATION_FAILS], "conversation-failed"),
    (["a" * 500, None], "conversation-failed"),
    (["a" * 500], "repeated-answer"),
    (["a" * 500, ""], "not-a-token"),
    (["\b\n\r\x7fINCORRECT\b\n\r\x7fINC"], "refused-by-sshd"),
    (["a.b.c"], "not-a-token"),
), ids=("empty", "null", "error", "error in the middle", "null in the middle", "repeated", "garbage", "junk of sshd", "dots"))
def test_answers(stack, answers, reason):
    result = stack.attempt(answers)
    assert result["auth"] == "AUTH_ERR" and result["reasons"] == [reason], result


@pytest.mark.parametrize("size", (511, 1023, 1024))
def test_token_cut(stack, size):
    token, kid = issuer.token_of_length(stack.host.key, 1500)
    stack.host.write_keys(stack.host.key.jwk(kid=kid))
    assert stack.attempt([token[:size]])["reasons"] == ["token-cut-short"]


def junk(length):
    """The junk that sshd puts in place of an answer of that length."""
    return ("\b\n\r\x7fINCORRECT" * (length // 13 + 1))[:length]


@pytest.mark.parametrize("length, word", ((0, "empty-answer"), (20, "not-a-token"), (511, "token-cut-short"),
                                          (1023, "token-cut-short"), (1024, "token-cut-short"), (700, None)))
def test_client_is_not_told_what_its_answer_was(stack, length, word):
    """The length of an answer alone decides, so that sshd's junk for an unknown user gets the same words."""
    token, kid = issuer.token_of_length(stack.host.key, 1500)
    stack.host.write_keys(stack.host.key.jwk(kid=kid))
    texts = []
    for answer in (token[:length], ("Correct.Horse" * 100)[:length], junk(length)):
        result = stack.attempt([answer])
        (style, text), = result["messages"]
        assert style == pam.ERROR_MSG and result["auth"] == "AUTH_ERR", result
        texts.append(re.sub("ref [0-9a-f]{8}", "ref", text))
    assert texts == [texts[0]] * 3 and "Horse" not in texts[0]
    assert re.findall(r"\): ([a-z-]+): ", texts[0]) == [word] * (word is not None), texts


def test_user_changed_between_auth_and_account(stack):
    result = stack.attempt(issuer.answers(stack.host.token()), before_account={"user": "root"})
    assert result["auth"] == "SUCCESS" and result["codes"]["acct_mgmt"] == "PERM_DENIED", result
    assert result["reasons"] == ["ok", "user-changed"], result


def test_account_without_a_token_ignores(stack):
    """People with keys, NOPASSWD: no configuration is opened and nothing logged, even if it is broken."""
    stack.host.write(CONFIG, "broken\n")
    Path(pam.CONFDIR, "people").write_text("account [default=die ignore=ignore] pam_ksa.so\naccount required pam_permit.so\n")
    size = stack.host.log_size()
    result = pam.attempt(pam.CONFDIR, "people", "alice", phases=("acct_mgmt",))
    assert result["codes"] == {"acct_mgmt": "SUCCESS"} and result["changed"] == []
    assert [line for line in stack.host.log_since(size) if "pam_ksa" in line] == []


@pytest.mark.parametrize("name, reason", (("deployer", None), ("retired", "account-disabled"), ("remade", "account-disabled"),
                                          ("torn", "account-disabled"), ("gone", "account-unknown")))
def test_account_of_a_user_that_nobody_may_be(stack, name, reason):
    """By any way of logging in."""
    registry.name_service()
    registry.make()
    Path(pam.CONFDIR, "people").write_text("account [default=die ignore=ignore] pam_ksa.so\naccount required pam_permit.so\n")
    size = stack.host.log_size()
    result = pam.attempt(pam.CONFDIR, "people", "ci_" + name, phases=("acct_mgmt",))
    lines = [line for line in stack.host.log_since(size) if "pam_ksa" in line]
    assert result["codes"] == {"acct_mgmt": "SUCCESS" if reason is None else "AUTH_ERR"}, result
    assert re.findall(r" reason=([a-z-]+) ", "\n".join(lines)) == ([reason] if reason else []), lines
    Path(pam.CONFDIR, "people").write_text("account [default=die ignore=ignore] pam_ksa.so exempt=ci_%s\n"
                                           "account required pam_permit.so\n" % name)
    assert pam.attempt(pam.CONFDIR, "people", "ci_" + name, phases=("acct_mgmt",))["codes"] == {"acct_mgmt": "SUCCESS"}


@pytest.mark.parametrize("arguments", ("nonsense", "exempt=ci_gone,", "exempt=CORP\\admin", "token_file=relative"))
@pytest.mark.parametrize("name, code", (("gone", "AUTH_ERR"), ("retired", "AUTH_ERR"), ("deployer", "SUCCESS")))
def test_account_with_a_wrong_argument_admitted_a_removed_user(stack, arguments, name, code):
    """The argument was a reason not to look at the user. People and users that are well are still left alone."""
    registry.name_service()
    registry.make()
    Path(pam.CONFDIR, "people").write_text("account [default=die ignore=ignore] pam_ksa.so %s\n"
                                           "account required pam_permit.so\n" % arguments)
    assert pam.attempt(pam.CONFDIR, "people", "ci_" + name, phases=("acct_mgmt",))["codes"] == {"acct_mgmt": code}
    assert pam.attempt(pam.CONFDIR, "people", "alice", phases=("acct_mgmt",))["codes"] == {"acct_mgmt": "SUCCESS"}


@pytest.mark.parametrize("user, service, made", (("ci_deployer", "sshd", True), ("alice", "sshd", False), ("ci_deployer", "su", False),
                                                 ("ci_gone", "sshd", False)))
def test_session_of_sshd_makes_the_home_of_a_managed_user(stack, tmp_path, user, service, made):
    """The two lines of the profile for homes. Outside sshd, and for people, the session does nothing."""
    registry.name_service()
    registry.make()
    marker = tmp_path / "home-was-made"
    Path(pam.CONFDIR, service).write_text("session required pam_permit.so\nsession [success=ignore default=1] pam_ksa.so\n"
                                          "session optional pam_exec.so quiet /usr/bin/touch %s\n" % marker)
    result = pam.attempt(pam.CONFDIR, service, user, phases=("open_session", "close_session"))
    assert result["codes"] == {"open_session": "SUCCESS", "close_session": "SUCCESS"} and result["changed"] == [], result
    assert marker.exists() == made


# --- Arguments and the order in auth ---

@pytest.mark.parametrize("arguments", ("nonsense", "nodelay=1", "token_file=relative", "config=", "config=/a config=/b", "debugging"))
def test_unknown_argument(stack, arguments):
    result = stack.attempt(issuer.answers(stack.host.token()), arguments=arguments + " exempt=deploy-bot")
    assert result["auth"] == "AUTHINFO_UNAVAIL" and result["reasons"] == ["bad-argument"] and result["prompts"] == [], result


def test_exempt_comes_before_the_configuration(stack):
    stack.host.write(CONFIG, "broken\n")
    result = stack.attempt(["x"], arguments="exempt=alice,deploy-bot")
    assert result["auth"] == "USER_UNKNOWN" and result["prompts"] == result["log"] == [], result
    assert stack.attempt(["x"], arguments="exempt=alice,deploy-botanic")["auth"] == "AUTHINFO_UNAVAIL"


def test_other_configuration(stack):
    shutil.move(CONFIG, "/etc/ksa/other.conf")
    assert stack.attempt(issuer.answers(stack.host.token()), arguments="config=/etc/ksa/other.conf")["auth"] == "SUCCESS"


# --- The configuration ---

def keep_fifo(host):
    os.unlink(CONFIG)
    os.mkfifo(CONFIG, 0o644)


def keep_directory(host):
    os.unlink(CONFIG)
    os.mkdir(CONFIG)


def keep_symlink(host):
    shutil.move(CONFIG, "/etc/ksa/real.conf")
    os.symlink("/etc/ksa/real.conf", CONFIG)


def open_parent(host):
    os.chmod("/etc/ksa", 0o777)


def append(text):
    def change(host):
        with open(CONFIG, "ab") as config:
            config.write(text)
    return change


BROKEN = {
    "missing": (lambda host: os.unlink(CONFIG), "file-missing"),
    "empty": (lambda host: host.write(CONFIG, ""), "config-invalid"),
    "writable by others": (lambda host: os.chmod(CONFIG, 0o666), "file-unsafe"),
    "of another owner": (lambda host: shutil.chown(CONFIG, "alice"), "file-unsafe"),
    "parent writable": (open_parent, "file-unsafe"),
    "fifo": (keep_fifo, "file-unsafe"),
    "directory": (keep_directory, "file-unsafe"),
    "symlink": (keep_symlink, "file-unsafe"),
    "unknown key": (append(b"usr = x\n"), "config-invalid"),
    "unknown section": (append(b"[ruel x]\n"), "config-invalid"),
    "duplicate section": (append(b"[rule deploy]\n"), "config-invalid"),
    "duplicate key": (append(b"bound = any\nbound = any\n"), "config-invalid"),
    "long line": (append(b"audience = " + b"x" * 1024 + b"user = root\n"), "config-invalid"),
    "nul": (append(b"#\0\n"), "config-invalid"),
    "crlf": (append(b"bound = any\r\n"), "config-invalid"),
    "indented": (append(b" bound = any\n"), "config-invalid"),
    "long section name": (append(b"[rule " + b"x" * 300 + b"]\n"), "config-invalid"),
    "text after the bracket": (append(b"[rule y] x\n"), "config-invalid"),
    "no value": (append(b"bound =\n"), "config-invalid"),
    "no equals sign": (append(b"bound\n"), "config-invalid"),
    "bad value": (append(b"bound = maybe\n"), "config-invalid"),
    "no section": (lambda host: host.write(CONFIG, "user = root\n" + Path(CONFIG).read_text()), "config-invalid"),
    "continued": (append(b"bound = \\\nany\n"), "config-invalid"),
    "bom": (lambda host: host.write(CONFIG, "\ufeff" + Path(CONFIG).read_text()), "config-invalid"),
    "keys missing": (lambda host: os.unlink("/etc/ksa/prod.jwks"), "file-missing"),
    "keys empty": (lambda host: host.write("/etc/ksa/prod.jwks", ""), "keys-unusable"),
    "keys writable by others": (lambda host: os.chmod("/etc/ksa/prod.jwks", 0o622), "file-unsafe"),
    "conf.d broken": (lambda host: host.write("/etc/ksa/conf.d/z.conf", "x\n"), "config-invalid"),
    "conf.d writable by others": (lambda host: os.chmod("/etc/ksa/conf.d", 0o777), "file-unsafe"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_configuration(stack, name):
    change, reason = BROKEN[name]
    token = stack.host.token()
    change(stack.host)
    try:
        result = stack.attempt(issuer.answers(token))
    finally:
        os.chmod("/etc/ksa", 0o755)
    assert result["auth"] == "AUTHINFO_UNAVAIL" and result["reasons"] == [reason], result
    assert 'remedy="' in result["log"][0] and "/etc/ksa" in result["log"][0], result
    assert (result["prompts"] == []) == (not name.startswith("keys")), result


def test_unreadable_configuration_for_a_service_without_root(stack):
    os.chmod(CONFIG, 0o600)
    stack.write("sshd")
    result = pam.attempt_without_root()
    assert result["codes"]["authenticate"] == "AUTHINFO_UNAVAIL", result


def test_service_without_root_needs_its_own_audience(stack):
    stack.host.edit(CONFIG, "service = sshd sudo", "service = sshd reports")
    stack.write("reports")
    result = pam.attempt_without_root("reports")
    assert result["codes"]["authenticate"] == "AUTHINFO_UNAVAIL" and result["prompts"] == [], result
    with open(CONFIG, "a") as config:
        config.write("[service reports]\naudience = reports://build-7\n")
    token = stack.host.token(audience="reports://build-7")
    assert pam.attempt_without_root("reports", issuer.answers(token))["codes"]["authenticate"] == "SUCCESS"
    assert pam.attempt_without_root("reports", issuer.answers(stack.host.token()))["codes"]["authenticate"] == "AUTH_ERR"
    assert stack.attempt(issuer.answers(token))["reasons"] == ["wrong-audience"]  # and sshd does not take it


# --- The host program is left as found; run() compares descriptors, umask, environment, ids, signals ---

def test_sigchld_ignored(stack):
    """With SIGCHLD ignored an earlier design lost its child's answer."""
    directory = Path("/home/deploy-bot/.ksa")
    stack.host.give_token(stack.host.token())
    result = stack.attempt(service="sudo", arguments="token_file=%s/token" % directory, real_uid=1500, ruser="deploy-bot",
                           sigchld_ignored=True)
    assert result["auth"] == "SUCCESS" and result["prompts"] == [], result


@pytest.mark.parametrize("others", (
    dict(real_uid=1500, ruser="deploy-bot", rhost="10.1.2.3"), dict(real_uid=1501, ruser="alice"),
    dict(real_uid=1501, ruser="deploy-bot"), dict(real_uid=1500), dict(ruser="deploy-bot"),
    dict(service="sshd", real_uid=1500, ruser="deploy-bot"),
), ids=("remote", "another user", "ruser lies", "no ruser", "real root", "sshd"))
def test_token_file_out_of_place(stack, others):
    """The user's own token file is for that user's sudo alone. Elsewhere the module prompts as without the argument."""
    stack.host.give_token(stack.host.token())
    result = stack.attempt(**{"service": "sudo", "arguments": "token_file=/home/%u/.ksa/token", **others})
    assert result["auth"] == "AUTH_ERR" and result["reasons"] == ["not-a-token"] and len(result["prompts"]) == 1, result


def test_token_file_missing_prompts(stack):
    result = stack.attempt(issuer.answers(stack.host.token()), service="sudo", arguments="token_file=/home/%u/.ksa/token",
                           real_uid=1500, ruser="deploy-bot")
    assert result["auth"] == "SUCCESS" and len(result["prompts"]) == 2, result
