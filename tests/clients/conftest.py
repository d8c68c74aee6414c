# SPDX-License-Identifier: BSD-2-Clause
"""Makes what tests/clients/run installed visible on the private host, and gives each test of clients.py the clients of its file."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from host import SOURCE

pytest.register_assert_rewrite("clients")

import clients  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def installed(private):
    """The users of the private host cannot read root's cache, nor perhaps the source."""
    directories = [entry.split("=", 1) for entry in os.environ.get("KSA_INSTALLED", "").split()]
    for name, directory in [["source", str(SOURCE)], *directories]:
        place = Path(clients.INSTALLED, name)
        place.mkdir(parents=True)
        subprocess.run(["mount", "--bind", directory, place], check=True)


@pytest.fixture
def clean_homes(private):
    """Removes what a client leaves in the homes of both users."""
    homes = [Path("/home", name) for name in ("job", "deploy-bot")]
    before = {entry for home in homes for entry in home.iterdir()}
    yield
    for entry in {entry for home in homes for entry in home.iterdir()} - before:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def pytest_generate_tests(metafunc):
    if "client" not in metafunc.fixturenames:
        return
    rows = metafunc.module.CLIENTS
    if "algorithm" in metafunc.fixturenames:
        cases = [(name, algorithm) for name, client in rows.items() for algorithm in client.takes]
        metafunc.parametrize("client,algorithm", [(rows[name], algorithm) for name, algorithm in cases],
                             ids=["-".join(case) for case in cases])
    else:
        works = metafunc.function is not clients.test_client_does_not_log_in
        names = [name for name in rows if bool(rows[name].takes) == works]
        metafunc.parametrize("client", [rows[name] for name in names], ids=names)
