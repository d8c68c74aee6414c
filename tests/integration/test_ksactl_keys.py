# SPDX-License-Identifier: BSD-2-Clause
"""ksactl keys and options, and the command line itself."""
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

import issuer
from ksactl_host import RULES, Host

FOUND = Path(__file__).resolve().parents[1] / "data/found"
ALGORITHMS = ("RS256", "ES256", "ES384", "ES512")


@pytest.fixture
def host(build, tmp_path):
    tmp_path.chmod(0o755)
    return Host(build, tmp_path)


def convert(host, text):
    return host.run("keys", "convert", host.write("keys.pem", text))


def pem_of(private):
    return private.public_key().public_bytes(serialization.Encoding.PEM,
                                             serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key, form="PKCS8", encryption=serialization.NoEncryption()):
    return key.private.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), encryption).decode()


# --- convert ---


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_convert(host, algorithm):
    """Member for member what an API server serves: the same kid, so the same tokens."""
    key = issuer.Key(algorithm)
    result = convert(host, key.pem())
    assert result.status == 0 and result.err == "" and result.json == {"keys": [key.jwk()]}


def test_convert_several(host):
    keys = [issuer.Key(algorithm) for algorithm in ALGORITHMS]
    result = convert(host, "some words\n" + "\n".join(key.pem() for key in keys) + "more words\n")
    assert result.json == {"keys": [key.jwk() for key in keys]}


def test_convert_pkcs1(host):
    key = issuer.Key("RS256")
    text = key.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    assert convert(host, text).json == {"keys": [key.jwk()]}


def test_converted_set_lets_in(host):
    host.write("prod.jwks", convert(host, host.key.pem()).out)
    assert host.explain(host.token(), "--rhost", "10.0.0.1").status == 0
    assert host.check().status == 0


def test_coordinates_that_begin_with_zeros(host):
    """They are as wide as the curve all the same."""
    private = ec.derive_private_key(31, ec.SECP521R1())
    for scalar in range(1, 2000):
        private = ec.derive_private_key(scalar, ec.SECP256R1())
        if private.public_key().public_numbers().x < 1 << 248:
            break
    key = issuer.Key("ES256")
    key.private = private
    assert convert(host, key.pem()).json == {"keys": [key.jwk()]}


@pytest.mark.parametrize("make, why", [
    (lambda: rsa.generate_private_key(65537, 1024), "RSA key of 1024 bits"),
    (lambda: ec.generate_private_key(ec.SECP256K1()), "not RSA, P-256"),
    (lambda: ec.generate_private_key(ec.SECP224R1()), "not RSA, P-256"),
    (lambda: ed25519.Ed25519PrivateKey.generate(), "not RSA, P-256"),
    (lambda: dsa.generate_private_key(2048), "not RSA, P-256"),
], ids=("rsa-1024", "k1", "p-224", "ed25519", "dsa"))
def test_convert_skips_what_a_login_would_skip(host, make, why):
    """One such key among others refused the file; alone it is an error."""
    key = issuer.Key("ES256")
    result = convert(host, key.pem() + pem_of(make()) + key.pem())
    assert result.status == 0 and result.json == {"keys": [key.jwk()]} and why in result.err
    result = convert(host, pem_of(make()))
    assert result.status == 2 and result.out == "" and why in result.err


def test_convert_ed25519_among_others_as_found(host):
    result = convert(host, (FOUND / "convert-ed25519-among-others.pem").read_text())
    assert result.status == 0 and result.err and [key["kty"] for key in result.json["keys"]] == ["EC", "RSA"]


def test_convert_one_key_twice(host):
    """The output was a set that every login refused."""
    assert len(convert(host, (FOUND / "convert-one-key-twice.pem").read_text()).json["keys"]) == 1
    keys = [issuer.Key("RS256"), issuer.Key("ES384")]
    result = convert(host, "".join(key.pem() for key in keys) + private_pem(keys[0]) + keys[1].pem())
    assert result.json == {"keys": [key.jwk() for key in keys]}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", ("TraditionalOpenSSL", "PKCS8"))
def test_convert_private_key(host, algorithm, form):
    """k3s, RKE2 and microk8s have the key pair alone: its public half, and no byte of the other."""
    key = issuer.Key(algorithm)
    text = private_pem(key, form)
    result = convert(host, text)
    assert result.status == 0 and result.json == {"keys": [key.jwk()]} and "private" in result.err
    assert all(line not in result.err for line in text.splitlines()[1:-1])


def test_convert_private_key_of_openssl(host):
    """Its parameters are a block of their own."""
    text = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey"], check=True, capture_output=True).stdout.decode()
    assert "EC PARAMETERS" in text
    key = issuer.Key("ES256")
    key.private = serialization.load_pem_private_key(text[text.index("-----BEGIN EC PRIVATE"):].encode(), None)
    assert convert(host, text).json == {"keys": [key.jwk()]}


