"""What networks and servers do to a transfer: breaks, wrong bytes, redirects, full servers, proxies."""
from __future__ import annotations

import os
import signal
import time

import pytest

import oci
from oci import file
from proxy import Proxy
from registry import make_tls
from registry_front import (WAIT_LIMIT, Front, Redirect, StaticRegistry, Status, Together, append, corrupt, cut, header,
                            stall)

BIG = os.urandom(1_500_000)


@pytest.fixture
def big():
    """The layer that the tests break."""
    return oci.tar_layer([file("big", BIG)], "none")


@pytest.fixture
def content(big):
    """An image of three layers under the name team/app:v1."""
    static = StaticRegistry()
    static.add("team/app", "v1", oci.image([oci.tar_layer([file("a", b"a")]), big, oci.tar_layer([file("b", b"b")])]))
    return static


def pull(udocker, front, *options, **more):
    udocker.ok("pull", *options, f"{front.host}/team/app:v1", **more)
    root = udocker.root_of(udocker.create(f"{front.host}/team/app:v1"))
    assert (root / "big").read_bytes() == BIG
    assert (root / "a").read_bytes() == b"a"


def refuses(udocker, front, *options):
    """The pull fails and leaves no image; the line on stderr."""
    outcome = udocker.fails("-q", "pull", *options, f"{front.host}/team/app:v1")
    assert udocker.ok("-q", "images").out == ""
    return outcome.err


# ---- broken connections ---------------------------------------------------------------------------------------

def test_broken_connection_goes_on_where_it_was(udocker, content, big):
    with Front(content, [cut(big.digest, after=400_000, times=2)]) as front:
        pull(udocker, front)
        asked = [request.headers.get("range") for request in front.asked(big.digest)]
        assert asked == [None, "bytes=400000-", "bytes=800000-"]
        assert front.asked(big.digest)[1].headers["if-range"] == f'"{big.digest}"'


def test_server_without_ranges(udocker, content, big):
    content.ranges = False
    with Front(content, [cut(big.digest, after=400_000, times=1)]) as front:
        pull(udocker, front)
        assert len(front.asked(big.digest)) == 2


@pytest.mark.parametrize("value", ["bytes 0-1499999/1500000", "nonsense", None])
def test_server_that_sends_another_range(udocker, content, big, value):
    with Front(content, [header(big.digest, "Content-Range", value, times=2),
                         cut(big.digest, after=400_000, times=1)]) as front:
        pull(udocker, front)


def test_connection_that_always_breaks(udocker, content, big):
    with Front(content, [cut(big.digest, after=0)]) as front:
        line = refuses(udocker, front)
        assert big.digest in line and front.host in line


def wait_for_bytes(udocker, size):
    """Until some file below the repository has so many bytes."""
    give_up = time.monotonic() + WAIT_LIMIT
    while time.monotonic() < give_up:
        sizes = [path.stat().st_size for path in udocker.top.rglob("*") if path.is_file()]
        if sizes and max(sizes) >= size:
            return
        time.sleep(0.02)
    raise AssertionError("the download did not get that far")


def test_killed_pull_is_continued_by_the_next(udocker, content, big):
    with Front(content, [stall(big.digest, after=700_000)]) as front:
        udocker.ok("images")
        process = udocker.start("pull", f"{front.host}/team/app:v1")
        # The client may still hold what it has read last.
        wait_for_bytes(udocker, 500_000)
        process.kill()
        process.communicate()
        assert udocker.ok("-q", "images").out == ""
        front.rules.clear()
        front.forget()
        pull(udocker, front)
        again = front.asked(big.digest)
        assert len(again) == 1
        assert int(again[0].headers["range"].removeprefix("bytes=").removesuffix("-")) >= 500_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_pull_leaves_no_image(udocker, content, big, number):
    with Front(content, [stall(big.digest, after=700_000)]) as front:
        udocker.ok("images")
        process = udocker.start("pull", f"{front.host}/team/app:v1")
        wait_for_bytes(udocker, 500_000)
        process.send_signal(number)
        process.communicate()
        assert process.returncode != 0
        assert udocker.ok("-q", "images").out == ""
        front.rules.clear()
        pull(udocker, front)


# ---- wrong bytes ----------------------------------------------------------------------------------------------

def test_wrong_bytes_once(udocker, content, big):
    with Front(content, [corrupt(big.digest, times=1)]) as front:
        pull(udocker, front)
        assert len(front.asked(big.digest)) == 2


