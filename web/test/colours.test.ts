import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Colours } from '../src/page/text/colours';
import { highlight, type Piece } from '../src/page/text/highlight';

/** A worker that answers when it is told to. */
class FakeWorker {
  onmessage: ((event: { data: readonly Piece[] | null }) => void) | undefined;
  onerror: (() => void) | undefined;
  readonly asked: string[] = [];
  ended = false;

  postMessage({ text }: { text: string }): void {
    this.asked.push(text);
  }

  answer(): void {
    this.onmessage!({ data: [{ text: this.asked.at(-1)!, name: 'keyword' }] });
  }

  terminate(): void {
    this.ended = true;
  }
}

describe('code', () => {
  const workers: FakeWorker[] = [];
  let colours: Colours;

  beforeEach(() => {
    vi.useFakeTimers();
    workers.length = 0;
    colours = new Colours(() => {
      workers.push(new FakeWorker());
      return workers.at(-1) as unknown as Worker;
    });
  });
  afterEach(() => void vi.useRealTimers());

  const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  test('is coloured by one worker, piece after piece', async () => {
    const found = Promise.all([colours.of('a', 'go'), colours.of('b', 'go')]);
    await pass();
    expect(workers.map(({ asked }) => asked)).toEqual([['a']]);
    workers[0]!.answer();
    await pass();
    workers[0]!.answer();
    expect(await found).toEqual([[{ text: 'a', name: 'keyword' }], [{ text: 'b', name: 'keyword' }]]);
    expect(workers.map(({ asked, ended }) => [asked, ended])).toEqual([[['a', 'b'], false]]);
  });

  test('that takes too long ends the worker, is not tried again, and holds up nothing else', async () => {
    const found: unknown[] = [];
    for (const text of ['slow', 'b', 'slow']) void colours.of(text, 'go').then((pieces) => found.push(pieces));
    await pass(6_000);
    expect(workers.map(({ ended }) => ended)).toEqual([true, false]);
    workers[1]?.answer();
    await pass();
    expect(found).toEqual([null, [{ text: 'b', name: 'keyword' }], null]);
    expect(workers.map(({ asked }) => asked)).toEqual([['slow'], ['b']]);
  });

  test('stays as it is where no worker starts', async () => {
    const refusing = new Colours(() => {
      throw new TypeError('no workers here');
    });
    expect(await refusing.of('a', 'go')).toBeNull();
    expect(await refusing.of('a', 'go')).toBeNull();
  });

  test('in colours is the same text', () => {
    const source = 'func main() { fmt.Println("<b>") } // é';
    const pieces = highlight(source, 'Go')!;
    expect(pieces.map((p) => p.text).join('')).toBe(source);
    expect(pieces.find((p) => p.name === 'keyword')?.text).toBe('func');
    expect(highlight(source, 'nonsense')).toBeNull();
  });

  test('in colours has no two neighbours of the same kind', () => {
    const pieces = highlight('const a = {"b": [1, 2, 3]}; // c\n// d\n', 'js')!;
    expect(pieces.filter(({ name }, i) => pieces[i + 1]?.name === name)).toEqual([]);
  });

  test('of more pieces than anybody reads stays plain', () => {
    expect(highlight('1,'.repeat(5_000), 'json')).toBeNull();
  });
});
