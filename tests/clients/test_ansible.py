# SPDX-License-Identifier: BSD-2-Clause
"""Ansible of Debian and of PyPI. The playbooks on five hosts are in tests/ansible."""
from pathlib import Path

from clients import (  # noqa: F401
    INSTALLED, Client, file_to_read, test_client_logs_in, test_client_shows_why_a_token_is_refused)

LIBRARIES = "PYTHONPATH=%s/ansible " % INSTALLED
PYPI = LIBRARIES + "/usr/bin/python3 -B %s/ansible/bin/" % INSTALLED
BY_ASKPASS = "ksa-askpass --ansible"
MITOGEN = "printf '[ssh_connection]\\nssh_executable = /usr/bin/ksa-ssh\\n'"
# In a file, because every user of the machine can read a command line.
PASSWORD = "ansible_password=\"{{ lookup('file', '/home/job/token') }}\""


def ansible(program, settings, variables="", environment="", options="", module="command"):
    """SETTINGS is a command that prints them. Connections that Ansible keeps are ended."""
    return ("rm -rf cp work && mkdir work && %s >work/ansible.cfg && cat >work/inventory <<'END'\n"
            "build-7 ansible_user=deploy-bot ansible_python_interpreter=/usr/bin/python3 %s\n"
            "END\n"
            "KSA_TOKEN_COMMAND='cat /home/job/token' ANSIBLE_CONFIG=work/ansible.cfg ANSIBLE_LOCAL_TEMP=/home/job/work/tmp "
            "ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8 ANSIBLE_SSH_CONTROL_PATH_DIR=/home/job/cp ANSIBLE_DEPRECATION_WARNINGS=0 %s "
            "%sansible all -i work/inventory %s -m %s -a 'id -un' </dev/null\n"
            "status=$?; for one in cp/*; do ! [ -S $one ] || ssh -o ControlPath=$one -O exit build-7; done; exit $status\n"
            % (settings, variables, environment, program, options, module))


CLIENTS = {
    # raw sends no data. If ssh ends while it gets data, a busy Ansible may show a broken pipe in place of what ssh printed.
    "Ansible": Client(ansible("", BY_ASKPASS, module="raw")),
    "Ansible: 2.19": Client(ansible(PYPI, BY_ASKPASS, module="raw")),
    "ansible_password": Client(ansible("", ":", PASSWORD), takes=("ES256",)),
    "ansible_password: 2.19": Client(ansible(PYPI, ":", PASSWORD), takes=("ES256",)),
    "Ansible, paramiko": Client(ansible(PYPI, ":", PASSWORD, options="-c paramiko_ssh"),
                                shows="Failed to authenticate: Bad authentication type; allowed types"),
    "Ansible, mitogen": Client(ansible(
        PYPI, MITOGEN, environment="ANSIBLE_STRATEGY=mitogen_linear ANSIBLE_STRATEGY_PLUGINS=%s/ansible/ansible_mitogen/plugins/strategy"
        % INSTALLED), shows="SSH authentication is incorrect"),
}

REPOSITORY = """
rm -rf site && git init -q -b main site && cd site && cat >local.yml <<'END'
- hosts: localhost
  connection: local
  tasks: [{command: touch /home/job/pulled}]
END
git add local.yml && git -c user.name=bot -c user.email=bot@example commit -q -m first
"""


def pull(host, **claims):
    host.token_file(host.token(**claims))
    return host.run(["ansible-pull", "-U", "deploy-bot@build-7:site", "-d", "/home/job/pull", "-i", "localhost,", "local.yml"], timeout=300,
                    KSA_TOKEN_COMMAND="cat /home/job/token", GIT_SSH_COMMAND="ksa-ssh", ANSIBLE_NOCOLOR=1)


def test_ansible_pull(host):
    """It has no row, because git logs in more than once."""
    pulled = Path("/home/job/pulled")
    made = host.on_host(REPOSITORY)
    assert made.status == 0, made
    result = pull(host)
    assert result.status == 0 and pulled.exists() and len(result.allowed) == len(result.lines) == 3, result
    pulled.unlink()
    result = pull(host, issued=1_700_000_000)
    assert result.status != 0 and "token refused" in result.out + result.err and len(result.lines) == 1, result
    assert not pulled.exists()
