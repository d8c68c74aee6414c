# SPDX-License-Identifier: BSD-2-Clause
"""The programs that people and jobs use over ssh, and sudo -A, each through ksa-ssh or ksa-askpass with a
token in a file, against the real sshd: every file arrives, and no token does where it must not."""
import re
import shutil
from pathlib import Path

import pytest

import host as private_host
from host import SSH_TELLS_PROGRAMS

BOT_HOME = Path("/home/deploy-bot")
TEXT = "".join("line %d\n" % n for n in range(5000))


@pytest.fixture
def job(host):
    """A job with a token, an empty directory, and another one on the host."""
    directories = []
    for home in (private_host.HOME, BOT_HOME):
        directory = home / "work"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        shutil.chown(directory, home.name, home.name)
        directories.append(directory)
    job = Job(host, *directories)
    yield job
    for socket in (job.here / "cp").glob("*"):  # connections that Ansible keeps
        job.run("ssh", "-o", "ControlPath=%s" % socket, "-O", "exit", "build-7")


class Job:
    def __init__(self, host, here, there):
        self.host, self.here, self.there = host, here, there
        self.token = host.token_file(host.token())
        self.file = self.write("file", TEXT)

    def write(self, name, text, mode=0o644):
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        shutil.chown(path, "job", "job")
        return path

    def run(self, *command, **environment):
        return self.host.run([str(word) for word in command], cwd=self.here,
                             **{"KSA_TOKEN_FILE": self.token, **environment})

    def with_askpass(self, command, **environment):
        """A plain ssh, with the settings of ksa-askpass --env."""
        return self.run("sh", "-c", 'eval "$(ksa-askpass --env)"; ' + command, **environment)


def arrived(result, path):
    return result.status == 0 and len(result.allowed) == 1 and path.read_text() == TEXT


# --- Each program ---


def test_job_is_told_why_its_token_could_not_be_judged(job):
    """The stack goes on to a password if the host could not check the token, and sshd puts our message before
    that prompt. The prompt is not answered, and the job sees the reference that the host's log has."""
    Path("/etc/ksa/prod.jwks").unlink()
    result = job.run("ksa-ssh", "deploy-bot@build-7", "id")
    reference = re.search(r" ref=(\w+) ", result.lines[0]).group(1)
    assert result.status == 255 and result.out == "" and result.reasons == ["file-missing"], result
    assert "Service account token refused (ref %s on build-7)\n" % reference in result.err, result


def test_ssh_carries_input_output_and_status(job):
    result = job.host.run(["ksa-ssh", "deploy-bot@build-7", "cat; echo error >&2; exit 7"], stdin=TEXT.encode(),
                          KSA_TOKEN_FILE=job.token)
    assert (result.status, result.out) == (7, TEXT) and "error\n" in result.err, result


def test_scp(job):
    assert arrived(job.run("scp", "-q", "-S", "ksa-ssh", "file", "deploy-bot@build-7:work/up"), job.there / "up")
    assert arrived(job.run("scp", "-q", "-S", "ksa-ssh", "deploy-bot@build-7:work/up", "down"), job.here / "down")


def test_scp_by_the_old_protocol(job):
    assert arrived(job.run("scp", "-O", "-q", "-S", "ksa-ssh", "file", "deploy-bot@build-7:work/up"), job.there / "up")


def test_sftp(job):
    result = job.host.run(["sftp", "-S", "ksa-ssh", "deploy-bot@build-7"], stdin=b"put file work/up\nget work/up down\n",
                          cwd=job.here, KSA_TOKEN_FILE=job.token)
    assert arrived(result, job.there / "up") and (job.here / "down").read_text() == TEXT, result


def test_sftp_in_batch_mode(job):
    """sftp -b puts BatchMode=yes on ssh's command line, after what ksa-ssh puts there."""
    batch = job.write("batch", "put file work/up\n")
    result = job.run("sftp", "-q", "-b", batch, "-S", "ksa-ssh", "deploy-bot@build-7")
    assert arrived(result, job.there / "up"), result


def test_rsync(job):
    result = job.run("rsync", "-a", "-e", "ksa-ssh", "file", "deploy-bot@build-7:work/up")
    assert arrived(result, job.there / "up"), result
    result = job.run("rsync", "-a", "-e", "ksa-ssh", "deploy-bot@build-7:work/up", "down")
    assert arrived(result, job.here / "down"), result


