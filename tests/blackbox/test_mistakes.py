"""Mistakes of the Python tool that no other file has a place for; docs/compatibility.md has the list of all."""
import json
import os
import pathlib
import subprocess

import pytest

import oci
from oci import file, folder, tar_layer
from test_fixture_tree import python  # noqa: F401  (a fixture)

IMAGE = oci.image([tar_layer([folder("bin"), file("bin/new", b"new")])])


def programs_of(udocker, trace: pathlib.Path, *words: str) -> list[str]:
    """The lines of the system calls that execute a program, our own start left out."""
    udocker.ok(*words, prefix=["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", str(trace)])
    return trace.read_text().splitlines()[1:]


# Q6 of the Python tool: a traceback for each of them.
@pytest.mark.parametrize("text", ["no section\n", "[DEFAULT]\nverbose_level\n", "[DEFAULT]\ncmd = [\n", "[DEFAULT]\nctimeout = soon\n"])
def test_a_malformed_configuration_is_one_line(udocker, tmp_path, text):
    config = tmp_path / "bad.conf"
    config.write_text(text)
    outcome = udocker.run(f"--config={config}", "showconf")
    assert "Traceback" not in outcome.err and len(outcome.err.splitlines()) <= 1
    assert outcome.status == 0 or str(config) in outcome.err


# Q6 of the Python tool: a traceback.
def test_a_keystore_that_others_can_read_is_one_line(udocker):
    udocker.ok("images")
    keystore = udocker.home / ".udocker/keystore"
    keystore.write_text('{"https://registry-1.docker.io": {"auth": "YTpi", "email": ""}}')
    keystore.chmod(0o644)
    assert str(keystore) in udocker.fails("logout").err


# Q15 of the Python tool: `v2` came beside `v1`, which won: the old content stayed in use.
@pytest.mark.parametrize("old", ["tinyoci:1.0", "imported:2"])
def test_pull_over_an_image_of_the_old_format(python, registry, old):  # noqa: F811
    name, _, tag = old.partition(":")
    oci.push(registry, f"library/{name}", tag, IMAGE)
    oci.push(registry, name, tag, IMAGE)
    python.ok("pull", f"--registry={registry.url}", old)
    assert not (python.top / "repos" / name / tag / "v1").exists()
    assert (python.root_of(python.create(old)) / "bin/new").read_bytes() == b"new"
    python.ok("verify", old)


# Q33 of the Python tool: a process for each file that could not be written to, `find` over the tree after each layer, blobs unpacked twice.
def test_unpacking_starts_no_process(udocker, registry, tmp_path):
    layers = [tar_layer([file(f"layer-{layer}-{number}", b"x", mode=0o444) for number in range(50)]) for layer in range(3)]
    udocker.ok("pull", oci.push(registry, "mistakes/unpacking", "v1", oci.image(layers)))
    assert programs_of(udocker, tmp_path / "trace", "create", f"{registry.host}/mistakes/unpacking:v1") == []


# Q43 of the Python tool: the volume was taken for every path that its name begins.
def test_a_volume_is_no_prefix_of_another_name(fresh_box, tmp_path):
    (tmp_path / "file").write_text("of the volume")
    (fresh_box.root / "database").mkdir()
    (fresh_box.root / "database/file").write_text("of the image")
    assert fresh_box.ok("cat", "/database/file", options=("-v", f"{tmp_path}:/data")) == "of the image"


# Q44 of the Python tool: it was not listed.
def test_an_image_below_the_directory_of_a_tag_is_listed(udocker, pushed):
    udocker.ok("pull", pushed("busybox"))
    for name in ("a:b", "a/b:c"):
        udocker.ok("tag", pushed("busybox"), name)
    listed = {row["Repository"] + ":" + row["Tag"] for row in map(json.loads, udocker.ok("images", "--format=json").lines)}
    assert {"a:b", "a/b:c"} <= listed


# Q46 of the Python tool: an IndexError for machine names that it did not know, i686 among them.
def test_a_machine_with_another_name(udocker):
    assert udocker.ok("images", prefix=["setarch", "i686"]).lines == ["REPOSITORY"]
    assert udocker.ok("version", prefix=["setarch", "i686"]).lines[0].startswith("version: ")


# Q47 of the Python tool: proot --help and other programs at each start.
def test_run_starts_the_payload_alone(udocker, pushed, tmp_path):
    """Under strace nothing else can trace, so only what comes before the payload is seen."""
    udocker.ok("pull", pushed("busybox"))
    udocker.create(pushed("busybox"), "--name=box")
    trace = tmp_path / "trace"
    udocker.run("run", "box", "/bin/true", prefix=["strace", "-f", "-qq", "-e", "trace=execve,execveat", "-o", str(trace)])
    programs = [line for line in trace.read_text().splitlines()[1:] if "exec" in line and "ENOENT" not in line]
    assert all("/proc/self/fd" in line or "execveat" in line or "box" in line or "true" in line for line in programs), programs


# Q48 of the Python tool: both wrote the same file under its final name, without any lock.
def test_two_pulls_at_once(udocker, registry):
    layers = [tar_layer([file(f"{number}", os.urandom(200_000))]) for number in range(5)]
    reference = oci.push(registry, "mistakes/twice", "v1", oci.image(layers))
    udocker.ok("images")
    running = [udocker.start("pull", reference) for _ in range(4)]
    for process in running:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    udocker.ok("verify", reference)
    assert {path.name for path in (udocker.top / "layers").iterdir()} >= {layer.digest for layer in layers}
    subprocess.run(["sh", "-c", 'test -z "$(ls -A "$0")"', udocker.top / ".state/layers"], check=True)
