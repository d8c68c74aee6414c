# SPDX-License-Identifier: BSD-2-Clause
"""ksactl accounts: lists of an API server that behaves and misbehaves, files from host to host, and the resulting
registry."""
import json
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

import issuer
import registry
from api_double import body_of, failure, json_page
from cluster_host import DoubleHost
from tls_server import page

REGISTRY, LOCK = Path("/var/lib/ksa/registry"), Path("/run/ksa/accounts.lock")
LISTED = "[accounts prod]\nnamespaces = ci build\n"


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.give_credential()
        use(cluster, LISTED)
        yield cluster
        cluster.assert_no_token_in_outputs()


def use(cluster, sections, host=""):
    cluster.configure(cluster.section(), sections, host=host)


def sync(cluster, *args, status=0):
    result = cluster.ksactl("accounts", "sync", *args)
    assert result.status == status, result
    return result


def listed(cluster, *args):
    """{user: account} of the registry."""
    return {one["user"]: one for one in cluster.ksactl("accounts", "list", "--json", *args).json["accounts"]}


def changes(cluster, *args, status=0):
    return [(one["change"], one["account"]) for one in sync(cluster, "--json", *args, status=status).json["changes"]]


# --- From a cluster ---


def test_sync(cluster):
    deployer = cluster.server.listing.add("ci", "deployer", created=1710000000)
    cluster.server.listing.add("ci", "default")
    cluster.server.listing.add("build", "runner")
    cluster.server.listing.add("kube-system", "root")  # which the section does not list
    result = sync(cluster)
    assert set(listed(cluster)) == {"ci_deployer", "build_runner"}
    account = listed(cluster)["ci_deployer"]
    assert account["account_uid"] == deployer["uid"] and account["created"] == 1710000000
    assert account["state"] == "active" and 1879048192 <= account["uid"] <= 2147483647
    assert [path for path, _ in cluster.server.listing.queries] == [
        "/api/v1/namespaces/%s/serviceaccounts" % name for name in ("ci", "build")]
    assert (os.stat(REGISTRY).st_mode & 0o7777, os.stat(REGISTRY).st_uid) == (0o644, 0)
    (line,) = [line for line in result.log if 'account="deployer"' in line]
    assert re.search(r'ksactl\[\d+\]: result=account change=added user="ci_deployer" uid=%d cluster="prod" namespace="ci" '
                     r'account="deployer" account_uid="%s" refusal=- why="listed in prod:ci"$' % (account["uid"], deployer["uid"]), line)
    assert line.startswith("<85>")  # authpriv, notice
    assert result.out.startswith("added: build_runner (uid ") and result.err == ""


def test_what_is_asked(cluster):
    use(cluster, "[accounts prod]\nnamespaces = *\nselector = ksa.dev/login=a/b (c)\n")
    cluster.server.listing.add("ci", "one", labels={"ksa.dev/login": "a/b (c)"})
    cluster.server.listing.add("ci", "two")
    sync(cluster)
    assert set(listed(cluster)) == {"ci_one"}
    (request,) = cluster.requests()
    assert request.startswith("GET /api/v1/serviceaccounts?limit=500&labelSelector=ksa.dev%2Flogin%3Da%2Fb%20%28c%29 HTTP/1.1\r\n")
    assert "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json\r\n" in request


def test_pages_over_one_connection(cluster):
    for number in range(25):
        cluster.server.listing.add("ci", "a%d" % number)
    cluster.server.listing.page_max = 10
    sync(cluster)
    assert len(listed(cluster)) == 25
    assert len(cluster.server.listing.queries) == 4 and cluster.server.connections == 1


def test_an_account_with_the_most_annotations(cluster):
    """The largest that etcd takes, 1.5 MiB, for each of ten accounts must not stop the others."""
    use(cluster, LISTED, host="timeout = 30s\n")  # the double takes seconds for it on a busy machine
    for number in range(10):
        cluster.server.listing.add("ci", "a%d" % number, padding="\1" * 1536 * 1024)
    cluster.server.listing.add("build", "runner")
    sync(cluster)
    assert len(listed(cluster)) == 11
    assert {int(query["limit"]) for _, query in cluster.server.listing.queries} >= {500, 2, 1}


def test_expired_list_is_begun_again(cluster):
    for number in range(6):
        cluster.server.listing.add("ci", "a%d" % number)
    cluster.server.listing.page_max = 2
    cluster.server.listing.replace = lambda number, query, _: failure(410, "Expired") if number == 3 else None
    sync(cluster)
    assert len(listed(cluster)) == 6 and len(cluster.server.listing.queries) == 7


BAD = {
    "refused": lambda number, query, sound: failure(403, "Forbidden"),
    "unauthorized": lambda number, query, sound: failure(401, "Unauthorized"),
    "busy": lambda number, query, sound: failure(429, "TooManyRequests"),
    "broken": lambda number, query, sound: failure(500, "InternalError"),
    "expired": lambda number, query, sound: failure(410, "Expired"),
    "no-json": lambda number, query, sound: page(b"<html>", "200 OK"),
    "cut": lambda number, query, sound: sound[:-5] + b"Connection: close",
    "status": lambda number, query, sound: json_page({"kind": "Status", "apiVersion": "v1"}),
    "other-version": lambda number, query, sound: sound.replace(b'"resourceVersion": "1', b'"resourceVersion": "2'),
    "other-namespace": lambda number, query, sound: sound.replace(b'"namespace": "ci"', b'"namespace": "cj"'),
    "no-uid": lambda number, query, sound: sound.replace(b'"uid": ', b'"uib": '),
    "first-page-again": lambda number, query, sound: sound.replace(b'"a2"', b'"a0"').replace(b'"a4"', b'"a0"'),
}


