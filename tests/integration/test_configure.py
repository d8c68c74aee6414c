# SPDX-License-Identifier: BSD-2-Clause
"""configure and the Makefile that it writes: without a warning, for each compiler, and with nothing left of an older run."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# as tests/support/build configures
LIKE_A_PACKAGE = ("--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "--runstatedir=/run")


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A copy of the sources, and the output of autoreconf, which made configure there."""
    tree = tmp_path_factory.mktemp("configure") / "source"
    left = shutil.ignore_patterns(".git", "configure", "Makefile.in", "aclocal.m4", "autom4te.cache", "build-aux", "m4", "data")
    shutil.copytree(ROOT, tree, ignore=left)
    result = run(["autoreconf", "-fi"], cwd=tree)
    assert result.returncode == 0, result.stdout
    return tree, result.stdout


def test_autoreconf_has_no_warning(made):
    """aclocal could not open the directory m4."""
    assert [line for line in made[1].splitlines() if "warning" in line] == []


def directories(tree, build, *options, **environment):
    """pamdir and nssdir of a build."""
    build.mkdir()
    result = run([tree / "configure", *LIKE_A_PACKAGE, *options], cwd=build, env={**os.environ, **environment})
    assert result.returncode == 0, result.stdout
    text = (build / "Makefile").read_text()
    return [re.search(r"^%s = (.*)" % name, text, re.M).group(1) for name in ("pamdir", "nssdir")]


def test_directories_of_modules_are_those_that_the_compiler_links_with(made, tmp_path):
    """Asked by -print-multiarch, which clang 21 does not have, and by the place of pam_unix.so, which a cross build does not
    have: the PAM module went to /usr/lib/security."""
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase " $* " in *" -print-multi"*) echo "cc: unsupported option" >&2; exit 1 ;; esac\n'
                        'exec gcc "$@"\n')
    compiler.chmod(0o755)
    pamdir, nssdir = directories(made[0], tmp_path / "build", CC=str(compiler))
    assert Path(pamdir, "pam_unix.so").is_file() and Path(nssdir, "libc.so.6").exists()


def test_directories_of_modules_follow_the_flags(made, tmp_path):
    """As -m32 does: another directory, which has no modules yet."""
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase " $* " in *" -DOTHER "*-print-file-name=libpam.so*) echo /usr/lib/tmpfiles.d/libpam.so ;;\n'
                        '*) exec gcc "$@" ;; esac\n')
    compiler.chmod(0o755)
    found = directories(made[0], tmp_path / "build", "CFLAGS=-O1 -DOTHER ", CC=str(compiler))
    assert [path.replace("/usr/lib", "/lib") for path in found] == ["/lib/tmpfiles.d/security", "/lib/tmpfiles.d"]


@pytest.fixture
def foreign(tmp_path):
    """A cross compiler whose libraries are in a directory that the host will not have."""
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase " $* " in *-print-file-name=libpam.so*) echo /opt/target/usr/lib/libpam.so ;;\n'
                        '*) exec gcc "$@" ;; esac\n')
    compiler.chmod(0o755)
    return {"CC": str(compiler)}


@pytest.mark.parametrize("options, missing", [
    ((), "pamdir"), (("--with-pamdir=/lib/security",), "nssdir"), (("--with-nssdir=/lib",), "pamdir")])
def test_an_unknown_directory_of_modules_is_asked_for(made, tmp_path, foreign, options, missing):
    """The module went to /usr/lib/security, without a word."""
    result = run([made[0] / "configure", *LIKE_A_PACKAGE, *options], cwd=tmp_path, env={**os.environ, **foreign})
    assert result.returncode == 1 and re.search("^configure: error: .*; give --with-%s=DIR, " % missing, result.stdout, re.M)


@pytest.mark.parametrize("options, found", [
    (("--with-pamdir=/lib/security", "--with-nssdir=/lib"), ["/lib/security", "/lib"]),
    (("--libdir=/usr/lib64",), ["${libdir}/security", "${libdir}"])])
