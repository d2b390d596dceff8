"""run: what it runs, and what is there afterwards: --pull, --name, --rm, --location, a container's files that are gone."""
import subprocess

import pytest

import oci
from guests import Container, layers_of


def rows(guests) -> dict[str, str]:
    """id -> names, as ps shows them."""
    return {line[:36]: line[41:60].strip() for line in guests.udocker.ok("ps").lines[1:]}


@pytest.fixture
def known(guests):
    """A set of the ids of all containers, asked anew at each call."""
    return lambda: set(rows(guests))


@pytest.fixture
def moving(registry, layout):
    """moving(text, tag): pushes an image that prints the text, over what the tag was before; returns the reference."""
    layers = layers_of(layout("busybox"))

    def push(text: str, tag: str) -> str:
        return oci.push(registry, "target/moving", tag, oci.image(layers, {"Env": ["PATH=/bin"], "Cmd": ["echo", text]}))
    return push


def test_pull_missing_takes_the_local_image(guests, moving):
    reference = moving("old", "missing")
    assert guests.udocker.ok("-q", "run", "--rm", reference).out == "old\n"
    moving("new", "missing")
    for options in ((), ("--pull=missing",), ("--pull=never",)):
        assert guests.udocker.ok("-q", "run", "--rm", *options, reference).out == "old\n"


def test_pull_always_takes_the_new_one_and_leaks_nothing(guests, moving, known):
    reference = moving("old", "always")
    assert guests.udocker.ok("-q", "run", "--rm", reference).out == "old\n"
    moving("new", "always")
    before = known()
    assert guests.udocker.ok("-q", "run", "--rm", "--pull=always", reference).out == "new\n"
    assert known() == before


def test_pull_always_with_a_container_runs_the_container(box):
    assert box.ok("echo", "x", options=("--pull=always",)) == "x\n"


def test_pull_never_without_a_local_image(guests, moving, known):
    before = known()
    outcome = guests.udocker.fails("run", "--pull=never", moving("text", "never"), status=2)
    assert "container id or name not found" in outcome.err and "pull it first" in outcome.err
    assert known() == before


def test_pull_reuse_makes_one_container(guests, moving, known):
    before = known()
    words = ("-q", "run", "--pull=reuse", "--name=reused", moving("text", "reuse"))
    assert guests.udocker.ok(*words, "sh", "-c", "echo kept > /kept").out == ""
    assert guests.udocker.ok(*words, "cat", "/kept").out == "kept\n"
    assert len(known() - before) == 1
    guests.udocker.ok("rm", "reused")


def test_what_is_no_rule_for_pull(box):
    assert "missing, never, always or reuse" in box.fails("true", options=("--pull=sometimes",), status=1)


@pytest.mark.parametrize("reference", ["{host}/target/none:1", "127.0.0.1:1/target/none", "nobody.invalid/target/none"])
def test_an_image_that_nobody_has(guests, registry, reference, known):
    before = known()
    text = guests.udocker.fails("run", reference.format(host=registry.host)).err
    assert "image or container not available" in text and "target/none" in text
    assert known() == before


def test_no_word_at_all(guests):
    assert "must specify container_id or image:tag" in guests.udocker.fails("run").err
    assert "must specify container_id or image:tag" in guests.udocker.fails("run", "--rm", "", "true").err


def test_a_name_that_is_taken(guests, known):
    taken = guests.fresh("busybox", "--name=taken")
    other = guests.fresh("busybox")
    before = known()
    assert "taken" in guests.udocker.fails("run", "--name=taken", guests.image("busybox"), "true").err
    assert "taken" in guests.udocker.fails("run", "--name=taken", other.id, "true").err
    assert guests.udocker.ok("-q", "run", "--name=taken", taken.id, "echo", "it has it").out == "it has it\n"
    assert known() == before


def test_a_name_that_is_none(guests, known):
    before = known()
    for name in ("a/b", "a b", "a.b", "[x]", "n" * 300):
        assert "name" in guests.udocker.fails("run", f"--name={name}", guests.image("busybox"), "true").err
    assert known() == before


def test_a_payload_that_never_starts_leaves_neither_container_nor_name(guests, box):
    before = rows(guests)
    for target in (guests.image("busybox"), box.id):
        for options, word in ((("--user=nobody-like-it",), "true"), (("-v", "/not/there"), "true"), ((), "no-such-command")):
            guests.udocker.fails("-q", "run", "--name=never-started", *options, target, word, status=2)
    assert rows(guests) == before


def test_rm_deletes_what_the_run_has_made(guests, known):
    before = known()
    outcome = guests.udocker.run("run", "--nobanner", "--rm", "--name=short-lived", guests.image("busybox"), "sh", "-c", "exit 5")
    assert (outcome.status, outcome.err) == (5, "")
    assert known() == before


# Q40 of the Python tool: `run --rm NAME` deletes a container that was there before, silently; containers are leaked.
def test_rm_deletes_a_named_container_and_says_so(guests):
    container = guests.fresh("busybox", "--name=named-by-user")
    outcome = guests.udocker.ok("run", "--nobanner", "--rm", "named-by-user", "echo", "x")
    assert outcome.out == "x\n" and outcome.err == f"Info: --rm: deleting container: {container.id}\n"
    assert not container.root.parent.exists()


