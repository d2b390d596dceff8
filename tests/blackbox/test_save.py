"""save: what docker, podman, skopeo, the Python tool and ourselves load again."""
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time

import pytest

import archives
import oci
from oci import file, folder, hardlink, symlink, tar_layer, whiteout
from test_fixture_tree import python  # noqa: F401  (a fixture)
from test_import import PLAIN
from trees import tree_of

BASE = tar_layer([folder("etc"), file("etc/a", b"base", mode=0o640, gid=42), file("etc/b", b"base"), symlink("etc/l", "a"),
                  hardlink("etc/h", "etc/a"), file("etc/su", b"x", mode=0o4755), folder("tmp", mode=0o1777, mtime=1_234_567_890.5)])
ONE = tar_layer([file("etc/a", b"one"), whiteout("etc/b")])
TWO = tar_layer([file("etc/two", b"two")], "none")
CONFIG = {"Cmd": ["/bin/x"], "Env": ["A=b"], "Labels": {"ü": "é"}}


@pytest.fixture
def pull(udocker, registry):
    """pull(name, layer, ..): an image of these layers from the registry; its reference."""
    def run(name: str, *layers) -> str:
        reference = oci.push(registry, f"save/{name}", "1", oci.image(list(layers), CONFIG))
        udocker.ok("pull", reference)
        return reference
    return run


