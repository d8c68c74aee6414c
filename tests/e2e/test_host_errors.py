# SPDX-License-Identifier: BSD-2-Clause
"""A local user takes what this host needs to ask the cluster: with review = prefer, ssh logins are refused and not let
through without a review."""
import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from api_double import REVIEW, claims_of

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
AS_ALICE = ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "--inh-caps=-all"]
# Takes every port of the range and keeps them: for connections to a server, or for datagrams.
CONNECT = """
import socket, struct, sys
server = (sys.argv[1], int(sys.argv[2]))
listener = socket.create_server(server) if sys.argv[1] != "127.0.0.1" else None
taken = []
while True:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no TIME_WAIT is left
    try:
        one.connect(server)
    except OSError:
        break
    taken.append(one)
print(len(taken), flush=True)
sys.stdin.read()
"""
BIND = """
import socket, sys
taken = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
for number, one in enumerate(taken):
    one.bind(("0.0.0.0", 41000 + number))
print(len(taken), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def narrow(login_host):
    """Eight ports for connections that this host makes, and time to ask."""
    before = RANGE.read_text()
    login_host.timeout = 10
    RANGE.write_text("41000 41007")
    yield login_host
    RANGE.write_text(before)


@contextlib.contextmanager
def taken(program, *arguments):
    """The ports are in the hands of a user without root."""
    command = [*AS_ALICE, sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"8\n"
        yield
        process.stdin.close()


def name_both(login_host):
    """A name with two addresses."""
    hosts = Path("/etc/hosts")
    before = hosts.read_text()
    hosts.write_text(before + "127.0.0.1 both.example\n127.0.0.2 both.example\n::1 dual.example\n127.0.0.1 dual.example\n")
    login_host.cleanups.callback(hosts.write_text, before)


def revoked(login_host):
    token = login_host.host.token()
    login_host.server.revoked.add(claims_of(token)["jti"])
    return token


def test_ports_towards_the_server_used_up_by_a_local_user(narrow):
    """The review that would have refused a revoked token was skipped."""
    narrow.write("prefer")
    with taken(CONNECT, "127.0.0.1", narrow.server.port):
        for token in (revoked(narrow), narrow.host.token()):
            result = narrow.host.ssh(token)
            assert result.reasons == ["host-error"] and not result.out, result
        assert narrow.server.counts == {}
    result = narrow.host.ssh(narrow.host.token())
    assert result.out == "deploy-bot\n" and " review=prefer " in result.allowed[0], result
    assert narrow.server.counts == {REVIEW: 1}


def test_ports_of_the_resolver_used_up_by_a_local_user(narrow):
    """Without a port no name server can be asked: that does not decide about the name."""
    resolver = narrow.host.write("/run/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    narrow.in_place_of(Path("/etc/resolv.conf").resolve(), resolver)
    narrow.url = "https://api.prod.example:%d" % narrow.server.port
    narrow.write("prefer")
    with taken(BIND):
        result = narrow.host.ssh(revoked(narrow))
        assert result.reasons == ["host-error"] and not result.out, result
    result = narrow.host.ssh(narrow.host.token())
    assert result.out == "deploy-bot\n" and " review=skipped" in result.allowed[0], result


def test_an_unreachable_cluster_is_still_yielded_to(narrow):
    """The same narrow host, with ports left and no server: prefer does what it is for."""
    narrow.url = "https://127.0.0.1:1"
    narrow.write("prefer")
    result = narrow.host.ssh(narrow.host.token())
    assert result.out == "deploy-bot\n" and " review=skipped" in result.allowed[0], result


def test_one_of_two_addresses_that_failed_by_this_host(narrow):
    """127.0.0.1 refuses, which alone would be an unreachable cluster; towards 127.0.0.2 no port is left."""
    name_both(narrow)
    narrow.url = "https://both.example:6443"
    narrow.write("prefer")
    with taken(CONNECT, "127.0.0.2", 6443):
        result = narrow.host.ssh(revoked(narrow))
        assert result.reasons == ["host-error"] and not result.out, result


def test_one_of_two_addresses_that_failed_by_this_host_and_one_that_is_silent(narrow):
    """The time had ended in the login before ksa-fetch could report the error: a timeout, to which prefer yields."""
    name_both(narrow)
    port = narrow.server.port
    narrow.url = "https://both.example:%d" % port
    narrow.timeout = 4
    narrow.write("prefer")
    with socket.create_server(("127.0.0.2", port)):
        with taken(CONNECT, "127.0.0.1", port):
            result = narrow.host.ssh(revoked(narrow))
            assert result.reasons == ["host-error"] and not result.out, result
        narrow.url = "https://127.0.0.2:%d" % port
        narrow.write("prefer")
        result = narrow.host.ssh(narrow.host.token())
        assert result.out == "deploy-bot\n" and " review=skipped" in result.allowed[0], result


def test_ipv6_switched_off_is_no_error_of_the_login(narrow):
    """connect() to an IPv6 address fails with EADDRNOTAVAIL there, too: the cluster has an IPv4 address, which refuses."""
    switch = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    narrow.cleanups.callback(switch.write_text, switch.read_text())
    switch.write_text("1")
    name_both(narrow)
    for url in ("https://dual.example:1", "https://[::1]:1", "https://[2001:db8::1]:1"):
        narrow.url = url
        narrow.write("prefer")
        result = narrow.host.ssh(narrow.host.token())
        assert result.out == "deploy-bot\n" and " review=skipped" in result.allowed[0], result
