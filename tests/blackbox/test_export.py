"""export: the tree of a container, or all of a container, as an archive."""
import io
import os
import pathlib
import pty
import signal
import subprocess
import tarfile
import time

import pytest

import oci
from guests import Container
from oci import fifo, file, folder, hardlink, symlink
from test_fixture_tree import BUSYBOX, python  # noqa: F401  (a fixture)
from test_import import without_top
from trees import tree_of

LONG = "/".join(["deep" * 20] * 4)
TREE = [folder("./", mode=0o711, mtime=1_111_111_111), folder("etc"), file("etc/shadow", b"secret", mode=0o640, uid=0, gid=42),
        file("etc/motd", b"hello\n", mtime=1_234_567_890.5), file("etc/old", b"", mtime=-7.25), file("etc/ünï", b"1"),
        folder("bin"), file("bin/su", b"#!", mode=0o4755), file("bin/closed", b"x", mode=0o000), symlink("bin/link", "../etc/motd"),
        symlink("bin/long", LONG), hardlink("bin/hard", "etc/motd"), hardlink("etc/again", "bin/hard"), fifo("bin/fifo"),
        folder("tmp", mode=0o1777), folder("home", mode=0o2750, uid=4_000_000_000, gid=100), file(f"{LONG}/{'n' * 150}", b"n"),
        file("n" * 255, b"n"), file("big", os.urandom(700_001))]


@pytest.fixture
def container(udocker) -> str:
    """The id of a container with a bit of everything."""
    return udocker.ok("import", "--tocontainer", "--name=tree", "-", "some/image:1", stdin=oci.tar_bytes(TREE)).out.strip()


