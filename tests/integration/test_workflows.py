# SPDX-License-Identifier: BSD-2-Clause
"""The workflows of the hosting site, and what tests/support/workflows.py refuses in them."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
GOOD = """name: ci
on:
  push:
permissions:
  contents: read
concurrency:
  group: ci
  cancel-in-progress: true
jobs:
  gate:
    strategy:
      matrix:
        image: ["debian:12"]
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    container: ${{ matrix.image }}
    steps:
      - uses: %s
        with:
          persist-credentials: false
      - run: .ci/run
""" % CHECKOUT


def check(source):
    result = subprocess.run(["/usr/bin/python3", ROOT / "tests/support/workflows.py", source], stdout=subprocess.PIPE, text=True)
    assert result.returncode == (1 if result.stdout else 0)
    return result.stdout


def test_workflows_are_sound():
    """A tarball has none, as it has no .ci/run."""
    assert len(list((ROOT / ".github/workflows").glob("*.yml"))) == (2 if (ROOT / ".ci").exists() else 0)
    assert check(ROOT) == ""


@pytest.mark.parametrize("old, new, problem", [
    ("", "", ""),
    ("contents: read", "contents: write", "permissions may only be contents: read"),
    ("permissions:\n  contents: read\n", "", "the workflow has no permissions"),
    ("timeout-minutes: 60\n", "timeout-minutes: 60\n    permissions: write-all\n", "gate has the key permissions"),
    ("cancel-in-progress: true", "cancel-in-progress: false", "concurrency needs"),
    ("push:", "pull_request_target:", "the rights of this repository"),
    (" # v4.2.2", "", "the version of the action is missing"),
    ("@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4.2.2", "not an action pinned to a commit"),
    ("actions/checkout", "someone/checkout", "not an action pinned to a commit"),
    ("persist-credentials: false", "persist-credentials: true", "leaves credentials behind"),
    (".ci/run", "make check", "does not run a script of this tree alone"),
    (".ci/run", ".ci/run; curl https://example.com", "does not run a script of this tree alone"),
    (".ci/run", "tests/run ${{ github.head_ref }}", "an expression that is not of its matrix"),
    ("${{ matrix.image }}", "${{ matrix.images }}", "an expression that is not of its matrix: matrix.images"),
    ("- run: .ci/run", "- name: nothing", "needs either run or uses"),
    ("    timeout-minutes: 60\n", "", "gate has no timeout-minutes"),
    ("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    runs-on: debian", "a key appears twice: runs-on"),
    ("name: ci", "name: [", "workflows/ci.yml"),
])
def test_a_problem_is_found(tmp_path, old, new, problem):
    assert old in GOOD
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/ci.yml").write_text(GOOD.replace(old, new, 1))
    found = check(tmp_path)
    assert problem in found and bool(found) == bool(problem)
