/** What a close code asks of the client. */
export type AfterClose = 'reconnect' | 'login' | 'stop';

const endings: ReadonlyMap<number, string> = new Map([
  [1007, 'The server could not read what this page sent.'],
  [1008, 'The server refused the connection.'],
  [1009, 'This page sent more than the server takes.'],
  [4500, 'You were logged out.'],
  [4501, 'You were logged out. Please log in again.'],
  [4502, 'This page is of another version than the server. Reload the page.'],
  [4503, 'Your session has expired. Please log in again.'],
  [4504, 'Too many connections are open. Close another window.'],
]);

const loggedOut: ReadonlySet<number> = new Set([4500, 4501, 4503]);

/** Whether to come back by oneself, ask for a login first, or stay away. */
export function afterClose(code: number): AfterClose {
  if (loggedOut.has(code)) return 'login';
  if (code === 1007 || code === 1008 || code === 1009) return 'stop';
  return code >= 4500 && code <= 4999 ? 'stop' : 'reconnect';
}

/** One sentence for a person about an ending that is not repaired by reconnecting. */
export function closeSentence(code: number): string {
  return endings.get(code) ?? 'The server closed the connection.';
}
