#include "cli/config_keys.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace udk::cli {
namespace {

// homedir, topdir and tmpdir depend on the process: load_config fills them in.
constexpr std::array k_keys{
    ConfigKey{"verbose_level", KeyType::level, "3"},
    ConfigKey{"homedir", KeyType::directory, "None"},
    ConfigKey{"topdir", KeyType::directory, "None"},
    ConfigKey{"bindir", KeyType::directory, "None"},
    ConfigKey{"libdir", KeyType::directory, "None"},
    ConfigKey{"docdir", KeyType::directory, "None"},
    ConfigKey{"reposdir", KeyType::directory, "None"},
    ConfigKey{"layersdir", KeyType::directory, "None"},
    ConfigKey{"containersdir", KeyType::directory, "None"},
    ConfigKey{"tarball_release", KeyType::text, "'1.2.11'"},
    ConfigKey{"tarball", KeyType::text, "'none'"},
    ConfigKey{"installinfo", KeyType::words, "[]"},
    ConfigKey{"installretry", KeyType::number, "3"},
    ConfigKey{"autoinstall", KeyType::flag, "True"},
    ConfigKey{"config", KeyType::text, "'udocker.conf'"},
    ConfigKey{"keystore", KeyType::text, "'keystore'"},
    ConfigKey{"tmpdir", KeyType::directory, "None"},
    ConfigKey{"cmd", KeyType::words, "['bash', '-i']"},
    ConfigKey{"root_path", KeyType::text, "'/usr/sbin:/sbin:/usr/bin:/bin'"},
    ConfigKey{"user_path", KeyType::text, "'/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin'"},
    ConfigKey{"sysdirs_list", KeyType::words,
              "['/dev', '/proc', '/sys', '/etc/resolv.conf', '/etc/host.conf', '/lib/modules']"},
    ConfigKey{"dri_list", KeyType::words, "['/usr/lib64/dri', '/lib64/dri', '/usr/lib/dri', '/lib/dri']"},
    ConfigKey{"mountpoint_prefixes", KeyType::words, "['/etc']"},
    ConfigKey{"override_default_execution_mode", KeyType::text, "''"},
    ConfigKey{"default_execution_modes", KeyType::table,
              "{'x86_64': 'P1', 'x86': 'P1', 'arm64': 'P1', 'arm': 'P2', 'ppc64le': 'R1', 'DEFAULT': 'R1'}"},
    ConfigKey{"proot_noseccomp", KeyType::tri_state, "None"},
    ConfigKey{"proot_killonexit", KeyType::flag, "True"},
    ConfigKey{"proot_link2symlink", KeyType::flag, "False"},
    ConfigKey{"ld_so_cache", KeyType::text, "'/etc/ld.so.cache'"},
    ConfigKey{"fakechroot_so", KeyType::optional_text, "None"},
    ConfigKey{"fakechroot_libc", KeyType::optional_text, "None"},
    ConfigKey{"fakechroot_cmd_subst", KeyType::text,
              "'/sbin/ldconfig=#RETURN(TRUE)#:/usr/sbin/ldconfig=#RETURN(TRUE)#'"},
    ConfigKey{"fakechroot_expand_symlinks", KeyType::optional_text, "None"},
    ConfigKey{"libc_search", KeyType::words,
              "('/usr/lib64/libc.so.[0-9]', '/usr/lib/x86_64-linux-gnu/libc.so.[0-9]', '/lib64/libc.so.[0-9]', "
              "'/lib/x86_64-linux-gnu/libc.so.[0-9]', '/usr/lib/libc.so.[0-9]', '/lib/libc.so.[0-9]', "
              "'/usr/libc.so.[0-9]', '/libc.so.[0-9]', '/libc.so')"},
    ConfigKey{"lib_dirs_list_nvidia", KeyType::words, "['/usr/lib/x86_64-linux-gnu', '/usr/lib64']"},
    ConfigKey{"lib_dirs_list_essential", KeyType::words,
              "('/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib')"},
    ConfigKey{"lib_dirs_list_append", KeyType::words, "('.',)"},
    ConfigKey{"access_files", KeyType::words,
              "('/sys/class/infiniband', '/dev/open-mx', '/dev/myri0', '/dev/myri1', '/dev/myri2', '/dev/myri3', "
              "'/dev/myri4', '/dev/myri5', '/dev/myri6', '/dev/myri7', '/dev/myri8', '/dev/myri9', '/dev/ipath', "
              "'/dev/kgni0', '/dev/mic/scif', '/dev/scif')"},
    ConfigKey{"use_proot_executable", KeyType::text, "'UDOCKER'"},
    ConfigKey{"use_patchelf_executable", KeyType::text, "'UDOCKER'"},
    ConfigKey{"use_runc_executable", KeyType::text, "''"},
    ConfigKey{"use_singularity_executable", KeyType::text, "''"},
    ConfigKey{"use_curl_executable", KeyType::text, "''"},
    ConfigKey{"runc_nomqueue", KeyType::tri_state, "None"},
    ConfigKey{"runc_capabilities", KeyType::words,
              "['CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', "
              "'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_NET_RAW', 'CAP_SYS_CHROOT', 'CAP_MKNOD', "
              "'CAP_AUDIT_WRITE', 'CAP_SETFCAP']"},
    ConfigKey{"singularity_options", KeyType::words, "['-w']"},
    ConfigKey{"valid_host_env", KeyType::words, "('TERM', 'PATH', 'PROOT_TMP_DIR')"},
    ConfigKey{"invalid_host_env", KeyType::words, "('VTE_VERSION',)"},
    ConfigKey{"cpu_affinity_exec_tools", KeyType::word_lists,
              "(['numactl', '-C', '%s', '--'], ['taskset', '-c', '%s'])"},
    ConfigKey{"location", KeyType::text, "''"},
    ConfigKey{"http_proxy", KeyType::text, "''"},
    ConfigKey{"http_agent", KeyType::text, "''"},
    ConfigKey{"http_insecure", KeyType::flag, "False"},
    ConfigKey{"limit_size", KeyType::number, "1048576"},
    ConfigKey{"limit_ratio", KeyType::number, "300"},
    ConfigKey{"limit_entries", KeyType::number, "20000000"},
    ConfigKey{"limit_depth", KeyType::number, "256"},
    ConfigKey{"limit_free_space", KeyType::flag, "True"},
    ConfigKey{"timeout", KeyType::number, "12"},
    ConfigKey{"ctimeout", KeyType::number, "6"},
    ConfigKey{"fast_after", KeyType::number, "32"},
    ConfigKey{"download_timeout", KeyType::number, "1800"},
    ConfigKey{"credential_helper_timeout", KeyType::number, "60"},
    ConfigKey{"dockerio_index_url", KeyType::text, "'https://hub.docker.com'"},
    ConfigKey{"dockerio_registry_url", KeyType::text, "'https://registry-1.docker.io'"},
    ConfigKey{"docker_registries", KeyType::table, "{}"},
    ConfigKey{"nvi_etc_list", KeyType::words, "['vulkan/icd.d/nvidia_icd.json', 'OpenCL/vendors/nvidia.icd']"},
    ConfigKey{"nvi_bin_list", KeyType::words,
              "['nvidia-bug-report.sh', 'nvidia-cuda-mps-control', 'nvidia-cuda-mps-server', 'nvidia-debugdump', "
              "'nvidia-installer', 'nvidia-persistenced', 'nvidia-settings', 'nvidia-smi', 'nvidia-uninstall', "
              "'nvidia-xconfig']"},
    ConfigKey{"nvi_lib_list", KeyType::words,
              "['libOpenCL.', 'libcuda.', 'libnvcuvid.', 'libnvidia-cfg.', 'libnvidia-compiler.', "
              "'libnvidia-encode.', 'libnvidia-fatbinaryloader.', 'libnvidia-fbc.', 'libnvidia-ifr.', "
              "'libnvidia-ml.', 'libnvidia-opencl.', 'libnvidia-ptxjitcompiler.', 'libnvidia-tls.', "
              "'tls/libnvidia-tls.']"},
    ConfigKey{"nvi_dev_list", KeyType::words, "['/dev/nvidia']"},
};

bool is_literal_start(std::string_view text) {
  return !text.empty() && std::string_view("[({'\"").find(text.front()) != std::string_view::npos;
}

Result<Literal> read_flag(std::string_view text) {
  static constexpr std::array<std::string_view, 4> k_true{"true", "yes", "on", "1"};
  static constexpr std::array<std::string_view, 4> k_false{"false", "no", "off", "0"};
  auto word = to_lower(text);
  if (std::find(k_true.begin(), k_true.end(), word) != k_true.end()) return Literal::of(true);
  if (std::find(k_false.begin(), k_false.end(), word) != k_false.end()) return Literal::of(false);
  return fail(Code::usage, "'" + std::string(text) + "' is not True or False");
}

Result<Literal> read_number(std::string_view text, bool may_be_negative) {
  auto number = parse_literal(text);
  bool good = number && number->kind == Literal::Kind::integer && (may_be_negative || number->number >= 0) &&
              number->number >= -1'000'000'000 && number->number <= 1'000'000'000;
  if (good) return number;
  return fail(Code::usage, "'" + std::string(text) + "' is not a whole number" + (may_be_negative ? "" : " from 0 on"));
}

// A quoted text is taken as Python would, any other as it stands.
Result<Literal> read_text(std::string_view text) {
  if (text.starts_with('\'') || text.starts_with('"')) {
    auto quoted = parse_literal(text);
    if (quoted && quoted->kind == Literal::Kind::text) return quoted;
  }
  return Literal::of(std::string(text));
}

Result<Literal> read_words(std::string_view text) {
  if (text.empty() || text == "None") return Literal::list({});
  if (is_literal_start(text)) {
    TRY_ASSIGN(auto value, parse_literal(text));
    if (value.kind == Literal::Kind::text) return Literal::list({value.text});
    if (value.words()) return value;
    return fail(Code::usage, "a list of texts is expected");
  }
  std::vector<std::string> words;
  for (auto part : split(text, ',')) {
    for (auto word : split_blank(part)) words.emplace_back(word);
  }
  return Literal::list(words);
}

Result<Literal> read_word_lists(std::string_view text) {
  TRY_ASSIGN(auto value, parse_literal(text));
  bool good = value.kind == Literal::Kind::list || value.kind == Literal::Kind::tuple;
  for (const auto& item : value.items) good = good && item.words();
  if (good) return value;
  return fail(Code::usage, "a list of lists of texts is expected");
}

Result<Literal> read_table(std::string_view text) {
  TRY_ASSIGN(auto value, parse_literal(text));
  bool good = value.kind == Literal::Kind::table;
  for (const auto& key : value.keys) good = good && key.kind == Literal::Kind::text;
  for (const auto& item : value.items) good = good && (item.kind == Literal::Kind::text || item.words());
  if (good) return value;
  return fail(Code::usage, "a table like {'name': 'value'} is expected");
}

}  // namespace

std::span<const ConfigKey> config_keys() { return k_keys; }

const ConfigKey* find_config_key(std::string_view name) {
  const auto* found =
      std::find_if(k_keys.begin(), k_keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == k_keys.end() ? nullptr : found;
}

Result<Literal> read_config_value(KeyType type, std::string_view text) {
  text = trim(text);
  switch (type) {
    case KeyType::text:
      return read_text(text);
    case KeyType::optional_text:
    case KeyType::directory:
      return text.empty() || text == "None" ? Result<Literal>(Literal()) : read_text(text);
    case KeyType::number:
    case KeyType::level:
      return read_number(text, type == KeyType::level);
    case KeyType::tri_state:
      return text.empty() || text == "None" ? Result<Literal>(Literal()) : read_flag(text);
    case KeyType::flag:
      return read_flag(text);
    case KeyType::words:
      return read_words(text);
    case KeyType::word_lists:
      return read_word_lists(text);
    case KeyType::table:
      return read_table(text);
  }
  return fail(Code::internal, "configuration key of an unknown type");
}

}  // namespace udk::cli
