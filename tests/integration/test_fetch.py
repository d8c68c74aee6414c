# SPDX-License-Identifier: BSD-2-Clause
"""ksa-fetch, the real program, and servers that behave and misbehave."""
import gzip
import os
import pwd
import socket
import ssl
import struct
import subprocess
from pathlib import Path

import pytest

import fetch
from fetch import Fetch
from tls_server import Certificates, Proxy, TlsServer, page


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def good(certificates):
    return certificates.issue("good", "IP:127.0.0.1,IP:::1,DNS:localhost")


@pytest.fixture
def server(good):
    with TlsServer(*good) as server:
        yield server


@pytest.fixture
def ca(certificates):
    return certificates.ca.read_bytes()


@pytest.fixture
def helper():
    with Fetch() as helper:
        yield helper


def test_an_answer_and_what_its_headers_say(server, ca, helper):
    server.answer = page(b'{"keys":[]}', "200 OK", "Cache-Control: public, max-age=3600", "Date: Thu, 01 Jan 1970 00:01:40 GMT")
    answer = helper.ask(server.url + "/openid/v1/jwks", ca=ca, bearer="secret-bearer", audit_id="audit-1")
    assert (answer.transport, answer.status, answer.body) == (fetch.ANSWERED, 200, b'{"keys":[]}')
    assert (answer.max_age, answer.retry_after, answer.date) == (3600, -1, 100)
    head = server.requests[0].split("\r\n")
    assert head[0] == "GET /openid/v1/jwks HTTP/1.1"
    for line in ("Accept: application/json", "User-Agent: ksa-fetch (build-7)", "Audit-ID: audit-1",
                 "Authorization: Bearer secret-bearer"):
        assert line in head


@pytest.mark.parametrize("lines, seconds", [
    (["max-age=60", "public"], 60), (["public", "max-age=60"], 60), (["max-age=60", "max-age=30, public"], 30),
    (["max-age=30", "max-age=60"], 30),
    (['max-age="60"'], 60), (['public, MAX-AGE="60" , no-transform'], 60), (['private="max-age=5", max-age=60'], 60),
    (['private="a\\", max-age=5", max-age=60'], 60), (['x="max-age=5, y'], -1),
    (['max-age="60'], -1), (['max-age=60"'], -1), (["max-age="], -1), (['max-age=""'], -1),
    (["max-age=6 0"], -1), (["max-age=-1"], -1), (["s-max-age=60"], -1), (["max-age=99999999999"], -1),
    ([""], -1), ([","], -1), ([",,max-age=7,"], 7)])
def test_cache_control_in_several_lines_or_quoted(server, ca, helper, lines, seconds):
    """The last line alone counted, and max-age="60" was ignored: the key set was then fetched every five minutes."""
    server.answer = page(b"{}", "200 OK", *("Cache-Control: " + line for line in lines))
    assert helper.ask(server.url, ca=ca).max_age == seconds


@pytest.mark.parametrize("date", ["Wed, 31 Dec 1969 23:59:50 GMT", "Fri, 01 Jan 9999 00:00:00 GMT", "yesterday", ""])
def test_a_server_without_a_clock_still_answers(server, ca, helper, date):
    server.answer = page(b"{}", "200 OK", "Date: " + date)
    answer = helper.ask(server.url, ca=ca)
    assert (answer.transport, answer.status, answer.body) == (fetch.ANSWERED, 200, b"{}")
    assert answer.date == (253370764800 if "9999" in date else -1)


def test_nothing_is_sent_that_was_not_given(server, ca, helper):
    helper.ask(server.url, ca=ca)
    assert "Authorization" not in server.requests[0] and "Audit-ID" not in server.requests[0]


def test_a_body_is_posted_and_one_connection_serves_them_all(server, ca, helper):
    for number in range(3):
        body = '{"number":%d}' % number
        assert helper.ask(server.url + "/apis", method="POST", ca=ca, body=body).status == 200
        assert server.requests[number].endswith("\r\n\r\n" + body)
        assert "Content-Type: application/json" in server.requests[number]
    assert server.connections == 1


