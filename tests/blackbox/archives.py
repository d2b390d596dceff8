"""Archives of images made by hand, in the formats that there have been; and the tools that load and make them."""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import images
import oci
from oci import Blob, Entry, Image, file, folder


def config_of(image: Image) -> dict:
    return json.loads(image.blobs[0].data)


def docker_save(named: list[tuple[list[str], Image]], legacy: bool = True, links: bool = False) -> list[Entry]:
    """The members of what `docker save` 1.10 to 24 writes. `links`: a layer that is there already is a symbolic link, as
    containers/image and some versions of docker write it."""
    members, listing, repositories, seen = [], [], {}, {}
    for tags, image in named:
        config, layers = image.blobs[0], image.blobs[1:]
        name = config.digest[7:] + ".json"
        if name not in seen:
            members.append(file(name, config.data))
            seen[name] = name
        paths, parent = [], ""
        for layer in layers:
            layer_id = oci.digest_of((parent + layer.diff_id).encode())[7:]
            path = f"{layer_id}/layer.tar"
            if layer_id not in seen:
                members.append(folder(layer_id))
                if legacy:
                    members.append(file(f"{layer_id}/VERSION", b"1.0"))
                    members.append(file(f"{layer_id}/json", json.dumps(
                        {"id": layer_id, **({"parent": parent} if parent else {}), **(config_of(image) if layer is layers[-1] else {})}
                    ).encode()))
                if links and layer.digest in seen:
                    members.append(oci.symlink(path, f"../{seen[layer.digest]}"))
                else:
                    members.append(file(path, layer.data))
                seen[layer_id] = path
                seen.setdefault(layer.digest, path)
            paths.append(path)
            parent = layer_id
        listing.append({"Config": name, "RepoTags": tags or None, "Layers": paths})
        for tag in tags:
            repository, _, word = tag.rpartition(":")
            repositories.setdefault(repository, {})[word] = parent
    members.append(file("manifest.json", json.dumps(listing).encode()))
    members.append(file("repositories", json.dumps(repositories).encode()))
    return members


def blob_entries(blobs: list[Blob]) -> list[Entry]:
    return [file("blobs/" + blob.digest.replace(":", "/"), blob.data) for blob in {blob.digest: blob for blob in blobs}.values()]


def entry_of(blob: Blob, name: str = "", platform: dict | None = None, **annotations: str) -> dict:
    """An entry of index.json."""
    if name:
        annotations["org.opencontainers.image.ref.name"] = name
    return {**blob.descriptor(), **({"platform": platform} if platform else {}), **({"annotations": annotations} if annotations else {})}


def oci_layout(entries: list[dict], blobs: list[Blob]) -> list[Entry]:
    """The members of an OCI layout."""
    index = {"schemaVersion": 2, "mediaType": oci.MEDIA["index"][0], "manifests": entries}
    return [file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), file("index.json", json.dumps(index).encode()),
            folder("blobs"), folder("blobs/sha256"), *blob_entries(blobs)]


class Podman:
    """podman with a storage of its own, which needs no cgroups or systemd to load and save."""

    def __init__(self, top: pathlib.Path):
        self.top = top
        # It takes no long path here.
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="podman-"))
        (top / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')

    def run(self, *words: str | os.PathLike) -> str:
        environment = {"HOME": str(self.top), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(self.runtime),
                       "TMPDIR": str(self.top)}
        done = subprocess.run(["podman", "--log-level=error", "--root", self.top / "root", "--runroot", self.runtime / "root",
                               "--storage-driver", "vfs", *words], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, f"podman {words}\n{done.stdout}{done.stderr}"
        return done.stdout

    def load(self, archive: pathlib.Path) -> str:
        return self.run("load", "--signature-policy", self.top / "policy.json", "-i", archive)

    def stop(self) -> None:
        """Ends the process that holds its namespaces, and removes its folders, which belong to others seen from here."""
        subprocess.run(["podman", "unshare", "rm", "-rf", self.top / "root"], stdin=subprocess.DEVNULL, check=False,
                       env={"HOME": str(self.top), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(self.runtime)})
        for file_ in self.runtime.rglob("pause.pid"):
            os.kill(int(file_.read_text()), signal.SIGKILL)
        shutil.rmtree(self.runtime, ignore_errors=True)


def skopeo(*words: str | os.PathLike) -> None:
    images.run("skopeo", "--insecure-policy", *words)


def unpacked(layout: pathlib.Path, bundle: pathlib.Path) -> pathlib.Path:
    """The tree of the image `latest` of a layout, as umoci makes it."""
    images.run("umoci", "unpack", "--rootless", "--image", f"{layout}:latest", bundle)
    return bundle / "rootfs"
