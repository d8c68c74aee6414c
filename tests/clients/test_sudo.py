# SPDX-License-Identifier: BSD-2-Clause
"""sudo and doas, which run on the host itself."""
from pathlib import Path

import pytest

from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

ATTEMPT = "sudo: 1 incorrect password attempt"
USER = {"user": "deploy-bot", "prints": "root"}
CLIENTS = {
    "sudo -A": Client('export KSA_AUDIENCE=ssh://build-7 KSA_TOKEN_FILE=token; eval "$(ksa-askpass --env)"; sudo -A id -un',
                      shows=ATTEMPT, **USER),
    "sudo -S": Client("fold -w 500 token | sudo -S id -un", shows=ATTEMPT, **USER),
    "sudo -n": Client("mkdir -p -m 700 .ksa && cp token .ksa/token && sudo -n id -un", shows=ATTEMPT, **USER),
    "doas": Client("expect %s/debian/parts.exp token doas id -un" % SOURCE, **USER),
}


@pytest.fixture(autouse=True)
def doas(host):
    """A service of its own, which a rule names; the stack is that of sudo."""
    host.write("/etc/pam.d/doas", Path("/etc/pam.d/sudo").read_text())
    host.write("/etc/doas.conf", "permit deploy-bot as root\n", 0o400)
    host.edit("/etc/ksa/ksa.conf", "\nservice = sudo\n", "\nservice = sudo doas\n")


def test_sudo_takes_no_whole_token(host):
    """sudo reads at most 511 bytes of an answer; the parts of fold arrive."""
    host.token_file(host.token(), "/home/deploy-bot/token", "deploy-bot")
    result = host.on_host("sudo -S id -un <token")
    assert result.status == 1 and result.reasons == ["conversation-failed"], result
