"""What archives may cost: size, ratio, members, depth and room on the disk, and how each limit is raised."""
import gzip
import os
import zlib

import pytest

import archives
import oci
from oci import file, folder, tar_layer

ZEROS, MANY, DEEP = [file("zeros", bytes(3 << 20))], [file(f"f{i}") for i in range(1000)], [file("d/" * 50 + "f")]
# The tree, what refuses it, what lets it pass, and what is said. In a clone it lies below ROOT, beside other files.
LIMITS = {
    "limit_size": (ZEROS, "2", "5", "more than the 2097152 bytes allowed"),
    "limit_entries": (MANY, "999", "1010", "more than the 999 members allowed"),
    "limit_depth": (DEEP, "50", "52", "deeper than 50 directories"),
}
WAYS = {
    "import": ("import", "ARCHIVE", "limits:1"),
    "import to a container": ("import", "--tocontainer", "ARCHIVE"),
    "import a clone": ("import", "--clone", "ARCHIVE"),
    "load": ("load", "-i", "ARCHIVE"),
    "create": ("create", "limits:1"),
    "run": ("run", "--nobanner", "--volume=/bin/busybox:/busybox", "limits:1", "/busybox", "true"),
}


@pytest.fixture
def prepare(udocker, tmp_path):
    """prepare(way, tree): what the way needs to have, and the words of its command."""
    def prepared(way: str, tree: list) -> list[str]:
        path = tmp_path / "archive"
        if way == "load":
            image = oci.image([tar_layer(tree)], docker=True)
            path.write_bytes(oci.tar_bytes(archives.docker_save([(["limits:1"], image)])))
        elif way == "import a clone":
            in_root = [file("ROOT/" + entry.info.name, entry.data) for entry in tree]
            path.write_bytes(oci.tar_bytes([folder("ROOT"), file("container.json", b'{"config": {}}'), *in_root]))
        else:
            path.write_bytes(gzip.compress(oci.tar_bytes(tree), mtime=0))
        if way in ("create", "run"):
            udocker.ok("import", path, "limits:1")
        udocker.ok("images")
        return [str(path) if word == "ARCHIVE" else word for word in WAYS[way]]
    return prepared


def unlimited(way: str, key: str) -> bool:
    """The layers of an image are not unpacked by load: their members are not looked at."""
    return way == "load" and key != "limit_size"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", LIMITS)
def test_a_limit_and_a_higher_one(udocker, prepare, way, key):
    tree, low, high, complaint = LIMITS[key]
    words = prepare(way, tree)
    before = udocker.snapshot()
    if not unlimited(way, key):
        error = udocker.fails(*words, env={f"UDOCKER_{key.upper()}": low}).err
        assert complaint in error and f"configuration key {key} or the variable UDOCKER_{key.upper()}" in error
        assert "pull the image again" not in error
        assert udocker.snapshot() == before
    udocker.ok(*words, env={f"UDOCKER_{key.upper()}": high})


def test_members_of_an_archive_of_images(udocker, prepare):
    """A hundredth of the members of a tree."""
    words = prepare("load", [file("f")])
    assert "more than the 3 members allowed" in udocker.fails(*words, env={"UDOCKER_LIMIT_ENTRIES": "399"}).err
    udocker.ok(*words)


@pytest.mark.parametrize("command", ["save", "verify"])
def test_commands_that_only_read(udocker, prepare, tmp_path, command):
    prepare("create", ZEROS)
    outcome = udocker.run("verify", "limits:1", env={"UDOCKER_LIMIT_SIZE": "2"})
    assert outcome.status == 1 and "UDOCKER_LIMIT_SIZE" in outcome.err
    udocker.ok(command, *(["-o", tmp_path / "out.tar"] if command == "save" else []), "limits:1")


def test_zero_is_no_limit(udocker, prepare):
    words = prepare("import to a container", DEEP + ZEROS + MANY)
    udocker.fails(*words, env={"UDOCKER_LIMIT_ENTRIES": "1"})
    made = udocker.ok(*words, env={f"UDOCKER_{key.upper()}": "0" for key in [*LIMITS, "limit_ratio"]}).out.strip()
    udocker.ok("rm", made)


def test_limits_of_the_configuration_file(udocker, prepare):
    words = prepare("import", MANY)
    configuration = udocker.top / "udocker.conf"
    configuration.write_text("limit_entries = 10\nlimit_depth = 3\n")
    assert "more than the 10 members allowed" in udocker.fails(*words).err
    assert "limit_entries = 10" in udocker.ok("showconf").out
    configuration.write_text("limit_entries = many\n")
    assert "'many' is not a whole number from 0 on" in udocker.fails(*words).err


def zeros_in_gzip(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(16 << 20)
    return packer.compress(file("zeros", size=size).info.tobuf()) + b"".join(
        packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


@pytest.mark.slow
def test_bomb(udocker, tmp_path):
    """Zeros in a thousandth of their size: more than 300 times as large, above 1 GiB."""
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(zeros_in_gzip((1 << 30) + (64 << 20)))
    udocker.ok("images")
    before = udocker.snapshot()
    error = udocker.fails("import", bomb, "bomb:1").err
    assert "more than 300 times its size" in error and "UDOCKER_LIMIT_RATIO" in error
    assert udocker.snapshot() == before
    udocker.ok("import", bomb, "bomb:1", env={"UDOCKER_LIMIT_RATIO": "2000"})


ROOM = "limit_free_space"
SPARSE = 1 << 50  # more than any disk has


@pytest.mark.parametrize("way", ["import to a container", "load"])
def test_a_member_that_no_disk_has_room_for(udocker, prepare, tmp_path, way):
    """It says so before it fills the disk."""
    words = prepare(way, ZEROS)
    archive = tmp_path / "archive"
    archive.write_bytes(file("blobs", size=SPARSE).info.tobuf(format=1) + bytes(1 << 20))
    before = udocker.snapshot()
    error = udocker.fails(*words).err
    assert f"it needs {SPARSE} bytes" in error and ROOM in error and "No space left on device" in error
    assert udocker.snapshot() == before
    assert "cut off" in udocker.fails(*words, env={"UDOCKER_LIMIT_FREE_SPACE": "False"}).err


def test_a_copy_that_no_disk_has_room_for(udocker, tmp_path):
    archive = tmp_path / "archive"
    archive.write_bytes(oci.tar_bytes([file("f")]))
    room = os.statvfs(tmp_path)
    os.truncate(archive, (room.f_bavail + 1000) * room.f_frsize)
    udocker.ok("images")
    assert "it needs" in udocker.fails("import", archive, "limits:1").err


def test_pull_of_more_than_there_is_room_for(udocker, registry):
    """The sizes of the manifest tell it before anything is fetched."""
    layer = tar_layer([file("f")])
    layer.size = SPARSE
    oci.push(registry, "limits/huge", "1", oci.image([layer]))
    error = udocker.fails("pull", f"{registry.host}/limits/huge:1").err
    assert "it needs" in error and "No space left on device" in error
    assert udocker.ok("images").lines[1:] == []
