import type { Block, Inline } from '../src/page/text/markdown';

/** Prints a tree as short text: `strong[a]`. */
export function show(part: Block | Inline): string {
  switch (part.kind) {
    case 'text':
      return JSON.stringify(part.text);
    case 'code':
    case 'mention':
      return `${part.kind}(${part.text})`;
    case 'link':
      return `link(${part.href})[${part.children.map(show)}]`;
    case 'fence':
      return `fence:${part.language}(${part.text})`;
    case 'list':
      return `list[${part.items.map((item) => `${item.number === undefined ? '' : `${item.number}${part.marker} `}${item.checked ?? ''}${item.children.map(show)}`).join('; ')}]`;
    case 'table':
      return `table[${[part.head, ...part.rows].map((row) => row.map((cell) => cell.map(show)).join('|')).join('; ')}]`;
    case 'rule':
      return 'rule';
    default:
      return `${part.kind}[${part.children.map(show)}]`;
  }
}
