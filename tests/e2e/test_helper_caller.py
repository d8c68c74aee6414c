# SPDX-License-Identifier: BSD-2-Clause
"""The environment, limits and process state of a caller of sudo, by which the caller might control the helper that is
started there: none has an effect."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import host as private_host
from api_double import REVIEW
from test_helper_attacks import AS_BOT, BOT_HOME, ENVIRONMENT, Login, assert_harmless, sudo


@pytest.fixture(scope="module")
def intruder(private):
    """A shared object that leaves a note, with its uid, in each process that loads it."""
    directory = Path("/home/intruder")
    directory.mkdir(mode=0o755)
    source, library = directory / "intruder.c", directory / "intruder.so"
    source.write_text('#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) static void note(void)\n{\n'
                      '        FILE *out = fopen("/home/deploy-bot/loaded", "a");\n'
                      '        if (out != NULL) {\n                fprintf(out, "%d\\n", (int)geteuid());\n                fclose(out);\n'
                      '        }\n}\n')
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    (directory / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nproviders = providers\nengines = engines\n[providers]\nintruder = provider\n"
        "[provider]\nmodule = {0}\nactivate = 1\n[engines]\nintruder = engine\n[engine]\nengine_id = intruder\n"
        "dynamic_path = {0}\ninit = 1\n".format(library))
    return directory


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


@pytest.mark.parametrize("name", ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "SSLKEYLOGFILE", "OPENSSL_CONF",
                                  "OPENSSL_MODULES",
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
        # the wrapper sets them after setpriv, which some of them would affect
        args = ["%s=%s" % item for item in chosen.items() if not item[0].startswith("LD_")]
        loader = ["%s=%s" % item for item in chosen.items() if item[0].startswith("LD_")]
        size = reviewed.host.log_size()
        done = subprocess.run([*AS_BOT, "env", *args, *loader, "sudo", "-n", "id", "-un"],
                              env=ENVIRONMENT, capture_output=True, timeout=60)
        result = private_host.Result(done, reviewed.host.log_since(size))
        assert result.out == "root\n" and len(result.allowed) == 1, result
        assert ear.heard == []
    assert reviewed.server.counts == {REVIEW: 1}
    # sudo, and its processes as root, clean their environment: only the caller's own processes loaded it
    assert set(notes().split()) <= {"1500"}
    assert [path.name for path in trap.iterdir()] == [".curlrc"]


@pytest.mark.parametrize("name", ("SSL_CERT_FILE", "CURL_CA_BUNDLE"))
def test_the_caller_names_no_authority(reviewed, name):
    """If the configuration names none, it is the system's, and never the caller's."""
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


def deep_directory():
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
    "an odd folder": deep_directory,
    "a session of its own": own_session,
    "200 descriptors": many_descriptors,
    "a timer that fires": lambda: signal.setitimer(signal.ITIMER_REAL, 20),
    "its parent's death kills it": lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
    "idle": lambda: os.nice(19),
}


@pytest.mark.parametrize("name", STATES)
def test_state_of_the_caller(reviewed, name):
    """In any state of sudo, ksa-fetch is started with the state of a daemon."""
    with Login(reviewed, [*AS_BOT, "sudo", "-n", "id", "-un"], preexec_fn=STATES[name], close_fds=False) as login:
        assert_harmless(login.helper)
        result = login.end()
    assert result.out == "root\n" and len(result.allowed) == 1, result
