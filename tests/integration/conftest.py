# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the integration tests: the build, a PAM stack, ksa-askpass on each shell."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import askpass
import pam


@pytest.fixture(scope="session")
def build():
    """The build directory: KSA_BUILD, as tests/run sets it."""
    directory = os.environ.get("KSA_BUILD")
    if not directory or not Path(directory, "ksactl/ksactl").is_file():
        pytest.exit("set KSA_BUILD to a build directory (tests/support/build SOURCE BUILD), or use tests/run", 2)
    return Path(directory)


@pytest.fixture
def stack(host):
    """A PAM stack that has only pam_ksa, with one rule for sshd and sudo."""
    host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd sudo\n")
    return pam.PamStack(host)


@pytest.fixture(params=["dash", "bash --posix", "busybox ash"])
def shell(request):
    """The command of a shell that ksa-askpass must run on."""
    program, *options = request.param.split()
    return [shutil.which(program)] + options


@pytest.fixture(scope="session")
def ssh(tmp_path_factory):
    """A program named ssh that starts SSH_ASKPASS."""
    program = tmp_path_factory.mktemp("asking") / "ssh"
    subprocess.run(["cc", "-o", program, askpass.SOURCE / "tests/integration/asking_ssh.c"], check=True)
    return program


@pytest.fixture
def client(shell, tmp_path, ssh):
    """ksa-askpass under SHELL, as the child of ssh."""
    client = askpass.Client(shell, tmp_path, ssh)
    yield client
    client.end()
