/* Makes a contract or a command of a program. */
#include "program.h"

#if defined(__riscv)

static u64 host(u64 number, u64 a, u64 b, u64 c) {
  register u64 a7 __asm__("a7") = number;
  register u64 a0 __asm__("a0") = a;
  register u64 a1 __asm__("a1") = b;
  register u64 a2 __asm__("a2") = c;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

/* The linker makes addresses of data relative to gp. */
__asm__(
    ".globl _start\n"
    "_start:\n"
    ".option push\n"
    ".option norelax\n"
    "  la gp, __global_pointer$\n"
    ".option pop\n"
    "  j start\n");

__attribute__((used)) static void start(void) {
  static u64 word;
  host(2, (u64)&word, 0, 8);
  word = run(word);
  host(3, (u64)&word, 8, 0);
  host(4, 0, 0, 0);
}

#elif defined(__wasm__)

#define HOST(name) __attribute__((import_module("ostrom"), import_name(#name)))
HOST(input_copy) void input_copy(void *to, u32 offset, u32 size);
HOST(output) void output(const void *from, u32 size);

__attribute__((export_name("call"))) u32 call(void) {
  static u64 word;
  input_copy(&word, 0, 8);
  word = run(word);
  output(&word, 8);
  return 0;
}

/* What the compiler calls for a product of 128 bits. */
void __multi3(u64 *product, u64 a, u64 a_high, u64 b, u64 b_high) {
  u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
  u64 middle = a1 * b0 + (a0 * b0 >> 32);
  u64 other = a0 * b1 + (u32)middle;
  product[0] = a * b;
  product[1] = a1 * b1 + (middle >> 32) + (other >> 32) + a * b_high + a_high * b;
}

#else

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int count, char **arguments) {
  if (count != 3) return 1;
  u64 n = strtoull(arguments[1], 0, 10);
  int repetitions = atoi(arguments[2]);
  u64 best = ~0ull, result = 0;
  for (int i = 0; i < repetitions; i++) {
    struct timespec start, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    result = run(n);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    u64 ns = (end.tv_sec - start.tv_sec) * 1000000000ull + end.tv_nsec - start.tv_nsec;
    if (ns < best) best = ns;
  }
  printf("%llu %llx\n", best, result);
  return 0;
}

#endif
