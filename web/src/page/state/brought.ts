/** What a link is for: to join by an invitation, to set the server up, for a new password, or to confirm an address. */
export type LinkKind = 'join' | 'setup' | 'reset' | 'email';

export interface Link {
  readonly kind: LinkKind;
  readonly code: string;
}

/** The link that the address is; null for any other. Its code is in the fragment, which no server sees. */
export function linkIn(hash: string = location.hash): Link | null {
  const [, kind, code] = /^#(join|setup|reset|email)=([\w-]{1,200})$/.exec(hash) ?? [];
  return code ? { kind: kind as LinkKind, code } : null;
}

/** What a link brings along for signing up: the code of an invitation, or the one that sets a server up. */
export function brought(link: Link | null = linkIn()): { invitation?: string; setup_code?: string } {
  if (link?.kind === 'join') return { invitation: link.code };
  return link?.kind === 'setup' ? { setup_code: link.code } : {};
}

/** Takes a code that was used out of the address. */
export function forgetBrought(): void {
  history.replaceState(history.state, '', location.pathname + location.search);
}
