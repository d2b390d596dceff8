"""load: archives of images in every format that there has been."""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

import archives
import images
import oci
from archives import docker_save, entry_of, oci_layout
from guests import Container
from oci import Image, file, folder, hardlink, symlink, tar_layer, whiteout
from test_fixture_tree import BUSYBOX, python  # noqa: F401  (a fixture)
from test_import import FORMS, without_top
from trees import tree_of

BASE = tar_layer([folder("etc"), file("etc/a", b"base"), file("etc/b", b"base")], "none")
ONE = tar_layer([file("etc/a", b"one"), whiteout("etc/b")], "none")
TWO = tar_layer([file("etc/two", b"two")], "none")


def image_of(*layers, docker: bool = True, **options) -> Image:
    return oci.image(list(layers), {"Cmd": ["/bin/x"], "Env": ["A=b"]}, docker, **options)


@pytest.fixture
def load(udocker, tmp_path):
    """load(members, words..): puts the members in an archive and loads it."""
    def run(members, *words, form="plain", check="ok"):
        path = tmp_path / "archive.tar"
        path.write_bytes(FORMS[form](oci.tar_bytes(members)))
        udocker.ok("images")
        return getattr(udocker, check)("load", "-i", path, *words)
    return run


@pytest.fixture
def refused(udocker, load):
    """refused(members, words..): must be refused in one line with nothing left behind."""
    def run(members, *words):
        udocker.ok("images")
        before = udocker.snapshot()
        outcome = load(members, *words, check="fails")
        assert udocker.snapshot() == before and outcome.out == ""
        return outcome.err
    return run


def content(udocker, image: str) -> dict[str, bytes]:
    root = udocker.root_of(udocker.create(image))
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# ---- docker save ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS)
def test_docker_archive(udocker, load, form):
    image = image_of(BASE, ONE)
    outcome = load(docker_save([(["some/name:1.0"], image)]), form=form)
    assert outcome.lines == ["some/name:1.0"]
    assert [line for line in outcome.err.splitlines() if "adding layer" in line] == \
        [f"Info: adding layer: {layer.diff_id[7:]}" for layer in (BASE, ONE)]
    assert udocker.ok("inspect", "some/name:1.0").json() == archives.config_of(image)
    assert content(udocker, "some/name:1.0") == {"etc/a": b"one"}
    manifest = json.loads((udocker.top / "repos/some/name/1.0/manifest").read_text())
    assert manifest["config"]["digest"] == image.blobs[0].digest
    assert [layer["digest"] for layer in manifest["layers"]] == [BASE.diff_id, ONE.diff_id]


def test_from_standard_input(udocker):
    data = oci.tar_bytes(docker_save([(["a:1"], image_of(BASE))]))
    assert udocker.ok("load", stdin=data).lines == ["a:1"]
    assert udocker.ok("load", "-", "b", stdin=data).lines == ["b:1"]
    assert udocker.ok("load", "--input=-", "c:2", stdin=gzip.compress(data)).lines == ["c:2"]
    # A file whose size nobody knows beforehand.
    process = udocker.start("load", "-", "d")
    for start in range(0, len(data), 700):
        process.stdin.write(data[start:start + 700])
        process.stdin.flush()
    out, err = process.communicate()
    assert process.returncode == 0 and out == b"d:1\n", err


def test_several_images_share_layers(udocker, load):
    """Q35: of a two-image archive only the first one got its layers, and the exit status was 0 all the same."""
    outcome = load(docker_save([(["one:1", "one:latest"], image_of(BASE, ONE)), (["two:1"], image_of(BASE, TWO))]))
    assert outcome.lines == ["one:1", "one:latest", "two:1"]
    assert content(udocker, "one:latest") == {"etc/a": b"one"}
    assert content(udocker, "two:1") == {"etc/a": b"base", "etc/b": b"base", "etc/two": b"two"}
    # Q35: rmi of one image took blobs that others share.
    udocker.ok("rmi", "one:1", "one:latest")
    assert content(udocker, "two:1")["etc/two"] == b"two"
    udocker.ok("rmi", "two:1")
    assert list((udocker.top / "layers").iterdir()) == []


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_layers_that_are_links(udocker, load, link):
    """Q35: docker writes links for layers that come twice, on which the Python tool broke (its issue 361)."""
    members = docker_save([(["one:1"], image_of(BASE, TWO)), (["two:1"], image_of(TWO, BASE))], links=True)
    assert any(member.info.issym() for member in members)
    if link == "hard":
        members = [hardlink(m.info.name, m.info.linkname.removeprefix("../")) if m.info.issym() else m for m in members]
    assert load(members).lines == ["one:1", "two:1"]
    assert content(udocker, "two:1") == {"etc/a": b"base", "etc/b": b"base", "etc/two": b"two"}


