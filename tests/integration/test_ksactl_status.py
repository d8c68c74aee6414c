# SPDX-License-Identifier: BSD-2-Clause
"""ksactl status: whether logins work, and will, with the real ksa-fetch."""
import json
import re
import time
from pathlib import Path

import pytest

import host as private_host
import issuer
import registry
from api_double import KEYS, bearer_of, json_page, jwks_page
from cluster_host import CACHE, CREDENTIAL, DoubleHost
from tls_server import TlsServer, page

PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
USER = "system:serviceaccount:ksa-system:host-verifier"
RULE = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"
EXITS = {"ok": 0, "warning": 1, "critical": 2}


def self_review(user=USER, ahead=0, status="201 Created"):
    """AHEAD: by how many seconds the server's clock is."""
    answer = json_page({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
                        "status": {"userInfo": {"username": user, "uid": "u", "groups": ["system:authenticated"]}}}, status)
    date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + ahead))
    return re.sub(rb"Date: [^\r]*", date.encode(), answer)


def may(*denied, status="201 Created"):
    """The API server's responses about all that this host may create, except the resources DENIED."""
    def answer(request, _):
        wanted = json.loads(request.partition("\r\n\r\n")[2])["spec"]["resourceAttributes"]
        return json_page({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                          "spec": {"resourceAttributes": wanted}, "status": {"allowed": wanted["resource"] not in denied}}, status)
    return answer


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.server.pages[KEYS] = jwks_page(host.key)
        cluster.server.pages[PATH] = lambda *_: self_review()
        cluster.server.pages[ACCESS] = may()
        cluster.give_credential(life=86400)
        assert cluster.refresh("prod").status == 0
        cluster.server.requests.clear()
        yield cluster
        cluster.assert_no_token_in_outputs()


def without_numbers(text):
    """Two runs of ksactl may be in different seconds, and print different times."""
    return re.sub(r"\d+", "N", text)


def status(cluster, expected, *args):
    """Its text, and the parts of the only cluster, which must be the same in text and JSON."""
    text, answer = cluster.ksactl_up("status", *args), cluster.ksactl_up("status", "--json", *args)
    assert text.err == answer.err == "" and answer.json["result"] == expected, answer
    assert text.status == answer.status == EXITS[expected], text
    (found,) = answer.json["clusters"]
    parts = {name: found[name] for name in ("keys", "credential", "api", "accounts")}
    worst = 0
    for part in parts.values():
        if part and part["problem"]:
            assert part["remedy"]
            lines = without_numbers(text.out).splitlines()
            problem, remedy = without_numbers(part["problem"]), without_numbers(part["remedy"])
            levels = [line.split(": ")[0].strip() for line, after in zip(lines, lines[1:])
                      if line.endswith(": " + problem) and after.endswith("remedy: " + remedy)]
            assert levels, part
            worst = max(worst, *(EXITS[level] for level in levels))
    assert worst == EXITS[expected]
    return text.out, parts


def test_well(cluster):
    text, parts = status(cluster, "ok")
    keys, credential, api, accounts = parts.values()
    assert accounts is None
    assert (keys["source"], keys["count"], keys["denies_after"] - keys["fetched"]) == ("api", 1, 86400)
    assert 1800 <= keys["due"] - keys["fetched"] <= 3600 and 6 * 3600 <= credential["due"] - time.time() <= 12 * 3600
    assert credential["account"] == "ksa-system/host-verifier" and credential["due"] < credential["expires"]
    assert (api["url"], api["reachable"], api["user"]) == (cluster.server.url, True, USER)
    assert 0 < api["milliseconds"] < 5000 and abs(api["clock_difference"]) <= 2
    assert all(part["problem"] is part["remedy"] is None for part in (keys, credential, api))
    request = cluster.requests()[0]
    assert request.startswith("POST %s HTTP/1.1\r\n" % PATH) and bearer_of(request) == CREDENTIAL.read_text().strip()
    assert request.endswith('\r\n\r\n{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}')
    lines = text.splitlines()
    assert lines[0] == "prod" and lines[4:] == ["  accounts    not used"]
    assert re.match(r"  keys        1, fetched \d+ s ago, due in (1 h|\d+ min( \d+ s)?), used for another (1 d|23 h 59 min)$", lines[1])
    assert re.match(r"  credential  ksa-system/host-verifier, expires in (1 d|23 h 59 min), due in \d+ h( \d+ min)?$", lines[2]), lines[2]
    assert re.match(r"  API server  %s answers in \d+ ms, as to %s; the clocks agree$" % (cluster.server.url, USER), lines[3])


