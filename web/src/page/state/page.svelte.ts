import { getContext, setContext } from 'svelte';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { byActivity, Client, ConnectionLost, DeadlineExceeded, ProblemError, Rest, sentence, type ChatState, type Entry, type Limits, type Message, type Outbox, type PresenceState, type Snapshot, type User } from '../../client';
import { Acts } from './acts';
import { OutboxDatabase } from '../../client/outbox-db';
import { shareWindows } from '../../client/shared';
import { brought, forgetBrought, linkIn, type Link } from './brought';
import { Comings } from './comings.svelte';
import { Drafts } from './drafts';
import type * as Parts from '../files';
import type { Texts } from '../i18n/en';
import { Language } from '../i18n/language.svelte';
import { Colours } from '../text/colours';
import { isolated } from '../text/letters';
import { plain } from '../text/markdown';
import { chatTitle, namesakes, otherId, userName } from '../text/names';
import { refusalSentence } from '../text/refusals';
import { Notices } from './notices';
import { Notifier } from './notifier';
import { Preferences } from './preferences.svelte';
import { Quotes } from './quotes.svelte';
import { Recent } from './recent.svelte';
import { Rosters } from './rosters.svelte';
import { Route } from './route.svelte';
import { Listing } from './listing.svelte';
import { Shortcodes } from './shortcodes.svelte';
import { statusIn, type Status } from '../text/status';
import { Times } from '../text/time';
import { restored, Shelf, type Kept } from './shelf';
import { Standing } from './standing';
import { findWorkspace, mayInvite, type Workspace } from './workspace';
import { Visited } from './visited';
import { Toasts } from './toasts.svelte';
import { Today } from './today.svelte';

export type DialogName = 'new' | 'browse' | 'preferences' | 'shortcuts' | 'search' | 'invite' | 'administration' | 'status';

/** A question to confirm an action that cannot be undone. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly danger?: boolean;
  readonly answer: (yes: boolean) => void;
}

const pauseMs = 180;
const nobody: ReadonlyMap<string, User> = new Map();

/**
 * The state that the whole page shares: the user, the client's latest snapshot, the chosen chat.
 * Components read and call it; it knows none of them.
 */
export class Page {
  phase = $state<'loading' | 'unreachable' | 'login' | 'factor' | 'in'>('loading');
  /** Why the user must log in. */
  notice = $state('');
  snapshot = $state.raw<Snapshot | null>(null);
  /** Whether the user is looking: the page is visible and focused. */
  attentive = $state(false);
  /** The chat whose newest messages are on screen. */
  atEnd = $state<string | null>(null);
  dialog = $state<DialogName | null>(null);
  question = $state.raw<Question | null>(null);
  /** Whether the server currently drops typing and presence. */
  degraded = $state(false);
  /** The chat that the search box searches; '' for all. */
  sought = $state('');
  /** The latest message, for screen readers. */
  announced = $state('');
  /** The message to go to, until it is on screen. */
  target = $state.raw<{ readonly chatId: string; readonly seq: number } | null>(null);
  /** Ids of long messages that are shown in full. */
  readonly unfolded = new SvelteSet<string>();
  drafts = $state.raw(new Drafts(''));
  visited = new Visited('');
  quotes = $state.raw<Quotes | null>(null);
  comings = $state.raw<Comings | null>(null);
  /** The user's files, and the parts that show files: loaded once the page is on screen. */
  files = $state.raw<Parts.Files | null>(null);
  parts = $state.raw<typeof Parts | null>(null);
  /** Whom the user has blocked. */
  blocked = $state.raw<ReadonlySet<string>>(new Set());
  /** Whether the user is an administrator of the server. */
  administrator = $state(false);

  /** When what is shown was seen last, as long as there is no connection; null if it is current. */
  asOf = $state<number | null>(null);

