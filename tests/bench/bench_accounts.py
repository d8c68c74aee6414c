# SPDX-License-Identifier: BSD-2-Clause
"""ksactl accounts sync of 10 000 accounts of a real API server, next to the same pages fetched by one connection of
http.client and thrown away: the first run, one with nothing to do, and one with one account more."""
import http.client
import json
import os
import resource
import shutil
import ssl
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import apiserver  # noqa: E402

ACCOUNTS, NAMESPACES, RUNS = 10000, 20, 5
DIRECTORY = Path("/run/bench-accounts")
CREDENTIAL = Path("/var/lib/ksa/credentials/prod")
REGISTRY = Path("/var/lib/ksa/registry")
LIST = Path(__file__).resolve().parents[2] / "packaging" / "kubernetes" / "account-list.yaml"
CONFIG = """[host]
audience = ssh://build-7
[cluster prod]
issuer = %s
keys = api
api_server = %s
api_ca_file = /etc/ksa/ca.pem
credential_file = %s
[accounts prod]
namespaces = *
selector = bench=yes
"""


def make_accounts(server):
    for number in range(NAMESPACES):
        server.namespace("team-%02d" % number)

    def make(number):
        server.post("/api/v1/namespaces/team-%02d/serviceaccounts" % (number % NAMESPACES), {"metadata": {
            "name": "bot-%05d" % number, "labels": {"bench": "yes"}}})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(ACCOUNTS)))


def fetch_bare(server, bearer):
    """All pages, by the largest page that ksactl asks for."""
    context = ssl.create_default_context(cafile=server.ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as apiserver.py has it
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context)
    started, count, more = time.perf_counter(), 0, ""
    while True:
        connection.request("GET", "/api/v1/serviceaccounts?limit=500&labelSelector=bench%%3Dyes%s" % more, headers={
            "Authorization": "Bearer " + bearer,
            "Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"})
        answer = json.loads(connection.getresponse().read())
        count += len(answer["items"])
        if not answer["metadata"].get("continue"):
            break
        more = "&continue=" + answer["metadata"]["continue"]
    connection.close()
    assert count >= ACCOUNTS
    return time.perf_counter() - started


def sync():
    started = time.perf_counter()
    subprocess.run(["ksactl", "accounts", "sync"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main():
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    with apiserver.ApiServer(os.environ["KSA_KUBERNETES"], DIRECTORY) as server:
        server.account("ksa-system", "host-verifier")
        server.apply(LIST.read_text())
        make_accounts(server)
        bearer = server.create_token("ksa-system", "host-verifier", None, 3600)
        CREDENTIAL.write_text(bearer)
        CREDENTIAL.chmod(0o600)
        shutil.copy(server.ca, "/etc/ksa/ca.pem")
        Path("/etc/ksa/ksa.conf").write_text(CONFIG % (server.issuer, server.url, CREDENTIAL))
        rows = {"first": [], "nothing to do": [], "one more": []}
        bare = []
        for number in range(RUNS):
            bare.append(fetch_bare(server, bearer))
            for path in (REGISTRY, Path(str(REGISTRY) + ".made")):
                path.unlink(missing_ok=True)
            rows["first"].append(sync())
            rows["nothing to do"].append(sync())
            server.post("/api/v1/namespaces/team-00/serviceaccounts", {"metadata": {
                "name": "late-%d" % number, "labels": {"bench": "yes"}}})
            rows["one more"].append(sync())
        pages = statistics.median(bare)
        print("%d accounts, the pages alone by http.client: %.0f ms" % (ACCOUNTS, pages * 1000))
        for name, times in rows.items():
            print("sync, %-14s %6.0f ms  ratio %5.2f" % (name, statistics.median(times) * 1000, statistics.median(times) / pages))
        print("peak memory of a child: %d MiB" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))


main()
