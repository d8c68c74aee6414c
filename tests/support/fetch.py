# SPDX-License-Identifier: BSD-2-Clause
"""Speaks to the real ksa-fetch as common/cluster/fetch_process.c does: records (common/base/message.h) on a socket."""
import os
import socket
import struct
import subprocess

PROGRAM = "/usr/libexec/ksa/ksa-fetch"
MARK = 0x6b736131
# Only the options of sanitizers: a leak checker cannot look into this process.
ENVIRONMENT = {name: os.environ[name] for name in ("ASAN_OPTIONS",) if name in os.environ}
TEXTS = ("method", "url", "accept", "user_agent", "audit_id", "bearer", "client_cert", "client_key", "ca", "proxy", "server_name", "body")
ANSWERED, UNREACHABLE, TIMEOUT, TLS, TOO_LARGE, BROKEN, REQUEST, USER, HOST, TLS_AUTHORITY, TLS_NAME, TLS_EXPIRED, TLS_EARLY = range(1, 14)


def frame(fields):
    body = b"".join(struct.pack("=II", tag, len(field)) + field for tag, field in enumerate(fields))
    return struct.pack("=II", MARK, len(body)) + body


def request(url, milliseconds=5000, max=1024 * 1024, **texts):
    texts = {"method": "GET", "accept": "application/json", "user_agent": "ksa-fetch (build-7)", "url": url, **texts}
    fields = [(texts[name] if isinstance(texts[name], bytes) else texts[name].encode()) + b"\0" if texts.get(name) else b""
              for name in TEXTS]
    return frame(fields + [struct.pack("=q", milliseconds), struct.pack("=q", max)])


class Answer:
    def __init__(self, body):
        fields, at = [], 0
        while at < len(body):
            tag, length = struct.unpack_from("=II", body, at)
            assert tag == len(fields)
            fields.append(body[at + 8:at + 8 + length])
            at += 8 + length
        numbers = [struct.unpack("=q", field)[0] for field in fields[:5]]
        self.transport, self.status, self.max_age, self.retry_after, self.date = numbers
        self.why, self.body, self.names = fields[5][:-1].decode(), fields[6][:-1], fields[7][:-1].decode()


class Fetch:
    """One run of the program, for several requests."""

    def __enter__(self):
        self.socket, inside = socket.socketpair()
        self.socket.settimeout(30)
        self.process = subprocess.Popen([PROGRAM], stdin=inside, stdout=inside, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        inside.close()
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def _take(self, count):
        taken = b""
        while len(taken) < count:
            piece = self.socket.recv(count - len(taken))
            assert piece, "ksa-fetch ended"
            taken += piece
        return taken

    def send(self, bytes):
        self.socket.sendall(bytes)

    def receive(self):
        mark, size = struct.unpack("=II", self._take(8))
        assert mark == MARK
        return Answer(self._take(size))

    def ask(self, url, **fields):
        self.send(request(url, **fields))
        return self.receive()
