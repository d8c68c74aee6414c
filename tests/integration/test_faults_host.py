# SPDX-License-Identifier: BSD-2-Clause
"""Errors of this host while a login asks the cluster, made by strace: prefer never yields to one, because a local user may
have caused it."""
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
from faults import FETCH

HOST, DENIED = "host-error", "AUTHINFO_UNAVAIL"
# name: the error that strace injects in ksa-fetch, the reasons that may be logged
FAILS = {
    "connect EADDRNOTAVAIL": ("connect:error=EADDRNOTAVAIL", {HOST}),
    "connect ENOBUFS": ("connect:error=ENOBUFS", {HOST}),
    "connect ENOMEM": ("connect:error=ENOMEM", {HOST}),
    "connect EPERM": ("connect:error=EPERM", {HOST}),
    # libcurl takes it for a connection that is on its way
    "connect EAGAIN": ("connect:error=EAGAIN", {HOST, "api-tls", "api-answer-invalid"}),
    "socket EMFILE": ("socket:error=EMFILE", {HOST}),
    "socket ENFILE": ("socket:error=ENFILE", {HOST}),
    "socket ENOBUFS": ("socket:error=ENOBUFS", {HOST}),
    "socket ENOMEM": ("socket:error=ENOMEM", {HOST}),
    "socket EACCES": ("socket:error=EACCES", {HOST}),
    "socket EPERM": ("socket:error=EPERM", {HOST}),
    "socket EAGAIN": ("socket:error=EAGAIN", {HOST}),
}
# The same in the way to an address of a name; clone3 is the thread that resolves it.
RESOLVES = {
    "no thread": ("clone3,clone:error=EAGAIN", {HOST}),
    "no socket": ("socket:error=EMFILE", {HOST}),
    "no port": ("connect:error=EAGAIN", {HOST}),
}
# The last five are what a firewall or router on the way answers by ICMP: EACCES is "administratively prohibited" of IPv6.
OTHERS = ("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "ECONNRESET", "EACCES", "EPROTO", "ENOPROTOOPT", "ENONET",
          "EOPNOTSUPP")


def traced(login_host, what):
    """The real ksa-fetch, in which strace injects WHAT."""
    real = Path("/run/real-ksa-fetch")
    shutil.copy(FETCH, real)
    program = login_host.host.write("/run/traced-ksa-fetch", "#!/bin/sh\nexec %s -D -f -o /dev/null -e inject=%s %s\n"
                                    % (shutil.which("strace"), what, real), 0o755)
    login_host.in_place_of(FETCH, program)


def refused(outcome, reasons, review):
    assert (outcome.auth, outcome.review) == (DENIED, review) and outcome.reason in reasons, outcome


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("name", FAILS)
def test_prefer_yielded_to_an_error_of_this_host(login_host, name, review):
    what, reasons = FAILS[name]
    login_host.write(review)
    traced(login_host, what)
    refused(login_host.login(), reasons, review)
    assert login_host.server.counts == {}


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("name", RESOLVES)
def test_prefer_yielded_to_a_resolver_without_means(login_host, name, review):
    what, reasons = RESOLVES[name]
    login_host.url = "https://nowhere.invalid:6443"
    login_host.write(review)
    traced(login_host, what)
    refused(login_host.login(), reasons, review)


@pytest.mark.parametrize("number", OTHERS)
def test_an_error_of_the_network_is_yielded_to(login_host, number):
    login_host.write("prefer")
    traced(login_host, "connect:error=%s" % number)
    outcome = login_host.login()
    assert (outcome.auth, outcome.reason, outcome.review) == ("SUCCESS", "ok", "skipped"), outcome


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("what", ("clone:error=EAGAIN", "clone:error=ENOMEM", "socketpair:error=EMFILE", "socketpair:error=ENFILE"))
def test_no_process_for_ksa_fetch(login_host, what, review):
    """Neither a descriptor nor a process is left for it: in the program that calls PAM."""
    login_host.write(review)
    login_host.host.edit("/etc/ksa/ksa.conf", "service = sshd sudo", "service = sshd sudo warm")
    login_host.host.write("/etc/pam.d/warm", "auth required pam_ksa.so nodelay\n")
    answers = "".join(part + "\n" for part in issuer.answers(login_host.host.token())).encode()
    size = login_host.host.log_size()
    done = subprocess.run(["strace", "-o", "/dev/null", "-e", "inject=" + what, shutil.which("pamtester"), "warm", "deploy-bot",
                           "authenticate"], input=answers, capture_output=True, timeout=60)
    line, = [line for line in login_host.host.log_since(size) if "pam_ksa(" in line]
    assert done.returncode != 0 and " reason=%s " % HOST in line, line
