# SPDX-License-Identifier: BSD-2-Clause
"""ksa-askpass on each shell it must run on: parts, prompts, audiences, and sources of the token."""
import configparser
import os
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from askpass import AUDIENCE, FIRST, HOST, TOOLS, make_token, old_prompt, prompt


# --- Parts ---


@pytest.mark.parametrize("length", [200, 499, 500, 501, 999, 1000, 1001, 1205, 3515])
def test_parts(client, length):
    client.give(make_token(length))
    answers = client.log_in()
    assert "".join(answers) == client.token
    assert [len(a) for a in answers] == [500] * (length // 500) + [length % 500]
    assert client.kept() == []


@pytest.mark.parametrize("shell", ["dash"], indirect=True)
def test_longest_token(client):
    client.give(make_token(16384))
    answers = client.log_in()
    assert len(answers) == 33 and "".join(answers) == client.token


def test_kept_between_parts_for_this_user_alone(client):
    """The caller's umask is 0."""
    client.answer(prompt(1))
    (kept,) = client.kept()
    assert kept.name.startswith(client.kept_name())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    (token,) = kept.iterdir()
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text() == client.token + "\n"
    client.answer(prompt(2))
    assert client.kept() == [kept]
    client.answer(prompt(3))
    assert client.kept() == []


def test_token_rotated_between_parts(client):
    """Two tokens do not fit together: the parts are of the one that stood there first."""
    old = client.token
    answers = [client.answer(prompt(1))]
    client.give(make_token(fill="t"))
    answers += [client.answer(prompt(2)), client.answer(prompt(3))]
    assert "".join(answers) == old
    assert "".join(client.log_in()) == client.token


def test_first_part_starts_anew(client):
    client.answer(prompt(1))
    client.give(make_token(fill="t"))
    assert "".join(client.log_in()) == client.token


def test_short_token_after_a_broken_login(client):
    """It needs no second part, and none of the old one must be left to give."""
    client.answer(prompt(1))
    client.give(make_token(300))
    assert client.log_in() == [client.token]
    assert client.kept() == []
    client.refused(prompt(2))


def test_later_part_without_a_first(client):
    assert "before part 1" in client.refused(prompt(2))


def test_later_part_of_another_process(client):
    """A second ssh at the same time finds nothing of the first one's."""
    client.answer(prompt(1))
    other = client.run(prompt(2), asker=client.another_ssh())
    assert other.returncode == 1 and other.stdout == "" and "before part 1" in other.stderr
    assert "".join([client.token[:500], client.answer(prompt(2)), client.answer(prompt(3))]) == client.token


def test_two_logins_at_the_same_time(client):
    """The first part of the second one leaves what the first one keeps."""
    second = client.another_ssh()
    first = [client.answer(prompt(1)), client.run(prompt(1), asker=second).stdout[:-1]]
    assert len(client.kept()) == 2
    assert client.run(prompt(2), asker=second).stdout[:-1] == client.answer(prompt(2)) == client.token[500:1000]
    assert first == [client.token[:500]] * 2


def test_leftover_of_a_broken_login(client):
    gone = client.another_ssh()
    assert client.run(prompt(1), asker=gone).returncode == 0 and len(client.kept()) == 1
    gone.end()
    client.log_in()
    assert client.kept() == []


def test_leftover_of_an_earlier_process_with_our_number(client):
    """Process numbers are used again: a kept token is ours only if it has our start time too."""
    client.answer(prompt(1))
    (kept,) = client.kept()
    kept.rename(kept.with_name(client.kept_name(start=1) + "abcdef"))
    client.refused(prompt(2))
    client.log_in()
    assert client.kept() == []


def test_leftover_of_a_living_process_stays(client):
    """Another login may be under way."""
    other = client.runtime / (client.kept_name(client.another_ssh()) + "abcdef")
    other.mkdir(mode=0o700)
    client.log_in()
    assert client.kept() == [other]


def test_leftover_of_another_container_stays(client):
    """Containers of a Pod share /dev/shm, and see no processes of each other: a login there would have lost its token."""
    first = client.answer(prompt(1))
    container = (shutil.which("unshare"), "--pid", "--fork", "--mount-proc", *staying("sh"))
    result = client.run(prompt(1), through=container, KSA_AUDIENCE=AUDIENCE)
    assert result.stdout == client.token[:500] + "\n", result
    assert len(client.kept()) == 2
    assert "".join([first, client.answer(prompt(2)), client.answer(prompt(3))]) == client.token


def test_directory_that_another_login_removes_meanwhile(client):
    """Bug: ls found nothing, and the shell ended at the missing field (set -u): one of many logins at once got no answer."""
    other = client.runtime / (client.kept_name(client.another_ssh()) + "abcdef")
    other.mkdir(mode=0o700)
    client.set_program("ls", 'case $2 in *abcdef) exit 2 ;; esac\nexec %s "$@"\n' % shutil.which("ls"))
    client.log_in()


def test_asking_process_with_a_hostile_name(client):
    """Its start time is still found in /proc: the name there has a parenthesis and spaces."""
    parent = client.directory / "x) S 1 2 3"
    shutil.copy(shutil.which("dash"), parent)
    script = '"$@" "%s"; "$@" "%s"; "$@" "%s"' % (prompt(1), prompt(2), prompt(3))
    result = client.run(through=(str(parent), "-c", script, "x"), KSA_AUDIENCE=AUDIENCE)
    assert result.stdout.replace("\n", "") == client.token and result.stderr == ""


def staying(shell):
    """A shell that waits for ksa-askpass in place of becoming it."""
    return [shutil.which(shell), *(["ash"] if shell == "busybox" else []), "-c", '"$@"; exit $?', "wrapper"]


@pytest.mark.parametrize("wrapper", [staying(name) for name in ("sh", "dash", "bash", "busybox")] + [staying("sh") + staying("bash")],
                         ids=["sh", "dash", "bash", "busybox", "two"])
def test_wrapper_makes_each_part_another_login(client, wrapper):
    """A shell around it, which does not exec it, is a new process for each part."""
    for asker, host, own in ((client.asker, HOST, {}), (client.sudo(), "", {"KSA_AUDIENCE": AUDIENCE})):
        results = [client.run(prompt(part, host), asker=asker, wrapper=wrapper, **own) for part in (1, 2, 3)]
        assert "".join(result.stdout[:-1] for result in results) == client.token, results
        assert client.kept() == []


@pytest.mark.parametrize("behind", [[], staying("sh")])
def test_program_below_ssh_is_taken_for_ssh(client, behind):
    """Such as a proxy command, which is another client, of another server."""
    wrapper = [shutil.which("timeout"), "60", *behind]
    result = client.run(prompt(1), wrapper=wrapper)
    assert result.returncode == 1 and "KSA_AUDIENCE must be set" in result.stderr, result
    client.give(make_token(400))
    assert client.run(prompt(1), wrapper=wrapper, KSA_AUDIENCE=AUDIENCE).stdout == client.token + "\n"


# --- Where it is kept ---


SHM = Path("/dev/shm")


@pytest.mark.parametrize("runtime", [None, "", "/nonexistent"])
def test_without_runtime_dir(client, runtime):
    """Then /dev/shm, which every system with /proc has."""
    answers = [client.answer(prompt(1), XDG_RUNTIME_DIR=runtime)]
    kept = list(SHM.glob(client.kept_name() + "*"))
    assert len(kept) == 1 and stat.S_IMODE(kept[0].stat().st_mode) == 0o700
    answers += [client.answer(prompt(n), XDG_RUNTIME_DIR=runtime) for n in (2, 3)]
    assert "".join(answers) == client.token
    assert list(SHM.glob(client.kept_name() + "*")) == [] == client.kept()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_runtime_directory_open_to_others(client, mode):
    client.runtime.chmod(mode)
    assert "".join(client.log_in()) == client.token
    client.answer(prompt(1))
    assert client.kept() == []
    assert len(list(SHM.glob(client.kept_name() + "*"))) == 1
    client.log_in()


def as_root(test):
    return pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give files away")(test)


@as_root
@pytest.mark.parametrize("name", ["ksa-askpass-%(uid)d", "%(login)saaaaaa", "%(login)szzzzzz"])
def test_directory_of_another_user_blocks_nothing(client, name):
    """Any user can make a directory of such a name in /dev/shm first, with another token in it."""
    other = SHM / (name % {"uid": os.getuid(), "login": client.kept_name()})
    other.mkdir(mode=0o700)
    (other / "token").write_text(make_token(fill="t") + "\n")
    os.chown(other, 1, 1)
    try:
        client.refused(prompt(2), XDG_RUNTIME_DIR=None)
        assert "".join(client.log_in(XDG_RUNTIME_DIR=None)) == client.token
        assert other.exists() and other.stat().st_uid == 1
    finally:
        shutil.rmtree(other)


@as_root
def test_many_directories_of_another_user_delay_nothing(client):
    """One process for each took minutes where there were 100,000 of them."""
    looked_at = client.directory / "looked-at"
    client.set_program("ls", 'echo "$@" >>%s\nexec %s "$@"\n' % (looked_at, shutil.which("ls")))
    others = [SHM / (client.kept_name() + "%06d" % number) for number in range(20)]
    for other in others:
        other.mkdir(mode=0o700)
        os.chown(other, 1, 1)
    try:
        assert "".join(client.log_in(XDG_RUNTIME_DIR=None)) == client.token
    finally:
        for other in others:
            other.rmdir()
    assert client.kept_name() in looked_at.read_text()
    assert not any(other.name in looked_at.read_text() for other in others)


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o710])
def test_directory_open_to_others_is_not_used(client, mode):
    other = client.runtime / (client.kept_name() + "zzzzzz")
    other.mkdir()
    (other / "token").write_text(make_token(fill="t") + "\n")
    other.chmod(mode)
    client.refused(prompt(2))
    assert "".join(client.log_in()) == client.token
    assert client.kept() == [other]


