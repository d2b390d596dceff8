"""Credentials that other tools have stored: their files, and the helpers that these name."""
from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import oci
from registry import Credentials, Registry
from registry_front import Basic, Bearer, Front, StaticRegistry, TokenServer

SECRET = "pass:wörd&more"
USERS = {"someone": SECRET}
BUSY_LIMIT = 600  # seconds; not a measure of anything


def entry(user: str = "someone", password: str = SECRET) -> dict:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def write(path: pathlib.Path, document: object) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def docker_config(udocker, document: object) -> pathlib.Path:
    return write(udocker.home / ".docker/config.json", document)


@pytest.fixture
def content():
    static = StaticRegistry()
    static.add("team/app", "v1", oci.image([oci.tar_layer([oci.file("one", b"1")])]))
    return static


@pytest.fixture
def guarded(content):
    """A registry that wants a name and a password."""
    with Front(content, [Basic(USERS)]) as front:
        yield front


@pytest.fixture(scope="module")
def real_registry(tmp_path_factory):
    with_user = Registry(tmp_path_factory.mktemp("guarded"), credentials=Credentials("someone", "se:cret word")).start()
    oci.push(with_user, "team/app", "v1", oci.image([oci.tar_layer([oci.file("one", b"1")])]))
    yield with_user
    with_user.stop()


def helper(folder: pathlib.Path, name: str, script: str) -> pathlib.Path:
    """A credential helper; returns where it notes what it was asked."""
    program = folder / f"docker-credential-{name}"
    asked = folder / f"{name}-asked"
    program.write_text(f"#!/bin/bash\nserver=$(cat)\necho \"$1 $server\" >>'{asked}'\n{script}\n")
    program.chmod(0o755)
    return asked


@pytest.fixture
def helpers(udocker):
    """A folder of the PATH."""
    folder = udocker.home / "bin"
    folder.mkdir()
    udocker.environment["PATH"] = f"{folder}:{udocker.environment['PATH']}"
    return folder


GOOD = f"""echo '{json.dumps({"ServerURL": "x", "Username": "someone", "Secret": SECRET})}'"""
NONE = "echo 'credentials not found in native keychain'; exit 1"


# ---- files of real tools --------------------------------------------------------------------------------------

@pytest.mark.parametrize("tool", ["skopeo", "podman"])
@pytest.mark.parametrize("namespace", ["", "/team"])
def test_files_of_real_tools(udocker, real_registry, tmp_path, tool, namespace):
    runtime = tmp_path / "run"
    (runtime / "containers").mkdir(parents=True)
    runtime.chmod(0o700)
    auth_file = runtime / "containers/auth.json"
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(tmp_path)}
    done = subprocess.run([tool, "login", "--authfile", auth_file, "--tls-verify=false", "--username=someone",
                           "--password-stdin", real_registry.host + namespace], input=b"se:cret word", env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    assert list(json.loads(auth_file.read_text())["auths"]) == [real_registry.host + namespace]
    image = f"{real_registry.host}/team/app:v1"
    assert "a login is needed" in udocker.fails("-q", "pull", image).err
    told = udocker.ok("-D", "pull", image, env={"XDG_RUNTIME_DIR": str(runtime)})
    assert f"from {auth_file}" in told.err and "se:cret" not in told.err + told.out
    udocker.ok("rmi", image)
    udocker.ok("manifest", "inspect", image, env={"REGISTRY_AUTH_FILE": str(auth_file)})
    # What the tool forgets is forgotten.
    subprocess.run([tool, "logout", "--authfile", auth_file, real_registry.host + namespace], env=environment, check=True,
                   stdout=subprocess.PIPE)
    assert "a login is needed" in udocker.fails("-q", "pull", image, env={"REGISTRY_AUTH_FILE": str(auth_file)}).err


# ---- places and forms -------------------------------------------------------------------------------------------

def test_order_of_places(udocker, guarded, tmp_path):
    """Each place in turn holds the right password, and all behind it wrong ones."""
    home = udocker.home
    environment = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    wrong = entry(password="not this one")
    legacy = write(home / ".dockercfg", {guarded.url: entry()})
    places = [
        (home / ".docker/config.json", {}), (home / "docker/config.json", {"DOCKER_CONFIG": str(home / "docker")}),
        (home / ".config/containers/auth.json", {}),
        (home / "config/containers/auth.json", {"XDG_CONFIG_HOME": str(home / "config")}),
        (tmp_path / "run/containers/auth.json", {}), (home / "named", {"REGISTRY_AUTH_FILE": str(home / "named")})]
    image = f"{guarded.host}/team/app:v1"
    udocker.ok("manifest", "inspect", image, env=environment)
    write(legacy, {guarded.url: wrong})
    for place, variables in places:
        environment.update(variables)
        write(place, {"auths": {guarded.host: entry()}})
        told = udocker.ok("-D", "manifest", "inspect", image, env=environment)
        assert f"from {place}" in told.err
        write(place, {"auths": {guarded.host: wrong}})
    # The keystore goes before all of them.
    keystore = write(udocker.top / "keystore", {f"https://{guarded.host}": {**entry(), "email": ""}})
    keystore.chmod(0o600)
    assert f"from {keystore}" in udocker.ok("-D", "manifest", "inspect", image, env=environment).err


def test_run_and_search_use_them(udocker, guarded, real_registry):
    docker_config(udocker, {"auths": {guarded.host: entry()}})
    assert udocker.ok("search", "--list-tags", f"{guarded.host}/team/app").lines == ["v1"]
    # The image has no program: what counts is that it was fetched.
    udocker.run("run", f"{guarded.host}/team/app:v1", "/one")
    assert f"{guarded.host}/team/app:v1" in udocker.ok("images").out


def test_longest_namespace_wins(udocker, guarded):
    wrong = entry(password="not this one")
    docker_config(udocker, {"auths": {guarded.host: wrong, f"{guarded.host}/team": entry(), f"{guarded.host}/tea": wrong}})
    udocker.ok("pull", f"{guarded.host}/team/app:v1")
    config = docker_config(udocker, {"auths": {guarded.host: entry(), f"{guarded.host}/team/app": wrong}})
    line = udocker.fails("-q", "pull", f"{guarded.host}/team/app:v1").err
    assert f"the credentials from {config} were refused" in line and "not this one" not in line


def test_identity_token(udocker, content):
    tokens = TokenServer({}, key="access_token", forms=("refresh_token",), identity_tokens=(SECRET,))
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        # As docker stores it for some registries: a user without a meaning, no password.
        docker_config(udocker, {"auths": {front.host: {**entry("00000000-0000", ""), "identitytoken": SECRET}}})
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert {request.method for request in realm.asked()} == {"POST"}


def test_registry_token(udocker, content):
    tokens = TokenServer(USERS)
    tokens.accepts = lambda token, scope: token == "ready-made"
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        config = docker_config(udocker, {"auths": {front.host: {"registrytoken": "ready-made"}}})
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert realm.asked() == []
        docker_config(udocker, {"auths": {front.host: {"registrytoken": "too-old"}}})
        line = udocker.fails("-q", "manifest", "inspect", f"{front.host}/team/app:v1").err
        assert f"the credentials from {config} were refused" in line and "too-old" not in line


# ---- bad files ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", ["{\"auths\": SECRET", "[\"SECRET\"]", "{\"auths\": \"SECRET\"}", "x" * (2 << 20),
                                  "[" * 1000000], ids=["cut", "list", "text", "long", "deep"])
