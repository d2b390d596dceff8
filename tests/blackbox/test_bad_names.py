"""Names that would leave the repository, or do something to a terminal, in every command that takes one."""
import os
import re
import pathlib
import shutil

import pytest

import archives
import oci
from oci import file, tar_layer
from product import Udocker
from registry_front import Front, Reply, Request, json_reply
from terminal import Terminal

BAD = ["../x", "../../x:1", "a/../../../x:1", "/etc/passwd", "x:../../../y", "x:..", "..", ".", "a//b", "a/./b", "\x1b[31mred", "x:\x1b]0;title\x07",
       "new\nline", "x" * 5000, "a/" * 3000 + "b"]
IMAGE_COMMANDS = [["pull", "{}"], ["create", "{}"], ["run", "--pull=never", "{}", "true"], ["rmi", "{}"], ["rmi", "-f", "{}"],
                  ["tag", "{}", "good:1"], ["tag", "tree:1", "{}"], ["verify", "{}"], ["verify", "--repair", "{}"], ["protect", "{}"], ["unprotect", "{}"],
                  ["inspect", "{}"], ["inspect", "-p", "{}"], ["save", "{}"], ["load", "-i", "{files}/saved.tar", "{}"], ["import", "{files}/tree.tar", "{}"],
                  ["import", "--tocontainer", "{files}/tree.tar", "{}"]]
CONTAINER_COMMANDS = [["rm", "{}"], ["rm", "-f", "{}"], ["name", "{}", "good"], ["name", "box", "{}"], ["rename", "{}", "good"], ["rename", "box", "{}"],
                      ["rmname", "{}"], ["setup", "{}"], ["setup", "--execmode=P2", "{}"], ["create", "--name={}", "tree:1"],
                      ["run", "--name={}", "tree:1", "true"], ["import", "--tocontainer", "--name={}", "{files}/tree.tar"]]


def everything(top: pathlib.Path) -> list[str]:
    return sorted(f"{path} {os.readlink(path) if path.is_symlink() else path.lstat().st_size if path.is_file() else ''}"
                  for path in top.rglob("*") if ".state" not in path.parts)


@pytest.fixture(scope="module")
def place(executable, tmp_path_factory):
    """A repository in a folder of its own, with one image and one container; nothing else comes to the folder."""
    folder = tmp_path_factory.mktemp("names")
    udocker = Udocker(executable, folder / "home")
    files = folder / "files"
    files.mkdir()
    (files / "tree.tar").write_bytes(oci.tar_bytes([file("a", b"x")]))
    image = oci.image([tar_layer([file("f", b"x")], "none")], docker=True)
    (files / "saved.tar").write_bytes(oci.tar_bytes(archives.docker_save([(["saved:1"], image)])))
    udocker.ok("import", files / "tree.tar", "tree:1")
    udocker.create("tree:1", "--name=box")
    return folder, udocker


@pytest.mark.parametrize("words", [*IMAGE_COMMANDS, *CONTAINER_COMMANDS], ids=" ".join)
def test_bad_name(place, words):
    folder, udocker = place
    before = everything(folder)
    for name in BAD:
        outcome = udocker.run(*(word.replace("{files}", str(folder / "files")).replace("{}", name) for word in words))
        lines = [line for line in outcome.err.splitlines() if not line.startswith("Info: ")]
        assert outcome.status in (1, 2) and len(lines) == 1 and lines[0].startswith("Error: "), str(outcome)
        assert "\x1b" not in outcome.err + outcome.out and "\x07" not in outcome.err + outcome.out, str(outcome)
        assert len(outcome.err) < 12_000
        assert everything(folder) == before, str(outcome)


