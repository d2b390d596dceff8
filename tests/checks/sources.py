#!/usr/bin/python3
"""Checks of the sources that no compiler does; one word chooses which.

    sources.py includes    the folders of src/ use each other only as the table below allows
    sources.py banned      nothing calls a function that makes a static executable load parts of the host's C library
    sources.py length      no source file has more than 500 lines
    sources.py format      clang-format would change nothing
"""
from __future__ import annotations

import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
MAX_LINES = 500

# folder of src/ -> the folders it may include from, besides itself. docs/architecture.md says why.
ALLOWED = {
    "base": set(),
    "xlate": set(),
    "image": {"base"},
    "archive": {"base", "image"},
    "registry": {"base", "image"},
    "store": {"base", "image", "archive"},
    "transfer": {"base", "image", "archive", "store"},
    "container": {"base", "image"},
    "engine": {"base", "container", "guest", "xlate"},
    "guest": {"xlate"},
    "cli": {"base", "xlate", "image", "archive", "registry", "store", "transfer", "container",
            "engine"},
    "": {"cli"},  # main.cpp
}

# In a static executable each of these opens files of the host's C library: look-ups by NSS, locales, converters, modules.
BANNED = re.compile(r"(?<![\w.>])(?:std::)?("
                    r"getpw(?:nam|uid|ent)(?:_r)?|getgr(?:nam|gid|ent)(?:_r)?|getgrouplist|initgroups|"
                    r"getaddrinfo|getnameinfo|gethostby\w+|getserv\w+|getproto\w+|getnetby\w+|"
                    r"setlocale|newlocale|iconv_open|iconv|dlopen|dlsym|dlmopen|wordexp|getlogin(?:_r)?|cuserid)\s*\(")


def sources(*folders: str) -> list[pathlib.Path]:
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*")
                  if path.suffix in (".cpp", ".hpp", ".h", ".c", ".S"))


def without_comments(text: str) -> str:
    """The same text with comments and the insides of literals blanked, line by line."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda found: '""' if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0]), text)


def check_includes() -> list[str]:
    wrong = []
    for path in sources("src"):
        parts = path.relative_to(PROJECT / "src").parts
        folder = parts[0] if len(parts) > 1 else ""
        if folder not in ALLOWED:
            wrong.append(f"{path}: the folder {folder} is not in the table of this check")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not found:
                continue
            target = pathlib.PurePosixPath(found[1])
            where = f"{path.relative_to(PROJECT)}:{number}"
            if not (PROJECT / "src" / target).is_file():
                wrong.append(f"{where}: {target} is not a file of src/ (includes are written from there)")
            elif target.suffix == ".cpp":
                wrong.append(f"{where}: {target} is no header")
            elif target.parts[0] != folder and target.parts[0] not in ALLOWED[folder]:
                wrong.append(f"{where}: {folder or 'main.cpp'} may not use {target.parts[0]}")
    return wrong


def check_banned() -> list[str]:
    wrong = []
    for path in sources("src"):
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            if found := BANNED.search(line):
                wrong.append(f"{path.relative_to(PROJECT)}:{number}: {found[1]} is not for a static executable")
    return wrong


def check_length() -> list[str]:
    wrong = []
    for path in sources("src", "tests"):
        lines = path.read_text().count("\n")
        if lines > MAX_LINES:
            wrong.append(f"{path.relative_to(PROJECT)}: {lines} lines; {MAX_LINES} is the limit")
    return wrong


def check_format() -> list[str]:
    files = [path for path in sources("src", "tests") if path.suffix in (".cpp", ".hpp")]
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *map(str, files)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return [] if done.returncode == 0 else [line for line in done.stdout.splitlines() if "error:" in line]


CHECKS = {"includes": check_includes, "banned": check_banned, "length": check_length, "format": check_format}


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        print(__doc__, file=sys.stderr)
        return 2
    if not sources("src"):
        print("no sources were found", file=sys.stderr)
        return 2
    wrong = CHECKS[sys.argv[1]]()
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
