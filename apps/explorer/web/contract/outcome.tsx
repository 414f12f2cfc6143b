import { Notice } from "../components/badge.tsx";
import { Copy } from "../components/copy.tsx";
import { Address } from "../components/hash.tsx";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import type { AbiFunction, AbiParameter } from "./abi-types.ts";
import { type CallError, showValue } from "./calls.ts";

type ReturnedProps = { readonly definition: AbiFunction; readonly result: unknown };

/** What a function returned, each value with its name and type. */
export function Returned({ definition, result }: ReturnedProps) {
  const t = useText(section);
  const { outputs } = definition;
  if (outputs.length === 0) return <span className="muted">{t("nothing")}</span>;
  const values = outputs.length === 1 ? [result] : (result as readonly unknown[]);
  return (
    <dl className="returned">
      {outputs.map((output, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what a function returns has places, and may have no names
        <div key={index}>
          <dt className="muted">
            {output.name ?? ""} <span className="mono">{output.type}</span>
          </dt>
          <dd>
            <Value parameter={output} value={values[index]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ parameter, value }: { readonly parameter: AbiParameter; readonly value: unknown }) {
  const text = showValue(value);
  if (parameter.type === "address") return <Address value={text.toLowerCase()} full />;
  return (
    <span className="hash" data-full="true">
      <span className="mono returned-value" data-testid="returned">
        {text}
      </span>
      <Copy text={text} />
    </span>
  );
}

/** Why a call fails, in the contract's own terms where it has some. */
export function FailedCall({ error }: { readonly error: CallError }) {
  const t = useText(section);
  const { name, args, message } = error;
  return (
    <Notice tone="bad">
      <strong>{name === "" ? t("wouldFail") : t("failedWith", { name })}</strong>
      {args.map(({ name: argument, value }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: arguments of an error have places, and may have no names
        <div key={index} className="small">
          {argument}: <span className="mono">{showValue(value)}</span>
        </div>
      ))}
      <div className="small soft">{message}</div>
    </Notice>
  );
}
