# SPDX-License-Identifier: BSD-2-Clause
"""packaging/selinux compiles with refpolicy's headers, and keeps network and files apart. No test host enforces it."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = (ROOT / "packaging/selinux/ksa.fc").read_text()


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """The compiled module as CIL."""
    work = tmp_path_factory.mktemp("selinux") / "policy"
    shutil.copytree(ROOT / "packaging/selinux", work)
    result = subprocess.run(["make", "-f", "/usr/share/selinux/devel/Makefile", "ksa.pp"], cwd=work, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 0 and "warning" not in result.stdout.lower() and "error" not in result.stdout.lower(), result.stdout
    return subprocess.run(["/usr/libexec/selinux/hll/pp", work / "ksa.pp"], capture_output=True, text=True, check=True).stdout


def allowed(policy, source, kind):
    """{target: permissions} of SOURCE for objects of KIND."""
    found = {}
    for target, permissions in re.findall(r"\(allow %s (\S+) \(%s \(([^)]*)\)\)\)" % (source, kind), policy):
        found.setdefault(target, set()).update(permissions.split())
    return found


def test_ksa_fetch_alone_connects(policy):
    assert "name_connect" in allowed(policy, "ksa_fetch_t", "tcp_socket")["port_type"]
    for domain in ("ksa_t", "ssh_server", "sudodomain", "sshd_session_t"):
        sockets = allowed(policy, domain, "tcp_socket").items()
        assert {target for target, what in sockets if "name_connect" in what} <= {"dns_port_t"}


def test_ksa_fetch_has_no_files_of_ksa(policy):
    assert [target for target in allowed(policy, "ksa_fetch_t", "file") if target.startswith("ksa_")] == ["ksa_fetch_exec_t"]


@pytest.mark.parametrize("domain", ("ssh_server", "sudodomain", "sshd_session_t"))
def test_logins_read_and_mark_alone(policy, domain):
    """The key sets, the credential and the registry are ksactl's to write."""
    files = allowed(policy, domain, "file")
    written = {"ksa_used_t"} | ({"ksa_runtime_t"} if domain != "sudodomain" else set())  # sshd's records of sessions
    assert {target for target, what in files.items() if "write" in what and target.startswith("ksa_")} == written
    assert "unlink" not in files["ksa_used_t"] and "create" in files["ksa_used_t"]
    assert "map" in files["ksa_registry_t"] and "read" in files["ksa_credential_t"] and "read" in files["ksa_cache_t"]
    assert {"ksa_t", "ksa_fetch_t"} <= set(re.findall(r"\(typetransition %s \S+ process (\S+)\)" % domain, policy))


def test_programs_that_look_up_users_map_the_registry_alone(policy):
    assert [one for one in allowed(policy, "nsswitch_domain", "file").items() if one[0].startswith("ksa_")] == [
        ("ksa_registry_t", {"getattr", "open", "map", "read", "ioctl"})]


def test_a_host_without_sshd_session_loads_it(policy):
    assert "sshd_session_t" not in re.sub(r"(?ms)^\(optional .*?^\)", "", policy)


def test_file_contexts_are_those_of_the_directories(build):
    """Each path is one of the build, and each path of tmpfiles.d has a context."""
    makefile = (build / "Makefile").read_text()
    value = {name: re.search("^%s = (.*)" % name, makefile, re.M).group(1) for name in ("prefix", "exec_prefix", "sbindir", "libexecdir")}
    programs = {value[name].replace("${exec_prefix}", value["prefix"]) + tail
                for name, tail in (("sbindir", "/ksactl"), ("libexecdir", "/ksa/ksa-fetch"))}
    directories = set(re.findall(r"^d (\S+)", (build / "packaging/systemd/tmpfiles.d/ksa.conf").read_text(), re.M))
    paths = set(re.findall(r"^(/\S+)", CONTEXTS, re.M))
    assert {path for path in paths if "(" not in path} == programs
    assert {path.removesuffix("(/.*)?") for path in paths if "(" in path} == directories - {"/run/ksa/clusters"}
