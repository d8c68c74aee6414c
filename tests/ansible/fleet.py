# SPDX-License-Identifier: BSD-2-Clause
"""Five hosts with ksa's packages at hand, and two control nodes with the Ansible of Debian 12 and of Debian 13, in a network
of their own. The controls have an administrator's key for alice on each host, and tokens for deploy-bot."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import issuer  # noqa: E402 (its directory is not a package)

DISTRO = ROOT / "tests/support/distro-host"
CONTROL = ["ansible-core", "git", "openssh-client", "sshpass"]
MANAGED = ["python3", "python3-apt", "libcurl4", "libjansson4"]
ROLE_PACKAGES = ("ksa", "libpam-ksa", "libnss-ksa")
FLEET = "ssh://fleet"
RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.M)


def command(*words, stdin=None, check=True):
    result = subprocess.run([str(word) for word in words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=900)
    assert not check or result.returncode == 0, (words, result.returncode, result.stdout[-3000:])
    return result


class Host:
    def __init__(self, name, suite, address, boot=()):
        self.name, self.suite, self.address = name, suite, address
        command(DISTRO, "make", name, suite)
        command(DISTRO, "start", name, *boot)
        line = next(line for line in command(DISTRO, "list").stdout.splitlines() if line.split()[0] == name)
        self.pid = line.split()[-1]

    def run(self, *words, network=False, **more):
        return command(DISTRO, "run", *(["--network"] if network else []), self.name, *words, **more)

    def sh(self, script, *words, **more):
        return self.run("sh", "-euc", script, "sh", *words, **more)

    def copy(self, *sources_and_directory):
        command(DISTRO, "copy", self.name, *sources_and_directory)

    def write(self, path, text, owner="root", mode="0644"):
        self.sh('mkdir -p "$(dirname "$1")"; umask 077; cat >"$1"; chown "$2:" "$1"; chmod "$3" "$1"', path, owner, mode, stdin=text)

    def install(self, *packages):
        self.sh('apt-get update -q && apt-get install -q -y --no-install-recommends "$@"', *packages, network=True)

    def ip(self, *words):
        command("nsenter", "-t", self.pid, "-n", "ip", *words)

    def files(self):
        """A checksum of each file of /etc and of ksa's state."""
        return self.sh("find /etc /var/lib/ksa -type f -exec sha256sum {} + 2>/dev/null | sort -k 2 || :").stdout


class Result:
    def __init__(self, result):
        self.status, self.out = result.returncode, result.stdout
        self.recap = {name: dict(zip(("ok", "changed", "unreachable", "failed"), map(int, numbers)))
                      for name, *numbers in RECAP.findall(self.out)}

    def all(self, what):
        """What the recap says of each host."""
        assert len(self.recap) == 5, self.out[-5000:]
        return {counts[what] for counts in self.recap.values()}

    def is_good(self):
        return self.status == 0 and self.all("failed") == {0} and self.all("unreachable") == {0}

    def __repr__(self):
        return "%s\n%s" % (self.status, self.out[-6000:])


class Control(Host):
    def prepare(self, packages):
        client = next(packages.glob("ksa-client_*.deb"))
        self.copy(client, "/root")
        self.install("/root/" + client.name, *CONTROL)
        self.sh("useradd -m -s /bin/bash job")

    def meet(self, hosts, key):
        """Names, host keys and the administrator's key."""
        self.write("/etc/hosts", "127.0.0.1 localhost %s\n" % self.name + "".join("%s %s\n" % (h.address, h.name) for h in hosts))
        self.write("/home/job/.ssh/known_hosts", "".join(
            "%s %s" % (h.name, h.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout) for h in hosts), "job")
        self.write("/home/job/.ssh/id_ed25519", key, "job", "0600")
        # Host groups and variables for the role.
        self.copy(ROOT / "packaging/ansible/ksa", "/srv/roles")
        for path in (ROOT / "tests/ansible").glob("*.yml"):
            self.copy(path, "/srv")
        self.copy(ROOT / "tests/ansible/greeting.j2", "/srv")
        self.run("chown", "-R", "job:", "/home/job", "/srv")

    def as_job(self, *words, check=False, **variables):
        values = {"HOME": "/home/job", "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1",
                  "ANSIBLE_ROLES_PATH": "/srv/roles", "ANSIBLE_RETRY_FILES_ENABLED": "0", **variables}
        return self.run("setpriv", "--reuid=job", "--regid=job", "--init-groups", "env", "-i", "-C", "/home/job",
                        *("%s=%s" % item for item in values.items()), *words, check=check)

    def playbook(self, name, *words, **variables):
        return Result(self.as_job("ansible-playbook", "-i", "/srv/inventory.json", "/srv/" + name, *words, **variables))

    def by_role(self, *words):
        """The role, as the administrator, with the key."""
        return self.playbook("site.yml", "-u", "alice", *words, ANSIBLE_PIPELINING="1")

    def by_token(self, *words, **variables):
        """The playbook of a job, by the lines of ksa-askpass --ansible."""
        return self.playbook("work.yml", *words, ANSIBLE_CONFIG="/home/job/ansible.cfg", **variables)

    def version(self):
        return self.as_job("ansible", "--version").stdout.splitlines()[0]


