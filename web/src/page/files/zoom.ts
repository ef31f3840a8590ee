/** How a picture is moved and enlarged under fingers, a wheel and keys. Pure. */

export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const whole: View = { scale: 1, x: 0, y: 0 };
const most = 8;

/** Enlarges about a point, measured from the middle: what is there stays there. */
export function zoomed(view: View, factor: number, { x, y }: Point): View {
  const scale = Math.min(most, Math.max(1, view.scale * factor));
  if (scale === 1) return whole;
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

/** Moves it, but not out of sight; `room` is that of the picture at its first size. */
export function moved(view: View, by: Point, room: { width: number; height: number }): View {
  const far = (size: number) => (size * (view.scale - 1)) / 2;
  const within = (value: number, bound: number) => Math.min(bound, Math.max(-bound, value));
  return { ...view, x: within(view.x + by.x, far(room.width)), y: within(view.y + by.y, far(room.height)) };
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
export const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
