#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unit/engine/guest_tree.hpp"

// The same commands in the engine and in a namespace chroot of the same tree: output and status must be equal. The
// tree's own parts are few; the host's /usr is bound for the rest. Owners are left out: in the namespace all foreign
// ones are one.
namespace udk::engine::test {
namespace {

const char* const k_commands[] = {
    "/usr/bin/ls -lago /bin /etc",
    "find / -xdev | sort",
    "/usr/bin/find /usr/share/doc /usr/lib/python3 -printf '%p %y %m %s %l\\n' | sort | md5sum",
    "/usr/bin/ls -lRgo /usr/share/perl /usr/include | md5sum",
    "/usr/bin/tar cf - --owner=0 --group=0 /usr/share/perl /etc | md5sum",
    "pwd; cd /usr/bin; pwd; cd ../..; pwd; cd ../../..; pwd; cd /tmp/../etc/./; pwd",
    "readlink /proc/self/exe /proc/self/cwd /proc/self/root; cat /proc/self/comm",
    "/usr/bin/python3 -c 'import sys, os; print(sys.executable, os.getcwd(), os.path.realpath(\"/usr/bin/awk\"))'",
    "/usr/bin/python3 -c 'import json, email, asyncio, unittest, http.client, sqlite3; print(1)'",
    "/usr/bin/perl -e 'symlink(\"a\", \"/tmp/l\") or die; print readlink(\"/tmp/l\"), \"\\n\"; unlink \"/tmp/l\"'",
    "id; /usr/bin/id -u",
    "no-such-command; echo $?",
    "/etc; echo $?; /etc/passwd; echo $?; /tmp/none/x; echo $?; /etc/passwd/x; echo $?",
    "echo 'exit 5' > /tmp/s; /tmp/s; echo $?; . /tmp/s",
    "printf '#!/bin/echo one two\\n' > /tmp/e; chmod +x /tmp/e; /tmp/e three; cd /tmp; ./e; rm e",
    "sh -c 'kill -TERM $$'; echo $?; sh -c 'kill -SEGV $$'; echo $?; sh -c 'kill -PIPE $$'; echo $?",
    "trap 'echo caught' USR1; kill -USR1 $$; echo end",
    "(sleep 0.05; echo background) & wait; echo foreground",
    "mkdir -p /tmp/a/b; cd /tmp/a/b; mv /tmp/a /tmp/c; pwd -P; echo x > f; cat /tmp/c/b/f; rm -r /tmp/c; ls; pwd -P",
    "cd /tmp; ln -s ../../../etc/passwd up; ln -s /etc/passwd abs; ln -s loop loop; cat up abs loop; readlink -f up; "
    "rm "
    "up abs loop",
    "/usr/bin/cp -dR --preserve=mode,timestamps /usr/share/perl /tmp/p && /usr/bin/diff -r /usr/share/perl /tmp/p && "
    "echo same; rm -r /tmp/p",
    "/usr/bin/stat -c '%n %F %a %s %h' /etc /etc/passwd /bin/sh /dev/null /proc/self/fd",
    "cat /proc/self/status | grep -E '^(Name|Threads|SigBlk|SigIgn|SigCgt|Umask)'",
    "ulimit -v 300000; ls / | wc -l; ulimit -s 256; ls / | wc -l; ulimit -n 16; ls / | wc -l",
    "/usr/bin/env -i /usr/bin/env; /usr/bin/env -i A=1 /bin/sh -c 'echo $A $HOME'",
    "/usr/bin/setsid /bin/sh -c 'echo in a session'; /usr/bin/nohup echo nohup 2>&1",
    "seq 1 2000 | xargs -n 50 -P 4 echo | wc -w",
    "mkfifo /tmp/f; (echo through > /tmp/f &); cat /tmp/f; rm /tmp/f",
    "umask 027; mkdir /tmp/m; touch /tmp/m/f; /usr/bin/stat -c %a /tmp/m /tmp/m/f; rm -r /tmp/m",
    "touch /tmp/t; chmod 604 /tmp/t; test -r /tmp/t; echo $?; test -x /tmp/t; echo $?; /usr/bin/touch -d @86400 "
    "/tmp/t; /usr/bin/stat -c %Y /tmp/t; rm /tmp/t",
    "cd /usr/lib; for i in 1 2 3; do test -e x86_64-linux-gnu/libc.so.6 && echo there; done; ls ../include | head -3",
    "cd /usr/lib; ls -d /proc/self/cwd/../lib64 /proc/self/root/etc /proc/self/fd/0; cd /proc/self/cwd/..; pwd",
    "exec /usr/bin/awk 'BEGIN { while ((\"echo piped\" | getline line) > 0) print line; exit 4 }'",
    "echo 'int main(void) { return 9; }' > /tmp/m.c; /usr/bin/gcc -o /tmp/m /tmp/m.c && /tmp/m; echo $?; rm /tmp/m*",
};

std::vector<std::string> with_host(const GuestTree& tree) {
  const std::string root = tree.root();
  namespace fs = std::filesystem;
  fs::create_directories(root + "/usr");
  fs::remove_all(root + "/lib");
  fs::remove_all(root + "/lib64");
  fs::create_directory_symlink("usr/lib", root + "/lib");
  fs::create_directory_symlink("usr/lib64", root + "/lib64");
  fs::create_directories(root + "/etc/alternatives");
  tree.own();
  return {"-v", "/usr:/usr", "-v", "/proc:/proc", "-v", "/dev:/dev", "-v", "/etc/alternatives:/etc/alternatives"};
}

TEST(Difference, NoneToANamespaceChroot) {
  const GuestTree tree;
  const std::vector<std::string> binds = with_host(tree);
  std::vector<std::string> reference = {UDK_REFERENCE_RUN};
  reference.insert(reference.end(), binds.begin(), binds.end());
  reference.push_back(tree.root());
  for (const char* command : k_commands) {
    const std::vector<std::string> words = {"/bin/sh", "-c", command};
    std::vector<std::string> all = reference;
    all.insert(all.end(), words.begin(), words.end());
    const Outcome expected = run_as_user(all);
    const Outcome outcome = tree.run(binds, words);
    EXPECT_EQ(outcome.out, expected.out) << command;
    EXPECT_EQ(outcome.status, expected.status) << command;
  }
}

}  // namespace
}  // namespace udk::engine::test
