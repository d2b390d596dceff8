"""A repository that the Python tool 1.3.16 wrote: ours lists and inspects it to the byte, and its containers run."""
import pathlib
import re
import subprocess

import pytest

from guests import Container
from product import Udocker

ARCHIVE = pathlib.Path(__file__).resolve().parents[1] / "fixtures/python-udocker-1.3.16.tar.gz"
MADE_AT = "/srv/udocker-fixture/tree"  # the paths in the transcript
BUSYBOX = ("-v", "/bin/busybox:/bin/busybox")  # the containers have no program of their own
C1 = "dda26ba9-3385-371c-a616-736a1b4ebdb5"


@pytest.fixture
def python(executable, tmp_path) -> Udocker:
    """The product on a fresh copy of the tree."""
    subprocess.run(["tar", "-C", tmp_path, "-xzf", ARCHIVE], check=True)
    udocker = Udocker(executable, tmp_path / "home")
    udocker.top = tmp_path / "tree"
    udocker.environment["UDOCKER_DIR"] = str(udocker.top)
    return udocker


def transcript(udocker: Udocker, command: str) -> tuple[str, int]:
    """What the last run of a command by the Python tool printed, with the paths of this copy, and its exit status."""
    text = (udocker.top.parent / "transcript.txt").read_text()
    found = re.findall(rf"^\$ udocker {re.escape(command)}\n(.*?)^\[exit (\d+)\]$", text, re.DOTALL | re.MULTILINE)
    return found[-1][0].replace(MADE_AT, str(udocker.top)), int(found[-1][1])


@pytest.mark.parametrize("command", ["inspect c1", "inspect -p c1", "inspect fixtures/tiny:1.0", "setup c2"])
def test_output_to_the_byte(python, command):
    assert python.ok(*command.split()).out == transcript(python, command)[0]


@pytest.mark.parametrize("command", ["ps", "images"])
def test_lists(python, command):
    """The rows come in the order of the directory, which is another one in each copy."""
    heading, *rows = python.ok(command).out.splitlines(keepends=True)
    wanted = transcript(python, command)[0].splitlines(keepends=True)
    assert heading == wanted[0] and sorted(rows) == sorted(wanted[1:])


def test_ps_with_all_columns(python):
    lines = python.ok("ps", "-m", "-s", "-p").lines
    before_renaming = transcript(python, "ps -m -s -p")[0].splitlines()
    assert lines[0] == before_renaming[0]
    # Of the rows that the transcript shows, one container has the same names and protection since.
    same = [row for row in before_renaming if row.startswith("e2f405bd-0c00-39bd-a2d5-5a4fe12429a0")]
    assert len(same) == 1 and same[0] in lines
    assert any(line.startswith("ccd7d28c-e734-3771-be49-2a9bc849c073 . W P2     1 linux/amd64        ['c2']") for line in lines)


def test_images_with_their_files(python):
    """Names and sizes; the image that was protected after the transcript has its mark."""
    def blocks(lines: list[str]) -> list[list[str]]:
        out: list[list[str]] = []
        for line in lines:
            out.append([line]) if not line.startswith(" ") else out[-1].append(line)
        return sorted(sorted(block) for block in out)

    ours = [line.replace("fixtures/tiny:1.0    P", "fixtures/tiny:1.0    .") for line in python.ok("images", "-l").lines]
    wanted = transcript(python, "images -l")[0].splitlines()
    assert all(block in blocks(ours) for block in blocks(wanted))


def test_refusals(python):
    before = python.snapshot()
    for command in ("rmi fixtures/tiny:1.0",):
        outcome = python.fails(*command.split(), status=transcript(python, command)[1])
        assert transcript(python, command)[0].strip() in outcome.err
    assert "container is protected" in python.fails("rm", "imp2").err
    assert python.snapshot() == before


def test_looking_changes_nothing(python):
    before = python.snapshot()
    for words in (("ps", "-m", "-s", "-p"), ("images", "-l", "-p"), ("inspect", "c1"), ("inspect", "tinyoci:1.0"), ("setup", "c1")):
        python.ok(*words)
    assert python.snapshot() == before


SCRIPT = "busybox id -u; busybox pwd; echo $TINY; busybox cat /etc/passwd; busybox cat /bin/hello"