def test_ipv6(good, ca, helper):
    with TlsServer(*good, host="::1") as server:
        assert helper.ask(server.url, ca=ca).status == 200


def test_through_a_proxy(certificates, ca, helper):
    """By the proxy that the request names, which learns the host and cannot read the connection."""
    with TlsServer(*certificates.issue("named", "DNS:api.prod.test")) as server, Proxy() as proxy:
        url = "https://api.prod.test:%d/version" % server.port
        assert helper.ask(url, ca=ca, bearer="secret-bearer", proxy=proxy.url).status == 200
        assert proxy.seen.startswith(b"CONNECT api.prod.test:%d HTTP/1.1" % server.port)
        assert b"secret-bearer" not in proxy.seen and b"/version" not in proxy.seen
        assert "Authorization: Bearer secret-bearer" in server.requests[0]


def test_a_proxy_that_is_not_there(server, ca, helper):
    """The server is reachable, but only the proxy may be used."""
    answer = helper.ask(server.url, ca=ca, proxy="http://127.0.0.1:1")
    assert answer.transport == fetch.UNREACHABLE and server.requests == []


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "404 Not Found", "406 Not Acceptable",
                                    "500 Internal Server Error", "503 Service Unavailable"])
def test_every_status_is_handed_on(server, ca, helper, status):
    server.answer = page(b"<html>", status)
    answer = helper.ask(server.url, ca=ca)
    assert (answer.transport, answer.status, answer.body) == (fetch.ANSWERED, int(status[:3]), b"<html>")


DATE = "Date: Sat, 28 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize("headers, seconds", [
    (["Retry-After: 7"], 7), (["Retry-After: 0"], 0), ([], -1), (["Retry-After: soon"], -1), (["Retry-After: -1"], -1),
    (["Retry-After: Sat, 28 Nov 2026 12:00:07 GMT", DATE], 7), ([DATE, "Retry-After: Sat, 28 Nov 2026 12:00:07 GMT"], 7),
    ([DATE, "Retry-After: Sat, 28 Nov 2026 11:00:00 GMT"], 0), (["Retry-After: Sat, 28 Nov 2026 12:00:07 GMT"], -1)])
def test_retry_after(server, ca, helper, headers, seconds):
    """In seconds, or as a date by the server's own clock."""
    server.answer = page(b"", "429 Too Many Requests", *headers)
    assert helper.ask(server.url, ca=ca).retry_after == seconds


@pytest.mark.parametrize("place", ["/other", "https://127.0.0.1:1/", "http://127.0.0.1:1/"])
def test_no_redirect_is_followed(server, ca, helper, place):
    server.answer = page(b"", "302 Found", "Location: " + place)
    assert helper.ask(server.url, ca=ca, bearer="secret").status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"nonsense\r\n\r\n"],
    ids=["in the header", "in the body", "chunks without end", "no HTTP"])
def test_what_is_not_whole_is_no_answer(server, ca, helper, answer):
    server.answer = answer if b"Connection" in answer else answer + b"\r\nConnection: close"
    answer = helper.ask(server.url, ca=ca, milliseconds=2000)
    assert answer.transport in (fetch.BROKEN, fetch.TIMEOUT) and answer.status == 0 and answer.body == b""


def test_sizes(server, ca, helper):
    server.answer = page(b"x" * 1024 * 1024)
    assert len(helper.ask(server.url, ca=ca).body) == 1024 * 1024
    server.answer = page(b"x" * (1024 * 1024 + 1))
    assert helper.ask(server.url, ca=ca).transport == fetch.TOO_LARGE
    server.answer = page(b"x" * 11)
    assert helper.ask(server.url, ca=ca, max=10).transport == fetch.TOO_LARGE


