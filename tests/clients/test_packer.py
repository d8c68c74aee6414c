# SPDX-License-Identifier: BSD-2-Clause
"""Packer logs in to hosts that it builds. It checks no host keys, and ksa-clients(7) says so."""
from clients import (  # noqa: F401
    SOURCE, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

CLIENTS = {
    "Packer": Client("CHECKPOINT_DISABLE=1 packer build -color=false %s/packer/login.pkr.hcl" % SOURCE,
                     shows="Packer experienced an authentication error"),
}
