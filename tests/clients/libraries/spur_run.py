# SPDX-License-Identifier: BSD-2-Clause
import pathlib

import spur

token = pathlib.Path("token").read_text().strip()
with spur.SshShell("build-7", "deploy-bot", password=token, look_for_private_keys=False) as shell:
    print(shell.run(["id", "-un"]).output.decode(), end="")
