# SPDX-License-Identifier: BSD-2-Clause
"""The system calls of a login that needs no other process, as strace sees them inside sshd, sudo and pamtester. With a
key set at hand and no review it starts no process, opens no socket but syslog's, and writes to no file."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
from host import wait_until

TRACE = Path("/run/trace")
# syslog, and the services that getpwnam uses on some systems
LOCAL = ('sun_path="/dev/log"', 'sun_path="/var/run/nscd/socket"', 'sun_path="/run/systemd/userdb/')
STARTS = r"(clone|clone3|fork|vfork|execve|execveat)\("
WRITES = (r"(write|writev|pwrite64|pwritev|pwritev2|sendfile|splice|copy_file_range|creat|mkdir|mkdirat|mknod|mknodat|rename|renameat|"
          r"renameat2|link|linkat|symlink|symlinkat|unlink|unlinkat|rmdir|truncate|ftruncate|fallocate|chmod|fchmod|fchmodat|chown|fchown|"
          r"fchownat|utimensat|setxattr|fsetxattr|fsync|fdatasync|flock)\(|F_(OFD_)?SETLKW?\b|O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b")


def read_trace():
    """Process and call, line by line; a call that another process's call cut in two is joined."""
    lines, unfinished = [], {}
    for line in TRACE.read_text(errors="replace").splitlines():
        number, call = line.split(None, 1)
        if call.endswith("<unfinished ...>"):
            unfinished[number] = len(lines)
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", call)
        if resumed and number in unfinished:
            place = unfinished.pop(number)
            lines[place] = (number, lines[place][1].replace("<unfinished ...>", "") + resumed.group(1))
        else:
            lines.append((number, call))
    return lines


class Calls:
    """The calls of the process that read ksa.conf, until its line in the log; and those from the key set on: before that
    lies the conversation, which is the host program's."""

    def __init__(self, keys):
        self.lines = lines = read_trace()
        begin = next(at for at, line in enumerate(lines) if re.search(r'[/"]ksa\.conf"', line[1]))
        process = lines[begin][0]
        calls = [call for number, call in lines[begin:] if number == process]
        end = next(at for at, call in enumerate(calls) if "result=allow" in call)
        self.all = calls[:end + 1]
        self.decision = self.all[next(at for at, call in enumerate(self.all) if re.search(r'[/"]%s"' % re.escape(keys), call)):]
        self.libraries = [call for number, call in lines if number == process and ".so" in call]

    def found(self, pattern):
        return [call for call in self.all if re.match(pattern, call)]

    def of_child(self, clone):
        """The calls of the process that CLONE started."""
        child = re.search(r"= (\d+)$", clone).group(1)
        return [call for number, call in self.lines if number == child]

    def abroad(self):
        """Sockets that lead elsewhere than to syslog."""
        sockets = [call for call in self.found(r"(socket|socketpair)\(") if "AF_UNIX" not in call or call.startswith("socketpair")]
        return sockets + [call for call in self.found(r"connect\(") if not any(place in call for place in LOCAL)]

    def written(self):
        return [call for call in self.decision if re.search(WRITES, call) and not call.startswith("sendto")]


def strace(*args):
    return ["strace", "-f", "-qq", "-s", "256", "-o", str(TRACE), *map(str, args)]


@pytest.fixture(params=("file", "cached"))
def warm(login_host, request):
    """Key sets that a login has at hand: the name of the file, and the host."""
    if request.param == "file":
        login_host.write("never")
        name = "prod.jwks"
    else:
        login_host.write("never", keys="api")
        login_host.write_cache(login_host.cached_set(login_host.host.key))
        name = "keys"
    yield name, login_host
    assert login_host.server.connections == login_host.connections
    TRACE.unlink(missing_ok=True)


def by_sshd(login_host, token):
    """strace joins the sshd that is there."""
    listener = Path("/run/sshd.pid").read_text().strip()
    with subprocess.Popen(strace("-p", listener), stderr=subprocess.PIPE) as tracer:
        wait_until(lambda: "TracerPid:\t%d\n" % tracer.pid in Path("/proc/%s/status" % listener).read_text())
        result = login_host.host.ssh(token)
        tracer.terminate()
    assert result.out == "deploy-bot\n", result


def by_sudo(login_host, token):
    login_host.host.give_token(token)
    done = subprocess.run(strace("-u", "deploy-bot", "sudo", "-n", "id", "-un"), capture_output=True, cwd="/", timeout=60,
                          env={"PATH": os.environ["PATH"], "HOME": "/home/deploy-bot"})
    assert done.stdout == b"root\n", done


def by_pamtester(login_host, token):
    login_host.host.edit("/etc/ksa/ksa.conf", "service = sshd sudo", "service = sshd sudo warm")
    login_host.host.write("/etc/pam.d/warm", "auth required pam_ksa.so\naccount required pam_ksa.so\n")
    done = subprocess.run(strace(shutil.which("pamtester"), "warm", "deploy-bot", "authenticate", "acct_mgmt"),
                          input="".join(part + "\n" for part in issuer.answers(token)).encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done


@pytest.mark.parametrize("login", (by_pamtester, by_sshd))
def test_nothing_is_started_asked_or_written(warm, login):
    keys, login_host = warm
    login(login_host, login_host.host.token())
    calls = Calls(keys)
    assert len(calls.decision) > 5
    assert calls.found(STARTS) == [] and calls.abroad() == [] and calls.written() == []
    assert any("pam_ksa.so" in call for call in calls.libraries) or login is by_sshd
    assert not any("libcurl" in call for call in calls.libraries)


def test_sudo_starts_the_reader_of_the_token_file_alone(warm):
    """A keeper and one process, which becomes the user, and no other program."""
    keys, login_host = warm
    by_sudo(login_host, login_host.host.token())
    calls = Calls(keys)
    started = calls.found(STARTS)
    assert len(started) == 1 and started[0].startswith("clone("), started
    of_keeper = calls.of_child(started[0])
    started, = (call for call in of_keeper if re.match(STARTS, call))
    assert started.startswith("clone(") and not any(re.match("socket|connect", call) for call in of_keeper), of_keeper
    of_child = calls.of_child(started)
    assert any(call.startswith("setresuid(1500, 1500, 1500)") for call in of_child)
    assert not any(re.match(STARTS + r"|socket|connect", call) for call in of_child), of_child
    assert calls.abroad() == [] and calls.written() == []
    assert not any("libcurl" in call for call in calls.libraries)


def test_a_review_is_seen(login_host):
    """The search above finds what it looks for: a socket pair and a process, and still nothing written by the login."""
    login_host.write("require")
    by_pamtester(login_host, login_host.host.token())
    calls = Calls("prod.jwks")
    assert len(calls.found(STARTS)) == 1 and [call for call in calls.abroad() if call.startswith("socketpair")]
    assert calls.written() == []


def test_a_mark_is_seen(login_host):
    """An empty file, and no byte in it."""
    login_host.write("never", rule="once = yes")
    by_pamtester(login_host, login_host.host.token())
    calls = Calls("prod.jwks")
    written = calls.written()
    assert len(written) == 2 and "O_EXCL" in written[0] and written[1].startswith("fsync("), written