@pytest.mark.parametrize("form", ("TraditionalOpenSSL", "PKCS8"))
def test_convert_encrypted_private_key(host, form):
    """It asks for no password."""
    text = private_pem(issuer.Key("RS256"), form, serialization.BestAvailableEncryption(b"secret"))
    result = convert(host, text + issuer.Key("ES256").pem())
    assert result.status == 2 and result.out == "" and "encrypted" in result.err


def test_convert_damaged_private_key(host):
    lines = private_pem(issuer.Key("RS256")).splitlines()
    result = convert(host, "\n".join(lines[:1] + lines[2:] + [""]))
    assert result.status == 2 and result.out == "" and lines[5] not in result.err


def test_convert_more_than_1_mib(host):
    result = convert(host, issuer.Key("ES256").pem() + "x" * 1024 * 1024)
    assert result.status == 2 and result.out == "" and "1 MiB" in result.err


@pytest.mark.parametrize("text", ["", "words\n", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                                  "-----BEGIN PUBLIC KEY-----\nAAAA\n"], ids=range(4))
def test_convert_refuses_what_is_no_key(host, text):
    result = convert(host, text)
    assert result.status == 2 and result.out == "" and result.err.startswith("ksactl: "), result


def test_convert_cut_short(host):
    """A file that ends in the middle of its second key is not a set of one key."""
    second = issuer.Key("RS256").pem()
    result = convert(host, issuer.Key("ES256").pem() + second[:200])
    assert result.status == 2 and result.out == "" and result.err.startswith("ksactl: "), result


def test_convert_certificate(host):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", host.directory / "key.pem", "-out", host.directory / "cert.pem", "-subj", "/CN=x"],
                   check=True, stderr=subprocess.DEVNULL)
    key = issuer.Key("ES256")
    key.private = serialization.load_pem_private_key((host.directory / "key.pem").read_bytes(), None)
    assert host.run("keys", "convert", host.directory / "cert.pem").json == {"keys": [key.jwk()]}


@pytest.mark.parametrize("args", [(), ("/nonexistent",), ("/",), ("a", "b"), ("--unknown",)], ids=range(5))
def test_convert_usage(host, args):
    result = host.run("keys", "convert", *args)
    assert result.status == 2 and result.out == "" and result.err.startswith("ksactl: "), result


# --- show ---


def test_show(host):
    good, skipped = issuer.Key("RS256"), issuer.Key("ES384")
    host.write_keys(good, skipped.jwk(use="enc"))
    result = host.run("keys", "show", "--config", host.config, "--json")
    assert result.status == 0 and result.json["clusters"] == [{
        "cluster": "prod", "source": "file:%s" % (host.directory / "prod.jwks"), "fetched": None, "due": None,
        "denies_after": None, "problem": None,
        "keys": [{"kid": good.kid, "algorithm": "RS256", "bits": 2048, "usable": True, "why": None},
                 {"kid": skipped.kid, "algorithm": None, "bits": None, "usable": False, "why": "use is not sig"}]}]
    text = host.run("keys", "show", "--config", host.config)
    assert text.status == 0
    assert "%s  RS256 2048 bits\n" % good.kid in text.out
    assert "%s  -  not used: use is not sig\n" % skipped.kid in text.out


@pytest.mark.parametrize("algorithm, bits", [("ES256", 256), ("ES384", 384), ("ES512", 521)])
def test_show_curve(host, algorithm, bits):
    host.write_keys(issuer.Key(algorithm))
    (cluster,) = host.run("keys", "show", "--config", host.config, "--json").json["clusters"]
    assert (cluster["keys"][0]["algorithm"], cluster["keys"][0]["bits"]) == (algorithm, bits)


def test_show_one_cluster(host):
    host.write_keys(issuer.Key("ES256"), name="stage.jwks")
    host.write_config(RULES + host.cluster("stage", issuer_name="https://stage"))

    def names(*args):
        return [one["cluster"] for one in host.run("keys", "show", *args, "--config", host.config, "--json").json["clusters"]]

    assert names() == ["prod", "stage"] and names("stage") == ["stage"]
    result = host.run("keys", "show", "other", "--config", host.config)
    assert result.status == 2 and result.out == "" and "[cluster other] is not configured" in result.err


def test_show_a_set_that_cannot_be_used(host):
    host.write("prod.jwks", "junk")
    result = host.run("keys", "show", "--config", host.config, "--json")
    assert result.status == 1 and result.json["clusters"][0]["problem"] and result.json["clusters"][0]["keys"] == []


