# SPDX-License-Identifier: BSD-2-Clause
"""The extension ssh2 is libssh2."""
from clients import (  # noqa: F401
    INSTALLED, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

CLIENTS = {
    "php-ssh2": Client("php %s/source/tests/clients/php/ssh2.php" % INSTALLED, shows="Authentication failed for deploy-bot using password"),
}
