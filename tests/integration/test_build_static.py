# SPDX-License-Identifier: BSD-2-Clause
"""packaging/build-static up to the source package, with a stand-in for apt-get: the tests have no network. tests/static has the rest."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APT = """#!/bin/sh
printf '%%s\\n' "$*" >>%(top)s/calls
case " $* " in
*" indextargets "*) cat %(top)s/targets ;;
*" update "*)
        for option; do
                case $option in
                Dir::Etc::SourceList=*) cp "${option#*=}" %(top)s/sources.list ;;
                esac
        done
        echo 'E: The repository is not signed.'
        exit 100
        ;;
esac
"""


@pytest.fixture
def build(tmp_path):
    """Runs it with this apt-get, and a place for its temporary files."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "targets").write_text("deb-src [signed-by=K] http://archive/debian/ trixie main\n" * 2)
    for name, text in (("apt-get", APT % {"top": tmp_path}), ("dpkg-buildflags", "#!/bin/sh\necho -O2\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)

    def run(*arguments):
        env = {"PATH": "%s:%s" % (tmp_path / "bin", os.environ["PATH"]), "TMPDIR": str(tmp_path / "work")}
        result = subprocess.run([ROOT / "packaging/build-static", *arguments], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, timeout=60)
        assert list((tmp_path / "work").iterdir()) == []
        return result
    return run


@pytest.mark.parametrize("arguments", ((), ("a", "b"), ("--help",)), ids=len)
def test_usage(build, arguments):
    result = build(*arguments)
    assert result.returncode == 2 and "packaging/build-static OUTDIR" in result.stderr and "SPDX" not in result.stderr


def test_without_lists_of_the_archive(build, tmp_path):
    (tmp_path / "targets").write_text("")
    result = build(tmp_path / "out")
    assert result.returncode == 1 and result.stderr.endswith("run apt-get update\n"), result


def test_apt_checks_signatures_and_uses_lists_of_its_own(build, tmp_path):
    result = build(tmp_path / "out")
    assert result.returncode == 1 and "The repository is not signed" in result.stderr and list((tmp_path / "out").iterdir()) == []
    targets, update = (tmp_path / "calls").read_text().splitlines()  # and nothing after a failure
    assert "'" not in targets and "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI)" in targets
    assert "Origin: Debian" in targets
    options = dict(re.findall(r"-o (\S+)=(\S+)", update))
    assert options["Dir::Etc::SourceParts"] == "/dev/null"
    assert all(options[name].startswith(str(tmp_path / "work")) for name in ("Dir::Etc::SourceList", "Dir::State::Lists", "Dir::Cache"))
    assert (tmp_path / "sources.list").read_text() == "deb-src [signed-by=K] http://archive/debian/ trixie main\n"
    assert not re.search("unauthenticated|insecure|trusted|no-check", update, re.I)


def test_start_file_compiles():
    result = subprocess.run(["cc", "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", ROOT / "packaging/static/start.c"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, result.stdout
