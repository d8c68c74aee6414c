# SPDX-License-Identifier: BSD-2-Clause
"""One row for each client, and what is tested with each row. A file test_GROUP.py has a table CLIENTS of such rows, by
the names of ksa-clients(7), and imports the tests from here. A name such as "asyncssh: password" is of another way to use
asyncssh, which its entry mentions. tests/integration/test_client_entries.py compares both."""
import dataclasses
import re
import subprocess
import uuid
from pathlib import Path

import pytest

import issuer
from host import HOME, field

# conftest.py mounts here the directory of each group, and the source tree as "source".
INSTALLED = "/run/clients"
SOURCE = INSTALLED + "/source/tests/clients"
EXAMPLES = INSTALLED + "/source/client/examples"


@dataclasses.dataclass
class Client:
    """COMMAND, for a shell, prints the line deploy-bot: by running "id -un" on build-7, or by reading the file "id" in
    the home directory there. It runs as the user job in its home, where the file "token" contains the token and
    .ssh/known_hosts the host's keys. It must not switch off the check of host keys. A USER of the host itself, such as of
    sudo, has the file "token" in its home."""
    command: str
    # The logins of a command that succeeds.
    logins: int = 1
    user: str = "job"
    prints: str = "deploy-bot"
    # Tokens that it can log in with. None: the page describes a client that does not log in.
    takes: tuple = ("RS256", "ES256")
    # What it prints if a token is refused, a pattern. None: the host's message, with the reason.
    shows: str = None
    # The denials in the host's log for one refused command.
    tries: int = 1
    # False: any program that answers in place of the host gets the token, as the page warns.
    checks_host_key: bool = True
    # Of one command, in seconds.
    timeout: int = 120


def claims(account="deployer", **changes):
    """Of a token that a Pod gets: it also names the Pod and its node."""
    pod, node = ({"name": name, "uid": str(uuid.uuid4())} for name in ("runner-7d4b9c6f5-x2x9k", "worker-3.prod.example"))
    reference = {"namespace": "ci", "serviceaccount": {"name": account, "uid": issuer.ACCOUNT_UID}, "pod": pod, "node": node}
    return {"account": account, "kubernetes": reference, **changes}


def run(host, client, algorithm, **changes):
    key = host.key if algorithm == "RS256" else issuer.Key(algorithm)
    host.write_keys(key)
    token = host.token(key, **claims(**changes))
    assert len(token) > 1023 if algorithm == "RS256" else 800 < len(token) < 1023
    host.token_file(token, Path("/home", client.user, "token"), client.user)
    return host.run(["sh", "-c", client.command], user=client.user, timeout=client.timeout)


@pytest.fixture
def file_to_read(host):
    """For clients that copy files and run no command."""
    path = Path("/home/deploy-bot/id")
    path.write_text("deploy-bot\n")
    yield
    path.unlink()


def test_client_logs_in(host, file_to_read, client, algorithm):
    result = run(host, client, algorithm)
    assert result.status == 0 and client.prints in result.out.split(), result
    assert len(result.allowed) == len(result.lines) == client.logins, result


REFUSED = {"expired": {"issued": 1_700_000_000}, "no-rule": {"account": "other"}}


def letters(text):
    """Without all else: some clients wrap or quote what they show."""
    return re.sub(r"\W", "", text)


def check_shown(client, result):
    """That it shows what its row says, for the first refusal of the log."""
    told = result.out + result.err
    line = result.lines[0]
    reason = "Service account token refused (ref %s on build-7): %s" % (field(line, "ref"), field(line, "why"))
    if client.shows is None:
        assert letters(reason) in letters(told), "missing: %s\n%s" % (reason, result)
    else:
        assert re.search(client.shows, told), "missing: %s\n%s" % (client.shows, result)
        assert "token refused" not in told, "it shows more than its row says: %r" % result


@pytest.mark.parametrize("why", REFUSED)
def test_client_shows_why_a_token_is_refused(host, file_to_read, client, why):
    """Or what ksa-clients(7) says that it shows in place of that."""
    result = run(host, client, client.takes[0], **REFUSED[why])
    assert result.status != 0 and client.prints not in result.out.split() and not result.allowed, result
    assert len(result.lines) == client.tries, result
    check_shown(client, result)


@pytest.fixture
def other_host_key(host, tmp_path):
    """As if the host were another one."""
    known = HOME / ".ssh/known_hosts"
    text = known.read_text()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    known.write_text("build-7 " + (tmp_path / "key.pub").read_text())
    yield
    known.write_text(text)


def test_client_checks_the_host_key(host, file_to_read, other_host_key, client):
    result = run(host, client, client.takes[-1])
    if client.checks_host_key:
        assert result.status != 0 and result.lines == [], result
    else:
        assert len(result.allowed) == 1, "it checks the key now: %r" % result


def test_client_does_not_log_in(host, file_to_read, client):
    """If it does, its row and ksa-clients(7) are out of date."""
    result = run(host, client, "ES256")
    assert result.status != 0 and not result.allowed and len(result.lines) == client.tries, result
    assert re.search(client.shows, result.out + result.err), result
