# SPDX-License-Identifier: BSD-2-Clause
"""packaging/kubernetes/clients with a real API server: each Pod is admitted, and logs in with only what a Pod has."""
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from api_double import claims_of
from cluster_host import eventually, RealHost
from host import SOURCE, field, Result
from pod import Pod

KUBERNETES = SOURCE / "packaging" / "kubernetes"
CLIENTS = KUBERNETES / "clients"
README = (KUBERNETES / "README.md").read_text()
ENFORCE = "pod-security.kubernetes.io/enforce"


# --- The Pods that the manifests describe ---


def documents(name):
    return {one["kind"]: one for one in yaml.safe_load_all((CLIENTS / name).read_text())}


def plain(server, kind):
    """The template of an applied object, as the API server has it, and its only container."""
    applied = {one["kind"]: one for one in server.apply((CLIENTS / (kind.lower() + ".yaml")).read_text())}
    spec = applied[kind]["spec"]
    if kind == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if kind == "Pod":
        server.delete_pod("ci", "deploy")
    return spec if kind == "Pod" else spec["template"]["spec"], "ssh", None


def gitlab():
    """As GitLab Runner makes a job's Pod: its containers with the settings of config.toml, then the patch, whose lists
    are merged by name, and by mountPath."""
    runner = tomllib.loads((CLIENTS / "gitlab-runner.toml").read_text())["runners"][0]
    settings = runner["kubernetes"]
    assert runner["executor"] == "kubernetes" and runner["feature_flags"] == {"FF_USE_ADVANCED_POD_SPEC_CONFIGURATION": True}
    patch, = settings["pod_spec"]
    assert patch["patch_type"] == "strategic"
    patch = yaml.safe_load(patch["patch"])
    job = yaml.safe_load((CLIENTS / "gitlab-ci.yml").read_text())["deploy"]
    assert job["tags"] == [runner["name"]]
    env = [dict(zip(("name", "value"), one.split("=", 1))) for one in runner["environment"]]

    def container(name):
        context = {"allowPrivilegeEscalation": settings["allow_privilege_escalation"],
                   "capabilities": settings[name.replace("-", "_") + "_container_security_context"]["capabilities"]}
        mounts = [{"name": "repo", "mountPath": "/builds"}]
        mounts += [mount for one in patch["containers"] if one["name"] == name for mount in one["volumeMounts"]]
        return {"name": name, "image": settings["image"], "env": env, "volumeMounts": mounts, "securityContext": context}
    context = settings["pod_security_context"]
    return {
        "serviceAccountName": settings["service_account"], "restartPolicy": "Never",
        "automountServiceAccountToken": patch["automountServiceAccountToken"],
        "securityContext": {"runAsNonRoot": context["run_as_non_root"], "runAsUser": context["run_as_user"],
                            "runAsGroup": context["run_as_group"], **patch["securityContext"]},
        "initContainers": [container("init-permissions")], "containers": [container("build"), container("helper")],
        "volumes": [{"name": "repo", "emptyDir": {}}, *patch["volumes"]]}, "build", job["script"][0]


def github():
    values = yaml.safe_load((CLIENTS / "arc-values.yaml").read_text())
    job = yaml.safe_load((CLIENTS / "arc-workflow.yaml").read_text())["jobs"]["deploy"]
    assert job["runs-on"] == values["runnerScaleSetName"]
    return values["template"]["spec"], "runner", job["steps"][0]["run"]


def jenkins():
    text = (CLIENTS / "Jenkinsfile").read_text()
    return yaml.safe_load(re.search("yaml '''(.*?)'''", text, re.S).group(1))["spec"], "jnlp", re.search(r"sh '([^']+)'", text).group(1)


def tekton():
    found = documents("tekton.yaml")
    task, run = found["Task"], found["TaskRun"]
    assert {one["apiVersion"] for one in found.values()} == {"tekton.dev/v1"}
    assert run["spec"]["taskRef"]["name"] == task["metadata"]["name"]
    return {"serviceAccountName": run["spec"]["serviceAccountName"], "restartPolicy": "Never", **run["spec"]["podTemplate"],
            "containers": task["spec"]["steps"], "volumes": task["spec"]["volumes"]}, "ssh", None


KINDS = {
    "pod": lambda server: plain(server, "Pod"), "job": lambda server: plain(server, "Job"),
    "cronjob": lambda server: plain(server, "CronJob"), "gitlab": lambda _: gitlab(), "github": lambda _: github(),
    "jenkins": lambda _: jenkins(), "tekton": lambda _: tekton()}


