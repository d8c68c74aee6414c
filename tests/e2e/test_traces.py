# SPDX-License-Identifier: BSD-2-Clause
"""No part of a token is left anywhere: logs, output, files, arguments and environment of any process."""
import os
from pathlib import Path

import host as private_host

PIECE = 24


def pieces(tokens):
    found = set()
    for token in tokens:
        signature = token.rpartition(".")[2].encode()
        found.update(signature[at:at + PIECE] for at in range(len(signature) - PIECE + 1))
    return found


def holds(text, wanted):
    return any(text[at:at + PIECE] in wanted for at in range(len(text) - PIECE + 1))


def files_in(*directories):
    for directory in directories:
        for path, _, names in os.walk(directory):
            for name in names:
                file = Path(path, name)
                if file.is_file() and not file.is_symlink():
                    yield file


def test_no_token_is_left_behind(host):
    watch = private_host.ProcessWatch()
    watch.start()
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so debug\n@include")
    good, expired, stranger = host.token(), host.token(issued=1700000000), host.token(account="tester")
    given = [host.token_file(good, "/home/deploy-bot/job-token", "deploy-bot")]
    outputs = []
    for token in (good, expired, stranger):
        outputs.append(host.ssh(token, "env; id", KSA_HOST="build-7", KSA_AUDIENCE="ssh://build-7"))
    outputs.append(host.ssh(good[:700]))
    outputs.append(host.on_host("sudo -A env", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=given[0],
                                KSA_AUDIENCE="ssh://build-7"))
    given.append(host.give_token(good))
    outputs.append(host.on_host("sudo -n env"))
    for command in ("explain --token-file /home/job/token --user deploy-bot", "explain --token-file /home/job/token --json", "check"):
        outputs.append(host.run(["ksactl"] + command.split(), user="root"))
    given.append(Path("/home/job/token"))
    seen = watch.stop()
    wanted = pieces(host.tokens)
    assert len(outputs[0].allowed) == 1 and len(outputs[4].allowed) == 1 and len(outputs[5].allowed) == 1
    assert len(seen) > 50 and any(b"ksa-askpass" in text for text in seen)
    for text in seen:
        assert not holds(text, wanted), text[:80]
    for result in outputs:
        assert not holds(repr(result).encode(), wanted)
    searched = 0
    for file in files_in("/run", "/var/log", "/home", "/dev/shm", "/var/lib/sudo", "/var/cache", "/etc/ksa"):
        if file not in given:
            searched += 1
            assert not holds(file.read_bytes(), wanted), file
    assert searched > 10 and private_host.LOG.stat().st_size > 1000


def test_the_search_finds_a_token(host):
    """The search above can fail."""
    token = host.token()
    assert holds(("x" + token + "y").encode(), pieces([token]))
    assert not holds(b"x" * 500, pieces([token]))
