# SPDX-License-Identifier: BSD-2-Clause
"""The NSS module and a registry that is damaged, hostile, or changes under its readers: an invalid record is not
returned, the next service is asked, and no process dies of it."""
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import registry
from host import wait_until

READERS = 8


@pytest.fixture(autouse=True, scope="module")
def name_service(private):
    registry.name_service()


@pytest.fixture
def accounts(private):
    registry.make()
    yield registry
    if registry.PATH.is_dir() and not registry.PATH.is_symlink():
        registry.PATH.rmdir()
    registry.PATH.unlink(missing_ok=True)


def is_sound():
    """Either the whole truth or nothing, and a process that lives."""
    status, lines = registry.getent("passwd", "ci_deployer")
    assert (status, lines) in ((0, [registry.DEPLOYER]), (2, [])), (status, lines)
    return status == 0


def check_unavailable():
    """Our module finds nothing, by any call; a service after it answers."""
    for question in (("passwd", "ci_deployer"), ("passwd", registry.UID), ("group", "k8s-ci"), ("group", registry.GID),
                     ("passwd", "alice")):
        assert registry.getent(*question) == (2, []), question
    for table in ("passwd", "group"):
        assert registry.getent(table)[1] == []
    assert subprocess.run(["id", "-G", "ci_deployer"], stderr=subprocess.DEVNULL).returncode == 1
    status = Path("/etc/nsswitch.conf")
    before = status.read_text()
    try:
        status.write_text("passwd: ksa files\ngroup: ksa files\n")
        assert registry.getent("passwd", "alice", service=None)[1][0].startswith("alice:x:1501:")
        assert registry.getent("passwd", 0, service=None)[1][0].startswith("root:")
        assert registry.getent("group", "root", service=None)[0] == 0
        assert subprocess.run(["id", "-un", "alice"], stdout=subprocess.PIPE, text=True).stdout == "alice\n"
    finally:
        status.write_text(before)


# --- Damage -------------------------------------------------------------------------


def test_it_is_told_from_not_found(accounts):
    """The status that nsswitch.conf's [UNAVAIL=...] and [NOTFOUND=...] ask about."""
    nsswitch = Path("/etc/nsswitch.conf")
    before = nsswitch.read_text()
    try:
        nsswitch.write_text("passwd: ksa [NOTFOUND=return] files\ngroup: files\n")
        assert registry.getent("passwd", "alice", service=None) == (2, [])
        accounts.replace(b"no registry" * 100)
        assert registry.getent("passwd", "alice", service=None)[0] == 0
        registry.PATH.unlink()
        assert registry.getent("passwd", "alice", service=None) == (2, [])
    finally:
        nsswitch.write_text(before)


@pytest.mark.parametrize("content", [b"", b"\0", b"ksa-reg\n", b"\0" * 4096, b"\xff" * 4096, b"root:x:0:0::/:/bin/sh\n" * 9,
                                     bytes(range(256)) * 16], ids=range(7))
def test_something_else_in_its_place(accounts, content):
    accounts.replace(content)
    check_unavailable()


def test_another_version_and_byte_order(accounts):
    sound = registry.PATH.read_bytes()
    for offset in (0, 8, 12):
        accounts.replace(sound[:offset] + bytes([sound[offset] ^ 0x40]) + sound[offset + 1:])
        check_unavailable()


def test_each_byte_of_the_header(accounts):
    sound = registry.PATH.read_bytes()
    for offset in range(0, 160, 3):
        accounts.replace(sound[:offset] + bytes([sound[offset] ^ 1 << offset % 8]) + sound[offset + 1:])
        assert not is_sound(), offset


def test_bytes_all_over_the_file(accounts):
    sound = registry.PATH.read_bytes()
    answered = 0
    for offset in range(160, len(sound), 11):
        accounts.replace(sound[:offset] + bytes([sound[offset] ^ 1 << offset % 8]) + sound[offset + 1:])
        answered += is_sound()
    assert answered > 0  # damage elsewhere does not remove every user


