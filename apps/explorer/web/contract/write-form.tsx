import { useState } from "react";
import { Button } from "../components/button.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { formatUnits } from "../data/quantity.ts";
import { useStore } from "../data/use-store.ts";
import { contract as section } from "../i18n/contract.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { WalletBar } from "../wallet/wallet-bar.tsx";
import { connectionStore } from "../wallet/wallets.ts";
import { readAmount } from "./abi-input.ts";
import { type AbiFunction, signatureOf } from "./abi-types.ts";
import { describeError, encodeCall, type PreparedCall, type Simulation, simulate } from "./calls.ts";
import { ArgumentFields, parseArguments } from "./fields.tsx";
import { FailedCall, Returned } from "./outcome.tsx";
import { Sending, useSending } from "./sending.tsx";

type FormsProps = {
  readonly address: `0x${string}`;
  readonly abi: readonly unknown[];
  readonly functions: readonly AbiFunction[];
};

/** A form for every function that changes something, through the browser's wallet. */
export function WriteForms({ functions, ...rest }: FormsProps) {
  const t = useText(section);
  if (functions.length === 0) return <EmptyState title={t("noFunctions")} />;
  return (
    <>
      <WalletBar />
      <Card flush>
        {functions.map((definition) => (
          <WriteForm key={signatureOf(definition)} definition={definition} {...rest} />
        ))}
      </Card>
    </>
  );
}

type WriteFormProps = Omit<FormsProps, "functions"> & { readonly definition: AbiFunction };

function WriteForm({ definition, address, abi }: WriteFormProps) {
  const t = useText(section);
  const form = useWriteForm(definition, address, abi);
  const { simulation, canSend, sending } = form;
  return (
    <details className="function" data-function={definition.name}>
      <summary>
        <code>{definition.name}</code>
        <span className="muted mono">({definition.inputs.map(({ type }) => type).join(", ")})</span>
      </summary>
      <form
        className="function-form"
        onSubmit={(event) => {
          event.preventDefault();
          void form.tryIt();
        }}
      >
        <ArgumentFields
          parameters={definition.inputs}
          texts={form.texts}
          showsProblems={form.wasTried}
          onChange={form.setTexts}
        />
        {definition.stateMutability === "payable" ? (
          <div className="field">
            <label>
              {t("optionalValue")}
              <input
                className="input mono"
                value={form.valueText}
                onChange={(event) => form.setValueText(event.target.value)}
                autoComplete="off"
              />
            </label>
            <span className="field-hint">{t("valueHint")}</span>
          </div>
        ) : null}
        <div className="row">
          <Button type="submit" size="small">
            {t("simulate")}
          </Button>
          <Button size="small" kind="primary" disabled={!canSend} onClick={() => void form.send()}>
            {t("send")}
          </Button>
        </div>
        {simulation === undefined ? null : (
          <output className="function-outcome">
            <Foreseen definition={definition} simulation={simulation} />
          </output>
        )}
        <Sending sending={sending} abi={abi} />
      </form>
    </details>
  );
}

type WriteState = {
  readonly texts: readonly string[];
  readonly setTexts: (texts: readonly string[]) => void;
  readonly valueText: string;
  readonly setValueText: (text: string) => void;
  readonly wasTried: boolean;
  readonly simulation: Simulation | undefined;
  readonly sending: ReturnType<typeof useSending>;
  readonly canSend: boolean;
  readonly tryIt: () => Promise<void>;
  readonly send: () => Promise<void>;
};

/** What was typed, what the call would do, and its sending. A call that was changed must be tried again before it can be sent. */
function useWriteForm(definition: AbiFunction, address: `0x${string}`, abi: readonly unknown[]): WriteState {
  const { rpc } = useNode();
  const { chainId } = useConsole();
  const connection = useStore(connectionStore);
  const [texts, setTexts] = useState<readonly string[]>([]);
  const [valueText, setValueText] = useState("");
  const [wasTried, setTried] = useState(false);
  const [tried, setSimulation] = useState<{ readonly of: string; readonly simulation: Simulation }>();
  const sending = useSending();
  const typed = JSON.stringify([texts, valueText, connection?.account]);
  const prepare = (): PreparedCall | undefined => {
    const args = parseArguments(definition.inputs, texts);
    const value = valueText.trim() === "" ? 0n : (readAmount(valueText) ?? readWhole(valueText));
    if (args === undefined || value === undefined) return undefined;
    return { to: address, from: connection?.account, data: encodeCall(definition, args), value };
  };
  const tryIt = async (): Promise<void> => {
    setTried(true);
    sending.reset();
    try {
      const call = prepare();
      if (call === undefined) return;
      setSimulation({ of: typed, simulation: await simulate(rpc, definition, abi, call, true) });
    } catch (error) {
      setSimulation({ of: typed, simulation: { ok: false, error: describeError(abi, error) } });
    }
  };
  const simulation = tried?.of === typed ? tried.simulation : undefined;
  const send = async (): Promise<void> => {
    const call = prepare();
    if (call !== undefined && connection !== undefined && simulation?.ok === true) {
      await sending.send(connection, call, simulation.gas);
    }
  };
  const isHere = connection !== undefined && connection.chainId === chainId;
  const canSend = isHere && simulation?.ok === true && sending.state.kind !== "asking";
  return { texts, setTexts, valueText, setValueText, wasTried, simulation, sending, canSend, tryIt, send };
}

function readWhole(text: string): bigint | undefined {
  return /^\d+$/.test(text.trim()) ? BigInt(text.trim()) : undefined;
}

type ForeseenProps = { readonly definition: AbiFunction; readonly simulation: Simulation };

/** What the call would do if it were sent now. */
function Foreseen({ definition, simulation }: ForeseenProps) {
  const t = useText(section);
  const formats = useFormats();
  const { rpc, path } = useNode();
  const [fee, setFee] = useState<string>();
  if (!simulation.ok) return <FailedCall error={simulation.error} />;
  const { gas, result } = simulation;
  if (fee === undefined && gas !== undefined) {
    void rpc
      .call<string>("eth_gasPrice")
      .then((price) => setFee(formatUnits(BigInt(price) * gas)))
      .catch(() => setFee("?"));
  }
  return (
    <div className="foreseen" data-node={path}>
      <p>
        {gas === undefined
          ? t("simulated")
          : t("simulatedGas", { gas: formats.number(gas), fee: fee ?? "…" })}
      </p>
      {definition.outputs.length === 0 ? null : (
        <>
          <span className="muted small">{t("wouldReturn")}</span>
          <Returned definition={definition} result={result} />
        </>
      )}
    </div>
  );
}
