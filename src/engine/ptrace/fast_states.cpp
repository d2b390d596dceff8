#include <cerrno>

#include "engine/ptrace/fast_sites.hpp"
#include "engine/ptrace/memory.hpp"
#include "engine/ptrace/task.hpp"
#include "guest/runtime_image.hpp"

// The states of the runtime, from its labels (guest/runtime.S) and the registers. Calls that only ask are made again
// from the guest's own place; what a call has opened stays opened.
namespace udk::engine {
namespace {

using guest::runtime_header;

constexpr Word k_carry = 1;  // in the flags

// What the kernel has in rax when a signal has ended a call that may be restarted (linux/errno.h), or EINTR.
bool is_cut_short(Word result) {
  const auto error = -static_cast<std::int64_t>(result);
  return (error >= 512 && error <= 516) || error == EINTR;
}

Word data_at(const Task& task) { return task.memory->loader + guest::k_data_at; }
Word slots_at(const Task& task) { return task.memory->loader + guest::k_slots_at; }

void release_slot(const Task& task, Word number) {
  constexpr std::uint16_t k_free = 0;
  if (number < guest::k_slot_number)
    write_object(task.tid, data_at(task) + offsetof(guest::Data, busy) + number * sizeof k_free, k_free);
}

// Everything from the slot; the call is done with `result`, or is to be made by the guest.
void restore(Registers& regs, const guest::Slot& slot) {
  regs.rsp = slot.rsp;
  regs.rdi = slot.rdi;
  regs.rsi = slot.rsi;
  regs.rdx = slot.rdx;
  regs.r10 = slot.r10;
  regs.r8 = slot.r8;
  regs.r9 = slot.r9;
  regs.rbx = slot.rbx;
  regs.rbp = slot.rbp;
  regs.r12 = slot.r12;
  regs.r13 = slot.r13;
  regs.r14 = slot.r14;
  regs.r15 = slot.r15;
  regs.rax = slot.rax;
  regs.rip = slot.site;
}

void finish(Registers& regs, Word result) {
  const Word call = regs.rax;
  regs.rax = result;
  regs.rip += k_syscall_size;
  regs.rcx = regs.rip;
  regs.r11 = regs.eflags;
  if (is_cut_short(result)) regs.orig_rax = call;  // the kernel restarts it there, or says EINTR
}

// rsp is in a slot.
bool leave_work(Task& task, Registers& regs, Word offset) {
  const Word slots = slots_at(task);
  const Word at = (regs.rsp - 1) & ~Word{guest::k_slot_bytes - 1};
  if (at < slots || at >= slots + guest::k_slot_bytes * guest::k_slot_number) return false;
  guest::Slot slot;
  constexpr std::size_t k_head = offsetof(guest::Slot, unused);
  if (read_memory(task.tid, at, &slot, k_head) != 0) return false;
  const bool just_opened = offset >= runtime_header().open_end && offset < runtime_header().open_noted;
  const Word result = just_opened ? regs.rax : slot.result;
  restore(regs, slot);
  regs.orig_rax = ~Word{0};
  const bool opened = (just_opened || slot.done != 0) && static_cast<std::int64_t>(result) >= 0;
  if (opened || (just_opened && is_cut_short(result))) finish(regs, result);
  release_slot(task, (at - slots) / guest::k_slot_bytes);
  return true;
}

// The number of the slot that the caller holds at a label; k_slot_number: none.
Word held_slot(const Task& task, const Registers& regs, Word offset) {
  const guest::RuntimeHeader& header = runtime_header();
  const Word marked = (regs.r11 - data_at(task)) / sizeof(std::uint16_t);
  if (offset == header.taken) return (regs.eflags & k_carry) == 0 ? marked : guest::k_slot_number;
  if (offset == header.owned || offset == header.addressed) return marked;
  if (offset == header.doubled || offset == header.unscaled) return regs.r11 / 2;
  if (offset == header.scaled || offset == header.unbased) return regs.r11 / guest::k_slot_bytes;
  if ((offset >= header.saving && offset < header.working) || offset == header.restored)
    return (regs.r11 - slots_at(task)) / guest::k_slot_bytes;
  return guest::k_slot_number;
}

bool leave_code(Task& task, Registers& regs, Word offset) {
  const guest::RuntimeHeader& header = runtime_header();
  if (offset < header.entry) return false;
  if (offset >= header.working && offset != header.restored && offset != header.unbased && offset != header.unscaled &&
      offset != header.addressed && offset != header.released)
    return leave_work(task, regs, offset);
  release_slot(task, held_slot(task, regs, offset));
  regs.rip = regs.rcx;  // the registers are the guest's
  return true;
}

}  // namespace

bool leave_runtime(Task& task, Registers& regs) {
  const FastSpace& space = task.memory->fast;
  if (!space.ready) return false;
  if (regs.rip >= space.area && regs.rip < space.area + space.sites.size() * k_fast_trampoline_size) {
    regs.rip = space.sites[(regs.rip - space.area) / k_fast_trampoline_size];
    return true;
  }
  const Word begin = task.memory->loader + guest::k_runtime_at;
  if (regs.rip < begin || regs.rip >= begin + guest::k_runtime_size) return false;
  return leave_code(task, regs, regs.rip - begin);
}

}  // namespace udk::engine
