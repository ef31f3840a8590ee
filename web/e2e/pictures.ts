import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';

const folder = process.env['PICTURES'];
const looks = { light: ['light', 1100], dark: ['dark', 1100], phone: ['light', 320] } as const;

/** Keeps pictures of what is on screen by day, by night and on a phone, where PICTURES says. */
export async function pictures(page: Page, name: string): Promise<void> {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const size = page.viewportSize()!;
  const narrow = size.width < 720;
  for (const [look, [colorScheme, width]] of Object.entries(looks)) {
    if (narrow && look !== 'phone') continue;
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(narrow ? size : { width, height: 720 });
    await page.screenshot({ path: `${folder}/${name}-${look}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(size);
}
