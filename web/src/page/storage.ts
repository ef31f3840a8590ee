import type { OutboxStorage } from '../client';

const prefix = 'fechatter.outbox.';

/**
 * Unsent messages of one user in the browser's storage, an entry each, so that windows do not overwrite
 * one another. A browser that refuses storage loses unsent messages at a reload, nothing else.
 */
export function browserStorage(user: string, storage: Storage = localStorage): OutboxStorage {
  const own = `${prefix}${user}.`;
  return {
    load: () =>
      attempt(() => {
        const keys = Object.keys(storage).filter((key) => key.startsWith(own));
        const drafts = keys.map((key) => JSON.parse(storage.getItem(key) ?? 'null')).filter(Boolean);
        return drafts.sort((a, b) => a.written_at - b.written_at);
      }) ?? [],
    save: (draft) => attempt(() => storage.setItem(own + draft.key, JSON.stringify(draft))),
    forget: (key) => attempt(() => storage.removeItem(own + key)),
  };
}

/** Forgets what a user left unsent: after a log-out nothing of theirs stays. */
export function clearStorage(user: string, storage: Storage = localStorage): void {
  attempt(() => {
    for (const key of Object.keys(storage)) if (key.startsWith(`${prefix}${user}.`)) storage.removeItem(key);
  });
}

function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch {
    return undefined;
  }
}
