# SPDX-License-Identifier: BSD-2-Clause
"""The ssh library of Go, by the example of the documentation."""
from clients import (  # noqa: F401
    INSTALLED, Client, file_to_read, other_host_key, test_client_checks_the_host_key, test_client_does_not_log_in,
    test_client_logs_in, test_client_shows_why_a_token_is_refused)

# ssh too stores only the ed25519 key when it first connects.
ONE_KEY = "mkdir -p one/.ssh; grep ' ssh-ed25519 ' .ssh/known_hosts >one/.ssh/known_hosts; HOME=$PWD/one "
CLIENTS = {
    "golang.org/x/crypto/ssh": Client(ONE_KEY + INSTALLED + "/go/login deploy-bot build-7 token 'id -un'"),
    "golang.org/x/crypto/ssh: ssh.Password alone": Client(
        INSTALLED + "/go/password", takes=(), tries=0, shows=r"attempted methods \[none\], no supported methods remain"),
}
