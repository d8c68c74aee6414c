#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finds words that the project does not use in sentences (HACKING.md, house rule 11): words.py SOURCE

It reads string literals of C, manual pages, Markdown outside of code, and the output of scripts. It does not read
identifiers, test data or code examples. Exit status 1 if it finds one.
"""
import re
import sys
from pathlib import Path

WORDS = {
    r"folders?": "directory",
    r"blanks?": "space, whitespace",
    r"parted by": "separated by",
    r"anew|made again": "again, re-created",
    r"(?:is|was|are|were) over": "has expired, has ended",
    r"stands? (?:in|once|there|beside|behind|above|below|for itself)": "is in, appears once",
    r"faults?(?!\.py)": "error",
    r"fallbacks?": "default",
    r"beside(?!s)": "next to, besides",
    r"but for": "except",
    r"not looked at": "not checked",
    r"lets? (?:be|in)": "allows, admits",
    r"nobody|somebody|whoever|whomever": "name the actor",
    r"(?<!there )(?:is|are|was|were) (?:none|no (?!longer)[a-z]+)": "is not a",
    r"he|his|him": "they, or the role",
}
EXCEPT = {("admin/accounts/names.c", "nobody"), ("man/nss_ksa.8", "nobody")}  # the user of that name
PATTERNS = [(re.compile(r"\b(?:%s)\b" % word, re.I), better) for word, better in WORDS.items()]


PARTS = ("admin", "client", "common", "helper", "ksactl", "nss_module", "pam_module", "man", "packaging", "CONTRIBUTING.md",
         "HACKING.md", "docs", "NEWS",
         "README.md", "SECURITY.md", "STABILITY.md")


def c_strings(text):
    """String literals of C, adjacent ones joined, with the line that each begins on."""
    text = re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S)
    text = re.sub(r"^#\s*include.*$", "", text, flags=re.M)
    for match in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
        joined = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', match[0]))
        if " " in joined:
            yield text.count("\n", 0, match.start()) + 1, joined


def manual(text):
    """Text of a manual page: no literal blocks, no arguments of .Nm, .Ic, .Cm and the like."""
    literal = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(".Bd -literal"):
            literal = True
        elif line.startswith(".Ed"):
            literal = False
        elif not literal and not line.startswith((".\\\"", ".Cm", ".Ic", ".Li", ".Ql", ".Pa", ".Va", ".It Li", ".It Cm")):
            yield number, line


def markdown(text):
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            code = not code
        elif not code:
            yield number, re.sub(r"`[^`]*`", "", line)


def printed(text):
    """The output of a shell script: the texts of echo and printf, and usage texts between quotation marks."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(r"\b(?:echo|printf|die|fail|say|usage)\b(.*)", line)
        if match and not line.lstrip().startswith("#"):
            yield number, " ".join(re.findall(r'"([^"]*)"|\'([^\']*)\'', match[1]) and
                                   ["".join(pair) for pair in re.findall(r'"([^"]*)"|\'([^\']*)\'', match[1])])


def texts(path):
    if path.suffix in (".c", ".h"):
        return c_strings
    if re.fullmatch(r"\.[1-8]", path.suffix):
        return manual
    if path.suffix == ".md" or path.name == "NEWS":
        return markdown
    if path.suffix == "" and path.read_bytes().startswith(b"#!/bin/sh"):
        return printed
    return None


def main():
    root = Path(sys.argv[1])
    found = 0
    for path in sorted(path for part in PARTS for path in ([root / part] if (root / part).is_file() else (root / part).rglob("*"))):
        name = str(path.relative_to(root))
        if not path.is_file() or not texts(path):
            continue
        for number, text in texts(path)(path.read_text()):
            for pattern, better in PATTERNS:
                for match in pattern.finditer(text):
                    if (name, match[0]) in EXCEPT:
                        continue
                    print('%s:%d: "%s": write %s: %s' % (name, number, match[0], better, text.strip()[:100]))
                    found += 1
    return 1 if found else 0


sys.exit(main())
