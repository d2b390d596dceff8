"""pull, and what it leaves in the repository."""
import hashlib
import json
import random

import pytest

import oci
import screen as terminal_screen
from oci import file, folder


def blobs_on_disk(udocker):
    return sorted(path.name for path in (udocker.top / "layers").iterdir())


def test_pull_leaves_the_image_on_the_python_tools_layout(udocker, registry, pushed):
    reference = pushed("busybox")
    udocker.ok("pull", reference)
    repository, _, tag = reference.rpartition(":")
    place = udocker.top / "repos" / repository / tag
    assert (place / "TAG").is_file() and (place / "v2").is_file()
    manifest = json.loads((place / "manifest").read_text())
    wanted = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    for digest in wanted:
        link = place / digest
        assert link.is_symlink() and not str(link.readlink()).startswith("/")
        assert hashlib.sha256(link.read_bytes()).hexdigest() == digest.removeprefix("sha256:")
    assert blobs_on_disk(udocker) == sorted(wanted)


def test_pull_says_each_layer_on_stderr(udocker, registry):
    image = oci.image([oci.tar_layer([file("a", b"1")]), oci.tar_layer([file("b", b"2")])])
    outcome = udocker.ok("pull", oci.push(registry, "pull/says", "latest", image))
    assert outcome.out == ""
    for blob in image.blobs:
        assert blob.digest in outcome.err


def test_quiet_pull_says_nothing(udocker, pushed):
    outcome = udocker.ok("-q", "pull", pushed("busybox"))
    assert outcome.out == "" and outcome.err == ""


@pytest.mark.parametrize("rows, columns", [(24, 80), (6, 80), (24, 40), (2, 10), (0, 0)])
def test_progress_on_a_terminal(udocker, registry, rows, columns):
    """Every layer has one line at the end, also when there are more than the window has rows or columns."""
    layers = [oci.tar_layer([file("a", random.Random(number).randbytes(20_000))]) for number in range(40)]
    image = oci.image(layers)
    name = f"pull/terminal-{rows}-{columns}"
    oci.push(registry, name, "latest", image)
    environment = {**udocker.environment, "TERM": "xterm"}
    udocker.ok("images")
    status, screen = terminal_screen.run(udocker.command("pull", f"--registry={registry.url}", name), environment, rows or 24, columns or 80)
    assert status == 0
    width = (columns or 80) - 1
    expected = sorted(blob.digest[:19][:width] for blob in image.blobs)
    assert sorted(line[:19] for line in screen.lines if line) == expected
    if width > 70:
        assert all(line.endswith(" done") for line in screen.lines if line)


@pytest.mark.parametrize("term, quiet", [("dumb", False), ("xterm", True)])
def test_terminals_on_which_nothing_moves(udocker, pushed, term, quiet):
    reference = pushed("busybox")
    words = (["-q"] if quiet else []) + ["pull", reference]
    udocker.ok("images")
    status, screen = terminal_screen.run(udocker.command(*words), {**udocker.environment, "TERM": term}, 24, 200)
    assert status == 0
    lines = [line for line in screen.lines if line]
    assert lines == [] if quiet else lines and all(line.startswith("Info: ") for line in lines)


def test_second_pull_fetches_no_blob(udocker, registry):
    reference = oci.push(registry, "pull/twice", "latest", oci.image([oci.tar_layer([file("a", b"only here")])]))
    udocker.ok("pull", reference)
    before = registry.log.count("GET /v2/pull/twice/blobs/")
    udocker.ok("pull", reference)
    assert registry.log.count("GET /v2/pull/twice/blobs/") == before


def test_pull_by_digest(udocker, registry):
    image = oci.image([oci.tar_layer([file("a", b"by digest")])])
    reference = oci.push(registry, "pull/digest", "", image)
    assert "@sha256:" in reference
    udocker.ok("pull", reference)
    container = udocker.create(reference)
    assert (udocker.root_of(container) / "a").read_bytes() == b"by digest"


def test_registry_option(udocker, registry):
    oci.push(registry, "pull/option", "v1", oci.image([oci.tar_layer([file("a", b"x")])]))
    udocker.ok("pull", f"--registry={registry.url}", "pull/option:v1")
    assert "pull/option:v1" in udocker.ok("images").out


def test_registry_from_the_environment(udocker, registry):
    oci.push(registry, "pull/environment", "v1", oci.image([oci.tar_layer([file("a", b"x")])]))
    udocker.ok("pull", "pull/environment:v1", env={"UDOCKER_REGISTRY": registry.url})
    assert "pull/environment:v1" in udocker.ok("images").out


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_media_types(udocker, registry, compression, docker):
    layer = oci.tar_layer([folder("d"), file("d/f", compression.encode() * 5000)], compression, docker)
    reference = oci.push(registry, f"pull/media-{compression}", "latest", oci.image([layer], docker=docker))
    udocker.ok("pull", reference)
    assert (udocker.root_of(udocker.create(reference)) / "d/f").read_bytes() == compression.encode() * 5000


