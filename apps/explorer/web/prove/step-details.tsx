import { Amount } from "../components/amount.tsx";
import { Copy } from "../components/copy.tsx";
import { Address } from "../components/hash.tsx";
import { useFormats, useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import { fingerprint } from "./kept-anchor.ts";
import type { PathNode, ProofPath, ProofValidator, ProvedField, StepFacts } from "./proof-model.ts";

const KEY_DIGITS = 64;

/** The figures of one step, for who wants to see them. */
export function StepDetails({ facts }: { readonly facts: StepFacts }) {
  switch (facts.step) {
    case "anchor":
      return <Anchor genesisHash={facts.pin.genesisHash} setHash={facts.pin.setHash} />;
    case "validators":
      return <Validators validators={facts.validators} />;
    case "header":
      return <Header facts={facts} />;
    case "certificate":
      return <Weight weight={facts.weight} needed={facts.needed} total={facts.total} />;
    case "ancestor":
      return <Named name="hash" text={facts.hash} />;
    case "path":
      return facts.paths.map((path) => <Path key={path.of} path={path} />);
    case "value":
      return <Fields fields={facts.fields} />;
    default:
      return facts satisfies never;
  }
}

type Key = keyof (typeof prove)["en"];

function Named({ name, text }: { readonly name: Key; readonly text: string }) {
  const t = useText(prove);
  return (
    <p className="proof-named">
      <span className="muted">{t(name)}</span> <span className="mono">{text}</span> <Copy text={text} />
    </p>
  );
}

function Anchor({ genesisHash, setHash }: { readonly genesisHash: string; readonly setHash: string }) {
  const t = useText(prove);
  return (
    <div className="proof-fingerprints">
      <span className="muted">{t("genesis")}</span>
      <span className="mono">{fingerprint(genesisHash)}</span>
      <span className="muted">{t("firstSet")}</span>
      <span className="mono">{fingerprint(setHash)}</span>
    </div>
  );
}

function Validators({ validators }: { readonly validators: readonly ProofValidator[] }) {
  const t = useText(prove);
  return (
    <ul className="proof-validators">
      {validators.map(({ address, weight, hasSigned }, index) => (
        <li key={`${address}-${String(index)}`} data-signed={hasSigned}>
          <span aria-hidden="true">{hasSigned ? "✓" : "–"}</span>
          <Address value={address} copy={false} link={false} />
          <span className="muted">{t("weightOf", { weight })}</span>
          <span>{hasSigned ? t("signed") : t("notSigned")}</span>
        </li>
      ))}
    </ul>
  );
}

function Header({ facts }: { readonly facts: Extract<StepFacts, { readonly step: "header" }> }) {
  const t = useText(prove);
  const formats = useFormats();
  return (
    <>
      <p className="proof-named">
        <span className="muted">{t("height")}</span> {facts.height}{" "}
        <span className="muted">{formats.moment(facts.timestamp * 1_000)}</span>
      </p>
      <Named name="hash" text={facts.hash} />
      <Named name="stateRoot" text={facts.stateRoot} />
    </>
  );
}

function Weight(props: { readonly weight: number; readonly needed: number; readonly total: number }) {
  const share = (part: number): string => `${(100 * part) / Math.max(1, props.total)}%`;
  return (
    <div className="proof-weight" aria-hidden="true">
      <i style={{ width: share(props.weight) }} />
      <b style={{ insetInlineStart: share(props.needed) }} />
    </div>
  );
}

function Path({ path }: { readonly path: ProofPath }) {
  const t = useText(prove);
  return (
    <div className="proof-path">
      <h5>{t(`path_${path.of}`)}</h5>
      <Named name="root" text={path.root} />
      <Named name="key" text={path.key.length > KEY_DIGITS ? path.key.slice(0, KEY_DIGITS) : path.key} />
      {path.nodes.length === 0 ? <p>{t("emptyTree")}</p> : null}
      <ol>
        {path.nodes.map((node) => (
          <TreeNode key={node.hash} node={node} />
        ))}
      </ol>
    </div>
  );
}

function TreeNode({ node }: { readonly node: PathNode }) {
  const t = useText(prove);
  return (
    <li className="tree-node" data-kind={node.kind}>
      <span>
        <b>{t(`node_${node.kind}`)}</b>{" "}
        {node.taken === "" ? (
          t("ends")
        ) : (
          <span className="tree-digits mono">
            <span className="muted">{node.before}</span>
            <mark>{node.taken}</mark>
          </span>
        )}
      </span>
      <span className="mono muted">{node.hash}</span>
    </li>
  );
}

function Fields({ fields }: { readonly fields: readonly ProvedField[] }) {
  const t = useText(prove);
  return (
    <dl className="proof-fields">
      {fields.map((field) => {
        const isOther = field.said !== undefined && field.said !== field.value;
        return (
          <div key={field.name} data-field={field.name} data-other={isOther}>
            <dt>{t(`field_${field.name}`)}</dt>
            <dd>
              <FieldValue name={field.name} value={field.value} />
              {isOther ? (
                <p className="proof-other">
                  {t("saidValue")}: <FieldValue name={field.name} value={field.said ?? ""} />
                </p>
              ) : null}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function FieldValue({ name, value }: { readonly name: ProvedField["name"]; readonly value: string }) {
  const t = useText(prove);
  switch (name) {
    case "balance":
    case "value":
      return <Amount value={value} exact />;
    case "status":
      return value === "1" ? t("succeeded") : t("failed");
    case "from":
    case "to":
      return value === "" ? t("newContract") : <Address value={value} full copy={false} />;
    default:
      return <span className="mono">{value}</span>;
  }
}
