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

/** A stretch of code and what it is, as a class name; '' for nothing special. */
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

/** Code in pieces, or null for a language that is not known. What comes out is the text that went in. */
export function highlight(text: string, language: string): Piece[] | null {
  const name = language.toLowerCase();
  return colours.registered(name) ? pieces(colours.highlight(name, text).children as Node[], '') : null;
}

function pieces(nodes: readonly Node[], within: string): Piece[] {
  return nodes.flatMap((node) => {
    if (node.type === 'text') return [{ text: node.value ?? '', name: within }];
    return pieces(node.children ?? [], nameOf(node) || within);
  });
}

/** `hljs-title` and the like, without what all have in common. */
function nameOf(node: Node): string {
  const names = Array.isArray(node.properties?.className) ? node.properties.className : [];
  return String(names[0] ?? '').replace(/^hljs-/, '');
}
