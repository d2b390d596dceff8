"""run: what emulated root is: owners, modes, set-id programs, device nodes, capabilities, and how long they last."""
import pytest

STAT = "stat -c '%u:%g %a %F'"


@pytest.fixture
def debian(guests):
    """A Debian container that the test may change."""
    container = guests.fresh("bookworm")
    yield container
    guests.udocker.run("rm", "-f", container.id)


# Q45 of the Python tool: set-id bits, owners and the mode of `/tmp` are lost.
def test_owners_and_modes_of_the_image(debian):
    assert debian.sh(f"{STAT} /etc/shadow /usr/bin/passwd /usr/bin/chage /tmp /etc/passwd").splitlines() == [
        "0:42 640 regular file", "0:0 4755 regular file", "0:42 2755 regular file", "0:0 1777 directory", "0:0 644 regular file"]


def test_chown_and_chmod_are_remembered_over_runs(fresh_box):
    fresh_box.sh("mkdir /d; echo > /d/f; ln /d/f /d/hard; ln -s f /d/s; chown -R 5:6 /d; chmod 4711 /d/f; chmod 2070 /d; chown -h 7:8 /d/s")
    names = "/d /d/f /d/hard /d/s"
    expected = ["5:6 2070 directory", "5:6 4711 regular file", "5:6 4711 regular file", "7:8 777 symbolic link"]
    assert fresh_box.sh(f"{STAT} {names}").splitlines() == expected
    fresh_box.sh("mv /d /e; mv /e/f /e/g")
    assert fresh_box.sh(f"{STAT} /e /e/g /e/hard /e/s").splitlines() == expected
    fresh_box.sh("chown 0:0 /e/g; chmod 644 /e/g; rm /e/s; echo > /e/s")
    assert fresh_box.sh(f"{STAT} /e/g /e/s").splitlines() == ["0:0 644 regular file", "0:6 644 regular file"]


def test_nothing_of_it_is_on_the_disk(fresh_box):
    fresh_box.sh("echo > /f; chown 5:6 /f; chmod 6755 /f; echo > /none; chmod 0 /none; chown 7 /none")
    assert (fresh_box.root / "f").stat().st_mode & 0o7777 == 0o755
    assert (fresh_box.root / "none").stat().st_mode & 0o600 == 0o600
    record = (fresh_box.root.parent / "owners").read_text().splitlines()
    assert {"5 6 6755 /f", "7 0 0 /none"} <= set(record)


def test_a_deleted_file_leaves_no_record(fresh_box):
    fresh_box.sh("mkdir /d; echo > /d/f; chown -R 5:6 /d; mv /d /gone; rm -r /gone; mkdir /d; echo > /d/f")
    assert fresh_box.sh(f"{STAT} /d /d/f").splitlines() == ["0:0 755 directory", "0:0 644 regular file"]
    owners = fresh_box.root.parent / "owners"
    assert not owners.exists() or "/gone" not in owners.read_text()


def test_chown_clears_set_id_bits(fresh_box):
    assert fresh_box.sh(f"echo > /f; chmod 6755 /f; chown 5 /f; {STAT} /f") == "5:0 755 regular file"


def test_descriptors_show_the_same(debian):
    script = ("import os; f = os.open('/f', os.O_CREAT | os.O_RDWR, 0o600); os.fchown(f, 5, 6); os.fchmod(f, 0o4711); "
              "s = os.fstat(f); print(s.st_uid, s.st_gid, oct(s.st_mode)); os.rename('/f', '/g'); s = os.fstat(f); "
              "print(s.st_uid, s.st_gid, oct(s.st_mode))")
    assert debian.python(script).splitlines() == ["5 6 0o104711"] * 2


def test_root_is_not_stopped_by_modes(fresh_box):
    fresh_box.sh("mkdir /d; echo text > /d/f; chmod 0 /d/f; chmod 500 /d; cat /d/f; echo more >> /d/f; echo > /d/new; rm /d/new; mkdir /d/sub")
    assert fresh_box.sh(f"{STAT} /d /d/f; cat /d/f").splitlines() == ["0:0 500 directory", "0:0 0 regular file", "text", "more"]
    fresh_box.sh("mkdir -m 500 /e; echo x > /e/f; rm /e/f; rmdir /e")


