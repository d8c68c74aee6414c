# SPDX-License-Identifier: BSD-2-Clause
import pathlib

from pylibsshext.session import Session

token = pathlib.Path("token").read_text().strip()
session = Session()
session.connect(host="build-7", user="deploy-bot", password=token, look_for_keys=False)
print(session.new_channel().exec_command("id -un").stdout.decode(), end="")
session.close()
