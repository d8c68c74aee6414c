"""ksactl accounts: lists of an API server that behaves and misbehaves, files from host to host, and what of it ends in
the registry."""
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import issuer
import registry
from accounts import Lister, json_answer
from cluster import Cluster
from cluster_double import failure
from tls_server import page

REGISTRY, LOCK = Path("/var/lib/ksa/registry"), Path("/run/ksa/accounts.lock")
LISTED = "[accounts prod]\nnamespaces = ci build\n"


@pytest.fixture
def cluster(host):
    with Cluster(host) as cluster:
        cluster.lister = cluster.server.answer = Lister()
        cluster.give_credential()
        use(cluster, LISTED)
        yield cluster
        cluster.no_token_told()


def use(cluster, sections, host=""):
    cluster.configure(cluster.section(), sections, host=host)


def sync(cluster, *words, status=0):
    result = cluster.ksactl("accounts", "sync", *words)
    assert result.status == status, result
    return result


def listed(cluster, *words):
    """{user: account} of the registry."""
    return {one["user"]: one for one in cluster.ksactl("accounts", "list", "--json", *words).json}


def changes(cluster, *words, status=0):
    return [(one["change"], one["account"]) for one in sync(cluster, "--json", *words, status=status).json["changes"]]


# --- From a cluster ---


def test_sync(cluster):
    deployer = cluster.lister.add("ci", "deployer", created=1710000000)
    cluster.lister.add("ci", "default")
    cluster.lister.add("build", "runner")
    cluster.lister.add("kube-system", "root")  # which nobody asked for
    result = sync(cluster)
    assert set(listed(cluster)) == {"ci_deployer", "build_runner"}
    account = listed(cluster)["ci_deployer"]
    assert account["account_uid"] == deployer["uid"] and account["created"] == 1710000000
    assert account["state"] == "active" and 1879048192 <= account["uid"] <= 2147483647
    assert [path for path, _ in cluster.lister.asked] == ["/api/v1/namespaces/%s/serviceaccounts" % name for name in ("ci", "build")]
    assert (os.stat(REGISTRY).st_mode & 0o7777, os.stat(REGISTRY).st_uid) == (0o644, 0)
    (line,) = [line for line in result.log if 'account="deployer"' in line]
    assert re.search(r'ksactl\[\d+\]: result=account change=added user="ci_deployer" uid=%d cluster="prod" namespace="ci" '
                     r'account="deployer" account_uid="%s" why="listed in prod:ci"$' % (account["uid"], deployer["uid"]), line)
    assert line.startswith("<85>")  # authpriv, notice
    assert result.out.startswith("added: build_runner (uid ") and result.err == ""


def test_what_is_asked(cluster):
    use(cluster, "[accounts prod]\nnamespaces = *\nselector = ksa.dev/login=a/b (c)\n")
    cluster.lister.add("ci", "one", labels={"ksa.dev/login": "a/b (c)"})
    cluster.lister.add("ci", "two")
    sync(cluster)
    assert set(listed(cluster)) == {"ci_one"}
    (request,) = cluster.asked()
    assert request.startswith("GET /api/v1/serviceaccounts?limit=500&labelSelector=ksa.dev%2Flogin%3Da%2Fb%20%28c%29 HTTP/1.1\r\n")
    assert "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json\r\n" in request


def test_pages_over_one_connection(cluster):
    for number in range(25):
        cluster.lister.add("ci", "a%d" % number)
    cluster.lister.page_max = 10
    sync(cluster)
    assert len(listed(cluster)) == 25
    assert len(cluster.lister.asked) == 4 and cluster.server.connections == 1


def test_an_account_with_the_most_annotations(cluster):
    """The largest that etcd takes, 1.5 MiB, for each of ten accounts must not stop the others."""
    for number in range(10):
        cluster.lister.add("ci", "a%d" % number, padding="\1" * 1536 * 1024)
    cluster.lister.add("build", "runner")
    sync(cluster)
    assert len(listed(cluster)) == 11
    assert {int(query["limit"]) for _, query in cluster.lister.asked} >= {500, 2, 1}


def test_expired_list_is_begun_again(cluster):
    for number in range(6):
        cluster.lister.add("ci", "a%d" % number)
    cluster.lister.page_max = 2
    cluster.lister.instead = lambda number, query, _: failure(410, "Expired") if number == 3 else None
    sync(cluster)
    assert len(listed(cluster)) == 6 and len(cluster.lister.asked) == 7