# Three pages of ci, one of build, which is empty.
STAGES = {"first-page-again": (2, 3), "no-uid": (1, 2, 3), "other-version": (2, 3), "other-namespace": (1, 2, 3)}


@pytest.mark.parametrize("name, stage", [(name, stage) for name in BAD for stage in STAGES.get(name, (1, 2, 3, 4))])
def test_a_partial_answer_changes_nothing(cluster, name, stage):
    """From the question of that number on all is well until then, and nothing is afterwards."""
    cluster.server.listing.add("ci", "before")
    sync(cluster)
    before = REGISTRY.read_bytes()
    cluster.server.listing.queries.clear()
    cluster.server.listing.remove("ci", "before")
    for number in range(6):
        cluster.server.listing.add("ci", "a%d" % number)
    cluster.server.listing.page_max = 2
    cluster.server.listing.replace = lambda number, query, sound: BAD[name](number, query, sound) if number >= stage else None
    result = sync(cluster, status=2)
    assert REGISTRY.read_bytes() == before
    (line,) = [line for line in result.log if "result=failed" in line]
    assert 'accounts=kept cluster="prod" why="' in line and ' remedy="' in line and 'remedy=""' not in line


def test_who_may_not_list_is_told_what_to_apply(cluster):
    cluster.server.listing.replace = BAD["refused"]
    result = sync(cluster, status=2)
    assert any("reason=api-forbidden" in line for line in result.log) and "account-list.yaml" in result.err
    assert sync(cluster, "--dry-run", status=2).err == result.err


def test_a_selector_that_the_server_does_not_take(cluster):
    use(cluster, LISTED + "selector = a==in=b\n")
    cluster.server.listing.replace = lambda number, query, _: failure(400, "BadRequest")
    err = sync(cluster, status=2).err
    assert "'a==in=b'" in err and "[accounts prod]" in err and "between host and cluster" not in err


def test_a_rehearsal_tells_of_namespaces_without_accounts(cluster):
    cluster.server.listing.add("ci", "deployer")
    cluster.server.listing.add("build", "default")
    err = sync(cluster, "--dry-run").err
    assert "namespace build" in err and "namespace ci" not in err
    assert sync(cluster).err.count("namespace build") == 0
    use(cluster, "[accounts prod]\nnamespaces = *\n")
    assert sync(cluster, "--dry-run").err == ""


def test_other_clusters_go_on(cluster):
    listing = cluster.server.listing
    cluster.configure(cluster.section(), cluster.section("away", issuer_name="https://away").replace(
        cluster.server.url, "https://127.0.0.1:1"), LISTED + "[accounts away]\nnamespaces = far\n")
    listing.add("ci", "deployer")
    answer = sync(cluster, "--json", status=2).json
    assert [(one["cluster"], one["outcome"]) for one in answer["clusters"]] == [("prod", "read"), ("away", "kept")]
    assert answer["written"] and set(listed(cluster)) == {"ci_deployer"}


# --- What is written, and when ---


def test_unchanged_is_not_written_again(cluster):
    cluster.server.listing.add("ci", "deployer")
    cluster.server.listing.add("build", "runner")
    sync(cluster)
    inode, first = os.stat(REGISTRY).st_ino, REGISTRY.read_bytes()
    for args in ((), ("--dry-run",)):
        result = sync(cluster, *args)
        assert (result.out, result.err) == ("nothing to do\n", "")
    assert os.stat(REGISTRY).st_ino == inode and REGISTRY.read_bytes() == first


def test_dry_run_changes_nothing(cluster):
    cluster.server.listing.add("ci", "deployer")
    result = sync(cluster, "--dry-run")
    assert re.match(r"added: ci_deployer \(uid \d+\), prod:ci/deployer: listed in prod:ci\n$", result.out), result
    assert not REGISTRY.exists() and not LOCK.exists() and not [line for line in result.log if "ksactl" in line]
    assert sync(cluster).out == result.out  # one form, on one stream
    registry.forget()
    answer = sync(cluster, "--dry-run", "--json").json
    assert (answer["dry_run"], answer["written"], answer["result"]) == (True, False, "done")


def test_an_empty_list_is_not_applied(cluster):
    """A cluster that was emptied, or whose selector was mistyped, does not take everybody away."""
    for number in range(2):
        cluster.server.listing.add("ci", "a%d" % number)
    sync(cluster)
    cluster.server.listing.accounts.clear()
    before = REGISTRY.read_bytes()
    result = sync(cluster, status=2)
    assert "the list of accounts is empty" in result.err and "--force" in result.err and REGISTRY.read_bytes() == before
    sync(cluster, "--force")
    assert listed(cluster) == {} and {one["state"] for one in listed(cluster, "--all").values()} == {"removed"}
    shown = cluster.ksactl("accounts", "show", "ci_a0", "--json").json
    assert "no source lists it" in shown["why"] and "brings its user back" in shown["remedy"], shown
    cluster.server.listing.add("ci", "a0")
    sync(cluster, status=1)  # re-created
    cluster.server.listing.accounts.clear()
    sync(cluster)  # the last account of a namespace goes without --force
    assert listed(cluster) == {}


