# SPDX-License-Identifier: BSD-2-Clause
"""A client without a token learns about names: whether a local user was made of an account (SECURITY.md, "What a client
learns"), and the two settings of sshd and rules that hide it."""
import re

import pytest

import registry

TOKEN, PASSWORD = "Service account token", "Password"
MADE = ("ci_deployer", "ci_retired", "ci_remade", "ci_torn", "ci_gone")  # all states of make(); ci_gone was removed
NEVER = ("ci_nothing", "ci_deploye")
OWN = "[rule own]\naccount = prod:ci/*\nuser = @own\nservice = sshd\n"
NAMED = "[rule named]\naccount = prod:ci/deployer\nuser = ci_deployer ci_gone ci_nothing\nservice = sshd\n"
ELSEWHERE = "127.0.0.2"
SSHD = """\
Match User deploy-bot,ci_* Address 127.0.0.1
    KbdInteractiveAuthentication yes
    PasswordAuthentication no
    AuthenticationMethods keyboard-interactive
Match User deploy-bot,ci_*
    KbdInteractiveAuthentication no
    PasswordAuthentication no
    AuthenticationMethods keyboard-interactive
"""


@pytest.fixture
def users(host):
    registry.make()
    yield host
    registry.forget()


def prompts(host, name, *options):
    """The prompts, without the client's own text before them."""
    _, texts = host.type(["x"], user=name, options=("-p", "2222", *options))
    return [re.sub(r"^\(.*\) ", "", prompt) for prompt in texts]


def says(host, name, *options):
    """All that the client hears, without the name itself."""
    result, texts = host.type(["x"], user=name, method="keyboard-interactive,password", options=("-p", "2222", *options))
    return result.status, re.sub(r"ref [0-9a-f]+", "ref", result.err.replace(name, "NAME")), len(texts)


def start(host, text, rule):
    host.write_config(rule)
    host.write("/etc/ssh/names.conf", text)
    host.start_sshd("Include /etc/ssh/sshd_config.d/ksa-penalties.conf\nInclude /etc/ssh/names.conf\n"
                    "KbdInteractiveAuthentication no\nLogLevel VERBOSE\n", 2222)


SHIPPED = SSHD.split("Match User deploy-bot,ci_*\n")[0].replace(" Address 127.0.0.1", "")


def test_own_tells_which_accounts_there_are_or_were(users):
    """As SECURITY.md has it. If this fails because a client learns less, change the document."""
    start(users, SHIPPED, OWN)
    for name in MADE:
        assert all(prompt.startswith(TOKEN) for prompt in prompts(users, name)), name
    for name in NEVER:
        assert all(prompt.startswith(PASSWORD) for prompt in prompts(users, name)), name


def test_own_does_not_tell_in_which_state_they_are(users):
    start(users, SHIPPED, OWN)
    responses = {says(users, name) for name in MADE}
    assert len(responses) == 1, responses


def test_from_does_not_hide_names(users):
    start(users, SHIPPED, OWN + "from = 192.0.2.0/24\n")
    assert prompts(users, "ci_deployer")[0].startswith(TOKEN)
    assert prompts(users, "ci_nothing")[0].startswith(PASSWORD)


def test_match_address_hides_names_from_elsewhere(users):
    start(users, SSHD, OWN)
    assert prompts(users, "ci_deployer")[0].startswith(TOKEN)
    responses = {says(users, name, "-b", ELSEWHERE) for name in MADE + NEVER}
    assert len(responses) == 1 and responses.pop()[2] == 0


def test_rules_that_name_users_hide_the_registry(users):
    """A name in a rule is asked for a token whether it exists or not, and no other name is."""
    start(users, SHIPPED, NAMED)
    for name in ("ci_deployer", "ci_gone", "ci_nothing"):
        assert prompts(users, name)[0].startswith(TOKEN), name
    for name in ("ci_runner", "ci_retired", "ci_deploye"):
        assert prompts(users, name)[0].startswith(PASSWORD), name
