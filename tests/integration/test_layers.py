# SPDX-License-Identifier: BSD-2-Clause
"""The layers of HACKING.md: the includes of each directory, the callers of some functions, lengths of functions and files."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each directory, and those of the same part (common, admin, or itself) that it may include besides itself. In the
# order of the layers: none includes a later one.
COMMON = {
    "base": set(),
    "registry": {"base/macros.h"},
    "config": {"base"},
    "token": {"base", "config"},
    "cluster": {"base", "config", "token"},
    "session": {"base", "config", "token"},
    "login": {"base", "registry", "config", "token", "cluster", "session"},
}
ADMIN = {
    "admin/base": set(),
    "admin/registry": {"admin/base"},
    "admin/keys": {"admin/base"},
    "admin/credential": {"admin/base"},
    "admin/accounts": {"admin/base", "admin/registry"},
    "admin/host": {"admin/base", "admin/accounts"},
}
PROGRAMS = {
    "nss_module": {"registry/registry.h", "base/macros.h"},
    "pam_module": set(COMMON),
    "helper": {"base"},
    "ksactl": set(COMMON) | set(ADMIN),
    "client": set(COMMON) | {"admin/base", "admin/credential", "client", "helper"},
}
MAY_INCLUDE = {
    **{"common/" + name: allowed for name, allowed in COMMON.items()},
    **{name: allowed | set(COMMON) for name, allowed in ADMIN.items()},
    **PROGRAMS,
}
SOURCES = sorted(path for directory in MAY_INCLUDE for path in (ROOT / directory).glob("*.[ch]"))
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]


def includes(path, pattern):
    return re.findall(r"^#include " + pattern, path.read_text(), re.M)


def directory_of(path):
    return str(path.parent.relative_to(ROOT))


def test_every_source_is_in_a_directory_of_the_table():
    everything = {path for part in ("admin", "common", "helper", "ksactl", "nss_module", "pam_module", "client")
                  for path in (ROOT / part).rglob("*.[ch]")}
    assert everything == set(SOURCES)


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_a_directory_includes_only_what_the_table_allows(path):
    directory = directory_of(path)
    within_common = directory.removeprefix("common/")
    for name in includes(path, r'"([\w/.]+)"'):
        where = name.rsplit("/", 1)[0] if "/" in name else directory
        if "/" not in name:
            assert directory in PROGRAMS and (path.parent / name).exists(), "%s names no directory" % name
        assert where in (within_common, directory) or where in MAY_INCLUDE[directory] or name in MAY_INCLUDE[directory], name


@pytest.mark.parametrize("fragment", ["common/common.am", "admin/admin.am"])
def test_a_file_includes_only_files_above_it_in_its_directory(fragment):
    """The fragment of the Makefile lists each directory from its base upwards."""
    order = list(dict.fromkeys(re.findall(r"([\w/]+)\.[ch]\b", (ROOT / fragment).read_text())))
    part = fragment.split("/")[0]
    assert set(order) == {str(path.relative_to(ROOT).with_suffix("")) for path in (ROOT / part).rglob("*.[ch]")}
    for stem in order:
        for path in (ROOT / stem).parent.glob(Path(stem).name + ".[ch]"):
            for name in includes(path, r'"([\w/]+)\.h"'):
                full = name if part == "admin" else "common/" + name
                if full.rsplit("/", 1)[0] == stem.rsplit("/", 1)[0]:
                    assert full == stem or order.index(full) < order.index(stem), "%s includes %s" % (stem, name)


LINKS = {  # the libraries of ksa that each program and library is linked with
    ("common/common.am", "libksa_base_la"): [],
    ("common/common.am", "libksa_la"): ["libksa-base.la", "libksa-registry.la"],
    ("admin/admin.am", "libksa_admin_la"): ["libksa.la"],
    ("pam_module/pam_module.am", "pam_ksa_la"): ["libksa.la"],
    ("nss_module/nss_module.am", "libnss_ksa_la"): ["libksa-registry.la"],
    ("helper/helper.am", "ksa_fetch"): ["libksa-base.la"],
    ("ksactl/ksactl.am", "ksactl_ksactl"): ["libksa-admin.la"],
    ("client/client.am", "client_ksa_token"): ["libksa.la"],
}


@pytest.mark.parametrize("fragment, target", LINKS, ids=lambda name: name.replace("/", "."))
def test_links_are_those_of_the_house(fragment, target):
    text = (ROOT / fragment).read_text().replace("\\\n", " ")
    linked = re.findall(r"^%s_(?:LIBADD|LDADD) = (.*)$" % target, text, re.M)
    assert sorted(re.findall(r"libksa[\w-]*\.la", " ".join(linked))) == LINKS[fragment, target]


def test_the_nss_module_keeps_no_state_but_its_mapping():
    # mapped files, and how far an enumeration has come
    assert sorted(line for path in (ROOT / "nss_module").glob("*.c") for line in path.read_text().splitlines()
                  if re.match(r"static (?!inline|const)[^(]*;$", line)) == [
                      "static struct ksa_listing listing;"] * 2 + ["static struct ksa_map_slot slots[KSA_MAP_SLOTS];"]


WITHOUT_LIBRARIES = ("common/base", "common/registry", "common/config", "nss_module")


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_libraries_stay_in_their_directories(path):
    headers = set(includes(path, r"<([\w/.]+)>"))
    directory = directory_of(path)
    if directory != "pam_module":
        assert not any(header.startswith("security/") for header in headers)
    assert not any(header.startswith("curl/") for header in headers) or path.name == "fetch_transfer.c"
    assert not any(header.startswith(("sys/socket", "netdb")) for header in headers) or path.stem in (
        "process", "fetch_process", "fetch_host")
    if directory in WITHOUT_LIBRARIES:
        assert not any(header.startswith(("openssl/", "jansson")) for header in headers)
    if directory == "common/cluster" and path.stem == "fetch_process":
        assert not any(header.startswith(("openssl/", "jansson")) for header in headers)
    if directory.startswith(("common/", "admin/")):
        assert not headers & {"syslog.h", "locale.h"}
        assert "signal.h" not in headers or path.stem == "process"


ONLY = {  # the files that may have a call
    r"\bexplicit_bzero\(|\bOPENSSL_cleanse\(": {"common/base/secret.c"},
    r"\bjson_load\w*\(": {"common/token/json.c"},
    r"\bjson_set_alloc_funcs\w*\(": {"admin/base/json_wipe.c"},
    r"\bopenat?\(|\bfopen\(": {"common/base/process.c", "common/base/file.c", "admin/base/file_write.c", "common/base/path.c",
                               "common/registry/registry.c",  # the NSS module has nothing else
                               # files of others, which libc or we read
                               "admin/accounts/local_files.c", "ksactl/nsswitch.c",
                               "admin/accounts/id_map.c", "common/session/tie.c",  # the kernel's
                               "ksactl/check_sshd.c", "admin/host/pam_stack.c", "admin/host/tool.c",  # what pam-auth-update wrote
                               "admin/host/own_paths.c",  # to set owner and mode
                               # files that an administrator names, in any place
                               "ksactl/read_token.c",
                               "pam_module/token_file.c", "client/token_api.c",
                               "common/session/store.c"},  # to write and list, in the directory that path.c checked
    r"\btime\(|\bclock_gettime\(|\bgettimeofday\(": {"common/base/process.c", "common/login/host_env.c",
                                                     "client/token_api.c",
                                                     "nss_module/map.c"},  # whether a second has passed
    r"\bgetenv\(|\bsecure_getenv\(": {"ksactl/output.c",  # the destination of standard error, and what a terminal shows
                                      "client/ksa-token.c"},  # the API server's address in a Pod
    # their time_t has 32 bits on i386, ours 64
    r"\bcurl_getdate\(|\bX509_VERIFY_PARAM_set_time\(|\bX509_(cmp_time|time_adj)|\bASN1_\w*TIME_(set|adj|cmp)": set(),
    r"\bumask\(|\bchdir\(|\bsigaction\(": {"common/base/process.c"},
    r"\bcurl_\w+\(": {"helper/fetch_transfer.c"},
    r"\bPEM_|\bd2i_": {"ksactl/convert.c", "ksactl/certificate.c"},
    r"\bclone3?\(|\bSYS_clone|\bfork\(|\bexec[vl]": {"common/base/process.c", "client/ksa-token.c"},
    r"\breturn PAM_SUCCESS\b": {"pam_module/pam_ksa.c", "pam_module/outcome.c"},
}


@pytest.mark.parametrize("pattern", ONLY)
def test_calls_stay_where_they_belong(pattern):
    found = {str(path.relative_to(ROOT)) for path in SOURCES if path.suffix == ".c"
             and re.search(pattern, re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S))}
    assert found <= ONLY[pattern], found - ONLY[pattern]


def test_allow_is_assigned_once_and_becomes_success_once():
    text = {path: path.read_text() for path in SOURCES if path.suffix == ".c"}
    assigned = [path.name for path in text for _ in re.findall(r"[^=!]= KSA_ALLOW\b", text[path])]
    assert assigned == ["login.c"]
    returned = [line for line in text[ROOT / "pam_module/outcome.c"].splitlines() if "PAM_SUCCESS" in line]
    assert len(returned) == 1 and "== KSA_ALLOW)" in text[ROOT / "pam_module/outcome.c"]
    entries = text[ROOT / "pam_module/pam_ksa.c"]
    # setcred, which always succeeds, and the account phase, for a grant of this process
    assert entries.count("return PAM_SUCCESS;") == 2


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_sizes(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 600
    start = None
    for number, line in enumerate(lines, 1):
        assert len(line) <= 110 or path.stem in ("option", "reason"), number
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            assert number - start <= 60, "the function at line %d is longer than a screen" % start
            start = None