def test_given_directories_of_modules_are_taken(made, tmp_path, foreign, options, found):
    assert directories(made[0], tmp_path / "build", *options, **foreign) == found


def test_without_the_nss_module(made, tmp_path):
    """Neither it nor its manual page is built, tested or installed; no directory is asked for."""
    wanted = {}
    for name, options in (("with", ()), ("without", ("--disable-nss",))):
        directories(made[0], tmp_path / name, *options)
        wanted[name] = run(["make", "-n", "-C", tmp_path / name, "all", "check", "install", "DESTDIR=/none"]).stdout
    for name in ("libnss_ksa", "nss_ksa.8", "test_nss_map"):
        assert name in wanted["with"]
        assert [line for line in wanted["without"].splitlines() if name in line and not line.startswith("rm -f ")] == []
    assert "pam_ksa" in wanted["without"] and "pam_ksa.8" in wanted["without"]


def test_ksactl_without_the_nss_module(build, tmp_path):
    """One problem, and no line of nsswitch.conf to change."""
    shutil.copytree(build, tmp_path / "build", symlinks=True, ignore=shutil.ignore_patterns("*.log", "test_*"))
    result = run(["make", "-C", tmp_path / "build", "HAS_NSS=0", "-W", build / "source/ksactl/nsswitch.c", "ksactl/ksactl"])
    assert result.returncode == 0, result.stdout
    (tmp_path / "ksa.conf").write_text("[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = https://a.example\n"
                                       "keys = file:/etc/ksa/keys\n"
                                       "[account bot]\naccount = prod:ci/bot\naccount_uid = 6f8e3c1a-2b4d-4c5e-9f70-8a1b2c3d4e5f\n"
                                       "[rule bot]\naccount = prod:ci/bot\nuser = @own\nservice = sshd\n")
    found = run([tmp_path / "build/ksactl/ksactl", "check", "--config", tmp_path / "ksa.conf"]).stdout
    assert found.count("ksa was built without its NSS module (--disable-nss): users that ksa creates are not found") == 1
    assert "nsswitch.conf" not in found


def test_another_prefix_keeps_the_modules_inside(made, tmp_path):
    assert directories(made[0], tmp_path / "build", "--prefix=/opt/ksa") == ["${libdir}/security", "${libdir}"]


def test_files_with_values_of_configure_are_compiled_again(build):
    """ksactl --version stayed old after a change of configure.ac."""
    names = re.findall(r"-D(KSA_\w+)=", (ROOT / "Makefile.am").read_text())
    assert "KSA_CONFIG_FILE" in names
    have = {path for part in ("admin", "client", "common", "helper", "ksactl", "nss_module", "pam_module", "tests/unit")
            for path in (ROOT / part).rglob("*.c")
            if re.search(r"\b(PACKAGE_(?:VERSION|URL)|%s)\b" % "|".join(names), path.read_text())}
    assert {"host_env.c", "ksactl.c", "api.c", "map.c", "test_api.c"} <= {path.name for path in have}
    output = run(["make", "-n", "-C", build, "V=1", "-o", "configure", "-W", "Makefile", "all", "tests/unit/cluster/test_api"])
    compiled = {Path(path).name for path in re.findall(r" -c .*?([\w./-]+\.c)\b", output.stdout)}
    assert {path.name for path in have} <= compiled, output.stdout[-3000:]


def test_askpass_has_the_version_of_configure(build):
    """The script is installed as it is: its version is written by hand."""
    version = re.search(r"AC_INIT\(\[ksa\], \[([^]]+)\]", (ROOT / "configure.ac").read_text()).group(1)
    output = run([ROOT / "client/ksa-askpass", "--version"]), run([build / "ksactl/ksactl", "--version"])
    assert [one.stdout for one in output] == ["ksa-askpass %s\n" % version, "ksactl %s\n" % version]