GIT = ("git init -q -b main . && git add file && git -c user.name=job -c user.email=job@example commit -qm first && "
       "git push -q deploy-bot@build-7:work/repository main && "
       "git clone -q -b main deploy-bot@build-7:work/repository clone")


def test_git(job):
    bare = job.host.on_host("git init -q --bare work/repository")
    assert bare.status == 0, bare
    result = job.run("sh", "-c", GIT, GIT_SSH_COMMAND="ksa-ssh")
    assert result.status == 0 and (job.here / "clone/file").read_text() == TEXT, result
    assert len(result.allowed) == 2


def test_master_connection_asks_once(job):
    """ControlMaster, as Ansible uses it."""
    options = ["-o", "ControlMaster=auto", "-o", "ControlPath=%s/socket" % job.here]
    script = ('ksa-ssh "$@" -o ControlPersist=60 deploy-bot@build-7 id -un && rm "$KSA_TOKEN_FILE" && '
              'ksa-ssh "$@" deploy-bot@build-7 id -un; status=$?; ssh "$@" -O exit deploy-bot@build-7; exit $status')
    result = job.run("sh", "-c", script, "x", *options)
    assert result.status == 0 and result.out == "deploy-bot\n" * 2 and len(result.allowed) == 1, result


def test_proxy_jump(job):
    """Through another host that admits the job by key: the settings of ksa-ssh are only for the last host."""
    result = job.run("ksa-ssh", "-J", "alice@other", "deploy-bot@build-7", "id -un")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result


def test_sudo_askpass(job):
    token = job.host.token_file(job.host.token(), BOT_HOME / "work/token", "deploy-bot")
    result = job.host.on_host('eval "$(ksa-askpass --env)"; sudo -A id -un', KSA_TOKEN_FILE=token,
                              KSA_AUDIENCE="ssh://build-7")
    assert result.out == "root\n" and len(result.allowed) == 1, result


def test_sudo_with_another_prompt_says_what_is_wrong(job):
    """SUDO_PROMPT or -p in place of the module's own."""
    token = job.host.token_file(job.host.token(), BOT_HOME / "work/token", "deploy-bot")
    job.host.write("/etc/sudoers.d/ksa", "Defaults:deploy-bot passwd_tries=1, passprompt_override\n"
                   "deploy-bot ALL = (root) ALL\n", 0o440)
    result = job.host.on_host('eval "$(ksa-askpass --env)"; sudo -A -p "token, please: " id -un', KSA_TOKEN_FILE=token,
                              KSA_AUDIENCE="ssh://build-7")
    assert result.status == 1 and result.out == "" and result.allowed == [], result
    assert "ksa-askpass: " in result.err and "sudo -p" in result.err, result


# The pids of a new namespace are given in turn, so the next one tells how many there were: 1 is this shell.
COUNT = '"$@" >&2 && { { read -r pid _ </proc/self/stat && echo $((pid - 2)); } & wait; }'


def processes_of(job, *command):
    """The number of processes that COMMAND starts here; those of sshd are outside."""
    result = job.host.run(["unshare", "--pid", "--fork", "--mount-proc", "setpriv", "--reuid=job", "--regid=job", "--init-groups",
                           "sh", "-c", COUNT, "x", *command], user="root", HOME=private_host.HOME, KSA_TOKEN_FILE=job.token)
    assert result.status == 0, result
    return int(result.out), result


def test_login_starts_few_processes(job):
    """Each costs a millisecond or more, and fifty logins at once start fifty times as many. ssh itself is one of them."""
    assert processes_of(job, "env", "true")[0] == 1 and processes_of(job, "sh", "-c", "true; true & wait")[0] == 2
    job.token = job.host.token_file(job.host.token(pod="deployer-7d9c5b6f48-x2k9q", node="node-1.example.com", node_uid="0" * 36))
    assert 1000 < len(job.token.read_text()) < 1500  # three parts
    number, result = processes_of(job, "ksa-ssh", "deploy-bot@build-7", "true")
    assert number <= 25 and len(result.allowed) == 1, (number, result)


