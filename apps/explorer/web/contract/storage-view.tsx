import { useMemo, useState } from "react";
import { encodeAbiParameters, type Hex, keccak256 } from "viem";
import { Button } from "../components/button.tsx";
import { Card } from "../components/page.tsx";
import { useLiveChain, useNode } from "../data/network.ts";
import { useAnswer } from "../data/use-answer.ts";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { Prove } from "../prove/prove-button.tsx";
import { parseInput } from "./abi-input.ts";
import { readLayout, type StorageVariable, slotText, storedValue } from "./storage-layout.ts";

type StorageProps = { readonly address: `0x${string}`; readonly layout: unknown };

/** What a contract stores: its variables by name where the compiler said where they are, and any slot by its number. */
export function StorageView({ address, layout }: StorageProps) {
  const t = useText(section);
  const variables = useMemo(() => readLayout(layout), [layout]);
  return (
    <>
      <Card title={t("variables")} flush>
        {variables.length === 0 ? <p className="card-body small soft">{t("noLayout")}</p> : null}
        <ul className="variables">
          {variables.map((variable) => (
            <li key={variable.name} className="variable" data-variable={variable.name}>
              <div>
                <code>{variable.name}</code> <span className="muted mono small">{variable.type}</span>
              </div>
              {variable.mapping === undefined ? (
                <Stored address={address} variable={variable} />
              ) : (
                <MappingLookup address={address} variable={variable} />
              )}
            </li>
          ))}
        </ul>
      </Card>
      <Card title={t("anySlot")}>
        <SlotLookup address={address} />
      </Card>
    </>
  );
}

type StoredProps = { readonly address: `0x${string}`; readonly variable: StorageVariable };

/** The value in a slot, with its proof. */
function Stored({ address, variable }: StoredProps) {
  const { rpc, path } = useNode();
  const { head } = useLiveChain();
  const { slot, name } = variable;
  const { value: word } = useAnswer(
    `slot:${path}:${address}:${slot}`,
    () => rpc.call<string>("eth_getStorageAt", [address, slot, "latest"]),
    { on: head },
  );
  return (
    <div className="row stored">
      <span className="mono" data-testid="stored">
        {word === undefined ? "…" : (storedValue(variable, word) ?? word)}
      </span>
      <Prove question={{ kind: "storage", address, slot }} subject={name} />
    </div>
  );
}

/** Source: Solidity documentation, "Mappings and Dynamic Arrays": keccak256 of the key and the mapping's slot. */
function slotOfKey(keyType: string, text: string, slot: Hex): Hex | undefined {
  const type = keyType.startsWith("contract ") ? "address" : keyType.startsWith("enum ") ? "uint8" : keyType;
  const parsed = parseInput({ type }, text);
  if (!parsed.ok) return undefined;
  // Keys of no fixed length are not padded.
  if (type === "string") {
    const digits = Array.from(new TextEncoder().encode(text), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    return keccak256(`0x${digits}${slot.slice(2)}`);
  }
  if (type === "bytes") return keccak256(`${String(parsed.value) as Hex}${slot.slice(2)}`);
  return keccak256(encodeAbiParameters([{ type }, { type: "bytes32" }], [parsed.value, slot]));
}

function MappingLookup({ address, variable }: StoredProps) {
  const t = useText(section);
  const { name, slot, mapping } = variable;
  const [text, setText] = useState("");
  const [found, setFound] = useState<{ readonly key: string; readonly variable: StorageVariable }>();
  if (mapping === undefined) return null;
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        const at = slotOfKey(mapping.key, text, slot);
        const entry = { name: `${name}[${text}]`, slot: at ?? slot, offset: 0, ...mapping.value };
        setFound(at === undefined ? undefined : { key: text, variable: entry });
      }}
    >
      <input
        className="input mono lookup"
        aria-label={t("keyOf", { name })}
        placeholder={mapping.key}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit" size="small">
        {t("look")}
      </Button>
      {found === undefined ? null : <Stored key={found.key} address={address} variable={found.variable} />}
    </form>
  );
}

const SLOT_NUMBER = /^(?:\d{1,78}|0x[0-9a-fA-F]{1,64})$/;

function SlotLookup({ address }: { readonly address: `0x${string}` }) {
  const t = useText(section);
  const [text, setText] = useState("0");
  const [slot, setSlot] = useState<`0x${string}`>();
  const word: StorageVariable | undefined =
    slot === undefined
      ? undefined
      : { name: t("slot"), type: "bytes32", slot, offset: 0, bytes: 32, encoding: "inplace" };
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (SLOT_NUMBER.test(text.trim())) setSlot(slotText(BigInt(text.trim())));
      }}
    >
      <input
        className="input mono lookup"
        aria-label={t("slot")}
        title={t("slotHint")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit" size="small">
        {t("look")}
      </Button>
      {word === undefined ? null : <Stored key={word.slot} address={address} variable={word} />}
    </form>
  );
}
