# SPDX-License-Identifier: BSD-2-Clause
"""ksactl check: each problem that it must report, its file and line, and the exit status."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

import host as private_host
import issuer
import registry
from ksactl_host import Host
from tls_server import Certificates

EXAMPLES = Path(__file__).resolve().parents[2] / "packaging" / "examples"
FOUND = Path(__file__).resolve().parents[1] / "data/found"
FETCH = "/usr/libexec/ksa/ksa-fetch"
RULE = "\n[rule one]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"


@pytest.fixture
def host(build, tmp_path):
    tmp_path.chmod(0o755)
    return Host(build, tmp_path)


def rule(name="one", **options):
    lines = {"account": "prod:ci/deployer", "user": "deploy-bot", "service": "sshd", **options}
    return "\n[rule %s]\n" % name + "".join("%s = %s\n" % option for option in lines.items() if option[1])


def test_clean(host):
    assert host.problems() == []
    assert host.check().out == "no problem found\n"


def test_conf_d_is_read(host):
    (host.directory / "conf.d").mkdir()
    path = host.write("conf.d/10-more.conf", rule(user="nobody-here"))
    problem = host.problem()
    assert (problem["file"], problem["line"]) == (str(path), 4)


def test_relative_path(host):
    assert host.run("check", "--config", "ksa.conf", cwd=host.directory).status == 0
    assert host.run("check", "--config", "none.conf", cwd=host.directory).status == 2


# --- Syntax ---


@pytest.mark.parametrize("line, text", [
    ("colour = blue", "has no option colour"),
    ("max_lifetime = 1h\nmax_lifetime = 2h", "appears twice"),
    ("max_lifetime = soon", '"soon" is not a valid duration'),
    ("max_lifetime = 9999d", '"9999d" is not a valid duration'),
    ("max_lifetime =", "without a value"),
    ("max_lifetime", "neither a comment"),
    (" max_lifetime = 1h", "indented"),
    ("max_lifetime\t= 1h", "a tab"),
    ("max_lifetime = 1h\r", "carriage return"),
    ('name = "build-7"', "no quotes"),
    ("name = b\x01", "control character"),
    ("name = bä", "not ASCII"),
    ("class = " + "x" * 1100, "longer than 1024"),
], ids=range(13))
def test_syntax(host, line, text):
    host.write_config(RULE, host=line)
    problem = host.problem()
    assert problem["severity"] == "error" and text in problem["text"], problem
    assert (problem["file"], problem["line"]) == (str(host.config), 3 + line.count("\n"))
    assert problem["remedy"]


@pytest.mark.parametrize("section, text", [
    ("[colour]", "unknown section"),
    ("[cluster]", "needs a name"),
    ("[host x]", "takes no name"),
    ("[rule one] x", "a section"),
    ("[rule %s]" % ("x" * 300), "longer than 64 bytes"),
], ids=range(5))
def test_section(host, section, text):
    host.write_config(RULE + "\n%s\n" % section)
    problems = host.problems()
    assert any(text in problem["text"] and problem["line"] == host.line_of(section) for problem in problems), problems


def test_remedies_of_unknown_section_and_of_bits_after_a_prefix(host):
    """The same remedy for every error; "10.1.2.3/8 is not a valid network" left the cause open."""
    host.write_config(RULE + "from = 10.1.2.3/8\n[hosts]\n")
    bits, section = host.problems()
    assert bits["text"] == ('from: "10.1.2.3/8" is not a valid network (expected an address, or a network without bits after its '
                            'prefix, such as 10.0.0.0/8)')
    assert section["text"] == "unknown section [hosts]" and section["remedy"] == "write [host]"
    assert bits["remedy"] == "write 10.0.0.0/8, or 10.1.2.3/32"


@pytest.mark.parametrize("head", ["[rule two", "rule two]", " [rule two]", "\ufeff[rule two]", "[rule two] # x", "\t[rule two]",
                                  "[rule tw\u00f6]", "[]"], ids=range(8))
def test_keys_below_an_invalid_head_are_not_those_of_the_section_above(host, head):
    """They are not reported: neither as repeated, nor as unknown options of the section above."""
    host.write_config(RULE + head + "\naccount = prod:ci/x\nuser = alice\nservice = sudo\nissuer = x\n")
    problem = host.problem()
    assert problem["line"] == host.config.read_text().splitlines().index(head) + 1, problem


def test_keys_below_another_invalid_line_are_those_of_the_section_above(host):
    host.write_config(RULE + "nonsense\nservice = sudo\nissuer = x\n")
    assert [problem["text"] for problem in host.problems()][1:] == ["[rule] has no option issuer"]


def test_every_problem_is_told(host):
    """Not the first alone."""
    host.write_config(rule(service="") + rule("two", account="stage:ci/x", user=":"), host="colour = blue")
    texts = "\n".join(problem["text"] for problem in host.problems())
    for text in ("no option colour", "[rule one] needs service", "names cluster stage", '":" is not a valid user name'):
        assert text in texts


def test_twice_in_two_files(host):
    (host.directory / "conf.d").mkdir()
    host.write("conf.d/a.conf", "[rule deploy]\n")
    assert any("is already in %s line" % host.config in problem["text"] for problem in host.problems())


def test_what_is_required(host):
    host.write("ksa.conf", "[host]\nname = build-7\n[cluster prod]\nissuer = https://c\n" + RULE)
    assert [problem["text"] for problem in host.problems()] == ["[host] needs audience", "[cluster prod] needs keys"]


@pytest.mark.parametrize("option", ["review = require", "review = prefer", "bound = pod", "rbac = yes"])
def test_a_demand_that_nobody_can_be_asked_about(host, option):
    """The cluster's section has neither an API server nor a credential."""
    host.write_config(RULE + option + "\n")
    problem = host.problem()
    word = option if option.startswith(("bound", "rbac")) else "review"
    assert problem["text"] == "[cluster prod] needs api_server for " + word and "and credential_file =" in problem["remedy"]
    assert problem["line"] == host.line_of("[cluster prod]")
    host.write_config(RULE + option + "\n", cluster="api_server = https://10.0.0.1")
    assert host.problem()["text"] == "[cluster prod] needs credential_file or client_cert_file for " + word


