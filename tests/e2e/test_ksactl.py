# SPDX-License-Identifier: BSD-2-Clause
"""ksactl next to the real login: the same token, the same result."""
import json
import os

import pytest

CONFIG = "/etc/ksa/ksa.conf"
RULE = "[rule deploy]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n"


def ksactl(host, *arguments, user="root"):
    return host.run(["ksactl", *map(str, arguments)], user=user)


@pytest.mark.parametrize("claims", [{}, {"account": "tester"}, {"audience": "ssh://other"}, {"life": 4000}], ids=range(4))
def test_explain_as_a_login_would(host, claims):
    host.write_config(RULE)
    token = host.token(**claims)
    login, _ = host.type([token[:500], token[500:]])
    result = ksactl(host, "explain", "--token-file", host.token_file(token), "--json", "--user", "deploy-bot",
                    "--service", "sshd", "--rhost", "127.0.0.1")
    assert result.status == (1 if claims else 0), result
    assert login.reasons == [json.loads(result.out)["reason"]]


def test_configuration_of_the_host(host):
    """Without --config it is the one that a login reads."""
    assert ksactl(host, "check").status == 0
    os.rename(CONFIG, "/etc/ksa/other.conf")
    assert ksactl(host, "check").status == 2
    assert ksactl(host, "check", "--config", "/etc/ksa/other.conf").status == 0


def test_without_root(host):
    """Nothing in /etc/ksa is secret: a user may ask too."""
    assert ksactl(host, "check", user="alice").status == 0
