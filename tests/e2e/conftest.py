# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the end-to-end tests: a cluster's API server."""
import os
from pathlib import Path

import pytest

import apiserver
from cluster_host import RealHost
from host import SOURCE


@pytest.fixture(scope="session")
def api_server(private, tmp_path_factory):
    """A real one, from the programs in KSA_KUBERNETES, which tests/run sets for files called test_cluster*."""
    programs = os.environ.get("KSA_KUBERNETES")
    if not programs:
        why = os.environ.get("KSA_KUBERNETES_WHY") or "KSA_KUBERNETES names no directory with kube-apiserver and etcd"
        # In CI a skipped test may stay unread, so it is a failure there.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    hosts = Path("/etc/hosts")
    hosts.write_text(hosts.read_text() + "127.0.0.1 api.prod.test\n")
    with apiserver.ApiServer(programs, tmp_path_factory.mktemp("cluster")) as server:
        yield server


@pytest.fixture(scope="session")
def prepared(api_server):
    RealHost.prepare(api_server)
    return api_server


@pytest.fixture
def cluster(host, prepared):
    """The private host with that server as its cluster, and an account ci/deployer to log in with."""
    both = RealHost(host, prepared)
    both.reset()
    return both


@pytest.fixture(scope="session")
def manifests(api_server):
    """A cluster that is prepared only by the manifests of packaging/kubernetes."""
    for name in ("host-account.yaml", "login-grants.yaml"):
        api_server.apply((SOURCE / "packaging" / "kubernetes" / name).read_text())
    return api_server


@pytest.fixture
def reviewed(login_host):
    """The shipped stacks of sshd and sudo, a rule that requires a review, and a timeout that is long enough to look around."""
    login_host.timeout = 30
    login_host.write("require")
    login_host.host.give_token(login_host.host.token())
    return login_host
