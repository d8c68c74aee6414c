# SPDX-License-Identifier: BSD-2-Clause
"""Logins by ksa-ssh with a token of three parts against logins by ssh with a public key, on a private host, in pairs: one at a
time, and many at once. Each waits for the end of "true" on the host. CPU is that of all processes of the clients, and of sshd."""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conftest  # noqa: E402
import host as private_host  # noqa: E402

PORT = 2206
MANY = 50
CONFIG = "MaxStartups 1000\nLoginGraceTime 600\n" + (private_host.EXAMPLES / "sshd_config.d" / "ksa.conf").read_text()
# Key exchanges: OpenSSH 9.2 spends 0.1 s of the client's CPU on its own one (sntrup761), whatever follows.
OWN, FAST = (), ("-o", "KexAlgorithms=curve25519-sha256")
# Of each: a warm-up, then this many pairs.
RUNS = ((1, 21, OWN), (1, 21, FAST), (MANY, 5, OWN), (MANY, 5, FAST))


class Clients:
    def __init__(self):
        conftest.set_up_job()
        host = private_host.Host()
        host.reset()
        # The length of a Pod's token.
        token = host.token(pod="deployer-7d9c5b6f48-x2k9q", node="node-1.example.com", node_uid="0" * 36)
        assert 1000 < len(token) < 1500
        self.env = {"HOME": str(private_host.HOME), "PATH": os.environ["PATH"], "KSA_TOKEN_FILE": str(host.token_file(token))}
        config = private_host.HOME / "ssh_config"
        config.write_text(host.run(["ksa-askpass", "--ssh-config", "build-7"]).out)
        # A Match block ends with the file, so start_sshd's lines come first.
        host.start_sshd("Include /etc/ssh/bench.conf", PORT)
        self.sshd = int(host.sshds[0].read_text())
        askpass = {"SSH_ASKPASS": private_host.ASKPASS, "SSH_ASKPASS_REQUIRE": "force"}
        self.kinds = {
            "key": (["ssh", "alice@build-7"], {}),
            "ksa-ssh": (["ksa-ssh", "deploy-bot@build-7"], {}),
            "ssh with ksa-askpass": (["ssh", "-F", str(config), "deploy-bot@build-7"], askpass),
        }
        self.stop = host.stop_sshds

    def sshd_cpu(self):
        """Of the connections that have ended, in seconds; waits until all have."""
        children = Path("/proc/%d/task/%d/children" % (self.sshd, self.sshd))
        private_host.wait_until(lambda: not children.read_text())
        fields = Path("/proc/%d/stat" % self.sshd).read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def run(self, kind, number, exchange):
        """NUMBER logins at once. Returns the seconds until the last has ended, the clients' CPU and that of sshd."""
        command, environment = self.kinds[kind]
        command = ["setpriv", "--reuid=job", "--regid=job", "--init-groups", *command, *exchange, "-p", str(PORT), "true"]
        before, sshd_before = os.times(), self.sshd_cpu()
        started = time.perf_counter()
        clients = [subprocess.Popen(command, env={**self.env, **environment}, stdin=subprocess.DEVNULL) for _ in range(number)]
        failed = sum(client.wait() != 0 for client in clients)
        seconds = time.perf_counter() - started
        after = os.times()
        if failed:
            sys.exit("%d of %d logins by %s failed" % (failed, number, kind))
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        return seconds, cpu, self.sshd_cpu() - sshd_before


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


Path("/etc/ssh/bench.conf").write_text(CONFIG)
clients = Clients()
try:
    for number, pairs, exchange in RUNS:
        print(" ".join(exchange) or "the key exchange that ssh prefers")
        rows = {kind: [] for kind in clients.kinds}
        for turn in range(pairs + 1):
            for kind in clients.kinds:
                result = clients.run(kind, number, exchange)
                if turn:
                    rows[kind].append(result)
        key = medians(rows["key"])
        for kind in clients.kinds:
            ours = medians(rows[kind])
            print("%2d x %-20s  %7.0f ms  ratio %5.2f%s  CPU: clients %6.2f s  sshd %6.2f s  ratio %5.2f" % (
                number, kind, ours[0] * 1000, ours[0] / key[0], "  aim 3" if kind == "ksa-ssh" else " " * 7,
                ours[1], ours[2], (ours[1] + ours[2]) / (key[1] + key[2])))
finally:
    clients.stop()
print("load average: %s" % Path("/proc/loadavg").read_text().split(" ", 1)[0])
