# SPDX-License-Identifier: BSD-2-Clause
"""ksa-fetch and its library compile with musl: no name of glibc alone. musl has no libcurl here, so nothing is linked."""
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("helper/*.c"), *ROOT.glob("common/base/*.c")])


@pytest.fixture(scope="module")
def headers(tmp_path_factory):
    """The headers of libcurl and OpenSSL, which are of no libc, without glibc's next to them."""
    found = tmp_path_factory.mktemp("headers")
    for part in ("curl", "openssl"):
        for place in (Path("/usr/include"), *Path("/usr/include").glob("*-linux-gnu*")):
            if (place / part).is_dir():
                shutil.copytree(place / part, found / part, dirs_exist_ok=True)
        assert (found / part).is_dir()
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_compiles_with_musl(headers, path):
    result = subprocess.run(["musl-gcc", "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                             "-D_FILE_OFFSET_BITS=64", "-D_TIME_BITS=64", "-I", ROOT, "-I", ROOT / "common", "-isystem", headers, path],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, result.stdout


def test_all_of_the_helper_is_compiled():
    assert {"ksa-fetch.c", "fetch_transfer.c", "process.c", "file.c"} <= {path.name for path in SOURCES}
