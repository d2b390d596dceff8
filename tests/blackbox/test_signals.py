"""run: signals that udocker gets, and the end of a run. Nothing here is timed: a test waits for what must come, and the
guest's last signal (SIGRTMAX, the highest number, so the last to be delivered) shows that nothing else was on its way."""
from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time

import pytest

from guests import Container
from product import HANG_LIMIT, children_of

END = signal.SIGRTMAX
ORDINARY = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE,
            signal.SIGALRM, signal.SIGTERM, signal.SIGCONT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGURG,
            signal.SIGXCPU, signal.SIGWINCH, signal.SIGIO, signal.SIGPWR]
# musl keeps one more for itself than glibc, so its first one is SIGRTMIN + 1 of ours.
REAL_TIME = [signal.SIGRTMIN + 1, signal.SIGRTMIN + 6, signal.SIGRTMAX - 1]


def names(numbers):
    return pytest.mark.parametrize("number", numbers, ids=lambda number: f"signal{int(number)}")


class Payload:
    """A run under way, alone in its process group."""

    def __init__(self, container: Container, *command: str, **how):
        how.setdefault("start_new_session", True)
        self.process = container.start(*command, bufsize=0, **how)
        self._rest = b""

    def line(self) -> str:
        """The next line of its output; fails if there is none."""
        return self.process.stdout.readline().decode().removesuffix("\n")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def send_group(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def queue(self, number: int, value: int) -> None:
        assert ctypes.CDLL(None, use_errno=True).sigqueue(self.process.pid, int(number), ctypes.c_void_p(value)) == 0

    def end(self) -> tuple[list[str], int]:
        """Everything that is still said, by whatever process of the run, and the exit status. Its input stays open: the end
        of that must not come before a signal that is on its way."""
        stdin, self.process.stdin = self.process.stdin, None
        out, _ = self.process.communicate(timeout=HANG_LIMIT)
        stdin.close()
        return out.decode().splitlines(), self.process.returncode


@pytest.fixture
def start():
    """start(container, command..): a run that is over at the end of the test in any case."""
    with contextlib.ExitStack() as stack:
        def begin(container: Container, *command: str, **how) -> Payload:
            payload = Payload(container, *command, **how)
            stack.enter_context(payload.process)
            stack.callback(payload.process.kill)
            return payload
        yield begin


@pytest.fixture
def catcher(guests, start):
    """A payload that says which signals it gets."""
    payload = start(guests.shared("musl"), "/bin/guest", "catch")
    assert payload.line() == "ready"
    return payload


# ---- to udocker alone ---------------------------------------------------------------------------------------------

@names(ORDINARY + REAL_TIME)
def test_a_signal_to_udocker_reaches_the_payload_once(catcher, number):
    catcher.send(number)
    assert catcher.line() == f"got {int(number)}"
    catcher.send(END)
    assert catcher.end() == ([f"got {int(END)}"], 0)


def test_each_of_many_signals_arrives(catcher):
    for _ in range(50):
        catcher.send(signal.SIGUSR1)
        assert catcher.line() == "got 10"
    catcher.send(END)
    assert catcher.end() == ([f"got {int(END)}"], 0)


def test_real_time_signals_queue_and_keep_their_values(catcher):
    for value in range(200):
        catcher.queue(signal.SIGRTMIN + 1, value)
    catcher.send(signal.SIGRTMIN + 2)
    catcher.send(signal.SIGRTMIN + 2)
    catcher.send(END)
    lines, status = catcher.end()
    number = int(signal.SIGRTMIN + 1)
    assert status == 0
    assert lines == [f"got {number} value {value}" for value in range(200)] + [f"got {number + 1}"] * 2 + [f"got {int(END)}"]


@names([signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGRTMIN + 3])
def test_a_payload_that_dies_of_it_gives_128_and_its_number(box, start, number):
    payload = start(box, "cat")
    payload.process.stdin.write(b"ready\n")
    assert payload.line() == "ready"
    payload.send(number)
    assert payload.end() == ([], 128 + number)


def test_a_payload_that_ignores_a_signal_goes_on(box, start):
    payload = start(box, "sh", "-c", "trap '' TERM HUP; echo ready; read word; echo still here: $word")
    assert payload.line() == "ready"
    payload.send(signal.SIGTERM)
    payload.send_group(signal.SIGHUP)
    payload.process.stdin.write(b"word\n")
    assert payload.end() == (["still here: word"], 0)


def test_what_was_ignored_at_the_start_stays_ignored(box, start):
    """nohup udocker run .."""
    payload = start(box, "sh", "-c", "echo ready; read word; echo still here: $word",
                    preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert payload.line() == "ready"
    payload.send(signal.SIGHUP)
    payload.process.stdin.write(b"word\n")
    assert payload.end() == (["still here: word"], 0)


def test_an_alarm_set_before_the_start_reaches_the_payload(box, start):
    """perl -e 'alarm 1; exec "udocker", "run", ..', an idiom for a limit of time"""
    payload = start(box, "sleep", "1000", preexec_fn=lambda: signal.alarm(1))
    # Before the payload begins udocker itself dies of it.
    assert payload.end()[1] in (128 + signal.SIGALRM, -signal.SIGALRM)


def test_stop_and_continue_to_udocker_alone(box, start):
    payload = start(box, "sh", "-c", "echo ready; read word; echo $word")
    assert payload.line() == "ready"
    children = children_of(payload.process.pid)
    assert len(children) == 1
    payload.send(signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(payload.process.pid, os.WUNTRACED)[1])
    payload.send(signal.SIGCONT)
    assert os.WIFCONTINUED(os.waitpid(payload.process.pid, os.WCONTINUED)[1])
    payload.process.stdin.write(b"went on\n")
    assert payload.end() == (["went on"], 0)


# ---- to the process group -----------------------------------------------------------------------------------------

@names(ORDINARY + REAL_TIME)
def test_a_signal_to_the_group_arrives_once(catcher, number):
    catcher.send_group(number)
    assert catcher.line() == f"got {int(number)}"
    catcher.send(END)
    assert catcher.end() == ([f"got {int(END)}"], 0)


def is_settled(process: int) -> bool:
    """It sleeps, and no signal waits for it: the kernel keeps one of a number only, so the next would be lost."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return fields["State"][0] in "St" and all(int(fields[name], 16) == 0 for name in ("SigPnd", "ShdPnd"))


def test_signals_to_the_group_and_alone_are_not_confused(catcher):
    udocker = catcher.process.pid
    child = children_of(udocker)[0]
    for _ in range(30):
        for send in (catcher.send_group, catcher.send, lambda number: os.kill(child, number), catcher.send):
            send(signal.SIGUSR2)
            assert catcher.line() == "got 12"
            deadline = time.monotonic() + HANG_LIMIT
            while not (is_settled(udocker) and is_settled(child)):
                assert time.monotonic() < deadline
                time.sleep(0.001)
    catcher.send(END)
    assert catcher.end() == ([f"got {int(END)}"], 0)


def test_the_limit_of_time_of_coreutils(box):
    """timeout(1) sends to its child and then to its whole group."""
    command = ["timeout", "--signal=TERM", "2", *box.udocker.command(
        *box.words((), ("sh", "-c", "trap 'echo asked; exit 9' TERM; while :; do sleep 1; done")))]
    done = subprocess.run(command, env=box.udocker.environment, cwd=box.udocker.home, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False, timeout=HANG_LIMIT)
    assert (done.stdout, done.returncode) == (b"asked\n", 124)


# ---- the end ------------------------------------------------------------------------------------------------------

# Processes in every situation, all of which hold the run's output open.
FAMILY = """
(setsid sh -c 'trap "" HUP TERM INT; echo daemon; sleep 1000' &)
(trap '' HUP TERM; sleep 1000) &
sh -c 'kill -STOP $$' &
yes > /dev/null &
"""


def test_descendants_end_with_the_run(box, start):
    payload = start(box, "sh", "-c", f"{FAMILY} exec 3>&1; read word; exit 5")
    assert payload.line() == "daemon"
    payload.process.stdin.write(b"end\n")
    assert payload.end() == ([], 5), "the pipe ends: nobody is left who holds it"


def test_descendants_end_when_the_payload_is_killed(box, start):
    payload = start(box, "sh", "-c", f"{FAMILY} exec sleep 1000")
    assert payload.line() == "daemon"
    payload.send(signal.SIGTERM)
    assert payload.end() == ([], 128 + signal.SIGTERM)


def test_nothing_is_left_of_a_killed_udocker(box, start):
    payload = start(box, "sh", "-c", f"{FAMILY} exec sleep 1000")
    assert payload.line() == "daemon"
    payload.send(signal.SIGKILL)
    assert payload.end() == ([], -signal.SIGKILL)


def test_many_short_processes_at_the_end(box):
    """The payload ends while children are just being made."""
    for _ in range(20):
        outcome = box.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (while :; do true | true; done) & done; exit 4")
        assert outcome.status == 4


def test_a_signal_for_everybody_stays_in_the_container(box):
    host = subprocess.Popen(["sleep", "1000"])
    try:
        script = "sleep 1000 & (trap 'exit 7' TERM; echo up; while :; do sleep 1; done) | { read up; kill -TERM -1; }; wait; echo $?"
        assert box.run("sh", "-c", script).lines[-1] == "0"
        assert box.run("sh", "-c", "kill -0 -1").status == 1, "nobody else is there"
        assert host.poll() is None
    finally:
        host.kill()
        host.wait()
