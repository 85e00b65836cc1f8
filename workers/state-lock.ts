/** One worker per state directory. */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { SrdfError } from '../temporal/error-catalogue.js';

/**
 * Holds an abstract-namespace socket (unix(7)) named by the folder's real path: the kernel gives it up with the process,
 * however that ends, so that no stale lock is ever in the way. Throws `worker-running` while another process holds it.
 */
export async function lockStateDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const name = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex');
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new SrdfError('worker-running', {
              tried: `starting a worker on ${directory}`,
              found: 'another worker of this machine uses that folder',
              action: 'Stop it first (systemctl status srdf-source-agent srdf-target-agent), or give this one its own `state` folder',
              cause,
            })
          : cause,
      ),
    );
    server.listen(`\0srdf-${name}`, resolve);
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
