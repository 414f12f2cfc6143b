import { type AccountKeys, describeKey, readAccountKeys } from "@ostrom/sdk";
import { Badge, Notice } from "../components/badge.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { useNode } from "../data/network.ts";
import { useAnswer } from "../data/use-answer.ts";
import { address as section } from "../i18n/address.ts";
import { useFormats, useText } from "../i18n/language.ts";

type Found = { readonly keys: AccountKeys | undefined };

/** Which keys sign for an account, and what change is under way. */
export default function AccountKeysCard({ address }: { readonly address: string }) {
  const t = useText(section);
  const { rpc, path } = useNode();
  const answer = useAnswer(`keys:${path}:${address}`, async (): Promise<Found> => {
    const call = (to: `0x${string}`, data: `0x${string}`): Promise<`0x${string}`> =>
      rpc.call("eth_call", [{ to, data }, "latest"]);
    // A chain without the contract answers nothing, which cannot be read.
    const keys = await readAccountKeys(call, address as `0x${string}`).catch(() => undefined);
    return { keys };
  });
  return (
    <Card title={t("keys")} flush>
      <Loaded answer={answer}>
        {({ keys }) => (keys === undefined ? <EmptyState title={t("noKeySets")} /> : <KeySet keys={keys} />)}
      </Loaded>
    </Card>
  );
}

function KeySet({ keys }: { readonly keys: AccountKeys }) {
  const t = useText(section);
  const formats = useFormats();
  const { governing, proposal, isBroken } = keys;
  if (governing === undefined) return <EmptyState title={t("noKeys")} />;
  return (
    <>
      {isBroken ? <Notice tone="warn">{t("broken")}</Notice> : null}
      {proposal === undefined ? null : (
        <Notice tone="warn">
          <strong>{t("proposal")}</strong>{" "}
          {t("proposalWords", { moment: formats.moment(proposal.readyAt * 1_000) })}
        </Notice>
      )}
      <KeyValues>
        <KeyValue name={t("version")}>{governing.version}</KeyValue>
        <KeyValue name={t("threshold")}>
          {t("thresholdOf", { threshold: governing.threshold, count: governing.keys.length })}
        </KeyValue>
        <KeyValue name={t("keys")}>
          <ul>
            {governing.keys.map((key) => (
              <li key={describeKey(key)} className="mono small">
                {describeKey(key)}
              </li>
            ))}
          </ul>
        </KeyValue>
        <KeyValue name={t("timelock")}>{formats.duration(governing.timelockSeconds * 1_000)}</KeyValue>
        <KeyValue name={t("guardian")}>
          {governing.guardian === undefined ? "–" : describeKey(governing.guardian)}
        </KeyValue>
        <KeyValue name={t("postQuantum")}>
          <Badge tone={governing.isPostQuantum ? "good" : "quiet"}>
            {governing.isPostQuantum ? t("yes") : t("no")}
          </Badge>
        </KeyValue>
        <KeyValue name={t("open")}>{governing.isOpen ? t("yes") : t("no")}</KeyValue>
      </KeyValues>
    </>
  );
}