def test_wrong_bytes_always(udocker, content, big):
    with Front(content, [corrupt(big.digest)]) as front:
        line = refuses(udocker, front)
        assert big.digest in line and front.host in line
        assert len(front.asked(big.digest)) == 2


def test_wrong_bytes_after_a_break(udocker, content, big):
    """What was received before the break is right, the rest is not: all of it is fetched again."""
    with Front(content, [corrupt(f"{big.digest}", times=1), cut(big.digest, after=10, times=1)]) as front:
        pull(udocker, front)


@pytest.mark.parametrize("chunked", [False, True])
def test_more_bytes_than_announced(udocker, content, big, chunked):
    with Front(content, [append(big.digest, b"x" * 1_000_000, chunked=chunked)]) as front:
        line = refuses(udocker, front)
        assert big.digest in line


def test_chunked_blob(udocker, content, big):
    with Front(content, [append(big.digest, b"", chunked=True)]) as front:
        pull(udocker, front)


# Q13 of the Python tool: every error is repeated three times at once; nothing is resumed.
# ---- servers that are busy ------------------------------------------------------------------------------------

@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_busy_servers_are_asked_again(udocker, content, status):
    rules = [Status("/manifests/", status, times=1), Status("/blobs/", status, times=2, headers=(("Retry-After", "1"),))]
    with Front(content, rules) as front:
        pull(udocker, front)


def test_rate_limit_for_hours(udocker, content):
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"you have reached your limit"}]}'
    with Front(content, [Status("/manifests/", 429, headers=(("Retry-After", "21600"),), body=body)]) as front:
        line = refuses(udocker, front)
        assert "you have reached your limit" in line and "21600 seconds" in line and "udocker login" in line
        assert len(front.asked()) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
def test_final_answers_are_final(udocker, content, big, status):
    with Front(content, [Status(big.digest, status)]) as front:
        assert big.digest in refuses(udocker, front)
        assert len(front.asked(big.digest)) == 1


def test_terminal_escapes_of_a_server_are_not_printed(udocker, content):
    body = b'{"errors":[{"message":"\\u001b[2J\\u001b]0;title\\u0007bad\\nline"}]}'
    with Front(content, [Status("/manifests/", 404, body=body)]) as front:
        line = refuses(udocker, front)
        assert "\x1b" not in line and "bad" in line


# Q11 of the Python tool: one blob after the other, a connection and a token for each request.
# ---- several at once ------------------------------------------------------------------------------------------

def test_layers_come_together_over_few_connections(udocker):
    static = StaticRegistry()
    layers = [oci.tar_layer([file(f"f{number}", b"%d" % number)]) for number in range(12)]
    image = oci.image(layers)
    static.add("team/app", "v1", image)
    # The configuration comes first and alone: it says whether the layers are for this machine.
    together = Together(f"/blobs/(?!{image.blobs[0].digest})", 3)
    with Front(static, [together]) as front:
        udocker.ok("pull", f"{front.host}/team/app:v1")
        assert 3 <= together.most <= 4


# ---- redirects ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_server(udocker, content, status):
    with Front(content) as elsewhere, Front(content, [Redirect("/blobs/", elsewhere, status)]) as front:
        pull(udocker, front)
        assert len(elsewhere.asked("/blobs/")) == 4


@pytest.mark.parametrize("location", ["../manifests/moved", "/v2/team/app/manifests/moved", "moved"])
def test_relative_location(udocker, content, location):
    content.manifests["team/app", "moved"] = content.manifests["team/app", "v1"]
    with Front(content, [Redirect("/manifests/v1", location)]) as front:
        pull(udocker, front)


def test_break_after_a_redirect_begins_at_the_registry(udocker, content, big):
    """The place that a registry redirects to may be good for a short time only."""
    with Front(content, [cut(big.digest, after=400_000, times=1)]) as elsewhere:
        with Front(content, [Redirect("/blobs/", elsewhere)]) as front:
            pull(udocker, front)
            assert len(front.asked(big.digest)) == len(elsewhere.asked(big.digest)) == 2
            assert elsewhere.asked(big.digest)[1].headers["range"] == "bytes=400000-"


@pytest.mark.parametrize("location", [
    "/v2/team/app/manifests/v1", "file:///etc/passwd", "http://", "https://user:pw@127.0.0.1/"])
def test_redirects_that_lead_nowhere(udocker, content, location):
    with Front(content, [Redirect("/manifests/", location)]) as front:
        assert "redirect" in refuses(udocker, front)


