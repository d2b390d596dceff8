"""--format: output for programs."""
import json

import pytest


@pytest.fixture
def container(udocker, pushed):
    reference = pushed("busybox")
    udocker.ok("pull", reference)
    udocker.image = reference
    return udocker.create(reference, "--name=web")


def rows(outcome):
    return [json.loads(line) for line in outcome.lines]


def test_images(udocker, container):
    (row,) = rows(udocker.ok("images", "--format", "json"))
    repository, tag = udocker.image.rsplit(":", 1)
    assert (row["Repository"], row["Tag"], row["Protected"]) == (repository, tag, False)
    assert row["ID"].startswith("sha256:") and row["Digest"].startswith("sha256:")
    assert row["Platform"] == "linux/amd64" and row["Size"] > 100_000
    assert udocker.ok("images", "--format={{.Repository}}:{{.Tag}}").out == udocker.image + "\n"


def test_ps(udocker, container):
    udocker.ok("name", "web", "second")
    (row,) = rows(udocker.ok("ps", "--format=json"))
    assert row["ID"] == container and row["Image"] == udocker.image and row["Mode"] == "P1" and row["Root"] == "W"
    assert set(row["Names"].split(",")) == {"web", "second"} and "Size" not in row
    assert rows(udocker.ok("ps", "-s", "--format=json"))[0]["Size"] >= 1024 * 1024
    assert udocker.ok("ps", "--format", "{{.ID}}\\t{{.Mode}}").out == f"{container}\tP1\n"


def test_inspect(udocker, container):
    (whole,) = rows(udocker.ok("inspect", "--format=json", "web"))
    assert whole == json.loads(udocker.ok("inspect", "web").out)
    assert udocker.ok("inspect", "--format={{json .config.Cmd}}", "web").out == '["/bin/sh"]\n'


def test_others(udocker, container):
    assert rows(udocker.ok("setup", "--format=json", "web")) == [{"ID": container, "Mode": "P1", "Nvidia": False}]
    (values,) = rows(udocker.ok("showconf", "--format=json"))
    assert values["cmd"] == ["bash", "-i"] and values["http_insecure"] is False and values["bindir"] is None
    version = udocker.ok("version", "--format={{.Client.Version}}").out.strip()
    assert f"version: {version}" in udocker.ok("version").lines


@pytest.mark.parametrize("format_", ["{{.Nothing}}", "{{.ID", "{{ID}}"])
def test_mistakes_are_one_line(udocker, container, format_):
    assert "--format" in udocker.fails("ps", f"--format={format_}").err
