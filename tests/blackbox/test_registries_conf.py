"""registries.conf: mirrors, other locations, insecure and blocked registries; beside skopeo, which reads it too."""
from __future__ import annotations

import base64
import json
import os
import subprocess

import pytest

import oci
from registry import free_port, make_tls
from registry_front import Basic, Front, StaticRegistry, Status

SECRET = "pass:word&more"
USERS = {"someone": SECRET}


@pytest.fixture
def content():
    static = StaticRegistry()
    image = oci.image([oci.tar_layer([oci.file(name, name.encode() * 1000)]) for name in ("one", "two")])
    static.digest = [static.add(name, "v1", image) for name in ("team/app", "copies/team/app", "library/app", "other/app")][0]
    return static


@pytest.fixture
def empty():
    """A registry that has nothing."""
    with Front(StaticRegistry()) as front:
        yield front


@pytest.fixture
def mirror(content):
    with Front(content) as front:
        yield front


@pytest.fixture
def home(content):
    """Where the images belong."""
    with Front(content) as front:
        yield front


def registries(udocker, text: str, name: str = "registries.conf"):
    path = udocker.home / ".config/containers" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rule(prefix: str, location: str, *mirrors: str, more: str = "") -> str:
    """A rule of the file. A mirror is its location, or that and more keys behind a comma."""
    tables = ", ".join(f"{{location = \"{one.partition(',')[0]}\", insecure = true{''.join(one.partition(',')[1:])}}}"
                       for one in mirrors)
    return f"[[registry]]\nprefix = \"{prefix}\"\nlocation = \"{location}\"\ninsecure = true\n{more}\nmirror = [{tables}]\n"


def has(udocker, name: str) -> bool:
    return name in udocker.ok("-q", "images").out


# ---- mirrors --------------------------------------------------------------------------------------------------------

def test_mirrors_in_order(udocker, empty, mirror, home):
    down = f"127.0.0.1:{free_port()}"
    registries(udocker, rule("images.example", home.host, down, empty.host, mirror.host))
    told = udocker.ok("pull", "images.example/team/app:v1").err
    assert down in told and f"asking {mirror.host}" in told
    assert has(udocker, "images.example/team/app:v1")
    assert empty.asked("/manifests/") and mirror.asked("/blobs/") and not home.asked()
    udocker.ok("manifest", "inspect", "images.example/team/app:v1")
    assert not home.asked()


def test_the_location_comes_last(udocker, empty, mirror, home):
    registries(udocker, rule("images.example", home.host, empty.host, f"127.0.0.1:{free_port()}"))
    udocker.ok("pull", "images.example/team/app:v1")
    assert empty.asked() and home.asked("/blobs/") and not mirror.asked()
    line = udocker.fails("pull", "images.example/no/such:v1").err.splitlines()[-1]
    assert line.startswith("Error: ") and home.host in line


@pytest.mark.parametrize("trouble", [Status("/blobs/", 404), Status("/blobs/", 403), Status("/manifests/", 403)],
                         ids=["no blobs", "blobs denied", "denied"])
def test_a_mirror_that_gives_up_on_the_way(udocker, content, home, trouble):
    with Front(content, [trouble]) as mirror:
        registries(udocker, rule("images.example", home.host, mirror.host))
        udocker.ok("pull", "images.example/team/app:v1")
        assert mirror.asked() and home.asked("/blobs/")
    udocker.ok("verify", "images.example/team/app:v1")


def test_names_of_docker_hub(udocker, mirror, home):
    registries(udocker, rule("docker.io", home.host, mirror.host))
    for name in ("app:v1", "docker.io/app:v1", "docker.io/library/app:v1", "team/app:v1"):
        mirror.forget()
        udocker.ok("pull", name)
        assert mirror.asked("/v2/(library|team)/app/manifests/v1") and not home.asked()
    # The Python tool knows a table of its own, UDOCKER_REGISTRY and --registry: they go before this file.
    mirror.forget()
    udocker.ok("manifest", "inspect", f"--registry={home.url}", "app:v1")
    udocker.ok("manifest", "inspect", "app:v1", env={"UDOCKER_REGISTRY": home.url})
    assert not mirror.asked() and len(home.asked("/library/app/")) == 2


