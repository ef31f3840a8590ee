import { getContext, setContext } from 'svelte';
import { byActivity, Client, ProblemError, Rest, type ChatState, type PresenceState, type Snapshot, type User } from '../client';
import { chatTitle, userName } from './names';
import { Route } from './route.svelte';
import { browserStorage, clearStorage } from './storage';
import { Toasts } from './toasts.svelte';

/**
 * What the whole page shares: who is logged in, the client's latest snapshot, the chosen chat. The
 * components read it and call it; it knows none of them.
 */
export class Page {
  phase = $state<'loading' | 'unreachable' | 'login' | 'in'>('loading');
  /** Why one is asked to log in. */
  notice = $state('');
  snapshot = $state.raw<Snapshot | null>(null);
  /** Whether a person is looking: visible and focused. */
  attentive = $state(false);
  chats: ChatState[] = $derived(this.snapshot ? byActivity(this.snapshot.state) : []);
  unread: number = $derived(this.chats.reduce((sum, { entry }) => sum + (entry.muted ? entry.mentions : entry.unread), 0));

  readonly rest = new Rest();
  readonly route = new Route();
  readonly toasts = new Toasts();
  /** Unfinished texts by chat. */
  readonly drafts = new Map<string, string>();
  private current: Client | null = null;

  /** The client of whoever is logged in; components that use it live no longer than the login. */
  get client(): Client {
    if (!this.current) throw new Error('nobody is logged in');
    return this.current;
  }

  get me(): string {
    return this.snapshot?.state.me ?? '';
  }

  get users(): ReadonlyMap<string, User> {
    return this.snapshot?.users ?? new Map();
  }

  /** The chosen chat, when one is chosen and held. */
  get chat(): ChatState | undefined {
    const id = this.route.chatId;
    return id ? this.snapshot?.state.chats.get(id) : undefined;
  }

  name = (id: string): string => userName(this.users, id);
  /** How reachable somebody is; undefined when that is not known. */
  presence = (id: string): PresenceState | undefined => this.snapshot?.presence.get(id)?.state;
  /** Who types in a chat, by name. */
  typists = (chatId: string): readonly string[] => this.snapshot?.typing.get(chatId)?.map(this.name) ?? [];
  title = (chat: ChatState): string => chatTitle(chat.entry, this.users, this.me);

  /** Finds out who is logged in. */
  async load(): Promise<void> {
    this.phase = 'loading';
    try {
      this.enter(await this.rest.me());
    } catch (err) {
      this.phase = err instanceof ProblemError && err.code === 'unauthenticated' ? 'login' : 'unreachable';
    }
  }

  async signUp(username: string, password: string, displayName: string): Promise<void> {
    await this.rest.signUp({ username, password, ...(displayName && { display_name: displayName }) });
    await this.logIn(username, password);
  }

  async logIn(username: string, password: string): Promise<void> {
    const { user } = await this.rest.logIn({ username, password, device: deviceName() });
    this.notice = '';
    this.enter(user);
  }

  async logOut(): Promise<void> {
    clearStorage(this.me);
    await this.rest.logOut();
    this.leave('');
  }

  /** Opens a chat that was just created or joined, whether or not the stream has told of it. */
  async open(chatId: string): Promise<void> {
    if (!this.snapshot?.state.chats.has(chatId)) this.client.adopt(await this.rest.chat(chatId));
    this.route.go(chatId);
  }

  /** Runs what a person asked for; what goes wrong is told as a toast. Gives whether it went well. */
  async attempt(fn: () => Promise<unknown>): Promise<boolean> {
    try {
      await fn();
      return true;
    } catch (err) {
      this.toasts.error(err);
      return false;
    }
  }

  private enter(user: User): void {
    this.current?.stop();
    const client = new Client({
      user,
      socketUrl: `${location.origin.replace(/^http/, 'ws')}/ws`,
      rest: this.rest,
      storage: browserStorage(user.id),
      onError: this.toasts.error,
    });
    this.current = client;
    client.store.subscribe((snapshot) => this.follow(client, snapshot));
    this.phase = 'in';
    client.start();
  }

  private follow(client: Client, snapshot: Snapshot): void {
    if (client !== this.current) return;
    this.snapshot = snapshot;
    const { connection } = snapshot;
    if (connection.phase === 'ended' && connection.login) this.leave(connection.reason);
  }

  private leave(notice: string): void {
    this.current?.stop();
    this.current = null;
    this.phase = 'login';
    this.notice = notice;
    this.snapshot = null;
    this.drafts.clear();
    this.route.go(null);
  }
}

/** A name for the list of sessions: the browser and the system, as far as they tell. */
function deviceName(): string {
  const agent = navigator.userAgent;
  const browser = /(Firefox|Edg|Chrome|Safari)\//.exec(agent)?.[1]?.replace('Edg', 'Edge') ?? 'Browser';
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(agent)?.[1] ?? '';
  return system ? `${browser} on ${system}` : browser;
}

const contextKey = Symbol('page');

export function providePage(page: Page): void {
  setContext(contextKey, page);
}

export function usePage(): Page {
  return getContext<Page>(contextKey);
}
