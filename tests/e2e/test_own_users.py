"""Users that the registry made, who come in by other ways than a token."""
import os
import pwd
import shutil
from pathlib import Path

import pytest

import registry
from host import HOME


@pytest.fixture
def users(host):
    """Each has the key of job in its home, from better times."""
    registry.make()
    homes = [Path("/home/ci_" + name) for name in ("deployer", "retired", "remade", "torn")]
    for home in homes:
        folder = home / ".ssh"
        folder.mkdir(parents=True)
        shutil.copy(HOME / ".ssh/id_ed25519.pub", folder / "authorized_keys")
        user = pwd.getpwnam(home.name)
        for path in (home, folder, folder / "authorized_keys"):
            os.chown(path, user.pw_uid, user.pw_gid)
    yield host
    for home in homes:
        shutil.rmtree(home)
    registry.PATH.unlink()


@pytest.mark.parametrize("name, reason", (("deployer", None), ("retired", "account-retired"), ("remade", "account-recreated"),
                                          ("torn", "account-contested")))
def test_a_key_in_the_home_opens_no_forwarded_port(users, name, reason):
    """A forwarded port needs no shell: /usr/sbin/nologin keeps nobody from it."""
    result = users.run(["ssh", "-o", "BatchMode=yes", "-l", "ci_" + name, "-W", "127.0.0.1:22", "build-7"])
    if reason is None:
        assert result.out.startswith("SSH-2.0-") and result.reasons == [], result
    else:
        assert result.out == "" and result.status != 0 and result.reasons == [reason], result


def test_a_retired_user_has_no_sudo_without_a_token(users):
    """What sudoers gave it without a password goes with it."""
    users.write("/etc/sudoers.d/own", "ci_retired ALL=(root) NOPASSWD: ALL\nci_deployer ALL=(root) NOPASSWD: ALL\n", 0o440)
    try:
        for name, reasons, out in (("ci_deployer", [], "root\n"), ("ci_retired", ["account-retired"], "")):
            result = users.run(["setpriv", "--reuid=" + name, "--regid=" + name, "--init-groups", "sudo", "-n", "id", "-un"],
                               user="root")
            assert (result.out, result.reasons) == (out, reasons), result
    finally:
        os.unlink("/etc/sudoers.d/own")
