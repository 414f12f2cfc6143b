/* Quicksort of n numbers: comparisons, recursion, an array. */
#include "program.h"

#define MAX_COUNT 500000

static u32 numbers[MAX_COUNT];

static __attribute__((noinline)) void sort(u32 *a, i64 low, i64 high) {
  while (low < high) {
    u32 pivot = a[(low + high) >> 1];
    i64 i = low - 1, j = high + 1;
    for (;;) {
      do i++;
      while (a[i] < pivot);
      do j--;
      while (a[j] > pivot);
      if (i >= j) break;
      u32 swapped = a[i];
      a[i] = a[j];
      a[j] = swapped;
    }
    sort(a, low, j);
    low = j + 1;
  }
}

u64 run(u64 n) {
  if (n > MAX_COUNT) n = MAX_COUNT;
  u32 x = 12345;
  for (u64 i = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    numbers[i] = x;
  }
  sort(numbers, 0, (i64)n - 1);
  u64 hash = 0;
  for (u64 i = 0; i < n; i++) hash = hash * 31 + numbers[i];
  return hash;
}
