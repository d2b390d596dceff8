"""verify: says what is wrong with an image, and fetches it again."""
import gzip
import hashlib
import json
import os
import pathlib

import pytest

import archives
import oci
from oci import file, folder, tar_layer
from test_fixture_tree import python  # noqa: F401  (a fixture)
from test_import import PLAIN

ONE = tar_layer([folder("d"), file("d/one", os.urandom(3000))])
TWO = tar_layer([file("two", b"two")], "none")
IMAGE = oci.image([ONE, TWO], {"Env": ["A=b"]})
CONFIG = IMAGE.blobs[0]


@pytest.fixture
def pulled(udocker, registry, request) -> str:
    name = "verify/" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    reference = oci.push(registry, name, "1", IMAGE)
    udocker.ok("pull", reference)
    return reference


def blob(udocker, part: oci.Blob) -> pathlib.Path:
    return udocker.top / "layers" / part.digest


def faults(udocker, reference: str, *options: str, status: int = 1) -> list[str]:
    """The lines that say what is wrong, without the last one."""
    outcome = udocker.run("verify", *options, reference)
    assert outcome.status == status and outcome.out == "", str(outcome)
    errors = [line.removeprefix("Error: ") for line in outcome.err.splitlines() if line.startswith("Error: ")]
    if status == 0:
        return errors
    assert errors[-1].startswith("image verification failure: ") or errors[-1].startswith("repairing "), str(outcome)
    return errors[:-1]


def test_a_whole_image(udocker, pulled):
    before = udocker.snapshot()
    outcome = udocker.ok("verify", pulled)
    assert outcome.out == "" and outcome.err.splitlines() == [
        f"Info: verifying: {pulled}", f"Info: configuration {CONFIG.digest} ok", f"Info: layer {ONE.digest} ok",
        f"Info: layer {TWO.digest} ok", "Info: image Ok"]
    assert udocker.ok("-q", "verify", pulled).err == ""
    assert udocker.snapshot() == before


