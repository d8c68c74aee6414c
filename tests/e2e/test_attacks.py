# SPDX-License-Identifier: BSD-2-Clause
"""The rows of tests/attacks.tsv that need a real sshd."""
import os
import re
import time
from pathlib import Path

import pytest

import host as private_host
import issuer

OPEN_TO_ALL = ("KbdInteractiveAuthentication yes\nPermitRootLogin no\nPasswordAuthentication yes\n"
               "StrictModes no\n")


def test_cut_at_1023_as_openssh_does(host):
    token, kid = issuer.token_of_length(host.key, 1500)
    host.write_keys(host.key.jwk(kid=kid))
    host.remember(token)
    result, prompts = host.type([token])
    assert result.status == 255 and result.reasons == ["token-cut-short"], result
    assert len(prompts) == 1 and "1023" in result.lines[0], result


def test_cut_at_511_as_pam_exec_does(host):
    result, _ = host.type([host.token()[:511]])
    assert result.status == 255 and result.reasons == ["token-cut-short"], result


def test_answer_repeated_by_the_password_method(host):
    """sshd's password method gives one answer to every prompt."""
    host.start_sshd(OPEN_TO_ALL, 2222)
    result, _ = host.type([host.token()[:500]], options=["-p", "2222"], method="password")
    assert result.status == 255 and result.reasons == ["repeated-answer"], result
    assert "keyboard-interactive" in result.lines[0]


def test_answer_longer_than_1024_by_the_password_method(host):
    host.start_sshd(OPEN_TO_ALL, 2222)
    result, _ = host.type(["e" * 1500], options=["-p", "2222"], method="password")
    assert result.status == 255 and result.allowed == [], result


def test_all_parts_equal_asks_as_often_as_any(host):
    part = host.token()[:500]
    equal, equal_prompts = host.type([part, part, part, part, ""])
    other, other_prompts = host.type([part, "x" * 500, part, "y" * 500, ""])
    assert len(equal_prompts) == len(other_prompts) == 5
    assert equal.status == other.status == 255
    # the last part is not equal: checked as a token, as any other
    assert equal.reasons and other.reasons


def test_unknown_users_are_asked_as_often_as_known_ones(host):
    """sshd replaces the answers of users that it will refuse by junk of the same length."""
    host.start_sshd(OPEN_TO_ALL, 2222)
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sshd", "user = deploy-bot nobody-here root\nservice = sshd")
    parts = ["a" * 500, "b" * 500, "c" * 7]
    prompts_of = {}
    for user in ("deploy-bot", "nobody-here", "root"):
        result, prompts = host.type(parts, user=user, options=["-p", "2222"])
        assert result.status == 255 and result.allowed == []
        prompts_of[user] = [prompt.split(") ", 1)[1] for prompt in prompts]
        if user != "deploy-bot":
            assert result.reasons == ["refused-by-sshd"], result
            assert "PermitRootLogin" in result.lines[0]
    assert prompts_of["root"] == prompts_of["nobody-here"] == prompts_of["deploy-bot"]
    assert len(prompts_of["root"]) == 3


@pytest.mark.parametrize("answer", ("", "Correct.Horse", "eyJ" + "x" * 1020, "forged"))
def test_refusal_tells_which_users_exist(host, answer):
    host.start_sshd(OPEN_TO_ALL, 2222)
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sshd", "user = deploy-bot nobody-here root\nservice = sshd")
    answers = issuer.answers(host.token(issuer.Key("RS256"))) if answer == "forged" else [answer]
    refusals = {}
    for user in ("deploy-bot", "nobody-here", "root"):
        result, _ = host.type(answers, user=user, options=["-p", "2222"])
        assert result.status == 255 and result.allowed == [] and len(result.lines) == 1, result
        refusals[user] = [re.sub("ref [0-9a-f]+", "ref", line) for line in result.err.splitlines() if "refused" in line]
    assert refusals["root"] == refusals["nobody-here"] == refusals["deploy-bot"], refusals
    if private_host.SSH_TELLS_PROGRAMS:
        assert len(refusals["root"]) == 1 and (answer == "forged") == refusals["root"][0].endswith("on build-7)"), refusals


def test_root_is_not_let_in_where_sshd_says_no(host):
    host.start_sshd(OPEN_TO_ALL, 2222)
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sshd", "user = root\nservice = sshd")
    result, _ = host.type(issuer.answers(host.token()), user="root", options=["-p", "2222"])
    assert result.status == 255 and result.reasons == ["refused-by-sshd"], result


def test_root_is_not_admitted_by_a_comment_after_a_user(host):
    host.start_sshd("KbdInteractiveAuthentication yes\nPermitRootLogin yes\nStrictModes no\n", 2222)
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sshd", "user = deploy-bot # not root\nservice = sshd")
    result, prompts = host.type(issuer.answers(host.token()), user="root", options=["-p", "2222"])
    assert result.status == 255 and result.allowed == [] and "root" not in result.out, result
    assert set(result.reasons) == {"config-invalid"}, result
    assert all("token" not in prompt for prompt in prompts), prompts


