import { shareOf } from "../consensus/view-model.ts";
import type { SimplexView } from "../consensus/view-types.ts";
import { useText } from "../i18n/language.ts";
import { validators } from "../i18n/validators.ts";

/** Views in a strip. */
export const STRIP_VIEWS = 100;
const BAR = 2;
const HEIGHT = 16;

type VoteStripProps = {
  readonly name: string;
  readonly index: number;
  /** Ascending. */
  readonly views: readonly SimplexView[];
};

/** One bar for each of the newest views: whether a validator was heard in it. */
export function VoteStrip({ name, index, views }: VoteStripProps) {
  const t = useText(validators);
  const paths = { final: "", notarize: "", nullify: "", none: "" };
  for (const [column, view] of views.entries())
    paths[shareOf(view, index)] += `M${column * BAR} 0h${BAR - 0.4}v${HEIGHT}h${0.4 - BAR}z`;
  const voted = views.filter((view) => shareOf(view, index) !== "none").length;
  return (
    <svg
      className="vote-strip"
      role="img"
      aria-label={t("stripLabel", { name, voted, count: views.length })}
      width={STRIP_VIEWS * BAR}
      height={HEIGHT}
    >
      {Object.entries(paths).map(([share, path]) => (
        <path key={share} className="cell" data-share={share} d={path} />
      ))}
    </svg>
  );
}
