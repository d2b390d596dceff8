"""run: sockets of AF_UNIX whose path on the host is longer than an address can be."""
import pytest


@pytest.fixture
def place(guests):
    """A container and the guest path of a folder that makes every path in it too long for an address on the host."""
    container = guests.fresh("bookworm")
    path = "/tmp/" + "long-name-" * 6
    (container.root / path[1:]).mkdir()
    assert len(f"{container.root}{path}/s") > 108
    yield container, path
    guests.udocker.run("rm", "-f", container.id)


PRELUDE = "import os, socket, sys; os.chdir(sys.argv[1])\nnew = lambda kind=socket.SOCK_STREAM: socket.socket(socket.AF_UNIX, kind)\n"


@pytest.mark.slow
def test_names_are_the_guests(place):
    container, path = place
    script = PRELUDE + """
server, client = new(), new()
server.bind("s"); server.listen(); client.connect(sys.argv[1] + "/s")
other, _ = server.accept()
assert server.getsockname() == other.getsockname() == "s" and client.getpeername() == "s"
one, two = new(socket.SOCK_DGRAM), new(socket.SOCK_DGRAM)
one.bind("one"); two.bind("two")
one.sendto(b"x", "two"); assert two.recvfrom(1) == (b"x", "one")
try: new().bind("s")
except OSError as error: print(os.strerror(error.errno))
print(sorted(os.listdir()))
"""
    assert container.python(script, path).splitlines() == ["Address already in use", "['one', 's', 'two']"]


@pytest.mark.slow
def test_a_folder_that_was_made_again(place):
    container, path = place
    script = PRELUDE + """
kept = []
for name in "first", "second":
    os.mkdir("d"); kept.append(new()); kept[-1].bind("d/" + name)
    print(os.listdir("d"), [server.getsockname() for server in kept])
    os.unlink("d/" + name); os.rmdir("d")
"""
    assert container.python(script, path).splitlines() == ["['first'] ['d/first']", "['second'] ['d/first', 'd/second']"]


@pytest.mark.slow
def test_connections_at_the_same_time_reach_their_own_server(place):
    container, path = place
    script = PRELUDE + """
import threading
servers = [new() for _ in range(4)]
for number, server in enumerate(servers): server.bind(str(number)); server.listen(100)
def serve(number, server):
    while True: server.accept()[0].sendall(b"%d" % number)
for pair in enumerate(servers): threading.Thread(target=serve, args=pair, daemon=True).start()
def ask(number):
    for _ in range(300):
        with new() as client:
            client.connect(str(number)); assert client.recv(1) == b"%d" % number
children = []
for number in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        ask(number); os._exit(0)
print([os.waitpid(child, 0)[1] for child in children])
"""
    assert container.python(script, path) == "[0, 0, 0, 0]"
