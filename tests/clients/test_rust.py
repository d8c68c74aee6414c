# SPDX-License-Identifier: BSD-2-Clause
"""Crates. Two have their own implementation of SSH; openssh starts the first ssh in PATH."""
from clients import (  # noqa: F401
    INSTALLED, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

KSA_SSH_AS_SSH = "mkdir -p bin; ln -sf /usr/bin/ksa-ssh bin/ssh; PATH=~/bin:$PATH KSA_SSH=/usr/bin/ssh KSA_TOKEN_COMMAND='cat ~/token' "
CLIENTS = {
    "openssh (crate)": Client(KSA_SSH_AS_SSH + INSTALLED + "/rust/openssh_login"),
    "russh (crate)": Client(INSTALLED + "/rust/russh_login"),
    "ssh2 (crate)": Client(INSTALLED + "/rust/ssh2_login", shows=r"Authentication failed \(keyboard-interactive\)"),
}
