import { CodeView } from "../components/code-view.tsx";
import { Skeleton } from "../components/states.tsx";
import { decodeCall, signaturesOf, verifiedAbi } from "../data/abi.ts";
import { useConsole } from "../data/network.ts";
import type { RpcTransaction } from "../data/rpc-types.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { DecodedView } from "./decoded-view.tsx";

const SELECTOR_DIGITS = 10;
const KEEP_MS = 60_000;

/** What a transaction calls, in words where its ABI is known, and the bytes. */
export function CallCard({ transaction: { hash, to, input } }: { readonly transaction: RpcTransaction }) {
  const t = useText(text);
  const { services } = useConsole();
  const isCall = to !== null && input.length >= SELECTOR_DIGITS;
  const decoded = useAnswer(
    isCall ? `call ${hash} ${services.index}` : undefined,
    async () => {
      if (!services.index) return (await decodeCall(input, undefined)) ?? null;
      const [abi, signatures] = await Promise.all([
        verifiedAbi(to ?? ""),
        signaturesOf(input.slice(0, SELECTOR_DIGITS)),
      ]);
      return (await decodeCall(input, abi, signatures)) ?? null;
    },
    { staleMs: KEEP_MS },
  );
  if (input === "0x") return <p className="soft">{t("noInput")}</p>;
  return (
    <>
      {isCall && decoded.value === undefined && decoded.error === undefined ? <Skeleton lines={2} /> : null}
      {decoded.value === undefined || decoded.value === null ? null : <DecodedView decoded={decoded.value} />}
      {isCall && decoded.value === null ? <p className="soft">{t("undecoded")}</p> : null}
      <CodeView code={input} label={t("input")} wrap />
    </>
  );
}
