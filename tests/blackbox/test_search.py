"""search against a small index with Docker Hub's two interfaces; search --list-tags against a registry with pages."""
from __future__ import annotations

import json
import urllib.parse

import pytest

from registry_front import Front, Reply, Request, error, json_reply
from terminal import Terminal

HEADER = f"{'NAME':<55} {'OFFICIAL':>8} {'DESCRIPTION':<70} {'STARS':>5}"


class Index:
    """So many images named after what is searched. `interfaces`: v2, v1; `counts`: whether it says how many there are."""

    def __init__(self, images: int, interfaces=("v2",), counts=True):
        self.images, self.interfaces, self.counts = images, interfaces, counts

    def hit(self, number: int, word: str) -> dict:
        text = f"number {number}\x1b[31m\nsecond line"
        if number == 0:
            return {"repo_name": word, "short_description": text, "is_official": True, "star_count": 12345678}
        return {"name": f"team/{word}{number}", "description": text, "star_count": number}

    def __call__(self, request: Request) -> Reply:
        path = urllib.parse.urlsplit(request.path).path
        query = {key: values[0] for key, values in request.query().items()}
        if path == "/v2/search/repositories" and "v2" in self.interfaces:
            size, page = int(query["page_size"]), int(query.get("page", 1))
            found = range(self.images)[(page - 1) * size:page * size]
            answer = {"results": [self.hit(number, query["query"]) for number in found]}
            return json_reply({**answer, "count": self.images} if self.counts else answer)
        if path == "/v1/search" and "v1" in self.interfaces:
            page, size = int(query["page"]), 10
            found = range(self.images)[(page - 1) * size:page * size]
            return json_reply({"results": [self.hit(number, query["q"]) for number in found], "page": page,
                               "num_pages": -(-self.images // size)})
        return error(404, "NOT_FOUND")


def names(outcome):
    return [line.split()[0] for line in outcome.lines if not line.startswith("NAME")]


def test_the_table(udocker):
    with Front(Index(2)) as front:
        outcome = udocker.ok("search", f"--index={front.url}", "busy")
        assert outcome.lines[0] == HEADER
        assert outcome.lines[1] == f"{'busy':<55} {'[OK]':>8} {'number 0[31m':<70} {'12345':>5}"
        assert outcome.lines[2] == f"{'team/busy1':<55} {'----':>8} {'number 1[31m':<70} {1:>5}"
        assert "12345678" in udocker.ok("search", "--no-trunc", f"--index={front.url}", "busy").out
        assert names(udocker.ok("-q", "search", f"--index={front.url}", "busy")) == ["busy", "team/busy1"]


# Q18 of the Python tool: `search` asks for pages until one is empty.
# The Python tool asks until a page is empty, and tries all interfaces anew for each page.
@pytest.mark.parametrize("interfaces", [("v2",), ("v1",), ("v2", "v1")], ids="+".join)
def test_all_pages_and_no_more(udocker, interfaces):
    with Front(Index(250, interfaces)) as front:
        assert len(set(names(udocker.ok("search", "-a", f"--index={front.url}", "x")))) == 250
        pages = 3 if "v2" in interfaces else 25
        assert len(front.asked()) == pages + (0 if "v2" in interfaces else 1)


def test_an_index_that_does_not_count(udocker):
    with Front(Index(150, counts=False)) as front:
        assert len(names(udocker.ok("search", "-a", f"--index={front.url}", "x"))) == 150


def test_without_a_terminal_one_page(udocker):
    with Front(Index(100)) as front:
        assert len(names(udocker.ok("search", f"--index={front.url}", "x", stdin=b"\n\n"))) == 22
        assert len(front.asked()) == 1


def test_pages_on_a_terminal(udocker):
    with Front(Index(100)) as front:
        command = udocker.command("search", f"--index={front.url}", "x")
        with Terminal(command, echo=False, env=udocker.environment) as terminal:
            terminal.wait("return or q to quit")
            terminal.type("\n")
            terminal.wait("team/x40")
            terminal.wait("return or q to quit")
            terminal.type("q\n")
            assert terminal.end()[1] == 0
        assert len(front.asked()) == 2


def test_a_registry_in_front(udocker):
    with Front(Index(1)) as front:
        assert names(udocker.ok("search", f"{front.host}/word")) == ["word"]
        assert names(udocker.ok("search", f"{front.host}/")) == ["*"]
        assert names(udocker.ok("search", f"--registry={front.url}", "word")) == ["word"]


def test_for_programs(udocker):
    with Front(Index(1)) as front:
        row = json.loads(udocker.ok("search", "--format=json", f"--index={front.url}", "x").out)
        assert (row["Name"], row["IsOfficial"], row["StarCount"]) == ("x", True, 12345678)


def test_nothing_is_found(udocker):
    with Front(Index(0)) as front:
        assert names(udocker.ok("search", f"--index={front.url}", "x")) == []


# The Python tool ends with 0.
def test_no_search_there(udocker, registry):
    assert "has no search" in udocker.fails("search", f"--index={registry.url}", f"--registry={registry.url}", "x").err
    assert "connect" in udocker.fails("search", "--index=http://127.0.0.1:1", "x").err.lower()


def test_an_answer_that_is_none(udocker):
    with Front(lambda request: Reply(200, [], b"<html>")) as front:
        assert "has no search" in udocker.fails("search", f"--index={front.url}", f"--registry={front.url}", "x").err


def test_tags_of_all_pages(udocker):
    tags = [f"v{number}" for number in range(25)]

    def paged(request: Request) -> Reply:
        at = int(request.query().get("last", ["0"])[0])
        reply = json_reply({"name": "team/app", "tags": tags[at:at + 10]})
        if at + 10 < len(tags):
            reply.headers.append(("Link", f'</v2/team/app/tags/list?last={at + 10}&n=10>; rel="next"'))
        return reply
    with Front(paged) as front:
        assert udocker.ok("search", "--list-tags", f"{front.host}/team/app").lines == tags
        assert len(front.asked()) == 3


# The Python tool says nothing.
def test_tags_of_nothing(udocker, registry):
    assert "no/such" in udocker.fails("search", "--list-tags", f"{registry.host}/no/such").err
    assert "must specify" in udocker.fails("search", "--list-tags").err
