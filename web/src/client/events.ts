import { createdMessage } from './message';
import type { State } from './state';
import { guarded, type Snapshot } from './store';
import type { Connection } from './link';
import type { ChatEvent, EventOp, KnownEvent, Message, Push } from './types';

/**
 * What a program can listen to. Each event of a chat is emitted once, in seq order, after it was
 * applied. Events that a `reset` skips are not emitted: read `store` after one.
 */
export type Events = { [Op in EventOp]: Extract<KnownEvent, { op: Op }> } & {
  [Op in Exclude<Push['op'], 'chats'>]: Extract<Push, { op: Op }>;
} & {
  /** A new message, from anyone: the content of `message.created`. */
  message: Message;
  /** Any event of a chat, including unknown ops. */
  event: ChatEvent;
  connection: Connection;
  /** The snapshot changed. Emitted at most once per turn of the event loop. */
  change: Snapshot;
};

type Listener = (value: never) => void;

/** Calls listeners by name, in the order they were added. If one throws, the others still run. */
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

  /** Emits the events that led from one state to the next. */
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