# --- A cluster that is prepared as README.md says ---


def readme_command(start):
    return re.search("^ *(%s.*)$" % re.escape(start), README, re.M).group(1)


def config_map(server, name, directory):
    """What kubectl makes of README's command, run in DIRECTORY."""
    words = shlex.split(readme_command("kubectl create configmap %s " % name))
    namespace = words[words.index("-n") + 1]
    paths = [Path(directory, word.split("=", 1)[1]) for word in words if word.startswith("--from-file=")]
    server.post("/api/v1/namespaces/%s/configmaps" % namespace, {
        "metadata": {"name": name}, "data": {path.name: path.read_text() for path in paths}})


@pytest.fixture(scope="module")
def server(prepared, tmp_path_factory):
    prepared.patch("/api/v1/namespaces/ci", {"metadata": {"labels": {ENFORCE: "restricted"}}})
    directory = tmp_path_factory.mktemp("readme")
    subprocess.run(["sh", "-c", readme_command("awk ")], cwd=directory, check=True)
    for name in ("ksa-client", "ksa-known-hosts"):
        config_map(prepared, name, directory)
    return prepared


@pytest.fixture
def cluster(host, server):
    both = RealHost(host, server)
    both.reset()
    both.configure("review = require")
    return both


@pytest.fixture(params=sorted(KINDS))
def pod(request, server):
    with make(server, request.param) as pod:
        yield pod


def make(server, kind):
    spec, name, script = KINDS[kind](server)
    pod = Pod(server, "ci", kind + "-4xk2p", spec)
    pod.main = name
    # A step of a platform is text for a shell.
    pod.command = ["sh", "-c", script] if script else None
    return pod


def run(cluster, pod, command=None, programs=()):
    """The result as those of the host, with the host's log."""
    size = cluster.host.log_size()
    process = pod.run(pod.main, command or pod.command, programs)
    for token in pod.tokens:
        cluster.host.remember(token)
    result = Result(process, cluster.host.log_since(size))
    cluster.host.outputs.append(result.out + result.err)
    return result


# --- Tests ---


def test_the_namespace_refuses_other_pods(server):
    """As this test's namespace must, or the admission of those of the manifests would mean nothing."""
    body = {"metadata": {"name": "plain"}, "spec": {"containers": [{"name": "x", "image": "x"}]}}
    answer = server.post("/api/v1/namespaces/ci/pods", body, allow=[403])
    assert "violates PodSecurity \"restricted" in answer["message"], answer


def test_login(cluster, pod):
    result = run(cluster, pod)
    assert result.status == 0 and " up " in result.out and result.err == "", result
    line, = result.lines
    assert result.allowed and (field(line, "account"), field(line, "pod")) == ("deployer", pod.name), line
    claims = claims_of(pod.tokens[0])
    assert claims["aud"] == ["ssh://build-7"] and claims["exp"] - claims["iat"] == 600
    assert claims["kubernetes.io"]["pod"] == {"name": pod.name, "uid": pod.object["metadata"]["uid"]}


def test_the_pod_is_gone(cluster, server):
    """The host asks the API server, which keeps a success for 10 s."""
    with make(server, "job") as pod:
        assert run(cluster, pod).status == 0
        pod.delete()
        cluster.refused_in_the_end(pod.tokens[0])
        result = run(cluster, pod)
    assert result.status == 255 and result.reasons == ["review-refused"] and "refused" in result.err, result


def test_container_has_what_the_manifest_gives(cluster, pod):
    """Also that this test's container is one: no capability, no file of ksa, no variable of the test."""
    script = """set -e
id -u; id -g
grep -e CapPrm -e CapEff -e CapBnd -e NoNewPrivs /proc/self/status
cat /proc/self/environ | tr '\\0' '\\n'
ls -l /opt/ksa/..data/
for path in /usr/bin/ksa-ssh /usr/bin/ksa-token /usr/share/ksa /etc/ksa /var/run/secrets/kubernetes.io; do
        [ ! -e $path ] || echo has $path
done
for path in /opt/ksa /var/run/secrets/ksa /tmp; do
        touch $path/x 2>/dev/null && echo writes $path || :
done
"""
    result = run(cluster, pod, ["sh", "-c", script])
    container = pod.container(pod.main)
    uid, gid = pod.user(container)
    assert result.status == 0 and result.out.startswith("%d\n%d\n" % (uid, gid)), result
    assert re.findall(r"Cap\w+:\t(\w+)", result.out) == ["0" * 16] * 3 and "NoNewPrivs:\t1" in result.out, result
    names = set(re.findall(r"^([A-Z_]+)=", result.out, re.M)) - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert names == {"PATH", "HOME", "HOSTNAME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} | {
        one["name"] for one in container["env"]}
    assert re.findall(r"^(-\S+) .* (\S+)$", result.out, re.M) == [
        ("-r-xr-xr-x", "ksa-askpass"), ("-r-xr-xr-x", "ksa-ssh"), ("-r-xr-xr-x", "ssh_config")], result
    assert re.findall("^has .*", result.out, re.M) == [], result
    writes = [] if container["securityContext"].get("readOnlyRootFilesystem") else ["writes /tmp"]
    assert re.findall("^writes .*", result.out, re.M) == writes, result


