"""run: who the payload is: --user in all forms, the image's User, passwd and group, --hostauth, --containerauth."""
import getpass
import grp
import os
import pwd

import pytest

ME = getpass.getuser()
IDENTITY = "echo $(id -u) $(id -g) $(id -un 2>/dev/null) $(id -G)"


def identity(container, *options) -> str:
    return container.sh(IDENTITY, options=options)


def test_root_by_default(box):
    assert identity(box) == "0 0 root 0"


@pytest.mark.parametrize("user, expected", [
    ("root", "0 0 root 0"),
    ("0", "0 0 root 0"),
    ("guest", "1234 1234 guest 1234 2345"),
    ("1234", "1234 1234 guest 1234 2345"),
    ("guest:extra", "1234 2345 guest 2345"),
    ("guest:2345", "1234 2345 guest 2345"),
    ("1234:extra", "1234 2345 guest 2345"),
    ("1234:1", "1234 1 guest 1"),
    ("0:0", "0 0 root 0"),
    ("daemon:root", "1 0 daemon 0"),
])
def test_users_that_the_container_knows(box, user, expected):
    assert identity(box, f"--user={user}") == expected


def test_the_option_with_a_blank(box):
    assert identity(box, "-u", "guest") == identity(box, "--user", "guest") == "1234 1234 guest 1234 2345"


# Q38 of the Python tool: users with groups are refused; numbers that the image knows run as somebody else.
def test_unknown_numbers_get_an_entry(box):
    uid, gid, name, groups = identity(box, "--user=3000:3001").split()
    assert (uid, gid, name, groups) == ("3000", "3001", "3000", "3001")
    lines = box.sh("grep :3000: /etc/passwd; grep :3001: /etc/group", options=("--user=3000:3001",)).splitlines()
    assert len(lines) == 2 and all(line.count(":") == count for line, count in zip(lines, (6, 3), strict=True))


def test_an_unknown_uid_alone(box):
    uid, gid, name, *_ = identity(box, "--user=3000").split()
    assert (uid, gid, name) == ("3000", str(os.getgid()), "3000")


def test_the_files_of_the_container_stay_as_they_are(box):
    before = [(box.root / name).read_bytes() for name in ("etc/passwd", "etc/group")]
    identity(box, "--user=3000:3001")
    assert [(box.root / name).read_bytes() for name in ("etc/passwd", "etc/group")] == before


def test_an_unknown_name(box):
    assert "user not found: nobody-like-it" in box.fails("true", options=("--user=nobody-like-it",))


def test_an_unknown_group(box):
    assert "group not found: no-group" in box.fails("true", options=("--user=guest:no-group",))


@pytest.mark.parametrize("user", ["a:b:c", "-1", "4294967295", "99999999999", "a b", "a/b", ":1"])
def test_what_is_no_user(box, user):
    assert user in box.fails("true", options=(f"--user={user}",))


def test_the_invoking_user_by_name(box):
    assert identity(box, f"--user={ME}").split()[:3] == [str(os.getuid()), str(os.getgid()), ME]


def test_the_user_of_the_image(guests):
    container = guests.fresh_configured(User="guest:extra")
    assert identity(container) == "1234 2345 guest 2345"
    assert identity(container, "--user=root") == "0 0 root 0"


def test_an_unknown_user_of_the_image(guests):
    text = guests.fresh_configured(User="stranger").fails("true")
    assert "stranger" in text and "image" in text


def test_hostauth_takes_the_accounts_of_the_host(box):
    assert identity(box, "--hostauth", f"--user={ME}").split()[:3] == [str(os.getuid()), str(os.getgid()), ME]
    assert box.sh("cat /etc/passwd", options=("--hostauth", f"--user={ME}")).startswith(open("/etc/passwd").read().rstrip())
    assert grp.getgrgid(os.getgid()).gr_name == box.sh("id -gn", options=("--hostauth", f"--user={ME}"))


def test_hostauth_does_not_know_the_users_of_the_container(box):
    with pytest.raises(KeyError):
        pwd.getpwnam("guest")
    assert "guest" in box.fails("true", options=("--hostauth", "--user=guest"))


