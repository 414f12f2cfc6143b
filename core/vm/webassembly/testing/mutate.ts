import type { Bytes, Random } from "@ostrom/base";

/** Changes a few bytes of a module: overwrites, flips a bit, steps by one, copies, inserts, removes. */
export function mutate(bytes: Bytes, random: Random): Bytes {
  let current: Uint8Array = Uint8Array.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count--) {
    // Whatever changes in the header is refused at once.
    const at = 8 + random.below(Math.max(1, current.length - 8));
    const byte = random.below(256);
    switch (random.below(6)) {
      case 0:
        current[at] = byte;
        break;
      case 1:
        current[at]! ^= 1 << (byte & 7);
        break;
      case 2:
        current[at] = (current[at]! + (byte & 1 ? 1 : 255)) & 0xff;
        break;
      case 3:
        current[at] = current[random.below(current.length)]!;
        break;
      case 4:
        current = Uint8Array.of(...current.subarray(0, at), byte, ...current.subarray(at));
        break;
      default:
        current = Uint8Array.of(...current.subarray(0, at), ...current.subarray(at + 1));
    }
  }
  return current;
}
