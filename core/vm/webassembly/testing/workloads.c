/* What `webassembly.bench.ts` measures, compiled from this one source: natively, where main() times it, and as contracts, one for
 * each WORKLOAD, whose input is a count and whose output is the result (8 bytes each, little-endian). */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SIEVE_SIZE 1000000
#define SORT_SIZE 30000
#define APART __attribute__((noinline))

/* Primes below SIEVE_SIZE. */
static u8 composite[SIEVE_SIZE];

APART static u64 sieve(u64 rounds) {
  u64 primes = 0;
  for (u64 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < SIEVE_SIZE; i++) composite[i] = 0;
    for (u32 i = 2; i < SIEVE_SIZE; i++) {
      if (composite[i]) continue;
      primes++;
      for (u64 j = (u64)i * i; j < SIEVE_SIZE; j += i) composite[j] = 1;
    }
  }
  return primes;
}

/* Keccak-f[1600] (FIPS 202), lanes in place. */
static u64 lanes[25];
static const u64 iota[24] = {
    0x0000000000000001ULL, 0x0000000000008082ULL, 0x800000000000808aULL, 0x8000000080008000ULL, 0x000000000000808bULL,
    0x0000000080000001ULL, 0x8000000080008081ULL, 0x8000000000008009ULL, 0x000000000000008aULL, 0x0000000000000088ULL,
    0x0000000080008009ULL, 0x000000008000000aULL, 0x000000008000808bULL, 0x800000000000008bULL, 0x8000000000008089ULL,
    0x8000000000008003ULL, 0x8000000000008002ULL, 0x8000000000000080ULL, 0x000000000000800aULL, 0x800000008000000aULL,
    0x8000000080008081ULL, 0x8000000000008080ULL, 0x0000000080000001ULL, 0x8000000080008008ULL};
