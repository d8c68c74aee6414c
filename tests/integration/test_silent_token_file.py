# SPDX-License-Identifier: BSD-2-Clause
"""A token file on a file system that never answers: the child that reads it cannot be killed."""
import os
import pwd
import shutil
import time

import fuse
import pam
from host import wait_until

PLACE = "/home/deploy-bot/silent"


def processes(state):
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and state_of(entry) == state]


def state_of(entry):
    try:
        with open("/proc/%s/stat" % entry) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


def test_login_goes_on_without_the_child_and_keeps_no_zombie(stack):
    os.makedirs(PLACE, exist_ok=True)
    shutil.chown(PLACE, "deploy-bot", "deploy-bot")
    stack.write("sudo", "token_file=%s/token" % PLACE)
    zombies = processes("Z")
    with fuse.SilentFiles(PLACE) as files:
        start = time.monotonic()
        wait = pam.start(pam.CONFDIR, "sudo", "deploy-bot", ruser="deploy-bot", phases=("authenticate",),
                         real_uid=pwd.getpwnam("deploy-bot").pw_uid)
        result = wait()
        assert time.monotonic() - start < 50 and files.requested.is_set()
        assert result["codes"] == {"authenticate": "AUTH_ERR"} and result["prompts"] == [], result
        assert result["changed"] == [], result  # no child of the host program is left
        assert processes("D")  # the child: nothing could end it
    wait_until(lambda: not set(processes("Z")) - set(zombies))
