/** Detects rows inserted at the top: only then must a list keep its distance from the end. */
export function shifted<R extends { readonly key: string }>(make: () => R[]): () => { rows: R[]; shift: boolean } {
  let first: string | undefined;
  return () => {
    const made = make();
    const at = first === undefined ? -1 : made.findIndex((row) => row.key === first);
    first = made[0]?.key;
    return { rows: made, shift: at > 0 };
  };
}