def test_redirect_from_tls_to_plain(udocker, content, tmp_path):
    tls = make_tls(tmp_path / "tls")
    trust = {"CURL_CA_BUNDLE": str(tls.authority)}
    with Front(content, [Redirect("/blobs/", "http://plain.invalid/blob")], tls) as front:
        outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v1", env=trust)
        assert "http://plain.invalid/blob" in outcome.err and "TLS" in outcome.err


# ---- where the registry is ------------------------------------------------------------------------------------

def test_tls_where_http_was_meant(udocker, content, tmp_path):
    with Front(content, tls=make_tls(tmp_path / "tls")) as front:
        outcome = udocker.fails("-q", "pull", f"--registry=http://{front.host}", "team/app:v1")
        assert front.host in outcome.err


def test_http_where_tls_was_meant(udocker, content):
    with Front(content) as front:
        outcome = udocker.fails("-q", "pull", f"--registry=https://{front.host}", "team/app:v1")
        assert "TLS" in outcome.err and "--insecure" in outcome.err


def test_dangling_ca_file(udocker, content, tmp_path):
    with Front(content, tls=make_tls(tmp_path / "tls")) as front:
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            outcome = udocker.fails("-q", "pull", f"{front.host}/team/app:v1", env={name: "/nowhere/ca.pem"})
            assert name in outcome.err and "/nowhere/ca.pem" in outcome.err


def test_unknown_host(udocker):
    outcome = udocker.fails("-q", "pull", "registry.invalid/team/app:v1")
    assert "registry.invalid" in outcome.err


@pytest.mark.parametrize("scheme, seen", [
    ("socks5h", ("socks5", "registry.invalid", 80)), ("socks4a", ("socks4a", "registry.invalid", 80))])
def test_proxy_that_knows_the_name(udocker, content, scheme, seen):
    with Front(content) as front, Proxy({"registry.invalid": ("127.0.0.1", front.port)}) as proxy:
        udocker.ok("pull", f"--httpproxy={scheme}://{proxy.host}", "--registry=http://registry.invalid", "team/app:v1")
        assert set(proxy.targets) == {seen}


@pytest.mark.parametrize("scheme, protocol", [("socks5", "socks5"), ("socks4", "socks4")])
def test_proxy_that_is_given_an_address(udocker, content, scheme, protocol):
    with Front(content) as front, Proxy() as proxy:
        udocker.ok("pull", f"--httpproxy={scheme}://{proxy.host}", f"{front.host}/team/app:v1")
        assert set(proxy.targets) == {(protocol, "127.0.0.1", front.port)}


def test_http_proxy_for_tls(udocker, content, tmp_path):
    tls = make_tls(tmp_path / "tls")
    with Front(content, tls=tls) as front, Proxy() as proxy:
        trust = {"CURL_CA_BUNDLE": str(tls.authority)}
        udocker.ok("pull", f"--httpproxy=http://{proxy.host}", f"{front.host}/team/app:v1", env=trust)
        assert set(proxy.targets) == {("connect", "localhost", front.port)}


@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
def test_proxy_of_the_environment(udocker, content, variable):
    with Front(content) as front, Proxy({"registry.invalid": ("127.0.0.1", front.port)}) as proxy:
        environment = {variable: f"socks5h://{proxy.host}"}
        udocker.ok("pull", "--registry=http://registry.invalid", "team/app:v1", env=environment)
        assert set(proxy.targets) == {("socks5", "registry.invalid", 80)}
        udocker.fails("-q", "pull", "--registry=http://registry.invalid", "team/app:v1",
                      env={**environment, "NO_PROXY": "registry.invalid"})


@pytest.mark.parametrize("variable", ["ALL_PROXY", "http_proxy"])
def test_loopback_is_asked_without_the_proxy_of_the_environment(udocker, content, variable):
    with Front(content) as front, Proxy() as proxy:
        udocker.ok("pull", f"{front.host}/team/app:v1", env={variable: f"socks5h://{proxy.host}"})
        assert proxy.targets == []


def test_proxy_that_is_not_there(udocker, content):
    from registry import free_port
    with Front(content) as front:
        proxy = f"127.0.0.1:{free_port()}"
        outcome = udocker.fails("-q", "pull", f"--httpproxy=http://{proxy}", f"{front.host}/team/app:v1")
        assert "proxy" in outcome.err
        assert front.asked() == []
