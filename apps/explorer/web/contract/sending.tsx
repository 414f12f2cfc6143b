import { useCallback, useRef, useState } from "react";
import { Notice } from "../components/badge.tsx";
import { BlockLink, TransactionLink } from "../components/hash.tsx";
import { useNode } from "../data/network.ts";
import { toNumber } from "../data/quantity.ts";
import type { RpcClient } from "../data/rpc.ts";
import type { RpcReceipt } from "../data/rpc-types.ts";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import type { Connection } from "../wallet/wallets.ts";
import { type CallError, describeError, type PreparedCall } from "./calls.ts";
import { FailedCall } from "./outcome.tsx";

const POLL_MS = 300;
/** So long a receipt is waited for: then the transaction's own page says more. */
const POLLS = 200;
/** More gas than was estimated is allowed, since state may move on: 25 %. */
const GAS_MARGIN = 4n;

type SendingState =
  | { readonly kind: "idle" }
  | { readonly kind: "asking" }
  | { readonly kind: "sent"; readonly hash: string; readonly receipt: RpcReceipt | undefined }
  | { readonly kind: "failed"; readonly error: unknown };

export type SendingControl = {
  readonly state: SendingState;
  readonly send: (connection: Connection, call: PreparedCall, gas: bigint | undefined) => Promise<void>;
  readonly reset: () => void;
};

/** Sends a call through a wallet and waits for its block. */
export function useSending(): SendingControl {
  const { rpc } = useNode();
  const [state, setState] = useState<SendingState>({ kind: "idle" });
  const turn = useRef(0);
  const send = useCallback(
    async (connection: Connection, call: PreparedCall, gas: bigint | undefined): Promise<void> => {
      const own = ++turn.current;
      const show = (next: SendingState): void => {
        if (turn.current === own) setState(next);
      };
      show({ kind: "asking" });
      try {
        const { to, data, value } = call;
        const limit = gas === undefined ? {} : { gas: `0x${(gas + gas / GAS_MARGIN).toString(16)}` };
        const transaction = {
          from: connection.account,
          to,
          data,
          value: `0x${value.toString(16)}`,
          ...limit,
        };
        const { provider } = connection.wallet;
        const hash = await provider.request({ method: "eth_sendTransaction", params: [transaction] });
        show({ kind: "sent", hash: String(hash), receipt: undefined });
        show({ kind: "sent", hash: String(hash), receipt: await waitForReceipt(rpc, String(hash)) });
      } catch (error) {
        show({ kind: "failed", error });
      }
    },
    [rpc],
  );
  const reset = useCallback(() => {
    turn.current++;
    setState({ kind: "idle" });
  }, []);
  return { state, send, reset };
}

async function waitForReceipt(rpc: RpcClient, hash: string): Promise<RpcReceipt | undefined> {
  for (let poll = 0; poll < POLLS; poll++) {
    const receipt = await rpc.call<RpcReceipt | null>("eth_getTransactionReceipt", [hash]);
    if (receipt !== null) return receipt;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

type SendingProps = { readonly sending: SendingControl; readonly abi: readonly unknown[] };

/** What became of a call that was sent. */
export function Sending({ sending: { state }, abi }: SendingProps) {
  const t = useText(section);
  switch (state.kind) {
    case "idle":
      return null;
    case "asking":
      return <Notice>{t("sending")}</Notice>;
    case "failed": {
      const error: CallError = describeError(abi, state.error);
      return <FailedCall error={error} />;
    }
    case "sent":
      return <Sent hash={state.hash} receipt={state.receipt} />;
    default:
      return state satisfies never;
  }
}

function Sent({ hash, receipt }: { readonly hash: string; readonly receipt: RpcReceipt | undefined }) {
  const t = useText(section);
  if (receipt === undefined) {
    return (
      <Notice>
        {t("waiting")} <TransactionLink hash={hash} copy />
      </Notice>
    );
  }
  const succeeded = receipt.status === "0x1";
  const block = toNumber(receipt.blockNumber);
  return (
    <Notice tone={succeeded ? "good" : "bad"}>
      <span data-testid="included" data-succeeded={succeeded}>
        {succeeded ? t("included", { block: String(block) }) : t("reverted")}
      </span>{" "}
      <BlockLink number={block} /> <TransactionLink hash={hash} copy />
    </Notice>
  );
}
