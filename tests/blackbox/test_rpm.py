"""rpm and dnf in a guest: packages are built, published, installed, verified and removed."""
import pytest

pytestmark = pytest.mark.slow

SPECS = r"""set -e
cat > base.spec <<'END'
Name: small-base
Version: 1
Release: 1
Summary: What the server needs
License: MIT
BuildArch: noarch
Provides: /bin/sh
%description
One file.
%install
mkdir -p %{buildroot}/usr/share/small-base
echo base > %{buildroot}/usr/share/small-base/file
%pre
echo "base pre $1" >> /tmp/scriptlets
%preun
echo "base preun $1" >> /tmp/scriptlets
%files
/usr/share/small-base
END
cat > server.spec <<'END'
Name: small-server
Version: 1
Release: 1
Summary: A server with a user, a set-group-id directory and a configuration file
License: MIT
AutoReq: no
Requires(pre): small-base
%description
Some files of other owners.
%install
mkdir -p %{buildroot}/etc/small %{buildroot}/var/spool/small %{buildroot}/usr/bin %{buildroot}/usr/share/small
echo 'port = 70' > %{buildroot}/etc/small/server.conf
ln -s server.conf %{buildroot}/etc/small/link.conf
cp /usr/bin/id %{buildroot}/usr/bin/small-id
echo data > %{buildroot}/usr/share/small/secret
%pre
useradd --system --home-dir /var/spool/small --no-create-home small
echo "server pre $1" >> /tmp/scriptlets
%post
echo "server post $1" >> /tmp/scriptlets
su -s /bin/sh small -c 'echo spooled > /var/spool/small/first'
%preun
echo "server preun $1" >> /tmp/scriptlets
rm /var/spool/small/first
%postun
userdel small
echo "server postun $1" >> /tmp/scriptlets
%files
%config(noreplace) %attr(0640,root,small) /etc/small/server.conf
/etc/small/link.conf
%dir %attr(2770,small,small) /var/spool/small
%attr(4755,root,root) /usr/bin/small-id
%attr(0600,small,small) /usr/share/small/secret
END
for spec in base server; do
  rpmbuild --quiet --define "_topdir $PWD/build" --define '_buildhost localhost' --define 'debug_package %{nil}' --define '__os_install_post %{nil}' -bb $spec.spec
done
mkdir repository; mv build/RPMS/*/*.rpm repository/
createrepo_c -q repository
printf '[local]\nname=local\nbaseurl=file://%s/repository\ngpgcheck=0\n' "$PWD" > /etc/yum.repos.d/local.repo
ls repository
"""


@pytest.fixture
def builder(guests):
    container = guests.fresh("conformance")
    yield container
    guests.udocker.run("rm", "-f", container.id)


def test_rpm_and_dnf(builder):
    """Packages are built, one is installed by rpm, the other by dnf from a repository; used, verified and removed."""
    def at_work(script: str) -> list[str]:
        return builder.sh(script, options=("--workdir=/work", "--env=LC_ALL=C.UTF-8")).splitlines()

    def change(*words: str) -> None:
        outcome = builder.run("rpm", *words)  # Debian's says on stderr that alien would be better
        assert outcome.status == 0 and outcome.out == "", outcome

    assert at_work("mkdir -p /etc/yum.repos.d\n" + SPECS) == ["repodata", "small-base-1-1.noarch.rpm", "small-server-1-1.x86_64.rpm"]
    change("-i", "/work/repository/small-base-1-1.noarch.rpm")
    assert at_work("rpm -q small-base; rpm -V small-base; cat /usr/share/small-base/file") == ["small-base-1-1.noarch", "base"]
    at_work("dnf -q -y --releasever=1 install small-server")
    assert at_work("rpm -qa | sort; rpm -V -a; dnf -q --releasever=1 repoquery --installed | sort") == [
        "small-base-1-1.noarch", "small-server-1-1.x86_64", "small-base-0:1-1.noarch", "small-server-0:1-1.x86_64"]
    files = "/etc/small/server.conf /var/spool/small /usr/bin/small-id /usr/share/small/secret /var/spool/small/first"
    assert at_work(f"stat -c '%U:%G %a' {files}") == [
        "root:small 640", "small:small 2770", "root:root 4755", "small:small 600", "small:small 644"]
    assert at_work("su -s /bin/sh small -c 'small-id -un; cat /usr/share/small/secret'") == ["root", "data"]
    at_work("echo 'port = 7100' > /etc/small/server.conf; touch -d @0 /etc/small/server.conf")
    assert builder.run("rpm", "-V", "small-server").out == "S.5....T.  c /etc/small/server.conf\n"
    at_work("dnf -q -y --releasever=1 remove small-server")
    change("-e", "small-base")
    assert at_work("cat /tmp/scriptlets") == ["base pre 1", "server pre 1", "server post 1", "server preun 0", "server postun 0", "base preun 0"]
    assert at_work("rpm -qa; ls -A /etc/small; ls -d /var/spool/small /usr/share/small-base 2>&1 | wc -l; getent passwd small || true") == [
        "server.conf.rpmsave", "2"]
