# SPDX-License-Identifier: BSD-2-Clause
"""The output of sudo after a refusal. It passes PAM_SILENT, unless sudoers has !pam_silent (sudo 1.9.16 and later). With an
older sudo those tests are skipped; on a Debian 13 host they run by

    tests/support/run-on trixie tests/e2e/test_sudo_messages.py
"""
import re
import subprocess
import time

import pytest

ANSWERS = {"empty-answer": "", "not-a-token": "hunter2", "token-cut-short": "eyJ" + "a" * 508}
COMMANDS = {"-S": "sudo -S id -un <answer", "-A": "SUDO_ASKPASS=$PWD/hand sudo -A id -un"}


def sudo_version():
    said = subprocess.run(["sudo", "-V"], stdout=subprocess.PIPE, universal_newlines=True).stdout
    return tuple(map(int, re.match(r"Sudo version (\d+)\.(\d+)\.(\d+)", said).groups()))


@pytest.fixture
def host_with_messages(host):
    if sudo_version() < (1, 9, 16):
        pytest.skip("sudo is older than 1.9.16: on a Debian 13 host, "
                    "tests/support/run-on trixie tests/e2e/test_sudo_messages.py")
    host.edit("/etc/sudoers.d/ksa-noninteractive", "#Defaults:deploy-bot !pam_silent", "Defaults:deploy-bot !pam_silent")
    return host


def answer(host, option, reason):
    host.write("/home/deploy-bot/answer", ANSWERS[reason] + "\n")
    host.write("/home/deploy-bot/hand", "#!/bin/sh\ncat answer\n", 0o755)
    result = host.on_host(COMMANDS[option])
    assert result.status == 1 and result.out == "" and result.reasons == [reason], result
    return result


def message(result, text):
    ref = re.search(r" ref=(\w+) ", result.lines[0]).group(1)
    return "Service account token refused (ref %s on build-7): %s " % (ref, text)


@pytest.mark.parametrize("option", COMMANDS)
@pytest.mark.parametrize("reason", ANSWERS)
def test_sudo_shows_no_reason_by_default(host, option, reason):
    assert "refused" not in answer(host, option, reason).err


@pytest.mark.parametrize("option", COMMANDS)
@pytest.mark.parametrize("reason", ANSWERS)
def test_sudo_shows_the_reason_with_pam_silent_off(host_with_messages, option, reason):
    result = answer(host_with_messages, option, reason)
    assert message(result, reason + ":") in result.err, result


def test_sudo_shows_the_reason_of_a_token_file_with_pam_silent_off(host_with_messages):
    host_with_messages.give_token(host_with_messages.token(issued=int(time.time()) - 1000))
    result = host_with_messages.on_host("sudo -n id -un")
    assert result.status == 1 and result.reasons == ["expired"] and message(result, "expired") in result.err, result
