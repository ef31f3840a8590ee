import type { Plugin } from 'vite';

/**
 * Proofs that the tests can fail: each entry breaks one rule of the client, and a named test must turn
 * red under it. `MUTATE=name npx vitest run -t "…"`.
 */
interface Mutation {
  file: string;
  find: string;
  replace: string;
}

export const mutations: Record<string, Mutation> = {
  // Events after an answer's last_seq are applied to it.
  history: { file: 'history.ts', find: 'event.seq > page.last_seq', replace: 'false' },
  // Events up to an answer's last_seq are ignored.
  'history-held': { file: 'apply.ts', find: 'event.seq <= line.asOf', replace: 'false' },
  // An event that is held is not applied again.
  duplicate: { file: 'apply.ts', find: 'event.seq <= chat.cursor', replace: 'false' },
  // Nothing is applied beyond a hole.
  hole: { file: 'apply.ts', find: 'event.seq !== chat.cursor + 1', replace: 'false' },
  // Content of a lower version is ignored.
  version: { file: 'message.ts', find: 'version < message.version', replace: 'false' },
  // A retry keeps its key.
  key: { file: 'sender.ts', find: 'chat_id, key, body', replace: 'chat_id, key: key + Math.random(), body' },
  // One send per chat at a time.
  order: { file: 'outbox.ts', find: '|| chats.has(p.chat_id)', replace: '' },
  // A reset makes the history stale.
  reset: { file: 'apply.ts', find: 'stale: chat.timeline !== null', replace: 'stale: false' },
  // Cursors belong to the epoch of the last ready.
  epoch: { file: 'history.ts', find: "state.epoch !== '' && page.epoch !== state.epoch", replace: 'false' },
  // Others' cursors never go back.
  receipts: { file: 'receipts.ts', find: 'Math.max(held?.read_seq ?? 0, told.read_seq)', replace: 'told.read_seq' },
  // Cursors that were read before a change of members do not stand for all members.
  'receipts-members': { file: 'receipts.ts', find: 'chat.memberRev !== rev', replace: 'false' },
  // An answer to an acknowledgement knows less of what is unread than the events since.
  counts: { file: 'apply.ts', find: 'next.read_seq > entry.read_seq', replace: 'true' },
  // A new connection watches nobody until told again.
  watch: { file: 'presence.ts', find: 'this.#watched = new Set();\n    this.#activeAt', replace: 'this.#activeAt' },
  // Only the window that leads sends.
  lead: { file: 'sender.ts', find: '!this.#sends || ', replace: '' },
  // Nothing goes out before what was kept from before.
  kept: { file: 'sender.ts', find: 'await this.#storage.load();', replace: '(this.#goOn(), await this.#storage.load());' },
  // A send that waits does not wait for the device's clock.
  clock: { file: 'sender.ts', find: '[performance.now(), ', replace: '[Date.now(), ' },
  // What is written is later than all before it.
  written: { file: 'outbox.ts', find: 'Math.max(time, p.written_at + 1)', replace: 'time' },
  // Nothing is done in the name of somebody else who has logged in since.
  user: { file: 'socket.ts', find: 'hello.user_id !== this.#options.user', replace: 'false' },
  // A window that is frozen loses the lock.
  frozen: { file: 'shared.ts', find: 'void this.#lock({ steal: true }, this.#turn().signal);', replace: '' },
  // Only the word of the window that leads counts.
  word: { file: 'follower.ts', find: 'if (note.by !== this.#leader) return;', replace: '' },
  // What was said while nobody led is said again.
  unheard: { file: 'sender.ts', find: 'if (anew)', replace: 'if (false)' },
  // An answer from before what is held takes nothing back.
  'late-hole': { file: 'history.ts', find: 'if (end <= held.cursor)', replace: 'if (false)' },
  // What was under way in a window that is gone is sent again.
  takeover: { file: 'outbox.ts', find: "p.status === 'sending' ? 'queued' : p.status", replace: 'p.status' },
  // What a resume does not replay is read.
  'catch-up': { file: 'upkeep.ts', find: 'else this.#background(this.#reads.hole(id));', replace: '' },
  // Events are applied to the past that was jumped to.
  past: { file: 'apply.ts', find: "event.op === 'message.created' ? past : foldLines(past, event, me)", replace: 'past' },
};

export function mutate(name: string | undefined): Plugin {
  const mutation = name ? mutations[name] : undefined;
  if (name && !mutation) throw new Error(`no such mutation: ${name}`);
  return {
    name: 'mutate',
    enforce: 'pre',
    transform(code, id) {
      if (!mutation || !id.endsWith(`/src/client/${mutation.file}`)) return null;
      if (!code.includes(mutation.find)) throw new Error(`${mutation.file} has no ${mutation.find}`);
      return code.replace(mutation.find, mutation.replace);
    },
  };
}
