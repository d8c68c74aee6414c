# SPDX-License-Identifier: BSD-2-Clause
"""PuTTY's programs. They read the host's key from -hostkey."""
from clients import (  # noqa: F401
    Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

HOST_KEY = '-hostkey "$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d" " -f2)"'
OPTIONS = "-batch %s -pwfile token" % HOST_KEY
CLIENTS = {
    "plink": Client("plink -ssh %s deploy-bot@build-7 id -un" % OPTIONS),
    "pscp": Client("pscp %s deploy-bot@build-7:id got && cat got" % OPTIONS),
    "psftp": Client("echo 'get id got' >batch; psftp %s -b batch deploy-bot@build-7 && cat got" % OPTIONS),
}
