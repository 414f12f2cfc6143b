/* What the programs that measure the engine share. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

/* The work: the same result for the same n on every machine. What it keeps in static variables it sets first. */
u64 run(u64 n);
