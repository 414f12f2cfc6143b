import { useMemo } from "react";
import { Badge } from "../components/badge.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Card, Page, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { type NetworkNode, useNode, useNodes } from "../data/network.ts";
import { shorten } from "../data/quantity.ts";
import { useAnswer } from "../data/use-answer.ts";
import type { Formats } from "../i18n/formats.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { peers } from "../i18n/peers.ts";
import { LinkMatrix } from "../peers/link-matrix.tsx";
import type { AskedNode, NodeInfo, PeerLink } from "../peers/peer-types.ts";
import "./peers.css";

const EVERY_MS = 2_000;

/** How the nodes of the network are linked. */
export default function PeersPage() {
  const t = useText(peers);
  const nodes = useNodes();
  const key = nodes.map(({ path, name }) => `${path} ${name}`).join();
  const answer = useAnswer(`peers ${key}`, () => Promise.all(nodes.map(askNode)), { everyMs: EVERY_MS });
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Loaded answer={answer}>
        {(asked) => (
          <>
            <Figures nodes={asked} />
            {asked.length < 2 ? null : (
              <Card title={t("matrixTitle")} flush>
                <p className="card-note">{t("matrixHint")}</p>
                <LinkMatrix nodes={asked} />
              </Card>
            )}
            <Card title={t("nodesTitle")} flush>
              <NodesTable nodes={asked} />
            </Card>
            <LinksCard nodes={asked} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

async function askNode({ name, path, rpc }: NetworkNode): Promise<AskedNode> {
  try {
    const [info, links] = await Promise.all([
      rpc.call<NodeInfo | null>("ostrom_nodeInfo"),
      rpc.call<readonly PeerLink[]>("ostrom_getPeers"),
    ]);
    return { name, path, info: info ?? undefined, links };
  } catch {
    return { name, path, info: undefined, links: [] };
  }
}

function Figures({ nodes }: { readonly nodes: readonly AskedNode[] }) {
  const t = useText(peers);
  const formats = useFormats();
  const up = nodes.flatMap(({ links }) => links.filter(({ connected }) => connected));
  const trips = up.flatMap(({ roundTripMs }) => roundTripMs ?? []).sort((a, b) => a - b);
  const median = trips[Math.floor(trips.length / 2)];
  const heights = nodes.flatMap(({ info }) => (info === undefined ? [] : Number(info.heads.latest)));
  const answering = nodes.filter(({ info }) => info !== undefined).length;
  return (
    <Stats label={t("title")}>
      <Stat label={t("nodes")} value={nodes.length} note={t("answering", { count: answering })} />
      <Stat label={t("links")} value={up.length} />
      <Stat
        label={t("newest")}
        value={heights.length === 0 ? "–" : Math.max(...heights)}
        note={
          heights.length < 2 ? undefined : t("apart", { count: Math.max(...heights) - Math.min(...heights) })
        }
      />
      <Stat label={t("median")} value={median === undefined ? "–" : formats.duration(median)} />
    </Stats>
  );
}

function NodesTable({ nodes }: { readonly nodes: readonly AskedNode[] }) {
  const t = useText(peers);
  const formats = useFormats();
  const columns = useMemo<readonly Column<AskedNode>[]>(
    () => [
      { id: "name", header: t("node"), cell: ({ name }) => name, sort: ({ name }) => name },
      {
        id: "role",
        header: t("role"),
        cell: ({ info }) =>
          info === undefined ? (
            <Badge tone="bad">{t("noAnswer")}</Badge>
          ) : (
            <Badge tone={info.role === "follower" ? "quiet" : "accent"}>{t(info.role)}</Badge>
          ),
      },
      {
        id: "height",
        header: t("height"),
        cell: ({ info }) => (info === undefined ? "–" : Number(info.heads.latest)),
        align: "end",
      },
      {
        id: "uptime",
        header: t("uptime"),
        cell: ({ info }) => (info === undefined ? "–" : formats.duration(info.uptimeMs)),
        align: "end",
      },
      { id: "keeps", header: t("keeps"), cell: ({ info }) => info?.modes.keeps ?? "–", from: "tablet" },
      {
        id: "version",
        header: t("version"),
        cell: ({ info }) => <span className="mono">{info?.version ?? "–"}</span>,
        from: "tablet",
      },
    ],
    [t, formats],
  );
  return <DataTable label={t("nodesTitle")} columns={columns} rows={nodes} rowKey={({ path }) => path} />;
}

function LinksCard({ nodes }: { readonly nodes: readonly AskedNode[] }) {
  const t = useText(peers);
  const { path, name } = useNode();
  const columns = useLinkColumns();
  const links = nodes.find((node) => node.path === path)?.links ?? [];
  return (
    <Card title={t("linksTitle", { node: name })} flush>
      <DataTable
        label={t("linksTitle", { node: name })}
        columns={columns}
        rows={links}
        rowKey={({ peerId }) => peerId}
        empty={<EmptyState title={t("alone")}>{t("aloneText")}</EmptyState>}
      />
    </Card>
  );
}

const SHOWN_DIGITS = 8;

type ColumnTexts = { readonly t: Text<keyof (typeof peers)["en"]>; readonly formats: Formats };

function useLinkColumns(): readonly Column<PeerLink>[] {
  const t = useText(peers);
  const formats = useFormats();
  return useMemo(() => [...stateColumns({ t, formats }), ...trafficColumns({ t, formats })], [t, formats]);
}

function stateColumns({ t, formats }: ColumnTexts): readonly Column<PeerLink>[] {
  return [
    {
      id: "peer",
      header: t("peer"),
      cell: ({ name, peerId }) => (
        <span title={peerId}>
          {name ?? `${t("stranger")} ${shorten(`0x${peerId}`, SHOWN_DIGITS).slice(2)}`}
        </span>
      ),
      sort: ({ name, peerId }) => name ?? peerId,
    },
    {
      id: "state",
      header: t("state"),
      cell: ({ connected }) => (
        <Badge tone={connected ? "good" : "bad"}>{t(connected ? "up" : "down")}</Badge>
      ),
    },
    { id: "direction", header: t("direction"), cell: ({ direction }) => t(direction), from: "tablet" },
    {
      id: "since",
      header: t("since"),
      cell: ({ connectedMs }) => (connectedMs === null ? "–" : formats.duration(connectedMs)),
      align: "end",
    },
    {
      id: "roundTrip",
      header: t("roundTrip"),
      cell: ({ roundTripMs }) => (roundTripMs === null ? "–" : formats.duration(roundTripMs)),
      sort: ({ roundTripMs }) => roundTripMs ?? Number.MAX_VALUE,
      align: "end",
    },
  ];
}

function trafficColumns({ t, formats }: ColumnTexts): readonly Column<PeerLink>[] {
  return [
    { id: "sent", header: t("sent"), cell: ({ sent }) => formats.bytes(sent.bytes), align: "end" },
    {
      id: "received",
      header: t("received"),
      cell: ({ received }) => formats.bytes(received.bytes),
      align: "end",
    },
    {
      id: "queue",
      header: t("queue"),
      cell: ({ queuedBytes }) => formats.bytes(queuedBytes),
      align: "end",
      from: "tablet",
    },
    {
      id: "dropped",
      header: t("dropped"),
      cell: ({ dropped }) => formats.number(sum(dropped)),
      align: "end",
      from: "desktop",
    },
    {
      id: "height",
      header: t("height"),
      cell: ({ height }) => (height === null ? "–" : Number(height)),
      align: "end",
      from: "tablet",
    },
    {
      id: "address",
      header: t("address"),
      cell: ({ address }) => <span className="mono">{address ?? t("hidden")}</span>,
      from: "desktop",
    },
    {
      id: "reason",
      header: t("reason"),
      cell: ({ lastDownReason }) => <span className="mono">{lastDownReason ?? "–"}</span>,
      from: "desktop",
    },
  ];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, one) => total + one, 0);
}