def test_nothing_is_unpacked(server, ca, helper):
    bomb = gzip.compress(b"0" * 50_000_000)
    server.answer = page(bomb, "200 OK", "Content-Encoding: gzip")
    assert helper.ask(server.url, ca=ca).body == bomb
    assert "Accept-Encoding" not in server.requests[0]


def test_a_server_that_never_answers_is_left_at_the_deadline(server, ca, helper):
    server.answer = None
    assert helper.ask(server.url, ca=ca, milliseconds=300).transport == fetch.TIMEOUT


def test_nobody_listens(ca, helper):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert helper.ask("https://127.0.0.1:%d/" % port, ca=ca).transport == fetch.UNREACHABLE


def test_a_name_that_is_nowhere(ca, helper):
    assert helper.ask("https://nowhere.invalid/", ca=ca, milliseconds=3000).transport in (fetch.UNREACHABLE, fetch.TIMEOUT)


PROOFS = {"wrong name": fetch.TLS_NAME, "another authority": fetch.TLS_AUTHORITY, "another authority of the same name": fetch.TLS_AUTHORITY,
          "the system's anchors": fetch.TLS_AUTHORITY, "expired": fetch.TLS_EXPIRED, "not valid yet": fetch.TLS_EARLY, "TLS 1.1": fetch.TLS}


@pytest.mark.parametrize("case", PROOFS)
def test_a_server_that_cannot_prove_itself(case, certificates, good, ca, helper, tmp_path):
    def old(context):
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED

    namesake = tmp_path / certificates.directory.name
    namesake.mkdir()
    pair = certificates.issue("other", "DNS:other.example,IP:10.0.0.1") if case == "wrong name" else good
    if case in ("expired", "not valid yet"):
        moved = certificates.issue("moved", "IP:127.0.0.1")
        pair = certificates.end(moved) if case == "expired" else certificates.begin_later(moved)
    anchors = {"another authority": Certificates(tmp_path).ca.read_bytes(), "the system's anchors": b"",
               "another authority of the same name": Certificates(namesake).ca.read_bytes()}.get(case, ca)
    with TlsServer(*pair, tune=old if case == "TLS 1.1" else None) as server:
        answer = helper.ask(server.url, ca=anchors, bearer="secret")
        assert answer.transport == PROOFS[case]
        assert answer.names == ("DNS:other.example, IP Address:10.0.0.1" if case == "wrong name" else "")
        assert server.requests == []


def test_names_of_a_certificate_are_cut_and_printable(certificates, ca, helper):
    """The server chooses its names; here they have control characters, and more bytes than are handed on."""
    names = ["a\n\x1b[31m.example"] + ["host-%d.example" % number for number in range(100)]
    with TlsServer(*certificates.named("hostile", names)) as server:
        answer = helper.ask(server.url, ca=ca)
    assert answer.transport == fetch.TLS_NAME and answer.names.startswith("DNS:a") and answer.names.isprintable()
    assert 100 < len(answer.names) <= 512


@pytest.mark.parametrize("alternative, name, transport", [
    ("DNS:api.prod.test", "api.prod.test", fetch.ANSWERED), ("IP:10.0.0.1", "10.0.0.1", fetch.ANSWERED),
    ("DNS:api.prod.test", "other.prod.test", fetch.TLS_NAME), ("IP:127.0.0.1", "api.prod.test", fetch.TLS_NAME)])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_certificate_must_have_the_server_name(certificates, ca, helper, alternative, name, transport, host):
    """And the connection still goes to the host of the URL, with that name as SNI."""
    names = []
    pair = certificates.issue("named", alternative)
    with TlsServer(*pair, host=host, tune=lambda it: setattr(it, "sni_callback", lambda _, name, __: names.append(name))) as server:
        answer = helper.ask(server.url + "/version", ca=ca, server_name=name)
        assert answer.transport == transport
        assert server.connections == 1 and names == [None if name[0].isdigit() else name]
        assert [request.split(" ")[1] for request in server.requests] == (["/version"] if transport == fetch.ANSWERED else [])


