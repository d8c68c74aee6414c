"""ksa-fetch as a real sshd and a real sudo start it, looked at while the API server keeps it waiting; and what the caller
of sudo may try meanwhile. It is never the caller's, nor sshd's way in."""
import ctypes
import os
import pwd
import resource
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import cluster_double
import faults
import host as private_host
from cluster_double import REVIEW
from host import wait_until

BOT_HOME = Path("/home/deploy-bot")
AS_BOT = ["setpriv", "--reuid=deploy-bot", "--regid=deploy-bot", "--init-groups", "--inh-caps=-all"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": str(BOT_HOME), "USER": "deploy-bot"}


@pytest.fixture
def reviewed(asking):
    """The shipped stacks of sshd and sudo, and a rule that wants a review. There is time to look around."""
    asking.timeout = 30
    asking.write("require")
    asking.host.give_token(asking.host.token())
    return asking


class Login:
    """A login that runs, and whose ksa-fetch waits for the held answer."""

    def __init__(self, scene, command, **arguments):
        scene.server.hold()
        self.scene, self.size = scene, scene.host.log_size()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        **{"env": ENVIRONMENT, **arguments})

    def __enter__(self):
        assert self.scene.server.held.wait(30), self.process.communicate(timeout=30)
        self.helper, = faults.helpers()
        return self

    def __exit__(self, *_):
        self.scene.server.go_on()
        with self.process:
            self.process.kill()

    def end(self):
        """Lets it end; its result, as host.run() has it."""
        self.scene.server.go_on()
        out, err = self.process.communicate(timeout=60)
        done = subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)
        wait_until(lambda: faults.helpers() == [])
        return private_host.Result(done, self.scene.host.log_since(self.size))


def sudo(scene, *options, command=("id", "-un"), **arguments):
    return Login(scene, [*AS_BOT, "sudo", "-n", *options, *command], cwd=BOT_HOME, **arguments)


def ssh(scene, **arguments):
    """As the job, whose token is in a file."""
    path = scene.host.token_file(scene.host.token())
    env = {"PATH": os.environ["PATH"], "HOME": "/home/job", "USER": "job", "KSA_TOKEN_FILE": str(path)}
    return Login(scene, ["setpriv", "--reuid=job", "--regid=job", "--init-groups", "ksa-ssh", "-l", "deploy-bot", "build-7", "id -un"],
                 env=env, **arguments)


def status_of(pid):
    lines = Path("/proc/%d/status" % pid).read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def assert_harmless(pid):
    """Nothing of the host program or of its caller is in it."""
    own, folder, status = pwd.getpwnam("_ksa"), Path("/proc/%d" % pid), status_of(pid)
    assert status["Uid"] == [str(own.pw_uid)] * 4 and status["Gid"] == [str(own.pw_gid)] * 4 and status["Groups"] == []
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name][0], 16) == 0, name
    assert status["NoNewPrivs"] == ["1"] and status["Umask"] == ["0077"]
    for name in ("SigBlk", "SigIgn", "ShdPnd"):
        assert int(status[name][0], 16) == 0, name
    # it is not dumpable: what is in /proc belongs to root, and so its own user can look at none
    assert (folder / "environ").stat().st_uid == 0
    assert sorted((folder / "environ").read_bytes().strip(b"\0").split(b"\0")) == [b"LANG=C", b"PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    assert (folder / "cmdline").read_bytes() == b"ksa-fetch\0" and os.readlink(folder / "cwd") == "/"
    assert os.readlink(folder / "exe") == str(faults.FETCH)
    assert_descriptors(pid)
    assert os.getsid(pid) == pid and int((folder / "stat").read_text().rpartition(")")[2].split()[4]) == 0  # no terminal
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (folder / "limits").read_text().splitlines()[1:]}
    assert limits["Max core file size"] == limits["Max file size"] == ["0", "0"]
    assert limits["Max open files"] == ["64", "64"] and limits["Max cpu time"] == ["120", "120"]


