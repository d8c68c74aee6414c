# SPDX-License-Identifier: BSD-2-Clause
"""The static ksa-token, in a root directory that has nothing else: what it loads, how it finds a server, whom it trusts. tests/static
puts it in place of the installed one."""
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest

import issuer
from api_double import ApiDouble, issue_for
from tls_server import Certificates

PROGRAM = "/usr/bin/ksa-token"
PATH = "/api/v1/namespaces/ci/serviceaccounts/deployer/token"
ANCHORS = "etc/ssl/certs/ca-certificates.crt"


@pytest.fixture(scope="module")
def certificates(private, tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("static"))


@pytest.fixture
def server(host, certificates):
    with ApiDouble(*certificates.issue("good", "IP:127.0.0.1,DNS:api.prod.test,DNS:localhost"), host.key, credential=None) as double:
        double.own = issuer.claims(audience=issuer.ISSUER, life=31536000, pod="job-1")
        double.pages[PATH] = issue_for(host, double.own)
        yield double


@pytest.fixture
def root(host, server, certificates, tmp_path):
    """The program, the CA and a token."""
    tmp_path.chmod(0o755)
    shutil.copy(PROGRAM, tmp_path)
    shutil.copy(certificates.ca, tmp_path / "ca.crt")
    (tmp_path / "token").write_text(host.remember(issuer.token(host.key, server.own)))
    return tmp_path


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def ask(root, server, name="127.0.0.1", options=("--ca", "/ca.crt"), tracer=()):
    command = [*tracer, "chroot", "--userspec=10001:0", "--groups=", root, "/ksa-token", "--host", "build-7", *options,
               "--token-file", "/token", "--server", "https://%s:%d" % (name, server.port)]
    return subprocess.run(command, env={"PATH": "/usr/sbin:/usr/bin"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120)


def is_token(result):
    return result.returncode == 0 and len(result.stdout.split(".")) == 3 and result.stderr == ""


def test_it_is_static():
    head = subprocess.run(["readelf", "-lW", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "INTERP" not in head and "GNU_RELRO" in head and " RWE " not in head
    dynamic = subprocess.run(["readelf", "-dW", PROGRAM], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "(NEEDED)" not in dynamic and "Flags: NOW PIE" in dynamic


def test_alone(root, server):
    assert is_token(ask(root, server))
    assert server.requests[0].startswith("POST " + PATH)


def test_name_in_hosts(root, server):
    write(root, "etc/hosts", "127.0.0.1 api.prod.test\n")
    assert is_token(ask(root, server, "api.prod.test"))


def test_name_by_dns(root, server):
    """A name server that has one name."""
    write(root, "etc/resolv.conf", "nameserver 127.0.0.1\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 53))
        dns.settimeout(30)
        asked = []

        def serve():
            while len(asked) < 2:  # A and AAAA
                query, address = dns.recvfrom(512)
                end = query.index(b"\0", 12) + 5
                kind = struct.unpack("!H", query[end - 4:end - 2])[0]
                asked.append((query[12:end - 5], kind))
                record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\x7f\0\0\1" if kind == 1 else b""
                dns.sendto(query[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(record), 0, 0) + query[12:end] + record, address)
        thread = threading.Thread(target=serve)
        thread.start()
        result = ask(root, server, "api.prod.test")
        thread.join()
    assert is_token(result), result
    assert {name for name, _ in asked} == {b"\x03api\x04prod\x04test"}


def test_unknown_name(root, server):
    result = ask(root, server, "other.test")
    assert result.returncode == 1 and result.stdout == "" and "no connection: Couldn't resolve host" in result.stderr, result


def test_no_library_is_loaded(root, server):
    """Although nsswitch.conf and openssl.cnf name some."""
    write(root, "etc/nsswitch.conf", "hosts: myhostname resolve files dns\npasswd: systemd\n")
    write(root, "etc/hosts", "127.0.0.1 api.prod.test\n")
    write(root, "usr/lib/ssl/openssl.cnf", "openssl_conf = a\n[a]\nproviders = b\n[b]\nlegacy = c\n[c]\nactivate = 1\n")
    trace = root / "trace"
    trace.touch()
    result = ask(root, server, "api.prod.test", tracer=("strace", "-f", "-o", trace, "-e", "trace=%file"))
    assert is_token(result), result
    opened = trace.read_text().partition('execve("/ksa-token"')[2]
    assert "/etc/hosts" in opened and ".so" not in opened and "openssl.cnf" not in opened


def test_system_anchors(root, server, certificates):
    result = ask(root, server, options=())
    assert result.returncode == 1 and result.stdout == "" and server.requests == [], result
    assert ANCHORS in result.stderr or "TLS" in result.stderr, result
    write(root, ANCHORS, Path(certificates.ca).read_text())
    assert is_token(ask(root, server, options=()))


def test_server_of_another_authority(root, server, tmp_path_factory):
    other = Certificates(tmp_path_factory.mktemp("other"))
    shutil.copy(other.ca, root / "ca.crt")
    result = ask(root, server)
    assert result.returncode == 1 and "TLS: no authority" in result.stderr and server.requests == [], result
