# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import socket

from ssh2 import knownhost
from ssh2.session import Session

token = pathlib.Path("token").read_text().strip()
with socket.create_connection(("build-7", 22)) as connection:
    session = Session()
    session.handshake(connection)
    known = session.knownhost_init()
    known.readfile(".ssh/known_hosts")
    known.checkp(b"build-7", 22, session.hostkey()[0],
                 knownhost.LIBSSH2_KNOWNHOST_TYPE_PLAIN | knownhost.LIBSSH2_KNOWNHOST_KEYENC_RAW)
    session.userauth_keyboardinteractive("deploy-bot", token)
    channel = session.open_session()
    channel.execute("id -un")
    print(channel.read()[1].decode(), end="")
