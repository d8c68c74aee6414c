"""The house, as HACKING.md has it: who may include whom, who may call what, how long things are."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("common", "nss_module", "pam_module", "tools") for path in (ROOT / room).glob("*.[ch]"))
LISTED = re.findall(r"common/(\w+)\.[ch]", (ROOT / "common/common.am").read_text())
ORDER = list(dict.fromkeys(LISTED))
ADMIN = list(dict.fromkeys(re.findall(r"common/(\w+)\.[ch]", (ROOT / "common/common.am").read_text().split(
    "\nKSA_ADMIN")[1].split("\n\n")[0])))
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]


def includes(path, pattern):
    return re.findall(r"^#include " + pattern, path.read_text(), re.M)


def test_the_list_is_whole():
    assert set(ORDER) == {path.stem for path in (ROOT / "common").glob("*.[ch]")}


@pytest.mark.parametrize("path", sorted((ROOT / "common").glob("*.[ch]")), ids=lambda path: path.name)
def test_a_file_includes_only_files_above_it(path):
    for name in includes(path, r'"(\w+)\.h"'):
        assert name == path.stem or ORDER.index(name) < ORDER.index(path.stem), "%s includes %s" % (path.name, name)


def test_what_ksactl_alone_does_stays_out_of_the_module():
    assert "json_wipe" in ADMIN and ORDER[-len(ADMIN):] == ADMIN
    for path in (ROOT / "pam_module").glob("*.[ch]"):
        assert not set(includes(path, r'"(\w+)\.h"')) & set(ADMIN), path
    assert "libksa-admin" not in (ROOT / "pam_module/pam_module.am").read_text()


def test_the_nss_module_holds_the_reader_of_the_registry_alone():
    own = {path.stem for path in (ROOT / "nss_module").glob("*.h")}
    for path in (ROOT / "nss_module").glob("*.[ch]"):
        assert set(includes(path, r'"(\w+)\.h"')) <= own | {"macros", "registry"}, path
    assert re.findall(r"libksa-?\w*\.la", (ROOT / "nss_module/nss_module.am").read_text()) == ["libksa-registry.la"] * 2
    # the only state of ours in other people's processes: mapped files, and how far an enumeration came
    assert sorted(line for path in (ROOT / "nss_module").glob("*.c") for line in path.read_text().splitlines()
                  if re.match(r"static (?!inline|const)[^(]*;$", line)) == [
                      "static struct ksa_listing listing;"] * 2 + ["static struct ksa_map_slot slots[KSA_MAP_SLOTS];"]


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_libraries_stay_in_their_rooms(path):
    headers = set(includes(path, r"<([\w/.]+)>"))
    room = path.parent.name
    if room != "pam_module":
        assert not any(header.startswith("security/") for header in headers)
    assert not any(header.startswith("curl/") for header in headers) or path.name == "fetch_transfer.c"
    assert not any(header.startswith(("sys/socket", "netdb")) for header in headers) or path.stem in ("child", "fetch", "fetch_host")
    if room == "common" and ORDER.index(path.stem) < ORDER.index("env"):
        assert not any(header.startswith(("openssl/", "jansson")) for header in headers)
    if room == "common":
        assert not headers & {"syslog.h", "locale.h"}
        assert "signal.h" not in headers or path.stem == "child"


ONLY = {  # what a call belongs to
    r"\bexplicit_bzero\(|\bOPENSSL_cleanse\(": {"common/secret.c"},
    r"\bjson_load\w*\(": {"common/json.c"},
    r"\bjson_set_alloc_funcs\w*\(": {"common/json_wipe.c"},
    r"\bopenat?\(|\bfopen\(": {"common/child.c", "common/file.c", "common/file_write.c", "common/walk.c",
                                   "common/registry.c",  # NSS holds no more than that
                                   # what others own, and libc or we read: passwd and group, sudoers
                                   "common/local_table.c", "common/sudoers.c", "tools/nsswitch.c",
                                   "common/id_map.c",  # the kernel's
                                   "tools/check_sshd.c",
                                   # what an administrator names, wherever it is
                                   "tools/read_input.c", "tools/read_token.c",
                                   "pam_module/token_file.c"},
    r"\btime\(|\bclock_gettime\(|\bgettimeofday\(": {"common/child.c", "common/host.c",
                                                               "nss_module/map.c"},  # whether a second is over
    r"\bgetenv\(|\bsecure_getenv\(": {"tools/log.c"},  # where standard error goes
    r"\bumask\(|\bchdir\(|\bsigaction\(": {"common/child.c"},
    r"\bcurl_\w+\(": {"tools/fetch_transfer.c"},
    # their time_t has 32 bits on i386, ours 64
    r"\bcurl_getdate\(|\bX509_VERIFY_PARAM_set_time\(|\bX509_(cmp_time|time_adj)|\bASN1_\w*TIME_(set|adj|cmp)": set(),
    r"\bPEM_|\bd2i_": {"tools/convert.c", "tools/certificate.c"},
    r"\bclone3?\(|\bSYS_clone|\bfork\(|\bexec[vl]": {"common/child.c"},
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
