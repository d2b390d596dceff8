"""import: archives of one tree become images and containers."""
import bz2
import gzip
import hashlib
import json
import lzma
import os
import pathlib
import signal
import subprocess
import tarfile
import time

import pytest

import oci
from guests import Container
from oci import file, folder, hardlink, symlink
from test_fixture_tree import BUSYBOX, python  # noqa: F401  (a fixture)
from trees import tree_of

TREE = [folder("etc"), file("etc/shadow", b"secret", mode=0o600, uid=0, gid=42), file("etc/motd", b"hello\n"),
        folder("bin"), file("bin/su", b"#!", mode=0o4755), symlink("bin/link", "../etc/motd"),
        hardlink("bin/hard", "etc/motd"), folder("tmp", mode=0o1777), file("etc/ünï", b"")]
PLAIN = oci.tar_bytes(TREE)
FORMS = {
    "plain": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": lambda data: subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout,
}


@pytest.fixture
def archive(tmp_path) -> pathlib.Path:
    path = tmp_path / "tree.tar"
    path.write_bytes(PLAIN)
    return path


def expected_tree(top: pathlib.Path) -> dict:
    top.mkdir()
    subprocess.run(["tar", "-C", top, "--no-same-owner", "-p", "--delay-directory-restore", "-x"], input=PLAIN, check=True)
    return tree_of(top)


def without_top(tree: dict) -> dict:
    """The archive does not have the top folder itself, or a finer time of it than the fixture's tree."""
    return {path: what for path, what in tree.items() if path != "."}


@pytest.mark.parametrize("how", ["file", "stdin"])
@pytest.mark.parametrize("form", FORMS)
def test_image_of_every_compression(udocker, tmp_path, form, how):
    data = FORMS[form](PLAIN)
    path = tmp_path / "archive"
    path.write_bytes(data)
    outcome = udocker.ok("import", path, "some/tree:1") if how == "file" else udocker.ok("import", "-", "some/tree:1", stdin=data)
    assert f"Info: added layer {hashlib.sha256(data).hexdigest()}" in outcome.err and outcome.out == ""
    assert path.read_bytes() == data
    assert (udocker.top / "layers" / oci.digest_of(data)).read_bytes() == data
    assert without_top(tree_of(udocker.root_of(udocker.create("some/tree:1")))) == without_top(expected_tree(tmp_path / "expected"))


def test_metadata(udocker, archive):
    """Field by field what the Python tool writes, but for its mistakes.

    Q52: there `created` was local time labelled UTC, and diff_ids hashed the file as stored, be it compressed."""
    archive.write_bytes(gzip.compress(PLAIN, mtime=0))
    before = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    udocker.ok("import", "--platform=linux/arm64/v9", archive, "made:up", env={"TZ": "Asia/Tokyo"})
    after = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    config = udocker.ok("inspect", "made:up").json()
    assert len(config.pop("id")) == 64
    created = config.pop("created")
    assert before <= created[:19] <= after and created[19:] == ".000000000Z"
    empty = {"Hostname": "", "Domainname": "", "User": "", "Memory": 0, "MemorySwap": 0, "CpusShares": 0, "Cpuset": "",
             "AttachStdin": False, "AttachStdout": False, "AttachStderr": False, "PortSpecs": None, "ExposedPorts": None,
             "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None, "Image": "", "Volumes": None,
             "WorkingDir": "", "Entrypoint": None, "NetworkDisable": False, "MacAddress": "", "OnBuild": None, "Labels": None}
    assert config == {
        "comment": "created by udocker", "architecture": "arm64", "variant": "v9", "os": "linux",
        "size": archive.stat().st_size, "rootfs": {"type": "layers", "diff_ids": [oci.digest_of(PLAIN)]},
        "container_config": empty, "config": empty}


def test_files_of_the_image(udocker, archive):
    """What the Python tool reads: links by digest to flat blobs, a manifest on one line, no line end anywhere."""
    udocker.ok("import", archive, "deep/er/name:tag")
    folder_ = udocker.top / "repos/deep/er/name/tag"
    manifest = json.loads((folder_ / "manifest").read_text())
    digests = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    assert sorted(path.name for path in folder_.iterdir()) == sorted([*digests, "TAG", "manifest", "v2"])
    assert (folder_ / "TAG").read_text() == f"{udocker.top}/repos/deep/er/name:tag"
    assert (folder_ / "v2").read_text() == "" and "\n" not in (folder_ / "manifest").read_text()
    for digest in digests:
        assert os.readlink(folder_ / digest) == f"../../../../../layers/{digest}"
        assert oci.digest_of((folder_ / digest).read_bytes()) == digest
    assert [path.name for path in (udocker.top / ".state/layers").iterdir()] == []


def test_mv(udocker, archive):
    inode = archive.stat().st_ino
    udocker.ok("import", "--mv", archive, "moved:1")
    assert not archive.exists()
    blob = udocker.top / "layers" / oci.digest_of(PLAIN)
    assert blob.stat().st_ino == inode and blob.stat().st_nlink == 1
    udocker.create("moved:1")