def test_directory_that_is_a_symlink_is_not_used(client):
    elsewhere = client.directory / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "token").write_text(make_token(fill="t") + "\n")
    link = client.runtime / (client.kept_name() + "zzzzzz")
    link.symlink_to(elsewhere)
    client.refused(prompt(2))
    assert "".join(client.log_in()) == client.token
    assert client.kept() == [link] and len(list(elsewhere.iterdir())) == 1


# --- Prompts ---

OTHER_PROMPTS = [
    "The authenticity of host 'build-7 (10.0.0.1)' can't be established.\nED25519 key fingerprint is "
    "SHA256:x.\nThis key is not known by any other names.\n"
    "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
    "Please type 'yes', 'no' or the fingerprint: ",
    "Enter passphrase for key '/home/job/.ssh/id_ed25519': ",
    "Enter PIN for ED25519-SK key /home/job/.ssh/id: ",
    "bot@build-7's password: ",
    HOST + "Password: ",
    HOST + "Verification code: ",
    "Username for 'https://git.example': ",
    "Password for 'https://job@git.example': ",
    "[sudo] password for job: ",
    "Password: ",
    "",
    " ",
    HOST,
    HOST + " Service account token: ",
    HOST + "Service account token:",
    HOST + "Service account token: \n",
    HOST + "\nService account token: ",
    HOST + "Service account token: x",
    HOST + "service account token: ",
    HOST + "Service account tokens: ",
    HOST + "Enter Service account token: ",
    HOST + "Service account token (part 1): ",
    HOST + "Service account token (part 0): ",
    HOST + "Service account token (part 02): ",
    HOST + "Service account token (part 100): ",
    HOST + "Service account token (part -2): ",
    HOST + "Service account token (part 2 ): ",
    HOST + "Service account token (part ): ",
    HOST + "Service account token (part *): ",
    HOST + "Service account token (part 2):",
    HOST + "Service account token (part $(id)): ",
    "(bot@build-7)Service account token: ",
    "(build-7) Service account token: ",
    "bot@build-7 Service account token: ",
    HOST + HOST + "Service account token: ",
    "x (bot@build-7) Service account token: ",
    HOST + " Service account token as password: ",
    HOST + "Service account token as password:",
    HOST + "Service account token as password: \n",
    HOST + "\nService account token as password: ",
    HOST + "Service account token as password: x",
    HOST + "service account token as password: ",
    HOST + "Service account tokens as password: ",
    HOST + "Enter Service account token as password: ",
    HOST + "Service account token part 1 as password: ",
    HOST + "Service account token part 0 as password: ",
    HOST + "Service account token part 02 as password: ",
    HOST + "Service account token part 100 as password: ",
    HOST + "Service account token part -2 as password: ",
    HOST + "Service account token part 2  as password: ",
    HOST + "Service account token part  as password: ",
    HOST + "Service account token part * as password: ",
    HOST + "Service account token part 2 as password:",
    HOST + "Service account token part $(id) as password: ",
    "(bot@build-7)Service account token as password: ",
    "(build-7) Service account token as password: ",
    "bot@build-7 Service account token as password: ",
    HOST + HOST + "Service account token as password: ",
    "x (bot@build-7) Service account token as password: ",
    HOST + "Service account token as  password: ",
    HOST + "Service account token as Password: ",
    HOST + "Service account token as password (part 2): ",
    HOST + "Service account token (part 2) as password: ",
    HOST + "Service account token part 2: ",
    HOST + "[sudo: authenticate]" + FIRST,
    HOST + "[sudo: authenticate] Password: ",
    HOST + "[sudo: x] " + FIRST,
    HOST + "[sudo: authenticate] " * 2 + FIRST,
    FIRST + "\n" + FIRST,
    "--env",
    "--ansible",
    "--ssh-config",
    "--help",
    HOST + "--env",
]


