"""run: which program runs, with which words, streams, descriptors and status."""
import os
import subprocess

import pytest

from guests import Container

ECHO = 'printf "<%s>" "$0" "$@"'


def test_the_image_command_runs_without_words(guests):
    assert guests.fresh_configured(Cmd=["echo", "from", "cmd"]).ok() == "from cmd\n"


def test_words_replace_the_image_command(guests):
    assert guests.fresh_configured(Cmd=["echo", "from", "cmd"]).ok("echo", "words") == "words\n"


def test_the_entrypoint_stands_before_command_and_words(guests):
    container = guests.fresh_configured(Entrypoint=["echo", "entry"], Cmd=["cmd"])
    assert container.ok() == "entry cmd\n"
    assert container.ok("a", "b") == "entry a b\n"


def test_entrypoint_option_replaces_and_drops_the_command(guests):
    container = guests.fresh_configured(Entrypoint=["echo", "entry"], Cmd=["cmd"])
    assert container.ok(options=("--entrypoint=echo other",)) == "other\n"
    assert container.ok("word", options=("--entrypoint", "echo other")) == "other word\n"


def test_empty_entrypoint_option_means_neither(guests):
    container = guests.fresh_configured(Entrypoint=["echo", "entry"], Cmd=["cmd"])
    assert container.ok("echo", "plain", options=("--entrypoint=",)) == "plain\n"


def test_entrypoint_text_of_the_shell_form(guests):
    assert guests.fresh_configured(Entrypoint=["/bin/sh", "-c", "echo shell form: $0"], Cmd=["arg"]).ok() == "shell form: arg\n"


def test_nometa_ignores_what_the_image_says(guests):
    container = guests.fresh_configured(Entrypoint=["echo", "entry"], Cmd=["cmd"], Env=["PATH=/bin", "FROM_IMAGE=1"],
                                        User="guest", WorkingDir="/home/guest")
    shown = container.sh('echo "$(id -un) $(pwd) ${FROM_IMAGE-unset}"', options=("--nometa",))
    assert shown == "root /root unset"


def test_no_command_at_all_means_a_shell(guests):
    outcome = guests.fresh_configured().udocker.run("run", "--nobanner", guests.configured(), stdin=b"echo in a shell; exit 3\n")
    assert (outcome.status, outcome.out.count("in a shell")) == (3, 1), str(outcome)
    assert "no command assuming" in outcome.err


@pytest.mark.parametrize("word", ["/bin/echo", "echo", "../bin/echo", "./../bin/echo"])
def test_the_program_is_found_as_a_shell_finds_it(box, word):
    assert box.ok(word, "found", options=("-w", "/tmp")) == "found\n"


# Q1 of the Python tool: empty arguments vanish, those of the payload too.
def test_empty_arguments_and_blanks_reach_the_payload(box):
    assert box.ok("sh", "-c", ECHO, "x", "", "a b", "\n", "", "*", "'\"\\$") == "<x><><a b><\n><><*><'\"\\$>"


def test_utf8_and_other_bytes_reach_the_payload(box):
    words = ["ä€😀".encode(), b"\xff\xfe\x01", b"\x1b[0m"]
    out = box.run("sh", "-c", ECHO, "x", *map(os.fsdecode, words)).raw_out
    assert out == b"<x>" + b"".join(b"<" + word + b">" for word in words)


def test_words_that_look_like_options_belong_to_the_payload(box):
    assert box.ok("echo", "--rm", "-v", "--", "--user=x") == "--rm -v -- --user=x\n"


def test_double_dash_ends_the_options(box):
    outcome = box.udocker.ok("-q", "run", "--", box.id, "echo", "behind")
    assert outcome.out == "behind\n"


def test_a_very_long_argument_list(box):
    words = ["x" * 20000] * 60  # more than a million bytes; one word may have 131071
    count, size = box.sh("echo $# ; printf %s \"$@\" | wc -c", *words).split()
    assert (int(count), int(size)) == (60, 1_200_000)


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00"  # up to e_machine


