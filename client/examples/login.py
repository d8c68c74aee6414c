# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command on a host, with a service account token, by asyncssh:

    python3 login.py USER HOST TOKEN_FILE COMMAND

It requires the host's key in ~/.ssh/known_hosts."""
import asyncio
import pathlib
import sys

import asyncssh


class Client(asyncssh.SSHClient):
    def __init__(self, token):
        self.token, self.asked, self.refused = token, False, ""

    def kbdint_auth_requested(self):
        """Once: asyncssh asks again after each refusal, and the host would log each try."""
        again, self.asked = self.asked, True
        return None if again else ""

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        self.refused = instructions.strip() or self.refused
        if not all(prompt.startswith("Service account token") for prompt, echo in prompts):
            return None
        return [self.token for _ in prompts]


async def run(user, host, token_file, command):
    client = Client(pathlib.Path(token_file).read_text().strip())
    try:
        async with asyncssh.connect(host, username=user, client_factory=lambda: client, client_keys=None) as connection:
            result = await connection.run(command)
    except (asyncssh.Error, OSError) as error:
        sys.exit("login.py: %s: %s" % (error, client.refused))
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    return result.returncode


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: login.py USER HOST TOKEN_FILE COMMAND")
    sys.exit(asyncio.run(run(*sys.argv[1:])))
