"""Repositories on NFS, Lustre and FUSE: file systems without flock, hard links, nameless files and attributes."""
import errno
import os
import subprocess

import pytest

import archives
import oci
from guests import Container
from oci import file, folder, hardlink, symlink, tar_layer
from product import Udocker
from scene import CASES, Scene
from trees import tree_of

# What such file systems say: without the lock daemon, without the mount option, FUSE without the call; links likewise.
DISKS = {"no lock daemon": (errno.ENOLCK, errno.EPERM), "no locks": (errno.EOPNOTSUPP, errno.EOPNOTSUPP),
         "no such calls": (errno.ENOSYS, errno.ENOSYS), "nothing but links": (errno.ENOLCK, 0), "nothing but locks": (0, errno.EPERM)}


@pytest.fixture(params=DISKS)
def disk(request, programs) -> list[str]:
    """The words before a command on such a file system."""
    return [str(programs.build("network_disk", "x86_64")), *(str(int(error)) for error in DISKS[request.param])]


@pytest.mark.parametrize("name", CASES)
def test_each_command_does_the_same(scene: Scene, disk, name):
    after = scene.after(name)
    scene.restore()
    outcome = scene.run(name, prefix=disk)
    assert outcome.status == 0, str(outcome)
    assert scene.tree() == after
    scene.check_whole()
    scene.settle(name)
    assert scene.tree() == after


def test_a_guest(guests, disk):
    """Programs run below the same file system: with the errors that it gives, as without a container."""
    box = guests.fresh("busybox")
    script = "id -u; echo x > /tmp/a; chown 12:34 /tmp/a; ls -ln /tmp/a | cut -d' ' -f1,5-8 | tr -s ' '; ln /tmp/a /tmp/b; echo $?; mv /tmp/a /tmp/c; cat /tmp/c"
    outcome = guests.udocker.run(*box.words((), ("sh", "-c", script)), prefix=disk)
    assert outcome.status == 0 and outcome.lines[0] == "0" and outcome.lines[-1] == "x", str(outcome)
    assert (outcome.lines[2] == "1") == (disk[2] != "0")
    assert box.sh("stat -c %u:%g /tmp/c") == "12:34"
    guests.udocker.ok("rm", box.id, prefix=disk)


def test_hard_links_become_copies(udocker, registry, disk):
    layer = tar_layer([folder("d"), file("d/a", b"text", mode=0o640, gid=42), hardlink("d/b", "d/a"), symlink("d/s", "a"), hardlink("d/t", "d/s")])
    reference = oci.push(registry, "disk/links", "1", oci.image([layer]))
    udocker.ok("pull", reference, prefix=disk)
    box = Container(udocker, udocker.ok("create", reference, prefix=disk).out.strip())
    assert (box.root / "d/b").read_bytes() == b"text" and os.readlink(box.root / "d/t") == "a"
    assert (box.root / "d/a").samefile(box.root / "d/b") == (disk[2] == "0")
    assert "0 42 640 /d/b" in (box.root.parent / "owners").read_text()


def test_many_at_once(udocker, registry, disk):
    """Without flock they take turns by leases, those of killed processes included; none is left."""
    image = oci.image([tar_layer([file("big", os.urandom(300_000))])])
    reference = oci.push(registry, "disk/many", "1", image)
    launched = Udocker(udocker.executable, udocker.home)
    launched.command = lambda *words: [*disk, *Udocker.command(launched, *words)]
    processes = [launched.start(*words) for turn in range(4) for words in (
        ["pull", reference], ["tag", reference, f"tag/{turn}:1"], ["create", f"--name=c{turn}", reference], ["rmi", reference])]
    for process in processes[::5]:
        process.kill()
    for process in processes:
        process.communicate()
    udocker.ok("pull", reference, prefix=disk)
    udocker.ok("rm", udocker.ok("create", reference, prefix=disk).out.strip(), prefix=disk)
    for line in udocker.ok("images", prefix=disk).lines[1:]:
        udocker.ok("verify", line.split()[0], prefix=disk)
    assert [path for path in (udocker.top / ".state").rglob("*lock*")] == []