BAD = {
    "refused": lambda number, query, sound: failure(403, "Forbidden"),
    "unauthorized": lambda number, query, sound: failure(401, "Unauthorized"),
    "busy": lambda number, query, sound: failure(429, "TooManyRequests"),
    "broken": lambda number, query, sound: failure(500, "InternalError"),
    "expired": lambda number, query, sound: failure(410, "Expired"),
    "no-json": lambda number, query, sound: page(b"<html>", "200 OK"),
    "cut": lambda number, query, sound: sound[:-5] + b"Connection: close",
    "status": lambda number, query, sound: json_answer({"kind": "Status", "apiVersion": "v1"}),
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
    cluster.lister.add("ci", "before")
    sync(cluster)
    before = REGISTRY.read_bytes()
    cluster.lister.asked.clear()
    cluster.lister.remove("ci", "before")
    for number in range(6):
        cluster.lister.add("ci", "a%d" % number)
    cluster.lister.page_max = 2
    cluster.lister.instead = lambda number, query, sound: BAD[name](number, query, sound) if number >= stage else None
    result = sync(cluster, status=2)
    assert REGISTRY.read_bytes() == before
    (line,) = [line for line in result.log if "result=failed" in line]
    assert 'accounts=kept cluster="prod" why="' in line and ' remedy="' in line and 'remedy=""' not in line


def test_who_may_not_list_is_told_what_to_apply(cluster):
    cluster.lister.instead = BAD["refused"]
    result = sync(cluster, status=2)
    assert any("reason=api-forbidden" in line for line in result.log) and "account-list.yaml" in result.err
    assert sync(cluster, "--dry-run", status=2).err == result.err


def test_a_selector_that_the_server_does_not_take(cluster):
    use(cluster, LISTED + "selector = a==in=b\n")
    cluster.lister.instead = lambda number, query, _: failure(400, "BadRequest")
    err = sync(cluster, status=2).err
    assert "'a==in=b'" in err and "[accounts prod]" in err and "between host and cluster" not in err


def test_a_rehearsal_tells_of_namespaces_without_accounts(cluster):
    cluster.lister.add("ci", "deployer")
    cluster.lister.add("build", "default")
    err = sync(cluster, "--dry-run").err
    assert "namespace build" in err and "namespace ci" not in err
    assert sync(cluster).err.count("namespace build") == 0
    use(cluster, "[accounts prod]\nnamespaces = *\n")
    assert sync(cluster, "--dry-run").err == ""


def test_other_clusters_go_on(cluster):
    lister = cluster.lister
    cluster.configure(cluster.section(), cluster.section("away", issuer_name="https://away").replace(
        cluster.server.url, "https://127.0.0.1:1"), LISTED + "[accounts away]\nnamespaces = far\n")
    lister.add("ci", "deployer")
    answer = sync(cluster, "--json", status=2).json
    assert [(one["cluster"], one["how"]) for one in answer["clusters"]] == [("prod", "asked"), ("away", "kept")]
    assert answer["written"] and set(listed(cluster)) == {"ci_deployer"}


def test_annotations(cluster):
    cluster.lister.add("ci", "one", user="ci_bot", uid="1879050000")
    cluster.lister.add("ci", "two", user="root")
    cluster.lister.add("ci", "three", uid="0")
    sync(cluster)
    assert set(listed(cluster)) == {"ci_one", "ci_two", "ci_three"}  # annotations = no
    registry.forget()
    use(cluster, LISTED + "annotations = yes\n")
    result = sync(cluster, "--json", status=1)
    assert {(user, one["uid"]) for user, one in listed(cluster).items()} == {("ci_bot", 1879050000)}
    refused = {one["account"]: one["why"] for one in result.json["changes"] if one["change"] == "refused"}
    assert set(refused) == {"two", "three"}
    assert "'root'" in refused["two"] and "'ci_'" in refused["two"] and "uid_range" in refused["three"]


# --- What is written, and when ---


def test_unchanged_is_not_written_again(cluster):
    cluster.lister.add("ci", "deployer")
    cluster.lister.add("build", "runner")
    sync(cluster)
    inode, first = os.stat(REGISTRY).st_ino, REGISTRY.read_bytes()
    for words in ((), ("--dry-run",)):
        result = sync(cluster, *words)
        assert (result.out, result.err) == ("nothing to do\n", "")
    assert os.stat(REGISTRY).st_ino == inode and REGISTRY.read_bytes() == first


def test_dry_run_changes_nothing(cluster):
    cluster.lister.add("ci", "deployer")
    result = sync(cluster, "--dry-run")
    assert re.match(r"added: ci_deployer \(uid \d+\), prod:ci/deployer: listed in prod:ci\n$", result.out), result
    assert not REGISTRY.exists() and not LOCK.exists() and not [line for line in result.log if "ksactl" in line]
    assert sync(cluster).out == result.out  # one form, on one stream
    registry.forget()
    answer = sync(cluster, "--dry-run", "--json").json
    assert (answer["dry_run"], answer["written"], answer["result"]) == (True, False, "done")


def test_guard(cluster):
    """A cluster that was emptied, or whose selector was mistyped, does not take everybody away."""
    for number in range(20):
        cluster.lister.add("ci", "a%d" % number)
    sync(cluster)
    cluster.lister.accounts.clear()
    result = sync(cluster, status=2)
    assert "held: " in result.out and {one["state"] for one in listed(cluster).values()} == {"active"}
    before = REGISTRY.read_bytes()
    assert {re.search(r"change=(\w+)", line).group(1) for line in result.log if "result=account " in line} == {"held"}
    assert "held: " in sync(cluster, "--dry-run", status=2).out and REGISTRY.read_bytes() == before
    result = sync(cluster, "--force")
    assert listed(cluster) == {} and {one["state"] for one in listed(cluster, "--all").values()} == {"removed"}
    shown = cluster.ksactl("accounts", "show", next(iter(listed(cluster, "--all"))), "--json").json
    assert "no source has the account any more" in shown["why"] and "comes back" in shown["remedy"], shown
    assert len([line for line in result.log if "change=removed" in line]) == 20


def test_guard_holds_a_namespace_and_nobody_else(cluster):
    """Bug: who deleted the last account of his namespace kept deleted accounts of others alive."""
    for number in range(20):
        cluster.lister.add("ci", "a%d" % number)
    cluster.lister.add("ops", "only")
    use(cluster, LISTED.replace("namespaces = ci", "namespaces = ci ops"))
    sync(cluster)
    cluster.lister.remove("ops", "only")
    cluster.lister.remove("ci", "a3")
    result = sync(cluster, status=2)
    assert "result=held count=1" in "".join(result.log) and "prod:ops/*" in result.out
    assert "ci_a3" not in listed(cluster) and "ops_only" in listed(cluster)
    sync(cluster, "--force")
    assert "ops_only" not in listed(cluster)


GONE = ("no source has it any more", "ksactl accounts sync --force removes it")


def hold(cluster):
    """The last account of ops is deleted, and its user held."""
    for number in range(20):
        cluster.lister.add("ci", "a%d" % number)
    cluster.lister.add("ops", "only")
    use(cluster, LISTED.replace("namespaces = ci", "namespaces = ci ops"))
    sync(cluster)
    assert listed(cluster)["ops_only"]["held"] is None and "held" not in cluster.ksactl("accounts", "list").out
    assert status_of(cluster, "--offline")["accounts"]["held"] == 0
    cluster.lister.remove("ops", "only")
    sync(cluster, status=2)


def test_who_is_held_is_told_until_it_ends(cluster):
    """Bug: who was held stayed active for ever, and nothing but the log of the run had told."""
    hold(cluster)
    assert {user: one["held"] for user, one in listed(cluster).items() if one["held"]} == {"ops_only": "; ".join(GONE)}
    (row,) = [row for row in cluster.ksactl("accounts", "list").out.splitlines() if "held" in row]
    assert row.startswith("ops_only ") and row.endswith(" prod:ops/only, held: %s; %s" % GONE)
    shown = cluster.ksactl("accounts", "show", "ops_only")
    assert shown.status == 1 and re.search("why +held: %s\n  what helps +%s$" % GONE, shown.out.strip()), shown
    shown = cluster.ksactl("accounts", "show", "ops_only", "--json")
    assert (shown.status, shown.json["why"], shown.json["remedy"]) == (1, "held: " + GONE[0], GONE[1])
    assert shown.json["state"] == "active" and shown.json["held"] == "; ".join(GONE)
    out = cluster.ksactl("status", "--offline").out
    assert "21 active, 0 made again, 0 contested, 0 retired, 1 held; listed" in out and " soon: 1 of its accounts stay" in out
    found = status_of(cluster, "--offline")["accounts"]
    assert found["held"] == 1 and "1 of its accounts stay as they were" in found["problem"]
    assert "accounts list" in found["remedy"]
    before = REGISTRY.read_bytes()
    sync(cluster, status=2)
    assert REGISTRY.read_bytes() == before  # nothing is written again for it
    assert cluster.ksactl("accounts", "retire", "ci_a0").status == 0  # asks nobody, and forgets nothing
    assert listed(cluster)["ops_only"]["held"]
    sync(cluster, "--force")
    assert "ops_only" not in listed(cluster) and status_of(cluster, "--offline")["accounts"]["held"] == 0


def test_who_is_held_and_comes_back_is_held_no_more(cluster):
    hold(cluster)
    cluster.lister.add("ops", "only")
    sync(cluster, status=1)  # made again
    assert listed(cluster)["ops_only"]["held"] is None


def test_who_is_held_without_a_section_is_told(cluster):
    hold(cluster)
    use(cluster, "")
    found = status_of(cluster, "--offline")["accounts"]
    assert found["held"] == 1 and found["problem"], found
    sync(cluster, status=2)
    assert "21 held; no section" in cluster.ksactl("status", "--offline").out
    assert cluster.ksactl("accounts", "show", "ops_only", "--json").json["why"] == "held: " + GONE[0]


def test_who_is_held_over_another_range_is_told(cluster):
    for number in range(20):
        cluster.lister.add("ci", "a%d" % number)
    sync(cluster)
    use(cluster, LISTED, host="uid_range = 5000000-5999999\n")
    sync(cluster, status=2)
    assert all("uid is another one now" in one["held"] for one in listed(cluster).values())
    shown = cluster.ksactl("accounts", "show", "ci_a0", "--json")
    assert shown.status == 1 and re.match(r"held: .*; its uid here is \d+, .* would now be 5\d+$", shown.json["why"]), shown
    assert "20 held" in cluster.ksactl("status", "--offline").out


def test_a_section_that_is_taken_out_takes_its_user_at_once(cluster):
    """Bug: a tenant whose own last account went kept the user of a section that was taken out."""
    cluster.lister.add("ci", "last")
    use(cluster, LISTED + account("deploy", "prod:ci/dep"))
    sync(cluster)
    cluster.lister.remove("ci", "last")
    use(cluster, LISTED)
    sync(cluster, status=2)
    assert set(listed(cluster)) == {"ci_last"}


def test_recreated_accept_retire(cluster):
    old = cluster.lister.add("ci", "deployer")
    sync(cluster)
    cluster.lister.remove("ci", "deployer")
    new = cluster.lister.add("ci", "deployer")
    assert changes(cluster, status=1) == [("recreated", "deployer")]
    shown = cluster.ksactl("accounts", "show", "ci_deployer", "--json")
    assert shown.status == 1 and shown.json["state"] == "recreated"
    assert (shown.json["account_uid"], shown.json["new_account_uid"]) == (old["uid"], new["uid"])
    assert shown.json["why"] and "accept" in shown.json["remedy"]
    asked = len(cluster.lister.asked)
    assert cluster.ksactl("accounts", "accept", "ci_deployer").status == 0
    assert listed(cluster)["ci_deployer"]["account_uid"] == new["uid"]
    assert cluster.ksactl("accounts", "show", "ci_deployer").status == 0
    assert cluster.ksactl("accounts", "retire", "ci_deployer").status == 0
    assert len(cluster.lister.asked) == asked  # nobody asked the cluster
    assert listed(cluster)["ci_deployer"]["state"] == "retired"
    sync(cluster)
    assert listed(cluster)["ci_deployer"]["state"] == "retired"
    assert cluster.ksactl("accounts", "accept", "nobody-like-that").status == 2


def test_columns_stand_below_their_names(cluster):
    cluster.lister.add("ci", "a")
    cluster.lister.add("build", "a-service-account")
    sync(cluster)
    head, *rows = cluster.ksactl("accounts", "list").out.splitlines()
    for row, name in zip(rows, ("build/a-service-account", "ci/a")):
        assert row[head.index("STATE"):].startswith("active ") and row[head.index("ACCOUNT"):] == "prod:" + name, (head, row)
        assert re.match(r"20\d\d-[\d-]+ [\d:]+ UTC ", row[head.index("SINCE"):]), (head, row)


def test_show_tells_of_every_group(cluster):
    use(cluster, account("release-bot", more="groups = no-such-group root"))
    sync(cluster, status=1)
    why = cluster.ksactl("accounts", "show", "release-bot", "--json").json["why"]
    assert "'no-such-group'" in why and "'root'" in why


def test_show_finds_it_by_all_its_names(cluster):
    cluster.lister.add("ci", "deployer")
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
    """It remembers which uids were given: nothing is written over it, with --force neither."""
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    whole = REGISTRY.read_bytes()
    for damaged in (b"", whole[:-1], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], whole + b"x", b"x" * len(whole)):
        REGISTRY.write_bytes(damaged)
        for words in (("sync",), ("sync", "--force"), ("retire", "ci_deployer")):
            result = cluster.ksactl("accounts", *words)
            assert result.status == 2 and any("reason=registry-unusable" in line for line in result.log), result
            assert "backup" in result.err and REGISTRY.read_bytes() == damaged
        verified = cluster.ksactl("accounts", "verify", "--json")
        assert verified.status == 2 and verified.json["result"] == "errors" and verified.json["accounts"] is None
    registry.forget()
    sync(cluster)
    assert set(listed(cluster)) == {"ci_deployer"}


