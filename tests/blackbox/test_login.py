"""login, logout, manifest inspect."""
from __future__ import annotations

import base64
import json
import stat

import pytest

import oci
from registry_front import Basic, Bearer, Front, StaticRegistry, TokenServer, Upstream
from terminal import Terminal

SECRET = "pass:word&more"
USERS = {"someone": SECRET}


@pytest.fixture
def content():
    static = StaticRegistry()
    static.add("team/app", "v1", oci.image([oci.tar_layer([oci.file("one", b"1")])]))
    return static


def keys(udocker):
    return json.loads((udocker.home / ".udocker/keystore").read_text())


def stored(udocker, url):
    return base64.b64decode(keys(udocker)[url]["auth"]).decode()


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_login_lets_pull(udocker, registry, kind):
    reference = oci.push(registry, "login/real", "v1", oci.image([oci.tar_layer([oci.file("a", b"x")])]))
    tokens = TokenServer(USERS)
    with Front(tokens) as realm:
        guard = Basic(USERS) if kind == "basic" else Bearer(tokens, realm)
        with Front(Upstream(registry.url), [guard]) as front:
            url = f"https://{front.host}"
            outcome = udocker.ok("login", "--username=someone", "--password-stdin", f"--registry={front.host}",
                                 stdin=SECRET.encode() + b"\n")
            assert outcome.out == "" and outcome.err == ""
            assert stored(udocker, url) == f"someone:{SECRET}"
            assert stat.S_IMODE((udocker.home / ".udocker/keystore").stat().st_mode) == 0o600
            udocker.ok("pull", f"{front.host}/{reference.partition('/')[2]}")
            assert udocker.ok("logout", front.host).out == ""
            assert keys(udocker) == {}


# Q19 of the Python tool: `login` does not ask the registry.
# The Python tool stores whatever it is given and ends with 0.
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_wrong_credentials_are_not_stored(udocker, content, kind):
    tokens = TokenServer(USERS)
    with Front(tokens) as realm:
        guard = Basic(USERS) if kind == "basic" else Bearer(tokens, realm)
        with Front(content, [guard]) as front:
            line = udocker.fails("login", "--username=someone", "--password-stdin", f"--registry={front.host}",
                                 stdin=b"wrong").err
            assert "invalid credentials" in line and "wrong" not in line
            assert not (udocker.home / ".udocker/keystore").exists()


def test_a_registry_for_everybody(udocker, registry):
    host = registry.url.partition("//")[2]
    outcome = udocker.ok("login", "--username=a", "--password-stdin", host, stdin=b"b")
    assert "without having been checked" in outcome.err
    assert stored(udocker, f"https://{host}") == "a:b"


def test_questions_on_a_terminal(udocker, content):
    with Front(content, [Basic(USERS)]) as front:
        with Terminal(udocker.command("login", f"--registry={front.host}"), echo=True, env=udocker.environment) as terminal:
            terminal.wait("username: ")
            terminal.type("someone\n")
            terminal.wait("password: ")
            terminal.type(SECRET + "\n")
            shown, status = terminal.end()
            assert status == 0 and SECRET not in shown
        assert stored(udocker, f"https://{front.host}") == f"someone:{SECRET}"


# The Python tool ends with a traceback.
def test_the_end_of_the_input(udocker, registry):
    for words in ([], ["--username=a"]):
        outcome = udocker.run("login", *words, f"--registry={registry.url}")
        assert outcome.status == 1 and "the input has ended" in outcome.err


def test_mistakes(udocker, registry):
    assert "exclude" in udocker.fails("login", "--username=a", "--password=b", "--password-stdin").err
    assert "--username" in udocker.fails("login", "--password-stdin", stdin=b"x").err
    assert "invalid credentials" in udocker.fails("login", "--username=a", "--password-stdin", registry.url).err
    assert "no registry" in udocker.fails("login", "--username=a", "--password-stdin", f"{registry.url}/nothing",
                                          stdin=b"x").err
    udocker.ok("version")
    assert "there are none" in udocker.fails("logout", "--registry=https://nowhere.example").err


def test_logout_of_all(udocker, registry):
    for host in ("one.example", "two.example"):
        path = udocker.home / ".udocker/keystore"
        path.parent.mkdir(exist_ok=True)
        old = keys(udocker) if path.exists() else {}
        path.write_text(json.dumps({**old, f"https://{host}": {"auth": base64.b64encode(b"a:b").decode(), "email": ""}}))
        path.chmod(0o600)
    udocker.ok("logout", "--registry=one.example")
    assert list(keys(udocker)) == ["https://two.example"]
    udocker.ok("logout", "-a")
    assert not (udocker.home / ".udocker/keystore").exists()
    udocker.ok("logout", "-a")


def test_manifest_inspect(udocker, registry, pushed):
    reference = pushed("busybox")
    document = json.loads(udocker.ok("manifest", "inspect", reference).out)
    assert document["schemaVersion"] == 2 and document["layers"]
    # In the Python tool an option behind the word "inspect" is a syntax error.
    assert json.loads(udocker.ok("manifest", "inspect", "--platform=linux/amd64", reference).out) == document
    assert json.loads(udocker.ok("manifest", "--platform=linux/amd64", "inspect", reference).out) == document
    config = udocker.ok("manifest", "inspect", "--format={{.config.digest}}", reference).out.strip()
    assert config == document["config"]["digest"]
    assert "no entry" not in udocker.ok("-q", "images").out and reference not in udocker.ok("-q", "images").out


# Q5 of the Python tool: `manifest inspect --option IMAGE` is a syntax error.
def test_manifest_of_an_index(udocker, registry):
    layers = [oci.tar_layer([oci.file("a", b"x")])]
    platforms = ("amd64", "arm64")
    images = [oci.image(layers, platform=f"linux/{name}") for name in platforms]
    for image in images:
        oci.push(registry, "index/two", "", image)
    entries = [(image, {"os": "linux", "architecture": name}) for image, name in zip(images, platforms)]
    reference = oci.push_manifest(registry, "index/two", "v1", oci.index(entries))
    whole = json.loads(udocker.ok("manifest", "inspect", reference).out)
    assert len(whole["manifests"]) == 2
    arm = json.loads(udocker.ok("manifest", "inspect", "--platform=linux/arm64", reference).out)
    assert arm["config"]["digest"] == json.loads(images[1].manifest.data)["config"]["digest"]


# The Python tool prints {} and ends with 0.
def test_manifest_of_nothing(udocker, registry):
    host = registry.url.partition("//")[2]
    assert "no/such" in udocker.fails("manifest", "inspect", f"{host}/no/such:image").err
    assert "syntax error at: look" in udocker.fails("manifest", "look", "x/y").err
    assert "must specify" in udocker.fails("manifest").err
