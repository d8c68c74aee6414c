# SPDX-License-Identifier: BSD-2-Clause
import pathlib

import fabric
import paramiko

token = pathlib.Path("token").read_text().strip()
arguments = {"password": token, "look_for_keys": False, "allow_agent": False}
with fabric.Connection("build-7", user="deploy-bot", connect_kwargs=arguments) as connection:
    # It accepts any host key otherwise.
    connection.client.load_system_host_keys()
    connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    connection.run("id -un", in_stream=False)
