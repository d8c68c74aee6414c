# SPDX-License-Identifier: BSD-2-Clause
"""Users of the registry in the programs of a host, and the NSS module where a host is less than whole."""
import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

import registry
from host import wait_until

MODULE = next(iter(Path("/usr").glob("lib*/**/libnss_ksa.so.2")), None)
pytestmark = pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""),
                                reason="these start programs that do not load a library built with sanitizers")


@pytest.fixture
def accounts(private):
    registry.make()
    yield registry
    registry.PATH.unlink(missing_ok=True)


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **more)


def out(*command, **more):
    result = run(*command, **more)
    assert result.returncode == 0, result.stdout
    return result.stdout


# --- Programs ---------------------------------------------------------------------------


def test_id(accounts):
    assert out("id", "ci_deployer") == ("uid=1900000001(ci_deployer) gid=1900000001(ci_deployer) "
                                        "groups=1900000001(ci_deployer),2000000000(k8s-ci),1500(deploy-bot)\n")


def test_ls_and_chown(accounts, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    out("chown", "ci_deployer:k8s-ci", path)
    assert out("ls", "-l", path).split()[2:4] == ["ci_deployer", "k8s-ci"]
    assert out("find", tmp_path, "-user", "ci_deployer", "-group", "k8s-ci").strip() == str(path)


def test_ps(accounts):
    process = subprocess.Popen(["setpriv", "--reuid=ci_deployer", "--regid=ci_deployer", "--init-groups", "sleep", "60"])
    try:
        wait_until(lambda: os.stat("/proc/%d" % process.pid).st_uid == registry.UID)
        assert out("ps", "-o", "user:20=,group:20=", "-p", str(process.pid)).split() == ["ci_deployer", "ci_deployer"]
    finally:
        process.kill()
        process.wait()


def test_a_process_becomes_the_user(accounts):
    """As systemd's User= does it: a private host has no systemd, and these are the same calls."""
    groups = out("setpriv", "--reuid=ci_deployer", "--regid=ci_deployer", "--init-groups", "id", "-G").split()
    assert sorted(groups) == ["1500", "1900000001", "2000000000"]


def test_sudo_to_the_user(host, accounts):
    host.write("/etc/sudoers.d/nss", "alice ALL=(ci_deployer) NOPASSWD: ALL\n"
                                     "%k8s-ci ALL=(alice) NOPASSWD: /usr/bin/id\n", 0o440)
    try:
        result = host.run(["sudo", "-n", "-u", "ci_deployer", "id", "-un"], user="alice")
        assert (result.status, result.out) == (0, "ci_deployer\n"), result
        # and by a group of the registry, away from it
        assert out("setpriv", "--reuid=ci_deployer", "--regid=ci_deployer", "--init-groups", "sudo", "-n", "-u", "alice",
                   "id", "-un", cwd="/") == "alice\n"
        assert run("setpriv", "--reuid=ci_retired", "--regid=ci_retired", "--init-groups", "sudo", "-n", "-u", "alice",
                   "id", "-un", cwd="/").returncode == 1
    finally:
        os.unlink("/etc/sudoers.d/nss")


def test_su_and_its_shell(accounts):
    assert out("su", "-s", "/bin/sh", "-c", "id -un", "ci_deployer", cwd="/") == "ci_deployer\n"
    assert "not available" in run("su", "-c", "id -un", "ci_retired", cwd="/").stdout


@pytest.mark.skipif(not shutil.which("crontab"), reason="there is no crontab")
def test_crontab(accounts):
    Path("/var/spool/cron/crontabs").mkdir(parents=True, exist_ok=True)
    out("crontab", "-u", "ci_deployer", "-", input="0 4 * * * true\n")
    assert "0 4 * * * true" in out("crontab", "-u", "ci_deployer", "-l")
    out("crontab", "-u", "ci_deployer", "-r")
    assert "unknown" in run("crontab", "-u", "ci_gone", "-l").stdout


def test_useradd_takes_no_name_that_is_given(accounts):
    assert "already exists" in run("useradd", "ci_deployer").stdout
    assert "not unique" in run("useradd", "-u", str(registry.UID), "other").stdout


@pytest.mark.skipif(not shutil.which("nscd"), reason="there is no nscd")
def test_nscd(accounts):
    """It asks for us, and remembers: a removed user is gone for it as well, when its entry has expired."""
    Path("/run/nscd").mkdir(exist_ok=True)
    Path("/var/cache/nscd").mkdir(exist_ok=True)
    out("nscd")
    try:
        wait_until(lambda: Path("/run/nscd/socket").exists())
        assert registry.getent("passwd", "ci_deployer", service=None) == (0, [registry.DEPLOYER])
        assert registry.getent("group", "k8s-ci", service=None)[1] == ["k8s-ci:*:2000000000:ci_deployer,ci_runner"]
        assert out("id", "-G", "ci_deployer").split() == ["1900000001", "2000000000", "1500"]
        registry.PATH.unlink()

        def gone():
            out("nscd", "-i", "passwd")
            return registry.getent("passwd", "ci_deployer", service=None) == (2, [])
        wait_until(gone)
    finally:
        out("nscd", "-K")


@pytest.mark.skipif(not shutil.which("valgrind"), reason="there is no valgrind")
@pytest.mark.parametrize("question", [("passwd", "ci_deployer"), ("passwd",), ("group", "k8s-ci"), ("group",),
                                      ("initgroups", "ci_deployer")], ids="-".join)
def test_valgrind_finds_nothing(accounts, question):
    status, lines = registry.getent(*question, command=[
        "valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"])
    assert status == 0 and lines


@pytest.mark.skipif(not list(Path("/usr").glob("lib*/**/libnss_wrapper.so")), reason="there is no libnss_wrapper")
def test_nss_wrapper(accounts, tmp_path):
    """The entries without glibc around them."""
    empty = tmp_path / "empty"
    empty.write_text("")
    wrapper = next(iter(Path("/usr").glob("lib*/**/libnss_wrapper.so")))
    env = dict(os.environ, LD_PRELOAD=str(wrapper), NSS_WRAPPER_PASSWD=str(empty), NSS_WRAPPER_GROUP=str(empty),
               NSS_WRAPPER_MODULE_SO_PATH=str(MODULE), NSS_WRAPPER_MODULE_FN_PREFIX="ksa")
    assert registry.getent("passwd", "ci_deployer", service=None, env=env) == (0, [registry.DEPLOYER])
    assert registry.getent("passwd", registry.UID, service=None, env=env) == (0, [registry.DEPLOYER])
    assert registry.getent("group", "k8s-ci", service=None, env=env)[1] == ["k8s-ci:*:2000000000:ci_deployer,ci_runner"]
    assert registry.getent("passwd", "ci_gone", service=None, env=env) == (2, [])
    names = [line.split(":")[0] for line in registry.getent("passwd", service=None, env=env)[1]]
    assert names == ["ci_deployer", "ci_remade", "ci_retired", "ci_runner", "ci_torn"]


# --- Hosts that are less than whole -------------------------------------------------------------


def libraries(program):
    return [word for line in out("ldd", program).splitlines() for word in line.split() if word.startswith("/")]


@pytest.fixture
def jail(accounts, tmp_path):
    """A directory to chroot to, with getent and only nsswitch.conf in /etc."""
    getent = shutil.which("getent")
    for path in [getent, str(MODULE), *libraries(getent)]:
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "etc").mkdir()
    shutil.copy("/etc/nsswitch.conf", tmp_path / "etc")
    tmp_path.chmod(0o755)
    return tmp_path


