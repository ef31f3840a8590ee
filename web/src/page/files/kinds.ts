import type { File } from '../../client';

/** What a file is, to show it. Pure. */

export type Kind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'archive' | 'other';

const shown = /^image\/(png|jpeg|gif|webp|avif)$/;
const endings: readonly (readonly [Kind, RegExp])[] = [
  ['image', /\.(png|jpe?g|gif|webp|avif|svg|heic|bmp|tiff?)$/i],
  ['video', /\.(mp4|webm|mov|mkv|avi)$/i],
  ['audio', /\.(mp3|ogg|oga|opus|wav|flac|m4a|aac)$/i],
  ['pdf', /\.pdf$/i],
  ['archive', /\.(zip|gz|tgz|tar|xz|zst|bz2|7z|rar)$/i],
  ['text', /\.(txt|md|csv|docx?|odt|rtf|pages|tex|json|ya?ml|xml|html?|js|ts|go|py|rs|c|h|java|css|sh|sql|log|xlsx?|ods|pptx?|odp)$/i],
];

/** Whether the page shows it as a picture. */
export const isPicture = ({ media_type }: Pick<File, 'media_type'>): boolean => shown.test(media_type);

/** Whether it may move: its small pictures stand still. */
export const mayMove = ({ media_type }: File): boolean => media_type === 'image/gif';

/** How it is shown: only what browsers play safely is more than a card. */
export function playerOf({ media_type }: Pick<File, 'media_type'>): 'image' | 'video' | 'audio' | 'card' {
  if (shown.test(media_type)) return 'image';
  if (/^video\/(mp4|webm)$/.test(media_type)) return 'video';
  return /^(audio\/(mpeg|mp3|ogg|wav|wave|x-wav|vnd\.wave)|application\/ogg)$/.test(media_type) ? 'audio' : 'card';
}

/** What its card shows: by content where that tells, else by name. */
export function kindOf({ name, media_type }: Pick<File, 'name' | 'media_type'>): Kind {
  if (media_type === 'application/pdf') return 'pdf';
  const [type] = media_type.split('/');
  if (type === 'image' || type === 'video' || type === 'audio' || type === 'text') return type;
  return endings.find(([, ends]) => ends.test(name))?.[0] ?? 'other';
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** A size as people write it, in steps of 1024, as the limits are. */
export function sizeText(bytes: number, locale: string): string {
  const step = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.max(1, Math.floor(Math.log(bytes) / Math.log(1024))));
  const value = bytes / 1024 ** step;
  const digits = step > 0 && value < 10 ? 1 : 0;
  return new Intl.NumberFormat(locale, { style: 'unit', unit: units[step]!, unitDisplay: step === 0 ? 'long' : 'short', maximumFractionDigits: digits }).format(value);
}

/** How long it plays. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return (parts[0]! > 0 ? parts : parts.slice(1)).map((part, i) => (i > 0 ? `${part}`.padStart(2, '0') : `${part}`)).join(':');
}

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** The room that something takes within bounds; it is never enlarged. Undefined if its size is unknown. */
export function fitted({ width, height }: { width?: number | undefined; height?: number | undefined }, bounds: Box): Box | undefined {
  if (!width || !height) return undefined;
  const scale = Math.min(1, bounds.width / width, bounds.height / height);
  // What is very narrow stays large enough to be pressed.
  return { width: Math.max(44, Math.round(width * scale)), height: Math.max(44, Math.round(height * scale)) };
}

const path = (id: string) => `/api/v1/files/${encodeURIComponent(id)}`;

export const contentUrl = ({ id }: Pick<File, 'id'>): string => `${path(id)}/content`;

/** A small picture of it, or itself where there is none. */
export const thumbUrl = (file: Pick<File, 'id' | 'thumb'>, size: 160 | 480 | 1280): string => (file.thumb ? `${path(file.id)}/thumb?size=${size}` : contentUrl(file));
