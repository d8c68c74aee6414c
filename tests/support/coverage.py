#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Line coverage of the product: coverage.py SOURCE BUILD [GCOV]

It prints a line for each directory, after the C tests ran in BUILD (configured with --enable-coverage). Two objects may
have been made of one file (the NSS module is linked into its tests): a line counts as run if either of them ran it.
GCOV must have the compiler's version. Exit status 1 if there is nothing to count.
"""
import collections
import json
import subprocess
import sys
from pathlib import Path

PRODUCT = ("common", "admin", "nss_module", "pam_module", "helper", "ksactl")


def lines_of(source, build, gcov):
    """{path below SOURCE: {line: whether it ran}} of all objects, those that no test loaded too."""
    notes = sorted(str(path) for path in build.rglob("*.gcno"))
    found = collections.defaultdict(dict)
    if not notes:
        return found
    answers = subprocess.run([gcov, "--json-format", "--stdout", *notes], cwd=build, check=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True).stdout
    for answer in map(json.loads, answers.splitlines()):
        for file in answer["files"]:
            path = Path(answer["current_working_directory"], file["file"]).resolve()
            if path.is_relative_to(source) and path.relative_to(source).parts[0] in PRODUCT:
                ran = found[str(path.relative_to(source))]
                for line in file["lines"]:
                    ran[line["line_number"]] = ran.get(line["line_number"], False) or line["count"] > 0
    return found


def report(name, lines):
    ran = sum(lines)
    return "%-20s %5.1f %%  %5d of %5d lines" % (name, 100 * ran / len(lines), ran, len(lines))


def main(source, build, gcov="gcov"):
    found = lines_of(Path(source).resolve(), Path(build).resolve(), gcov)
    if not found:
        sys.exit("coverage.py: %s has no figures: configure it with --enable-coverage" % build)
    groups = collections.defaultdict(list)
    for path, lines in found.items():
        parts = Path(path).parts
        for name in {"/".join(parts[:-1]), parts[0]}:
            groups[name].extend(lines.values())
    for part in PRODUCT:
        for name in sorted(name for name in groups if (name + "/").startswith(part + "/")):
            print(report(name, groups[name]))
    print(report("in sum", [ran for lines in found.values() for ran in lines.values()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
