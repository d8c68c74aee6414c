# SPDX-License-Identifier: BSD-2-Clause
"""An HTTPS server on loopback whose answers are bytes that a test wrote, well behaved or not."""
import contextlib
import datetime
import socket
import ssl
import subprocess
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Certificates:
    """A certificate authority, and the certificates that it signs."""

    def __init__(self, directory):
        self.directory, self.ca = directory, directory / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                "-subj", "/CN=ca of %s" % directory.name, "-keyout", directory / "ca.key", "-out", self.ca)

    def issue(self, name, alternative, days=1, groups=()):
        request, key, made = (self.directory / (name + end) for end in (".req", ".key", ".pem"))
        extensions = self.directory / (name + ".ext")
        extensions.write_text("subjectAltName=%s\n" % alternative)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=%s%s" % (name, "".join("/O=" + group for group in groups)),
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.directory / "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", made)
        return made, key

    def _change(self, pair, begin, extensions=None):
        """The same certificate, valid for a day from BEGIN days after today, with other EXTENSIONS: openssl makes none like that."""
        made, _ = pair
        old = x509.load_pem_x509_certificate(made.read_bytes())
        begin = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=begin)
        builder = x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), old.serial_number,
                                          begin, begin + datetime.timedelta(days=1), extensions or list(old.extensions))
        authority = serialization.load_pem_private_key((self.directory / "ca.key").read_bytes(), None)
        made.write_bytes(builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return pair

    def end(self, pair):
        """The same certificate, which expired yesterday."""
        return self._change(pair, -2)

    def begin_later(self, pair):
        """The same certificate, which becomes valid tomorrow."""
        return self._change(pair, 1)

    def named(self, name, hosts):
        """A certificate for HOSTS, which may have any characters."""
        value = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        return self._change(self.issue(name, "DNS:" + name), -0.5, [x509.Extension(value.oid, False, value)])


def page(body=b"{}", status="200 OK", *headers):
    """A valid HTTP response."""
    lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class TlsServer:
    """Responds to every request with what reply() returns: bytes, and closes after them if they have Connection: close; an
    iterable of bytes, sent as they come; or None: never. reply() takes it from `pages`, by path, or else from `answer`."""

    def __init__(self, certificate, key, host="127.0.0.1", tune=None):
        self.pages = {}
        self.answer, self.requests, self.connections, self.held = page(), [], 0, threading.Event()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if tune:
            tune(self.context)
        self.listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.url = "https://%s:%d" % ("[%s]" % host if ":" in host else host, self.port)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):  # a test did it already
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def reply(self, request):
        return self.pages.get(request.split(" ")[1], self.answer)

    def _serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as stream:
                while (request := self._read(stream)):
                    self.requests.append(request)
                    answer = self.reply(request)
                    if answer is None:
                        self.held.set()
                        stream.recv(1)  # until the other side has gone
                        return
                    sent = b""
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        stream.sendall(piece)
                        sent += piece[:4096]
                    if b"Connection: close" in sent:
                        return
        except OSError:  # the client refused this server; whether it should is a matter of the test
            plain.close()

    @staticmethod
    def _read(stream):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = stream.recv(65536)
            if not piece:
                return None
            request += piece
        head, _, body = request.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        while len(body) < length:
            body += stream.recv(65536)
        return head.decode() + "\r\n\r\n" + body.decode()


class Proxy:
    """Takes CONNECT (RFC 9110 section 9.3.6) to 127.0.0.1, for any host, and keeps the bytes that it saw in the clear."""

    def __enter__(self):
        self.listener, self.seen = socket.create_server(("127.0.0.1", 0)), b""
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        try:
            while True:
                client, _ = self.listener.accept()
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(4096)
                self.seen += head
                port = int(head.split()[1].rpartition(b":")[2])
                server = socket.create_connection(("127.0.0.1", port))
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()
        except OSError:
            pass

    def _carry(self, source, sink):
        try:
            while (piece := source.recv(65536)):
                self.seen += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
