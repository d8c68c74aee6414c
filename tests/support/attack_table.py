#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the table of attacks from tests/attacks.tsv into tests/ATTACKS.md, between its two marks."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
rows = [line.split("\t") for line in (ROOT / "tests/attacks.tsv").read_text().splitlines()]
table = ["| %s |" % " | ".join(row[:4]) for row in rows]
table.insert(1, "|---" * 4 + "|")
page = (ROOT / "tests/ATTACKS.md").read_text()
before, rest = page.split("<!-- attacks:begin -->")
after = rest.split("<!-- attacks:end -->")[1]
(ROOT / "tests/ATTACKS.md").write_text(before + "<!-- attacks:begin -->\n" + "\n".join(table) + "\n<!-- attacks:end -->" + after)
