/* Contracts in C for Ostrom: one header, for wasm32 (clang) and for riscv64 (gcc or clang); build.sh has the commands.
 *
 * The ABI, the layout of storage, events and revert data are Solidity's, so that nobody who calls a contract can tell what
 * it was written in. Words are 32 bytes, big-endian, in memory and for the host; a u256 is four limbs, to calculate with.
 * Both are handed over by pointer, because a copy is eight instructions. Nothing here allocates: buffers belong to the
 * contract. What cannot be decoded reverts with no data, as in Solidity. */
#ifndef OSTROM_H
#define OSTROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Types ---- */

/** The lanes are eight bytes as they lie in memory; lane 0 is the most significant. */
typedef union {
  uint8_t bytes[32];
  uint64_t lanes[4];
} word;

/** An address as the ABI has it: 12 zero bytes, then the 20. The host's pointers are to the 20: `ADDRESS(a)`. */
typedef struct {
  word padded;
} address;

/** The least significant limb first. */
typedef struct {
  uint64_t limbs[4];
} u256;

#define ADDRESS(value) ((value).padded.bytes + 12)

/* ---- Host calls, as core/vm/contract-host/host-calls.ts defines them ---- */

#if defined(__wasm__)
#define OSTROM_HOST(number, result, name, parameters, ...) \
  __attribute__((import_module("ostrom"), import_name(#name))) result host_##name parameters;
#define OSTROM_HOST_VOID(number, name, parameters, ...) OSTROM_HOST(number, void, name, parameters)
#elif defined(__riscv) && __riscv_xlen == 64
static inline uint64_t ostrom_ecall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
  register uint64_t a0 __asm__("a0") = a;
  register uint64_t a1 __asm__("a1") = b;
  register uint64_t a2 __asm__("a2") = c;
  register uint64_t a3 __asm__("a3") = d;
  register uint64_t a4 __asm__("a4") = e;
  register uint64_t a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
  return a0;
}
/* Operands that a host call does not have are zeros. */
#define OSTROM_ECALL(number, a, b, c, d, e, ...) \
  ostrom_ecall(number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e))
#define OSTROM_HOST(number, result, name, parameters, ...) \
  static inline result host_##name parameters { return (result)OSTROM_ECALL(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0); }
#define OSTROM_HOST_VOID(number, name, parameters, ...) \
  static inline void host_##name parameters { OSTROM_ECALL(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0); }
#else
#error "Ostrom runs wasm32 and riscv64"
#endif

OSTROM_HOST(1, uint32_t, input_size, (void), 0)
OSTROM_HOST_VOID(2, input_copy, (void *to, uint32_t offset, uint32_t size), to, offset, size)
OSTROM_HOST_VOID(3, output, (const void *from, uint32_t size), from, size)
OSTROM_HOST_VOID(4, exit, (uint32_t status), status)
OSTROM_HOST_VOID(5, address, (void *to), to)
OSTROM_HOST_VOID(6, caller, (void *to), to)
OSTROM_HOST_VOID(7, value, (void *to), to)
OSTROM_HOST(8, uint64_t, gas_left, (void), 0)

OSTROM_HOST_VOID(16, storage_load, (const void *key, void *to), key, to)
OSTROM_HOST_VOID(17, storage_store, (const void *key, const void *value), key, value)
OSTROM_HOST_VOID(18, transient_load, (const void *key, void *to), key, to)
OSTROM_HOST_VOID(19, transient_store, (const void *key, const void *value), key, value)
OSTROM_HOST_VOID(20, log, (const void *data, uint32_t size, const void *topics, uint32_t topic_count), data, size,
                 topics, topic_count)

OSTROM_HOST(32, uint32_t, call, (uint64_t gas, const void *to, const void *value, const void *input, uint32_t size), gas,
            to, value, input, size)
OSTROM_HOST(33, uint32_t, delegate_call, (uint64_t gas, const void *to, const void *input, uint32_t size), gas, to, input,
            size)
OSTROM_HOST(34, uint32_t, static_call, (uint64_t gas, const void *to, const void *input, uint32_t size), gas, to, input,
            size)
OSTROM_HOST(35, uint32_t, create, (const void *value, const void *code, uint32_t size, void *to), value, code, size, to)
OSTROM_HOST(36, uint32_t, create2, (const void *value, const void *code, uint32_t size, const void *salt, void *to), value,
            code, size, salt, to)
OSTROM_HOST(37, uint32_t, return_data_size, (void), 0)
OSTROM_HOST_VOID(38, return_data_copy, (void *to, uint32_t offset, uint32_t size), to, offset, size)
OSTROM_HOST_VOID(39, self_destruct, (const void *beneficiary), beneficiary)

OSTROM_HOST_VOID(48, balance, (const void *of, void *to), of, to)
OSTROM_HOST(49, uint32_t, code_size, (const void *of), of)
OSTROM_HOST_VOID(50, code_hash, (const void *of, void *to), of, to)
OSTROM_HOST_VOID(51, code_copy, (const void *of, void *to, uint32_t offset, uint32_t size), of, to, offset, size)

OSTROM_HOST_VOID(64, origin, (void *to), to)
OSTROM_HOST_VOID(65, gas_price, (void *to), to)
OSTROM_HOST_VOID(66, blob_hash, (uint32_t index, void *to), index, to)
OSTROM_HOST(67, uint64_t, block_number, (void), 0)
OSTROM_HOST(68, uint64_t, timestamp, (void), 0)
OSTROM_HOST(69, uint64_t, gas_limit, (void), 0)
OSTROM_HOST(70, uint64_t, chain_id, (void), 0)
OSTROM_HOST_VOID(71, coinbase, (void *to), to)
OSTROM_HOST_VOID(72, prev_randao, (void *to), to)
OSTROM_HOST_VOID(73, base_fee, (void *to), to)
OSTROM_HOST_VOID(74, blob_base_fee, (void *to), to)
OSTROM_HOST_VOID(75, block_hash, (uint64_t number, void *to), number, to)

OSTROM_HOST_VOID(96, keccak256, (const void *from, uint32_t size, void *to), from, size, to)
OSTROM_HOST_VOID(97, u256_mul, (const void *a, const void *b, void *to), a, b, to)
OSTROM_HOST_VOID(98, u256_div, (const void *a, const void *b, void *to), a, b, to)
OSTROM_HOST_VOID(99, u256_mod, (const void *a, const void *b, void *to), a, b, to)
OSTROM_HOST_VOID(100, u256_addmod, (const void *a, const void *b, const void *modulus, void *to), a, b, modulus, to)
OSTROM_HOST_VOID(101, u256_mulmod, (const void *a, const void *b, const void *modulus, void *to), a, b, modulus, to)
OSTROM_HOST_VOID(102, u256_exp, (const void *base, const void *exponent, void *to), base, exponent, to)

/** By pages of 64 KB; the size before, or UINT32_MAX. */
#if defined(__wasm__)
static inline uint32_t host_memory_grow(uint32_t pages) { return (uint32_t)__builtin_wasm_memory_grow(0, pages); }
#else
OSTROM_HOST(112, uint32_t, memory_grow, (uint32_t pages), pages)
#endif

/** What calls and creations return. */
enum { CALL_SUCCESS = 0, CALL_REVERT = 1, CALL_FAULT = 2 };
/** What a contract ends with. */
enum { EXIT_SUCCESS = 0, EXIT_REVERT = 1 };

/** Passed as the gas of a call: all that may be passed on. */
#define ALL_GAS UINT64_MAX

/* ---- What compilers call without being asked ---- */

/* Without the attribute, gcc would see memcpy's loop for what it is, and call memcpy. */
#if defined(__clang__)
#define OSTROM_BUILTIN __attribute__((weak, no_builtin))
#else
#define OSTROM_BUILTIN __attribute__((weak, optimize("no-tree-loop-distribute-patterns")))
#endif

OSTROM_BUILTIN void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
  return to;
}