def test_recreated_enable_disable(cluster):
    old = cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    cluster.server.listing.remove("ci", "deployer")
    new = cluster.server.listing.add("ci", "deployer")
    assert changes(cluster, status=1) == [("disabled", "deployer")]
    shown = cluster.ksactl("accounts", "show", "ci_deployer", "--json")
    assert shown.status == 1 and (shown.json["state"], shown.json["reasons"]) == ("disabled", ["recreated"])
    assert (shown.json["account_uid"], shown.json["new_account_uid"]) == (old["uid"], new["uid"])
    assert "re-created" in shown.json["why"] and "accounts enable ci_deployer" in shown.json["remedy"]
    queries = len(cluster.server.listing.queries)
    assert cluster.ksactl("accounts", "enable", "ci_deployer").status == 0
    assert listed(cluster)["ci_deployer"]["account_uid"] == new["uid"]
    assert cluster.ksactl("accounts", "show", "ci_deployer").status == 0
    assert cluster.ksactl("accounts", "disable", "ci_deployer").status == 0
    assert len(cluster.server.listing.queries) == queries  # the cluster is not asked
    assert listed(cluster)["ci_deployer"]["reasons"] == ["administrator"]
    assert "(administrator)" in cluster.ksactl("accounts", "list").out
    sync(cluster)
    assert listed(cluster)["ci_deployer"]["state"] == "disabled"
    for command, user, text in (("disable", "ci_deployer", "already"), ("enable", "nobody-like-that", "accounts list")):
        result = cluster.ksactl("accounts", command, user, "--json")
        assert result.status == 2 and text in result.json["problem"] and result.json["remedy"] is None, result


def test_show_explains_a_refused_newcomer(cluster):
    """It has no record: the cluster is asked."""
    cluster.server.listing.add("ci", "deployer")
    before = Path("/etc/passwd").read_text()
    Path("/etc/passwd").write_text(before + "ci_deployer:x:1777:1777::/:/bin/sh\n")
    try:
        (refused,) = sync(cluster, "--json", status=1).json["changes"]
        assert (refused["change"], refused["refusal"]) == ("refused", "name-local")
        for word in ("ci_deployer", "prod:ci/deployer"):
            shown = cluster.ksactl("accounts", "show", word, "--json")
            assert shown.status == 1 and shown.json == {"version": 1, **refused}, shown
            assert cluster.ksactl("accounts", "show", word).out.startswith("refused: ci_deployer ")
    finally:
        Path("/etc/passwd").write_text(before)


def test_a_cluster_with_another_name(cluster):
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    before = listed(cluster)["ci_deployer"]["uid"]
    cluster.configure(cluster.section("live"), LISTED.replace("prod", "live"))
    assert "prod" in cluster.ksactl("check").out and "rename-cluster" in cluster.ksactl("check").out
    result = sync(cluster, "--dry-run", "--json", status=1).json
    (refused,) = [one for one in result["changes"] if one["change"] == "refused"]
    assert refused["refusal"] == "name-taken" and "rename-cluster prod live" in refused["remedy"]
    assert cluster.ksactl("accounts", "rename-cluster", "prod", "live").status == 0
    assert cluster.ksactl("accounts", "rename-cluster", "prod", "live").status == 2
    assert changes(cluster) == [] and listed(cluster)["ci_deployer"]["uid"] == before
    assert "rename-cluster" not in cluster.ksactl("check").out


def test_a_cluster_with_another_name_after_a_sync(cluster):
    """The renaming ended with "an account or group is in the registry twice", or removed users until the next sync."""
    long = "namespace-" + 30 * "n"  # names that are too long end with a hash of the cluster, too
    for namespace, name in (("ci", "deployer"), ("ci", "runner"), (long, "x")):
        cluster.server.listing.add(namespace, name)
    sections = LISTED.replace("build", long)
    use(cluster, sections)
    sync(cluster)
    old = {one["account"]: one for one in listed(cluster).values()}
    live = sections.replace("prod", "live")
    cluster.server.listing.add("ci", "late")
    cluster.configure(cluster.section("live"), live + account("bot", "live:ci/deployer"))
    sync(cluster, status=1)  # runner is refused: its name is taken
    new = {one["account"]: one for one in listed(cluster).values()}
    assert set(new) == {"deployer", "late", "x"} and new["x"]["uid"] != old["x"]["uid"]
    assert cluster.ksactl("accounts", "disable", "bot").status == 1  # and late is not in the group of ci, which prod has
    cluster.configure(cluster.section("live"), live)
    result = cluster.ksactl("accounts", "rename-cluster", "prod", "live")
    assert result.status == 0 and 'the user "bot" (uid %d)' % new["deployer"]["uid"] in result.out, result
    records = cluster.ksactl("accounts", "list", "--all", "--json").json["accounts"]
    assert {one["cluster"] for one in records} == {"live"}
    after = {one["account"]: one for one in records if not one["former"]}
    assert {name: (one["user"], one["uid"], one["state"]) for name, one in after.items()} == {
        "deployer": ("ci_deployer", old["deployer"]["uid"], "disabled"), "x": (old["x"]["user"], old["x"]["uid"], "active"),
        "late": ("ci_late", new["late"]["uid"], "active"), "runner": ("ci_runner", old["runner"]["uid"], "removed")}
    assert after["deployer"]["reasons"] == ["administrator"]
    former = {one["user"] for one in records if one["former"]}  # the group of live:LONG, too
    assert former > {"bot", new["x"]["user"]} and any(user.startswith("k8s-namespace-") for user in former), former
    cluster.configure(cluster.section("live"), live + account("bot", "live:ops/thief"))
    assert changes(cluster, status=1) == [("returned", "runner"), ("refused", "thief")]
    sync(cluster, status=1)


