import { foldMessage } from '../src/client/message';
import type { ChatEvent, Cursor, Entry, EventData, EventOp, Message, Sent } from '../src/client/types';
import { entry as makeEntry, time } from './make';

/** One chat of the server in memory: its log and its history. */
export class FakeChat {
  readonly events: ChatEvent[] = [];
  readonly keys = new Map<string, Sent>();
  /** The history by seq, as a read returns it. */
  readonly messages = new Map<number, Message>();

  constructor(
    readonly id: string,
    readonly user: string,
  ) {}

  get lastSeq(): number {
    return this.events.length;
  }

  append<Op extends EventOp>(op: Op, actor_id: string, d: (seq: number) => EventData[Op]): ChatEvent {
    const seq = this.lastSeq + 1;
    const event = { op, chat_id: this.id, seq, ts: time(seq), actor_id, d: d(seq) } as ChatEvent;
    this.events.push(event);
    this.fold(event);
    return event;
  }

  private fold(event: ChatEvent): void {
    if (event.op === 'message.created') {
      const { key: _key, ...message } = event.d;
      this.messages.set(event.seq, message);
    } else if ('message_seq' in (event.d as object)) {
      const { message_seq } = event.d as { message_seq: number };
      this.messages.set(message_seq, foldMessage(this.messages.get(message_seq)!, event, this.user));
    }
  }

  /** How the chat differs from the default. */
  kind: Partial<Entry> = {};

  entry({ read_seq: readSeq, delivered_seq }: Cursor): Entry {
    const all = [...this.messages.values()];
    const unread = all.filter((m) => m.seq > readSeq && m.sender_id !== this.user);
    return makeEntry({
      id: this.id,
      last_seq: this.lastSeq,
      read_seq: readSeq,
      delivered_seq,
      unread: unread.length,
      mentions: unread.filter((m) => m.mentions.includes(this.user) && !m.deleted_at).length,
      last_message: all.at(-1),
      ...this.kind,
    });
  }
}
