# SPDX-License-Identifier: BSD-2-Clause
"""packaging/containers without a container engine: the files that each recipe copies, in a root directory with programs of this host,
log in to sshd by chroot. The root directory is read-only, as with readOnlyRootFilesystem."""
import re
import shutil
import stat
import subprocess
import uuid
from pathlib import Path

import pytest

import issuer
from api_double import ApiDouble, issue_for
from host import SOURCE, SSH_TELLS_PROGRAMS, Result
from tls_server import Certificates

RECIPES = SOURCE / "packaging/containers"
IMAGES = ("debian", "alpine")
USER, OPENSHIFT = 10001, 1000680000
# The programs of an image that a login needs, besides ssh. The scripts of the client find them in PATH.
DEBIAN = ("base64 cat cut date dirname grep ls mktemp readlink rm sed tr uname", "dash:sh")
MOUNTED = "var/run/secrets/kubernetes.io/serviceaccount"
PATH = "/api/v1/namespaces/ci/serviceaccounts/deployer/token"


class Recipe:
    """The instructions of a Containerfile."""

    def __init__(self, image):
        text = re.sub(r"\\\n", "", (RECIPES / ("Containerfile." + image)).read_text())
        lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
        self.names = [name for name, _ in lines]
        self.values = {name: [value for other, value in lines if other == name] for name in self.names}

    def copies(self):
        """{source: its path in the image}"""
        found = {}
        for value in self.values["COPY"]:
            *sources, target = value.split()
            assert len(sources) == 1 or target.endswith("/")
            found.update({source: target + source.rpartition("/")[2] if target.endswith("/") else target for source in sources})
        return found