def test_passwords_in_urls_are_not_told(cluster):
    """Neither by commands that succeed nor by those that fail, in text, JSON or log."""
    url = cluster.server.url
    secret = url.replace("https://", "https://joe:hunter2@")
    host = cluster.host
    for keys in ("/openid/v1/jwks", "/none"):
        cluster.configure(cluster.section(keys=secret + keys).replace("api_server = " + url, "api_server = " + secret))
        cluster.refresh("prod")
        for args in (["keys", "show"], ["status"]):
            for json_too in ([], ["--json"]):
                output = cluster.ksactl(*args, *json_too)
                assert "https://***@127.0.0.1:" in output.out, output
    cluster.configure(cluster.section().replace("issuer = " + issuer.ISSUER, "issuer = " + secret).replace("keys = api", "keys = discover"))
    assert cluster.refresh("prod").status == 1
    assert "hunter2" not in "".join(host.outputs) + open("/var/log/auth.log", errors="replace").read()


# --- Marks of used tokens ---

ONCE = RULE + "once = yes\n"


def marks(cluster, expected):
    """The part of status about them, which must be the same in text and JSON."""
    text, answer = cluster.ksactl("status", "--offline"), cluster.ksactl("status", "--offline", "--json")
    found = answer.json["marks"]
    assert (text.status, answer.status, answer.json["result"]) == (EXITS[expected], EXITS[expected], expected), answer
    assert ("\nthis host\n  marks " in text.out) == (found is not None)
    if found and found["problem"]:
        assert "%s: %s\n" % (expected, found["problem"]) in text.out and "remedy: %s\n" % found["remedy"] in text.out
    return found


def add_mark(age):
    path = Path("/var/lib/ksa/used/%d-%s" % (time.time() - age, "ab" * 32))
    path.touch()
    return path


def test_marks_that_no_timer_removes(cluster):
    cluster.configure(cluster.section(), ONCE)
    add_mark(-600)
    assert marks(cluster, "ok") == {"count": 1, "old": 0, "timer": None, "problem": None, "remedy": None}
    with private_host.systemd():
        assert marks(cluster, "ok")["timer"] is True
    for timer in (dict(enabled=False), dict(masked=True)):
        with private_host.systemd(**timer):
            found = marks(cluster, "warning")
            assert found["timer"] is False and "ksa-keys.timer" in found["remedy"]
    cluster.configure(cluster.section(), RULE)
    with private_host.systemd(enabled=False):
        assert marks(cluster, "ok") is None


@pytest.mark.parametrize("rule", [ONCE, RULE], ids=["once", "no rule with once any more"])
def test_marks_that_nothing_removed(cluster, rule):
    cluster.configure(cluster.section(), rule)
    mark = add_mark(86500)
    assert marks(cluster, "warning")["old"] == 1
    with private_host.systemd():
        assert marks(cluster, "warning")["old"] == 1 and mark.exists()
    assert cluster.refresh("--all", "--if-due").status == 0 and not mark.exists()
    assert (marks(cluster, "ok") is None) == (rule == RULE)


def test_marks_without_root(cluster):
    """Their directory is for root alone; whether the timer is enabled is not."""
    cluster.configure(cluster.section(), ONCE)
    add_mark(86500)
    answer = cluster.host.run(["ksactl", "status", "--json"]).json
    assert answer["marks"] == {"count": None, "old": None, "timer": None, "problem": None, "remedy": None}