def members_of(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


def owners_of(udocker, container: str) -> list[str]:
    return (udocker.root_of(container).parent / "owners").read_text().splitlines()


def unpacked(archive: pathlib.Path, top: pathlib.Path) -> pathlib.Path:
    """By GNU tar, as the Python tool calls it. Files are readable, so that they can be compared."""
    top.mkdir()
    done = subprocess.run(["tar", "-C", top, "-p", "--no-same-owner", "--delay-directory-restore", "-xf", archive], check=True,
                          stderr=subprocess.PIPE, text=True)
    # Of times before 1970 GNU tar always says that.
    assert [line for line in done.stderr.splitlines() if "implausibly old" not in line] == []
    subprocess.run(["chmod", "-R", "u+rwX", top], check=True)
    return top


# ---- the tree --------------------------------------------------------------------------------------------------

def test_import_gives_the_same_again(udocker, container, tmp_path):
    assert udocker.ok("export", "-o", tmp_path / "tree.tar", "tree").out == ""
    udocker.ok("import", tmp_path / "tree.tar", "again:1")
    again = udocker.create("again:1")
    assert tree_of(udocker.root_of(again)) == tree_of(udocker.root_of(container))
    assert owners_of(udocker, again) == owners_of(udocker, container)
    third = udocker.ok("import", "--tocontainer", tmp_path / "tree.tar").out.strip()
    assert tree_of(udocker.root_of(third)) == tree_of(udocker.root_of(container))
    assert udocker.ok("export", third).raw_out == (tmp_path / "tree.tar").read_bytes()


def test_owners_and_modes_are_those_of_the_container(udocker, container):
    """Q45: set-id bits and owners were lost, those of the archive were the user's."""
    members = members_of(udocker.ok("export", container).raw_out)
    seen = {name: (members[name].uid, members[name].gid, members[name].mode) for name in
            (".", "etc", "etc/shadow", "bin/su", "bin/closed", "home", "tmp", "etc/motd")}
    assert seen == {".": (0, 0, 0o711), "etc": (0, 0, 0o755), "etc/shadow": (0, 42, 0o640), "bin/su": (0, 0, 0o4755),
                    "bin/closed": (0, 0, 0), "home": (4_000_000_000, 100, 0o2750), "tmp": (0, 0, 0o1777), "etc/motd": (0, 0, 0o644)}
    assert [members[name].islnk() for name in ("bin/hard", "etc/again", "etc/motd")] == [False, True, True]
    assert members["etc/old"].mtime == -7.25


def test_what_programs_change_is_exported(udocker, fresh_box):
    fresh_box.sh("echo x >/etc/secret; chown 7:8 /etc/secret; chmod 2600 /etc/secret; chmod 0 /etc/group; mkdir /closed; chmod 0 /closed")
    members = members_of(fresh_box.udocker.ok("export", fresh_box.id).raw_out)
    seen = [(members[name].uid, members[name].gid, members[name].mode) for name in ("etc/secret", "etc/group", "closed")]
    assert seen == [(7, 8, 0o2600), (0, 0, 0), (0, 0, 0)]


def test_gnu_tar_reads_it(udocker, container, tmp_path):
    udocker.ok("export", "-o", tmp_path / "tree.tar", container)
    assert tree_of(unpacked(tmp_path / "tree.tar", tmp_path / "top")) == tree_of(udocker.root_of(container))


def test_names_are_those_of_docker(udocker, container):
    with tarfile.open(fileobj=io.BytesIO(udocker.ok("export", container).raw_out)) as tar:
        names = [member.name for member in tar]
    assert names[:4] == [".", "big", "bin", "bin/closed"] and names[1:] == sorted(names[1:], key=lambda name: name.split("/"))


def test_holes(udocker, container, tmp_path):
    root = udocker.root_of(container)
    for name, pieces in {"middle": [(1 << 20, b"x" * 5000)], "end": [(0, b"y" * 9)], "none": [], "two": [(70_000, b"z"), (9 << 20, b"z")]}.items():
        with open(root / name, "wb") as out:
            for offset, data in pieces:
                out.seek(offset)
                out.write(data)
            out.truncate(10 << 20)
    udocker.ok("export", "-o", tmp_path / "tree.tar", container)
    assert (tmp_path / "tree.tar").stat().st_size < 2 << 20
    made = udocker.root_of(udocker.ok("import", "--tocontainer", tmp_path / "tree.tar").out.strip())
    top = unpacked(tmp_path / "tree.tar", tmp_path / "top")
    assert tree_of(made) == tree_of(root) == tree_of(top)
    assert all((made / name).stat().st_blocks < 1000 for name in ("middle", "end", "none", "two"))


def test_what_the_user_has_closed(udocker, container):
    """Files and folders whose mode keeps out the user himself; the modes stay."""
    root = udocker.root_of(container)
    (root / "shut/below").mkdir(parents=True)
    (root / "shut/below/file").write_text("content")
    for path, mode in (("shut/below/file", 0), ("shut/below", 0o300), ("shut", 0)):
        (root / path).chmod(mode)
    data = udocker.ok("export", container).raw_out
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.extractfile("shut/below/file").read() == b"content"
        assert [tar.getmember(name).mode for name in ("shut", "shut/below", "shut/below/file")] == [0, 0o300, 0]
    assert (root / "shut").stat().st_mode & 0o7777 == 0
    (root / "shut").chmod(0o700)
    assert (root / "shut/below").stat().st_mode & 0o7777 == 0o300


def test_sockets_are_left_out(udocker, container):
    import socket
    root = udocker.root_of(container)
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(root)
        one.bind("socket")
    members = members_of(udocker.ok("export", container).raw_out)
    assert "socket" not in members and members["bin/fifo"].isfifo() and members["bin/fifo"].mode == 0o644


@pytest.mark.parametrize("name", ["c1", "c2", "c33", "imp1", "imp2"])
def test_containers_of_the_python_tool(python, tmp_path, name):  # noqa: F811
    python.ok("export", "-o", tmp_path / "tree.tar", name)
    assert tree_of(unpacked(tmp_path / "tree.tar", tmp_path / "top")) == tree_of(python.root_of(name))
    made = Container(python, python.ok("import", "--tocontainer", tmp_path / "tree.tar").out.strip())
    assert made.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (made.root / "bin/hello").read_text()


# ---- the whole container -----------------------------------------------------------------------------------------

def test_clone(udocker, container, tmp_path):
    udocker.ok("setup", "--execmode=P2", "tree")
    udocker.ok("protect", "tree")
    udocker.ok("export", "--clone", "-o", tmp_path / "clone.tar", "tree")
    made = udocker.ok("import", "--clone", "--name=other", tmp_path / "clone.tar").out.strip()
    theirs, ours = udocker.root_of(container).parent, udocker.root_of(made).parent
    assert sorted(path.name for path in ours.iterdir()) == sorted(path.name for path in theirs.iterdir()) == \
        ["PROTECT", "ROOT", "container.json", "execmode", "imagerepo.name", "owners", "root.path"]
    for name in ("PROTECT", "container.json", "execmode", "imagerepo.name", "owners"):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes()
    assert (ours / "root.path").read_text() == os.path.realpath(ours / "ROOT")
    assert tree_of(ours / "ROOT") == tree_of(theirs / "ROOT")


def test_clone_of_what_the_user_has_closed(udocker, container):
    """On the disk the copy is open, programs see the modes."""
    root = udocker.root_of(container)
    (root / "shut").mkdir()
    (root / "shut/file").write_text("content")
    (root / "shut/file").chmod(0)
    (root / "shut").chmod(0)
    made = udocker.ok("import", "--clone", "-", stdin=udocker.ok("export", "--clone", container).raw_out).out.strip()
    assert (udocker.root_of(made) / "shut/file").read_text() == "content"
    assert set(owners_of(udocker, made)) - set(owners_of(udocker, container)) == {"0 0 0 /shut", "0 0 0 /shut/file"}
    (root / "shut").chmod(0o700)


def test_clone_for_the_python_tool(udocker, container, tmp_path):
    """It calls tar in a new container's directory."""
    udocker.ok("export", "--clone", "-o", tmp_path / "clone.tar", "tree")
    top = unpacked(tmp_path / "clone.tar", tmp_path / "top")
    assert tree_of(top) == tree_of(udocker.root_of(container).parent)
    members = members_of((tmp_path / "clone.tar").read_bytes())
    assert members["ROOT/etc/shadow"].uid == os.getuid() and members["ROOT/etc/shadow"].mode == 0o640


@pytest.mark.parametrize("name", ["c1", "c2", "imp1", "imp2"])
def test_clone_of_containers_of_the_python_tool(python, tmp_path, name):  # noqa: F811
    python.ok("export", "--clone", "-o", tmp_path / "clone.tar", name)
    made = Container(python, python.ok("import", "--clone", tmp_path / "clone.tar").out.strip())
    theirs = python.root_of(name).parent
    assert sorted(path.name for path in made.root.parent.iterdir()) == sorted(path.name for path in theirs.iterdir())
    assert without_top(tree_of(made.root)) == without_top(tree_of(theirs / "ROOT"))
    assert made.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (made.root / "bin/hello").read_text()


# ---- where it goes -----------------------------------------------------------------------------------------------

def test_standard_output(udocker, container, tmp_path):
    """Q4: `export - C`, as the manual has it, was a syntax error."""
    data = udocker.ok("export", container).raw_out
    assert "etc/motd" in members_of(data)
    for words in (("-", container), ("-o", "-", container), ("-o", "/dev/stdout", container), (container, "--output=-")):
        assert udocker.ok("export", *words).raw_out == data
    with open(tmp_path / "file", "wb") as out:
        assert udocker.start("export", "-o", "/dev/stdout", container, stdout=out).wait() == 0
    assert (tmp_path / "file").read_bytes() == data


def test_a_file_that_exists_is_replaced(udocker, container, tmp_path):
    path, link = tmp_path / "archive", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o604)
    link.symlink_to("archive")
    other = os.open(path, os.O_RDONLY)
    assert f"Info: exporting to file {link}" in udocker.ok("export", "-o", link, container).err
    assert link.is_symlink() and path.read_bytes() == udocker.ok("export", container).raw_out
    assert path.stat().st_mode & 0o777 == 0o604
    # Nobody has seen a part of it under the old file's name.
    assert os.read(other, 10) == b"old"
    os.close(other)
    dangling = tmp_path / "dangling"
    dangling.symlink_to("new")
    udocker.ok("export", "-o", dangling, container)
    assert (tmp_path / "new").read_bytes() == path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "dangling", "home", "link", "new"]


