# SPDX-License-Identifier: BSD-2-Clause
import pytest

from fleet import Fleet


@pytest.fixture(scope="session")
def fleet():
    """Made once; tests/ansible/run stops its hosts. The files and their tests run in their order."""
    return Fleet()
