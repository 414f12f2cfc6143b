/* The sieve of Eratosthenes below a million, n times: loops over bytes. */
#include "program.h"

#define LIMIT 1000000

static u8 is_prime[LIMIT];

u64 run(u64 n) {
  u64 count = 0;
  for (u64 round = 0; round < n; round++) {
    for (u64 i = 0; i < LIMIT; i++) is_prime[i] = 1;
    for (u64 i = 2; i < LIMIT; i++) {
      if (!is_prime[i]) continue;
      count++;
      for (u64 j = i * i; j < LIMIT; j += i) is_prime[j] = 0;
    }
  }
  return count;
}