def test_own_users_need_lookups(host):
    """No user is called @own. This host's nsswitch.conf has no ksa."""
    host.write_config(RULE.replace("user = deploy-bot", "user = @own"))
    problems = host.problems()
    assert [re.search(r"after files for (\w+)", problem["text"]).group(1) for problem in problems] == ["passwd", "group"]
    assert all(problem["line"] == host.line_of("[rule one]") for problem in problems)


# --- sshd ---

# An sshd of 9.8 or later, as it lies on Fedora, and a configuration of its own.
NEW_SSHD = ('mount -t tmpfs none /usr/libexec && mkdir /usr/libexec/openssh && : >/usr/libexec/openssh/sshd-session && '
            'mount -t tmpfs none /etc/ssh && mkdir /etc/ssh/sshd_config.d && : >/etc/ssh/sshd_config')
OLD_SSHD = ('for one in /usr/lib/openssh /usr/libexec /usr/lib/ssh; do '
            '[ ! -d $one ] || mount -t tmpfs none $one; done; mount -t tmpfs none /etc/ssh')


def penalties(host, prepare):
    """Whether check warns, and nothing else."""
    problems = host.run("check", "--json", "--config", host.config, prepare=prepare).json["problems"]
    assert len(problems) <= 1, problems
    assert all(one["severity"] == "warning" and "PerSourcePenalties" in one["text"] and
               "MaxStartups" in one["remedy"] for one in problems), problems
    return problems != []


def test_sshd_that_shuts_out_an_address(host):
    assert penalties(host, NEW_SSHD)
    assert penalties(host, NEW_SSHD + " && echo '#PerSourcePenalties authfail:0' >/etc/ssh/sshd_config")
    assert penalties(host, NEW_SSHD + " && rm -r /etc/ssh/*")


@pytest.mark.parametrize("name", ["sshd_config", "sshd_config.d/10-mine.conf"])
@pytest.mark.parametrize("line", ["PerSourcePenalties authfail:0", " persourcepenalties=no",
                                  "PerSourcePenaltyExemptList 10.0.0.0/8"])
def test_sshd_with_penalties_that_are_set(host, name, line):
    assert not penalties(host, NEW_SSHD + " && printf 'UsePAM yes\\n%s\\n' >/etc/ssh/%s" % (line, name))


def test_shipped_penalties_are_enough(host):
    shipped = EXAMPLES / "sshd_config.d" / "ksa-penalties.conf"
    assert not penalties(host, NEW_SSHD + " && cp %s /etc/ssh/sshd_config.d/" % shipped)


def test_sshd_before_9_8_has_no_penalties(host):
    assert not penalties(host, OLD_SSHD)


def test_penalties_without_a_rule_for_sshd(host):
    host.write_config(RULE.replace("service = sshd", "service = sudo"))
    assert not penalties(host, NEW_SSHD)


