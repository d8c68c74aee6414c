# SPDX-License-Identifier: BSD-2-Clause
"""The reader of PAM stacks and the dispatcher of ksactl check --host, compared with the real libpam."""
import random
import subprocess
from pathlib import Path

import pytest

import pam

PAM = Path("/etc/pam.d")
CODES = ["success", "open_err", "service_err", "buf_err", "perm_denied", "auth_err", "authinfo_unavail", "user_unknown",
         "new_authtok_reqd", "acct_expired", "ignore", "module_unknown"]
ACTIONS = ["ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3"]
ARGUMENTS = {"auth": "auth", "account": "acct", "session": "open_session"}
SIMPLE = ["required", "requisite", "sufficient", "optional", "Required"]
# What an administrator may get wrong, or writes rarely: libpam lets the phase fail, or accepts it.
ODD = ["auth", "auth required", "nonsense required pam_debug.so", "account [success=0] pam_debug.so",
       "account [good=ok default=ignore] pam_debug.so", "auth include nowhere", "auth must pam_debug.so",
       "session sufficient \\\n   pam_debug.so \\\n   open_session=success",
       "account success=done pam_debug.so acct=success",
       "auth [success=done] pam_debug.so [auth=auth_err] # auth=success", "-auth required pam_missing.so",
       "session required pam_debug.so # \\", "account [default=ignore success=ok] pam_debug.so acct=success", "  # nothing",
       "auth [success=ok default = die] pam_debug.so auth=ignore", "session [default=99] pam_debug.so"]


def control(chance):
    if chance.random() < 0.4:
        return chance.choice(SIMPLE)
    pairs = ["%s=%s" % (chance.choice(CODES), chance.choice(ACTIONS)) for _ in range(chance.randrange(4))]
    return "[%s]" % " ".join(pairs + ["default=" + chance.choice(ACTIONS)] * chance.randrange(2))


def line(chance, deeper):
    kind = chance.choice(list(ARGUMENTS))
    roll = chance.random()
    if roll < 0.15 and deeper:
        return "%s %s %s" % (kind, chance.choice(("include", "substack")), chance.choice(deeper))
    if roll < 0.2 and deeper:
        return "@include " + chance.choice(deeper)
    if roll < 0.23:
        return chance.choice(ODD)
    module = "pam_debug.so" if chance.random() < 0.9 else "pam_missing.so"
    results = " ".join("%s=%s" % (argument, chance.choice(CODES + ["success"] * 12)) for argument in ARGUMENTS.values())
    return "%s %s %s %s" % (kind, control(chance), module, results)


def service(chance, deeper, lines):
    return "".join(line(chance, deeper) + "\n" for _ in range(lines))


def ours(build, *names):
    text = subprocess.run([build / "tests/integration/walk_pam", *names], check=True, stdout=subprocess.PIPE).stdout.decode()
    return [[int(word) for word in row.split()] for row in text.splitlines()]


def of_libpam(name):
    codes = pam.attempt(str(PAM), name, "alice", phases=("authenticate", "acct_mgmt", "open_session"))["codes"].values()
    numbers = {text: number for number, text in pam.CODES.items()}
    return [numbers[code] if code in numbers else int(code) for code in codes]


@pytest.mark.parametrize("seed", range(6))
def test_stacks_end_as_in_libpam(host, build, seed):
    """80 random services with includes, substacks, jumps, and lines that libpam refuses; some have no line of a phase."""
    chance = random.Random(seed)
    deeper, names = [], []
    other = (PAM / "other").read_text()
    for number in range(4):
        host.write(PAM / ("deeper%d" % number), service(chance, deeper[:], chance.randrange(1, 6)))
        deeper.append("deeper%d" % number)
    for number in range(80):
        names.append("random%d" % number)
        host.write(PAM / names[-1], service(chance, deeper, chance.randrange(1, 9)))
    host.write(PAM / "other", service(chance, deeper, 5))
    expected = [of_libpam(name) for name in names]
    found = ours(build, *names)
    different = [(name, want, got, (PAM / name).read_text()) for name, want, got in zip(names, expected, found) if want != got]
    files = "".join("\n--- %s\n%s" % (name, (PAM / name).read_text()) for name in deeper + ["other"])
    host.write(PAM / "other", other)
    for name in deeper + names:
        (PAM / name).unlink()
    assert different == [], "%s\n%s" % (different[0], files)
    assert 20 < sum(row.count(0) for row in expected) < 220
