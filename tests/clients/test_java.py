# SPDX-License-Identifier: BSD-2-Clause
"""Libraries that Maven fetches. The options of java save processor time, and keep its files out of /tmp."""
from clients import (  # noqa: F401
    INSTALLED, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

DIRECTORY = INSTALLED + "/java"


def program(name):
    return "java -XX:-UsePerfData -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '%s/classes:%s/lib/*' %s" % (DIRECTORY, DIRECTORY, name)


# MINA reads no file that has a pattern in place of the port.
KNOWN_HOSTS = "sed -n 's/^build-7,other /build-7 /p' .ssh/known_hosts >known_hosts"
CLIENTS = {
    "Apache MINA SSHD": Client("%s; %s" % (KNOWN_HOSTS, program("MinaLogin")), shows="No more authentication methods available"),
    "JSch": Client(program("JschLogin")),
    "sshj": Client(program("SshjLogin")),
}