def test_compressed_layers(udocker, load):
    """As the Python tool saves them."""
    layers = [tar_layer([file(f"f{kind}", kind.encode())], kind) for kind in ("gzip", "zstd", "none")]
    load(docker_save([(["mixed:1"], image_of(*layers))]))
    assert content(udocker, "mixed:1") == {"fgzip": b"gzip", "fzstd": b"zstd", "fnone": b"none"}


def test_no_layers(udocker, load):
    load(docker_save([(["scratch:1"], image_of())]))
    assert content(udocker, "scratch:1") == {}


def test_without_names(udocker, load):
    outcome = load(docker_save([([], image_of(BASE))]))
    assert re.fullmatch(r"[0-9a-f]{16}:latest", outcome.out.strip())
    assert content(udocker, outcome.out.strip())["etc/a"] == b"base"
    assert load(docker_save([([], image_of(BASE))]), "named").lines == ["named:latest"]
    assert load(docker_save([([], image_of(BASE))]), "named:5").lines == ["named:5"]


def test_name_argument(udocker, load, refused):
    two = docker_save([(["one:1"], image_of(BASE)), (["two:2"], image_of(TWO))])
    assert load(two, "host.example:5000/other").lines == ["host.example:5000/other:1", "host.example:5000/other:2"]
    assert "two of its images would have the name other:3" in refused(two, "other:3")
    same_tag = docker_save([(["one:1"], image_of(BASE)), (["two:1"], image_of(TWO))])
    assert "two of its images would have the name other:1" in refused(same_tag, "other")


def test_before_1_10(udocker, load):
    """No manifest.json: the layers are a chain, the configuration is in the metadata of the last one."""
    image = image_of(BASE, ONE)
    members = [member for member in docker_save([(["old:1"], image)]) if member.info.name not in ("manifest.json",)
               and not member.info.name.endswith(".json")]
    assert load(members).lines == ["old:1"]
    config = udocker.ok("inspect", "old:1").json()
    assert config["config"] == archives.config_of(image)["config"] and "parent" not in config and "id" not in config
    assert config["rootfs"]["diff_ids"] == [BASE.diff_id, ONE.diff_id]
    assert content(udocker, "old:1") == {"etc/a": b"one"}


def test_since_25(udocker, load):
    """Both formats in one archive: the names of the one, the manifest of the other, so that its digest stays known."""
    layers = [tar_layer([file("f", b"x")])]
    image = image_of(*layers, docker=False)
    full = {"io.containerd.image.name": "docker.io/library/both:1"}
    listing = [{"Config": f"blobs/sha256/{image.blobs[0].digest[7:]}", "RepoTags": ["both:1"],
                "Layers": [f"blobs/sha256/{layer.digest[7:]}" for layer in layers]}]
    members = [*oci_layout([entry_of(image.manifest, "1", **full)], [image.manifest, *image.blobs]),
               file("manifest.json", json.dumps(listing).encode())]
    assert load(members).lines == ["both:1"]
    assert [path.read_bytes() for path in (udocker.top / ".state/repos/manifests").iterdir()] == [image.manifest.data]
    without = [member for member in members if member.info.name != "manifest.json"]
    assert load(without).lines == ["docker.io/library/both:1"]


def test_existing_names_are_kept(udocker, load, refused):
    load(docker_save([(["here:1"], image_of(BASE))]))
    archive = docker_save([(["new:1"], image_of(TWO)), (["here:1"], image_of(TWO))])
    assert "tag already exists in repo: here:1" in refused(archive)
    assert content(udocker, "here:1")["etc/a"] == b"base"