  /** What the server says of itself to anybody; null if it says nothing. */
  workspace = $state.raw<Workspace | null>(null);
  /** Whether the first channel of all is to be made. */
  beginning = $state(false);
  /** The link by which the user has come, until it is used. */
  link = $state.raw<Link | null>(linkIn());
  /** Whether the user has just signed up: their first chat is opened. */
  arriving = $state(false);
  /** The chat to which somebody is invited; '' for none in particular. */
  invitedTo = $state('');
  /** Whether the user may invite people. */
  readonly inviting: boolean = $derived(mayInvite(this.workspace, this.administrator));

  readonly rest = new Rest();
  readonly route = new Route();
  readonly notifier = new Notifier();
  readonly preferences = new Preferences();
  readonly shortcodes = new Shortcodes();
  readonly colours = new Colours();
  readonly today = new Today();
  readonly language = new Language(this.preferences);
  readonly rosters = new Rosters(() => this.client, (err) => this.toasts.show(this.sentence(err)));
  readonly toasts = new Toasts((err) => this.sentence(err));
  /** Who was the other user of a direct chat that they have declined. */
  readonly partners = new SvelteMap<string, string>();
  private readonly emojis = new Recent();
  private readonly shelf = new Shelf();
  private current: Client | null = null;
  private notices: Notices | undefined;
  private standing: Standing | undefined;
  private own: Acts | undefined;
  private unsent: OutboxDatabase | undefined;

  readonly times: Times = $derived(new Times(this.language.locale, this.today.start));
  // Parts of the snapshot, kept apart so that a change of one does not redraw what shows another.
  private readonly state = $derived(this.snapshot?.state);
  private readonly presences = $derived(this.snapshot?.presence);
  readonly typing = $derived(this.snapshot?.typing);
  readonly users: ReadonlyMap<string, User> = $derived(this.snapshot?.users ?? nobody);
  /** What is unsent, those that wait for their files last. */
  readonly outbox: Outbox = $derived([...(this.snapshot?.outbox ?? []), ...(this.files?.waiting ?? [])]);
  readonly limits: Limits | undefined = $derived(this.snapshot?.hello?.limits);
  readonly online: boolean = $derived(this.snapshot?.connection.phase === 'online');
  readonly me: string = $derived(this.snapshot?.state.me ?? '');
  /** All chats that are held, the hidden ones too. */
  readonly held: ChatState[] = $derived(this.state ? byActivity(this.state) : []);
  chats: ChatState[] = $derived(this.held.filter(({ entry }) => !entry.hidden));
  /** The chosen chat, if it is held. */
  readonly chat: ChatState | undefined = $derived(this.route.chatId ? this.state?.chats.get(this.route.chatId) : undefined);
  unread: number = $derived(this.chats.reduce((sum, { entry }) => sum + (entry.request || this.watches(entry.id) ? 0 : entry.muted ? entry.mentions : entry.unread), 0));
  /** The users who share their name with another: beside it stands their username. */
  private readonly namesakes: ReadonlySet<string> = $derived(namesakes(this.users));

  /** The chats as the sidebar lists them. */
  readonly listing = new Listing(this);

  /** The logged-in user's client. Throws if there is none: its users do not outlive the login. */
  get client(): Client {
    if (!this.current) throw new Error('nobody is logged in');
    return this.current;
  }

  /** What the user can do. Throws if nobody has logged in yet. */
  get acts(): Acts {
    if (!this.own) throw new Error('nobody is logged in');
    return this.own;
  }

  /** The page's texts in the user's language. */
  get t(): Texts {
    return this.language.texts;
  }

  /** Recently used emoji, the latest first. */
  get recent(): readonly string[] {
    return this.emojis.list;
  }