def test_marks_in_a_directory_of_no_use(cluster):
    """Logins with once = yes are refused then."""
    cluster.configure(cluster.section(), ONCE)
    Path("/var/lib/ksa/used").chmod(0o777)
    try:
        assert marks(cluster, "critical")["problem"]
    finally:
        Path("/var/lib/ksa/used").chmod(0o700)


# --- Accounts ---


def test_a_listing_that_is_late(cluster):
    """The registry's time of it moves each hour, and the timer may be an hour late."""
    cluster.configure(cluster.section(), RULE, "[accounts prod]\nnamespaces = ci\n")
    registry.PATH.parent.mkdir(mode=0o755, exist_ok=True)
    for age, level in ((7100, "ok"), (7300, "warning")):
        registry.make("source prod %d\n" % (time.time() - age))
        problem = json.loads(cluster.ksactl("status", "--json").out)["clusters"][0]["accounts"]["problem"]
        assert (problem or "").startswith("its service accounts were not listed for 2 h" if level == "warning" else ""), problem
        text = cluster.ksactl("status").out
        if "nsswitch.conf" not in text:  # which with sanitizers does not name ksa
            text = status(cluster, level)[0]
        assert ("not listed for 2 h" in text, "ksa-accounts.timer" in text) == (level == "warning",) * 2


# --- Keys ---


def test_keys_that_are_overdue(cluster):
    cluster.age(1800 + 800)
    assert status(cluster, "ok")[1]["keys"]["problem"] is None  # the timer may be late
    cluster.age(1800 + 200)
    keys = status(cluster, "warning")[1]["keys"]
    assert "the keys were not refreshed for 1 h 16 min; logins are refused in 22 h 43 min" in keys["problem"]
    cluster.age(90000)
    keys = status(cluster, "critical")[1]["keys"]
    assert re.search(r"fetched 1 d 2 h ago$", keys["problem"]) and keys["remedy"] == "run ksactl keys refresh prod"


def test_no_keys(cluster):
    cluster.ksactl("keys", "purge", "prod")
    keys = status(cluster, "critical")[1]["keys"]
    assert keys["problem"] == "no key set of prod was fetched yet" and keys["count"] == 0
    assert "  keys        none\n" in cluster.ksactl("status").out


def test_keys_in_a_file(cluster):
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks"))
    text, parts = status(cluster, "ok")
    assert "  keys        1, in /etc/ksa/prod.jwks\n" in text and parts["keys"]["fetched"] is None
    cluster.host.write_keys(cluster.host.key.jwk(use="enc"))
    assert status(cluster, "critical")[1]["keys"]["problem"] == "no usable key"


# --- The credential ---


@pytest.mark.parametrize("age, expected", [(43000, "ok"), (64000, "ok"), (66030, "warning"), (86500, "critical")])
def test_age_of_the_credential(cluster, age, expected):
    cluster.give_credential(age=age)
    problem = status(cluster, expected)[1]["credential"]["problem"]
    assert (problem is None) == (expected == "ok")


def test_a_credential_that_ended(cluster):
    """It printed, an hour later, that it ends in 0 s."""
    cluster.give_credential(age=90000)
    text, _ = status(cluster, "critical")
    assert "  credential  ksa-system/host-verifier, expired 1 h ago\n" in text


@pytest.mark.parametrize("spoil, expected", [(lambda: CREDENTIAL.unlink(), "critical"), (lambda: CREDENTIAL.chmod(0o644), "critical")],
                         ids=["missing", "unsafe"])
def test_a_credential_that_is_of_no_use(cluster, spoil, expected):
    spoil()
    text, parts = status(cluster, expected)
    assert parts["credential"]["problem"] and parts["credential"]["remedy"].endswith(" into ksactl credential init prod")
    assert "could not be asked: " + parts["api"]["problem"] in text and cluster.requests() == []
    assert parts["credential"]["problem"] == parts["api"]["problem"]


def test_a_credential_that_is_no_token(cluster):
    cluster.host.write(CREDENTIAL, "hunter2\n", 0o600)
    text, parts = status(cluster, "warning")
    assert "is not a service account token" in parts["credential"]["problem"] and "hunter2" not in text


