# SPDX-License-Identifier: BSD-2-Clause
"""OpenSSH's programs, rsync and git, through ksa-ssh. The token is from a command: ksa-ssh does not connect with an expired
one in a file, and shows the same then."""
import pytest

from clients import Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused  # noqa: F401

COMMAND = 'export KSA_TOKEN_COMMAND="cat $HOME/token"\n'
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
)}


@pytest.fixture(autouse=True)
def repository(host, clean_homes, file_to_read):  # noqa: F811
    host.on_host("git init -q repository && cd repository && cp ../id . && git add id && "
                 "git -c user.name=bot -c user.email=bot@example commit -qm first")
