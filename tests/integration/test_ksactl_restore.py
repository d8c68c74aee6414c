# SPDX-License-Identifier: BSD-2-Clause
"""ksactl accounts restore, and a registry that was lost: the uids that a host remembers are never replaced silently."""
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import registry
from cluster_host import DoubleHost

BACKUP, LOCK = Path("/root/ksa-registry.backup"), Path("/run/ksa/accounts.lock")
LISTED = "[accounts prod]\nnamespaces = ci\n"
KILLED = -9


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.give_credential()
        cluster.configure(cluster.section(), LISTED)
        cluster.server.listing.add("ci", "deployer")
        yield cluster
        BACKUP.unlink(missing_ok=True)


@pytest.fixture
def kept(cluster):
    """A registry with a disabled user, and its backup. Restored, the user is still disabled."""
    cluster.server.listing.add("ci", "runner")
    assert cluster.ksactl("accounts", "sync").status == 0
    assert cluster.ksactl("accounts", "disable", "ci_runner").status == 0
    shutil.copy(registry.PATH, BACKUP)
    return cluster


def states(cluster):
    return {one["user"]: (one["state"], one["uid"]) for one in cluster.ksactl("accounts", "list", "--json").json["accounts"]}


def restore(cluster, path=BACKUP):
    return cluster.ksactl("accounts", "restore", path)


def assert_refused(cluster, reason, path=BACKUP):
    before = registry.PATH.read_bytes()
    result = restore(cluster, path)
    assert result.status == 2 and " reason=%s " % reason in result.err, result
    assert len([line for line in result.log if " reason=%s " % reason in line and "remedy=" in line]) == 1, result
    assert registry.PATH.read_bytes() == before


# --- restore ---


def test_restore_brings_back_what_was(kept):
    before = states(kept)
    kept.server.listing.add("ci", "late")
    assert kept.ksactl("accounts", "sync").status == 0
    result = restore(kept)
    assert result.status == 0 and len([line for line in result.log if "result=restored" in line]) == 1, result
    assert states(kept) == before and {state for state, _ in before.values()} == {"active", "disabled"}
    assert registry.PATH.read_bytes() == BACKUP.read_bytes()
    status = os.stat(registry.PATH)
    assert (status.st_mode & 0o7777, status.st_uid) == (0o644, 0)
    assert sorted(os.listdir(registry.PATH.parent)) == ["credentials", "registry", "registry.made", "used"]
    assert kept.ksactl("accounts", "sync").status == 0
    assert set(states(kept)) == set(before) | {"ci_late"}


def test_a_restore_kills_no_reader(kept):
    """cp in its place kills each process that has it mapped (SIGBUS)."""
    registry.needs_name_service()
    with registry.Asker() as asker:
        assert asker.home("ci_deployer") == "/home/ci_deployer"
        inode = os.stat(registry.PATH).st_ino
        assert restore(kept).status == 0
        assert os.stat(registry.PATH).st_ino != inode
        assert asker.home("ci_deployer") == "/home/ci_deployer"


def test_restore_refuses_a_damaged_backup(kept):
    whole = BACKUP.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:] for at in range(8, len(whole), len(whole) // 16)]
    for damaged in (b"", b"x" * len(whole), whole[:-1], whole + b"x", whole + bytes(8), *flipped):
        BACKUP.write_bytes(damaged)
        assert_refused(kept, "registry-unusable")


def test_restore_refuses_a_backup_that_others_could_have_changed(kept):
    """A registry decides which uid is whose."""
    BACKUP.chmod(0o664)
    assert_refused(kept, "file-unsafe")
    BACKUP.chmod(0o644)
    shutil.chown(BACKUP, "alice")
    assert_refused(kept, "file-unsafe")
    shutil.copy(registry.PATH, "/home/alice/registry")
    assert_refused(kept, "file-unsafe", "/home/alice/registry")
    os.unlink("/home/alice/registry")


def test_restore_refuses_what_is_not_a_file(kept):
    BACKUP.unlink()
    assert_refused(kept, "file-missing")
    BACKUP.symlink_to(registry.PATH)
    assert_refused(kept, "file-unsafe")
    BACKUP.unlink()
    os.mkfifo(BACKUP)
    assert_refused(kept, "file-unsafe")
    assert_refused(kept, "file-unsafe", "/root")
    assert_refused(kept, "file-missing", "-")


def test_restore_is_for_root_with_one_file(kept):
    before = registry.PATH.read_bytes()
    assert kept.host.run(["ksactl", "accounts", "restore", str(BACKUP)]).status == 2
    for args in ((), (BACKUP, BACKUP), (BACKUP, "--force")):
        assert kept.ksactl("accounts", "restore", *args).status == 2
    assert registry.PATH.read_bytes() == before
    assert kept.ksactl("accounts", "restore", BACKUP.name, cwd=BACKUP.parent).status == 0


def test_restore_waits_for_a_run(kept):
    with open(LOCK, "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        registry.PATH.unlink()
        process = subprocess.Popen(["ksactl", "accounts", "restore", str(BACKUP)], stderr=subprocess.DEVNULL)
        inode = ":%d " % os.fstat(lock.fileno()).st_ino
        while not any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()):
            assert process.poll() is None
            os.sched_yield()
        assert not registry.PATH.exists()
    assert process.wait(timeout=60) == 0 and registry.PATH.exists()


def test_restore_needs_no_configuration(kept):
    kept.host.write("/etc/ksa/ksa.conf", "nonsense\n")
    registry.PATH.unlink()
    assert restore(kept).status == 0 and registry.PATH.read_bytes() == BACKUP.read_bytes()


def test_restore_to_a_full_disk_leaves_the_registry(kept):
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o size=64k,mode=0755 full /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && "
              "{ cat /dev/zero >/var/lib/ksa/fill 2>/dev/null; ksactl accounts restore %s; echo $?; "
              "cmp /var/lib/ksa/registry %s && ls /var/lib/ksa; }" % (BACKUP, BACKUP))
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, timeout=60)
    assert "the disk is full" in result.stderr, result
    assert result.stdout.split() == ["2", "credentials", "fill", "registry", "registry.made", "used"], result


