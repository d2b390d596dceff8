"""run: the environment of the payload: image, --env-file, -e, --hostenv, and what udocker sets."""
import getpass
import os
import signal
import time

import pytest


def environment(container, *options, env=None) -> dict[str, str]:
    """The variables that the program gets, before any shell adds its own."""
    out = container.ok("cat", "/proc/self/environ", options=options, env=env)
    return dict(entry.split("=", 1) for entry in out.split("\0") if entry)


@pytest.fixture(scope="module")
def container(guests):
    return guests.fresh_configured(Env=["PATH=/bin:/usr/bin", "A=image", "B=image", "C=image", "EMPTY=", "EQUALS=a=b=c"])


def test_variables_of_the_image(container):
    seen = environment(container)
    assert {name: seen[name] for name in ("PATH", "A", "EMPTY", "EQUALS")} == {
        "PATH": "/bin:/usr/bin", "A": "image", "EMPTY": "", "EQUALS": "a=b=c"}


# Q37 of the Python tool: the image's variables win over `--env-file`.
def test_option_over_file_over_image(container, tmp_path):
    (tmp_path / "env").write_text("B=file\nC=file\nD=file\n")
    seen = environment(container, f"--env-file={tmp_path}/env", "-e", "C=option", "--env=E=option")
    assert [seen.get(name) for name in "ABCDE"] == ["image", "file", "option", "file", "option"]


def test_the_last_option_and_the_last_file_count(container, tmp_path):
    (tmp_path / "one").write_text("X=one\nY=one\n")
    (tmp_path / "two").write_text("X=two\n")
    seen = environment(container, "--env-file", tmp_path / "one", "--env-file", tmp_path / "two", "-e", "Z=1", "-e=Z=2")
    assert [seen[name] for name in "XYZ"] == ["two", "one", "2"]


def test_a_name_alone_takes_the_value_of_the_host(container, tmp_path):
    (tmp_path / "env").write_text("FROM_FILE\n")
    seen = environment(container, "-e", "HERE", "-e", "NOT_HERE", "--env-file", tmp_path / "env",
                       env={"HERE": "on the host", "FROM_FILE": "also"})
    assert seen["HERE"] == "on the host" and seen["FROM_FILE"] == "also"
    assert "NOT_HERE" not in seen


def test_values_keep_every_byte(container):
    text = " blanks \t and\nlines = '\"$x` ä€ "
    assert environment(container, "-e", f"TEXT={text}", "-e", "NONE=")["TEXT"] == text


def test_env_file_syntax(container, tmp_path):
    (tmp_path / "env").write_bytes(b"\xef\xbb\xbf# a comment\n\nONE=1\r\n  TWO=2 # no comment here\nTHREE=\"quoted\"\n#FOUR=4\nFIVE = 5\n")
    seen = environment(container, f"--env-file={tmp_path}/env")
    assert [seen.get(name) for name in ("ONE", "TWO", "THREE", "FOUR", "FIVE")] == ["1", "2 # no comment here", '"quoted"', None, "5"]
    assert not any(name.startswith("#") for name in seen)


def test_the_host_environment_stays_outside(container):
    assert "SECRET" not in environment(container, env={"SECRET": "x"})


def test_hostenv_passes_it_below_the_image(container):
    seen = environment(container, "--hostenv", env={"FROM_HOST": "x", "A": "host"})
    assert (seen["FROM_HOST"], seen["A"], seen["PATH"]) == ("x", "image", "/bin:/usr/bin")


def test_terminal_type_is_passed(container):
    assert environment(container, env={"TERM": "vt220"})["TERM"] == "vt220"


def test_path_when_the_image_has_none(guests):
    container = guests.fresh_configured(Env=["A=1"])
    assert environment(container)["PATH"] == "/usr/sbin:/sbin:/usr/bin:/bin"
    assert environment(container, "--user=guest")["PATH"] == "/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def test_home_and_user_are_those_of_the_account(container):
    seen = environment(container)
    assert [seen[name] for name in ("HOME", "USER", "LOGNAME", "USERNAME")] == ["/root", "root", "root", "root"]
    seen = environment(container, "--user=guest")
    assert [seen[name] for name in ("HOME", "USER", "LOGNAME", "USERNAME")] == ["/home/guest", "guest", "guest", "guest"]


def test_home_may_be_set_but_user_is_ours(container):
    seen = environment(container, "-e", "HOME=/tmp", "-e", "USER=liar")
    assert (seen["HOME"], seen["USER"]) == ("/tmp", "root")


def test_prompt(container):
    assert environment(container)["PS1"] == container.id[:8] + "#"
    assert environment(container, "--user=guest")["PS1"] == container.id[:8] + "\\$"


def test_what_tells_the_container(container):
    container.udocker.ok("name", container.id, "env-one")
    container.udocker.ok("name", container.id, "env-two")
    seen = environment(container)
    assert seen["container_ruser"] == getpass.getuser()
    assert seen["container_root"] == str(container.root)
    assert seen["container_uuid"] == container.id
    assert seen["container_execmode"] == "P1"
    assert sorted(seen["container_names"].split(",")) == ["env-one", "env-two"]
    assert seen["SHLVL"] == "0"


def test_no_variable_comes_twice(container):
    out = container.ok("cat", "/proc/self/environ", options=("--hostenv", "-e", "A=1", "-e", "PATH=/bin"), env={"A": "host"})
    names = [entry.split("=")[0] for entry in out.split("\0") if entry]
    assert sorted(names) == sorted(set(names))


def test_items_that_are_no_variables_are_told(container, tmp_path):
    (tmp_path / "env").write_text("GOOD=1\nexport BAD=2\n=3\n1X=4\n")
    outcome = container.udocker.ok("run", "--nobanner", "-e", "=x", "-e", "A B=1", f"--env-file={tmp_path}/env", container.id, "env")
    assert "GOOD=1" in outcome.lines and not [line for line in outcome.lines if "BAD" in line or "1X" in line]
    assert [f"{tmp_path}/env line {number}" in outcome.err for number in (1, 2, 3, 4)] == [False, True, True, True]
    assert outcome.err.count("is no variable, ignored") == 5


@pytest.mark.parametrize("name", ["none", ".", "nul"])
def test_what_is_no_env_file(container, tmp_path, name):
    (tmp_path / "nul").write_bytes(b"A=1\0B=2\n")
    assert f"--env-file: {tmp_path}/{name}: " in container.fails("true", options=(f"--env-file={tmp_path}/{name}",))


def test_an_env_file_from_a_pipe(container):
    run = container.start("sh", "-c", "echo $FROM_PIPE $LAST", options=("--env-file=/dev/stdin",))
    run.stdin.write(b"FROM_PIPE=x\n" + b"# comment\n" * 100_000)
    run.stdin.flush()
    assert run.communicate(b"LAST=y")[:2] == (b"x y\n", b"")


def test_waiting_for_an_env_file_can_be_interrupted(container, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    run = container.start("true", options=(f"--env-file={tmp_path}/fifo",))
    with open(tmp_path / "fifo", "wb"):  # it has opened the other end now
        while run.poll() is None:  # the first signal may come before it waits
            run.send_signal(signal.SIGINT)
            time.sleep(0.02)
    assert run.communicate()[1] == b"" and run.returncode == 128 + signal.SIGINT


def test_an_empty_path_means_the_default(container):
    assert environment(container, "-e", "PATH=")["PATH"] == "/usr/sbin:/sbin:/usr/bin:/bin"


def test_path_decides_which_program_is_found(container):
    assert "PATH=/nowhere" in container.fails("cat", options=("-e", "PATH=/nowhere"))
