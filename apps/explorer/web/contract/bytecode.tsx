import { useMemo } from "react";
import { CodeView } from "../components/code-view.tsx";
import { Card } from "../components/page.tsx";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { listing } from "./disassembly.ts";

/** A contract's code as it is on the chain, and its instructions. */
export function Bytecode({ code }: { readonly code: string }) {
  const t = useText(section);
  const instructions = useMemo(() => listing(code), [code]);
  return (
    <>
      <Card>
        <CodeView code={code} label={t("runtimeCode")} wrap />
      </Card>
      <Card>
        <CodeView code={instructions} label={t("disassembly")} />
      </Card>
    </>
  );
}
