import { useState } from "react";
import { Button } from "../components/button.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import { useNode } from "../data/network.ts";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { type AbiFunction, signatureOf } from "./abi-types.ts";
import { describeError, encodeCall, type Simulation, simulate } from "./calls.ts";
import { ArgumentFields, parseArguments } from "./fields.tsx";
import { FailedCall, Returned } from "./outcome.tsx";

type FormsProps = {
  readonly address: string;
  readonly abi: readonly unknown[];
  readonly functions: readonly AbiFunction[];
};

/** A form for every function that changes nothing. */
export function ReadForms({ functions, ...rest }: FormsProps) {
  const t = useText(section);
  if (functions.length === 0) return <EmptyState title={t("noFunctions")} />;
  return (
    <Card flush>
      {functions.map((definition) => (
        <ReadForm key={signatureOf(definition)} definition={definition} {...rest} />
      ))}
    </Card>
  );
}

type ReadFormProps = Omit<FormsProps, "functions"> & { readonly definition: AbiFunction };

function ReadForm({ definition, address, abi }: ReadFormProps) {
  const t = useText(section);
  const { rpc } = useNode();
  const [texts, setTexts] = useState<readonly string[]>([]);
  const [wasTried, setTried] = useState(false);
  const [outcome, setOutcome] = useState<Simulation>();
  const ask = async (): Promise<void> => {
    setTried(true);
    const args = parseArguments(definition.inputs, texts);
    if (args === undefined) return;
    try {
      const call = { to: address, data: encodeCall(definition, args), value: 0n };
      setOutcome(await simulate(rpc, definition, abi, call, false));
    } catch (error) {
      setOutcome({ ok: false, error: describeError(abi, error) });
    }
  };
  return (
    <details className="function" data-function={definition.name} open={definition.inputs.length === 0}>
      <summary>
        <code>{definition.name}</code>
        <span className="muted mono">({definition.inputs.map(({ type }) => type).join(", ")})</span>
      </summary>
      <form
        className="function-form"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <ArgumentFields
          parameters={definition.inputs}
          texts={texts}
          showsProblems={wasTried}
          onChange={setTexts}
        />
        <div>
          <Button type="submit" size="small">
            {t("ask")}
          </Button>
        </div>
        {outcome === undefined ? null : (
          <output className="function-outcome">
            {outcome.ok ? (
              <Returned definition={definition} result={outcome.result} />
            ) : (
              <FailedCall error={outcome.error} />
            )}
          </output>
        )}
      </form>
    </details>
  );
}
