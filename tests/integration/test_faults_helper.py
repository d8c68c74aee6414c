# SPDX-License-Identifier: BSD-2-Clause
"""Logins while ksa-fetch is missing, dies, or sends nonsense or nothing: a table. A stand-in in its place misbehaves
at one stage; and the real one is killed and stopped."""
import json
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

import faults
import issuer
import pam
from api_double import REVIEW
from faults import FETCH
from test_host_program import in_child

SUPPORT = Path(faults.__file__).parent
STAND_IN = """#!/usr/bin/python3 -B
import os, signal, socket, struct, sys, time
sys.path.insert(0, %r)
import fetch

BODY = %r
ours = socket.socket(fileno=0)


def take():
    size = struct.unpack("=II", ours.recv(8, socket.MSG_WAITALL))[1]
    ours.recv(size, socket.MSG_WAITALL)


def answer(transport=fetch.ANSWERED, status=201, body=BODY, why=b""):
    numbers = [struct.pack("=q", number) for number in (transport, status, -1, -1, -1)]
    return fetch.frame(numbers + [why and why + b"\\0", body and body + b"\\0", b""])


def die():
    os.kill(os.getpid(), signal.SIGKILL)


give = ours.sendall
"""


def stand_in(code):
    def change(login_host, token):
        document = login_host.server.review({"spec": {"token": token, "audiences": ["ssh://build-7"]}})
        program = login_host.host.write("/run/stand-in", STAND_IN % (str(SUPPORT), json.dumps(document).encode()) + code + "\n", 0o755)
        login_host.in_place_of(FETCH, program)
    return change


def missing(login_host, _token):
    empty = Path("/run/empty")
    empty.mkdir(exist_ok=True)
    login_host.in_place_of(FETCH.parent, empty)


def file_of(text, mode):
    return lambda login_host, _token: login_host.in_place_of(FETCH, login_host.host.write("/run/stand-in", text, mode))


def users(change):
    """/etc/passwd is another while the test runs."""
    def apply(login_host, _token):
        passwd = Path("/etc/passwd")
        before = passwd.read_text()
        login_host.cleanups.callback(passwd.write_text, before)
        passwd.write_text("".join(change(line) for line in before.splitlines(True)))
    return apply


FAILED, TIMEOUT, ALLOWED = "helper-failed", "api-timeout", "ok"
TABLE = {
    # name: its error, the reason that is logged
    "missing": (missing, FAILED),
    "not executable": (file_of("", 0o644), FAILED),
    "empty": (file_of("", 0o755), FAILED),
    "no program": (file_of("ksa-fetch\n", 0o755), FAILED),
    "its interpreter is missing": (file_of("#!/nowhere\n", 0o755), FAILED),
    "no user _ksa": (users(lambda line: "" if line.startswith("_ksa:") else line), FAILED),
    "_ksa is root": (users(lambda line: "_ksa:x:0:0::/:/bin/false\n" if line.startswith("_ksa:") else line), FAILED),
    "ends at once": (stand_in("sys.exit(0)"), FAILED),
    "killed before it reads": (stand_in("die()"), FAILED),
    "killed after it has read the request": (stand_in("take(); die()"), FAILED),
    "killed in the middle of its answer": (stand_in("take(); give(answer()[:-100]); die()"), FAILED),
    "killed in the middle of the head": (stand_in("take(); give(answer()[:5]); die()"), FAILED),
    "closes the socket and stays": (stand_in("take(); [os.close(n) for n in (0, 1)]; time.sleep(60)"), FAILED),
    "never reads": (stand_in("time.sleep(60)"), TIMEOUT),
    "never answers": (stand_in("take(); time.sleep(60)"), TIMEOUT),
    "answers too late": (stand_in("take(); time.sleep(2); give(answer())"), TIMEOUT),
    "half an answer, and no more": (stand_in("take(); give(answer()[:-100]); time.sleep(60)"), TIMEOUT),
    "one byte a second": (stand_in("take()\nfor byte in answer(): give(bytes([byte])); time.sleep(1)"), TIMEOUT),
    "stops itself": (stand_in("take(); os.kill(os.getpid(), signal.SIGSTOP)"), TIMEOUT),
    "hears no signal": (stand_in("[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 13, 14, 15)]; take(); time.sleep(60)"), TIMEOUT),
    "a frame of 4 GiB": (stand_in('take(); give(struct.pack("=II", fetch.MARK, 0xffffffff) + b"x" * 4096); time.sleep(60)'), FAILED),
    "a frame of nothing": (stand_in('take(); give(struct.pack("=II", fetch.MARK, 0)); time.sleep(60)'), FAILED),
    "another mark": (stand_in('take(); give(b"HTTP/1.1 200 OK\\r\\n\\r\\n"); time.sleep(60)'), FAILED),
    "zeroes": (stand_in("take(); give(bytes(4096)); time.sleep(60)"), FAILED),
    "too few members": (stand_in('take(); give(fetch.frame([b"x"] * 3))'), FAILED),
    "a member that is longer than its frame": (stand_in('take(); give(answer().replace(struct.pack("=II", 6, len(BODY) + 1), '
                                                        'struct.pack("=II", 6, 0xffffffff)))'), FAILED),
    "no transport": (stand_in("take(); give(answer(transport=0))"), FAILED),
    "a transport that nobody knows": (stand_in("take(); give(answer(transport=99))"), FAILED),
    "a status without a body": (stand_in('take(); give(answer(body=b""))'), FAILED),
    "forges a line of the log": (stand_in('take(); give(answer(fetch.USER, 0, b"", b"x\\nresult=allow"))'), FAILED),
    "could not become its user": (stand_in('take(); give(answer(fetch.USER, 0, b"", b"it cannot"))'), FAILED),
    "says that this host failed": (stand_in('take(); give(answer(fetch.HOST, 0, b"", b"no port"))'), "host-error"),
    "an answer before the question": (stand_in("give(answer()); take()"), ALLOWED),
    "a whole answer, and fails": (stand_in("take(); give(answer()); sys.exit(9)"), ALLOWED),
    "a whole answer, and is killed": (stand_in("take(); give(answer()); die()"), ALLOWED),
    "a whole answer, and does not end": (stand_in("take(); give(answer()); [signal.signal(n, signal.SIG_IGN) for n in (1, 13, 15)]; "
                                                  "time.sleep(60)"), ALLOWED),
    "a whole answer in single bytes": (stand_in("take(); [give(bytes([byte])) for byte in answer()]"), ALLOWED),
    "more behind a whole answer": (stand_in("take(); give(answer() + b'x' * 4096)"), ALLOWED),
    "a sound one": (stand_in("take(); give(answer())"), ALLOWED),
}


