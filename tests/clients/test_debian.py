# SPDX-License-Identifier: BSD-2-Clause
"""Programs of Debian that have their own implementation of ssh, or answer the prompts of OpenSSH's themselves."""
from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

ONCE = "-o NumberOfPasswordPrompts=1"
# dbclient compares the whole field of the host, and takes a comment for a part of the key.
DROPBEAR = ("mkdir -p dropbear/.ssh; sed 's/^[^ ]*/build-7/' .ssh/known_hosts | cut -d ' ' -f 1-3 | head -n 3 >dropbear/.ssh/known_hosts\n"
            'export DROPBEAR_PASSWORD="$(cat token)"\n')
CLIENTS = {
    "curl": Client("printf 'user = \"deploy-bot:%s\"' \"$(cat token)\" | curl -sS -K - sftp://build-7/home/deploy-bot/id",
                   shows="curl: \\(67\\) Authentication failure"),
    "dbclient": Client(DROPBEAR + "HOME=$PWD/dropbear dbclient deploy-bot@build-7 id -un | grep .", tries=6),
    "expect": Client("expect %s/debian/parts.exp token ssh %s deploy-bot@build-7 id -un" % (SOURCE, ONCE)),
    "lftp, password": Client('export LFTP_PASSWORD="$(cat token)"\nlftp -c \'set net:max-retries 1; set sftp:connect-program '
                             '"ssh -a -x %s"; open --env-password sftp://deploy-bot@build-7; cat id\'' % ONCE, takes=("ES256",),
                             shows="max-retries exceeded \\(deploy-bot@build-7: Permission denied"),
    "rclone": Client('RCLONE_SFTP_PASS="$(rclone obscure - <token)" rclone --config /dev/null cat --sftp-host build-7 '
                     "--sftp-user deploy-bot --sftp-known-hosts-file .ssh/known_hosts :sftp:id", tries=10,
                     shows="ssh: unable to authenticate"),
    "sshpass": Client("sshpass -f token ssh deploy-bot@build-7 id -un", takes=("ES256",)),
}
