# SPDX-License-Identifier: BSD-2-Clause
"""packaging/rpm: rpmbuild makes packages with the files of the Debian packages, twice the same, and they install and leave."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "packaging/rpm/ksa.spec"
# Each package of Debian, and its RPM.
PACKAGES = {"ksa": "ksa", "libpam-ksa": "pam_ksa", "libnss-ksa": "nss_ksa", "ksa-client": "ksa-client"}
UNTOLD = ("/usr/share/doc/", "/usr/share/licenses/", "/usr/lib/.build-id")  # which files of these a package has is rpm's habit


def run(*command, **more):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500, **more)
    assert result.returncode == 0, result.stdout[-3000:]
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Two results of packaging/build-rpm, of copies in directories of other names, with another time zone, umask and locale.
    Without optimization and the C tests: other tests compile."""
    def make(name, zone, umask, locale):
        top = tmp_path_factory.mktemp("rpm") / name
        shutil.copytree(ROOT, top / "source", ignore=shutil.ignore_patterns(".git", "__pycache__"))
        run("sh", "-c", 'umask %s; exec "$0" "$@"' % umask, top / "source/packaging/build-rpm", "--nocheck",
            "--define", "optflags -O0", top / "out", env={**os.environ, "TZ": zone, "LC_ALL": locale})
        return top / "out"
    with ThreadPoolExecutor() as pool:
        return list(pool.map(make, ("one", "the-other"), ("UTC", "Asia/Tokyo"), ("022", "077"), ("C", "C.UTF-8")))


@pytest.fixture(scope="module")
def packages(built):
    found = {run("rpm", "-qp", "--qf", "%{NAME}", path): path for path in built[0].glob("*.rpm")}
    assert sorted(found) == sorted(PACKAGES.values())
    return found


def files(package):
    """{path: (permissions, owner)} of a package, with Debian's name of the library directory, and of pages before they are
    compressed."""
    lines = run("rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME}\n]", package).splitlines()
    fields = (re.sub("^/usr/lib64/", "/usr/lib/", line).split() for line in lines)
    return {path.removesuffix(".gz"): (mode, owner) for path, mode, owner in fields if not path.startswith(UNTOLD)}


def installed_by_debian(package):
    """The paths that debian/PACKAGE.install names, without architectures. A directory stands for what ksa has there."""
    names = []
    for line in (ROOT / f"packaging/debian/{package}.install").read_text().splitlines():
        if line.startswith("#") or "pam-configs" in line or line.startswith("docs/"):  # pam-auth-update is Debian's
            continue
        line = line.replace("${env:UNITS}", "usr/lib/systemd/system").replace("${env:SECURITY}", "usr/lib/security")
        line = line.replace("zsh/vendor-completions", "zsh/site-functions")  # Debian's own directory
        path = Path("/", line.replace("usr/lib/*/", "usr/lib/"))
        if path.name in ("system", "sysusers.d", "tmpfiles.d"):
            where = ROOT / "packaging/systemd" / ("" if path.name == "system" else path.name)
            names += [str(path / one.name.removesuffix(".in")) for one in where.iterdir() if one.suffix in (".timer", ".in", ".conf")]
        else:
            names.append(str(path))
    return set(names)


@pytest.mark.parametrize("debian", PACKAGES)
def test_rpm_has_the_files_of_the_debian_package(packages, debian):
    found = {path for path, (mode, _) in files(packages[PACKAGES[debian]]).items() if not mode.startswith("d")}
    assert found == installed_by_debian(debian) and found


def test_modes_and_owners(packages):
    every = {path: of for package in packages.values() for path, of in files(package).items()}
    assert {owner for _, owner in every.values()} == {"root:root"}
    assert {path: mode for path, (mode, _) in every.items() if mode.startswith("d")} == {
        "/etc/ksa": "drwxr-xr-x", "/etc/ksa/conf.d": "drwxr-xr-x", "/usr/libexec/ksa": "drwxr-xr-x", "/usr/share/ksa": "drwxr-xr-x",
        "/var/cache/ksa": "drwxr-xr-x",
        "/var/lib/ksa": "drwxr-xr-x", "/var/lib/ksa/credentials": "drwx------", "/var/lib/ksa/used": "drwx------"}
    programs = {path for path, (mode, _) in every.items() if mode == "-rwxr-xr-x"}
    assert programs == {"/usr/sbin/ksactl", "/usr/libexec/ksa/ksa-fetch", "/usr/bin/ksa-ssh", "/usr/bin/ksa-askpass", "/usr/bin/ksa-token",
                        "/usr/lib/security/pam_ksa.so", "/usr/lib/libnss_ksa.so.2"}
    assert {mode for path, (mode, _) in every.items() if path not in programs and mode[0] != "d"} == {"-rw-r--r--"}