def expect(outcome, reason, review):
    """prefer yields to a helper that is late, as to a cluster that is; never to one that failed."""
    if reason == TIMEOUT and review == "prefer":
        assert (outcome.auth, outcome.reason, outcome.review) == ("SUCCESS", "ok", "skipped"), outcome
    else:
        auth = "SUCCESS" if reason == ALLOWED else "AUTHINFO_UNAVAIL"
        assert (outcome.auth, outcome.reason, outcome.review) == (auth, reason, review), outcome


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("name", TABLE)
def test_helper(login_host, name, review):
    change, reason = TABLE[name]
    login_host.timeout = 1 if reason == TIMEOUT else faults.PATIENCE
    login_host.write(review)
    token = login_host.host.token(pod="job-1")
    change(login_host, token)
    expect(login_host.login(token), reason, review)
    assert login_host.server.counts == {}  # no other process sent a request


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("number, reason", ((signal.SIGKILL, FAILED), (signal.SIGTERM, FAILED), (signal.SIGSTOP, TIMEOUT)),
                         ids=("killed", "ended", "stopped"))
def test_the_real_helper_is_struck_while_it_waits(login_host, number, reason, review):
    login_host.timeout = 3 if reason == TIMEOUT else faults.PATIENCE
    login_host.write(review)
    login_host.server.hold()

    def strike():
        assert login_host.server.held.wait(30)
        for helper in faults.helpers():
            os.kill(helper, number)

    striker = threading.Thread(target=strike)
    striker.start()
    outcome = login_host.login()
    striker.join()
    expect(outcome, reason, review)
    assert login_host.server.counts == {REVIEW: 1}


# --- A host program that takes what is not its own ---

@pytest.mark.parametrize("how", ("ignores", "reaps"))
def test_a_host_program_that_waits_for_any_child(login_host, how):
    """With SIGCHLD ignored, and with waitpid(-1) in another thread, an exit status is lost; the answer is not."""
    login_host.write("require")
    token = login_host.host.token(pod="job-1")

    def reap(over):
        while not over.is_set():
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                os.sched_yield()

    def work():
        over = threading.Event()
        if how == "ignores":
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        else:
            threading.Thread(target=reap, args=(over,)).start()
        codes = [pam.run(pam.CONFDIR, "sshd", "deploy-bot", answers=issuer.answers(token),
                         rhost="10.1.2.3")["codes"]["authenticate"] for _ in range(5)]
        over.set()
        return codes

    assert in_child(work) == str(["SUCCESS"] * 5) and login_host.server.counts == {REVIEW: 5}
    assert faults.helpers() == []


# --- What it is given ---

GIVEN = {
    "credential missing": (lambda: faults.CREDENTIAL.unlink(), "file-missing"),
    "credential empty": (lambda: faults.CREDENTIAL.write_text(""), "file-unreadable"),
    "credential of two lines": (lambda: faults.CREDENTIAL.write_text("a\nb\n"), "file-unreadable"),
    "credential of 17 KiB": (lambda: faults.CREDENTIAL.write_text("x" * 17 * 1024), "file-unreadable"),
    "credential with a NUL": (lambda: faults.CREDENTIAL.write_bytes(b"abc\0def\n"), "file-unreadable"),
    "credential that others can read": (lambda: faults.CREDENTIAL.chmod(0o644), "file-unsafe"),
    "credential of another owner": (lambda: shutil.chown(faults.CREDENTIAL, "alice"), "file-unsafe"),
    "credential that is a folder": (lambda: (faults.CREDENTIAL.unlink(), faults.CREDENTIAL.mkdir()), "file-unsafe"),
    "another credential": (lambda: faults.CREDENTIAL.write_text("another\n"), "api-unauthorized"),
    "api_ca_file missing": (lambda: os.unlink("/etc/ksa/prod-ca.crt"), "file-missing"),
    "api_ca_file writable by others": (lambda: os.chmod("/etc/ksa/prod-ca.crt", 0o666), "file-unsafe"),
}


@pytest.mark.parametrize("review", ("require", "prefer"))
@pytest.mark.parametrize("name", GIVEN)
def test_what_it_is_given(login_host, name, review):
    change, reason = GIVEN[name]
    login_host.write(review)
    change()
    try:
        outcome = login_host.login()
    finally:
        if faults.CREDENTIAL.is_dir():
            faults.CREDENTIAL.rmdir()
    assert (outcome.auth, outcome.reason) == ("AUTHINFO_UNAVAIL", reason), outcome
    if reason.startswith("file-"):
        assert login_host.server.connections == login_host.connections, outcome
        assert outcome.field("file").startswith(("/var/lib/ksa", "/etc/ksa")), outcome
