/** A message body in parts, each to be shown as text: nothing in it is ever markup. Pure. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }
  | { readonly kind: 'mention'; readonly text: string };

const pattern = /(https?:\/\/[^\s<>"']+)|((?<![\w@])@[a-z0-9_.-]*[a-z0-9_])/g;

/** `isMention` tells whether a name after an @ is one that the server took as a mention. */
export function parts(body: string, isMention: (name: string) => boolean): Part[] {
  const found: Part[] = [];
  let from = 0;
  const text = (to: number) => to > from && found.push({ kind: 'text', text: body.slice(from, to) });
  for (const match of body.matchAll(pattern)) {
    const part = match[1] ? link(match[1]) : mention(match[2]!, isMention);
    if (!part) continue;
    text(match.index);
    found.push(part);
    from = match.index + part.text.length;
  }
  text(body.length);
  return found;
}

function mention(text: string, isMention: (name: string) => boolean): Part | null {
  return isMention(text.slice(1)) ? { kind: 'mention', text } : null;
}

/** Punctuation at the end belongs to the sentence, not to the address. */
function link(raw: string): Part | null {
  const text = raw.replace(/[.,;:!?)\]}]+$/, '');
  return URL.canParse(text) ? { kind: 'link', text, href: text } : null;
}
