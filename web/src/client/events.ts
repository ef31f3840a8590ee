import { createdMessage } from './message';
import type { State } from './state';
import type { Snapshot } from './store';
import type { Connection } from './link';
import type { ChatEvent, EventOp, KnownEvent, Message, Push } from './types';

/**
 * What a program can listen to. Each event of a chat comes once, in seq order, after it was applied; what a
 * `reset` skips does not come: read `store` after one.
 */
export type Events = { [Op in EventOp]: Extract<KnownEvent, { op: Op }> } & {
  [Op in Exclude<Push['op'], 'chats'>]: Extract<Push, { op: Op }>;
} & {
  /** A message that has just come, from whomever: the content of `message.created`. */
  message: Message;
  /** Any event of a chat, of an unknown op too. */
  event: ChatEvent;
  connection: Connection;
  /** The snapshot changed, once per turn of the event loop. */
  change: Snapshot;
};

type Listener = (value: never) => void;

/** Calls a listener. What it throws is an uncaught error, as of any listener, and nobody else's. */
export function guarded<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (err) {
    setTimeout(() => {
      throw err;
    });
  }
}

/** Calls listeners by name, in the order in which they were added. One that throws stops nobody else. */
export class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const held = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, held.add(listener));
    return () => held.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) guarded(listener as (value: Events[Name]) => void, value);
  }

  /** Tells of the events that led from one state to the next. */
  applied(before: State, after: State): void {
    if (before.chats === after.chats) return;
    for (const [id, chat] of after.chats) {
      const held = before.chats.get(id);
      if (held && held !== chat && chat.cursor > held.cursor) chat.log.filter(({ seq }) => seq > held.cursor).forEach((event) => this.#event(event));
    }
  }

  #event(event: ChatEvent): void {
    const known = event as KnownEvent;
    this.emit('event', event);
    if (this.#listeners.has(known.op)) this.emit(known.op, known as never);
    if (known.op === 'message.created') this.emit('message', createdMessage(known));
  }
}