static const u8 rho[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
static const u8 pi[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};

static u64 rotated(u64 word, u32 by) { return (word << by) | (word >> (64 - by)); }

APART static u64 keccak(u64 permutations) {
  for (u32 i = 0; i < 25; i++) lanes[i] = 0;
  for (u64 k = 0; k < permutations; k++) {
    for (u32 round = 0; round < 24; round++) {
      u64 column[5];
      for (u32 x = 0; x < 5; x++)
        column[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
      for (u32 x = 0; x < 5; x++) {
        u64 mixed = column[(x + 4) % 5] ^ rotated(column[(x + 1) % 5], 1);
        for (u32 y = 0; y < 25; y += 5) lanes[x + y] ^= mixed;
      }
      u64 moving = lanes[1];
      for (u32 i = 0; i < 24; i++) {
        u64 next = lanes[pi[i]];
        lanes[pi[i]] = rotated(moving, rho[i]);
        moving = next;
      }
      for (u32 y = 0; y < 25; y += 5) {
        u64 row[5];
        for (u32 x = 0; x < 5; x++) row[x] = lanes[y + x];
        for (u32 x = 0; x < 5; x++) lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
      }
      lanes[0] ^= iota[round];
    }
  }
  return lanes[0];
}

/* Quicksort by Hoare's partition, recursive. */
static u32 numbers[SORT_SIZE];

APART static void sort_between(u32 *items, int low, int high) {
  while (low < high) {
    u32 pivot = items[low + (high - low) / 2];
    int left = low - 1;
    int right = high + 1;
    for (;;) {
      do left++;
      while (items[left] < pivot);
      do right--;
      while (items[right] > pivot);
      if (left >= right) break;
      u32 item = items[left];
      items[left] = items[right];
      items[right] = item;
    }
    sort_between(items, low, right);
    low = right + 1;
  }
}

APART static u64 sort(u64 rounds) {
  u32 random = 12345;
  for (u64 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < SORT_SIZE; i++) {
      random ^= random << 13;
      random ^= random >> 17;
      random ^= random << 5;
      numbers[i] = random;
    }
    sort_between(numbers, 0, SORT_SIZE - 1);
  }
  return numbers[7] ^ ((u64)numbers[SORT_SIZE / 2] << 32);
}

/* Calls and hardly anything else. */
APART static u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

/* 256 by 256 bits to 512, schoolbook, on 64-bit limbs. */
APART static u64 multiply(u64 rounds) {
  u64 a[4] = {rounds | 1, 0x0123456789abcdefULL, 0xfedcba9876543210ULL, 1};
  const u64 b[4] = {3, 5, 7, 0xdeadbeefULL};
  for (u64 k = 0; k < rounds; k++) {
    u64 product[8] = {0};
    for (u32 i = 0; i < 4; i++) {
      u64 carry = 0;
      for (u32 j = 0; j < 4; j++) {
        unsigned __int128 sum = (unsigned __int128)a[i] * b[j] + product[i + j] + carry;
        product[i + j] = (u64)sum;
        carry = (u64)(sum >> 64);
      }
      product[i + 4] = carry;
    }
    for (u32 i = 0; i < 4; i++) a[i] = product[i] ^ product[i + 4];
  }
  return a[0] ^ a[3];
}

/* An interpreter of a made-up bytecode: one indirect branch for each step. */
static const u8 program[64] = {1, 5, 2, 3, 3, 1, 4, 7, 2, 9, 5, 1, 3, 2, 1, 1, 6, 4, 2, 2, 7, 0};

APART static u64 interpret(u64 steps) {
  u64 a = 1;
  u64 b = 7;
  u64 sum = 0;
  u32 at = 0;
  for (u64 step = 0; step < steps; step++) {
    switch (program[at]) {
      case 0:
        at = 0;
        sum += a;
        continue;
      case 1: a += b; break;
      case 2: a ^= a << 3; break;
      case 3: b = b * 31 + a; break;
      case 4:
        if (a & 1) at++;
        break;
      case 5: a -= b >> 2; break;
      case 6: b ^= a >> 5; break;
      case 7:
        if (b & 4) at++;
        break;
      default: a = ~a; break;
    }
    at = (at + 1) & 63;
  }
  return sum ^ a ^ b;
}

static u64 run(u64 workload, u64 count) {
  switch (workload) {
    case 0: return sieve(count);
    case 1: return keccak(count);
    case 2: return sort(count);
    case 3: return fibonacci(count);
    case 4: return multiply(count);
    default: return interpret(count);
  }
}

#ifdef __wasm__

#define HOST(name) __attribute__((import_module("ostrom"), import_name(#name)))

HOST(input_copy) void host_input_copy(void *to, u32 offset, u32 size);
HOST(output) void host_output(const void *from, u32 size);

/* The product of two 128-bit numbers, for which clang has no instructions here: compiler-rt's part in it. */
void __multi3(u64 *to, u64 a_low, u64 a_high, u64 b_low, u64 b_high) {
  u64 a0 = (u32)a_low, a1 = a_low >> 32, b0 = (u32)b_low, b1 = b_low >> 32;
  u64 low = a0 * b0, upper = a1 * b0, lower = a0 * b1;
  u64 middle = (low >> 32) + (u32)lower + upper;
  to[0] = a_low * b_low;
  to[1] = a1 * b1 + (lower >> 32) + (middle >> 32) + a_low * b_high + a_high * b_low;
}

__attribute__((export_name("call"))) int call(void) {
  u64 count;
  host_input_copy(&count, 0, sizeof count);
  u64 result = run(WORKLOAD, count);
  host_output(&result, sizeof result);
  return 0;
}

#else

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* workload, count, repetitions: prints the least time in milliseconds, and the result. */
int main(int argument_count, char **arguments) {
  if (argument_count != 4) return 2;
  u64 workload = strtoull(arguments[1], 0, 10);
  u64 count = strtoull(arguments[2], 0, 10);
  double best = 1e300;
  u64 result = 0;
  for (int repetition = atoi(arguments[3]); repetition > 0; repetition--) {
    double start = milliseconds();
    result = run(workload, count);
    double took = milliseconds() - start;
    if (took < best) best = took;
  }
  printf("%.4f %016llx\n", best, result);
  return 0;
}

#endif
