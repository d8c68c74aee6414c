# SPDX-License-Identifier: BSD-2-Clause
"""The NSS module as it is installed, through glibc: the libraries that it loads into every process, and its answers."""
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

import registry
from host import wait_until

MODULE = next(iter(Path("/usr").glob("lib*/**/libnss_ksa.so.2")), None)
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
as_shipped = pytest.mark.skipif(SANITIZED, reason="what is shipped is looked at, not what is built with sanitizers")


@pytest.fixture(autouse=True, scope="module")
def name_service(private):
    registry.name_service()


@pytest.fixture
def accounts(private):
    registry.make()
    yield registry
    registry.PATH.unlink()


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


# --- What it brings into every process ---


def test_it_is_a_file_beside_the_systems_own():
    """glibc opens libnss_ksa.so.2 by this name: no link to it, and nothing of libtool's."""
    assert stat.S_ISREG(MODULE.lstat().st_mode) and (MODULE.parent / "libc.so.6").exists()
    assert [path.name for path in Path("/usr").glob("lib*/**/libnss_ksa*")] == ["libnss_ksa.so.2"]
    assert "Library soname: [libnss_ksa.so.2]" in run("readelf", "-d", MODULE)


@as_shipped
def test_it_needs_libc_alone():
    assert re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", run("readelf", "-d", MODULE)) == ["libc.so.6"]


def test_it_exports_nothing_but_entries_of_nss():
    names = {line.split()[-1] for line in run("nm", "-D", "--defined-only", MODULE).splitlines()}
    assert names - {"libnss_ksa.so.2"} == {"_nss_ksa_" + name for name in (
        "getpwnam_r", "getpwuid_r", "setpwent", "getpwent_r", "endpwent", "getgrnam_r", "getgrgid_r", "setgrent",
        "getgrent_r", "endgrent", "initgroups_dyn")}


@as_shipped
def test_it_calls_only_what_disturbs_no_host_program():
    """No memory but the caller's list of groups, no lock, no environment, no locale, no output, no thread's memory."""
    names = {line.split()[-1].split("@")[0] for line in run("nm", "-D", "--undefined-only", MODULE).splitlines()}
    assert names <= {"clock_gettime", "close", "fstat", "memcmp", "memcpy", "memset", "mmap", "munmap", "open", "open64",
                     "pthread_getcpuclockid", "pthread_self", "reallocarray", "stat", "strcmp", "strlen", "strnlen",
                     "__errno_location", "__stack_chk_fail", "__memcpy_chk", "__open_2", "__open64_2", "__cxa_finalize",
                     "_ITM_deregisterTMCloneTable",
                     "_ITM_registerTMCloneTable", "__gmon_start__", "fstat64", "stat64", "mmap64"}, names


@as_shipped
def test_it_has_no_static_tls_and_is_bound_at_once():
    headers, dynamic = run("readelf", "-lW", MODULE), run("readelf", "-d", MODULE)
    assert not re.search(r"^\s*TLS\b", headers, re.M) and "STATIC_TLS" not in dynamic
    assert "GNU_RELRO" in headers and "BIND_NOW" in dynamic
    assert "E" not in re.search(r"GNU_STACK.* (R[WE ]*) ", headers).group(1)


# --- What it answers ---


def test_user_by_name_and_uid(accounts):
    assert accounts.getent("passwd", "ci_deployer") == (0, [accounts.DEPLOYER])
    assert accounts.getent("passwd", accounts.UID) == (0, [accounts.DEPLOYER])


def test_through_nsswitch_conf(accounts):
    assert accounts.getent("passwd", "ci_deployer", service=None) == (0, [accounts.DEPLOYER])
    assert accounts.getent("group", accounts.GID, service=None) == (0, ["k8s-ci:*:2000000000:ci_deployer,ci_runner"])
    assert accounts.getent("passwd", "alice", service=None)[1][0].startswith("alice:x:1501:")


def test_groups(accounts):
    assert accounts.getent("group", "ci_deployer") == (0, ["ci_deployer:*:1900000001:"])
    assert accounts.getent("group", accounts.UID) == (0, ["ci_deployer:*:1900000001:"])
    assert accounts.getent("group", "k8s-ci") == (0, ["k8s-ci:*:2000000000:ci_deployer,ci_runner"])


def test_supplementary_groups(accounts):
    found = run("id", "-G", "ci_deployer").split()
    assert found == ["1900000001", "2000000000", "1500"]
    status, lines = accounts.getent("initgroups", "ci_deployer", service=None)
    assert status == 0 and lines[0].split() == ["ci_deployer", "2000000000", "1500"]