# ---- OCI layouts ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["tar", "gzip", "folder", "folder of links"])
def test_oci_layout(udocker, load, tmp_path, how):
    image = image_of(tar_layer([file("f", b"x")]), docker=False)
    members = oci_layout([entry_of(image.manifest, "name:tag")], [image.manifest, *image.blobs])
    if how in ("tar", "gzip"):
        outcome = load(members, form="plain" if how == "tar" else "gzip")
    else:
        place = tmp_path / "layout"
        with tarfile.open(fileobj=__import__("io").BytesIO(oci.tar_bytes(members))) as tar:
            tar.extractall(place)
        if how == "folder of links":
            shutil.move(place / "blobs", tmp_path / "elsewhere")
            (place / "blobs").symlink_to("../elsewhere")
        outcome = udocker.ok("load", "-i", place)
    # Q35: a name with a tag and without a slash became a random repository.
    assert outcome.lines == ["name:tag"]
    assert content(udocker, "name:tag") == {"f": b"x"}
    assert [path.read_bytes() for path in (udocker.top / ".state/repos/manifests").iterdir()] == [image.manifest.data]


@pytest.mark.parametrize("annotation, words, expected", [
    ("1.0", (), r"[0-9a-f]{16}:1\.0"), ("1.0", ("given",), "given:1.0"), ("", (), "[0-9a-f]{16}:latest"), ("", ("given",), "given:latest"),
    ("a.example/b:c", (), "a.example/b:c"), ("a.example/b:c", ("given",), "given:c"), ("a.example/b:c", ("given:d",), "given:d"),
])
def test_oci_names(load, annotation, words, expected):
    image = image_of(BASE, docker=False)
    outcome = load(oci_layout([entry_of(image.manifest, annotation)], [image.manifest, *image.blobs]), *words)
    assert re.fullmatch(expected, outcome.out.strip())


def platforms(*names: str) -> list[tuple[Image, dict]]:
    out = []
    for name in names:
        os_name, architecture = name.split("/")
        layer = tar_layer([file("platform", name.encode())])
        out.append((image_of(layer, docker=False, platform=name), {"os": os_name, "architecture": architecture}))
    return out


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_platforms_of_nested_indexes(udocker, load, depth):
    """Q35: a nested index crashed the Python tool, and it did not look at platforms."""
    chosen = platforms("linux/s390x", "linux/amd64", "windows/amd64")
    blobs = [blob for image, _ in chosen for blob in (image.manifest, *image.blobs)]
    if depth == 0:
        entries = [entry_of(image.manifest, "multi:1", platform) for image, platform in chosen]
    else:
        top = oci.index(chosen)
        blobs.append(top)
        for _ in range(depth - 1):
            top = oci.index([(top, None)])
            blobs.append(top)
        entries = [entry_of(top, "multi:1")]
    assert load(oci_layout(entries, blobs)).lines == ["multi:1"]
    assert content(udocker, "multi:1") == {"platform": b"linux/amd64"}


def test_attestations_and_missing_platforms_are_no_hindrance(udocker, load):
    (native, platform), (other, other_platform) = platforms("linux/amd64", "linux/s390x")
    attestation = oci.Blob(b'{"schemaVersion": 2}', oci.MEDIA["manifest"][0])
    index = oci.index([(native, platform), (other, other_platform), (attestation, {"os": "unknown", "architecture": "unknown"})])
    load(oci_layout([entry_of(index, "a:1")], [index, native.manifest, *native.blobs]))
    assert content(udocker, "a:1") == {"platform": b"linux/amd64"}


def test_only_another_platform(udocker, load):
    [(image, platform)] = platforms("linux/s390x")
    load(oci_layout([entry_of(image.manifest, "far:1", platform)], [image.manifest, *image.blobs]))
    assert "linux/s390x" in udocker.ok("images", "-p").out


def test_several_oci_images(udocker, load):
    one, two = image_of(BASE, ONE, docker=False), image_of(BASE, TWO, docker=False)
    blobs = [blob for image in (one, two) for blob in (image.manifest, *image.blobs)]
    outcome = load(oci_layout([entry_of(one.manifest, "x:1"), entry_of(two.manifest, "x:2"), entry_of(two.manifest, "y/z:2")], blobs))
    assert sorted(outcome.lines) == ["x:1", "x:2", "y/z:2"]
    udocker.ok("rmi", "x:1", "x:2")
    assert content(udocker, "y/z:2")["etc/two"] == b"two"


