# SPDX-License-Identifier: BSD-2-Clause
"""ksa-askpass: values of its variables, and places in which a token could be seen."""
import json
import shutil

import pytest

from askpass import AUDIENCE, FIRST, HOST, PROGRAMS, make_token, prompt


# --- The variables ---


@pytest.mark.parametrize("audience", [
    'ssh://build-7"', "'ssh://build-7'", "ssh://build 7", "ssh://b\tb", "ssh://b\nb", "ssh://b\\u0061", "ssh://b{c}",
    "ssh://a,ssh://b", "ssh://b<", "ssh://b>", "ssh://b|", "ssh://b`", "ssh://b^", "ssh://b\u00e4", "ssh://b\x7f",
    AUDIENCE + " # was ssh://fleet", AUDIENCE + " ; was ssh://fleet", "# " + AUDIENCE, "#" + AUDIENCE, ";" + AUDIENCE,
    "{{ audience }}", "ssh://{{ host }}", "ssh://${HOST}", "ssh://$(hostname)", "ssh://<HOST>", "<AUDIENCE>", " "])
def test_audience_that_is_not_valid(client, audience):
    """An error that names the variable, before a token is looked for, also where the audience is not for this host."""
    for host, other in (("", {}), (HOST, {"KSA_HOST": "build-7"}), (HOST, {"KSA_HOST": "build-8"}), (HOST, {})):
        text = client.refused(host + FIRST, KSA_AUDIENCE=audience, KSA_TOKEN_FILE=None, **other)
        assert text.startswith("ksa-askpass: KSA_AUDIENCE: "), text


@pytest.mark.parametrize("host", ["build-7 # the first", "build-7,build-8", "*", "build-7 *", "?*", "*.*", "[b]uild-7", "!a",
                                  "#build-7", ";build-7",
                                  "{{ host }}", "${HOST}", "$(hostname)", "<HOST>", "bot@build-7", '"build-7"'])
def test_host_that_is_not_valid(client, host):
    for prefix in ("", HOST):
        text = client.refused(prefix + FIRST, KSA_AUDIENCE=AUDIENCE, KSA_HOST=host, KSA_TOKEN_FILE=None)
        assert text.startswith("ksa-askpass: KSA_HOST: "), text


@pytest.mark.parametrize("path", ["token # mine", "# token", "{{ token }}", "${DIR}/token", "$(pwd)/token", "<FILE>",
                                  "one,two", "one two", "missing", "."])
def test_token_file_that_is_not_valid(client, path):
    assert client.refused(prompt(1), KSA_TOKEN_FILE=path).startswith("ksa-askpass: KSA_TOKEN_FILE: ")


def test_token_file_with_an_odd_name(client):
    """A file that exists is meant as it is written."""
    odd = client.directory / "my token, the # {{first}}"
    odd.write_text(client.token + "\n")
    assert "".join(client.log_in(KSA_TOKEN_FILE=odd)) == client.token


@pytest.mark.parametrize("name", ["KSA_AUDIENCE", "KSA_HOST", "KSA_TOKEN_FILE", "KSA_TOKEN_COMMAND"])
def test_token_in_the_wrong_variable_is_not_shown(client, name):
    environment = {"KSA_TOKEN_FILE": None, name: client.token}
    text = client.refused(prompt(1), **environment)
    assert text.startswith("ksa-askpass: %s has a token as its value" % name)
    assert client.token[100:140] not in text


def test_token_in_a_command_is_not_run(client):
    """A template was rendered with the token: it would be in the arguments of sh, which every user sees."""
    text = client.refused(prompt(1), KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="printf %%s '%s'" % client.token)
    assert text.startswith("ksa-askpass: KSA_TOKEN_COMMAND has a token as its value") and client.token[100:140] not in text


def test_variables_that_are_empty_are_not_set(client):
    empty = {"KSA_AUDIENCE": "", "KSA_HOST": "", "KSA_TOKEN_COMMAND": ""}
    assert "".join(client.log_in(**empty)) == client.token
    assert "".join(client.log_in(KSA_TOKEN_FILE="", KSA_TOKEN_COMMAND="cat %s" % client.token_file)) == client.token


URI = "ssh://a.b_c~d:22/e?f[g]@h!i$j&k(l)*m+n;o=p%20#q"


@pytest.mark.parametrize("escaped", [False, True])
def test_audience_with_each_byte_of_a_uri(client, escaped):
    """Go's JSON has \\u0026 where the text has &."""
    payload = json.dumps({"aud": [URI]}, separators=(",", ":"))
    client.give(make_token(payload=payload.replace("&", "\\u0026") if escaped else payload))
    assert "".join(client.log_in("", KSA_AUDIENCE=URI)) == client.token
    for other in ("ssh://*", "ssh://a.b_c~d:22/?f", URI.replace("&", "\\u0026"), URI[:-1], URI.replace("$", ".")):
        client.refused(FIRST, KSA_AUDIENCE=other)


# --- Where the token could be seen ---


@pytest.mark.parametrize("shell", ["mksh", "posh"], indirect=True)
def test_shell_without_printf_is_refused(client):
    """Its printf is a program, whose arguments every user sees."""
    client.set_program("printf", "touch %s; /usr/bin/printf \"$@\"\n" % (client.directory / "ran"))
    for words in (prompt(1), prompt(2)):
        client.refused(words)
    assert client.kept() == [] and not (client.directory / "ran").exists()


@pytest.mark.parametrize("options", ["", "allexport", "xtrace"])
def test_token_is_not_exported_by_the_callers_variables_and_options(client, options):
    """Variables of the caller's environment may have the names of ours, and SHELLOPTS of bash may export each."""
    for name in PROGRAMS:
        if name != "sh":
            client.set_program(name, '{ echo "$0 $*"; /usr/bin/env; } >>%s; exec %s "$@"\n' % (
                client.directory / "seen", shutil.which(name)))
    names = ("token", "text", "rest", "claims", "kept", "stat", "process", "lines", "line")
    for part in (1, 2, 3):
        result = client.run(prompt(part), **{name: "x" for name in names}, SHELLOPTS=options or None)
        assert result.returncode == 0, result
        assert client.token[40:80] not in result.stderr
    seen = (client.directory / "seen").read_text()
    assert "base64" in seen
    for begin in range(0, len(client.token) - 40, 20):
        assert client.token[begin:begin + 40] not in seen


# --- The token's bytes ---


def test_token_in_no_argument_and_no_environment(client):
    """Each program is a stand-in that writes down how it was started, then becomes the real one. printf
    is not among them: it must be the shell's own."""
    log = client.directory / "log"
    for name in PROGRAMS:
        real = shutil.which(name)
        (client.programs / name).unlink()
        client.set_program(name, "/usr/bin/cat /proc/$$/cmdline /proc/$$/environ >>%s\nexec %s \"$@\"\n" % (log, real))
    answers = client.log_in(KSA_TOKEN_FILE=None, KSA_TOKEN_COMMAND="cat %s" % client.token_file)
    assert "".join(answers) == client.token
    seen = log.read_bytes()
    if client.shell[-1] != "ash":  # busybox has them inside
        assert all(("/%s" % name).encode() in seen for name in ("base64", "mktemp", "tr"))
    for text in client.token.split(".")[1:] + answers:
        for at in range(0, max(1, len(text) - 24), 24):
            assert text[at:at + 24].encode() not in seen
