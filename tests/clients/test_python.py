# SPDX-License-Identifier: BSD-2-Clause
"""The two ssh libraries of Python that most others are built on."""
from clients import (  # noqa: F401
    INSTALLED, SOURCE, Client, file_to_read, test_client_logs_in,
    test_client_shows_why_a_token_is_refused)


def script(name):
    return "PYTHONPATH=%s/python /usr/bin/python3 -B -W ignore %s/python/%s" % (INSTALLED, SOURCE, name)


CLIENTS = {
    "asyncssh": Client(script("asyncssh_password.py"), shows="Permission denied"),
}
