# SPDX-License-Identifier: BSD-2-Clause
"""make uninstall: removes what make install installed, and names what is left of ksa, only if it is there."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AUTH = "auth [success=done default=die] pam_ksa.so\n"
# (file, its text) of a host that has them all; and what is printed for it.
LEFT = [("etc/pam.d/sshd", AUTH, "remove the lines with pam_ksa.so"),
        ("etc/nsswitch.conf", "passwd: files ksa systemd\n", "remove ksa from these lines: passwd, group, initgroups"),
        ("etc/ssh/sshd_config.d/ksa.conf", "Match User ci_*\n", "remove it, and reload sshd"),
        ("etc/sudoers.d/ksa", "Defaults:ci timestamp_timeout=0\n", "remove it"),
        ("etc/systemd/system/timers.target.wants/ksa-keys.timer", None, "remove it"),
        ("etc/passwd", "root:x:0:0::/:/bin/sh\n_ksa:x:99:99::/:/usr/sbin/nologin\n", "userdel --root {root} _ksa")]


def make(build, command, tree):
    return subprocess.run(["make", "-s", "-C", build, command, "DESTDIR=%s" % tree], text=True, timeout=300, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def told(tree):
    """The lines that the script prints, without its first."""
    lines = subprocess.run([ROOT / "packaging/left-behind", tree, "/etc", "/var", "/run"], text=True, check=True,
                           capture_output=True).stdout.splitlines()
    assert not lines or lines[0] == "make uninstall leaves these on the host:"
    return [line.strip() for line in lines[1:]]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.symlink_to("/usr/lib/systemd/system/" + path.name)
    else:
        path.write_text(text)


def test_nothing_is_installed_that_is_not_removed(build, tmp_path):
    make(build, "install", tmp_path)
    assert (tmp_path / "usr/sbin/ksactl").exists()
    output = make(build, "uninstall", tmp_path)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []
    assert "make uninstall leaves" not in output


def test_make_uninstall_names_what_is_left(build, tmp_path):
    """In the directory of DESTDIR, and nothing of this host, which has all of it."""
    make(build, "install", tmp_path)
    write(tmp_path / "etc/pam.d/sudo", AUTH)
    (tmp_path / "var/lib/ksa").mkdir(parents=True)
    output = make(build, "uninstall", tmp_path)
    assert output[output.index("make uninstall"):].splitlines() == [
        "make uninstall leaves these on the host:", "  %s/etc/pam.d/sudo: remove the lines with pam_ksa.so" % tmp_path,
        "  %s/var/lib/ksa: which uid each account had, credentials, marks of tokens; keep it if files belong to these uids" % tmp_path]


@pytest.mark.parametrize("name, text, remedy", LEFT, ids=[name for name, _, _ in LEFT])
def test_each_is_named_alone(tmp_path, name, text, remedy):
    assert told(tmp_path) == []
    write(tmp_path / name, text)
    path = "the user _ksa" if name == "etc/passwd" else tmp_path / name
    assert told(tmp_path) == ["%s: %s" % (path, remedy.format(root=tmp_path))]


@pytest.mark.parametrize("name", ["etc/ksa", "var/lib/ksa", "var/cache/ksa", "run/ksa"])
def test_directories(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    assert len(told(tmp_path)) == 1 and told(tmp_path)[0].startswith("%s: " % (tmp_path / name))


@pytest.mark.parametrize("name, text", [
    ("etc/pam.d/sshd", "#" + AUTH), ("etc/nsswitch.conf", "passwd: files # ksa\nhosts: files ksa\n"),
    ("etc/nsswitch.conf", "passwd: files ksafoo\n"), ("etc/passwd", "x_ksa:x:9:9::/:/bin/sh\n")])
def test_what_only_looks_like_it_is_not_named(tmp_path, name, text):
    write(tmp_path / name, text)
    assert told(tmp_path) == []