def test_a_cluster_is_renamed_after_its_sections(cluster):
    cluster.server.listing.add("ci", "deployer")
    cluster.server.listing.add("ci", "runner")
    sync(cluster)
    before = REGISTRY.read_bytes()
    both = cluster.section("live") + cluster.section(issuer_name="https://other.example")
    for section, sections, why in ((cluster.section(), LISTED, "[cluster prod] is still configured"),
                                   (both, LISTED, "[cluster prod] is still configured"),
                                   (cluster.section("test"), "", "[cluster live] is not configured")):
        cluster.configure(section, sections)
        result = cluster.ksactl("accounts", "rename-cluster", "prod", "live")
        assert result.status == 2 and why in result.err and "rename the sections first" in result.err, result
        assert REGISTRY.read_bytes() == before


def test_columns_stand_below_their_names(cluster):
    cluster.server.listing.add("ci", "a")
    cluster.server.listing.add("build", "a-service-account")
    sync(cluster)
    head, *rows = cluster.ksactl("accounts", "list").out.splitlines()
    for row, name in zip(rows, ("build/a-service-account", "ci/a")):
        assert row[head.index("STATE"):].startswith("active ") and row[head.index("ACCOUNT"):] == "prod:" + name, (head, row)
        assert re.match(r"20\d\d-[\d-]+ [\d:]+ UTC ", row[head.index("SINCE"):]), (head, row)


def test_show_tells_of_every_group(cluster):
    use(cluster, account("release-bot", more="groups = no-such-group root"))
    sync(cluster, status=1)
    why = cluster.ksactl("accounts", "show", "release-bot", "--json").json["why"]
    assert '"no-such-group"' in why and '"root"' in why


def test_show_finds_it_by_all_its_names(cluster):
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    uid = listed(cluster)["ci_deployer"]["uid"]
    by_name = cluster.ksactl("accounts", "show", "ci_deployer")
    assert by_name.status == 0 and "prod:ci/deployer" in by_name.out
    for word in (uid, "prod:ci/deployer"):
        assert cluster.ksactl("accounts", "show", word).out == by_name.out
    for word in ("nobody-like-that", "1", "prod:ci/x", "prod:ci", "x\ny"):
        result = cluster.ksactl("accounts", "show", word)
        assert result.status == 2 and result.err.count("\n") == 1, result


# --- What goes wrong on this host ---


def test_damaged_registry(cluster):
    """It remembers which uids were given: nothing is written over it, not even with --force."""
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    whole = REGISTRY.read_bytes()
    for damaged in (b"", whole[:-1], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], whole + b"x", b"x" * len(whole)):
        REGISTRY.write_bytes(damaged)
        for args in (("sync",), ("sync", "--force"), ("disable", "ci_deployer")):
            result = cluster.ksactl("accounts", *args)
            assert result.status == 2 and any("reason=registry-unusable" in line for line in result.log), result
            assert "backup" in result.err and REGISTRY.read_bytes() == damaged
        found = cluster.ksactl("status", "--offline", "--json")
        assert found.status == 2 and "registry" in found.json["registry"]["problem"], found
    registry.forget()
    sync(cluster)
    assert set(listed(cluster)) == {"ci_deployer"}


def test_check_and_status_report_a_damaged_or_foreign_registry_alike(cluster):
    """With the same text, the same remedy and the exit status of an error; also if only a rule has @own."""
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    whole = REGISTRY.read_bytes()

    def problems():
        checked = cluster.ksactl("check", "--json")
        found = cluster.ksactl("status", "--offline", "--json")
        accounts = found.json["clusters"][0]["accounts"]
        errors = [problem for problem in checked.json["problems"] if str(REGISTRY) in problem["text"]]
        assert [problem["severity"] for problem in errors] == ["error"] and (checked.status, found.status) == (2, 2), (checked, found)
        assert (errors[0]["text"], errors[0]["remedy"]) == (accounts["problem"], accounts["remedy"])
        return accounts["problem"]

    for config in (None, re.sub(r"(?ms)^\[accounts? .*?(?=^\[|\Z)", "", Path("/etc/ksa/ksa.conf").read_text())):
        if config is not None:
            cluster.host.write("/etc/ksa/ksa.conf", config + "\n[rule own]\naccount = prod:ci/*\nuser = @own\nservice = sshd\n")
        for damaged in (b"x", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"x" * len(whole)):
            REGISTRY.write_bytes(damaged)
            problems()
        REGISTRY.write_bytes(whole)
        os.chown(REGISTRY, 1000, 1000)
        assert "root" in problems()
        os.chown(REGISTRY, 0, 0)
        REGISTRY.unlink()
        assert "is missing" in problems()
        REGISTRY.write_bytes(whole)
        REGISTRY.chmod(0o644)