@pytest.mark.parametrize("content, cause", [
    (b"#!/no/such -x\n", "/tmp/program: the interpreter of this script, /no/such, is missing in the container; "),
    (b"#!/etc\n", "the interpreter of this script, /etc, is not executable; "),
    (b"#! \n", "exec format error: the first line names no interpreter; "),
    (b"echo no first line\n", "exec format error: neither a program nor a script with #! in its first line; "),
    (b"", "exec format error: neither a program nor a script"),
    (ELF + b"\x3e\x00" + bytes(100), "exec format error: this program is damaged"),
    (ELF + b"\xb7\x00" + bytes(100), "arm64"),
])
def test_what_cannot_be_executed_is_told_with_its_cause(fresh_box, content, cause):
    program = fresh_box.root / "tmp/program"
    program.write_bytes(content)
    program.chmod(0o755)
    assert cause in fresh_box.fails("/tmp/program")
    # A guest's own execve has the errno alone.
    assert fresh_box.run("sh", "-c", "/tmp/program || true").status == 0


def test_a_program_whose_loader_is_missing(guests, box):
    musl = guests.fresh("musl")
    loader = next(musl.root.glob("lib/ld-musl-*.so.1"))
    loader.unlink()
    said = musl.fails("/bin/guest")
    assert f"/bin/guest: the loader of this program, /lib/{loader.name}, is missing in the container; " in said
    assert musl.ok("/bin/guest-static", "cat", "/etc/passwd") == (musl.root / "etc/passwd").read_text()
    assert musl.ok("/bin/guest-static", "spawn", "/bin/guest-static", "status", "0") == "status: 0\n"


def test_a_directory_and_a_file_without_permission(fresh_box):
    (fresh_box.root / "tmp/plain").write_text("#!/bin/sh\n")
    assert "/tmp: is a directory" in fresh_box.fails("/tmp")
    assert "/tmp/plain: no execute permission" in fresh_box.fails("/tmp/plain")


# Q2 of the Python tool: an option is found or not by the order in which it is looked for and by `=` or blank; no `-it`, no `--`.
@pytest.mark.parametrize("flags", [("-i",), ("-t",), ("-it",), ("-i", "-t", "-a"), ("--interactive", "--tty"), ("-ti",)])
def test_docker_flags_are_accepted(box, flags):
    assert box.ok("echo", "yes", options=flags) == "yes\n"


def test_every_exit_status(box):
    # One run for each kind, and every number through a shell that reports its child's.
    for status in (0, 1, 2, 42, 126, 127, 128, 255):
        assert box.run("sh", "-c", f"exit {status}").status == status
    shown = box.sh("i=0; while [ $i -lt 256 ]; do (exit $i); [ $? = $i ] || echo wrong $i; i=$((i+1)); done")
    assert shown == ""


@pytest.mark.parametrize("signal", [1, 2, 6, 9, 11, 15, 31])
def test_a_signal_gives_128_and_its_number(box, signal):
    assert box.run("sh", "-c", f"kill -{signal} $$").status == 128 + signal


def test_streams_are_separate(box):
    outcome = box.run("sh", "-c", "echo to out; echo to err >&2")
    assert (outcome.out, outcome.err) == ("to out\n", "to err\n")


# Q8 of the Python tool: messages and results share standard output.
def test_results_and_messages_do_not_share_a_stream(box):
    outcome = box.udocker.ok("run", box.id, "echo", "result")
    assert outcome.out == "result\n"
    assert f"STARTING {box.id}" in outcome.err and " executing: echo" in outcome.err


def test_nobanner(box):
    outcome = box.udocker.ok("run", "--nobanner", box.id, "echo", "result")
    assert (outcome.out, outcome.err) == ("result\n", "")


def test_a_megabyte_of_any_bytes_passes_both_ways(box):
    data = bytes(range(256)) * 4096 + b"\r\n\x04\x00end without newline"
    assert box.run("cat", stdin=data).raw_out == data


def test_stdin_at_its_end(box):
    assert box.sh("cat; echo status $?") == "status 0"


def test_closed_streams_stay_closed(box):
    script = 'for n in 0 1 2; do [ -e /proc/self/fd/$n ] && echo open $n; done > /tmp/streams; true'
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *box.udocker.command(*box.words((), ("sh", "-c", script)))]
    done = subprocess.run(command, env=box.udocker.environment, cwd=box.udocker.home, check=False)
    assert done.returncode == 0
    # 1 is the file of the redirection.
    assert (box.root / "tmp/streams").read_text() in ("open 1\n", "")


