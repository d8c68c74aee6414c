# SPDX-License-Identifier: BSD-2-Clause
"""tests/support/commits, which .ci/run calls: the form of commit messages, on whole and shallow clones and without one."""
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tests/support/commits"
NAMES = {"GIT_%s_%s" % (role, field): value for role in ("AUTHOR", "COMMITTER")
         for field, value in (("NAME", "A"), ("EMAIL", "a@example.com"))}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", **NAMES}
GOOD = "token: reject a claim that appears twice\n\nOne of the two was read, the other one logged.\n"


def git(directory, *args, **more):
    return subprocess.run(["git", *args], cwd=directory, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True, **more)


def commit(directory, message):
    git(directory, "commit", "-q", "--allow-empty", "-F", "-", input=message)


def run_check(directory):
    return subprocess.run([directory / "tests/support/commits"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def checked(directory):
    """(status, the last line, the complaints)"""
    process = run_check(directory)
    return process.returncode, process.stdout.splitlines()[-1], process.stderr


@pytest.fixture
def repository(tmp_path):
    """Two commits of any form, the second of which adds the check."""
    directory = tmp_path / "whole"
    (directory / "tests/support").mkdir(parents=True)
    git(directory, "init", "-q")
    commit(directory, "Before the check.")
    shutil.copy(SCRIPT, directory / "tests/support/commits")
    git(directory, "add", "-A")
    commit(directory, "The commit that adds it.")
    return directory


def test_commits_before_the_check_are_not_checked(repository):
    assert checked(repository) == (0, "commits: 0 checked", "")


@pytest.mark.parametrize("message, complaint", [
    (GOOD, None), ("nss_module: x\n\ny\n", None), ("README, ksactl(8): name it\n\nWhy.\n", None),
    ("token: " + "x" * 65 + "\n\nWhy.\n", None), ("token: " + "é" * 66 + "\n\nWhy.\n", "72 characters"),
    ("Reject a claim\n\nWhy.\n", "valid subject"), ("token reject a claim\n\nWhy.\n", "valid subject"),
    ("reject a claim: twice\n\nWhy.\n", "valid subject"),
    ("token: Reject a claim\n\nWhy.\n", "valid subject"), ("token: reject a claim.\n\nWhy.\n", "valid subject"),
    ("token: reject a claim\n", "no body"), ("token: reject a claim\nWhy, without an empty line, %s\n" % ("x" * 40), "72 characters")])
def test_form(repository, message, complaint):
    commit(repository, GOOD)
    commit(repository, message)
    status, last, complaints = checked(repository)
    assert last == "commits: 2 checked"
    if complaint is None:
        assert (status, complaints) == (0, "")
    else:
        assert status == 1 and complaint in complaints and "appears twice" not in complaints, complaints


def test_each_commit_counts_and_merges_do_not(repository):
    commit(repository, "Bad\n")
    git(repository, "checkout", "-q", "-b", "other", "HEAD~1")
    commit(repository, GOOD)
    git(repository, "checkout", "-q", "-")
    git(repository, "merge", "-q", "--no-ff", "-m", "Merge", "other")
    status, last, complaints = checked(repository)
    assert (status, last) == (1, "commits: 2 checked") and "Merge" not in complaints and '"Bad"' in complaints


@pytest.mark.parametrize("depth, count", [(1, 0), (2, 1)])
def test_shallow_clone(repository, tmp_path, depth, count):
    for _ in range(3):
        commit(repository, GOOD)
    git(tmp_path, "clone", "-q", "--depth", str(depth), repository.as_uri(), "shallow")
    status, last, _ = checked(tmp_path / "shallow")
    assert status == 0 and last == "commits: %d checked, the older ones are not in this shallow clone" % count


def test_without_history(repository):
    shutil.rmtree(repository / ".git")
    assert checked(repository) == (0, "commits: 0 checked, there is no history here", "")


def test_history_that_git_cannot_read_is_an_error(repository):
    """Not a clone without commits: nothing was checked then."""
    (repository / ".git/HEAD").write_text("junk")
    process = run_check(repository)
    assert process.returncode != 0 and process.stdout == "", process
