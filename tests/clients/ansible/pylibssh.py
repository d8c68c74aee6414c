# SPDX-License-Identifier: BSD-2-Clause
"""What the connection plugin ansible.netcommon.libssh does: the token is the password."""
import pathlib

from pylibsshext.session import Session

session = Session()
session.connect(host="build-7", user="deploy-bot", password=pathlib.Path("token").read_text().strip(), look_for_keys=False,
                host_key_checking=True)
print(session.new_channel().exec_command("id -un").stdout.decode(), end="")
session.close()
