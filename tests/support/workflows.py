#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks .github/workflows: workflows.py SOURCE

A workflow may only read the repository, pins each action to a commit, and runs scripts of this tree: what the hosting site
runs can be run on any host. It prints each problem; exit status 1 if there is one.
"""
import re
import sys
from pathlib import Path

import yaml

# A package without which there is no checkout; otherwise a script of this tree with plain arguments, no expressions.
RUN = re.compile(r"apt-get update && apt-get install -y --no-install-recommends ca-certificates git"
                 r"|(?:\.ci|tests|tests/support)/[a-z-]+(?: [\w.-]+)*")
USES = re.compile(r"actions/(checkout|upload-artifact)@[0-9a-f]{40}")
TOP = {"name", "on", "permissions", "concurrency", "jobs"}
JOB = {"strategy", "runs-on", "timeout-minutes", "container", "env", "steps"}
STEP = {"run", "uses", "with", "if"}


class Strict(yaml.SafeLoader):
    """A key that appears twice is an error; "on" is a key and not true."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, "a key appears twice: %s" % ", ".join(sorted(twice)), node.start_mark)
        return super().construct_mapping(node, deep)


Strict.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Strict.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), "tf")


def unknown(what, found, allowed):
    if not isinstance(found, dict):
        yield "%s is not a mapping" % what
        return
    for key in sorted(set(found) - allowed):
        yield "%s has the key %s" % (what, key)


def problems_of_step(what, step):
    yield from unknown(what, step, STEP)
    if not isinstance(step, dict):
        return
    if ("run" in step) == ("uses" in step):
        yield "%s needs either run or uses" % what
    elif "run" in step and not RUN.fullmatch(str(step["run"])):
        yield "%s does not run a script of this tree alone: %s" % (what, step["run"])
    elif "uses" in step:
        pinned = USES.fullmatch(str(step["uses"]))
        if not pinned:
            yield "%s is not an action pinned to a commit: %s" % (what, step["uses"])
        elif pinned[1] == "checkout" and step.get("with") != {"persist-credentials": False}:
            yield "%s leaves credentials behind: set persist-credentials: false" % what


def problems_of_job(name, job):
    yield from unknown(name, job, JOB)
    if not isinstance(job, dict):
        return
    if not isinstance(job.get("runs-on"), str):
        yield "%s has no runs-on" % name
    if not isinstance(job.get("timeout-minutes"), int):
        yield "%s has no timeout-minutes" % name
    matrix = (job.get("strategy") or {}).get("matrix") or {}
    for used in re.findall(r"\$\{\{(.*?)\}\}", str(job)):
        if used.strip() not in {"matrix." + key for key in matrix}:
            yield "%s uses an expression that is not of its matrix: %s" % (name, used.strip())
    steps = job.get("steps")
    if not isinstance(steps, list) or not steps:
        yield "%s has no steps" % name
        return
    for number, step in enumerate(steps, 1):
        yield from problems_of_step("%s, step %d" % (name, number), step)


def problems(text):
    try:
        workflow = yaml.load(text, Strict)
    except yaml.YAMLError as error:
        yield str(error)
        return
    yield from unknown("the workflow", workflow, TOP)
    if not isinstance(workflow, dict):
        return
    for key in sorted(TOP - set(workflow)):
        yield "the workflow has no %s" % key
    if workflow.get("permissions") != {"contents": "read"}:
        yield "permissions may only be contents: read"
    if not isinstance(workflow.get("concurrency"), dict) or workflow["concurrency"].get("cancel-in-progress") is not True:
        yield "concurrency needs cancel-in-progress: true"
    # Code of a pull request would run with the rights of this repository.
    if "pull_request_target" in (workflow.get("on") or ()) or "workflow_run" in (workflow.get("on") or ()):
        yield "on has an event that runs code of others with the rights of this repository"
    jobs = workflow.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        yield from problems_of_job(name, job)
    for line in text.splitlines():
        if re.match(r"\s*(- )?uses:", line) and not re.search(r" # v\d+\.\d+\.\d+$", line):
            yield "the version of the action is missing after it: %s" % line.strip()


def main(source):
    found = ["%s: %s" % (path.relative_to(source), problem)
             for path in sorted((Path(source) / ".github/workflows").glob("*")) for problem in problems(path.read_text())]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
