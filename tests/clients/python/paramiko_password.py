# SPDX-License-Identifier: BSD-2-Clause
import pathlib

import paramiko

token = pathlib.Path("token").read_text().strip()
with paramiko.SSHClient() as client:
    client.load_system_host_keys()
    client.connect("build-7", username="deploy-bot", password=token, look_for_keys=False, allow_agent=False)
    print(client.exec_command("id -un")[1].read().decode(), end="")
