# SPDX-License-Identifier: BSD-2-Clause
"""packaging/examples/clusters: each is a whole ksa.conf in which `ksactl check` finds no problem."""
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import issuer

ROOT = Path(__file__).resolve().parents[2]
CLUSTERS = sorted((ROOT / "packaging/examples/clusters").glob("*.conf"))
BINDING = ("keys", "api_server", "api_ca_file", "keys_ca_file")


def options_of(path):
    return dict(re.findall(r"^(\w+) = (.*)$", path.read_text(), re.M))


def cached(options, key):
    """The set as a fetch leaves it (common/token/keyset.h)."""
    numbers = key.jwk()
    return "ksa-keys 1\nissuer %s\n%sfetched %d\nmax_age 3600\nkey RS256 %s %s %s\nend 1\n" % (
        options["issuer"], "".join("%s %s\n" % (name, options.get(name, "-")) for name in BINDING), time.time(),
        numbers["kid"], numbers["n"], numbers["e"])


@pytest.fixture
def example(host, tmp_path, request):
    """The example as /etc/ksa/ksa.conf, with all the files that it names."""
    path = request.param
    options = options_of(path)
    for name in ("ksa.conf", "prod.jwks"):
        Path("/etc/ksa", name).unlink()
    host.write("/etc/ksa/ksa.conf", path.read_text())
    if "api_ca_file" in options:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=kubernetes", "-keyout", tmp_path / "ca.key", "-out", options["api_ca_file"]],
                       check=True, stderr=subprocess.DEVNULL)
    if "credential_file" in options:
        host.write(options["credential_file"], issuer.token(host.key, issuer.claims(
            "ksa-system", "host-verifier", options["issuer"], life=86400)), 0o600)
    if options["keys"].startswith("file:"):
        host.write(options["keys"][5:], issuer.jwks(host.key))
    else:
        os.makedirs("/var/cache/ksa/prod", exist_ok=True)
        host.write("/var/cache/ksa/prod/keys", cached(options, host.key))
    return path


def test_there_is_one_for_each_kind_of_cluster():
    assert [path.stem for path in CLUSTERS] == ["air-gapped", "aks", "eks", "gke", "k3s", "kubeadm", "openshift"]


@pytest.mark.parametrize("example", CLUSTERS, ids=lambda path: path.stem, indirect=True)
def test_check_passes_it(host, example):
    result = host.run(["ksactl", "check", "--config", "/etc/ksa/ksa.conf", "--json"], user="root")
    assert json.loads(result.out)["problems"] == [] and result.status == 0, result


@pytest.mark.parametrize("example", [path for path in CLUSTERS if path.stem == "air-gapped"], ids=lambda path: path.stem,
                         indirect=True)
def test_what_is_commented_out_is_right(host, example):
    """With it, check finds no problem."""
    text = re.sub(r"^#(?=\[|\w+ = )", "", example.read_text(), flags=re.M)
    assert "\n[accounts prod]\n" in text and "\nuser = @own\n" in text
    host.write("/etc/ksa/ksa.conf", text)
    found = host.run(["ksactl", "check", "--config", "/etc/ksa/ksa.conf", "--json"], user="root").json["problems"]
    assert [one for one in found if "nsswitch" not in one["text"]] == []  # which with sanitizers does not name ksa


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.stem)
def test_manual_names_it(path):
    page = (ROOT / "man/ksa-clusters.7").read_text()
    assert "packaging/examples/clusters/%s" % path.name in page