def test_unsafe_registry(cluster):
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    REGISTRY.chmod(0o666)
    assert cluster.ksactl("accounts", "sync").status == 2
    assert cluster.ksactl("status", "--offline").status == 2


def test_full_disk(cluster):
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    before = REGISTRY.read_bytes()
    for number in range(2000):
        cluster.server.listing.add("ci", "a%d" % number)
    config = "/etc/ksa/ksa.conf"
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o size=64k,mode=0755 full /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && ksactl accounts sync --config %s; echo $?; "
              "cmp /var/lib/ksa/registry - && ls /var/lib/ksa" % config)
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], input=before, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=60)
    assert b"the disk is full" in result.stderr, result
    assert result.stdout.split() == [b"2", b"credentials", b"registry", b"registry.made", b"used"], result


def test_what_cannot_be_written_or_read_is_named(cluster):
    """With the file and a remedy; in JSON too."""
    cluster.server.listing.add("ci", "deployer")
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o mode=0755 ro /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && mount -o remount,ro /var/lib/ksa && "
              "exec ksactl accounts sync --json")
    read_only = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=60)
    answer = json.loads(read_only.stdout)
    assert "read-only" in answer["problem"] and "mount" in answer["remedy"] and answer["result"] == "failed", answer
    cluster.host.write("/etc/subuid", "# x\nnonsense\n")
    for args in ((), ("--dry-run",)):
        result = sync(cluster, *args, status=2)
        assert "/etc/subuid line 2" in result.err and "correct that file" in result.err, result
    cluster.host.write("/etc/subuid", "")
    assert sync(cluster, "--json").json["problem"] is None
    cluster.host.write("/etc/subuid", "nonsense\n")
    found = cluster.ksactl("status", "--offline", "--json").json["registry"]
    cluster.host.write("/etc/subuid", "")
    if "nsswitch.conf" not in found["problem"]:  # which with sanitizers does not name ksa
        assert "/etc/subuid line 1" in found["problem"] and "correct that file" in found["remedy"], found


def test_two_at_once(cluster):
    """The second waits, and finds what the first wrote."""
    cluster.server.listing.add("ci", "deployer")
    results = []
    threads = [threading.Thread(target=lambda: results.append(subprocess.run(
        ["ksactl", "accounts", "sync", "--json"], stdout=subprocess.PIPE, timeout=60))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.returncode for result in results] == [0] * 4
    assert sorted(json.loads(result.stdout)["written"] for result in results) == [False, False, False, True]
    assert set(listed(cluster)) == {"ci_deployer"}


def test_without_root(cluster):
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    run = cluster.host.run
    assert "ci_deployer" in run(["ksactl", "accounts", "list"]).out
    assert run(["ksactl", "accounts", "show", "ci_deployer"]).status == 0
    assert json.loads(run(["ksactl", "accounts", "export"]).out)["format"] == "ksa-accounts"
    for args in (("sync",), ("enable", "x"), ("disable", "x"), ("rename-cluster", "a", "b")):
        result = run(["ksactl", "accounts", *args])
        assert result.status == 2 and "requires root" in result.err, result
    result = run(["ksactl", "accounts", "sync", "--dry-run"])
    assert result.status == 2 and "run it as root" in result.err  # it cannot ask


def test_refused_are_told_of_fifty_times(cluster):
    """A tenant that can create accounts writes only so many lines into the log, and the count."""
    before = Path("/etc/passwd").read_text()
    Path("/etc/passwd").write_text(before + "".join("ci_a%d:x:1777:1777::/:/bin/sh\n" % number for number in range(52)))

    def refusals():
        log = [line for line in sync(cluster, status=1).log if "change=refused" in line]
        return len([line for line in log if "user=" in line]), [line for line in log if "user=" not in line]

    try:
        for number in range(50):
            cluster.server.listing.add("ci", "a%d" % number)
        assert refusals() == (50, [])
        cluster.server.listing.add("ci", "a50")
        cluster.server.listing.add("ci", "a51")
        cluster.server.listing.add("ci", "good")
        lines, (rest,) = refusals()
        assert lines == 50 and "count=52 " in rest and "sync --dry-run" in rest
        assert sync(cluster, "--dry-run", status=1).out.count("refused: ") == 52
        assert "ci_good" in listed(cluster)
    finally:
        Path("/etc/passwd").write_text(before)


def test_failures_of_a_run_stand_in_json_alone(cluster):
    """As those of a cluster: a program that reads the JSON ignores standard error."""
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    REGISTRY.write_bytes(b"x")
    for args in (("sync",), ("sync", "--dry-run"), ("disable", "ci_deployer")):
        result = cluster.ksactl("accounts", *args, "--json")
        assert result.status == 2 and result.err == "", result
        assert result.json["result"] == "failed" and "registry" in result.json["problem"] and result.json["remedy"]
        logged = [line for line in result.log if "reason=registry-unusable" in line]
        assert len(logged) == (0 if "--dry-run" in args else 1)
        assert "backup" in cluster.ksactl("accounts", *args).err


@pytest.mark.parametrize("args", ((), ("what",), ("sync", "x"), ("show",), ("enable",), ("disable",), ("accept", "x"),
                                  ("import", "x"), ("verify",), ("list", "x"), ("rename-cluster", "prod"),
                                  ("rename-cluster", "prod", "a/b")))
def test_usage(cluster, args):
    assert cluster.ksactl("accounts", *args).status == 2


# --- A leader and a host that follows it ---


LEADER = Path("/etc/ksa/leader.json")
FOLLOWING = LISTED + "source = file:%s\n" % LEADER


@pytest.fixture
def follower(cluster):
    """A leader's users and its file, and this host as one that follows it and has no API server."""
    use(cluster, LISTED + account("release-bot", "prod:ci/deployer") + account("other", "prod:ops/x"))
    for name in ("deployer", "runner", "gone"):
        cluster.server.listing.add("ci", name)
    sync(cluster)
    cluster.server.listing.remove("ci", "gone")
    sync(cluster)
    assert cluster.ksactl("accounts", "disable", "ci_runner").status == 0
    before = listed(cluster, "--all")
    cluster.host.write(str(LEADER), cluster.ksactl("accounts", "export").out)
    registry.forget()
    follow(cluster)
    return before


def follow(cluster, more=""):
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more="").replace("api_server", "#api_server"),
                      FOLLOWING + more)


