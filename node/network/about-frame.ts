import { type Bytes, utf8 } from "@ostrom/base";
import { CONTROL_CODES, controlFrame, MAX_CONTROL_BYTES } from "./frame-codec.ts";

/** How the two ends of a link tell each other which program they are, though the older ones among them take such a frame for an offence: who reads
 * it says so first, by one `pong` that nobody has asked for, which means nothing to the others. */

const TEXT = /^[\x20-\x7e]+$/;

/** Names are cut off here. */
export const MAX_ABOUT_CHARACTERS: number = MAX_CONTROL_BYTES - 1;

/** @param program what it calls itself, in ASCII. */
export function aboutFrame(program: string): Bytes {
  return controlFrame(CONTROL_CODES.about, utf8(program.slice(0, MAX_ABOUT_CHARACTERS)));
}

/** @param payload of a control frame, its code included. @returns undefined if it is no name. */
export function readAbout(payload: Bytes): string | undefined {
  const text = String.fromCharCode(...payload.subarray(1));
  return TEXT.test(text) ? text : undefined;
}
