# SPDX-License-Identifier: BSD-2-Clause
"""It does not check host keys."""
import pathlib

from pssh.clients import SSHClient

token = pathlib.Path("token").read_text().strip()
client = SSHClient("build-7", user="deploy-bot", password=token, keyboard_interactive=True,
                   identity_auth=False, allow_agent=False, num_retries=1)
print(*client.run_command("id -un").stdout)