def test_a_follower_has_what_its_leader_has(cluster, follower):
    queries = len(cluster.server.listing.queries)
    out = sync(cluster, "--dry-run").out
    assert not REGISTRY.exists() and "added: release-bot" in out
    sync(cluster)
    after = listed(cluster, "--all")
    for name in ("uid", "account", "account_uid", "state"):
        assert {user: one[name] for user, one in after.items()} == {
            user: one[name] for user, one in follower.items() if one["namespace"] == "ci"}
    assert after["ci_runner"]["reasons"] == ["leader"] and after["ci_gone"]["state"] == "removed"
    assert cluster.ksactl("accounts", "enable", "ci_runner").status == 2  # there, not here
    assert changes(cluster) == [] and len(cluster.server.listing.queries) == queries


def test_a_follower_refuses_what_it_has_for_another(cluster, follower):
    follow(cluster, account("thief", "prod:ops/thief", more="uid = %d" % follower["release-bot"]["uid"]))
    answer = sync(cluster, "--json", status=1).json
    refused = {one["account"]: (one["refusal"], one["why"]) for one in answer["changes"] if one["change"] == "refused"}
    assert refused["deployer"][0] == "uid-taken" and "prod:ops/thief" in refused["deployer"][1]


def test_a_removed_account_of_the_leader(cluster, follower):
    """It lost the leader's reasons; it got the computed uid; and if its uid is taken here, it was left out in silence."""
    file = json.loads(LEADER.read_text())
    (gone,) = [one for one in file["clusters"][0]["accounts"] if one["account"] == "gone"]
    gone["uid"] = 1900000555

    def write(*reasons):
        gone["reasons"] = reasons
        cluster.host.write(str(LEADER), json.dumps(file))

    write()
    follow(cluster, account("thief", "prod:ops/thief", more="uid = 1900000555"))
    for words in (("--dry-run",), (), ()):
        out = sync(cluster, *words).out  # 0: a removed account has no user to correct
        assert "refused: ci_gone (uid 1900000555), prod:ci/gone: it is removed on the leader" in out
        assert re.search("prod:ops/thief .*the uid 1900000555|the uid 1900000555 .*prod:ops/thief", out), out
    registry.forget()
    write("administrator")
    follow(cluster)
    sync(cluster)
    assert listed(cluster, "--all")["ci_gone"]["reasons"] == ["leader"]
    assert cluster.ksactl("accounts", "enable", "ci_gone").status == 2  # there, not here
    follow(cluster, account("bot", "prod:ci/gone"))
    sync(cluster)
    bot = listed(cluster)["bot"]
    assert (bot["uid"], bot["state"], bot["reasons"]) == (1900000555, "disabled", ["leader"])
    write()
    sync(cluster)
    assert listed(cluster)["bot"]["state"] == "active"


def test_a_leaders_file_that_does_not_count(cluster, follower):
    sync(cluster)
    before = REGISTRY.read_bytes()
    whole = LEADER.read_text()
    for text in (None, "", "{}", whole[:-3], whole.replace('"prod"', '"staging"'), whole.replace('"version":2', '"version":1'),
                 whole.replace('"state":"active"', '"state":"retired"')):
        LEADER.unlink(missing_ok=True)
        if text is not None:
            cluster.host.write(str(LEADER), text)
        result = sync(cluster, status=2)
        assert str(LEADER) in result.err and "accounts export" in result.err, result
        assert REGISTRY.read_bytes() == before
    cluster.host.write(str(LEADER), whole, 0o666)
    assert sync(cluster, status=2).err and REGISTRY.read_bytes() == before


