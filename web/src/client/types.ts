/**
 * The types on the wire, as the server writes them: snake_case, ids as strings, times as RFC 3339
 * text. Independent of the transport.
 */

export type ChatKind = 'direct' | 'group' | 'private' | 'public';
export type Role = 'owner' | 'admin' | 'member';
export type PresenceState = 'online' | 'away' | 'dnd' | 'invisible' | 'offline' | 'unknown';

export interface User {
  id: string;
  username: string;
  display_name: string;
  status_text?: string;
  status_emoji?: string;
  /** When the status is gone; missing if it stays. */
  status_until?: string;
  /** IANA name; missing if the user has not told it. */
  time_zone?: string;
  created_at: string;
  /** Present only for an administrator, in the answer to `GET /me`. */
  administrator?: boolean;
}

export interface Session {
  id: string;
  device: string;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

export interface Chat {
  id: string;
  kind: ChatKind;
  name: string;
  topic: string;
  created_by: string;
  created_at: string;
  archived: boolean;
  member_count: number;
  /** Present only in direct and group chats. */
  member_ids?: string[];
}

export interface Reaction {
  emoji: string;
  count: number;
  /** At most the first 20. */
  user_ids: string[];
  /** Present only in REST answers; computed for live events. */
  me?: boolean;
}

/** An uploaded file, as everybody who may have it sees it. */
export interface File {
  id: string;
  name: string;
  /** As its content tells; `application/octet-stream` for all that browsers could execute. */
  media_type: string;
  size: number;
  sha256: string;
  /** Of a picture or film, upright. */
  width?: number;
  height?: number;
  /** Of a film or sound. */
  duration_ms?: number;
  /** Whether there are small pictures of it. */
  thumb: boolean;
  created_at: string;
  uploaded_by: string;
}

export interface Message {
  id: string;
  chat_id: string;
  /** The seq of its creation. */
  seq: number;
  sender_id: string;
  body: string;
  reply_to?: string;
  mentions: string[];
  /** Whether the message mentions everyone, with `@all`. */
  mentions_all?: boolean;
  reactions: Reaction[];
  /** Missing if there are none. */
  attachments?: readonly File[] | undefined;
  version: number;
  created_at: string;
  edited_at?: string;
  deleted_at?: string;
}

/** A chat as one member sees it, true as of `last_seq`. */
export interface Entry extends Chat {
  last_seq: number;
  read_seq: number;
  delivered_seq: number;
  unread: number;
  mentions: number;
  role: Role;
  muted: boolean;
  /** Out of the list until the next message. */
  hidden?: boolean;
  /** A stranger put the user into it: it waits to be accepted, and notifies nobody. */
  request?: boolean;
  added_seq: number;
  /** With its body cut to 200 characters. */
  last_message?: Message;
}

export interface PublicChat extends Chat {
  members: number;
  joined: boolean;
}

export interface Member {
  user_id: string;
  role: Role;
  joined_at: string;
  /** Present only in the user's own membership. */
  muted?: boolean;
  hidden?: boolean;
}

/** What a user changes about a chat for themselves alone. */
export interface Membership {
  muted: boolean;
  hidden: boolean;
  request: boolean;
}

export interface Cursor {
  read_seq: number;
  delivered_seq: number;
}

export interface MemberCursor extends Cursor {
  user_id: string;
}

export interface Presence {
  user_id: string;
  state: PresenceState;
  last_active_at?: string;
  status_text?: string;
  status_emoji?: string;
  status_until?: string;
}

export interface Limits {
  frame_bytes: number;
  body_bytes: number;
  sends_per_second: number;
  send_burst: number;
  chat_members: number;
  chats_per_user: number;
  receipts_members: number;
  resume_window: number;
  resume_events: number;
  /** These are missing where files cannot be sent. */
  file_bytes?: number;
  attachments?: number;
  user_storage_bytes?: number;
}

export interface Hello {
  session_id: string;
  user_id: string;
  epoch: string;
  heartbeat_ms: number;
  server_time: string;
  limits: Limits;
}

export type ProblemCode =
  | 'bad_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'key_reused'
  | 'rate_limited'
  | 'internal'
  | 'unavailable'
  | 'overloaded'
  | 'second_factor'
  | 'unknown_outcome';

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  retry_after_ms?: number;
}