  /** Reports whether the user is looking at a chat's newest messages, to read them on arrival. */
  watches = (chatId: string): boolean => this.attentive && this.atEnd === chatId;
  used = (emoji: string): void => this.emojis.use(emoji);
  name = (id: string): string => userName(this.users, id);
  /** The username of a user whose name is not theirs alone, to stand beside it; '' for all others. */
  handle = (id: string): string => (this.namesakes.has(id) ? `@${this.users.get(id)!.username}` : '');
  /** A user's name within a sentence, which it cannot turn around. */
  inText = (id: string): string => [isolated(this.name(id)), this.handle(id)].filter(Boolean).join(' ');
  /** The words of a message, on one line. */
  plain = (body: string): string => plain(body, this.shortcodes.named);
  /** A message on one line: its words, or what it brings. */
  words = ({ body, attachments }: Message): string => this.plain(body) || (attachments ? this.t.message.attached(attachments) : '');
  /** A user's presence; undefined if unknown. */
  presence = (id: string): PresenceState | undefined => {
    if (this.blocked.has(id)) return undefined;
    const state = this.presences?.get(id)?.state;
    // Whoever has just come is not known to be here at once, but knows it.
    return id === this.me && this.online && state === 'offline' ? 'online' : state;
  };
  /** What a user says of themselves now; undefined if nothing. */
  status = (id: string): Status | undefined => {
    if (this.blocked.has(id)) return undefined;
    // Only who is on screen is watched; of them the presence knows the latest.
    const status = statusIn(this.presences?.get(id) ?? this.users.get(id));
    return status?.until && Date.parse(status.until) <= this.today.minute ? undefined : status;
  };
  /** Until when a status stays; '' for one without an end. */
  until = (ts: string | undefined): string => {
    if (!ts) return '';
    const day = this.times.lastDay(ts);
    return day ? this.t.status.untilDay(day) : this.t.status.until(this.times.soon(ts));
  };
  /** A status as one line, with its end. */
  statusText = ({ text, until }: Status): string => [text, this.until(until)].filter(Boolean).join(' · ');
  /** The text for a presence; '' if unknown. */
  presenceText = (state: PresenceState | undefined): string => (state ? this.t.presence.states[state] : '');
  /** The names of those typing in a chat, once they are known. */
  typists = (chatId: string): readonly string[] => this.typing?.get(chatId)?.filter((id) => this.users.has(id) && !this.blocked.has(id)).map(this.inText) ?? [];
  title = ({ entry }: Pick<ChatState, 'entry'>): string => (entry.kind === 'direct' ? this.name(this.partner(entry)) : chatTitle(entry, this.users, this.me, this.t.names));
  /** The other user of a direct chat; '' for any other chat. */
  partner = (entry: Entry): string => (entry.kind === 'direct' ? otherId(entry, this.me) || (this.partners.get(entry.id) ?? '') : '');

  /** One sentence about an error, in the user's language. */
  sentence(err: unknown): string {
    const { problems } = this.t;
    if (err instanceof ProblemError) return refusalSentence(err, this.t);
    if (err instanceof ConnectionLost) return problems['connection']!;
    return err instanceof DeadlineExceeded ? problems['deadline']! : sentence(err);
  }

  /** Finds out whether a user is logged in, and enters if so. */
  async load(): Promise<void> {
    if (this.phase !== 'unreachable') this.phase = 'loading';
    // The chat in the address is on screen before the connection has told of all the others.
    const first = this.route.chatId && this.rest.chat(this.route.chatId).catch(() => null);
    try {
      this.enter(await this.rest.me());
      if (!this.current) return;
      const { client } = this;
      const entry = await first;
      if (entry && client === this.current && !client.store.get().state.loaded) client.adopt(entry);
    } catch (err) {
      if (err instanceof ProblemError && err.code === 'unauthenticated') {
        void this.shelf.clear();
        this.workspace = await findWorkspace(this.rest);
        this.phase = 'login';
        return;
      }
      const kept = await this.shelf.load();
      if (kept && this.current === null) this.enter(kept.user, kept);
      else this.phase = 'unreachable';
    }
  }

  async signUp(username: string, password: string, displayName: string, email = ''): Promise<void> {
    await this.rest.signUp({ username, password, ...(displayName && { display_name: displayName }), ...(email && { email }), ...brought(this.link) });
    this.forgetLink();
    await this.logIn(username, password);
    this.arriving = true;
  }

