"""run on a host where something is wrong: temporary folders, read-only and full disks, programs that cannot be executed."""
import os
import pathlib
import signal

import pytest

from guests import Container

UNKNOWN = "--user=3000:3001"  # needs generated account files, hence temporary ones


def files_in(folder: pathlib.Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_temporary_files_are_gone_after_the_run(box, tmp_path):
    for command in (("true",), ("sh", "-c", "kill -9 $$"), ("no-such-command",)):
        box.run(*command, options=(UNKNOWN, "--dns=192.0.2.1"), env={"TMPDIR": str(tmp_path)})
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_temporary_files_are_gone_after_a_signal(box, tmp_path, number):
    run = box.start("sh", "-c", "echo up; exec cat", options=(UNKNOWN,), env={"TMPDIR": str(tmp_path)})
    assert run.stdout.readline() == b"up\n"
    assert len(files_in(tmp_path)) == 1
    run.send_signal(number)
    run.communicate()
    assert run.returncode == 128 + number
    assert files_in(tmp_path) == []


def test_temporary_files_of_a_killed_run_are_gone_after_the_next(box, tmp_path):
    """Those of runs that go on, of other hosts and of others stay."""
    how = {"options": (UNKNOWN,), "env": {"TMPDIR": str(tmp_path)}}
    killed, living = (box.start("sh", "-c", "echo up; exec cat", **how) for _ in range(2))
    for run in (killed, living):
        assert run.stdout.readline() == b"up\n"
    made = files_in(tmp_path)
    killed.kill()
    killed.communicate()
    assert files_in(tmp_path) == made
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    kept = ["udocker-0badb007-1-2", "udocker-1-2", f"udocker-{boot}-file", f"udocker-{boot}-link"]
    (tmp_path / kept[0]).mkdir()
    (tmp_path / kept[1]).mkdir()
    (tmp_path / kept[2]).touch()
    (tmp_path / kept[3]).symlink_to(tmp_path / kept[0])
    box.ok("true", **how)
    [left] = set(files_in(tmp_path)) - set(kept)
    assert left in made and f"-{living.pid}-" in left
    assert files_in(tmp_path / left) != []
    living.communicate()
    assert living.returncode == 0
    assert files_in(tmp_path) == sorted(kept)


def test_no_temporary_folder_is_needed_for_nothing(box):
    assert box.ok("echo", "x", env={"TMPDIR": "/not/there"}) == "x\n"


def test_a_temporary_folder_that_cannot_be_used(box, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    for folder in ("/not/there", "/etc/passwd", str(closed)):
        for variable in ("TMPDIR", "UDOCKER_TMP"):
            text = box.fails("true", options=(UNKNOWN,), env={variable: folder})
            assert folder in text and "set UDOCKER_TMP" in text


def test_an_umask_that_closes_everything(box):
    assert box.sh("id -u; umask", options=(UNKNOWN,), prefix=["sh", "-c", 'umask 777; exec "$@"', "sh"]).split() == ["3000", "0777"]


def test_a_temporary_folder_on_another_file_system(box):
    assert box.sh("id -u", options=(UNKNOWN,), env={"TMPDIR": "/dev/shm"}) == "3000"
    assert not [name for name in os.listdir("/dev/shm") if name.startswith("udocker-")]


def test_a_read_only_repository(guests, box, tmp_path):
    def close(mode_of) -> None:
        for folder, _, names in os.walk(guests.udocker.top):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                if not os.path.islink(path):
                    os.chmod(path, mode_of(os.stat(path).st_mode))

    guests.image("busybox")
    modes: dict[str, int] = {}
    for path in guests.udocker.top.rglob("*"):
        if not path.is_symlink():
            modes[str(path)] = path.stat().st_mode
    close(lambda mode: mode & ~0o222)
    try:
        assert box.ok("echo", "x") == "x\n"
        assert "Permission denied" in box.run("touch", "/new").err
        assert box.sh("id -u", options=(UNKNOWN,)) == "3000"
        assert "choose another --workdir" in box.fails("pwd", options=("--workdir=/not/made",))
        guests.udocker.fails("run", guests.image("busybox"), "true")
    finally:
        close(lambda mode: mode | 0o200)
        for path, mode in modes.items():
            os.chmod(path, mode)


def test_account_files_that_cannot_be_read(fresh_box):
    (fresh_box.root / "etc/passwd").chmod(0)
    text = fresh_box.fails("true")
    assert "accounts of the container" in text and "/etc/passwd: Permission denied" in text and "--hostauth" in text


def test_a_mode_that_this_version_does_not_have(fresh_box):
    assert "mode F1 is not available" in fresh_box.fails("true", env={"UDOCKER_DEFAULT_EXECUTION_MODE": "F1"}, status=1)
    (fresh_box.root.parent / "execmode").write_text("F3")
    assert "mode F3 is not available" in fresh_box.fails("true", status=1)


def test_a_working_directory_that_is_gone(box, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    assert box.sh("pwd", options=(UNKNOWN,), cwd=gone, prefix=["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh"]) == "/"


def test_no_home(guests, tmp_path):
    outcome = guests.udocker.fails("-q", "run", "some-image", "true", env={"HOME": "/not/there", "UDOCKER_DIR": ""})
    assert "cannot create the repository: /not" in outcome.err and "UDOCKER_DIR" in outcome.err


# $1 is a folder, $2 the executable; `script` runs it as `u` with a repository on a full disk.
FULL = """
mount -t tmpfs -o size=16m none "$1" || exit 99
export UDOCKER_DIR=$1 executable=$2
u() {{ "$executable" --allow-root -q "$@"; }}
u pull {reference} && u create --name=full {reference} >/dev/null || exit 98
cat /dev/zero > "$UDOCKER_DIR/fill" 2>/dev/null
{script}
"""


@pytest.mark.requires("user-namespaces")
def test_a_full_disk(pushed, udocker, tmp_path):
    (tmp_path / "disk").mkdir()

    def on_full_disk(script: str):
        text = FULL.format(reference=pushed("busybox"), script=script)
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", text, "sh", str(tmp_path / "disk")]
        return udocker.run(prefix=prefix)

    outcome = on_full_disk("u run full sh -c 'echo runs; echo x > /new; echo status $?'")
    assert outcome.lines == ["runs", "status 1"] and "No space left" in outcome.err, str(outcome)
    outcome = on_full_disk(f"TMPDIR=$UDOCKER_DIR u run {UNKNOWN} full true; echo status $?; ls $UDOCKER_DIR | grep -c udocker-")
    assert outcome.lines == ["status 2", "0"] and "No space left" in outcome.err and "UDOCKER_TMP" in outcome.err, str(outcome)
    assert len(outcome.err.splitlines()) == 1
    outcome = on_full_disk("u run --name=named full true; echo status $?; u run --rm full echo last; ls $UDOCKER_DIR/containers")
    assert outcome.lines == ["status 0", "last"], str(outcome)


PROGRAMS = {
    "script-without-interpreter": (b"#!/not/there\n", "the interpreter of this script, /not/there, is missing"),
    "interpreter-is-a-folder": (b"#!/etc\n", "the interpreter of this script, /etc, is not executable"),
    "broken": (b"\x7fELF broken", "exec format error: this program is damaged"),
    "empty": (b"", "exec format error"),
    "no-shebang": (b"echo x\n", "exec format error: neither a program nor a script"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_cannot_be_executed(fresh_box: Container, name):
    content, cause = PROGRAMS[name]
    (fresh_box.root / "bin" / name).write_bytes(content)
    (fresh_box.root / "bin" / name).chmod(0o755)
    text = fresh_box.fails(name)
    assert f"/bin/{name}: " in text and cause in text


def test_more_words_than_the_kernel_takes(box, tmp_path):
    (tmp_path / "env").write_text("".join(f"LONG{number}={'x' * 100_000}\n" for number in range(100)))
    text = box.fails("true", options=(f"--env-file={tmp_path}/env",))
    assert "Argument list too long" in text and "shorten" in text
    (tmp_path / "env").write_text(f"LONG={'x' * 200_000}\n")
    assert "shorten" in box.fails("true", options=(f"--env-file={tmp_path}/env",))


@pytest.mark.parametrize("count", [20_000, 100_000])
def test_many_words(box, count):
    # More than once: where the stack lies, and how much of it is there, is random.
    for _ in range(5):
        assert box.sh("echo $#", *map(str, range(count))) == str(count)


def test_many_words_for_a_script(fresh_box):
    fresh_box.sh("printf '#!/bin/sh\\necho $#\\n' > /count; chmod 755 /count")
    assert fresh_box.sh("i=0; while [ $i -lt 10 ]; do /count $(seq 30000); i=$((i + 1)); done").split() == ["30000"] * 10
    assert fresh_box.ok("/count", *map(str, range(60_000))) == "60000\n"


LONG_PATH = "/" + "/".join(["directory" * 20] * 25)


@pytest.mark.parametrize("options", [("--workdir=" + LONG_PATH,), ("--workdir=/" + "n" * 300,), ("-v", "/tmp:" + LONG_PATH),
                                     ("-v", LONG_PATH + ":/x"), ("-v", "/tmp:/" + "n" * 300), ("--entrypoint=" + LONG_PATH,),
                                     ("--env-file=" + LONG_PATH,), ("--user=" + "u" * 500,), ("--volumes-from=" + "c" * 500,),
                                     ("--kernel=" + "k" * 65,)], ids=lambda options: options[0].split("=")[0])
def test_what_is_too_long(box, options):
    before = files_in(box.root)
    box.fails("true", options=options)
    assert files_in(box.root) == before