class Fleet:
    def __init__(self):
        prefix, packages = os.environ["KSA_FLEET"], Path(os.environ["KSA_FLEET_PACKAGES"])
        self.key = issuer.Key("RS256")
        self.controls = [Control("%s-c%d" % (prefix, n + 12), suite, "192.0.2.%d" % (n + 1))
                         for n, suite in enumerate(("bookworm", "trixie"))]
        self.hosts = [Host("%s-n%d" % (prefix, n), suite, "192.0.2.%d" % (n + 10), ["--systemd"])
                      for n, suite in enumerate(["bookworm"] * 3 + ["trixie"] * 2, 1)]
        self.connect()
        private, public = self.make_ssh_key()
        for host in self.hosts:
            self.prepare(host, packages, public)
        for control in self.controls:
            control.prepare(packages / control.suite)
            control.meet(self.hosts, private)
            control.write("/srv/prod.jwks", issuer.jwks(self.key), "job")
            control.write("/srv/inventory.json", json.dumps(self.inventory()), "job")
            for path in (packages / "bookworm").glob("*.deb"):
                control.copy(path, "/srv/debs")
            self.give_tokens(control)

    @property
    def all(self):
        return self.controls + self.hosts

    def connect(self):
        """All are ports of a bridge in the first one's network namespace."""
        switch = self.all[0]
        switch.ip("link", "add", "switch", "type", "bridge")
        for n, host in enumerate(self.all):
            switch.ip("link", "add", "port%d" % n, "type", "veth", "peer", "name", "eth0", "netns", host.pid)
            switch.ip("link", "set", "port%d" % n, "master", "switch", "up")
            host.ip("address", "add", host.address + "/24", "dev", "eth0")
            host.ip("link", "set", "eth0", "up")
        switch.ip("link", "set", "switch", "up")

    def make_ssh_key(self):
        """Both halves; no file of this machine has them."""
        self.controls[0].run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
        return [self.controls[0].run("cat", path).stdout for path in ("/root/key", "/root/key.pub")]

    def prepare(self, host, packages, public_key):
        host.install(*MANAGED)
        host.write("/etc/sudoers.d/alice", "alice ALL = (root) NOPASSWD: ALL\n", mode="0440")
        host.sh("useradd -m -s /bin/bash alice")
        host.write("/home/alice/.ssh/authorized_keys", public_key, "alice")
        host.run("chown", "-R", "alice:", "/home/alice")
        if host.suite == "trixie":
            self.make_repository(host, packages / "trixie")

    @staticmethod
    def make_repository(host, packages):
        """The only repository of a host: the others are not in this network."""
        index = ""
        for path in packages.glob("*.deb"):
            host.copy(path, "/srv/repository")
            index += command("dpkg-deb", "-f", path).stdout + "Filename: ./%s\nSize: %d\nSHA256: %s\n\n" % (
                path.name, path.stat().st_size, command("sha256sum", path).stdout.split()[0])
        host.write("/srv/repository/Packages", index)
        host.sh("rm -f /etc/apt/sources.list.d/*; echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list; apt-get update")

    def inventory(self):
        """The hosts of Debian 12 get files, those of Debian 13 have a repository."""
        debs = [str(path) for name in ROLE_PACKAGES for path in Path(os.environ["KSA_FLEET_PACKAGES"], "bookworm").glob(name + "_*.deb")]
        groups = {suite: {"hosts": {host.name: {} for host in self.hosts if host.suite == suite}} for suite in ("bookworm", "trixie")}
        groups["bookworm"]["vars"] = {"ksa_debs": ["/srv/debs/" + Path(name).name for name in debs]}
        return {"all": {"children": groups, "vars": {"ansible_python_interpreter": "/usr/bin/python3"}}}

    def give_tokens(self, control, **claims):
        """One for each host, and one for all."""
        for name, audience in [(host.name, "ssh://" + host.name) for host in self.hosts] + [("fleet", FLEET)]:
            token = issuer.token(self.key, issuer.claims(audience=audience, life=3600, **claims))
            control.write("/home/job/tokens/" + name, token + "\n", "job", "0600")
        control.run("chown", "-R", "job:", "/home/job/tokens")
