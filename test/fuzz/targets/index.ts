import type { FuzzTarget } from '../contract.js';
import { binlogDamaged } from './binlog-damaged.js';
import { binlogForged } from './binlog-forged.js';
import { config } from './config.js';
import { keyBundle } from './key-bundle.js';
import { packets } from './packets.js';
import { gtidSet, position } from './positions.js';
import { receipt } from './receipt.js';
import { receiver } from './receiver.js';
import { rowImage } from './row-image.js';
import { sqlStatement } from './sql-statement.js';
import { wagonBody, wagonHeader } from './wagon-body.js';
import { wagonDamaged } from './wagon-damaged.js';
import { wagonForged } from './wagon-forged.js';

export const TARGETS: readonly FuzzTarget[] = [
  binlogDamaged,
  binlogForged,
  rowImage,
  packets,
  wagonDamaged,
  wagonForged,
  wagonBody,
  wagonHeader,
  receipt,
  keyBundle,
  receiver,
  sqlStatement,
  position,
  gtidSet,
  config,
];