# What another program has put into the repository, or a publisher into an image.
EVIL = "\x1b[31mevil\x07\x9b2J"
# What terminals obey; \x9b and the like are in UTF-8 there.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
HOSTILE_SEARCH = {"results": [{"name": "\x1b[31mevil\x07", "description": "\x1b]0;evil\x07", "star_count": "\x1b[2J"},
                              {"repo_name": "a\x9b31mevil", "short_description": "\x9devil\x9c", "is_official": "\x1bc"}], "count": 2}


def hostile_index(request: Request) -> Reply:
    if "/tags/list" in request.path:
        return json_reply({"name": "x", "tags": ["\x1b[31mevil\x07", "\x9b31mevil"]})
    return json_reply(HOSTILE_SEARCH) if "search" in request.path else json_reply({})


def assert_harmless(command: list[str], udocker: Udocker, word: str = "evil") -> None:
    with Terminal(command, echo=False, env=udocker.environment) as terminal:
        shown, _ = terminal.end()
    assert word in shown and not CONTROLS.search(shown), repr(shown)


@pytest.mark.parametrize("words", [["search", "-a", "x"], ["search", "--no-trunc", "x"], ["search", "--format=json", "x"],
                                   ["search", "--format={{.Name}} {{.Description}}", "x"]], ids=" ".join)
def test_no_escapes_of_an_index_reach_a_terminal(place, words):
    with Front(hostile_index) as front:
        assert_harmless(place[1].command(words[0], f"--index={front.url}", *words[1:]), place[1])


def test_no_escapes_of_tags_reach_a_terminal(place):
    with Front(hostile_index) as front:
        assert_harmless(place[1].command("search", "--list-tags", f"{front.host}/x"), place[1])


@pytest.mark.parametrize("where", ["name", "member", "link", "layer"])
def test_no_escapes_of_an_archive_reach_a_terminal(place, tmp_path, where):
    """load refuses each of these archives, and says what is wrong with it."""
    image = oci.image([tar_layer([file("f", b"x")], "none")], docker=True)
    members = archives.docker_save([([f"{EVIL}:1" if where == "name" else "escapes:1"], image)], legacy=False)
    if where == "member":
        members += [file(f"../{EVIL}")]
    elif where == "link":
        members += [oci.symlink(EVIL, f"../{EVIL}")]
    elif where == "layer":
        members = [file(entry.info.name, entry.data.replace(b"/layer.tar", b"/\\u001b[31mevil")) for entry in members]
    path = tmp_path / "archive.tar"
    path.write_bytes(oci.tar_bytes(members))
    before = everything(place[0])
    assert_harmless(place[1].command("load", "-i", str(path)), place[1])
    assert everything(place[0]) == before


@pytest.fixture(scope="module")
def evil(place):
    folder, udocker = place
    top = udocker.top
    image = oci.image([tar_layer([file("f", b"x")], "none")], {"Labels": {EVIL: EVIL}, "Env": [f"A={EVIL}"]}, docker=True)
    udocker.ok("load", stdin=oci.tar_bytes(archives.docker_save([(["labels:1"], image)])))
    container = udocker.create("labels:1")
    (top / "containers" / container / "imagerepo.name").write_text(EVIL)
    (top / "containers" / EVIL).symlink_to(container)
    shutil.copytree(top / "repos/labels", top / "repos" / EVIL, symlinks=True)
    return udocker, container


@pytest.mark.parametrize("words", [["images"], ["images", "-l"], ["ps"], ["ps", "-m", "-s", "-p"], ["inspect", "{}"], ["inspect", "labels:1"],
                                   ["images", "--format={{.Repository}}"], ["ps", "--format={{.Names}} {{.Image}}"], ["images", "--format=json"]],
                         ids=" ".join)
def test_no_escapes_reach_a_terminal(evil, words):
    udocker, container = evil
    command = udocker.command(*(word.replace("{}", container) if word == "{}" else word for word in words))
    with Terminal(command, echo=False, env=udocker.environment) as terminal:
        shown, status = terminal.end()
    assert status == 0, shown
    assert "evil" in shown and not CONTROLS.search(shown), repr(shown)
