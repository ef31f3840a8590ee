import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';
import type { Plugin } from 'vite';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/**
 * What makes a folder a package: package.json, README.md, LICENSE, and declarations beside the
 * code.
 */
export function asPackage(): Plugin {
  return {
    name: 'package',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify(manifest(), null, 2)}\n` });
      this.emitFile({ type: 'asset', fileName: 'LICENSE', source: read('../LICENSE') });
      this.emitFile({ type: 'asset', fileName: 'README.md', source: read('../docs/sdk.md').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1') });
    },
    closeBundle() {
      declare(new URL('tsconfig.sdk.json', import.meta.url).pathname);
    },
  };
}

function manifest(): object {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const part = (types: string, code: string) => ({ types: `./types/${types}.d.ts`, default: `./${code}.js` });
  return {
    name: 'fechatter-client',
    version,
    description: 'The protocol client of Fechatter for browsers and programs.',
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22' },
    exports: { '.': part('index', 'fechatter'), './files': part('files', 'files'), './outbox': part('outbox-db', 'outbox'), './windows': part('shared', 'windows') },
    types: './types/index.d.ts',
  };
}

/** Writes the declarations, with file names that every module resolution finds. */
function declare(config: string): void {
  const { options, fileNames } = ts.getParsedCommandLineOfConfigFile(config, {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail })!;
  const program = ts.createProgram(fileNames, options);
  ts.getPreEmitDiagnostics(program).forEach(fail);
  program.emit(undefined, (name, text) => {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, text.replace(/(['"])(\.\/[\w-]+)\1/g, '$1$2.js$1'));
  });
}

function fail({ messageText }: ts.Diagnostic): void {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
}
