# SPDX-License-Identifier: BSD-2-Clause
"""Public names: what ksactl prints as JSON has the version of its form."""
import issuer
import pytest

import host as private_host
from accounts import Lister
from cluster import KEYS, Cluster, jwks_page
from test_ksactl_status import ACCESS, PATH, may, self_review

SECTIONS = """[accounts prod]
namespaces = ci

[rule once]
account = prod:ci/deployer
user = deploy-bot
service = sshd
once = yes

[rule own]
account = prod:ci/*
user = @own
service = sudo
"""


@pytest.fixture
def answers(host):
    """{command: [answer to --json]} of a host with a key set, a credential, an API server, accounts, marks and problems."""
    found = {}

    def ask(*words, command=None, **more):
        command = command or " ".join(word for word in words[:2] if not word.startswith("-"))
        result = cluster.ksactl(*words, "--json", **more)
        found.setdefault(command, []).append(result.json)

    def answer(request):
        path = request.split(" ")[1]
        pages = {PATH: lambda request: self_review(), ACCESS: may(), KEYS: lambda request: jwks_page(host.key)}
        return pages.get(path, cluster.lister)(request)

    with Cluster(host) as cluster, private_host.systemd():
        cluster.lister, cluster.server.answer = Lister(), answer
        cluster.give_credential()
        cluster.configure(cluster.section(), SECTIONS)
        assert cluster.refresh("prod").status == 0
        cluster.lister.add("ci", "deployer")
        cluster.lister.add("ci", "refused." + "n" * 40)
        ask("accounts", "sync")
        ask("accounts", "list")
        for name in ("ci_deployer", "prod:ci/refused." + "n" * 40):
            ask("accounts", "show", name, command="accounts show")
        ask("accounts", "disable", "ci_deployer", command="accounts disable")
        ask("accounts", "enable", "ci_deployer", command="accounts enable")
        ask("accounts", "export")
        for token in (host.token(), host.token()[:-8] + "AAAAAAAA"):
            ask("explain", "--token-file", "-", "--user", "deploy-bot", "--rhost", "10.1.2.3", command="explain", stdin=token.encode())
        for words in (("keys", "show"), ("credential", "show"), ("check",), ("status",), ("options",)):
            ask(*words)
        ask("accounts", "rename-cluster", "prod", "stage", command="accounts rename-cluster")
        cluster.no_token_told()
    return found


def test_each_answer_has_its_version_first(answers):
    """An array cannot have one: keys show, credential show, accounts list and options were arrays."""
    assert len(answers) == 13
    heads = {command: [next(iter(answer.items())) if isinstance(answer, dict) else "an array" for answer in found]
             for command, found in answers.items() if command != "accounts export"}
    assert heads == {command: [("version", 1)] * len(answers[command]) for command in heads}


def test_an_export_has_the_version_of_its_own_format(answers):
    """`version` is that of the file, which hosts of other versions read: no other number is next to it."""
    (export,) = answers["accounts export"]
    assert list(export) == ["format", "version", "clusters"] and export["format"] == "ksa-accounts" and export["version"] == 2
