"""version, help, general options, and what happens before a command starts."""
import re

import pytest

COMMANDS = ["pull", "create", "run", "ps", "images", "inspect", "rm", "rmi", "name", "rename", "rmname", "setup",
            "version", "help", "install", "tag", "load", "save", "import", "verify", "protect", "unprotect", "login", "logout",
            "manifest", "mkrepo", "showconf", "search"]


@pytest.mark.parametrize("words", [["version"], ["-V"], ["--version"]], ids=" ".join)
def test_version_prints_three_keys(udocker, words):
    lines = udocker.ok(*words).lines
    assert [line.split(":")[0] for line in lines] == ["version", "tarball", "tarball_release"]
    assert lines[1] == "tarball: none"


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"]], ids=" ".join)
def test_general_help_names_every_command(udocker, words):
    text = udocker.ok(*words).out
    for command in COMMANDS:
        assert command in text


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(udocker, command):
    """Every option with its default, and no line that a terminal would break."""
    outcome = udocker.ok(command, "--help")
    assert command in outcome.out
    assert outcome.err == ""
    assert command == "help" or udocker.ok("help", command).out == outcome.out
    assert max(map(len, outcome.lines)) <= 100
    with_value = [block for block in re.split(r"\n  (?=-)", outcome.out)[1:] if "=" in block.split()[0]]
    assert all("default: " in " ".join(block.split()) for block in with_value)


def test_unknown_command(udocker):
    outcome = udocker.fails("frobnicate")
    assert "invalid command: frobnicate" in outcome.err
    assert outcome.out == ""


def test_unknown_option_is_a_syntax_error_before_anything_happens(udocker, pushed):
    reference = pushed("busybox")
    outcome = udocker.fails("pull", "--no-such-option", reference)
    assert "--no-such-option" in outcome.err
    assert udocker.ok("-q", "images").out == ""


@pytest.mark.parametrize("words, hint", [
    (["pull", "--platfrom=linux/arm64", "x"], "did you mean --platform?), see: udocker pull --help"),
    (["--insecur", "pull", "x"], "did you mean --insecure?), see: udocker help"),
    (["pul", "x"], "invalid command: pul (did you mean pull?), see: udocker help"),
    (["ps", "-z"], "syntax error at: -z, see: udocker ps --help"),
    (["pull", "a", "b"], "syntax error at: b, see: udocker pull --help"),
    (["pull"], "must specify image:tag or repository/image:tag, see: udocker pull --help"),
    (["pull", "--index"], "--index (its value is missing: --index=URL), see: udocker pull --help"),
    (["create", "--name", "--force", "x"], "--name (its value is missing: --name=NAME), see: udocker create --help"),
], ids=" ".join)
def test_mistakes_get_a_hint(udocker, words, hint):
    assert hint in udocker.fails(*words).err


@pytest.mark.parametrize("command", ["create", "inspect", "rmi", "pull"])
def test_empty_image_name(udocker, command):
    udocker.ok("images")
    assert "must specify image:tag" in udocker.fails(command, "").err


@pytest.mark.parametrize("command", ["images", "ps", "version", "help"])
def test_words_too_many_are_an_error(udocker, command):
    assert "surplus" in udocker.fails(command, "surplus").err


@pytest.mark.requires("user-namespaces")
def test_root_is_refused(udocker, executable):
    as_root = ["unshare", "--user", "--map-root-user"]
    assert "do not run as root" in udocker.fails("ps", prefix=as_root).err
    udocker.ok("--allow-root", "ps", prefix=as_root)


def test_first_command_makes_the_repository(udocker):
    outcome = udocker.ok("images")
    assert {entry.name for entry in udocker.top.iterdir()} >= {"bin", "containers", "layers", "lib", "repos"}
    assert f"creating repo: {udocker.top}" in outcome.err


def test_repo_option_needs_a_repository(udocker, tmp_path):
    place = tmp_path / "elsewhere"
    outcome = udocker.fails(f"--repo={place}", "images")
    assert str(place) in outcome.err
    assert not place.exists()


def test_repo_option_names_the_repository_of_one_call(udocker, tmp_path, pushed):
    place = tmp_path / "elsewhere"
    for folder in ("bin", "containers", "layers", "lib", "repos"):
        (place / folder).mkdir(parents=True)
    reference = pushed("busybox")
    udocker.ok(f"--repo={place}", "pull", reference)
    assert reference in udocker.ok(f"--repo={place}", "images").out
    assert reference not in udocker.ok("images").out


# Q51 of the Python tool: programs are downloaded without a check at the first command.
@pytest.mark.parametrize("words", [["install"], ["install", "--force"]], ids=" ".join)
def test_install_has_nothing_to_do(udocker, words):
    assert udocker.ok(*words).out == ""


def test_install_purge_removes_what_an_old_tarball_left(udocker):
    udocker.ok("images")
    for place in ("bin/proot-x86_64", "lib/libfakechroot-x86_64.so", "lib/VERSION", "doc/LICENSE"):
        (udocker.top / place).parent.mkdir(exist_ok=True)
        (udocker.top / place).write_text("old")
    udocker.ok("install", "--purge")
    assert not [path for folder in ("bin", "lib", "doc") for path in (udocker.top / folder).glob("*")]
    udocker.ok("images")
