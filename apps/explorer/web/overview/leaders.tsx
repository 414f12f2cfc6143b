import { Address } from "../components/hash.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import type { LiveBlock } from "../data/live-chain.ts";
import { leads } from "../data/live-figures.ts";
import { toNumber } from "../data/quantity.ts";
import { useValidators } from "../data/validators.ts";
import { useText } from "../i18n/language.ts";
import { overview } from "../i18n/overview.ts";

const SHOWN = 12;

/** The validators, with the blocks that each led lately. One that led none stands here too: that is the news. */
export function Leaders({ blocks }: { readonly blocks: readonly LiveBlock[] }) {
  const t = useText(overview);
  const set = useValidators();
  const counted = leads(blocks.filter(({ number }) => number > 0));
  const byAddress = new Map(counted.map(({ leader, blocks: count }) => [leader, count]));
  const members = (set?.validators ?? []).map(({ name, address }) => ({
    name,
    address,
    count: byAddress.get(address.toLowerCase()) ?? 0,
  }));
  const others = counted
    .filter(({ leader }) => !members.some(({ address }) => address.toLowerCase() === leader))
    .map(({ leader, blocks: count }) => ({ name: undefined, address: leader, count }));
  const all = [...members, ...others].slice(0, SHOWN);
  const most = Math.max(1, ...all.map(({ count }) => count));
  const aside = set === null || set === undefined ? undefined : t("epoch", { epoch: toNumber(set.epoch) });
  return (
    <Card title={t("validators")} aside={aside}>
      {all.length === 0 ? (
        <EmptyState />
      ) : (
        <ul className="leaders">
          {all.map(({ name, address, count }) => (
            <li key={address}>
              <Address value={address} name={name === "" ? undefined : name} copy={false} />
              <span className="leader-bar" aria-hidden="true">
                <i style={{ width: `${(count / most) * 100}%` }} />
              </span>
              <span className="soft small">{t("led", { count })}</span>
            </li>
          ))}
        </ul>
      )}
      <p className="muted small">{t("validatorsNote", { count: blocks.length })}</p>
    </Card>
  );
}
