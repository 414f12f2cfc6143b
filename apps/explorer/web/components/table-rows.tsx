import type { Row } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useRef } from "react";
import type { Column, TableFeatures } from "./data-table.tsx";

const ROW_HEIGHT = 44;
/** Rows beyond the frame's edges, so that quick scrolling and arrow keys find some. */
const OVERSCAN = 8;
/** Before a frame was measured, e.g. in the first render. */
const FIRST_HEIGHT = 600;

type TableRowsProps<Item> = {
  readonly rows: readonly Row<TableFeatures, Item & object>[];
  readonly columns: readonly Column<Item>[];
  readonly frame: RefObject<HTMLDivElement | null>;
  readonly isVirtual: boolean;
  readonly isLive: boolean;
};

/** The body of a table: all rows, or those in sight between two empty ones that keep the height. */
export function TableRows<Item>(props: TableRowsProps<Item>) {
  const { rows, columns, isLive } = props;
  const known = useKnownRows(rows, isLive);
  const { from, to, before, after } = useWindow(props);
  return (
    <tbody>
      <Spacer height={before} columns={columns.length} />
      {rows.slice(from, to).map((row, index) => (
        <tr
          key={row.id}
          data-row={row.id}
          data-new={isLive && !known.has(row.id)}
          aria-rowindex={from + index + 2}
          tabIndex={from + index === 0 ? 0 : -1}
        >
          {columns.map(({ id, align, from: least, cell }) => (
            <td key={id} data-align={align} data-from={least}>
              {cell(row.original)}
            </td>
          ))}
        </tr>
      ))}
      <Spacer height={after} columns={columns.length} />
    </tbody>
  );
}

type Window = { readonly from: number; readonly to: number; readonly before: number; readonly after: number };

function useWindow<Item>({ rows, frame, isVirtual }: TableRowsProps<Item>): Window {
  const virtualizer = useVirtualizer({
    count: rows.length,
    enabled: isVirtual,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    initialRect: { width: 0, height: FIRST_HEIGHT },
  });
  if (!isVirtual) return { from: 0, to: rows.length, before: 0, after: 0 };
  const items = virtualizer.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);
  if (first === undefined || last === undefined) return { from: 0, to: 0, before: 0, after: 0 };
  const after = virtualizer.getTotalSize() - last.end;
  return { from: first.index, to: last.index + 1, before: first.start, after };
}

/** Rows that a live table has shown before: they do not flash again. */
function useKnownRows(rows: readonly { readonly id: string }[], isLive: boolean): ReadonlySet<string> {
  const known = useRef<ReadonlySet<string>>(new Set(rows.map(({ id }) => id)));
  const before = known.current;
  useEffect(() => {
    if (isLive) known.current = new Set(rows.map(({ id }) => id));
  }, [rows, isLive]);
  return before;
}

function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr className="spacer">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}
