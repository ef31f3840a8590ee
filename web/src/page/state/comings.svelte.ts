import { SvelteMap } from 'svelte/reactivity';
import type { ChatState, Client } from '../../client';
import { comingOf, known, type Happening } from '../chat/comings';

/** How many pages of events to read at once: further ones follow as the user scrolls up. */
const mostPages = 5;

interface Held {
  /** All comings from this seq on are known. */
  readonly from: number;
  readonly comings: readonly Happening[];
}

/** Who joined and left, and what became of the chat, as far back as a chat is shown: the history has messages alone. */
export class Comings {
  private readonly held = new SvelteMap<string, Held>();
  private readonly reading = new Set<string>();
  private readonly ends: (() => void)[];

  constructor(private readonly client: Client) {
    this.ends = [
      client.on('event', (event) => {
        const coming = comingOf(event);
        const held = this.held.get(event.chat_id);
        if (coming && held) this.held.set(event.chat_id, { ...held, comings: merged(held.comings, [coming]) });
      }),
      client.on('reset', ({ chat_id }) => this.held.delete(chat_id)),
      client.on('chat.joined', ({ d }) => this.held.delete(d.chat.id)),
    ];
  }

  stop(): void {
    for (const end of this.ends) end();
  }

  of(id: string): readonly Happening[] {
    return this.held.get(id)?.comings ?? [];
  }

  /** Reads what is missing from this seq on. Failing, nothing is shown until the next call. */
  need({ entry, cursor }: ChatState, from: number): void {
    const { id, kind } = entry;
    const held = this.held.get(id);
    if (kind === 'direct' || this.reading.has(id) || (held && held.from <= from)) return;
    this.reading.add(id);
    // Events that arrive meanwhile come live.
    if (!held) this.held.set(id, { from: cursor + 1, comings: [known(cursor + 0.5, entry)] });
    void this.read(id, from, held?.from ?? cursor + 1).finally(() => this.reading.delete(id));
  }

  private async read(id: string, from: number, until: number): Promise<void> {
    const found: Happening[] = [];
    let at = from - 1;
    try {
      for (let pages = 0; pages < mostPages && at < until - 1; pages++) {
        const { events, reset } = await this.client.rest.events(id, at);
        if (reset) return this.put(id, from, []);
        found.push(...events.flatMap((event) => comingOf(event) ?? []));
        at = events.at(-1)?.seq ?? until;
      }
    } catch {
      return;
    }
    this.put(id, from, found);
  }

  private put(id: string, from: number, found: readonly Happening[]): void {
    const held = this.held.get(id);
    if (held) this.held.set(id, { from, comings: merged(found, held.comings) });
  }
}

/** Both in the order of seq, each once. */
function merged(a: readonly Happening[], b: readonly Happening[]): Happening[] {
  return [...new Map([...a, ...b].map((coming) => [coming.seq, coming])).values()].sort((x, y) => x.seq - y.seq);
}
