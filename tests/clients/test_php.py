# SPDX-License-Identifier: BSD-2-Clause
"""The extension ssh2 is libssh2."""
from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

CLIENTS = {
    "php-ssh2": Client("php %s/php/ssh2.php" % SOURCE, shows="Authentication failed for deploy-bot using password"),
}
