"""tag: a second name of an image."""
import os

import pytest

import archives
import oci
from oci import file, tar_layer
from test_fixture_tree import python  # noqa: F401  (a fixture)

IMAGE = oci.image([tar_layer([file("f", b"x")])], {"Env": ["A=b"]})


@pytest.fixture
def named(udocker) -> str:
    udocker.ok("load", stdin=oci.tar_bytes(archives.docker_save([(["some/name:1"], IMAGE)])))
    return "some/name:1"


def test_second_name(udocker, named):
    assert udocker.ok("tag", named, "host.example:5000/other").out == ""
    first, second = udocker.top / "repos/some/name/1", udocker.top / "repos/host.example:5000/other/latest"
    assert sorted(os.listdir(first)) == sorted(os.listdir(second))
    assert (second / "TAG").read_text() == f"{udocker.top}/repos/host.example:5000/other:latest"
    assert (second / "manifest").read_bytes() == (first / "manifest").read_bytes()
    udocker.ok("rmi", named)
    assert (udocker.root_of(udocker.create("host.example:5000/other")) / "f").read_bytes() == b"x"
    udocker.ok("rmi", "host.example:5000/other")
    assert list((udocker.top / "layers").iterdir()) == []


@pytest.mark.parametrize("source", ["tinyoci:1.0", "fixtures/renamed:9", "imported:2"])
def test_images_of_the_python_tool(python, source):  # noqa: F811
    """Q54: a copy of a loaded image lost the link to its configuration: no container could be made of it, or one with a stub
    instead of the configuration."""
    python.ok("tag", source, "copied/image:5")
    assert python.ok("inspect", "copied/image:5").out == python.ok("inspect", source).out
    assert ("container.json" in os.listdir(python.top / "repos/copied/image/5")) == \
        (python.top / "repos" / source.replace(":", "/") / "container.json").exists()
    python.ok("rmi", source)
    assert (python.root_of(python.create("copied/image:5")) / "bin/hello").is_file()


@pytest.mark.parametrize("words, complaint", [
    # Q3: without a target it made an image of the name None:latest.
    (["tag", "some/name:1"], "must specify the image and its new name"), (["tag"], "must specify the image and its new name"),
    (["tag", "absent:1", "new:1"], "source does not exist: image not found: absent:1"),
    (["tag", "some/name:1", "some/name:1"], "target already exists: some/name:1"),
    (["tag", "some/name:1", "../../x:1"], "target name is invalid"), (["tag", "some/name:1", ""], "target name is invalid"),
    (["tag", "some/name:1", "a:b:c"], "target name is invalid"), (["tag", "some/name:1", "a", "b"], "syntax error at: b"),
])
def test_refusals(udocker, named, words, complaint):
    before = udocker.snapshot()
    assert complaint in udocker.fails(*words).err
    assert udocker.snapshot() == before


def test_protected(python):  # noqa: F811
    assert "source repository is protected: fixtures/tiny:1.0" in python.fails("tag", "fixtures/tiny:1.0", "new:1").err
