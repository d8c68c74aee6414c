# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import sys

from ssh import options, session

token = pathlib.Path("token").read_text().strip()
connection = session.Session()
connection.options_set(options.HOST, "build-7")
connection.options_set(options.USER, "deploy-bot")
connection.connect()
# is_server_known() is true for a changed key, too.
known = [line.split()[2] for line in open(".ssh/known_hosts") if "build-7" in line.split()[0].split(",")]
if connection.get_server_publickey().export_pubkey_base64().decode() not in known:
    sys.exit("unknown host key")
result = connection.userauth_kbdint("deploy-bot", "")
while result == session.SSH_AUTH_INFO:
    for index in range(connection.userauth_kbdint_getnprompts()):
        connection.userauth_kbdint_setanswer(index, token.encode())
    result = connection.userauth_kbdint("deploy-bot", "")
channel = connection.channel_new()
channel.open_session()
channel.request_exec("id -un")
print(channel.read()[1].decode(), end="")
