"""CPython's own tests, as Debian packages them, run in the guest `conformance`."""
from __future__ import annotations

from guests import Container, Guests

USER = "joe"

# module -> test -> why it fails in a namespace chroot of the same tree, too; nothing else may be named here.
EXCLUDED = {
    # In the chroot it fails if getsockname(2) takes its time: strace -f -e inject=getsockname:delay_enter=20000.
    "test_socket": {"testSourceAddress": "one thread of the test closes the socket whose name the other asks for"},
    "test_ctypes": {"test_find_library_with_gcc": "the guest has no compiler",
                    "test_find_library_with_ld": "the guest has no linker"},
}


def container_of(guests: Guests) -> Container:
    """The guest with what container runtimes give an image: a name for the loopback address."""
    container = guests.shared("conformance")
    hosts = container.root / "etc/hosts"
    if not hosts.exists():
        hosts.write_text("127.0.0.1 localhost\n::1 localhost\n")
        container.sh(f"useradd -m {USER}")
    return container


def passes(container: Container, module: str, user: str = "root") -> None:
    """Runs the tests of one module, which must all pass, but for those that CPython itself skips."""
    excluded = [word for test in EXCLUDED.get(module, ()) for word in ("-i", test)]
    outcome = container.run("python3", "-m", "test", *excluded, module,
                            options=(f"--user={user}", "--env=LC_ALL=C.UTF-8"))
    assert outcome.status == 0 and "Tests result: SUCCESS" in outcome.out, outcome
