#!/usr/bin/python3
"""Adds up the JUnit files of one test run, names what failed and what was skipped without leave.

    summary.py [--probe-as WORD]... FILE...

The last line is `N passed, N failed, N skipped`. A skip counts as failed unless it begins with the name of a line of
tests/skips.txt whose probe fails here. --probe-as gives the words that run the probe as the user of the tests.
Exit status: 0 nothing failed, 1 something did.
"""
from __future__ import annotations

import argparse
import dataclasses
import pathlib
import subprocess
import sys
import xml.etree.ElementTree

SKIPS = pathlib.Path(__file__).resolve().parents[1] / "tests/skips.txt"


@dataclasses.dataclass
class Case:
    name: str
    state: str  # passed, failed or skipped
    text: str = ""


def allowed_skips() -> dict[str, str]:
    """name -> probe"""
    entries = {}
    for line in SKIPS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, probe, _ = (part.strip() for part in line.split("|", 2))
            entries[name] = probe
    return entries


def read_cases(path: pathlib.Path) -> list[Case]:
    """The cases of one file, as ctest or pytest wrote it. A file that is not there or not whole is one failure."""
    try:
        tree = xml.etree.ElementTree.parse(path)
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        return [Case(path.name, "failed", f"no result was written: {error}")]
    cases = []
    run = f"[{path.stem.removeprefix('ctest-')}] "
    for element in tree.iter("testcase"):
        name = ".".join(filter(None, (element.get("classname"), element.get("name"))))
        if element.get("classname") == element.get("name"):  # ctest says it twice
            name = element.get("name") or "?"
        skipped = element.find("skipped")
        broken = element.find("failure") if element.find("failure") is not None else element.find("error")
        if broken is not None:
            cases.append(Case(run + name, "failed", broken.get("message") or ""))
        elif skipped is not None or element.get("status") in ("notrun", "disabled"):
            said = element.findtext("system-out") or ""
            cases.append(Case(run + name, "skipped", (skipped.get("message") if skipped is not None else "") or said))
            if "SKIP_REGULAR_EXPRESSION" in cases[-1].text:
                cases[-1].text = said
        else:
            cases.append(Case(name, "passed"))
    return cases or [Case(path.name, "failed", "the file holds no test")]


def judge_skip(case: Case, probe_as: list[str]) -> str:
    """Empty if the skip is allowed, else why not."""
    for name, probe in allowed_skips().items():
        if f"{name}:" in case.text:
            works = subprocess.run([*probe_as, "/bin/sh", "-c", probe], stdin=subprocess.DEVNULL, capture_output=True,
                                   check=False).returncode == 0
            return f"skipped, but the probe of {name} works here" if works else ""
    return "skipped for no reason that stands in tests/skips.txt"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probe-as", action="append", default=[], metavar="WORD")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    cases = [case for path in options.files for case in read_cases(path)]
    for case in cases:
        if case.state == "skipped":
            if reason := judge_skip(case, options.probe_as):
                case.state, case.text = "failed", reason
            else:
                print(f"skipped: {case.name}: {case.text.strip().splitlines()[0]}")
    for case in cases:
        if case.state == "failed":
            print(f"FAILED: {case.name}: {(case.text.strip().splitlines() or [''])[0][:300]}")
    count = {state: sum(case.state == state for case in cases) for state in ("passed", "failed", "skipped")}
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
