# SPDX-License-Identifier: BSD-2-Clause
"""Places that lack what a client may expect: ksa-ssh with few programs, variables, files and descriptors, and without a user."""
import subprocess
from pathlib import Path

import pytest

from clients import Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused  # noqa: F401

BUSYBOX = ('mkdir -p applets; for name in $(busybox --list); do ln -sf /usr/bin/busybox applets/$name; done\n'
           'ln -sf "$(command -v ksa-ssh)" "$(command -v ksa-askpass)" /usr/bin/ssh applets/\n'
           'exec env -i PATH=$PWD/applets HOME=$HOME KSA_TOKEN_COMMAND="cat $PWD/token" '
           '"$(command -v busybox)" ash applets/ksa-ssh deploy-bot@build-7 id -un')
KNOWN = "-o UserKnownHostsFile=/home/job/.ssh/known_hosts"
CLIENTS = {
    "ksa-ssh with ssh: busybox": Client(BUSYBOX),
    "ksa-ssh with ssh: no environment": Client('exec env -i KSA_TOKEN_COMMAND="cat /home/job/token" "$(command -v ksa-ssh)" '
                                               "deploy-bot@build-7 id -un <&-"),
    "ksa-ssh with ssh: unit": Client(
        "mkdir -p -m 700 credentials && cp token credentials/ksa && cd / && exec env -i PATH=/usr/bin:/bin "
        "CREDENTIALS_DIRECTORY=/home/job/credentials sh -c "
        "'KSA_TOKEN_COMMAND=\"cat $CREDENTIALS_DIRECTORY/ksa\" ksa-ssh %s deploy-bot@build-7 id -un'" % KNOWN),
}


@pytest.fixture
def without_user(host):
    """Runs a command as a uid that has no passwd entry, with a token that it may read."""
    token = host.write("/run/token-of-nobody", host.token() + "\n")

    def run(command):
        size = host.log_size()
        process = subprocess.run(["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "sh", "-c", command], cwd="/", timeout=60,
                                 env={"PATH": "/usr/bin:/bin", "TOKEN": str(token)}, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        return process, [line for line in host.log_since(size) if "result=allow" in line]
    yield run
    Path(token).unlink()


def test_uid_without_a_passwd_entry(without_user):
    """ssh refuses to run there. Clients of their own do not."""
    process, allowed = without_user("KSA_TOKEN_FILE=$TOKEN ksa-ssh deploy-bot@build-7 id -un")
    assert process.returncode == 255 and "No user exists for uid 4711" in process.stderr and allowed == []
    process, allowed = without_user('DROPBEAR_PASSWORD="$(cat $TOKEN)" dbclient -y deploy-bot@build-7 id -un')
    assert process.stdout == "deploy-bot\n" and len(allowed) == 1, process
