# SPDX-License-Identifier: BSD-2-Clause
"""A file system that never answers: FUSE, whose server reads each request and keeps it."""
import ctypes
import os
import select
import stat
import struct
import threading
import time

import pytest

libc = ctypes.CDLL(None, use_errno=True)
DEVICE = "/dev/fuse"
INIT, MNT_DETACH = 26, 2


class SilentFiles:
    """Mounted on PATH while the block runs. A process that opens a file in it cannot even be killed."""

    def __init__(self, path):
        self.path, self.requested = os.fsencode(path), threading.Event()

    def __enter__(self):
        if not os.path.exists(DEVICE):
            try:
                os.mknod(DEVICE, 0o600 | stat.S_IFCHR, os.makedev(10, 229))
            except PermissionError:
                pytest.skip("this host has no %s, and a container may not make it" % DEVICE)
        self.device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % self.device
        if libc.mount(b"silent", self.path, b"fuse", 0, options) != 0:
            raise OSError(ctypes.get_errno(), "mount of FUSE")
        self.stopped, self.stop = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        libc.umount2(self.path, MNT_DETACH)
        os.close(self.stop)
        self.thread.join()
        os.close(self.stopped)

    def serve(self):
        """Until the block ends. A test that waits for an answer fails after a minute, and does not hang."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            ready = select.select([self.device, self.stopped], [], [], end - time.monotonic())[0]
            if self.stopped in ready:
                break
            if self.device in ready:
                self.read_request()
        os.close(self.device)  # ends the connection: a waiting process gets an error

    def read_request(self):
        _, opcode, unique = struct.unpack_from("=IIQ", os.read(self.device, 1 << 20))
        if opcode != INIT:
            self.requested.set()
            return
        answer = struct.pack("=IIIIHHII", 7, 31, 65536, 0, 16, 12, 65536, 1) + bytes(36)
        os.write(self.device, struct.pack("=IiQ", 16 + len(answer), 0, unique) + answer)
