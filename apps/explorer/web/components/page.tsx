import { type ReactNode, useEffect, useId } from "react";

type PageProps = {
  readonly title: string;
  /** Beside the title: badges. */
  readonly beside?: ReactNode;
  /** One or two sentences under the title. */
  readonly lead?: ReactNode;
  /** Buttons at the end of the title's line. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
};

/** The outermost element of each page: it names the browser's tab too. */
export function Page({ title, beside, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Ostrom`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{title}</h1>
        {beside}
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
        {lead === undefined ? null : <p className="page-lead">{lead}</p>}
      </header>
      {children}
    </div>
  );
}

type CardProps = {
  readonly title?: string;
  /** At the end of the title's line: a link, a badge, a count. */
  readonly aside?: ReactNode;
  /** Without padding: for tables and lists that bring their own. */
  readonly flush?: boolean;
  readonly children: ReactNode;
};

/** A part of a page with a title of its own. */
export function Card({ title, aside, flush = false, children }: CardProps) {
  const id = useId();
  if (title === undefined) {
    return (
      <div className="card">
        <div className="card-body" data-flush={flush}>
          {children}
        </div>
      </div>
    );
  }
  return (
    <section className="card" aria-labelledby={id}>
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        {aside === undefined ? null : <div>{aside}</div>}
      </div>
      <div className="card-body" data-flush={flush}>
        {children}
      </div>
    </section>
  );
}

type ColumnsProps = {
  /** Each as high as what is in it, instead of both as high as the higher one. */
  readonly uneven?: boolean;
  readonly children: ReactNode;
};

/** Two columns side by side, one below the other where there is no room. */
export function Columns({ uneven = false, children }: ColumnsProps) {
  return (
    <div className="columns" data-uneven={uneven}>
      {children}
    </div>
  );
}

/** A row of figures. */
export function Stats({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <section className="stats" aria-label={label}>
      {children}
    </section>
  );
}

type StatProps = {
  readonly label: string;
  readonly value: ReactNode;
  readonly unit?: string;
  readonly note?: ReactNode;
};

/** One figure with its name, its unit and a note below. */
export function Stat({ label, value, unit, note }: StatProps) {
  return (
    <div className="stat">
      <div className="stat-label">{label}</div>
      <div className="stat-value">
        {value}
        {unit === undefined ? null : <small>{unit}</small>}
      </div>
      {note === undefined ? null : <div className="stat-note">{note}</div>}
    </div>
  );
}
