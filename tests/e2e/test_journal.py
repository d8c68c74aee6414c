# SPDX-License-Identifier: BSD-2-Clause
"""The lines of logins in a real journal, found by the commands that the documents give. The program that logs them is
sshd or, from OpenSSH 9.8 on, sshd-session; sudo or sudo-rs."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from host import SOURCE, wait_until

DOCUMENTS = ("README.md", "docs/guide.md", "man/pam_ksa.8", "man/ksa-clusters.7")
LOG = Path("/dev/log")


@pytest.fixture
def journal():
    """systemd-journald in place of the private host's own log."""
    for path in ("/run/systemd/journal", "/run/log/journal"):
        os.makedirs(path, exist_ok=True)
    moved = LOG.rename("/dev/log.own")
    daemon = subprocess.Popen(["/lib/systemd/systemd-journald"], stdin=subprocess.DEVNULL)
    try:
        socket = Path("/run/systemd/journal/dev-log")
        wait_until(socket.exists)
        LOG.symlink_to(socket)
        yield
    finally:
        LOG.unlink(missing_ok=True)
        moved.rename(LOG)
        daemon.terminate()
        daemon.wait(60)


def commands():
    """{document: its command, with REF in place of the example's reference}"""
    found = {}
    for name in DOCUMENTS:
        line, = re.findall(r"^(?:# |sudo )?(journalctl .*ref=)[0-9a-f]{8}\b", (SOURCE / name).read_text(), re.M)
        found[name] = line + "REF"
    return found


def lines_of(reference, command):
    subprocess.run(["journalctl", "--sync"], check=True)
    found = subprocess.run(["sh", "-c", command.replace("REF", reference)], stdout=subprocess.PIPE, text=True)
    return [line for line in found.stdout.splitlines() if "ref=" + reference in line]


def last_reference():
    """The reference of the newest login, by the module's own name in the line."""
    subprocess.run(["journalctl", "--sync"], check=True)
    lines = subprocess.run(["journalctl", "-o", "cat"], stdout=subprocess.PIPE, text=True).stdout
    return re.findall(r"^pam_ksa\(.*\): result=\S+ .* ref=([0-9a-f]{8}) ", lines, re.M)[-1]


def run(command, user, **environment):
    """Without Host.run(), which waits for the private host's own log."""
    env = {"HOME": "/home/" + user, "PATH": os.environ["PATH"], "USER": user, **environment}
    return subprocess.run(["setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--inh-caps=-all", *command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True,
                          cwd=env["HOME"], timeout=60)


def by_ssh(host, token):
    path = host.token_file(token)
    return run(["ksa-ssh", "-l", "deploy-bot", "build-7", "id -un"], "job", KSA_TOKEN_COMMAND="cat %s" % path)


def by_sudo(host, token):
    host.give_token(token)
    return run(["sudo", "-n", "id", "-un"], "deploy-bot")


def by_sudo_rs(host, token):
    host.give_token(token)
    return run(["sudo-rs", "-n", "id", "-un"], "deploy-bot")


WAYS = [(by_ssh, "sshd", "deploy-bot\n"), (by_sudo, "sudo", "root\n")]
if shutil.which("sudo-rs"):
    WAYS.append((by_sudo_rs, "sudo", "root\n"))


@pytest.mark.parametrize("way, service, user", WAYS, ids=lambda value: getattr(value, "__name__", None))
def test_documents_find_the_line_of_a_login(host, journal, way, service, user):
    """journalctl -t sshd found nothing since OpenSSH 9.8, and -t sudo nothing by sudo-rs."""
    for token, out, words in ((host.token(), user, "result=allow reason=ok"),
                              (host.token(issued=int(time.time()) - 1000), "", "result=deny reason=expired")):
        assert way(host, token).stdout == out
        reference = last_reference()
        for document, command in commands().items():
            line, = lines_of(reference, command)
            assert "pam_ksa(%s:auth): %s " % (service, words) in line, document
