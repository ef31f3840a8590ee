import * as format from '../text/format';

/** The composer's formatting tools; `key` names the text of the button. */
export const tools = [
  { icon: 'bold', key: 'bold', change: (e: format.Edited) => format.wrap(e, '**') },
  { icon: 'italic', key: 'italic', change: (e: format.Edited) => format.wrap(e, '_') },
  { icon: 'strike', key: 'strike', change: (e: format.Edited) => format.wrap(e, '~~') },
  { icon: 'code', key: 'code', change: format.code },
  { icon: 'link', key: 'link', change: (e: format.Edited) => format.link(e) },
  { icon: 'list', key: 'list', change: (e: format.Edited) => format.prefix(e, '- ') },
  { icon: 'quote', key: 'quote', change: (e: format.Edited) => format.prefix(e, '> ') },
] as const;

export type Tool = (typeof tools)[number];

const shortcuts: Readonly<Record<string, Tool['key']>> = { b: 'bold', i: 'italic', e: 'code' };

/** The tool with this shortcut. */
export function toolOf(event: KeyboardEvent): Tool | undefined {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return undefined;
  return tools.find(({ key }) => key === shortcuts[event.key]);
}
