/**
 * Tells a statement that takes long from a connection that is dead without anybody having been told: a firewall that has forgotten it, a
 * machine without power. TCP notices after some fifteen minutes (tcp(7), tcp_retries2), or never when nothing is to be sent.
 * A statement may rightly take hours, so the server itself is asked, on another connection, what it does with this one.
 */
import type { Socket } from 'node:net';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/** Without a byte for so long while an answer is awaited, the server is asked. */
const SILENCE_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 2_500;
/** So long for an answer of the server about the connection. */
const ASKING_MILLISECONDS = 10_000;
/** For so long the server could not be asked either: it is away. */
const AWAY_MILLISECONDS = 30_000;
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
export async function watchConnection(connection: Connection, another: () => Promise<Connection>): Promise<void> {
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
    if (asking || performance.now() - quietSince < SILENCE_MILLISECONDS) return;
    asking = true;
    const quiet = performance.now() - quietSince;
    const arrived = quiet * SLOWEST_BYTES_PER_MILLISECOND >= written - sentBefore;
    const asked = await whatItDoes(core.threadId ?? 0, another, listed === true && arrived && idleLooks + 1 >= IDLE_LOOKS);
    const doing = listed === true || asked === 'away' ? asked : listed === null ? 'away' : 'working';
    asking = false;
    if (core._command == null || moved() || doing === 'working') stirred();
    else if (doing === 'idle') {
      if (arrived && ++idleLooks >= IDLE_LOOKS) give('the server waits for a statement, and this side for its answer');
    } else if (doing === 'gone') give('the server has closed it, and this side was never told');
    else {
      awaySince ??= performance.now();
      if (performance.now() - awaySince >= AWAY_MILLISECONDS) give('the server can’t be reached on another connection either');
    }
  };
  const give = (why: string): void => {
    core.stream.destroy(Object.assign(new Error(`the connection is dead: ${why}`), { code: 'ETIMEDOUT' }));
  };
  const timer = setInterval(() => {
    if (core.stream.destroyed) clearInterval(timer);
    else void look();
  }, LOOK_MILLISECONDS).unref();
  const [rows] = await connection.query<RowDataPacket[]>(LIST);
  listed = rows.some((row) => Number(row.Id) === core.threadId && row.Command === 'Query' && row.Info === LIST);
}

/** Lists an account's own connections, whatever its rights. */
const LIST = 'SHOW PROCESSLIST';

/** `end`: a connection found idle is ended there, so that its transaction and its locks don't outlive it. An account may always do so to its own. */
async function whatItDoes(id: number, another: () => Promise<Connection>, end: boolean): Promise<Doing> {
  let asked: Connection | null = null;
  let timer: NodeJS.Timeout | undefined;
  const ask = async (): Promise<Doing> => {
    asked = await another();
    asked.on('error', () => undefined);
    const [rows] = await asked.query<RowDataPacket[]>(LIST);
    const row = rows.find((it) => Number(it.Id) === id);
    if (row === undefined) return 'gone';
    if (row.Command !== 'Sleep') return 'working';
    if (end) await asked.query(`KILL ${id}`);
    return 'idle';
  };
  const late = new Promise<Doing>((resolve) => {
    timer = setTimeout(() => resolve('away'), ASKING_MILLISECONDS);
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
