/* Products of 256-bit numbers, n times: 64-bit multiplication to 128 bits with carries. */
#include "program.h"

u64 run(u64 n) {
  u64 a[4] = {n | 1, 0x0123456789abcdefull, 0xfedcba9876543210ull, 1};
  u64 b[4] = {3, 5, 7, 0xdeadbeef};
  for (u64 round = 0; round < n; round++) {
    u64 product[8] = {0};
    for (int i = 0; i < 4; i++) {
      u64 carry = 0;
      for (int j = 0; j < 4; j++) {
        unsigned __int128 t = (unsigned __int128)a[i] * b[j] + product[i + j] + carry;
        product[i + j] = (u64)t;
        carry = (u64)(t >> 64);
      }
      product[i + 4] = carry;
    }
    for (int i = 0; i < 4; i++) a[i] = product[i] ^ product[i + 4];
  }
  return a[0] ^ a[3];
}
