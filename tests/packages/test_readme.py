# SPDX-License-Identifier: BSD-2-Clause
"""README's first login, as a reader types it on a workstation and a host that has no ksa. kubectl is a stand-in, and the
packages are those that tests/distributions built."""
import re
import shutil
import subprocess
from pathlib import Path

import life
import issuer

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
BUILD = "sudo tests/support/packages deb && "
KUBECTL = """\
#!/bin/sh
case $* in
'create namespace ci' | 'create serviceaccount deployer -n ci') echo created ;;
'get --raw /openid/v1/jwks') cat /srv/cluster/jwks ;;
'get --raw /.well-known/openid-configuration') echo '{"issuer":"%s"}' ;;
'create token deployer -n ci --audience ssh://build-7 --duration 10m') cat /srv/cluster/token ;;
*) echo "kubectl: not expected: $*" >&2; exit 1 ;;
esac
""" % issuer.ISSUER


def steps():
    """[(host or workstation, its commands)]"""
    section = README.split("\n## First login\n")[1].split("\n## ")[0]
    found = re.findall(r"^\*\*\d\. On the (host|workstation),\*\*.*?^```\n(.*?)^```", section, re.M | re.S)
    assert [place for place, _ in found] == ["host", "workstation", "host", "host", "workstation"]
    return found


def write(path, text, owner="root", mode=0o644):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    shutil.chown(path, owner, owner)
    Path(path).chmod(mode)


def make_cluster():
    key = issuer.Key("RS256")
    write("/srv/cluster/jwks", issuer.jwks(key))
    write("/srv/cluster/token", issuer.token(key, issuer.claims(audience="ssh://build-7", life=600)) + "\n")
    write("/usr/local/bin/kubectl", KUBECTL, mode=0o755)


def make_places():
    """The host is alice's, with sudo; the workstation is job's, with alice's key and the clone."""
    subprocess.run(["userdel", "-r", "deploy-bot"], check=True, capture_output=True)
    write("/etc/hosts", Path("/etc/hosts").read_text() + "127.0.0.1 build-7\n")
    write("/etc/sudoers.d/alice", "alice ALL = (ALL) NOPASSWD: ALL\n", mode=0o440)
    # The reader answers ssh's question about a host that it does not know with yes, once.
    write("/home/job/.ssh/config", "Host build-7\n  User alice\n  IdentityFile ~/.ssh/id\n  StrictHostKeyChecking accept-new\n", "job")
    shutil.copytree(Path(__file__).resolve().parents[2] / "client", "/home/job/clone/client")
    shutil.chown("/home/job/clone", "job", "job")
    Path("/home/alice/clone").mkdir()
    shutil.copytree("/root/old", "/tmp/ksa")


def type_in(place, command):
    user = "alice" if place == "host" else "job"
    return subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups", "env", "-i", "HOME=/home/" + user,
                           "PATH=/usr/local/bin:/usr/bin:/bin", "SHELL=/bin/sh", "bash", "-e", "-c", command],
                          cwd="/home/%s/clone" % user, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def test_first_login_of_the_page():
    make_cluster()
    make_places()
    for place, commands in steps():
        lines = [line for line in commands.splitlines(True) if not line.startswith(BUILD)]
        result = type_in(place, "".join(lines))
        assert result.returncode == 0, (commands, result.stdout, result.stderr)
        if "scp " in commands:
            assert life.run("ssh-keygen", "-F", "build-7", "-f", "/home/job/.ssh/known_hosts").stdout
            config = Path("/home/job/.ssh/config")
            config.write_text(config.read_text().replace("accept-new", "yes"))
    assert re.search(r"^uid=\d+\(deploy-bot\)", result.stdout, re.M), result


def test_way_back_of_the_page():
    assert "`sudo ksactl disable`" in README
    life.run("ksactl", "disable")
    life.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get purge -y ksa libpam-ksa")
    assert "pam_ksa" not in Path("/etc/pam.d/common-auth").read_text()
    Path("/etc/sudoers.d/alice").unlink()
    life.people_have_access()
