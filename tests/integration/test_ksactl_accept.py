"""ksactl accounts accept and retire where there is nothing to do: the line says what to do instead."""
import pytest

from accounts import Lister
from cluster import Cluster


@pytest.fixture
def cluster(host):
    with Cluster(host) as cluster:
        cluster.lister = cluster.server.answer = Lister()
        cluster.give_credential()
        cluster.configure(cluster.section(), "[accounts prod]\nnamespaces = ci\n")
        cluster.lister.add("ci", "deployer")
        cluster.lister.add("ci", "gone")
        assert cluster.ksactl("accounts", "sync").status == 0
        cluster.lister.remove("ci", "gone")
        assert cluster.ksactl("accounts", "sync").status == 0
        yield cluster


def refused(cluster, command, user):
    result = cluster.ksactl("accounts", command, user, "--json")
    assert result.status == 2 and result.json["result"] == "failed", result
    (line,) = [line for line in result.log if "result=failed" in line]
    assert "reason=account-unknown" in line
    return result.json, line


def test_the_text_helps_and_no_remedy_leads_elsewhere(cluster):
    for command, user, words in (("accept", "ci_deployer", "accept is for users that are recreated, contested or retired"),
                                 ("retire", "ci_gone", "ksactl accounts sync brings it back"),
                                 ("accept", "nobody-like-that", "ksactl accounts list shows those that it has made")):
        answer, line = refused(cluster, command, user)
        assert words in answer["problem"] and words in line
        assert answer["remedy"] is None and "remedy=" not in line
    assert cluster.ksactl("accounts", "retire", "ci_deployer").status == 0
    answer, line = refused(cluster, "retire", "ci_deployer")
    assert answer["problem"].endswith("ksactl accounts accept ci_deployer takes it back") and answer["remedy"] is None


def test_the_remedy_of_another_uid_is_cut_in_the_log(cluster):
    """It is the longest one, and has the user three times."""
    cluster.configure(cluster.section(), "[accounts prod]\nnamespaces = ci\n", host="uid_range = 5000000-5999999\n")
    result = cluster.ksactl("accounts", "sync", "--force", "--json")
    (change,) = [one for one in result.json["changes"] if one["change"] == "contested"]
    (line,) = [line for line in result.log if " change=contested " in line]
    assert len(change["remedy"]) > 255 and line.endswith(' remedy="%s"' % change["remedy"]), line
