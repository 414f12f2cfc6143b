import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hex, unwrap } from "@ostrom/base";
import { type KeyPair, keyPairOf } from "@ostrom/sdk";

// Keys that a test knows by their kind and a small number.

export function testKey(scheme: string, seed: number): KeyPair {
  return unwrap(keyPairOf(scheme, hex("00".repeat(31) + seed.toString(16).padStart(2, "0"))));
}

/** A file with the secret key, as commands read it without a passphrase. @returns its path. */
export function testKeyFile(directory: string, scheme: string, seed: number): string {
  const path = join(directory, `${scheme}-${seed}.key`);
  const digits = Buffer.from(testKey(scheme, seed).secretKey).toString("hex");
  if (!existsSync(path)) writeFileSync(path, `${scheme}:${digits}\n`, { mode: 0o600 });
  return path;
}

/** The public key as commands take it: KIND:HEX. */
export function testPublicKey(scheme: string, seed: number): string {
  return `${scheme}:${Buffer.from(testKey(scheme, seed).publicKey).toString("hex")}`;
}
