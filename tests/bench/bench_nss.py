# SPDX-License-Identifier: BSD-2-Clause
"""The cost of a lookup by name and by uid through glibc, next to the other services of a host, with many or few
accounts; and the first lookup of a fresh process. On a private host: PROGRAM is the built bench_nss. sssd takes part
if its programs are installed, with the users of /etc/passwd; its package changes the host's PAM and nsswitch.conf, so
it is better unpacked (dpkg -x) into the tree that private-host lays over /usr."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import registry  # noqa: E402

PROGRAM = os.environ["KSA_BENCH_NSS"]
SIZES = [int(word) for word in os.environ.get("KSA_BENCH_NSS_SIZES", "10 1000 100000 1000000").split()]
FIRST, GID, PAIRS = 1900000000, 1800000000, 101
MANY = 1000  # no more for nss-systemd, which reads a file a user, and sssd, which must have been asked for each
has_extrausers = bool(list(Path("/usr").glob("lib*/**/libnss_extrausers.so.2")))
has_systemd = bool(list(Path("/usr").glob("lib*/**/libnss_systemd.so.2")))


def write_files(count):
    """The same users in /etc/passwd, for extrausers, and as the records that nss-systemd reads from /etc/userdb."""
    users = "".join("many_a%d:*:%d:%d:prod/many/a%d:/home/many_a%d:/bin/sh\n" % (n, FIRST + n, FIRST + n, n, n)
                    for n in range(count))
    members = ",".join("many_a%d" % n for n in range(count))
    for directory, kept in ((Path("/etc"), True), (Path("/var/lib/extrausers"), False)):
        directory.mkdir(exist_ok=True)
        for name, more in (("passwd", users), ("group", "k8s-many:*:%d:%s\n" % (GID, members))):
            path = directory / name
            before = path.read_text() if kept else ""
            path.write_text("".join(line for line in before.splitlines(True) if "many" not in line) + more)
    userdb = Path("/etc/userdb")
    shutil.rmtree(userdb, ignore_errors=True)
    userdb.mkdir()
    for n in range(count if count <= MANY else 0):
        record = {"userName": "many_a%d" % n, "uid": FIRST + n, "gid": FIRST + n, "homeDirectory": "/home/many_a%d" % n,
                  "shell": "/bin/sh", "disposition": "regular"}
        path = userdb / ("many_a%d.user" % n)
        path.write_text(json.dumps(record))
        (userdb / ("%d.user" % (FIRST + n))).symlink_to(path.name)


def start_sssd(count):
    """With each user asked for once: then its memory cache has them all. It sees that /etc/passwd changed. Whether it
    has come so far."""
    if Path("/run/sssd.pid").exists():
        return ask_sssd(count)
    for directory in ("db", "mc", "pipes/private", "pubconf", "secrets"):
        Path("/var/lib/sss", directory).mkdir(parents=True, exist_ok=True)
    Path("/var/log/sssd").mkdir(exist_ok=True)
    config = Path("/etc/sssd/sssd.conf")
    config.parent.mkdir(exist_ok=True)
    config.write_text("[sssd]\nservices = nss\ndomains = f\n[nss]\n[domain/f]\nid_provider = files\n")
    config.chmod(0o600)
    subprocess.run(["sssd", "-D", "--logger=files"], check=True)
    return ask_sssd(count)


def ask_sssd(count):
    names = ["many_a%d" % n for n in range(count)]
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            for table in ("passwd", "initgroups"):
                for begin in range(0, count, 100):
                    subprocess.run(["getent", "-s", "sss", table, *names[begin:begin + 100]], check=True,
                                   stdout=subprocess.DEVNULL, timeout=60)
            return True
        except subprocess.CalledProcessError:  # it has not read /etc/passwd yet
            time.sleep(0.1)
    return False


def run(question, count, services):
    output = subprocess.run([PROGRAM, question, "many_a", str(count), str(FIRST), *services], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def services(count):
    found = ["ksa", "files"]
    if has_extrausers:
        found.append("extrausers")
    if has_systemd and count <= MANY:
        found.append("systemd")
    if shutil.which("sssd") and count <= MANY:
        found.append("sss")
    return found


print("| accounts | question | " + " | ".join(services(1)) + " |")
print("|---" * (2 + len(services(1))) + "|")
for size in SIZES:
    registry.make("many %d %d %d\ngroup k8s-many %d prod many\n" % (size, FIRST, GID, GID))
    write_files(size)
    available = [name for name in services(size) if name != "sss" or start_sssd(size)]
    for question in ("users", "uids", "misses", "groups"):
        results = run(question, size, available)
        print("| %d | %s | %s |" % (size, question, " | ".join(
            "%.2f us" % results[name] if name in results else "" for name in services(1))))


def attempt(service, name):
    started = time.perf_counter()
    output = subprocess.run([PROGRAM, "first", service, name], check=True, stdout=subprocess.PIPE).stdout
    return (time.perf_counter() - started) * 1e6, float(output)


write_files(10)
registry.make("many %d %d %d\ngroup k8s-many %d prod many\n" % (SIZES[-1], FIRST, GID, GID))
found = [name for name in services(1) if name != "sss" or start_sssd(10)]
rounds = [[attempt(service, "many_a7") for service in found] for _ in range(PAIRS)]
for number, what in ((1, "the question alone"), (0, "process start and end included")):
    medians = [statistics.median(times[column][number] for times in rounds) for column in range(len(found))]
    print("first question of a fresh process, %s: %s" % (what, ", ".join(
        "%s %.0f us" % pair for pair in zip(found, medians))))
