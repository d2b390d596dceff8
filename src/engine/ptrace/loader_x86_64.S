// The code that every guest process carries: a loader that the tracer hands a list of commands, and the return stubs.
// Position independent; loader_image.cpp wraps it into an ELF file. It is data of udocker itself, never run in it.
//
// Command: 8 words: number, six arguments, flags. Numbers below 0x1000 are system calls.
#define OP_FINISH 0x1000  /* jump to argument 0 */
#define OP_ZERO   0x1001  /* clear argument 1 bytes at argument 0 */
#define OP_STORE  0x1002  /* write argument 1 at address argument 0 */
#define F_SET_BASE  1     /* the result is the base */
#define F_SET_FD    2     /* the result is the descriptor */
#define F_ADD_BASE0 4     /* add the base to argument 0 */
#define F_FD4       8     /* argument 4 is the descriptor */
#define F_ADD_BASE1 16    /* add the base to argument 1 */
#define F_FD0       32    /* argument 0 is the descriptor */
#define F_MAY_FAIL  64    /* go on after an error */

        .section .rodata.udk_loader,"a",@progbits
        .balign 16
        .globl udk_loader_begin, udk_loader_syscall_end, udk_loader_end
        .globl udk_stub_rdi, udk_stub_rsi, udk_stub_rdx, udk_stub_r10, udk_stub_r8

// r12: the commands; rsp: the stack as the kernel made it. r13 is the base, r14 the descriptor.
udk_loader_begin:
        mov     (%r12), %rax
        mov     8(%r12), %rdi
        mov     16(%r12), %rsi
        mov     24(%r12), %rdx
        mov     32(%r12), %r10
        mov     40(%r12), %r8
        mov     48(%r12), %r9
        mov     56(%r12), %rbx
        add     $64, %r12
        test    $F_ADD_BASE0, %ebx
        jz      1f
        add     %r13, %rdi
1:      test    $F_ADD_BASE1, %ebx
        jz      1f
        add     %r13, %rsi
1:      test    $F_FD4, %ebx
        jz      1f
        mov     %r14, %r8
1:      test    $F_FD0, %ebx
        jz      1f
        mov     %r14, %rdi
1:      cmp     $OP_FINISH, %rax
        je      finish
        cmp     $OP_ZERO, %rax
        je      zero
        cmp     $OP_STORE, %rax
        je      store
        syscall
udk_loader_syscall_end:
        cmp     $-4095, %rax
        jae     failed
        test    $F_SET_BASE, %ebx
        jz      1f
        mov     %rax, %r13
1:      test    $F_SET_FD, %ebx
        jz      udk_loader_begin
        mov     %rax, %r14
        jmp     udk_loader_begin
failed: test    $F_MAY_FAIL, %ebx
        jnz     udk_loader_begin
        hlt                         // SIGSEGV, as Linux kills a process whose exec fails half way
zero:   mov     %rsi, %rcx
        xor     %eax, %eax
        rep stosb
        jmp     udk_loader_begin
store:  mov     %rsi, (%rdi)
        jmp     udk_loader_begin
finish: push    %rdi
        xor     %eax, %eax
        xor     %ebx, %ebx
        xor     %ecx, %ecx
        xor     %edx, %edx
        xor     %esi, %esi
        xor     %edi, %edi
        xor     %ebp, %ebp
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        xor     %r10d, %r10d
        xor     %r11d, %r11d
        xor     %r12d, %r12d
        xor     %r13d, %r13d
        xor     %r14d, %r14d
        xor     %r15d, %r15d
        ret

// Return stubs. A call whose path register was replaced returns here instead of to its own place: r11 holds the
// register's own value, rcx the place to return to. Both are free to change in a system call. The `syscall` in front is
// what the kernel backs up to when it restarts a call; the tracer sees that and puts the call's own state back.
        .macro  stub name, register
        syscall
\name:  mov     %r11, %\register
        notrack jmp *%rcx
        .endm
        stub    udk_stub_rdi, rdi
        stub    udk_stub_rsi, rsi
        stub    udk_stub_rdx, rdx
        stub    udk_stub_r10, r10
        stub    udk_stub_r8, r8
udk_loader_end:
        .section .note.GNU-stack,"",@progbits
