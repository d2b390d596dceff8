"""run on a terminal: keys that send signals, job control outside and inside, the size and the end of the terminal."""
from __future__ import annotations

import pathlib
import signal

import pytest

from guests import Container
from product import children_of
from terminal import Terminal

END = signal.SIGRTMAX
PROMPT = r"host\$ "
INNER = r"^guest\$ "


@pytest.fixture
def terminal():
    """terminal(udocker, command): the command in a terminal of its own, gone at the end of the test."""
    opened: list[Terminal] = []

    def begin(udocker, command: list[str], echo: bool = False) -> Terminal:
        environment = {**udocker.environment, "PS1": "host$ ", "TERM": "dumb"}
        opened.append(Terminal(command, echo, env=environment, cwd=udocker.home))
        return opened[-1]
    yield begin
    for one in opened:
        with one:
            pass


@pytest.fixture
def directly(terminal):
    """directly(container, words..): udocker itself as the program of a terminal, as `ssh -t host udocker run ..` has it."""
    def begin(container: Container, *words: str, echo: bool = False) -> Terminal:
        return terminal(container.udocker, container.udocker.command(*container.words((), words)), echo)
    return begin


def run_words(container: Container, *words: str) -> str:
    """The command line of a run, for a shell."""
    return " ".join(container.udocker.command(*container.words((), words)))


@pytest.fixture
def shell(terminal, box):
    """A shell of the host with job control."""
    opened = terminal(box.udocker, ["bash", "--norc", "--noprofile", "--noediting", "-i"], echo=True)
    opened.wait(PROMPT)
    opened.type("set -o notify\n")  # tells at once when a job stops
    opened.wait(PROMPT)
    return opened


def state_of(process: int) -> str:
    """The letter of /proc/PID/stat: T is stopped."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def name_of(process: int) -> str:
    try:
        return pathlib.Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:  # gone: udocker's own short-lived children
        return ""


def job_of(shell: Terminal) -> int:
    """The process of the shell's newest job in the background."""
    shell.type("echo job $!.\n")
    shell.wait(r"job (?=\d)")
    return int(shell.wait(r"\."))


# ---- keys and the window --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("key, number", [("C", signal.SIGINT), ("\\", signal.SIGQUIT), ("Z", signal.SIGTSTP)])
def test_a_key_sends_one_signal(guests, directly, key, number):
    run = directly(guests.shared("musl"), "/bin/guest", "catch")
    run.wait("^ready$")
    for _ in range(20):
        run.control(key)
        run.wait(rf"^got {int(number)}$")
    run.process.send_signal(END)
    out, status = run.end()
    assert (out.split("\n"), status) == (["", f"got {int(END)}", ""], 0)


def test_a_new_size_is_told_once(guests, directly):
    run = directly(guests.shared("musl"), "/bin/guest", "catch")
    run.wait("^ready$")
    for rows in range(30, 40):
        run.resize(rows, 99)
        run.wait(rf"^got {int(signal.SIGWINCH)}$")
    run.process.send_signal(END)
    assert run.end() == (f"\ngot {int(END)}\n", 0)


def test_the_guest_sees_the_size(box, directly):
    run = directly(box, "sh", "-c", "stty size; read word; stty size")
    run.wait("^24 80$")
    run.resize(43, 132)
    run.type("go on\n")
    run.wait("^43 132$")
    assert run.end()[1] == 0