def test_credentials_of_each(udocker, content, home):
    auth = {"auth": base64.b64encode(f"someone:{SECRET}".encode()).decode()}
    with Front(content, [Basic(USERS)]) as mirror:
        registries(udocker, rule("images.example", home.host, f"{mirror.host}/copies"))
        docker = udocker.home / ".docker/config.json"
        docker.parent.mkdir()
        docker.write_text(json.dumps({"auths": {f"{mirror.host}/copies": auth, "images.example": auth}}))
        udocker.ok("pull", "images.example/team/app:v1")
        assert mirror.asked("/v2/copies/team/app/blobs/") and not home.asked()
        docker.write_text(json.dumps({"auths": {f"{mirror.host}/copiesx": auth, "images.example": auth}}))
        udocker.ok("pull", "images.example/team/app:v1")
        assert home.asked() and {request.authorization for request in home.asked()} == {""}


# ---- beside skopeo --------------------------------------------------------------------------------------------------

CASES = {
    "mirrors": ("images.example/team/app:v1", lambda a, b, h: rule("images.example", h, a, b)),
    "path": ("images.example/x/app:v1", lambda a, b, h: rule("images.example/x", f"{h}/copies/team", a)),
    "longest": ("images.example/team/app:v1",
                lambda a, b, h: rule("images.example", h, a) + rule("images.example/team", f"{h}/team", b + "/team")),
    "wildcard": ("eu.images.example/team/app:v1", lambda a, b, h: rule("*.images.example", h, a)),
    "host before wildcard": ("eu.images.example/team/app:v1",
                             lambda a, b, h: rule("*.images.example", h, a) + rule("eu.images.example", h, b)),
    "by digest, tag": ("images.example/team/app:v1", lambda a, b, h: rule("images.example", h, a, b, more="mirror-by-digest-only = true")),
    "by digest": ("images.example/team/app@DIGEST", lambda a, b, h: rule("images.example", h, b, a, more="mirror-by-digest-only = true")),
    "neighbour": ("HOME/team/app:v1", lambda a, b, h: rule("images.example", h, a) + rule(h, h)),
    "hub": ("docker.io/app:v1", lambda a, b, h: rule("docker.io/library", f"{h}/library", f"{b}/library", a)),
}


