# SPDX-License-Identifier: BSD-2-Clause
"""A Pod's container on the private host, as a kubelet and a container runtime start it: the files are those of the API
server's objects, the token is requested for the Pod's volume, and the process has nothing else. There is no seccomp profile.

As a program (pod.py SPEC, first in its own mount and process namespaces): makes the container, and becomes its command."""
import base64
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Docker and containerd set this if neither the image nor the Pod does.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What ksa-ssh and ksa-askpass run; then those of the tests.
PROGRAMS = ("sh", "ssh", "base64", "cut", "date", "grep", "ls", "mktemp", "readlink", "rm", "sed", "tr", "uname",
            "cat", "id", "touch")
# Of the images in packaging/kubernetes/clients: nobody of Debian, jenkins of Jenkins' agent, runner of GitHub's runner.
PASSWD = """root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
jenkins:x:1000:1000:Jenkins user:/home/jenkins:/bin/sh
runner:x:1001:1001::/home/runner:/bin/bash
"""
# What the API server's admission mounts if the Pod does not forbid it, with the lifetime that it requests.
OWN_TOKEN, OWN_SECONDS = "/var/run/secrets/kubernetes.io/serviceaccount", 3607
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
LAST_CAPABILITY = int(Path("/proc/sys/kernel/cap_last_cap").read_text())


