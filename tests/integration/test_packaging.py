# SPDX-License-Identifier: BSD-2-Clause
"""packaging/systemd and packaging/kubernetes: the installed files are well formed, and the services can do their work in
their confinement."""
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import issuer
from cluster_host import CREDENTIAL, DoubleHost, up_for
from tls_server import page

ROOT = Path(__file__).resolve().parents[2]
UNITS = Path("/usr/lib/systemd/system")
NAMES = ("ksa-keys", "ksa-credential", "ksa-accounts")
CONFINE = [sys.executable, ROOT / "tests/support/confine.py"]
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **more)


# --- What is installed ---


@pytest.mark.parametrize("name", ("ksa", "ksa-noninteractive"))
def test_sudoers_examples_are_valid(host, name):
    """For sudo; test_sudo_rs.py asks sudo-rs, which accepts no option that it does not know."""
    path = ROOT / "packaging/examples/sudoers.d" / name
    result = run(["visudo", "-c", "-f", path])
    assert result.returncode == 0 and result.stdout == "%s: parsed OK\n" % path, result.stdout


def test_sudoers_example_for_all_has_nothing_of_sudo_alone():
    settings = re.findall(r"^#?Defaults:\S+ (.*)$", (ROOT / "packaging/examples/sudoers.d/ksa").read_text(), re.M)
    assert {word.strip().split("=")[0] for line in settings for word in line.split(",")} == {"timestamp_timeout", "passwd_tries"}


@pytest.mark.parametrize("path", [UNITS / (name + ".service") for name in NAMES] + [Path("/usr/lib/tmpfiles.d/ksa.conf")],
                         ids=lambda path: path.name)
def test_no_placeholder_is_left(private, path):
    assert not re.search(r"@\w+@", path.read_text())


def test_private_host_has_the_streams_of_a_host():
    """`cat >/dev/stderr` in a job's script failed there."""
    result = subprocess.run(["sh", "-c", "cat /dev/stdin >/dev/stdout; echo err >/dev/stderr"], input=b"in",
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"in", b"err\n")


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_units_are_well_formed(private, name):
    result = run(["systemd-analyze", "verify", "--man=no", UNITS / (name + ".timer"), UNITS / (name + ".service")])
    problems = [line for line in result.stdout.splitlines() if "ksa" in line]  # the machine has units of its own
    assert problems == [] and result.returncode == 0, result.stdout


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_units_are_confined(private, name):
    """systemd's own figure, from 0 (nothing to take over) to 10 (all of the host), in tenths."""
    result = run(["systemd-analyze", "security", "--offline=true", "--threshold=30", UNITS / (name + ".service")])
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_timers_have_their_service(private, name):
    timer = (UNITS / (name + ".timer")).read_text()
    assert "\nOnCalendar=" in timer and "\nRandomizedDelaySec=" in timer and "\nWantedBy=timers.target\n" in timer
    assert "Unit=" not in timer and (UNITS / (name + ".service")).exists()  # of the same name


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="there is no systemd-sysusers")
def test_user(private, tmp_path):
    (tmp_path / "etc").mkdir()
    result = run(["systemd-sysusers", "--root=%s" % tmp_path, "/usr/lib/sysusers.d/ksa.conf"])
    user = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    assert result.returncode == 0 and [line[0] for line in user] == ["_ksa"], result.stdout
    assert 0 < int(user[0][2]) < 1000 and int(user[0][3]) > 0
    assert user[0][4:] == ["ksa network helper", "/", "/usr/sbin/nologin"]


@pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="there is no systemd-tmpfiles")
def test_directories(private, tmp_path):
    (tmp_path / "etc").mkdir()
    for name in ("passwd", "group"):
        (tmp_path / "etc" / name).write_text("root:x:0:0::/:/bin/sh\n" if name == "passwd" else "root:x:0:\n")
    result = run(["systemd-tmpfiles", "--root=%s" % tmp_path, "--create", "/usr/lib/tmpfiles.d/ksa.conf"])
    modes = {path: (tmp_path / path).stat().st_mode & 0o7777 for path in (
        "run/ksa", "run/ksa/clusters", "var/cache/ksa", "var/lib/ksa", "var/lib/ksa/credentials", "var/lib/ksa/used")}
    assert modes == {"run/ksa": 0o700, "run/ksa/clusters": 0o700, "var/cache/ksa": 0o755, "var/lib/ksa": 0o755,
                     "var/lib/ksa/credentials": 0o700, "var/lib/ksa/used": 0o700}, result.stdout


# --- The services in their confinement ---


@pytest.fixture
def cluster(host):
    with DoubleHost(host) as cluster:
        yield cluster


ASK = """
import mmap, os, socket, sys
sys.path.insert(0, %(support)r)
from fetch import Fetch
with Fetch() as helper:
    answer = helper.ask(%(url)r, ca=%(ca)r)
    os.kill(helper.process.pid, 9)
    print(answer.status, answer.body.decode(), end=" ")
    print(helper.process.wait(), os.access("/etc/ksa/ksa.conf", os.W_OK), os.listdir("/tmp"), end=" ")
for path in ("/run/ksa", "/var/cache/ksa", "/etc/ksa", "/usr"):
    print(os.access(path, os.W_OK), end=" ")
for action in (lambda: os.chown("/run/ksa", 1, 1), lambda: socket.socket(socket.AF_NETLINK),
               lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC), lambda: socket.sethostname("other")):
    try:
        print(action())
    except PermissionError:
        print("no", end=" ")
"""


