# SPDX-License-Identifier: BSD-2-Clause
"""Net::SSH2 is libssh2; Net::OpenSSH runs ssh."""
from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

DIRECTORY = SOURCE + "/perl"
CLIENTS = {
    "Net::OpenSSH": Client("KSA_TOKEN_COMMAND='cat token' perl %s/net_openssh.pl" % DIRECTORY),
    "Net::SSH2": Client("perl %s/net_ssh2.pl" % DIRECTORY),
}
