# SPDX-License-Identifier: BSD-2-Clause
"""Callers that gain nothing by patience: by leaving a prompt open while time and rules go on, or by stopping their own sudo
until the time for a review has ended."""
import subprocess
import time
from pathlib import Path

import issuer
from test_helper_attacks import AS_BOT, sudo

SU = "auth required pam_ksa.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n"
CONFIG = Path("/etc/ksa/ksa.conf")
AS_JOB = ["setpriv", "--reuid=job", "--regid=job", "--init-groups", "--inh-caps=-all"]


def allow_su(login_host, review="never"):
    login_host.write(review, keys="file:/etc/ksa/prod.jwks")
    login_host.host.write("/etc/pam.d/su", SU)
    login_host.host.edit(CONFIG, "service = sshd sudo", "service = sshd sudo su")


class Su:
    """su to deploy-bot by another user, whose prompt waits for answer()."""

    def __init__(self, login_host, *wrapper):
        self.login_host, self.size = login_host, login_host.host.log_size()
        self.process = subprocess.Popen([*AS_JOB, *wrapper, "su", "deploy-bot", "-c", "id -un"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.prompt = self.process.stderr.read(len("Service account token as password: "))

    def answer(self, token):
        out, err = self.process.communicate(("\n".join(issuer.answers(token)) + "\n").encode(), timeout=60)
        lines = [line for line in self.login_host.host.log_since(self.size) if "): result=" in line]
        return out.decode(), err.decode(), lines


def assert_refused(answer, reason):
    out, _, lines = answer
    assert out == "" and len(lines) == 1 and " reason=%s " % reason in lines[0], answer


def until(moment):
    """Waits for the clock."""
    while time.time() < moment:
        time.sleep(0.1)


def test_a_prompt_lets_in(reviewed):
    allow_su(reviewed)
    assert Su(reviewed).answer(reviewed.host.token())[0] == "deploy-bot\n"


def test_a_token_that_ends_while_the_prompt_is_open(reviewed):
    allow_su(reviewed)
    end = int(time.time()) - 57
    token = reviewed.host.token(iat=end - 300, nbf=end - 300, exp=end)
    prompt = Su(reviewed)
    until(end + 62)  # the leeway is 60 s
    assert_refused(prompt.answer(token), "expired")


def test_a_rule_that_goes_while_the_prompt_is_open(reviewed):
    allow_su(reviewed)
    prompt, begin = Su(reviewed), time.time()
    reviewed.host.edit(CONFIG, "service = sshd sudo su", "service = sshd sudo")
    until(begin + 2)
    out, _, lines = prompt.answer(reviewed.host.token())
    assert out == "" and not [line for line in lines if "result=allow" in line]


def test_who_stops_his_sudo_skips_no_review(reviewed):
    """review = prefer yields to a timeout, but the caller controls how long a review takes: it does not yield then."""
    reviewed.timeout = 2
    reviewed.write("prefer")
    with sudo(reviewed) as login:
        subprocess.run([*AS_BOT, "pkill", "-STOP", "-x", "sudo"], check=True)
        reviewed.server.go_on()
        until(time.time() + 3)
        subprocess.run([*AS_BOT, "pkill", "-CONT", "-x", "sudo"], check=True)
        result = login.end()
    assert result.status != 0 and result.reasons == ["api-timeout"] and "review=require" in result.lines[0], result


def test_who_may_start_no_process_skips_no_review(reviewed):
    """su takes the caller's limits along; a name is looked up by a thread of libcurl's."""
    allow_su(reviewed, review="prefer")
    reviewed.host.edit(CONFIG, "https://127.0.0.1", "https://localhost")
    reviewed.server.go_on()
    reviewed.server.revoked = {"deployer"}
    answer = Su(reviewed, "prlimit", "--nproc=0:0").answer(reviewed.host.token())
    out, _, lines = answer
    assert out == "" and len(lines) == 1 and "result=allow" not in lines[0] and "review=require" in lines[0], answer
