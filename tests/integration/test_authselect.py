# SPDX-License-Identifier: BSD-2-Clause
"""packaging/authselect/make-profile, with a stand-in for authselect's profile: authselect is not in Debian."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STACK = """\
auth        required     pam_env.so
auth        required     pam_faillock.so preauth silent    {include if "with-faillock"}
auth        sufficient   pam_unix.so
auth        required     pam_faillock.so authfail          {include if "with-faillock"}
auth        required     pam_deny.so

account     required     pam_access.so                     {include if "with-pamaccess"}
account     required     pam_unix.so

session     required     pam_unix.so
"""
NSSWITCH = """\
passwd:     files {if "with-altfiles":altfiles }systemd
shadow:     files systemd
group:      files systemd {exclude if "with-group-merging"}
group:      files [SUCCESS=merge] systemd [SUCCESS=merge] {include if "with-group-merging"}
hosts:      files dns
"""
FILES = {"README": "Local users only\n\nText.\n", "REQUIREMENTS": "Nothing.\n", "system-auth": STACK, "password-auth": STACK,
         "nsswitch.conf": NSSWITCH, "postlogin": "session optional pam_umask.so silent\n"}


@pytest.fixture
def source(tmp_path):
    (tmp_path / "local").mkdir()
    for name, text in FILES.items():
        (tmp_path / "local" / name).write_text(text)
    return tmp_path / "local"


def make(source):
    profile = source.parent / "custom/ksa"
    result = subprocess.run([ROOT / "packaging/authselect/make-profile", source, profile], capture_output=True, text=True)
    return profile, result.returncode, result.stderr


def added(old, new):
    """{line that was added: the next line of the old text}; every old line must be there in its order."""
    found, rest = {}, old.splitlines()
    for line in new.splitlines():
        if rest and line == rest[0]:
            rest.pop(0)
        else:
            found[line] = rest[0]
    assert rest == []
    return found


def test_pam_lines_are_those_of_debian(source):
    """With success=done, because these files are included and have no number of lines to jump over."""
    profile, status, errors = make(source)
    assert (status, errors) == (0, "")
    debian = (ROOT / "packaging/debian/pam-configs/ksa").read_text().replace("success=end", "success=done")
    auth, account = ("%s %s" % (group, " ".join(re.search("^%s:\n\t(.*)" % name, debian, re.M).group(1).split()))
                     for group, name in (("auth", "Auth"), ("account", "Account")))
    for name in ("system-auth", "password-auth"):
        lines = {" ".join(line.split()): before for line, before in added(STACK, (profile / name).read_text()).items()}
        assert lines == {auth: STACK.splitlines()[1], account: STACK.splitlines()[6]}


def test_nsswitch_lines(source):
    lines = (make(source)[0] / "nsswitch.conf").read_text().splitlines()
    assert lines == ['passwd:     files {if "with-altfiles":altfiles }ksa systemd', "shadow:     files systemd",
                     'group:      files ksa systemd {exclude if "with-group-merging"}',
                     'group:      files [SUCCESS=merge] ksa [SUCCESS=merge] systemd [SUCCESS=merge] {include if "with-group-merging"}',
                     "hosts:      files dns"]


def test_other_files_are_kept_and_texts_begin_with_ksa(source):
    profile = make(source)[0]
    assert sorted(path.name for path in profile.iterdir()) == sorted(FILES)
    assert (profile / "postlogin").read_text() == FILES["postlogin"] and profile.stat().st_mode & 0o777 == 0o755
    assert (profile / "README").read_text() == "Local users and Kubernetes service accounts (ksa)\nThe same as: " + FILES["README"]
    assert (profile / "REQUIREMENTS").read_text().endswith("finds no problem.\n\nNothing.\n")


@pytest.mark.parametrize("name, old, new", [
    ("system-auth", "pam_faillock.so preauth", "pam_tally2.so"), ("password-auth", "account ", "-account "),
    ("password-auth", STACK.splitlines()[1] + "\n", STACK.splitlines()[1] + "\n" + STACK.splitlines()[1] + "\n"),
    ("system-auth", "required     pam_env.so", "sufficient   pam_unix.so"),
    ("nsswitch.conf", "altfiles }systemd", "altfiles }sss"), ("nsswitch.conf", "passwd:", "users:"),
    ("system-auth", "pam_deny.so", "pam_ksa.so"), ("README", None, None)])
def test_a_source_that_does_not_fit_is_refused(source, name, old, new):
    """Missing, twice, after pam_unix, with ksa, or not a profile."""
    if old is None:
        (source / name).unlink()
    else:
        text = (source / name).read_text()
        assert old in text
        (source / name).write_text(text.replace(old, new, 9 if old.startswith("account") else 1))
    profile, status, errors = make(source)
    assert status == 1 and errors.startswith("make-profile: ") and str(source) in errors
    assert [path for path in source.parent.rglob("*") if "ksa" in path.name] == [] and not profile.exists()


def test_a_profile_that_exists_is_kept(source):
    profile = make(source)[0]
    assert make(source)[1:] == (1, "make-profile: %s exists; remove it first\n" % profile)
