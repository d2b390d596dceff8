"""A terminal of a given size, and what its user sees of a command that runs in it."""
from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

SEQUENCE = re.compile(r"\x1b\[(\d*)([AJK])")


class Screen:
    """The lines of a terminal that understands what progress displays use. Lines above the window are out of reach."""

    def __init__(self, rows: int, columns: int):
        self.rows, self.columns = rows, columns
        self.lines = [""]
        self.row = self.column = 0

    def write(self, text: str) -> None:
        while text:
            if match := SEQUENCE.match(text):
                self._control(int(match[1] or 0), match[2])
                text = text[match.end():]
                continue
            self._put(text[0])
            text = text[1:]

    def _control(self, number: int, kind: str) -> None:
        if kind == "A":
            top = max(0, len(self.lines) - self.rows)
            self.row = max(top, self.row - (number or 1))
        elif kind == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        else:
            self.lines[self.row] = self.lines[self.row][:self.column]

    def _put(self, letter: str) -> None:
        assert letter in "\r\n" or letter.isprintable(), f"unexpected {letter!r}"
        if letter == "\r":
            self.column = 0
        elif letter == "\n":
            self._down()
        else:
            if self.column == self.columns:
                self._down()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + letter + line[self.column + 1:]
            self.column += 1

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")


def run(command: list[str], environment: dict[str, str], rows: int, columns: int) -> tuple[int, Screen]:
    """Runs a command with the terminal as its three streams; its status and the screen at its end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b""
    try:
        while data := os.read(ours, 65536):
            output += data
    except OSError:  # the end of a terminal without users
        pass
    os.close(ours)
    screen = Screen(rows, columns)
    screen.write(output.decode())
    return process.wait(), screen