def members_of(data: bytes) -> dict[str, bytes]:
    """The files of an archive by name; hard links have their target's content."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if not member.isdir()}


def below(tree: dict) -> dict:
    """Without the top folder, which is not in the layers: everybody makes it with the time of now."""
    return {path: what for path, what in tree.items() if path != "."}


def plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def check_archive(data: bytes) -> list[dict]:
    """Everything that a strict reader asks for; returns manifest.json."""
    members = members_of(data)
    listing = json.loads(members["manifest.json"])
    for entry in listing:
        config = members[entry["Config"]]
        assert entry["Config"] == hashlib.sha256(config).hexdigest() + ".json"
        assert [oci.digest_of(plain(members[path])) for path in entry["Layers"]] == json.loads(config)["rootfs"]["diff_ids"]
    return listing


def check_for_the_python_tool(data: bytes, name: str) -> None:
    """It starts at `repositories`, follows the parents, and wants VERSION, json and layer.tar of each."""
    members = members_of(data)
    repository, _, tag = name.rpartition(":")
    [entry] = [entry for entry in json.loads(members["manifest.json"]) if name in entry["RepoTags"]]
    chain, at = [], json.loads(members["repositories"])[repository][tag]
    while at:
        assert members[f"{at}/VERSION"] == b"1.0"
        metadata = json.loads(members[f"{at}/json"])
        assert metadata["id"] == at and len(at) == 64
        chain.append(members[f"{at}/layer.tar"])
        at = metadata.get("parent")
    assert chain[::-1] == [members[path] for path in entry["Layers"]]


def test_one_image(udocker, pull, tmp_path):
    reference = pull("one", BASE, ONE)
    assert udocker.ok("save", "-o", tmp_path / "saved.tar", reference).out == ""
    data = (tmp_path / "saved.tar").read_bytes()
    [entry] = check_archive(data)
    assert entry["RepoTags"] == [reference]
    # The digest of the configuration stays what it was at the registry (Q34: it changed).
    config = json.loads((udocker.top / "repos" / reference.replace(":1", "/1") / "manifest").read_text())["config"]["digest"]
    assert entry["Config"] == config[7:] + ".json"
    check_for_the_python_tool(data, reference)
    # The layers as they are stored.
    assert {BASE.data, ONE.data} <= set(members_of(data).values())
    assert subprocess.run(["tar", "-tf", tmp_path / "saved.tar"], capture_output=True, check=True).stderr == b""
    assert udocker.ok("save", reference).raw_out == udocker.ok("save", "-", reference).raw_out == data


def test_images_that_share_layers(udocker, pull):
    """Q34: the second image had an empty list of layers and no entry in `repositories`, which named base layers."""
    one, two, three = pull("one", BASE, ONE), pull("two", BASE, TWO), pull("three", TWO, BASE, TWO)
    data = udocker.ok("save", one, two, three, one).raw_out
    listing = check_archive(data)
    assert [entry["RepoTags"] for entry in listing] == [[one], [two], [three]]
    assert [len(entry["Layers"]) for entry in listing] == [2, 2, 3]
    for name in (one, two, three):
        check_for_the_python_tool(data, name)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        contents = [tar.extractfile(member).read() for member in tar if member.isreg() and member.name.endswith("/layer.tar")]
    assert sorted(contents) == sorted([BASE.data, ONE.data, TWO.data])


def test_names_of_one_image_are_listed_together(udocker, pull):
    reference = pull("tags", BASE)
    udocker.ok("load", "x", stdin=udocker.ok("save", reference).raw_out)
    [entry] = check_archive(udocker.ok("save", reference, "x:1").raw_out)
    assert entry["RepoTags"] == [reference, "x:1"]


def test_an_image_named_by_its_digest_has_no_tag(udocker, registry):
    reference = oci.push(registry, "save/digest", "", oci.image([BASE], CONFIG))
    udocker.ok("pull", reference)
    data = udocker.ok("save", reference).raw_out
    [entry] = check_archive(data)
    assert entry["RepoTags"] is None
    assert len(udocker.ok("load", stdin=data).lines) == 1


@pytest.mark.parametrize("layers", [(), (BASE,), (BASE, ONE, TWO), (TWO, BASE, TWO)])
def test_load_gives_the_same_again(udocker, pull, layers):
    reference = pull(f"again-{hashlib.md5(repr(layers).encode()).hexdigest()}", *layers)
    udocker.ok("load", "again", stdin=udocker.ok("save", reference).raw_out)
    assert udocker.ok("inspect", "again:1").out == udocker.ok("inspect", reference).out
    assert below(tree_of(udocker.root_of(udocker.create("again:1")))) == below(tree_of(udocker.root_of(udocker.create(reference))))


def test_skopeo_and_umoci(udocker, pull, tmp_path):
    one, two = pull("one", BASE, ONE), pull("two", BASE, TWO, BASE)
    udocker.ok("save", "-o", tmp_path / "saved.tar", one, two)
    for number, reference in enumerate((one, two)):
        copy = tmp_path / f"layout{number}"
        archives.skopeo("copy", f"docker-archive:{tmp_path}/saved.tar:{reference}", f"oci:{copy}:latest")
        theirs = archives.unpacked(copy, tmp_path / f"bundle{number}")
        ours = tree_of(udocker.root_of(udocker.create(reference)))
        assert below(tree_of(theirs)) == below(ours)


def test_podman(udocker, podman, pull, tmp_path):
    one, two = pull("one", BASE, ONE), pull("two", BASE, TWO)
    udocker.ok("save", "-o", tmp_path / "saved.tar", one, two)
    podman.load(tmp_path / "saved.tar")
    for number, reference in enumerate((one, two)):
        [inspected] = json.loads(podman.run("inspect", reference))
        assert inspected["Config"]["Env"] == ["A=b"] and inspected["Config"]["Labels"] == {"ü": "é"}
        podman.run("save", "--format", "oci-archive", "-o", tmp_path / f"of-podman{number}", reference)
        udocker.ok("load", "-i", tmp_path / f"of-podman{number}", f"back{number}:1")
        assert below(tree_of(udocker.root_of(udocker.create(f"back{number}:1")))) == \
            below(tree_of(udocker.root_of(udocker.create(reference))))


def test_a_whole_system(udocker, pushed, layout, tmp_path):
    udocker.ok("pull", pushed("busybox"))
    udocker.ok("save", "-o", tmp_path / "saved.tar", pushed("busybox"))
    archives.skopeo("copy", f"docker-archive:{tmp_path}/saved.tar", f"oci:{tmp_path}/layout:latest")
    assert tree_of(archives.unpacked(tmp_path / "layout", tmp_path / "bundle")) == \
        tree_of(archives.unpacked(layout("busybox"), tmp_path / "original"))


def test_imported_image(udocker, tmp_path):
    """Compressed: the digests in its configuration are those of the plain archive, which everybody checks."""
    udocker.ok("import", "-", "made/up:1", stdin=gzip.compress(PLAIN))
    udocker.ok("save", "-o", tmp_path / "saved.tar", "made/up:1")
    check_archive((tmp_path / "saved.tar").read_bytes())
    archives.skopeo("copy", f"docker-archive:{tmp_path}/saved.tar", f"oci:{tmp_path}/layout:latest")
    tree = tree_of(archives.unpacked(tmp_path / "layout", tmp_path / "bundle"))
    assert tree.keys() == tree_of(udocker.root_of(udocker.create("made/up:1"))).keys()


@pytest.mark.parametrize("image", ["fixtures/tiny:1.0", "tinyoci:1.0", "fixtures/renamed:9", "imported:2"])
def test_images_of_the_python_tool(python, tmp_path, image):  # noqa: F811
    python.ok("save", "-o", tmp_path / "saved.tar", image)
    data = (tmp_path / "saved.tar").read_bytes()
    check_archive(data)
    check_for_the_python_tool(data, image)
    archives.skopeo("copy", f"docker-archive:{tmp_path}/saved.tar", f"oci:{tmp_path}/layout:latest")
    assert tree_of(archives.unpacked(tmp_path / "layout", tmp_path / "bundle")).keys() == tree_of(python.root_of("c1")).keys()


def test_compressed_import_of_the_python_tool(python, tmp_path):  # noqa: F811
    """Q52: it hashed the file as stored; the archive has the digests that docker wants, and ours loads what it saved."""
    repo = python.top / "repos/imported/2"
    blob = (repo / os.readlink(next(repo.glob("*.layer")))).resolve()
    compressed = gzip.compress(blob.read_bytes(), mtime=0)
    metadata = (repo / os.readlink(next(repo.glob("*.json")))).resolve()
    text = metadata.read_text().replace(oci.digest_of(blob.read_bytes()), oci.digest_of(compressed))
    assert oci.digest_of(compressed) in text
    blob.write_bytes(compressed)
    metadata.write_text(text)
    check_archive(python.ok("save", "imported:2").raw_out)
    # As the Python tool would have saved it: its configuration with the wrong digest.
    layer = oci.Blob(compressed, diff_id=oci.digest_of(compressed))
    theirs = oci.Image(layer, [oci.Blob(text.encode()), layer])
    python.ok("load", stdin=oci.tar_bytes(archives.docker_save([(["of/python:1"], theirs)], legacy=False)))
    python.create("of/python:1")
    check_archive(python.ok("save", "of/python:1").raw_out)


# ---- bad input ------------------------------------------------------------------------------------------------

def test_a_name_that_docker_refuses(udocker):
    """The Python tool takes it, so it is written, but not silently."""
    udocker.ok("import", "-", "Upper/Name:V1", stdin=PLAIN)
    outcome = udocker.ok("save", "Upper/Name:V1")
    assert check_archive(outcome.raw_out)[0]["RepoTags"] == ["Upper/Name:V1"]
    assert outcome.err.startswith("Warning: docker and podman will not load Upper/Name:V1: ") and len(outcome.err.splitlines()) == 1
    udocker.ok("tag", "Upper/Name:V1", "upper/name:V1")
    assert udocker.ok("save", "upper/name:V1").err == ""


def test_words(udocker, pull, tmp_path):
    reference = pull("words", BASE)
    there = tmp_path / "there"
    there.write_text("precious")
    assert f"output file already exists: {there}" in udocker.fails("save", "-o", there, reference).err
    assert there.read_text() == "precious"
    assert "no images specified" in udocker.fails("save").err
    assert "no images specified" in udocker.fails("save", "-").err
    assert "save image failed: image not found: absent:1" in udocker.fails("save", "-o", tmp_path / "new", reference, "absent:1").err
    assert "/nonexistent/x" in udocker.fails("save", "-o", "/nonexistent/x", reference).err
    assert not (tmp_path / "new").exists()


def test_damaged_layer(udocker, pull, tmp_path):
    reference = pull("damaged", BASE, ONE)
    blob = udocker.top / "layers" / ONE.digest
    blob.write_bytes(ONE.data[:-1])
    assert "damaged" in udocker.fails("save", "-o", tmp_path / "new", reference).err
    blob.unlink()
    assert "missing" in udocker.fails("save", "-o", tmp_path / "new", reference).err
    assert not list(tmp_path.glob("new*"))


@pytest.mark.requires("user-namespaces")
def test_full_disk(udocker, pull, tmp_path):
    reference = pull("full", tar_layer([file("big", os.urandom(6 << 20))]))
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=4m none "$0" || exit 99; "$@"; echo "status $?"; ls -A "$0"'
    inside = ["unshare", "--user", "--map-current-user", "--mount", "--keep-caps", "bash", "-c"]
    outcome = udocker.run("save", "-o", disk / "new", reference, prefix=[*inside, script, str(disk)])
    assert outcome.lines == ["status 1"] and "No space left on device" in outcome.err, str(outcome)
    piped = script.replace('"$@"', '"$@" > "$0/out"')
    outcome = udocker.run("save", reference, prefix=[*inside, piped, str(disk)])
    assert outcome.lines == ["status 1", "out"] and "No space left on device" in outcome.err, str(outcome)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle(udocker, pull, tmp_path, how):
    """Nobody reads the pipe, so it stands still in the middle of a layer."""
    reference = pull("stopped", tar_layer([file("big", os.urandom(2 << 20))]))
    process = udocker.start("save", reference)
    process.stdout.read(4096)
    time.sleep(0.1)
    process.send_signal(how)
    process.stdout.read()
    assert process.wait() != 0
    udocker.ok("rmi", reference)
    assert list((udocker.top / "layers").iterdir()) == []


def test_nothing_is_left_beside_the_file(udocker, pull, tmp_path):
    reference = pull("left", BASE)
    udocker.ok("save", "-o", "saved.tar", reference, cwd=tmp_path)
    assert [path.name for path in tmp_path.glob("*.tar*")] == ["saved.tar"]
