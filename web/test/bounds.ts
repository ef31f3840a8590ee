import { expect } from 'vitest';
import { parse, type Block, type Inline } from '../src/page/text/markdown';

/** What a message may cost at most, in nodes and in their depth, and texts that might cost more. */
export const size = 16_384;
export const mostNodes = 3_600;
export const deepest = 60;

type Node = Block | Inline | { readonly items: unknown } | readonly unknown[];

/** Counts everything that is drawn of a tree, and how deep it goes. */
export function measure(node: unknown, depth = 0, within?: unknown): { nodes: number; depth: number } {
  if (typeof node !== 'object' || node === null) return { nodes: 0, depth };
  const below = (Array.isArray(node) ? node : Object.values(node)).map((child: Node) => measure(child, depth + 1, node));
  return {
    nodes: below.reduce((sum, { nodes }) => sum + nodes, own(node, within)),
    depth: below.reduce((most, found) => Math.max(most, found.depth), depth),
  };
}

/** A list of children is no node of its own, but a row and a cell are; code has a box, its language and a button around it. */
function own(node: object, within: unknown): number {
  if (Array.isArray(node)) return Array.isArray(within) ? 1 : 0;
  return 'language' in node ? 7 : 1;
}

/** Whether any two texts stand next to one another. */
function unjoined(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const isText = (part: unknown) => (part as Partial<Inline> | undefined)?.kind === 'text';
  if (Array.isArray(node) && node.some((part, i) => isText(part) && isText(node[i + 1]))) return true;
  return Object.values(node).some(unjoined);
}

const everybody = () => true;

/** Expects that a message is drawn within the bounds, and returns its tree. */
export function isBounded(body: string): readonly Block[] {
  const found = parse(body, everybody, (name) => (name === 'a' ? '😄' : undefined));
  const { nodes, depth } = measure(found);
  expect(nodes, `nodes of ${JSON.stringify(body.slice(0, 80))}`).toBeLessThan(mostNodes);
  expect(depth, `depth of ${JSON.stringify(body.slice(0, 80))}`).toBeLessThan(deepest);
  expect(unjoined(found), `texts side by side in ${JSON.stringify(body.slice(0, 80))}`).toBe(false);
  return found;
}

/** Numbers that are the same in every run. */
export function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
