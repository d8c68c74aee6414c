# SPDX-License-Identifier: BSD-2-Clause
"""The items of libpam that an attempt depends on: user, service, address. A conversation may set them, and
a host program may set them to anything."""
from pathlib import Path

import pytest

import issuer
import pam

LONG = "10.1.2.3" + "x" * 100000
LONG_REFUSED = ("AUTH_ERR", "SYSTEM_ERR")  # the latter is libpam's, on a kernel with audit


def grant_twice(stack):
    """Both users may log in with the token; the decision is about the user at the prompt."""
    stack.host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot alice\nservice = sshd login\n")
    stack.write("login")


@pytest.mark.parametrize("items", ({"user": "alice"}, {"user": "root"}, {"user": ""}, {"service": "login"}, {"rhost": "10.9.9.9"},
                                   {"rhost": ""}, {"rhost": LONG}, {"user": "alice", "service": "login", "rhost": LONG}),
                         ids=lambda items: "-".join("%s=%.8s" % item for item in items.items()))
def test_items_changed_while_the_token_is_asked_for(stack, items):
    grant_twice(stack)
    result = stack.attempt(issuer.answers(stack.host.token()), while_asked={name: value[:300] for name, value in items.items()})
    assert result["auth"] == "PERM_DENIED" and result["reasons"][:1] == ["user-changed"], result
    assert result["codes"]["acct_mgmt"] != "SUCCESS" and result["environment"] == [], result


def test_items_set_again_to_the_same_while_the_token_is_asked_for(stack):
    """libpam frees the old text and keeps a copy of the new one."""
    result = stack.attempt(issuer.answers(stack.host.token()), while_asked={"user": "deploy-bot", "service": "sshd", "rhost": "10.1.2.3"})
    assert result["auth"] == "SUCCESS" and result["reasons"] == ["ok"], result
    assert 'user="deploy-bot"' in result["log"][0] and 'rhost="10.1.2.3"' in result["log"][0], result


def test_service_changed_to_a_stack_without_the_module(stack):
    """libpam unloads the modules of the old stack, and pam_end calls the cleanup functions that a module left in the handle."""
    Path(pam.CONFDIR, "people").write_text("auth required pam_permit.so\naccount required pam_permit.so\n")
    result = stack.attempt(issuer.answers(stack.host.token()), before_account={"service": "people"})
    assert result["codes"] == {"authenticate": "SUCCESS", "acct_mgmt": "SUCCESS"}, result


@pytest.mark.parametrize("name", ("rhost", "tty"))
@pytest.mark.parametrize("rule", ("", "from = 10.0.0.0/8\n"), ids=("anywhere", "from"))
def test_item_of_100000_bytes_is_refused_before_the_prompt(stack, name, rule):
    """libpam writes both into its audit record. If they do not fit, it returns PAM_SYSTEM_ERR in place of the module's result."""
    stack.host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n" + rule)
    result = stack.attempt(issuer.answers(stack.host.token()), **{name: LONG})
    assert result["auth"] in LONG_REFUSED and result["reasons"] == ["item-too-long"], result
    assert result["prompts"] == [] and len(result["log"][0]) < 2048, result


@pytest.mark.parametrize("name, size, code", (("rhost", 255, "SUCCESS"), ("rhost", 256, "AUTH_ERR"), ("tty", 255, "SUCCESS"),
                                              ("tty", 256, "AUTH_ERR")))
def test_length_of_an_item(stack, name, size, code):
    assert stack.attempt(issuer.answers(stack.host.token()), **{name: "x" * size})["auth"] == code


def test_terminal_of_100000_bytes_set_while_the_token_is_asked_for(stack):
    result = stack.attempt(issuer.answers(stack.host.token()), while_asked={"tty": LONG})
    assert result["auth"] in LONG_REFUSED and result["reasons"] == ["item-too-long"], result


@pytest.mark.parametrize("name", ("rhost", "tty"))
def test_person_with_an_item_of_100000_bytes_is_left_alone(stack, name):
    result = stack.attempt(user="alice", **{name: LONG})
    assert result["auth"] in ("USER_UNKNOWN", "SYSTEM_ERR") and result["log"] == result["prompts"] == [], result


@pytest.mark.parametrize("user, service", (("deploy-bot" + "x" * 100000, "sshd"), ("u" * 255, "sshd"), ("u" * 256, "sshd")))
def test_user_of_100000_bytes_is_named_by_no_rule(stack, user, service):
    stack.host.write_config("[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n")
    result = stack.attempt(issuer.answers(stack.host.token()), user=user, service=service, phases=("authenticate",))
    assert result["auth"] == "USER_UNKNOWN" and result["log"] == result["prompts"] == [], result
