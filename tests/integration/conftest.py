"""What the integration tests share: the build they test, and the issuer."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))


@pytest.fixture(scope="session")
def build():
    """The build folder: KSA_BUILD, as tests/run sets it."""
    folder = os.environ.get("KSA_BUILD")
    if not folder or not Path(folder, "ksactl").is_file():
        pytest.exit("set KSA_BUILD to a build folder (tests/support/build SOURCE BUILD), or use tests/run", 2)
    return Path(folder)
