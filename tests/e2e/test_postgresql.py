# SPDX-License-Identifier: BSD-2-Clause
"""Inside a real PostgreSQL, as the documentation ships it: it runs without root and exports json_object."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import issuer
import registry

AUDIENCE = "postgresql://build-7"
AS_SERVER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


@pytest.fixture(scope="module")
def server():
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    directory = Path("/run/pg")
    directory.mkdir()
    shutil.chown(directory, "postgres", "postgres")

    def run(*command):
        subprocess.run(AS_SERVER + list(map(str, command)), check=True, cwd="/", stdout=subprocess.DEVNULL)

    run(binaries / "initdb", "-D", directory / "data", "-A", "peer", "--no-sync")
    (directory / "data/pg_hba.conf").write_text("local all all peer\nhost all all 127.0.0.1/32 pam pamservice=postgresql\n")
    run(binaries / "pg_ctl", "-D", directory / "data", "-l", directory / "log", "-w", "-o", "-k /run/pg -h 127.0.0.1", "start")
    run("psql", "-q", "-h", directory, "postgres", "-c", "create role reports login; create role alice login")
    yield directory
    run(binaries / "pg_ctl", "-D", directory / "data", "-m", "immediate", "stop")


@pytest.fixture
def database(server, host):
    example = Path(__file__).resolve().parents[2] / "packaging/examples/pam.d/postgresql"
    shutil.copy(example, "/etc/pam.d/postgresql")
    host.write("/etc/ksa/conf.d/postgresql.conf", "[service postgresql]\naudience = %s\nlocal_user = no\n"
               "[rule reports]\naccount = prod:ci/reporter\nuser = reports\nservice = postgresql\n" % AUDIENCE)

    def ask(token, user="reports"):
        path = Path("/home/job/pgpass")
        path.unlink(missing_ok=True)
        path.write_text("127.0.0.1:5432:*:%s:%s\n" % (user, token.replace("\\", "\\\\").replace(":", "\\:")))
        path.chmod(0o600)
        shutil.chown(path, "job", "job")
        return host.run(["psql", "-h", "127.0.0.1", "-U", user, "-tAc", "select current_user", "postgres"],
                        PGPASSFILE=path)
    return ask


def test_token_opens_the_database(database, host):
    result = database(host.token(account="reporter", audience=AUDIENCE))
    assert result.out == "reports\n", result


@pytest.mark.parametrize("arguments, reason", (
    (dict(audience="ssh://build-7", account="reporter"), "wrong-audience"),
    (dict(audience=AUDIENCE, account="deployer"), "no-rule"),
    (dict(audience=AUDIENCE, account="reporter", issued=1700000000), "expired"),
))
def test_refused(database, host, arguments, reason):
    result = database(host.token(**arguments))
    assert result.status != 0 and result.out == "" and result.reasons == [reason], result


def test_token_of_the_database_opens_no_ssh(database, host):
    token = host.token(account="deployer", audience=AUDIENCE)
    result = host.ssh(token, KSA_HOST="build-7", KSA_AUDIENCE=AUDIENCE)
    assert result.status == 255 and result.reasons == ["wrong-audience"], result


def test_without_its_own_audience_it_verifies_nothing(database, host):
    """A server without root could show its callers' tokens to sshd."""
    os.unlink("/etc/ksa/conf.d/postgresql.conf")
    host.write("/etc/ksa/conf.d/postgresql.conf",
               "[rule reports]\naccount = prod:ci/reporter\nuser = reports\nservice = postgresql\n")
    result = database(host.token(account="reporter"))
    assert result.status != 0 and result.reasons == ["service-without-audience"], result


def explained(host, token, user="reports"):
    """The decision of explain for the server, as the server's user."""
    result = host.run(["ksactl", "explain", "--token-file", "-", "--json", "--service", "postgresql", "--user", user,
                       "--service-user", "postgres"], user="root", stdin=token.encode())
    return [result.json["reason"]]


def test_explain_agrees_where_the_server_lets_in(database, host):
    token = host.token(account="reporter", audience=AUDIENCE)
    assert database(token).out == "reports\n" and explained(host, token) == ["ok"]


@pytest.mark.parametrize("demand", ("review = require", "review = prefer", "bound = pod", "rbac = yes", "once = yes"))
def test_explain_allows_what_the_server_cannot_do(database, host, demand):
    """The roles of this server are local users too, so no option marks it as without root."""
    host.edit("/etc/ksa/conf.d/postgresql.conf", "local_user = no\n", "")
    host.edit("/etc/ksa/conf.d/postgresql.conf", "user = reports\n", "user = alice\n%s\n" % demand)
    host.edit("/etc/ksa/ksa.conf", "[cluster prod]\n",
              "[cluster prod]\napi_server = https://127.0.0.1:1\ncredential_file = /etc/ksa/none\n")
    token = host.token(account="reporter", audience=AUDIENCE, pod="runner")
    assert database(token, "alice").reasons == ["needs-root"]
    assert explained(host, token, "alice") == ["needs-root"]


def test_explain_reads_what_the_server_cannot_read(database, host):
    os.chmod("/etc/ksa/prod.jwks", 0o600)
    token = host.token(account="reporter", audience=AUDIENCE)
    result = database(token)
    assert result.status != 0 and result.reasons == explained(host, token) == ["file-unreadable"], result


def test_forged_token(database, host):
    other = issuer.Key("RS256")
    token = host.remember(issuer.token(other, issuer.claims(account="reporter", audience=AUDIENCE), header={"kid": host.key.kid}))
    assert database(token).reasons == ["bad-signature"]


def test_the_server_knows_users_that_ksa_made(server, host):
    """By NSS, without root and in a process that lives on: peer asks for the name of a uid."""
    registry.make()
    try:
        role = AS_SERVER + ["psql", "-q", "-h", server, "postgres", "-c", "create role ci_deployer login"]
        subprocess.run(role, check=True, cwd="/")
        ask = ["psql", "-h", server, "-tAc", "select current_user", "postgres"]
        assert host.run(ask, user="ci_deployer", cwd="/").out == "ci_deployer\n"
        refused = host.run(ask + ["-U", "reports"], user="ci_deployer", cwd="/")
        assert refused.status != 0 and "Peer authentication failed" in refused.err, refused
    finally:
        registry.PATH.unlink()
