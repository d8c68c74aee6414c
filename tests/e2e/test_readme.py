# SPDX-License-Identifier: BSD-2-Clause
"""The commands of docs/source-build.md as a reader types them, in their order, on a host as its packages ship it; and what
README shows of a login. tests/packages/test_readme.py types README's own commands."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import issuer
from host import SOURCE

STACKS = ("sshd", "sudo", "sudo-i")
OURS = ("/etc/ssh/sshd_config.d/ksa.conf", "/etc/ssh/sshd_config.d/ksa-penalties.conf", "/etc/sudoers.d/ksa",
        "/etc/sudoers.d/ksa-noninteractive")
# The programs that a private host has no use for, or has nothing to do it with, in a directory first in PATH.
STAND_INS = {
    "sudo": 'exec "$@"', "sudoedit": 'test -f "$1"', "systemctl": "exit 0", "systemd-sysusers": "exit 0",
    "systemd-tmpfiles": 'exec mkdir -p -m 0700 /var/lib/ksa/used',
    "kubectl": 'case $* in *openid/v1/jwks) cat %(keys)s ;; *openid-configuration) echo {} ;; *) exit 1 ;; esac',
}


def steps():
    """{step: its commands}: "" is the build, then the numbers, the lines for other stacks, and the way back."""
    text = (SOURCE / "docs/source-build.md").read_text()
    parts = re.split(r"^\*\*(\d|Other stacks|The way back)", text, flags=re.M)
    return {name: re.findall(r"^```\n(.*?)^```", part, re.M | re.S)
            for name, part in zip(["", *parts[1::2]], parts[::2])}


@pytest.fixture
def reader(host, tmp_path):
    """Runs commands in a copy of the sources; /etc is as the packages of Debian and Ubuntu ship it before, and as it
    was afterwards."""
    kept = tmp_path / "etc"
    shutil.copytree("/etc", kept, symlinks=True)
    for path in (*OURS, "/etc/ksa/ksa.conf", "/etc/ksa/prod.jwks"):
        Path(path).unlink(missing_ok=True)
    for name in STACKS:
        host.write("/etc/pam.d/" + name, "# as shipped: %s\n@include common-auth\n@include common-account\n"
                   "session required pam_permit.so\n" % name)
    subprocess.run(["userdel", "-r", "deploy-bot"], check=True, stderr=subprocess.DEVNULL)
    keys = tmp_path / "set"
    keys.write_text(issuer.jwks(host.key))
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        host.write(tmp_path / "bin" / name, "#!/bin/sh\n%s\n" % text.replace("%(keys)s", str(keys)), 0o755)
    sources = tmp_path / "ksa"
    sources.mkdir()
    shutil.copytree(SOURCE / "packaging", sources / "packaging")

    def run(text):
        text = text.replace("/root/", "%s/" % tmp_path)  # /root is the machine's
        result = subprocess.run(["sh", "-e", "-c", text], cwd=sources, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=120, check=False,
                                env={**os.environ, "PATH": "%s:%s" % (tmp_path / "bin", os.environ["PATH"])})
        return result.returncode, result.stdout
    run.keys = keys
    yield run
    for path in (*OURS, *("/etc/pam.d/" + name for name in STACKS), *("/etc/" + name for name in (
            "passwd", "shadow", "group", "gshadow", "subuid", "subgid"))):
        old = kept / path[len("/etc/"):]
        Path(path).unlink(missing_ok=True)
        if old.exists():
            shutil.copy2(old, path)
    Path("/home/deploy-bot").mkdir(mode=0o700, exist_ok=True)
    shutil.chown("/home/deploy-bot", "deploy-bot", "deploy-bot")


def knows_penalties():
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    return subprocess.run([sshd, "-t", "-o", "PerSourcePenalties=no"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def follow(reader, names=("1", "2", "3", "4", "5")):
    for name in names:
        for commands in steps()[name]:
            if "ksa-penalties.conf" in commands and name == "3" and not knows_penalties():
                continue  # "With OpenSSH 9.8 or later"
            status, output = reader(commands)
            assert status == 0, (name, commands, output)


def test_steps_are_all_here():
    assert list(steps()) == ["", "1", "2", "3", "4", "Other stacks", "5", "The way back"] and all(steps().values())


def test_host_that_followed_it_admits_the_bot(host, reader):
    """The last step, check, has nothing to report; each step needs nothing of a later one."""
    follow(reader)
    result = host.ssh(host.token())
    assert result.out == "deploy-bot\n", result
    host.give_token(host.token())
    assert host.on_host("sudo -n id -un").out == "root\n"


def test_build_ends_where_the_steps_go_on():
    """It ended in build/, and step 1 found no packaging/."""
    (build,) = steps()[""]
    assert build.index("mkdir build && cd build") < build.index("make install") < build.index("\ncd ..\n")
    for once in ("systemd-sysusers ksa.conf", "systemd-tmpfiles --create ksa.conf", "systemctl daemon-reload"):
        assert build.index("make install") < build.index(once), once


def test_key_file_outlives_a_cluster_that_does_not_answer(host, reader):
    """kubectl | sudo tee emptied it."""
    follow(reader, ("1", "2"))
    before = Path("/etc/ksa/prod.jwks").read_bytes()
    reader.keys.unlink()
    (commands,) = steps()["2"]
    reader(commands)  # typed line by line, so the later ones run too
    assert Path("/etc/ksa/prod.jwks").read_bytes() == before != b""


def test_way_back_restores_everything(reader):
    before = {name: Path("/etc/pam.d", name).read_bytes() for name in STACKS}
    follow(reader)
    reader(steps()["3"][0])  # a second time, which must not keep our files as those before
    assert all(Path("/etc/pam.d", name).read_bytes() != before[name] for name in STACKS)
    os.chmod("/etc/pam.d", 0o755)
    follow(reader, ("The way back",))
    # cp -a of a directory's "." gave it the mode of the copy: no service without root could read its stack.
    assert os.stat("/etc/pam.d").st_mode & 0o7777 == 0o755
    assert {name: Path("/etc/pam.d", name).read_bytes() for name in STACKS} == before
    assert [path for path in OURS if Path(path).exists()] == []


def test_tokens_of_kubectl_pass_the_rules_of_the_page():
    """bound = pod in its [rule deploy-sudo] refused the token that "How a job gets a token" requests."""
    text = (SOURCE / "docs/guide.md").read_text()
    assert "kubectl create token deployer -n ci --audience" in text
    rules = re.findall(r"^\[rule [\w-]+\]\n(?:\w+ = .*\n)+", text, re.M)
    assert len(rules) >= 2 and not [rule for rule in rules if "bound = pod" in rule]


def alike(text):
    """The text without what differs from login to login, on one line."""
    return re.sub(r'(?<=ref[ =])[0-9a-f]{8}|(?<==)(?<!remedy=)"[^"]*"|\d+(?= s ago)|(?<==)\d+', "X", " ".join(text.split()))


def test_login_and_refusal_of_the_page_are_real(host):
    """The client's text, and each key of the line in its order."""
    shown = re.findall(r"^```\n(.*?)^```", (SOURCE / "README.md").read_text(), re.M | re.S)[0]
    rule, session, line = shown.split("\n\n")
    assert set(rule.splitlines()) <= set((SOURCE / "packaging/examples/ksa.conf").read_text().splitlines())
    assert "id -un\n%s$" % host.ssh(host.token()).out in session
    refused = host.ssh(host.token(issued=int(time.time()) - 1003))
    assert alike(session.splitlines()[-1]) in alike(refused.err), refused
    assert alike(line) == alike(re.sub(r"^.*?(?=pam_ksa\()", "", refused.lines[-1])), refused.lines


@pytest.mark.parametrize("path", ["README.md", *sorted(
    str(path.relative_to(SOURCE)) for directory in ("docs", "man", "packaging") for path in (SOURCE / directory).rglob("*")
    if path.is_file())])
def test_no_command_empties_a_file_that_is_in_use(path):
    text = (SOURCE / path).read_text().replace("\\\n#", "")
    assert not re.search(r"\|\s*(sudo )?tee /etc|'cat >/etc", text)