def descriptors(pid):
    kinds = {}
    try:
        for entry in Path("/proc/%d/fd" % pid).iterdir():
            kinds[int(entry.name)] = os.readlink(entry)
    except OSError:  # it has ended, or closed one
        pass
    return kinds


def assert_descriptors(pid):
    """0 and 1 are the socket, 2 is /dev/null. Behind them is what libcurl opened, and nothing that another process has:
    sshd's PAM child holds the monitor's socket, and who can write to it is let in."""
    kinds = descriptors(pid)
    assert kinds[0] == kinds[1] and kinds[0].startswith("socket:") and kinds[2] == "/dev/null", kinds
    assert all(kind.startswith(("socket:", "anon_inode:")) for number, kind in kinds.items() if number > 2), kinds
    processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != pid]
    elsewhere = {kind for other in processes for kind in descriptors(other).values() if kind.startswith("socket:")}
    assert elsewhere and not elsewhere & set(kinds.values()), kinds


def assert_no_libcurl(pid):
    maps = Path("/proc/%d/maps" % pid).read_text()
    assert "pam_ksa.so" in maps and "libcurl" not in maps


def test_in_sshd(reviewed):
    with ssh(reviewed) as login:
        number = int(status_of(login.helper)["PPid"][0])
        parent = status_of(number)
        assert_no_libcurl(number)
        assert parent["Name"][0].startswith("sshd") and parent["Uid"][0] == "0"
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "deploy-bot\n" and " review=require " in result.allowed[0], result


def test_in_sudo(reviewed):
    with sudo(reviewed) as login:
        number = int(status_of(login.helper)["PPid"][0])
        parent = status_of(number)
        assert_no_libcurl(number)
        assert parent["Name"] == ["sudo"] and parent["Uid"][:2] == ["1500", "0"]
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n" and " review=require " in result.allowed[0], result


def test_in_sudo_with_askpass(reviewed):
    (BOT_HOME / ".ksa/token").unlink()
    path = reviewed.host.token_file(reviewed.host.token(), BOT_HOME / "job-token", "deploy-bot")
    env = dict(ENVIRONMENT, SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=str(path), KSA_AUDIENCE="ssh://build-7")
    with Login(reviewed, [*AS_BOT, "sudo", "-A", "id", "-un"], env=env, cwd=BOT_HOME) as login:
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n", result


@pytest.mark.parametrize("start", (ssh, sudo))
def test_it_dies_with_the_login(reviewed, start):
    with start(reviewed) as login:
        os.kill(int(status_of(login.helper)["PPid"][0]), signal.SIGKILL)
        wait_until(lambda: faults.helpers() == [])


def test_the_caller_cannot_touch_it(reviewed):
    """In sudo the real uid is the caller's: who started it may not signal, trace or read it."""
    with sudo(reviewed) as login:
        attempts = ("kill -0 %d", "kill -STOP %d", "kill -KILL %d", "cat /proc/%d/environ", "cat /proc/%d/maps", "ls /proc/%d/fd",
                    "cat /proc/%d/mem")
        for attempt in attempts:
            tried = subprocess.run([*AS_BOT, "sh", "-c", attempt % login.helper], capture_output=True)
            assert tried.returncode != 0 and tried.stdout == b"", (attempt, tried)
        assert login.end().out == "root\n"


def test_a_caller_who_stops_his_sudo_holds_nobody_up(reviewed):
    """No lock is held meanwhile; and when he goes on, so does his login."""
    with sudo(reviewed) as login:
        stop = subprocess.run([*AS_BOT, "kill", "-STOP", str(login.process.pid)], check=False)
        assert stop.returncode == 0
        wait_until(lambda: status_of(login.process.pid)["State"][0] == "T")
        reviewed.server.go_on()
        assert reviewed.host.ssh(reviewed.host.token()).out == "deploy-bot\n"
        assert reviewed.host.on_host("sudo -n id -un").out == "root\n"
        subprocess.run([*AS_BOT, "kill", "-CONT", str(login.process.pid)], check=True)
        result = login.end()
    assert result.out == "root\n", result


