/** One thing that the demonstration did and checked. */
export type DemoStep = {
  readonly tool: "viem" | "ethers" | "proof";
  readonly what: string;
  readonly gasUsed?: bigint;
};

/** @throws Error naming what should have held. */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`the demonstration expected that ${what}`);
}