@needs_systemd
def test_helper_in_the_confinement(cluster):
    """It becomes _ksa, asks, and can be ended by the root that started it; and the confinement is one."""
    cluster.server.pages["/"] = page(b"hello")
    shutil.copy(ROOT / "tests/support/fetch.py", "/etc/ksa/test")  # a unit sees a /tmp of its own, and the sources may be there
    names = {"support": "/etc/ksa/test", "url": cluster.server.url + "/", "ca": Path("/etc/ksa/test/ca.pem").read_text()}
    unit = UNITS / "ksa-keys.service"
    result = run([*CONFINE, unit, sys.executable, "-c", ASK % names], env={"PATH": os.environ["PATH"]})
    assert result.stdout == "200 hello -9 False [] True True False False no no no no ", result.stdout


@needs_systemd
def test_keys_service(host, cluster):
    """The unit's own command fetches a set, into a file that all may read, and lets a fresh one be."""
    cluster.give_credential(age=60)
    result = run([*up_for(), *CONFINE, UNITS / "ksa-keys.service"])
    keys = Path("/var/cache/ksa/prod/keys")
    assert result.returncode == 0 and " %s " % host.key.kid in keys.read_text(), result.stdout
    assert keys.stat().st_mode & 0o777 == 0o644 and keys.parent.stat().st_mode & 0o777 == 0o755
    requests = len(cluster.requests())
    assert run([*up_for(), *CONFINE, UNITS / "ksa-keys.service"]).returncode == 0 and len(cluster.requests()) == requests > 0


@needs_systemd
@pytest.mark.parametrize("age, renewed", [(3600, False), (46800, True)])
def test_credential_service(cluster, age, renewed):
    """The unit's own command renews a credential past half its life, and no other."""
    old, new = cluster.give_credential(age=age), cluster.token()
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
    cluster.server.pages["/api/v1/namespaces/ksa-system/serviceaccounts/host-verifier/token"] = {
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": {
            "audiences": [issuer.ISSUER], "expirationSeconds": 86400}, "status": {"token": new, "expirationTimestamp": end}}
    result = run([*up_for(), *CONFINE, UNITS / "ksa-credential.service"])
    assert result.returncode == 0 and CREDENTIAL.read_text().strip() == (new if renewed else old), result.stdout
    assert CREDENTIAL.stat().st_mode & 0o777 == 0o600 and bool(cluster.requests()) == renewed
    assert new not in result.stdout and old not in result.stdout


@needs_systemd
def test_accounts_service(cluster):
    """The unit's own command lists, and writes a registry that all may read."""
    cluster.give_credential(age=60)
    cluster.server.listing.add("ci", "deployer")
    with open("/etc/ksa/ksa.conf", "a") as config:
        config.write("[accounts prod]\nnamespaces = ci\n")
    result = run([*CONFINE, UNITS / "ksa-accounts.service"])
    registry = Path("/var/lib/ksa/registry")
    assert result.returncode == 0 and "added: ci_deployer" in result.stdout, result.stdout
    assert registry.stat().st_mode & 0o7777 == 0o644 and b"ci_deployer" in registry.read_bytes()


# --- Manifests ---


def documents(name):
    """(kind, name, text) of each document; a real API server checks the rest (tests/e2e)."""
    parts = (ROOT / "packaging/kubernetes" / name).read_text().split("\n---\n")[1:]
    return [(re.search(r"^kind: (\w+)$", part, re.M).group(1), re.search(r"^  name: ([\w-]+)$", part, re.M).group(1), part)
            for part in parts]


def test_host_account_may_do_little():
    found = {(kind, name): text for kind, name, text in documents("host-account.yaml")}
    assert sorted(kind for kind, _ in found) == ["ClusterRoleBinding", "Namespace", "Role", "RoleBinding", "ServiceAccount"]
    assert "name: system:auth-delegator" in found["ClusterRoleBinding", "ksa-host-verifier"]
    role = found["Role", "ksa-host-verifier-token"].split("rules:\n")[1]
    assert role.strip() == '- apiGroups: [""]\n  resources: ["serviceaccounts/token"]\n' \
                           '  resourceNames: ["host-verifier"]\n  verbs: ["create"]'


def test_accounts_may_be_listed_and_nothing_more():
    found = {(kind, name): text for kind, name, text in documents("account-list.yaml")}
    assert sorted(kind for kind, _ in found) == ["ClusterRole", "ClusterRoleBinding"]
    role = found["ClusterRole", "ksa-account-list"].split("rules:\n")[1]
    assert role.strip() == '- apiGroups: [""]\n  resources: ["serviceaccounts"]\n  verbs: ["list"]'
    # The same in one namespace, as a comment.
    other = re.sub(r"^# ?", "", (ROOT / "packaging/kubernetes/account-list.yaml").read_text().split("here ci:\n")[1], flags=re.M)
    assert "kind: Role\n" in other and role.strip() in other and other.count("namespace: ci\n") == 2


def test_grants_are_of_what_the_host_asks():
    roles = [text for kind, _, text in documents("login-grants.yaml") if kind in ("Role", "ClusterRole") and "hosts" in text]
    assert len(roles) == 3
    for text in roles:
        assert 'apiGroups: ["ksa.dev"]' in text and 'resources: ["hosts"]' in text and "resourceNames" in text
        assert set(re.findall(r'"(\w+)"', re.search(r"verbs: (.*)", text).group(1))) <= {"login", "sudo"}
