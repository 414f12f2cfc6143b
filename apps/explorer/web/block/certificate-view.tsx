import { Badge } from "../components/badge.tsx";
import { Address, BlockLink, Hash } from "../components/hash.tsx";
import { Hint } from "../components/hint.tsx";
import { KeyValue, KeyValues } from "../components/key-values.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { useConsole, useLiveChain, useNode } from "../data/network.ts";
import { toNumber, toQuantity } from "../data/quantity.ts";
import type { RpcClient } from "../data/rpc.ts";
import type { RpcCertificate, RpcValidatorSet } from "../data/rpc-types.ts";
import { useAnswer } from "../data/use-answer.ts";
import { block as text } from "../i18n/block.ts";
import { useText } from "../i18n/language.ts";
import { readStateCertificate, type ShownCertificate } from "./state-certificate.ts";

const BLS = 1;

type Certified = { readonly certificate: ShownCertificate; readonly set: RpcValidatorSet | null };

/** The certificate that proves a block, with who signed it. */
export function CertificateView({ number }: { readonly number: number }) {
  const t = useText(text);
  const { engine } = useConsole();
  const { path, rpc } = useNode();
  const { certified } = useLiveChain();
  const answer = useAnswer(`${path} certificate ${number}`, () => readCertified(rpc, number), {
    on: certified >= number,
  });
  return (
    <Loaded answer={answer}>
      {(value) =>
        value === null ? (
          <EmptyState title={engine === "pow" ? t("mined") : t("noCertificate")} />
        ) : (
          <Certificate certified={value} number={number} />
        )
      }
    </Loaded>
  );
}

async function readCertified(rpc: RpcClient, number: number): Promise<Certified | null> {
  const answer = await rpc.call<RpcCertificate | null>("ostrom_getStateCertificate", [toQuantity(number)]);
  if (answer === null) return null;
  const certificate = readStateCertificate(answer.certificate);
  const set = await rpc.call<RpcValidatorSet | null>("ostrom_getValidators", [toQuantity(certificate.epoch)]);
  return { certificate, set };
}

type CertificateProps = { readonly certified: Certified; readonly number: number };

function Certificate({ certified: { certificate, set }, number }: CertificateProps) {
  const t = useText(text);
  const { signers, height, epoch, schemeId, nextSetHash, signature, executedHash } = certificate;
  const validators = set?.validators ?? [];
  return (
    <>
      <div className="certificate-lead">
        <p>{t("certificateLead")}</p>
        {height === number ? null : <p>{t("certificateOf", { number: String(height) })}</p>}
        <h2>{t("signers", { signed: signers.length, all: validators.length })}</h2>
      </div>
      <ul className="signers">
        {validators.map(({ name, address, weight }, index) => (
          <li key={address}>
            <Address value={address} name={name === "" ? undefined : name} copy={false} />
            <span className="muted">{t("weight", { weight: toNumber(weight) })}</span>
            {signers.includes(index) ? (
              <Badge tone="good">{t("signed")}</Badge>
            ) : (
              <Hint text={t("absentHint")}>
                <Badge>{t("absent")}</Badge>
              </Hint>
            )}
          </li>
        ))}
      </ul>
      <KeyValues>
        <KeyValue name={t("number")}>
          <BlockLink number={height} />
        </KeyValue>
        <KeyValue name={t("hash")} hint={t("hintHash")}>
          <Hash value={executedHash} full />
        </KeyValue>
        <KeyValue name={t("epoch")}>{epoch}</KeyValue>
        <KeyValue name={t("setHash")} hint={t("hintSetHash")}>
          <Hash value={nextSetHash} full />
        </KeyValue>
        <KeyValue name={t("scheme")}>
          {schemeId === BLS ? t("scheme1") : t("schemeOther", { id: schemeId })}
        </KeyValue>
        <KeyValue name={t("signature")}>
          <Hash value={signature} />
        </KeyValue>
      </KeyValues>
    </>
  );
}
