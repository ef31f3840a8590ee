/** The protocol client, without a framework, for pages and programs alike. */
export { Client, type ClientOptions } from './client';
export type { Events } from './events';
export { ConnectionLost, DeadlineExceeded, isPassing, ProblemError, sentence } from './errors';
export { newKey } from './key';
export { foldMessage, isMine, mentionsUser } from './message';
export type { PresenceSetting } from './presence';
export type { Receipt } from './receipts';
export type { Draft, Outbox, OutboxStorage, Pending, PendingStatus } from './outbox';
export { Rest } from './rest';
export type { Connection } from './link';
export { activity, byActivity, lineIndex, type ChatState, type Line, type Past, type State, type History } from './state';
export { type Snapshot, Store } from './store';
export type * from './types';