def test_inherited_descriptors_reach_the_payload(box, tmp_path):
    secret = tmp_path / "inherited"
    secret.write_text("through descriptor 7\n")
    command = ["sh", "-c", 'exec "$@" 7<' + str(secret), "sh", *box.udocker.command(*box.words((), ("sh", "-c", "cat <&7")))]
    done = subprocess.run(command, env=box.udocker.environment, cwd=box.udocker.home, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"through descriptor 7\n"


def test_no_descriptor_of_our_own_reaches_the_payload(box):
    # 3 is the folder that ls reads; the link tells the others.
    assert box.sh("ls /proc/self/fd").split() == ["0", "1", "2", "3"]


def test_a_payload_that_does_not_read_its_input(box):
    outcome = box.run("true", stdin=b"x" * 1_000_000)
    assert outcome.status == 0


def test_a_reader_that_goes_away(box):
    command = f"set -o pipefail; {' '.join(box.udocker.command(*box.words((), ('yes',))))} | head -n 1"
    done = subprocess.run(["bash", "-c", command], env=box.udocker.environment, cwd=box.udocker.home,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.stdout == b"y\n"
    assert done.returncode in (1, 128 + 13), done  # busybox's yes says so itself, or SIGPIPE ends it


def test_environment_and_umask_and_limits_are_inherited(box):
    command = ["sh", "-c", 'umask 027; ulimit -n 77; exec "$@"', "sh",
               *box.udocker.command(*box.words((), ("sh", "-c", "umask; ulimit -n")))]
    done = subprocess.run(command, env=box.udocker.environment, cwd=box.udocker.home, stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"0027", b"77"]


def test_cpuset(box):
    first = min(os.sched_getaffinity(0))
    assert box.sh("grep Cpus_allowed_list /proc/self/status", options=(f"--cpuset-cpus={first}",)).split()[1] == str(first)


def test_kernel_release(box):
    assert box.ok("uname", "-r", options=("--kernel=3.2.1-other",)) == "3.2.1-other\n"
    assert box.ok("uname", "-r") == os.uname().release + "\n"


def test_a_name_given_by_run(guests):
    container: Container = guests.fresh("busybox")
    assert container.ok("echo", "x", options=("--name=given-by-run",)) == "x\n"
    assert Container(container.udocker, "given-by-run").ok("echo", "again") == "again\n"
    assert guests.udocker.ok("inspect", "-p", "given-by-run").out.strip() == str(container.root)


@pytest.mark.parametrize("option, value", [("--cpuset-cpus", "9999"), ("--cpuset-cpus", "a"), ("--cpuset-cpus", "1-0"),
                                           ("--dns", "not-an-address"), ("--dns-search", "two words"), ("--kernel", "k" * 65)])
def test_values_that_an_option_cannot_have(box, option, value):
    assert f"invalid {option}={value}" in box.fails("true", options=(f"{option}={value}",))


def test_a_cpu_list_with_a_range(box):
    cpus = sorted(os.sched_getaffinity(0))
    text = ",".join(map(str, cpus))
    shown = box.sh("grep Cpus_allowed_list /proc/self/status", options=(f"--cpuset-cpus={cpus[0]},{text}",)).split()[1]
    assert sum(len(range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)) for part in shown.split(",")) == len(cpus)


@pytest.mark.parametrize("command", [("no-such",), ("",), ("", "x"), ("./none",), ("/etc",), ("/etc/passwd",), ("/etc/passwd/x",), ("--",)])
def test_what_is_no_command(box, command):
    text = box.fails(*command)
    assert "command not found or has no execute bit set: ['" + command[0] + "'" in text and "name a program" in text


@pytest.mark.parametrize("words", [("--no-such-option",), ("-z",), ("--tty=x",), ("--user",)])
def test_what_is_no_option(box, words):
    box.udocker.fails("run", *words, *(() if words == ("--user",) else (box.id, "true")))


def test_twenty_megabytes_through_a_filter(box):
    data = os.urandom(1 << 20) * 20
    assert box.run("cat", stdin=data).raw_out == data


def test_a_full_device_as_output(box):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(box.udocker.command(*box.words((), ("echo", "x"))), env=box.udocker.environment,
                              cwd=box.udocker.home, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"No space left" in done.stderr
