# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run ssh, here through ksa-ssh."""
import os
import subprocess

import pytest

from clients import Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused  # noqa: F401

pytestmark = pytest.mark.usefixtures("clean_homes")
# Not a file: see test_openssh.py.
COMMAND = 'export KSA_TOKEN_COMMAND="cat $HOME/token"\n'
# For programs that run ssh alone.
NAMED_SSH = COMMAND + 'mkdir -p bin && printf \'#!/bin/sh\\nKSA_SSH=/usr/bin/ssh exec ksa-ssh "$@"\\n\' >bin/ssh && chmod 755 bin/ssh\n'
RSNAPSHOT = """printf '%%s\\t%%s\\n' config_version 1.2 snapshot_root "$HOME/snapshots/" cmd_rsync /usr/bin/rsync \
cmd_ssh /usr/bin/ksa-ssh retain 'alpha\t2' lockfile "$HOME/pid" backup 'deploy-bot@build-7:/home/deploy-bot/id\t./' >snapshots.conf
rsnapshot %s -c snapshots.conf alpha && cat snapshots/alpha.0/home/deploy-bot/id"""
CLIENTS = {name: Client(COMMAND + command, **more) for name, command, more in (
    ("sshfs", "mkdir m; sshfs -o ssh_command=/usr/bin/ksa-ssh deploy-bot@build-7: m && { cat m/id; fusermount3 -u m; }",
     {"shows": "read: Connection reset by peer"}),
    ("autossh", "AUTOSSH_PATH=/usr/bin/ksa-ssh autossh -M 0 deploy-bot@build-7 whoami | grep .", {}),
    ("mosh", "TERM=xterm script -qec 'stty rows 24 cols 80; mosh --ssh=ksa-ssh deploy-bot@build-7 -- sh -c \"id -un >got\"' "
     "/dev/null && cat /home/deploy-bot/got", {}),
    ("parallel-ssh", NAMED_SSH + "PATH=$PWD/bin:$PATH parallel-ssh -i -H deploy-bot@build-7 id -un", {}),
    ("parallel-scp", "echo deploy-bot >mine; parallel-scp -X -S -X /usr/bin/ksa-ssh -H deploy-bot@build-7 mine "
     "/home/deploy-bot/got && cat /home/deploy-bot/got", {"shows": "Exited with error code 255"}),
    ("parallel-rsync", "echo deploy-bot >mine; parallel-rsync -X -e -X /usr/bin/ksa-ssh -H deploy-bot@build-7 mine "
     "/home/deploy-bot/got && cat /home/deploy-bot/got", {"shows": "Exited with error code 255"}),
    ("borg", "BORG_RSH=ksa-ssh borg init -e none ssh://deploy-bot@build-7/./got && "
     "ksa-ssh deploy-bot@build-7 'grep -q repository got/config && id -un'", {"logins": 2}),
    ("restic", "export RESTIC_PASSWORD=x; restic -o sftp.command='ksa-ssh deploy-bot@build-7 -s sftp' "
     "-r sftp:deploy-bot@build-7:got init && ksa-ssh deploy-bot@build-7 'test -s got/config && id -un'", {"logins": 3}),
    ("rsnapshot", RSNAPSHOT % "", {"shows": "ERROR: /usr/bin/rsync returned"}),
    ("lftp", "lftp -c 'set net:max-retries 1; set sftp:connect-program \"ksa-ssh -a -x\"; open sftp://deploy-bot:x@build-7; cat id'",
     {"shows": r"max-retries exceeded \(deploy-bot@build-7: Permission denied"}),
)}


@pytest.fixture(scope="module", autouse=True)
def fuse():
    """Users of the private host may open it, as they may on a host with udev."""
    subprocess.run(["umount", "/dev/fuse"], check=False)
    if os.path.exists("/dev/fuse"):
        os.unlink("/dev/fuse")
    os.mknod("/dev/fuse", 0o666 | 0o020000, os.makedev(10, 229))
    os.chmod("/dev/fuse", 0o666)


def test_options_that_show_the_reason(host):
    """As ksa-clients(7) says of these: without them, they do not."""
    path = host.token_file(host.token(account="other"))
    for command in ("mkdir -p m; sshfs -o sshfs_debug -o ssh_command=/usr/bin/ksa-ssh deploy-bot@build-7: m",
                    "parallel-rsync -e errors -X -e -X /usr/bin/ksa-ssh -H deploy-bot@build-7 token /home/deploy-bot/got; "
                    "cat errors/*; false", RSNAPSHOT % "-V"):
        result = host.run(["sh", "-c", command], KSA_TOKEN_FILE=path)
        assert result.status != 0 and "no rule allows prod:ci/other" in result.out + result.err, result
