import {
  type ColumnDef,
  createSortedRowModel,
  type Header,
  rowSortingFeature,
  type Row as TableRow,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { type KeyboardEvent, type ReactNode, useMemo, useRef } from "react";
import { useLocation } from "wouter";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Icon } from "./icon.tsx";
import { EmptyState } from "./states.tsx";
import { TableRows } from "./table-rows.tsx";

export const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
});
export type TableFeatures = typeof features;

/** How a column of a table is drawn. */
export type Column<Item> = {
  readonly id: string;
  readonly header: string;
  readonly cell: (item: Item) => ReactNode;
  readonly align?: "start" | "end";
  /** Rows can be sorted by this; without it the column's head is plain text. */
  readonly sort?: (item: Item) => number | bigint | string;
  /** Narrower screens leave the column out. */
  readonly from?: "tablet" | "desktop";
};

type DataTableProps<Item> = {
  /** What the table lists, for screen readers. */
  readonly label: string;
  /** Stable between renders (module scope or useMemo). */
  readonly columns: readonly Column<Item>[];
  readonly rows: readonly Item[];
  readonly rowKey: (item: Item) => string;
  /** Where Enter on a row leads. */
  readonly rowHref?: (item: Item) => string;
  /** Draws only the rows in sight, in a frame of so many pixels: for lists of thousands. */
  readonly virtualHeight?: number;
  /** Rows that were not there when the table was first shown flash once. */
  readonly isLive?: boolean;
  readonly empty?: ReactNode;
};

/** A table. Arrow keys, Home, End and page keys go from row to row, Enter opens one. */
export function DataTable<Item>(props: DataTableProps<Item>) {
  const { label, columns, rows, rowKey, rowHref, virtualHeight, empty } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [, navigate] = useLocation();
  const definitions = useMemo(() => columns.map(definitionOf<Item>), [columns]);
  const table = useTable<TableFeatures, Item & object>({
    features,
    columns: definitions as ColumnDef<TableFeatures, Item & object>[],
    data: rows as (Item & object)[],
    getRowId: (item) => rowKey(item),
    enableSortingRemoval: true,
  });
  const sorted = table.getRowModel().rows as unknown as readonly TableRow<TableFeatures, Item & object>[];
  if (rows.length === 0) return empty ?? <EmptyState />;
  const open = (id: string): void => {
    const item = sorted.find((row) => row.id === id)?.original;
    if (item !== undefined && rowHref !== undefined) navigate(rowHref(item));
  };
  return (
    <div
      ref={frame}
      className="table-frame"
      style={virtualHeight === undefined ? undefined : { maxHeight: virtualHeight }}
    >
      <table className="table" aria-label={label} aria-rowcount={rows.length + 1} onKeyDown={keys(open)}>
        <thead>
          <tr>
            {table.getHeaderGroups()[0]?.headers.map((header, index) => (
              <HeadCell
                key={header.id}
                header={header as unknown as Header<TableFeatures, object>}
                column={columns[index] as Column<unknown> | undefined}
              />
            ))}
          </tr>
        </thead>
        <TableRows
          rows={sorted}
          columns={columns}
          frame={frame}
          isVirtual={virtualHeight !== undefined}
          isLive={props.isLive ?? false}
        />
      </table>
    </div>
  );
}

function definitionOf<Item>({ id, header, sort }: Column<Item>): ColumnDef<TableFeatures, Item & object> {
  const definition = { id, header, enableSorting: sort !== undefined };
  if (sort === undefined) return definition as ColumnDef<TableFeatures, Item & object>;
  return {
    ...definition,
    accessorFn: (item: Item) => sort(item),
    sortFn: (a: { original: Item }, b: { original: Item }) => compare(sort(a.original), sort(b.original)),
  } as unknown as ColumnDef<TableFeatures, Item & object>;
}

function compare(a: number | bigint | string, b: number | bigint | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type HeadCellProps = {
  readonly header: Header<TableFeatures, object>;
  readonly column: Column<unknown> | undefined;
};

const ARIA_SORT = { asc: "ascending", desc: "descending" } as const;

function HeadCell({ header, column }: HeadCellProps) {
  const t = useText(shell);
  if (column === undefined) return null;
  const attributes = { "data-align": column.align, "data-from": column.from };
  if (column.sort === undefined) {
    return (
      <th scope="col" {...attributes}>
        {column.header}
      </th>
    );
  }
  const direction = header.column.getIsSorted();
  return (
    <th scope="col" {...attributes} aria-sort={direction === false ? "none" : ARIA_SORT[direction]}>
      <button
        type="button"
        className="sort"
        title={t("sortBy", { column: column.header })}
        onClick={header.column.getToggleSortingHandler()}
      >
        {column.header}
        {direction === false ? null : <Icon name={direction === "asc" ? "up" : "down"} size={11} />}
      </button>
    </th>
  );
}

const PAGE_ROWS = 10;
const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE_ROWS,
  PageUp: -PAGE_ROWS,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Keys that go from row to row of what is drawn, and open one. */
function keys(open: (id: string) => void) {
  return (event: KeyboardEvent<HTMLTableElement>): void => {
    const row = (event.target as HTMLElement).closest<HTMLTableRowElement>("tr[data-row]");
    if (row === null) return;
    if (event.key === "Enter" && event.target === row) {
      open(row.dataset["row"] ?? "");
      return;
    }
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const all = [...event.currentTarget.querySelectorAll<HTMLTableRowElement>("tr[data-row]")];
    const target = Math.max(0, Math.min(all.length - 1, all.indexOf(row) + step));
    all[target]?.focus();
    all[target]?.scrollIntoView({ block: "nearest" });
  };
}