def test_the_guest_is_on_a_terminal(box, directly):
    run = directly(box, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo on a terminal")
    run.wait("^on a terminal$")
    assert run.end()[1] == 0


def test_interrupt_ends_the_payload(box, directly):
    run = directly(box, "sh", "-c", "echo ready; sleep 1000; echo not reached")
    run.wait("^ready$")
    run.control("C")
    assert run.end() == ("\n", 128 + signal.SIGINT)


def test_interrupt_is_for_the_payload_to_handle(box, directly):
    run = directly(box, "sh", "-c", "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 1; done")
    run.wait("^ready$")
    run.control("C")
    run.wait("^caught$")
    assert run.end()[1] == 6


def test_the_end_of_the_terminal_is_a_hangup(fresh_box, directly):
    run = directly(fresh_box, "sh", "-c", "trap 'echo hung up > /tmp/seen; exit 0' HUP; echo ready; while :; do sleep 1; done")
    run.wait("^ready$")
    run.hang_up()
    assert run.process.wait() == 0
    assert (fresh_box.root / "tmp/seen").read_text() == "hung up\n"


# ---- job control of the host's shell --------------------------------------------------------------------------------

def continue_in_foreground(shell: Terminal) -> None:
    """fg, until the job and its payload really run: what is typed before may be taken back by the continuation."""
    job = children_of(shell.process.pid)[0]
    payload = children_of(job)[0]
    shell.type("fg\n")
    shell.wait("^/.*udocker.*$")
    shell.until(lambda: shell.foreground() == job and not {state_of(job), state_of(payload)} & set("Tt"))


def test_stop_and_foreground(box, shell):
    shell.type(run_words(box, "sh", "-c", "'echo ready; read word; echo read $word; exit 3'") + "\n")
    shell.wait("^ready$")
    for _ in range(3):
        shell.control("Z")
        shell.wait("Stopped")
        shell.wait(PROMPT)
        shell.type("jobs\n")
        shell.wait(r"^\[1\]\+ +Stopped")
        shell.wait(PROMPT)
        continue_in_foreground(shell)
    shell.type("a word\n")
    shell.wait("^read a word$")
    shell.wait(PROMPT)
    shell.type("echo status $?\n")
    shell.wait("^status 3$")


def test_interrupt_after_a_stop(box, shell):
    shell.type(run_words(box, "sleep", "1000") + "\n")
    shell.until(lambda: shell.foreground() != shell.process.pid)
    shell.until(lambda: "sleep" in [name_of(process) for job in children_of(shell.process.pid) for process in children_of(job)])
    shell.control("Z")
    shell.wait("Stopped")
    shell.wait(PROMPT)
    continue_in_foreground(shell)
    shell.control("C")
    shell.wait(PROMPT)
    shell.type("echo status $?\n")
    shell.wait(f"^status {128 + signal.SIGINT}$")


def test_reading_in_the_background_stops(box, shell):
    shell.type(run_words(box, "sh", "-c", "'set -- $(head -n 1); echo read $*'") + " &\n")
    shell.wait(r"^\[1\]\+ +Stopped")
    shell.type("fg\n")
    shell.wait("^/.*udocker")
    shell.type("late word\n")
    shell.wait("^read late word$")
    shell.wait(PROMPT)


def test_background_and_wait(box, shell):
    shell.type(run_words(box, "sh", "-c", "'echo in the background; exit 4'") + " & wait $!; echo status $?\n")
    shell.wait("in the background$")
    shell.wait("status 4$")


def test_a_stop_sent_to_udocker_alone(box, shell):
    """kill -TSTP PID stops payload and udocker, and the shell hears of it; kill -CONT PID continues both."""
    shell.type(run_words(box, "sh", "-c", "'echo ready; while :; do sleep 1; done'") + " &\n")
    shell.wait("ready$")
    job = job_of(shell)
    payload = children_of(job)[0]
    shell.type("kill -TSTP $!\n")
    shell.wait(r"^\[1\]\+ +Stopped")
    assert (state_of(job), state_of(payload)) == ("T", "t"), "t: stopped as a traced process is"
    shell.type("kill -CONT $!\n")
    shell.until(lambda: state_of(job) != "T" and state_of(payload) not in "Tt")
    shell.type("jobs\n")
    shell.wait(r"^\[1\]\+ +Running")
    shell.type("kill -TERM $!; wait $!; echo status $?\n")
    shell.wait(f"status {128 + signal.SIGTERM}$")


# ---- job control of a shell inside ----------------------------------------------------------------------------------

def check_inner_job_control(run: Terminal) -> None:
    """A shell of the guest has just been started in this terminal; ends it with status 7."""
    run.wait("[#$]")
    run.type("PS1='guest$ '\n")
    run.wait(INNER)
    inner = run.foreground()
    run.type("sleep 1000\n")
    # Before its program runs, the shell's child may still ignore what shells ignore.
    run.until(lambda: run.foreground() != inner and name_of(run.foreground()) == "sleep")
    run.control("Z")
    run.wait("Stopped")
    run.wait(INNER)
    run.type("jobs; sleep 2000 & echo $?\n")
    run.wait(r"^\[1\].*Stopped")
    run.wait("^0$")
    run.wait(INNER)
    run.type("bg %1\n")
    run.wait(INNER)
    run.type("fg %2\n")
    run.wait("^sleep 2000")
    run.until(lambda: run.foreground() != inner)
    run.control("C")
    run.wait(INNER)
    run.type("kill %1; wait; echo all gone\n")
    run.wait("^all gone$")
    run.wait(INNER)
    run.type("cat | cat\n")
    run.until(lambda: run.foreground() != inner)
    run.type("through two\n")
    run.wait("^through two$")
    run.control("C")
    run.wait(INNER)
    run.type("exit 7\n")


def test_job_control_inside(box, directly):
    run = directly(box, "sh", "-i", echo=True)
    check_inner_job_control(run)
    assert run.end()[1] == 7


def test_job_control_inside_and_outside(box, shell):
    shell.type(run_words(box, "sh", "-i") + "\n")
    check_inner_job_control(shell)
    shell.wait(PROMPT)
    shell.type("echo status $?\n")
    shell.wait("^status 7$")
    assert shell.foreground() == shell.process.pid


@pytest.mark.slow
def test_job_control_of_a_debian_shell(guests, directly):
    run = directly(guests.shared("bookworm"), "bash", "--norc", "--noediting", "-i", echo=True)
    check_inner_job_control(run)
    assert run.end()[1] == 7


@pytest.mark.slow
def test_suspending_the_inner_shell_stops_udocker(guests, shell):
    container = guests.shared("bookworm")
    shell.type(run_words(container, "bash", "--norc", "--noediting", "-i") + "\n")
    shell.wait("[#$]")
    shell.type("PS1='guest$ '\n")
    shell.wait(INNER)
    shell.type("suspend\n")
    shell.wait("Stopped")
    shell.wait(PROMPT)
    shell.type("fg\n")
    shell.wait("^/.*udocker")
    shell.type("echo inside again; exit 3\n")
    shell.wait("inside again$")
    shell.wait(PROMPT)
    shell.type("echo status $?\n")
    shell.wait("^status 3$")
    assert shell.foreground() == shell.process.pid
