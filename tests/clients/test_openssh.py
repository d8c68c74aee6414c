# SPDX-License-Identifier: BSD-2-Clause
"""Programs that run OpenSSH's ssh, through ksa-ssh. The token is from a command: ksa-ssh does not connect with an expired one
in a file, and shows the same then."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from clients import Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused  # noqa: F401

COMMAND = 'export KSA_TOKEN_COMMAND="cat $HOME/token"\n'
# For programs that run ssh alone.
NAMED_SSH = COMMAND + 'mkdir -p bin && printf \'#!/bin/sh\\nKSA_SSH=/usr/bin/ssh exec ksa-ssh "$@"\\n\' >bin/ssh && chmod 755 bin/ssh\n'
RSNAPSHOT = """printf '%%s\\t%%s\\n' config_version 1.2 snapshot_root "$HOME/snapshots/" cmd_rsync /usr/bin/rsync \
cmd_ssh /usr/bin/ksa-ssh retain 'alpha\t2' lockfile "$HOME/pid" backup 'deploy-bot@build-7:/home/deploy-bot/id\t./' >snapshots.conf
rsnapshot %s -c snapshots.conf alpha && cat snapshots/alpha.0/home/deploy-bot/id"""
MASTER = 'master="-o ControlPath=$HOME/master"\n'
CLIENTS = {name: Client(COMMAND + command, **more) for name, command, more in (
    ("ksa-ssh with ssh", "ksa-ssh deploy-bot@build-7 id -un", {}),
    ("ssh, ksa-askpass", 'eval "$(ksa-askpass --env)"; ssh -o PreferredAuthentications=keyboard-interactive '
     "-o NumberOfPasswordPrompts=1 deploy-bot@build-7 id -un", {}),
    ("ssh, ControlMaster", MASTER + "ksa-ssh $master -M -f -N deploy-bot@build-7 && ssh $master deploy-bot@build-7 id -un && "
     "ssh $master -O exit deploy-bot@build-7", {}),
    ("ssh -L", MASTER + "ksa-ssh $master -M -f -N -L 2299:build-7:22 deploy-bot@build-7 && "
     "ksa-ssh -o HostKeyAlias=build-7 -p 2299 deploy-bot@127.0.0.1 id -un; status=$?; "
     "ssh $master -O exit deploy-bot@build-7; exit $status", {"logins": 2}),
    ("ssh -W", "ksa-ssh -o ProxyCommand='ksa-ssh -W %h:%p deploy-bot@build-7' deploy-bot@build-7 id -un", {"logins": 2}),
    ("ssh -J", "export KSA_AUDIENCE=ssh://build-7 KSA_HOST='build-7 other'; ksa-ssh -J deploy-bot@other deploy-bot@build-7 id -un",
     {"logins": 2}),
    ("scp", "scp -S ksa-ssh deploy-bot@build-7:id got && cat got", {}),
    ("scp -3", "scp -3 -S ksa-ssh deploy-bot@build-7:id deploy-bot@build-7:got && cat /home/deploy-bot/got",
     {"logins": 2}),
    ("sftp", "echo 'get id got' >batch; sftp -b batch -S ksa-ssh deploy-bot@build-7 && cat got", {}),
    ("rsync", "rsync -e ksa-ssh deploy-bot@build-7:id got && cat got", {}),
    ("git", "GIT_SSH_COMMAND=ksa-ssh git clone -q deploy-bot@build-7:repository clone && cat clone/id", {}),
    ("ssh-copy-id", 'eval "$(ksa-askpass --env)"; ssh-copy-id -o NumberOfPasswordPrompts=1 deploy-bot@build-7 && '
     "! ssh -o BatchMode=yes deploy-bot@build-7 true && echo deploy-bot", {}),
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
    ("rsnapshot", RSNAPSHOT % "", {"shows": "/usr/bin/rsync returned 255"}),
    ("lftp", "lftp -c 'set net:max-retries 1; set sftp:connect-program \"ksa-ssh -a -x\"; open sftp://deploy-bot:x@build-7; cat id'",
     {"shows": r"max-retries exceeded \(deploy-bot@build-7: Permission denied"}),
)}


@pytest.fixture(scope="module", autouse=True)
def fuse():
    """Users of the private host may open it, as they may on a host with udev."""
    subprocess.run(["umount", "/dev/fuse"], check=False)
    os.path.exists("/dev/fuse") and os.unlink("/dev/fuse")
    os.mknod("/dev/fuse", 0o666 | 0o020000, os.makedev(10, 229))
    os.chmod("/dev/fuse", 0o666)


@pytest.fixture(autouse=True)
def directories(host, file_to_read):  # noqa: F811
    """A repository on the host. Removes what a client leaves in the homes of both users."""
    homes = [Path("/home", name) for name in ("job", "deploy-bot")]
    before = {entry for home in homes for entry in home.iterdir()}
    host.on_host("git init -q repository && cd repository && cp ../id . && git add id && "
                 "git -c user.name=bot -c user.email=bot@example commit -qm first")
    yield
    for entry in {entry for home in homes for entry in home.iterdir()} - before:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def test_options_that_show_the_reason(host):
    """As ksa-clients(7) says of these: without them, they do not."""
    path = host.token_file(host.token(account="other"))
    for command in ("mkdir -p m; sshfs -o sshfs_debug -o ssh_command=/usr/bin/ksa-ssh deploy-bot@build-7: m",
                    "parallel-rsync -e errors -X -e -X /usr/bin/ksa-ssh -H deploy-bot@build-7 token /home/deploy-bot/got; "
                    "cat errors/*; false", RSNAPSHOT % "-V"):
        result = host.run(["sh", "-c", command], KSA_TOKEN_FILE=path)
        assert result.status != 0 and "no rule allows prod:ci/other" in result.out + result.err, result
