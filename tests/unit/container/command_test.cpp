#include "container/command.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "unit/container/guest_tree.hpp"

namespace udk::container {
namespace {

using Words = std::vector<std::string>;

TEST(Command, Choice) {
  struct Case {
    Words entrypoint, cmd;
    std::optional<std::string> option;
    Words words;
    std::string want;
  };
  const Case cases[] = {
      {{}, {}, {}, {}, "['bash', '-i'] assumed"},       {{}, {"c", "1"}, {}, {}, "['c', '1']"},
      {{}, {"c"}, {}, {"w", "2"}, "['w', '2']"},        {{"e", "-x"}, {"c"}, {}, {}, "['e', '-x', 'c']"},
      {{"e"}, {"c"}, {}, {"w"}, "['e', 'w']"},          {{"e"}, {"c"}, "o  -p", {}, "['o', '-p']"},
      {{"e"}, {"c"}, "o", {"w", ""}, "['o', 'w', '']"}, {{"e"}, {"c"}, "", {"w"}, "['w']"},
      {{"e"}, {"c"}, "", {}, "['bash', '-i'] assumed"}, {{}, {}, {}, {"x", "", "b"}, "['x', '', 'b']"},
  };
  for (const auto& c : cases) {
    Metadata metadata;
    metadata.entrypoint = c.entrypoint;
    metadata.cmd = c.cmd;
    RunOptions options;
    options.entrypoint = c.option;
    options.words = c.words;
    auto line = choose_command(metadata, options, Settings());
    EXPECT_EQ(quoted_words(line.argv) + (line.assumed ? " assumed" : ""), c.want);
  }
}

TEST(Command, QuotedWords) {
  EXPECT_EQ(quoted_words({"a b", "it's", "say \"it's\"", "\\"}), R"(['a b', "it's", 'say "it\'s"', '\\'])");
}

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() : view(root.path()) {
    root.file("usr/bin/busybox", "x", 0755).link("usr/bin", "bin").link("/bin/busybox", "usr/bin/sh");
    root.file("opt/plain", "x", 0644).dir("opt/dir").file("opt/tool", "x", 0755).file("sbin/plain", "x", 0755);
    root.link("/bin/sh", "opt/host-sh");  // exists on the host, too: must be the guest's
    host.file("vtool", "x", 0755);
    view.add({host.path(), "/vol", Access::read_write});
  }
  std::string find(const std::string& name, const std::string& cwd = "/") {
    auto program = find_program(view, name, "/sbin:/opt:/usr/bin::/vol", cwd);
    return program ? *program : "error: " + program.error().text;
  }
  test::Tree root, host;
  GuestView view;
};

TEST_F(ProgramTest, Found) {
  EXPECT_EQ(find("sh"), "/usr/bin/sh");
  EXPECT_EQ(find("/bin/sh"), "/bin/sh");
  EXPECT_EQ(find("plain"), "/sbin/plain");
  EXPECT_EQ(find("./tool", "/opt"), "/opt/./tool");
  EXPECT_EQ(find("../opt/tool", "/usr"), "/usr/../opt/tool");
  EXPECT_EQ(find("opt/tool"), "/opt/tool");
  EXPECT_EQ(find("vtool"), "/vol/vtool");
  EXPECT_EQ(find("host-sh"), "/opt/host-sh");
}

TEST_F(ProgramTest, AnEmptyPathPartIsTheWorkingDirectory) {
  auto program = find_program(view, "tool", "/sbin:", "/opt");
  EXPECT_EQ(program.value_or(""), "/opt/tool");
}

TEST_F(ProgramTest, NotFound) {
  EXPECT_EQ(find("nothing"), "error: not in PATH=/sbin:/opt:/usr/bin::/vol");
  EXPECT_EQ(find(""), "error: the command is an empty word");
  EXPECT_EQ(find("/opt/plain"), "error: /opt/plain: no execute permission");
  EXPECT_EQ(find("dir"), "error: /opt/dir: is a directory");
  EXPECT_EQ(find("/no/such"), "error: /no/such: no such file");
  EXPECT_EQ(find("/opt/tool/x"), "error: /opt/tool/x: Not a directory");
  // Exists on every host, not in this container.
  EXPECT_EQ(find("/etc/passwd"), "error: /etc/passwd: no such file");
}

}  // namespace
}  // namespace udk::container