def test_nothing_is_left_of_the_token(job):
    """Not in /dev/shm, which kept the parts of these logins: job has no XDG_RUNTIME_DIR."""
    result = job.run("ksa-ssh", "deploy-bot@build-7", "true")
    assert result.status == 0 and list(Path("/dev/shm").glob("ksa-askpass-*")) == []


KEY_AND_TOKEN = ("KbdInteractiveAuthentication yes\nPasswordAuthentication no\nStrictModes no\n"
                 "AuthenticationMethods publickey,keyboard-interactive\n")


@pytest.fixture
def key_of_bot():
    directory = BOT_HOME / ".ssh"
    directory.mkdir()
    shutil.copy(private_host.HOME / ".ssh/id_ed25519.pub", directory / "authorized_keys")
    shutil.chown(directory, "deploy-bot", "deploy-bot")
    yield
    shutil.rmtree(directory)


@pytest.mark.parametrize("options", [
    [], ["-o", "PreferredAuthentications=publickey,keyboard-interactive"], ["-o", "PreferredAuthentications=publickey"],
    ["-o", "KbdInteractiveAuthentication=no", "-o",
     "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey", "-o", "PasswordAuthentication=no"],
], ids=["", "both", "key", "ansible"])
def test_key_and_token_fails_for_want_of_a_key(job, key_of_bot, options):
    job.host.start_sshd(KEY_AND_TOKEN, 2204)
    result = job.run("ksa-ssh", "-p", "2204", *options, "deploy-bot@build-7", "id -un")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result


def test_token_is_not_used_where_a_key_would_do(job, key_of_bot):
    job.host.start_sshd(KEY_AND_TOKEN.replace("publickey,", "publickey "), 2204)
    result = job.run("ksa-ssh", "-p", "2204", "deploy-bot@build-7", "id -un")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result


WRAPPER = '#!/bin/sh\nksa-askpass "$@"\nstatus=$?\nexit $status\n'


def test_wrapper_around_askpass_gets_one_part_alone(job):
    """A shell that stays is another parent for each part, and ssh and sudo are one above."""
    wrapper = job.write("wrapper", WRAPPER, 0o755)
    result = job.run("ssh", "-o", "PreferredAuthentications=keyboard-interactive", "-o", "KbdInteractiveAuthentication=yes",
                     "deploy-bot@build-7", "id -un", SSH_ASKPASS=wrapper, SSH_ASKPASS_REQUIRE="force")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result
    shutil.copy(wrapper, job.there)
    token = job.host.token_file(job.host.token(), BOT_HOME / "work/token", "deploy-bot")
    result = job.host.on_host("sudo -A id -un", SUDO_ASKPASS=job.there / "wrapper", KSA_TOKEN_FILE=token,
                              KSA_AUDIENCE="ssh://build-7")
    assert result.out == "root\n" and len(result.allowed) == 1, result


# --- Without ksa-ssh ---


@pytest.fixture
def included(job):
    """A configuration that includes the file of ksa-askpass --ssh-config, before options that would keep the token back."""
    directory = private_host.HOME / ".ssh"
    result = job.run("sh", "-c", "ksa-askpass --ssh-config build-7 other >~/.ssh/ksa.conf")
    assert result.status == 0, result
    config = directory / "config"
    config.write_text("Include ksa.conf\nHost *\n    BatchMode yes\n    PreferredAuthentications publickey\n")
    yield job
    config.unlink()
    (directory / "ksa.conf").unlink()


def test_plain_ssh(included):
    result = included.with_askpass("ssh deploy-bot@build-7 id -un")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 1, result


def test_plain_scp(included):
    result = included.with_askpass("scp -q file deploy-bot@build-7:work/up")
    assert arrived(result, included.there / "up"), result


def test_plain_rsync(included):
    result = included.with_askpass("rsync -a file deploy-bot@build-7:work/up")
    assert arrived(result, included.there / "up"), result


def test_plain_git(included):
    bare = included.host.on_host("git init -q --bare work/repository")
    assert bare.status == 0, bare
    result = included.with_askpass(GIT)
    assert result.status == 0 and (included.here / "clone/file").read_text() == TEXT, result
    assert len(result.allowed) == 2


