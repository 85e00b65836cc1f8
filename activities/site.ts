/** What a site's activities are handed: everything they touch, opened once by the worker process and closed with it. */
import type { Logger } from 'pino';
import type { StreamConfig } from '../config/schema.js';
import type { Selection, SourceEngine, TargetEngine } from './engines/engine.js';
import type { Inbox, Sender, Spool } from './transport/contract.js';
import type { SiteName, StreamName } from './vocabulary.js';
import type { ReceiptIssuer, ReceiptVerifier, WagonOpener, WagonSealer } from './wagon/contract.js';

export interface SourceStream {
  readonly config: StreamConfig;
  readonly selection: Selection;
  readonly engine: SourceEngine;
}
export interface SourceSite {
  readonly pair: string;
  readonly site: SiteName;
  readonly target: SiteName;
  /** Throws `config-invalid` for a stream the config doesn't name. */
  stream(name: StreamName): SourceStream;
  readonly spool: Spool;
  readonly sender: Sender;
  readonly sealer: WagonSealer;
  readonly receipts: ReceiptVerifier;
  /** Range plans and the journal live here. */
  readonly stateDirectory: string;
  readonly log: Logger;
}

export interface TargetStream {
  readonly config: StreamConfig;
  readonly selection: Selection;
  readonly engine: TargetEngine;
}
export interface TargetSite {
  readonly pair: string;
  readonly site: SiteName;
  readonly source: SiteName;
  stream(name: StreamName): TargetStream;
  readonly inbox: Inbox;
  readonly opener: WagonOpener;
  readonly receipts: ReceiptIssuer;
  readonly stateDirectory: string;
  readonly log: Logger;
}
