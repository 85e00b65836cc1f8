/** Closes what was opened, last first; one that fails doesn't keep the others open. */
export interface Closable {
  close(): Promise<void>;
}

export async function closeAll(opened: readonly Closable[]): Promise<void> {
  const errors: unknown[] = [];
  for (const it of opened.toReversed()) {
    try {
      await it.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'closing the site failed');
}
