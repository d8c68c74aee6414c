# SPDX-License-Identifier: BSD-2-Clause
"""ksactl in a user namespace with 65,536 ids, as a container has: a user whose uid is not mapped cannot log in."""
import json
import os
import subprocess

import pytest

import registry
from cluster_host import DoubleHost

SECTIONS = "[accounts prod]\nnamespaces = ci\n[account release-bot]\naccount = prod:ci/releaser\n"
MAP = "0 0 65536\n"


@pytest.fixture
def cluster(host):
    registry.needs_name_service()
    with DoubleHost(host) as cluster:
        cluster.give_credential()
        use(cluster)
        cluster.server.listing.add("ci", "deployer")
        yield cluster


def use(cluster, host=""):
    cluster.configure(cluster.section(), SECTIONS, host=host)


def inside(*args):
    """Runs WORDS as root of a new user namespace that has MAP."""
    process = subprocess.Popen(["unshare", "--user", "sh", "-c", 'read -r go && exec "$@"', "sh", *args],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ours = os.readlink("/proc/self/ns/user")
    while os.readlink("/proc/%d/ns/user" % process.pid) == ours:
        assert process.poll() is None, process.communicate()
        os.sched_yield()
    for name in ("uid_map", "gid_map"):
        with open("/proc/%d/%s" % (process.pid, name), "w") as file:
            file.write(MAP)
    out, err = process.communicate("go\n", timeout=60)
    return process.returncode, out, err


def become(user):
    """As a login does: initgroups, setgid, setuid."""
    return inside("setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "id", "-un")


def inside_json(status, *args):
    code, out, err = inside("ksactl", *args, "--json")
    assert code == status, (code, out, err)
    return json.loads(out)


def users(cluster):
    return {one["user"]: (one["state"], one["uid"]) for one in cluster.ksactl("accounts", "list", "--json").json["accounts"]}


def test_no_user_is_made_that_could_not_log_in(cluster):
    """Bug: it was made, admitted, and its login died in initgroups."""
    changes = inside_json(1, "accounts", "sync")["changes"]
    assert {(one["account"], one["change"]) for one in changes} == {("deployer", "refused"), ("releaser", "refused")}
    assert all("uid_range" in one["remedy"] and "0-65535" in one["remedy"] for one in changes), changes
    assert registry.getent("passwd", "ci_deployer")[0] == 2


def test_users_of_a_mapped_range_log_in(cluster):
    use(cluster, "uid_range = 20000-60000")
    inside_json(0, "accounts", "sync")
    for user in ("ci_deployer", "release-bot"):
        assert become(user)[:2] == (0, user + "\n")
    problems = inside_json(1, "check")["problems"]
    assert not any("uid_range" in one["text"] for one in problems), problems


def test_users_without_a_mapped_uid_are_told_of(cluster):
    """Made before the host had its map: they keep their uid, and their logins fail."""
    assert cluster.ksactl("accounts", "sync").status == 0
    assert become("ci_deployer")[0] != 0
    before = users(cluster)
    changes = inside_json(1, "accounts", "sync")["changes"]  # setgroups() would fail for the group of their namespace
    assert {one["change"] for one in changes} == {"warning", "modified"}, changes
    assert users(cluster) == before and {state for state, _ in before.values()} == {"active"}
    texts = [one["text"] for one in inside_json(1, "check")["problems"] if "within" in one["remedy"]]
    assert len([text for text in texts if "_map" in text]) == 2 and len([text for text in texts if text.startswith("2 ")]) == 1
    accounts = inside_json(2, "status", "--offline")["clusters"][0]["accounts"]
    assert accounts["problem"].startswith("2 ") and "within 0-65535" in accounts["remedy"]


def test_a_host_that_has_all_ids_hears_nothing(cluster):
    assert cluster.ksactl("accounts", "sync").status == 0
    assert not any("uid_range" in one["remedy"] for one in cluster.ksactl("check", "--json").json["problems"])
    assert cluster.ksactl("status", "--offline", "--json").json["clusters"][0]["accounts"]["problem"] is None