  /** Takes the link by which the user has come out of the address. */
  forgetLink(): void {
    if (this.link) forgetBrought();
    this.link = null;
  }

  /** Opens the dialog that invites people, to a chat or to none in particular. */
  invite(chatId = ''): void {
    this.invitedTo = chatId;
    this.dialog = 'invite';
  }

  /** Learns what the server says of itself, once it is known to be reached. */
  async learnWorkspace(): Promise<void> {
    this.workspace = (await findWorkspace(this.rest)) ?? this.workspace;
  }

  /** Makes the first account of a server, names the workspace, and goes on to its first channel. */
  async setUp(name: string, username: string, password: string, displayName: string, email = ''): Promise<void> {
    await this.signUp(username, password, displayName, email);
    if (name) await this.attempt(async () => (this.workspace = await this.rest.call<Workspace>('PATCH', '/workspace', { body: { name } })));
    this.beginning = true;
    this.dialog = 'new';
  }

  /** Sets what the user says of themselves, on all devices; an empty one clears it. */
  async setStatus({ text, emoji, until }: Status): Promise<void> {
    const user = await this.rest.updateMe({ status_text: text, status_emoji: emoji, ...(until && { status_until: until }) });
    this.client.directory.learn([user]);
    const known = this.presences?.get(this.me);
    // The server tells it as well, but not while it drops presence.
    if (known) this.client.presences.receive([{ user_id: this.me, state: known.state, status_text: text, status_emoji: emoji, ...(until && { status_until: until }) }]);
  }

  /** Tells the others in which time zone the user is, unless they would rather not. */
  async tellZone(): Promise<void> {
    const zone = this.preferences.zone ? Intl.DateTimeFormat().resolvedOptions().timeZone : '';
    if (zone !== (this.users.get(this.me)?.time_zone ?? '')) this.client.directory.learn([await this.rest.updateMe({ time_zone: zone })]);
  }

  async logIn(username: string, password: string): Promise<void> {
    await this.logInBy('/sessions', { username, password });
  }

  /** Logs in by what opens a session: a password, the second step after one, a passkey. */
  async logInBy(path: string, answer: object): Promise<void> {
    const { user } = await this.rest.call<{ user: User }>('POST', path, { body: { ...answer, device: deviceName() } });
    this.notice = '';
    // What only the user may know of their account, this answer leaves out.
    this.enter(await this.rest.me().catch(() => user));
  }

  async logOut(): Promise<void> {
    const { logOutTitle, logOutText, logOut } = this.t.sidebar;
    const unsent = this.drafts.any || this.files?.any || this.outbox.some(({ ack }) => !ack);
    if (unsent && !(await this.ask({ title: logOutTitle, text: logOutText, action: logOut, danger: true }))) return;
    await Promise.all([this.unsent?.clear(), this.files?.clear()]);
    this.drafts.clear();
    await this.rest.logOut();
    this.leave('');
  }

  /** Deletes the user's account, and what of theirs is on this device. */
  async deleteAccount(password: string, notice: string): Promise<void> {
    // The server ends the session before it answers, and with it what this page has of them.
    const { unsent, files, drafts } = this;
    await this.rest.call('DELETE', '/me', { body: { current_password: password } });
    await Promise.all([unsent?.clear(), files?.clear()]);
    drafts.clear();
    this.leave(notice);
  }

  /** Opens the search box, for one chat or for all. */
  search(chatId = ''): void {
    this.sought = chatId;
    this.dialog = 'search';
  }

  /** Opens a chat, even one just created or joined that the stream has not announced yet. */
  async open(chatId: string): Promise<void> {
    if (!this.snapshot?.state.chats.has(chatId)) this.client.adopt(await this.rest.chat(chatId));
    this.route.go(chatId);
  }