@pytest.mark.parametrize("words", [prompt, old_prompt])
def test_prompt_of_each_version_is_answered(client, words):
    for front in ("", "[sudo: authenticate] "):
        answers = [client.answer(words(part, HOST + front)) for part in (1, 2, 3)]
        assert "".join(answers) == client.token


@pytest.mark.parametrize("words", OTHER_PROMPTS)
def test_other_prompts_get_no_answer(client, words):
    """Not even with an explicit audience. The user of ssh sees no message about sudo."""
    assert "sudo" not in client.refused(words).replace("[sudo: ", "").replace("[sudo] ", "")
    client.refused(words, KSA_AUDIENCE=AUDIENCE, KSA_HOST="build-7")
    assert client.kept() == []


def test_message_is_shown_and_not_answered(client):
    """SSH_ASKPASS_PROMPT=none of ssh(1). The server chose the text, and may try its hand at the terminal."""
    for words in ("Service account token refused (ref 1)", FIRST):
        result = client.run("\x1b[2J\a" + words, SSH_ASKPASS_PROMPT="none", KSA_AUDIENCE=AUDIENCE)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "[2J" + words + "\n"), result
    assert client.kept() == []


REFUSAL = "Service account token refused (ref 9d921243 on build-7): expired 312 s ago"


@pytest.mark.parametrize("host", [HOST, ""])
@pytest.mark.parametrize("behind", ["", "\nPassword: ", "\n" + FIRST, "\n%s%s" % (HOST, FIRST)])
def test_refusal_before_the_next_prompt_is_shown(client, host, behind):
    """sshd puts the message of a module that the stack goes past before the next prompt. It is shown, and no later prompt is
    answered."""
    result = client.run(host + REFUSAL + behind, KSA_AUDIENCE=AUDIENCE)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", REFUSAL + "\n"), result
    assert client.kept() == []


