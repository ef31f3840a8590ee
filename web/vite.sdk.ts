import { defineConfig } from 'vite';
import { budget } from './budget.ts';
import { asPackage } from './package.ts';

/** Builds the client as a package for any web application: `npm run build:sdk` writes dist-sdk/. */
export default defineConfig({
  publicDir: false,
  plugins: [budget(12_000, 'fechatter.js'), asPackage()],
  build: {
    outDir: 'dist-sdk',
    target: 'es2024',
    sourcemap: true,
    // Library builds keep white space unless told otherwise.
    rolldownOptions: { output: { minify: true, comments: false }, preserveEntrySignatures: 'allow-extension' },
    lib: { entry: { fechatter: 'src/client/index.ts', files: 'src/client/files.ts', outbox: 'src/client/outbox-db.ts', windows: 'src/client/shared.ts' }, formats: ['es'] },
  },
});