@pytest.mark.parametrize("how", ["link", "hard link", "other disk"])
def test_mv_of_what_cannot_be_renamed_copies(udocker, archive, tmp_path, how):
    path = tmp_path / "other"
    if how == "link":
        path.symlink_to(archive)
    elif how == "hard link":
        os.link(archive, path)
    else:
        path = pathlib.Path(f"/dev/shm/udocker-test-{os.getpid()}.tar")
        path.write_bytes(PLAIN)
    udocker.ok("import", "--mv", path, "moved:1")
    assert not path.is_symlink() and not path.exists() and archive.read_bytes() == PLAIN
    assert (udocker.top / "layers" / oci.digest_of(PLAIN)).stat().st_ino != archive.stat().st_ino


def test_mv_keeps_the_file_of_a_failed_import(udocker, archive):
    udocker.ok("import", archive, "taken:1")
    udocker.fails("import", "--mv", archive, "taken:1")
    archive.write_bytes(PLAIN[:700])
    udocker.fails("import", "--mv", archive, "free:1")
    assert archive.read_bytes() == PLAIN[:700]


def test_existing_image_is_kept(udocker, archive):
    udocker.ok("import", archive, "taken:1")
    before = udocker.snapshot()
    assert "tag already exists in repo: taken:1" in udocker.fails("import", archive, "taken:1").err
    assert udocker.snapshot() == before


@pytest.mark.parametrize("form", FORMS)
def test_to_container(udocker, tmp_path, form):
    outcome = udocker.ok("import", "--tocontainer", "--name=tree", "-", stdin=FORMS[form](PLAIN))
    container = udocker.top / "containers" / outcome.out.strip()
    assert without_top(tree_of(container / "ROOT")) == without_top(expected_tree(tmp_path / "expected"))
    assert os.readlink(udocker.top / "containers/tree") == container.name
    assert (container / "imagerepo.name").read_text() == "IMPORTED:unknown"
    config = json.loads((container / "container.json").read_text())
    assert config["size"] == 0 and "rootfs" not in config and config["comment"] == "created by udocker"
    assert (container / "owners").read_text().splitlines()[1:] == ["0 0 4755 /bin/su", "0 42 600 /etc/shadow"]
    assert udocker.ok("images").lines == ["REPOSITORY"]


def test_to_container_of_a_named_image(udocker, archive):
    udocker.ok("import", "--tocontainer", "--platform=linux/arm64", archive, "some/image:2")
    assert "some/image:2" in udocker.ok("ps").out and "linux/arm64" in udocker.ok("ps", "-p").out


def test_container_name_taken(udocker, archive):
    udocker.ok("import", "--tocontainer", "--name=tree", archive)
    before = udocker.snapshot()
    assert "container name already exists: tree" in udocker.fails("import", "--tocontainer", "--name=tree", archive).err
    assert "invalid container name" in udocker.fails("import", "--tocontainer", "--name=a/b", archive).err
    assert udocker.snapshot() == before


# ---- archives of the Python tool ------------------------------------------------------------------------------

def test_export_of_the_python_tool(python):  # noqa: F811
    made = python.top.parent
    python.ok("import", made / "c1-export.tar", "again:3")
    ours = tree_of(python.root_of(python.create("again:3")))
    assert without_top(ours) == without_top(tree_of(python.root_of("imp1")))
    box = Container(python, python.ok("import", "--tocontainer", made / "c1-export.tar").out.strip())
    assert tree_of(box.root) == ours
    assert box.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (box.root / "bin/hello").read_text()


