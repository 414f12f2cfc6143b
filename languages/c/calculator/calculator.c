/* Shows numbers, strings and refusals. */
#include "../ostrom.h"

enum {
  ADD = 0x771602f7,
  SUBTRACT = 0x3ef5e445,
  MULTIPLY = 0x165c4a16,
  DIVIDE = 0xf88e9fbf,
  LESS = 0x2d738965,
  INVERT = 0x35f85e91,
  HALF = 0x4cd1e1db,
  ECHO = 0xf15da729,
};

enum { MAX_TEXT = 1024 };

static uint8_t text[MAX_TEXT];
static uint8_t encoded[64 + MAX_TEXT];

static void on_deploy(void) { refuse_value(); }

static void on_two_numbers(uint32_t selector) {
  abi_arguments arguments = function_arguments(2);
  word first = abi_word(arguments, 0), second = abi_word(arguments, 1), result;
  u256 a = u256_of_word(&first), b = u256_of_word(&second), number;
  switch (selector) {
    case ADD:
      number = u256_add(&a, &b);
      return_u256(&number);
    case SUBTRACT:
      number = u256_sub(&a, &b);
      return_u256(&number);
    case MULTIPLY:
      host_u256_mul(&first, &second, &result);
      return_word(&result);
    case DIVIDE:
      if (word_is_zero(&second)) panic(0x12);
      host_u256_div(&first, &second, &result);
      return_word(&result);
    default:
      return_bool(u256_less(&a, &b));
  }
}

static void on_call(void) {
  refuse_value();
  uint32_t selector = abi_selector();
  switch (selector) {
    case ADD:
    case SUBTRACT:
    case MULTIPLY:
    case DIVIDE:
    case LESS:
      on_two_numbers(selector);
      break;
    case INVERT:
      return_bool(!abi_bool(function_arguments(1), 0));
    case HALF: {
      uint64_t value = abi_u64(function_arguments(1), 0);
      if (value % 2 != 0) revert_string("an odd number has no half that is a whole number");
      return_u64(value / 2);
    }
    case ECHO: {
      uint32_t size = abi_bytes(function_arguments(1), 0, text, sizeof text);
      return_data(encoded, abi_put_bytes(encoded, text, size));
    }
    default:
      revert_empty();
  }
}

OSTROM_CONTRACT(on_deploy, on_call)