# ---- archives of other tools ----------------------------------------------------------------------------------

@pytest.mark.parametrize("archive, name", [("tiny-docker-save.tar", "fixtures/tiny:1.0"), ("tiny-udocker-save.tar", "fixtures/tiny:1.0"),
                                           ("tiny-oci.tar", "given:1.0")])
def test_archives_of_the_fixture(python, archive, name):  # noqa: F811
    """What docker and the Python tool saved, beside what the Python tool made of the same image."""
    python.ok("unprotect", "fixtures/tiny:1.0") if "unprotect" in python.ok("help").out else \
        (python.top / "repos/fixtures/tiny/1.0/PROTECT").unlink()
    theirs = tree_of(python.root_of("c1"))
    python.ok("rmi", "fixtures/tiny:1.0")
    words = ("given",) if "oci" in archive else ()
    assert python.ok("load", "-i", python.top.parent / archive, *words).lines == [name]
    box = Container(python, python.create(name))
    assert without_top(tree_of(box.root)) == without_top(theirs)
    assert box.ok("/bin/busybox", "sh", "-c", "busybox pwd; echo $TINY", options=BUSYBOX) == "/data\n1\n"


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci"])
def test_archives_of_skopeo(udocker, layout, tmp_path, form):
    target = tmp_path / "archive"
    archives.skopeo("copy", f"oci:{layout('busybox')}:latest", f"{form}:{target}:some.example/busybox:1")
    assert udocker.ok("load", "-i", target).lines == ["some.example/busybox:1"]
    expected = archives.unpacked(layout("busybox"), tmp_path / "bundle")
    assert tree_of(udocker.root_of(udocker.create("some.example/busybox:1"))) == tree_of(expected)


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir"])
def test_archives_of_podman(udocker, podman, layout, tmp_path, form):
    source, target = tmp_path / "source", tmp_path / "saved"
    archives.skopeo("copy", f"oci:{layout('busybox')}:latest", f"docker-archive:{source}:some.example/busybox:1")
    podman.load(source)
    podman.run("save", "--format", form, "-o", target, "some.example/busybox:1")
    assert udocker.ok("load", "-i", target, "given:1").lines == ["given:1"]
    expected = archives.unpacked(layout("busybox"), tmp_path / "bundle")
    assert tree_of(udocker.root_of(udocker.create("given:1"))) == tree_of(expected)


def test_archive_of_several_images_of_podman(udocker, podman, layout, tmp_path):
    for name in ("busybox", "musl"):
        archives.skopeo("copy", f"oci:{layout(name)}:latest", f"docker-archive:{tmp_path / name}:a.example/{name}:1")
        podman.load(tmp_path / name)
    podman.run("save", "-m", "-o", tmp_path / "saved", "a.example/busybox:1", "a.example/musl:1")
    assert sorted(udocker.ok("load", "-i", tmp_path / "saved").lines) == ["a.example/busybox:1", "a.example/musl:1"]
    assert tree_of(udocker.root_of(udocker.create("a.example/musl:1"))) == \
        tree_of(archives.unpacked(layout("musl"), tmp_path / "bundle"))


def test_layout_of_umoci(udocker, layout, tmp_path):
    copy = tmp_path / "layout"
    shutil.copytree(layout("musl"), copy)
    images.run("umoci", "tag", "--image", f"{copy}:latest", "second")
    assert sorted(udocker.ok("load", "-i", copy, "given").lines) == ["given:latest", "given:second"]
    assert tree_of(udocker.root_of(udocker.create("given:second"))) == tree_of(archives.unpacked(layout("musl"), tmp_path / "bundle"))


# ---- bad input ------------------------------------------------------------------------------------------------

GOOD = docker_save([(["good:1"], image_of(BASE))])
LAYER = next(member.info.name for member in GOOD if member.info.name.endswith("layer.tar"))
CONFIG = next(member.info.name for member in GOOD if re.fullmatch(r"[0-9a-f]{64}\.json", member.info.name))


def listing(**changes) -> list:
    """The good archive with other words in manifest.json."""
    entry = {"Config": CONFIG, "RepoTags": ["good:1"], "Layers": [LAYER], **changes}
    return [*(m for m in GOOD if m.info.name != "manifest.json"), file("manifest.json", json.dumps([entry]).encode())]


