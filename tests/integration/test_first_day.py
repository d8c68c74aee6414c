# SPDX-License-Identifier: BSD-2-Clause
"""Mistakes of the first day with ksa.conf: each has one finding, at its line, and a remedy that can be typed."""
import os
import re

import pytest

import issuer
from ksactl_host import Host

# [host] is in lines 1 and 2, [cluster prod] in 4 to 6, [rule deploy] in 8 to 11.
BASE = """[host]
audience = ssh://build-7

[cluster prod]
issuer = https://kubernetes.default.svc.cluster.local
keys = file:DIR/prod.jwks

[rule deploy]
account = prod:ci/deployer
user = deploy-bot
service = sshd
"""
EKS = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
AKS = "https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000000/11111111-1111-1111-1111-111111111111"
GKE = "https://container.googleapis.com/v1/projects/example/locations/europe-west1/clusters/prod"
FILE_REMEDY = "write sections such as [host], and options as KEY = VALUE"


@pytest.fixture
def host(build, tmp_path):
    tmp_path.chmod(0o755)
    host = Host(build, tmp_path)
    host.write("nsswitch.conf", "passwd: files ksa\ngroup: files ksa\n")
    return host


def base(host):
    return BASE.replace("DIR", str(host.directory))


def change(pattern, text):
    """BASE with a line, or a part of one, replaced."""
    def changed(config):
        result = re.sub(pattern, lambda match: text, config, count=1, flags=re.M)
        assert result != config, pattern
        return result
    return changed


def line(option, text):
    return change("^%s = .*" % option, text)


def value(option, text):
    return line(option, "%s = %s" % (option, text))


def add(text):
    return lambda config: config + text


def whole(text):
    return lambda config: text


def encoded(encode):
    return lambda config: encode(config.encode())