def test_certificate(cluster):
    for over, expected in ((False, "ok"), (True, "critical")):
        certificate, key = cluster.certificates.issue("host-7", "DNS:host-7", days=2)
        if over:
            cluster.certificates.end((certificate, key))
        key.chmod(0o600)
        cluster.configure(cluster.section(more="client_cert_file = %s\nclient_key_file = %s\n" % (certificate, key)))
        credential = status(cluster, expected)[1]["credential"]
        assert credential["account"] == "CN=host-7" and credential["due"] is None


def test_none_is_needed(cluster):
    cluster.configure(cluster.section(more=""))
    cluster.server.pages[PATH] = page(b"{}", "401 Unauthorized")
    text, parts = status(cluster, "ok")
    assert parts["credential"] is None and parts["api"]["reachable"] and "  credential  none\n" in text


# --- The API server ---


@pytest.mark.parametrize("review, expected", [
    ("review = never\n", "warning"), ("review = prefer\n", "warning"), ("review = require\n", "critical")])
def test_nobody_listens(cluster, review, expected):
    cluster.server.__exit__()
    cluster.configure(cluster.section(more="credential_file = %s\n%s" % (CREDENTIAL, review)))
    api = status(cluster, expected)[1]["api"]
    assert (api["reachable"], api["milliseconds"], api["clock_difference"], api["user"]) == (False, None, None, None)
    assert "no connection" in api["problem"]


@pytest.mark.parametrize("demand", ["review = require", "bound = pod", "rbac = yes"])
def test_what_rules_need(cluster, demand):
    cluster.server.__exit__()
    cluster.configure(cluster.section(), RULE, demand + "\n")
    assert status(cluster, "critical")[1]["api"]["reachable"] is False


@pytest.mark.parametrize("service, expected", [("sshd", "warning"), ("sudo", "critical"), ("sshd su", "critical")])
@pytest.mark.parametrize("by", ["rule", "cluster"])
def test_prefer_is_require_where_users_start_the_service(cluster, by, service, expected):
    cluster.server.__exit__()
    prefer = "review = prefer\n"
    section = cluster.section(more="credential_file = %s\n%s" % (CREDENTIAL, prefer if by == "cluster" else ""))
    rule = RULE.replace("service = sshd\n", "service = %s\n" % service)
    assert rule != RULE or service == "sshd"
    cluster.configure(section, rule, prefer if by == "rule" else "")
    assert status(cluster, expected)[1]["api"]["reachable"] is False


ANSWERS = {"401": page(b"", "401 Unauthorized"), "403": page(b"", "403 Forbidden"), "404": page(b"", "404 Not Found"),
           "429": page(b"", "429 Too Many Requests"), "500": page(b"", "500 Internal Server Error"), "other": page(b"{}", "201 Created"),
           "elsewhere": page(b"", "302 Found", "Location: /x"), "nonsense": b"nonsense\r\n\r\nConnection: close"}


@pytest.mark.parametrize("review, expected", [("never", {"401": "critical", "403": "ok", "404": "ok"}),
                                              ("prefer", {"403": "ok", "404": "ok"}), ("require", {"403": "ok", "404": "ok"})])
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers(cluster, answer, review, expected):
    """Logins that ask are refused for each of them: review = prefer admits a login without a response, and no other."""
    cluster.configure(cluster.section(more="credential_file = %s\nreview = %s\n" % (CREDENTIAL, review)))
    cluster.server.pages[PATH] = ANSWERS[answer]
    text, parts = status(cluster, expected.get(answer, "warning" if review == "never" else "critical"))
    assert parts["api"]["reachable"] == (answer != "nonsense") and parts["api"]["user"] is None
    assert ("could not be asked: incomplete answer" in text) == (answer == "nonsense") and "does not answer" not in text


@pytest.mark.parametrize("review, expected", [("never", "warning"), ("prefer", "critical"), ("require", "critical")])
def test_another_authority(cluster, review, expected):
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more="credential_file = %s\nreview = %s\n" % (
        CREDENTIAL, review)).replace(
        "api_ca_file = %s" % cluster.certificates.ca, "api_ca_file = /etc/ssl/certs/ca-certificates.crt"))
    text, parts = status(cluster, expected)
    assert "could not be asked: TLS" in text and parts["api"]["problem"].startswith("TLS")