def test_who_is_not_active_has_a_name_and_nothing_else(accounts):
    for name, uid in (("ci_remade", 1900000003), ("ci_retired", 1900000004), ("ci_torn", 1900000006)):
        account = name.split("_")[1]
        assert accounts.getent("passwd", name) == (0, [
            "%s:*:%d:%d:prod/ci/%s:/home/%s:/usr/sbin/nologin" % (name, uid, uid, account, name)])
        assert accounts.getent("group", name) == (0, ["%s:*:%d:" % (name, uid)])
        assert run("id", "-G", name).split() == [str(uid)]


def test_who_was_removed_is_nobody(accounts):
    for table in ("passwd", "group"):
        for key in ("ci_gone", 1900000002):
            assert accounts.getent(table, key) == (2, [])


@pytest.mark.parametrize("key", ["nobody-of-ours", "", "ci_deployer ", "ci_deployer:", "ci_deployer\n", "CI_DEPLOYER",
                                 "ci\xe4", "a" * 33, "a" * 4000, "ci_deploye", "../registry", "0", "999", "1900000099",
                                 "4294967295", "65534"])
@pytest.mark.parametrize("table", ["passwd", "group"])
def test_unknown(accounts, table, key):
    assert accounts.getent(table, key) == (2, [])


def test_a_removed_user_hides_no_group_of_its_name(accounts):
    accounts.make("account k8s-ci 2000000000 removed prod ci old /home/old /bin/sh 0 -\n"
                  "account ci_deployer 1900000001 active prod ci deployer /home/ci_deployer /bin/sh 0 2000000000\n"
                  "group k8s-ci 2000000000 prod ci\n")
    for key in ("k8s-ci", 2000000000):
        assert accounts.getent("group", key) == (0, ["k8s-ci:*:2000000000:ci_deployer"])


def test_enumeration(accounts):
    status, users = accounts.getent("passwd")
    assert status == 0
    assert [line.split(":")[0] for line in users] == ["ci_deployer", "ci_remade", "ci_retired", "ci_runner", "ci_torn"]
    status, groups = accounts.getent("group")
    assert status == 0
    assert [line.split(":")[0] for line in groups] == ["ci_deployer", "ci_remade", "ci_retired", "ci_runner", "ci_torn",
                                                       "k8s-ci"]
    everybody = accounts.getent("passwd", service=None)[1]
    assert everybody[0].startswith("root:") and set(users) < set(everybody) and len(set(everybody)) == len(everybody)


def test_enumeration_of_many_and_a_large_group(accounts):
    accounts.make("many 5000 1900000000 2000000000\ngroup k8s-many 2000000000 prod many\n")
    names = {"many_a%d" % number for number in range(5000)}
    assert {line.split(":")[0] for line in accounts.getent("passwd")[1]} == names
    assert set(accounts.getent("group", "k8s-many")[1][0].split(":")[3].split(",")) == names
    assert len(accounts.getent("group")[1]) == 5001


def test_local_files_win(accounts):
    """A user of the same name in /etc/passwd is that user, and owns that user's uid."""
    accounts.make("account alice 1900000001 active prod ci deployer /home/other /bin/sh 0 -\n"
                  "account other 1501 active prod ci runner /home/other /bin/sh 0 -\n")
    assert accounts.getent("passwd", "alice")[1][0].split(":")[2] == "1900000001"
    assert accounts.getent("passwd", "alice", service=None)[1][0].split(":")[2] == "1501"
    assert accounts.getent("passwd", 1501, service=None)[1][0].split(":")[0] == "alice"
    assert run("id", "-un", "1501").strip() == "alice"


# --- Without a registry ---


def test_no_file_and_no_directory(private):
    assert not registry.PATH.exists()
    for table in ("passwd", "group"):
        assert registry.getent(table, "ci_deployer") == (2, [])
        assert registry.getent(table)[1] == []
    directory = registry.PATH.parent
    directory.rename("/var/lib/elsewhere")
    try:
        assert registry.getent("passwd", "ci_deployer") == (2, [])
        assert registry.getent("passwd", "alice", service=None)[0] == 0
    finally:
        Path("/var/lib/elsewhere").rename(directory)


def test_after_the_first_account_no_process_has_to_start_anew(private):
    with registry.Asker() as asker:
        assert asker.home("ci_deployer") == "-"
        registry.make()
        try:
            wait_until(lambda: asker.home("ci_deployer") == "/home/ci_deployer")
        finally:
            registry.PATH.unlink()
        wait_until(lambda: asker.home("ci_deployer") == "-")