OSTROM_BUILTIN void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, size);
  for (size_t i = size; i > 0; i--) ((uint8_t *)to)[i - 1] = ((const uint8_t *)from)[i - 1];
  return to;
}

OSTROM_BUILTIN void *memset(void *to, int value, size_t size) {
  for (size_t i = 0; i < size; i++) ((uint8_t *)to)[i] = (uint8_t)value;
  return to;
}

OSTROM_BUILTIN int memcmp(const void *left, const void *right, size_t size) {
  for (size_t i = 0; i < size; i++) {
    int difference = ((const uint8_t *)left)[i] - ((const uint8_t *)right)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

/* ---- Ending ---- */

/* A transaction pays for each KiB of a program: what is used in many places is better not repeated in all of them. */
#define OSTROM_OUTLINE __attribute__((noinline, unused)) static

__attribute__((noreturn)) OSTROM_OUTLINE void finish(uint32_t status, const void *data, uint32_t size) {
  host_output(data, size);
  host_exit(status);
  __builtin_unreachable();
}

__attribute__((noreturn)) static inline void return_data(const void *data, uint32_t size) {
  finish(EXIT_SUCCESS, data, size);
}

__attribute__((noreturn)) static inline void revert_data(const void *data, uint32_t size) {
  finish(EXIT_REVERT, data, size);
}

__attribute__((noreturn)) static inline void revert_empty(void) { revert_data(0, 0); }

/* ---- Words and numbers ---- */

static inline uint64_t reverse_bytes(uint64_t value) {
  value = ((value & 0x00ff00ff00ff00ff) << 8) | ((value >> 8) & 0x00ff00ff00ff00ff);
  value = ((value & 0x0000ffff0000ffff) << 16) | ((value >> 16) & 0x0000ffff0000ffff);
  return (value << 32) | (value >> 32);
}

static inline word word_of_u64(uint64_t value) {
  word result = {{0}};
  result.lanes[3] = reverse_bytes(value);
  return result;
}

/** Between a word and its limbs: the 32 bytes in the other order. */
OSTROM_OUTLINE void reverse_word(uint64_t *to, const uint64_t *from) {
  for (int i = 0; i < 4; i++) to[i] = reverse_bytes(from[3 - i]);
}

static inline word word_of_u256(const u256 *value) {
  word result;
  reverse_word(result.lanes, value->limbs);
  return result;
}

static inline u256 u256_of_word(const word *value) {
  u256 result;
  reverse_word(result.limbs, value->lanes);
  return result;
}

static inline u256 u256_of_u64(uint64_t value) { return (u256){{value, 0, 0, 0}}; }

OSTROM_OUTLINE bool word_is_zero(const word *value) {
  return (value->lanes[0] | value->lanes[1] | value->lanes[2] | value->lanes[3]) == 0;
}

static inline bool word_equals(const word *a, const word *b) {
  uint64_t difference = 0;
  for (int i = 0; i < 4; i++) difference |= a->lanes[i] ^ b->lanes[i];
  return difference == 0;
}

static inline bool address_is_zero(const address *value) { return word_is_zero(&value->padded); }
static inline bool address_equals(const address *a, const address *b) { return word_equals(&a->padded, &b->padded); }

/** Writes a + b modulo 2^256. @returns whether the sum is 2^256 or more. `sum` may be one of the others. */
OSTROM_OUTLINE bool u256_add_carry(u256 *sum, const u256 *a, const u256 *b) {
  bool carry = false;
  for (int i = 0; i < 4; i++) {
    uint64_t limb;
    bool first = __builtin_add_overflow(a->limbs[i], b->limbs[i], &limb);
    bool second = __builtin_add_overflow(limb, (uint64_t)carry, &sum->limbs[i]);
    carry = first | second;
  }
  return carry;
}

/** Writes a - b modulo 2^256. @returns whether b > a. `difference` may be one of the others. */
OSTROM_OUTLINE bool u256_sub_borrow(u256 *difference, const u256 *a, const u256 *b) {
  bool borrow = false;
  for (int i = 0; i < 4; i++) {
    uint64_t limb;
    bool first = __builtin_sub_overflow(a->limbs[i], b->limbs[i], &limb);
    bool second = __builtin_sub_overflow(limb, (uint64_t)borrow, &difference->limbs[i]);
    borrow = first | second;
  }
  return borrow;
}

static inline bool u256_less(const u256 *a, const u256 *b) {
  u256 difference;
  return u256_sub_borrow(&difference, a, b);
}

static inline bool u256_equals(const u256 *a, const u256 *b) {
  uint64_t difference = 0;
  for (int i = 0; i < 4; i++) difference |= a->limbs[i] ^ b->limbs[i];
  return difference == 0;
}

/* Products, quotients and powers are the host's, on words: host_u256_mul(&a, &b, &product) and so on. Division by zero is 0;
 * Solidity panics (0x12). */

/* ---- Revert data ---- */

static inline void put_selector(uint8_t *to, uint32_t selector) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(selector >> (24 - 8 * i));
}

#define MAX_ERROR_ARGUMENTS 8

/** A custom error with arguments of static types. */
__attribute__((noreturn)) OSTROM_OUTLINE void revert_error(uint32_t selector, const word *const *arguments, uint32_t count) {
  uint8_t data[4 + 32 * MAX_ERROR_ARGUMENTS];
  if (count > MAX_ERROR_ARGUMENTS) __builtin_trap();
  put_selector(data, selector);
  for (uint32_t i = 0; i < count; i++) __builtin_memcpy(data + 4 + 32 * i, arguments[i], 32);
  revert_data(data, 4 + 32 * count);
}

#define OSTROM_POINTERS(...) (const word *const[]){__VA_ARGS__}
#define OSTROM_COUNT(...) (sizeof(OSTROM_POINTERS(__VA_ARGS__)) / sizeof(const word *))

/** Arguments are pointers to words: `REVERT(0xe450d38c, &sender.padded, &balance, &needed);` */
#define REVERT(selector, ...) revert_error(selector, OSTROM_POINTERS(__VA_ARGS__), OSTROM_COUNT(__VA_ARGS__))

/** Panic(uint256), as Solidity's checks end: 0x01 assert, 0x11 overflow, 0x12 division by zero, 0x32 index. */
__attribute__((noreturn)) OSTROM_OUTLINE void panic(uint64_t code) {
  word argument = word_of_u64(code);
  REVERT(0x4e487b71, &argument);
}

/** As Solidity adds: overflow is a panic. */
static inline u256 u256_add(const u256 *a, const u256 *b) {
  u256 sum;
  if (u256_add_carry(&sum, a, b)) panic(0x11);
  return sum;
}

static inline u256 u256_sub(const u256 *a, const u256 *b) {
  u256 difference;
  if (u256_sub_borrow(&difference, a, b)) panic(0x11);
  return difference;
}

/* ---- ABI: writing ---- */

/** Bytes rounded up to whole words. */
#define ABI_PADDED(size) (((size) + 31u) & ~31u)

/** Writes the encoding of one `bytes` or `string` that stands alone: offset, size, bytes, padding.
 * @returns how much it wrote: 64 + ABI_PADDED(size). */
OSTROM_OUTLINE uint32_t abi_put_bytes(uint8_t *to, const void *bytes, uint32_t size) {
  word head[2] = {word_of_u64(32), word_of_u64(size)};
  __builtin_memcpy(to, head, 64);
  __builtin_memcpy(to + 64, bytes, size);
  __builtin_memset(to + 64 + size, 0, ABI_PADDED(size) - size);
  return 64 + ABI_PADDED(size);
}

__attribute__((noreturn)) static inline void return_word(const word *value) { return_data(value, 32); }

__attribute__((noreturn)) static inline void return_u64(uint64_t value) {
  word result = word_of_u64(value);
  return_word(&result);
}

__attribute__((noreturn)) static inline void return_bool(bool value) { return_u64(value); }

__attribute__((noreturn)) static inline void return_u256(const u256 *value) {
  word result = word_of_u256(value);
  return_word(&result);
}

/** For texts that are part of the program: sizes are known when it is compiled. */
#define return_string(literal) \
  do { \
    uint8_t ostrom_data[64 + ABI_PADDED(sizeof(literal))]; \
    return_data(ostrom_data, abi_put_bytes(ostrom_data, literal, sizeof(literal) - 1)); \
  } while (0)

/** Error(string), as `require(condition, literal)` reverts. */
#define revert_string(literal) \
  do { \
    uint8_t ostrom_data[4 + 64 + ABI_PADDED(sizeof(literal))]; \
    put_selector(ostrom_data, 0x08c379a0); \
    revert_data(ostrom_data, 4 + abi_put_bytes(ostrom_data + 4, literal, sizeof(literal) - 1)); \
  } while (0)

/* ---- ABI: reading ---- */

/** Arguments in the message's input: after the selector of a function, or from the start for a constructor. */
typedef struct {
  uint32_t start;
  uint32_t size;
} abi_arguments;

/** The function that is called. Reverts if the input has no selector. */
static inline uint32_t abi_selector(void) {
  uint8_t bytes[4];
  if (host_input_size() < 4) revert_empty();
  host_input_copy(bytes, 0, 4);
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/** @param count words in the head: one for each argument, of dynamic types too. */
OSTROM_OUTLINE abi_arguments abi_read(uint32_t start, uint32_t count) {
  uint32_t size = host_input_size();
  if (size < start + 32 * count) revert_empty();
  return (abi_arguments){start, size - start};
}

static inline abi_arguments function_arguments(uint32_t count) { return abi_read(4, count); }
static inline abi_arguments constructor_arguments(uint32_t count) { return abi_read(0, count); }

OSTROM_OUTLINE word abi_word(abi_arguments arguments, uint32_t index) {
  word result;
  host_input_copy(&result, arguments.start + 32 * index, 32);
  return result;
}

OSTROM_OUTLINE u256 abi_u256(abi_arguments arguments, uint32_t index) {
  word value = abi_word(arguments, index);
  return u256_of_word(&value);
}

/** Reverts if the value is 2^64 or more, as Solidity does for uint64. */
OSTROM_OUTLINE uint64_t abi_u64(abi_arguments arguments, uint32_t index) {
  word value = abi_word(arguments, index);
  if ((value.lanes[0] | value.lanes[1] | value.lanes[2]) != 0) revert_empty();
  return reverse_bytes(value.lanes[3]);
}

static inline bool abi_bool(abi_arguments arguments, uint32_t index) {
  uint64_t value = abi_u64(arguments, index);
  if (value > 1) revert_empty();
  return value == 1;
}

OSTROM_OUTLINE address abi_address(abi_arguments arguments, uint32_t index) {
  address result = {abi_word(arguments, index)};
  uint32_t high;
  __builtin_memcpy(&high, result.padded.bytes + 8, 4);
  if ((result.padded.lanes[0] | high) != 0) revert_empty();
  return result;
}

/** Copies an argument of type `bytes` or `string` and returns its size. Reverts if it is longer than `capacity`. */
static inline uint32_t abi_bytes(abi_arguments arguments, uint32_t index, void *to, uint32_t capacity) {
  uint64_t offset = abi_u64(arguments, index);
  if (offset > arguments.size || arguments.size - offset < 32) revert_empty();
  abi_arguments tail = {arguments.start + (uint32_t)offset, arguments.size - (uint32_t)offset};
  uint64_t size = abi_u64(tail, 0);
  if (size > tail.size - 32 || size > capacity) revert_empty();
  host_input_copy(to, tail.start + 32, (uint32_t)size);
  return (uint32_t)size;
}

/* ---- The message ---- */

static inline address own_address(void) {
  address result = {{{0}}};
  host_address(ADDRESS(result));
  return result;
}

OSTROM_OUTLINE address caller(void) {
  address result = {{{0}}};
  host_caller(ADDRESS(result));
  return result;
}

static inline word call_value(void) {
  word result;
  host_value(&result);
  return result;
}

/** What Solidity does in every function that is not payable. */
static inline void refuse_value(void) {
  word value = call_value();
  if (!word_is_zero(&value)) revert_empty();
}

/* ---- Storage, laid out as Solidity's ---- */

/** The slot of the state variable that is the `index`-th (below 256), if each takes a slot: `word supply = SLOT(2);` */
#define SLOT(index) {{[31] = (index)}}

OSTROM_OUTLINE word mapping_slot(const word *mapping, const word *key) {
  word pair[2] = {*key, *mapping};
  word result;
  host_keccak256(pair, 64, &result);
  return result;
}

static inline word storage_get(const word *slot) {
  word result;
  host_storage_load(slot, &result);
  return result;
}

static inline void storage_set(const word *slot, const word *value) { host_storage_store(slot, value); }

OSTROM_OUTLINE u256 storage_get_u256(const word *slot) {
  word value = storage_get(slot);
  return u256_of_word(&value);
}

OSTROM_OUTLINE void storage_set_u256(const word *slot, const u256 *value) {
  word stored = word_of_u256(value);
  storage_set(slot, &stored);
}

/* ---- Events ---- */

#define MAX_TOPICS 4

OSTROM_OUTLINE void emit_event(const void *data, uint32_t size, const word *const *topics, uint32_t count) {
  word joined[MAX_TOPICS];
  if (count > MAX_TOPICS) __builtin_trap();
  for (uint32_t i = 0; i < count; i++) joined[i] = *topics[i];
  host_log(data, size, joined, count);
}

/** Topics are pointers to words: `EMIT(&amount, 32, &SIGNATURE, &from.padded, &to.padded);` The data is ABI-encoded. */
#define EMIT(data, size, ...) emit_event(data, size, OSTROM_POINTERS(__VA_ARGS__), OSTROM_COUNT(__VA_ARGS__))

/* ---- Other contracts ---- */

/** Ends as the last call did, with its data. The data must fit into `buffer`; else it reverts with no data. */
__attribute__((noreturn)) static inline void revert_as_callee(void *buffer, uint32_t capacity) {
  uint32_t size = host_return_data_size();
  if (size > capacity) revert_empty();
  host_return_data_copy(buffer, 0, size);
  revert_data(buffer, size);
}

/* ---- The contract's entries: write OSTROM_CONTRACT(on_deploy, on_call) once, at the end of the program ---- */

#if defined(__wasm__)
#define OSTROM_CONTRACT(on_deploy, on_call) \
  __attribute__((export_name("deploy"))) uint32_t ostrom_deploy(void) { \
    on_deploy(); \
    return EXIT_SUCCESS; \
  } \
  __attribute__((export_name("call"))) uint32_t ostrom_call(void) { \
    on_call(); \
    return EXIT_SUCCESS; \
  }
#else

/* The machine has set sp; the stack is what lies below the program (riscv.ld). */
#define OSTROM_CONTRACT(on_deploy, on_call) \
  __attribute__((used, noreturn)) void ostrom_main(uint64_t is_deployment) { \
    if (is_deployment) \
      on_deploy(); \
    else \
      on_call(); \
    host_exit(EXIT_SUCCESS); \
    __builtin_unreachable(); \
  } \
  __attribute__((naked, used, section(".text.start"))) void _start(void) { \
    __asm__(".option push\n.option norelax\nlla gp, __global_pointer$\n.option pop\ntail ostrom_main"); \
  }
#endif

#endif
