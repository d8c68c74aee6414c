# SPDX-License-Identifier: BSD-2-Clause
"""It does not check host keys."""
import pathlib

from pssh.clients import ParallelSSHClient

token = pathlib.Path("token").read_text().strip()
client = ParallelSSHClient(["build-7"], user="deploy-bot", password=token, keyboard_interactive=True,
                           identity_auth=False, allow_agent=False, num_retries=1)
for output in client.run_command("id -un"):
    print(*output.stdout)
