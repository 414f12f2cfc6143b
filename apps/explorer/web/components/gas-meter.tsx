import { useFormats } from "../i18n/language.ts";

type GasMeterProps = {
  readonly gasUsed: number;
  readonly gasLimit: number;
  /** All digits, and the limit. */
  readonly isLong?: boolean;
};

/** Gas that was used, and its share of the limit as a bar. */
export function GasMeter({ gasUsed, gasLimit, isLong = false }: GasMeterProps) {
  const { compact, number, percent } = useFormats();
  const share = gasLimit === 0 ? 0 : gasUsed / gasLimit;
  const long = `${number(gasUsed)} / ${number(gasLimit)} (${percent(share)})`;
  return (
    <span title={long}>
      {isLong ? long : compact(gasUsed)}{" "}
      <span className="meter" aria-hidden="true">
        <i style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
    </span>
  );
}
