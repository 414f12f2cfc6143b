/* An ERC-20 token, as OpenZeppelin's behaves: its errors, its order of checks, its storage (slot 0: balances, 1: allowances,
 * 2: total supply). The constructor's argument is the initial supply, which goes to the deployer. */
#include "../ostrom.h"

/* node languages/tools/selectors.ts "name()" ... */
enum {
  NAME = 0x06fdde03,
  SYMBOL = 0x95d89b41,
  DECIMALS = 0x313ce567,
  TOTAL_SUPPLY = 0x18160ddd,
  BALANCE_OF = 0x70a08231,
  TRANSFER = 0xa9059cbb,
  APPROVE = 0x095ea7b3,
  ALLOWANCE = 0xdd62ed3e,
  TRANSFER_FROM = 0x23b872dd,
};

enum {
  INSUFFICIENT_BALANCE = 0xe450d38c,
  INVALID_SENDER = 0x96c6fd1e,
  INVALID_RECEIVER = 0xec442f05,
  INSUFFICIENT_ALLOWANCE = 0xfb8f41b2,
  INVALID_APPROVER = 0xe602df05,
  INVALID_SPENDER = 0x94280d62,
};

static const word TRANSFER_EVENT = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                     0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                     0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};
static const word APPROVAL_EVENT = {{0x8c, 0x5b, 0xe1, 0xe5, 0xeb, 0xec, 0x7d, 0x5b, 0xd1, 0x4f, 0x71,
                                     0x42, 0x7d, 0x1e, 0x84, 0xf3, 0xdd, 0x03, 0x14, 0xc0, 0xf7, 0xb2,
                                     0x29, 0x1e, 0x5b, 0x20, 0x0a, 0xc8, 0xc7, 0xc3, 0xb9, 0x25}};

static const word BALANCES = SLOT(0), ALLOWANCES = SLOT(1), TOTAL = SLOT(2);

static const address NOBODY = {{{0}}};
static const u256 WITHOUT_END = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

static word balance_slot(const address *owner) { return mapping_slot(&BALANCES, &owner->padded); }

static word allowance_slot(const address *owner, const address *spender) {
  word of_owner = mapping_slot(&ALLOWANCES, &owner->padded);
  return mapping_slot(&of_owner, &spender->padded);
}

__attribute__((noinline)) static void emit_amount(const word *event, const address *first, const address *second,
                                                  const u256 *amount) {
  word data = word_of_u256(amount);
  EMIT(&data, 32, event, &first->padded, &second->padded);
}

__attribute__((noinline, noreturn)) static void refuse_amount(uint32_t error, const address *who, const u256 *has,
                                                              const u256 *needed) {
  word has_word = word_of_u256(has), needed_word = word_of_u256(needed);
  REVERT(error, &who->padded, &has_word, &needed_word);
}

static void add_to(const word *slot, const u256 *amount) {
  u256 before = storage_get_u256(slot);
  u256 after = u256_add(&before, amount);
  storage_set_u256(slot, &after);
}

static void mint(const address *to, const u256 *amount) {
  if (address_is_zero(to)) REVERT(INVALID_RECEIVER, &to->padded);
  word slot = balance_slot(to);
  add_to(&TOTAL, amount);
  add_to(&slot, amount);
  emit_amount(&TRANSFER_EVENT, &NOBODY, to, amount);
}

static void transfer(const address *from, const address *to, const u256 *amount) {
  if (address_is_zero(from)) REVERT(INVALID_SENDER, &from->padded);
  if (address_is_zero(to)) REVERT(INVALID_RECEIVER, &to->padded);
  word slot = balance_slot(from);
  u256 balance = storage_get_u256(&slot), rest;
  if (u256_sub_borrow(&rest, &balance, amount)) refuse_amount(INSUFFICIENT_BALANCE, from, &balance, amount);
  storage_set_u256(&slot, &rest);
  slot = balance_slot(to);
  add_to(&slot, amount);
  emit_amount(&TRANSFER_EVENT, from, to, amount);
}

static void set_allowance(const address *owner, const address *spender, const u256 *amount) {
  if (address_is_zero(owner)) REVERT(INVALID_APPROVER, &owner->padded);
  if (address_is_zero(spender)) REVERT(INVALID_SPENDER, &spender->padded);
  word slot = allowance_slot(owner, spender);
  storage_set_u256(&slot, amount);
}

/** The greatest amount means "without end", and stays. */
static void spend_allowance(const address *owner, const address *spender, const u256 *amount) {
  word slot = allowance_slot(owner, spender);
  u256 allowance = storage_get_u256(&slot), rest;
  if (u256_equals(&allowance, &WITHOUT_END)) return;
  if (u256_sub_borrow(&rest, &allowance, amount)) refuse_amount(INSUFFICIENT_ALLOWANCE, spender, &allowance, amount);
  set_allowance(owner, spender, &rest);
}

static void on_deploy(void) {
  refuse_value();
  address deployer = caller();
  u256 supply = abi_u256(constructor_arguments(1), 0);
  mint(&deployer, &supply);
}

static void return_slot(const word *slot) {
  word value = storage_get(slot);
  return_word(&value);
}

static void on_view(uint32_t selector) {
  word slot;
  abi_arguments arguments;
  switch (selector) {
    case NAME:
      return_string("Ostrom Token");
    case SYMBOL:
      return_string("OST");
    case DECIMALS:
      return_u64(18);
    case TOTAL_SUPPLY:
      return_slot(&TOTAL);
      break;
    case BALANCE_OF: {
      address owner = abi_address(function_arguments(1), 0);
      slot = balance_slot(&owner);
      return_slot(&slot);
      break;
    }
    case ALLOWANCE: {
      arguments = function_arguments(2);
      address owner = abi_address(arguments, 0), spender = abi_address(arguments, 1);
      slot = allowance_slot(&owner, &spender);
      return_slot(&slot);
    }
  }
  revert_empty();
}

static void on_call(void) {
  refuse_value();
  uint32_t selector = abi_selector();
  address sender = caller(), from, to;
  u256 amount;
  abi_arguments arguments;
  switch (selector) {
    case TRANSFER:
      arguments = function_arguments(2);
      to = abi_address(arguments, 0);
      amount = abi_u256(arguments, 1);
      transfer(&sender, &to, &amount);
      break;
    case APPROVE:
      arguments = function_arguments(2);
      to = abi_address(arguments, 0);
      amount = abi_u256(arguments, 1);
      set_allowance(&sender, &to, &amount);
      emit_amount(&APPROVAL_EVENT, &sender, &to, &amount);
      break;
    case TRANSFER_FROM:
      arguments = function_arguments(3);
      from = abi_address(arguments, 0);
      to = abi_address(arguments, 1);
      amount = abi_u256(arguments, 2);
      spend_allowance(&from, &sender, &amount);
      transfer(&from, &to, &amount);
      break;
    default:
      on_view(selector);
  }
  return_bool(true);
}

OSTROM_CONTRACT(on_deploy, on_call)
