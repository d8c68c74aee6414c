# SPDX-License-Identifier: BSD-2-Clause
"""sudo by the session, whose token a real API server reviews: it ends with the Pod."""
import time

import pytest

from cluster_host import REVIEW_CACHED
from host import field
from sessions import Sessions

RULE = "service = sudo\ntoken = session\n"


@pytest.fixture
def sessions(cluster):
    cluster.server.pod("ci", "job", "deployer")
    found = Sessions(cluster.host, config=False)
    yield found
    found.end()
    if cluster.server.ask("GET", "/api/v1/namespaces/ci/pods/job", allow=[404])["kind"] == "Pod":
        cluster.server.delete_pod("ci", "job")


def denied_in_the_end(shell, reason):
    """The server keeps a success for ten seconds."""
    end = time.monotonic() + REVIEW_CACHED + 30
    while True:
        text, lines = shell.sudo()
        if text != "root":
            assert [field(line, "reason") for line in lines] == [reason], lines
            return
        assert time.monotonic() < end, lines
        time.sleep(0.5)


def test_pod_deleted(cluster, sessions):
    cluster.configure("", RULE + "bound = pod")
    shell = sessions.token_shell(cluster.token(pod="job"))
    (line,) = shell.allowed()
    assert field(line, "review") == "require" and field(line, "how") == "session" and field(line, "audit_id"), line
    cluster.server.delete_pod("ci", "job")
    denied_in_the_end(shell, "review-refused")


def test_without_a_review(cluster, sessions):
    """As with a fresh token: the signature alone does not show that the Pod is gone."""
    cluster.configure("", RULE)
    shell = sessions.token_shell(cluster.token(pod="job"))
    cluster.server.delete_pod("ci", "job")
    shell.allowed()
