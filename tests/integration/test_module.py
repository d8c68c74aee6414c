# SPDX-License-Identifier: BSD-2-Clause
"""The symbols of the built objects, and the libraries that they load into other programs."""
import os
import re
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["KSA_BUILD"])
MODULE = BUILD / ".libs" / "pam_ksa.so"
pytestmark = pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""),
                                reason="what is shipped is looked at, not what is built with sanitizers")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def needed(path):
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", run("readelf", "-d", path)))


def symbols(path, *options):
    return [line.split() for line in run("nm", "-D", *options, path).splitlines()]


def test_module_exports_the_entries_of_pam_alone():
    assert {words[-1] for words in symbols(MODULE, "--defined-only") if words[1] != "A"} == {
        "pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_open_session", "pam_sm_close_session"}


def test_module_links_what_the_design_says():
    libraries = {re.sub(r"\.so.*", "", name) for name in needed(MODULE)}
    assert libraries == {"libpam", "libcrypto", "libjansson", "libc"}, libraries


def test_libcurl_is_for_ksa_fetch_alone():
    """The packages of the host side: one program uses the network."""
    assert any(name.startswith("libcurl") for name in needed("/usr/libexec/ksa/ksa-fetch"))
    for path in (MODULE, "/usr/sbin/ksactl"):
        assert not any(name.startswith("libcurl") for name in needed(path)), path
    assert not {name for name in needed("/usr/libexec/ksa/ksa-fetch") if name.startswith(("libjansson", "libpam"))}


def test_module_takes_no_symbol_that_postgres_has_too():
    """PostgreSQL exports json_object: the module would call the server's."""
    names = {words[-1].split("@")[0] for words in symbols(MODULE, "--undefined-only")}
    assert not names & {"json_object", "json_set_alloc_funcs"}
    assert not {name for name in names if name.startswith(("curl_", "SSL_", "PEM_", "d2i_"))}


def test_module_asks_no_network_and_disturbs_no_host_program():
    """It starts programs of ours by execve alone, which has no search path and no environment but the one given."""
    names = {words[-1].split("@")[0] for words in symbols(MODULE, "--undefined-only")}
    assert not names & {"execv", "execvp", "execl", "fork", "vfork", "system", "popen", "posix_spawn", "socket",
                        "connect", "getaddrinfo", "getenv", "secure_getenv", "setenv", "putenv", "signal",
                        "setlocale", "seteuid", "setfsuid", "exit", "openlog", "syslog"}


def test_module_is_never_unloaded():
    """libpam unloads the modules of the old stack when PAM_SERVICE changes. The handle still holds a function of ours then."""
    assert "NODELETE" in run("readelf", "-d", MODULE)


def test_module_is_bound_at_once_and_has_no_executable_stack():
    headers, dynamic = run("readelf", "-lW", MODULE), run("readelf", "-d", MODULE)
    assert "GNU_RELRO" in headers and re.search(r"BIND_NOW|NOW", dynamic)
    assert "E" not in re.search(r"GNU_STACK.* (R[WE ]*) ", headers).group(1)


def test_module_has_no_state_of_its_own():
    """Nothing writable but the linker's two words: no static that could hold a token, or race."""
    sizes = dict(re.findall(r"\] (\.data|\.bss|\.tdata|\.tbss) +\w+ +\w+ \w+ (\w+)", run("readelf", "-SW", MODULE)))
    assert {name: int(size, 16) for name, size in sizes.items()} == {".data": 8, ".bss": 8}


def test_base_library_sees_neither_json_nor_crypto():
    names = {line.split()[-1] for line in run("nm", "-u", BUILD / ".libs" / "libksa-base.a").splitlines()
             if line.strip().startswith("U ")}
    assert not {name for name in names if name.startswith(("json_", "EVP_", "OSSL_", "BN_", "pam_", "curl_"))}


def test_ksactl_touches_no_network():
    libraries = {re.sub(r"\.so.*", "", name) for name in needed(BUILD / "ksactl/ksactl")}
    assert libraries <= {"libcrypto", "libjansson", "libc"}, libraries
