/**
 * A wagon's life as this machine can prove it: the wagon itself, if it still lies here, and its receipts, verified.
 * Reads files only: the stores belong to the running workers, and opening one would tidy it up.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceiptStatus } from '../activities/transport/contract.js';
import { readWhole } from '../activities/transport/wagon-file.js';
import type { SiteName } from '../activities/vocabulary.js';
import type { ReceiptFields, WagonHeader } from '../activities/wagon/contract.js';
import { parseHeader } from '../activities/wagon/header.js';
import { type KeyRing, loadKeyRing, trustedPeer } from '../activities/wagon/key-ring.js';
import { createReceiptVerifier } from '../activities/wagon/receipt.js';
import type { SrdfConfig } from '../config/schema.js';
import { SrdfError } from '../temporal/error-catalogue.js';

export interface TracedReceipt {
  readonly status: ReceiptStatus;
  readonly issuedAt: number;
  readonly site: string;
  readonly wagonHash: string;
  readonly position: string | null;
  readonly reason: string | null;
}
export interface TracedSide {
  readonly side: 'source' | 'target';
  readonly site: string;
  readonly state: 'captured' | 'received' | 'applied' | 'confirmed' | 'refused';
  /** null: released, or not here yet. */
  readonly wagon:
    | (Pick<WagonHeader, 'kind' | 'createdAt' | 'positionFrom' | 'positionTo' | 'train'> & {
        readonly bytes: number;
        readonly hash: string;
      })
    | null;
  readonly receipts: readonly TracedReceipt[];
}
export interface Trace {
  readonly stream: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly sides: readonly TracedSide[];
}

/** Where each side's worker keeps its wagons, below the site's state folder. */
const STORE = { source: 'spool', target: 'inbox' } as const;

export async function traceWagon(config: SrdfConfig, stream: string, sequence: number, epoch: number | undefined): Promise<Trace> {
  const sides: TracedSide[] = [];
  let at = epoch;
  for (const side of ['source', 'target'] as const) {
    const chain = join(config[side].state, STORE[side], stream, 'chain');
    if (!existsSync(chain)) continue;
    at ??= Math.max(...(await readdir(chain)).map(Number).filter((it) => Number.isSafeInteger(it)));
    const found = await traceSide(config, side, join(chain, String(at)), sequence);
    if (found !== null) sides.push(found);
  }
  if (sides.length === 0) {
    throw new SrdfError('wagon-missing', {
      tried: `tracing wagon ${sequence} of the stream ${stream}`,
      found: `neither ${join(config.source.state, STORE.source)} nor ${join(config.target.state, STORE.target)} on this machine knows it`,
      action: 'Run this at a site, as the user of its worker. Receipts of the newest 10,000 wagons are kept',
    });
  }
  return { stream, epoch: at ?? 1, sequence, sides };
}

async function traceSide(config: SrdfConfig, side: 'source' | 'target', folder: string, sequence: number): Promise<TracedSide | null> {
  const path = (suffix: string) => join(folder, `${String(sequence).padStart(16, '0')}.${suffix}`);
  const file = await readWhole(path('wagon'));
  const ring = await loadKeyRing(config[side].keys);
  const receipts: TracedReceipt[] = [];
  for (const status of ['received', 'applied', 'refused'] as const) {
    const receipt = await readWhole(path(status));
    if (receipt.state === 'whole') receipts.push(verified(status, receipt.content, verifierFor(config, side, ring)));
  }
  if (file.state !== 'whole' && receipts.length === 0) return null;
  const wagon = file.state === 'whole' ? { ...parseHeader(file.content).header, bytes: file.trailer.bytes, hash: file.trailer.hash } : null;
  const has = (status: ReceiptStatus) => receipts.some((it) => it.status === status);
  const applied = side === 'source' && wagon === null ? 'confirmed' : 'applied';
  return {
    side,
    site: config[side].name,
    state: has('applied')
      ? applied
      : has('refused')
        ? 'refused'
        : has('received')
          ? 'received'
          : side === 'source'
            ? 'captured'
            : 'received',
    wagon: wagon && {
      kind: wagon.kind,
      createdAt: wagon.createdAt,
      positionFrom: wagon.positionFrom,
      positionTo: wagon.positionTo,
      train: wagon.train,
      bytes: wagon.bytes,
      hash: wagon.hash,
    },
    receipts: receipts.sort((a, b) => a.issuedAt - b.issuedAt),
  };
}

const verifierFor = (config: SrdfConfig, side: 'source' | 'target', ring: KeyRing) =>
  createReceiptVerifier(side === 'target' ? ring.bundle : trustedPeer(ring, config.target.name as SiteName));

function verified(status: ReceiptStatus, bytes: Uint8Array, verifier: { verify(receipt: Uint8Array): ReceiptFields }): TracedReceipt {
  const it = verifier.verify(bytes);
  return {
    status,
    issuedAt: it.issuedAt,
    site: it.targetSite,
    wagonHash: it.wagonHash,
    position: it.position,
    reason: it.reason === '' ? null : it.reason,
  };
}