def test_bad_files(udocker, content, guarded, text):
    config = docker_config(udocker, text)
    outcome = udocker.run("pull", f"{guarded.host}/team/app:v1")
    warnings = [line for line in outcome.err.splitlines() if line.startswith("Warning: ")]
    assert outcome.status == 1 and len(warnings) == 1 and str(config) in warnings[0]
    assert "SECRET" not in outcome.err and "a login is needed" in outcome.err
    # Who is not asked for credentials looks for none.
    with Front(content) as front:
        assert str(config) not in udocker.ok("pull", f"{front.host}/team/app:v1").err


def test_bad_entry_and_missing_file(udocker, guarded):
    docker_config(udocker, {"auths": {guarded.host: {"auth": "SECRET*"}}})
    write(udocker.home / ".dockercfg", {guarded.host: entry()})
    told = udocker.ok("pull", f"{guarded.host}/team/app:v1", env={"REGISTRY_AUTH_FILE": str(udocker.home / "missing")}).err
    warnings = [line for line in told.splitlines() if line.startswith("Warning: ")]
    assert len(warnings) == 2 and "missing" in warnings[0] and guarded.host in warnings[1] and "SECRET" not in told


# ---- helpers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["helper", "store", "store and entry"])
def test_helpers(udocker, guarded, helpers, form):
    asked = helper(helpers, "good", GOOD)
    wrong = helper(helpers, "other", NONE)
    auths = {guarded.host: {}} if form != "store and entry" else {guarded.host: entry(password="old one")}
    named = {"credHelpers": {guarded.host: "good"}, "credsStore": "other"} if form == "helper" else {"credsStore": "good"}
    docker_config(udocker, {"auths": auths, **named})
    told = udocker.ok("-D", "pull", f"{guarded.host}/team/app:v1")
    assert asked.read_text() == f"get {guarded.host}\n" and not wrong.exists()
    assert "docker-credential-good" in told.err and SECRET not in told.err


