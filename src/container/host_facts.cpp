#include "container/host_facts.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>

namespace udk::container {
namespace {

Result<std::vector<gid_t>> supplementary_groups() {
  int count = ::getgroups(0, nullptr);
  if (count < 0) return fail_errno(errno, "getgroups");
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  count = ::getgroups(count, groups.data());
  if (count < 0) return fail_errno(errno, "getgroups");
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

// The mask grows until the kernel accepts its size (sched_setaffinity(2), "Handling systems with large CPU affinity
// masks"). None where the call is refused: then nothing is checked against it.
std::vector<unsigned> usable_cpus() {
  for (std::size_t words = 16; words <= 4096; words *= 2) {
    std::vector<unsigned long> mask(words);
    constexpr std::size_t k_bits = sizeof(unsigned long) * 8;
    auto* set = reinterpret_cast<cpu_set_t*>(mask.data());
    if (::sched_getaffinity(0, words * sizeof(unsigned long), set) != 0) {
      if (errno == EINVAL) continue;
      return {};
    }
    std::vector<unsigned> cpus;
    for (std::size_t cpu = 0; cpu < words * k_bits; ++cpu) {
      if (((mask[cpu / k_bits] >> (cpu % k_bits)) & 1U) != 0) cpus.push_back(static_cast<unsigned>(cpu));
    }
    return cpus;
  }
  return {};
}

std::string variable(const std::vector<std::string>& environment, std::string_view key) {
  for (const auto& item : environment) {
    if (item.size() > key.size() && item.starts_with(key) && item[key.size()] == '=')
      return item.substr(key.size() + 1);
  }
  return "";
}

}  // namespace

Result<HostFacts> collect_host_facts() {
  HostFacts facts;
  facts.uid = ::geteuid();
  facts.gid = ::getegid();
  TRY_ASSIGN(facts.groups, supplementary_groups());
  for (char** item = environ; item && *item; ++item) facts.environment.emplace_back(*item);
  struct utsname name {};
  if (::uname(&name) != 0) return fail_errno(errno, "uname");
  facts.machine = name.machine;
  facts.cpus = usable_cpus();
  facts.accounts.user_by_name = [](const std::string& key) { return host_user(key); };
  facts.accounts.user_by_id = [](uid_t id) { return host_user(id); };
  facts.accounts.group_by_name = [](const std::string& key) { return host_group(key); };
  facts.accounts.group_by_id = [](gid_t id) { return host_group(id); };

  auto account = host_user(facts.uid);
  facts.user_name = account ? account->name : std::to_string(facts.uid);
  facts.home = variable(facts.environment, "HOME");
  if (!facts.home.starts_with('/') && account) facts.home = account->home;
  if (!facts.home.starts_with('/')) facts.home.clear();
  return facts;
}

}  // namespace udk::container
