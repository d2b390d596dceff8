"""Disturbs the commands of scene.py at one of their calls that change files, and checks what remains."""
from __future__ import annotations

import errno
import pathlib
import re
import signal

from product import Outcome
from scene import CASES, Scene

# What is done to a call: the word for programs/inject.c, and how many calls in a row it is done to (0: all from there on).
KINDS = {
    "full": (str(int(errno.ENOSPC)), 0),
    "quota": (str(int(errno.EDQUOT)), 1),
    "broken": (str(int(errno.EIO)), 1),
    "killed": ("kill", 1),
}


# The command may have done its work before it failed.
MAY_BE_DONE = ("killed", "broken")
# What stays where a disk does not let it be removed, and (the folder for temporary files) where nobody can.
NOTHING = re.compile("(?!)")
LEFT = {"broken": re.compile(r"tmp/udocker-.*|.*/keystore\.lock|.*/keystore\.old-.*|.*/containers/box|.*/repos/.*/one(/1)?"),
        "killed": re.compile("tmp/udocker-.*")}
# What a run could not write down after its payload had ended.
NOT_RECORDED = re.compile(r".*/containers/[^/]*/owners")


def without(left: re.Pattern, tree: list) -> list:
    return [entry for entry in tree if not left.fullmatch(entry[0])]


class Fault:
    def __init__(self, scene: Scene, injector: pathlib.Path):
        self.scene, self.injector = scene, injector
        self.report = scene.work.parent / "report"

    def _run(self, name: str, kind: str, first: int) -> tuple[Outcome, list[str]]:
        error, count = KINDS[kind]
        outcome = self.scene.run(name, prefix=[str(self.injector), error, str(first), str(count), str(self.report)])
        return outcome, self.report.read_text(errors="surrogateescape").splitlines()

    def calls(self, name: str, kind: str) -> int:
        """How many calls the command makes that can be disturbed in this way."""
        self.scene.after(name)
        self.scene.restore()
        outcome, report = self._run(name, kind, 0)
        assert outcome.status == 0, str(outcome)
        return len(report)

    def check(self, name: str, kind: str, first: int) -> bool:
        """False: the command was done before its call of this number."""
        scene = self.scene
        after = scene.after(name)
        scene.restore()
        outcome, report = self._run(name, kind, first)
        spoilt = [line for line in report if line.startswith("!")]
        if not spoilt:
            return False
        what = f"{name} {kind} {first}: {spoilt[0]}\n{outcome}"
        if kind == "killed":
            assert outcome.status == 128 + signal.SIGKILL, what
        else:
            self._check_failure(outcome, what)
            if kind != "broken" and not cleaning_failed(outcome):
                self._check_tree(outcome, name, what)
        scene.check_whole()
        if outcome.status != 0:
            again = scene.run(name)
            done = kind in MAY_BE_DONE and re.search(CASES[name].done, again.err)
            assert again.status == 0 or done, f"second try of {what}\n{again}"
        scene.settle(name)
        after, found = (without(LEFT.get(kind, NOTHING), tree) for tree in (after, scene.tree()))
        if cleaning_failed(outcome):
            after, found = without(NOT_RECORDED, after), without(NOT_RECORDED, found)
        assert_same(after, found, f"at the end of {what}")
        return True

    def _check_failure(self, outcome: Outcome, what: str) -> None:
        """It went on without what failed, or says why not in its last line. Only `verify` has others, on what it found."""
        errors = error_lines(outcome)
        if outcome.status == 0 and (not errors or "verify" in outcome.command):
            return
        assert outcome.status != 0 or "run" in outcome.command, what
        assert outcome.status < 128 and outcome.err.splitlines()[-1] == errors[-1], what
        assert len(errors) == 1 or "verify" in outcome.command, what

    def _check_tree(self, outcome: Outcome, name: str, what: str) -> None:
        """All is done, or nothing; a blob that was repaired stays so."""
        before, after, found = self.scene.before, self.scene.after(name), self.scene.tree()
        if outcome.status == 0 or name == "repair" and found != before:
            assert_same(after, found, what)
        else:
            assert_same(before, found, what)


def error_lines(outcome: Outcome) -> list[str]:
    return [line for line in outcome.err.splitlines() if line.startswith("Error: ")]


def cleaning_failed(outcome: Outcome) -> bool:
    """The payload has run: its status is the command's, whatever the command could not do after it."""
    return "run" in outcome.command and outcome.status == 0 and error_lines(outcome) != []


def assert_same(expected: list, found: list, what: str) -> None:
    lost = [entry for entry in expected if entry not in found]
    come = [entry for entry in found if entry not in expected]
    assert sorted(expected) == sorted(found), f"{what}\nmissing: {lost}\ntoo many: {come}"
