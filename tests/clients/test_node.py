# SPDX-License-Identifier: BSD-2-Clause
"""The ssh library of Node.js, and two that are built on it."""
from clients import (  # noqa: F401
    INSTALLED, SOURCE, Client, file_to_read, other_host_key, test_client_checks_the_host_key, test_client_does_not_log_in,
    test_client_logs_in, test_client_shows_why_a_token_is_refused)


def script(name):
    return "NODE_PATH=%s/node/node_modules node %s/node/%s" % (INSTALLED, SOURCE, name)


# ssh2 answers a request without a prompt, in which the reason is, and does not show it.
REFUSED = "All configured authentication methods failed"
CLIENTS = {
    "ssh2": Client(script("ssh2.js"), shows=REFUSED),
    "ssh2-sftp-client": Client(script("sftp.js"), shows=REFUSED),
    "node-ssh": Client(script("node_ssh.js"), shows=REFUSED),
    "ssh2: password alone": Client(script("ssh2_password.js"), takes=(), tries=0, shows=REFUSED),
}