# Name, change, line, text, remedy. FILE and DIR stand for the paths; a line of None is the whole file.
ERRORS = [
    # lines
    ("smart-quotes", value("audience", "\u201cssh://build-7\u201d"), 2, "(U+201C, a curly quote)", "write audience = ssh://build-7"),
    ("plain-quotes", value("audience", '"ssh://build-7"'), 2, "no quotes", "write audience = ssh://build-7"),
    ("single-quotes", value("user", "'deploy-bot'"), 10, "no quotes", "write user = deploy-bot"),
    ("no-break-space", line("user", "user\u00a0= deploy-bot"), 10, "(U+00A0, a no-break space)", "write user = deploy-bot"),
    ("dash", value("account", "prod:ci/build\u2013bot"), 9, "(U+2013, a dash", "write account = prod:ci/build-bot"),
    ("umlaut", value("user", "b\u00f6t"), 10, "(U+00F6)", "use ASCII characters only"),
    ("latin-1", lambda config: config.replace("deploy-bot", "b\u00f6t").encode("latin-1"), 10, "(0xf6)", "use ASCII characters only"),
    ("tab-before-equals", line("user", "user\t= deploy-bot"), 10, "a tab", "write user = deploy-bot"),
    ("tab-at-the-beginning", line("user", "\tuser = deploy-bot"), 10, "a tab", "write user = deploy-bot"),
    ("tab-at-the-end", line("user", "user = deploy-bot\t"), 10, "a tab", "write user = deploy-bot"),
    ("indented", line("user", "    user = deploy-bot"), 10, "indented", "write user = deploy-bot"),
    ("capital-option", line("service", "Service = sshd"), 11, "neither a comment", "write service = sshd"),
    ("colon", line("user", "user: deploy-bot"), 10, "neither a comment", "write user = deploy-bot"),
    ("no-equals", line("user", "user deploy-bot"), 10, "neither a comment", "write user = deploy-bot"),
    ("plus-equals", line("user", "user += deploy-bot"), 10, "neither a comment", "write user = deploy-bot"),
    ("list-item", line("user", "- user: deploy-bot"), 10, "neither a comment", "write user = deploy-bot"),
    ("hyphen-in-an-option", add("account-uid = 1234\n"), 12, "neither a comment", "write account_uid = 1234"),
    ("semicolon-comment", change(r"^\[rule", "; a comment\n[rule"), 8, "neither a comment", "begin a comment with #"),
    ("slash-comment", change(r"^\[rule", "// a comment\n[rule"), 8, "neither a comment", "begin a comment with #"),
    ("no-value", line("user", "user ="), 10, "without a value", "write the value"),
    ("jinja-block", change(r"^\[rule", "{% if x %}\n[rule"), 8, "a line of an unrendered template", "render the template"),
    # sections
    ("section-plural", change(r"\[rule deploy\]", "[rules deploy]"), 8, "unknown section [rules]", "write [rule deploy]"),
    ("section-mistyped", change(r"\[cluster prod\]", "[clsuter prod]"), 4, "unknown section [clsuter]", "write [cluster prod]"),
    ("section-unknown", change(r"\[rule deploy\]", "[users deploy]"), 8, "unknown section [users]", "write [host], [cluster NAME],"),
    ("section-without-a-name", change(r"\[rule deploy\]", "[rule]"), 8, "needs a name", "write [rule NAME]"),
    ("section-quoted", change(r"\[rule deploy\]", '[rule "deploy"]'), 8, "a section's name", "write [rule deploy]"),
    ("cluster-quoted", change(r"\[cluster prod\]", '[cluster "prod"]'), 4, "a section's name", "write [cluster prod]"),
    ("section-of-three-words", change(r"\[rule deploy\]", "[rule deploy bot]"), 8, "a section's name", "write [rule deploy-bot]"),
    ("section-with-a-comment", change(r"\[rule deploy\]", "[rule deploy] # bot"), 8, "nothing may follow", "write [rule deploy]"),
    ("section-indented", change(r"\[cluster prod\]", " [cluster prod]"), 4, "indented", "write [cluster prod]"),
    ("section-with-a-tab", change(r"\[cluster prod\]", "[cluster\tprod]"), 4, "a tab", "write [cluster prod]"),
    ("section-of-toml", change(r"\[rule deploy\]", "[[rule.deploy]]"), 8, "a section is", "write [rule deploy]"),
    ("section-unclosed", change(r"\[cluster prod\]", "[cluster prod"), 4, "must end in ]", "write [cluster prod]"),
    ("host-with-a-name", change(r"\[host\]", "[host build-7]"), 1, "takes no name", "write [host]"),
    ("host-in-capitals", change(r"\[host\]", "[Host]"), 1, "a section is", "write [host]"),
    ("no-section", lambda config: config.replace("[host]\n", ""), 1, "audience appears before the first section", "write the header"),
    ("section-twice", add("\n[rule deploy]\naccount = prod:ci/x\n"), 13, "already in FILE line 8", "choose another name"),
    ("cluster-mistyped", value("account", "prd:ci/deployer"), 9, "names cluster prd", 'did you mean "prod"?'),
    ("cluster-unknown", value("account", "staging:ci/deployer"), 9, "names cluster staging", "add [cluster staging]"),
    ("second-account-mistyped", line("account", "account = prod:ci/a\naccount = prod:ci/b prd:ci/c"), 10, "names cluster prd",
     'did you mean "prod"?'),
    ("accounts-of-a-mistyped-cluster", add("\n[accounts prd]\nnamespaces = ci\n"), 13, "names cluster prd", 'did you mean "prod"?'),
    ("account-of-a-mistyped-cluster", add("\n[account b]\naccount = prd:ci/x\n"), 14, "names cluster prd", 'did you mean "prod"?'),
    ("no-host", change(r"\[host\]\n.*\n", ""), None, "a [host] section with an audience is missing", "add the lines [host]"),
    ("no-user", line("user", "# nobody"), 8, "[rule deploy] needs user", "add user = NAME"),
    # options
    ("users", line("user", "users = deploy-bot"), 10, "[rule] has no option users", 'did you mean "user"?'),
    ("accounts", line("account", "accounts = prod:ci/deployer"), 9, "no option accounts", 'did you mean "account"?'),
    ("isuer", line("issuer", "isuer = https://x"), 5, "[cluster] has no option isuer", 'did you mean "issuer"?'),
    ("colour", add("colour = blue\n"), 12, "no option colour", "write one of: account account_uid user service from"),
    ("option-elsewhere", add("max_lifetime = 1h\n"), 12, "no option max_lifetime", "move the line to [host]"),
    ("option-twice", add("once = no\nonce = no\n"), 13, "line 12 has it already", "remove one of the two lines"),
    # accounts
    ("account-without-a-cluster", value("account", "ci/deployer"), 9, "not a valid account", "write prod:ci/deployer"),
    ("star-without-a-cluster", value("account", "ci/*"), 9, "not a valid account", "write prod:ci/*"),
    ("account-of-a-pattern", value("account", "prod:ci/ci-*"), 9, "not a valid account",
     '"*" stands for a whole name: write prod:ci/*, or list the accounts'),
    ("account-of-any-cluster", value("account", "*:ci/deployer"), 9, "not a valid account", "write prod:ci/deployer"),
    ("account-as-a-subject", value("account", "system:serviceaccount:ci:deployer"), 9, "not a valid account", "write prod:ci/deployer"),
    ("account-in-capitals", value("account", "prod:CI/Deployer"), 9, "not a valid account", "write prod:ci/deployer"),
    ("account-with-a-comma", value("account", "prod:ci/a, prod:ci/b"), 9, "comma in a list", "separate items with spaces"),
    ("namespaces-of-a-pattern", add("\n[accounts prod]\nnamespaces = ci-*\n"), 14, "not a valid namespace", "list the namespaces"),
    ("account-section-of-a-pattern", add("\n[account b]\naccount = prod:ci/*\n"), 14, "must not be a pattern", "write one account"),
    # users and services
    ("user-star", value("user", "*"), 10, "not a valid user name", "list the users; @own"),
    ("user-group", value("user", "@builders"), 10, "not a valid user name", "list the users of the group"),
    ("user-comma", value("user", "alice,bob"), 10, "comma in a list", "separate items with spaces"),
    ("user-comment", value("user", "deploy-bot # the bot"), 10, "comment after a value", "put the comment on a line of its own"),
    ("service-star", value("service", "*"), 11, "not a valid PAM service", "list PAM services, such as sshd sudo"),
    ("service-comma", value("service", "sshd,sudo"), 11, "comma in a list", "separate items with spaces"),
    ("service-path", value("service", "/etc/pam.d/sshd"), 11, "not a valid PAM service", "write sshd"),
    # networks
    ("from-a-name", add("from = runner.example.com\n"), 12, "not a valid network", "names are not looked up: write the address"),
    ("from-host-bits", add("from = 10.0.0.5/8\n"), 12, "not a valid network", "write 10.0.0.0/8, or 10.0.0.5/32"),
    ("from-host-bits-6", add("from = fd00::7/64\n"), 12, "not a valid network", "write fd00::/64, or fd00::7/128"),
    ("from-a-netmask", add("from = 10.0.0.0/255.255.0.0\n"), 12, "not a valid network", "write 10.0.0.0/16"),
    ("from-a-star", add("from = 10.0.0.*\n"), 12, "not a valid network", "write 10.0.0.0/24"),
    ("from-any", add("from = any\n"), 12, "not a valid network", "remove from"),
    ("from-commas", add("from = 10.0.0.0/8, 192.168.0.0/16\n"), 12, "comma in a list", "separate items with spaces"),
    ("from-of-sudo", add("service = sudo\nfrom = 10.0.0.0/8\n"), 12, "does not know the remote host", "write a rule without from"),
    # words and numbers
    ("once-true", add("once = true\n"), 12, "not a valid value", "write yes"),
    ("rbac-off", add("rbac = off\n"), 12, "not a valid value", "write no"),
    ("review-required", add("review = required\n"), 12, "not a valid value", "write require"),
    ("bound-pods", add("bound = Pods\n"), 12, "not a valid value", "write pod"),
    ("lifetime-hour", change(r"\[host\]", "[host]\nmax_lifetime = 1 hour"), 2, "not a valid duration", "write 1h"),
    ("lifetime-long", change(r"\[host\]", "[host]\nmax_lifetime = 400d"), 2, "not a valid duration", "write a duration from 1m to 366d"),
    ("uid-range", change(r"\[host\]", "[host]\nuid_range = 100000:200000"), 2, "not a valid range", "write 100000-200000"),
    ("uid-low", add("\n[account b]\naccount = prod:ci/x\nuid = 10\n"), 15, "not a valid number", "write a number from 1000"),
    # audiences, issuers, URLs and paths
    ("audience-commas", value("audience", "ssh://build-7, ssh://fleet"), 2, "comma in a list", "separate items with spaces"),
    ("audience-braces", value("audience", "ssh://%{HOST}"), 2, "not a valid audience", "write ssh://%H for the host name"),
    ("audience-of-the-shell", value("audience", "ssh://$(hostname)"), 2, "unrendered template", "render the template"),
    ("audience-of-jinja", value("audience", "ssh://{{ inventory_hostname }}"), 2, "unrendered template", "render the template"),
    ("audience-is-the-issuer", value("audience", "https://kubernetes.default.svc.cluster.local"), 2, "is the issuer of cluster prod",
     "write an audience of this host, such as ssh://%H"),
    ("audience-in-two-sections", add("\n[service sshd]\naudience = ssh://build-7\n"), 14, "also in FILE line 2", "give the service"),
    ("audience-of-another", add("audience = ssh://other\n"), 12, "which its services do not accept", "write an audience of [host]"),
    ("issuer-legacy", value("issuer", "kubernetes/serviceaccount"), 5, "legacy tokens", "write the issuer of the tokens"),
    ("keys-path", value("keys", "/etc/ksa/prod.jwks"), 6, "not a valid source of keys", "write file:/etc/ksa/prod.jwks"),
    ("keys-relative", value("keys", "file:prod.jwks"), 6, "not a valid source of keys", "write file: and the whole path"),
    ("keys-discovery", value("keys", "discovery"), 6, "not a valid source of keys", "write discover"),
    ("api-server-bare", add("\n[cluster b]\nissuer = https://b\nkeys = file:/b\napi_server = 10.0.0.1:6443\n"), 16, "not a valid URL",
     "write https://10.0.0.1:6443"),
    ("ca-relative", change(r"\[cluster prod\]", "[cluster prod]\napi_ca_file = ca.crt"), 5, "not a valid path", "write the whole path"),
    ("review-without-a-server", add("review = require\n"), 4, "needs api_server for review", "add api_server = URL"),
    # whole files
    ("crlf", encoded(lambda text: text.replace(b"\n", b"\r\n")), 1, "carriage return", "run dos2unix FILE"),
    ("crlf-in-one-line", change("^user = .*", "user = deploy-bot\r"), 10, "carriage return", "run dos2unix FILE"),
    ("mac", encoded(lambda text: text.replace(b"\n", b"\r")), 1, "carriage returns alone", "run mac2unix FILE"),
    ("bom", encoded(lambda text: b"\xef\xbb\xbf" + text), 1, "byte order mark", "save it as UTF-8 without a byte order mark"),
    ("utf-16", encoded(lambda text: text.decode().encode("utf-16")), 1, "UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
    ("utf-16-without-bom", encoded(lambda text: text.decode().encode("utf-16-le")), 1, "UTF-16", "save it as UTF-8: iconv"),
    ("git-crypt", whole(b"\0GITCRYPT\0\x12\x9a\x01\xfe\n\n\x03\n"), 1, "git-crypt", "run git-crypt unlock"),
    ("ansible-vault", whole("$ANSIBLE_VAULT;1.1;AES256\n66386439\n6638\n"), 1, "ansible-vault", "run ansible-vault decrypt FILE"),
    ("sops", value("audience", "ENC[AES256_GCM,data:x,iv:y]"), 2, "sops", "run sops decrypt"),
    ("gpg", whole("-----BEGIN PGP MESSAGE-----\n\nx\n"), 1, "GnuPG", "decrypt it (gpg -d)"),
    ("yaml", whole("host:\n  audience: ssh://build-7\nrules:\n  - user: x\n"), 1, "YAML", FILE_REMEDY),
    ("yaml-document", whole("---\nhost:\n  audience: ssh://build-7\n"), 1, "YAML", FILE_REMEDY),
    ("json", whole('{\n  "host": {}\n}\n'), 1, "JSON", FILE_REMEDY),
    ("jwks", lambda config: issuer.jwks(issuer.Key("ES256")), 1, "key set", "restore the configuration here"),
    ("pem", whole("-----BEGIN CERTIFICATE-----\nMIIB\n"), 1, "PEM", "restore the configuration here"),
    ("html", whole("<!DOCTYPE html>\n<html>\n</html>\n"), 1, "HTML", "restore the configuration"),
    ("conflict", change(r"^\[rule", "<<<<<<< HEAD\n=======\n>>>>>>> branch\n[rule"), 8, "merge conflict", "keep one of the two"),
    ("zeros", whole(b"\0" * 300), 1, "a NUL byte", "restore it from a backup"),
    ("empty", whole(""), None, "a [host] section with an audience is missing", "add the lines [host]"),
]
WARNINGS = [
    ("issuer-slash", change("(?<=cluster.local)$", "/"), 5, "do not end in a slash", "write https://kubernetes.default.svc.cluster.local"),
    ("issuer-eks-slash", value("issuer", EKS + "/"), 5, "do not end in a slash", "write " + EKS),
    ("issuer-eks-bare", value("issuer", EKS[8:]), 5, "https:// is missing", "write " + EKS),
    ("issuer-gke-slash", value("issuer", GKE + "/"), 5, "do not end in a slash", "write " + GKE),
    ("issuer-aks", value("issuer", AKS), 5, "those of AKS end in a slash", "write " + AKS + "/"),
    ("second-issuer-aks", line("issuer", "issuer = https://a\nissuer = https://b " + AKS), 6, "AKS", "write " + AKS + "/"),
    ("issuer-document", value("issuer", "https://c/.well-known/openid-configuration"), 5, "address of a document", "write https://c"),
    ("audience-bare", value("audience", "build-7"), 2, "has no scheme", "write ssh://build-7"),
    ("audience-without-slashes", value("audience", "ssh:build-7"), 2, "has no scheme", "write ssh://build-7"),
    ("audience-https", value("audience", "https://build-7"), 2, "clients request ssh://HOST", "write ssh://build-7"),
    ("audience-of-a-service-bare", add("\n[service cron]\naudience = build-7\n"), 14, "has no scheme", "write cron://build-7"),
    ("audience-in-capitals", add("\n[service cron]\naudience = cron://Build-7\n"), 14, "its host has capitals", "write cron://build-7"),
    ("whole-cluster", value("account", "prod:*/*"), 9, "admits every account of cluster prod", "name the namespaces, such as prod:ci/*"),
    ("user-missing", value("user", "no-such-user"), 10, "user no-such-user does not exist", "create the user, or correct its name"),
    ("user-mistyped", value("user", "deploybot"), 10, "user deploybot does not exist", 'did you mean "deploy-bot"?'),
    ("second-user-missing", line("user", "user = deploy-bot\nuser = nobody-here"), 11, "user nobody-here", "create the user"),
    ("user-system", value("user", "daemon"), 10, "daemon is a system user", "use a separate user"),
    ("user-root", value("user", "root"), 10, "root has uid 0", "use a separate user, and sudo"),
    ("service-ssh", value("service", "ssh"), 11, "there is no /etc/pam.d/ssh", 'did you mean "sshd"?'),
    ("group-powerful", add("\n[account b]\naccount = prod:ci/x\ngroups = sudo\n"), 15, "members of group sudo may become root",
     "remove it from groups, or write allow_powerful_groups = yes"),
    ("group-missing", add("\n[account b]\naccount = prod:ci/x\ngroups = nobody-has-it\n"), 15, "group nobody-has-it does not exist",
     "create it (groupadd)"),
    ("no-rule", lambda config: config[:config.index("[rule")], None, "no [rule]", "add [rule NAME] with account, user and service"),
    ("rule-shadowed", add("\n[rule all]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\nonce = yes\n"), 13,
     "never reached: [rule deploy] in FILE line 8", "remove this rule, or move it before the other"),
]
# What another rule shares with [rule deploy], and requires of it.
WEAKER = [
    ("account = prod:ci/*", "once = yes", "once"), ("account = prod:*/deployer", "from = 10.0.0.0/8", "from"),
    ("account = prod:ci/x prod:ci/deployer", "audience = ssh://build-7", "audience"),
    ("account = prod:ci/*", "account_uid = 1234", "account_uid")]


def assert_found(host, severity, number, text, remedy):
    problem = host.problem()
    names = {"FILE": str(host.config), "DIR": str(host.directory)}
    for name, path in names.items():
        text, remedy = text.replace(name, path), remedy.replace(name, path)
    assert (problem["severity"], problem["file"], problem["line"]) == (severity, str(host.config), number), problem
    assert text in problem["text"] and remedy in problem["remedy"], problem
    where = str(host.config) if number is None else "%s:%d" % (host.config, number)
    assert host.check().out.startswith("%s: %s: " % (where, severity))
    assert not problem["text"].startswith(str(host.config))


def parameters(table):
    return pytest.mark.parametrize("edit, number, text, remedy", [row[1:] for row in table], ids=[row[0] for row in table])


def test_the_base_has_no_mistake(host):
    host.write("ksa.conf", base(host))
    assert host.problems() == []


@parameters(ERRORS)
def test_error(host, edit, number, text, remedy):
    """None is accepted, and none has a second finding that follows from the first."""
    host.write("ksa.conf", edit(base(host)))
    assert_found(host, "error", number, text, remedy)


@parameters(WARNINGS)
def test_warning(host, edit, number, text, remedy):
    host.write("ksa.conf", edit(base(host)))
    assert_found(host, "warning", number, text, remedy)


@pytest.mark.parametrize("shared, required, option", WEAKER, ids=[row[2] for row in WEAKER])
def test_a_later_rule_that_requires_more_of_the_same_logins(host, shared, required, option):
    host.write("ksa.conf", base(host) + "\n[rule all]\n%s\nuser = alice deploy-bot\nservice = sshd sudo-i\n%s\n".replace(
        " sudo-i", "" if option == "from" else " sudo-i") % (shared, required))
    assert_found(host, "warning", 17, "[rule all] has %s, but [rule deploy] in FILE line 8 matches some of its logins" % option,
                 "move this rule before [rule deploy], or add the same %s there" % option)


@pytest.mark.parametrize("shared", [
    "account = prod:ci/other", "account = prod:ci/*\nuser = alice", "account = prod:ci/*\nuser = deploy-bot\nservice = sudo"])
def test_a_later_rule_that_requires_more_of_other_logins(host, shared):
    more = "" if "service" in shared else "\nservice = sshd"
    more += "" if "user" in shared else "\nuser = deploy-bot"
    host.write("ksa.conf", base(host) + "\n[rule all]\n%s%s\nonce = yes\n" % (shared, more))
    assert host.problems() == []


@pytest.mark.parametrize("value_of_issuer", [EKS, AKS + "/", GKE, "https://issuer.example.com/", "https://issuer.example.com"])
def test_issuers_as_they_are(host, value_of_issuer):
    host.write("ksa.conf", value("issuer", value_of_issuer)(base(host)))
    assert host.problems() == []


def test_names_that_exist_only_inside_a_cluster(host):
    """A refresh would fail, so its remedy would not help."""
    host.write("ksa.conf", value("keys", "discover")(base(host)))
    problems = [problem for problem in host.problems() if "inside the cluster" in problem["text"] or "fetched" in problem["text"]]
    assert [(problem["line"], problem["remedy"]) for problem in problems] == [
        (6, "write keys = api with api_server, or keys = file: and a path")]


# --- Files ---


@pytest.mark.parametrize("name, remedy", [
    ("10-prod", "rename it to 10-prod.conf"), ("prod.yaml", "rename it to prod.conf"), ("prod.cfg", "rename it to prod.conf"),
    ("x.conf.rpmnew", "merge it"), ("x.conf~", "merge it"), ("x.conf.dpkg-dist", "merge it"), (".x.conf", "without the dot"),
    ("README", None), ("a.conf", None)])
def test_a_file_of_conf_d_that_is_not_read(host, name, remedy):
    host.write("ksa.conf", base(host))
    (host.directory / "conf.d").mkdir()
    path = host.write("conf.d/" + name, "# nothing\n")
    problems = host.problems()
    assert [(problem["file"], problem["severity"]) for problem in problems] == ([] if remedy is None else [(str(path), "warning")])
    assert all(remedy in problem["remedy"] and "not read" in problem["text"] for problem in problems)


def test_a_directory_below_conf_d(host):
    host.write("ksa.conf", base(host))
    (host.directory / "conf.d/prod").mkdir(parents=True)
    assert host.problem()["remedy"] == "move its files to conf.d"


@pytest.mark.parametrize("spoil, text, remedy", [
    (lambda path: path.chmod(0o666), "the file is writable by others (mode 0666)", "run chmod go-w FILE"),
    (lambda path: path.chmod(0o664), "the file is writable by others (mode 0664)", "run chmod go-w FILE"),
    (lambda path: os.chown(path, 1501, 1501), "the file belongs to uid 1501", "run chown root FILE"),
    (lambda path: path.parent.chmod(0o777), "is writable by others (mode 0777)", "run chmod go-w DIR"),
    (lambda path: (path.rename(path.with_name("real")), path.symlink_to("real")), "the file is a symbolic link; only directories may",
     'replace the link with a copy: cp --remove-destination "$(readlink -f FILE)" FILE'),
    (lambda path: path.unlink(), "the file does not exist", "create the file"),
    (lambda path: (path.unlink(), path.mkdir()), "the file is not a regular file", "put a regular file of root in its place"),
], ids=("world", "group", "owner", "directory", "link", "missing", "directory-itself"))
def test_a_file_that_is_not_safe(host, spoil, text, remedy):
    host.write("ksa.conf", base(host))
    (host.directory / "conf.d").mkdir()
    spoil(host.config)
    assert_found(host, "error", None, text, remedy)


@pytest.mark.parametrize("text, piece, remedy", [
    ("", "it is empty", "kubectl get --raw /openid/v1/jwks"), ("-----BEGIN PUBLIC KEY-----\n", "PEM", "run ksactl keys convert FILE"),
    ("Error from server (Forbidden): forbidden\n", "not valid JSON", "kubectl get --raw /openid/v1/jwks")])
def test_a_key_set_that_is_none(host, text, piece, remedy):
    """The file is named, and the line is that of keys."""
    host.write("ksa.conf", base(host))
    path = host.write("prod.jwks", text)
    problem = host.problem()
    assert (problem["severity"], problem["line"]) == ("error", 6)
    assert piece in problem["text"] and str(path) in problem["text"] and remedy.replace("FILE", str(path)) in problem["remedy"]


def test_a_key_set_that_is_missing(host):
    host.write("ksa.conf", value("keys", "file:%s/missing.jwks" % host.directory)(base(host)))
    assert_found(host, "error", 6, "DIR/missing.jwks does not exist", "put the output of kubectl get --raw /openid/v1/jwks there")


# --- Several mistakes ---


def test_several_at_once(host):
    """Each has its finding, and none has two."""
    text = line("user", "user\t= deploy-bot")(line("issuer", "isuer = https://x")(base(host)))
    host.write("ksa.conf", value("account", "system:serviceaccount:ci:deployer")(text) + "once = on\n")
    assert [(problem["line"], problem["remedy"]) for problem in host.problems()] == [
        (5, 'did you mean "issuer"?'), (9, "write prod:ci/deployer"), (10, "write user = deploy-bot"), (12, "write yes")]


def test_a_file_that_is_not_read_hides_its_sections_alone(host):
    """The clusters of the rules could be in it; another mistake is still found."""
    host.write("ksa.conf", b"\xef\xbb\xbf" + base(host).encode())
    (host.directory / "conf.d").mkdir()
    host.write("conf.d/a.conf", "[rule b]\naccount = prod:ci/x\nuser = deploy-bot\nservice = sshd\nonce = on\n")
    assert ["%s:%d" % (os.path.basename(problem["file"]), problem["line"]) for problem in host.problems()] == ["ksa.conf:1", "a.conf:5"]


def test_no_finding_has_a_remedy_that_fits_every_error(host):
    for _, edit, *_ in ERRORS + WARNINGS:
        host.write("ksa.conf", edit(base(host)))
        out = host.check().out
        assert "see ksa.conf(5)" not in out and "ksactl options" not in out and "run ksactl check" not in out


def test_other_commands_have_the_remedy_too(host):
    host.write("ksa.conf", value("account", "ci/deployer")(base(host)))
    result = host.run("keys", "show", "--config", host.config)
    assert result.status == 2 and "%s:9: " % host.config in result.err and "\n    write prod:ci/deployer\n" in result.err
