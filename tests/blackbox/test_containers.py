"""create, ps, images, inspect, name, rename, rmname, rm, rmi, setup: the book-keeping around images and containers."""
import json
import re

import pytest

from product import UUID


def test_create_makes_the_tree(udocker, image):
    container = udocker.create(image)
    root = udocker.root_of(container)
    assert root == udocker.top / "containers" / container / "ROOT"
    assert (root / "bin/busybox").stat().st_mode & 0o777 == 0o755
    assert (root / "bin/sh").readlink().name == "busybox"
    assert (root / "tmp").stat().st_mode & 0o1777 == 0o1777
    assert (root.parent / "imagerepo.name").read_text() == image
    json.loads((root.parent / "container.json").read_text())


def test_quiet_create_prints_the_id_alone(udocker, image):
    outcome = udocker.ok("-q", "create", image)
    assert UUID.fullmatch(outcome.out.removesuffix("\n"))
    assert outcome.err == ""


def test_create_of_an_absent_image(udocker):
    udocker.ok("images")
    before = udocker.snapshot()
    assert "no/such:image" in udocker.fails("create", "no/such:image").err
    assert udocker.snapshot() == before


def test_create_with_a_name_that_is_taken(udocker, image):
    udocker.create(image, "--name=web")
    before = udocker.snapshot()
    assert "web" in udocker.fails("create", "--name=web", image).err
    assert udocker.snapshot() == before


@pytest.mark.parametrize("name", ["a/b", "a.b", "a b", "a[b", "x" * 3000])
def test_create_with_a_bad_name_creates_nothing(udocker, image, name):
    before = udocker.snapshot()
    udocker.fails("create", f"--name={name}", image)
    assert udocker.snapshot() == before


@pytest.mark.parametrize("words", [["create", "--name=a b"], ["run", "--name=a b"]], ids=" ".join)
def test_bad_name_is_named_once(udocker, image, words):
    line = udocker.fails(*words, image).err
    assert line.count("invalid container name") == 1 and "'a b'" in line


def test_ps_shape(udocker, image):
    container = udocker.create(image, "--name=web")
    udocker.ok("name", container, "w2")
    header, row = udocker.ok("ps").lines
    assert header == "%-36.36s %c %c %-18s %-20.20s" % ("CONTAINER ID", "P", "M", "NAMES", "IMAGE")
    assert row == "%-36.36s %c %c %-18.100s %-20.100s" % (container, ".", "W", "['web', 'w2']", image)


def test_ps_columns(udocker, image):
    container = udocker.create(image)
    header, row = udocker.ok("ps", "-m", "-s", "-p").lines
    assert header == "%-36.36s %c %c %s%-18s %-20.20s" % (
        "CONTAINER ID", "P", "M", "MOD SIZE PLATFORM           ", "NAMES", "IMAGE")
    match = re.fullmatch(r"(\S{36}) \. W P1 +(\d+) linux/amd64        .*", row)
    assert match and match[1] == container
    assert 1 <= int(match[2]) <= 10


def test_images_shape(udocker, image):
    header, row = udocker.ok("images").lines
    assert header.strip() == "REPOSITORY"
    assert row == f"{image}    ."
    assert udocker.ok("-q", "images").lines == [row]


def test_images_long_and_platform(udocker, image):
    long = udocker.ok("images", "-l").out
    place = udocker.top / "repos" / image.rpartition(":")[0] / "latest"
    assert str(place) in long
    assert len(re.findall(r"^    /sha256:[0-9a-f]{64} \(\d+ MB\)$", long, re.MULTILINE)) == 2
    assert "%-18.18s %c %s" % ("linux/amd64", ".", image) in udocker.ok("images", "-p").lines


def test_inspect_image_and_container_agree(udocker, image):
    of_image = udocker.ok("inspect", image)
    of_container = udocker.ok("inspect", udocker.create(image))
    assert of_image.json() == of_container.json()
    assert of_image.json()["config"]["Cmd"] == ["/bin/sh"]
    again = json.dumps(of_image.json(), sort_keys=True, indent=4, separators=(",", ": "))
    assert of_image.out == again + "\n"


def test_inspect_unknown(udocker):
    assert "nothing-like-it" in udocker.fails("inspect", "nothing-like-it").err
    assert "nothing-like-it" in udocker.fails("inspect", "-p", "nothing-like-it").err


