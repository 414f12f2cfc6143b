import { useMemo, useState } from "react";
import { BlockTable } from "../components/block-table.tsx";
import { Button } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { Card, Page } from "../components/page.tsx";
import { Loaded } from "../components/states.tsx";
import { useLiveChain, useNode } from "../data/network.ts";
import { readBlocks } from "../data/past-blocks.ts";
import { useAnswer } from "../data/use-answer.ts";
import { blocks as text } from "../i18n/blocks.ts";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";

const PAGE_BLOCKS = 50;
const LIVE_HEIGHT = 1_400;

/** All blocks: the newest ones live, older ones page by page. */
export default function BlocksPage() {
  const t = useText(text);
  /** The highest block of the page; `undefined`: the list is live. */
  const [from, setFrom] = useState<number>();
  const { head } = useLiveChain();
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Card title={from === undefined ? t("following") : t("paused", { number: String(from) })} flush>
        {from === undefined ? <LiveBlocks /> : <PastBlocks from={from} />}
        <Steps from={from} head={head} onStep={setFrom} />
      </Card>
    </Page>
  );
}

type StepsProps = {
  readonly from: number | undefined;
  readonly head: number;
  readonly onStep: (from: number | undefined) => void;
};

/** Heights are their own cursors: one page back is so many blocks below. */
function Steps({ from, head, onStep }: StepsProps) {
  const t = useText(shell);
  const top = from ?? head;
  const newer = top + PAGE_BLOCKS;
  return (
    <nav className="pager" aria-label={t("navigation")}>
      <Button size="small" disabled={from === undefined} onClick={() => onStep(undefined)}>
        {t("live")}
      </Button>
      <Button
        size="small"
        disabled={from === undefined}
        onClick={() => onStep(newer >= head ? undefined : newer)}
      >
        <Icon name="left" size={12} /> {t("newer")}
      </Button>
      <Button size="small" disabled={top - PAGE_BLOCKS < 0} onClick={() => onStep(top - PAGE_BLOCKS)}>
        {t("older")} <Icon name="chevron" size={12} />
      </Button>
    </nav>
  );
}

function LiveBlocks() {
  const { blocks, certified } = useLiveChain();
  const rows = useMemo(() => [...blocks].reverse(), [blocks]);
  return <BlockTable rows={rows} certified={certified} isLive virtualHeight={LIVE_HEIGHT} />;
}

function PastBlocks({ from }: { readonly from: number }) {
  const { path, rpc } = useNode();
  const { certified } = useLiveChain();
  const answer = useAnswer(`${path} blocks ${from}`, () =>
    readBlocks(rpc, Math.max(0, from - PAGE_BLOCKS + 1), from),
  );
  return (
    <Loaded answer={answer} lines={12}>
      {(rows) => <BlockTable rows={[...rows].reverse()} certified={certified} />}
    </Loaded>
  );
}