def replaced(name: str, *members) -> list:
    return [*(m for m in GOOD if m.info.name != name), *members]


HOSTILE = {
    "climbing name": ([*GOOD, file("../../evil", b"x")], "../../evil"),
    "absolute name": ([*GOOD, file("/tmp/evil", b"x")], "absolute name"),
    "absolute link": (replaced(LAYER, symlink(LAYER, "/etc/passwd")), "link to the outside"),
    "climbing link": (replaced(LAYER, symlink(LAYER, "../../../etc/passwd")), "link to the outside"),
    "climbing hard link": (replaced(LAYER, hardlink(LAYER, "../../etc/passwd")), "../../etc/passwd"),
    "link to itself": (replaced(LAYER, symlink(LAYER, "layer.tar")), "leads to no file"),
    "link to nothing": (replaced(LAYER, symlink(LAYER, "other")), "not in the archive"),
    "device": ([*GOOD, oci.device("null")], "device"),
    "fifo": ([*GOOD, oci.fifo("pipe")], "device"),
    "duplicate": ([*GOOD, file(LAYER, b"other")], "twice"),
    "duplicate link": ([*GOOD, symlink(LAYER, "../manifest.json")], "twice"),
    "layer outside": (listing(Layers=["../../../../etc/passwd"]), "../../../../etc/passwd"),
    "absolute layer": (listing(Layers=["/etc/passwd"]), "/etc/passwd"),
    "configuration outside": (listing(Config="../../../etc/hostname"), "../../../etc/hostname"),
    "missing layer": (listing(Layers=["absent/layer.tar"]), "absent/layer.tar is not in the archive"),
    "missing configuration": (replaced(CONFIG), f"{CONFIG} is not in the archive"),
    "name that climbs (Q36: it made directories outside of the repository)": (listing(RepoTags=["../../x:1"]), "../../x:1"),
    "absolute name of an image": (listing(RepoTags=["/x/y:1"]), "/x/y:1"),
    "name with an escape": (listing(RepoTags=["a\x1b[31m:1"]), r"a\x1b[31m:1"),
    "other layer": (replaced(LAYER, file(LAYER, ONE.data)), "digest of the content"),
    "too few layers": (listing(Layers=[]), "lists 0 layers"),
    "too many layers": (listing(Layers=[LAYER, LAYER]), "lists 2 layers"),
    "other configuration": (replaced(CONFIG, file(CONFIG, b"{}")), f"digest of {CONFIG}"),
    "layer that is no archive": (replaced(LAYER, file(LAYER, b"nonsense" * 100)), "neither a tar archive nor"),
    "manifest that is no list": (replaced("manifest.json", file("manifest.json", b"{}")), "manifest.json"),
    "manifest that is no JSON": (replaced("manifest.json", file("manifest.json", b"[")), "manifest.json"),
    "deep manifest": (replaced("manifest.json", file("manifest.json", b"[" * 100_000)), "manifest.json"),
    "numbers for names": (listing(RepoTags=[1]), "RepoTags is no list of texts"),
    "numbers for layers": (listing(Layers={"a": 1}), "Layers is no list of texts"),
    "no images": (replaced("manifest.json", file("manifest.json", b"[]")), "no image"),
    "archive of a tree": ([folder("etc"), file("etc/passwd", b"x")], "no archive of images"),
    "empty archive": ([], "no archive of images"),
    "chain without end": ([file("repositories", b'{"a": {"b": "x"}}'), file("x/json", b'{"parent": "x"}')], "no end"),
    "chain to the outside": ([file("repositories", b'{"a": {"b": "../../x"}}')], "../../x"),
}


# Q36 of the Python tool: names in archives can leave the repository.
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_docker_archives(refused, tmp_path, name):
    members, complaint = HOSTILE[name]
    assert complaint in refused(members)


OCI = image_of(tar_layer([file("f", b"x")]), docker=False)
OCI_BLOBS = [OCI.manifest, *OCI.blobs]
INDEX_OF_ITSELF = oci.index([(OCI, None)])


def nested(depth: int) -> list:
    top, blobs = OCI.manifest, [*OCI_BLOBS]
    for _ in range(depth):
        top = oci.index([(top, None)])
        blobs.append(top)
    return oci_layout([entry_of(top, "deep:1")], blobs)