def test_broken_metadata_is_named_and_hides_nothing(udocker, image):
    containers = {text: udocker.create(image) for text in ("", "{broken", "[]", "gone", "whole")}
    for text, container in containers.items():
        path = udocker.top / "containers" / container / "container.json"
        if text == "gone":
            path.unlink()
        elif text != "whole":
            path.write_text(text)
    outcome = udocker.ok("ps", "-m", "-s", "-p")
    assert len(outcome.lines) == 1 + len(containers)
    assert sum("linux/amd64" in line for line in outcome.lines) == 1
    assert f"invalid container json metadata: {containers['gone']}" in outcome.err
    for text in ("", "{broken", "gone"):
        container = containers[text]
        assert container in udocker.fails("inspect", container).err
        assert container in udocker.fails("run", "--nobanner", container, "true", status=2).err
        udocker.ok("rm", container)


def test_broken_image_metadata_is_named_and_hides_nothing(udocker, registry, layout, image):
    other = registry.copy_from(layout("busybox"), "guests/other-busybox")
    udocker.ok("pull", other)
    repository, _, tag = image.rpartition(":")
    (udocker.top / "repos" / repository / tag / "manifest").write_text("{broken")
    listing = udocker.ok("images", "-l", "-p").out
    assert f"unknown/unknown    . {image}" in listing and f"linux/amd64        . {other}" in listing
    for command in ("create", "inspect"):
        line = udocker.fails(command, image).err
        assert image in line and "pull it again" in line
    udocker.ok("pull", image)
    udocker.create(image)


