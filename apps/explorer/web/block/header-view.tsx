import { GasMeter } from "../components/gas-meter.tsx";
import { Address, Hash } from "../components/hash.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { Time } from "../components/time.tsx";
import { formatUnits, toNumber } from "../data/quantity.ts";
import type { RpcBlock, RpcHeader } from "../data/rpc-types.ts";
import { useValidatorNames } from "../data/validators.ts";
import { block as text } from "../i18n/block.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";

const GWEI_DIGITS = 9;

/** Fields that are shown as the hashes that they are. */
const HASH_FIELDS = [
  "stateRoot",
  "transactionsRoot",
  "receiptsRoot",
  "extraData",
  "mixHash",
  "sha3Uncles",
  "withdrawalsRoot",
  "requestsHash",
  "parentBeaconBlockRoot",
] as const satisfies readonly (keyof RpcHeader)[];
const COUNT_FIELDS = [
  "difficulty",
  "blobGasUsed",
  "excessBlobGas",
] as const satisfies readonly (keyof RpcHeader)[];

type TextOfBlock = Text<keyof (typeof text)["en"]>;

/** Every field of a header, each with what it means. */
export function HeaderFields({ block }: { readonly block: RpcBlock<unknown> }) {
  const t = useText(text);
  return (
    <KeyValues>
      <MainFields block={block} />
      {HASH_FIELDS.map((field) => {
        const value = block[field];
        return value === undefined ? null : (
          <KeyValue key={field} name={t(field)} hint={hintOf(t, field)}>
            <Hash value={value} full />
          </KeyValue>
        );
      })}
      {COUNT_FIELDS.map((field) => {
        const value = block[field];
        return value === undefined ? null : (
          <KeyValue key={field} name={t(field)} hint={hintOf(t, field)}>
            {BigInt(value).toString()}
          </KeyValue>
        );
      })}
      <KeyValue name={t("nonce")} hint={t("hintNonce")}>
        <span className="mono">{block.nonce}</span>
      </KeyValue>
      <KeyValue name={t("logsBloom")} hint={t("hintLogsBloom")}>
        <Hash value={block.logsBloom} />
      </KeyValue>
    </KeyValues>
  );
}

function hintOf(t: TextOfBlock, field: (typeof HASH_FIELDS)[number] | (typeof COUNT_FIELDS)[number]): string {
  const key = `hint${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  return t(key as "hintStateRoot");
}

function MainFields({ block }: { readonly block: RpcBlock<unknown> }) {
  const t = useText(text);
  const { bytes } = useFormats();
  const names = useValidatorNames();
  const number = toNumber(block.number);
  const gas = { gasUsed: toNumber(block.gasUsed), gasLimit: toNumber(block.gasLimit) };
  return (
    <>
      <KeyValue name={t("number")} hint={t("hintNumber")}>
        {number}
      </KeyValue>
      <KeyValue name={t("hash")} hint={t("hintHash")}>
        <Hash value={block.hash} full />
      </KeyValue>
      <KeyValue name={t("parentHash")} hint={t("hintParentHash")}>
        <Hash
          value={block.parentHash}
          full
          {...(number === 0 ? {} : { href: `/block/${block.parentHash}` })}
        />
      </KeyValue>
      <KeyValue name={t("time")} hint={t("hintTime")}>
        <Time seconds={toNumber(block.timestamp)} full />
      </KeyValue>
      <KeyValue name={t("leader")} hint={t("hintLeader")}>
        <Address value={block.miner} name={names.get(block.miner.toLowerCase())} />
      </KeyValue>
      <KeyValue name={t("gas")} hint={t("hintGas")}>
        <GasMeter {...gas} isLong />
      </KeyValue>
      {block.baseFeePerGas === undefined ? null : (
        <KeyValue name={t("baseFee")} hint={t("hintBaseFee")}>
          {t("gweiText", { value: formatUnits(BigInt(block.baseFeePerGas), GWEI_DIGITS) })}
        </KeyValue>
      )}
      <KeyValue name={t("size")} hint={t("hintSize")}>
        {bytes(toNumber(block.size))}
      </KeyValue>
    </>
  );
}
