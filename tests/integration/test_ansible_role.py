# SPDX-License-Identifier: BSD-2-Clause
"""packaging/ansible/ksa without a host of its own: its files, and how it writes a configuration. tests/ansible has the rest."""
import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

import issuer
from host import HOME

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "packaging/ansible/ksa"
CONFIG = {"host": {"audience": ["ssh://%H", "ssh://fleet"], "max_lifetime": 3600, "multiple_audiences": False},
          "cluster prod": {"issuer": issuer.ISSUER, "keys": "file:/etc/ksa/prod.jwks"},
          "rule deploy": {"account": "prod:ci/deployer", "user": "deploy-bot", "service": ["sshd", "sudo"]}}
TEXT = """
[host]
audience = ssh://%%H ssh://fleet
max_lifetime = 3600
multiple_audiences = no

[cluster prod]
issuer = %s
keys = file:/etc/ksa/prod.jwks

[rule deploy]
account = prod:ci/deployer
user = deploy-bot
service = sshd sudo
""" % issuer.ISSUER
PLAYBOOK = [{"hosts": "localhost", "gather_facts": False,
             "tasks": [{"include_role": {"name": "ksa", "tasks_from": "configuration"}}]}]


def load(name):
    return yaml.safe_load((ROLE / name).read_text())


def test_every_file_is_well_formed():
    files = sorted(str(path.relative_to(ROLE)) for path in ROLE.rglob("*.yml"))
    assert {"defaults/main.yml", "handlers/main.yml", "meta/main.yml", "tasks/main.yml", "tasks/token.yml"} <= set(files)
    assert all(load(name) for name in files)


def test_packages_have_the_names_of_debian():
    names = re.findall(r"^Package: (.*)$", (ROOT / "packaging/debian/control").read_text(), re.M)
    assert load("defaults/main.yml")["ksa_packages"] == [name for name in names if name != "ksa-client"]


def test_variables_are_the_same_in_each_place():
    specs = load("meta/argument_specs.yml")["argument_specs"]
    variables = set(specs["main"]["options"])
    assert set(load("defaults/main.yml")) == variables - {"ksa_config"}
    page = (ROLE / "README.md").read_text()
    assert set(re.findall(r"^\| (ksa_\w+) \|", page, re.M)) == variables
    assert set(specs) == {"main"} | {path.stem for path in (ROLE / "tasks").iterdir()} - {"configuration", "enable"}


@pytest.fixture
def role(host):
    """What the role does with its variables. Ansible's files are in a directory of job's, as those of a login are."""
    shutil.rmtree(HOME / "ansible", ignore_errors=True)
    (HOME / "ansible").mkdir()
    shutil.chown(HOME / "ansible", "job", "job")
    (HOME / "playbook.yml").write_text(json.dumps(PLAYBOOK))

    def apply(*options, **variables):
        return host.run(["ansible-playbook", "-c", "local", "-i", "localhost,", "-e", json.dumps(variables), *options,
                         HOME / "playbook.yml"], user="root", timeout=300, ANSIBLE_ROLES_PATH=ROLE.parent,
                        ANSIBLE_REMOTE_TMP=HOME / "ansible/tmp",
                        ANSIBLE_LOCAL_TEMP="/root/ansible", ANSIBLE_NOCOLOR=1)
    yield apply
    shutil.rmtree(HOME / "ansible")
    shutil.rmtree("/root/ansible")
    (HOME / "playbook.yml").unlink()


def files():
    return {path: (path.stat().st_mode, path.read_bytes()) for path in Path("/etc/ksa").rglob("*") if path.is_file()}


def key_set(text):
    path = HOME / "ansible/prod.jwks"
    path.write_text(text)
    return [str(path)]


def test_configuration_is_written_from_its_sections(host, role):
    result = role(ksa_config=CONFIG, ksa_key_sets=key_set(issuer.jwks(issuer.Key("ES256"))))
    assert result.status == 0 and "changed=2" in result.out, result
    assert Path("/etc/ksa/ksa.conf").read_text() == "#\n# Ansible managed\n#\n" + TEXT
    assert host.run(["ksactl", "check"], user="root").status == 0


def test_configuration_is_written_from_its_text(host, role):
    result = role(ksa_config="# mine\n" + TEXT)
    assert result.status == 0 and Path("/etc/ksa/ksa.conf").read_text() == "#\n# Ansible managed\n#\n# mine\n" + TEXT, result
    assert "changed=0" in role(ksa_config="# mine\n" + TEXT).out


def test_value_is_one_line(host, role):
    """A variable with a line break, such as a YAML block or a fact of another host, cannot add a rule."""
    injected = "sshd\n\n[rule more]\naccount = prod:ci/other\nuser = deploy-bot\nservice = sshd"
    before = files()
    result = role(ksa_config={**CONFIG, "rule deploy": {**CONFIG["rule deploy"], "service": injected}})
    assert result.status == 2 and "failed to validate" in result.out and files() == before, result
    block = {**CONFIG, "rule deploy": {**CONFIG["rule deploy"], "service": "sshd\nsudo\n"}}
    assert role(ksa_config=block).status == 0 and Path("/etc/ksa/ksa.conf").read_text().endswith("service = sshd sudo\n")


@pytest.mark.parametrize("rule", [{"account": "ci/deployer"}, {"user": "deploy/bot"}], ids=["account", "user"])
def test_broken_configuration_is_refused(host, role, rule):
    before = files()
    result = role(ksa_config={**CONFIG, "rule deploy": {**CONFIG["rule deploy"], **rule}})
    assert result.status == 2 and "failed to validate" in result.out and "error: " in result.out, result
    assert files() == before and not list(Path("/run").glob("ksa-check*"))


def test_configuration_is_refused_with_what_is_in_conf_d(host, role):
    """The copy that ksactl checks is next to ksa.conf."""
    host.write("/etc/ksa/conf.d/more.conf", "[rule deploy]\naccount = prod:ci/other\nuser = deploy-bot\nservice = sshd\n")
    before = files()
    result = role(ksa_config=CONFIG)
    assert result.status == 2 and "more.conf" in result.out and files() == before, result


def test_broken_key_set_is_refused(host, role):
    before = files()
    result = role(ksa_config=CONFIG, ksa_key_sets=key_set('{"keys": ['))
    assert result.status == 2 and "failed to validate" in result.out, result
    assert files() == before and not list(Path("/run").glob("ksa-check*"))


def test_difference_is_shown_and_not_made(host, role):
    before = files()
    result = role("--check", "--diff", ksa_config=CONFIG)
    assert result.status == 0 and "+multiple_audiences = no\n" in result.out and files() == before, result
    assert os.listdir("/etc/ksa/conf.d") == []
