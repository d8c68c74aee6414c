# SPDX-License-Identifier: BSD-2-Clause
"""make install onto a disk that fills: each file that was there is whole, the old one or the new one. A truncated NSS or
PAM module would end every login of the host."""
import os
import subprocess

import pytest

MODULES = ("pam_ksa.so", "libnss_ksa.so.2")


def install(build, tree, command="install"):
    return subprocess.run(["make", "-k", "-C", build, command, "DESTDIR=%s" % tree], timeout=300, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)


def files_of(tree):
    """Without libtool's archive files, which the last command removes."""
    return {path.relative_to(tree): path for path in tree.rglob("*") if path.is_file() and path.suffix != ".la"}


@pytest.fixture(scope="module")
def whole(build, tmp_path_factory):
    """For each path what is installed where there is room: as it is, and stripped."""
    found = {}
    for command in ("install", "install-strip"):
        tree = tmp_path_factory.mktemp("whole")
        result = install(build, tree, command)
        assert result.returncode == 0, result.stdout
        for path, place in files_of(tree).items():
            found.setdefault(path, []).append(place.read_bytes())
    assert set(MODULES) <= {path.name for path in found}
    return found


@pytest.fixture
def disk(tmp_path):
    """A file system of its own: ROOM bytes are left after FILES."""
    def make(files, room):
        page = os.sysconf("SC_PAGE_SIZE")
        size = sum(-len(data) // page * -page for data in files.values()) + 64 * page + room
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "none", tmp_path], check=True)
        for path, data in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
            (tmp_path / path).chmod(0o755)
        left = os.statvfs(tmp_path)
        (tmp_path / "others").write_bytes(b"x" * (left.f_bavail * left.f_frsize - room))
        return tmp_path
    yield make
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("command", ["install", "install-strip"])
@pytest.mark.parametrize("room", [0, 64 * 1024, 256 * 1024])
def test_full_disk_leaves_no_file_in_pieces(build, whole, disk, room, command):
    """The old files are smaller than the new ones, as before an upgrade."""
    old = {path: b"old" * (len(one[0]) // 6 + 1) for path, one in whole.items()}
    tree = disk(old, room)
    result = install(build, tree, command)
    assert result.returncode != 0 and "No space left on device" in result.stdout
    left = files_of(tree)
    del left[(tree / "others").relative_to(tree)]
    assert [path for path, place in left.items() if place.read_bytes() not in (old.get(path), *whole.get(path, ()))] == []
    assert {path for path in old if path.name in MODULES} <= set(left)
