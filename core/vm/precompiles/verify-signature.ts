import { type Bytes, EMPTY_BYTES, wordToBytes } from "@ostrom/base";
import { type SignatureScheme, verifySignature } from "@ostrom/crypto";
import { signatureGas } from "../signature-gas.ts";
import type { Precompile } from "./precompile.ts";

const CONTEXT_LENGTH_BYTES = 2;
const MESSAGE_LENGTH_BYTES = 4;
const GAS_PER_MESSAGE_WORD = 12;
const WORD_BYTES = 32;

/** What a call asks: views into its input. */
type Question = {
  readonly context: Bytes;
  readonly message: Bytes;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
};

/** Verification by one signature scheme: uint16 length of the context, the context, uint32 length of the message, the message, the public key
 * (as long as the scheme's are), the signature (the rest) to the word 1 if the signature is valid, else to nothing. Lengths are big-endian.
 * Never fails. Costs `signatureGas` and 12 for each started word of the message. */
export function verifySignaturePrecompile({ id, publicKeyLength }: SignatureScheme): Precompile {
  const base = signatureGas(id);
  return {
    gas: (input) => base + messageGas(readQuestion(input, publicKeyLength)),
    run: (input) => {
      const question = readQuestion(input, publicKeyLength);
      if (question === undefined) return EMPTY_BYTES;
      const { context, message, publicKey, signature } = question;
      return verifySignature(id, publicKey, message, signature, context) ? wordToBytes(1n) : EMPTY_BYTES;
    },
  };
}

function messageGas(question: Question | undefined): bigint {
  const words = Math.ceil((question?.message.length ?? 0) / WORD_BYTES);
  return BigInt(GAS_PER_MESSAGE_WORD * words);
}

/** @returns undefined if the input ends before its signature begins. */
function readQuestion(input: Bytes, publicKeyLength: number): Question | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length < CONTEXT_LENGTH_BYTES) return undefined;
  const contextEnd = CONTEXT_LENGTH_BYTES + view.getUint16(0);
  const messageStart = contextEnd + MESSAGE_LENGTH_BYTES;
  if (input.length < messageStart) return undefined;
  const messageEnd = messageStart + view.getUint32(contextEnd);
  const keyEnd = messageEnd + publicKeyLength;
  if (input.length < keyEnd) return undefined;
  return {
    context: input.subarray(CONTEXT_LENGTH_BYTES, contextEnd),
    message: input.subarray(messageStart, messageEnd),
    publicKey: input.subarray(messageEnd, keyEnd),
    signature: input.subarray(keyEnd),
  };
}