# --- A registry that was lost ---


def test_a_lost_registry_ends_each_run(kept):
    """Bug: sync began with none, and gave names and uids of removed accounts to others, and disabled users came back."""
    registry.PATH.unlink()
    for args in (("sync",), ("sync", "--force"), ("sync", "--dry-run"), ("enable", "ci_runner"), ("disable", "ci_deployer")):
        result = kept.ksactl("accounts", *args, "--json")
        assert result.status == 2 and result.json["result"] == "failed", result
        assert "accounts restore" in result.json["remedy"] and "--new-registry" in result.json["remedy"], result
        logged = [line for line in result.log if " reason=registry-unusable " in line]
        assert len(logged) == (0 if "--dry-run" in args else 1)
    assert not registry.PATH.exists()


def test_a_lost_registry_is_told_of(kept):
    registry.PATH.unlink()
    for args in (("list",), ("show", "ci_deployer"), ("export",)):  # an empty export would remove users elsewhere
        result = kept.ksactl("accounts", *args)
        assert result.status == 2 and result.out == "" and "accounts restore" in result.err, result
    found = kept.ksactl("status", "--offline", "--json")
    assert found.status == 2 and found.json["registry"]["accounts"] is None, found
    checked = kept.ksactl("check", "--json")
    assert any("accounts restore" in one["remedy"] for one in checked.json["problems"]), checked
    status = kept.ksactl("status", "--offline", "--json")
    assert status.status == 2 and "accounts restore" in status.json["clusters"][0]["accounts"]["remedy"], status


def test_a_lost_registry_is_restored(kept):
    before = states(kept)
    registry.PATH.unlink()
    assert restore(kept).status == 0
    assert kept.ksactl("accounts", "sync").status == 0
    assert states(kept) == before


def test_a_new_registry_takes_an_option(kept):
    registry.PATH.unlink()
    assert kept.ksactl("accounts", "sync", "--new-registry", "--dry-run").status == 0 and not registry.PATH.exists()
    assert kept.ksactl("accounts", "sync", "--new-registry").status == 0
    assert {user: state for user, (state, _) in states(kept).items()} == {"ci_deployer": "active", "ci_runner": "active"}
    assert kept.ksactl("accounts", "sync").status == 0


def test_a_new_registry_never_replaces_one(kept):
    """Neither a valid one nor a damaged one."""
    for content in (registry.PATH.read_bytes(), b"x"):
        registry.replace(content)
        result = kept.ksactl("accounts", "sync", "--new-registry")
        assert result.status == 2 and "--new-registry does not replace it" in result.err, result
        assert registry.PATH.read_bytes() == content


# --- The mark ---


def test_a_first_run_needs_no_option_and_leaves_a_mark(cluster):
    assert not registry.MARK.exists()
    assert cluster.ksactl("accounts", "sync").status == 0
    assert os.stat(registry.MARK).st_mode & 0o7777 == 0o644
    written = os.stat(registry.MARK).st_mtime_ns
    cluster.server.listing.add("ci", "late")
    assert cluster.ksactl("accounts", "sync").status == 0
    assert os.stat(registry.MARK).st_mtime_ns == written


def test_a_host_that_had_its_registry_before_the_mark_gets_it(kept):
    registry.MARK.unlink()
    assert kept.ksactl("accounts", "sync", "--json").json["written"] is False
    assert registry.MARK.exists()


def test_a_first_registry_that_cannot_be_written_leaves_no_mark(cluster):
    for number in range(300):
        cluster.server.listing.add("ci", "a%d" % number)
    script = ("mkdir /tmp/keep && cp -a /var/lib/ksa/. /tmp/keep && mount -t tmpfs -o size=64k,mode=0755 full /var/lib/ksa && "
              "cp -a /tmp/keep/. /var/lib/ksa/ && rm -r /tmp/keep && ksactl accounts sync; echo $?; ls /var/lib/ksa")
    result = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, timeout=60)
    assert "the disk is full" in result.stderr, result
    assert result.stdout.split() == ["2", "credentials", "used"], result


@pytest.mark.parametrize("number", (1, 2))
def test_a_run_that_is_killed_leaves_no_registry_without_a_mark(cluster, number):
    """At each of its renames: a registry without a mark could be lost unnoticed."""
    killed = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat,renameat2",
                             "-e", "inject=rename,renameat,renameat2:signal=KILL:when=%d" % number,
                             "ksactl", "accounts", "sync"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert killed.returncode == KILLED, killed
    assert registry.MARK.exists() or not registry.PATH.exists()
    assert (number == 2) == registry.MARK.exists()
    if registry.MARK.exists() and not registry.PATH.exists():
        assert cluster.ksactl("accounts", "sync").status == 2
        assert cluster.ksactl("accounts", "sync", "--new-registry").status == 0
    else:
        assert cluster.ksactl("accounts", "sync").status == 0
    assert set(states(cluster)) == {"ci_deployer"}
