import { sentence, type ProblemError } from '../../client';
import type { Texts } from '../i18n/en';

/**
 * How the server's refusals begin that a person can do something about: their code alone does not
 * tell what.
 */
export const refusals = {
  usernameForm: 'username must be 3 to 32 characters',
  usernameReserved: 'this username is reserved',
  usernameTaken: 'this username is taken, or looks like one that is',
  nameReserved: 'this display_name is reserved',
  nameTaken: 'this display_name looks like the name of somebody else',
  nameMixed: 'display_name must not mix alphabets within a word',
  passwordLength: 'password must be %d to %d characters',
  passwordBlank: 'password must not be only white space',
  passwordName: 'password must be more than the username',
  passwordCommon: 'password is one of the most common ones',
  setupNeeded: 'nobody has set this server up yet',
  invitationNeeded: 'signing up takes an invitation',
  invitationBad: 'this invitation is unknown, used up or expired',
  closed: 'this server takes no new users',
  linkBad: 'this link is unknown, used or expired',
  emailTaken: 'another account uses this address',
  emailKept: 'this server sends no mail: a verified address',
  invitationsFull: 'you have %d open invitations',
  emailForm: 'email must be an address',
  letters: 'too many mails within an hour',
  lastAdministrator: 'this is the last administrator',
  administratorNeeded: 'only administrators may do this',
  guesses: 'too many failed log-ins under this name',
  barred: 'you cannot contact this person',
  blocked: 'you have blocked this person',
  blocksFull: 'you can block at most %d people',
  chatsFull: 'you can be in at most %d chats',
  membersFull: 'this chat already has %d members',
  alone: 'nobody else is in this chat',
  lastOwner: 'the last owner cannot leave or step down',
  passwordWrong: 'the current password is wrong',
  archived: 'this chat is archived',
  emojiFull: 'a message can have at most %d different emoji',
  deleted: 'this message was deleted',
  roleNeeded: 'this requires the role admin or owner',
} as const;

export type Refusal = keyof typeof refusals;

const all = Object.entries(refusals).map(([name, text]) => [name as Refusal, new RegExp(`^${text.replaceAll('%d', '\\d+')}`)] as const);

/** The fields of forms; '' is none of them. */
export type FieldName = '' | 'username' | 'display_name' | 'password' | 'current_password' | 'name' | 'topic' | 'status_text' | 'email';

const fields: readonly (readonly [RegExp, FieldName])[] = [
  [/^username/, 'username'],
  [/^name/, 'display_name'],
  [/^email/, 'email'],
  [/^passwordWrong/, 'current_password'],
  [/^password/, 'password'],
];
const named = /^(username|display_name|password|current_password|name|topic|status_text|email)\b/;

/** The field of a form that a refusal is about. */
export function fieldOf({ code, problem: { detail } }: ProblemError): FieldName {
  // Which of the two is wrong, nobody says.
  if (code === 'unauthenticated') return '';
  const known = all.find(([, begins]) => begins.test(detail))?.[0] ?? '';
  return fields.find(([names]) => names.test(known))?.[1] ?? (named.exec(detail)?.[1] as FieldName | undefined) ?? '';
}

/** One sentence about a refusal, and how long to wait where the server says so. */
export function refusalSentence(err: ProblemError, t: Texts): string {
  const { code, problem, retryAfterMs } = err;
  const known = all.find(([, begins]) => begins.test(problem.detail))?.[0];
  const text = known ? t.refusals[known] : (t.problems[code] ?? sentence(err));
  if (code !== 'rate_limited') return text;
  const what = known ? text : t.tooOften;
  return t.waiting(what, retryAfterMs > 0 ? t.duration(Math.ceil(retryAfterMs / 1000)) : '');
}
