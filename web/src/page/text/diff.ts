const added = /^\+/;
const removed = /^-/;
const hunk = /^@@ -\d/;

/**
 * Finds the lines of a diff, as `diff` and `git` print it, and of what looks like one, such as a
 * list of pros and cons: where some lines begin with + and others with -, the signs have a meaning
 * and are not bullets. Lines belong together up to one that `ends` them, and after the head of a
 * hunk up to the end. The returned function reports whether a line is one of a diff; call it with
 * the indexes of the lines in ascending order.
 */
export function differences(lines: readonly string[], ends: (line: string) => boolean): (at: number) => boolean {
  let [end, differs] = [0, false];
  return (at) => {
    if (at >= end) {
      end = at + 1;
      while (end < lines.length && !ends(lines[end]!)) end++;
      const part = lines.slice(at, end);
      const has = (sign: RegExp) => part.some((line) => sign.test(line));
      const begun = has(hunk);
      if (begun) end = lines.length;
      differs = begun || (has(added) && has(removed));
    }
    return differs;
  };
}