def test_check_and_status_report_a_damaged_or_foreign_registry_alike(cluster):
    """With the same text, the same remedy and the exit status of an error; where only a rule says @own, too."""
    cluster.lister.add("ci", "deployer")
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
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    REGISTRY.chmod(0o666)
    assert cluster.ksactl("accounts", "sync").status == 2
    assert cluster.ksactl("accounts", "verify").status == 2


def test_full_disk(cluster):
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    before = REGISTRY.read_bytes()
    for number in range(2000):
        cluster.lister.add("ci", "a%d" % number)
    config = "/etc/ksa/ksa.conf"
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o size=64k,mode=0755 full /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && ksactl accounts sync --config %s; echo $?; "
              "cmp /var/lib/ksa/registry - && ls /var/lib/ksa" % config)
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], input=before, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=60)
    assert b"the disk is full" in result.stderr, result
    assert result.stdout.split() == [b"2", b"credentials", b"registry", b"registry.made", b"used"], result


def test_what_cannot_be_written_or_read_is_named(cluster):
    """With the file, and what helps; in JSON too."""
    cluster.lister.add("ci", "deployer")
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o mode=0755 ro /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && mount -o remount,ro /var/lib/ksa && "
              "exec ksactl accounts sync --json")
    read_only = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               timeout=60)
    answer = json.loads(read_only.stdout)
    assert "read-only" in answer["problem"] and "mount" in answer["remedy"] and answer["result"] == "failed", answer
    cluster.host.write("/etc/subuid", "# x\nnonsense\n")
    for words in ((), ("--dry-run",)):
        result = sync(cluster, *words, status=2)
        assert "/etc/subuid line 2" in result.err and "correct that file" in result.err, result
    cluster.host.write("/etc/subuid", "")
    assert sync(cluster, "--json").json["problem"] is None
    cluster.host.write("/etc/subuid", "nonsense\n")
    (problem,) = [one for one in cluster.ksactl("accounts", "verify", "--json").json["problems"] if one["severity"] == "error"]
    cluster.host.write("/etc/subuid", "")
    assert "/etc/subuid line 1" in problem["text"] and "correct that file" in problem["remedy"]


