#include "engine/ptrace/credentials.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace udk::engine {
namespace {

Credentials root() { return initial_credentials({0, 0, {}}); }
Credentials user() { return initial_credentials({1000, 100, {7}}); }

TEST(Credentials, Start) {
  EXPECT_EQ(root().caps.effective, k_all_capabilities);
  EXPECT_EQ(user().caps.effective, 0U);
  EXPECT_EQ(user().uid.fs, 1000U);
  EXPECT_EQ(user().groups, std::vector<gid_t>{7});
}

TEST(Credentials, SetuidOfRootIsFinal) {
  Credentials c = root();
  EXPECT_EQ(set_id(c, IdKind::user, 33), 0);
  EXPECT_EQ(c.uid.real, 33U);
  EXPECT_EQ(c.uid.saved, 33U);
  EXPECT_EQ(c.caps.effective, 0U);
  EXPECT_EQ(c.caps.permitted, 0U);
  EXPECT_EQ(set_id(c, IdKind::user, 0), -EPERM);
  EXPECT_EQ(set_id(c, IdKind::user, k_unchanged), -EINVAL);
}

TEST(Credentials, EffectiveCanComeBack) {
  Credentials c = root();
  EXPECT_EQ(set_all(c, IdKind::user, k_unchanged, 33, k_unchanged), 0);
  EXPECT_EQ(c.caps.effective, 0U);
  EXPECT_NE(c.caps.permitted, 0U);
  EXPECT_EQ(set_all(c, IdKind::user, k_unchanged, 0, k_unchanged), 0);
  EXPECT_EQ(c.caps.effective, k_all_capabilities);
}

TEST(Credentials, RealEffectiveKeepsSaved) {
  Credentials c = root();
  EXPECT_EQ(set_real_effective(c, IdKind::user, 5, 6), 0);
  EXPECT_EQ(c.uid.saved, 6U);
  EXPECT_EQ(set_real_effective(c, IdKind::user, 6, 5), 0);
  EXPECT_EQ(c.uid.saved, 5U);
  EXPECT_EQ(set_real_effective(c, IdKind::user, 0, 0), -EPERM);
  Credentials g = user();
  EXPECT_EQ(set_real_effective(g, IdKind::group, k_unchanged, 100), 0);
  EXPECT_EQ(g.gid.saved, 100U);
  EXPECT_EQ(set_real_effective(g, IdKind::group, 7, k_unchanged), -EPERM) << "a supplementary group is not enough";
}

TEST(Credentials, KeepCapabilities) {
  Credentials c = root();
  c.keep_capabilities = true;
  EXPECT_EQ(set_all(c, IdKind::user, 9, 9, 9), 0);
  EXPECT_EQ(c.caps.effective, 0U);
  EXPECT_EQ(c.caps.permitted, k_all_capabilities);
  EXPECT_EQ(set_capabilities(c, 1U << k_cap_setuid, k_all_capabilities, 0), 0);
  EXPECT_EQ(set_id(c, IdKind::user, 10), 0);
  apply_exec(c);
  EXPECT_EQ(c.caps.permitted, 0U);
  EXPECT_FALSE(c.keep_capabilities);
}

TEST(Credentials, CapabilitiesOnlyShrink) {
  Credentials c = root();
  EXPECT_EQ(set_capabilities(c, 1, 1, 0), 0);
  EXPECT_EQ(set_capabilities(c, 1, 3, 0), -EPERM);
  EXPECT_EQ(set_capabilities(c, 2, 1, 0), -EPERM);
  apply_exec(c);
  EXPECT_EQ(c.caps.effective, k_all_capabilities) << "uid 0 gets all back by exec";
}

TEST(Credentials, ExecKeepsIdsButSaved) {
  Credentials c = root();
  EXPECT_EQ(set_all(c, IdKind::user, 1, 2, 3), 0);
  apply_exec(c);
  EXPECT_EQ(c.uid.real, 1U);
  EXPECT_EQ(c.uid.effective, 2U);
  EXPECT_EQ(c.uid.saved, 2U);
}

TEST(Credentials, GroupsAndFs) {
  Credentials c = user();
  EXPECT_EQ(set_groups(c, {1, 2}), -EPERM);
  EXPECT_EQ(set_fs(c, IdKind::user, 0), 1000U);
  EXPECT_EQ(c.uid.fs, 1000U);
  Credentials r = root();
  EXPECT_EQ(set_groups(r, {1, 2}), 0);
  EXPECT_EQ(set_fs(r, IdKind::user, 44), 0U);
  EXPECT_EQ(r.uid.fs, 44U);
  EXPECT_EQ(set_id(r, IdKind::group, 4), 0);
  EXPECT_EQ(r.gid.fs, 4U);
  EXPECT_NE(r.caps.effective, 0U) << "group ids do not matter to capabilities";
}

}  // namespace
}  // namespace udk::engine
