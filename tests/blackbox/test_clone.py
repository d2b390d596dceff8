"""clone, and containers that were copied by hand: one more container with the same tree and metadata."""
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import time

import pytest

import oci
from guests import Container
from oci import file
from product import UUID, Udocker
from test_export import container, owners_of  # noqa: F401  (a fixture)
from test_fixture_tree import BUSYBOX, python  # noqa: F401  (a fixture)
from trees import tree_of


def parts_of(udocker: Udocker, container: str) -> dict[str, bytes]:  # noqa: F811
    """The files of a container beside its tree."""
    return {path.name: path.read_bytes() for path in udocker.root_of(container).parent.iterdir() if path.is_file()}


def test_everything_is_copied(udocker, container):  # noqa: F811
    for words in (("setup", "--execmode=P2"), ("protect",)):
        udocker.ok(*words, "tree")
    (udocker.root_of(container).parent / "osenv.json").write_text("{}")
    before = tree_of(udocker.root_of(container))
    made = udocker.ok("clone", "--name=copy", "tree").out
    assert UUID.fullmatch(made.removesuffix("\n")) and made.strip() != container
    copy = udocker.root_of(made.strip())
    assert tree_of(copy) == tree_of(udocker.root_of(container)) == before
    theirs, ours = parts_of(udocker, container), parts_of(udocker, "copy")
    assert ours.pop("root.path").decode() == os.path.realpath(copy)
    assert theirs.pop("root.path").decode() == os.path.realpath(udocker.root_of(container))
    assert ours == theirs and {"PROTECT", "owners", "execmode", "osenv.json"} <= ours.keys()
    assert os.readlink(udocker.top / "containers/copy") == made.strip()
    assert "protected" in udocker.fails("rm", "copy").err
    udocker.ok("unprotect", "copy")
    udocker.ok("rm", "copy")
    assert tree_of(udocker.root_of(container)) == before


def test_no_name_is_copied(udocker, container):  # noqa: F811
    made = udocker.ok("clone", container).out.strip()
    [row] = [line for line in udocker.ok("ps").lines if line.startswith(made)]
    assert "[" not in row and "some/image:1" in row


def test_the_copy_is_its_own(fresh_box):
    udocker = fresh_box.udocker
    fresh_box.sh("echo one >/etc/one; chown 5:6 /etc/one; chmod 4711 /etc/one; ln /etc/one /etc/link")
    copy = Container(udocker, udocker.ok("clone", fresh_box.id).out.strip())
    assert copy.sh("cat /etc/link; stat -c '%u %g %a %h' /etc/one; echo two >/etc/one") == "one\n5 6 4711 2"
    assert fresh_box.sh("cat /etc/one") == "one" and copy.sh("cat /etc/link") == "two"
    udocker.ok("rm", copy.id)


def test_odd_files(udocker, container):  # noqa: F811
    """Holes, extended attributes, sockets, what the user has closed, times with fractions, a deep tree, many names."""
    root = udocker.root_of(container)
    with open(root / "hole", "wb") as out:
        out.truncate(64 << 20)
        out.seek(5 << 20)
        out.write(b"data")
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(root)
        one.bind("socket")
    os.setxattr(root / "etc/motd", "user.kept", b"value")
    deep = root / "/".join(["level"] * 200)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    for number in range(3000):
        (root / "tmp" / f"{number}").write_text(str(number))
        if number % 3 == 0:
            os.link(root / "tmp" / f"{number}", root / "home" / f"{number}")
    (root / "shut/below").mkdir(parents=True)
    (root / "shut/below/file").write_text("content")
    for path, mode in (("shut/below/file", 0o4000), ("shut/below", 0o300), ("shut", 0)):
        (root / path).chmod(mode)
    copy = udocker.root_of(udocker.ok("clone", container).out.strip())
    for top in (root, copy):
        assert (top / "shut").stat().st_mode & 0o7777 == 0
        (top / "shut").chmod(0o700)
        assert (top / "shut/below").stat().st_mode & 0o7777 == 0o300
        assert (top / "shut/below/file").stat().st_mode & 0o7777 == 0o4000
        subprocess.run(["chmod", "-R", "u+rwX", top / "shut"], check=True)
    ours, theirs = tree_of(copy), tree_of(root)
    # The first name of a file depends on the order of the directory.
    assert {path: what[:-1] for path, what in ours.items()} == {path: what[:-1] for path, what in theirs.items()}
    assert os.path.samefile(copy / "tmp/3", copy / "home/3") and (copy / "tmp/3").stat().st_nlink == 2
    assert (copy / "hole").stat().st_blocks < 1000 and os.getxattr(copy / "etc/motd", "user.kept") == b"value"
    assert (copy / "socket").is_socket()


