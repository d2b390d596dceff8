"""docs/compatibility.md names every option of every command, and tests that exist and are about them."""
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
TABLE = "docs/compatibility.md"


def rows(columns: int) -> list[list[str]]:
    """Those of the table that has so many columns, without the heading."""
    text = (HERE.parents[1] / TABLE).read_text()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return [row for row in cells if len(row) == columns][1:]


def options(help_text: str) -> set[str]:
    """All names of options that a help text explains."""
    names = set()
    for line in help_text.splitlines():
        if line.startswith("  -"):
            names |= set(re.findall(r"(?:^|, )(--?[A-Za-z-]+)", re.split(r"\s{2,}", line.strip())[0]))
    return names


def test_the_table_is_whole(udocker):
    listed: dict[str, set[str]] = {}
    for command, option, *_ in rows(5):
        listed.setdefault(command, set()).update(re.findall(r"`(--?[A-Za-z-]+)", option))
    general = udocker.ok("help").out
    commands = re.findall(r"^  ([a-z]+) ", general.partition("\nCommands:\n")[2].partition("\nExamples:")[0], re.MULTILINE)
    assert listed.pop("(general)") == options(general.partition("\nCommands:\n")[0])
    assert sorted(listed) == sorted(commands)
    for command in commands:
        assert listed[command] == options(udocker.ok("help", command).out), command


def source_of(file: str, name: str) -> str:
    """The test with its decorators."""
    text = (HERE / file).read_text()
    at = text.index(f"def {name}(")
    return text[text.rfind("\n\n\n", 0, at):text.find("\n\n\n", at)]


def test_its_tests_exist_and_use_the_option():
    for command, option, _, test, _ in rows(5):
        if test == "-":
            continue
        source = source_of(*test.strip("`").split("::"))
        names = re.findall(r"`--?([A-Za-z-]+)", option)
        assert not names or any(name in source for name in names), (command, option, test)


def test_the_mistakes_are_told_where_the_right_thing_is_asserted():
    numbers = [number for number, _, _ in rows(3)]
    assert len(numbers) == len(set(numbers))
    for number, _, test in rows(3):
        assert re.search(rf"\b{number}\b", source_of(*test.strip("`").split("::"))), number
