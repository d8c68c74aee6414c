# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command as systemd would run it for a unit, on hosts without systemd: confine.py UNIT [COMMAND...], without
COMMAND the unit's own. In force are ProtectSystem=strict, ReadWritePaths, PrivateTmp, ProtectHome, UMask,
CapabilityBoundingSet, NoNewPrivileges, RestrictAddressFamilies, MemoryDenyWriteExecute and SystemCallFilter, from the
unit's own lines."""
import ctypes
import os
import re
import shlex
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_MOUNTS, REMOUNT, BIND, READ_ONLY, PRIVATE = 0x20000, 32, 4096, 1, 0x40000 | 16384
CAPABILITIES = {"CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7}
KEPT = {"nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048, "relatime": 1 << 21}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
# As seccomp has them: load; jump if equal, if all of these bits are set, if any is set; return.
LOAD, EQUAL, ANY, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # EPERM
NUMBER, FIRST, THIRD = 0, 16, 32  # offsets of the call and its arguments in struct seccomp_data


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def settings(unit):
    """{name: [value]} of [Service]."""
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", open(unit).read().split("[Service]")[1], re.M):
        found.setdefault(name, []).append(value)
    return found


def mount(source, target, kind, flags):
    check(LIBC.mount(source and source.encode(), target.encode(), kind and kind.encode(), flags, None), target)


def see_files(unit):
    writable = " ".join(unit["ReadWritePaths"]).split()
    check(LIBC.unshare(NEW_MOUNTS), "unshare")
    mount(None, "/", None, PRIVATE)
    for path in ("/tmp", "/home", "/root"):
        mount("confined", path, "tmpfs", 0)
    for path in writable:
        mount(path, path, None, BIND)
    lines = [line.split() for line in open("/proc/self/mountinfo")]
    points = {line[4]: line[5].split(",") for line in lines}
    for point in sorted(points, key=len):
        covered = not os.path.ismount(point) and not os.path.isfile(point)  # by a later mount above it
        if point not in writable and not covered and not re.match(r"/(dev|proc|sys)(/|$)", point):
            # A user namespace may not take the other options away.
            mount(None, point, None, REMOUNT | BIND | READ_ONLY | sum(KEPT.get(option, 0) for option in points[point]))


def calls(words):
    """The names that a SystemCallFilter means."""
    found = set()
    for word in words:
        if word.startswith("@"):
            lines = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout.splitlines()[1:]
            found |= calls([line.strip() for line in lines if line.strip() and not line.strip().startswith("#")])
        else:
            found.add(word)
    return found


def numbers():
    text = subprocess.run(["gcc", "-dM", "-E", "-include", "asm/unistd.h", "-x", "c", "/dev/null"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.M)}


def program(unit):
    known, allowed = numbers(), set()
    for value in unit["SystemCallFilter"]:
        named = calls(value.lstrip("~").split())
        allowed = allowed - named if value.startswith("~") else allowed | named
    families = [FAMILIES[name] for name in unit["RestrictAddressFamilies"][0].split()]
    lines = [(LOAD, 0, 0, NUMBER),
             (EQUAL, 0, 3 + len(families), known["socket"]), (LOAD, 0, 0, FIRST)]
    lines += [(EQUAL, len(families) - at, 0, family) for at, family in enumerate(families)]
    lines += [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    lines += [(EQUAL, 0, 5, known["mmap"]), (LOAD, 0, 0, THIRD), (AND, 0, 0, 6), (EQUAL, 0, 1, 6), (RETURN, 0, 0, REFUSE),
              (RETURN, 0, 0, ALLOW)]
    lines += [(EQUAL, 0, 4, known["mprotect"]), (LOAD, 0, 0, THIRD), (ANY, 0, 1, 4), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    for name in sorted(allowed & set(known)):
        lines += [(EQUAL, 0, 1, known[name]), (RETURN, 0, 0, ALLOW)]
    return lines + [(RETURN, 0, 0, REFUSE)]


def give_up(unit, lines):
    kept = [CAPABILITIES[name] for name in unit["CapabilityBoundingSet"][0].split()]
    last = int(open("/proc/sys/kernel/cap_last_cap").read()) if os.path.exists("/proc/sys/kernel/cap_last_cap") else 40
    for capability in range(last + 1):
        if capability not in kept:
            check(LIBC.prctl(24, capability, 0, 0, 0), "PR_CAPBSET_DROP")
    assert unit["NoNewPrivileges"] == ["yes"] and unit["MemoryDenyWriteExecute"] == ["yes"]
    check(LIBC.prctl(38, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    check(LIBC.prctl(22, 2, ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code))), 0, 0),
          "PR_SET_SECCOMP")


def main():
    unit = settings(sys.argv[1])
    command = sys.argv[2:] or shlex.split(unit["ExecStart"][0])
    lines = program(unit)
    see_files(unit)
    os.umask(int(unit["UMask"][0], 8))
    give_up(unit, lines)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