def test_refusal_is_cut_and_cleaned(client):
    """The server chose its bytes."""
    begin = "Service account token refused ("
    result = client.run(HOST + begin + "\x1b[2J\a\r\u00e9" + "x" * 1000 + "\nsecond line\n" + FIRST)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", (begin + "[2J" + "x" * 1000)[:500] + "\n"), result


@pytest.mark.parametrize("words", ["Service account token refused", "x" + REFUSAL, HOST + REFUSAL, "\n" + REFUSAL])
def test_what_only_looks_like_a_refusal(client, words):
    assert "build-7 asked" in client.refused(HOST + words)


@pytest.mark.parametrize("name", ("sudo", "sudo-rs"))
def test_sudo_p_is_told(client, name):
    text = client.refused("my own prompt: ", asker=client.sudo(name), KSA_AUDIENCE=AUDIENCE)
    assert "sudo -p" in text and "passprompt_override" in text and '"my own prompt:"' in text


@pytest.mark.parametrize("words, parts", [
    (HOST + "Password: ", ['build-7 asked "Password:"', " bot there"]),
    ("(bot@corp@build-7) Password: ", ['build-7 asked "Password:"', " bot@corp there"]),
    ("bot@build-7's password: ", ["build-7 asked \"bot@build-7's password:\"", " bot there", "SSH_ASKPASS_REQUIRE=never"]),
    ("Password: ", ['the host asked "Password:"']),
    (HOST + "Two\nlines: ", ['build-7 asked "Two lines:"']),
    (HOST + "The authenticity of host 'x' cannot", ["build-7 asked"]),
    ("Enter passphrase for key '/home/job/.ssh/id': ", ["ssh-agent: SSH_ASKPASS_REQUIRE=never ssh-add", "'/home/job/.ssh/id'"]),
    (OTHER_PROMPTS[0], ["host key of build-7 (10.0.0.1) is unknown", "known_hosts", "ssh-keyscan build-7"]),
])
def test_prompt_is_not_told(client, words, parts):
    text = client.refused(words)
    for part in parts:
        assert part in text, text


def test_prompt_that_is_told_moves_the_terminal(client):
    text = client.refused(HOST + "\x1b[2J\a\u00e9" + "x" * 2000)
    assert all(" " <= c <= "~" for c in text[:-1]) and len(text) < 1000, text


@pytest.mark.parametrize("words", [[], [FIRST, FIRST], ["--unknown"]])
def test_usage(client, words):
    result = client.run(*words)
    assert result.returncode == 1 and result.stdout == "" and result.stderr != ""


# --- Audience ---


def test_token_for_another_host(client):
    client.give(make_token(aud=["ssh://build-8"]))
    text = client.refused(prompt(1))
    assert "not for the audience ssh://build-7" in text and '["ssh://build-8"]' in text, text
    assert "kubectl create token deployer -n ci --audience 'ssh://build-7'" in text, text
    assert client.kept() == []


@pytest.mark.parametrize("payload, has", [
    ('{"aud":["ssh://[fd00::7]","b"],"sub":"system:serviceaccount:a-b:c.d"}', '["ssh://[fd00::7]","b"]'),
    ('{"aud":"one","sub":"system:serviceaccount:a-b:c.d"}', '"one"'),
    ('{"sub":"system:serviceaccount:a-b:c.d"}', "no audience")])
def test_audience_of_the_token_is_not_told(client, payload, has):
    client.give(make_token(payload=payload))
    text = client.refused(prompt(1))
    assert " for %s, not for " % has in text and "kubectl create token c.d -n a-b --audience 'ssh://build-7' " in text, text


def test_command_of_a_hostile_token(client):
    """Text to be pasted into a shell has only names of it."""
    client.give(make_token(payload='{"aud":["x\\u001b[2J\x1b"],"sub":"system:serviceaccount:a;id:b`id`"}'))
    text = client.refused(prompt(1))
    assert "kubectl create token ACCOUNT -n NAMESPACE --audience" in text and "\x1b" not in text and ";id" not in text, text


@pytest.mark.parametrize("payload", [
    '{"aud":["ssh://build-7","ssh://build-8"]}',
    '{"aud":["ssh://build-8","ssh://build-7"]}',
    '{"aud":"ssh://build-7"}',
    '{"aud":[]}',
    '{"aud":["ssh://build-70"]}',
    '{"aud":["ssh://build-7/"]}',
    '{"aud":["xssh://build-7"]}',
    '{"aud": ["ssh://build-7"]}',
    '{"aud":["ssh://build-7"],"aud":["ssh://build-7"]}',
    '{"aud":["ssh://build-7"],"aud":["ssh://build-8"]}',
    '{"aud":"ssh://build-8","x":{"aud":["ssh://build-7"]}}',
    '{"sub":"ssh://build-7"}',
    "ssh://build-7",
    "",
], ids=range(14))
def test_two_audiences(client, payload):
    client.give(make_token(payload=payload))
    client.refused(prompt(1))


@pytest.mark.parametrize("pad", range(4))
def test_payload_of_any_length(client, pad):
    """base64 without its padding, and with - and _ in it."""
    payload = '{"aud":["ssh://build-7"],"x":"%s","y":"???>>>~~~"}' % ("x" * pad)
    client.give(make_token(payload=payload))
    assert "".join(client.log_in()) == client.token


@pytest.mark.parametrize("host", ["build-7.example.com", "10.0.0.7", "a_b"])
def test_host_as_ssh_calls_it(client, host):
    client.give(make_token(aud=["ssh://" + host]))
    assert "".join(client.log_in("(bot@%s) " % host)) == client.token


@pytest.mark.parametrize("host", ["fd00::7", "::1", "fe80::7%eth0"])
def test_ipv6_host_without_brackets(client, host):
    """In a URI the colons of an address would begin a port."""
    client.give(make_token(aud=["ssh://[%s]" % host]))
    assert "".join(client.log_in("(bot@%s) " % host)) == client.token
    client.give(make_token(aud=["ssh://" + host]))
    client.refused(prompt(1, "(bot@%s) " % host))


def test_host_in_capitals(client):
    """HostKeyAlias keeps them; ssh and the configuration of a host have lower case."""
    for host, own in (("(bot@Build-7) ", {}), ("", {"KSA_AUDIENCE": "ssh://Build-7"}), ("", {"KSA_AUDIENCE": "SSH://BUILD-7"}),
                      (HOST, {"KSA_AUDIENCE": "ssh://Build-7", "KSA_HOST": "BUILD-7"})):
        assert "".join(client.log_in(host, **own)) == client.token
    client.give(make_token(aud=["ssh://Build-7"]))
    for host in (HOST, "(bot@Build-7) "):
        client.refused(prompt(1, host))


def test_other_audience_in_capitals_stays(client):
    client.give(make_token(aud=["Fleet"]))
    assert "".join(client.log_in("", KSA_AUDIENCE="Fleet")) == client.token
    client.refused(FIRST, KSA_AUDIENCE="fleet")


def test_user_with_an_at_sign(client):
    assert "".join(client.log_in("(bot@corp@build-7) ")) == client.token


@pytest.mark.parametrize("host", ["Build-7\n", "build-7\n", "\nbuild-7", "build-7 "])
def test_host_with_white_space(client, host):
    """The line break that $(...) drops is part of the name."""
    assert "not allowed in an audience" in client.refused(prompt(1, "(bot@%s) " % host))


def test_host_is_no_pattern(client):
    """Every byte of it is literal."""
    client.give(make_token(aud=["ssh://buildX7"]))
    client.refused(prompt(1, "(bot@build.7) "))
    client.refused(prompt(1, "(bot@build*7) "))
    client.refused(prompt(1, "(bot@build?7) "))
    client.refused(prompt(1, '(bot@x"],"aud":["ssh://buildX7) '))


def test_audience_exported_for_this_host(client):
    client.give(make_token(aud=["fleet"]))
    assert "".join(client.log_in(KSA_AUDIENCE="fleet", KSA_HOST="build-7")) == client.token


def test_audience_exported_for_another_host(client):
    """ssh goes to build-7, and KSA_AUDIENCE was exported for build-8."""
    client.give(make_token(aud=["ssh://build-8"]))
    client.refused(prompt(1), KSA_AUDIENCE="ssh://build-8", KSA_HOST="build-8")
    client.refused(prompt(1), KSA_AUDIENCE="ssh://build-8")
    client.refused(prompt(1), KSA_AUDIENCE="ssh://build-8", KSA_HOST="")
    client.refused(prompt(1), KSA_AUDIENCE="ssh://build-8", KSA_HOST="build-7.example")


def test_audience_without_the_host_names_the_variable(client):
    """It advised to request another token, which did not help."""
    client.give(make_token(aud=["ssh://fleet"]))
    error = client.refused(prompt(1), KSA_AUDIENCE="ssh://fleet")
    assert "KSA_HOST names, and it does not name build-7" in error and "kubectl" not in error
    assert "kubectl create token" in client.refused(prompt(1), KSA_AUDIENCE="ssh://other")


@pytest.mark.parametrize("patterns", ["build-*", "a.example *-7", "BUILD-?", "build-7.example build-7", "  build-7  "])
def test_audience_exported_for_a_pattern_of_hosts(client, patterns):
    client.give(make_token(aud=["fleet"]))
    assert "".join(client.log_in(KSA_AUDIENCE="fleet", KSA_HOST=patterns)) == client.token


@pytest.mark.parametrize("patterns", ["build-?-*", "*.example", "uild-7 build-", "build-7.*"])
def test_audience_exported_for_other_hosts(client, patterns):
    client.give(make_token(aud=["fleet"]))
    client.refused(prompt(1), KSA_AUDIENCE="fleet", KSA_HOST=patterns)


@pytest.mark.parametrize("patterns, hosts", [
    ("build-*", ["build-7.attacker.example", "build-.", "build-7.1"]), ("10.*", ["10.attacker.example", "10.a"]),
    ("*-7", ["attacker.example.a-7"]), ("build-7.ex*", ["build-7.example"])])
def test_pattern_that_ends_with_any_domain(client, patterns, hosts):
    """An attacker can have a name that begins like those of the fleet, for example in the URL of a repository."""
    client.give(make_token(aud=["fleet"]))
    for host in hosts:
        client.refused(prompt(1, "(bot@%s) " % host), KSA_AUDIENCE="fleet", KSA_HOST=patterns)


@pytest.mark.parametrize("patterns, host", [("10.0.*", "10.0.1.2"), ("fd00:*", "fd00::7"), ("fe80:*", "fe80::7%eth0.100"),
                                            ("*.example.com", "a.b.example.com"), ("build-*.example.com", "build-7.example.com")])
def test_pattern_of_addresses_and_of_a_domain(client, patterns, host):
    client.give(make_token(aud=["fleet"]))
    assert "".join(client.log_in("(bot@%s) " % host, KSA_AUDIENCE="fleet", KSA_HOST=patterns)) == client.token


def test_patterns_are_not_names_of_files(client):
    """The shell must not replace them by the files of the directory."""
    (client.directory / "build-x").touch()
    client.give(make_token(aud=["fleet"]))
    result = client.run(prompt(1), wrapper=(shutil.which("env"), "-C", str(client.directory), *staying("sh")),
                        KSA_AUDIENCE="fleet", KSA_HOST="build-*")
    assert result.stdout == client.token[:500] + "\n", result


@pytest.mark.parametrize("template, host", [("%h", "build-7"), ("%h/token", "build-7"), ("t-%h-%h", "a.example"), ("%h", "fd00::7")])
def test_file_of_the_host(client, template, host):
    """One directory has the tokens for many hosts."""
    client.give(make_token(aud=["ssh://[%s]" % host if ":" in host else "ssh://" + host]))
    path = client.directory / "tokens" / template.replace("%h", host)
    path.parent.mkdir(parents=True)
    client.token_file.rename(path)
    answers = client.log_in("(bot@%s) " % host.upper(), KSA_TOKEN_FILE="%s/tokens/%s" % (client.directory, template))
    assert "".join(answers) == client.token
    assert "does not exist" in client.refused(prompt(1, "(bot@other) "), KSA_TOKEN_FILE="%s/tokens/%s" % (client.directory, template))


def test_host_with_percent_h(client):
    """The name is inserted once: an attacker who chooses it would have made ksa-askpass run without end."""
    host = "fe80::1%h0"
    client.give(make_token(aud=["ssh://[%s]" % host]))
    client.token_file.rename(client.directory / host)
    path = "%s/%%h" % client.directory
    checked = client.run("--check", host, through=(shutil.which("timeout"), "20"), KSA_TOKEN_FILE=path)
    assert "the token expired" in checked.stderr, checked
    assert "".join(client.log_in("(bot@%s) " % host, KSA_TOKEN_FILE=path)) == client.token


@pytest.mark.parametrize("host", ["../token", "a/../b", "..", "a/b"])
def test_host_that_is_a_path(client, host):
    """A host that ssh names could come from a URL of somebody else."""
    text = client.refused(prompt(1, "(bot@%s) " % host), KSA_TOKEN_FILE="%s/%%h" % client.directory)
    assert "cannot be part of a path" in text or "not allowed in an audience" in text, text


def test_file_of_the_host_needs_ssh(client):
    text = client.refused(prompt(1), asker=client.sudo(), KSA_TOKEN_FILE="%s/%%h" % client.directory, KSA_AUDIENCE=AUDIENCE)
    assert "the caller is not ssh" in text


def expiring(seconds, audience=AUDIENCE):
    payload = '{"aud":["%s"],"exp":%d,"sub":"system:serviceaccount:ci:deployer"}' % (audience, time.time() + seconds)
    return make_token(payload=payload)


def test_check(client):
    client.give(expiring(500))
    result = client.run("--check", "Build-7")
    assert (result.returncode, result.stderr) == (0, "") and client.token[:20] not in result.stdout
    assert re.fullmatch(r"sends a token of ci/deployer, for ssh://build-7, which expires in (500|49\d) s\n", result.stdout)


CHECKED = {"another host": (500, "ssh://build-8", "not for the audience ssh://build-7"), "expired": (-70, AUDIENCE, "the token expired 7")}


@pytest.mark.parametrize("name", CHECKED)
def test_check_reports_why_not(client, name):
    seconds, audience, why = CHECKED[name]
    client.give(expiring(seconds, audience))
    result = client.run("--check", "build-7")
    assert result.returncode == 1 and result.stdout == "" and why in result.stderr, result


def test_jump_host_gets_nothing(client):
    """The jump host asks the same askpass first, with its own name in front."""
    client.give(make_token(aud=["fleet"]))
    exported = {"KSA_AUDIENCE": "fleet", "KSA_HOST": "build-7"}
    client.refused(prompt(1, "(bot@jump) "), **exported)
    assert "".join(client.log_in(**exported)) == client.token
    client.give(make_token())
    client.refused(prompt(1, "(bot@jump) "))
    assert "".join(client.log_in()) == client.token


def test_forged_prefix(client):
    """ssh writes its own prefix before what the server sends."""
    client.give(make_token(aud=["ssh://other"]))
    client.refused(HOST + "(bot@other) " + FIRST)
    client.refused(HOST + "(bot@other) " + FIRST, KSA_AUDIENCE="ssh://other", KSA_HOST="other")


@pytest.mark.parametrize("version", ["OpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1", "OpenSSH_8.0p1, OpenSSL 1.1.1",
                                     "OpenSSH_7.9p1", "OpenSSH_for_Windows_9.5p1", "Dropbear v2022.83",
                                     "OpenSSH_", "OpenSSH_8", "OpenSSH_8, OpenSSL 1.1.1", "OpenSSH_x.9", ""])
def test_old_ssh_needs_the_audience(client, version):
    """Such an ssh writes no prefix, so the one in the prompt is the server's."""
    client.set_ssh_version(version)
    client.give(make_token(aud=["ssh://other"]))
    assert "KSA_AUDIENCE must be set" in client.refused("(bot@other) " + FIRST)
    client.refused("(bot@other) " + FIRST, KSA_AUDIENCE=AUDIENCE)
    client.refused("(bot@other) " + FIRST, KSA_AUDIENCE=AUDIENCE, KSA_HOST="other")


@pytest.mark.parametrize("version", ["OpenSSH_8.5p1", "OpenSSH_8.10p1", "OpenSSH_9.0p1", "OpenSSH_10.0p2 Debian-7"])
def test_versions_that_write_the_host(client, version):
    client.set_ssh_version(version)
    assert "".join(client.log_in()) == client.token


def test_ssh_before_8_5_with_an_audience(client):
    client.set_ssh_version("OpenSSH_8.0p1, OpenSSL 1.1.1")
    assert "KSA_AUDIENCE must be set" in client.refused(FIRST)
    assert "".join(client.log_in("", KSA_AUDIENCE=AUDIENCE)) == client.token


def test_version_is_that_of_the_ssh_which_asks(client):
    """Not that of another one in PATH: here the asking ssh is a copy of dash."""
    asking = client.directory / "ssh"
    shutil.copy(shutil.which("dash"), asking)
    result = client.run(prompt(1), through=(str(asking), "-c", '"$@"; exit $?', "ssh"))
    assert result.returncode == 1 and "KSA_AUDIENCE must be set" in result.stderr


@pytest.mark.parametrize("through", [[], ["sh", "-c", '"$@"; exit $?', "dbclient"]])
def test_caller_that_is_not_ssh_needs_the_audience(client, through):
    """The server may have written the host in the prompt of such a program, with any ssh in PATH."""
    client.give(make_token(aud=["ssh://other"]))
    for environment in ({}, {"KSA_AUDIENCE": AUDIENCE}, {"KSA_AUDIENCE": AUDIENCE, "KSA_HOST": "other"}):
        result = client.run("(bot@other) " + FIRST, through=through, **environment)
        assert (result.returncode, result.stdout) == (1, ""), result
    client.give(make_token(400))
    result = client.run(prompt(1), through=through, KSA_AUDIENCE=AUDIENCE)
    assert (result.returncode, result.stdout) == (0, client.token + "\n"), result


def test_sudo_names_no_host(client):
    """So the audience must be given, and is used as it is."""
    assert "KSA_AUDIENCE must be set" in client.refused(FIRST)
    client.refused(FIRST, KSA_AUDIENCE="ssh://build-8")
    assert "".join(client.log_in("", KSA_AUDIENCE=AUDIENCE)) == client.token


# --- Where the token comes from ---


def test_command(client):
    command = 'echo "$KSA_AUDIENCE $KSA_HOST" >%s; cat %s' % (client.directory / "asked", client.token_file)
    assert "".join(client.log_in(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command)) == client.token
    assert (client.directory / "asked").read_text() == "ssh://build-7 build-7\n"


def test_command_runs_once_for_all_parts(client):
    command = 'echo run >>%s; cat %s' % (client.directory / "runs", client.token_file)
    client.log_in(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command)
    assert (client.directory / "runs").read_text() == "run\n"


def test_command_for_sudo(client):
    command = 'echo "$KSA_AUDIENCE $KSA_HOST" >%s; cat %s' % (client.directory / "asked", client.token_file)
    client.log_in("", KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command, KSA_AUDIENCE=AUDIENCE, KSA_HOST="b")
    assert (client.directory / "asked").read_text() == "ssh://build-7 b\n"


@pytest.mark.parametrize("host", ["other", "../../$(touch x)", "a b"])
def test_command_gets_no_host_of_a_server(client, host):
    """Before version 8.5 ssh writes no prefix: the server wrote this one."""
    client.set_ssh_version("OpenSSH_8.4p1")
    command = 'echo "$KSA_AUDIENCE $KSA_HOST" >%s; cat %s' % (client.directory / "asked", client.token_file)
    client.log_in("(bot@%s) " % host, KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command, KSA_AUDIENCE=AUDIENCE, KSA_HOST="b")
    assert (client.directory / "asked").read_text() == "ssh://build-7 b\n"


def test_command_is_not_run_for_another_prompt(client):
    client.refused("Password: ", KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="touch %s" % (client.directory / "ran"))
    assert not (client.directory / "ran").exists()


def test_command_fails(client):
    text = client.refused(prompt(1), KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="cat %s; exit 3" % client.token_file)
    assert "KSA_TOKEN_COMMAND failed" in text


def test_file_comes_before_command(client):
    assert "".join(client.log_in(KSA_TOKEN_COMMAND="echo wrong; touch %s" % (client.directory / "ran"))) == client.token
    assert not (client.directory / "ran").exists()


def test_ksa_token(client):
    client.set_program("ksa-token", 'echo "$@" >%s; cat %s\n' % (client.directory / "asked", client.token_file))
    assert "".join(client.log_in(KSA_TOKEN_FILE=None)) == client.token
    assert (client.directory / "asked").read_text() == "--audience ssh://build-7\n"
    client.set_program("ksa-token", "exit 1\n")
    assert client.refused(prompt(1), KSA_TOKEN_FILE=None) == "ksa-askpass: ksa-token failed\n"


def test_ksa_token_outside_a_pod(client):
    """It reports that with status 2. The remedy works as it is, with a name in it."""
    client.set_program("ksa-token", 'case $* in *--account*) echo "$*" >%s; cat %s ;; *) exit 2 ;; esac\n' % (
        client.directory / "asked", client.token_file))
    text = client.refused(prompt(1), KSA_TOKEN_FILE=None)
    command = re.search("KSA_TOKEN_COMMAND='(.*)'$", text).group(1)
    assert "".join(client.log_in(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND=command.replace("NAMESPACE/NAME", "ci/deployer"))) == client.token
    assert (client.directory / "asked").read_text() == "--account ci/deployer --audience ssh://build-7\n"


@as_root
def test_never_the_token_of_the_pod(client):
    """In a mount namespace where it stands at its place, for this very host."""
    place = "/run/secrets/kubernetes.io/serviceaccount"
    script = 'mount -t tmpfs none /run && mkdir -p %s && cp "$KSA_POD_TOKEN" %s/token && "$@"; exit $?' % (place, place)
    result = client.run(prompt(1), KSA_TOKEN_FILE=None, KSA_POD_TOKEN=client.token_file, KSA_AUDIENCE=AUDIENCE,
                        PATH=os.environ["PATH"], through=("unshare", "--mount", "sh", "-c", script, "pod"))
    assert result.returncode == 1 and result.stdout == ""
    # Without KUBERNETES_SERVICE_HOST; with it, ksa-token requests another one.
    assert "ksa-token: this is not a Pod" in result.stderr and "\nksa-askpass: ksa-token failed; outside a Pod set " in result.stderr


@pytest.mark.parametrize("text", ["", "\n", "abc", "a.b", "%s x", "%s\n%s", "%s\x01", "'%s'", "%s="])
def test_what_is_no_token(client, text):
    client.token_file.write_text(text.replace("%s", client.token))
    client.refused(prompt(1))
    assert client.kept() == []


def test_file_missing(client):
    client.token_file.unlink()
    assert client.refused(prompt(1)).startswith("ksa-askpass: KSA_TOKEN_FILE: ")


def test_file_whose_name_looks_like_an_option(client):
    client.token_file.rename(client.directory / "-n")
    result = client.run(prompt(1), KSA_TOKEN_FILE="-n", through=(shutil.which("env"), "-C", str(client.directory)),
                        KSA_AUDIENCE=AUDIENCE)
    assert result.stdout == client.token[:500] + "\n"


# --- For other programs ---


def test_ansible_lines(client):
    lines = client.run("--ansible", through=[])
    config = configparser.ConfigParser()
    config.read_string(lines.stdout)
    section = config["ssh_connection"]
    assert lines.returncode == 0 and section["ssh_executable"] == str(TOOLS / "ksa-ssh")
    assert section["pipelining"] == "True" and section["transfer_method"] == "piped"


OPTIONS = {"preferredauthentications keyboard-interactive,publickey", "kbdinteractiveauthentication yes", "batchmode no",
           "numberofpasswordprompts 1"}


@pytest.mark.parametrize("words, environment", [
    (["build-7", "*.ci.example", "fd00::7"], {}), (["build-7  *.ci.example", "fd00::?"], {}),
    ([], {"KSA_HOST": "build-7 *.ci.example fd00::*"}), (["build-7", "?.ci.example", "fd00::7"], {"KSA_HOST": "other"}),
])
def test_ssh_config_lines(client, words, environment):
    """ssh itself takes them, for these hosts and no other."""
    result = client.run("--ssh-config", *words, through=[], **environment)
    assert result.returncode == 0 and result.stderr == "", result
    path = client.directory / "ssh_config"
    path.write_text(result.stdout)
    for host, ours in (("build-7", True), ("a.ci.example", True), ("fd00::7", True), ("build-8", False), ("other", False)):
        options = subprocess.run([shutil.which("ssh"), "-G", "-F", path, host], check=True, stdout=subprocess.PIPE,
                                 universal_newlines=True).stdout.splitlines()
        assert (OPTIONS <= set(options)) == ours, host


@pytest.mark.parametrize("words, text", [
    ([], "no host"), ([""], "no host"), ([" "], "no host"), (["<HOST>"], "unrendered"), (["a,b"], "comma"), (["*"], "every host"),
    (["build-7", "?"], "every host"), (["!build-7"], "not allowed"), (["a\nMatch all"], "white space"), (["a\rb"], "white space"),
    (["bot@build-7"], "not allowed"), (['"a"'], "not allowed"), (["a # b"], "comment"), (["--help"], "hyphen"),
])
def test_ssh_config_for_a_host_that_is_not_valid(client, words, text):
    """A placeholder would match no host, and ssh would not report that."""
    for option, environment in ((words, {}), ([], {"KSA_HOST": " ".join(words)})):
        error = client.refused("--ssh-config", *option, through=[], **environment)
        assert text in error, error


def test_environment_lines(shell, tmp_path):
    """For a shell to evaluate, with ksa-askpass in any directory."""
    directory = tmp_path / "it's $(a) \"folder\""
    directory.mkdir()
    shutil.copy(TOOLS / "ksa-askpass", directory)
    script = 'eval "$(%s ./ksa-askpass --env)"; env' % " ".join(shell)
    env = subprocess.run([*shell, "-c", script], cwd=directory, check=True, env={"PATH": os.environ["PATH"]},
                         stdout=subprocess.PIPE, universal_newlines=True).stdout.splitlines()
    path = "%s/ksa-askpass" % directory
    assert {"SSH_ASKPASS=" + path, "SUDO_ASKPASS=" + path, "SSH_ASKPASS_REQUIRE=force"} <= set(env)


def test_help_and_version(client):
    assert client.run("--help", through=[]).stdout.startswith("usage: ksa-askpass PROMPT")
    assert client.run("--version", through=[]).stdout == "ksa-askpass 0.1.0\n"
