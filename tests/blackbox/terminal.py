"""A terminal with a program in it, driven as a person does: type, and wait for what must appear."""
from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import Callable

LIMIT = 120  # seconds after which the awaited text counts as missing; not a measure of anything


class Terminal:
    """Runs `command` as the leader of a session whose terminal is this one."""

    def __init__(self, command: list[str], echo: bool, **options):
        self.master, slave = pty.openpty()
        settings = termios.tcgetattr(slave)
        if not echo:
            settings[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        self.resize(24, 80)
        self.seen = ""

        def take_terminal() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal, **options)
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def control(self, letter: str) -> None:
        """Ctrl and a letter."""
        self.type(chr(ord(letter.upper()) & 0x1f))

    def foreground(self) -> int:
        """The process group that the keys reach."""
        return os.tcgetpgrp(self.master)

    def hang_up(self) -> None:
        """The line is cut: the window closes, the network is gone."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def wait(self, pattern: str) -> str:
        """Reads until the pattern (of lines; ^ and $ match at each) appears behind what was awaited before; returns what
        came before it."""
        deadline = time.monotonic() + LIMIT
        while not (found := re.search(pattern, self.seen, re.MULTILINE)):
            more = self._read(deadline)
            assert more, f"{pattern!r} did not appear in:\n{self.seen}"
            self.seen += more
        before, self.seen = self.seen[:found.start()], self.seen[found.end():]
        return before

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for what does not show on the screen."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, f"what was waited for did not come; seen:\n{self.seen}"
            time.sleep(0.02)

    def end(self) -> tuple[str, int]:
        """What is still printed until the program ends, and its status."""
        deadline = time.monotonic() + LIMIT
        while more := self._read(deadline):
            self.seen += more
        return self.seen, self.process.wait(LIMIT)

    def _read(self, deadline: float) -> str:
        if not select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return ""
        try:
            return os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # EIO: nobody has the other end open
            return ""
