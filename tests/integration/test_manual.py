# SPDX-License-Identifier: BSD-2-Clause
"""The pages of the manual as they are read: by mandoc, and by groff, which most hosts have, at 80 columns."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "man").glob("*.[1578]"))
RENDERERS = {"mandoc": ["mandoc", "-Tutf8"], "groff": ["groff", "-mdoc", "-Tutf8", "-P-cbou", "-rLL=78n"]}
either = pytest.mark.parametrize("renderer", RENDERERS)
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def rendered(renderer, page):
    """The lines, without the marks of bold and underlined text."""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # the sanitizers'
    result = subprocess.run([*RENDERERS[renderer], page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                            env=environment)
    assert result.stderr == b"", result.stderr.decode()
    return re.sub(r".\x08", "", result.stdout.decode()).splitlines()


@either
@each
def test_no_line_is_wider_than_80_columns(renderer, page):
    """A table of ksa-clusters(7) had 87, and groff broke its cells."""
    assert [line for line in rendered(renderer, page) if len(line) > 80] == []


@either
@each
def test_each_row_of_a_table_is_one_line(renderer, page):
    lines = [" ".join(line.split()) for line in rendered(renderer, page)]
    rows = [re.sub(r'\b(Cm|Em|Pa|Li) |"', "", row).replace(" Ta ", " ").replace(" ,", ",")
            for row in re.findall(r"^\.It (.* Ta .*)$", page.read_text(), re.M)]
    assert len(rows) > 10 or page.name != "ksa-clusters.7"
    assert [row for row in rows if row not in lines] == []


# The trace in the text of a word that is also the name of a macro, or of a macro in the arguments of another.
MISRENDERED = {
    "a word as the name of a header": r"<[^<>\s]*>",
    "quotes in quotes": r"‘[^’]*‘|’’|“[^”]*“",
    "words behind a comma that were not meant to be quoted": r"‘[^’]*\w, \w[^’]*’",
}


@either
@each
def test_macros_render_as_they_were_meant(renderer, page):
    """nss_ksa(8) had "<other> people's processes", of `.Ss In other ...`."""
    text = " ".join(" ".join(rendered(renderer, page)).split())
    written = set(re.findall(r"<[^<>]*>", page.read_text()))
    found = [match for pattern in MISRENDERED.values() for match in re.findall(pattern, text)]
    assert [match for match in found if match not in written] == []


ENTRY = re.compile(r"""(?:.*\n)*?
(?:Not\ run:\ .*(?:\n.*)*\.\n
  |Token:\ (?:any|below\ 1023\ bytes|below\ 512\ bytes)\.\n
   Prompts:\ \d+\.\n
   Refused:\ shows(?:\ the\ reason\.\n|\ nothing\.\n|\n(?:\.Ql\ .*\n)+(?:not\ the\ reason\.\n)?)
   Tries:\ (?:\d+|without\ end)\.\n)""", re.X)


def entries_of_clients():
    """{name: text} of each list of ksa-clients(7) that has entries in the form that the page's comment describes."""
    text = (ROOT / "man/ksa-clients.7").read_text().split('.\\" Of a client that could not be run', 1)[1]
    return dict(re.findall(r"^\.It Li (.*)\n((?:(?!\.It |\.El).*\n)*)", text.split("\n.Sh HOSTS", 1)[0], re.M))


def test_each_client_has_an_entry_in_the_form():
    wrong = {name: entry for name, entry in entries_of_clients().items() if not ENTRY.fullmatch(entry)}
    assert wrong == {}


def test_news_has_the_limit_of_an_answer():
    limit = re.search(r"KSA_BODY_MAX +\(\(size_t\)(\d+) \* 1024 \* 1024\)", (ROOT / "common/base/http_message.h").read_text()).group(1)
    assert re.search(r"answer of an API server may have\s+(\d+) MiB", (ROOT / "NEWS").read_text()).group(1) == limit
