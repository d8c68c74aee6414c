# SPDX-License-Identifier: BSD-2-Clause
"""packaging/tarball, release and sbom, in a clone of its own with a tag and a key of its own."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r"AC_INIT\(\[ksa\], \[([^]]+)\]", (ROOT / "configure.ac").read_text()).group(1)
TAG = "v" + VERSION
# What a release changes: (file, before, after).
EDITS = [("NEWS", r"\A(ksa \S+) \(.*\)", r"\1 (released 2026-12-01)"),
         ("packaging/debian/changelog", r"\A(ksa \S+) UNRELEASED;", r"\1 unstable;")]
REPEATED = [("client/ksa-askpass", r"(--version\) echo 'ksa-askpass )[^']*"), ("packaging/debian/changelog", r"\A(ksa \()[^-]*"),
            ("packaging/rpm/ksa.spec", r"(?m)(^Version: *).*"), ("NEWS", r"\A(ksa )\S+")]


def run(*command, cwd=None, **environment):
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=400)


def edit(path, pattern, new):
    text, count = re.subn(pattern, new, path.read_text(), count=1)
    assert count == 1, path
    path.write_text(text)


@pytest.fixture
def clone(tmp_path):
    """A clone with one commit: this tree, ready for a release except for its tag."""
    shutil.copytree(ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(".git", "__pycache__", "autom4te.cache"))
    for name, before, after in EDITS:
        edit(tmp_path / "clone" / name, before, after)
    clone = Clone(tmp_path / "clone")
    clone.git("init", "-q")
    clone.commit()
    return clone


class Clone:
    def __init__(self, path):
        self.path = path

    def git(self, *arguments):
        result = run("git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid", "-c", "core.excludesFile=/dev/null",
                     *arguments, cwd=self.path)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "release: set a version")

    def release(self, tag=TAG, **environment):
        result = run(self.path / "packaging/release", tag, "release@example.invalid", self.path.parent / "out", **environment)
        return result.returncode, result.stdout


# --- The tarball ---


def test_tarball_is_the_same_anywhere(clone, tmp_path):
    """Another clone, directory, time zone, umask and locale; a file that is not committed does not count."""
    clone.git("tag", "-a", TAG, "-m", "ksa")
    other = tmp_path / "another/place"
    clone.git("clone", "-q", ".", other)
    (other / "README.md").write_text("not committed\n")
    found = [run("sh", "-c", 'umask %s; exec "$0" "$@"' % umask, path / "packaging/tarball", tmp_path / umask, TAG, TZ=zone, LC_ALL=locale)
             for path, umask, zone, locale in ((clone.path, "022", "UTC", "C"), (other, "077", "Asia/Tokyo", "C.UTF-8"))]
    made = [Path(result.stdout.strip()) for result in found]
    assert [path.name for path in made] == ["ksa-%s.tar.xz" % VERSION] * 2 and made[0].read_bytes() == made[1].read_bytes()
    assert [path for path in tmp_path.glob("0*/*") if path not in made] == []
    names = run("tar", "-tf", made[0]).stdout.split("\n")
    assert sorted(name.split("/", 1)[1] for name in names if name and not name.endswith("/")) == sorted(clone.git("ls-files").split())


@pytest.mark.parametrize("name, pattern", REPEATED, ids=[name for name, _ in REPEATED])
def test_tarball_needs_one_version(clone, tmp_path, name, pattern):
    edit(clone.path / name, pattern, r"\g<1>9.8.7")
    clone.commit()
    result = run(clone.path / "packaging/tarball", tmp_path / "out")
    assert result.returncode == 1 and 'tarball: configure.ac has version "%s", %s has "9.8.7"' % (VERSION, name) in result.stdout
    assert list((tmp_path / "out").iterdir()) == []


# --- The release ---


@pytest.fixture
def key(tmp_path):
    """The directory of a throwaway key, as an environment."""
    home = {"GNUPGHOME": str(tmp_path / "gnupg")}
    (tmp_path / "gnupg").mkdir(mode=0o700)
    made = run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "release@example.invalid", "ed25519", "sign", "1d", **home)
    assert made.returncode == 0, made.stdout
    yield home
    run("gpgconf", "--kill", "gpg-agent", **home)


def test_release(clone, key, tmp_path, build):
    """With the build that there is: tests/support/build built it."""
    (clone.path / "tests/support/build").write_text('#!/bin/sh\n[ -x "$1/packaging/sbom" ] && ln -s "%s" "$2"\n' % build)
    clone.commit()
    clone.git("tag", "-a", TAG, "-m", "ksa")
    status, output = clone.release(**key)
    assert status == 0, output
    out = tmp_path / "out"
    signed = {"ksa-%s.tar.xz" % VERSION, "ksa-%s.cdx.json" % VERSION, "SHA256SUMS"}
    assert {path.name for path in out.iterdir()} == signed | {name + ".asc" for name in signed}
    sums = run("sha256sum", "-c", "SHA256SUMS", cwd=out)
    assert sums.returncode == 0 and sums.stdout.count(": OK\n") == 2 == len((out / "SHA256SUMS").read_text().splitlines())
    for name in signed:
        assert run("gpg", "--verify", out / (name + ".asc"), out / name, **key).returncode == 0
    with open(out / "SHA256SUMS", "a") as file:
        file.write("\n")
    assert run("gpg", "--verify", out / "SHA256SUMS.asc", out / "SHA256SUMS", **key).returncode == 1
    check_list(json.loads((out / ("ksa-%s.cdx.json" % VERSION)).read_text()), out / ("ksa-%s.tar.xz" % VERSION), build)


def check_list(document, tarball, build):
    """The libraries of each program are those that its dynamic section names."""
    subject = document["metadata"]["component"]
    assert (document["bomFormat"], subject["name"], subject["version"]) == ("CycloneDX", "ksa", VERSION)
    assert subject["hashes"][0]["content"] == run("sha256sum", tarball).stdout[:64]
    linked = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    programs = {"pam_ksa.so": ".libs/pam_ksa.so", "libnss_ksa.so.2": ".libs/libnss_ksa.so.2", "ksa-fetch": "ksa-fetch",
                "ksactl": "ksactl/ksactl"}
    assert sorted(linked.pop("ksa")) == sorted(programs) == sorted(linked)
    for name, path in programs.items():
        assert linked[name] == sorted(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", build / path).stdout)), name
    assert "libcurl.so.4" in linked["ksa-fetch"] and "libcurl.so.4" not in linked["pam_ksa.so"]
    libraries = {one["name"]: one.get("version") for one in document["components"] if one["type"] == "library"}
    assert set(libraries) == {name for names in linked.values() for name in names} and all(libraries.values())


@pytest.mark.parametrize("name, before, after, why", [
    ("NEWS", r"\(released .*\)", "(not yet released)", "does not begin with"),
    ("NEWS", "released ....-", "released -", "does not begin with"),
    ("packaging/debian/changelog", "unstable;", "UNRELEASED;", "has UNRELEASED"),
    ("packaging/rpm/ksa.spec", r"(%changelog\n\* .* - )\S+-", r"\g<1>0.0.9-", "%changelog does not begin with")])
def test_release_refuses_files_that_are_not_ready(clone, name, before, after, why):
    edit(clone.path / name, before, after)
    clone.commit()
    clone.git("tag", "-a", TAG, "-m", "ksa")
    status, output = clone.release()
    assert status == 1 and why in output and not (clone.path.parent / "out").exists()


def test_release_refuses_a_tag_that_does_not_fit(clone):
    """Missing, without an annotation, of another version; and a directory that exists."""
    assert clone.release() == (1, 'release: "%s" is not an annotated tag; run git tag -s %s\n' % (TAG, TAG))
    clone.git("tag", TAG)
    assert "is not an annotated tag" in clone.release()[1]
    clone.git("tag", "-a", "v9.8.7", "-m", "ksa")
    assert clone.release("v9.8.7") == (1, "release: configure.ac at v9.8.7 has another version\n")
    clone.git("tag", "-a", "-f", TAG, "-m", "ksa")
    (clone.path.parent / "out").mkdir()
    assert clone.release()[0] == 1 and list((clone.path.parent / "out").iterdir()) == []
