        .section .rodata.udk_runtime,"a",@progbits
        .balign 16
        .globl udk_runtime_begin, udk_runtime_end
udk_runtime_begin:
        .incbin UDK_RUNTIME_FILE
udk_runtime_end:
        .section .note.GNU-stack,"",@progbits
