# SPDX-License-Identifier: BSD-2-Clause
"""ksa-clients(7) against the tables of tests/clients, which this does not run: each entry is of a client that was run, or
its line "Not run" has the reason, and it states what the tests of that client require."""
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from test_manual import entries_of_clients

CLIENTS = Path(__file__).resolve().parents[1] / "clients"


@pytest.fixture(scope="module")
def rows():
    """(name, row) of all tables."""
    sys.path.insert(0, str(CLIENTS))
    found = []
    for path in sorted(CLIENTS.glob("test_*.py")):
        specification = importlib.util.spec_from_file_location("clients_" + path.stem, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        found += module.CLIENTS.items()
    sys.path.remove(str(CLIENTS))
    return found


def entries():
    """(name, text) of each entry of a client that was run. The last word of a name is the version."""
    return [(name.rpartition(" ")[0], text) for name, text in entries_of_clients().items() if "\nNot run: " not in "\n" + text]


def test_each_client_of_the_manual_is_run(rows):
    assert sorted(name for name, text in entries()) == sorted(name for name, row in rows if ": " not in name)
    assert {name.split(": ")[0] for name, row in rows} == {name for name, text in entries()}


def test_manual_states_what_the_tests_require(rows):
    stated, required = [], []
    for name, text in entries():
        token, tries = re.search(r"^Token: (.*)\.$", text, re.M).group(1), re.search(r"^Tries: (.*)\.$", text, re.M).group(1)
        stated.append((name, token, "Refused: shows the reason." in text, tries))
    for name, row in rows:
        if ": " not in name:
            required.append((name, "any" if "RS256" in row.takes else "below 1023 bytes", row.shows is None, str(row.tries)))
    assert sorted(stated) == sorted(required)


def test_manual_quotes_what_a_client_shows(rows):
    """A pattern of the tests matches the quoted text."""
    for name, text in entries():
        quoted = "".join(re.findall(r"^Refused: shows\n\.Ql (.*) [,.]$", text, re.M)).replace(r"\(aq", "'").replace(r"\&", "")
        patterns = [row.shows for other, row in rows if other == name]
        assert not quoted or any(pattern is not None and re.search(pattern, quoted) for pattern in patterns), (name, quoted, patterns)
