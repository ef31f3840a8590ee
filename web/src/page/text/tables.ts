import type { Found } from './blocks';
import { inlines } from './inlines';
import { isBlank } from './letters';
import type { Align, Cell, Reading } from './markdown';

const mostColumns = 50;
const dashes = /^:?-+:?$/;

/** The table that begins at a line: a head, a line of dashes, and rows as long as there are bars. */
export function tableAt(lines: readonly string[], at: number, reading: Reading): Found | undefined {
  const [head, under] = [split(lines[at]), split(lines[at + 1])];
  if (!head || !under || head.length !== under.length || head.length > mostColumns || !under.every((cell) => dashes.test(cell))) return undefined;
  const typed = [head];
  let end = at + 2;
  for (let row = split(lines[end]); row && row.length <= mostColumns && reading.budget.spend(row.length); row = split(lines[++end])) typed.push(row);
  if (typed.every((row) => row.every(isBlank))) return undefined;
  const rows = typed.map((row) => row.map((cell): Cell => inlines(cell, reading)));
  return { block: { kind: 'table', align: under.map(alignOf), head: rows[0]!, rows: rows.slice(1) }, end };
}

/** A bar, and what keeps one in its cell: a backslash before it, and code around it. */
const bars = /\\\||(?<!`)(`{1,3})(?!`)[^`]+\1(?!`)|\|/g;

/** The cells of a line; undefined without a bar between or around them. */
function split(line: string | undefined): string[] | undefined {
  if (!line?.includes('|')) return undefined;
  const whole = line.trim();
  const row = whole.replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  const cells: string[] = [];
  let from = 0;
  for (const { 0: found, index } of row.matchAll(bars)) {
    if (found !== '|') continue;
    cells.push(row.slice(from, index));
    from = index + 1;
  }
  if (cells.length === 0 && row === whole) return undefined;
  return [...cells, row.slice(from)].map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function alignOf(cell: string): Align {
  if (!cell.endsWith(':')) return cell.startsWith(':') ? 'left' : undefined;
  return cell.startsWith(':') ? 'center' : 'right';
}