def test_the_helper_of_pass(udocker, guarded):
    """docker-credential-pass, which says of what it does not know that its secret is empty."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gpg-"))  # it takes no long path
    variables = {"GNUPGHOME": str(folder), "PASSWORD_STORE_DIR": str(udocker.home / "pass")}
    environment = {**udocker.environment, **variables}

    def run(*words: str, stdin: str = "") -> None:
        subprocess.run(words, input=stdin.encode(), env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    try:
        run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "someone@example.invalid", "default", "default", "never")
        run("pass", "init", "someone@example.invalid")
        docker_config(udocker, {"credsStore": "pass"})
        nothing = udocker.fails("-q", "pull", f"{guarded.host}/team/app:v1", env=variables).err
        assert "a login is needed" in nothing
        run("docker-credential-pass", "store",
            stdin=json.dumps({"ServerURL": guarded.host, "Username": "someone", "Secret": SECRET}))
        assert "Warning" not in udocker.ok("pull", f"{guarded.host}/team/app:v1", env=variables).err
    finally:
        run("gpgconf", "--kill", "all")
        shutil.rmtree(folder)


def test_helper_without_credentials(udocker, guarded, helpers):
    helper(helpers, "none", NONE)
    docker_config(udocker, {"credsStore": "none"})
    assert "a login is needed" in udocker.fails("-q", "pull", f"{guarded.host}/team/app:v1").err
    docker_config(udocker, {"credsStore": "none", "auths": {guarded.host: entry()}})
    assert "Warning" not in udocker.ok("pull", f"{guarded.host}/team/app:v1").err


def test_helper_with_an_identity_token(udocker, content, helpers):
    helper(helpers, "good", GOOD.replace("someone", "<token>"))
    tokens = TokenServer({}, key="access_token", forms=("refresh_token",), identity_tokens=(SECRET,))
    with Front(tokens) as realm, Front(content, [Bearer(tokens, realm)]) as front:
        docker_config(udocker, {"credHelpers": {front.host: "good"}})
        udocker.ok("pull", f"{front.host}/team/app:v1")


@pytest.mark.parametrize("script, why", [
    ("sleep 10000 & echo $! >$0-child; wait", "no answer in time"),
    ("exec yes SECRET", "bytes of output"),
    ("echo SECRET", "not JSON"),
    ("echo 'the keyring is locked'; exit 1", "the keyring is locked"),
    ("echo '{\"Username\": \"someone\", \"Secret\": \"SECRET\"}'; exit 7", "status 7"),
    ("kill -9 $$", "signal 9"),
], ids=["hangs", "floods", "no json", "fails", "fails with json", "killed"])
def test_helpers_that_fail(udocker, content, guarded, helpers, script, why):
    helper(helpers, "bad", script)
    write(udocker.top / "udocker.conf", "credential_helper_timeout = 2\n")
    config = docker_config(udocker, {"credsStore": "bad"})
    outcome = udocker.run("-D", "pull", f"{guarded.host}/team/app:v1")
    warnings = [line for line in outcome.err.splitlines() if line.startswith("Warning: ")]
    assert len(warnings) == 1 and why in warnings[0] and str(config) in warnings[0]
    assert outcome.status == 1 and "a login is needed" in outcome.err and "SECRET" not in outcome.err
    child = helpers / "docker-credential-bad-child"
    if child.exists():
        wait_for_end(int(child.read_text()))


def wait_for_end(process: int) -> None:
    """Of a process that somebody else reaps, whenever that is."""
    give_up = time.monotonic() + BUSY_LIMIT
    with contextlib.suppress(OSError):
        while ") Z " not in pathlib.Path(f"/proc/{process}/stat").read_text():
            assert time.monotonic() < give_up, "it runs on"
            time.sleep(0.02)


def test_helper_that_is_missing_or_no_name(udocker, guarded, helpers, tmp_path):
    helper(tmp_path, "away", GOOD)
    for name in ("away", f"x/../../{tmp_path.name}/away", "../away"):
        docker_config(udocker, {"credsStore": name})
        outcome = udocker.run("pull", f"{guarded.host}/team/app:v1")
        assert outcome.status == 1 and outcome.err.count("Warning: ") == 1
    assert not (tmp_path / "away-asked").exists()


def test_helpers_can_be_switched_off(udocker, guarded, helpers):
    asked = helper(helpers, "good", GOOD)
    docker_config(udocker, {"credsStore": "good"})
    write(udocker.top / "udocker.conf", "credential_helper_timeout = 0\n")
    udocker.fails("-q", "pull", f"{guarded.host}/team/app:v1")
    assert not asked.exists()


def test_interrupted_while_a_helper_thinks(udocker, guarded, helpers):
    started = helpers / "started"
    helper(helpers, "slow", f"echo $$ >'{started}.new'; mv '{started}.new' '{started}'; exec sleep 10000")
    docker_config(udocker, {"credsStore": "slow"})
    process = udocker.start("pull", f"{guarded.host}/team/app:v1")
    while not started.exists() and process.poll() is None:
        time.sleep(0.02)
    child = int(started.read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=BUSY_LIMIT)
    assert process.returncode not in (0, None) and b"Warning" not in err
    wait_for_end(child)


def test_secrets_are_in_no_argument(udocker, guarded, helpers, tmp_path):
    helper(helpers, "good", GOOD)
    docker_config(udocker, {"credsStore": "good"})
    trace = tmp_path / "trace"
    udocker.ok("pull", f"{guarded.host}/team/app:v1", prefix=["strace", "-f", "-s", "4096", "-e", "trace=execve", "-o", str(trace)])
    text = trace.read_text()
    assert "docker-credential-good" in text and "pass:w" not in text