def test_sssd_bus_error_of_a_cut_file(accounts):
    """SSSD's memory cache was cut when the disk was full, and every process that looked up a user died of SIGBUS."""
    sound = registry.PATH.read_bytes()
    for length in [*range(0, 200, 7), *range(200, len(sound), 61), len(sound) - 1]:
        accounts.replace(sound[:length])
        assert not is_sound(), length
    accounts.replace(sound + b"\0" * 8)
    assert not is_sound()


def test_disk_full_leaves_the_old_file(accounts, tmp_path):
    """A new file that did not become whole is never put in place."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "small", tmp_path], check=True)
    try:
        path = tmp_path / "registry"
        accounts.make(path=path)
        before = path.read_bytes()
        with pytest.raises(subprocess.CalledProcessError):
            accounts.make("many 5000 1900000000 2000000000\ngroup k8s-many 2000000000 prod many\n", path)
        assert path.read_bytes() == before
    finally:
        subprocess.run(["umount", tmp_path], check=True)


# --- Whose file it is ------------------------------------------------------------------


def test_others_could_have_written_it(accounts):
    for mode in (0o664, 0o646, 0o666, 0o777):
        registry.PATH.chmod(mode)
        check_unavailable()
    registry.PATH.chmod(0o644)
    os.chown(registry.PATH, 1501, 0)
    check_unavailable()


def test_no_regular_file(accounts, tmp_path):
    sound = tmp_path / "registry"
    shutil.copy(registry.PATH, sound)
    registry.PATH.unlink()
    registry.PATH.symlink_to(sound)
    check_unavailable()
    registry.PATH.unlink()
    os.mkfifo(registry.PATH, 0o644)  # no process ever writes into it
    check_unavailable()
    registry.PATH.unlink()
    registry.PATH.mkdir()
    check_unavailable()


def test_not_readable(accounts):
    registry.PATH.chmod(0o600)
    as_alice = ["setpriv", "--reuid=1501", "--regid=1501", "--clear-groups", "--inh-caps=-all"]
    assert registry.getent("passwd", "ci_deployer", command=as_alice) == (2, [])
    assert registry.getent("passwd", "ci_deployer") == (0, [registry.DEPLOYER])


# --- A hostile file, with all sums right -----------------------------------------------------


@pytest.mark.parametrize("uid", [0, 1, 999, 61184, 65519, 65534, 65535, 2147352576, 4294967295])
def test_no_uid_of_the_systems(accounts, uid):
    accounts.make(registry.LINES + "uid 1900000001 %d\n" % uid)
    for key in ("ci_deployer", uid):
        assert registry.getent("passwd", key) == (2, [])
        assert registry.getent("group", key) == (2, [])
    assert not [line for line in registry.getent("passwd")[1] if ":%d:" % uid in line]
    assert registry.getent("passwd", "ci_runner")[0] == 0


@pytest.mark.parametrize("gid", [0, 65534, 4294967295])
def test_no_group_of_the_systems(accounts, gid):
    accounts.make(registry.LINES + "gid 2000000000 %d\n" % gid)
    for key in ("k8s-ci", gid):
        assert registry.getent("group", key) == (2, [])
    assert registry.getent("initgroups", "ci_deployer")[1][0].split() == ["ci_deployer"]


def test_cve_2025_5689_nobody_gets_into_root_by_a_registry(accounts):
    """authd: a user's first login, before its record was complete, ran in group root."""
    accounts.make(registry.LINES + "gid 2000000000 0\n")
    found = subprocess.run(["id", "-G", "ci_deployer"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert "0" not in found.stdout.split()
    with pytest.raises(subprocess.CalledProcessError):  # nor is one made so
        accounts.make("account ci_x 1900000001 active prod ci x /home/x /bin/sh 2 0\n")
    with pytest.raises(subprocess.CalledProcessError):
        accounts.make("account ci_x 0 active prod ci x /home/x /bin/sh 0 -\n")


def test_ghsa_6gp8_pp9v_gx45_no_uid_that_systemd_gives_away(accounts):
    """Himmelblau gave users uids of systemd's DynamicUser range, 61184 to 65519: a service then owned their files."""
    for uid in (61184, 63000, 65519):
        with pytest.raises(subprocess.CalledProcessError):
            accounts.make("account ci_x %d active prod ci x /home/x /bin/sh 0 -\n" % uid)
        accounts.make(registry.LINES + "uid 1900000005 %d\n" % uid)
        assert registry.getent("passwd", "ci_runner") == (2, [])
        assert registry.getent("passwd", uid) == (2, [])


def test_cve_2025_49012_a_group_is_its_name_and_nothing_that_is_shown(accounts):
    """himmelblau named groups by a display name, which anyone in the directory could give to their group."""
    for key in ("ci", "prod/ci", "prod:ci", "K8S-CI", "k8s-ci ", "prod/ci/deployer", "deployer", "sudo", "admin", "wheel"):
        assert registry.getent("group", key) == (2, []), key
    assert registry.getent("passwd", "prod/ci/deployer") == (2, [])


def test_cve_2020_8903_no_powerful_group_by_default(accounts):
    """Google's guest agent put every OS Login user into adm, docker and lxd: root, by any of them."""
    for gid in (4, 27, 100, 999):
        with pytest.raises(subprocess.CalledProcessError):
            accounts.make("account ci_x 1900000001 active prod ci x /home/x /bin/sh 0 %d\n" % gid)
        accounts.make(registry.LINES + "gid 1500 %d\n" % gid)
        found = subprocess.run(["id", "-G", "ci_deployer"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert str(gid) not in found.stdout.split()
    # If an administrator allowed it, by name, for one account.
    accounts.make("account ci_x 1900000001 active prod ci x /home/x /bin/sh 2 4\n")
    assert subprocess.run(["id", "-G", "ci_x"], stdout=subprocess.PIPE, text=True).stdout.split() == ["1900000001", "4"]


# --- A file that is replaced under its readers --------------------------------------------------


def test_a_process_sees_the_new_file(accounts):
    with registry.Asker() as asker:
        assert asker.home("ci_deployer") == "/home/ci_deployer"
        accounts.make(registry.LINES.replace("/home/ci_deployer", "/srv/new"))
        wait_until(lambda: asker.home("ci_deployer") == "/srv/new")
        accounts.replace(b"no registry" * 100)
        wait_until(lambda: asker.home("ci_deployer") == "-")
        accounts.make()
        wait_until(lambda: asker.home("ci_deployer") == "/home/ci_deployer")
        registry.PATH.unlink()
        wait_until(lambda: asker.home("ci_deployer") == "-")


READER = """
import grp, os, pwd, time
end = time.monotonic() + 3
count = 0
while time.monotonic() < end or count < 10:
    user = pwd.getpwnam("ci_deployer")
    assert (user.pw_uid, user.pw_dir) in ((1900000001, "/home/ci_deployer"), (1900000001, "/srv/new")), user
    assert pwd.getpwuid(1900000005).pw_name == "ci_runner"
    assert set(grp.getgrnam("k8s-ci").gr_mem) == {"ci_deployer", "ci_runner"}
    assert set(os.getgrouplist("ci_deployer", 1900000001)) == {1900000001, 2000000000, 1500}
    count += 1
"""


def test_eight_processes_and_replacements(accounts):
    readers = [subprocess.Popen([sys.executable, "-c", READER], stderr=subprocess.PIPE) for _ in range(READERS)]
    other = registry.LINES.replace("/home/ci_deployer", "/srv/new")
    over = threading.Event()

    def write():
        while not over.is_set():
            accounts.make(other)
            accounts.make()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [(reader.communicate(timeout=60)[1], reader.returncode) for reader in readers]
    finally:
        over.set()
        writer.join()
    assert results == [(b"", 0)] * READERS