def test_rm_deletes_what_the_payload_has_made_unreadable(guests, known):
    before = known()
    guests.udocker.ok("-q", "run", "--rm", guests.image("busybox"), "sh", "-c", "mkdir -p /a/b; touch /a/b/c; chmod 0 /a/b /a")
    assert known() == before


def test_rm_keeps_a_container_whose_payload_never_started(fresh_box):
    fresh_box.fails("no-such-command", options=("--rm",))
    assert fresh_box.ok("echo", "still here") == "still here\n"


def test_rm_keeps_a_protected_container(fresh_box):
    (fresh_box.root.parent / "PROTECT").touch()
    outcome = fresh_box.udocker.ok("run", "--nobanner", "--rm", fresh_box.id, "true")
    assert "protected" in outcome.err and fresh_box.root.exists()
    (fresh_box.root.parent / "PROTECT").unlink()


def test_rm_leaves_the_container_to_another_run(fresh_box):
    other = fresh_box.start("sh", "-c", "echo up; cat; ls -d /bin", options=("--rm",))
    assert other.stdout.readline() == b"up\n"
    outcome = fresh_box.udocker.ok("run", "--nobanner", "--rm", fresh_box.id, "echo", "first")
    assert "in use by another run, it stays" in outcome.err
    out, _ = other.communicate(b"")
    assert (out, other.returncode) == (b"/bin\n", 0)
    assert not fresh_box.root.parent.exists()


def test_rm_of_a_container_that_somebody_has_removed_meanwhile(guests):
    container = guests.fresh("busybox")
    run = container.start("sh", "-c", "echo up; read word; :", options=("--rm",))
    assert run.stdout.readline() == b"up\n"
    assert "in use" in guests.udocker.fails("rm", container.id).err
    guests.udocker.ok("rm", "-f", container.id)
    _, err = run.communicate(b"")
    assert (run.returncode, err) == (0, b"")


def test_several_runs_of_one_container(box):
    runs = [box.start("sh", "-c", "read word; echo $word $(id -u)") for _ in range(4)]
    outs = [run.communicate(b"word %d\n" % number)[0] for number, run in enumerate(runs)]
    assert outs == [b"word %d 0\n" % number for number in range(4)]


def copy_tree(source, target):
    """With the FIFOs and sockets that there are."""
    subprocess.run(["cp", "-a", source, target], check=True)


# Q41 of the Python tool: `--location` swallows a word and leaves a directory behind.
def test_location(guests, box, tmp_path):
    tree = tmp_path / "some tree"
    copy_tree(box.root, tree)
    words = ("-q", "run", f"--location={tree}")
    assert guests.udocker.ok(*words, "sh", "-c", 'echo "$(id -u) $(pwd) $container_uuid. $container_root"').out == \
        f"0 /root . {tree}\n"
    assert guests.udocker.ok(*words, "-u", "guest", "sh", "-c", "id -un; touch /tmp/made").out == "guest\n"
    assert (tree / "tmp/made").exists()


def test_location_and_options_for_containers(guests, box):
    before = rows(guests)
    outcome = guests.udocker.ok("run", "--nobanner", "--rm", "--name=no-container", f"--location={box.root}", "echo", "x")
    assert outcome.out == "x\n" and "--name is ignored" in outcome.err and "--rm is ignored" in outcome.err
    assert rows(guests) == before and box.root.exists()


def test_location_with_a_home_that_is_closed_to_the_user(guests):
    assert guests.udocker.ok("-q", "run", "--location=/", "/bin/sh", "-c", "pwd; cd /root 2>/dev/null || echo closed").out == "/\nclosed\n"


@pytest.mark.parametrize("location", ["/not/there", "/etc/passwd"])
def test_a_location_that_is_no_directory(guests, location):
    assert f"--location: {location}: " in guests.udocker.fails("run", f"--location={location}", "true", status=2).err


def test_a_container_without_its_metadata(fresh_box):
    (fresh_box.root.parent / "container.json").unlink()
    assert "--nometa" in fresh_box.fails("true")
    assert fresh_box.ok("/bin/echo", "x", options=("--nometa",)) == "x\n"


def test_a_container_with_broken_metadata(fresh_box):
    (fresh_box.root.parent / "container.json").write_text("{")
    assert "--nometa" in fresh_box.fails("true")
    assert fresh_box.ok("/bin/echo", "x", options=("--nometa",)) == "x\n"


def test_a_container_without_its_tree(fresh_box):
    fresh_box.root.rename(fresh_box.root.parent / "away")
    text = fresh_box.fails("true")
    assert fresh_box.id in text and "root directory" in text and "create the container anew" in text


def test_a_repository_that_was_moved(guests, tmp_path):
    container: Container = guests.fresh("busybox", "--name=moved")
    guests.udocker.ok("setup", "--execmode=P2", "moved")
    top = tmp_path / "moved top"
    copy_tree(guests.udocker.top, top)
    assert guests.udocker.ok("-q", f"--repo={top}", "run", "moved", "sh", "-c", "echo $container_root; ls -d /bin").lines == \
        [f"{top}/containers/{container.id}/ROOT", "/bin"]
