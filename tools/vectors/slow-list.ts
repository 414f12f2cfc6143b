/** State tests that run only with --slow, by the end of their path. */
export const SLOW_STATE_TESTS: readonly { readonly path: string; readonly why: string }[] = [
  { path: "stTimeConsuming/CALLBlake2f_MaxRounds.json", why: "2^32 - 1 rounds of BLAKE2b" },
];

export function isSlow(path: string): boolean {
  const normal = path.replaceAll("\\", "/");
  return SLOW_STATE_TESTS.some((slow) => normal.endsWith(`/${slow.path}`));
}
