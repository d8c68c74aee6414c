# SPDX-License-Identifier: BSD-2-Clause
"""State of a program that calls PAM, which a decision must leave as it was: its threads, a small stack,
locale, errno, OpenSSL's errors. pam.run() compares further state in every attempt."""
import ctypes
import os
import subprocess
import threading
from pathlib import Path

import pytest

import issuer
import pam

libc = ctypes.CDLL(None, use_errno=True)
libc.setlocale.restype = ctypes.c_char_p
LC_ALL = 6


def in_child(work):
    """Runs WORK in a separate process, whose death would be noticed; returns its result as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(work()).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the process died with %d" % status
    return text


def in_threads(work, stack_size=0):
    """WORK's items, each a function, in threads that start together; returns their results."""
    results, barrier = [None] * len(work), threading.Barrier(len(work))

    def run(number):
        barrier.wait()
        results[number] = work[number]()

    threading.stack_size(stack_size)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def auth_code(answers):
    return pam.run(pam.CONFDIR, "sshd", "deploy-bot", answers=answers, rhost="10.1.2.3")["codes"]["authenticate"]


@pytest.fixture
def service(stack):
    stack.write("sshd")
    return stack.host


def test_two_threads(service):
    """One good and one forged token, over and over at the same time: each thread has its own result."""
    good = issuer.answers(service.token())
    forged = issuer.answers(service.remember(issuer.token(issuer.Key(), issuer.claims(), header={"kid": service.key.kid})))

    def repeat(answers):
        return lambda: {auth_code(answers) for _ in range(25)}

    results = in_child(lambda: in_threads([repeat(good), repeat(forged), repeat(good), repeat(forged)]))
    assert results == str([{"SUCCESS"}, {"AUTH_ERR"}] * 2)


@pytest.mark.parametrize("payload", ("[" * 10000, '{"a":' + "[" * 5000 + "]" * 5000 + "}"), ids=("open", "closed"))
def test_deep_nesting_in_a_small_stack(service, payload):
    """jansson by itself takes 2048 levels, and dies of them in a thread with 128 KiB."""
    answers = issuer.answers(service.remember(issuer.token(service.key, payload)))
    good = issuer.answers(service.token())
    results = in_child(lambda: in_threads([lambda: [auth_code(good), auth_code(answers)]], 128 * 1024))
    assert results == str([["SUCCESS", "AUTH_ERR"]])


def test_locale(service):
    good = issuer.answers(service.token())

    def work():
        before = libc.setlocale(LC_ALL, b"C.UTF-8")
        return before, auth_code(good), libc.setlocale(LC_ALL, None)

    assert in_child(work) == str((b"C.UTF-8", "SUCCESS", b"C.UTF-8"))


@pytest.mark.parametrize("kind", ("good", "forged", "expired", "garbage"))
def test_error_queue_of_openssl(service, kind):
    """An error that the program has not read yet is the only one in its queue afterwards."""
    answers = {"good": issuer.answers(service.token()), "expired": issuer.answers(service.token(issued=1000)), "garbage": ["x.y.z"],
               "forged": issuer.answers(issuer.token(issuer.Key(), issuer.claims(), header={"kid": service.key.kid}))}[kind]

    def work():
        crypto = ctypes.CDLL("libcrypto.so.3")
        crypto.ERR_get_error.restype = ctypes.c_ulong
        auth_code(answers)  # OpenSSL has started
        crypto.ERR_clear_error()
        crypto.ERR_new()
        crypto.ERR_set_error(128, 77, None)
        auth_code(answers)
        return [crypto.ERR_get_error() & 0x7fffff, crypto.ERR_get_error()]

    assert in_child(work) == "[77, 0]"


@pytest.fixture(scope="session")
def errno_module(tmp_path_factory):
    module = tmp_path_factory.mktemp("errno") / "pam_errno.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", module, Path(__file__).with_name("pam_errno.c")], check=True)
    return module


ERRNO_STACK = """{group} required {errno}
{group} [default=ignore] {tested}
{group} required {errno} check
"""


@pytest.mark.parametrize("tested, codes", (("pam_ksa.so", ["SUCCESS", "SUCCESS"]),
                                           ("pam_ksa.so nonsense", ["SUCCESS", "SUCCESS"]),
                                           ("pam_unix.so", ["PERM_DENIED", None])), ids=("ksa", "bad argument", "pam_unix"))
@pytest.mark.parametrize("kind", ("good", "garbage"))
def test_errno(service, errno_module, tested, codes, kind):
    """Seen between two modules of the stack. That pam_unix fails shows that the test can."""
    Path(pam.CONFDIR, "sshd").write_text("".join(ERRNO_STACK.format(group=group, errno=errno_module, tested=tested)
                                                 for group in ("auth", "account")))
    answers = issuer.answers(service.token()) if kind == "good" else ["x.y.z"]
    result = pam.attempt(pam.CONFDIR, "sshd", "deploy-bot", answers=answers, rhost="10.1.2.3")
    assert result["codes"]["authenticate"] == codes[0], result
    assert codes[1] is None or result["codes"]["acct_mgmt"] == codes[1], result