def test_host_key_is_another(cluster, server):
    """Nothing is sent to a host that known_hosts does not have."""
    with make(server, "pod") as pod:
        known = pod.volume("ksa-known-hosts") / "ssh_known_hosts"
        known.write_text(known.read_text().replace("build-7", "build-8"))
        result = run(cluster, pod)
    assert result.status == 255 and "host key" in result.err and result.lines == [], result


def test_tokens_of_several_hosts(cluster, server):
    """README's snippet, in a Pod."""
    snippet = yaml.safe_load(re.search("```yaml\n(.*?)```", README, re.S).group(1))
    spec, name, _ = plain(server, "Pod")
    container, = spec["containers"]
    path, = [one for one in container["env"] if one["name"] == "PATH"]
    container["env"] = [path, *snippet["env"]]
    spec["volumes"] = [one for one in spec["volumes"] if one["name"] != "ksa-token"] + snippet["volumes"]
    with Pod(server, "ci", "several", spec) as pod:
        pod.main = name
        for host in ("build-7", "build-8"):
            result = run(cluster, pod, ["ksa-ssh", "--check", host])
            assert result.status == 0 and "for ssh://%s, which expires in" % host in result.out, result
        assert run(cluster, pod, container["command"]).status == 0


def test_ksa_token_in_place_of_the_volume(cluster, server):
    """As README says: an image with ksa-token, the grant, and the Pod's own token."""
    server.apply((KUBERNETES / "own-token.yaml").read_text())
    spec, name, _ = plain(server, "Pod")
    container, = spec["containers"]
    spec["automountServiceAccountToken"] = True
    container["env"] = [one for one in container["env"] if one["name"] != "KSA_TOKEN_FILE"]
    for items in (container["volumeMounts"], spec["volumes"]):
        items[:] = [one for one in items if one["name"] != "ksa-token"]
    with Pod(server, "ci", "own-token", spec) as pod:
        pod.main, pod.command = name, None
        asked = ["ksa-token", "--host", "build-7"]
        eventually(lambda: run(cluster, pod, asked, ["ksa-token"]).status == 0)  # the API server learns of the grant
        result = run(cluster, pod, programs=["ksa-token"])
        assert result.status == 0 and field(result.lines[0], "pod") == "own-token", result


def test_pods_have_limits():
    """They end before their tokens expire, and can write nothing."""
    for kind in ("Pod", "Job", "CronJob"):
        spec = documents(kind.lower() + ".yaml")[kind]["spec"]
        spec = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
        template = spec if kind == "Pod" else spec["template"]["spec"]
        token, = [one["projected"]["sources"][0]["serviceAccountToken"] for one in template["volumes"] if "projected" in one]
        assert spec["activeDeadlineSeconds"] < token["expirationSeconds"] and template["restartPolicy"] == "Never"
        assert template["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_all_mount_the_same(server):
    """The same volumes in each, at the same places."""
    found = []
    for kind in KINDS:
        spec, name, _ = KINDS[kind](server)
        container = next(one for one in spec["containers"] if one["name"] == name)
        mounts = [one for one in container["volumeMounts"] if one["name"].startswith("ksa-")]
        found.append((mounts, [one for one in spec["volumes"] if one["name"].startswith("ksa-")]))
    for mounts, volumes in found:
        assert mounts == found[0][0] and strip(volumes) == strip(found[0][1])


def strip(volumes):
    """Without the defaults that the API server adds."""
    text = yaml.safe_dump(volumes, sort_keys=True)
    return re.sub(r"^ *defaultMode: 420\n", "", text, flags=re.M)


def test_readme_names_every_file():
    for path in [*KUBERNETES.glob("*.yaml"), *CLIENTS.iterdir()]:
        assert re.search(r"^\| .*\b%s\b.* \|$" % re.escape(path.name), README, re.M), path