def test_two_at_once(cluster):
    """The second waits, and finds what the first wrote."""
    cluster.lister.add("ci", "deployer")
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
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    run = cluster.host.run
    assert "ci_deployer" in run(["ksactl", "accounts", "list"]).out
    assert run(["ksactl", "accounts", "show", "ci_deployer"]).status == 0
    assert json.loads(run(["ksactl", "accounts", "export"]).out)["format"] == "ksa-accounts"
    for words in (("sync",), ("accept", "x"), ("retire", "x"), ("import", "/dev/null")):
        result = run(["ksactl", "accounts", *words])
        assert result.status == 2 and "is for root" in result.err, result
    result = run(["ksactl", "accounts", "sync", "--dry-run"])
    assert result.status == 2 and "run it as root" in result.err  # it cannot ask


def test_refused_are_told_of_fifty_times(cluster):
    """Whoever may create accounts writes no more than that into the log, and the count."""
    use(cluster, LISTED + "annotations = yes\n")

    def told():
        log = [line for line in sync(cluster, status=1).log if "change=refused" in line]
        return len([line for line in log if "user=" in line]), [line for line in log if "user=" not in line]

    for number in range(50):
        cluster.lister.add("ci", "a%d" % number, user="root")
    assert told() == (50, [])
    cluster.lister.add("ci", "b1", user="root")
    cluster.lister.add("ci", "b2", user="root")
    cluster.lister.add("ci", "good")
    lines, (rest,) = told()
    assert lines == 50 and "count=52 " in rest and "sync --dry-run" in rest
    assert sync(cluster, "--dry-run", status=1).out.count("refused: ") == 52
    assert "ci_good" in listed(cluster)


