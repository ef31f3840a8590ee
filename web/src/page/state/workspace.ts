import type { Rest } from '../../client';

/** Who may sign up. */
export type Registration = 'invite' | 'open' | 'closed';

/** How one may log in. */
export interface SignIns {
  readonly password: boolean;
  readonly passkey: boolean;
  readonly providers: readonly { readonly id: string; readonly name: string }[];
}

/** What a server says of itself to anybody; an older one says less. */
export interface Workspace {
  readonly name: string;
  /** Whether it has no account yet: whoever brings the setup code makes it. */
  readonly setup: boolean;
  readonly registration?: Registration;
  /** Who may invite. */
  readonly invitations?: 'everyone' | 'administrators';
  readonly sign_in?: SignIns;
  /** Whether it sends mail. */
  readonly mail?: boolean;
}

/** Asks for it. Null from a server that does not say, or cannot be reached. */
export const findWorkspace = (rest: Rest): Promise<Workspace | null> => rest.call<Workspace>('GET', '/workspace').catch(() => null);

/** Reports whether a user may invite others, to a server that takes them. */
export function mayInvite(workspace: Workspace | null, administrator: boolean): boolean {
  if (!workspace?.invitations || workspace.registration === 'closed') return false;
  return administrator || workspace.invitations === 'everyone';
}
