/* What the RISC-V project's instruction tests need of the machine that they run on, for contracts: a test that passes ends by
 * exit(0). One that fails outputs the number of the case, 8 bytes, and ends by exit(1). */
#ifndef OSTROM_RISCV_TEST_H
#define OSTROM_RISCV_TEST_H

#define TESTNUM gp

#define RVTEST_RV64U
#define RVTEST_RV32U
#define RVTEST_ENABLE_RVC

#define RVTEST_CODE_BEGIN \
  .text;                  \
  .globl _start;          \
  _start:                 \
  li TESTNUM, 0;

#define RVTEST_CODE_END

#define RVTEST_PASS \
  li a7, 4;         \
  li a0, 0;         \
  ecall;

#define RVTEST_FAIL    \
  la a0, failed_case;  \
  sd TESTNUM, 0(a0);   \
  li a1, 8;            \
  li a7, 3;            \
  ecall;               \
  li a7, 4;            \
  li a0, 1;            \
  ecall;

#define EXTRA_DATA

#define RVTEST_DATA_BEGIN \
  .align 3;               \
  failed_case:            \
  .dword 0;               \
  EXTRA_DATA

#define RVTEST_DATA_END

#endif