def test_failures_of_a_run_stand_in_json_alone(cluster):
    """As those of a cluster do: what reads the answer has no use for standard error."""
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    REGISTRY.write_bytes(b"x")
    for words in (("sync",), ("sync", "--dry-run"), ("retire", "ci_deployer")):
        result = cluster.ksactl("accounts", *words, "--json")
        assert result.status == 2 and result.err == "", result
        assert result.json["result"] == "failed" and "registry" in result.json["problem"] and result.json["remedy"]
        logged = [line for line in result.log if "reason=registry-unusable" in line]
        assert len(logged) == (0 if "--dry-run" in words else 1)
        assert "backup" in cluster.ksactl("accounts", *words).err


def test_a_rehearsal_without_root_says_that_it_does_not_see_sudoers(cluster):
    """Bug: it read sudoers as empty, and said that users would be made whom the run refuses."""
    use(cluster, account("release-bot"))
    words = ["ksactl", "accounts", "sync", "--dry-run"]
    result = cluster.host.run(words)
    assert result.status == 0 and "added: release-bot" in result.out, result
    assert "without root" in result.err and "sudoers" in result.err and result.err.count("\n") == 1, result
    assert cluster.host.run(words, user="root").err == ""


@pytest.mark.parametrize("words", ((), ("what",), ("sync", "x"), ("show",), ("accept",), ("retire",), ("import",),
                                   ("list", "x"), ("verify", "--all")))
def test_usage(cluster, words):
    assert cluster.ksactl("accounts", *words).status == 2


# --- From host to host ---


@pytest.fixture
def exported(cluster):
    """What a host that asks has, and this one as a host that does not."""
    use(cluster, LISTED + "annotations = yes\n")
    cluster.lister.add("ci", "deployer")
    cluster.lister.add("ci", "bot", user="ci_robot", uid="1879050000")
    sync(cluster)
    before = listed(cluster)
    text = cluster.ksactl("accounts", "export").out
    registry.forget()
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more="").replace("api_server", "#api_server"),
                      LISTED + "annotations = yes\n")
    return before, text


def bring(cluster, text, *words):
    return cluster.ksactl("accounts", "import", "-", *words, stdin=text.encode())


