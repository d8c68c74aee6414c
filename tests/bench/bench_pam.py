# SPDX-License-Identifier: BSD-2-Clause
"""pamtester with pam_ksa against pamtester with pam_permit, in pairs, on a private host: process start,
libpam and all. The times are those that a user waits."""
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import issuer  # noqa: E402

PAIRS = 151
CONFIG = ("[host]\naudience = ssh://build-7\n[cluster prod]\nissuer = %s\nkeys = file:/etc/ksa/prod.jwks\n"
          "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = bench-ksa\n" % issuer.ISSUER)


def attempt(service, token):
    answers = "%s\n%s\n" % (token[:500], token[500:])
    started = time.perf_counter()
    subprocess.run([shutil.which("pamtester"), service, "deploy-bot", "authenticate"], input=answers.encode(),
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


Path("/etc/ksa/ksa.conf").write_text(CONFIG)
for name in ("permit", "ksa"):
    Path("/etc/pam.d/bench-" + name).write_text("auth required pam_%s.so\naccount required pam_permit.so\n" % name)
for algorithm in ("RS256", "ES256"):
    key = issuer.Key(algorithm)
    Path("/etc/ksa/prod.jwks").write_text(issuer.jwks(key, issuer.Key(algorithm)))
    token = issuer.token(key)
    times = [(attempt("bench-ksa", token), attempt("bench-permit", token)) for _ in range(PAIRS)]
    ours, permit = (statistics.median(column) * 1000 for column in zip(*times))
    print("pamtester, %s  pam_ksa %6.2f ms  pam_permit %6.2f ms  ratio %5.2f  aim 2.3" % (algorithm, ours, permit, ours / permit))
