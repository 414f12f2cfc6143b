/* The permutation Keccak-f[1600], n times: 64-bit logic and rotations. Source: FIPS 202. */
#include "program.h"

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

static const u64 round_constants[24] = {
    0x0000000000000001ull, 0x0000000000008082ull, 0x800000000000808aull, 0x8000000080008000ull,
    0x000000000000808bull, 0x0000000080000001ull, 0x8000000080008081ull, 0x8000000000008009ull,
    0x000000000000008aull, 0x0000000000000088ull, 0x0000000080008009ull, 0x000000008000000aull,
    0x000000008000808bull, 0x800000000000008bull, 0x8000000000008089ull, 0x8000000000008003ull,
    0x8000000000008002ull, 0x8000000000000080ull, 0x000000000000800aull, 0x800000008000000aull,
    0x8000000080008081ull, 0x8000000000008080ull, 0x0000000080000001ull, 0x8000000080008008ull,
};
static const int rotations[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                  27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
static const int lanes[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                              15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};

static u64 state[25];

static void permute(void) {
  for (int round = 0; round < 24; round++) {
    u64 parity[5], kept;
    for (int i = 0; i < 5; i++) parity[i] = state[i] ^ state[i + 5] ^ state[i + 10] ^ state[i + 15] ^ state[i + 20];
    for (int i = 0; i < 5; i++) {
      kept = parity[(i + 4) % 5] ^ ROTATE(parity[(i + 1) % 5], 1);
      for (int j = 0; j < 25; j += 5) state[i + j] ^= kept;
    }
    kept = state[1];
    for (int i = 0; i < 24; i++) {
      u64 next = state[lanes[i]];
      state[lanes[i]] = ROTATE(kept, rotations[i]);
      kept = next;
    }
    for (int j = 0; j < 25; j += 5) {
      u64 row[5];
      for (int i = 0; i < 5; i++) row[i] = state[j + i];
      for (int i = 0; i < 5; i++) state[j + i] ^= ~row[(i + 1) % 5] & row[(i + 2) % 5];
    }
    state[0] ^= round_constants[round];
  }
}

u64 run(u64 n) {
  for (int i = 0; i < 25; i++) state[i] = 0;
  for (u64 i = 0; i < n; i++) permute();
  return state[0];
}
