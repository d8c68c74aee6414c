"""What the integration tests share: the build they test."""
import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def build():
    """The build folder: KSA_BUILD, as tests/run sets it."""
    folder = os.environ.get("KSA_BUILD")
    if not folder or not Path(folder, "ksactl").is_file():
        pytest.exit("set KSA_BUILD to a build folder (tests/support/build SOURCE BUILD), or use tests/run", 2)
    return Path(folder)


@pytest.fixture
def state():
    """/var/lib, which the private host shares with the machine, is empty here but for ksa's folders."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "ksa-state", "/var/lib"], check=True)
    for name in ("credentials", "used"):
        os.makedirs("/var/lib/ksa/" + name, mode=0o700)
    yield
    subprocess.run(["umount", "/var/lib"], check=True)
