"""protect, unprotect, mkrepo, --repo, showconf."""
import pathlib

import pytest


def test_a_protected_container_stays(udocker, image):
    container = udocker.create(image, "--name=web")
    udocker.ok("protect", "web")
    assert (udocker.top / "containers" / container / "PROTECT").exists()
    assert f"{container} P " in udocker.ok("ps").out
    before = udocker.snapshot()
    for words in (["rm", "web"], ["rm", "-f", container], ["setup", "--execmode=P2", "web"]):
        assert "protected" in udocker.fails(*words).err
    assert udocker.snapshot() == before
    udocker.ok("unprotect", container)
    assert f"{container} . " in udocker.ok("ps").out
    udocker.ok("rm", "web")


def test_a_protected_image_stays(udocker, image):
    udocker.ok("protect", image)
    assert f"{image}    P" in udocker.ok("images").lines
    before = udocker.snapshot()
    for words in (["rmi", image], ["rmi", "-f", image]):
        assert "protected" in udocker.fails(*words).err
    assert udocker.snapshot() == before
    udocker.ok("pull", image)  # an update is no removal, and keeps the mark
    assert f"{image}    P" in udocker.ok("images").lines
    udocker.ok("unprotect", image)
    udocker.ok("rmi", image)


def test_the_mark_can_be_set_and_removed_twice(udocker, image):
    container = udocker.create(image)
    for command in ("protect", "protect", "unprotect", "unprotect"):
        assert udocker.ok(command, container, image).out == ""


# The Python tool says nothing and ends with 0 when there is nothing to unprotect.
@pytest.mark.parametrize("command", ["protect", "unprotect"])
def test_what_is_not_there_cannot_be_marked(udocker, image, command):
    container = udocker.create(image)
    assert "no/such:thing" in udocker.fails(command, "no/such:thing").err
    assert "bad name!" in udocker.fails(command, "bad name!").err
    assert "must specify" in udocker.fails(command).err
    udocker.fails(command, "no/such:thing", container)
    assert f"{container} {'P' if command == 'protect' else '.'} " in udocker.ok("ps").out, "the others are done"


def test_mkrepo_makes_a_repository(udocker, pushed, tmp_path):
    repo = tmp_path / "deep/er/repo"
    assert udocker.ok("mkrepo", repo).out == ""
    assert {path.name for path in repo.iterdir()} >= {"bin", "lib", "doc", "repos", "layers", "containers"}
    reference = pushed("busybox")
    udocker.ok(f"--repo={repo}", "pull", reference)
    assert reference in udocker.ok(f"--repo={repo}", "images").out
    assert reference not in udocker.ok("images").out
    container = udocker.ok("-q", f"--repo={repo}", "create", reference).out.strip()
    assert (repo / "containers" / container / "ROOT").is_dir()


def test_mkrepo_where_something_is(udocker, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("there", "link"):
        assert "already exists" in udocker.fails("mkrepo", tmp_path / name).err
    assert list((tmp_path / "there").iterdir()) == []


# The Python tool ends with a traceback.
def test_mkrepo_without_a_directory(udocker):
    assert "directory" in udocker.fails("mkrepo").err
    assert "directory" in udocker.fails("mkrepo", "").err


def test_mkrepo_where_nothing_can_be_made(udocker, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    assert "localrepo creation failure" in udocker.fails("mkrepo", closed / "repo").err


# Q50 of the Python tool: values of configuration files are texts: `False` is true.
def test_showconf_shows_what_is_in_force(udocker, tmp_path):
    config = tmp_path / "c.conf"
    config.write_text("[DEFAULT]\nhttp_insecure = False\ncmd = ['sh', '-l']\n")
    outcome = udocker.ok(f"--config={config}", "showconf", env={"UDOCKER_LOGLEVEL": "4"})
    lines = outcome.lines
    assert lines[0] == lines[-1] == "-" * 80 and lines[1] == "\t\tConfiguration options"
    values = dict(line.split(" = ", 1) for line in lines[2:-1])
    assert values["verbose_level"] == "4" and values["http_insecure"] == "False" and values["cmd"] == "['sh', '-l']"
    assert values["topdir"] == str(udocker.top) and values["bindir"] == "None"
    assert not pathlib.Path(udocker.top).exists(), "nothing is made"


# Q49 of the Python tool: `u.conf` of the current directory is read.
# The Python tool reads ./u.conf, which anybody may have put there.
def test_the_current_directory_configures_nothing(udocker, tmp_path):
    (tmp_path / "u.conf").write_text("[DEFAULT]\nhttp_agent = evil\n")
    assert "evil" not in udocker.ok("showconf", cwd=tmp_path).out


def test_a_bad_log_level_is_one_line(udocker):
    assert "UDOCKER_LOGLEVEL" in udocker.fails("showconf", env={"UDOCKER_LOGLEVEL": "abc"}).err


def test_every_part_can_lie_elsewhere(udocker, pushed, tmp_path):
    parts = {name: tmp_path / name for name in ("bin", "lib", "doc", "repos", "layers", "containers")}
    environment = {f"UDOCKER_{name.upper()}": str(path) for name, path in parts.items()}
    environment |= {"UDOCKER_TMP": str(tmp_path / "tmp"), "UDOCKER_KEYSTORE": str(tmp_path / "keys")}
    (tmp_path / "tmp").mkdir()
    udocker.environment |= environment
    udocker.ok("pull", pushed("busybox"))
    container = udocker.create(pushed("busybox"), "--name=elsewhere")
    assert udocker.root_of("elsewhere") == parts["containers"] / container / "ROOT"
    assert udocker.ok("-q", "run", "elsewhere", "/bin/busybox", "echo", "x").out == "x\n"
    assert list(parts["layers"].iterdir()) and list(parts["repos"].iterdir())
    assert not [path for name in parts for path in (udocker.top / name).glob("*")]
    udocker.ok("verify", pushed("busybox"))
    udocker.ok("rm", "elsewhere")
    udocker.ok("rmi", pushed("busybox"))
    assert not [path for name in ("layers", "containers", "repos") for path in parts[name].glob("[!.]*")]


def test_levels_of_what_is_told(udocker, pushed):
    """3 is the default, 2 leaves information out, -1 everything; 5 and -D tell what is done."""
    def told(level: str | None, *words: str) -> str:
        return udocker.run(*words, env={"UDOCKER_LOGLEVEL": level} if level else {}).err

    udocker.ok("images")
    assert "Info: " in told("3", "pull", pushed("busybox"))
    assert "Info: " not in told("2", "pull", pushed("busybox")) and told("-1", "rmi", "no/such:image") == ""
    assert told("0", "rmi", "no/such:image").startswith("Error: ")
    assert "Debug: " in told("5", "pull", pushed("busybox")) and "Debug: " in told(None, "-D", "pull", pushed("busybox"))
