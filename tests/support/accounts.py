# SPDX-License-Identifier: BSD-2-Clause
"""Service accounts as an API server lists them, page by page (GET /api/v1/.../serviceaccounts), in the place of
TlsServer's answer. The shapes are those of Kubernetes 1.37.2; the token of the next page is ours, as it is theirs."""
import json
import re
import time
import urllib.parse
import uuid

from cluster_double import failure
from tls_server import page


class Lister:
    """
    accounts  [metadata]; add() makes one
    page_max  accounts of a page, whatever limit says
    instead   a function of (number of the question from 1, query, sound answer) that returns bytes in its place, or None
    asked     [(path, query)]
    """

    def __init__(self):
        self.accounts, self.page_max, self.instead, self.asked, self.version = [], 10**6, None, [], 100

    def add(self, namespace, name, created=None, labels=None, padding=None):
        self.version += 1
        self.accounts.append({
            "name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "labels": labels or {},
            "resourceVersion": str(self.version),
            "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created or 1700000000)),
            "annotations": {"padding": padding} if padding else {}})
        return self.accounts[-1]

    def remove(self, namespace, name):
        self.version += 1
        self.accounts = [one for one in self.accounts if (one["namespace"], one["name"]) != (namespace, name)]

    def document(self, namespace, query):
        wanted = [one for one in self.accounts if namespace in (None, one["namespace"])]
        if "labelSelector" in query:  # key=value is all that it knows
            key, _, value = query["labelSelector"].partition("=")
            wanted = [one for one in wanted if one["labels"].get(key) == value]
        first = int(query.get("continue", "0").rpartition("+")[2])
        size = min(int(query["limit"]), self.page_max)
        metadata = {"resourceVersion": str(self.version)}
        if first + size < len(wanted):
            metadata["continue"] = "next/page+%d" % (first + size)  # what must be percent-encoded
        return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "items": [{"metadata": one} for one in wanted[first:first + size]] or None}

    def __call__(self, request):
        path, _, query = request.split(" ")[1].partition("?")
        query = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
        self.asked.append((path, query))
        match = re.fullmatch(r"/api/v1/(?:namespaces/([a-z0-9-]+)/)?serviceaccounts", path)
        if match is None:
            return failure(404, "NotFound")
        sound = json_answer(self.document(match.group(1), query))
        other = self.instead(len(self.asked), query, sound) if self.instead else None
        return sound if other is None else other


def json_answer(document):
    return page(json.dumps(document).encode(), "200 OK", "Content-Type: application/json")
