import { getContext, setContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { byActivity, Client, ConnectionLost, DeadlineExceeded, mentionsUser, ProblemError, Rest, sentence, type ChatState, type Entry, type Limits, type Message, type Outbox, type PresenceState, type Snapshot, type User } from '../client';
import { OutboxDatabase } from '../client/outbox-db';
import { shareWindows } from '../client/shared';
import { Drafts } from './drafts';
import type { Texts } from './i18n/en';
import { Language } from './i18n/language.svelte';
import { plain } from './markdown';
import { chatTitle, userName } from './names';
import { Notifier } from './notifier';
import { Preferences } from './preferences.svelte';
import { Quotes } from './quotes.svelte';
import { Recent } from './recent.svelte';
import { Rosters } from './rosters.svelte';
import { Route } from './route.svelte';
import { sections } from './sections';
import { Times } from './time';
import { Toasts } from './toasts.svelte';

export type DialogName = 'new' | 'browse' | 'preferences' | 'shortcuts' | 'search';

/** What a person is asked before something is done that cannot be undone. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly danger?: boolean;
  readonly answer: (yes: boolean) => void;
}

const nobody: ReadonlyMap<string, User> = new Map();

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
  /** The chat whose newest end is on screen. */
  atEnd = $state<string | null>(null);
  dialog = $state<DialogName | null>(null);
  question = $state.raw<Question | null>(null);
  /** The server leaves out typing and presence for now. */
  degraded = $state(false);
  /** What the search box begins with. */
  sought = $state('');
  /** The latest message, for those who hear the page. */
  announced = $state('');
  /** The message that was asked for, until it is on screen. */
  target = $state.raw<{ readonly chatId: string; readonly seq: number } | null>(null);
  /** Long messages that are shown as a whole. */
  readonly unfolded = new SvelteSet<string>();
  drafts = $state.raw(new Drafts(''));
  quotes = $state.raw<Quotes | null>(null);

  readonly rest = new Rest();
  readonly route = new Route();
  readonly notifier = new Notifier();
  readonly preferences = new Preferences();
  readonly language = new Language(this.preferences);
  readonly rosters = new Rosters(() => this.client, (err) => this.toasts.show(this.sentence(err)));
  readonly toasts = new Toasts((err) => this.sentence(err));
  private readonly emojis = new Recent();
  private current: Client | null = null;
  private unsent: OutboxDatabase | undefined;

  readonly times: Times = $derived(new Times(this.language.locale));
  // Parts of the snapshot by themselves: what shows one of them is not drawn anew for changes of another.
  private readonly state = $derived(this.snapshot?.state);
  private readonly presences = $derived(this.snapshot?.presence);
  readonly typing = $derived(this.snapshot?.typing);
  readonly users: ReadonlyMap<string, User> = $derived(this.snapshot?.users ?? nobody);
  readonly outbox: Outbox = $derived(this.snapshot?.outbox ?? []);
  readonly limits: Limits | undefined = $derived(this.snapshot?.hello?.limits);
  readonly online: boolean = $derived(this.snapshot?.connection.phase === 'online');
  readonly me: string = $derived(this.snapshot?.state.me ?? '');
  chats: ChatState[] = $derived(this.state ? byActivity(this.state) : []);
  /** The chosen chat, when one is chosen and held. */
  readonly chat: ChatState | undefined = $derived(this.route.chatId ? this.state?.chats.get(this.route.chatId) : undefined);
  /** The chats as the sidebar lists them. */
  listed: ChatState[] = $derived(sections(this.chats, (chat) => this.title(chat), '').flatMap((section) => section.chats));
  unread: number = $derived(this.chats.reduce((sum, { entry }) => sum + (this.watches(entry.id) ? 0 : entry.muted ? entry.mentions : entry.unread), 0));

  /** The client of whoever is logged in; components that use it live no longer than the login. */
  get client(): Client {
    if (!this.current) throw new Error('nobody is logged in');
    return this.current;
  }

  /** What the page says, in the person's language. */
  get t(): Texts {
    return this.language.texts;
  }

  /** The emoji that were used lately, the latest first. */
  get recent(): readonly string[] {
    return this.emojis.list;
  }

  /** Whether a person looks at the newest of a chat: what comes there is read at once, and not told of as unread. */
  watches = (chatId: string): boolean => this.attentive && this.atEnd === chatId;
  used = (emoji: string): void => this.emojis.use(emoji);
  name = (id: string): string => userName(this.users, id);
  /** How reachable somebody is; undefined when that is not known. */
  presence = (id: string): PresenceState | undefined => this.presences?.get(id)?.state;
  /** Presence as a person reads it; '' when nothing is known. */
  presenceText = (state: PresenceState | undefined): string => (state ? this.t.presence.states[state] : '');
  /** Who types in a chat, by name. */
  typists = (chatId: string): readonly string[] => this.typing?.get(chatId)?.map(this.name) ?? [];
  title = (chat: ChatState): string => chatTitle(chat.entry, this.users, this.me, this.t.names);

  /** What went wrong, in one sentence of the person's language. */
  sentence(err: unknown): string {
    const { problems } = this.t;
    if (!problems) return sentence(err);
    if (err instanceof ProblemError) return problems[err.code] ?? sentence(err);
    if (err instanceof ConnectionLost) return problems['connection']!;
    return err instanceof DeadlineExceeded ? problems['deadline']! : sentence(err);
  }

  /** Finds out who is logged in. */
  async load(): Promise<void> {
    if (this.phase !== 'unreachable') this.phase = 'loading';
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
    const { logOutTitle, logOutText, logOut } = this.t.sidebar;
    const unsent = this.drafts.any || this.outbox.some(({ ack }) => !ack);
    if (unsent && !(await this.ask({ title: logOutTitle, text: logOutText, action: logOut, danger: true }))) return;
    await this.unsent?.clear();
    this.drafts.clear();
    await this.rest.logOut();
    this.leave('');
  }

  /** Opens the search box. */
  search(query = ''): void {
    this.sought = query;
    this.dialog = 'search';
  }

  /** Opens a chat that was just created or joined, whether or not the stream has told of it. */
  async open(chatId: string): Promise<void> {
    if (!this.snapshot?.state.chats.has(chatId)) this.client.adopt(await this.rest.chat(chatId));
    this.route.go(chatId);
  }

  /** Shows a message in its context. */
  async goTo(chatId: string, seq: number): Promise<void> {
    await this.open(chatId);
    await this.client.jump(chatId, seq);
    this.target = { chatId, seq };
  }

  /** Whether a chat may tell of its messages; a change is this person's own, on all devices. */
  mute(entry: Entry, muted: boolean): Promise<boolean> {
    return this.attempt(async () => {
      await this.rest.updateMember(entry.id, this.me, { muted });
      this.client.muted(entry.id, muted);
    });
  }

  /** Asks, then leaves a chat. */
  async leaveChat(id: string): Promise<boolean> {
    const { leaveTitle, leaveText, leave } = this.t.settings;
    if (!(await this.ask({ title: leaveTitle, text: leaveText, action: leave, danger: true }))) return false;
    return this.attempt(() => this.rest.removeMember(id, this.me));
  }

  /** Asks the person; gives what they say. */
  async ask(question: Omit<Question, 'answer'>): Promise<boolean> {
    const said = await new Promise<boolean>((answer) => (this.question = { ...question, answer }));
    this.question = null;
    return said;
  }

  async copy(text: string): Promise<void> {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    this.toasts.show(done ? this.t.copied : this.t.notCopied);
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
    this.unsent = new OutboxDatabase(user.id);
    const client = new Client({
      user,
      socketUrl: `${location.origin.replace(/^http/, 'ws')}/ws`,
      rest: this.rest,
      storage: this.unsent,
      share: shareWindows(),
      onError: this.toasts.error,
    });
    this.current = client;
    this.quotes = new Quotes(client);
    this.drafts = new Drafts(user.id);
    client.store.subscribe((snapshot) => this.follow(client, snapshot));
    client.on('message', (message) => this.heard(message));
    client.on('degraded', ({ d }) => (this.degraded = d.dropping.length > 0));
    client.on('connection', () => (this.degraded = false));
    this.phase = 'in';
    client.start();
  }

  private follow(client: Client, snapshot: Snapshot): void {
    if (client !== this.current) return;
    this.snapshot = snapshot;
    const { connection } = snapshot;
    if (connection.phase === 'ended' && connection.login) this.leave(this.t.connection.endings?.[connection.code] ?? connection.reason);
  }

  /** A message that just came: read out in the chat that is shown, told of by the desktop otherwise. */
  private heard(message: Message): void {
    const chat = this.snapshot?.state.chats.get(message.chat_id);
    if (!chat || message.sender_id === this.me) return;
    const text = this.t.message.announced(this.name(message.sender_id), plain(message.body));
    if (this.route.chatId === message.chat_id) this.announced = text;
    const seen = this.attentive && this.route.chatId === message.chat_id;
    const silent = this.presence(this.me) === 'dnd' || (chat.entry.muted && !mentionsUser(message, this.me));
    if (seen || silent || !this.preferences.notify) return;
    const title = chat.entry.kind === 'direct' ? this.name(message.sender_id) : this.title(chat);
    this.notifier.show({ title, body: text, tag: message.id, open: () => void this.attempt(() => this.goTo(message.chat_id, message.seq)) });
  }

  private leave(notice: string): void {
    this.current?.stop();
    this.current = null;
    this.phase = 'login';
    this.notice = notice;
    this.snapshot = null;
    this.dialog = null;
    this.rosters.clear();
    this.drafts = new Drafts('');
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
