#pragma once

#include <cstddef>
#include <cstdint>

// What the engine and the code that it puts into guest processes share: structures in memory. Only x86-64.
namespace udk::guest {

// Where things are, counted from the loader's base: the loader's own page, then the runtime (code, then room for the
// trampolines of programs that are linked below 2 GiB), then its private data and slots, then the engine's scratch
// memory.
inline constexpr std::size_t k_page = 4096;
inline constexpr std::size_t k_runtime_at = k_page;
inline constexpr std::size_t k_runtime_size = 2 * k_page;
inline constexpr std::size_t k_trampolines_at = k_runtime_at + k_runtime_size;
inline constexpr std::size_t k_trampolines_size = 4 * k_page;
inline constexpr std::size_t k_data_at = k_trampolines_at + k_trampolines_size;
inline constexpr std::size_t k_slots_at = k_data_at + k_page;
inline constexpr std::size_t k_slot_bytes = 4096;
inline constexpr std::size_t k_slot_number = 64;
inline constexpr std::size_t k_scratch_at = k_slots_at + k_slot_bytes * k_slot_number;

// A call in progress: the guest's registers, and memory to work in. The offsets are written down in runtime.S too.
struct Slot {
  std::uint64_t rsp, rax, rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15;
  std::uint64_t site;    // address of the guest's own system call instruction
  std::uint64_t result;  // of the call, if it is done
  std::uint64_t done;    // 1: the kernel has made the guest's call, so that it must not be made again
  char unused[k_slot_bytes / 8 - 17 * sizeof(std::uint64_t)];
  alignas(16) unsigned char answer[256];  // what the kernel says: struct stat, struct statx, or a link's text
  char given[512];                        // the path as the guest gave it
  char host[768];                         // the path for the kernel
  unsigned char stack[k_slot_bytes - 2048];
};
static_assert(sizeof(Slot) == k_slot_bytes && offsetof(Slot, answer) == 512 && offsetof(Slot, stack) == 2048);

// Whether a directory of the guest is where it is was found out by the engine a moment ago.
struct Directory {
  std::uint32_t version;  // odd while it is written
  std::uint16_t given_size, host_size;
  std::uint64_t follows;            // != 0: links lie on the way, so that removals matter
  std::uint64_t deadline;           // in ticks of the time-stamp counter
  std::uint64_t generation, links;  // of View when it was found out
  char given[200];                  // as guests write it
  char host[344];
};

// What the engine tells all guest processes; they can only read it.
struct View {
  std::uint64_t generation;   // counts what may lead any path elsewhere: renames, new links
  std::uint64_t links;        // counts removals, which concern only directories behind links
  std::uint64_t special_dev;  // st_dev of /proc: files that are not what they seem
  std::uint32_t pending;      // != 0: a file with an owner of its own is about to appear
  std::uint32_t emulate;      // != 0: ids are emulated
  std::uint32_t read_only;    // != 0: some mount is read-only
  std::uint32_t host_uid, host_gid, uid, gid;
  std::uint32_t leaf_count;
  std::uint64_t leaves[64];                // hashes of the last components of mount points
  std::uint64_t believed[64 * 1024 / 64];  // a Bloom filter of the files of which the engine believes something
  Directory directories[1024];
};

// Private to each address space; zero until the engine patches a program in it.
struct Data {
  std::uint16_t busy[k_slot_number];  // 1: the slot is in use
  std::uint64_t busy_address;         // of this structure's own `busy`
  std::uint64_t slots;                // address of the first one
  std::uint64_t allowed;              // != 0: calls may be served here
  std::uint64_t view_address;         // where to map the view
  std::uint64_t view;                 // != 0: it is mapped there
  char view_path[64];
};
static_assert(offsetof(Data, busy_address) == 128 && offsetof(Data, slots) == 136);

constexpr std::uint64_t k_hash_seed = 0x9e3779b97f4a7c15;

// Of a path or a name, eight bytes at a time.
constexpr std::uint64_t hash_step(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * k_hash_seed;
  return hash ^ hash >> 29;
}
inline std::uint64_t hash_text(const char* text, std::size_t size) {
  std::uint64_t hash = size;
  for (; size >= 8; text += 8, size -= 8) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, text, 8);
    hash = hash_step(hash, word);
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return hash_step(hash, word);
}
constexpr std::size_t k_directories = sizeof(View::directories) / sizeof(Directory);
constexpr std::uint64_t k_filter_bits = 64 * 1024;
// The two bits of a file.
constexpr std::uint64_t file_hash(std::uint64_t device, std::uint64_t inode) {
  return hash_step(hash_step(0, device), inode);
}

// The head of the runtime's code: offsets from its begin.
struct RuntimeHeader {
  std::uint32_t entry;       // where trampolines jump to: rcx is the site
  std::uint32_t taken;       // a slot belongs to the caller if the carry flag is clear; r11 is the address of its mark
  std::uint32_t owned;       // it does; r11 as before
  std::uint32_t doubled;     // r11 is twice its number
  std::uint32_t scaled;      // r11 is its offset
  std::uint32_t saving;      // r11 is its address; registers are the guest's
  std::uint32_t working;     // rsp is in the slot; registers are saved
  std::uint32_t restored;    // registers are the guest's again, but rcx is where it goes on; r11 is the address
  std::uint32_t unbased;     // r11 is the offset
  std::uint32_t unscaled;    // r11 is twice the number
  std::uint32_t addressed;   // r11 is the address of the mark
  std::uint32_t released;    // the slot is given back
  std::uint32_t gate_end;    // behind the system call that asks
  std::uint32_t open_end;    // behind the one that opens; rax is the result
  std::uint32_t open_noted;  // the result is in the slot
};

}  // namespace udk::guest