def test_clone_of_the_python_tool(python):  # noqa: F811
    made = python.ok("import", "--clone", "--name=imp3", python.top.parent / "c1-clone.tar").out.strip()
    theirs, ours = (python.root_of(name).parent for name in ("imp2", "imp3"))
    assert ours.name == made
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir())
    for name in ("container.json", "imagerepo.name", "PROTECT"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    assert without_top(tree_of(ours / "ROOT")) == without_top(tree_of(theirs / "ROOT"))
    assert Container(python, "imp3").ok("/bin/busybox", "sh", "-c", "busybox pwd; echo $TINY", options=BUSYBOX) == "/data\n1\n"


def clone_archive(extra=(), root=True, config=b'{"config": {}}') -> bytes:
    members = [folder("./ROOT"), file("./ROOT/f", b"x")] if root else []
    return oci.tar_bytes([folder("."), *members, *([file("./container.json", config)] if config is not None else []),
                          file("./imagerepo.name", b"a:b"), *extra])


def test_clone_keeps_mode_and_owners(udocker):
    owners = b"udocker-owners 1\n0 42 640 /f\n"
    made = udocker.ok("import", "--clone", "-", stdin=clone_archive([
        file("./execmode", b"P2"), file("./root.path", b"/home/other/ROOT"), file("./owners", owners), file("./nvidia")])).out.strip()
    container = udocker.top / "containers" / made
    assert (container / "execmode").read_text() == "P2"
    assert (container / "root.path").read_text() == str(container.resolve() / "ROOT")
    assert (container / "owners").read_bytes() == owners and (container / "nvidia").is_file()


def test_clone_takes_nothing_but_the_parts_of_a_container(udocker, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('{"config": {"Env": ["SECRET=1"]}}')
    made = udocker.ok("import", "--clone", "-", stdin=clone_archive([
        file("./other", b"x"), symlink("./imagerepo.name", str(secret)), folder("./nvidia"), symlink("./osenv.json", str(secret))])).out.strip()
    container = udocker.top / "containers" / made
    assert sorted(path.name for path in container.iterdir()) == ["ROOT", "container.json", "imagerepo.name"]
    assert (container / "imagerepo.name").read_text() == "CLONING:inprogress"


@pytest.mark.parametrize("data, complaint", [
    (clone_archive(config=None), "no archive of a container"),
    (oci.tar_bytes([symlink("./ROOT", "/etc"), file("./container.json", b"{}")]), "no archive of a container"),
    (clone_archive([symlink("./container.json", "/etc/hostname")]), "no archive of a container"),
    (clone_archive(config=b"[1]"), "not a JSON object"),
    (clone_archive([file("./execmode", b"../../x")]), "execmode"),
    (clone_archive([file("./owners", b"something else\n")]), "owner"),
    (PLAIN, "no archive of a container"),
])
def test_clone_refuses(udocker, data, complaint):
    udocker.ok("images")
    before = udocker.snapshot()
    assert complaint in udocker.fails("import", "--clone", "-", stdin=data).err
    assert udocker.snapshot() == before


# ---- bad input ------------------------------------------------------------------------------------------------

BAD = {
    "climbs": oci.tar_bytes([file("../climbed", b"x")]),
    "cut off": PLAIN[:3000],
    "cut off gzip": gzip.compress(os.urandom(9000) + PLAIN)[:5000],
    "no archive": b"this is no archive at all\n" * 60,
    "empty": b"",
    "lies of its size": PLAIN[:124] + b"77777777777\0" + PLAIN[136:],
}


@pytest.mark.parametrize("target", ["image", "container"])
@pytest.mark.parametrize("name", BAD)
def test_bad_archives(udocker, tmp_path, name, target):
    path = tmp_path / "bad.tar"
    path.write_bytes(BAD[name])
    udocker.ok("images")
    before = udocker.snapshot()
    words = ("import", path, "bad:1") if target == "image" else ("import", "--tocontainer", path)
    assert str(path) in udocker.fails(*words).err
    assert udocker.snapshot() == before


@pytest.mark.parametrize("words, complaint", [
    (["import"], "must specify tar filename"),
    (["import", "", "a:b"], "must specify tar filename"),
    (["import", "/nonexistent.tar", "a:b"], "file does not exist: /nonexistent.tar"),
    (["import", "/etc/hostname"], "must specify image:tag"),
    (["import", "--mv", "-", "a:b"], "--mv moves a file"),
    (["import", "--name=x", "/etc/hostname", "a:b"], "--name is for a container"),
    (["import", "/etc/hostname", "../../x:1"], "../../x"),
    (["import", "--platform=a/b/c/d", "/etc/hostname", "a:b"], "a/b/c/d"),
    (["import", "/etc", "a:b"], "/etc"),
    (["import", "--clone", "/etc/hostname", "a:b"], "syntax error at: a:b"),
])
def test_words(udocker, words, complaint):
    assert complaint in udocker.fails(*words).err


@pytest.mark.parametrize("target", [["a:b"], ["--tocontainer"]])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle(udocker, archive, how, target):
    """The reader waits for the rest of the archive when it is stopped."""
    udocker.ok("images")
    before = udocker.snapshot()
    process = udocker.start("import", "-", *target)
    process.stdin.write(PLAIN[:4096])
    process.stdin.flush()
    work = udocker.top / ".state" / ("layers" if target == ["a:b"] else "containers")
    while not any(work.glob("*")):
        time.sleep(0.01)
    process.send_signal(how)
    process.wait()
    process.stdin.close()
    if how == signal.SIGINT:
        assert udocker.snapshot() == before
    words = ("import", archive, "a:b") if target == ["a:b"] else ("import", "--tocontainer", archive)
    udocker.ok(*words)
    assert [path for part in ("layers", "containers", "repos") for path in (udocker.top / ".state" / part).glob("*")
            if path.name not in ("manifests",)] == []


@pytest.mark.requires("user-namespaces")
@pytest.mark.parametrize("target", [["a:b"], ["--tocontainer"]])
def test_full_disk(on_small_disk, tmp_path, target):
    """The repository is on a disk that is smaller than the archive; afterwards a small one finds room."""
    big, small = tmp_path / "big.tar", tmp_path / "small.tar"
    big.write_bytes(oci.tar_bytes([file("big", os.urandom(24 << 20))]))
    small.write_bytes(oci.tar_bytes([file("small", os.urandom(12 << 20))]))
    outcome = on_small_disk(["import", str(big), *target], ["import", str(small), *target])
    assert outcome.lines[0] == "status 1" and outcome.lines[-1] == "status 0", str(outcome)
    assert outcome.err.count("No space left on device") == 1, str(outcome)