def test_import(cluster, exported):
    before, text = exported
    asked = len(cluster.lister.asked)
    assert bring(cluster, text, "--dry-run").status == 0 and not REGISTRY.exists()
    result = bring(cluster, text)
    assert result.status == 0 and len([line for line in result.log if "change=added" in line]) == 2
    after = listed(cluster)
    for user, account in before.items():
        assert {key: value for key, value in after[user].items() if key != "since"} == {
            key: value for key, value in account.items() if key != "since"}
    assert cluster.ksactl("accounts", "export").out == text  # and on to the next
    sync(cluster)
    assert set(listed(cluster)) == set(before) and len(cluster.lister.asked) == asked


def test_import_of_an_older_file(cluster, exported):
    _, text = exported
    older = json.loads(text)
    older["clusters"][0]["listed"] -= 60
    older["clusters"][0]["accounts"] = older["clusters"][0]["accounts"][:1]
    assert bring(cluster, text).status == 0
    before = REGISTRY.read_bytes()
    result = bring(cluster, json.dumps(older))
    assert result.status == 2 and "older" in result.err and REGISTRY.read_bytes() == before
    assert bring(cluster, json.dumps(older), "--force").status == 0
    assert len(listed(cluster)) == 1


def test_import_where_the_cluster_is_asked(cluster, exported):
    _, text = exported
    use(cluster, LISTED)
    result = bring(cluster, text)
    assert result.status == 2 and "api_server" in result.err and not REGISTRY.exists()


def test_import_of_what_is_none(cluster, exported):
    _, text = exported
    for other in ("", "{}", text[:-3], text.replace("ksa-accounts", "x"), text.replace('"version":1', '"version":2'),
                  text.replace('"clusters"', '"more":1,"clusters"'), text.replace('"prod"', '"staging"')):
        result = bring(cluster, other)
        assert result.status == 2 and "accounts export" in result.err, other
    assert not REGISTRY.exists() and cluster.ksactl("accounts", "import", "/no/such/file").status == 2


DECIDED = {"again": "it was deleted and made again, and is not accepted on the host that exported it, where ksactl accounts accept "
                    "decides",
           "fought": "it is contested on the host that exported it, where ksactl accounts show tells what to decide",
           "old": "it is retired on the host that exported it, where ksactl accounts accept takes it back"}


@pytest.fixture
def decided(cluster):
    """Of a host that asks: its configuration, its file before it decided against three accounts, and after."""
    asking = (cluster.section(), LISTED + "annotations = yes\n")
    cluster.configure(*asking)
    for number in range(40):  # the guard lets a tenth of all be contested at once
        cluster.lister.add("build", "a%d" % number)
    for name in ("good", *DECIDED):
        cluster.lister.add("ci", name)
    sync(cluster)
    before = cluster.ksactl("accounts", "export").out
    assert cluster.ksactl("accounts", "retire", "ci_old").status == 0
    cluster.lister.remove("ci", "again")
    cluster.lister.remove("ci", "fought")
    cluster.lister.add("ci", "again")
    fought = next(one for one in json.loads(before)["clusters"][0]["accounts"] if one["account"] == "fought")
    cluster.lister.add("ci", "fought", uid="1879050000")["uid"] = fought["uid"]
    sync(cluster, status=1)
    after = cluster.ksactl("accounts", "export").out
    cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks", more="").replace("api_server", "#api_server"), asking[1])
    return asking, before, after


def states(cluster, *words):
    return {one["account"]: one["state"] for one in listed(cluster, *words).values() if one["namespace"] == "ci"}


def test_export_carries_states(cluster, decided):
    """Bug: the file had no states, so that a host that imported it undid what was decided against accounts."""
    _, before, after = decided
    was, now = ({one["account"]: one for one in json.loads(text)["clusters"][0]["accounts"] if one["namespace"] == "ci"}
                for text in (before, after))
    assert {one["state"] for one in was.values()} == {"active"}
    assert {name: one["state"] for name, one in now.items()} == {
        "good": "active", "again": "recreated", "fought": "contested", "old": "retired"}
    has = {one["name"]: one["uid"] for one in cluster.lister.accounts}
    assert all(one["uid"] == has[name] for name, one in now.items()) and was["again"]["uid"] != has["again"]


def test_import_of_decisions_on_a_new_host(cluster, decided):
    """Bug: whom another host had retired, or not accepted, was active."""
    _, _, after = decided
    registry.forget()
    result = bring(cluster, after, "--json")
    assert result.status == 1 and states(cluster, "--all") == {"good": "active"}
    refused = {one["account"]: one["why"] for one in result.json["changes"] if one["change"] == "refused"}
    assert refused == DECIDED


