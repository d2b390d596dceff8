"""The trees of containers are those that other tools make of the same layers."""
import json
import os
import pathlib
import shutil

import pytest

import images
from trees import tree_of


def layers_of(layout: pathlib.Path) -> list[pathlib.Path]:
    """The layer files of the one image of a layout, base first."""
    def blob(digest: str) -> pathlib.Path:
        return layout / "blobs" / digest.replace(":", "/")
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    return [blob(layer["digest"]) for layer in manifest["layers"]]


@pytest.mark.parametrize("name", [pytest.param("bookworm", marks=pytest.mark.slow), "busybox"])
def test_one_layer_gives_the_tree_of_gnu_tar(udocker, pushed, layout, tmp_path, name):
    udocker.ok("pull", pushed(name))
    ours = tree_of(udocker.root_of(udocker.create(pushed(name))))
    [layer] = layers_of(layout(name))
    expected = tmp_path / "expected"
    expected.mkdir()
    images.run("tar", "-C", expected, "--no-same-owner", "-p", "--delay-directory-restore", "--anchored",
               "--exclude=./dev/*", "-xf", layer)
    theirs = tree_of(expected)
    assert len(ours) > 100
    assert {path: (ours.get(path), theirs.get(path)) for path in ours.keys() | theirs.keys()
            if ours.get(path) != theirs.get(path)} == {}


def change(root: pathlib.Path) -> None:
    """What a build step may do to a tree, so that the next layer has marks and replacements of all sorts."""
    (root / "etc/group").unlink()
    (root / "etc/added").write_text("new")
    shutil.rmtree(root / "home")
    (root / "home").write_text("a file now")
    (root / "root").rmdir()
    (root / "root").symlink_to("etc")
    (root / "usr/bin/env").unlink()
    (root / "usr/bin/env").mkdir()
    (root / "usr/bin/env/deep").mkdir()
    os.link(root / "etc/added", root / "usr/bin/env/deep/linked")
    (root / "var/tmp").chmod(0o1777)
    os.utime(root / "var/tmp", ns=(0, 1_234_567_890_123_456_789))
    for applet in sorted((root / "bin").iterdir())[:20]:
        if applet.is_symlink():
            applet.unlink()
    os.mkfifo(root / "var/fifo")


def test_several_layers_give_the_tree_of_umoci(udocker, registry, layout, tmp_path):
    copy, bundle = tmp_path / "layout", tmp_path / "bundle"
    shutil.copytree(layout("busybox"), copy)
    for round_ in range(2):
        shutil.rmtree(bundle, ignore_errors=True)
        images.run("umoci", "unpack", "--rootless", "--image", f"{copy}:latest", bundle)
        if round_ == 0:
            change(bundle / "rootfs")
        else:
            (bundle / "rootfs/home").unlink()
            (bundle / "rootfs/home").mkdir()
            (bundle / "rootfs/home/again").write_text("a directory again")
            shutil.rmtree(bundle / "rootfs/usr/bin/env")
            (bundle / "rootfs/etc/passwd").write_text("changed")
        images.run("umoci", "repack", "--image", f"{copy}:latest", bundle)
    images.run("umoci", "gc", "--layout", copy)
    expected = tmp_path / "expected"
    images.run("umoci", "unpack", "--rootless", "--image", f"{copy}:latest", expected)
    assert len(layers_of(copy)) == 3
    reference = registry.copy_from(copy, "layers/umoci")
    udocker.ok("pull", reference)
    assert tree_of(udocker.root_of(udocker.create(reference))) == tree_of(expected / "rootfs")