@pytest.mark.parametrize("name", ["c1", "c2", "c33", "imp1", "imp2", "e2f405bd-0c00-39bd-a2d5-5a4fe12429a0"])
def test_containers_of_the_python_tool(python, name):  # noqa: F811
    copy = Container(python, python.ok("clone", name).out.strip())
    theirs, ours = parts_of(python, name), parts_of(python, copy.id)
    theirs.pop("root.path", None), ours.pop("root.path", None)
    assert ours == theirs and tree_of(copy.root) == tree_of(python.root_of(name))
    assert copy.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (copy.root / "bin/hello").read_text()


def test_a_mode_that_has_the_place_in_the_files(udocker, container):  # noqa: F811
    """The Python tool converts such a copy with the root.path that it came with."""
    place = udocker.root_of(container).parent
    (place / "execmode").write_text("F3")
    (place / "root.path").write_text("/the/old/place")
    outcome = udocker.ok("clone", container)
    assert "Warning: mode F3" in outcome.err
    assert parts_of(udocker, outcome.out.strip())["root.path"] == b"/the/old/place"


# ---- bad input and trouble ---------------------------------------------------------------------------------------

def test_words(udocker, container):  # noqa: F811
    before = udocker.snapshot()
    for words, complaint in (((), "must specify a container id or name"), (("absent",), "invalid container id: absent"),
                             (("tree", "more"), "syntax error at: more"), (("--name=a/b", "tree"), "invalid container name"),
                             (("--name=tree", "tree"), "container name already exists: tree")):
        assert complaint in udocker.fails("clone", *words).err
    (udocker.root_of(container).parent / "execmode").write_text("nonsense")
    assert "execmode" in udocker.fails("clone", "tree").err
    (udocker.root_of(container).parent / "execmode").unlink()
    assert udocker.snapshot() == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle(udocker, container, how):  # noqa: F811
    """strace holds the copy of one file."""
    before = udocker.snapshot()
    held = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=symlinkat", "-e", "inject=symlinkat:delay_enter=3000000",
                             *udocker.command("clone", container)], env=udocker.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    work = udocker.top / ".state/containers"
    while not list(work.glob("draft-*/ROOT/*")):
        time.sleep(0.01)
    [child] = pathlib.Path(f"/proc/{held.pid}/task/{held.pid}/children").read_text().split()
    os.kill(int(child), how)
    assert held.wait() != 0 and udocker.ok("ps").out.count("some/image:1") == 1
    held.communicate()
    if how != signal.SIGKILL:
        assert udocker.snapshot() == before
    udocker.ok("clone", container)
    assert list(work.glob("*")) == []


@pytest.mark.requires("user-namespaces")
def test_full_disk(on_small_disk, tmp_path):
    archive = tmp_path / "archive.tar"
    archive.write_bytes(oci.tar_bytes([file(f"file{number}", os.urandom(1 << 20)) for number in range(9)]))
    outcome = on_small_disk(["import", "--tocontainer", "--name=one", str(archive)], ["clone", "one"], ["clone", "--name=two", "one"],
                            ["ps"], ["run", "-v", "/bin/busybox:/bin/busybox", "one", "/bin/busybox", "rm", "/file1", "/file2", "/file3"],
                            ["clone", "one"])
    assert [line for line in outcome.lines if line.startswith("status")] == [f"status {number}" for number in (0, 1, 1, 0, 0, 0)], str(outcome)
    assert outcome.err.count("No space left on device") == 2 and outcome.out.count("IMPORTED") == 1, str(outcome)