class Pod:
    """A created Pod of SERVER, as the server has it. Use with `with`: the Pod is deleted in the end, if it still exists."""

    def __init__(self, server, namespace, name, spec, labels=None):
        self.server, self.namespace, self.name = server, namespace, name
        metadata = {"name": name, "labels": labels or {}}
        self.object = server.post("/api/v1/namespaces/%s/pods?fieldValidation=Strict" % namespace, {
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        self.spec = self.object["spec"]
        self.tokens = []
        self.directory = Path(tempfile.mkdtemp(prefix="pod-", dir="/run"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)
        with contextlib.suppress(AssertionError):  # the test may have deleted it
            self.delete()

    def delete(self):
        self.server.delete_pod(self.namespace, self.name)

    def container(self, name):
        return next(one for one in self.spec["containers"] if one["name"] == name)

    def user(self, container):
        """uid and gid. Images with another user than root are not known here, so the manifest must name it."""
        context = {**self.spec["securityContext"], **container.get("securityContext", {})}
        return context["runAsUser"], context.get("runAsGroup", context["runAsUser"])

    # --- The kubelet's part ---

    def volume(self, name):
        """The directory of a volume, filled."""
        directory = self.directory / "volumes" / name
        if not directory.exists():
            directory.mkdir(parents=True)
            volume = next(one for one in self.spec["volumes"] if one["name"] == name)
            self.fill(directory, volume)
        return directory

    def fill(self, directory, volume):
        if "configMap" in volume:
            source = volume["configMap"]
            data = self.server.get("/api/v1/namespaces/%s/configmaps/%s" % (self.namespace, source["name"]))
            files = {key: text.encode() for key, text in data.get("data", {}).items()}
            files.update((key, base64.b64decode(text)) for key, text in data.get("binaryData", {}).items())
            self.write(directory, files, source["defaultMode"])
        elif "projected" in volume:
            sources = [one["serviceAccountToken"] for one in volume["projected"]["sources"]]
            files = {source["path"]: self.request_token(source).encode() for source in sources}
            users = {self.user(container)[0] for container in self.spec["containers"]}
            if len(users) == 1 and "fsGroup" not in self.spec["securityContext"]:
                self.write(directory, files, 0o600, users.pop())
            else:
                self.write(directory, files, volume["projected"]["defaultMode"])
        else:
            assert "emptyDir" in volume, volume
            directory.chmod(0o777)

    @staticmethod
    def write(directory, files, mode, user=0):
        """As the kubelet does it: a directory that its mount alone makes read-only, with links to one that it can replace."""
        directory.chmod(0o777)
        data = directory / "..2026_11_29_12_00_00.1"
        data.mkdir()
        (directory / "..data").symlink_to(data.name)
        for name, content in files.items():
            path = data / name
            path.write_bytes(content)
            path.chmod(mode)
            os.chown(path, user, user)
            (directory / name).symlink_to("..data/" + name)

    def request_token(self, source):
        bound = {"apiVersion": "v1", "kind": "Pod", "name": self.name, "uid": self.object["metadata"]["uid"]}
        path = "/api/v1/namespaces/%s/serviceaccounts/%s/token" % (self.namespace, self.spec["serviceAccountName"])
        audiences = [source["audience"]] if "audience" in source else []
        answer = self.server.post(path, {"spec": {"audiences": audiences, "boundObjectRef": bound,
                                                  "expirationSeconds": source["expirationSeconds"]}})
        self.tokens.append(answer["status"]["token"])
        return self.tokens[-1]

    def own_token(self):
        """The directory of the volume that admission adds: a token for the API server, its CA and the namespace."""
        directory = self.directory / "volumes" / "kube-api-access"
        if not directory.exists():
            directory.mkdir(parents=True)
            token = self.request_token({"expirationSeconds": OWN_SECONDS})
            self.write(directory, {"token": token.encode(), "ca.crt": Path(self.server.ca).read_bytes(),
                                   "namespace": self.namespace.encode()}, 0o644)
        return directory

    # --- The container ---

    def run(self, name, command=None, programs=()):
        """The result of a container's command, or of another in its place: its status, output and errors. The image has
        PROGRAMS too."""
        container = self.container(name)
        uid, gid = self.user(container)
        home = next((line.split(":")[5] for line in PASSWD.splitlines() if line.split(":")[2] == str(uid)), "/")
        env = {"PATH": DEFAULT_PATH, "HOME": home, "HOSTNAME": self.name, "KUBERNETES_SERVICE_HOST": "127.0.0.1",
               "KUBERNETES_SERVICE_PORT": str(self.server.port), **{one["name"]: one["value"] for one in container.get("env", [])}}
        mounts = [[str(self.volume(mount["name"]) / mount.get("subPath", "")), mount["mountPath"], mount.get("readOnly", False)]
                  for mount in container["volumeMounts"]]
        if self.spec.get("automountServiceAccountToken", True):
            mounts.append([str(self.own_token()), OWN_TOKEN, True])
        spec = self.directory / "spec"
        (self.directory / "root").mkdir(exist_ok=True)
        spec.write_text(json.dumps({
            "root": str(self.directory / "root"), "mounts": mounts, "uid": uid, "gid": gid, "env": env,
            "read_only": container["securityContext"].get("readOnlyRootFilesystem", False),
            "programs": [*PROGRAMS, *programs], "command": command or container["command"]}))
        return subprocess.run(["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", sys.executable, __file__,
                               spec], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


# --- In the namespaces ---


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def make_image(root, programs):
    """The programs and files of a small Debian image, with none of ksa's."""
    mount("-t", "tmpfs", "-o", "mode=0755", "pod", root)
    for name in ("usr/bin", "etc/ssh", "proc", "dev", "run", "tmp", "var", "home/runner", "home/jenkins"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to("usr/" + name)
    (root / "var/run").symlink_to("../run")
    for path in (Path("/usr/lib"), Path("/usr/lib64")):
        if path.is_dir():
            (root / "usr" / path.name).mkdir()
            mount("--bind", "-o", "ro", path, root / "usr" / path.name)
    for name in programs:
        shutil.copy2(shutil.which(name), root / "usr/bin" / name)
    (root / "etc/passwd").write_text(PASSWD)
    (root / "etc/nsswitch.conf").write_text("passwd: files\nhosts: files\n")
    shutil.copy2("/etc/ssh/ssh_config", root / "etc/ssh")
    # In place of the cluster's DNS.
    shutil.copy2("/etc/hosts", root / "etc/hosts")


def make_devices(root):
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "tmpfs", "-o", "mode=0755", "pod", root / "dev")
    for name in ("null", "zero", "full", "random", "urandom"):
        (root / "dev" / name).touch()
        mount("--bind", "/dev/" + name, root / "dev" / name)
    (root / "dev/fd").symlink_to("/proc/self/fd")
    (root / "dev/shm").mkdir()
    mount("-t", "tmpfs", "-o", "mode=1777,nosuid,nodev,noexec,size=64m", "shm", root / "dev/shm")


def mount_volume(root, source, path, read_only):
    target = root / path.lstrip("/")
    if os.path.isdir(source):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.touch()
    mount("--bind", source, target)
    if read_only:
        mount("-o", "remount,bind,ro", target)


def lose_privileges(uid, gid):
    """No capabilities, now and after an execve() of any program."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(LAST_CAPABILITY + 1):
        assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


def main(path):
    spec = json.loads(Path(path).read_text())
    root = Path(spec["root"])
    subprocess.run(["hostname", spec["env"]["HOSTNAME"]], check=True)
    make_image(root, spec["programs"])
    make_devices(root)
    for volume in spec["mounts"]:
        mount_volume(root, *volume)
    if spec["read_only"]:
        mount("-o", "remount,ro", root)
    os.chroot(root)
    os.chdir("/")
    lose_privileges(spec["uid"], spec["gid"])
    os.execvpe(spec["command"][0], spec["command"], spec["env"])


if __name__ == "__main__":
    main(sys.argv[1])
