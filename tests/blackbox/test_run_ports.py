"""run: ports of the container that are other ports of the host: -p, -P, and those that only root may bind."""
import re
import socket

import pytest

from registry import free_port

TALK = """
import socket, sys
port = int(sys.argv[1])
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", port)); s.listen()
c = socket.create_connection(("127.0.0.1", port)); a, _ = s.accept()
print(s.getsockname()[1], c.getpeername()[1], a.getsockname()[1])
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", port))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.sendto(b"x", ("127.0.0.1", port)); u.recvfrom(1)
u.sendto(b"y", ("127.0.0.1", v.getsockname()[1])); print(u.getsockname()[1], v.recvfrom(1)[1][1])
"""
SERVE = """
import socket, sys
s = socket.socket(); s.bind(("0.0.0.0", int(sys.argv[1]))); s.listen(); print("ready", flush=True); s.accept()[0].sendall(b"from inside")
"""


@pytest.fixture(scope="module")
def debian(guests):
    return guests.shared("bookworm")


def told(err: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in re.finditer(r"port (\d+/\w+) of the container is port (\d+) of this host", err)}


@pytest.mark.parametrize("options, port", [(("-p", "45180:80"), 80), (("-p", "45181:4242"), 4242), (("-P",), 4242),
                                           (("--netcoop",), 4242), ((), 81), (("-p", "82:82"), 82), ((), 4343)])
def test_inside_the_port_is_the_containers(debian, options, port):
    outcome = debian.udocker.ok("run", "--nobanner", *options, debian.id, "python3", "-c", TALK, str(port))
    assert outcome.out.split() == [str(port)] * 5


def test_a_published_port_is_served_at_the_hosts(debian):
    port = free_port()
    process = debian.start("python3", "-c", SERVE, "80", options=("-p", f"127.0.0.1:{port}:80/tcp"))
    assert process.stdout.readline() == b"ready\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert connection.recv(100) == b"from inside"
    assert process.wait() == 0, process.stderr.read()


def test_a_low_port_is_moved_and_told(debian):
    outcome = debian.udocker.ok("run", "--nobanner", debian.id, "python3", "-c", TALK, "83")
    moved = told(outcome.err)
    assert moved.keys() == {"83/tcp", "83/udp"} and all(port >= 1024 + 83 for port in moved.values())


def test_a_low_port_that_is_taken_moves_on(debian):
    first = told(debian.udocker.ok("run", "--nobanner", debian.id, "python3", "-c", TALK, "84").err)["84/tcp"]
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first))
        holder.listen()
        second = told(debian.udocker.ok("run", "--nobanner", debian.id, "python3", "-c", TALK, "84").err)["84/tcp"]
    assert second > first


@pytest.mark.parametrize("option", ["--publish-all", "-P", "--netcoop"])
def test_publish_all_tells_each_port_once(debian, option):
    script = TALK + "s.close()\ns = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', port))"
    outcome = debian.udocker.ok("run", "--nobanner", option, debian.id, "python3", "-c", script, "4242")
    assert len(outcome.err.splitlines()) == 2 and told(outcome.err).keys() == {"4242/tcp", "4242/udp"}


@pytest.mark.parametrize("mapping", ["80", "x:80", "70000:80", "80:80/icmp", "1:2:3:4"])
def test_what_is_no_mapping(debian, mapping):
    assert f"invalid port mapping {mapping}" in debian.fails("true", options=("-p", mapping))
