// The runtime that the engine puts into guest processes: entry, gates and exit. runtime.ld puts it at the begin of the
// image; fast_calls.cpp is the part in C++. State can be read off the registers at each instruction, so that the engine
// can take a thread out of here when a signal is about to be delivered (engine/ptrace/fast_states.cpp).
#define S_RSP 0
#define S_RAX 8
#define S_SITE 112
#define S_RESULT 120
#define S_DONE 128
#define SLOT_SHIFT 12
#define SLOT_SIZE 4096
#define SLOT_NUMBER 64
#define D_BUSY_ADDRESS 128
#define D_SLOTS 136

// The registers that are the guest's, in the order of the slot (guest::Slot), from or to the slot at r11.
        .macro  registers way
        .set    at, S_RAX
        .irp    name, rdi, rsi, rdx, r10, r8, r9, rbx, rbp, r12, r13, r14, r15
        .set    at, at + 8
        .ifc    \way, save
        mov     %\name, at(%r11)
        .else
        mov     at(%r11), %\name
        .endif
        .endr
        .endm

        .section .text.begin,"ax",@progbits
        .globl udk_runtime_header, udk_gate, udk_gate_open
        .hidden udk_fast, udk_data
udk_runtime_header:
        .irp label, entry, taken, owned, doubled, scaled, saving, working, restored, unbased, unscaled, addressed, released, gate_end, open_end, open_noted
        .long   udk_\label - udk_runtime_header
        .endr
        .balign 16

// rcx: the address of the guest's system call instruction; rax: the number; all other registers are the guest's, and
// r11 is free, as in any system call. Without a slot the guest makes its call itself.
udk_entry:
        lea     udk_data(%rip), %r11
1:      lock btsw $0, (%r11)
udk_taken:
        jnc     udk_owned
        add     $2, %r11
        test    $(2 * SLOT_NUMBER - 1), %r11b
        jnz     1b
        jmp     udk_give_up
udk_owned:
        sub     udk_data+D_BUSY_ADDRESS(%rip), %r11
udk_doubled:
        shl     $(SLOT_SHIFT - 1), %r11
udk_scaled:
        add     udk_data+D_SLOTS(%rip), %r11
udk_saving:
        mov     %rsp, S_RSP(%r11)
        mov     %rax, S_RAX(%r11)
        registers save
        mov     %rcx, S_SITE(%r11)
        movq    $0, S_DONE(%r11)
        lea     SLOT_SIZE(%r11), %rsp
udk_working:
        mov     %r11, %rdi
        mov     %r11, %rbx
        call    udk_fast
        mov     %rbx, %r11
        mov     S_SITE(%r11), %rcx
        test    %eax, %eax
        mov     S_RAX(%r11), %rax
        jz      1f
        mov     S_RESULT(%r11), %rax
        lea     2(%rcx), %rcx
1:      registers load
        mov     S_RSP(%r11), %rsp
udk_restored:
        sub     udk_data+D_SLOTS(%rip), %r11
udk_unbased:
        shr     $(SLOT_SHIFT - 1), %r11
udk_unscaled:
        add     udk_data+D_BUSY_ADDRESS(%rip), %r11
udk_addressed:
        movw    $0, (%r11)
udk_released:
udk_give_up:
        notrack jmp *%rcx

// long udk_gate(long number, long a, long b, long c, long d, long e): a call whose repetition does no harm.
udk_gate:
        mov     %rdi, %rax
        mov     %rsi, %rdi
        mov     %rdx, %rsi
        mov     %rcx, %rdx
        mov     %r8, %r10
        mov     %r9, %r8
        xor     %r9d, %r9d
        syscall
udk_gate_end:
        ret

// long udk_gate_open(long dir, const char* path, long flags, Slot*): openat(2), noted in the slot as done.
udk_gate_open:
        mov     %rcx, %r8
        xor     %r10d, %r10d
        mov     $257, %eax
        syscall
udk_open_end:
        mov     %rax, S_RESULT(%r8)
        movq    $1, S_DONE(%r8)
udk_open_noted:
        ret
        .section .note.GNU-stack,"",@progbits