def test_sudo_is_not_admitted_by_a_comment_after_a_service(host):
    host.edit("/etc/ksa/ksa.conf", "service = sshd", "service = sshd # not sudo")
    host.edit("/etc/ksa/ksa.conf", "[rule deploy-sudo]\naccount = prod:ci/deployer", "[rule deploy-sudo]\naccount = prod:ci/x")
    path = host.token_file(host.token(), "/home/deploy-bot/job-token", "deploy-bot")
    result = host.on_host("sudo -A id -un", SUDO_ASKPASS=private_host.ASKPASS, KSA_TOKEN_FILE=path,
                          KSA_AUDIENCE="ssh://build-7")
    assert result.status != 0 and result.out == "" and result.allowed == [], result
    assert set(result.reasons) == {"config-invalid"}, result


@pytest.mark.parametrize("user", ("x rhost=1.2.3.4 result=allow", "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiYSJdfQ.c2ln",
                                  'a=b result=allow user=c', "a\\nresult=allow", "l\xf6we"))
def test_user_name_cannot_forge_a_log_line(host, user):
    host.start_sshd(OPEN_TO_ALL, 2222)
    host.write("/etc/ksa/ksa.conf", "[host]\nbroken\n")  # a line is written for any user then
    result, _ = host.type(["x"], user=user, options=["-p", "2222"])
    assert result.status == 255
    assert len(result.lines) >= 1, result
    for line in result.lines:
        assert "result=unavailable reason=config-invalid service=sshd ref=" in line
        text = line.split("result=unavailable ", 1)[1]
        outside = "".join(text.split('"')[::2])
        assert "result=" not in outside and "1.2.3.4" not in outside, line
        assert "\n" not in line and all(" " <= c <= "~" for c in line), line
        assert "eyJhbGci" not in text, line


def test_next_module_sees_no_token(host):
    """PAM_AUTHTOK stays unset: pam_exec expose_authtok gets nothing."""
    saw = Path("/run/saw")
    saw.unlink(missing_ok=True)
    script = host.write("/run/see", "#!/bin/sh\n{ echo called; cat; env; } >/run/saw\n", 0o755)
    host.write("/etc/pam.d/sshd", "auth requisite pam_ksa.so\nauth optional pam_exec.so expose_authtok quiet %s\n"
               "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n" % script)
    token = host.token()
    result = host.ssh(token)
    assert result.out == "deploy-bot\n", result
    text = saw.read_text()
    assert text.startswith("called\n") and "KSA_CLUSTER=prod" in text
    assert all(token[at:at + 24] not in text for at in range(len(token) - 24))


def test_second_prompt_round_starts_anew(host):
    """Three rounds where the client allows them: each is a whole attempt with a line of its own."""
    result, prompts = host.type(["x"], options=["-o", "NumberOfPasswordPrompts=3"])
    assert result.status == 255 and len(prompts) >= 1
    assert set(result.reasons) == {"not-a-token"} and len({line for line in result.lines}) == len(result.lines), result


def test_refusal_takes_the_delay_and_nodelay_does_not(host):
    """pam_fail_delay of 2 s varies by a quarter; the bound is far below and far above."""
    started = time.monotonic()
    host.type(["x"])
    with_delay = time.monotonic() - started
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so nodelay\n@include")
    started = time.monotonic()
    host.type(["x"])
    without = time.monotonic() - started
    assert without < with_delay, (without, with_delay)


def test_debug_logs_each_step(host):
    host.edit("/etc/pam.d/sshd", "pam_ksa.so\n@include", "pam_ksa.so debug\n@include")
    result = host.ssh(host.token())
    steps = [line for line in result.log if "pam_ksa(" in line and " step=" in line]
    words = re.findall(r'^X\([A-Z]+, +"([a-z]+)"', (private_host.SOURCE / "common/login/login.h").read_text(), re.M)
    assert result.out == "deploy-bot\n" and [re.search(r" step=(\w+)", line).group(1) for line in steps] == words, result


def test_many_logins_at_once(host):
    token = host.token()
    path = host.token_file(token)
    command = "for i in 1 2 3 4 5 6 7 8; do ksa-ssh -l deploy-bot build-7 id -un & done; wait"
    result = host.run(["sh", "-c", command], KSA_TOKEN_FILE=path)
    assert result.out == "deploy-bot\n" * 8, result
    assert len(result.allowed) == 8
    assert not [name for name in os.listdir("/dev/shm") if os.listdir("/dev/shm/" + name)]


def test_hostile_token_writes_one_short_line(host):
    """12 KB of the log for each attempt of an unknown client."""
    long = "\x7f" * 200
    claims = issuer.claims(audience=long, jti=long, kubernetes={
        "namespace": long, "serviceaccount": {"name": long, "uid": long}, "pod": {"name": long, "uid": long}})
    result, _ = host.type(issuer.answers(host.remember(issuer.token(host.key, claims, signature=bytes(256)))))
    assert result.status == 255 and result.reasons == ["bad-signature"], result
    assert max(len(line.encode()) for line in result.log) < 2048 + 64  # the daemon's own words before ours
    assert re.search(r' why="[^"]+" remedy="[^"]+"$', result.lines[0]), result


def test_long_user_name_writes_short_lines(host):
    host.start_sshd(OPEN_TO_ALL, 2222)
    user = "u" * 250
    host.edit("/etc/ksa/ksa.conf", "user = deploy-bot\nservice = sshd", "user = deploy-bot %s\nservice = sshd" % user)
    result, _ = host.type(["x"], user=user, options=["-p", "2222"])
    assert result.reasons == ["refused-by-sshd"], result
    assert 'user="%s' % ("u" * 60) in result.lines[0] and "u" * 65 not in result.lines[0], result