# --- A login of a declared account ---


def test_a_declared_account_that_was_made_again(cluster):
    """Bug: the remedy was a command that had nothing to decide."""
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    claims = issuer.claims()
    uid = claims["kubernetes.io"]["serviceaccount"]["uid"]
    rule = "[rule own]\naccount = prod:ci/deployer\nuser = @own\nservice = sshd\n"
    token = cluster.host.remember(issuer.token(cluster.host.key, claims))

    def explain(account_uid):
        cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more=""),
                          account("release-bot", more="account_uid = " + account_uid) + rule)
        sync(cluster)
        return cluster.ksactl("explain", "--token-file", "-", "--json", stdin=(token + "\n").encode())

    answer = explain("before").json
    assert answer["reason"] == "account-recreated", answer
    assert "account_uid" in answer["remedy"] and "accounts enable" in answer["remedy"]
    text = json.dumps(answer)
    assert "account_uid = %s in [account release-bot], then ksactl accounts sync" % uid in text, answer
    assert explain(uid).status == 0  # it helps


# --- check and status ---


def nsswitch(host, text):
    registry.needs_name_service()
    host.write("/etc/nsswitch.conf", text)


@pytest.mark.parametrize("text, lacks", (
    ("passwd: files ksa\ngroup: files ksa\n", []),
    ("passwd:\tfiles [SUCCESS=return] ksa systemd # ksa\ngroup: compat ksa\n", []),
    ("passwd: files\ngroup: files ksa\n", ["passwd: files ksa"]),
    ("passwd: files systemd\ngroup: files [NOTFOUND=return] x\n",
     ["passwd: files ksa systemd", "group: files ksa [NOTFOUND=return] x"]),
    ("passwd: ksa files\n#group: files ksa\n", ["passwd: files ksa", "group: files ksa"]),
    ("passwd: files ksax #ksa\ngroup: files\n", ["passwd: files ksa ksax", "group: files ksa"]),
    ("passwd: ksa files systemd\ngroup: systemd ksa compat\n", ["passwd: files ksa systemd", "group: systemd compat ksa"]),
    ("passwd: files [notfound=return] ksa\ngroup: files sss [!SUCCESS=return] ksa\n",
     ["passwd: files ksa [notfound=return]", "group: files ksa sss [!SUCCESS=return]"]),
    ("passwd: files ksa\ngroup: files [SUCCESS=merge] systemd\n",
     ["group: files [SUCCESS=merge] ksa [SUCCESS=merge] systemd"]),
    ("passwd: files ksa\ngroup: files ksa\ninitgroups: files\n", ["initgroups: files ksa"]),
    ("passwd: files ksa\ngroup: files ksa\ninitgroups: files ksa\n", [])))
def test_lookups(cluster, text, lacks):
    nsswitch(cluster.host, text)
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    found = cluster.ksactl("status", "--offline", "--json").json["registry"]
    assert (found["remedy"] or ": ").partition(": ")[2].strip() == (lacks or [""])[0], found
    checked = [one for one in cluster.ksactl("check", "--json").json["problems"] if "nsswitch" in one["text"]]
    assert [one["remedy"].partition(": ")[2].strip() for one in checked] == lacks
    assert all(one["severity"] == "warning" for one in checked)


def test_a_local_user_that_comes_later(cluster):
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    assert cluster.ksactl("status", "--offline", "--json").json["registry"]["problem"] is None
    # useradd would not: it asks NSS, which knows the name.
    passwd = Path("/etc/passwd")
    before = passwd.read_text()
    passwd.write_text(before + "ci_deployer:x:1777:1777::/:/bin/sh\n")
    try:
        assert "ci_deployer" in cluster.ksactl("status", "--offline", "--json").json["registry"]["problem"]
        assert changes(cluster, status=1) == [("disabled", "deployer")]
        assert listed(cluster)["ci_deployer"]["reasons"] == ["conflict"]
        assert cluster.ksactl("accounts", "enable", "ci_deployer").status == 2
    finally:
        passwd.write_text(before)
    assert cluster.ksactl("accounts", "enable", "ci_deployer").status == 0


def check(cluster, sections, host=""):
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    cluster.configure(cluster.section(), sections, host=host)
    return [one["text"] for one in cluster.ksactl("check", "--json").json["problems"]
            if "[acc" in one["text"] or "uid_range" in one["text"]]


def account(name, account="prod:ci/deployer", more=""):
    return "[account %s]\naccount = %s\n%s\n" % (name, account, more)


OTHER = "[cluster test]\nissuer = https://test.example\nkeys = file:/etc/ksa/prod.jwks\n"


