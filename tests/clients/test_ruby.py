# SPDX-License-Identifier: BSD-2-Clause
"""net-ssh, and programs that are built on it."""
from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

DIRECTORY = SOURCE + "/ruby"
CAPISTRANO = "mkdir -p config/deploy; : >config/deploy/production.rb; cp %s/capistrano.rb config/deploy.rb; " \
             "cap -f %s/Capfile production who" % (DIRECTORY, DIRECTORY)
CLIENTS = {
    "Capistrano": Client(CAPISTRANO),
    "net-ssh": Client("ruby %s/netssh.rb" % DIRECTORY),
    "SSHKit": Client("ruby %s/sshkit.rb" % DIRECTORY),
}