def test_configuration_of_sshd_that_cannot_be_read(host):
    """Without root nothing is known of it."""
    for parent in list(host.directory.parents)[:-2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    for private in ("chmod 0600 /etc/ssh/sshd_config", "chmod 0700 /etc/ssh/sshd_config.d"):
        assert not penalties(host, NEW_SSHD + " && %s && set -- setpriv --reuid=1 --regid=1 --clear-groups \"$@\"" % private)


# --- Files ---


def test_file_missing(host):
    host.config.unlink()
    problem = host.problem()
    assert problem["file"] == str(host.config) and "does not exist" in problem["text"] and problem["remedy"]


@pytest.mark.parametrize("name", ["ksa.conf", "conf.d", "conf.d/a.conf", "prod.jwks"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_file_writable_by_others(host, name, mode):
    (host.directory / "conf.d").mkdir()
    host.write("conf.d/a.conf", "# nothing\n")
    path = host.directory / name
    path.chmod(path.stat().st_mode & 0o777 | mode)
    problem = host.problem()
    assert problem["severity"] == "error" and "is writable by others" in problem["text"]
    assert problem["remedy"] == "run chmod go-w %s" % path


@pytest.mark.parametrize("name", ["ksa.conf", "conf.d/a.conf", "prod.jwks"])
def test_file_of_somebody_else(host, name):
    (host.directory / "conf.d").mkdir()
    host.write("conf.d/a.conf", "# nothing\n")
    os.chown(host.directory / name, 1501, 1501)
    problem = host.problem()
    assert problem["severity"] == "error" and "belongs to uid 1501" in problem["text"]
    assert problem["remedy"] == "run chown root %s" % (host.directory / name)


def test_directory_above_of_somebody_else(host, tmp_path):
    """Anyone who can rename a directory on the way can replace all below it."""
    below = tmp_path / "his" / "etc"
    below.mkdir(parents=True)
    host.config.rename(below / "ksa.conf")
    os.chown(tmp_path / "his", 1501, 1501)
    result = host.run("check", "--config", below / "ksa.conf")
    assert result.status == 2 and "his belongs to uid 1501" in result.out


def test_file_is_a_symlink(host):
    host.config.rename(host.directory / "real.conf")
    host.config.symlink_to(host.directory / "real.conf")
    assert "symbolic link" in host.problem()["text"]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_file_is_none(host, make):
    host.config.unlink()
    make(host.config)
    assert "is not a regular file" in host.problem()["text"]


# --- Key sets ---


def test_key_set_missing(host):
    (host.directory / "prod.jwks").unlink()
    problem = host.problem()
    assert problem["severity"] == "error" and "[cluster prod]" in problem["text"]
    assert problem["line"] == host.line_of("[cluster prod]") + 2 and "refused" in problem["remedy"]
    assert "kubectl get --raw /openid/v1/jwks" in problem["remedy"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"keys":{}}', '{"keys":[],"keys":[]}', "x" * 2000000], ids=range(7))
def test_key_set_unreadable(host, text):
    host.write("prod.jwks", text)
    problem = host.problem()
    assert problem["severity"] == "error" and "[cluster prod]" in problem["text"]


@pytest.mark.parametrize("text, name", [
    (b"", "empty"), (b"<html></html>", "HTML"), ('{"keys": []}'.encode("utf-16"), "UTF-16"),
    ((FOUND / "jwks-powershell-utf16.json").read_bytes(), "UTF-16"),
    ((FOUND / "jwks-is-a-status.json").read_bytes(), "forbidden: User cannot get path /openid/v1/jwks"),
    (b"-----BEGIN PUBLIC KEY-----\n", "keys convert"), (b'{\n"keys":\n]', "line 3, column 1"),
], ids=("empty", "html", "utf-16", "found-utf-16", "found-status", "pem", "line"))
def test_key_set_in_another_form(host, text, name):
    """All were "no valid JSON"."""
    host.write("prod.jwks", text)
    problem = host.problem()
    assert problem["severity"] == "error" and "[cluster prod]" in problem["text"] and name in problem["text"]


@pytest.mark.parametrize("name", ("jwks-number-over-int64.json", "jwks-nul-escape-in-extra.json", "jwks-utf8-bom.json"))
def test_key_set_with_a_value_that_jansson_refuses(host, name):
    host.write("prod.jwks", (FOUND / name).read_bytes())
    assert all("skips key" in problem["text"] for problem in host.problems())


@pytest.mark.parametrize("entry, private", [
    ({"d": "AAAA"}, True), ({}, False), ({"kty": "oct", "k": "AAAA"}, True), ({"kty": "OKP", "crv": "Ed25519", "d": "AAAA"}, True),
], ids=("ec", "none", "symmetric", "ed25519"))
def test_key_set_with_a_private_key(host, entry, private):
    """Also if its public half is in the set already: that entry does not count."""
    host.write_keys(host.key, host.key.jwk(**entry))
    assert [True for problem in host.problems() if "private" in problem["text"]] == [True] * private


def test_trust_anchors_with_a_private_key(host, tmp_path):
    certificates = Certificates(tmp_path)
    anchors, key = certificates.ca.read_text(), issuer.Key("ES256").private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    for option in ("api_ca_file", "keys_ca_file"):
        for text, private in ((anchors, False), (anchors + key, True), (key + anchors, True)):
            host.write_config(RULE, cluster="api_server = https://10.0.0.1\n%s = %s" % (option, host.write("ca.crt", text)))
            found = [problem for problem in host.problems() if "private" in problem["text"]]
            assert [(problem["severity"], option in problem["text"]) for problem in found] == [("warning", True)] * private


def test_key_set_with_one_kid_twice(host):
    """The same key counts once; of two keys that kid is useless, and no other."""
    host.write_keys(host.key, host.key)
    assert host.problems() == []
    host.write_keys(host.key.jwk(kid="k"), issuer.Key("ES384").jwk(kid="k"), host.key)
    problems = host.problems()
    assert [problem["severity"] for problem in problems] == ["warning"] * 2
    assert all("[cluster prod]" in problem["text"] and "different keys" in problem["text"] for problem in problems)


def test_key_set_empty(host):
    host.write_keys()
    problem = host.problem()
    assert problem["severity"] == "error" and "it has no keys" in problem["text"]


def test_key_set_without_a_usable_key(host):
    host.write_keys(host.key.jwk(use="enc"))
    problems = host.problems()
    assert [problem["severity"] for problem in problems] == ["warning", "error"]
    assert "has no usable key" in problems[1]["text"]


@pytest.mark.parametrize("changes, why", [
    ({"use": "enc"}, "use is not sig"),
    ({"kty": "oct"}, "kty is neither RSA nor EC"),
    ({"crv": "P-192"}, "crv is not P-256"),
    ({"alg": "ES384"}, "alg is not ES256"),
    ({"x": "AAAA"}, "length of the curve"),
    ({"y": issuer.base64url(bytes(32))}, "not a valid public key"),
    ({"kid": issuer.ABSENT}, "it has no kid"),
    ({"kid": ""}, "it has no kid"),
])
def test_key_skipped(host, changes, why):
    host.write_keys(host.key, issuer.Key("ES256").jwk(**changes))
    problem = host.problem()
    assert problem["severity"] == "warning" and why in problem["text"], problem
    assert problem["line"] == host.line_of("[cluster prod]") + 2


def test_small_rsa_key_skipped(host):
    host.write_keys(host.key, issuer.Key("RS256", bits=1024))
    assert "RSA key of 1024 bits" in host.problem()["text"]


@pytest.mark.parametrize("kid", ["\x1b[31mred\x07", "a\nb", "ü" * 150], ids=("escape", "line", "cut"))
def test_hostile_kid_stays_one_honest_line(host, kid):
    """It comes from a key set, and ends on an administrator's terminal."""
    host.write_keys(host.key, issuer.Key("ES256").jwk(kid=kid))
    text = host.problem()["text"]
    assert text.isprintable() and text.isascii() and "it has no kid" in text


def test_kid_in_two_sets_of_one_issuer(host):
    host.write_keys(host.key, issuer.Key("ES256"), name="stage.jwks")
    host.write_config(RULE + host.cluster("stage"))
    problem = host.problem()
    assert problem["severity"] == "error" and host.key.kid in problem["text"]
    assert "[cluster prod] and [cluster stage]" in problem["text"]


def test_kid_in_two_sets_of_two_issuers(host):
    host.write_keys(host.key, name="stage.jwks")
    host.write_config(RULE + host.cluster("stage", issuer_name="https://other"))
    assert host.problems() == []


# --- Rules ---


def test_no_rule(host):
    host.write_config()
    problem = host.problem()
    assert problem["severity"] == "warning" and "no login is allowed" in problem["text"]


@pytest.mark.parametrize("earlier, later", [
    ({}, {}),
    ({}, {"from": "10.0.0.0/8"}),
    ({}, {"audience": "ssh://build-7"}),
    ({}, {"account_uid": "u"}),
    ({"account": "prod:ci/*"}, {}),
    ({"account": "prod:*/*"}, {}),
    ({"account": "prod:*/deployer"}, {}),
    ({"account": "prod:ci/a prod:ci/deployer"}, {}),
    ({"user": "deploy-bot alice"}, {"user": "alice"}),
    ({"service": "sudo sshd"}, {}),
    ({"service": "sudo"}, {"service": "sudo-i"}),
    ({"from": "10.0.0.0/8"}, {"from": "10.1.0.0/16"}),
    ({"from": "10.0.0.0/8 fd00::/8"}, {"from": "fd00::/16 10.1.2.3"}),
    ({"account_uid": "u"}, {"account_uid": "u"}),
    ({"account": "prod:ci/default"}, {"account": "prod:ci/default"}),
    ({"service": "sudo", "token": "session"}, {"service": "sudo"}),
    ({"service": "sudo", "token": "session"}, {"service": "sudo", "token": "session", "from": "10.0.0.0/8"}),
])
def test_rule_never_reached(host, earlier, later):
    host.write_config(rule("one", **earlier) + rule("two", **later))
    problem = host.problems()[-1]
    assert problem["severity"] == "warning"
    assert "[rule two] is never reached: [rule one] in %s line %d" % (host.config, host.line_of("[rule one]")) \
        in problem["text"]
    assert problem["line"] == host.line_of("[rule two]")


@pytest.mark.parametrize("earlier, later", [
    ({"account": "prod:ci/other"}, {}),
    ({}, {"account": "prod:ci/*"}),
    ({"account": "prod:*/x"}, {}),
    ({"account": "prod:ci/*"}, {"account": "prod:ci/default"}),
    ({}, {"account": "prod:ci/deployer prod:ci/other"}),
    ({}, {"user": "deploy-bot alice"}),
    ({}, {"service": "sshd sudo"}),
    ({"from": "10.0.0.0/8"}, {}),
    ({"from": "10.0.0.0/8"}, {"from": "10.0.0.0/7"}),
    ({"from": "10.0.0.0/8"}, {"from": "10.1.0.0/16 192.168.0.0/16"}),
    ({"from": "10.0.0.0/8"}, {"from": "::ffff:0:0/96"}),
    ({"account_uid": "u"}, {}),
    ({"account_uid": "u"}, {"account_uid": "v"}),
    ({"audience": "ssh://build-7"}, {}),
    ({"service": "sudo"}, {"service": "sudo", "token": "session"}),
])
def test_rule_reached(host, earlier, later):
    host.write_config(rule("one", **earlier) + rule("two", **later))
    assert host.problems() == []


def test_many_rules(host):
    host.write_config("".join(rule("r%d" % n, account="prod:ci/a%d" % n) for n in range(3000)))
    assert host.problems() == []


@pytest.mark.parametrize("service", ["sudo", "sudo-i", "su", "su-l", "cron", "sshd sudo"])
def test_from_with_a_local_service(host, service):
    host.write_config(rule(**{"service": service, "from": "10.0.0.0/8"}))
    problem = host.problem()
    assert problem["severity"] == "error" and "does not know the remote host" in problem["text"]


# --- Users ---


def test_user_missing(host):
    host.write_config(rule(user="deploy-bot nobody-here"))
    problem = host.problem()
    assert problem["severity"] == "warning" and "user nobody-here does not exist" in problem["text"]
    assert problem["line"] == host.line_of("user = deploy-bot nobody-here")


def test_user_that_ksa_will_make(host):
    host.write_config(rule(user="nobody-yet") + "\n[account nobody-yet]\naccount = prod:ci/deployer\n")
    (problem,) = [problem for problem in host.problems() if "nobody-yet" in problem["text"]]
    assert problem["severity"] == "warning" and "ksactl accounts sync" in problem["remedy"]


@pytest.mark.parametrize("uid", (61184, 65519, 65534, 65535, 2147400000))
def test_account_with_a_uid_that_no_account_gets(host, uid):
    host.write_config("\n[account bot]\naccount = prod:ci/deployer\nuid = %d\n" % uid)
    (problem,) = [problem for problem in host.problems() if "[account bot]" in problem["text"]]
    assert problem["severity"] == "warning" and "gets no user: the uid %d is" % uid in problem["text"]
    assert problem["line"] == host.line_of("uid = %d" % uid) and "uid" in problem["remedy"]


@pytest.mark.parametrize("name, more, text", [
    ("deploy-bot", "", 'its name is that of the user "deploy-bot" of /etc/passwd'),
    ("local-group", "", 'its name is that of the group "local-group" of /etc/group'),
    ("bot", "uid = 1500\n", 'its uid is that of the user "deploy-bot" of /etc/passwd'),
    ("bot", "", None), ("bot", "uid = 70000\n", None)])
def test_account_that_a_local_user_or_group_keeps_from_its_own(host, name, more, text):
    host.write("group", "local-group:x:1700:\n")
    host.write_config("\n[account %s]\naccount = prod:ci/deployer\n%s" % (name, more))
    found = [problem["text"] for problem in host.problems() if "gets no user" in problem["text"]]
    assert found == ([] if text is None else ["[account %s] gets no user: %s" % (name, text)])


@pytest.mark.parametrize("user, text", [
    ("root", "uid 0"), ("other-root", "uid 0"), ("daemon", "system user"), ("primary", "group sudo"),
    ("containers", "group incus")])
def test_user_powerful(host, user, text):
    host.write_config(rule(user=user))
    problem = host.problem()
    assert problem["severity"] == "warning" and text in problem["text"]
    assert problem["line"] == host.line_of("user = " + user)


# --- Passwords of users that rules name ---


HASH = "$y$j9T$n6O2dd7QyHzqLwWLBjZOi.$M8XY/V1z3gnRWlrYm2qJt9D4cEPNTbYTuDa5Q4V9QY9"


def password_problems(host):
    return [problem for problem in host.problems() if "password" in problem["text"]]


@pytest.mark.parametrize("field, warned", [
    (HASH, True), ("$6$salt$hash-of-sha512", True), ("ab8H3wCwpqiYE", True), ("", True),
    ("*", False), ("!", False), ("!!", False), ("!" + HASH, False), ("*LK*", False), ("x", False)])
def test_a_password_that_a_rule_takes_away(host, field, warned):
    """If a rule names a user, the shipped stacks accept a token and no password, in sshd and sudo alike."""
    host.write("shadow", "alice:%s:19000:0:99999:7:::\n" % field)
    host.write_config(rule(user="alice", service="sshd sudo"))
    problems = password_problems(host)
    assert [problem["severity"] for problem in problems] == (["warning"] * 2 if warned else [])
    for problem, service in zip(problems, ("sshd", "sudo")):
        assert "alice" in problem["text"] and "with %s," % service in problem["text"]
        assert problem["line"] == host.line_of("user = alice")


def test_a_password_in_passwd_that_a_rule_takes_away(host):
    host.write("passwd", (host.directory / "passwd").read_text().replace("alice:x", "alice:ab8H3wCwpqiYE"))
    host.write_config(rule(user="alice"))
    assert len(password_problems(host)) == 1


@pytest.mark.parametrize("user", ["root", "other-root"])
def test_roots_password_that_a_rule_takes_away(host, user):
    """In any case: root's is the administrator's last resort."""
    host.write_config(rule(user=user, service="login"))
    assert [user in problem["text"] for problem in password_problems(host)] == [True]


def test_a_password_that_a_service_without_local_users_leaves_alone(host):
    host.write("shadow", "alice:%s:19000:0:99999:7:::\n" % HASH)
    host.write_config(rule(user="alice", service="postgresql")
                      + "\n[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n")
    assert password_problems(host) == []


def test_a_password_that_cannot_be_read(host):
    """As without root: it is not reported."""
    host.write("shadow", "")
    host.write_config(rule(user="alice"))
    assert host.problems() == []


# --- Users of the registry that rules name ---


@pytest.fixture
def made(host):
    registry.make()
    host.write("passwd", (host.directory / "passwd").read_text() + registry.DEPLOYER + "\n")
    yield host
    registry.PATH.unlink()


@pytest.mark.parametrize("accounts, warned", [
    ("prod:ci/deployer", False), ("prod:ci/tester", True), ("prod:ci/*", True), ("prod:*/*", True),
    ("prod:ci/deployer prod:ci/tester", True), ("prod:build/deployer", True)])
def test_a_rule_that_names_another_accounts_user(made, accounts, warned):
    made.write_config(rule(user="deploy-bot ci_deployer", account=accounts))
    problems = [problem for problem in made.problems() if "admits every account" not in problem["text"]]
    assert ["ci_deployer" in problem["text"] and "prod:ci/deployer" in problem["text"] for problem in problems] == [True] * warned
    assert all("@own" in problem["remedy"] and problem["line"] == made.line_of("[rule one]") + 2 for problem in problems)


def test_a_rule_that_names_another_accounts_user_as_a_database_role(made):
    made.write_config(rule(user="ci_deployer", account="prod:ci/tester", service="postgresql")
                      + "\n[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n")
    assert "prod:ci/deployer" in made.problem()["text"]


def test_a_rule_that_names_another_accounts_removed_user(made):
    made.write_config(rule(user="ci_gone", account="prod:ci/tester"))
    assert any("prod:ci/gone" in problem["text"] for problem in made.problems())


def test_a_rule_that_names_another_accounts_user_before_it_is_made(host):
    host.write("nsswitch.conf", "passwd: files ksa\ngroup: files ksa\n")
    host.write_config(rule(user="bot", account="prod:ops/bot") + "\n[account bot]\naccount = prod:deploy/bot\n")
    assert any("prod:deploy/bot" in problem["text"] and problem["line"] == host.line_of("user = bot") for problem in host.problems())
    host.write_config(rule(user="bot", account="prod:deploy/bot") + "\n[account bot]\naccount = prod:deploy/bot\n")
    assert not any("prod:deploy/bot" in problem["text"] for problem in host.problems())


def test_a_persons_name_that_the_registry_has_too(made):
    """Local files win: with another uid it is the person."""
    made.write("passwd", (made.directory / "passwd").read_text().replace("1900000001", "1600"))
    made.write_config(rule(user="ci_deployer", account="prod:ci/tester"))
    assert made.problems() == []


@pytest.mark.parametrize("group", ["root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "incus-admin", "disk",
                                   "shadow", "libvirt", "kvm", "kmem"])
def test_user_in_a_powerful_group(host, group):
    host.write("group", "users:x:100:alice\n%s:x:200:alice,deploy-bot\n" % group)
    host.write_config(RULE)
    problem = host.problem()
    assert problem["severity"] == "warning" and "deploy-bot is in group %s" % group in problem["text"]


def test_users_of_a_database(host):
    """They are in no passwd."""
    host.write_config(rule(service="postgresql", user="app") +
                      "\n[service postgresql]\naudience = postgresql://build-7\nlocal_user = no\n")
    assert host.problems() == []


# --- Audiences ---


@pytest.mark.parametrize("audience", ["https://kubernetes.default.svc.cluster.local", "https://kubernetes.default.svc",
                                      "https://10.0.0.1:6443", "api", "kubernetes"])
def test_audience_of_an_api_server(host, audience):
    host.write("ksa.conf", "[host]\naudience = ssh://build-7 %s\n" % audience +
               host.cluster(more="api_server = https://10.0.0.1:6443", issuer_name="https://c") + RULE)
    problem = host.problem()
    assert problem["severity"] == "warning" and "audience %s is an API server's" % audience in problem["text"]


def test_audience_that_is_an_issuer(host):
    host.write_config(RULE, host="audience = " + issuer.ISSUER)
    problems = host.problems()
    assert problems[0]["severity"] == "error" and "is the issuer of cluster prod" in problems[0]["text"]


def test_service_without_root_shares_the_audience(host):
    host.write_config(rule(service="postgresql"))
    problem = host.problem()
    assert "runs without root and shares the host's audience" in problem["text"]
    assert "[service postgresql]" in problem["remedy"]
    host.write_config(rule(service="postgresql") + "\n[service postgresql]\naudience = ssh://build-7\n")
    assert [problem["severity"] for problem in host.problems()] == ["error"]


def test_audience_that_no_service_of_the_rule_accepts(host):
    host.write_config(rule(audience="ssh://other"))
    assert "which its services do not accept" in host.problem()["text"]


@pytest.mark.parametrize("name", ["localhost", "localhost.localdomain"])
def test_host_without_a_name(host, name):
    host.write("ksa.conf", "[host]\naudience = ssh://%H\n" + host.cluster() + RULE)
    assert host.check().status == 0
    result = host.run("check", "--config", host.config, host_name=name)
    assert result.status == 2 and 'name is "%s"' % name in result.out


# --- What is asked of a cluster ---


@pytest.fixture
def api_host(host, tmp_path):
    """A cluster that is asked for reviews, with all the files that it names."""
    certificates = Certificates(tmp_path)
    certificate, key = certificates.issue("host-7", "DNS:host-7")
    key.chmod(0o600)
    host.files = {"api_ca_file": certificates.ca, "keys_ca_file": certificates.ca, "credential_file": tmp_path / "credential",
                  "client_cert_file": certificate, "client_key_file": key}
    give_credential(host)
    configure_api(host, "api_ca_file", "keys_ca_file", "credential_file")
    return host


def give_credential(host, age=0, mode=0o600):
    host.write("credential", host.token(namespace="ksa-system", account="host-verifier", audience=issuer.ISSUER,
                                        issued=int(time.time()) - age, life=86400)).chmod(mode)


def configure_api(host, *options, rules=RULE, cluster="review = require"):
    host.write_config(rules, cluster="api_server = https://10.0.0.1:6443\n%s\n%s" % (
        cluster, "".join("%s = %s\n" % (name, host.files[name]) for name in options)))


def test_all_that_a_cluster_names_is_there(api_host):
    assert api_host.problems() == []
    configure_api(api_host, "api_ca_file", "client_cert_file", "client_key_file")
    assert api_host.problems() == []


@pytest.mark.parametrize("option", ["api_ca_file", "keys_ca_file", "client_cert_file", "client_key_file"])
@pytest.mark.parametrize("spoil, text", [(lambda path: path.unlink(), "does not exist"),
                                         (lambda path: path.chmod(0o666), "writable by others"),
                                         (lambda path: os.chown(path, 1501, 1501), "belongs to uid 1501")])
def test_a_file_that_is_not_as_it_must_be(api_host, option, spoil, text):
    both = ("client_cert_file", "client_key_file") if option.startswith("client") else ("credential_file", option)
    configure_api(api_host, *both)
    spoil(api_host.files[option])
    problem = api_host.problem()
    assert problem["severity"] == "error" and problem["text"].startswith("[cluster prod] %s: " % option) and text in problem["text"]
    assert problem["line"] == api_host.line_of("%s = %s" % (option, api_host.files[option]))


@pytest.mark.parametrize("option", ["api_ca_file", "client_cert_file"])
def test_a_file_without_a_certificate(api_host, option):
    configure_api(api_host, *(("client_cert_file", "client_key_file") if option.startswith("client") else ("credential_file", option)))
    api_host.files[option].write_text("words\n")
    assert "does not contain a certificate" in api_host.problem()["text"]


def test_a_certificate_that_is_over(api_host, tmp_path):
    certificates = Certificates(tmp_path)
    made, key = certificates.end(certificates.issue("old", "DNS:old"))
    key.chmod(0o600)
    api_host.files.update(client_cert_file=made, client_key_file=key)
    configure_api(api_host, "client_cert_file", "client_key_file")
    problem = api_host.problem()
    assert problem["severity"] == "error" and "(CN=old) expired at " in problem["text"]


@pytest.mark.parametrize("option", ["credential_file", "client_key_file"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_credential_that_others_can_read(api_host, option, mode):
    configure_api(api_host, *(("client_cert_file", "client_key_file") if option.startswith("client") else (option,)))
    api_host.files[option].chmod(mode)
    problem = api_host.problem()
    assert problem["severity"] == "error" and "is readable by others (mode %04o)" % mode in problem["text"]
    assert problem["remedy"].startswith("run chmod 0600 /")


GIVE_TOKEN = "pipe kubectl create token host-verifier -n ksa-system into ksactl credential init prod"


@pytest.mark.parametrize("cluster, severity", [("review = require", "error"), ("review = prefer", "error"), ("", "warning")])
def test_no_credential_yet(api_host, cluster, severity):
    configure_api(api_host, "credential_file", cluster=cluster)
    api_host.files["credential_file"].unlink()
    problem = api_host.problem()
    assert (problem["severity"], problem["remedy"]) == (severity, GIVE_TOKEN) and "does not exist" in problem["text"]
    give_credential(api_host, age=90000)
    problem = api_host.problem()
    assert problem["severity"] == severity and "has expired" in problem["text"]


def test_a_credential_that_is_no_token(api_host):
    api_host.write("credential", "hunter2\n").chmod(0o600)
    problem = api_host.problem()
    assert problem["severity"] == "warning" and "is not a service account token" in problem["text"]
    assert "hunter2" not in "".join(api_host.outputs)


@pytest.mark.parametrize("account, warned", [
    ("prod:*/*", True), ("prod:ksa-system/*", True), ("prod:ci/*", False), ("prod:*/deployer", False)])
def test_a_rule_for_the_hosts_own_account(api_host, account, warned):
    configure_api(api_host, "credential_file", rules=rule(account=account))
    problems = api_host.problems()
    assert [problem["severity"] for problem in problems] == ["warning"] * warned
    text = "admits every account of cluster prod" if account == "prod:*/*" else "also admits ksa-system/host-verifier"
    assert not warned or text in problems[0]["text"]


@pytest.mark.parametrize("keys", ["api", "discover", "https://10.0.0.1:6443/keys"])
def test_keys_that_were_not_fetched_yet(api_host, keys):
    configure_api(api_host, "credential_file")
    api_host.write("ksa.conf", re.sub("keys = .*", "keys = " + keys, api_host.config.read_text()).replace(issuer.ISSUER, "https://c.test"))
    problem = api_host.problem()
    assert problem["severity"] == "warning" and "no key set of prod was fetched yet" in problem["text"]
    assert problem["remedy"].startswith("run ksactl keys refresh prod")


@pytest.mark.parametrize("demand", ["review = require", "review = prefer", "bound = pod", "rbac = yes", "once = yes"])
@pytest.mark.parametrize("local_user, warned", [("no", True), ("yes", False)])
def test_demands_of_a_service_without_root(api_host, demand, local_user, warned):
    service = "\n[service pg]\naudience = pg://build-7\nlocal_user = %s\n" % local_user
    configure_api(api_host, "credential_file", rules=rule(service="pg") + demand + "\n" + service, cluster="")
    problems = api_host.problems()
    assert [problem["severity"] for problem in problems] == ["warning"] * warned, problems
    assert not warned or "which pg cannot check without root: every login is refused" in problems[0]["text"]


def test_demands_of_a_cluster_for_a_service_without_root(api_host):
    configure_api(api_host, "credential_file", rules=rule(service="pg") + "\n[service pg]\naudience = pg://build-7\nlocal_user = no\n")
    problem = api_host.problem()
    assert "requires review of its cluster, which pg cannot check" in problem["text"]
    assert "[cluster]" in problem["remedy"]  # no rule can demand less than its cluster


@pytest.mark.parametrize("demand, warned", [("review = require", True), ("rbac = yes", True), ("once = yes", True), ("", False)])
def test_demands_of_postgresql_whose_roles_are_local_users(api_host, demand, warned):
    """No option of its section marks it as without root; no PostgreSQL server runs as root."""
    rules = rule(service="postgresql") + demand + "\n[service postgresql]\naudience = pg://build-7\n"
    configure_api(api_host, "credential_file", cluster="", rules=rules)
    assert ["postgresql cannot check without root" in problem["text"] for problem in api_host.problems()] == [True] * warned


# --- What the host lacks ---


@pytest.mark.parametrize("keys, cluster, reported", [("api", "", True), ("file", "review = prefer", True), ("file", "", False)])
def test_no_user_for_ksa_fetch(api_host, keys, cluster, reported):
    """check was clean, and nothing that had to be asked could be."""
    configure_api(api_host, "credential_file", cluster=cluster)
    if keys != "file":
        api_host.write("ksa.conf", re.sub("keys = .*", "keys = " + keys, api_host.config.read_text()))
    before = api_host.problems()
    api_host.write("passwd", re.sub("_ksa.*\n", "", (api_host.directory / "passwd").read_text()))
    more = [problem for problem in api_host.problems() if problem not in before]
    assert ["user _ksa does not exist" in problem["text"] and problem["severity"] == "error" for problem in more] == [True] * reported


def test_no_ksa_fetch(api_host):
    subprocess.run(["mount", "--bind", "/dev/null", FETCH], check=True)  # /usr is not ours to change
    try:
        problem = api_host.problem()
    finally:
        subprocess.run(["umount", FETCH], check=True)
    assert problem["severity"] == "error" and "%s, which cannot be run" % FETCH in problem["text"]


@pytest.mark.parametrize("spoil, text", [(lambda path: None, None), (lambda path: path.rmdir(), "does not exist"),
                                         (lambda path: path.chmod(0o777), "writable by others"),
                                         (lambda path: os.chown(path, 1501, 1501), "belongs to uid 1501")])
def test_no_place_for_marks(host, spoil, text):
    path = Path("/var/lib/ksa/used")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    host.write_config(RULE + "once = yes\n")
    spoil(path)
    try:
        problems = host.problems()
    finally:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
    assert [problem["severity"] for problem in problems] == ["error"] * bool(text)
    assert not text or "[rule one] has once = yes" in problems[0]["text"] and text in problems[0]["text"] and problems[0]["remedy"]


@pytest.fixture
def used():
    """The directory of marks, and how to put one there that ended AGE seconds ago."""
    path = Path("/var/lib/ksa/used")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    yield lambda age: (path / ("%d-%s" % (time.time() - age, "ab" * 32))).touch()
    shutil.rmtree(path)
    path.mkdir(mode=0o700)


@pytest.mark.parametrize("once, timer, warned", [
    (True, dict(enabled=False), True), (True, dict(masked=True), True), (True, dict(), False), (False, dict(enabled=False), False)],
    ids=["not enabled", "masked", "enabled", "not needed"])
def test_marks_that_no_timer_removes(host, used, once, timer, warned):
    host.write_config(RULE + "once = yes\n" * once)
    assert host.problems() == []  # without systemd, cron may do it
    with private_host.systemd(**timer):
        problems = host.problems()
    assert [problem["severity"] for problem in problems] == ["warning"] * warned
    assert not warned or "ksa-keys.timer" in problems[0]["remedy"] and problems[0]["line"] == host.line_of("[rule one]")


@pytest.mark.parametrize("timer, remedy", [
    (dict(enabled=False), "run systemctl enable --now ksa-keys.timer"),
    (dict(masked=True), "run systemctl unmask ksa-keys.timer; systemctl enable --now ksa-keys.timer")])
def test_remedy_of_a_timer_that_does_not_run(host, used, timer, remedy):
    """systemctl enable fails for a masked one."""
    host.write_config(RULE + "once = yes\n")
    with private_host.systemd(**timer):
        assert host.problem()["remedy"] == remedy


def test_each_timer_that_the_configuration_needs(api_host):
    """Whether a timer is enabled was asked for marks alone."""
    configure_api(api_host, "api_ca_file", "credential_file")
    text = api_host.config.read_text()
    api_host.write("ksa.conf", re.sub(r"^keys = file:.*", "keys = api", text, flags=re.M))

    def known():
        return {problem["remedy"] for problem in api_host.problems() if problem["severity"] == "warning"}

    without = known()
    with private_host.systemd(enabled=False):
        assert known() - without == {"run systemctl enable --now ksa-keys.timer", "run systemctl enable --now ksa-credential.timer"}
    with private_host.systemd():
        assert known() - without == {"run systemctl enable --now ksa-credential.timer"}


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("age, warned", [(86000, False), (86500, True)])
def test_marks_that_nothing_removed(host, used, age, warned, once):
    """They show it on every host, also if systemd reports the timer as enabled."""
    host.write_config(RULE + "once = yes\n" * once)
    used(age)
    with private_host.systemd():
        assert [problem["severity"] for problem in host.problems()] == ["warning"] * warned
    assert [problem["severity"] for problem in host.problems()] == ["warning"] * warned
    assert len(os.listdir("/var/lib/ksa/used")) == 1


def test_discover_needs_an_address(host):
    host.write("ksa.conf", "[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = kubernetes\nkeys = discover\n" + RULE)
    assert "its first issuer is not an https URL" in host.problem()["text"]
    assert host.problem()["line"] == host.line_of("keys = discover")


# --- Passwords in URLs ---


@pytest.mark.parametrize("option, value, warned", [
    ("proxy", "http://joe:hunter2@proxy.test:3128", True), ("proxy", "https://hunter2@proxy.test", True),
    ("proxy", "http://proxy.test:3128", False), ("keys", "https://joe:hunter2@h.test/keys", True),
    ("keys", "https://h.test/@scope/keys", False), ("api_server", "https://joe:hunter2@10.0.0.1:6443", True),
    ("issuer", "https://joe:hunter2@issuer.test", True), ("issuer", "https://issuer.test/a?b=c@d", False)])
def test_a_password_in_a_url_that_every_user_can_read(host, option, value, warned):
    text = host.config.read_text()
    host.write("ksa.conf", text.replace("[cluster prod]\n", "[cluster prod]\n%s = %s\n" % (option, value), 1) if option not in text
               else re.sub("%s = .*" % option, "%s = %s" % (option, value), text))
    problems = [problem for problem in host.problems() if problem["text"].startswith("[cluster prod] %s: " % option)]
    assert [problem["severity"] for problem in problems] == ["warning"] * warned
    assert all(problem["remedy"] and problem["line"] == host.line_of("%s = %s" % (option, value)) for problem in problems)
    assert "hunter2" not in "".join(host.outputs)


@pytest.mark.parametrize("value", ["joe:hunter2@proxy.test:3128", "socks5://joe:hunter2@proxy.test"])
def test_a_password_in_a_value_that_is_not_valid(host, value):
    host.write_config(RULE, cluster="proxy = %s\n" % value)
    problem = host.problem()
    assert problem["severity"] == "error" and "***@proxy.test" in problem["text"] and "hunter2" not in "".join(host.outputs)


# --- Usage ---


def test_a_path_is_told_once(host):
    missing = host.directory / "none" / "ksa.conf"
    out = host.run("check", "--config", missing).out
    assert out.startswith("%s: error: none does not exist\n" % missing)
    missing = host.directory / "none.conf"
    assert host.run("check", "--config", missing).out.startswith("%s: error: the file does not exist\n" % missing)


@pytest.mark.parametrize("args", [["--unknown"], ["word"], ["--config"], ["--config", "/a", "--config", "/b"]])
def test_usage(host, args):
    result = host.run("check", *args)
    assert result.status == 2 and result.out == "" and result.err.startswith("ksactl: ")
