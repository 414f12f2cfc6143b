import type { ReactNode } from "react";
import { Link } from "wouter";
import { shorten } from "../data/quantity.ts";
import { Copy } from "./copy.tsx";
import { Identicon } from "./identicon.tsx";

type HashProps = {
  readonly value: string;
  /** Where it leads; without it, plain text. */
  readonly href?: string;
  /** All digits rather than the first and last. */
  readonly full?: boolean;
  readonly copy?: boolean;
};

/** A hash in monospace, shortened, the whole of it on hover and by the copy button. */
export function Hash({ value, href, full = false, copy = true }: HashProps) {
  const shown = full ? value : shorten(value, 8, 6);
  return (
    <span className="hash" data-full={full}>
      <Label href={href} title={full ? undefined : value}>
        {shown}
      </Label>
      {copy ? <Copy text={value} subject={shorten(value)} /> : null}
    </span>
  );
}

type AddressProps = {
  readonly value: string;
  /** A name is shown instead of the digits. */
  readonly name?: string | undefined;
  readonly full?: boolean;
  readonly copy?: boolean;
  /** `false`: plain text. */
  readonly link?: boolean;
};

/** An address with its picture, its name if it has one, and a link to its page. */
export function Address({ value, name, full = false, copy = true, link = true }: AddressProps) {
  const shown = name ?? (full ? value : shorten(value));
  return (
    <span className="hash" data-full={full}>
      <Identicon address={value} />
      <Label href={link ? `/address/${value}` : undefined} title={value} plain={name !== undefined}>
        {shown}
      </Label>
      {copy ? <Copy text={value} subject={shorten(value)} /> : null}
    </span>
  );
}

type LabelProps = {
  readonly href: string | undefined;
  readonly title: string | undefined;
  readonly plain?: boolean;
  readonly children: ReactNode;
};

function Label({ href, title, plain = false, children }: LabelProps) {
  const className = plain ? undefined : "mono";
  if (href === undefined) {
    return (
      <span className={className} title={title}>
        {children}
      </span>
    );
  }
  return (
    <Link href={href} className={className} title={title}>
      {children}
    </Link>
  );
}

/** A link to a block by its number, digits grouped by nothing: people copy it. */
export function BlockLink({ number }: { readonly number: number }) {
  return <Link href={`/block/${number}`}>{number}</Link>;
}

/** A link to a transaction. */
export function TransactionLink({ hash, copy = false }: { readonly hash: string; readonly copy?: boolean }) {
  return <Hash value={hash} href={`/tx/${hash}`} copy={copy} />;
}