def test_containerauth_adds_nothing(box):
    assert box.sh("cat /etc/passwd", options=("--containerauth", "--user=guest")) == (box.root / "etc/passwd").read_text().rstrip()
    assert "3000" in box.fails("true", options=("--containerauth", "--user=3000"))


def test_a_container_without_account_files(guests):
    container = guests.fresh("busybox")
    for name in ("passwd", "group"):
        (container.root / "etc" / name).unlink()
    assert identity(container) == "0 0 root 0"
    assert identity(container, "--user=3000:3001").split()[:3] == ["3000", "3001", "3000"]
    assert not (container.root / "etc/passwd").exists()
    assert "guest" in container.fails("true", options=("--user=guest",))


def test_a_volume_on_passwd_is_left_alone(box, tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\nother:x:77:77::/tmp:/bin/sh\n")
    volume = f"{tmp_path}/passwd:/etc/passwd"
    assert identity(box, "-v", volume, "--user=other").split()[:3] == ["77", "77", "other"]
    assert box.sh("cat /etc/passwd", options=("-v", volume, "--user=4000")) == (tmp_path / "passwd").read_text().rstrip()


def test_an_account_made_inside_stays(fresh_box):
    fresh_box.sh("echo newcomer:x:4321:4321::/:/bin/sh >> /etc/passwd; echo newcomer:x:4321: > /etc/group.new; mv /etc/group.new /etc/group")
    assert identity(fresh_box, "--user=newcomer").split()[:3] == ["4321", "4321", "newcomer"]
    assert "newcomer:x:4321:" in (fresh_box.root / "etc/passwd").read_text()


def test_files_belong_to_the_invoking_user_outside(fresh_box):
    fresh_box.sh("touch /tmp/by-guest", options=("--user=guest",))
    assert (fresh_box.root / "tmp/by-guest").stat().st_uid == os.getuid()


def test_the_home_of_the_user_is_the_working_directory(box):
    assert box.sh("pwd; echo $HOME", options=("--user=guest",)).split() == ["/home/guest"] * 2


def test_hostauth_with_numbers(box):
    assert identity(box, "--hostauth", "--user=65534").split()[:3] == ["65534", str(pwd.getpwuid(65534).pw_gid), pwd.getpwuid(65534).pw_name]
    assert "host's user database" in box.fails("true", options=("--hostauth", "--user=55555"))


def test_hostauth_goes_before_containerauth(box):
    assert identity(box, "--hostauth", "--containerauth").split()[0] == "0"
    assert box.sh("cat /etc/passwd", options=("--hostauth", "--containerauth")) == (box.root / "etc/passwd").read_text().rstrip()


@pytest.mark.parametrize("line", ["other:x:-5:5::/:", "other:x:99999999999:5::/:", "other", ":x:77:77::/:", "other:x:77"])
def test_broken_lines_of_the_account_files_are_passed_over(fresh_box, line):
    with open(fresh_box.root / "etc/passwd", "a") as accounts:
        accounts.write(line + "\n\n#\n")
    assert identity(fresh_box, "--user=guest").split()[:3] == ["1234", "1234", "guest"]
    assert "user not found: other" in fresh_box.fails("true", options=("--user=other",))


def test_an_account_without_a_home(fresh_box):
    with open(fresh_box.root / "etc/passwd", "a") as accounts:
        accounts.write("nohome:x:50:50:::\nrelative:x:51:51::home/guest:/bin/sh\n")
    for user in ("nohome", "relative"):
        assert fresh_box.sh("pwd; echo $HOME", options=(f"--user={user}",)) == "/\n/"


def test_account_files_that_are_no_files(fresh_box):
    """Nothing of the host is read through a link of the image, and no FIFO stops the run."""
    passwd = fresh_box.root / "etc/passwd"
    passwd.unlink()
    os.mkfifo(passwd)
    assert identity(fresh_box, "--user=44").split()[0] == "44"
    passwd.unlink()
    passwd.symlink_to("/../../../../etc/group")
    assert "user not found: guest" in fresh_box.fails("true", options=("--user=guest",))
