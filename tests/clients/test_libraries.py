# SPDX-License-Identifier: BSD-2-Clause
"""More libraries of Python. They need an older paramiko than test_python.py."""
from clients import (  # noqa: F401
    INSTALLED, SOURCE, Client, file_to_read, other_host_key, test_client_checks_the_host_key, test_client_does_not_log_in,
    test_client_logs_in, test_client_shows_why_a_token_is_refused)


def script(name):
    return "PYTHONPATH=%s/libraries /usr/bin/python3 -B -W ignore %s/libraries/%s" % (INSTALLED, SOURCE, name)


PARAMIKO = "Bad authentication type; allowed types"
CLIENTS = {
    "fabric": Client(script("fabric_run.py"), shows=PARAMIKO),
    "netmiko": Client(script("netmiko_send.py"), shows=PARAMIKO),
    "spur": Client(script("spur_run.py"), shows=PARAMIKO),
    "ssh2-python": Client(script("ssh2_python.py"), shows="AuthenticationError"),
    # Its userauth_kbdint_getinstruction() always fails, so it cannot show the reason.
    "ssh-python": Client(script("ssh_python.py"), shows="Access denied"),
    "parallel-ssh (library)": Client(script("pssh_one.py"), shows="AuthenticationError", checks_host_key=False),
    "parallel-ssh (library): ParallelSSHClient": Client(script("pssh_many.py"), takes=(), tries=0, shows="AuthenticationError"),
    "parallel-ssh (library): pssh.clients.ssh": Client(script("pssh_libssh.py"), takes=(), tries=0, shows="AuthenticationError"),
    "ansible-pylibssh": Client(script("pylibssh.py"), shows="Failed to authenticate with keyboard-interactive"),
    "pexpect": Client(script("pexpect_ssh.py")),
}
