/* Calls any contract with any data, and hands on what comes back: how contracts of different languages call each other.
 *
 *   function forward(address target, bytes data) payable returns (bytes)
 *   function query(address target, bytes data) view returns (bytes)
 *
 * Where the target reverts, so does this, with the same data. */
#include "../ostrom.h"

enum { FORWARD = 0x6fadcf72, QUERY = 0xfd00430c };
enum { MAX_DATA = 4096 };

static uint8_t data[MAX_DATA];
static uint8_t result[64 + MAX_DATA];

static void on_deploy(void) { refuse_value(); }

static void on_call(void) {
  uint32_t selector = abi_selector();
  if (selector == QUERY)
    refuse_value();
  else if (selector != FORWARD)
    revert_empty();
  abi_arguments arguments = function_arguments(2);
  address target = abi_address(arguments, 0);
  uint32_t size = abi_bytes(arguments, 1, data, sizeof data);
  word value = call_value();
  uint32_t status = selector == QUERY ? host_static_call(ALL_GAS, ADDRESS(target), data, size)
                                      : host_call(ALL_GAS, ADDRESS(target), &value, data, size);
  if (status != CALL_SUCCESS) revert_as_callee(data, sizeof data);
  uint32_t returned = host_return_data_size();
  if (returned > sizeof data) revert_empty();
  host_return_data_copy(data, 0, returned);
  return_data(result, abi_put_bytes(result, data, returned));
}

OSTROM_CONTRACT(on_deploy, on_call)
