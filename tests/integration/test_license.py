# SPDX-License-Identifier: BSD-2-Clause
"""What holds for each file of the repository: it names the license, and not the address of the project."""
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = "SPDX-License-Identifier: BSD-2-Clause"
# Files that cannot hold the line: the license itself, a table, a text for people, files that go and npm write, and inputs
# of the tests, which are compared byte by byte.
WITHOUT = ("LICENSE", "NEWS", "tests/attacks.tsv", "tests/clients/go/go.sum",
           "tests/clients/node/package-lock.json", "tests/data/", "tests/fuzz/seeds/", "packaging/debian/changelog",
           "packaging/debian/pam-configs/ksa", "packaging/debian/source/format", "packaging/debian/tests/control")


# In a tarball, which has no .git, these are the files of autotools.
AUTOTOOLS = ("aclocal.m4", "configure", "config.h.in", "Makefile.in", "build-aux/", "m4/", "autom4te.cache/")


def names():
    if not (ROOT / ".git").exists():
        every = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return [name for name in every if not name.startswith(AUTOTOOLS)]
    return subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout.split("\0")[:-1]


def test_each_file_names_the_license():
    files = [name for name in names() if not name.startswith(WITHOUT)]
    assert "common/login/login.c" in files
    assert not [name for name in files if LINE not in "".join((ROOT / name).read_text().splitlines(keepends=True)[:3])]


def test_one_file_holds_the_address_of_the_project(build):
    """A project that moves changes one line; what names the address takes it from there."""
    url = re.search(r"^m4_define\(\[KSA_URL\], \[(https://[^]]+)\]\)$", (ROOT / "configure.ac").read_text(), re.M).group(1)
    place = url.removeprefix("https://").encode()
    assert [name for name in names() if place in (ROOT / name).read_bytes()] == ["configure.ac"]
    usage = subprocess.run([build / "ksactl/ksactl", "--help"], check=True, capture_output=True, text=True).stdout
    assert usage.splitlines()[-1].endswith(": " + url)
    units = sorted((ROOT / "packaging/systemd").glob("*.service.in"))
    assert len(units) == 3
    for unit in units:
        made = (build / "packaging/systemd" / unit.stem).read_text()
        assert re.search(r"^Documentation=.* %s$" % re.escape(url), made, re.M), unit.name


def test_the_license_is_in_the_tarball():
    assert " LICENSE" in (ROOT / "Makefile.am").read_text()