@pytest.mark.parametrize("case", CASES)
def test_asks_whom_skopeo_asks(udocker, empty, mirror, home, content, tmp_path, case):
    name, text = CASES[case]
    name = name.replace("DIGEST", content.digest).replace("HOME", home.host)
    path = registries(udocker, text(empty.host, mirror.host, home.host))
    fronts = {"empty": empty, "mirror": mirror, "home": home}

    def asked() -> list[tuple[str, str]]:
        found = [(who, request.path) for who, front in fronts.items() for request in front.asked("/manifests/")]
        for front in fronts.values():
            front.forget()
        return found

    done = subprocess.run(["skopeo", "--insecure-policy", "--registries-conf", path, "inspect", "--raw", f"docker://{name}"],
                          env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    theirs = asked()
    ours = udocker.run("manifest", "inspect", name)
    assert (ours.status == 0) == (done.returncode == 0), f"{done.stderr}\n{ours}"
    assert asked() == theirs, f"{done.stderr}\n{ours}"
    assert theirs


# ---- blocked, insecure ----------------------------------------------------------------------------------------------

def test_blocked(udocker, mirror):
    path = registries(udocker, "".join(f"[[registry]]\nlocation = \"{host}\"\nblocked = true\n" for host in (mirror.host, "docker.io")))
    for words in (["pull"], ["manifest", "inspect"], ["run"], ["search", "--list-tags"], ["search"]):
        line = udocker.fails("-q", *words, f"{mirror.host}/team/app").err
        assert "is blocked" in line and str(path) in line
    assert "is blocked" in udocker.fails("-q", "pull", "app").err
    assert not mirror.asked()
    closed, open_ = (f"[[registry]]\nprefix = \"{{}}\"\nlocation = \"{mirror.host}\"\nblocked = {word}\n" for word in ("true", "false"))
    for prefix, blocked in (("images.example/team", True), ("images.example/tea", False), ("*.example", False)):
        registries(udocker, open_.format("images.example") + closed.format(prefix))
        outcome = udocker.run("manifest", "inspect", "images.example/team/app:v1")
        assert ("is blocked" in outcome.err, outcome.status == 0) == (blocked, not blocked), outcome
    registries(udocker, closed.format("*.example"))
    assert "is blocked" in udocker.fails("-q", "pull", "images.example/team/app:v1").err
    registries(udocker, closed.format("docker.io"))
    # Who names a registry on the command line means it.
    udocker.ok("pull", f"--registry={mirror.url}", "app:v1")


def test_insecure(udocker, content, tmp_path):
    tls = make_tls(tmp_path / "tls")
    with Front(content, [], tls) as front:
        image = f"{front.host}/team/app:v1"
        assert "certificate" in udocker.fails("-q", "pull", image).err
        registries(udocker, f"[[registry]]\nlocation = \"{front.host}\"\ninsecure = true\n")
        udocker.ok("pull", image)
        assert "without having been checked" in udocker.ok("login", "--username=a", "--password-stdin", front.host, stdin=b"b").err
        udocker.ok("pull", f"--registry={front.url}", "app:v1")
        registries(udocker, f"[registries.insecure]\nregistries = [\"{front.host}\"]\n")
        udocker.ok("pull", image)


# ---- files ----------------------------------------------------------------------------------------------------------

def test_which_files(udocker, mirror, home):
    image = "images.example/team/app:v1"
    closed = "[[registry]]\nlocation = \"images.example\"\nblocked = true\n"
    registries(udocker, rule("images.example", home.host))
    udocker.ok("manifest", "inspect", image)
    assert home.asked()
    # Of the drop-in files the last one counts; what is not *.conf is none.
    registries(udocker, closed, "registries.conf.d/10-closed.conf")
    registries(udocker, closed, "registries.conf.d/30-closed.conf~")
    assert "10-closed.conf" in udocker.fails("-q", "manifest", "inspect", image).err
    registries(udocker, rule("images.example", mirror.host), "registries.conf.d/20-open.conf")
    home.forget()
    udocker.ok("manifest", "inspect", image)
    assert mirror.asked() and not home.asked()
    # Another main file, and another folder of the user.
    named = registries(udocker, closed, "named.conf")
    elsewhere = {"CONTAINERS_REGISTRIES_CONF": str(named), "XDG_CONFIG_HOME": str(udocker.home / "config")}
    assert str(named) in udocker.fails("-q", "manifest", "inspect", image, env=elsewhere).err
    assert "no such file" in udocker.fails("-q", "pull", image, env={"CONTAINERS_REGISTRIES_CONF": "/no/such"}).err


@pytest.mark.parametrize("text, why", [
    ("[[registry]\n", "line 1"), ("[[registry]]\nlocation = \"https://images.example\"\n", "is a URL"),
    ("[[registry]]\nblocked = true\n", "neither prefix nor location"), ("x" * (2 << 20), "larger"), ("\0\xff", "line 1"),
    ("x = " + "[" * 100000, "line 1"),
])
def test_bad_files(udocker, mirror, text, why):
    path = registries(udocker, text)
    line = udocker.fails("-q", "pull", f"{mirror.host}/team/app:v1").err
    assert str(path) in line and why in line and not mirror.asked()
    udocker.ok("images")


# Distributions ship lists of registries for names without one; images would be others than those of the Python tool.
def test_names_without_a_registry_keep_their_meaning(udocker, mirror, home):
    registries(udocker, f"unqualified-search-registries = [\"{home.host}\"]\n" + rule("docker.io", mirror.host)
               + f"[aliases]\n\"app\" = \"{home.host}/other/app\"\n")
    udocker.ok("pull", "app:v1")
    assert mirror.asked("/v2/library/app/") and not home.asked()
