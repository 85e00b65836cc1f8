/**
 * Tells a statement that takes long from a connection that is dead without anybody having been told: a firewall that has forgotten it, a
 * machine without power. TCP notices after some fifteen minutes (tcp(7), tcp_retries2), or never when nothing is to be sent.
 * A statement may rightly take hours, so the server itself is asked, on another connection, what it does with this one.
 */
import type { Socket } from 'node:net';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/** Milliseconds. */
export interface Patience {
  /** Without a byte for so long while an answer is awaited, the server is asked. */
  readonly silence: number;
  /** From one look at the connection to the next. */
  readonly look: number;
  /** So long for a new connection, and for an answer of the server about one. */
  readonly asking: number;
  /** For so long the server could not be asked either: it is away. */
  readonly away: number;
}
export const PATIENCE: Patience = { silence: 10_000, look: 2_500, asking: 10_000, away: 30_000 };
/** A statement that is still on its way to the server looks as if the server did nothing: it is granted the time a slow line takes. */
const SLOWEST_BYTES_PER_MILLISECOND = 16;
/** Seen doing nothing so often in a row: an answer that is on its way has arrived by then. */
const IDLE_LOOKS = 2;

/** The driver's own object: its socket, and the command that is under way. */
interface Core {
  readonly stream: Socket;
  readonly threadId: number | null;
  readonly _command: unknown;
}

type Doing = 'working' | 'idle' | 'gone' | 'away';

/**
 * Until the connection is closed. A dead one ends with ETIMEDOUT, as it would by the operating system later, and the server forgets its side.
 * Through a proxy that gives connections numbers of its own the server can't be asked: only whether it is there at all.
 */
export async function watchConnection(connection: Connection, another: () => Promise<Connection>, patience: Patience): Promise<void> {
  const core = (connection as unknown as { readonly connection: Core }).connection;
  let quietSince = performance.now();
  let [read, written] = [0, 0];
  /** What was written before the statement that is under way, or less. */
  let sentBefore = 0;
  let idleLooks = 0;
  let awaySince: number | null = null;
  let asking = false;
  /** Whether the server knows the connection by its number; null while that is asked, which is a matter of a moment. */
  let listed: boolean | null = null;
  const stirred = (): void => {
    quietSince = performance.now();
    idleLooks = 0;
    awaySince = null;
  };
  const moved = (): boolean => core.stream.bytesRead !== read || core.stream.bytesWritten !== written;
  const look = async (): Promise<void> => {
    if (core._command == null || core.stream.bytesRead !== read) sentBefore = written;
    if (core._command == null || moved()) {
      read = core.stream.bytesRead;
      written = core.stream.bytesWritten;
      stirred();
      return;
    }
    if (asking || performance.now() - quietSince < patience.silence) return;
    asking = true;
    const quiet = performance.now() - quietSince;
    const arrived = quiet * SLOWEST_BYTES_PER_MILLISECOND >= written - sentBefore;
    const asked = await whatItDoes(
      core.threadId ?? 0,
      another,
      listed === true && arrived && idleLooks + 1 >= IDLE_LOOKS ? end : null,
      patience,
    );
    const doing = listed === true || asked === 'away' ? asked : listed === null ? 'away' : 'working';
    asking = false;
    if (core._command == null || moved() || doing === 'working') stirred();
    else if (doing === 'idle') {
      if (arrived && ++idleLooks >= IDLE_LOOKS) end();
    } else if (doing === 'gone') give('the server has closed it, and this side was never told');
    else {
      awaySince ??= performance.now();
      if (performance.now() - awaySince >= patience.away) give('the server can’t be reached on another connection either');
    }
  };
  const give = (why: string): void => {
    core.stream.destroy(Object.assign(new Error(`the connection is dead: ${why}`), { code: 'ETIMEDOUT' }));
  };
  /** false: the answer has come meanwhile. */
  const end = (): boolean => {
    if (core._command == null || moved()) return false;
    give('the server waits for a statement, and this side for its answer');
    return true;
  };
  const timer = setInterval(() => {
    if (core.stream.destroyed) clearInterval(timer);
    else void look();
  }, patience.look).unref();
  const [rows] = await connection.query<RowDataPacket[]>(LIST);
  listed = rows.some((row) => Number(row.Id) === core.threadId && row.Command === 'Query' && row.Info === LIST);
}

/** Lists an account's own connections, whatever its rights. */
const LIST = 'SHOW PROCESSLIST';

/**
 * `end`: gives a connection up that is found idle. It is then ended there too, so that its transaction and its locks don't outlive it; an
 * account may always do so to its own.
 */
async function whatItDoes(
  id: number,
  another: () => Promise<Connection>,
  end: (() => boolean) | null,
  { asking }: Patience,
): Promise<Doing> {
  let asked: Connection | null = null;
  let timer: NodeJS.Timeout | undefined;
  const ask = async (): Promise<Doing> => {
    asked = await another();
    asked.on('error', () => undefined);
    const [rows] = await asked.query<RowDataPacket[]>(LIST);
    const row = rows.find((it) => Number(it.Id) === id);
    if (row === undefined) return 'gone';
    if (row.Command !== 'Sleep') return 'working';
    // Given up here first: afterwards it would look like a server that has gone.
    if (end?.() === true) await asked.query(`KILL ${id}`);
    return 'idle';
  };
  const late = new Promise<Doing>((resolve) => {
    timer = setTimeout(() => resolve('away'), asking);
  });
  const answer = ask().catch((error: unknown): Doing => (isServersWord(error) ? 'working' : 'away'));
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    void answer.then(() => asked?.destroy());
    (asked as Connection | null)?.destroy();
  }
}

/** A number of the server's: it is there, though it doesn't tell (too many connections, say). */
const isServersWord = (error: unknown): boolean => {
  const { errno } = error as { errno?: unknown };
  return typeof errno === 'number' && errno >= 1000 && errno < 2000;
};