def test_import_of_decisions_where_they_are_active(cluster, decided):
    """Nobody is let in any more, until it is decided there and here."""
    asking, before, after = decided
    there = REGISTRY.read_bytes()
    registry.forget()
    assert bring(cluster, before).status == 0
    assert set(states(cluster).values()) == {"active"}
    result = bring(cluster, after, "--json")
    contested = {one["account"]: one["why"] for one in result.json["changes"] if one["change"] == "contested"}
    assert result.status == 1 and contested == DECIDED
    expected = {"good": "active", "again": "contested", "fought": "contested", "old": "contested"}
    assert states(cluster) == expected
    here, importing = REGISTRY.read_bytes(), Path("/etc/ksa/ksa.conf").read_text()

    cluster.configure(*asking)
    REGISTRY.write_bytes(there)
    for user in ("ci_again", "ci_old"):
        assert cluster.ksactl("accounts", "accept", user).status != 2
    accepted = cluster.ksactl("accounts", "export").out

    cluster.host.write("/etc/ksa/ksa.conf", importing)
    REGISTRY.write_bytes(here)
    bring(cluster, accepted)
    assert states(cluster) == expected  # each host decides for an account itself
    for user in ("ci_again", "ci_old"):
        assert cluster.ksactl("accounts", "accept", user).status != 2
    bring(cluster, accepted)
    assert states(cluster) == {**expected, "again": "active", "old": "active"}
    has = {one["name"]: one["uid"] for one in cluster.lister.accounts}
    assert listed(cluster)["ci_again"]["account_uid"] == has["again"]


def test_import_without_states(cluster, exported):
    """As an account that nobody decided about, it would be one that is active."""
    _, text = exported
    for other in (text.replace('"state":"active",', ""), text.replace('"state":"active"', '"state":"removed"'),
                  text.replace('"state":"active"', '"state":null', 1)):
        result = bring(cluster, other)
        assert other != text and result.status == 2 and "state" in result.err and not REGISTRY.exists(), result


def test_a_cluster_that_is_asked_is_told_of_sync(cluster, exported):
    """Bug: the remedy was to export the very file."""
    _, text = exported
    use(cluster, LISTED)
    result = bring(cluster, text)
    assert result.status == 2 and "accounts sync" in result.err and "accounts export" not in result.err, result
    use(cluster, LISTED.replace("prod", "away") + cluster.section("away", issuer_name="https://away"))
    result = bring(cluster, text)
    assert result.status == 2 and "by the name that it has in the file" in result.err, result


# --- A login of what [account] declares ---


def test_a_declared_account_that_was_made_again(cluster):
    """Bug: it was told of accounts accept, which had nothing to accept."""
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

    told = explain("before").json
    assert told["reason"] == "account-recreated", told
    assert "account_uid" in told["remedy"] and "accounts accept" in told["remedy"]
    text = json.dumps(told)
    assert "account_uid = %s in [account release-bot], then ksactl accounts sync" % uid in text, told
    assert explain(uid).status == 0  # it helps


# --- check, status, verify ---


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
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    found = cluster.ksactl("accounts", "verify", "--json")
    remedies = [one["remedy"].partition(": ")[2].strip() for one in found.json["problems"] if "nsswitch" in one["text"]]
    assert remedies == lacks and found.status == (1 if lacks else 0), found
    checked = [one for one in cluster.ksactl("check", "--json").json["problems"] if "nsswitch" in one["text"]]
    assert [one["remedy"].partition(": ")[2].strip() for one in checked] == lacks
    assert all(one["severity"] == "warning" for one in checked)


def test_verify_tells_of_local_users(cluster):
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    assert cluster.ksactl("accounts", "verify").status == 0
    # useradd would not: it asks NSS, which knows the name.
    passwd = Path("/etc/passwd")
    before = passwd.read_text()
    passwd.write_text(before + "ci_deployer:x:1777:1777::/:/bin/sh\n")
    try:
        result = cluster.ksactl("accounts", "verify")
        assert result.status == 1 and "ci_deployer" in result.out, result
    finally:
        passwd.write_text(before)


def test_verify_tells_of_a_hundred(cluster):
    """A thousand local users of the same names would hide what else is wrong."""
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    for number in range(103):
        cluster.lister.add("ci", "a%d" % number)
    sync(cluster)
    passwd = Path("/etc/passwd")
    before = passwd.read_text()

    def told(count):
        passwd.write_text(before + "".join("ci_a%d:x:%d:1777::/:/bin/sh\n" % (number, 2000 + number) for number in range(count)))
        return len(cluster.ksactl("accounts", "verify", "--json").json["problems"])

    try:
        assert [told(count) for count in (99, 100, 103)] == [99, 100, 100]
    finally:
        passwd.write_text(before)


def check(cluster, sections, host=""):
    nsswitch(cluster.host, "passwd: files ksa\ngroup: files ksa\n")
    cluster.configure(cluster.section(), sections, host=host)
    return [one["text"] for one in cluster.ksactl("check", "--json").json["problems"]
            if "[acc" in one["text"] or "uid_range" in one["text"]]


def account(name, account="prod:ci/deployer", more=""):
    return "[account %s]\naccount = %s\n%s\n" % (name, account, more)


