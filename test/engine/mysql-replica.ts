/** A source and a target server with the engine's two sides between them: log → pieces → target, without sealing and transport. */
import { createHash } from 'node:crypto';
import type { Selection, WagonPlace } from '../../activities/engines/engine.js';
import { logFileOf } from '../../activities/engines/mysql/position.js';
import { currentPosition, mysqlRowFormat, reached, readLog } from '../../activities/engines/mysql/read-log.js';
import { createTargetEngine } from '../../activities/engines/mysql/target.js';
import { grantStatements } from '../../activities/engines/mysql/target-privileges.js';
import type { BootstrapId, Epoch, Position, Sequence, StreamName, WagonHash } from '../../activities/vocabulary.js';
import type { ChangesBody, DdlBody } from '../../activities/wagon/body.js';
import { cutBodies } from '../../activities/wagon/cut.js';
import type { CutPiece } from '../../activities/wagon/cut-piece.js';
import { DatabaseServer, type ServerKind } from '../servers/database-server.js';

export const STREAM = 'shop' as StreamName;
export const BOOTSTRAP = 'b1' as BootstrapId;

export interface Wagon {
  readonly place: WagonPlace;
  readonly body: ChangesBody | DdlBody;
  readonly last: boolean;
}
export async function* bodiesOf(wagons: readonly Wagon[]): AsyncGenerator<ChangesBody> {
  for (const { body } of wagons) if (body.kind === 'changes') yield body;
}

export class MysqlReplica {
  readonly selection: Selection;
  engine;
  maxChanges = 20_000;
  private constructor(
    readonly source: DatabaseServer,
    readonly target: DatabaseServer,
    databases: readonly string[],
  ) {
    this.selection = { databases, include: [], exclude: [] };
    this.engine = this.newEngine();
  }

  /** `zones`: what `TZ` is to the two servers; this machine's own by default. */
  static async start(
    kind: ServerKind,
    databases: readonly string[],
    options: readonly string[] = [],
    zones?: Readonly<Record<'source' | 'target', string>>,
  ): Promise<MysqlReplica> {
    const start = async (name: 'source' | 'target'): Promise<DatabaseServer> =>
      await DatabaseServer.start({ kind, name, options, ...(zones !== undefined && { environment: { TZ: zones[name] } }) });
    const [source, target] = await Promise.all([start('source'), start('target')]);
    // The target's account has exactly what the documentation asks for.
    await target.sql("SET GLOBAL log_bin_trust_function_creators=1; CREATE USER 'srdf'@'%'");
    for (const statement of grantStatements(kind, kind === 'mariadb' ? 101_100 : 90_700, "'srdf'@'%'", databases))
      await target.sql(statement);
    const replica = new MysqlReplica(source, target, databases);
    await replica.establish();
    return replica;
  }
  async remove(): Promise<void> {
    await this.engine.close();
    await Promise.all([this.source.remove(), this.target.remove()]);
  }

  newEngine() {
    return createTargetEngine({
      name: this.target.kind,
      server: { host: '127.0.0.1', port: this.target.port, user: 'srdf' },
      password: undefined,
    });
  }
  access() {
    return {
      server: { host: '127.0.0.1', port: this.source.port, user: 'root' },
      password: null,
      role: 'source',
      serverId: 4_000_000,
    } as const;
  }
  async position(): Promise<Position> {
    return await currentPosition(this.access());
  }

  /** Both sides empty: the ledger begins at the source's position, consistent. */
  async establish(): Promise<void> {
    const position = await this.position();
    await this.engine.beginLoading(STREAM, BOOTSTRAP, 1 as Epoch);
    await this.engine.beginCatchUp(STREAM, BOOTSTRAP, position, position);
  }

  async ledger() {
    const ledger = await this.engine.readLedger(STREAM);
    if (ledger?.position == null) throw new Error('no ledger');
    return { ...ledger, position: ledger.position };
  }

  /** What lies in the log behind the ledger, as numbered wagons. */
  async cut(): Promise<Wagon[]> {
    const ledger = await this.ledger();
    const log = readLog(this.access(), ledger.position, { selection: this.selection });
    const pieces = cutBodies(log, {
      from: ledger.position,
      rowFormat: mysqlRowFormat,
      reached,
      logFileOf,
      boundaries: await this.engine.boundaries(STREAM),
      maxChanges: this.maxChanges,
      maxBytes: 8 * 2 ** 20,
      foreignKeys: async () => await this.engine.foreignKeys(STREAM, this.selection),
    });
    const wagons: Wagon[] = [];
    let { sequence, wagonHash } = ledger as { sequence: number; wagonHash: WagonHash };
    for await (const piece of pieces) {
      if ('withdraw' in piece) {
        wagons.splice(-piece.withdraw);
        sequence -= piece.withdraw;
        wagonHash = wagons.at(-1)?.place.hash ?? ledger.wagonHash;
        continue;
      }
      const wagon = wagonOf(piece, ++sequence as Sequence, wagonHash);
      wagonHash = wagon.place.hash;
      wagons.push(wagon);
    }
    return wagons;
  }

  /** Applies wagons in order, whole trains at once. */
  async apply(wagons: readonly Wagon[]): Promise<void> {
    let train: Wagon[] = [];
    for (const wagon of wagons) {
      const strange = this.engine.outOfScope(wagon.body, this.selection);
      if (strange !== null) throw new Error(`the target would refuse ${strange}`);
      if (wagon.body.kind === 'ddl') {
        await this.engine.applyDdl(wagon.place, wagon.body);
        continue;
      }
      train.push(wagon);
      if (!wagon.last) continue;
      await this.engine.applyTrain(
        train.map((it) => it.place),
        bodiesOf(train),
      );
      train = [];
    }
  }

  /** Until the log holds nothing more. */
  async replicate(): Promise<Wagon[]> {
    const wagons = await this.cut();
    await this.apply(wagons);
    return wagons;
  }

  /** Runs statements on the source and carries them over. */
  async run(sql: string, database?: string): Promise<void> {
    await this.source.sql(sql, database);
    await this.replicate();
  }

  async dumps(extra: readonly string[] = []): Promise<{ readonly source: string; readonly target: string }> {
    const [source, target] = await Promise.all([
      this.source.dump(this.selection.databases, extra),
      this.target.dump(this.selection.databases, extra),
    ]);
    return { source, target };
  }
}

function wagonOf(piece: CutPiece, sequence: Sequence, previousHash: WagonHash): Wagon {
  const { positionFrom, positionTo } = piece;
  const hash = createHash('sha256')
    .update(`${sequence} ${previousHash} ${positionFrom} ${positionTo} ${piece.train.index}`)
    .digest('hex') as WagonHash;
  return {
    place: { stream: STREAM, epoch: 1 as Epoch, sequence, previousHash, hash, positionFrom, positionTo, train: piece.train },
    body: piece.body,
    last: piece.train.last,
  };
}
