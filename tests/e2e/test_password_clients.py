# SPDX-License-Identifier: BSD-2-Clause
"""Clients that answer keyboard-interactive with their configured password: they take the prompt for a password's by
its last word. A token is such a password; a person's own is refused."""
import re
import sys
from pathlib import Path

import pytest

import issuer

ASYNCSSH = """
import asyncio, asyncssh, pathlib, sys, warnings
async def run():
    token = pathlib.Path("token").read_text().strip()
    async with asyncssh.connect("build-7", username="deploy-bot", password=token, client_keys=None) as connection:
        print((await connection.run("id -un")).stdout, end="")
asyncio.run(run())
"""
SSH = "ssh -o PreferredAuthentications=keyboard-interactive -o KbdInteractiveAuthentication=yes"
CLIENTS = {
    "asyncssh": [sys.executable, "-W", "ignore", "-c", ASYNCSSH],
    "sshpass": ["sshpass", "-f", "token", *SSH.split(), "deploy-bot@build-7", "id -un"],
    "lftp": ["lftp", "-c", "set net:max-retries 1; set sftp:connect-program '%s -a -x'; "
             'open --env-password sftp://deploy-bot@build-7; cat id' % SSH],
}


@pytest.fixture
def id_to_read():
    """The text that lftp reads, which runs no command."""
    path = Path("/home/deploy-bot/id")
    path.write_text("deploy-bot\n")
    yield
    path.unlink()


def run(host, client, password):
    host.token_file(password)
    return host.run(CLIENTS[client], timeout=120, LFTP_PASSWORD=password)


@pytest.mark.parametrize("client", CLIENTS)
def test_client_with_a_password_for_each_prompt_hangs_or_fails(host, id_to_read, client):
    """OpenSSH's client cuts an answer at 1023 bytes: with it, the token is one of ES256."""
    key = host.key if client == "asyncssh" else issuer.Key("ES256")
    host.write_keys(key)
    token = host.token(key)
    assert client == "asyncssh" or len(token) < 1023
    result = run(host, client, token)
    assert result.status == 0 and result.out == "deploy-bot\n" and len(result.allowed) == 1, result


@pytest.mark.parametrize("client", CLIENTS)
def test_password_of_a_person_gets_into_the_log(host, client):
    password = "Correct.Horse+Battery"
    result = run(host, client, password)
    assert result.status != 0 and len(result.lines) == 1 and result.reasons == ["not-a-token"], result
    for line in result.log:
        assert not re.search("correct|horse|battery", line, re.I), line