def test_repository_that_cannot_be_written(udocker, image):
    container = udocker.create(image, "--name=web")
    folders = [udocker.top, *(path for path in udocker.top.rglob("*") if path.is_dir() and not path.is_symlink())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        before = udocker.snapshot()
        assert f"{container} . R" in udocker.ok("ps").out
        assert image in udocker.ok("images", "-l", "-p").out
        udocker.ok("inspect", "web")
        assert udocker.ok("run", "--nobanner", "web", "echo", "runs").out == "runs\n"
        for words in (["pull", image], ["create", image], ["rmi", image], ["rm", "web"], ["name", "web", "x"],
                      ["setup", "--execmode=P2", "web"]):
            line = udocker.fails(*words).err
            assert "Permission denied" in line and str(udocker.top) in line and "UDOCKER_DIR" in line, words
        assert udocker.snapshot() == before
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize("place", ["nowhere/.udocker", "file", "file/x"])
def test_repository_that_cannot_be_made(udocker, tmp_path, place):
    (tmp_path / "file").write_text("a file")
    tmp_path.chmod(0o555)
    try:
        line = udocker.fails("images", env={"UDOCKER_DIR": str(tmp_path / place)}).err
        assert str(tmp_path) in line and "cannot create the repository" in line and "UDOCKER_DIR" in line
    finally:
        tmp_path.chmod(0o755)


def test_names(udocker, image):
    container = udocker.create(image)
    assert udocker.ok("name", container, "one").out == ""
    assert udocker.root_of("one") == udocker.root_of(container)
    udocker.ok("rename", "one", "two")
    udocker.fails("inspect", "one")
    assert udocker.root_of("two") == udocker.root_of(container)
    assert "two" in udocker.ok("rmname", "two").err
    udocker.fails("inspect", "two")
    assert udocker.root_of(container).is_dir()


def test_name_errors(udocker, image):
    first, second = udocker.create(image, "--name=first"), udocker.create(image, "--name=second")
    assert "second" in udocker.fails("name", first, "second").err
    assert "second" in udocker.fails("rename", "first", "second").err
    udocker.fails("name", first, "a/b")
    udocker.fails("name", "no-such-container", "x")
    udocker.fails("rename", "no-such-container", "x")
    udocker.fails("rmname", "no-such-container")
    assert udocker.root_of("first") == udocker.root_of(first) and udocker.root_of("second") == udocker.root_of(second)


def test_rm_by_name_and_id(udocker, image):
    first, second = udocker.create(image, "--name=first"), udocker.create(image)
    udocker.ok("rm", "first", second)
    assert list((udocker.top / "containers").iterdir()) == []
    assert len(udocker.ok("ps").lines) == 1
    assert first not in udocker.ok("ps").out


def test_rm_goes_on_after_an_error(udocker, image):
    container = udocker.create(image)
    outcome = udocker.run("rm", "no-such-container", container)
    assert outcome.status == 1
    assert "no-such-container" in outcome.err
    assert list((udocker.top / "containers").iterdir()) == []


def test_rm_without_argument(udocker):
    udocker.fails("rm")


# Q42 of the Python tool: `rm` of what cannot be read leaves half a container without its names.
def test_rm_force_removes_what_the_guest_made_unreadable(udocker, image):
    container = udocker.create(image, "--name=locked")
    locked = udocker.root_of(container) / "locked"
    (locked / "inner").mkdir(parents=True)
    (locked / "inner/file").write_text("x")
    (locked / "inner").chmod(0)
    locked.chmod(0)
    udocker.fails("rm", container)
    assert "['locked']" in udocker.ok("ps").lines[1] and (udocker.root_of(container) / "bin").is_dir()
    udocker.ok("rm", "-f", container)
    assert list((udocker.top / "containers").iterdir()) == []


def test_rmi_removes_the_blobs_that_nobody_else_has(udocker, image):
    udocker.ok("rmi", image)
    assert list((udocker.top / "layers").iterdir()) == []
    assert list((udocker.top / "repos").iterdir()) == []
    assert udocker.ok("-q", "images").out == ""


def test_rmi_keeps_what_another_tag_uses(udocker, registry, image, layout):
    other = registry.copy_from(layout("busybox"), "guests/busybox", "other")
    udocker.ok("pull", other)
    blobs = sorted((udocker.top / "layers").iterdir())
    udocker.ok("rmi", image)
    assert sorted((udocker.top / "layers").iterdir()) == blobs
    udocker.create(other)


def test_rmi_leaves_containers_alone(udocker, image):
    container = udocker.create(image)
    udocker.ok("rmi", image)
    assert (udocker.root_of(container) / "bin/busybox").is_file()


def test_rmi_unknown(udocker, image):
    before = udocker.snapshot()
    assert "no/such:image" in udocker.fails("rmi", "no/such:image").err
    udocker.fails("rmi")
    assert udocker.snapshot() == before


def test_protected_things_stay(udocker, image):
    container = udocker.create(image)
    (udocker.top / "containers" / container / "PROTECT").touch()
    (udocker.top / "repos" / image.rpartition(":")[0] / "latest/PROTECT").touch()
    assert "protected" in udocker.fails("rm", "-f", container).err
    assert "protected" in udocker.fails("rmi", "-f", image).err
    assert "P" == udocker.ok("ps").lines[1].split()[1]
    assert udocker.ok("images").lines[1] == f"{image}    P"


def test_setup_shows_and_sets_the_mode(udocker, image):
    container = udocker.create(image)
    assert udocker.ok("setup", container).lines == ["execmode: P1", "nvidiamode: False"]
    udocker.ok("setup", "--execmode=p2", container)
    assert udocker.ok("setup", container).lines[0] == "execmode: P2"
    assert (udocker.top / "containers" / container / "execmode").read_text() == "P2"
    assert "P2" in udocker.ok("ps", "-m").lines[1]


def test_setup_purge(udocker, image):
    """Mount points that the Python tool's modes R, F and S have left, and files that its mode R has replaced, as it records both.

    Q24: there the image's own /etc/passwd, recorded as a mount point, was deleted."""
    container = udocker.create(image)
    folder, root = udocker.top / "containers" / container, udocker.root_of(container)
    passwd = (root / "etc/passwd").read_bytes()
    (folder / ".mountpoints").mkdir()
    for path, ancestor in {"#mnt#deep#er": "#", "#etc#passwd": "#etc"}.items():
        (folder / ".mountpoints" / path).symlink_to(ancestor)
    (root / "mnt/deep/er").mkdir(parents=True)
    (folder / ".bind_orig_files").mkdir()
    (root / "etc/group").rename(folder / ".bind_orig_files/#etc#group")
    (root / "etc/group").symlink_to("/.bind_host_files/#etc#group")
    (root / ".bind_host_files").mkdir()
    outcome = udocker.ok("setup", "--purge", container)
    assert outcome.out == outcome.err == ""
    assert not (root / "mnt").exists() and (root / "etc/passwd").read_bytes() == passwd
    assert (root / "etc/group").is_file() and not (root / "etc/group").is_symlink() and not (root / ".bind_host_files").exists()
    assert not (folder / ".mountpoints").exists() and not (folder / ".bind_orig_files").exists()
    udocker.ok("setup", "--purge", container)


def test_setup_errors(udocker, image):
    container = udocker.create(image)
    assert "Z9" in udocker.fails("setup", "--execmode=Z9", container).err
    assert "F1" in udocker.fails("setup", "--execmode=F1", container).err
    udocker.fails("setup", "no-such-container")
    assert udocker.ok("setup", container).lines[0] == "execmode: P1"