class Image:
    """The root directory of a container."""

    def __init__(self, name, root):
        self.root, self.recipe = root, Recipe(name)
        for directory in ("dev", "etc/ssh", "home/job", "proc", "tmp", "usr/bin", "usr/share/ksa", MOUNTED):
            (root / directory).mkdir(parents=True)
        (root / "bin").symlink_to("usr/bin")
        self.program("ssh")
        if name == "alpine":
            self.program("busybox")
            applets = subprocess.run(["busybox", "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            for applet in set(applets) - {"busybox"}:
                (root / "usr/bin" / applet).symlink_to("busybox")
        for program in " ".join(DEBIAN).split() if name == "debian" else ():
            self.program(*program.split(":"))
        shutil.copy("/etc/hosts", root / "etc")
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\njob:x:%d:0::/home/job:/bin/sh\n" % USER)

    def program(self, name, target=None):
        self.copy(shutil.which(name), self.root / "usr/bin" / (target or name))

    def copy(self, path, target):
        """Copies a file; if it is a program, with its libraries."""
        shutil.copy(path, target)
        libraries = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", libraries):
            copied = self.root / library[1:]
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, copied)

    def fill(self):
        """What the recipe copies. The package of Debian has what its list of files names."""
        for source, target in self.recipe.copies().items():
            if source.startswith("image/ksa-client_"):
                listed = (SOURCE / "packaging/debian/ksa-client.install").read_text().split()
                for path in [name for name in listed if name.startswith("usr/") and "/man/" not in name]:
                    self.copy("/" + path, self.root / path)
            elif source == "image/known_hosts":
                keys = "".join("build-7 " + path.read_text() for path in Path("/etc/ssh").glob("ssh_host_*_key.pub"))
                (self.root / "etc/ssh/ssh_known_hosts").write_text(keys)
            elif source == "image/ksa-token":
                self.copy("/usr/bin/ksa-token", self.root / target[1:])
            elif source != "image/ksa-token.licenses":
                shutil.copy(SOURCE / source, self.root / target[1:])

    def enter(self, uid):
        """As CRI-O does (utils.GeneratePasswd): adds an entry unless the file is empty, others could write to it, or it has the uid."""
        path = self.root / "etc/passwd"
        lines = path.read_text().splitlines()
        if not lines or path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) or any(line.split(":")[2] == str(uid) for line in lines):
            return
        home = dict(value.split("=") for value in self.recipe.values["ENV"])["HOME"]
        path.write_text("\n".join(lines) + "\n%d:x:%d:0:%d user:%s:/sbin/nologin\n" % (uid, uid, uid, home))

    def run(self, host, uid, *command, **environment):
        script = ('root=$1 user=$2; shift 2; mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" && '
                  'mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" && '
                  'exec setpriv --no-new-privs chroot --userspec="$user:0" --groups= "$root" "$@"')
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               **dict(value.split("=") for value in self.recipe.values["ENV"]), **environment}
        size = host.log_size()
        process = subprocess.run(["unshare", "--mount", "sh", "-c", script, "run", self.root, str(uid), *command], env=env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        result = Result(process, host.log_since(size))
        host.outputs.append(result.out + result.err)
        return result

    def log_in(self, host, uid, **environment):
        return self.run(host, uid, "ksa-ssh", "deploy-bot@build-7", "id -un", **environment)


@pytest.fixture(params=IMAGES)
def image(request, tmp_path):
    tmp_path.chmod(0o755)
    image = Image(request.param, tmp_path / "root")
    image.fill()
    return image


# --- The recipes ---


@pytest.mark.parametrize("name", IMAGES)
def test_recipe(name):
    """Its files exist or are made by the commands in its comment; the user is a number, for runAsNonRoot, and not root."""
    recipe = Recipe(name)
    head = (RECIPES / ("Containerfile." + name)).read_text()
    made = {"debian": ("packaging/build-deb image", {"image/ksa-client_*.deb"}),
            "alpine": ("packaging/build-static image", {"image/ksa-token", "image/ksa-token.licenses"})}[name]
    assert "#   %s && cp KNOWN_HOSTS image/known_hosts\n" % made[0] in head and (SOURCE / made[0].split()[0]).exists()
    assert recipe.names[0] == "FROM" and recipe.values["USER"] == [str(USER)] and recipe.values["ENV"] == ["HOME=/home/job"]
    assert set(recipe.names) == {"FROM", "COPY", "RUN", "ENV", "USER"}
    assert {source for source in recipe.copies() if source.startswith("image/")} == made[1] | {"image/known_hosts"}
    for source, target in recipe.copies().items():
        assert source.startswith("image/") or (SOURCE / source).is_file(), source
        assert "/bin/" not in target or source == "image/ksa-token" or (SOURCE / source).stat().st_mode & 0o111
    for command in recipe.values["RUN"]:
        subprocess.run(["dash", "-n", "-c", command], check=True)
        assert "/etc/passwd" not in command


def test_recipe_of_alpine_copies_all_of_the_package():
    listed = (SOURCE / "packaging/debian/ksa-client.install").read_text().split()
    copied = Recipe("alpine").copies().values()
    assert {"/" + name for name in listed if name.startswith(("usr/bin/", "usr/share/ksa/"))} <= set(copied)


# --- Logins ---


def test_alpine_has_only_busybox(host, image):
    if image.recipe.values["FROM"] == ["alpine:3"]:
        assert {path.name for path in (image.root / "usr/bin").iterdir() if not path.is_symlink()} == {
            "busybox", "ssh", "ksa-ssh", "ksa-askpass", "ksa-token"}


@pytest.mark.parametrize("uid", (USER, OPENSHIFT))
def test_token_file(host, image, uid):
    reference = issuer.claims(pod="job-1")["kubernetes.io"]
    token = host.token(kubernetes={**reference, "node": {"name": "worker-1.example.com", "uid": str(uuid.uuid4())}})
    assert len(token) > 1000  # three parts
    (image.root / "token").write_text(token + "\n")
    image.enter(uid)
    result = image.log_in(host, uid, KSA_TOKEN_FILE="/token")
    assert (result.status, result.out) == (0, "deploy-bot\n") and len(result.allowed) == 1, result
    assert list(Path("/dev/shm").iterdir()) == []


def test_refused_token(host, image):
    (image.root / "token").write_text(host.token(account="tester") + "\n")
    result = image.log_in(host, USER, KSA_TOKEN_FILE="/token")
    assert result.status == 255 and result.reasons == ["no-rule"], result
    assert not SSH_TELLS_PROGRAMS or "no rule allows prod:ci/tester" in result.err, result


@pytest.mark.parametrize("uid", (USER, OPENSHIFT))
def test_ksa_token(host, image, uid, private, tmp_path):
    """In a Pod whose token is not for the host: ksa-token requests one that is."""
    certificates = Certificates(tmp_path)
    own = issuer.claims(audience=issuer.ISSUER, life=31536000, pod="job-1")
    with ApiDouble(*certificates.issue("good", "IP:127.0.0.1"), host.key, credential=None) as server:
        server.pages[PATH] = issue_for(host, own)
        (image.root / MOUNTED / "token").write_text(host.remember(issuer.token(host.key, own)))
        shutil.copy(certificates.ca, image.root / MOUNTED / "ca.crt")
        image.enter(uid)
        result = image.log_in(host, uid, KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT=str(server.port))
        assert (result.status, result.out) == (0, "deploy-bot\n") and len(server.requests) == 1, result


@pytest.mark.parametrize("mode", (0o644, 0o664, None), ids=("no-entry", "writable", "empty"))
def test_uid_without_entry(host, image, mode):
    """Where no runtime adds the entry; README.md says when CRI-O does not."""
    passwd = image.root / "etc/passwd"
    (image.root / "token").write_text(host.token() + "\n")
    if mode == 0o664:
        passwd.chmod(mode)
    elif mode is None:
        passwd.write_text("")
    if mode != 0o644:
        image.enter(OPENSHIFT)
    result = image.log_in(host, OPENSHIFT, KSA_TOKEN_FILE="/token")
    assert result.status == 255 and "No user exists for uid %d" % OPENSHIFT in result.err and result.lines == [], result
