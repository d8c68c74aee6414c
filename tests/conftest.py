# SPDX-License-Identifier: BSD-2-Clause
"""The private host that the tests run on. tests/run starts them inside packaging/private-host."""
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

import faults  # noqa: E402
import host as private_host  # noqa: E402


def set_up_job():
    directory = private_host.HOME / ".ssh"
    directory.mkdir(mode=0o700, exist_ok=True)
    keys = "".join("build-7,other %s" % path.read_text() for path in Path("/etc/ssh").glob("ssh_host_*_key.pub"))
    keys += "".join("[build-7]:* %s" % path.read_text() for path in Path("/etc/ssh").glob("ssh_host_*_key.pub"))
    (directory / "known_hosts").write_text(keys)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "id_ed25519"], check=True)
    alice = Path("/home/alice/.ssh")
    alice.mkdir(mode=0o700, exist_ok=True)
    (alice / "authorized_keys").write_text((directory / "id_ed25519.pub").read_text())
    subprocess.run(["chown", "-R", "job:", directory], check=True)
    subprocess.run(["chown", "-R", "alice:", alice], check=True)
    subprocess.run(["chpasswd"], input=b"alice:correct horse\n", check=True)
    with open("/etc/hosts", "a") as hosts:
        hosts.write("127.0.0.1 other\n")


@pytest.fixture(scope="session")
def private():
    if socket.gethostname() != "build-7" or not os.path.exists("/etc/ksa"):
        pytest.exit("run these through tests/run, which starts them on a private host", 2)
    set_up_job()
    return private_host.Host()


@pytest.fixture
def host(private):
    """The private host with its example files as they are shipped."""
    private.reset()
    yield private
    private.stop_sshds()


@pytest.fixture(scope="module")
def api_double(private, tmp_path_factory):
    """A double of an API server, and the authority that signed its certificate."""
    certificates, server = faults.start_cluster(tmp_path_factory.mktemp("certificates"), private)
    with server:
        yield certificates, server


@pytest.fixture
def login_host(host, api_double):
    """The private host with the double, reset, as its cluster."""
    certificates, server = api_double
    server.reset(host.key)
    login_host = faults.LoginHost(host, certificates, server)
    yield login_host
    login_host.end()
