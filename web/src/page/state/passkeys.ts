import { ProblemError, type Rest } from '../../client';
import type { Ways } from '../i18n/ways';

/** A question of the server to an authenticator; `challenge` goes along with the answer. */
interface Ceremony {
  readonly options: never;
  readonly challenge: string;
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly last_used_at?: string;
}

/** What a log-in or a new passkey is made of. */
export interface Answer {
  readonly challenge: string;
  readonly credential: unknown;
}

/** Reports whether this browser can make and use passkeys. */
export const hasPasskeys = (): boolean => typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;

/** Has the user's authenticator make a passkey. */
export async function makePasskey(rest: Rest): Promise<Answer> {
  const { options, challenge } = await rest.call<Ceremony>('POST', '/me/passkeys/options');
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return { challenge, credential: asJSON(await navigator.credentials.create({ publicKey })) };
}

/** Has the user choose a passkey to log in with. */
export async function usePasskey(rest: Rest): Promise<Answer> {
  const { options, challenge } = await rest.call<Ceremony>('POST', '/sessions/passkey/options');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return { challenge, credential: asJSON(await navigator.credentials.get({ publicKey })) };
}

const asJSON = (credential: Credential | null): unknown => (credential as PublicKeyCredential).toJSON();

/** One sentence about what went wrong with a passkey; null if that is no matter of passkeys. */
export function passkeySentence(err: unknown, t: Ways): string | null {
  if (err instanceof ProblemError && err.code === 'unauthenticated') return t.keys.unknown;
  if (!(err instanceof DOMException)) return null;
  // Browsers tell nobody whether the user said no or has no passkey.
  return err.name === 'InvalidStateError' ? t.keys.exists : t.keys.cancelled;
}
