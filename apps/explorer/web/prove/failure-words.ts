import { useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import type { ProofFailure } from "./proof-model.ts";

type Key = keyof (typeof prove)["en"];

const KEY_OF_CODE: Readonly<Record<string, Key>> = {
  "anchor/no-certificates": "code_certificates",
  "anchor/none": "code_certificates",
  "anchor/changed": "changedWords",
  "page/not-certified": "code_notCertified",
  "page/other-value": "code_otherValue",
  "light/unreachable": "code_unreachable",
  "light/not-available": "code_unreachable",
  "light/server-error": "code_unreachable",
  "light/checkpoint-too-old": "code_tooOld",
  "light/wrong-header": "code_wrongHeader",
  "light/wrong-set": "code_wrongSet",
  "light/wrong-epoch": "code_wrongSet",
  "light/wrong-value": "code_wrongValue",
  "light/equivocation": "code_equivocation",
  "certificate/signature": "code_signature",
  "certificate/bitmap": "code_signature",
  "certificate/weight": "code_weight",
  "proof/wrong-hash": "code_wrongHash",
  "proof/malformed-node": "code_wrongHash",
  "proof/truncated": "code_truncated",
};

/** A failure in plain words; the checker's own where there are no better ones. */
export function useFailureWords(): (failure: ProofFailure) => string {
  const t = useText(prove);
  return ({ code, message }) => {
    const key = KEY_OF_CODE[code];
    return key === undefined ? message : t(key);
  };
}
