// The same loader as loader_x86_64.S for 32-bit programs, as data of the 64-bit udocker. There are no return stubs.
//
// Command: 8 words of 32 bits: number, six arguments, flags; see loader_image.hpp.
#define OP_FINISH 0x1000
#define OP_ZERO   0x1001
#define OP_STORE  0x1002
#define F_SET_BASE  1
#define F_SET_FD    2
#define F_ADD_BASE0 4
#define F_FD4       8
#define F_ADD_BASE1 16
#define F_FD0       32
#define F_MAY_FAIL  64

        .section .rodata.udk_loader_i386,"a",@progbits
        .balign 16
        .globl udk_loader_i386_begin, udk_loader_i386_syscall_end, udk_loader_i386_end
        .code32

// A call takes all registers but the stack pointer, so the state is in the page behind the code (the first scratch
// slot): 0 the next command, 4 the base, 8 the descriptor, 12 the flags of the command. %esp is the stack as the kernel
// made it; the little that is pushed below it is in nobody's way.
udk_loader_i386_begin:
        call    1f
1:      pop     %ebp
        and     $~4095, %ebp
        add     $4096, %ebp
        mov     (%ebp), %eax
        addl    $32, (%ebp)
        mov     28(%eax), %edx
        mov     %edx, 12(%ebp)
        mov     4(%eax), %ebx
        mov     8(%eax), %ecx
        mov     20(%eax), %edi
        test    $F_ADD_BASE0, %edx
        jz      1f
        add     4(%ebp), %ebx
1:      test    $F_ADD_BASE1, %edx
        jz      1f
        add     4(%ebp), %ecx
1:      test    $F_FD4, %edx
        jz      1f
        mov     8(%ebp), %edi
1:      test    $F_FD0, %edx
        jz      1f
        mov     8(%ebp), %ebx
1:      mov     12(%eax), %edx
        mov     16(%eax), %esi
        mov     24(%eax), %ebp
        mov     (%eax), %eax
        cmp     $OP_FINISH, %eax
        je      finish
        cmp     $OP_ZERO, %eax
        je      zero
        cmp     $OP_STORE, %eax
        je      store
        int     $0x80
udk_loader_i386_syscall_end:
        call    1f
1:      pop     %ebp
        and     $~4095, %ebp
        add     $4096, %ebp
        mov     12(%ebp), %edx
        cmp     $-4095, %eax
        jae     failed
        test    $F_SET_BASE, %edx
        jz      1f
        mov     %eax, 4(%ebp)
1:      test    $F_SET_FD, %edx
        jz      udk_loader_i386_begin
        mov     %eax, 8(%ebp)
        jmp     udk_loader_i386_begin
failed: test    $F_MAY_FAIL, %edx
        jnz     udk_loader_i386_begin
        hlt                         // SIGSEGV, as Linux kills a process whose exec fails half way
zero:   mov     %ebx, %edi
        xor     %eax, %eax
        rep stosb
        jmp     udk_loader_i386_begin
store:  mov     %ecx, (%ebx)
        jmp     udk_loader_i386_begin
finish: push    %ebx
        xor     %eax, %eax
        xor     %ebx, %ebx
        xor     %ecx, %ecx
        xor     %edx, %edx
        xor     %esi, %esi
        xor     %edi, %edi
        xor     %ebp, %ebp
        ret
udk_loader_i386_end:
        .code64
        .section .note.GNU-stack,"",@progbits
