"""Layers and images made by hand, for what no tool would make: whiteouts, hostile names, wrong digests.

    layer = tar_layer([folder("a"), file("a/b", b"text"), whiteout("gone")])
    reference = push(registry, "name", "tag", image([layer]))
"""
from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import urllib.error

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
MEDIA = {
    # kind: (OCI, Docker)
    "manifest": (f"{OCI}.manifest.v1+json", f"{DOCKER}.distribution.manifest.v2+json"),
    "index": (f"{OCI}.index.v1+json", f"{DOCKER}.distribution.manifest.list.v2+json"),
    "config": (f"{OCI}.config.v1+json", f"{DOCKER}.container.image.v1+json"),
    "none": (f"{OCI}.layer.v1.tar", f"{DOCKER}.image.rootfs.diff.tar"),
    "gzip": (f"{OCI}.layer.v1.tar+gzip", f"{DOCKER}.image.rootfs.diff.tar.gzip"),
    "zstd": (f"{OCI}.layer.v1.tar+zstd", f"{DOCKER}.image.rootfs.diff.tar.zstd"),
}


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclasses.dataclass
class Entry:
    """One member of a layer."""

    info: tarfile.TarInfo
    data: bytes = b""


def _entry(name: str, kind: bytes, mode: int, data: bytes = b"", link: str = "", uid: int = 0, gid: int = 0,
           mtime: float = 1_000_000_000, **rest) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname = kind, mode, len(data), link
    info.uid, info.gid, info.mtime = uid, gid, mtime
    for key, value in rest.items():
        setattr(info, key, value)
    return Entry(info, data)


def file(name: str, data: bytes = b"", mode: int = 0o644, **rest) -> Entry:
    return _entry(name, tarfile.REGTYPE, mode, data, **rest)


def folder(name: str, mode: int = 0o755, **rest) -> Entry:
    return _entry(name, tarfile.DIRTYPE, mode, **rest)


def symlink(name: str, target: str, **rest) -> Entry:
    return _entry(name, tarfile.SYMTYPE, 0o777, link=target, **rest)


def hardlink(name: str, target: str, **rest) -> Entry:
    return _entry(name, tarfile.LNKTYPE, 0o644, link=target, **rest)


def device(name: str, kind: bytes = tarfile.CHRTYPE, major: int = 1, minor: int = 3, **rest) -> Entry:
    return _entry(name, kind, 0o666, devmajor=major, devminor=minor, **rest)


def fifo(name: str, **rest) -> Entry:
    return _entry(name, tarfile.FIFOTYPE, 0o644, **rest)


def whiteout(name: str) -> Entry:
    """Removes `name` of the layers below."""
    head, _, tail = name.rpartition("/")
    return file(f"{head}/.wh.{tail}" if head else f".wh.{tail}")


def opaque(name: str) -> Entry:
    """Hides everything that the layers below have in the folder `name` ("" for the top)."""
    return file(f"{name}/.wh..wh..opq" if name else ".wh..wh..opq")


def tar_bytes(entries: list[Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for entry in entries:
            tar.addfile(entry.info, io.BytesIO(entry.data))
    return out.getvalue()


@dataclasses.dataclass
class Blob:
    """Bytes with the media type that a descriptor announces; digest and size may be made to lie."""

    data: bytes
    media_type: str = ""
    digest: str = ""
    size: int = -1
    diff_id: str = ""

    def __post_init__(self) -> None:
        self.digest = self.digest or digest_of(self.data)
        self.size = len(self.data) if self.size < 0 else self.size

    def descriptor(self) -> dict:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def layer_of(tar: bytes, compression: str = "gzip", docker: bool = False) -> Blob:
    """A layer from the bytes of an archive; compression is none, gzip or zstd."""
    if compression == "gzip":
        data = gzip.compress(tar, mtime=0)
    elif compression == "zstd":
        data = subprocess.run(["zstd", "-q", "-c"], input=tar, stdout=subprocess.PIPE, check=True).stdout
    else:
        data = tar
    return Blob(data, MEDIA[compression][docker], diff_id=digest_of(tar))


def tar_layer(entries: list[Entry], compression: str = "gzip", docker: bool = False, form: int = tarfile.PAX_FORMAT) -> Blob:
    return layer_of(tar_bytes(entries, form), compression, docker)


@dataclasses.dataclass
class Image:
    manifest: Blob
    blobs: list[Blob]


def image(layers: list[Blob], config: dict | None = None, docker: bool = False, platform: str = "linux/amd64",
          **top_level) -> Image:
    """A manifest over the layers, base first; `config` is what goes under the key "config" (Env, Cmd, ..)."""
    os_name, architecture, *variant = platform.split("/")
    text = {
        "architecture": architecture, "os": os_name, "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created_by": "tests"} for _ in layers],
    }
    if variant:
        text["variant"] = variant[0]
    text.update(top_level)
    config_blob = Blob(json.dumps(text).encode(), MEDIA["config"][docker])
    manifest = {
        "schemaVersion": 2, "mediaType": MEDIA["manifest"][docker], "config": config_blob.descriptor(),
        "layers": [layer.descriptor() for layer in layers],
    }
    return Image(Blob(json.dumps(manifest).encode(), MEDIA["manifest"][docker]), [config_blob, *layers])


def index(images: list[tuple[Image, dict]], docker: bool = False) -> Blob:
    """An index over images (or over other indexes), each with the platform object of its entry."""
    entries = []
    for item, platform in images:
        blob = item.manifest if isinstance(item, Image) else item
        entries.append({**blob.descriptor(), "platform": platform} if platform else blob.descriptor())
    text = {"schemaVersion": 2, "mediaType": MEDIA["index"][docker], "manifests": entries}
    return Blob(json.dumps(text).encode(), MEDIA["index"][docker])


def push_blob(registry, name: str, blob: Blob) -> None:
    """Uploads the bytes under their true digest, unless the registry has them."""
    digest = digest_of(blob.data)
    try:
        registry.request("HEAD", f"/v2/{name}/blobs/{digest}").close()
        return
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
    with registry.request("POST", f"/v2/{name}/blobs/uploads/", b"") as answer:
        place = answer.headers["Location"]
    place += ("&" if "?" in place else "?") + f"digest={digest}"
    registry.request("PUT", place, blob.data, {"Content-Type": "application/octet-stream"}).close()


def push_manifest(registry, name: str, tag: str, manifest: Blob) -> str:
    """Uploads a manifest or an index, by tag or (tag empty) by digest; returns the reference."""
    target = tag or manifest.digest
    registry.request("PUT", f"/v2/{name}/manifests/{target}", manifest.data, {"Content-Type": manifest.media_type}).close()
    return f"{registry.host}/{name}{':' if tag else '@'}{target}"


def push(registry, name: str, tag: str, what: Image) -> str:
    """Uploads an image; returns its reference, by digest when `tag` is empty."""
    for blob in what.blobs:
        push_blob(registry, name, blob)
    return push_manifest(registry, name, tag, what.manifest)