HOSTILE_OCI = {
    "wrong content of a blob": (oci_layout([entry_of(OCI.manifest, "a:1")], [OCI.manifest, OCI.blobs[0], oci.Blob(b"x", digest=OCI.blobs[1].digest)]),
                                "not what its name says"),
    "wrong size": (oci_layout([{**entry_of(OCI.manifest, "a:1"), "size": 5}], OCI_BLOBS), "not the 5"),
    "missing blob": (oci_layout([entry_of(OCI.manifest, "a:1")], [OCI.manifest, OCI.blobs[0]]), "not in the archive"),
    "digest that climbs": (oci_layout([{**entry_of(OCI.manifest, "a:1"), "digest": "sha256:../../../etc/passwd"}], OCI_BLOBS), "no image"),
    "no index": (oci_layout([], OCI_BLOBS), "no image"),
    "nested too deeply": (nested(20), "too deeply"),
    "name that climbs": (oci_layout([entry_of(OCI.manifest, "../x:1")], OCI_BLOBS), "../x:1"),
    "tag that climbs": (oci_layout([entry_of(OCI.manifest, "..")], OCI_BLOBS), ".."),
    "no platform": (oci_layout([entry_of(oci.index(platforms("linux/s390x", "plan9/amd64")), "a:1")],
                               [oci.index(platforms("linux/s390x", "plan9/amd64"))]), "linux/s390x"),
}


@pytest.mark.parametrize("name", HOSTILE_OCI)
def test_hostile_oci_layouts(refused, name):
    members, complaint = HOSTILE_OCI[name]
    assert complaint in refused(members)


def test_sparse_member(udocker, tmp_path):
    """A hole costs the archive nothing; no tool for images writes one."""
    with open(tmp_path / "big", "wb") as big:
        big.truncate(1 << 40)
    subprocess.run(["tar", "-C", tmp_path, "-S", "-cf", tmp_path / "sparse.tar", "big"], check=True)
    udocker.ok("images")
    before = udocker.snapshot()
    assert "sparse" in udocker.fails("load", "-i", tmp_path / "sparse.tar").err
    assert udocker.snapshot() == before


@pytest.mark.parametrize("cut", [100, 700, 5000])
def test_archive_that_ends_early(udocker, tmp_path, cut):
    path = tmp_path / "cut.tar"
    path.write_bytes(oci.tar_bytes(GOOD)[:cut])
    assert str(path) in udocker.fails("load", "-i", path).err


@pytest.mark.parametrize("words, complaint", [
    (["load", "-i", "/nonexistent"], "file does not exist: /nonexistent"), (["load", "-i", ""], "must specify filename"),
    (["load", "a", "b"], "syntax error at: b"), (["load", "-i", "/etc/hostname", "../x"], "../x"), (["load", "-i", "/etc"], "no archive of images"),
])
def test_words(udocker, words, complaint):
    assert complaint in udocker.fails(*words).err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle(udocker, load, how):
    udocker.ok("images")
    before = udocker.snapshot()
    process = udocker.start("load")
    # More than is read at a time.
    process.stdin.write(oci.tar_bytes([file("big", bytes(1 << 20))])[:600_000])
    process.stdin.flush()
    while not any((udocker.top / ".state/layers").glob("intake-*/*")):
        time.sleep(0.01)
    process.send_signal(how)
    process.wait()
    process.stdin.close()
    if how == signal.SIGTERM:
        assert udocker.snapshot() == before
    load(GOOD)
    assert list((udocker.top / ".state/layers").iterdir()) == []


@pytest.mark.requires("user-namespaces")
def test_full_disk(on_small_disk, tmp_path):
    for name, size in (("big", 24), ("small", 12)):
        image = image_of(tar_layer([file("f", os.urandom(size << 20))], "none"))
        (tmp_path / name).write_bytes(oci.tar_bytes(docker_save([([f"{name}:1"], image)])))
    outcome = on_small_disk(["load", "-i", str(tmp_path / "big")], ["load", "-i", str(tmp_path / "small")])
    assert outcome.lines == ["status 1", "small:1", "status 0"], str(outcome)
    assert outcome.err.count("No space left on device") == 1, str(outcome)
