"""Manifests and indexes that are not what they should be, and names that mean more than one thing."""
from __future__ import annotations

import hashlib
import json

import pytest

import oci
from oci import file
from registry_front import Front, StaticRegistry, Status, append, corrupt, header

MANIFEST, DOCKER_MANIFEST = oci.MEDIA["manifest"]
INDEX, _ = oci.MEDIA["index"]


@pytest.fixture
def image():
    return oci.image([oci.tar_layer([file("a", b"the file")])])


@pytest.fixture
def content(image):
    static = StaticRegistry()
    static.add("team/app", "v1", image)
    return static


def document(text, media_type=MANIFEST):
    return oci.Blob(text if isinstance(text, bytes) else json.dumps(text).encode(), media_type)


def file_of(udocker, reference):
    return (udocker.root_of(udocker.create(reference)) / "a").read_bytes()


def refuses(udocker, content, manifest, name="team/app", tag="bad"):
    """The line on stderr of a pull of this manifest."""
    content.add_manifest(name, tag, manifest)
    with Front(content) as front:
        udocker.ok("images")
        before = udocker.snapshot()
        outcome = udocker.fails("-q", "pull", f"{front.host}/{name}:{tag}")
        assert udocker.snapshot() == before
        assert f"{name}:{tag}" in outcome.err
        assert front.asked("/blobs/") == []
        return outcome.err


def test_manifest_that_is_not_the_announced_one(udocker, content, image):
    for rules in ([corrupt("/manifests/")], [append("/manifests/", b" ")],
                  [header("/manifests/", "Docker-Content-Digest", "sha256:" + "0" * 64)]):
        with Front(content, rules) as front:
            udocker.fails("-q", "pull", f"{front.host}/team/app:v1")
            assert len(front.asked()) == 2
    with Front(content, [header("/manifests/", "Docker-Content-Digest", None), append("/manifests/", b" ")]) as front:
        outcome = udocker.fails("-q", "pull", f"{front.host}/team/app@{image.manifest.digest}")
        assert image.manifest.digest in outcome.err
    with Front(content, [corrupt("/manifests/", times=1)]) as front:
        udocker.ok("pull", f"{front.host}/team/app:v1")


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain; charset=utf-8", f"{MANIFEST}; x=y"])
def test_manifest_of_a_server_that_knows_no_types(udocker, content, content_type):
    with Front(content, [header("/manifests/", "Content-Type", content_type)]) as front:
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert file_of(udocker, f"{front.host}/team/app:v1") == b"the file"


def test_type_confusion(udocker, content, image):
    text = json.loads(image.manifest.data)
    line = refuses(udocker, content, document({**text, "manifests": []}))
    assert "both" in line
    assert "announced" in refuses(udocker, content, document(text, DOCKER_MANIFEST))
    assert "announced" in refuses(udocker, content, document(text, INDEX))
    del text["mediaType"]
    refuses(udocker, content, document(text, INDEX))


def test_schema_1(udocker, content):
    schema1 = {"schemaVersion": 1, "name": "team/app", "tag": "bad", "fsLayers": [], "history": []}
    for media_type in ("application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json"):
        assert "schema 1" in refuses(udocker, content, document(schema1, media_type))


@pytest.mark.parametrize("text", [
    b"", b"not JSON", b"[]", b"{}", b'{"schemaVersion":2}', b'{"layers":[]}', b'{"config":7,"layers":[]}',
    b'{"a":' * 5000, b"[" * 100_000, b"\xff\xfe", b" " * (5 << 20)],
    ids=["empty", "text", "list", "object", "version", "no config", "wrong config", "deep", "deeper", "binary", "huge"])
def test_documents_that_are_no_manifest(udocker, content, text):
    refuses(udocker, content, document(text))


@pytest.mark.parametrize("digest", [
    "sha256:../../../../etc/passwd", "../../x", "sha256:" + "A" * 64, "sha256:" + "0" * 63, "md5:" + "0" * 32, "", 7])
def test_hostile_digests(udocker, content, image, digest):
    text = json.loads(image.manifest.data)
    text["layers"][0]["digest"] = digest
    assert "digest" in refuses(udocker, content, document(text))


@pytest.mark.parametrize("size", [-1, 1.5, "7", None, 1 << 63, 1e300])
def test_hostile_sizes(udocker, content, image, size):
    text = json.loads(image.manifest.data)
    text["layers"][0]["size"] = size
    assert "size" in refuses(udocker, content, document(text))