def test_chroot_without_a_registry(jail):
    for service in ("ksa", None):
        assert registry.getent("passwd", "ci_deployer", service=service, command=["chroot", jail]) == (2, [])
        assert registry.getent("passwd", service=service, command=["chroot", jail])[1] == []


def test_chroot_with_a_registry(jail):
    (jail / "var/lib/ksa").mkdir(parents=True)
    shutil.copy(registry.PATH, jail / "var/lib/ksa")
    for service in ("ksa", None):
        assert registry.getent("passwd", "ci_deployer", service=service, command=["chroot", jail]) == (
            0, [registry.DEPLOYER])


def test_a_process_that_goes_into_a_chroot(accounts, tmp_path):
    """sshd's child that has not authenticated anybody is in one: a mapping from outside must not answer there."""
    pwd.getpwnam("ci_deployer")
    grp.getgrnam("k8s-ci")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chroot(tmp_path)

            def gone():
                try:
                    return pwd.getpwnam("ci_deployer") is None
                except KeyError:
                    return True
            wait_until(gone, 10)
            os.write(writer, b"gone")
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        assert answer.read() == "gone"
    os.waitpid(child, 0)


def test_container_with_etc_and_the_registry_of_its_host(jail):
    """Other files altogether, /etc and /var/lib/ksa of the host mounted into it, read-only."""
    (jail / "var/lib/ksa").mkdir(parents=True)
    script = ("mount --bind /etc {0}/etc && mount -o bind,ro /var/lib/ksa {0}/var/lib/ksa && "
              "exec chroot {0} getent passwd ci_deployer alice").format(jail)
    result = run("unshare", "--mount", "sh", "-c", script)
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[0] == registry.DEPLOYER and "alice:x:1501" in result.stdout


def test_user_namespace_where_root_is_not_mapped(accounts):
    """The owner of the registry is unknown there, so the file is not trusted, and no process dies."""
    assert registry.getent("passwd", "ci_deployer", command=["unshare", "--user"]) == (2, [])
    assert registry.getent("passwd", "alice", service=None, command=["unshare", "--user"])[0] == 0
    assert registry.getent("passwd", "ci_deployer", command=["unshare", "--user", "--map-root-user"]) == (
        0, [registry.DEPLOYER])