def test_show_one_kid_twice(host):
    """It showed no key of a set with one kid twice."""
    host.write_keys(host.key, host.key.jwk(kid="k"), host.key, issuer.Key("RS256").jwk(kid="k"), host.key.jwk(kid="o", key_ops=["sign"]))
    (cluster,) = host.run("keys", "show", "--config", host.config, "--json").json["clusters"]
    assert [(key["kid"], key["usable"]) for key in cluster["keys"]] == [(host.key.kid, True), ("k", False), ("k", False), ("o", False)]
    assert cluster["problem"] is None and all(key["why"] for key in cluster["keys"][1:])


def test_show_hostile_kid(host):
    host.write_keys(host.key, issuer.Key("ES256").jwk(kid="\x1b[31m\n"))
    result = host.run("keys", "show", "--config", host.config)
    assert "\x1b" not in result.out and "\\x1b[31m\\x0a  -  not used: it has no kid" in result.out


def test_show_broken_configuration(host):
    host.write("ksa.conf", "junk\n")
    result = host.run("keys", "show", "--config", host.config)
    assert result.status == 2 and result.out == "" and result.err.startswith("%s:1: " % host.config)


@pytest.mark.parametrize("args", [(), ("unknown",), ("show", "a", "b"), ("show", "--unknown")], ids=range(4))
def test_keys_usage(host, args):
    result = host.run("keys", *args)
    assert result.status == 2 and result.out == "" and result.err


# --- options ---

SECTIONS = {
    "host": "audience name class timeout max_lifetime multiple_audiences uid_range",
    "cluster": "issuer keys keys_max_stale keys_ca_file api_server api_server_name api_ca_file credential_file client_cert_file "
               "client_key_file proxy review",
    "service": "audience local_user",
    "rule": "account account_uid user service from audience bound review rbac once token",
    "account": "account account_uid uid groups home shell allow_powerful_groups",
    "accounts": "source namespaces selector home shell recreated",
}


def test_options(host):
    options = host.run("options", "--json").json["options"]
    found = {}
    for option in options:
        assert set(option) == {"section", "name", "syntax", "default", "required", "list", "text"}
        assert option["syntax"] and option["text"]
        found.setdefault(option["section"], []).append(option["name"])
    assert found == {section: names.split() for section, names in SECTIONS.items()}
    required = {(option["section"], option["name"]) for option in options if option["required"]}
    assert {("host", "audience"), ("cluster", "issuer"), ("cluster", "keys"), ("rule", "account"), ("rule", "user"),
            ("rule", "service")} <= required


def test_options_in_words(host):
    text = host.run("options")
    assert text.status == 0
    for option in host.run("options", "--json").json["options"]:
        assert "  %s " % option["name"] in text.out and option["text"] in text.out
    assert "[host]\n" in text.out and "[rule NAME]\n" in text.out and "(default: 1h)" in text.out


def test_defaults_are_values(host):
    """Written out, each default is taken and changes nothing."""
    lines = {}
    for option in host.run("options", "--json").json["options"]:
        if option["default"] is not None:
            lines.setdefault(option["section"], []).append("%s = %s" % (option["name"], option["default"]))
    rule = "[rule one]\naccount = prod:ci/deployer\nuser = deploy-bot\nservice = sshd\n%s\n" % "\n".join(lines["rule"])
    host.write_config(rule, host="\n".join(lines["host"]), cluster="\n".join(lines["cluster"]))
    assert host.check().status == 0, host.check()


# --- The command line ---


def test_help_and_version(host):
    result = host.run("--help")
    assert result.status == 0 and result.err == ""
    for command in ("check", "explain", "keys show", "keys convert", "options"):
        assert "\n  %s " % command in result.out
    assert host.run("--version").out == "ksactl 0.1.0\n"


def test_no_command_prints_the_usage(host):
    result = host.run()
    assert result.status == 2 and result.out == "" and result.err.startswith("usage: ksactl ")


@pytest.mark.parametrize("word, kind", [("unknown", "command"), ("--unknown", "option")])
def test_unknown_command_is_named(host, word, kind):
    """The usage alone came, thirty lines without the word that was wrong."""
    result = host.run(word)
    assert result.status == 2 and result.out == ""
    assert result.err.startswith('ksactl: unknown %s "%s" (expected options, check, ' % (kind, word)) and result.err.count("\n") == 1


@pytest.mark.parametrize("command", [("check",), ("options", "--json"), ("check", "--json")], ids=range(3))
def test_full_disk(host, command):
    """A result that could not be written is an error."""
    args = " ".join(command) + (" --config %s" % host.config if command[0] == "check" else "")
    command = "%s %s >/dev/full" % (host.ksactl, args)
    host.ksactl = "sh"
    result = host.run("-c", command)
    assert result.status == 2 and result.err.startswith("ksactl: "), result