def test_plain_jump(included):
    """Both hosts ask for a token, each for its own; the ssh of the jump host reads the same file."""
    included.host.edit("/etc/ksa/ksa.conf", "audience = ssh://%H", "audience = ssh://build-7 ssh://other")
    for name in ("build-7", "other"):
        included.write("tokens/" + name, included.host.token(audience="ssh://" + name))
    result = included.with_askpass("ssh -J deploy-bot@other deploy-bot@build-7 id -un", KSA_TOKEN_FILE=included.here / "tokens/%h")
    assert result.out == "deploy-bot\n" and len(result.allowed) == 2, result


def test_plain_ssh_to_another_host(included):
    """By a password: it gets no answer while the exports are in force, and the message names the way out."""
    included.host.start_sshd("PasswordAuthentication yes\nKbdInteractiveAuthentication no", 2203)
    command = "ssh -p 2203 -o BatchMode=no -o PreferredAuthentications=password -o HostKeyAlias=build-7 alice@127.0.0.1 true"
    result = included.with_askpass(command)
    assert result.status == 255 and "to type the answer, run ssh with SSH_ASKPASS_REQUIRE=never" in result.err, result
    result = included.with_askpass("SSH_ASKPASS_REQUIRE=never " + command)
    assert result.status == 255 and "ksa-askpass" not in result.err, result


# --- Ansible ---

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - command: id -un
      register: user
    - copy: {src: %(here)s/file, dest: %(there)s/up, mode: "0600"}
    - template: {src: %(here)s/template, dest: %(there)s/rendered}
    - fetch: {src: %(there)s/up, dest: %(here)s/down, flat: true}
    - command: id -un
      become: true
      register: root
    - assert: {that: ["user.stdout == 'deploy-bot'", "root.stdout == 'root'"]}
"""


def ansible(job, *command, **environment):
    job.write("ansible.cfg", job.run("ksa-askpass", "--ansible").out)
    job.write("inventory", "build-7 ansible_user=deploy-bot ansible_python_interpreter=/usr/bin/python3\n")
    return job.run(*command, "-i", "inventory", ANSIBLE_CONFIG=job.here / "ansible.cfg",
                   ANSIBLE_LOCAL_TEMP=job.here / "tmp", ANSIBLE_SSH_CONTROL_PATH_DIR=job.here / "cp", ANSIBLE_NOCOLOR=1,
                   LC_ALL="C.UTF-8", timeout=300, **environment)


@pytest.mark.parametrize("environment", [{}, {"ANSIBLE_PIPELINING": "False", "ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}],
                         ids=["as-printed", "no-pipelining-no-master"])
def test_ansible(job, environment):
    """With the lines of ksa-askpass --ansible; become reads the token file on the other side. sftp and scp would run plain ssh,
    which fails unless there is a connection of ksa-ssh to use."""
    job.host.give_token(job.host.token())
    job.write("template", "{{ inventory_hostname }}\n")
    job.write("playbook.yml", PLAYBOOK % {"here": job.here, "there": job.there})
    result = ansible(job, "ansible-playbook", "playbook.yml", **environment)
    assert result.status == 0 and "failed=0" in result.out and "transfer mechanism failed" not in result.err, result
    assert (job.there / "up").read_text() == (job.here / "down").read_text() == TEXT
    assert (job.there / "rendered").read_text() == "build-7\n"
    services = [re.search(r" service=(\S+)", line).group(1) for line in result.allowed]
    assert (services.count("sshd") == 1) == (not environment) and "sudo" in services, result
    assert len(result.lines) == len(result.allowed), result


def test_ansible_tells_why_it_was_refused(job):
    job.token = job.host.token_file(job.host.token(account="tester"))
    result = ansible(job, "ansible", "all", "-m", "ping")
    assert result.status == 4 and "UNREACHABLE" in result.out and result.reasons == ["no-rule"], result
    if not SSH_TELLS_PROGRAMS:
        pytest.skip("this ssh (Ubuntu's) tells why it was refused to a terminal alone")
    assert "no rule allows prod:ci/tester to become" in result.out, result


# --- Where the token must not go ---


def test_jump_host_gets_nothing(job):
    """The token is for build-7; the host on the way asks for it with its own name."""
    result = job.with_askpass("ssh -o PreferredAuthentications=keyboard-interactive -o KbdInteractiveAuthentication=yes "
                              "-J deploy-bot@other deploy-bot@build-7 id -un")
    assert result.status == 255 and result.allowed == [], result
    assert "not for the audience ssh://other alone" in result.err, result
    assert set(result.reasons) <= {"conversation-failed", "empty-answer"}, result


def test_other_name_of_the_host(job):
    """HostKeyAlias is the name that ssh trusts, and so what it puts before the prompt."""
    result = job.run("ksa-ssh", "deploy-bot@other", "true")
    assert result.status == 255 and result.lines == [] and "ssh://other" in result.err, result
    result = job.run("ksa-ssh", "-o", "HostKeyAlias=build-7", "deploy-bot@other", "id -un")
    assert result.out == "deploy-bot\n", result


def test_unknown_host_key_is_not_answered(job):
    """An askpass that answers anything would be asked again and again."""
    result = job.run("ksa-ssh", "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=ask",
                     "deploy-bot@build-7", "true")
    assert result.status == 255 and result.lines == [], result
    assert result.err.count("ksa-askpass: ") == 1 and "host key of build-7 (127.0.0.1) is unknown" in result.err, result


def test_user_without_a_rule_is_told_of_sudo(job):
    """They see what the host asked, and whom it asked so."""
    job.host.start_sshd("KbdInteractiveAuthentication yes\nPubkeyAuthentication no", 2205)
    result = job.run("ksa-ssh", "-p", "2205", "alice@build-7", "true")
    assert result.status == 255 and 'build-7 asked "Password:"' in result.err and "alice" in result.err, result
    assert "sudo" not in result.err, result


def test_password_is_not_answered(job):
    """alice has a password; the job's askpass gives sshd nothing for it."""
    job.host.start_sshd("PasswordAuthentication yes\nKbdInteractiveAuthentication no", 2203)
    result = job.with_askpass("ssh -p 2203 -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "
                              "alice@build-7 true")
    assert result.status == 255 and "ksa-askpass: " in result.err, result
    assert not any("Accepted" in line for line in result.log)