  /** Shows a message in its context. */
  async goTo(chatId: string, seq: number): Promise<void> {
    await this.open(chatId);
    await this.client.jump(chatId, seq);
    const { past, history } = this.client.store.get().state.chats.get(chatId) ?? {};
    const held = [...(past?.lines ?? []), ...(history?.lines ?? [])];
    if (!held.some(({ message }) => message.seq === seq)) return this.toasts.show(this.t.missing.messageGone);
    this.target = { chatId, seq };
  }

  /** Asks the user and resolves to the answer. */
  async ask(question: Omit<Question, 'answer'>): Promise<boolean> {
    const said = await new Promise<boolean>((answer) => (this.question = { ...question, answer }));
    this.question = null;
    return said;
  }

  async copy(text: string): Promise<void> {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    this.toasts.show(done ? this.t.copied : this.t.notCopied);
  }

  /** Runs a user's request and shows any error as a toast. Resolves to whether it succeeded. */
  async attempt(fn: () => Promise<unknown>): Promise<boolean> {
    try {
      await fn();
      return true;
    } catch (err) {
      this.toasts.error(err);
      return false;
    }
  }

  /** Reads what matches a query once typing pauses. For an effect, which drops late answers. */
  lookUp<T>(query: string, read: () => Promise<T>, show: (answer: T) => void): () => void {
    let current = true;
    const look = async () => {
      const answer = await read();
      if (current) show(answer);
    };
    const timer = setTimeout(() => void this.attempt(look), query ? pauseMs : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }

  private enter(user: User, kept?: Kept): void {
    if ((user as { must_set_up_second_factor?: boolean }).must_set_up_second_factor) {
      this.phase = 'factor';
      void this.learnWorkspace();
      return;
    }
    this.current?.stop();
    this.notices?.stop();
    this.own?.stop();
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
    this.asOf = kept?.at ?? null;
    if (kept) {
      client.directory.learn(kept.users);
      client.store.set({ state: restored(kept) });
    }
    this.quotes = new Quotes(client);
    this.comings?.stop();
    this.comings = new Comings(client);
    this.drafts = new Drafts(user.id);
    this.visited = new Visited(user.id);
    client.store.subscribe((snapshot) => this.follow(client, snapshot));
    this.notices = new Notices(this, client);
    this.standing?.stop();
    this.standing = new Standing(this, client);
    this.blocked = new Set();
    this.own = new Acts(this, client, user.id);
    this.administrator = user.administrator ?? false;
    client.on('change', (snapshot) => this.shelf.keep(user, snapshot));
    client.on('connection', ({ phase }) => phase === 'online' && (this.asOf = null));
    client.on('degraded', ({ d }) => (this.degraded = d.dropping.length > 0));
    client.on('connection', () => (this.degraded = false));
    this.phase = 'in';
    client.start();
    void this.loadFiles(client, user.id);
  }

  /** Without its parts for files, the page says only what a message brings. */
  private async loadFiles(client: Client, user: string): Promise<void> {
    this.files?.stop();
    this.files = null;
    this.parts = await import('../files').catch(() => null);
    if (this.parts && client === this.current) this.files = new this.parts.Files(this, client, user);
  }

  private follow(client: Client, snapshot: Snapshot): void {
    if (client !== this.current) return;
    this.snapshot = snapshot;
    const { connection } = snapshot;
    if (connection.phase === 'ended' && connection.login) this.leave(this.t.connection.endings?.[connection.code] ?? connection.reason);
  }

  private leave(notice: string): void {
    void this.shelf.clear();
    this.current?.stop();
    this.current = null;
    this.notices?.stop();
    this.own?.stop();
    this.files?.stop();
    this.files = null;
    this.phase = 'login';
    this.notice = notice;
    this.snapshot = null;
    this.dialog = null;
    this.rosters.clear();
    this.drafts = new Drafts('');
    this.route.go(null);
  }
}

/** A name for the list of sessions: the browser and the system, as far as known. */
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
