/** What a process started or made goes with it, also after Ctrl-C, a signal or an uncaught error: child processes first, then their folders. */
const undo = new Set<() => void>();
let watching = false;

/**
 * `act` runs once, synchronously, when the process ends before the returned function was called.
 * The last registered runs first: what was built on something else goes before it.
 */
export function onLeaving(act: () => void): () => void {
  if (!watching) {
    watching = true;
    process.once('exit', () => {
      for (const it of [...undo].reverse())
        try {
          it();
        } catch (error) {
          process.stderr.write(`while cleaning up: ${String(error)}\n`);
        }
    });
    // Not once: a second signal would end the process amid its cleaning, and leave servers behind.
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const)
      process.on(signal, () => process.exit(code));
  }
  undo.add(act);
  return () => undo.delete(act);
}