def test_a_caller_who_stops_his_sudo_too_long_is_refused(reviewed):
    """His own time goes by, and nobody else's."""
    reviewed.timeout = 1
    reviewed.write("require")
    with sudo(reviewed) as login:
        login.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: status_of(login.process.pid)["State"][0] == "T")
        time.sleep(1.1)
        login.process.send_signal(signal.SIGCONT)
        login.process.wait(timeout=30)
        result = login.end()
    assert result.status == 1 and result.reasons == ["api-timeout"], result


# --- What the caller of sudo brings along ---

@pytest.fixture(scope="module")
def intruder(private):
    """A shared object that leaves a note, with its uid, wherever it is loaded."""
    folder = Path("/home/intruder")
    folder.mkdir(mode=0o755)
    source, library = folder / "intruder.c", folder / "intruder.so"
    source.write_text('#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) static void note(void)\n{\n'
                      '        FILE *out = fopen("/home/deploy-bot/loaded", "a");\n'
                      '        if (out != NULL) {\n                fprintf(out, "%d\\n", (int)geteuid());\n                fclose(out);\n'
                      '        }\n}\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    (folder / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nproviders = providers\nengines = engines\n[providers]\nintruder = provider\n"
        "[provider]\nmodule = {0}\nactivate = 1\n[engines]\nintruder = engine\n[engine]\nengine_id = intruder\n"
        "dynamic_path = {0}\ninit = 1\n".format(library))
    return folder


class Ear:
    """A proxy of the caller's, which counts who comes."""

    def __enter__(self):
        self.listener, self.heard = socket.create_server(("127.0.0.1", 0)), []
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def listen(self):
        try:
            while True:
                with self.listener.accept()[0] as one:
                    self.heard.append(one.recv(4096))
        except OSError:
            pass


def notes():
    note = BOT_HOME / "loaded"
    text = note.read_text() if note.exists() else ""
    note.unlink(missing_ok=True)
    return text


def test_the_traps_work(intruder):
    """Whom they are set for, they catch: the shared object, and OpenSSL's configuration."""
    notes()
    for variable, command in (("LD_PRELOAD=%s/intruder.so", ["true"]), ("OPENSSL_CONF=%s/openssl.cnf", ["openssl", "list", "-providers"])):
        subprocess.run([*AS_BOT, "env", variable % intruder, *command], capture_output=True)
        assert notes() != "", variable


@pytest.mark.parametrize("name", ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_MODULES",
                                  "OPENSSL_ENGINES", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "CURL_CA_BUNDLE", "SSL_CERT_FILE",
                                  "SSL_CERT_DIR", "CURL_HOME", "HOME", "RES_OPTIONS", "HOSTALIASES", "LOCALDOMAIN", "MALLOC_TRACE",
                                  "GCONV_PATH", "TMPDIR", "all of them"))
def test_environment_of_the_caller(reviewed, intruder, name):
    notes()
    trap = BOT_HOME / "trap"
    trap.mkdir(exist_ok=True)
    trap.chmod(0o777)
    (trap / ".curlrc").write_text("insecure\nproxy = http://127.0.0.1:9\n")
    library = "%s/intruder.so" % intruder
    with Ear() as ear:
        values = {"https_proxy": ear.url, "HTTPS_PROXY": ear.url, "ALL_PROXY": ear.url, "all_proxy": ear.url,
                  "SSLKEYLOGFILE": trap / "keys", "OPENSSL_CONF": intruder / "openssl.cnf", "OPENSSL_MODULES": intruder,
                  "OPENSSL_ENGINES": intruder, "LD_PRELOAD": library, "LD_LIBRARY_PATH": intruder, "LD_AUDIT": library,
                  "CURL_CA_BUNDLE": "/dev/null", "SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": trap, "CURL_HOME": trap, "HOME": trap,
                  "RES_OPTIONS": "attempts:9", "HOSTALIASES": trap / "aliases", "LOCALDOMAIN": "example", "MALLOC_TRACE": trap / "trace",
                  "GCONV_PATH": intruder, "TMPDIR": trap}
        chosen = values if name == "all of them" else {name: values[name]}
        # the wrapper sets them behind setpriv, which would itself fall for some
        words = ["%s=%s" % item for item in chosen.items() if not item[0].startswith("LD_")]
        loader = ["%s=%s" % item for item in chosen.items() if item[0].startswith("LD_")]
        size = reviewed.host.log_size()
        done = subprocess.run([*AS_BOT, "env", *words, *loader, "sudo", "-n", "id", "-un"], env=ENVIRONMENT, capture_output=True, timeout=60)
        result = private_host.Result(done, reviewed.host.log_since(size))
        assert result.out == "root\n" and len(result.allowed) == 1, result
        assert ear.heard == []
    assert reviewed.server.counts == {REVIEW: 1}
    # sudo itself, and what it runs as root, clean their environment: only the caller's own processes fell for it
    assert set(notes().split()) <= {"1500"}
    assert [path.name for path in trap.iterdir()] == [".curlrc"]


