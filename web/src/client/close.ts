/** What the client does after a close code. */
export type AfterClose = 'reconnect' | 'login' | 'stop';

const endings: Readonly<Record<number, string>> = {
  4500: 'You have been logged out.',
  4501: 'You have been logged out. Log in again.',
  4502: 'This page is outdated. Reload it.',
  4503: 'You have been logged out. Log in again.',
  4504: 'Too many open windows. Close one.',
};

/** Reports whether to reconnect, ask for a login first, or stop. */
export function afterClose(code: number): AfterClose {
  if ([4500, 4501, 4503].includes(code)) return 'login';
  return (code >= 1007 && code <= 1009) || (code >= 4500 && code <= 4999) ? 'stop' : 'reconnect';
}

/** One sentence for the user about an end that reconnecting does not repair. */
export function closeSentence(code: number): string {
  return endings[code] ?? 'The connection was lost.';
}