def test_a_file_in_a_closed_folder(udocker, container, tmp_path):
    place = tmp_path / "closed"
    place.mkdir()
    (place / "archive").write_text("old" * 100)
    place.chmod(0o555)
    udocker.ok("export", "-o", place / "archive", container)
    assert (place / "archive").read_bytes() == udocker.ok("export", container).raw_out
    assert "cannot make" in udocker.fails("export", "-o", place / "other", container).err


def test_fifo(udocker, container, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    process = udocker.start("export", "-o", tmp_path / "fifo", container)
    data = (tmp_path / "fifo").read_bytes()
    assert process.wait() == 0 and data == udocker.ok("export", container).raw_out


def test_terminal(udocker, container):
    ours, theirs = pty.openpty()
    for words in ((), ("-o", "-"), ("-o", "/dev/stdout")):
        process = udocker.start("export", *words, container, stdout=theirs)
        assert process.wait() == 1 and b"the archive would go to the terminal" in process.stderr.read()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("words, complaint", [
    ([], "must specify a container id or name"),
    (["-"], "invalid container id: -"),
    (["-o", ""], "must specify filename"),
    (["absent"], "invalid container id: absent"),
    (["tree", "more"], "syntax error at: more"),
    (["-", "tree", "more"], "syntax error at: more"),
    (["-o", "/nonexistent/file", "tree"], "/nonexistent/file"),
    (["-o", "/etc", "tree"], "/etc"),
])
def test_words(udocker, container, words, complaint):
    assert complaint in udocker.fails("export", *words).err


# ---- trouble -----------------------------------------------------------------------------------------------------

def test_a_file_that_becomes_shorter(udocker, container):
    """The reader of the pipe waits, so that the export stands in the middle of the file."""
    big = udocker.root_of(container) / "big"
    big.write_bytes(bytes(4 << 20))
    process = udocker.start("export", container, bufsize=0)
    process.stdout.read(4096)
    os.truncate(big, 1 << 20)
    rest, error = process.communicate()
    assert process.returncode == 1 and b"big: it became shorter while it was read" in error
    assert not rest.endswith(bytes(1024)) or len(rest) < 4 << 20


def test_a_file_that_grows(udocker, container):
    big = udocker.root_of(container) / "big"
    big.write_bytes(b"x" * (4 << 20))
    process = udocker.start("export", container, bufsize=0)
    head = process.stdout.read(4096)
    with open(big, "ab") as out:
        out.write(bytes(1 << 20))
    rest, _ = process.communicate()
    assert process.returncode == 0
    with tarfile.open(fileobj=io.BytesIO(head + rest)) as tar:
        assert tar.extractfile("big").read() == b"x" * (4 << 20) and "tmp" in tar.getnames()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle(udocker, container, tmp_path, how):
    """strace holds the export before it sends the large file."""
    place = tmp_path / "place"
    place.mkdir()
    log = tmp_path / "log"
    held = subprocess.Popen(["strace", "-f", "-qq", "-o", log, "-e", "trace=sendfile", "-e", "inject=sendfile:delay_enter=2000000",
                             *udocker.command("export", "-o", place / "archive", container)], env=udocker.environment, stderr=subprocess.PIPE)
    while not (log.exists() and "sendfile" in log.read_text()):
        time.sleep(0.01)
    os.kill(int(log.read_text().split()[0]), how)
    assert held.wait() != 0
    held.communicate()
    assert list(place.iterdir()) == []
    udocker.ok("export", "-o", place / "archive", container)


@pytest.mark.requires("user-namespaces")
def test_full_disk(udocker, container, tmp_path):
    (udocker.root_of(container) / "big").write_bytes(os.urandom(6 << 20))
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=4m none "$0" || exit 99; echo old >"$0/new"; "$@"; echo "status $?"; ls -A "$0"; cat "$0/new"'
    inside = ["unshare", "--user", "--map-current-user", "--mount", "--keep-caps", "bash", "-c"]
    outcome = udocker.run("export", "-o", disk / "new", container, prefix=[*inside, script, str(disk)])
    assert outcome.lines == ["status 1", "new", "old"] and "No space left on device" in outcome.err, str(outcome)


def test_the_container_is_kept_while_it_is_exported(udocker, container):
    (udocker.root_of(container) / "big").write_bytes(bytes(4 << 20))
    process = udocker.start("export", container, bufsize=0)
    process.stdout.read(4096)
    assert "in use" in udocker.fails("rm", container).err
    process.communicate()
    assert process.returncode == 0
    udocker.ok("rm", container)