def flip(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def damage_manifest(udocker, reference: str) -> None:
    (udocker.top / "repos" / reference.replace(":1", "/1") / "manifest").write_text("{")


DAMAGE = {
    "other bytes in a layer": (lambda u, r: flip(blob(u, ONE)), [f"layer {ONE.digest}: its content does not match its digest"]),
    "other bytes in a plain layer": (lambda u, r: flip(blob(u, TWO)), [f"layer {TWO.digest}: its content does not match its digest"]),
    "short layer": (lambda u, r: os.truncate(blob(u, ONE), 100),
                    [f"layer {ONE.digest}: it has 100 bytes, not the {ONE.size} that the manifest says"]),
    "missing layer": (lambda u, r: blob(u, TWO).unlink(), [f"layer {TWO.digest}: it is missing"]),
    "missing link": (lambda u, r: (u.top / "repos" / r.replace(":1", "/1") / TWO.digest).unlink(), [f"layer {TWO.digest}: it is missing"]),
    "missing configuration": (lambda u, r: blob(u, CONFIG).unlink(), [f"configuration {CONFIG.digest}: it is missing"]),
    "other configuration": (lambda u, r: flip(blob(u, CONFIG)), [f"configuration {CONFIG.digest}: its content does not match its digest"]),
    "everything": (lambda u, r: [flip(blob(u, part)) for part in (CONFIG, ONE, TWO)],
                   [f"{kind} {part.digest}: its content does not match its digest"
                    for kind, part in (("configuration", CONFIG), ("layer", ONE), ("layer", TWO))]),
    "manifest": (damage_manifest, ["manifest: "]),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_told_and_repaired(udocker, pulled, name):
    damage, expected = DAMAGE[name]
    whole = udocker.snapshot()
    damage(udocker, pulled)
    found = faults(udocker, pulled)
    assert len(found) == len(expected) and all(line.startswith(start) for line, start in zip(found, expected)), found
    assert len(faults(udocker, pulled, "--repair", status=0)) == len(expected)
    assert udocker.snapshot() == whole
    for part in (CONFIG, ONE, TWO):
        assert blob(udocker, part).read_bytes() == part.data
    udocker.create(pulled)


def test_repair_of_a_whole_image_asks_nobody(udocker, pulled):
    assert faults(udocker, pulled, "--repair", "--registry=http://127.0.0.1:1", status=0) == []


def test_repair_from_another_registry(udocker, registry, pulled):
    name = pulled.partition("/")[2]
    udocker.ok("tag", pulled, name)
    flip(blob(udocker, ONE))
    faults(udocker, name, "--repair", f"--registry=http://{registry.host}", status=0)
    assert faults(udocker, pulled, status=0) == []


def test_repair_after_the_tag_has_moved(udocker, registry, pulled):
    oci.push(registry, pulled.partition("/")[2].rpartition(":")[0], "1", oci.image([TWO]))
    flip(blob(udocker, ONE))
    faults(udocker, pulled, "--repair", status=0)
    assert blob(udocker, ONE).read_bytes() == ONE.data


def test_what_no_registry_has_cannot_be_repaired(udocker, registry):
    udocker.ok("import", "-", f"{registry.host}/never/pushed:1", stdin=gzip.compress(PLAIN))
    [layer] = [path for path in (udocker.top / "layers").iterdir() if path.read_bytes()[:2] == b"\x1f\x8b"]
    flip(layer)
    outcome = udocker.run("verify", "--repair", f"{registry.host}/never/pushed:1")
    assert outcome.status == 1 and f"Error: repairing {registry.host}/never/pushed:1: " in outcome.err
    assert layer.exists()


def load_unchecked(udocker, image: oci.Image) -> None:
    """An OCI layout, whose layers are not unpacked when it is loaded."""
    udocker.ok("load", stdin=oci.tar_bytes(archives.oci_layout(
        [archives.entry_of(image.manifest, "odd:1")], [image.manifest, *image.blobs])))


def test_layers_that_are_not_those_of_the_configuration(udocker):
    other = oci.Blob(ONE.data, ONE.media_type, diff_id=TWO.diff_id)
    load_unchecked(udocker, oci.image([other, TWO]))
    [line] = faults(udocker, "odd:1")
    assert line.startswith(f"layer {ONE.digest}: the digest of its content is {ONE.diff_id}")
    image = oci.image([ONE, TWO], rootfs={"type": "layers", "diff_ids": [ONE.diff_id]})
    udocker.ok("rmi", "odd:1")
    load_unchecked(udocker, image)
    assert faults(udocker, "odd:1") == ["manifest: it lists 2 layers, the configuration 1"]


@pytest.mark.parametrize("entries, complaint", [([file("../climbs", b"x")], "climbs"), (b"no archive" * 100, "neither a tar archive")])
def test_layers_that_cannot_be_unpacked(udocker, entries, complaint):
    layer = oci.layer_of(entries) if isinstance(entries, bytes) else tar_layer(entries)
    if isinstance(entries, bytes):
        layer = oci.layer_of(entries, "none")
    load_unchecked(udocker, oci.image([layer]))
    [line] = faults(udocker, "odd:1")
    assert line.startswith(f"layer {layer.digest}: ") and complaint in line


def test_imported_image(udocker):
    """Q52: its diff_ids were those of the compressed file."""
    udocker.ok("import", "-", "imported:1", stdin=gzip.compress(PLAIN))
    assert faults(udocker, "imported:1", status=0) == []


@pytest.mark.parametrize("image", ["fixtures/tiny:1.0", "tinyoci:1.0", "fixtures/renamed:9", "imported:2"])
def test_images_of_the_python_tool(python, image):  # noqa: F811
    """Q54: copies of loaded archives failed to verify."""
    assert faults(python, image, status=0) == []


def test_damaged_images_of_the_python_tool(python):  # noqa: F811
    for layer in (python.top / "layers").iterdir():
        if layer.read_bytes()[:2] == b"\x1f\x8b":
            flip(layer)
    assert [line.split(":")[0] for line in faults(python, "fixtures/tiny:1.0")] == ["layer sha256"] * 2
    assert len(faults(python, "tinyoci:1.0")) == 2
    metadata = next((python.top / "repos/imported/2").glob("ancestry"))
    metadata.write_text(json.dumps(["../../../keystore"]))
    assert faults(python, "imported:2")[0].startswith("metadata: ")


def test_words(udocker):
    assert "selecting image and tag: image not found: absent" in udocker.fails("verify", "absent").err
    assert "must specify image:tag" in udocker.fails("verify").err
