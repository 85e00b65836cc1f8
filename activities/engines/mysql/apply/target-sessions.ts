/** The target engine's connections: one kept for applying, one for reading, others for their moment. */
import type { Connection } from 'mysql2/promise';
import { SrdfError } from '../../../../temporal/error-catalogue.js';
import type { StreamName } from '../../../vocabulary.js';
import type { ApplyResult, EngineName } from '../../engine.js';
import { openConnection, type ServerAccess } from '../connection.js';
import type { TrainTools } from './apply-train.js';
import { guarded } from './ledger-move.js';
import { TableFactsCache } from './table-facts.js';
import { describeFormat, lockStream, openSession, type TargetSession, unlockStream } from './target-session.js';
import { requireFitSettings } from './target-settings.js';

export class TargetSessions {
  private idle: TargetSession | null = null;
  private reader: Promise<Connection> | null = null;
  private readonly facts = new TableFactsCache();
  private readonly staged = new Set<string>();
  /** The ledger as this process left it, by stream: when it stands elsewhere, somebody else may have changed tables. */
  private readonly leftAt = new Map<StreamName, string>();
  private stagingDropped = false;

  constructor(
    private readonly access: ServerAccess,
    private readonly engine: EngineName,
  ) {}

  forgetTables(): void {
    this.facts.forget();
    this.staged.clear();
    this.stagingDropped = false;
  }

  /** Runs with the stream's lock held, on a session that takes BINLOG statements. After an error the session is closed: its transaction ends with it. */
  async withApplier(stream: StreamName, run: (tools: TrainTools) => Promise<ApplyResult>): Promise<ApplyResult> {
    const session = await this.takeApplier();
    const side = new SideConnection(this.access);
    try {
      await lockStream(session, stream).catch((error: unknown) =>
        guarded('taking the stream’s lock', async () => await Promise.reject(error)),
      );
      await requireFit(session, stream);
      const result = await run({
        session,
        facts: this.facts,
        staged: this.staged,
        leftAt: this.leftAt.get(stream) ?? null,
        forget: () => this.forgetTables(),
        side: () => side.open(),
      });
      this.leftAt.set(stream, `${result.ledger.epoch}/${result.ledger.sequence}`);
      await unlockStream(session, stream);
      this.giveBack(session);
      return result;
    } catch (error) {
      session.connection.destroy();
      this.forgetTables();
      throw error;
    } finally {
      side.close();
    }
  }

  /** A session of its own, closed afterwards, since it has been another's. */
  async withDdlSession<T>(stream: StreamName, run: (session: TargetSession) => Promise<T>): Promise<T> {
    const session = await this.open();
    try {
      await guarded('taking the stream’s lock', async () => await lockStream(session, stream));
      await requireFit(session, stream);
      return await run(session);
    } finally {
      this.forgetTables();
      this.leftAt.delete(stream);
      session.connection.destroy();
    }
  }

  /** Reads outside of any transaction, on a connection that is kept. */
  async withReader<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      this.reader ??= openConnection(this.access);
      const opened = this.reader;
      try {
        return await run(await opened);
      } catch (error) {
        if (this.reader === opened) this.reader = null;
        await opened.then((connection) => connection.destroy()).catch(() => undefined);
        // A kept connection may have died of age: once more on a new one.
        if (attempt > 0 || !(error instanceof SrdfError) || error.code !== 'target-unreachable') throw error;
      }
    }
  }

  /** Once after a catch-up has ended; what is left behind harms nobody. */
  async dropStagingOnce(drop: (connection: Connection) => Promise<void>): Promise<void> {
    if (this.stagingDropped || this.staged.size === 0) return;
    this.stagingDropped = true;
    this.staged.clear();
    const connection = await openConnection(this.access);
    try {
      await drop(connection);
    } finally {
      connection.destroy();
    }
  }

  async close(): Promise<void> {
    this.idle?.connection.destroy();
    this.idle = null;
    const reader = this.reader;
    this.reader = null;
    await reader?.then((connection) => connection.destroy()).catch(() => undefined);
  }

  private async takeApplier(): Promise<TargetSession> {
    const kept = this.idle;
    this.idle = null;
    if (kept !== null) {
      // A kept connection may have died of age or with the server.
      const alive = await kept.connection.ping().then(
        () => true,
        () => false,
      );
      if (alive) return kept;
      kept.connection.destroy();
      this.forgetTables();
    }
    const session = await this.open();
    try {
      await guarded('preparing the target for BINLOG statements', async () => await describeFormat(session));
      return session;
    } catch (error) {
      session.connection.destroy();
      throw error;
    }
  }

  private async open(): Promise<TargetSession> {
    const session = await openSession(this.access);
    if (session.engine === this.engine) return session;
    session.connection.destroy();
    throw new SrdfError('target-preflight', {
      tried: 'opening the target',
      found: `it is a server of the kind ${session.engine}, and the stream’s engine is ${this.engine}`,
      action: 'Row images only fit servers of one kind: point the stream’s target in srdf.yaml at such a server',
    });
  }

  private giveBack(session: TargetSession): void {
    if (this.idle === null) this.idle = session;
    else session.connection.destroy();
  }
}

const requireFit = async ({ connection, engine }: TargetSession, stream: StreamName): Promise<void> =>
  await guarded('reading the target’s settings', async () => await requireFitSettings(connection, engine, `applying to stream ${stream}`));

class SideConnection {
  private opened: Promise<Connection> | null = null;
  constructor(private readonly access: ServerAccess) {}
  async open(): Promise<Connection> {
    this.opened ??= openConnection(this.access);
    return await this.opened;
  }
  close(): void {
    void this.opened?.then((connection) => connection.destroy()).catch(() => undefined);
  }
}