def test_artifacts_are_named(udocker, content, image):
    text = json.loads(image.manifest.data)
    text["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    assert "vnd.cncf.helm" in refuses(udocker, content, document(text))


def test_index_of_attestations_alone(udocker, content, image):
    entry = {**image.manifest.descriptor(), "platform": {"os": "unknown", "architecture": "unknown"}}
    marked = {**image.manifest.descriptor(), "platform": {"os": "linux", "architecture": "amd64"},
              "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    text = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry, marked]}
    assert "no image" in refuses(udocker, content, document(text, INDEX))


def test_index_that_contains_itself_cannot_be_made_but_depth_ends(udocker, content, image):
    inner = image
    for _ in range(30):
        inner = oci.index([(inner, {})])
        content.add_manifest("team/app", "", inner)
    assert "nested" in refuses(udocker, content, inner)


def test_unknown_entries_do_not_hide_the_image(udocker, content, image):
    entries = [{"mediaType": "application/vnd.future.thing+json", "digest": "blake3:" + "0" * 64, "size": 1},
               {**image.manifest.descriptor(), "platform": {"os": "linux", "architecture": "amd64", "os.version": "9"}}]
    content.add_manifest("team/app", "v2", document({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX))
    with Front(content) as front:
        udocker.ok("pull", f"{front.host}/team/app:v2")


def test_index_entry_with_another_size(udocker, content, image):
    entry = {**image.manifest.descriptor(), "size": 7}
    index = document({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}, INDEX)
    assert "size" in refuses(udocker, content, index)


# Q17 of the Python tool: an image of any platform is taken for the wanted one.
def test_platform_of_an_image_without_index(udocker, content):
    layer = oci.tar_layer([file("a", b"for another machine")])
    content.add("team/app", "arm", oci.image([layer], platform="linux/arm64/v8"))
    with Front(content) as front:
        reference = f"{front.host}/team/app:arm"
        outcome = udocker.fails("-q", "pull", "--platform=linux/amd64", reference)
        assert "the image is for linux/arm64/v8, not for linux/amd64" in outcome.err
        assert front.asked(layer.digest) == [] and list((udocker.top / "layers").iterdir()) == []
        udocker.ok("pull", "--platform=linux/arm64", reference)
        udocker.ok("rmi", reference)
        # What was not asked for is only told.
        assert "Warning: the image is for linux/arm64/v8" in udocker.ok("pull", reference).err


def test_platform_of_an_index_entry_without_one(udocker, content):
    image = oci.image([oci.tar_layer([file("a", b"for another machine")])], platform="linux/arm64/v8")
    content.add("team/app", "", image)
    content.add_manifest("team/app", "bare", oci.index([(image, {})]))
    with Front(content) as front:
        reference = f"{front.host}/team/app:bare"
        outcome = udocker.fails("-q", "pull", "--platform=linux/amd64", reference)
        assert "the image is for linux/arm64/v8, not for linux/amd64" in outcome.err
        udocker.ok("pull", "--platform=linux/arm64", reference)


def test_layer_that_is_used_twice(udocker, content):
    layer = oci.tar_layer([file("a", b"twice")])
    content.add("team/app", "v2", oci.image([layer, layer]))
    with Front(content) as front:
        udocker.ok("pull", f"{front.host}/team/app:v2")
        assert len(front.asked(layer.digest)) == 1
        assert file_of(udocker, f"{front.host}/team/app:v2") == b"twice"


def test_sha512(udocker, content):
    layer = oci.tar_layer([file("a", b"a long digest")])
    layer.digest = "sha512:" + hashlib.sha512(layer.data).hexdigest()
    content.add("team/app", "v2", oci.image([layer]))
    with Front(content) as front:
        udocker.ok("pull", f"{front.host}/team/app:v2")
        assert file_of(udocker, f"{front.host}/team/app:v2") == b"a long digest"


def test_foreign_layers_are_not_fetched_elsewhere(udocker, content, image):
    with Front(content) as elsewhere:
        text = json.loads(image.manifest.data)
        layer = text["layers"][0]
        layer["urls"] = [f"{elsewhere.url}/v2/team/app/blobs/{layer['digest']}"]
        content.add_manifest("team/app", "v2", document(text))
        with Front(content, [Status(layer["digest"], 404)]) as front:
            outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v2")
            assert layer["digest"] in outcome.err and "foreign" in outcome.err
        assert elsewhere.asked() == []


# ---- names ----------------------------------------------------------------------------------------------------

def test_lone_name_at_a_registry_of_ones_own(udocker, content, image):
    content.add("library/mirrored", "v1", image)
    content.add("plain", "v1", image)
    with Front(content) as front:
        for name in ("mirrored:v1", "plain:v1"):
            udocker.ok("pull", f"--registry={front.url}", name)
            assert f"{name} " in udocker.ok("-q", "images").out
        udocker.fails("pull", f"--registry={front.url}", "absent:v1")


# Q16 of the Python tool: `docker.io/x` ignores the configured registry.
def test_docker_io_follows_the_configured_registry(udocker, content, image):
    content.add("library/mirrored", "latest", image)
    with Front(content) as front:
        udocker.ok("pull", "docker.io/mirrored", env={"UDOCKER_REGISTRY": front.url})
        assert "docker.io/mirrored:latest" in udocker.ok("-q", "images").out


def test_host_in_the_name_holds_over_the_option(udocker, content):
    with Front(content) as front:
        udocker.ok("pull", "--registry=http://127.0.0.1:1", f"{front.host}/team/app:v1")


# Q10 of the Python tool: `host:port/name` and `name:tag@digest` do not work, or ask Docker Hub.
def test_tag_beside_digest(udocker, content, image):
    with Front(content) as front:
        udocker.ok("pull", f"{front.host}/team/app:whatever@{image.manifest.digest}")
        assert front.asked("/manifests/whatever") == []
        assert file_of(udocker, f"{front.host}/team/app@{image.manifest.digest}") == b"the file"
        # The name that the Python tool shows and understands.
        assert file_of(udocker, f"{front.host}/team/app:{image.manifest.digest}") == b"the file"
