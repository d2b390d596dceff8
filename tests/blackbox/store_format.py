"""The repository as the Python tool reads it: every file, name, link and line end that it relies on.

check() goes over a whole repository and fails at the first thing that the Python tool would not understand, or that it
would stumble over. It knows the formats from the tool's behaviour, not from our code.
"""
from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re

UUID_3 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-3[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
HEX_64 = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PARTS = ("repos", "layers", "containers", "bin", "lib")  # all of them make a directory a repository
MANIFESTS = ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json")


def one_line_json(path: pathlib.Path):
    """As json.dumps writes it: ASCII, ", " and ": " between, no line end."""
    text = path.read_bytes()
    value = json.loads(text)
    assert text == json.dumps(value).encode(), f"{path} is not what json.dumps writes"
    return value


def empty_file(path: pathlib.Path) -> None:
    assert path.is_file() and not path.is_symlink() and path.stat().st_size == 0, f"{path} is no empty file"


def check(top: pathlib.Path, made_at: pathlib.Path | None = None) -> None:
    """`made_at`: where the repository was when it was written, if not here."""
    for part in PARTS:
        assert (top / part).is_dir(), f"{part} is missing: the Python tool would not take this for a repository"
    check_layers(top / "layers")
    for image in images(top / "repos"):
        check_image(image, top, made_at or top)
    check_containers(top / "containers", made_at or top)


def check_layers(layers: pathlib.Path) -> None:
    for blob in layers.iterdir():
        assert blob.is_file() and not blob.is_symlink(), f"{blob} is no plain file"
        if DIGEST.fullmatch(blob.name):
            assert "sha256:" + hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name, f"{blob} has another content"
        else:
            assert HEX_64.fullmatch(blob.stem) and blob.suffix in (".layer", ".json"), f"{blob} is no blob"


def images(repos: pathlib.Path) -> list[pathlib.Path]:
    """The directories of tags; nothing else may lie about."""
    found = []
    for folder, folders, files in os.walk(repos):
        if "TAG" in files:
            found.append(pathlib.Path(folder))
            folders.clear()  # the Python tool's list goes no deeper
        else:
            assert not files, f"{files} in {folder}"
    return found


def check_image(image: pathlib.Path, top: pathlib.Path, made_at: pathlib.Path) -> None:
    repository = image.parent.relative_to(top)
    assert (image / "TAG").read_bytes() == os.fsencode(f"{made_at / repository}:{image.name}")
    names = {path.name for path in image.iterdir()} - {"TAG"}
    if "PROTECT" in names:
        empty_file(image / "PROTECT")
        names.remove("PROTECT")
    links = {name for name in names if (image / name).is_symlink()}
    for name in links:
        text = os.readlink(image / name)
        assert not text.startswith("/"), f"{image / name} is no relative link"
        assert pathlib.Path(os.path.normpath(image / text)).parent == top / "layers", f"{image / name} leads elsewhere"
        assert (image / name).is_file(), f"{image / name} leads to nothing"
        assert name == "container.json" or name == pathlib.Path(text).name, f"{image / name} has another name than its blob"
    assert ("v1" in names) != ("v2" in names), f"{image} has no format or two"
    for marker in names & {"v1", "v2"}:
        empty_file(image / marker)
    (check_v1 if "v1" in names else check_v2)(image, names - links - {"v1", "v2"}, links)


def check_v1(image: pathlib.Path, files: set[str], links: set[str]) -> None:
    assert files == {"ancestry"}
    ids = one_line_json(image / "ancestry")
    assert all(HEX_64.fullmatch(each) and f"{each}.layer" in links for each in ids)
    [configuration] = links & {"container.json", f"{ids[0]}.json"} or links - {f"{each}.layer" for each in ids}
    json.loads((image / configuration).read_bytes())


def check_v2(image: pathlib.Path, files: set[str], links: set[str]) -> None:
    assert files == {"manifest"}
    manifest = one_line_json(image / "manifest")
    if manifest["schemaVersion"] == 1:
        assert links == {layer["blobSum"] for layer in manifest["fsLayers"]}
        json.loads(manifest["history"][0]["v1Compatibility"])
        return
    assert manifest["schemaVersion"] == 2 and manifest.get("mediaType", MANIFESTS[1]) in MANIFESTS
    configuration = manifest["config"]["digest"]
    assert links == {configuration, *(layer["digest"] for layer in manifest["layers"])}
    json.loads((image / configuration).read_bytes())
    for described in (manifest["config"], *manifest["layers"]):
        assert (image / described["digest"]).stat().st_size == described["size"]


def check_containers(containers: pathlib.Path, made_at: pathlib.Path) -> None:
    for entry in containers.iterdir():
        if entry.name == ".state":
            raise AssertionError("the Python tool lists every directory in containers")
        if entry.is_symlink():
            assert UUID_3.fullmatch(os.readlink(entry)) and entry.is_dir(), f"{entry} is no name of a container"
            assert not re.search(r"[/\[\]\s]|^\.", entry.name)
        else:
            check_container(entry, made_at)


def check_container(container: pathlib.Path, made_at: pathlib.Path) -> None:
    assert UUID_3.fullmatch(container.name), f"{container} is no container"
    allowed = {"ROOT", "container.json", "imagerepo.name", "PROTECT", "execmode", "root.path", ".mountpoints", "owners"}
    names = {path.name for path in container.iterdir()}
    assert names <= allowed and {"ROOT", "imagerepo.name"} <= names, f"{sorted(names)} in {container}"
    assert (container / "ROOT").is_dir() and not (container / "ROOT").is_symlink()
    if "container.json" in names:
        assert isinstance(one_line_json(container / "container.json"), dict)
    assert re.fullmatch(rb"[^\s:]+(:\d+/[^\s:]+)?:[^\s:]+", (container / "imagerepo.name").read_bytes())
    if "PROTECT" in names:
        empty_file(container / "PROTECT")
    if "execmode" in names:
        assert re.fullmatch(rb"[PFRS][1-4]", (container / "execmode").read_bytes())
    if "root.path" in names:
        root = made_at / "containers" / container.name / "ROOT"
        assert (container / "root.path").read_bytes() == os.fsencode(root)


def check_keystore(keystore: pathlib.Path) -> None:
    assert keystore.stat().st_mode & 0o7777 == 0o600
    for url, entry in one_line_json(keystore).items():
        assert url.startswith("http") and set(entry) == {"auth", "email"} and entry["email"] == ""