def test_another_name(cluster):
    """The remedy was to look at the CA file too, and the names of the certificate were not shown."""
    with TlsServer(*cluster.certificates.issue("other", "DNS:other.example")) as other:
        cluster.configure(cluster.section(more="credential_file = %s\nreview = require\n" % CREDENTIAL).replace(
            cluster.server.url, other.url))
        _, parts = status(cluster, "critical")
    assert "DNS:other.example" in parts["api"]["problem"] and "api_server_name" in parts["api"]["remedy"]


# --- What this host may ask ---


DEMANDS = {"review": ("review = prefer\n", RULE), "rule": ("", RULE + "review = require\n"), "bound": ("", RULE + "bound = pod\n"),
           "rbac": ("", RULE + "rbac = yes\n")}


def demand(cluster, name):
    more, rules = DEMANDS[name]
    cluster.configure(cluster.section(more="credential_file = %s\n%s" % (CREDENTIAL, more)), rules)


def wishes(cluster):
    bodies = [json.loads(request.partition("\r\n\r\n")[2]) for request in cluster.requests(ACCESS)]
    return [body["spec"]["resourceAttributes"] for body in bodies]


@pytest.mark.parametrize("name", DEMANDS)
def test_it_may_not_review(cluster, name):
    """status was green, and every login that asked was refused: the account was known, and had no role."""
    demand(cluster, name)
    cluster.server.pages[ACCESS] = may("tokenreviews")
    api = status(cluster, "critical")[1]["api"]
    assert api["may_review"] is False and api["user"] == USER and api["may_ask_rbac"] is (True if name == "rbac" else None)
    assert "is not allowed to review tokens" in api["problem"] and api["remedy"] == "apply host-account.yaml; see ksa-clusters(7)"
    cluster.server.pages[ACCESS] = may()
    assert status(cluster, "ok")[1]["api"]["may_review"] is True


def test_it_may_not_ask_rbac(cluster):
    demand(cluster, "rbac")
    cluster.server.pages[ACCESS] = may("subjectaccessreviews")
    api = status(cluster, "critical")[1]["api"]
    assert (api["may_review"], api["may_ask_rbac"], api["may_renew"]) == (True, False, True)
    demand(cluster, "review")
    assert status(cluster, "ok")[1]["api"]["may_ask_rbac"] is None


def test_it_may_not_renew(cluster):
    cluster.server.pages[ACCESS] = may("serviceaccounts")
    api = status(cluster, "warning")[1]["api"]
    assert (api["may_review"], api["may_renew"]) == (None, False)
    assert "is not allowed to request its next token" in api["problem"] and "host-account.yaml" in api["remedy"]


def test_what_it_asks_over_one_connection(cluster):
    demand(cluster, "rbac")
    before = cluster.server.connections
    assert cluster.ksactl("status").status == 0 and cluster.server.connections == before + 1
    assert [request.split(" ")[1] for request in cluster.requests()] == [PATH, ACCESS, ACCESS, ACCESS]
    assert wishes(cluster) == [
        {"verb": "create", "group": "authentication.k8s.io", "resource": "tokenreviews"},
        {"verb": "create", "group": "authorization.k8s.io", "resource": "subjectaccessreviews"},
        {"verb": "create", "group": "", "resource": "serviceaccounts", "subresource": "token", "namespace": "ksa-system",
         "name": "host-verifier"}]


def test_nobody_says_what_it_may(cluster):
    demand(cluster, "review")
    for answer in ("403", "500", "other"):
        cluster.server.pages[ACCESS] = ANSWERS[answer]
        assert status(cluster, "critical")[1]["api"]["may_review"] is None


def test_a_server_that_hangs(cluster):
    cluster.server.pages[PATH] = None
    cluster.configure(cluster.section(), host="timeout = 1s\n")
    start = time.monotonic()
    assert "no answer" in status(cluster, "warning")[1]["api"]["problem"]
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("ahead, expected", [
    (20, "ok"), (-20, "ok"), (40, "warning"), (-40, "warning"), (70, "critical"), (-70, "critical")])
