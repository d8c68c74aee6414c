# SPDX-License-Identifier: BSD-2-Clause
"""uptime.py SECONDS COMMAND [ARGUMENT...]: runs COMMAND as on a host that started SECONDS ago.

By a time namespace. It belongs to a user namespace of its own, with all ids, because a container has no CAP_SYS_TIME."""
import ctypes
import os
import sys
import time
from pathlib import Path

CLONE_NEWTIME, CLONE_NEWUSER = 0x80, 0x10000000


def enter_namespaces():
    """A process outside writes the maps of ids: this one has no rights there any more."""
    entered, mapped, process = os.pipe(), os.pipe(), os.getpid()
    mapper = os.fork()
    if mapper == 0:
        os.read(entered[0], 1)
        for name in ("uid_map", "gid_map"):
            Path("/proc/%d/%s" % (process, name)).write_text("0 0 4294967295\n")
        os.write(mapped[1], b"m")
        os._exit(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWTIME) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(entered[1], b"e")
    os.close(mapped[1])
    assert os.read(mapped[0], 1) == b"m", "the ids are not mapped"
    os.waitpid(mapper, 0)
    for end in (*entered, mapped[0]):
        os.close(end)


offset = int(sys.argv[1]) - int(time.clock_gettime(time.CLOCK_BOOTTIME))
enter_namespaces()
Path("/proc/self/timens_offsets").write_text("boottime %d 0\n" % offset)
child = os.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
