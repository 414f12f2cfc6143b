/* An interpreter of a small bytecode, n steps: a switch in a loop. */
#include "program.h"

#define CODE_SIZE 64

static const u8 code[CODE_SIZE] = {1, 5, 2, 3, 3, 1, 4, 7, 2, 9, 5, 1, 3, 2, 1, 1, 6, 4, 2, 2, 7, 0};

u64 run(u64 n) {
  u64 a = 1, b = 7, at = 0, sum = 0;
  for (u64 step = 0; step < n; step++) {
    switch (code[at]) {
      case 0: at = 0; sum += a; continue;
      case 1: a += b; break;
      case 2: a ^= a << 3; break;
      case 3: b = b * 31 + a; break;
      case 4: if (a & 1) at++; break;
      case 5: a -= b >> 2; break;
      case 6: b ^= a >> 5; break;
      case 7: if (b & 4) at++; break;
      default: a = ~a; break;
    }
    at++;
    if (at >= CODE_SIZE) at = 0;
  }
  return sum ^ a ^ b;
}
