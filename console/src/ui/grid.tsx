// A list of many rows of which only the visible ones are in the document. The grid itself has the focus and scrolls; the cursor is announced by
// aria-activedescendant, so that recycled rows can never swallow the focus. Columns that do not fit are left out, least important first.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { fittingColumns } from '../lib/columns';
import { memo } from './memo';

export interface Column<T> {
  key: string;
  head: ComponentChildren;
  /** Pixels; the column with `grow` takes what is left and is never narrower. */
  width: number;
  grow?: boolean;
  numeric?: boolean;
  /** 1 = always there; the highest number is left out first. */
  rank: number;
  /** Makes the heading a sort button. */
  sort?: { state: 'ascending' | 'descending' | 'none'; run: () => void };
  cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowId: (row: T) => string;
  /** All rows that exist, loaded or not. */
  total: number;
  cursor: number;
  onCursor: (index: number) => void;
  onOpen: (row: T) => void;
  onPress?: (row: T, index: number) => void;
  selected?: ReadonlySet<string>;
  onToggle?: (index: number) => void;
  onNearEnd?: () => void;
  rowClass?: (row: T) => string;
  rowHeight: number;
  initialScroll?: number;
  onScroll?: (top: number) => void;
  busy?: boolean;
  /** Called with the grid element, so that a screen can give it the focus. */
  gridRef?: (element: HTMLDivElement | null) => void;
}

const OVERSCAN = 4;
const NEAR_END_ROWS = 60;
const SELECT_WIDTH = 30;
const PADDING = 8;

export function Grid<T>(props: Props<T>) {
  const { columns, rows, cursor, rowHeight, selected } = props;
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [view, setView] = useState({ top: props.initialScroll ?? 0, height: 600, width: 1000 });
  const headHeight = rowHeight;

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    props.gridRef?.(el);
    const measure = () => setView((v) => ({ ...v, height: el.clientHeight, width: el.clientWidth }));
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    measure();
    if (props.initialScroll) el.scrollTop = props.initialScroll;
    return () => { observer.disconnect(); props.gridRef?.(null); };
  }, []);

  useLayoutEffect(() => {
    const el = box.current;
    if (!el || cursor < 0) return;
    const top = cursor * rowHeight;
    const room = el.clientHeight - headHeight;
    if (top < el.scrollTop) el.scrollTop = top;
    else if (top + rowHeight > el.scrollTop + room) el.scrollTop = top + rowHeight - room;
    if (el.scrollTop !== view.top) setView((v) => ({ ...v, top: el.scrollTop }));
  }, [cursor, rowHeight]);

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  useEffect(() => {
    if (last >= rows.length - NEAR_END_ROWS && rows.length < props.total) props.onNearEnd?.();
  }, [last, rows.length, props.total]);

  const selectable = selected !== undefined;
  const shown = fittingColumns(columns, view.width - 2 * PADDING - (selectable ? SELECT_WIDTH : 0));
  const template = (selectable ? `${SELECT_WIDTH}px ` : '') + shown.map((c) => (c.grow ? `minmax(${c.width}px, 1fr)` : `${c.width}px`)).join(' ');
  const visibleCursor = cursor >= first && cursor < last;
  return (
    <div ref={box} class={`grid${props.busy ? ' grid-busy' : ''}`} role="grid" tabIndex={0} aria-label={props.label} aria-rowcount={props.total + 1} aria-colcount={shown.length + (selectable ? 1 : 0)}
      aria-multiselectable={selectable} aria-busy={props.busy ?? false} aria-activedescendant={visibleCursor ? `${id}-${cursor}` : undefined}
      onScroll={(e) => { const top = e.currentTarget.scrollTop; setView((v) => ({ ...v, top })); props.onScroll?.(top); }}>
      <div class="grid-head" role="rowgroup">
        <div class="grid-row" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, height: `${rowHeight}px` }}>
          {selectable && <span role="columnheader"><span class="visually-hidden">Selected</span></span>}
          {shown.map((c) => <Head key={c.key} column={c} />)}
        </div>
      </div>
      <div class="grid-body" role="rowgroup" style={{ height: `${rows.length * rowHeight}px` }}>
        {rows.slice(first, last).map((row, n) => {
          const index = first + n;
          const key = props.rowId(row);
          return (
            <Row key={key} row={row} id={`${id}-${index}`} index={index} template={template} columns={shown} height={rowHeight} here={index === cursor}
              selected={selected?.has(key)} name={props.rowClass?.(row) ?? ''} actions={props} />
          );
        })}
      </div>
      {rows.length < props.total && <div class="grid-more" role="presentation">Loading more</div>}
    </div>
  );
}

function Head<T>({ column: c }: { column: Column<T> }) {
  const name = c.numeric ? 'cell-num' : '';
  if (!c.sort) return <span role="columnheader" class={name}>{c.head}</span>;
  return (
    <span role="columnheader" class={name} aria-sort={c.sort.state}>
      <button type="button" class="sort" tabIndex={-1} onClick={c.sort.run}>
        {c.head}
        <svg class={`sort-arrow sort-${c.sort.state}`} viewBox="0 0 8 8" width="7" height="7" aria-hidden="true"><path d="M4 1l3.500 6h-7z" fill="currentColor" /></svg>
      </button>
    </span>
  );
}

interface RowProps<T> {
  row: T; id: string; index: number; template: string; columns: Column<T>[]; height: number; here: boolean; selected: boolean | undefined; name: string; actions: Props<T>;
}

function RowView<T>({ row, id, index, template, columns, height, here, selected, name, actions }: RowProps<T>) {
  const press = () => { actions.onCursor(index); actions.onPress?.(row, index); };
  return (
    <div id={id} class={`grid-row grid-data${here ? ' is-here' : ''}${selected ? ' is-selected' : ''}${name ? ` ${name}` : ''}`} role="row" aria-rowindex={index + 2} aria-selected={selected ?? here}
      style={{ gridTemplateColumns: template, height: `${height}px`, top: `${index * height}px` }} onClick={press} onDblClick={() => actions.onOpen(row)}>
      {selected !== undefined && (
        <span role="gridcell" class="grid-select" onClick={(e) => { e.stopPropagation(); actions.onToggle?.(index); }}>
          <span class="tick" aria-hidden="true" />
        </span>
      )}
      {columns.map((c) => <span key={c.key} role="gridcell" class={c.numeric ? 'cell-num' : ''}>{c.cell(row)}</span>)}
    </div>
  );
}

/** A row is drawn again only when what it shows has changed; the actions are read when they are used. */
const Row = memo(RowView, (a, b) =>
  a.row === b.row && a.index === b.index && a.template === b.template && a.here === b.here && a.selected === b.selected && a.height === b.height && a.name === b.name && a.columns === b.columns) as typeof RowView;
