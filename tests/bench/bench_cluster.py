# SPDX-License-Identifier: BSD-2-Clause
"""A login with a review against the least C program that has libcurl ask the same of the same real API server, in
pairs, process start included on both sides; a refresh of keys likewise; and many logins at once."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import apiserver  # noqa: E402
import issuer  # noqa: E402

PAIRS = 101
AT_ONCE = 64
CURL = os.environ["KSA_CURL_REVIEW"]
DIRECTORY = Path("/run/bench")
CREDENTIAL = Path("/var/lib/ksa/credentials/prod")
CONFIG = """[host]
audience = ssh://build-7
[cluster prod]
issuer = %s
keys = api
api_server = %s
api_ca_file = /etc/ksa/ca.pem
credential_file = %s
[rule deploy]
account = prod:ci/deployer
user = deploy-bot
service = bench-review
review = require
[rule local]
account = prod:ci/deployer
user = deploy-bot
service = bench-local
"""


def login(service, token):
    answers = "%s\n%s\n%s\n" % (token[:500], token[500:1000], token[1000:])
    return subprocess.Popen([shutil.which("pamtester"), service, "deploy-bot", "authenticate"], stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True), answers


def timed_login(service, token):
    started = time.perf_counter()
    process, answers = login(service, token)
    process.communicate(answers)
    assert process.returncode == 0, Path("/var/log/auth.log").read_text()[-2000:]
    return time.perf_counter() - started


def timed(*command):
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def compare(what, ours, bare, aim=""):
    times = [(ours(), bare()) for _ in range(PAIRS)]
    ours, bare = (statistics.median(column) * 1000 for column in zip(*times))
    print("%-34s ours %7.2f ms  bare libcurl %7.2f ms  ratio %5.2f  %s" % (what, ours, bare, ours / bare, aim))


def set_up(server):
    server.account("ci", "deployer")
    server.account("ksa-system", "host-verifier")
    server.bind("verifier", "system:auth-delegator", apiserver.account_subject("ksa-system", "host-verifier"))
    CREDENTIAL.write_text(server.create_token("ksa-system", "host-verifier", None, 3600))
    CREDENTIAL.chmod(0o600)
    shutil.copy(server.ca, "/etc/ksa/ca.pem")
    Path("/etc/ksa/ksa.conf").write_text(CONFIG % (server.issuer, server.url, CREDENTIAL))
    for name in ("review", "local"):
        Path("/etc/pam.d/bench-" + name).write_text("auth required pam_ksa.so\naccount required pam_permit.so\n")
    subprocess.run(["ksactl", "keys", "refresh", "--all"], check=True)


def main():
    DIRECTORY.mkdir()
    with apiserver.ApiServer(os.environ["KSA_KUBERNETES"], DIRECTORY / "server") as server:
        set_up(server)
        token = server.create_token("ci", "deployer")
        body = DIRECTORY / "review.json"
        body.write_text(json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                                    "spec": {"token": token, "audiences": [issuer.AUDIENCE]}}))
        bare_review = (CURL, server.url + "/apis/authentication.k8s.io/v1/tokenreviews", "/etc/ksa/ca.pem", CREDENTIAL)
        compare("login with a review", lambda: timed_login("bench-review", token), lambda: timed(*bare_review, body), "aim 1.2")
        compare("login without one, beside it", lambda: timed_login("bench-local", token), lambda: timed(*bare_review, body))
        keys = (CURL, server.url + "/openid/v1/jwks", "/etc/ksa/ca.pem", CREDENTIAL)
        compare("ksactl keys refresh", lambda: timed("ksactl", "keys", "refresh", "prod"), lambda: timed(*keys))
        started = time.perf_counter()
        logins = [login("bench-review", token) for _ in range(AT_ONCE)]
        for process, answers in logins:
            process.communicate(answers)
        seconds = time.perf_counter() - started
        assert all(process.returncode == 0 for process, _ in logins)
        print("%d logins with a review at once: %.0f ms, %.1f ms each" % (AT_ONCE, seconds * 1000, seconds * 1000 / AT_ONCE))


main()