@pytest.mark.parametrize("sections, more, texts", (
    (LISTED, "", []),
    (account("deploy"), "", []),
    (account("root"), "", ["root"]),
    (account("deploy", more="shell = /bin/nosuch"), "", ["shell /bin/nosuch is missing or not executable"]),
    (LISTED + "shell = /etc/passwd\n", "", ["shell /etc/passwd is missing or not executable"]),
    (account("a") + account("b"), "", ["has the same account as [account a]"]),
    (account("a", more="uid = 70000") + account("b", "prod:ci/b", "uid = 70000"), "", ["has the same uid as [account a]"]),
    (LISTED + "[accounts test]\nnamespaces = ops ci\n" + OTHER, "", ["[accounts test] lists the namespace \"ci\", as [accounts prod]"]),
    (LISTED + "[accounts test]\nnamespaces = *\n" + OTHER, "", ["[accounts test] lists the namespace \"ci\", as [accounts prod]"]),
    (LISTED + "[accounts test]\nnamespaces = ops\n" + OTHER, "", ["no api_server"]),
    (LISTED, "uid_range = 61000-62000", ["dynamic"]),
    (LISTED, "uid_range = 70000-600000", ["containers"]),
    (LISTED, "uid_range = 100000-100100", ["subuid"])))
def test_check(cluster, sections, more, texts):
    cluster.host.write("/etc/subuid", "# x\nalice:100000:65536\n" if "100100" in more else "")
    cluster.host.write("/etc/subgid", "")
    found = check(cluster, sections, more)
    assert len(found) == len(texts) and all(expected in text for expected, text in zip(texts, found)), found


def test_check_tells_of_subordinate_ids_that_cannot_be_read(cluster):
    """Bug: check passed over a line that stops every sync."""
    before = Path("/etc/subuid").read_text() if Path("/etc/subuid").exists() else ""
    cluster.host.write("/etc/subuid", "alice:many:65536\n")
    try:
        check(cluster, LISTED)
        found = [one["text"] for one in cluster.ksactl("check", "--json").json["problems"] if "subuid" in one["text"]]
        assert len(found) == 1 and "line 1" in found[0], found
    finally:
        cluster.host.write("/etc/subuid", before)


def test_check_of_sources(cluster):
    cluster.configure(cluster.section(more=""), LISTED)
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    assert "no credential" in cluster.ksactl("check").out
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more="").replace("api_server", "#api_server"), LISTED)
    assert "no api_server" in cluster.ksactl("check").out


def status_of(cluster, *args):
    return cluster.ksactl("status", "--json", *args).json["clusters"][0]


def test_status(cluster):
    found = status_of(cluster, "--offline")["accounts"]
    assert found["listed"] is None and "never listed" in found["problem"] and "ksa-accounts.timer" in found["remedy"]
    cluster.server.listing.add("ci", "deployer")
    sync(cluster)
    found = status_of(cluster, "--offline")["accounts"]
    assert found["problem"] is None and found["listed"] > 1700000000
    assert (found["active"], found["disabled"], found["removed"]) == (1, 0, 0)
    cluster.server.listing.remove("ci", "deployer")
    cluster.server.listing.add("ci", "deployer")
    sync(cluster, status=1)
    found = status_of(cluster, "--offline")["accounts"]
    assert found["disabled"] == 1 and "until an administrator decides" in found["problem"]
    assert "0 active, 1 disabled, 0 removed" in cluster.ksactl("status", "--offline").out
    REGISTRY.write_bytes(b"x")
    assert "accounts restore" in status_of(cluster, "--offline")["accounts"]["remedy"]


def test_status_of_declared_accounts(cluster):
    """Without [accounts] there are users all the same, and a registry that may be damaged."""
    use(cluster, account("release-bot"))
    sync(cluster)
    result = cluster.ksactl("status", "--offline", "--json")
    found = result.json["clusters"][0]["accounts"]
    assert (found["active"], found["listed"], found["problem"]) == (1, None, None)
    assert "1 active, 0 disabled, 0 removed; [account] alone\n" in cluster.ksactl("status", "--offline").out
    REGISTRY.write_bytes(b"x")
    result = cluster.ksactl("status", "--offline", "--json")
    assert result.status == 2 and "accounts restore" in result.json["clusters"][0]["accounts"]["remedy"], result


def test_status_asks_whether_it_may_list(cluster):
    requested = []

    def access_review(request, _):
        requested.append(body_of(request)["spec"]["resourceAttributes"])
        return {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                "status": {"allowed": requested[-1].get("namespace") != "build"}}

    cluster.server.pages["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = access_review
    cluster.server.pages["/apis/authentication.k8s.io/v1/selfsubjectreviews"] = {
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "status": {"userInfo": {"username": "x"}}}
    found = status_of(cluster)["api"]
    lists = [one for one in requested if one["verb"] == "list"]
    assert lists == [{"verb": "list", "group": "", "resource": "serviceaccounts", "namespace": name} for name in ("ci", "build")]
    assert found["may_list"] is False and "account-list.yaml" in found["remedy"] and "build" in found["problem"]


def test_nobody_needs_ksa_users(host):
    """On a host without such sections no command reports anything about them."""
    host.write_config()
    assert "nsswitch" not in host.run(["ksactl", "check"], user="root").out
    result = host.run(["ksactl", "accounts", "sync"], user="root")
    assert result.status == 0 and not REGISTRY.exists()
    assert json.loads(host.run(["ksactl", "status", "--json"], user="root").out)["registry"] is None