def test_passphrase_is_not_answered(job):
    job.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", "key")
    result = job.with_askpass("ssh-keygen -y -f key </dev/null")
    assert result.status != 0 and result.out == "" and "ksa-askpass: " in result.err, result


def test_git_over_http_is_not_answered(job):
    """git asks the same askpass for a name and a password."""
    result = job.host.run(["sh", "-c", 'eval "$(ksa-askpass --env)"; git credential fill'],
                          stdin=b"protocol=http\nhost=127.0.0.1\n\n", KSA_TOKEN_FILE=job.token)
    assert result.status != 0 and "password=" not in result.out and "ksa-askpass: " in result.err, result


def test_expired_token_is_tried_once(job):
    """Three prompts would be three refusals, each with its delay."""
    job.token = job.host.token_file(job.host.token(issued=1700000000))
    result = job.run("ksa-ssh", "deploy-bot@build-7", "true", KSA_TOKEN_FILE="", KSA_TOKEN_COMMAND="cat %s" % job.token)
    assert result.status == 255 and result.reasons == ["expired"], result


def test_expired_token_in_a_file_is_not_tried(job):
    job.token = job.host.token_file(job.host.token(issued=1700000000))
    result = job.run("ksa-ssh", "deploy-bot@build-7", "true")
    assert result.status == 255 and result.lines == [] and result.err.startswith("ksa-ssh: the token expired"), result


@pytest.mark.parametrize("options", [("-J", "deploy-bot@other"), ("-o", "ProxyJump=deploy-bot@other")], ids=" ".join)
def test_jump_host_is_asked_once(job, options):
    """ssh's own NumberOfPasswordPrompts made three denials there; ssh hands the file of ksa-ssh on to the ssh for the jump host."""
    result = job.run("ksa-ssh", *options, "deploy-bot@build-7", "id -un")
    assert result.status == 255 and len(result.lines) == 1, result


def test_directory_of_tokens_serves_a_jump_host_too(job):
    for name in ("build-7", "other"):
        job.write("tokens/" + name, job.host.token(audience="ssh://" + name))
    result = job.run("ksa-ssh", "-J", "deploy-bot@other", "deploy-bot@build-7", "id -un", KSA_TOKEN_FILE="tokens/%h")
    assert "not for the audience" not in result.err and "does not exist" not in result.err, result
