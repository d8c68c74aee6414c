# SPDX-License-Identifier: BSD-2-Clause
"""Shows the reason of a refusal."""
import pathlib
import sys

import paramiko
from paramiko.auth_strategy import AuthStrategy

token = pathlib.Path("token").read_text().strip()


class TokenStrategy(AuthStrategy):
    def __init__(self):
        super().__init__(ssh_config=None)

    def authenticate(self, transport):
        return transport.auth_interactive("deploy-bot", self.answer)

    def answer(self, title, instructions, prompts):
        sys.stderr.write(instructions)
        return [token for _ in prompts]


with paramiko.SSHClient() as client:
    client.load_system_host_keys()
    client.connect("build-7", username="deploy-bot", auth_strategy=TokenStrategy())
    print(client.exec_command("id -un")[1].read().decode(), end="")
