# SPDX-License-Identifier: BSD-2-Clause
"""The promises about local users, on three hosts with random histories: one host asks the cluster, one asks it at the same
times, one follows the first and has local users of its own. The model shares no code with the product."""
import hashlib
import random
from pathlib import Path

import pytest

from api_double import failure
from cluster_host import DoubleHost

STATE = [Path("/var/lib/ksa/registry"), Path("/var/lib/ksa/registry.made"), Path("/etc/passwd")]
LOW, SIZE = 1900000000, 8  # few numbers, so that accounts meet
ALL = [(namespace, "a%d" % number) for namespace in ("ci", "ops") for number in range(6)]


def computed(namespace, name):
    text = "prod\0%s\0%s\0" % (namespace, name)
    return LOW + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % SIZE


class Host:
    def __init__(self, cluster, follows):
        self.cluster, self.follows, self.sections = cluster, follows, ""
        self.files, self.owners, self.records = {STATE[2]: STATE[2].read_bytes()}, {}, {}

    def run(self, *args):
        """ksactl with this host's files in place."""
        for path in STATE:
            path.unlink(missing_ok=True)
            if path in self.files:
                path.write_bytes(self.files[path])
                path.chmod(0o644)
        source = "source = file:/etc/ksa/leader.json\n" if self.follows else ""
        self.cluster.configure(self.cluster.section(), "[accounts prod]\nnamespaces = ci ops\n%s%s" % (source, self.sections),
                               host="uid_range = %d-%d\n" % (LOW, LOW + SIZE - 1))
        result = self.cluster.ksactl("accounts", *args)
        self.files = {path: path.read_bytes() for path in STATE if path.exists()}
        return result

    def sync(self, status=(0, 1)):
        before = self.files.get(STATE[0])
        result = self.run("sync", "--json", "--force")
        assert result.status in status, result
        if 2 in status:
            assert self.files.get(STATE[0]) == before
            return
        assert not self.run("sync", "--json", "--force").json["written"]  # a plan's own result gives it nothing to do
        listed = self.run("list", "--all", "--json").json["accounts"]
        for one in listed:  # nothing is shared, and nothing goes from one account to another
            account = one["namespace"], one["account"]
            for key in (one["uid"], one["user"]):
                assert self.owners.setdefault(key, account) == account, (key, account, self.owners[key])
        self.records = {(one["namespace"], one["account"]): one for one in listed if not one["former"]}
        self.refused = {(one["namespace"], one["account"]): one["refusal"] for one in result.json["changes"]
                        if one["change"] == "refused"}


def seen(host):
    return {account: (one["user"], one["uid"], one["state"], one["reasons"]) for account, one in host.records.items()}


def check_lists(host, accounts, disabled):
    users = {account for account, one in host.records.items() if one["state"] != "removed"}
    assert users | set(host.refused) >= set(accounts) and users <= set(accounts) | set(host.refused) | host.declared
    for account in disabled & users:
        assert "administrator" in host.records[account]["reasons"]
    for account, refusal in host.refused.items():  # a tenant shuts out younger accounts, and by number alone
        uid = computed(*account)
        older = [other for other, metadata in accounts.items() if computed(*other) == uid and other != account and
                 (metadata["creationTimestamp"], other) < (accounts[account]["creationTimestamp"], account)]
        groups = [computed(namespace, "") for namespace in ("ci", "ops")]
        assert refusal == "uid-taken" and (older or uid in groups or host.owners.get(uid, account) != account)


@pytest.mark.parametrize("seed", range(4))
def test_three_hosts(host, seed):
    chance = random.Random(seed)
    with DoubleHost(host) as cluster:
        listing = cluster.server.listing
        cluster.give_credential()
        passwd = STATE[2].read_bytes()
        leader, twin, follower = hosts = Host(cluster, False), Host(cluster, False), Host(cluster, True)
        leader.declared = twin.declared = set()
        disabled, local, time = set(), set(), 1700000000
        try:
            for step in range(36):
                time += 1
                action = chance.choice(("create", "create", "create", "delete", "delete", "recreate", "useradd", "section", "error",
                                        "export", "export", "disable", "enable"))
                listed = {(one["namespace"], one["name"]) for one in listing.accounts}
                namespace, name = account = chance.choice(
                    sorted(listed) if listed and action not in ("create", "export", "section") else ALL)
                if action in ("create", "recreate", "delete"):
                    listing.remove(namespace, name)
                    if action != "delete":
                        listing.add(namespace, name, created=time - chance.randrange(3))
                elif action == "useradd":
                    local.add((namespace + "_" + name, 2000 + step))
                    follower.files[STATE[2]] = passwd + b"".join(b"%s:x:%d:%d::/:/bin/sh\n" % (user.encode(), uid, uid)
                                                                 for user, uid in local)
                elif action == "section" and "account = prod:ci/a1\n" not in leader.sections:
                    leader.sections = twin.sections = "[account bot]\naccount = prod:ci/a1\n"
                    leader.declared = twin.declared = {("ci", "a1")}
                elif action in ("disable", "enable") and account in leader.records:
                    worked = [one.run(action, leader.records[account]["user"]).status != 2 for one in (leader, twin)]
                    assert worked[0] == worked[1]
                    if action == "disable":
                        disabled.add(account)
                    elif worked[0]:
                        disabled.discard(account)
                listing.replace = (lambda *_: failure(500, "InternalError")) if action == "error" else None
                for one in (leader, twin):
                    one.sync((2,) if action == "error" else (0, 1))
                if action == "error":
                    continue
                assert seen(leader) == seen(twin)  # hosts that sync the same lists from the start
                check_lists(leader, {(one["namespace"], one["name"]): one for one in listing.accounts}, disabled)
                if action == "export":
                    host.write("/etc/ksa/leader.json", leader.run("export").out)
                    follower.sync()
                    for account, one in follower.records.items():
                        ours = leader.records[account]
                        assert (one["user"], one["uid"]) == (ours["user"], ours["uid"]) or one["user"] in dict(local)
                        assert one["state"] == ours["state"] or "conflict" in one["reasons"]
                        assert ("leader" in one["reasons"]) == (ours["reasons"] != [])
                    assert set(leader.records) <= set(follower.records) | set(follower.refused)
        finally:
            STATE[2].write_bytes(passwd)
    assert all(one.records for one in hosts)
