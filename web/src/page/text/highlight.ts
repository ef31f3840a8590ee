import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import { createLowlight } from 'lowlight';

/** A piece of code and its kind, as a class name; '' for plain code. */
export interface Piece {
  readonly text: string;
  readonly name: string;
}

interface Node {
  type: string;
  value?: string;
  properties?: { className?: unknown };
  children?: Node[];
}

const colours = createLowlight({
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, markdown, php, python, ruby, rust, sql, swift, typescript, xml, yaml,
});
colours.registerAlias({ ini: ['toml'], bash: ['sh', 'shell', 'zsh', 'console'], xml: ['html', 'svg', 'svelte', 'vue'] });

/** More pieces than code has that anybody reads. */
const mostPieces = 4_000;

/** Splits code into pieces whose texts add up to the input; null for an unknown language. */
export function highlight(text: string, language: string): Piece[] | null {
  const name = language.toLowerCase();
  const found = colours.registered(name) ? pieces(colours.highlight(name, text).children as Node[]) : null;
  return found && found.length > mostPieces ? null : found;
}

/** Lists a tree's texts, those of the same kind joined. However deep it is, this needs no stack. */
function pieces(tree: readonly Node[]): Piece[] {
  const found: Piece[] = [];
  const ahead = tree.map((node) => ({ node, within: '' })).reverse();
  for (let next = ahead.pop(); next; next = ahead.pop()) {
    const { node, within } = next;
    const last = found.at(-1);
    if (node.type === 'text' && last?.name === within) found[found.length - 1] = { text: last.text + node.value, name: within };
    else if (node.type === 'text') found.push({ text: node.value ?? '', name: within });
    const name = nameOf(node) || within;
    for (const child of [...(node.children ?? [])].reverse()) ahead.push({ node: child, within: name });
  }
  return found;
}

/** The class name without its `hljs-` prefix. */
function nameOf(node: Node): string {
  const names = Array.isArray(node.properties?.className) ? node.properties.className : [];
  return String(names[0] ?? '').replace(/^hljs-/, '');
}
