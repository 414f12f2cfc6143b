import { useFormats, useText } from "../i18n/language.ts";
import { peers } from "../i18n/peers.ts";
import type { AskedNode, PeerLink } from "./peer-types.ts";

/** Who is linked with whom, as each of them sees it. */
export function LinkMatrix({ nodes }: { readonly nodes: readonly AskedNode[] }) {
  const t = useText(peers);
  return (
    <div className="table-frame">
      <table className="table matrix" aria-label={t("matrixLabel")}>
        <thead>
          <tr>
            <th scope="col">{t("node")}</th>
            {nodes.map(({ name, path }) => (
              <th key={path} scope="col" data-align="end">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {nodes.map((from) => (
            <tr key={from.path}>
              <th scope="row">{from.name}</th>
              {nodes.map((to) => (
                <Cell key={to.path} from={from} to={to} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type CellProps = { readonly from: AskedNode; readonly to: AskedNode };

function Cell({ from, to }: CellProps) {
  const t = useText(peers);
  const formats = useFormats();
  if (from.path === to.path)
    return (
      <td data-align="end" data-link="self">
        <span aria-hidden="true">·</span>
        <span className="visually-hidden">{t("self")}</span>
      </td>
    );
  if (from.info === undefined)
    return (
      <td data-align="end" data-link="unknown">
        {t("noAnswer")}
      </td>
    );
  const link = linkTo(from, to);
  const isUp = link?.connected === true;
  const state = isUp
    ? link.roundTripMs === null
      ? t("linked")
      : formats.duration(link.roundTripMs)
    : t("notLinked");
  return (
    <td
      data-align="end"
      data-link={isUp ? "up" : "down"}
      title={t("linkText", { from: from.name, to: to.name, state })}
    >
      {state}
    </td>
  );
}

/** A node that does not answer is known by its name alone. */
function linkTo(from: AskedNode, to: AskedNode): PeerLink | undefined {
  return from.links.find(({ peerId, name }) =>
    to.info === undefined ? name === to.name : peerId === to.info.peerId,
  );
}
