// node languages/tools/selectors.ts "transfer(address,uint256)" "ERC20InvalidSender(address)"
//
// Prints, for each signature: the selector (functions and errors: the first four bytes of its keccak256), then the whole
// hash (events: their first topic).
import { keccak256, stringToBytes } from "viem";

for (const signature of process.argv.slice(2)) {
  const hash = keccak256(stringToBytes(signature));
  console.log(`${hash.slice(0, 10)}  ${hash}  ${signature}`);
}