def test_two_builds_are_equal(built):
    """Other directories, time zones, umasks and locales."""
    one, other = ({path.name: path.read_bytes() for path in out.glob("*.rpm")} for out in built)
    assert len(one) == 4 and [name for name in one if one[name] != other.get(name)] == []


def test_rpmlint_finds_nothing(built):
    output = run("rpmlint", "-c", SPEC.with_name("rpmlint.toml"), SPEC, *sorted(built[0].glob("*.rpm")))
    assert "4 packages and 1 specfiles checked; 0 errors, 0 warnings" in output


def test_packages_install_and_leave(packages, tmp_path):
    """Into a root of their own. Without their dependencies, which are other packages. rpm 4.20 itself creates the user _ksa, which
    stays."""
    rpm = ("rpm", "--root", tmp_path)
    run(*rpm, "--initdb")
    before = {path for path in tmp_path.rglob("*") if "rpm" not in path.parts}
    run(*rpm, "-i", "--nodeps", *packages.values())
    assert (tmp_path / "usr/sbin/ksactl").is_file() and (tmp_path / "var/lib/ksa/used").stat().st_mode & 0o777 == 0o700
    assert run(*rpm, "-V", "--nodeps", *packages) == ""
    run(*rpm, "-e", *packages)
    left = {path for path in tmp_path.rglob("*") if "rpm" not in path.parts} - before
    accounts = {tmp_path / "etc" / name for name in ("passwd", "group", "shadow", "gshadow", ".pwd.lock")}
    accounts |= {path.with_name(path.name + "-") for path in accounts}
    assert [path for path in left - accounts if "ksa" in path.name or not path.is_dir()] == []


def test_removal_keeps_what_is_not_the_packages_own(packages, tmp_path):
    rpm = ("rpm", "--root", tmp_path)
    run(*rpm, "--initdb")
    run(*rpm, "-i", "--nodeps", packages["ksa"])
    kept = [tmp_path / "etc/ksa/ksa.conf", tmp_path / "var/lib/ksa/registry", tmp_path / "var/lib/ksa/credentials/prod"]
    for path in kept:
        path.write_text("ours\n")
    run(*rpm, "-e", "ksa")
    assert [path.read_text() for path in kept] == ["ours\n"] * 3


# --- With the macros of a distribution ---


def test_scriptlets_name_the_timers_alone():
    """The services run when they are due, not at an installation."""
    macros = [word for name in ("post", "preun", "postun") for word in ("--define", "systemd_%s() echo %s %%{*}" % (name, name))]
    output = run("rpmspec", "-q", "--qf", "%{NAME}: %{POSTIN}|%{PREUN}|%{POSTUN}\n", *macros, SPEC)
    timers = " ksa-keys.timer ksa-credential.timer ksa-accounts.timer"
    assert "ksa: echo post%s|echo preun%s|echo postun%s\n" % (timers, timers, timers) in output
    assert {path.name for path in (ROOT / "packaging/systemd").glob("*.timer")} == set(timers.split())
    assert output.count("(none)|(none)|(none)") == 3


@pytest.mark.parametrize("macro", ("_unitdir", "_sysusersdir", "_tmpfilesdir", "_pam_moduledir"))
def test_directories_are_the_distributions(macro):
    ours, theirs = run("rpmspec", "--parse", SPEC), run("rpmspec", "--parse", "--define", macro + " /of/fedora", SPEC)
    assert "/of/fedora" not in ours and "%{" not in ours.split("%changelog")[0].replace("%{nil}", "")
    assert len(re.findall("=/of/fedora", theirs)) == 1 and re.search("^/of/fedora/", theirs, re.M)
