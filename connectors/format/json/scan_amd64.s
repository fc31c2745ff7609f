#include "textflag.h"

DATA quotes<>+0(SB)/8, $0x2222222222222222
DATA quotes<>+8(SB)/8, $0x2222222222222222
GLOBL quotes<>(SB), RODATA|NOPTR, $16

DATA backslashes<>+0(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA backslashes<>+8(SB)/8, $0x5c5c5c5c5c5c5c5c
GLOBL backslashes<>(SB), RODATA|NOPTR, $16

DATA spaces<>+0(SB)/8, $0x2020202020202020
DATA spaces<>+8(SB)/8, $0x2020202020202020
GLOBL spaces<>(SB), RODATA|NOPTR, $16

// func plainBlocks(src []byte, i int) int
//
// Compared as signed bytes, control characters and everything that is not ASCII lie below the space: one comparison finds both.
TEXT ·plainBlocks(SB), NOSPLIT, $0-40
	MOVQ src_base+0(FP), SI
	MOVQ src_len+8(FP), DX
	MOVQ i+24(FP), AX
	MOVOU quotes<>(SB), X1
	MOVOU backslashes<>(SB), X2
	MOVOU spaces<>(SB), X3

block:
	LEAQ 16(AX), CX
	CMPQ CX, DX
	JGT  done
	MOVOU (SI)(AX*1), X0
	MOVO X0, X4
	MOVO X0, X5
	MOVO X3, X6
	PCMPEQB X1, X4
	PCMPEQB X2, X5
	PCMPGTB X0, X6
	POR X5, X4
	POR X6, X4
	PMOVMSKB X4, BX
	TESTL BX, BX
	JNZ  found
	MOVQ CX, AX
	JMP  block

found:
	BSFL BX, BX
	ADDQ BX, AX

done:
	MOVQ AX, ret+32(FP)
	RET