/** The data that each known op carries in `d`. */
export interface EventData {
  'chat.created': Chat;
  'chat.updated': Chat;
  'member.added': { user_id: string; role: Role; by: string };
  'member.updated': { user_id: string; role: Role; by: string };
  'member.removed': { user_id: string; by: string };
  'message.created': Message & { key?: string };
  'message.edited': {
    message_id: string;
    message_seq: number;
    body: string;
    mentions: string[];
    mentions_all?: boolean;
    version: number;
    edited_at: string;
  };
  'message.deleted': { message_id: string; message_seq: number; version: number; deleted_at: string };
  'reaction.added': { message_id: string; message_seq: number; user_id: string; emoji: string };
  'reaction.removed': { message_id: string; message_seq: number; user_id: string; emoji: string };
}

export type EventOp = keyof EventData;

interface Envelope<Op extends string, D> {
  op: Op;
  chat_id: string;
  seq: number;
  ts: string;
  actor_id: string;
  d: D;
}

export type KnownEvent = { [Op in EventOp]: Envelope<Op, EventData[Op]> }[EventOp];

/** Any event of a chat. An unknown op of a later server still advances the cursor. */
export type ChatEvent = KnownEvent | Envelope<`x-${string}`, unknown>;

export type ResetReason = 'epoch' | 'ahead' | 'too_far' | 'rejoined' | 'trimmed';

/** A page of history: one snapshot, true as of `last_seq`. */
export interface HistoryPage {
  messages: Message[];
  has_more: boolean;
  last_seq: number;
  epoch: string;
}

/** A page around a message, and whether more lies on either side. */
export interface AroundPage extends HistoryPage {
  has_before: boolean;
  has_after: boolean;
}

/** A page of the files in a chat, newest first. */
export interface FilePage {
  files: { file: File; message_id: string; seq: number }[];
  /** The seq before which the next page lies; missing at the end. */
  next?: number | string;
}

export interface SearchHit {
  message: Message;
  /** The attachment that was found, if it was one. */
  file?: File;
  /** HTML-escaped text in which only `<mark>` and `</mark>` are markup. */
  highlight: string;
}

export interface SearchPage {
  hits: SearchHit[];
  total: number;
  took_ms: number;
  /** How far the index is behind, in milliseconds. */
  lag_ms: number;
}

export interface EventPage {
  events: ChatEvent[];
  last_seq: number;
  epoch: string;
  reset?: { reason: ResetReason; seq: number };
}

/** The answer to a send, over either transport. */
export interface Sent {
  message_id: string;
  seq: number;
  ts: string;
  replayed: boolean;
}

/** Everything the server pushes, other than `hello` and `ready`. */
export type Push =
  | { op: 'chats'; d: { chats: Entry[] } }
  | { op: 'reset'; chat_id: string; seq: number; d: { reason: ResetReason } }
  | { op: 'chat.joined'; d: { chat: Entry } }
  | { op: 'chat.left'; d: { chat_id: string; seq: number } }
  | { op: 'session.revoked'; d: { session_id: string } }
  | { op: 'membership'; chat_id: string; d: Membership }
  | { op: 'block.added'; d: { user_id: string } }
  | { op: 'block.removed'; d: { user_id: string } }
  | { op: 'typing'; chat_id: string; d: { user_ids: string[]; expires_ms: number } }
  | { op: 'presence'; d: { users: Presence[] } }
  | { op: 'cursor'; chat_id: string; d: MemberCursor & { unread?: number; mentions?: number } }
  | { op: 'degraded'; d: { dropping: string[] } }
  | { op: 'drain'; d: { retry_after_ms: number; deadline_ms: number } };