@pytest.mark.parametrize("name", ["c1", "c2", "c33", "imp2", "e2f405bd-0c00-39bd-a2d5-5a4fe12429a0"])
def test_containers_run(python, name):
    container = Container(python, name)
    lines = container.ok("/bin/busybox", "sh", "-c", SCRIPT, options=BUSYBOX).splitlines()
    assert lines[:3] == ["0", "/data", "1"] and lines[3].startswith("root:x:0:0:") and lines[-1] == "echo hello"


def test_the_imported_container_runs_without_metadata_of_an_image(python):
    lines = Container(python, "imp1").ok("/bin/busybox", "sh", "-c", SCRIPT, options=BUSYBOX).splitlines()
    assert lines[:3] == ["0", "/", ""]


def test_the_command_of_the_image_runs(python):
    """It is a shell script, so it needs a shell."""
    assert Container(python, "c1").ok(options=("-v", "/bin/busybox:/bin/sh")) == "hello\n"


def test_the_missing_shell_is_told(python):
    assert "/bin/hello: the interpreter of this script, /bin/sh, is missing" in Container(python, "c1").fails()


def test_what_a_run_writes_stays(python):
    Container(python, "c2").ok("/bin/busybox", "sh", "-c", "echo written > /data/by-run; busybox rm /bin/hi", options=BUSYBOX)
    root = pathlib.Path(python.ok("inspect", "-p", "c2").out.strip())
    assert (root / "data/by-run").read_text() == "written\n"
    assert not (root / "bin/hi").exists() and not (root / "bin/busybox").exists()


@pytest.mark.parametrize("image", ["fixtures/tiny:1.0", "tinyoci:1.0", "fixtures/renamed:9", "imported:2"])
def test_containers_are_made_from_its_images(python, image):
    made = Container(python, python.create(image))
    assert made.ok("/bin/busybox", "cat", "/bin/hello", options=BUSYBOX) == (made.root / "bin/hello").read_text()
    original = pathlib.Path(python.top / "containers" / C1 / "ROOT")
    assert sorted(str(path.relative_to(original)) for path in original.rglob("*")) == \
        sorted(str(path.relative_to(made.root)) for path in made.root.rglob("*"))


def test_names(python):
    python.ok("name", "c1", "second")
    python.ok("rename", "second", "other")
    assert python.ok("inspect", "-p", "other").out == python.ok("inspect", "-p", "c1").out
    assert (python.top / "containers/other").readlink() == pathlib.Path(C1)
    assert python.ok("rmname", "other").err == transcript(python, "rmname alias2")[0].replace("alias2", "other")
    python.ok("rm", "c1")
    assert C1 not in python.ok("ps").out


def test_protection_and_modes(python):
    python.ok("unprotect", "fixtures/tiny:1.0")
    python.ok("rmi", "fixtures/tiny:1.0")
    assert not (python.top / "repos/fixtures/tiny").exists() and "fixtures/renamed:9" in python.ok("images").out
    python.ok("protect", "c1")
    assert "protected" in python.fails("rm", "c1").err
    python.ok("setup", "--execmode=P1", "c2")
    assert python.ok("setup", "c2").lines[0] == "execmode: P1"
    python.ok("setup", "--purge", "c2")


def test_images_are_removed_without_what_others_need(python):
    """Q35 of the Python tool: with one image went the configuration that another one needed."""
    python.ok("rmi", "tinyoci:1.0")
    python.create("fixtures/renamed:9")
    python.ok("verify", "fixtures/renamed:9")
    for image in ("fixtures/renamed:9", "imported:2"):
        python.ok("rmi", image)
    assert python.ok("images").lines[1:] == ["fixtures/tiny:1.0    P"]
    assert {path.name for path in (python.top / "layers").iterdir()} == \
        {path.name for path in (python.top / "repos/fixtures/tiny/1.0").iterdir() if path.is_symlink()}


def test_the_keystore_is_used_and_emptied(python):
    """It belongs to a registry on a port that is somebody else's here, so only what is there is looked at."""
    keystore = python.home / ".udocker/keystore"
    keystore.parent.mkdir()
    (python.top.parent / "keystore").rename(keystore)
    keystore.chmod(0o600)
    debug = python.run("-D", "pull", "--registry=http://127.0.0.1:5443", "some/image").err
    assert "secret" not in debug and "dGVzdGVyOnNlY3JldA" not in debug
    python.ok("logout", "--registry=http://127.0.0.1:5443")
    assert keystore.read_text() == "{}"