def make_index(registry, name, docker=False, **options):
    """An index over images for several platforms, each with a file that names its own."""
    platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64"]
    entries = []
    for platform in platforms:
        image = oci.image([oci.tar_layer([file("platform", platform.encode())])], platform=platform, docker=docker)
        oci.push(registry, name, "", image)
        os_name, architecture, *variant = platform.split("/")
        entries.append((image, {"os": os_name, "architecture": architecture, **({"variant": variant[0]} if variant else {})}))
    attestation = oci.image([oci.tar_layer([file("platform", b"attestation")])], docker=docker)
    oci.push(registry, name, "", attestation)
    entries.insert(0, (attestation, {"os": "unknown", "architecture": "unknown"}))
    return oci.index(entries, docker=docker)


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
@pytest.mark.parametrize("platform, wanted", [
    (None, "linux/amd64"), ("linux/arm64", "linux/arm64/v8"), ("linux/arm/v7", "linux/arm/v7"),
    ("windows/amd64", "windows/amd64")])
def test_index_choice(udocker, registry, docker, platform, wanted):
    name = f"pull/index-{docker}".lower()
    reference = oci.push_manifest(registry, name, "latest", make_index(registry, name, docker))
    udocker.ok("pull", *([f"--platform={platform}"] if platform else []), reference)
    assert (udocker.root_of(udocker.create(reference)) / "platform").read_text() == wanted


@pytest.mark.parametrize("options, wanted", [
    ([], "linux/amd64"), (["--platform=linux/amd64/v3"], "linux/amd64/v3"), (["--platform=linux/amd64/v2"], "linux/amd64/v2"),
    (["--platform=linux"], "linux/amd64")])
def test_index_with_levels_of_the_processor(udocker, registry, options, wanted):
    """A repository may be shared with nodes that are older: the plain entry, whatever this processor has."""
    name = "pull/levels"
    entries = []
    for variant in ("v4", "v3", "v2", ""):
        platform = {"os": "linux", "architecture": "amd64", **({"variant": variant} if variant else {})}
        text = "/".join(platform.values())
        image = oci.image([oci.tar_layer([file("platform", text.encode())])], platform=text)
        oci.push(registry, name, "", image)
        entries.append((image, platform))
    reference = oci.push_manifest(registry, name, "latest", oci.index(entries))
    udocker.ok("pull", *options, reference)
    assert (udocker.root_of(udocker.create(reference)) / "platform").read_text() == wanted


def test_nested_index(udocker, registry):
    name = "pull/nested"
    inner = make_index(registry, name)
    oci.push_manifest(registry, name, "", inner)
    reference = oci.push_manifest(registry, name, "latest", oci.index([(inner, {})]))
    udocker.ok("pull", reference)
    assert (udocker.root_of(udocker.create(reference)) / "platform").read_text() == "linux/amd64"


def test_platform_that_is_not_there(udocker, registry):
    name = "pull/no-platform"
    reference = oci.push_manifest(registry, name, "latest", make_index(registry, name))
    outcome = udocker.fails("pull", "--platform=linux/riscv64", reference)
    assert "linux/riscv64" in outcome.err
    assert blobs_on_disk(udocker) == []


def test_moved_tag_leaves_no_garbage(udocker, registry):
    shared = oci.tar_layer([file("base", b"stays")])
    first = oci.image([shared, oci.tar_layer([file("a", b"first")])])
    second = oci.image([shared, oci.tar_layer([file("a", b"second")])])
    reference = oci.push(registry, "pull/moved", "latest", first)
    udocker.ok("pull", reference)
    oci.push(registry, "pull/moved", "latest", second)
    udocker.ok("pull", reference)
    assert blobs_on_disk(udocker) == sorted(blob.digest for blob in second.blobs)
    assert (udocker.root_of(udocker.create(reference)) / "a").read_bytes() == b"second"


# ---- bad input ------------------------------------------------------------------------------------------------

def test_unknown_image(udocker, registry):
    outcome = udocker.fails("pull", f"{registry.host}/no/such:thing")
    assert "no/such:thing" in outcome.err
    assert udocker.ok("-q", "images").out == ""
    assert not list((udocker.top / "repos").iterdir())


def test_unreachable_registry(udocker):
    from registry import free_port
    host = f"127.0.0.1:{free_port()}"
    outcome = udocker.fails("pull", f"{host}/any/thing:v1")
    assert host in outcome.err
    assert not list((udocker.top / "repos").iterdir())


@pytest.mark.parametrize("reference", ["", "UPPER/case", "a//b", "a:b:c:d", "../../etc", "a@sha256:12", "x" * 300])
def test_bad_reference(udocker, reference):
    udocker.ok("images")
    before = udocker.snapshot()
    udocker.fails("pull", reference)
    assert udocker.snapshot() == before