def test_the_container_is_kept_while_it_is_copied(udocker, container):  # noqa: F811
    held = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=symlinkat", "-e", "inject=symlinkat:delay_enter=500000",
                             *udocker.command("clone", container)], env=udocker.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list((udocker.top / ".state/containers").glob("draft-*/ROOT/*")):
        time.sleep(0.01)
    assert "in use" in udocker.fails("rm", container).err
    assert held.wait() == 0
    held.communicate()


# ---- copied by hand ----------------------------------------------------------------------------------------------

def transfer(here: Udocker, there: Udocker, name: str) -> str:
    """The manual's section 6.3, the other host being another home; the id."""
    there.ok("install")
    script = f"""set -e
root=$({shlex.join(here.command("inspect", "-p", name))}); path=$(dirname $root); id=$(basename $path); folder=$(dirname $path)
cd $folder; tar cf - $id | (cd {shlex.quote(str(there.top / "containers"))}; tar xf -); echo $id"""
    there.ok("images")
    done = subprocess.run(["sh", "-c", script], env=here.environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


@pytest.fixture
def there(executable, tmp_path) -> Udocker:
    """The same program on another host, that is with another home."""
    return Udocker(executable, tmp_path / "elsewhere/home of other")


def test_copied_by_hand(fresh_box, there):
    here = fresh_box.udocker
    here.ok("setup", "--execmode=P2", fresh_box.id)
    fresh_box.sh("echo one >/etc/one; chown 5:6 /etc/one; chmod 4711 /etc/one")
    made = transfer(here, there, fresh_box.id)
    assert made == fresh_box.id and made in there.ok("ps").out
    there.ok("name", made, "MyContainer")
    copy = Container(there, "MyContainer")
    assert copy.ok("sh", "-c", "cat /etc/one; stat -c '%u %g %a' /etc/one; echo x >/etc/two") == "one\n5 6 4711\n"
    assert there.ok("setup", "MyContainer").lines[0] == "execmode: P2"
    assert there.root_of("MyContainer") == there.top / "containers" / made / "ROOT"
    again = there.ok("clone", "MyContainer").out.strip()
    assert parts_of(there, again)["root.path"].decode() == os.path.realpath(there.root_of(again))
    there.ok("setup", "--execmode=P1", "MyContainer")
    assert parts_of(there, "MyContainer")["root.path"].decode() == os.path.realpath(there.root_of("MyContainer"))
    there.ok("rm", "MyContainer")
    assert fresh_box.sh("ls /etc/one /etc/two 2>/dev/null || true") == "/etc/one"


@pytest.mark.parametrize("name", ["c1", "c2", "c33", "imp1", "imp2"])
def test_copied_by_hand_of_the_python_tool(python, there, name):  # noqa: F811
    made = transfer(python, there, name)
    there.ok("name", made, "MyContainer")
    copy = Container(there, made)
    assert copy.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (copy.root / "bin/hello").read_text()
    assert "MyContainer" in there.ok("ps", "-m").out and there.ok("inspect", "MyContainer").out == python.ok("inspect", name).out


def test_a_container_directory_of_another_name(fresh_box, there):
    """Somebody has given the directory a name himself: it is its id then, as in the Python tool."""
    made = transfer(fresh_box.udocker, there, fresh_box.id)
    (there.top / "containers" / made).rename(there.top / "containers/mine")
    there.ok("name", "mine", "other")
    assert Container(there, "other").ok("echo", "x") == "x\n" and "mine" in there.ok("ps").out
