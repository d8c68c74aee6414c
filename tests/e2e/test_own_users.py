# SPDX-License-Identifier: BSD-2-Clause
"""Users that the registry made: by other ways than a token, for other accounts, and after they were removed."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import registry
from cluster_host import DoubleHost
from host import HOME, SOURCE, wait_until

NSCD = Path("/run/nscd/socket")


def ssh(host, token, user):
    """To an sshd that takes tokens of every user, and keys."""
    if not host.sshds:
        host.start_sshd("KbdInteractiveAuthentication yes\nPasswordAuthentication no", 2222)
    return host.ssh(token, user=user, options=("-p", "2222"), KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7")


@pytest.fixture
def users(host):
    """Each has the key of job in its home, from better times."""
    registry.make()
    homes = [Path("/home/ci_" + name) for name in ("deployer", "retired", "remade", "torn")]
    for home in homes:
        directory = home / ".ssh"
        directory.mkdir(parents=True)
        shutil.copy(HOME / ".ssh/id_ed25519.pub", directory / "authorized_keys")
        uid = int(registry.getent("passwd", home.name)[1][0].split(":")[2])
        for path in (home, directory, directory / "authorized_keys"):
            os.chown(path, uid, uid)
    yield host
    for home in homes:
        shutil.rmtree(home)
    registry.forget()


@pytest.mark.parametrize("name, reason", (("deployer", None), ("retired", "account-disabled"), ("remade", "account-disabled"),
                                          ("torn", "account-disabled")))
def test_a_key_in_the_home_opens_no_forwarded_port(users, name, reason):
    """A forwarded port needs no shell: /usr/sbin/nologin does not prevent it."""
    result = users.run(["ssh", "-o", "BatchMode=yes", "-l", "ci_" + name, "-W", "127.0.0.1:22", "build-7"])
    if reason is None:
        assert result.out.startswith("SSH-2.0-") and result.reasons == [], result
    else:
        assert result.out == "" and result.status != 0 and result.reasons == [reason], result


def test_a_retired_user_has_no_sudo_without_a_token(users):
    """Its rights by sudoers without a password end with it."""
    users.write("/etc/sudoers.d/own", "ci_retired ALL=(root) NOPASSWD: ALL\nci_deployer ALL=(root) NOPASSWD: ALL\n", 0o440)
    try:
        for name, reasons, out in (("ci_deployer", [], "root\n"), ("ci_retired", ["account-disabled"], "")):
            result = users.run(["setpriv", "--reuid=" + name, "--regid=" + name, "--init-groups", "sudo", "-n", "id", "-un"],
                               user="root")
            assert (result.out, result.reasons) == (out, reasons), result
    finally:
        os.unlink("/etc/sudoers.d/own")


# --- Rules that name a user of another account ------------------------------------------

OPS = """[rule ops]
account = prod:ops/bot
user = deploy_bot
service = sshd sudo
"""


@pytest.fixture
def tenants(host):
    """A cluster whose namespaces belong to tenants, and a rule that was written before there was any account."""
    with DoubleHost(host) as cluster:
        cluster.give_credential()
        cluster.configure(cluster.section(keys="file:/etc/ksa/prod.jwks"),
                          "[accounts prod]\nnamespaces = deploy ops\n", OPS)
        yield cluster
        cluster.assert_no_token_in_outputs()
    registry.PATH.unlink(missing_ok=True)
    shutil.rmtree("/home/deploy_bot", ignore_errors=True)


def test_a_rule_admits_another_account_as_a_user_that_ksa_made_later(tenants):
    host = tenants.host
    tenants.server.listing.add("ops", "bot")
    assert tenants.ksactl("accounts", "sync").status == 0
    result = ssh(host, host.token(namespace="ops", account="bot"), "deploy_bot")
    assert result.out == "" and not result.allowed, result
    victim = tenants.server.listing.add("deploy", "bot")
    assert tenants.ksactl("accounts", "sync").status == 0
    token = host.token(namespace="ops", account="bot")
    result = ssh(host, token, "deploy_bot")
    assert (result.out, result.reasons) == ("", ["other-account"]), result
    # sudo, explain and check know it too
    result = host.run(["setpriv", "--reuid=deploy_bot", "--regid=deploy_bot", "--init-groups", "sudo", "-A", "id"], user="root",
                      SUDO_ASKPASS="/usr/bin/ksa-askpass", KSA_AUDIENCE="ssh://build-7",
                      KSA_TOKEN_FILE=host.token_file(token, Path("/dev/shm/deploy_bot"), user="deploy_bot"))
    assert result.status != 0 and set(result.reasons) == {"other-account"}, result
    explained = tenants.ksactl("explain", "--json", "--token-file", host.token_file(token), "--user", "deploy_bot")
    assert (explained.status, explained.json["reason"]) == (1, "other-account"), explained
    problems = [problem for problem in tenants.ksactl("check", "--json").json["problems"] if "prod:deploy/bot" in problem["text"]]
    assert [problem["text"].startswith("[rule ops]") for problem in problems] == [True]
    # and the account itself, by a rule that names it
    tenants.configure(tenants.section(keys="file:/etc/ksa/prod.jwks"), "[accounts prod]\nnamespaces = deploy ops\n",
                      OPS.replace("prod:ops/bot", "prod:deploy/bot"))
    result = ssh(host, host.token(namespace="deploy", account="bot", account_uid=victim["uid"]), "deploy_bot")
    assert result.allowed and result.out == "deploy_bot\n", result


# --- nscd -----------------------------------------------------------------------------


def known(name):
    """
    Whether a program of the host finds the user, by nscd where it runs. It is a process of its own: glibc keeps
    the cache of an nscd that has ended mapped for minutes.
    """
    return registry.getent("passwd", name, service=None)[0] == 0


@pytest.fixture
def nscd(host):
    NSCD.parent.mkdir(exist_ok=True)
    shutil.rmtree("/var/cache/nscd", ignore_errors=True)
    os.mkdir("/var/cache/nscd")
    NSCD.unlink(missing_ok=True)
    subprocess.run(["nscd"], check=True)
    # The socket is there a moment before nscd answers.
    wait_until(lambda: subprocess.run(["nscd", "-g"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0)
    yield
    subprocess.run(["nscd", "-K"], check=True)
    wait_until(lambda: not NSCD.exists())


RENAMED = registry.LINES.replace("account ci_deployer", "account ci_renamed")
REMOVED = registry.LINES.replace("1900000001 active", "1900000001 removed")
# Another account has the name by now, and the removed one has its uid still.
TAKEN = REMOVED + "account ci_deployer 1900000009 active prod ci deployer2 /home/ci_deployer /bin/sh 1 2000000000\n"


@pytest.mark.parametrize("lines, reason", ((registry.LINES, None), (REMOVED, "account-unknown"), (TAKEN, "account-unknown"),
                                           (RENAMED, "user-name-differs")), ids=("active", "removed", "taken", "renamed"))
def test_a_user_that_nscd_remembers_is_admitted_by_key_and_token(users, nscd, lines, reason):
    users.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = ci_deployer\nservice = sshd\n")
    assert known("ci_deployer")
    registry.make(lines)
    assert known("ci_deployer")  # to nscd, with any content of the registry
    by_key = users.run(["ssh", "-o", "BatchMode=yes", "-l", "ci_deployer", "-W", "127.0.0.1:22", "build-7"])
    by_token = ssh(users, users.token(), "ci_deployer")
    if reason is None:
        assert by_key.out.startswith("SSH-2.0-") and by_key.reasons == [], by_key
        assert by_token.allowed, by_token
    else:
        assert by_key.out == "" and by_key.reasons == [reason], by_key
        # ksa-ssh tries the key after the token.
        assert by_token.out == "" and set(by_token.reasons) == {reason}, by_token


@pytest.mark.parametrize("damage", ("cut", "lost"))
def test_a_user_that_nscd_remembers_is_admitted_without_a_registry(users, nscd, damage):
    """Whether the user may still log in is not known. A person is left alone."""
    users.write_config("[rule deploy]\naccount = prod:ci/deployer prod:ops/bot\nuser = ci_deployer\nservice = sshd\n")
    assert known("ci_deployer")
    registry.replace(registry.PATH.read_bytes()[:-8])
    registry.MARK.touch()
    if damage == "lost":
        registry.PATH.unlink()
    assert known("ci_deployer")
    by_key = users.run(["ssh", "-o", "BatchMode=yes", "-l", "ci_deployer", "-W", "127.0.0.1:22", "build-7"])
    assert by_key.out == "" and by_key.reasons == ["registry-unusable"], by_key
    by_token = ssh(users, users.token(namespace="ops", account="bot"), "ci_deployer")
    assert by_token.out == "" and set(by_token.reasons) == {"registry-unusable"}, by_token
    person = users.run(["ssh", "-o", "BatchMode=yes", "-l", "alice", "-W", "127.0.0.1:22", "build-7"])
    assert person.out.startswith("SSH-2.0-") and person.reasons == [], person


def test_a_person_is_refused_for_the_uid_of_a_removed_user(users):
    """Local files win: a user that useradd made is not ksa's."""
    registry.make(REMOVED)
    subprocess.run(["useradd", "-M", "-u", str(registry.UID), "-d", "/home/ci_deployer", "-s", "/bin/sh", "ci_deployer"], check=True)
    try:
        result = users.run(["ssh", "-o", "BatchMode=yes", "-l", "ci_deployer", "-W", "127.0.0.1:22", "build-7"])
        assert result.out.startswith("SSH-2.0-") and result.reasons == [], result
    finally:
        # -f: sshd may not have ended yet
        subprocess.run(["userdel", "-f", "ci_deployer"], check=True)


