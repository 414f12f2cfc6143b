/** Calls any contract with any data, and hands on what comes back: how contracts of different languages call each other.
 *
 *   function forward(address target, bytes data) payable returns (bytes)
 *   function query(address target, bytes data) view returns (bytes)
 *
 * Where the target reverts, so does this, with the same data. */
import {
  Arguments,
  CALL_SUCCESS,
  callValue,
  EXIT_SUCCESS,
  call as forward,
  refuseValue,
  returnBytes,
  returnedData,
  revertData,
  revertEmpty,
  selectorOfInput,
  staticCall,
} from "../ostrom";

const FORWARD: u32 = 0x6fadcf72;
const QUERY: u32 = 0xfd00430c;

export function deploy(): u32 {
  refuseValue();
  return EXIT_SUCCESS;
}

export function call(): u32 {
  const selector = selectorOfInput();
  if (selector == QUERY) refuseValue();
  else if (selector != FORWARD) revertEmpty();
  const input = Arguments.ofFunction(2);
  const target = input.address(0);
  const data = input.bytes(1);
  const status = selector == QUERY ? staticCall(target, data) : forward(target, callValue(), data);
  const returned = returnedData();
  if (status != CALL_SUCCESS) revertData(changetype<usize>(returned), returned.length);
  returnBytes(changetype<usize>(returned), returned.length);
  return EXIT_SUCCESS;
}
