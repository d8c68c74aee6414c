# SPDX-License-Identifier: BSD-2-Clause
"""What ksactl shows on a terminal and nowhere else: colors, and a line about work that takes longer than a second."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import ksactl_host
from api_double import KEYS, jwks_page
from cluster_host import DoubleHost
from host import Screen

RED, GREEN, YELLOW = "\x1b[31m%s\x1b[0m", "\x1b[32m%s\x1b[0m", "\x1b[33m%s\x1b[0m"
TERMINAL = {"TERM": "xterm", "PATH": os.environ["PATH"], "HOME": "/root", "LC_ALL": "C"}


# --- Colors ---


@pytest.fixture
def files(build, tmp_path):
    tmp_path.chmod(0o755)
    return ksactl_host.Host(build, tmp_path)


def shown(files, *args, stdout=None, **environment):
    """The standard output of ksactl, a terminal unless STDOUT has another place."""
    with Screen() as screen:
        process = subprocess.run([files.ksactl, *args, "--config", files.config], env={**TERMINAL, **environment},
                                 stdin=subprocess.DEVNULL, stdout=stdout or screen.terminal, stderr=screen.terminal, timeout=60)
    return process.stdout.decode() if stdout else screen.text()


@pytest.fixture
def results(files):
    """[(arguments of a command, color, name of its result)]"""
    files.write_config(ksactl_host.RULES + ksactl_host.RULES.replace("[rule deploy", "[rule again"))
    path = files.write("token", files.token() + "\n")
    explain = ["explain", "--token-file", path, "--user", "deploy-bot"]
    return [(["check"], YELLOW, "warning"), ([*explain, "--rhost", "10.1.2.3"], GREEN, "allow"), (explain, RED, "deny")]


def test_results_have_colors_on_a_terminal(files, results):
    for args, color, name in results:
        assert color % name in shown(files, *args), args
    files.write_keys()
    assert RED % "critical" in shown(files, "status", "--offline")
    files.write_config("[rule")
    assert ": %s: " % (RED % "error") in shown(files, "check")


def test_nothing_else_has_colors(files, results):
    for args, _, name in results:
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text = shown(files, *args, **environment)
            assert name in text and "\x1b" not in text
        for text in (shown(files, *args, stdout=subprocess.PIPE), shown(files, *args, "--json")):
            assert name in text and "\x1b" not in text
        assert "\x1b" in shown(files, *args, NO_COLOR="")


# --- Progress ---


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        cluster.server.pages[KEYS] = jwks_page(host.key)
        cluster.give_credential()
        yield cluster
        cluster.server.go_on()
        cluster.assert_no_token_in_outputs()


class Running:
    """ksactl while it runs, with a terminal as its standard error."""

    def __init__(self, *args, stderr=None, **environment):
        self.screen = Screen().__enter__()
        self.process = subprocess.Popen(["ksactl", *args], env={**TERMINAL, **environment}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=stderr or self.screen.terminal)

    def wait_for(self, text):
        end = time.monotonic() + 30
        while text not in self.screen.written:
            assert self.process.poll() is None and time.monotonic() < end, self.screen.written
            time.sleep(0.01)

    def threads(self):
        """The signals that each thread blocks."""
        tasks = sorted(Path("/proc/%d/task" % self.process.pid).iterdir(), key=lambda task: int(task.name))
        return [re.search(r"^SigBlk:\t(\w+)$", (task / "status").read_text(), re.M).group(1) for task in tasks]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.screen.__exit__()

    def end(self):
        """Waits for the end of ksactl."""
        assert self.process.wait(60) == 0, self.screen.written


def left_on(written):
    """The lines that a terminal shows in the end."""
    lines = []
    for line in written.split("\n"):
        shown = ""
        for text in line.split("\r"):
            text, erased, after = text.partition("\x1b[K")
            shown = text + after if erased else text + shown[len(text):]
        lines.append(shown)
    return [line for line in lines if line]


def test_sync_shows_how_many_accounts_it_has(cluster):
    cluster.configure(cluster.section(), "[accounts prod]\nnamespaces = ci\n")
    for number in range(3):
        cluster.server.listing.add("ci", "account-%d" % number)
    cluster.server.listing.page_max = 2
    running = []

    def wait(number, *_):
        if number == 2:
            running[0].wait_for(b"cluster 1 of 1 (prod): 2 service accounts")
    cluster.server.listing.replace = wait
    with Running("accounts", "sync") as sync:
        running.append(sync)
        sync.end()
    written = sync.screen.written.decode()
    assert written.endswith("\r\x1b[K") and left_on(written) == []


def test_refresh_shows_which_cluster_it_asks(cluster):
    cluster.configure(cluster.section(), cluster.section("stage"))
    cluster.server.hold()
    with Running("keys", "refresh", "--all") as refresh:
        refresh.wait_for(b"\rcluster 1 of 2 (prod): fetching keys\x1b[K")
        cluster.server.go_on()
        refresh.end()
    left = left_on(refresh.screen.written.decode())
    assert [line.split(" keys=")[0] for line in left] == ['ksactl: result=refreshed cluster="%s"' % name for name in ("prod", "stage")]


@pytest.mark.parametrize("elsewhere", [{"stderr": subprocess.PIPE}, {"TERM": "dumb"}], ids=["pipe", "dumb"])
def test_nothing_is_shown_elsewhere(cluster, elsewhere):
    """Nothing that could show it runs."""
    cluster.configure(cluster.section(), "[accounts prod]\nnamespaces = ci\n")
    cluster.server.hold()
    with Running("accounts", "sync", **elsewhere) as sync:
        assert cluster.server.held.wait(30)
        assert len(sync.threads()) == 1
        cluster.server.go_on()
        sync.end()
    assert sync.screen.written == b""


def test_a_thread_shows_it(cluster):
    """So that the test before finds one. A signal to ksactl is not for it."""
    cluster.configure(cluster.section(), "[accounts prod]\nnamespaces = ci\n")
    cluster.server.hold()
    with Running("accounts", "sync") as sync:
        assert cluster.server.held.wait(30)
        _, blocked = sync.threads()
        assert int(blocked, 16) & 1 << signal.SIGTERM - 1
        cluster.server.go_on()
        sync.end()
