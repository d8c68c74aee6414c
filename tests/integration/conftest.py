# SPDX-License-Identifier: BSD-2-Clause
"""What the integration tests share: the build they test."""
import os
from pathlib import Path

import pytest

import pam


@pytest.fixture(scope="session")
def build():
    """The build folder: KSA_BUILD, as tests/run sets it."""
    folder = os.environ.get("KSA_BUILD")
    if not folder or not Path(folder, "ksactl/ksactl").is_file():
        pytest.exit("set KSA_BUILD to a build folder (tests/support/build SOURCE BUILD), or use tests/run", 2)
    return Path(folder)


@pytest.fixture
def stack(host):
    """A PAM stack that has only pam_ksa, with one rule for sshd and sudo."""
    host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd sudo\n")
    return pam.PamStack(host)
