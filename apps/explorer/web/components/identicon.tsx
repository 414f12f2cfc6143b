import { useMemo } from "react";

const CELLS = 5;
const HALF = 3;

/** A small picture of an address, so that eyes tell two apart: five by five fields, mirrored, in two hues. It proves nothing. */
export function Identicon({ address, size = 18 }: { readonly address: string; readonly size?: number }) {
  const { paths, hues } = useMemo(() => pictureOf(address), [address]);
  return (
    <svg
      aria-hidden="true"
      className="identicon"
      width={size}
      height={size}
      viewBox={`0 0 ${CELLS} ${CELLS}`}
      shapeRendering="crispEdges"
    >
      {paths.map((path, index) => (
        <path key={hues[index]} d={path} fill={`hsl(${hues[index]} 52% 52%)`} />
      ))}
    </svg>
  );
}

function pictureOf(address: string): { readonly paths: readonly string[]; readonly hues: readonly number[] } {
  let state = fnv1a(address.toLowerCase());
  const next = (): number => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const hue = next() % 360;
  const paths = ["", ""];
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < HALF; column++) {
      const color = next() % 3;
      if (color === 2) continue;
      for (const x of new Set([column, CELLS - 1 - column])) paths[color] += `M${x} ${row}h1v1h-1z`;
    }
  }
  return { paths, hues: [hue, (hue + 110 + (next() % 90)) % 360] };
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}
