import assert from "node:assert/strict";
import type { NodeReport } from "../supervisor.ts";

/** Gathers what nodes say of their blocks. Two different hashes for one height are the one thing that must never be. */
export class AgreementChecker {
  readonly #hashes = new Map<number, { readonly hash: string; readonly name: string }>();
  readonly #contradictions: string[] = [];
  #reports = 0;

  /** How many block reports there were. */
  get reports(): number {
    return this.#reports;
  }

  add(report: NodeReport): void {
    if (report.kind === "block") this.addBlock(report.number, report.hash, report.name);
  }

  addBlock(height: number, hash: string, name: string): void {
    this.#reports++;
    const known = this.#hashes.get(height);
    if (known === undefined) this.#hashes.set(height, { hash, name });
    else if (known.hash !== hash) {
      this.#contradictions.push(`block ${height} is ${known.hash} for ${known.name} and ${hash} for ${name}`);
    }
  }

  /** @throws AssertionError if there were two hashes for a height. */
  assertAgreement(): void {
    assert.deepEqual(this.#contradictions, [], "two nodes have different blocks at one height");
  }
}