OTHER = "[cluster test]\nissuer = https://test.example\nkeys = file:/etc/ksa/prod.jwks\n"


@pytest.mark.parametrize("sections, more, words", (
    (LISTED, "", []),
    (account("deploy"), "", []),
    (account("root"), "", ["root"]),
    (account("deploy", more="shell = /bin/nosuch"), "", ["the shell /bin/nosuch is no program"]),
    (LISTED + "shell = /etc/passwd\n", "", ["the shell /etc/passwd is no program"]),
    (account("a") + account("b"), "", ["has the account of [account a]"]),
    (account("a", more="uid = 70000") + account("b", "prod:ci/b", "uid = 70000"), "", ["has the uid of [account a]"]),
    (LISTED + "[accounts test]\nnamespaces = ops ci\n" + OTHER, "", ["[accounts test] lists the namespace \"ci\", as [accounts prod]"]),
    (LISTED + "[accounts test]\nnamespaces = *\n" + OTHER, "", ["[accounts test] lists the namespace \"ci\", as [accounts prod]"]),
    (LISTED + "[accounts test]\nnamespaces = ops\n" + OTHER, "", ["import alone"]),
    (LISTED, "uid_range = 61000-62000", ["dynamic"]),
    (LISTED, "uid_range = 70000-600000", ["containers"]),
    (LISTED, "uid_range = 100000-100100", ["subuid"])))
def test_check(cluster, sections, more, words):
    cluster.host.write("/etc/subuid", "# x\nalice:100000:65536\n" if "100100" in more else "")
    cluster.host.write("/etc/subgid", "")
    found = check(cluster, sections, more)
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found)), found


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
    assert "import alone" in cluster.ksactl("check").out


def status_of(cluster, *words):
    return cluster.ksactl("status", "--json", *words).json["clusters"][0]


def test_status(cluster):
    found = status_of(cluster, "--offline")["accounts"]
    assert found["listed"] is None and "never listed" in found["problem"] and "ksa-accounts.timer" in found["remedy"]
    cluster.lister.add("ci", "deployer")
    sync(cluster)
    found = status_of(cluster, "--offline")["accounts"]
    assert found["problem"] is None and found["listed"] > 1700000000
    assert (found["active"], found["recreated"], found["contested"], found["retired"]) == (1, 0, 0, 0)
    cluster.lister.remove("ci", "deployer")
    cluster.lister.add("ci", "deployer")
    sync(cluster, status=1)
    found = status_of(cluster, "--offline")["accounts"]
    assert found["recreated"] == 1 and "until somebody decides" in found["problem"]
    assert "1 made again" in cluster.ksactl("status", "--offline").out
    REGISTRY.write_bytes(b"x")
    found = status_of(cluster, "--offline")["accounts"]
    assert "accounts verify" in found["remedy"]


def test_status_of_declared_accounts(cluster):
    """Without [accounts] there are users all the same, and a registry that may be damaged."""
    use(cluster, account("release-bot"))
    sync(cluster)
    result = cluster.ksactl("status", "--offline", "--json")
    found = result.json["clusters"][0]["accounts"]
    assert (found["active"], found["listed"], found["problem"]) == (1, None, None)
    assert "1 active, 0 made again, 0 contested, 0 retired; [account] alone\n" in cluster.ksactl("status", "--offline").out
    REGISTRY.write_bytes(b"x")
    result = cluster.ksactl("status", "--offline", "--json")
    assert result.status == 2 and "accounts verify" in result.json["clusters"][0]["accounts"]["remedy"], result


def test_status_asks_whether_it_may_list(cluster):
    asked = []

    def answer(request):
        path = request.split(" ")[1]
        if path.endswith("selfsubjectreviews"):
            return page(json.dumps({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
                                    "status": {"userInfo": {"username": "x"}}}).encode(), "201 Created")
        spec = json.loads(request.partition("\r\n\r\n")[2])["spec"]
        asked.append(spec["resourceAttributes"])
        allowed = spec["resourceAttributes"].get("namespace") != "build"
        return page(json.dumps({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                                "status": {"allowed": allowed}}).encode(), "201 Created")

    cluster.server.answer = answer
    cluster.lister = None
    found = status_of(cluster)["api"]
    lists = [one for one in asked if one["verb"] == "list"]
    assert lists == [{"verb": "list", "group": "", "resource": "serviceaccounts", "namespace": name} for name in ("ci", "build")]
    assert found["may_list"] is False and "account-list.yaml" in found["remedy"] and "build" in found["problem"]


def test_nobody_needs_ksa_users(host):
    """A host without such sections is told of none of it."""
    host.write_config()
    assert "nsswitch" not in host.run(["ksactl", "check"], user="root").out
    result = host.run(["ksactl", "accounts", "sync"], user="root")
    assert result.status == 0 and not REGISTRY.exists()
    assert host.run(["ksactl", "accounts", "verify"], user="root").status in (0, 1)
