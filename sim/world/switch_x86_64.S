/* SPDX-License-Identifier: MIT
 *
 * The fiber switch: saves what the System V ABI lets a callee keep, swaps stacks, goes on there.
 *   void weir_sim_switch(void** save_here, void* go_on_at)
 * It ends in pop and jmp: a ret to an address that no call has pushed defeats the processor's
 * return predictor, which costs more than the rest. The floating-point control words are left
 * alone: a world has one rounding mode.
 */
#if defined(__x86_64__)
        .text
        .globl  weir_sim_switch
        .hidden weir_sim_switch
        .type   weir_sim_switch, @function
        .p2align 4
weir_sim_switch:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        jmp     *%rcx
        .cfi_endproc
        .size   weir_sim_switch, .-weir_sim_switch

/* Where a new fiber begins: r12 is its function, r13 the argument. Unwinders stop here; they look
 * up the address before the one they return to, hence the nop. */
        .globl  weir_sim_begin
        .hidden weir_sim_begin
        .type   weir_sim_begin, @function
        .cfi_startproc
        .cfi_undefined %rip
weir_sim_before_begin:
        nop
weir_sim_begin:
        movq    %r13, %rdi
        call    *%r12
        ud2
        .cfi_endproc
        .size   weir_sim_begin, .-weir_sim_begin
#endif
        .section .note.GNU-stack, "", @progbits
