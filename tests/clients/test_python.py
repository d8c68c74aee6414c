# SPDX-License-Identifier: BSD-2-Clause
"""The two ssh libraries of Python that most others are built on."""
from clients import (  # noqa: F401
    EXAMPLES, INSTALLED, SOURCE, Client, file_to_read, other_host_key, test_client_checks_the_host_key, test_client_logs_in,
    test_client_shows_why_a_token_is_refused)

PYTHON = "PYTHONPATH=%s/python /usr/bin/python3 -B -W ignore " % INSTALLED
SCRIPT = PYTHON + SOURCE + "/python/"
CLIENTS = {
    "asyncssh": Client(PYTHON + EXAMPLES + "/login.py deploy-bot build-7 token 'id -un'"),
    "asyncssh: password": Client(SCRIPT + "asyncssh_password.py", shows="Permission denied"),
    "paramiko": Client(SCRIPT + "paramiko_password.py", shows="Bad authentication type; allowed types"),
    "paramiko: auth_interactive": Client(SCRIPT + "paramiko_interactive.py"),
}