def test_modes_of_new_files(debian):
    script = ("import os; f = os.open('/f', os.O_CREAT | os.O_WRONLY, 0o400); os.write(f, b'a'); os.mkdir('/d', 0o500); open('/f', 'a').write('b'); "
              "open('/d/x', 'w'); print([oct(os.stat(n).st_mode) for n in ('/f', '/d')], open('/f').read())")
    assert debian.python(script) == "['0o100400', '0o40500'] ab"


def test_what_the_user_has_closed_stays_closed(fresh_box):
    (fresh_box.root / "closed").write_text("x")
    (fresh_box.root / "closed").chmod(0o400)
    assert "ermission denied" in fresh_box.run("sh", "-c", "echo y >> /closed").err
    assert (fresh_box.root / "closed").stat().st_mode & 0o777 == 0o400


def test_device_nodes(fresh_box):
    assert fresh_box.sh("mknod /null c 1 3; mknod /disk b 8 17; stat -c '%F %t:%T' /null /disk; mknod /pipe p; test -p /pipe; echo $?") \
        .splitlines() == ["character special file 1:3", "block special file 8:11", "0"]


def test_files_of_other_users(debian):
    debian.sh("useradd -m -s /bin/sh joe; su joe -c 'umask 027; mkdir ~/d; echo > ~/d/f; ln -s f ~/d/s'")
    assert debian.sh("stat -c '%U:%G %a' /home/joe /home/joe/d /home/joe/d/f /home/joe/d/s").splitlines() == [
        "joe:joe 755", "joe:joe 750", "joe:joe 640", "joe:joe 777"]


def test_groups_of_set_group_id_directories(debian):
    debian.sh("mkdir /shared; chgrp mail /shared; chmod 2775 /shared; mkdir /shared/d; echo > /shared/d/f")
    assert debian.sh("stat -c '%U:%G %a' /shared/d /shared/d/f").splitlines() == ["root:mail 2755", "root:mail 644"]


def test_set_user_id_programs(debian):
    debian.sh("useradd joe; cp /usr/bin/id /usr/local/bin/root-id; chmod 4755 /usr/local/bin/root-id")
    assert debian.sh("su joe -c 'root-id -u; root-id -ru'").splitlines() == ["0", "1000"]
    assert "euid=0(root)" in debian.sh("su joe -c root-id")
    assert debian.sh("su joe -c 'setpriv --no-new-privs root-id -u'") == "1000"
    assert debian.sh("su joe -c 'passwd -S joe'").startswith("joe L ")


def test_passwords_and_su(debian):
    debian.sh("useradd joe; useradd ann; echo 'joe:secret' | chpasswd")
    assert debian.sh("su ann -c 'echo secret | su joe -c \"id -un\"' 2>/dev/null") == "joe"
    assert debian.run("sh", "-c", "su ann -c 'echo wrong | su joe -c id'").status == 1


def test_access_answers_for_the_emulated_ids(debian):
    debian.sh("useradd joe; echo > /secret; chmod 600 /secret; echo > /own; chown joe /own; chmod 400 /own")
    script = "for f in /secret /own /etc/passwd; do test -r $f; echo -n $?; test -w $f; echo -n $?; test -x $f; echo $?; done"
    assert debian.sh(script).splitlines() == ["001"] * 3
    assert debian.sh(f"su joe -c '{script}'").splitlines() == ["111", "011", "011"]


def test_a_user_may_not_change_what_others_own(debian):
    debian.sh("useradd joe; echo > /root-file; chmod 666 /root-file")
    outcome = debian.run("su", "joe", "-c", "chmod 600 /root-file; chown joe /root-file; touch ~joe/x 2>/dev/null; chown root /tmp/none")
    assert outcome.err.count("Operation not permitted") == 2


def test_status_tells_the_emulated_ids(debian):
    fields = dict(line.split(":\t", 1) for line in debian.sh("cat /proc/self/status").splitlines())
    assert fields["Uid"] == fields["Gid"] == "0\t0\t0\t0" and fields["CapEff"] == "000001ffffffffff"
    assert fields["TracerPid"] == fields["NoNewPrivs"] == fields["Seccomp"] == "0"
    assert debian.sh("setpriv --reuid=7 --regid=8 --groups=9,10 grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status").split() == [
        "Uid:", *["7"] * 4, "Gid:", *["8"] * 4, "Groups:", "9", "10", "CapEff:", "0" * 16]


def test_the_login_uid_can_be_set(debian):
    assert debian.sh("echo 77 > /proc/self/loginuid && cat /proc/self/loginuid") == "77"