def test_nscd_keeps_answers_of_the_registry_before(tenants, nscd):
    """Of users and groups, by the timer's unit in its confinement and by hand."""
    tenants.server.listing.add("deploy", "bot")
    assert not known("deploy_bot")  # which nscd remembers too
    result = tenants.host.run([sys.executable, SOURCE / "tests/support/confine.py",
                               "/usr/lib/systemd/system/ksa-accounts.service"], user="root")
    assert result.status == 0 and "warning" not in result.err, result
    wait_until(lambda: known("deploy_bot"), 10)
    assert registry.getent("group", "k8s-deploy", service=None)[1][0].endswith(":deploy_bot")
    tenants.server.listing.remove("deploy", "bot")
    assert tenants.ksactl("accounts", "sync", "--force").status == 0
    wait_until(lambda: not known("deploy_bot"), 10)
    wait_until(lambda: "deploy_bot" not in str(registry.getent("group", "k8s-deploy", service=None)), 10)


def test_a_dead_nscd_fails_a_sync(tenants):
    NSCD.parent.mkdir(exist_ok=True)
    NSCD.write_text("")
    try:
        tenants.server.listing.add("deploy", "bot")
        result = tenants.ksactl("accounts", "sync", "--json")
        assert result.status == 0 and result.json["written"], result
        assert "warning" in result.err and "nscd -i passwd" in result.err, result
        assert known("deploy_bot")
    finally:
        NSCD.unlink()