def test_clocks(cluster, ahead, expected):
    cluster.server.pages[PATH] = lambda *_: self_review(ahead=ahead)
    text, parts = status(cluster, expected)
    assert abs(parts["api"]["clock_difference"] + ahead) <= 3
    assert re.search("this host's clock is .* s %s the API server's$" % ("behind" if ahead > 0 else "ahead of"), text, re.M)


def test_the_clock_of_a_server_that_refuses(cluster):
    """There it may be what is wrong."""
    cluster.server.pages[PATH] = lambda *_: self_review(ahead=300, status="401 Unauthorized")
    assert abs(status(cluster, "critical")[1]["api"]["clock_difference"] + 300) <= 3


def test_a_name_from_outside_is_quoted(cluster):
    cluster.server.pages[PATH] = lambda *_: self_review("x\n\x1b[2Jwell")
    text, parts = status(cluster, "ok")
    assert parts["api"]["user"] == "x\\x0a\\x1b[2Jwell" and "\x1b" not in text


# --- Whom it asks ---


def test_offline_and_without_root(cluster):
    """Facts that only root can read are unknown to others; trouble that others can see is reported."""
    def status_by(user, *args):
        return cluster.host.run(["ksactl", "status", *args], user=user)

    result = status_by("root", "--offline")
    assert result.status == 0 and "  API server  not asked\n" in result.out, result
    for args in ((), ("--offline",)):
        result = status_by("alice", *args)
        assert result.status == 3 and result.err == "ksactl: run status as root to see all of it\n", result
        assert ("  API server  not asked: requires root\n" in result.out) == (args == ())
        assert "only root can read it" in result.out
    answer = status_by("alice", "--json")
    assert answer.status == 3 and answer.json["result"] == "unknown", answer
    cluster.configure(cluster.section(more=""))
    assert (status_by("alice").status, status_by("alice", "--offline").status) == (3, 0)
    (CACHE / "prod/keys").unlink()
    assert status_by("alice").status == 2
    assert cluster.requests() == []


def test_a_cluster_without_an_api_server(cluster):
    section = re.sub("api_server.*\n|api_ca_file.*\n", "", cluster.section(keys="file:/etc/ksa/prod.jwks", more=""))
    cluster.configure(section)
    text, parts = status(cluster, "ok")
    assert parts["api"] is None and "  API server  not used\n" in text and cluster.requests() == []


def test_it_changes_nothing(cluster):
    before = cluster.stamp(), CREDENTIAL.read_text(), cluster.cached()
    cluster.age(7200)
    cluster.ksactl("status")
    assert (cluster.stamp(), CREDENTIAL.read_text(), cluster.cached()) == before
    assert [request.split(" ")[1] for request in cluster.requests()] == [PATH, ACCESS]


def test_the_worst_of_all_counts(cluster):
    cluster.configure(cluster.section(), cluster.section("other"))
    answer = cluster.ksactl("status", "--json")
    assert answer.status == 2 and answer.json["result"] == "critical"
    assert [found["cluster"] for found in answer.json["clusters"]] == ["prod", "other"]


def test_no_configuration(cluster):
    Path("/etc/ksa/ksa.conf").unlink()
    result = cluster.ksactl("status")
    assert result.status == 3 and result.err.splitlines() == [
        "/etc/ksa/ksa.conf does not exist", "    create it (see ksa.conf(5)), or name another file with --config"]


def test_usage(cluster):
    assert cluster.ksactl("status", "prod").status == 3
    cluster.host.write("/etc/ksa/ksa.conf", "[host\n")
    result = cluster.ksactl("status")
    assert result.status == 3 and result.err.startswith("/etc/ksa/ksa.conf:1: ")
    assert "\n    ksactl check " in result.err
    cluster.configure()
    assert cluster.host.run(["sh", "-c", "exec ksactl status --offline >/dev/full"], user="root").status == 3