def test_credentials_that_sockets_tell(debian):
    script = """
import os, socket, struct
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
b.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
a.sendmsg([b"x"], [(socket.SOL_SOCKET, 2, struct.pack("3i", os.getpid(), 0, 0))])
pid, uid, gid = struct.unpack("3i", b.recvmsg(1, 100)[1][0][2])
print(pid == os.getpid(), uid, gid, *struct.unpack("3i", a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:])
"""
    assert debian.python(script) == "True 0 0 0 0"


def test_there_is_no_audit(debian):
    script = "import socket\ntry: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)\nexcept OSError as e: print(e.errno)"
    assert debian.python(script) == "93"  # EPROTONOSUPPORT


def test_mounts_are_the_guests(debian, tmp_path):
    (tmp_path / "a b").mkdir()
    text = debian.sh("cat /proc/mounts", options=("-v", f"{tmp_path}/a b:/mnt"))
    points = [line.split()[1] for line in text.splitlines()]
    assert points[0] == "/" and "/mnt" in points and "/proc" in points
    assert str(debian.root) not in text
    assert debian.sh("df --output=target /mnt | tail -1", options=("-v", f"{tmp_path}/a b:/mnt")) == "/mnt"


def test_maps_are_the_guests(debian):
    text = debian.sh("cat /proc/self/maps")
    assert "/usr/bin/cat" in text and "udocker" not in text


@pytest.mark.slow
def test_servers_are_installed_and_run_under_their_users(debian):
    script = """set -e; export DEBIAN_FRONTEND=noninteractive
apt-get -q -o Acquire::Retries=3 update
apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends openssh-server postgresql sudo"""
    outcome = debian.run("sh", "-c", script)
    assert outcome.status == 0, outcome
    assert debian.run("dpkg", "-V").out == ""
    assert debian.sh("stat -c '%U:%G %a' /var/lib/postgresql/15/main /usr/lib/openssh/ssh-keysign").splitlines() == [
        "postgres:postgres 700", "root:root 4755"]
    server = """set -e; pg=/usr/lib/postgresql/15/bin
"$pg/pg_ctl" -w -D /var/lib/postgresql/15/main -o '-c config_file=/etc/postgresql/15/main/postgresql.conf' start >/tmp/log 2>&1
psql -At -c 'create table t(a int)' -c 'insert into t select generate_series(1, 1000)' -c 'select sum(a), current_user from t'
"$pg/pg_ctl" -w -m fast -D /var/lib/postgresql/15/main stop >/dev/null"""
    assert debian.sh("su postgres -c 'sh /dev/stdin'", stdin=server.encode()).splitlines()[-1] == "500500|postgres"
    assert debian.run("sh", "-c", "mkdir -p /run/sshd; /usr/sbin/sshd -t").status == 0
    debian.sh("useradd joe; echo 'joe ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/joe; chmod 440 /etc/sudoers.d/joe")
    assert debian.run("su", "joe", "-c", "sudo -n id -u").out == "0\n"


def test_users_are_kept_out_of_what_is_recorded(debian):
    debian.sh("useradd -m joe; echo text > /home/joe/f; mkdir /home/joe/d; chown -R joe /home/joe")
    script = "cd; chmod 400 f; chmod 0 d; cat f; echo more >> f; ls d; chmod 200 f; cat f; echo more >> f; chmod 700 d; chmod 600 f; ls d; cat f"
    outcome = debian.run("su", "joe", "-c", script)
    assert outcome.out.splitlines() == ["text", "text", "more"] and outcome.err.count("Permission denied") == 3, outcome
    script = "cd; mkdir -p d/sub; chmod 500 d; touch d/new; mkdir d/new; rmdir d/sub; ls d; chmod 600 d; cat d/sub; stat d/sub; ls d"
    outcome = debian.run("su", "joe", "-c", script)
    assert outcome.out.splitlines() == ["sub"] * 2 and outcome.err.count("Permission denied") == 5, outcome
    outcome = debian.run("su", "joe", "-c", "cat /etc/shadow; cat /etc/passwd")
    assert "root:x:0:0" in outcome.out and "Permission denied" in outcome.err and "root:*" not in outcome.out
    debian.sh("usermod -aG shadow joe; su joe -c 'cat /etc/shadow' | grep -q '^root:'")
    assert debian.sh("chmod 0 /home/joe/f /home/joe/d; ls /home/joe/d; cat /home/joe/f").splitlines() == ["sub", "text", "more"]