@pytest.mark.parametrize("name", ("SSL_CERT_FILE", "CURL_CA_BUNDLE"))
def test_the_caller_names_no_authority(reviewed, name):
    """Where the configuration names none it is the system's, and never the caller's."""
    reviewed.ca = None
    reviewed.write("require")
    authority = reviewed.host.write("/home/deploy-bot/authority.pem", reviewed.certificates.ca.read_text())
    result = reviewed.host.on_host("sudo -n id -un", **{name: authority})
    assert result.status == 1 and result.reasons == ["api-tls"] and reviewed.server.counts == {}, result


LIMITS = {
    "no file may grow": (resource.RLIMIT_FSIZE, 0),
    "no core": (resource.RLIMIT_CORE, 0),
    "no more descriptors than sudo itself takes": (resource.RLIMIT_NOFILE, 12),
    "a second of CPU": (resource.RLIMIT_CPU, 1),
    "64 MiB of data": (resource.RLIMIT_DATA, 64 * 1024 * 1024),
    "512 MiB of addresses": (resource.RLIMIT_AS, 512 * 1024 * 1024),
    "no memory locked": (resource.RLIMIT_MEMLOCK, 0),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_of_the_caller(reviewed, name):
    """ksa-fetch could not become its user where a limit was lower than its own, and root not allowed to raise it."""
    kind, limit = LIMITS[name]
    login = sudo(reviewed, preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)))
    reviewed.server.go_on()
    result = login.end()
    assert result.out == "root\n" and len(result.allowed) == 1, "\n".join(result.log)


def ignore(*numbers):
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def other_umask():
    os.umask(0)


def deep_folder():
    os.chdir("/proc/self/fd")


def own_session():
    os.setsid()


def many_descriptors():
    for number in range(3, 200):
        os.dup2(0, number, inheritable=True)


STATES = {
    "SIGCHLD ignored": lambda: ignore(signal.SIGCHLD),
    "SIGPIPE and SIGALRM ignored": lambda: ignore(signal.SIGPIPE, signal.SIGALRM),
    "SIGALRM blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}),
    "every signal blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals())),
    "a umask of 0": other_umask,
    "an odd folder": deep_folder,
    "a session of its own": own_session,
    "200 descriptors": many_descriptors,
    "a timer that fires": lambda: signal.setitimer(signal.ITIMER_REAL, 20),
    "its parent's death kills it": lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
    "idle": lambda: os.nice(19),
}


@pytest.mark.parametrize("name", STATES)
def test_state_of_the_caller(reviewed, name):
    """Whatever sudo was started with, ksa-fetch is started with what a daemon would be."""
    with Login(reviewed, [*AS_BOT, "sudo", "-n", "id", "-un"], preexec_fn=STATES[name], close_fds=False) as login:
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n" and len(result.allowed) == 1, result


def test_the_credential_is_in_no_process_that_others_can_read(reviewed):
    """Not in arguments, not in environments: of any process, while the helper holds it."""
    with sudo(reviewed):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                for name in ("cmdline", "environ"):
                    assert cluster_double.CREDENTIAL.encode() not in (entry / name).read_bytes(), entry
