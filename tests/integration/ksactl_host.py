# SPDX-License-Identifier: BSD-2-Clause
"""A host for ksactl: configuration and key sets in a directory, only its own users in /etc/passwd (in a mount
namespace), and no PAM."""
import json
import os
import subprocess

import issuer

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
deploy-bot:x:1500:1500::/:/bin/sh
alice:x:1501:1501::/:/bin/sh
primary:x:1502:27::/:/bin/sh
other-root:x:0:0::/:/bin/sh
containers:x:1503:1503::/:/bin/sh
_ksa:x:990:990::/:/usr/sbin/nologin
"""
GROUP = """root:x:0:
daemon:x:1:
sudo:x:27:
users:x:100:deploy-bot,alice
incus:x:1700:containers
"""
# Every password is locked.
SHADOW = "".join("%s:*:19000:0:99999:7:::\n" % line.split(":")[0] for line in PASSWD.splitlines())
RULES = """
[rule deploy]
account = prod:ci/deployer
user = deploy-bot alice
service = sshd
from = 10.0.0.0/8

[rule deploy-sudo]
account = prod:ci/*
user = deploy-bot
service = sudo
"""


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout.decode("utf-8", "backslashreplace")
        self.err = process.stderr.decode("utf-8", "backslashreplace")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "status %d\nout: %s\nerr: %s" % (self.status, self.out, self.err)


class Host:
    def __init__(self, build, directory):
        self.ksactl = build / "ksactl/ksactl"
        self.directory = directory
        self.key = issuer.Key("ES256")
        self.outputs = []
        self.tokens = []
        self.write("passwd", PASSWD)
        self.write("group", GROUP)
        self.write("shadow", SHADOW)
        self.write("nsswitch.conf", "passwd: files\ngroup: files\n")
        self.write_keys(self.key)
        self.write_config(RULES)

    @property
    def config(self):
        return self.directory / "ksa.conf"

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)
        return path

    def write_keys(self, *entries, name="prod.jwks"):
        self.write(name, issuer.jwks(*entries))

    def cluster(self, name="prod", keys=None, more="", issuer_name=issuer.ISSUER):
        return "[cluster %s]\nissuer = %s\nkeys = file:%s\n%s\n" % (
            name, issuer_name, self.directory / (keys or name + ".jwks"), more)

    def write_config(self, rules="", host="", cluster=""):
        """[host] on line 1, [cluster prod] after it, then the rules."""
        self.write("ksa.conf", "[host]\naudience = ssh://build-7\n%s\n%s%s" % (
            host, self.cluster(more=cluster), rules))

    def line_of(self, text, name="ksa.conf"):
        return (self.directory / name).read_text().splitlines().index(text) + 1

    def run(self, *args, stdin=b"", cwd=None, host_name="build-7", prepare="true"):
        """ksactl, after the shell's command PREPARE."""
        script = ('mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && '
                  'mount --bind "$0/shadow" /etc/shadow && '
                  'mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && '
                  'hostname "$1" && shift && { %s; } && exec "$@"' % prepare)
        process = subprocess.run(["unshare", "--mount", "--uts", "sh", "-c", script, str(self.directory), host_name,
                                  str(self.ksactl), *map(str, args)], input=stdin, cwd=cwd, timeout=60,
                                 env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        result = Result(process)
        self.outputs.append(result.out + result.err)
        return result

    def check(self, *args):
        return self.run("check", "--config", self.config, *args)

    def problems(self):
        """The problems of check, which must be the same in text and JSON."""
        text, answer = self.check(), self.check("--json")
        problems = answer.json["problems"]
        assert text.status == answer.status and answer.err == text.err == ""
        for problem in problems:
            assert problem["text"] in text.out and (problem["remedy"] or "") in text.out
            if problem["line"] is not None:
                assert "%s:%d: %s: " % (problem["file"], problem["line"], problem["severity"]) in text.out
        severities = [problem["severity"] for problem in problems]
        expected = 2 if "error" in severities else 1 if severities else 0
        assert text.status == expected, text
        assert answer.json["result"] == ("clean", "warnings", "errors")[expected]
        return problems

    def problem(self):
        """The only one."""
        problems = self.problems()
        assert len(problems) == 1, problems
        return problems[0]

    def token(self, key=None, header=None, **arguments):
        token = issuer.token(key or self.key, issuer.claims(**arguments), header=header)
        self.tokens.append(token)
        return token

    def explain(self, token, *args):
        self.tokens.append(token)
        path = self.write("token", token + "\n")
        return self.run("explain", "--token-file", path, "--config", self.config, *args)

    def assert_no_signature_in_outputs(self):
        for token in self.tokens:
            signature = token.rpartition(".")[2]
            for output in self.outputs:
                assert not any(signature[at:at + 24] in output for at in range(len(signature) - 23))
