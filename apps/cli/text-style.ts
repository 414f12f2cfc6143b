import { styleText } from "node:util";

export type TextStyle = "good" | "warning" | "bad" | "strong" | "faint" | "accent";

const STYLES: Readonly<Record<TextStyle, Parameters<typeof styleText>[0]>> = {
  good: "green",
  warning: "yellow",
  bad: "red",
  strong: "bold",
  faint: "dim",
  accent: "cyan",
};

/** Text in a colour, where the stream is a terminal that shows some and nobody has asked for none: NO_COLOR, FORCE_COLOR and the like
 * decide (https://no-color.org, Node's own rules); `--no-color` sets NO_COLOR. */
export function styled(style: TextStyle, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(STYLES[style], text, { stream });
}

/** Makes this process, and those that it starts, write without colours. */
export function turnColoursOff(): void {
  delete process.env["FORCE_COLOR"];
  process.env["NO_COLOR"] = "1";
}
