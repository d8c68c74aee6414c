# SPDX-License-Identifier: BSD-2-Clause
"""once = yes: a token admits one login on this host, in spite of restarts, races and failures."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
import pam
from api_double import claims_of
from faults import USED

TOGETHER = 32


@pytest.fixture
def once(login_host):
    login_host.write("never", rule="once = yes")
    return login_host


def together(token, times, **arguments):
    """The results of TIMES logins with one token, all begun before the first ends."""
    ready, go = os.pipe(), os.pipe()
    children = []
    for _ in range(times):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go[1])
            os.write(ready[1], b"x")
            os.read(go[0], 1)  # until all are there
            result = pam.run(pam.CONFDIR, "sshd", "deploy-bot", answers=issuer.answers(token), rhost="10.1.2.3", **arguments)
            os.write(writer, result["codes"]["authenticate"].encode())
            os._exit(0)
        os.close(writer)
        children.append((child, reader))
    for _ in range(times):
        os.read(ready[0], 1)
    for end in (*go, *ready):
        os.close(end)
    codes = []
    for child, reader in children:
        with open(reader) as pipe:
            codes.append(pipe.read())
        os.waitpid(child, 0)
    return codes


def test_one_of_many_at_once(once):
    token = once.host.token()
    size = once.host.log_size()
    assert sorted(together(token, TOGETHER)) == ["AUTH_ERR"] * (TOGETHER - 1) + ["SUCCESS"]
    lines = [line for line in once.host.log_since(size) if "pam_ksa(" in line]
    assert len([line for line in lines if " reason=used-before " in line]) == TOGETHER - 1
    assert len(list(USED.iterdir())) == 1


def test_one_of_two_who_both_saw_no_mark(once):
    """Each has looked before the other makes it: strace holds both up in between."""
    once.host.edit("/etc/ksa/ksa.conf", "service = sshd sudo", "service = sshd sudo warm")
    once.host.write("/etc/pam.d/warm", "auth required pam_ksa.so nodelay\n")
    answers = "".join(part + "\n" for part in issuer.answers(once.host.token())).encode()
    command = ["strace", "-o", "/dev/null", "-P", str(USED), "-e", "inject=openat:delay_enter=1000000", shutil.which("pamtester"), "warm",
               "deploy-bot", "authenticate"]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    for login in both:
        login.stdin.write(answers)
        login.stdin.close()
    assert sorted(login.wait(60) == 0 for login in both) == [False, True]
    assert len(list(USED.iterdir())) == 1


def test_not_after_a_restart(once):
    """/run is empty then; /var is not."""
    token = once.host.token()
    assert once.login(token, unchanged=False).auth == "SUCCESS"
    shutil.rmtree("/run/ksa")
    assert together(token, 4) == ["AUTH_ERR"] * 4
    os.mkdir("/run/ksa", 0o700)
    assert once.login(token).reason == "used-before"


def test_other_tokens_are_not_held_up(once):
    """Two of one account, and one without once, are each a token of their own."""
    first, second = once.host.token(), once.host.token()
    for token in (first, second):
        assert once.login(token, unchanged=False).auth == "SUCCESS"
    assert once.login(second).reason == "used-before"
    once.write("never")
    assert once.login(second).auth == "SUCCESS"


def test_what_a_mark_is(once):
    """Empty, of root, and its name has the time at which it may be removed."""
    token = once.host.token()
    once.login(token, unchanged=False)
    mark, = USED.iterdir()
    assert mark.stat().st_size == 0 and mark.stat().st_uid == 0 and mark.stat().st_mode & 0o777 == 0o600
    expires, digest = mark.name.split("-")
    claims = claims_of(token)
    assert int(expires) == claims["exp"] and len(digest) == 64 and claims["jti"] not in mark.name


def test_a_refused_token_is_not_used_up(once):
    """The mark comes last of all: a token that the cluster or a rule refused may be used again."""
    once.write("require", rule="once = yes")
    token = once.host.token()
    once.server.revoked.add("deployer")
    assert once.login(token).reason == "review-refused"
    once.server.revoked.clear()
    assert once.login(token, unchanged=False).auth == "SUCCESS"
    assert once.login(token).reason == "used-before"


def test_explain_uses_nothing_up(once):
    """It reports the result of a login."""
    def explain():
        return once.host.run(["ksactl", "explain", "--token-file", "-", "--user", "deploy-bot"], user="root", stdin=token.encode())

    token = once.host.token()
    for _ in range(2):
        result = explain()
        assert result.status == 0 and list(USED.iterdir()) == [], result
    assert once.login(token, unchanged=False).auth == "SUCCESS"
    result = explain()
    assert result.status == 1 and "used-before" in result.out, result


def missing(_once):
    USED.rmdir()


def read_only(once):
    mount(once, "-o", "ro")


def full(once):
    """No room for one file more."""
    mount(once, "-o", "nr_inodes=2,mode=0700")
    (USED / "last").touch()


def mount(once, *options):
    subprocess.run(["mount", "-t", "tmpfs", *options, "full", USED], check=True)
    once.cleanups.callback(subprocess.run, ["umount", "-l", USED], check=True)


def a_file(_once):
    USED.rmdir()
    USED.touch()


def a_link(once):
    USED.rmdir()
    other = Path("/home/alice/used")
    other.mkdir(exist_ok=True)
    shutil.chown(other, "alice")
    USED.symlink_to(other)


NO_MARK = {
    "missing": missing,
    "read only": read_only,
    "full": full,
    "writable by others": lambda _: USED.chmod(0o777),
    "of another owner": lambda _: shutil.chown(USED, "alice"),
    "a file": a_file,
    "a link to another's folder": a_link,
    "below a folder that others can write": lambda once: (USED.parent.chmod(0o777),
                                                          once.cleanups.callback(USED.parent.chmod, 0o755)),
}


@pytest.mark.parametrize("name", NO_MARK)
def test_no_mark_no_login(once, name):
    token = once.host.token()
    NO_MARK[name](once)
    try:
        outcome = once.login(token)
    finally:
        if USED.is_symlink() or USED.is_file():
            USED.unlink()
    assert (outcome.auth, outcome.reason) == ("AUTHINFO_UNAVAIL", "mark-failed"), outcome
    assert "/var/lib/ksa/used" in outcome.line and 'remedy="' in outcome.line, outcome


def test_a_mark_on_a_read_only_file_system(once):
    """The remedy is not a directory to create."""
    subprocess.run(["mount", "--bind", USED, USED], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", USED], check=True)
        outcome = once.login(once.host.token())
    finally:
        subprocess.run(["umount", "-l", USED], check=True)
    assert (outcome.auth, outcome.reason) == ("AUTHINFO_UNAVAIL", "mark-failed"), outcome
    assert "the file system is read-only" in outcome.line
    assert 'remedy="mount the file system of /var/lib/ksa/used read-write"' in outcome.line, outcome


def test_a_token_without_a_jti(once):
    outcome = once.login(once.host.token(jti=issuer.ABSENT))
    assert (outcome.auth, outcome.reason) == ("AUTH_ERR", "no-jti"), outcome


@pytest.mark.parametrize("demand", ("once = yes", "review = require", "rbac = yes", "bound = pod"))
def test_a_service_without_root(login_host, demand):
    """It can neither keep a mark nor ask."""
    login_host.write("never", rule="service = reports\n" + ("" if demand.startswith("review") else demand))
    login_host.host.edit("/etc/ksa/ksa.conf", "review = never", demand if demand.startswith("review") else "review = never")
    with open("/etc/ksa/ksa.conf", "a") as config:
        config.write("[service reports]\naudience = reports://build-7\n")
    Path(pam.CONFDIR, "reports").write_text("auth required pam_ksa.so nodelay\naccount required pam_ksa.so\n")
    size = login_host.host.log_size()
    token = login_host.host.token(audience="reports://build-7", pod="job-1")
    code = pam.attempt_without_root("reports", issuer.answers(token), pam.CONFDIR)["codes"]["authenticate"]
    lines = [line for line in login_host.host.log_since(size) if "pam_ksa(" in line]
    assert code == "AUTHINFO_UNAVAIL" and " reason=needs-root " in lines[0], lines
    assert login_host.server.counts == {} and list(USED.iterdir()) == []
