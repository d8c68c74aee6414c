# SPDX-License-Identifier: BSD-2-Clause
import pathlib

import netmiko

token = pathlib.Path("token").read_text().strip()
# Without the last two it accepts any host key.
with netmiko.ConnectHandler(device_type="linux", host="build-7", username="deploy-bot", password=token,
                            ssh_strict=True, system_host_keys=True) as connection:
    print(connection.send_command("id -un"))
