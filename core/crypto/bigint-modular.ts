import { bigintToBytes, bytesToBigint } from "@ostrom/base";
import type { ModularEngine } from "./arithmetic-engines.ts";
import { modularPower } from "./modular-power.ts";

/** The reference engine of modular powers, on JavaScript's own integers. */
export const bigintModular: ModularEngine = {
  name: "bigint",
  power: (base, exponent, modulusBytes) => {
    const modulus = bytesToBigint(modulusBytes);
    if (modulus === 0n) return new Uint8Array(modulusBytes.length);
    return bigintToBytes(
      modularPower(bytesToBigint(base), bytesToBigint(exponent), modulus),
      modulusBytes.length,
    );
  },
};
