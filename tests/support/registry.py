# SPDX-License-Identifier: BSD-2-Clause
"""Registries of accounts for tests, and a process that asks glibc for users and groups."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

PATH, MARK = Path("/var/lib/ksa/registry"), Path("/var/lib/ksa/registry.made")
MAKE = Path(os.environ.get("KSA_BUILD", ".")) / "tests/integration/make_registry"
UID = 1900000001
GID = 2000000000
LINES = """\
account ci_deployer 1900000001 active prod ci deployer /home/ci_deployer /bin/sh 0 2000000000,1500
account ci_gone 1900000002 removed prod ci gone /home/ci_gone /bin/sh 0 2000000000
account ci_remade 1900000003 disabled:2 prod ci remade /home/ci_remade /bin/sh 0 2000000000
account ci_retired 1900000004 disabled:1 prod ci retired /home/ci_retired /bin/sh 0 2000000000
account ci_runner 1900000005 active prod ci runner /home/ci_runner /bin/sh 0 2000000000
account ci_torn 1900000006 disabled:4 prod ci torn /home/ci_torn /bin/sh 0 2000000000
group k8s-ci 2000000000 prod ci
"""
DEPLOYER = "ci_deployer:*:1900000001:1900000001:prod/ci/deployer:/home/ci_deployer:/bin/sh"


def make(lines=LINES, path=PATH):
    subprocess.run([MAKE, path], input=lines, text=True, check=True)


def forget():
    """As on a host that has never had a registry."""
    PATH.unlink(missing_ok=True)
    MARK.unlink(missing_ok=True)


def name_service():
    """Asks the module itself if private-host left ksa out of nsswitch.conf: the module is built with sanitizers, as the caller is."""
    nsswitch = Path("/etc/nsswitch.conf")
    if "libasan" in os.environ.get("LD_PRELOAD", "") and "ksa" not in nsswitch.read_text():
        example = Path(__file__).resolve().parents[2] / "packaging/examples/nsswitch.conf"
        nsswitch.write_text(example.read_text())


def needs_name_service():
    """For a test whose readers and ksactl both look users up by the service ksa."""
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("glibc would load a module built with sanitizers into programs that are not")


def replace(content, path=PATH):
    """Replaces the file by CONTENT, any bytes, in one step."""
    new = Path(str(path) + ".new")
    new.write_bytes(content)
    new.chmod(0o644)
    new.rename(path)


def getent(*arguments, service="ksa", command=(), **more):
    """Exit status and lines of getent; the status is negative where a signal ended it."""
    chosen = ["-s", service] if service else []
    process = subprocess.run([*command, "getent", *chosen, *[str(word) for word in arguments]], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, timeout=60, **more)
    assert process.stderr == "" or command, process.stderr
    return process.returncode, process.stdout.splitlines()


class Asker:
    """A process that looks up a user on each request, and is never restarted."""

    CODE = ("import pwd, sys\n"
            "for name in sys.stdin:\n"
            "    try: print(pwd.getpwnam(name.strip()).pw_dir, flush=True)\n"
            "    except KeyError: print('-', flush=True)\n")

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.CODE], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
        self.process.stdout.close()

    def home(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()