def test_a_server_name_through_a_proxy(certificates, ca, helper):
    """The proxy learns the host of the URL."""
    with TlsServer(*certificates.issue("named", "DNS:api.prod.test")) as server, Proxy() as proxy:
        assert helper.ask(server.url, ca=ca, proxy=proxy.url, server_name="api.prod.test").status == 200
        assert proxy.seen.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1" % server.port)


def test_named_anchors_are_all_that_count(good, certificates, ca, helper, tmp_path):
    """If a request names an authority, the system's authorities, in the directory that libcurl was built with, do not count."""
    other = Certificates(tmp_path)
    digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", other.ca], check=True, capture_output=True, text=True)
    anchor = Path("/etc/ssl/certs", digest.stdout.strip() + ".0")
    anchor.write_bytes(other.ca.read_bytes())
    try:
        with TlsServer(*other.issue("good", "IP:127.0.0.1")) as server:
            answer = helper.ask(server.url, ca=ca, bearer="secret")
            assert answer.transport == fetch.TLS_AUTHORITY and server.requests == []
            assert helper.ask(server.url).status == 200  # it does count where none is named
    finally:
        anchor.unlink()


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "nonsense"])
def test_what_is_not_https_is_not_asked(helper, url):
    assert helper.ask(url).transport == fetch.REQUEST


@pytest.mark.parametrize("bytes", [b"GET / HTTP/1.1", b"\0" * 8, fetch.frame([b"x"] * 3)[:8] + b"\0" * 33],
                         ids=["HTTP", "zeroes", "wrong members"])
def test_nonsense_is_not_served(helper, bytes):
    helper.send(bytes)
    helper.socket.shutdown(socket.SHUT_WR)
    try:
        left = helper.socket.recv(4096)
    except ConnectionResetError:  # it ended without reading the rest
        left = b""
    assert left == b"" or fetch.Answer(left[8:]).transport == fetch.REQUEST
    assert helper.process.wait(timeout=30) == 0


def test_the_end_of_the_socket_ends_it(helper):
    helper.socket.close()
    assert helper.process.wait(timeout=30) == 0


def status_of(pid):
    lines = open("/proc/%d/status" % pid).read().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def test_what_it_is_while_it_waits(server, ca, helper):
    server.answer = None
    helper.send(fetch.request(server.url, ca=ca, bearer="secret-bearer", milliseconds=20000))
    assert server.held.wait(20)
    ksa_user, pid = pwd.getpwnam("_ksa"), helper.process.pid
    status = status_of(pid)
    assert status["Uid"] == [str(ksa_user.pw_uid)] * 4 and status["Gid"] == [str(ksa_user.pw_gid)] * 4
    assert status["Groups"] == [] and status["NoNewPrivs"] == ["1"] and int(status["CapEff"][0], 16) == 0
    # the files of a process that is not dumpable belong to root
    assert os.stat("/proc/%d/environ" % pid).st_uid == 0
    limits = open("/proc/%d/limits" % pid).read()
    for name in ("Max core file size", "Max file size"):
        assert [line.split()[-3] for line in limits.splitlines() if line.startswith(name)] == ["0"]
    # the descriptors of a request; it is not in an argument or the environment
    for name in ("cmdline", "environ"):
        assert b"secret" not in open("/proc/%d/%s" % (pid, name), "rb").read()


def test_without_root_it_says_so():
    ours, inside = socket.socketpair()
    with ours:
        process = subprocess.Popen([fetch.PROGRAM], stdin=inside, stdout=inside, env=fetch.ENVIRONMENT,
                                   user="nobody", group="nogroup", extra_groups=[])
        inside.close()
        head = ours.recv(8, socket.MSG_WAITALL)
        answer = fetch.Answer(ours.recv(struct.unpack("=II", head)[1], socket.MSG_WAITALL))
        assert answer.transport == fetch.USER and "root" in answer.why
        assert process.wait(timeout=30) != 0