def spoil(registry, digest, data):
    """Replaces what the registry stores under a digest."""
    value = digest.removeprefix("sha256:")
    (registry.blobs / "sha256" / value[:2] / value / "data").write_bytes(data)


# Q9 of the Python tool: what is pulled is not verified.
@pytest.mark.parametrize("spoiled", ["same length", "shorter", "empty"])
def test_wrong_bytes_are_refused(udocker, registry, spoiled):
    layer = oci.tar_layer([file("a", f"wrong bytes {spoiled}".encode())])
    name = f"pull/spoiled-{spoiled.replace(' ', '-')}"
    reference = oci.push(registry, name, "latest", oci.image([layer]))
    wrong = {"same length": layer.data[:-9] + b"\0" + layer.data[-8:], "shorter": layer.data[:-9], "empty": b""}[spoiled]
    if wrong == layer.data:
        wrong = layer.data[:-9] + b"\1" + layer.data[-8:]
    spoil(registry, layer.digest, wrong)
    outcome = udocker.fails("pull", reference)
    assert layer.digest in outcome.err
    assert layer.digest not in blobs_on_disk(udocker)
    assert udocker.ok("-q", "images").out == ""
    spoil(registry, layer.digest, layer.data)
    udocker.ok("pull", reference)


# Q14 of the Python tool: an interrupted update breaks the image that was there.
def test_failed_pull_of_a_moved_tag_keeps_the_old_image(udocker, registry):
    first = oci.image([oci.tar_layer([file("a", b"the good one")])])
    layer = oci.tar_layer([file("a", b"the spoiled one")])
    reference = oci.push(registry, "pull/keeps", "latest", first)
    udocker.ok("pull", reference)
    before = udocker.snapshot()
    oci.push(registry, "pull/keeps", "latest", oci.image([layer]))
    spoil(registry, layer.digest, b"x" * len(layer.data))
    udocker.fails("pull", reference)
    assert {key: value for key, value in udocker.snapshot().items() if key in before} == before
    assert (udocker.root_of(udocker.create(reference)) / "a").read_bytes() == b"the good one"


def test_descriptor_that_lies_about_the_size(udocker, registry):
    layer = oci.tar_layer([file("a", b"some size")])
    lying = oci.Blob(layer.data, layer.media_type, size=len(layer.data) + 1, diff_id=layer.diff_id)
    image = oci.image([lying])
    for blob in image.blobs:
        oci.push_blob(registry, "pull/size", blob)
    try:
        reference = oci.push_manifest(registry, "pull/size", "latest", image.manifest)
    except OSError:
        pytest.fail("the registry refused the manifest that this test is about")
    assert layer.digest in udocker.fails("pull", reference).err


# ---- TLS and credentials --------------------------------------------------------------------------------------

def test_unknown_authority_is_refused(udocker, tls_registry):
    outcome = udocker.fails("pull", f"{tls_registry.host}/any/thing:v1")
    assert "certificate" in outcome.err
    assert tls_registry.host in outcome.err


def store_credentials(udocker, registry):
    import base64
    import os
    auth = base64.b64encode(f"{registry.credentials.user}:{registry.credentials.password}".encode()).decode()
    udocker.top.mkdir(exist_ok=True)
    keystore = udocker.home / ".udocker/keystore"
    keystore.write_text(json.dumps({registry.url: {"auth": auth, "email": ""}}))
    os.chmod(keystore, 0o600)


@pytest.mark.parametrize("variable", ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_tls_with_basic_credentials(udocker, tls_registry, variable):
    image = oci.image([oci.tar_layer([file("a", b"behind a password")])])
    reference = oci.push(tls_registry, "tls/basic", "latest", image)
    trust = {variable: str(tls_registry.tls.authority)}
    outcome = udocker.fails("pull", reference, env=trust)
    assert "tls/basic" in outcome.err
    store_credentials(udocker, tls_registry)
    outcome = udocker.ok("pull", reference, env=trust)
    assert "se:cret" not in outcome.err + outcome.out
    assert (udocker.root_of(udocker.create(reference)) / "a").read_bytes() == b"behind a password"


def test_insecure_skips_the_certificate_check(udocker, tls_registry):
    reference = oci.push(tls_registry, "tls/insecure", "latest", oci.image([oci.tar_layer([file("a", b"x")])]))
    store_credentials(udocker, tls_registry)
    udocker.ok("--insecure", "pull", reference)


def test_debug_output_hides_secrets(udocker, tls_registry):
    reference = oci.push(tls_registry, "tls/secret", "latest", oci.image([oci.tar_layer([file("a", b"x")])]))
    store_credentials(udocker, tls_registry)
    outcome = udocker.ok("-D", "--insecure", "pull", reference)
    shown = outcome.out + outcome.err
    assert tls_registry.credentials.password not in shown
    assert tls_registry.credentials.header().removeprefix("Basic ") not in shown
